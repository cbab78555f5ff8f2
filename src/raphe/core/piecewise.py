"""Curves drawn as straight lines between knots: their values, integrals and answers of compartments in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PiecewiseLinear:
    """Curve of straight lines between knots; 0 before the first knot, and the last value from the last knot on.

    Parameters
    ----------
    time : array_like of float, shape (n_knot,), min
        Ascending. Times before injection are allowed, as of an input that reaches the tissue early.
    value : array_like of float, shape (n_knot,)

    Raises
    ------
    InputError
        If shapes disagree, there is no knot, a number is not finite or times do not ascend.
    """

    time: Array
    value: Array

    def __post_init__(self) -> None:
        for name in ("time", "value"):
            array = np.array(getattr(self, name), dtype=float, ndmin=1)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if self.time.ndim != 1 or self.time.shape != self.value.shape or self.time.size == 0:
            raise InputError(f"a curve needs a value at each time, but has {self.time.size} and {self.value.size}")
        if not (np.isfinite(self.time).all() and np.isfinite(self.value).all()):
            raise InputError("a curve has a time or a value that is not a finite number")
        for index in np.flatnonzero(np.diff(self.time) <= 0)[:1]:
            raise InputError(
                f"the times of a curve must ascend, but {self.time[index + 1]:g} min follows {self.time[index]:g} min"
            )

    def __call__(self, time: npt.ArrayLike) -> Array:
        """Values at ``time`` (min), in its shape."""
        return np.asarray(np.interp(np.asarray(time, dtype=float), self.time, self.value, left=0.0))

    def shifted(self, delay: float) -> PiecewiseLinear:
        """Curve that comes later by ``delay`` (min; earlier where it is negative)."""
        return PiecewiseLinear(self.time + delay, self.value)

    def scaled(self, factor: float) -> PiecewiseLinear:
        """Curve with every value times ``factor``."""
        return PiecewiseLinear(self.time, factor * self.value)

    def with_knots(self, times: npt.ArrayLike) -> PiecewiseLinear:
        """Give the same curve with knots at ``times`` (min) besides its own.

        Times before the first knot are left out, for there the curve may leap from 0.
        """
        extra = np.asarray(times, dtype=float)
        knots = np.union1d(self.time, extra[extra >= self.time[0]])
        return PiecewiseLinear(knots, self(knots))

    def integral(self, time: npt.ArrayLike) -> Array:
        """Area from the first knot to ``time`` (min), in its shape; 0 before the first knot."""
        return self._quadratic(time, np.concatenate([[0.0], np.cumsum(self._areas())]))

    def second_integral(self, time: npt.ArrayLike) -> Array:
        """Integral of :meth:`integral` from the first knot to ``time`` (min), in its shape."""
        at = np.maximum(np.asarray(time, dtype=float), self.time[0])
        area = np.concatenate([[0.0], np.cumsum(self._areas())])
        step = np.diff(self.time)
        piece = area[:-1] * step + step**2 * (2 * self.value[:-1] + self.value[1:]) / 6
        twice = np.concatenate([[0.0], np.cumsum(piece)])
        left, gone, slope = self._piece(at)
        return twice[left] + area[left] * gone + self.value[left] * gone**2 / 2 + slope * gone**3 / 6

    def _areas(self) -> Array:
        return np.diff(self.time) * (self.value[:-1] + self.value[1:]) / 2

    def _quadratic(self, time: npt.ArrayLike, area: Array) -> Array:
        at = np.maximum(np.asarray(time, dtype=float), self.time[0])
        left, gone, slope = self._piece(at)
        return area[left] + self.value[left] * gone + slope * gone**2 / 2

    def _piece(self, at: Array) -> tuple[npt.NDArray[np.intp], Array, Array]:
        """Knot before each time, the time since, and the slope from there; times not before the first knot."""
        left = np.searchsorted(self.time, at, side="right") - 1
        slopes = np.append(np.diff(self.value) / np.diff(self.time), 0.0)
        return left, at - self.time[left], slopes[left]


@dataclass(frozen=True, eq=False)
class Convolution:
    r"""Convolutions :math:`c(t) = \int_{-\infty}^t e^{-k (t - u)} C(u)\, du` of a curve, exact at any time.

    Made by :func:`convolved`.

    Parameters
    ----------
    curve : PiecewiseLinear
    rate : ndarray, shape (n_rate,), 1/min
        Rate constants k.
    value : ndarray, shape (n_knot, n_rate), unit of the curve x min
        c at the curve's knots.
    area : ndarray, shape (n_knot, n_rate), unit of the curve x min^2
        Integral of c from the first knot to each knot.
    """

    curve: PiecewiseLinear
    rate: npt.NDArray[np.inexact]
    value: npt.NDArray[np.inexact]
    area: npt.NDArray[np.inexact]

    def at(self, time: npt.ArrayLike) -> tuple[npt.NDArray[np.inexact], npt.NDArray[np.inexact]]:
        """C and its integral at ``time``, shape (n_time,), min; each of shape (n_time, n_rate), 0 before the curve."""
        curve, asked = self.curve, np.asarray(time, dtype=float)
        reached = np.maximum(asked, curve.time[0])
        left = np.searchsorted(curve.time, reached, side="right") - 1
        step = reached - curve.time[left]
        return _advanced(self.value[left], self.area[left], step, curve.value[left], curve(reached), self.rate)


def convolved(curve: PiecewiseLinear, rate: npt.NDArray[np.inexact]) -> Convolution:
    r"""Convolutions of a curve with exponentials, exact, by a recursion from knot to knot.

    Over a piece of length h, with x = k h and the functions :math:`\varphi_1 = (1 - e^{-x}) / x`,
    :math:`\varphi_2 = (1 - \varphi_1) / x`, :math:`\varphi_3 = (1/2 - \varphi_2) / x`, c fades by :math:`e^{-x}` and
    gains :math:`h [C_0 (\varphi_1 - \varphi_2) + C_1 \varphi_2]`, and its integral gains
    :math:`h \varphi_1 c_0 + h^2 [C_0 (\varphi_2 - \varphi_3) + C_1 \varphi_3]`.

    Parameters
    ----------
    curve : PiecewiseLinear
    rate : ndarray, shape (n_rate,), 1/min
        Rate constants k, real or complex; 0 is allowed.
    """
    rate = np.asarray(rate)
    step, start, end = np.diff(curve.time), curve.value[:-1], curve.value[1:]
    value = np.zeros((curve.time.size, rate.size), dtype=np.result_type(rate, float))
    area = np.zeros_like(value)
    fade, carried, gain, more = _pieces(step, start, end, rate)
    for j in range(step.size):
        area[j + 1] = area[j] + carried[j] * value[j] + more[j]
        value[j + 1] = fade[j] * value[j] + gain[j]
    return Convolution(curve, rate, value, area)


def answer_of_pieces(step: Array, start: Array, end: Array, rate: Array) -> Array:
    r"""Solution of :math:`c' = -k c + u` from 0 on, where u is a line on each piece and k a number on each.

    Parameters
    ----------
    step : ndarray, shape (n_piece,), min
    start, end, rate : ndarray, shape (n_curve, n_piece)
        u at both ends of each piece, and k there, 1/min.

    Returns
    -------
    ndarray, shape (n_curve, n_piece + 1)
        c at the ends of the pieces.
    """
    phi1, phi2, _ = _phi(step * rate)
    fade, gain = np.exp(-step * rate), step * (start * (phi1 - phi2) + end * phi2)
    value = np.zeros((len(rate), step.size + 1))
    for j in range(step.size):
        value[:, j + 1] = fade[:, j] * value[:, j] + gain[:, j]
    return value


def _advanced(
    value: npt.NDArray[np.inexact],
    area: npt.NDArray[np.inexact],
    step: Array,
    start: Array,
    end: Array,
    rate: npt.NDArray[np.inexact],
) -> tuple[npt.NDArray[np.inexact], npt.NDArray[np.inexact]]:
    fade, carried, gain, more = _pieces(step, start, end, rate)
    return fade * value + gain, area + carried * value + more


def _pieces(
    step: Array, start: Array, end: Array, rate: npt.NDArray[np.inexact]
) -> tuple[npt.NDArray[np.inexact], ...]:
    """What a piece does: c fades, its integral carries c, c gains, its integral gains; each (n_piece, n_rate)."""
    alike, which = np.unique(step, return_inverse=True)
    x = alike[:, None] * rate
    phi1, phi2, phi3 = (phi[which] for phi in _phi(x))
    h, a, b = step[:, None], start[:, None], end[:, None]
    return np.exp(-x)[which], h * phi1, h * (a * (phi1 - phi2) + b * phi2), h**2 * (a * (phi2 - phi3) + b * phi3)


SERIES_BELOW = 0.2
"""Size of x below which the phi functions are summed as series, for their differences would cancel."""

_ORDER = 9


def _phi(x: npt.NDArray[np.inexact]) -> tuple[npt.NDArray[np.inexact], ...]:
    """Give the phi functions of :func:`convolved` of orders 1 to 3, analytic in x."""
    small = np.abs(x) < SERIES_BELOW
    safe = np.where(small, 1.0, x)
    phi3 = np.full(x.shape, 1 / math.factorial(3 + _ORDER), dtype=x.dtype)
    near = np.where(small, x, 0.0)
    for power in range(_ORDER - 1, -1, -1):
        phi3 = 1 / math.factorial(3 + power) - near * phi3
    exact1 = -np.expm1(-safe) / safe
    exact2 = (1 - exact1) / safe
    phi3 = np.where(small, phi3, (0.5 - exact2) / safe)
    phi2 = np.where(small, 0.5 - x * phi3, exact2)
    phi1 = np.where(small, 1 - x * phi2, exact1)
    return phi1, phi2, phi3
