r"""How a continuous curve and the values of its frames belong together.

Two conventions, as linear maps on the values of the frames:

``average``
    A frame's value is the mean of the curve over the frame. A measured curve is drawn as straight lines between knots
    at the edges and the middle of every frame: the edges lie on the line between the values of the neighbouring
    frames, and the middles are set so that the mean over each frame is the value that was measured.
``midframe``
    A frame's value is the curve's value at the middle of the frame, as PMOD, PETSurfer and kinfitr take it. A measured
    curve is drawn as straight lines between those, from 0 at time 0.

Either way the drawn curve is piecewise linear, as is a plasma input, so its integral and its convolution with an
exponential have closed forms (:mod:`raphe.core.piecewise`), which are used here without any grid.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.core.piecewise import Convolution, PiecewiseLinear, convolved

Array = npt.NDArray[np.float64]

CONVENTIONS = ("average", "midframe")

ROUNDING = 1e-9
"""Gap between two frames, min, that is taken for rounding of their times."""


@dataclass(frozen=True, eq=False)
class Sampling:
    """Maps between the frames' values and the curve behind them; made by :func:`sampling`.

    Parameters
    ----------
    frames : Frames
    convention : str
    knots : ndarray, shape (n_knot,), min
        Where the pieces of the drawn curve meet.
    draw : ndarray, shape (n_knot, n_frame)
        Values of the drawn curve at the knots, from the values of the frames.
    integral : ndarray, shape (n_frame, n_frame), min
        What a frame shows of the drawn curve's integral from injection on, from the values of the frames.
    begin, stop : ndarray of int, shape (n_frame,)
        First and last knot of each frame (the same knot in ``midframe``).
    """

    frames: Frames
    convention: str
    knots: Array
    draw: Array
    integral: Array
    begin: npt.NDArray[np.intp]
    stop: npt.NDArray[np.intp]

    def drawn(self, values: Array) -> PiecewiseLinear:
        """Curve drawn through the values of the frames, shape (n_frame,)."""
        return PiecewiseLinear(self.knots, self.draw @ values)

    def seen(self, curve: PiecewiseLinear) -> Array:
        """Values of the frames of a curve, shape (n_frame,); its mean over each, or its value at the middle."""
        if self.convention == "midframe":
            return curve(self.frames.mid)
        return np.asarray(np.diff(curve.integral(self._edges), axis=0)[0] / self.frames.duration)

    def integrated(self, curve: PiecewiseLinear) -> Array:
        """Values of the frames of a curve's integral from its first knot on, shape (n_frame,)."""
        if self.convention == "midframe":
            return curve.integral(self.frames.mid)
        return np.asarray(np.diff(curve.second_integral(self._edges), axis=0)[0] / self.frames.duration)

    def integrated_twice(self, curve: PiecewiseLinear) -> Array:
        """Values of the frames of the integral of a curve's integral from its first knot on, shape (n_frame,)."""
        if self.convention == "midframe":
            return curve.second_integral(self.frames.mid)
        start, end = self._edges
        inside = (curve.time > start[0]) & (curve.time < end[-1])
        knots = np.union1d(self._edges, curve.time[inside])
        at, between = curve.second_integral(knots), curve.second_integral((knots[:-1] + knots[1:]) / 2)
        piece = np.diff(knots) * (at[:-1] + 4 * between + at[1:]) / 6  # Simpson's rule, exact for these cubics
        area = np.concatenate([[0.0], np.cumsum(piece)])
        return np.asarray((area[np.searchsorted(knots, end)] - area[np.searchsorted(knots, start)]) / (end - start))

    @cached_property
    def double_integral(self) -> Array:
        """What a frame shows of the integral of the drawn curve's integral, shape (n_frame, n_frame), min2.

        A linear map on the values of the frames, as ``integral`` is.
        """
        unit = np.eye(len(self.frames))
        twice = np.stack([self.integrated_twice(self.drawn(values)) for values in unit], axis=1)
        twice.flags.writeable = False
        return twice

    def finer(self, parts: int) -> Sampling:
        """Maps of the same drawn curve, with ``parts`` pieces in place of each."""
        n_piece = self.knots.size - 1
        place = np.arange(n_piece * parts + 1) / parts
        left = np.minimum(place.astype(np.intp), n_piece - 1)
        share = place - left
        knots = self.knots[left] + share * np.diff(self.knots)[left]
        draw = (1 - share)[:, None] * self.draw[left] + share[:, None] * self.draw[left + 1]
        return replace(self, knots=knots, draw=draw, begin=self.begin * parts, stop=self.stop * parts)

    def seen_of_drawn(self, drawn: Array) -> tuple[Array, Array]:
        """What frames see of curves that are straight between the knots, and of their integrals.

        Parameters
        ----------
        drawn : ndarray, shape (n_curve, n_knot), kBq/mL

        Returns
        -------
        ndarray, shape (n_curve, n_frame), kBq/mL
        ndarray, shape (n_curve, n_frame), kBq/mL min
        """
        area = _cumulative(self.knots, drawn.T).T
        if self.convention == "midframe":
            return drawn[:, self.begin], area[:, self.begin]
        twice = _cumulative_twice(self.knots, drawn.T, area.T).T
        seen, integral = ((each[:, self.stop] - each[:, self.begin]) / self.frames.duration for each in (area, twice))
        return seen, integral

    def convolve(self, curve: PiecewiseLinear, rate: npt.NDArray[np.inexact]) -> npt.NDArray[np.inexact]:
        r"""Frame values of :math:`\int_{-\infty}^t e^{-k (t - u)} C(u)\, du`, exact for a piecewise linear C.

        Complex rates are allowed, so that a derivative may be taken by a complex step.

        Parameters
        ----------
        curve : PiecewiseLinear, kBq/mL
        rate : ndarray, shape (n_rate,), 1/min
            Rate constants k.

        Returns
        -------
        ndarray, shape (n_rate, n_frame), kBq/mL min
        """
        return self.seen_of(convolved(curve, rate))

    def seen_of(self, convolution: Convolution, delay: float = 0.0) -> npt.NDArray[np.inexact]:
        """Frame values of convolutions of a curve that comes ``delay`` min later, shape (n_rate, n_frame)."""
        if self.convention == "midframe":
            value, _ = convolution.at(self.frames.mid - delay)
            return np.ascontiguousarray(value.T)
        start, end = (convolution.at(edge - delay)[1] for edge in self._edges)
        return np.ascontiguousarray(((end - start) / self.frames.duration[:, None]).T)

    @property
    def _edges(self) -> Array:
        return np.stack([self.knots[self.begin], self.knots[self.stop]])


def sampling(frames: Frames, convention: str = "average") -> Sampling:
    """Make the maps of one schedule under one convention.

    The last few are kept: equal schedules share one object, whose arrays cannot be written to, so that what is
    tabulated for it (:func:`raphe.core.responses.responses`) serves every model of a scan.

    Parameters
    ----------
    frames : Frames
    convention : {"average", "midframe"}

    Raises
    ------
    ValueError
        If the convention has another name.
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"unknown convention {convention!r}; there are {' and '.join(CONVENTIONS)}")
    return _kept(_Schedule(frames.start.tobytes(), frames.duration.tobytes(), frames.end.tobytes(), frames), convention)


@dataclass(frozen=True)
class _Schedule:
    """Frames that are the same as others where every time is, to the last bit."""

    start: bytes
    duration: bytes
    end: bytes
    frames: Frames = field(compare=False)


@lru_cache(maxsize=8)
def _kept(schedule: _Schedule, convention: str) -> Sampling:
    """Maps of a schedule, made once; read-only, for many share them."""
    made = _average(schedule.frames) if convention == "average" else _midframe(schedule.frames)
    for array in (made.knots, made.draw, made.integral, made.begin, made.stop):
        array.flags.writeable = False
    return made


def _midframe(frames: Frames) -> Sampling:
    n = len(frames)
    from_zero = int(frames.mid[0] > 0)
    knots = np.concatenate([[0.0] * from_zero, frames.mid])
    draw = np.concatenate([np.zeros((from_zero, n)), np.eye(n)])
    index = np.arange(n) + from_zero
    integral = _cumulative(knots, draw)[index]
    return Sampling(frames, "midframe", knots, draw, integral, index, index)


def _average(frames: Frames) -> Sampling:
    n = len(frames)
    times: list[float] = []
    rows: list[Array] = []
    begin = np.empty(n, dtype=np.intp)
    if frames.start[0] > 0:
        times.append(0.0)
        rows.append(np.zeros(n))
    for i, (start, mid, end) in enumerate(zip(frames.start, frames.mid, frames.end, strict=True)):
        first, last = _between_frames(frames, start), _between_frames(frames, end)
        if not times or start - times[-1] > ROUNDING:
            times.append(start)
            rows.append(first)
        begin[i] = len(times) - 1
        times += [mid, end]
        rows += [2 * np.eye(n)[i] - (first + last) / 2, last]
    knots, draw = np.array(times), np.array(rows)
    stop = begin + 2
    twice = _cumulative_twice(knots, draw, _cumulative(knots, draw))
    integral = (twice[stop] - twice[begin]) / frames.duration[:, None]
    return Sampling(frames, "average", knots, draw, integral, begin, stop)


def _between_frames(frames: Frames, time: float) -> Array:
    """Row that gives the value at ``time`` on the line between the middles of the frames, 0 at and before injection."""
    mid = frames.mid
    row = np.zeros(len(frames))
    if time <= 0:
        return row
    if time < mid[0]:
        row[0] = time / mid[0]
    elif len(frames) == 1:
        row[0] = 1.0
    else:
        right = int(np.clip(np.searchsorted(mid, time), 1, len(frames) - 1))
        share = (time - mid[right - 1]) / (mid[right] - mid[right - 1])
        row[right - 1], row[right] = 1 - share, share
    return row


def _cumulative(knots: Array, draw: Array) -> Array:
    step = np.diff(knots)[:, None]
    piece = step * (draw[:-1] + draw[1:]) / 2
    return np.concatenate([np.zeros((1, draw.shape[1])), np.cumsum(piece, axis=0)])


def _cumulative_twice(knots: Array, draw: Array, area: Array) -> Array:
    step = np.diff(knots)[:, None]
    piece = step * area[:-1] + step**2 * (2 * draw[:-1] + draw[1:]) / 6
    return np.concatenate([np.zeros((1, draw.shape[1])), np.cumsum(piece, axis=0)])
