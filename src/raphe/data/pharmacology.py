"""Answers of pharmacology: occupancy, the Lassen plot, competition, and dose against effect."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.data.results import Interval, PairedValues

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RegionOccupancy:
    """Occupancy in one region, of each participant and of the group, as a share of 1.

    Parameters
    ----------
    pairs : PairedValues
        BP_ND at baseline (first) and under the drug (second).
    value, se, low, high : ndarray, shape (n_participant,)
        Occupancy, its standard error by the delta method and its 95 % interval by Fieller; NaN where a baseline is not
        positive or the standard errors are not known; an interval without limits has infinite ends.
    why : tuple of str
        What could not be computed for each participant; empty text for nothing.
    mean : Interval
        Mean over participants with its t interval; NaN ends for fewer than two.
    of_means : Interval
        1 - (mean under the drug) / (mean at baseline) with the paired interval of Fieller.
    remark : str
        What could not be computed for the group.
    """

    pairs: PairedValues
    value: Array
    se: Array
    low: Array
    high: Array
    why: tuple[str, ...]
    mean: Interval
    of_means: Interval
    remark: str = ""


@dataclass(frozen=True, eq=False)
class LineRegion:
    """One region of an occupancy plot.

    ``baseline`` and ``blocked`` were measured, ``fitted_baseline`` and ``fitted_blocked`` lie on the line. ``share`` is
    the specific part of the fitted baseline, (V_T - V_ND) / V_T. ``p_outlier`` tests that the region lies on the line
    of the others, adjusted for the number of regions; ``occupancy_without`` and ``V_ND_without`` are what the others
    give; all three are NaN where too few are left. ``why`` says why a region was left out; NaN stand for it then.
    """

    name: str
    baseline: float
    blocked: float
    fitted_baseline: float = float("nan")
    fitted_blocked: float = float("nan")
    share: float = float("nan")
    p_outlier: float = float("nan")
    occupancy_without: float = float("nan")
    V_ND_without: float = float("nan")
    why: str = ""


@dataclass(frozen=True, eq=False)
class OccupancyLine:
    """Occupancy of all regions of one participant by one line.

    Parameters
    ----------
    participant : str
    parameter : str
        ``V_T`` (Lassen plot) or ``BP_ND`` (line through 0).
    method : str
        ``ml``, ``ols`` or ``tls``.
    regions : tuple of LineRegion
    occupancy : Interval
        Share of 1 with its 95 % interval; infinite ends where the data set no limits.
    V_ND : Interval
        mL/cm3; NaN for a line through 0.
    noise : str
        How the errors of the regions were taken.
    error : float
        Size of the errors that was estimated: a share of V_T, or in units of the given standard errors or covariance,
        or of V_T; 0 where the points lie on the line.
    df : int
        Degrees of freedom of the line.
    p_fit : float
        Probability of so bad a fit where the size of the errors is known; NaN where it is estimated.
    span : float
        Standard deviation of the fitted baseline over regions in units of its error.
    p_heap : float
        Probability of so long a row of points if all regions had the same binding; NaN for a line through 0, and for
        ``ols`` and ``tls``.
    statements : tuple of str
        What a reader must know, in words.
    """

    participant: str
    parameter: str
    method: str
    regions: tuple[LineRegion, ...]
    occupancy: Interval
    V_ND: Interval
    noise: str
    error: float
    df: int
    p_fit: float
    span: float
    p_heap: float
    statements: tuple[str, ...]

    @property
    def used(self) -> tuple[LineRegion, ...]:
        """Regions that the line was fitted to."""
        return tuple(region for region in self.regions if not region.why)

    @property
    def determined(self) -> bool:
        """Whether the intervals of the occupancy and, in a Lassen plot, of V_ND have ends."""
        ends = [self.occupancy.low, self.occupancy.high]
        if self.parameter == "V_T":
            ends += [self.V_ND.low, self.V_ND.high]
        return bool(np.isfinite(ends).all())


@dataclass(frozen=True, eq=False)
class GroupLine:
    """Means over participants of what their lines give, with t intervals; NaN ends for fewer than two."""

    n: int
    occupancy: Interval
    V_ND: Interval
    undetermined: tuple[str, ...]
    """Participants whose own interval has no end; their estimates are in the means."""


@dataclass(frozen=True, eq=False)
class OccupancyStudy:
    """Everything that the occupancy of a drug was told by: the pairs of values, the regions, the lines and the group.

    ``by_region`` is empty for V_T, of which a region alone gives no occupancy; ``group`` is None where no
    participant has a line. ``no_line`` says of participants without one why.
    """

    tracer: str
    model: str
    parameter: str
    baseline: str
    blocked: str
    pairs: tuple[PairedValues, ...]
    by_region: tuple[RegionOccupancy, ...]
    lines: tuple[OccupancyLine, ...]
    group: GroupLine | None
    no_line: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Displacement:
    """One change of BP_ND, read as endogenous ligand alone and as receptors alone.

    Parameters
    ----------
    ratio : Interval
        BP_ND after over BP_ND before.
    extra : Interval
        theta0 (n - 1), the rise of the ligand's ratio to its affinity, if receptors did not change.
    fold : Interval
        n, the ligand's fold change for the given theta0, if receptors did not change; NaN without theta0.
    receptors : Interval
        B_max after over before, if the ligand did not change: the ratio itself.
    line_fold, line_receptors : ndarray, shape (n_point,)
        Fold changes of the ligand and the B_max ratio that goes with each to give the same change.
    theta0 : float
        Baseline occupancy by the ligand that the line assumes; NaN where unknown: the line then runs over ``1 +
        extra``.
    statement : str
    """

    ratio: Interval
    extra: Interval
    fold: Interval
    receptors: Interval
    line_fold: Array
    line_receptors: Array
    theta0: float
    statement: str


@dataclass(frozen=True, eq=False)
class Separated:
    """Change of receptor number and of endogenous ligand, told apart by a second condition.

    ``receptors`` is B_max under the drug over B_max before; ``extra`` is theta0 (n - 1) under the drug; ``theta0`` the
    baseline occupancy where the design gives it (depletion), else NaN; ``fold`` is n where theta0 is known. ``n`` is
    the number of participants. ``p_receptors`` and ``p_extra`` are two-sided p values of no change of either; NaN
    where an interval has no ends.
    """

    design: str
    n: int
    receptors: Interval
    extra: Interval
    theta0: Interval
    fold: Interval
    statement: str
    p_receptors: float = float("nan")
    p_extra: float = float("nan")


@dataclass(frozen=True, eq=False)
class FlowCheck:
    """Whether delivery (R1) or clearance (k2_prime) changed between two conditions.

    ``ratio`` is the geometric mean of second over first with its 95 % interval, ``equivalence`` the same with the 90 %
    interval that two one-sided tests at 5 % use; ``margin`` is the largest ratio that counts as no change.
    """

    parameter: str
    n: int
    ratio: Interval
    equivalence: Interval
    p: float
    p_equivalence: float
    margin: float
    equivalent: bool
    statement: str


@dataclass(frozen=True, eq=False)
class DoseResponse:
    """Occupancy against dose or concentration.

    Parameters
    ----------
    EC50, E_max, hill : Interval
        95 % profile-likelihood intervals; one that was fixed has itself as both ends; infinite ends, or 0 below, where
        the data set no limit.
    sd : float
        Residual standard deviation, in units of the given errors or of occupancy.
    subject_sd : float
        Standard deviation of ln EC50 over subjects; 0 where each has one scan.
    free : tuple of str
        Parameters that were fitted.
    theta, covariance : ndarray, shape (n_free,) and (n_free, n_free)
        Fitted values (EC50 and hill as logarithms) and their covariance, for predictions.
    n, n_subject, df : int
    unit, kind : str
        Of the dose, and whether it is a ``dose`` or a ``concentration``.
    statements : tuple of str
    """

    EC50: Interval
    E_max: Interval
    hill: Interval
    sd: float
    subject_sd: float
    free: tuple[str, ...]
    theta: Array
    covariance: Array
    n: int
    n_subject: int
    df: int
    unit: str
    kind: str
    statements: tuple[str, ...]

    @property
    def called(self) -> dict[str, str]:
        """Parameters in words: EC50 of a dose is an ED50."""
        return {"EC50": "ED50" if self.kind == "dose" else "EC50", "E_max": "E_max", "hill": "the Hill slope"}

    @property
    def undetermined(self) -> tuple[str, ...]:
        """Fitted parameters to which the data set no lower or no upper limit."""
        ends = {"EC50": self.EC50, "E_max": self.E_max, "hill": self.hill}
        return tuple(name for name in self.free if ends[name].low <= 0 or math.isinf(ends[name].high))
