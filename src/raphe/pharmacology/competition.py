"""Endogenous ligand against receptor number: what a change of BP_ND says of either, and what it cannot say.

With a tracer in small amounts, BP_ND / BP_ND0 = f / (1 + theta0 (n - 1)): f is the ratio of B_max, theta0 the share of
receptors that the ligand occupies at baseline, and n its fold change (competition at equilibrium; Laruelle 2000, J
Cereb Blood Flow Metab 20:423). Every function rests on this, on an affinity and a non-displaceable uptake that do
not change, and on a ligand that is steady over the scan.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from raphe.core.ratio import fieller
from raphe.data.pharmacology import Displacement
from raphe.data.record import Step
from raphe.data.results import Interval
from raphe.errors import InputError
from raphe.pharmacology.occupancy import quantile

Array = npt.NDArray[np.float64]

NAN = float("nan")

LINE_FOLDS = (0.25, 4.0)
"""Fold changes of the ligand over which the line of equal changes runs."""

N_LINE = 61


def expected_ratio(fold: npt.ArrayLike, theta0: float, receptors: float = 1.0) -> Array:
    """BP_ND over that at baseline, for a fold change of the ligand and a ratio of B_max; same shape as ``fold``.

    Raises
    ------
    InputError
        If ``theta0`` is not from 0 to below 1, or a fold change or the ratio is negative.
    """
    folds = np.asarray(fold, dtype=float)
    _check_theta0(theta0)
    if np.any(folds < 0) or receptors < 0:
        raise InputError(
            "a fold change of the ligand and a ratio of receptors are not below 0; give the change as n-fold"
        )
    return np.asarray(receptors / (1 + theta0 * (folds - 1)))


def displacement(
    baseline: npt.ArrayLike,
    changed: npt.ArrayLike,
    *,
    baseline_se: float | None = None,
    changed_se: float | None = None,
    theta0: float | None = None,
    theta0_range: tuple[float, float] | None = None,
) -> tuple[Displacement, Step]:
    """Read one change of BP_ND as endogenous ligand alone, as receptors alone, and as every mixture of both.

    Two scans with one tracer cannot tell these apart: the answer says so, and gives the line of mixtures that explain
    the change equally well.

    Parameters
    ----------
    baseline, changed : array_like
        BP_ND of the participants, shape (n,), in the same order, n >= 2: the interval is Fieller's of the ratio of
        means, paired. Or one number each, with standard errors.
    baseline_se, changed_se : float, optional
        Standard errors, for one number each.
    theta0 : float, optional
        Baseline occupancy by the ligand, 0 to 1; without it, only theta0 (n - 1) can be told.
    theta0_range : (float, float), optional
        Ends within which theta0 is believed; they widen the interval of n.

    Raises
    ------
    InputError
        For lengths that differ, a BP_ND that is missing or not above 0, missing standard errors, or an impossible
        ``theta0``.
    """
    before, after = (np.atleast_1d(np.asarray(values, dtype=float)) for values in (baseline, changed))
    check_conditions({"baseline": before, "change": after})
    ratio = _ratio(before, after, baseline_se, changed_se)
    extra = Interval(1 / ratio.value - 1, _inverse(ratio.high), _inverse(ratio.low))
    fold = _fold(extra, theta0, theta0_range)
    known = NAN if theta0 is None else float(theta0)
    folds = np.geomspace(*LINE_FOLDS, N_LINE)
    if theta0 is None:
        line = (folds, ratio.value * folds)
    else:
        line = (folds, ratio.value * (1 + known * (folds - 1)))
    found = Displacement(ratio, extra, fold, ratio, *line, known, _inseparable(ratio, extra, fold, known))
    step = Step(
        "displacement",
        {"n": int(before.size), "theta0": theta0, "theta0_range": theta0_range},
        citations=("laruelle2000", "fieller1954"),
    )
    return found, step


def check_conditions(conditions: dict[str, Array]) -> None:
    """Refuse conditions of different length, and values of BP_ND whose reciprocal has no meaning.

    Raises
    ------
    InputError
    """
    sizes = {name: values.size for name, values in conditions.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise InputError(f"every condition needs the same participants in the same order, but there are: {told}")
    for name, values in conditions.items():
        for at in np.flatnonzero(~(np.isfinite(values) & (values > 0)))[:1]:
            raise InputError(
                f"BP_ND of participant {at + 1} in condition {name!r} is {values[at]:.4g}; competition needs values "
                "above 0, so leave this participant out of every condition"
            )


def _check_theta0(theta0: float) -> None:
    if not 0 <= theta0 < 1:
        raise InputError(f"theta0 is {theta0:g}, and a share of occupied receptors is from 0 to below 1; give a share")


def _ratio(before: Array, after: Array, before_se: float | None, after_se: float | None) -> Interval:
    top, bottom = float(after.mean()), float(before.mean())
    n = before.size
    if n > 1:
        spread = np.cov(after, before) / n
        variances, q = (spread[0, 0], spread[1, 1], spread[0, 1]), quantile(n - 1)
    elif before_se is None or after_se is None:
        raise InputError("one participant needs the standard errors of both values (baseline_se, changed_se)")
    else:
        variances, q = (after_se**2, before_se**2, 0.0), quantile()
    return Interval(top / bottom, *fieller(top, bottom, *variances, q))


def _inverse(end: float) -> float:
    """End of 1 / ratio - 1; without limit where the ratio may be 0."""
    return math.inf if end <= 0 else 1 / end - 1


def _fold(extra: Interval, theta0: float | None, theta0_range: tuple[float, float] | None) -> Interval:
    if theta0 is None:
        return Interval(NAN, NAN, NAN)
    low, high = theta0_range or (theta0, theta0)
    for share in (low, theta0, high):
        _check_theta0(share)
        if share == 0:
            raise InputError(
                "theta0 is 0: a ligand that occupies nothing at baseline cannot be told by its fold; give more"
            )
    if not low <= theta0 <= high:
        raise InputError(
            f"theta0 of {theta0:g} is not within its own range, {low:g} to {high:g}; give a range that holds it"
        )
    ends = [1 + end / share for end in (extra.low, extra.high) for share in (low, high)]
    return Interval(1 + extra.value / theta0, max(min(ends), 0.0), max(ends))


def _inseparable(ratio: Interval, extra: Interval, fold: Interval, theta0: float) -> str:
    change = 100 * (ratio.value - 1)
    text = (
        f"BP_ND changed by {change:+.0f} % (95 % interval {100 * (ratio.low - 1):+.0f} to "
        f"{100 * (ratio.high - 1):+.0f} %). Two scans with one tracer cannot tell a change of receptor number from a "
        f"change of endogenous ligand: B_max times {ratio.value:.2f} with the ligand as before, or theta0 (n - 1) = "
        f"{extra.value:.2f} with the receptors as before, or any mixture on the line explain it equally well."
    )
    if math.isfinite(theta0) and fold.value >= 0:
        text += f" With theta0 = {theta0:.2f} the ligand alone would have to be {fold.value:.2f}-fold."
    if math.isfinite(theta0) and fold.value < 0:
        most = 100 * (1 / (1 - theta0) - 1)
        text += (
            f" With theta0 = {theta0:.2f} the ligand alone cannot do it: were all of it gone, BP_ND would rise by "
            f"{most:.0f} %; so B_max has risen, or the tracer's affinity or theta0 are not as assumed."
        )
    return text + " A scan pair with a releaser, or with the ligand depleted, with and without the drug would tell."
