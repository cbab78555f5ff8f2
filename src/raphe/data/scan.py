"""What is known of one scan besides its curves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Scan:
    """One PET scan: who, when, with which tracer.

    Times are minutes, activities MBq, masses ug, half-life min. ``None`` says that the source does not tell.
    """

    participant: str
    """Label without ``sub-``."""
    session: str | None = None
    """Label without ``ses-``."""
    entities: tuple[tuple[str, str], ...] = ()
    """Further BIDS entities of the scan in order: task, trc, rec, run."""
    tracer: str = ""
    """Name in the catalog where the tracer is known there, else as the sidecar has it."""
    radionuclide: str = ""
    """Element and mass number, e.g. ``C11``."""
    half_life: float | None = None
    injected_radioactivity: float | None = None
    injected_mass: float | None = None
    molar_activity: float | None = None
    """GBq/umol."""
    body_weight: float | None = None
    """kg."""
    scanner: str = ""
    administration: str = ""
    """``bolus``, ``infusion`` or ``bolus-infusion``, as the sidecar spells it."""
    sources: tuple[Path, ...] = ()
    """Files that this scan's values were read from."""

    @property
    def label(self) -> str:
        """``sub-01_ses-baseline`` and so on: the stem of every file that is written for this scan."""
        parts = [f"sub-{self.participant}"]
        if self.session is not None:
            parts.append(f"ses-{self.session}")
        parts.extend(f"{key}-{value}" for key, value in self.entities)
        return "_".join(parts)
