"""What pharmacology adds to a contrast, region by region: flow, ligand or receptors, occupancy against dose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.data.pharmacology import Displacement, DoseResponse, FlowCheck, OccupancyStudy, Separated
from raphe.data.record import Step
from raphe.data.results import Excluded, Interval

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FlowRow:
    """R1 or k2_prime of one region; ``found`` is None where nothing can be compared, and ``why`` says why."""

    region: str
    parameter: str
    n: int
    found: FlowCheck | None
    excluded: tuple[Excluded, ...] = ()
    why: str = ""


@dataclass(frozen=True, eq=False)
class FlowTable:
    """Whether delivery or clearance can explain a contrast of binding, in the same people and sessions.

    Parameters
    ----------
    contrast, tracer, model, first, second : str
        The contrast, and its sessions.
    arms : tuple of str
        Arms whose changes are compared, second over first; empty where a change within people is tested.
    margin : float
        Largest ratio that counts as no change.
    assumed : bool
        Whether the margin is raphe's own and not the plan's.
    rows : tuple of FlowRow
        Empty where the model gives neither parameter.
    """

    contrast: str
    tracer: str
    model: str
    first: str
    second: str
    arms: tuple[str, ...]
    margin: float
    assumed: bool
    rows: tuple[FlowRow, ...]


@dataclass(frozen=True, eq=False)
class LigandRow:
    """Ligand against receptors in one region; ``found`` is None where nothing can be told, and ``why`` says why."""

    region: str
    n: int
    found: Displacement | Separated | None
    excluded: tuple[Excluded, ...] = ()
    why: str = ""


@dataclass(frozen=True, eq=False)
class LigandTable:
    """A change of binding read as endogenous ligand and as receptors.

    Parameters
    ----------
    contrast, tracer, model : str
    terms : tuple of str
        Sessions: baseline and drug; with a design, the second condition without and with the drug.
    design : str
        ``pair``, which cannot tell the two apart, ``release`` or ``depletion``.
    theta0 : float
        Share of receptors that the ligand takes at baseline, as the plan assumes; NaN for none.
    theta0_range : tuple of float
        Its ends by the plan; empty for none.
    rows : tuple of LigandRow
    """

    contrast: str
    tracer: str
    model: str
    terms: tuple[str, ...]
    design: str
    theta0: float
    theta0_range: tuple[float, ...]
    rows: tuple[LigandRow, ...]


@dataclass(frozen=True)
class DosePoint:
    """Occupancy of one scan, a share of 1 with its own 95 % interval (NaN where unknown), and its exposure."""

    participant: str
    session: str
    exposure: float
    occupancy: float
    low: float = float("nan")
    high: float = float("nan")


TENFOLD = 10.0
"""Exposures that span more are drawn on a logarithmic axis."""


def on_log_axis(points: Sequence[DosePoint]) -> bool:
    """Whether exposures span so much that they are drawn on a logarithmic axis."""
    given = [point.exposure for point in points if point.exposure > 0]
    return bool(given) and max(given) > TENFOLD * min(given)


@dataclass(frozen=True, eq=False)
class DoseCurve:
    """Fitted curve with its 95 % band, each of shape (n_dose,)."""

    dose: Array
    value: Array
    low: Array
    high: Array


@dataclass(frozen=True, eq=False)
class DoseRow:
    """Occupancy against exposure in one region, or by the lines through all regions.

    Parameters
    ----------
    region : str
    points : tuple of DosePoint
        Scans that were fitted.
    fit : DoseResponse or None
        None where no curve can be fitted, and ``why`` says why.
    curve : DoseCurve or None
    doses : tuple of (float, Interval)
        Occupancies and the dose that is predicted for each; NaN where the curve does not reach it.
    remarks : tuple of str
        What a reader must know besides the fit's own statements.
    left_out : tuple of (str, str)
        Whose scan was left out, and why.
    """

    region: str
    points: tuple[DosePoint, ...]
    fit: DoseResponse | None
    curve: DoseCurve | None = None
    doses: tuple[tuple[float, Interval], ...] = ()
    remarks: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    why: str = ""


@dataclass(frozen=True, eq=False)
class DoseTable:
    """Occupancy against dose or plasma concentration.

    ``contrast`` is empty outside of a plan; ``E_max`` and ``hill`` are what they were fixed at, None where fitted.
    """

    contrast: str
    tracer: str
    model: str
    exposure: str
    unit: str
    kind: str
    E_max: float | None
    hill: float | None
    rows: tuple[DoseRow, ...]


@dataclass(frozen=True, eq=False)
class LassenTable:
    """Lassen plots of the people of a contrast; the group's answer is the row of the contrast."""

    contrast: str
    study: OccupancyStudy


@dataclass(frozen=True, eq=False)
class Pharmacology:
    """Tables beside the contrasts of a study, how they were made, and why others could not be.

    ``warnings`` are what a person must read of those that were made.
    """

    flow: tuple[FlowTable, ...] = ()
    ligand: tuple[LigandTable, ...] = ()
    dose: tuple[DoseTable, ...] = ()
    lassen: tuple[LassenTable, ...] = ()
    steps: tuple[Step, ...] = ()
    unmade: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
