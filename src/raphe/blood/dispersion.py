"""Dispersion of the blood on its way through a tube, and its correction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from raphe.blood.draw import drawn
from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import PlasmaInput
from raphe.errors import InputError

Array = npt.NDArray[np.float64]


def dispersed(curve: PiecewiseLinear, tau: float, end: float | None = None) -> PiecewiseLinear:
    r"""Curve after dispersion, :math:`g(t) = \frac{1}{\tau} \int e^{-(t - u) / \tau} C(u)\, du`.

    Exact at every knot, of which the curve's own are some; between them within the bound of
    :func:`raphe.blood.draw.drawn`.

    Parameters
    ----------
    curve : PiecewiseLinear
        C, 0 before its first knot.
    tau : float, min
    end : float, min, optional
        To where g is drawn; the last knot of the curve if not given. g nears its final value later than C does.

    Raises
    ------
    InputError
        If ``tau`` is not positive.

    References
    ----------
    Iida et al. 1986, J Cereb Blood Flow Metab 6:536.
    """
    _check(tau)
    at_knot = np.zeros_like(curve.value)
    for j, (kept, left, right) in enumerate(zip(*_gains(curve, tau), strict=True)):
        at_knot[j + 1] = kept * at_knot[j] + left * curve.value[j] + right * curve.value[j + 1]
    slope = np.append(np.diff(curve.value) / np.diff(curve.time), 0.0)

    def value(time: Array) -> Array:
        before = np.searchsorted(curve.time, time, side="right") - 1
        gone = (time - curve.time[before]) / tau
        lost = -np.expm1(-gone)
        return np.asarray(
            at_knot[before] * np.exp(-gone) + curve.value[before] * lost + slope[before] * tau * (gone - lost)
        )

    stop = max(curve.time[-1], curve.time[-1] if end is None else end)
    if stop <= curve.time[0]:
        raise InputError("a curve of one knot cannot be dispersed without an end; give one after the knot")
    return drawn(value, stop, curve.time, curve.time[0])


def dispersion_corrected(curve: PiecewiseLinear, tau: float) -> PiecewiseLinear:
    r"""Curve before dispersion, :math:`C = g + \tau\, g'`.

    The piecewise linear C on the knots of g that, dispersed, goes through g at every knot: it undoes
    :func:`dispersed` to rounding, and needs no derivative of g. Noise of g is multiplied by about 2 tau / distance of
    the knots, so g should be a fitted or smoothed curve, as that of an arterial model, and not the autosampler's
    seconds; where the true C leaps, what is found swings around it. Before its first knot, g is taken to have been
    steady at its first value.

    Parameters
    ----------
    curve : PiecewiseLinear
        g.
    tau : float, min

    Raises
    ------
    InputError
        If ``tau`` is not positive.
    """
    _check(tau)
    value = np.empty_like(curve.value)
    value[0] = curve.value[0]
    for j, (kept, left, right) in enumerate(zip(*_gains(curve, tau), strict=True)):
        value[j + 1] = (curve.value[j + 1] - kept * curve.value[j] - left * value[j]) / right
    return PiecewiseLinear(curve.time, value)


def undispersed(plasma: PlasmaInput, tau: float) -> PlasmaInput:
    """Input before dispersion with the time constant ``tau`` (min): each of its curves of activity corrected."""

    def corrected(curve: PiecewiseLinear | None) -> PiecewiseLinear | None:
        return None if curve is None else dispersion_corrected(curve, tau)

    return replace(
        plasma,
        parent=dispersion_corrected(plasma.parent, tau),
        whole_blood=corrected(plasma.whole_blood),
        plasma=corrected(plasma.plasma),
    )


def _gains(curve: PiecewiseLinear, tau: float) -> tuple[Array, Array, Array]:
    """What g keeps over each piece, and what it gains from the values of C at the piece's two ends."""
    gone = np.diff(curve.time) / tau
    fade = np.exp(-gone)
    mean_fade = -np.expm1(-gone) / gone
    return fade, mean_fade - fade, 1 - mean_fade


def _check(tau: float) -> None:
    if not (np.isfinite(tau) and tau > 0):
        raise InputError(f"the time constant of dispersion is {tau:g} min; it must be positive")
