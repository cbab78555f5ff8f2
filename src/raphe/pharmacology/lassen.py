"""One occupancy for all regions: the Lassen plot of V_T, and the line through 0 of BP_ND."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.core.line_of_errors import Line, fit_line
from raphe.data.pharmacology import GroupLine, LineRegion, OccupancyLine
from raphe.data.record import Step
from raphe.data.results import Interval
from raphe.errors import InputError, nearest
from raphe.pharmacology.line_words import statements
from raphe.pharmacology.occupancy import CONFIDENCE, NAN, mean_interval

Array = npt.NDArray[np.float64]

METHODS = ("ml", "ols", "tls")
"""Maximum likelihood with errors in both scans; ordinary and total least squares in the axes of the Lassen plot."""

NOISES = ("relative", "absolute", "se")
"""Errors in proportion to V_T (to 1 + BP_ND), alike in all regions, or as the standard errors of the fits have them."""

LEAST = {"V_T": 3, "BP_ND": 2}
"""Regions that a line needs so that its scatter can be told."""

N_ROUND = 100

SMALLEST = 0.02
"""Least value, as a share of the largest, that an error in proportion is taken of; an assumption."""


class _Noise(NamedTuple):
    kind: str
    relative: bool
    known: bool
    baseline: Array
    """Covariance, shape (n, n), of the baseline, or of its relative errors."""
    blocked: Array


def lassen_plot(
    regions: Sequence[str],
    baseline: npt.ArrayLike,
    blocked: npt.ArrayLike,
    *,
    parameter: str = "V_T",
    method: str = "ml",
    noise: str = "relative",
    baseline_se: npt.ArrayLike | None = None,
    blocked_se: npt.ArrayLike | None = None,
    covariance: npt.ArrayLike | None = None,
    known: bool = False,
    left_out: Mapping[str, str] | None = None,
    judged: bool = True,
    participant: str = "",
) -> tuple[OccupancyLine, Step]:
    """Estimate occupancy and V_ND from the V_T of several regions before and under a drug.

    The model is V_T(baseline) = V_ND + V_S and V_T(drug) = V_ND + (1 - occupancy) V_S in each region, with one V_ND and
    one occupancy (Cunningham 2010, J Cereb Blood Flow Metab 30:46). The Lassen plot draws V_T(baseline) - V_T(drug)
    against V_T(baseline); both axes hold the error of the baseline, so that ordinary regression there is biased. ``ml``
    takes each scan with its own error and profiles the V_S of the regions out; its intervals are profile likelihood.
    With ``covariance`` it takes errors that regions share into account, as Schain 2018 (NeuroImage 178:255) does.

    Parameters
    ----------
    regions : sequence of str, length n
    baseline, blocked : array_like, shape (n,)
        V_T in mL/cm3, or BP_ND.
    parameter : str
        ``"V_T"``, or ``"BP_ND"``: then the line passes through 0 and there is no V_ND.
    method : str
        ``"ml"``; ``"ols"`` and ``"tls"`` are for comparison with other programs.
    noise : str
        For ``ml``: ``"relative"`` (default), ``"absolute"`` or ``"se"``.
        An error of V_T in proportion to it is one of BP_ND in proportion to 1 + BP_ND.
    baseline_se, blocked_se : array_like, shape (n,), optional
        Standard errors in the parameter's unit, for ``noise="se"``.
    covariance : array_like, shape (n, n), optional
        Of the errors of the regions in one scan, e.g. :func:`shared_errors` of test-retest data: of relative errors for
        ``noise="relative"``, in squared units for ``"absolute"``. It holds for both scans.
    known : bool
        Whether standard errors or ``covariance`` tell the size of the errors too, not just their proportions. Else the
        scatter about the line tells it.
    left_out : mapping of str to str, optional
        Regions not to use, and why.
    judged : bool
        Whether each region is held against the line of the others.
    participant : str

    Returns
    -------
    OccupancyLine
        A region with a missing value is left out and says so. ``statements`` says what the regions do not determine.
    Step

    Raises
    ------
    InputError
        For unknown options; lengths that differ; a region named twice; a V_T that is not above 0; a BP_ND below 0 in
        every baseline; standard errors or a covariance that cannot be; fewer than three regions (two for BP_ND).
    """
    _check_options(parameter, method, noise, covariance is not None, known)
    x, y = (np.asarray(values, dtype=float) for values in (baseline, blocked))
    _check_values(regions, x, y, parameter)
    reasons = _reasons(regions, x, y, left_out or {})
    kept = np.flatnonzero([not why for why in reasons])
    if kept.size < LEAST[parameter]:
        lost = "; ".join(f"{name}: {why}" for name, why in zip(regions, reasons, strict=True) if why)
        raise InputError(
            f"a line needs {LEAST[parameter]} regions with {parameter} in both scans, and there "
            f"{'is' if kept.size == 1 else 'are'} {kept.size}" + (f" ({lost})" if lost else "") + "; add regions"
        )
    taken = _noise(method, noise, regions, kept, baseline_se, blocked_se, covariance, known)
    result = _estimate(x[kept], y[kept], taken, method, parameter)
    rows = _rows(regions, x, y, reasons, kept, result, taken, method, parameter, judged)
    line = _outcome(participant, parameter, method, rows, result, taken)
    line = replace(line, statements=statements(line))
    step = Step(
        "occupancy_line",
        {
            "parameter": parameter,
            "method": method,
            "noise": taken.kind,
            "participant": participant,
            "n_regions": int(kept.size),
            "left_out": tuple(name for name, why in zip(regions, reasons, strict=True) if why),
        },
        citations=CITATIONS[parameter] + (("schain2018",) if covariance is not None else ()),
    )
    return line, step


CITATIONS = {"V_T": ("cunningham2010", "fuller1987"), "BP_ND": ("fuller1987",)}


def group_line(lines: Sequence[OccupancyLine]) -> GroupLine:
    """Means over participants of the occupancy and V_ND of their lines; every finite estimate is in them."""
    if not lines:
        raise InputError("there is no line of a participant to take the mean of")
    return GroupLine(
        len(lines),
        mean_interval([line.occupancy.value for line in lines]),
        mean_interval([line.V_ND.value for line in lines]),
        tuple(line.participant for line in lines if not line.determined),
    )


def shared_errors(test: npt.ArrayLike, retest: npt.ArrayLike) -> Array:
    """Covariance of the relative errors of the regions of one scan, shape (n_region, n_region), from test-retest data.

    Each region has its own variance, and every two regions the same correlation, the mean of all: what a handful of
    people can tell, and never singular.

    Parameters
    ----------
    test, retest : array_like, shape (n_participant, n_region)
        V_T, above 0; at least three participants and two regions.

    Raises
    ------
    InputError
        For other shapes, or values that are missing or not above 0.
    """
    first, second = (np.asarray(values, dtype=float) for values in (test, retest))
    if first.ndim != 2 or first.shape != second.shape or first.shape[0] < 3 or first.shape[1] < 2:
        raise InputError(
            f"test has shape {first.shape} and retest {second.shape}; both need the same participants (three or "
            "more) in "
            "rows and regions (two or more) in columns"
        )
    for values in (first, second):
        if not np.all(np.isfinite(values) & (values > 0)):
            raise InputError("test-retest values of V_T have to be there and above 0; leave out who has others")
    change = (second - first) / ((first + second) / 2) / np.sqrt(2)
    sd = change.std(axis=0, ddof=1)
    if not np.all(sd > 0):
        raise InputError(
            "a region of the test-retest data has the same change in every participant; look at the tables"
        )
    n = sd.size
    mean = (np.corrcoef(change, rowvar=False).sum() - n) / (n * (n - 1))
    mean = float(np.clip(mean, 0.0, 0.99))
    return np.asarray(np.outer(sd, sd) * (mean + (1 - mean) * np.eye(n)))


def _check_options(parameter: str, method: str, noise: str, covariance: bool, known: bool) -> None:
    for what, value, there in (
        ("parameter", parameter, tuple(LEAST)),
        ("method", method, METHODS),
        ("noise", noise, NOISES),
    ):
        if value not in there:
            raise InputError(f"{what} {value!r} is not known to an occupancy plot; {nearest(value, there)}")
    if method != "ml" and (noise != "relative" or covariance or known):
        raise InputError(f"method {method!r} takes no errors of the regions; use 'ml', or leave them out")
    if covariance and noise == "se":
        raise InputError("noise 'se' has standard errors and takes no covariance; use 'relative' or 'absolute' for it")
    if known and noise != "se" and not covariance:
        raise InputError("the size of the errors is said to be known, but neither standard errors nor a covariance are")


def _check_values(regions: Sequence[str], x: Array, y: Array, parameter: str) -> None:
    if not x.shape == y.shape == (len(regions),):
        raise InputError(
            f"{len(regions)} regions are named, but there are {x.size} values at baseline and {y.size} under the drug; "
            "one each is needed"
        )
    twice = [name for name in dict.fromkeys(regions) if list(regions).count(name) > 1]
    if twice:
        raise InputError(f"region {twice[0]!r} stands more than once; keep one row of it")
    for scan, values in (("at baseline", x), ("under the drug", y)):
        for name, value in zip(regions, values, strict=True):
            if parameter == "V_T" and value <= 0:
                raise InputError(
                    f"V_T of {name} {scan} is {value:.4g}, and a volume of distribution is above 0; mend or leave it "
                    "out"
                )
    if parameter == "BP_ND" and not np.any(x > 0):
        raise InputError("no region has a BP_ND above 0 at baseline, so nothing can be occupied; look at the baseline")


def _reasons(regions: Sequence[str], x: Array, y: Array, left_out: Mapping[str, str]) -> list[str]:
    reasons = []
    for name, before, after in zip(regions, x, y, strict=True):
        missing = [w for w, v in (("at baseline", before), ("under the drug", after)) if not np.isfinite(v)]
        reasons.append(left_out.get(name, "") or (f"no value {' and '.join(missing)}" if missing else ""))
    return reasons


def _noise(
    method: str,
    noise: str,
    regions: Sequence[str],
    kept: npt.NDArray[np.intp],
    baseline_se: npt.ArrayLike | None,
    blocked_se: npt.ArrayLike | None,
    covariance: npt.ArrayLike | None,
    known: bool,
) -> _Noise:
    same = np.eye(kept.size)
    if method != "ml":
        return _Noise("alike", False, False, 0 * same if method == "ols" else same, same)
    if noise == "se":
        both = [_variances(regions, kept, values) for values in (baseline_se, blocked_se)]
        return _Noise("se", False, known, *both)
    if covariance is not None:
        same = _covariance(covariance, len(regions))[np.ix_(kept, kept)]
    kind = f"{noise}, shared" if covariance is not None else noise
    return _Noise(kind, noise == "relative", known, same, same)


def _variances(regions: Sequence[str], kept: npt.NDArray[np.intp], values: npt.ArrayLike | None) -> Array:
    if values is None:
        raise InputError("noise 'se' needs the standard errors of both scans; give them or use noise 'relative'")
    se = np.asarray(values, dtype=float)
    if se.shape != (len(regions),):
        raise InputError(f"there are {se.size} standard errors for {len(regions)} regions; one each is needed")
    for at in kept:
        if not (np.isfinite(se[at]) and se[at] > 0):
            raise InputError(
                f"the standard error of {regions[at]} is {se[at]:.4g}, and noise 'se' needs one above 0; use 'relative'"
            )
    return np.diag(se[kept] ** 2)


def _covariance(values: npt.ArrayLike, n: int) -> Array:
    found = np.asarray(values, dtype=float)
    if found.shape != (n, n) or not np.isfinite(found).all():
        raise InputError(f"the covariance of {n} regions has shape {found.shape}; {n} rows of {n} numbers are needed")
    if not np.allclose(found, found.T, rtol=1e-6, atol=1e-12 * np.abs(found).max()):
        raise InputError("the covariance of the regions is not symmetric; look at how it was made")
    if np.linalg.eigvalsh(found)[0] <= 1e-10 * np.trace(found):
        raise InputError(
            "the covariance of the regions is singular, as one from fewer scans than regions is; shrink it first"
        )
    return np.asarray((found + found.T) / 2)


def _estimate(x: Array, y: Array, noise: _Noise, method: str, parameter: str) -> _Result:
    """Fit the line; errors in proportion are taken of the fitted values, until these settle."""
    axes = (x, y, 1.0) if method == "ml" else (x, x - y, 0.0)
    origin = parameter == "BP_ND"

    def excess(least: float, df: int) -> float:
        if noise.known:
            return float(stats.chi2.ppf(CONFIDENCE, 1))
        return least / df * float(stats.f.ppf(CONFIDENCE, 1, df))

    if not noise.relative:
        return _Result(
            fit_line(*axes[:2], noise.baseline, noise.blocked, meets=axes[2], through_origin=origin, excess=excess),
            noise.baseline,
            method,
        )
    before, after = x, y
    more = 1.0 if origin else 0.0
    for _ in range(N_ROUND):
        covariances = [_scaled(noise.baseline, before + more), _scaled(noise.blocked, after + more)]
        line = fit_line(x, y, *covariances, through_origin=origin)
        moved = max(np.abs(line.fitted_u - before).max(), np.abs(line.fitted_v - after).max())
        before, after = line.fitted_u, line.fitted_v
        if moved <= 1e-9 * np.abs(x).max():
            break
    line = fit_line(x, y, *covariances, through_origin=origin, excess=excess)
    return _Result(line, covariances[0], method)


class _Result(NamedTuple):
    line: Line
    covariance: Array
    """Of the errors of the baseline, but for the common factor."""
    method: str

    @property
    def occupancy(self) -> Interval:
        line = self.line
        if self.method != "ml":
            return Interval(line.slope, *line.slope_ends)
        return Interval(1 - line.slope, 1 - line.slope_ends[1], 1 - line.slope_ends[0])

    @property
    def fitted(self) -> tuple[Array, Array]:
        line = self.line
        return line.fitted_u, line.fitted_v if self.method == "ml" else line.fitted_u - line.fitted_v


def _scaled(covariance: Array, values: Array) -> Array:
    size = np.maximum(np.abs(values), SMALLEST * np.abs(values).max())
    return np.asarray(covariance * np.outer(size, size))


def _outcome(
    participant: str, parameter: str, method: str, rows: tuple[LineRegion, ...], result: _Result, noise: _Noise
) -> OccupancyLine:
    line = result.line
    error = float(np.sqrt(line.cost / line.df)) if line.cost > 0 else NAN
    V_ND = Interval(line.meeting, *line.meeting_ends) if parameter == "V_T" else Interval(NAN, NAN, NAN)
    typical = float(np.sqrt(np.trace(result.covariance) / line.fitted_u.size)) * (1.0 if noise.known else error)
    spread = float(line.fitted_u.std(ddof=1))
    return OccupancyLine(
        participant,
        parameter,
        method,
        rows,
        result.occupancy,
        V_ND,
        noise.kind + (", of known size" if noise.known else ""),
        error,
        line.df,
        float(stats.chi2.sf(line.cost, line.df)) if noise.known else NAN,
        spread / typical if typical > 0 else NAN,
        (),
    )


def _rows(
    regions: Sequence[str],
    x: Array,
    y: Array,
    reasons: Sequence[str],
    kept: npt.NDArray[np.intp],
    result: _Result,
    noise: _Noise,
    method: str,
    parameter: str,
    judged: bool,
) -> tuple[LineRegion, ...]:
    rows = [
        LineRegion(name, float(a), float(b), why=why) for name, a, b, why in zip(regions, x, y, reasons, strict=True)
    ]
    fitted_x, fitted_y = result.fitted
    enough = judged and kept.size > LEAST[parameter] + 1
    for at, place in enumerate(kept):
        row = replace(rows[place], fitted_baseline=float(fitted_x[at]), fitted_blocked=float(fitted_y[at]))
        if parameter == "V_T":
            row = replace(row, share=float(1 - result.line.meeting / fitted_x[at]))
        if enough:
            row = _without(row, np.delete(np.arange(kept.size), at), x[kept], y[kept], result, noise, method, parameter)
        rows[place] = row
    return tuple(rows)


def _without(
    row: LineRegion,
    others: npt.NDArray[np.intp],
    x: Array,
    y: Array,
    result: _Result,
    noise: _Noise,
    method: str,
    parameter: str,
) -> LineRegion:
    """What the other regions give, and whether this one lies on their line (Bonferroni over the regions)."""
    square = np.ix_(others, others)
    rest = noise._replace(baseline=noise.baseline[square], blocked=noise.blocked[square])
    without = _estimate(x[others], y[others], rest, method, parameter)
    gain = max(result.line.cost - without.line.cost, 0.0)
    df = without.line.df
    if noise.known:
        p = float(stats.chi2.sf(gain, 1))
    elif without.line.cost > 0:
        p = float(stats.f.sf(gain * df / without.line.cost, 1, df))
    else:
        p = NAN
    V_ND = without.line.meeting if parameter == "V_T" else NAN
    return replace(row, p_outlier=min(1.0, p * x.size), occupancy_without=without.occupancy.value, V_ND_without=V_ND)
