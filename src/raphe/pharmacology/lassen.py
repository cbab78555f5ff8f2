"""One occupancy for all regions: the Lassen plot of V_T, and the line through 0 of BP_ND."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.data.pharmacology import GroupLine, LineRegion, OccupancyLine
from raphe.data.record import Step
from raphe.data.results import Interval
from raphe.errors import InputError, nearest
from raphe.pharmacology.line_fit import FittedLine, estimate
from raphe.pharmacology.line_words import statements
from raphe.pharmacology.occupancy import NAN, mean_interval
from raphe.pharmacology.region_errors import LineModel, line_model

Array = npt.NDArray[np.float64]

METHODS = ("ml", "ols", "tls")
"""Maximum likelihood with errors in both scans; ordinary and total least squares in the axes of the Lassen plot."""

NOISES = ("relative", "absolute", "se")
"""Errors in proportion to V_T (to 1 + BP_ND), alike in all regions, or as the standard errors of the fits have them."""

LEAST = {"V_T": 3, "BP_ND": 2}
"""Regions that a line needs so that its scatter can be told."""

HEAP, SHORT = 0.05, 2.5
"""Probability of a row of points above which, and spread in errors under which, they may as well be a heap.

Every line passes through a heap, and the profile likelihood holds its level no longer there: without this rule its
intervals covered 70 to 90 %, and with it 94 % or more (``benchmarks/occupancy.py``).
"""

RESOLUTION = 1e-9
"""Spread of the baseline, as a share of it, under which its regions are alike; tables have nine digits."""

CITATIONS = {"V_T": ("cunningham2010", "fuller1987", "mauchly1940"), "BP_ND": ("fuller1987",)}


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
    takes each scan with its own error and profiles the V_S of the regions out; its intervals are profile likelihood,
    and have no ends where the regions may all have the same binding (:func:`raphe.pharmacology.line_fit.p_heap`).
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
        every baseline; standard errors or a covariance that cannot be; fewer than three regions (two for BP_ND); a
        baseline V_T that is alike in all.
    """
    _check_options(parameter, method, noise, covariance is not None, known)
    x, y = (np.asarray(values, dtype=float) for values in (baseline, blocked))
    _check_values(regions, x, y, parameter, left_out or {})
    reasons = _reasons(regions, x, y, left_out or {})
    kept = np.flatnonzero([not why for why in reasons])
    if kept.size < LEAST[parameter]:
        lost = "; ".join(f"{name}: {why}" for name, why in zip(regions, reasons, strict=True) if why)
        raise InputError(
            f"a line needs {LEAST[parameter]} regions with {parameter} in both scans, and there "
            f"{'is' if kept.size == 1 else 'are'} {kept.size}" + (f" ({lost})" if lost else "") + "; add regions"
        )
    if parameter == "V_T" and np.ptp(x[kept]) <= RESOLUTION * np.abs(x[kept]).max():
        raise InputError(
            f"V_T at baseline is {x[kept][0]:.4g} in all {kept.size} regions, so that no line can be drawn; add "
            "regions of other binding"
        )
    model = line_model(parameter, method, noise, regions, kept, baseline_se, blocked_se, covariance, known)
    result = estimate(x[kept], y[kept], model)
    rows = [
        LineRegion(name, float(a), float(b), why=why) for name, a, b, why in zip(regions, x, y, reasons, strict=True)
    ]
    for place, row in zip(kept, _on_line(x[kept], y[kept], result, model, judged), strict=True):
        rows[place] = replace(row, name=regions[int(place)])
    line = _outcome(participant, tuple(rows), result, model)
    line = replace(line, statements=statements(line))
    step = Step(
        "occupancy_line",
        {
            "parameter": parameter,
            "method": method,
            "noise": model.kind,
            "participant": participant,
            "n_regions": int(kept.size),
            "left_out": tuple(name for name, why in zip(regions, reasons, strict=True) if why),
        },
        citations=CITATIONS[parameter] + (("schain2018",) if covariance is not None else ()),
    )
    return line, step


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


def _check_values(regions: Sequence[str], x: Array, y: Array, parameter: str, left_out: Mapping[str, str]) -> None:
    if not x.shape == y.shape == (len(regions),):
        raise InputError(
            f"{len(regions)} regions are named, but there are {x.size} values at baseline and {y.size} under the "
            "drug; one each is needed"
        )
    twice = [name for name in dict.fromkeys(regions) if list(regions).count(name) > 1]
    if twice:
        raise InputError(f"region {twice[0]!r} stands more than once; keep one row of it")
    for scan, values in (("at baseline", x), ("under the drug", y)):
        for name, value in zip(regions, values, strict=True):
            if parameter == "V_T" and value <= 0 and not left_out.get(name):
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


def _on_line(x: Array, y: Array, result: FittedLine, model: LineModel, judged: bool) -> list[LineRegion]:
    """Where each region of the line lies on it, and what the others give where enough are left."""
    rows = []
    for at, (fitted_x, fitted_y) in enumerate(zip(*result.fitted, strict=True)):
        row = LineRegion("", float(x[at]), float(y[at]), float(fitted_x), float(fitted_y))
        if model.parameter == "V_T":
            row = replace(row, share=float(1 - result.line.meeting / fitted_x))
        if judged and x.size > LEAST[model.parameter] + 1:
            row = _without(row, np.delete(np.arange(x.size), at), x, y, result, model)
        rows.append(row)
    return rows


def _without(
    row: LineRegion, others: npt.NDArray[np.intp], x: Array, y: Array, result: FittedLine, model: LineModel
) -> LineRegion:
    """What the other regions give, and whether this one lies on their line (Bonferroni over the regions)."""
    without = estimate(x[others], y[others], model.of(others))
    gain, df = max(result.line.cost - without.line.cost, 0.0), without.line.df
    if model.known:
        p = float(stats.chi2.sf(gain, 1))
    elif without.line.cost > 0:
        p = float(stats.f.sf(gain * df / without.line.cost, 1, df))
    else:
        p = 0.0 if gain > 0 else NAN
    V_ND = without.line.meeting if model.parameter == "V_T" else NAN
    return replace(
        row,
        p_outlier=float(np.minimum(1.0, p * x.size)),
        occupancy_without=without.occupancy.value,
        V_ND_without=V_ND,
    )


def _outcome(participant: str, rows: tuple[LineRegion, ...], result: FittedLine, model: LineModel) -> OccupancyLine:
    line = result.line
    error = float(np.sqrt(line.cost / line.df))
    typical = float(np.sqrt(np.trace(result.covariance) / line.fitted_u.size)) * (1.0 if model.known else error)
    span = float(line.fitted_u.std(ddof=1)) / typical if typical > 0 else math.inf
    occupancy, V_ND = result.occupancy, Interval(NAN, NAN, NAN)
    if model.parameter == "V_T":
        V_ND = Interval(line.meeting, *line.meeting_ends)
        if result.p_heap > HEAP and span < SHORT:
            occupancy, V_ND = (Interval(one.value, -math.inf, math.inf) for one in (occupancy, V_ND))
    return OccupancyLine(
        participant,
        model.parameter,
        model.method,
        rows,
        occupancy,
        V_ND,
        model.kind + (", of known size" if model.known else ""),
        error,
        line.df,
        float(stats.chi2.sf(line.cost, line.df)) if model.known else NAN,
        span,
        result.p_heap if model.parameter == "V_T" else NAN,
        (),
    )
