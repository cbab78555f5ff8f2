"""A planned comparison as it is asked, and the material that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from raphe.data.estimates import Estimates
from raphe.data.people import NOT_KNOWN, People
from raphe.errors import InputError
from raphe.stats.bayes import Prior
from raphe.stats.pairs import NONE


@dataclass(frozen=True)
class Question:
    """What a ``[[contrast]]`` of the plan asks; which fields a kind reads is said in its module.

    Parameters
    ----------
    name, kind, tracer, model, parameter : str
        ``kind`` is one of :data:`raphe.stats.contrasts.registry.KINDS`; ``parameter`` a symbol such as ``BP_ND``.
    terms, sessions, levels, x : tuple of str
        Sessions, arms or tracers.
    by : str
        ``tracer`` or ``arm``, of an interaction.
    sources : tuple of (str, str)
        Tracer and model of each level of an interaction by tracer.
    regions : tuple of str
        Empty for all of the table.
    arm : str
        People of this arm alone; empty for all.
    arms : tuple of str
        All arms of the study.
    adjust, scale, test : str
        ``scale`` of a person's change: ``difference``, second minus first; ``percent`` of the first; ``log``, the
        logarithm of their ratio. ``test`` is ``t`` or ``permutation``.
    seed : int
        Of a permutation test.
    covariates : tuple of str
        Names in :class:`raphe.data.people.People`.
    missing : str
        ``error`` or ``exclude``: what becomes of people who lack a covariate, a block, or an error to be weighted by.
    covariance, df : str
        Of a mixed model.
    score, method : str
        Of a correlation.
    score_sessions : tuple of str
        Visits of the score: one, or two for its change.
    margin : float, optional
        Largest effect that does not matter, in the unit of the estimate.
    weights : str
        ``none``, or ``se``: people are weighted by how sure their estimates are (:mod:`raphe.stats.weighted`).
    bootstrap : int, optional
        Repeats of an interval by resampling people.
    prior : Prior, optional
        Of the estimate, for its posterior.
    blocks : str
        Column of the participants within whose classes a permutation test deals the arms anew; empty for none.
    primary : bool
    """

    name: str
    tracer: str
    model: str
    parameter: str = "BP_ND"
    kind: str = "paired"
    terms: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    arm: str = ""
    arms: tuple[str, ...] = ()
    by: str = ""
    levels: tuple[str, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    adjust: str = "holm"
    scale: str = "difference"
    test: str = "t"
    seed: int = 1
    covariates: tuple[str, ...] = ()
    missing: str = "error"
    covariance: str = "unstructured"
    df: str = "kenward-roger"
    x: tuple[str, ...] = ()
    score: str = ""
    score_sessions: tuple[str, ...] = ()
    method: str = "pearson"
    margin: float | None = None
    weights: str = "none"
    bootstrap: int | None = None
    prior: Prior | None = None
    blocks: str = ""
    primary: bool = False


@dataclass(frozen=True, eq=False)
class Material:
    """What contrasts are answered from.

    Parameters
    ----------
    estimates : Estimates
    people : People
    aside : mapping of str to mapping of (str, str) to str
        By tracer: participant and session of each scan that was taken out before, of which there are no estimates, and
        why.
    """

    estimates: Estimates
    people: People = field(default_factory=People)
    aside: Mapping[str, Mapping[tuple[str, str], str]] = field(default_factory=dict)

    def taken_out(self, tracer: str) -> Mapping[tuple[str, str], str]:
        """Scans of a tracer that were taken out."""
        return self.aside.get(tracer, NONE)

    def arms(self) -> dict[str, str]:
        """Arm of each participant that is in one, by the table of estimates and that of the participants.

        Raises
        ------
        InputError
            If a participant is in two arms.
        """
        found: dict[str, str] = {}
        pairs = [(row.participant, row.arm) for row in self.estimates.rows]
        for person, arm in (*dict.fromkeys(pairs), *self.people.columns.get("arm", {}).items()):
            if arm.lower() in NOT_KNOWN:
                continue
            if found.setdefault(person, arm) != arm:
                raise InputError(
                    f"participant {person!r} is in arm {found[person]!r} by the table of estimates and in {arm!r} by "
                    "another row of it or participants.tsv; mend the one that is wrong, for a person belongs to one arm"
                )
        return found
