"""Agreement of two scans of the same people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

from raphe.data.estimates import Estimates
from raphe.data.record import Step
from raphe.data.results import Agreement, AgreementRow, Interval, PairedValues
from raphe.stats.interval import TAILS, alike, of_mean, unknown
from raphe.stats.intraclass import FORMS, absolute_agreement, intraclass
from raphe.stats.pairs import NONE, pair
from raphe.stats.power import Design, needed
from raphe.stats.scatter import Scatter

Array = npt.NDArray[np.float64]

Z = 1.96
"""Limits of agreement stand this many standard deviations from the bias (Bland and Altman 1999)."""

ICC_FORM = FORMS["A,1"]


def agreement(
    estimates: Estimates,
    *,
    tracer: str,
    model: str,
    parameter: str,
    first: str,
    second: str,
    regions: Sequence[str] = (),
    excluded: Mapping[tuple[str, str], str] = NONE,
) -> tuple[Agreement, Step]:
    """Test-retest agreement between two sessions, region by region.

    Bias and limits are of second minus first in the parameter's unit: :func:`limits_of_agreement`. The intraclass
    correlation is :func:`raphe.stats.intraclass.absolute_agreement`; the relative measures are
    :func:`absolute_variability` and :func:`within_subject_cv`. Beside them stand two other forms of the correlation,
    :func:`smallest_detectable_difference` and :func:`people_for_ten_per_cent`. All intervals are 95 % confidence
    intervals and take the differences to be normal.

    Parameters
    ----------
    estimates, tracer, model, parameter, first, second, regions, excluded
        As in :func:`raphe.stats.pairs.pair`.

    Returns
    -------
    Agreement
        What the data do not determine is NaN, and ``why`` of the row says the reason in words.
    Step
        What was done.

    Raises
    ------
    InputError
        As :func:`raphe.stats.pairs.pair`.
    """
    pairs = pair(
        estimates,
        tracer=tracer,
        model=model,
        parameter=parameter,
        first=first,
        second=second,
        regions=regions,
        excluded=excluded,
    )
    rows = tuple(_row(values) for values in pairs)
    step = Step(
        "agreement",
        {
            "tracer": tracer,
            "model": model,
            "parameter": parameter,
            "first": first,
            "second": second,
            "icc_form": ICC_FORM,
            "n_regions": len(rows),
        },
        citations=("bland1999", "carkeet2015", "mcgraw1996", "baumgartner2018", "patnaik1950", "hyslop2009"),
    )
    return Agreement(tracer, model, parameter, first, second, ICC_FORM, rows), step


def limits_of_agreement(difference: Array) -> tuple[Interval, Interval, Interval]:
    r"""Bias, lower and upper 95 % limit of agreement, each with its confidence interval.

    With mean m and standard deviation s of n differences, the bias is m with a t interval and the limits are
    m -+ 1.96 s (Bland and Altman 1999, Stat Methods Med Res 8:135). Their intervals are exact for normal differences,
    each limit by itself (Carkeet 2015, Optom Vis Sci 92:e71): for the upper limit, mu + 1.96 sigma lies between
    m + s t / sqrt(n) for the 2.5 and 97.5 % quantiles t of the noncentral t distribution with n - 1 degrees of
    freedom and noncentrality 1.96 sqrt(n); the lower limit mirrors it.

    Parameters
    ----------
    difference : ndarray, shape (n,), n >= 2
        Second minus first; not all alike.
    """
    n = difference.size
    bias = of_mean(difference)
    sd = float(difference.std(ddof=1))
    near, far = (sd * float(t) for t in stats.nct.ppf(TAILS, n - 1, Z * np.sqrt(n)) / np.sqrt(n))
    low = Interval(bias.value - Z * sd, bias.value - far, bias.value - near)
    high = Interval(bias.value + Z * sd, bias.value + near, bias.value + far)
    return bias, low, high


def absolute_variability(first: Array, second: Array) -> Interval:
    r"""Absolute test-retest variability in per cent, TRV = mean of 100 |second - first| / ((first + second) / 2).

    (Named so or absolute percentage test-retest in most PET studies; see Baumgartner et al. 2018, EJNMMI Res 8:13,
    doi 10.1186/s13550-018-0366-8.) The interval takes the relative differences to be normal around zero. A pair's
    |difference| is then its range, and the mean of n ranges is distributed like c chi(v), with v such that the ratio of
    variance to squared mean, (pi / 2 - 1) / n, is right (Patnaik 1950, Biometrika 37:78). So TRV / E(chi) times the
    quantiles of chi bound it. In simulations it covers 95 % from n = 2 on; a t interval on the n values covers 92-94 %.

    Parameters
    ----------
    first, second : ndarray, shape (n,), n >= 2
        All positive, and not all pairs equal.
    """
    n = first.size
    trv = float(np.abs(_relative_difference(first, second)).mean()) * 100
    df = mean_range_df(n)
    low, high = np.sqrt(stats.chi2.ppf(TAILS, df)) / _mean_of_chi(df)
    return Interval(trv, trv / float(high), trv / float(low))


def within_subject_cv(first: Array, second: Array) -> Interval:
    r"""Within-subject coefficient of variation in per cent, from the root mean square of relative differences.

    With r = (second - first) / ((first + second) / 2), wSCV = 100 sqrt(sum r^2 / (2 n)) (Hyslop and White 2009, J Air
    Waste Manag Assoc 59:1032, doi 10.3155/1047-3289.59.9.1032). For relative differences that are normal around zero,
    sum r^2 over its expectation is chi-square with n degrees of freedom, which gives the interval. A bias between the
    sessions counts as variation.

    Parameters
    ----------
    first, second : ndarray, shape (n,), n >= 2
        All positive, and not all pairs equal.
    """
    n = first.size
    wscv = 100 * float(np.sqrt((_relative_difference(first, second) ** 2).sum() / (2 * n)))
    low, high = np.sqrt(stats.chi2.ppf(TAILS, n) / n)
    return Interval(wscv, wscv / float(high), wscv / float(low))


def smallest_detectable_difference(difference: Array) -> Interval:
    r"""Smallest difference between two scans of a person that exceeds their noise, SDD = 1.96 sqrt(2) SEM.

    The standard error of measurement SEM is SD(second - first) / sqrt(2), so that a shift which all people share does
    not count (Weir 2005, J Strength Cond Res 19:231; Beckerman et al. 2001, Qual Life Res 10:571). The SD has the
    chi-square interval of normal differences.

    Parameters
    ----------
    difference : ndarray, shape (n,), n >= 2
        Second minus first; not all alike.
    """
    df = difference.size - 1
    sdd = Z * float(difference.std(ddof=1))
    low, high = np.sqrt(stats.chi2.ppf(TAILS, df) / df)
    return Interval(sdd, sdd / float(high), sdd / float(low))


def people_for_ten_per_cent(wscv: float) -> float:
    """How many people a paired study needs to show a change of 10 % with a power of 80 %, two-sided at 5 %.

    By :func:`raphe.stats.power.needed`, all people changing alike; NaN where the within-subject CV is unknown or so
    large that more than :data:`raphe.stats.power.MOST` were needed.
    """
    if not 0 < wscv < 1000:
        return float("nan")
    return float(needed(Design("paired"), Scatter(wscv), 10.0, 0.8))


def mean_range_df(n: int) -> float:
    """Degrees of freedom v for which chi(v) has the coefficient of variation of the mean of ``n`` ranges of two values.

    Patnaik 1950, Biometrika 37:78; about 0.88 n, and exactly 1 for n = 1.
    """
    target = (np.pi / 2 - 1) / n
    return float(optimize.brentq(lambda v: v / _mean_of_chi(v) ** 2 - 1 - target, 0.5, 2.0 * n))


def _mean_of_chi(df: float) -> float:
    return float(np.sqrt(2) * np.exp(special.gammaln((df + 1) / 2) - special.gammaln(df / 2)))


def _relative_difference(first: Array, second: Array) -> Array:
    return np.asarray(2 * (second - first) / (first + second))


def _row(pairs: PairedValues) -> AgreementRow:
    n = len(pairs)
    bias = low = high = icc = trv = wscv = sdd = consistency = one_way = unknown()
    if n == 0:
        why = "no participant has a usable value in both sessions"
        return AgreementRow(pairs, bias, low, high, icc, trv, wscv, why)
    difference = pairs.second - pairs.first
    spread = not alike(difference, np.concatenate([pairs.first, pairs.second]))
    bias = unknown(float(difference.mean()))
    reasons = []
    if n == 1:
        reasons.append("one participant: limits of agreement, correlation and every interval need at least two")
    elif not spread:
        reasons.append(f"all {n} differences are equal: a copied scan has that, real scans do not")
    else:
        bias, low, high = limits_of_agreement(difference)
        sdd = smallest_detectable_difference(difference)
    if n == 2:
        reasons.append("two participants: an intraclass correlation needs at least three")
    elif n > 2 and spread:
        table = np.column_stack([pairs.first, pairs.second])
        icc, consistency, one_way = absolute_agreement(table), intraclass(table, "C,1"), intraclass(table, "1")
    if (pairs.first > 0).all() and (pairs.second > 0).all():
        trv, wscv = absolute_variability(pairs.first, pairs.second), within_subject_cv(pairs.first, pairs.second)
        if n == 1 or not spread:
            trv, wscv = unknown(trv.value), unknown(wscv.value)
    else:
        reasons.append("a value is not positive, so variability in per cent has no meaning")
    others = sdd, consistency, one_way, people_for_ten_per_cent(wscv.value) if n > 1 else float("nan")
    return AgreementRow(pairs, bias, low, high, icc, trv, wscv, "; ".join(reasons), *others)
