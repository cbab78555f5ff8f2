"""Join manual samples and those of an autosampler."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.blood.straight import from_zero
from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import Samples
from raphe.data.record import Step
from raphe.errors import InputError

Array = npt.NDArray[np.float64]

AUTOSAMPLER = "autosampler"

WINDOW = 5 / 60
"""Time on either side of a manual sample over which the autosampler is averaged for a comparison, min; assumed."""

FALLEN = 0.5
"""Share of its peak to which the autosampler must have fallen before the two are compared; before, a difference of a
few seconds between their lines would count as one of calibration (an assumption)."""


def join(samples: Samples, *, calibrate: bool = False) -> tuple[Samples, Step | None]:
    """One series of samples: the autosampler while it runs, manual samples before and after.

    Parameters
    ----------
    samples : Samples
        Manual ones, those of an autosampler, or both.
    calibrate : bool
        Whether the autosampler is multiplied by the mean ratio of the manual samples that were taken meanwhile to it.

    Returns
    -------
    Samples
        With strictly ascending times, and the source of each.
    Step or None
        What was done; None where there was nothing to join.

    Raises
    ------
    InputError
        If ``calibrate`` is asked for and no manual sample can be compared.
    """
    automatic, manual = of_source(samples, AUTOSAMPLER), of_source(samples, "manual")
    if automatic is None or manual is None:
        if calibrate:
            raise InputError(
                "the autosampler can be calibrated only where there are manual samples of the same kind; leave "
                "calibrate out"
            )
        return samples, None
    first, last = automatic.time[0], automatic.time[-1]
    during = (manual.time >= first) & (manual.time <= last)
    factor, se, n_compared = calibration(automatic, manual) if calibrate else (1.0, float("nan"), 0)
    time = np.concatenate([automatic.time, manual.time[~during]])
    value = np.concatenate([factor * automatic.value, manual.value[~during]])
    source = np.array([*automatic.source, *np.array(manual.source)[~during]])
    order = np.argsort(time, kind="stable")
    step = Step(
        "join_blood",
        {
            "n_autosampler": len(automatic),
            "n_manual": int((~during).sum()),
            "n_manual_meanwhile": int(during.sum()),
            "autosampler_from": float(first),
            "autosampler_to": float(last),
            "calibrated": calibrate,
            "factor": float(factor),
            "factor_se": None if np.isnan(se) else float(se),
            "n_compared": n_compared,
        },
    )
    return Samples(time[order], value[order], tuple(source[order])), step


def of_source(samples: Samples, source: str) -> Samples | None:
    """Samples of one source; None if there are none."""
    own = np.array(samples.source) == source
    if not own.any():
        return None
    return Samples(samples.time[own], samples.value[own], tuple(np.array(samples.source)[own]))


def calibration(automatic: Samples, manual: Samples) -> tuple[float, float, int]:
    """Factor that turns the autosampler's values into the manual ones, its standard error, and from how many samples.

    The standard error is that of the mean of the ratios; NaN from one sample.

    Raises
    ------
    InputError
        If no manual sample was taken while the autosampler ran and after its peak.
    """
    top = int(automatic.value.argmax())
    fallen = np.flatnonzero(automatic.value[top:] <= FALLEN * automatic.value[top])
    begin = automatic.time[top + fallen[0]] if fallen.size else np.inf
    use = (manual.time >= begin) & (manual.time <= automatic.time[-1])
    if not use.any():
        raise InputError(
            "no manual sample was taken while the autosampler ran and after it had fallen to half its peak, so it "
            "cannot be calibrated; leave calibrate out"
        )
    curve = from_zero(automatic)
    expected = _mean(curve, manual.time[use] - WINDOW, np.minimum(manual.time[use] + WINDOW, automatic.time[-1]))
    return mean_ratio(manual.value[use], expected)


def mean_ratio(measured: Array, expected: Array) -> tuple[float, float, int]:
    """Mean of measured / expected, the standard error of the mean (NaN from one value), and the number of values.

    Raises
    ------
    InputError
        If a value is not positive.
    """
    if not ((measured > 0).all() and (expected > 0).all()):
        raise InputError("a factor between two curves of blood needs positive values of both; leave that sample out")
    ratio = measured / expected
    se = float(ratio.std(ddof=1) / np.sqrt(ratio.size)) if ratio.size > 1 else float("nan")
    return float(ratio.mean()), se, ratio.size


def _mean(curve: PiecewiseLinear, begin: Array, end: Array) -> Array:
    return np.asarray((curve.integral(end) - curve.integral(begin)) / (end - begin))
