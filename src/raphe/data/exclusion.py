"""What a person has taken out of a study, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Exclusion:
    """One row of ``exclusions.tsv``: scans of a participant that take no part in the study's results.

    Parameters
    ----------
    participant : str
        Label without ``sub-``.
    session : str or None
        Label without ``ses-``; None for all sessions.
    tracer : str or None
        Name of the tracer, or the label after ``trc-``; None for all tracers.
    run : str or None
        Label without ``run-``; None for all runs.
    reason : str
    """

    participant: str
    session: str | None
    tracer: str | None
    run: str | None
    reason: str

    @property
    def scans(self) -> tuple[str, str | None, str | None, str | None]:
        """Which scans are meant, without the reason."""
        return self.participant, self.session, self.tracer, self.run
