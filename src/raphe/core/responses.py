"""Answers of compartments to one input, for any rate constant and as many curves as there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from raphe.core.piecewise import Convolution, PiecewiseLinear, convolved
from raphe.core.sampling import Sampling

Array = npt.NDArray[np.float64]

RATES = (0.0, 40.0)
"""Range of the rate constants, 1/min; a rate beyond is taken as its end."""

_OFFSET, _CHUNK = 1e-3, 128
COMPLEX_STEP = 1e-30


@dataclass(frozen=True, eq=False)
class Responses:
    r"""Frame values of :math:`e^{-k t} \otimes C` and their derivative by k, for any k; made by :func:`responses`.

    The exact convolutions at nodes spaced evenly in log(k + offset), with their exact derivatives, are joined by cubic
    Hermite interpolation, which is within 1e-9 of the highest value with the usual number of nodes.
    """

    nodes: Array
    """Shape (n_node,), of log(k + offset)."""
    value: Array
    """Shape (n_node, n_frame)."""
    slope: Array
    """Derivative by log(k + offset) times the distance of two nodes, shape (n_node, n_frame)."""

    def rows(self, rows: npt.NDArray[np.intp]) -> Responses:
        """Answers at some of the frames; the last few are kept."""
        return _rows_kept(self, rows.tobytes())

    def undispersed(self, tau: float, input_seen: Array) -> Responses:
        r"""Answers to the input before it was dispersed with the time constant ``tau`` (min).

        Dispersion is a convolution with :math:`e^{-t/\tau} / \tau`, so the input before it is :math:`g + \tau g'`, and
        the answer to that is :math:`(1 - \tau k)\, e^{-k t} \otimes g + \tau g`: no derivative of a sampled curve is
        needed.

        Parameters
        ----------
        tau : float, min
        input_seen : ndarray, shape (n_frame,)
            What the frames see of the dispersed input g.
        """
        by_place = np.exp(self.nodes)[:, None] * (self.nodes[1] - self.nodes[0])
        rate = (np.exp(self.nodes) - _OFFSET)[:, None]
        value = (1 - tau * rate) * self.value + tau * input_seen
        return replace(self, value=value, slope=(1 - tau * rate) * self.slope - tau * by_place * self.value)

    @property
    def scale(self) -> tuple[float, float, float, float]:
        """Of the nodes: the first, its distance to the next, the offset of the rate, and the highest rate."""
        return float(self.nodes[0]), float(self.nodes[1] - self.nodes[0]), _OFFSET, RATES[1]

    def place(self, rate: Array) -> Array:
        """Number of the node at which a rate constant (1/min) stands, not whole, in its shape."""
        gap = self.nodes[1] - self.nodes[0]
        return np.asarray((np.log(np.clip(rate, *RATES) + _OFFSET) - self.nodes[0]) / gap)

    def by_rate(self, rate: Array) -> Array:
        """Derivative of :meth:`place` by the rate constant, min, in its shape."""
        gap = self.nodes[1] - self.nodes[0]
        return np.asarray(1 / (gap * (np.clip(rate, *RATES) + _OFFSET)))

    def rate(self, place: Array) -> Array:
        """Rate constant (1/min) at a place, the inverse of :meth:`place`."""
        return np.asarray(np.maximum(np.exp(self.nodes[0] + place * (self.nodes[1] - self.nodes[0])) - _OFFSET, 0))

    def at(self, rate: Array) -> tuple[Array, Array]:
        """Frame values of the answers to rate constants, and their derivatives by the rate.

        Parameters
        ----------
        rate : ndarray, shape (...), 1/min

        Returns
        -------
        value : ndarray, shape (..., n_frame)
        by_rate : ndarray, shape (..., n_frame)
        """
        place = self.place(rate)
        left = np.clip(place.astype(np.intp), 0, len(self.nodes) - 2)
        s = (place - left)[..., None]
        low, high = self.value[left], self.value[left + 1]
        m_low, m_high = self.slope[left], self.slope[left + 1]
        rise = high - low
        c = 3 * rise - 2 * m_low - m_high
        d = m_low + m_high - 2 * rise
        value = low + s * (m_low + s * (c + s * d))
        by_place = m_low + s * (2 * c + 3 * s * d)
        return value, by_place * self.by_rate(rate)[..., None]


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to one input at the nodes of a table, at any time; made by :func:`answers`."""

    nodes: Array
    parts: tuple[Convolution, ...]

    def seen(self, sampling: Sampling, delay: float = 0.0) -> Responses:
        """What the frames see of them when the input comes ``delay`` min later."""
        found = np.concatenate([sampling.seen_of(part, delay) for part in self.parts])
        slope = found.imag / COMPLEX_STEP * np.exp(self.nodes)[:, None] * (self.nodes[1] - self.nodes[0])
        return Responses(self.nodes, np.ascontiguousarray(found.real), slope)


def answers(curve: PiecewiseLinear, n_node: int = 1024) -> Answers:
    """Convolve an input with the exponentials of a table.

    Parameters
    ----------
    curve : PiecewiseLinear
        Input, e.g. plasma in kBq/mL.
    n_node : int
        Nodes of the table; its error falls with the fourth power of their number, and is 1e-6 with 128.
    """
    nodes = np.linspace(np.log(RATES[0] + _OFFSET), np.log(RATES[1] + _OFFSET), n_node)
    rate = np.exp(nodes) - _OFFSET
    rate[0] = RATES[0]
    chunks = (rate[at : at + _CHUNK] + 1j * COMPLEX_STEP for at in range(0, n_node, _CHUNK))
    return Answers(nodes, tuple(convolved(curve, chunk) for chunk in chunks))


def responses(sampling: Sampling, curve: PiecewiseLinear) -> Responses:
    """Tabulate what the frames see of the answers to one input, as :func:`answers`.

    The last few tables are kept, and serve every equal curve that the same sampling sees.
    """
    return _kept(sampling, curve.time.tobytes(), curve.value.tobytes())


@lru_cache(maxsize=4)
def _kept(sampling: Sampling, time: bytes, value: bytes) -> Responses:
    """Table of a curve given by the bytes of its knots and values."""
    return answers(PiecewiseLinear(np.frombuffer(time), np.frombuffer(value))).seen(sampling)


@lru_cache(maxsize=8)
def _rows_kept(responses: Responses, rows: bytes) -> Responses:
    """Answers at frames given by the bytes of their numbers."""
    index = np.frombuffer(rows, dtype=np.intp)
    value, slope = (np.ascontiguousarray(table[:, index]) for table in (responses.value, responses.slope))
    return replace(responses, value=value, slope=slope)
