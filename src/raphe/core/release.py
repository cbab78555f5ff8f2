r"""What frames see of a curve's integral with the time course of a release, :math:`\int_0^t C(u)\, h(u)\, du`.

The curve is drawn as straight lines between knots; the time course h begins at a time of its own, and has a kink or a
leap there. On a piece between two knots, along which s runs from 0 to 1, all that is needed of h are three moments: its
integrals with (1 - s)^2, s (1 - s) and s^2. They come from Gauss-Legendre quadrature from the beginning on, in the cube
root of the time since then, in which a course that rises like a power of time is smooth. What frames see is linear in
the moments, and linear in the curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from raphe.core.sampling import Sampling

Array = npt.NDArray[np.float64]

N_NODE = 16
"""Nodes of the quadrature on a piece; the integrals are within 1e-7 of the highest for gamma variates of powers from
a quarter to 4 that peak a minute or more after their beginning, and pieces of up to 10 min."""

_ROOT = 3
_SOON = 1e-300  # min; a time since the beginning that has a logarithm


class TimeCourse(Protocol):
    """Family of time courses of a release: 0 until the first of their parameters, the beginning, and at most 1 after.

    A search for the parameters is one for coordinates from 0 to 1: one for each parameter, but for the first ones that
    are given.
    """

    @property
    def grid(self) -> Array:
        """Coordinates that are tried first, shape (n_start, n_grid, n_free); a search starts at the best of each row.

        The first of them is among those with the earliest beginning.
        """
        ...

    def shape(self, place: Array) -> tuple[Array, Array]:
        """Parameters at the coordinates ``place``, (n, n_free), and their derivatives by them.

        Returns
        -------
        ndarray, shape (n, n_shape)
            The first is the beginning, min.
        ndarray, shape (n, n_shape, n_free)
        """
        ...

    def height(self, since: Array, shape: Array) -> Array:
        """Heights at times ``since`` the beginning, (n, ...), positive, min, for parameters ``shape``, (n, n_shape)."""
        ...

    def log_slopes(self, since: Array, shape: Array) -> tuple[Array, ...]:
        """Derivatives of the heights' logarithm by each parameter, at fixed times since the beginning."""
        ...


@dataclass(frozen=True, eq=False)
class ReleaseIntegral:
    """Maps from a drawn curve to what frames see of its integral with a time course; made by :func:`release_integral`.

    Parameters
    ----------
    course : TimeCourse
    knots : ndarray, shape (n_knot,), min
        Of the drawn curve, from the last one on that no release precedes.
    draw : ndarray, shape (n_knot, n_frame)
        Values of the drawn curve at the knots, from the values of the frames.
    of_whole, of_rest : ndarray, shape (n_row, n_piece)
        What the frames of interest see of each piece: of its integral, and of that times 1 - s.
    n_node : int
        Nodes of the quadrature on each piece.
    """

    course: TimeCourse
    knots: Array
    draw: Array
    of_whole: Array
    of_rest: Array
    n_node: int = N_NODE

    def areas(self, shape: Array) -> Array:
        """Integrals of time courses over the pieces, min, shape (n, n_piece); ``shape`` as for :meth:`seen`."""
        _, _, mass = self._nodes(shape)
        return np.asarray(mass.sum(axis=-1))

    def seen(self, shape: Array, drawn: Array) -> Array:
        """Values of the frames for curves that each have a time course of their own.

        Parameters
        ----------
        shape : ndarray, shape (n, n_shape)
            Parameters of the time courses.
        drawn : ndarray, shape (n or 1, n_knot, n_curve)
            Curves at the knots, for each time course or the same for all.

        Returns
        -------
        ndarray, shape (n, n_row, n_curve)
        """
        _, along, mass = self._nodes(shape)
        return self._rows(_moments(mass, along), drawn)

    def seen_of_all(self, shape: Array, drawn: Array) -> Array:
        """Values of the frames for every curve with every time course.

        Parameters
        ----------
        shape : ndarray, shape (n, n_shape)
        drawn : ndarray, shape (n_curve, n_knot)

        Returns
        -------
        ndarray, shape (n_curve, n, n_row)
        """
        _, along, mass = self._nodes(shape)
        left, right = drawn[:, :-1, None], drawn[:, 1:, None]
        whole, both = self.of_whole.T, self.of_whole.T + self.of_rest.T
        by_moment = np.concatenate([both * left, whole * left + both * right, whole * right], axis=1)
        return np.asarray(np.concatenate(_moments(mass, along), axis=-1) @ by_moment)

    def seen_with_slopes(self, shape: Array, drawn: Array) -> tuple[Array, Array]:
        """Values of the frames for one curve a time course, and their derivatives by the parameters.

        That by the beginning supposes a course that rises from 0: it is taken by parts.

        Parameters
        ----------
        shape : ndarray, shape (n, n_shape)
        drawn : ndarray, shape (n, n_knot)

        Returns
        -------
        ndarray, shape (n, n_row)
        ndarray, shape (n, n_row, n_shape)
        """
        since, along, mass = self._nodes(shape)
        here = _moments(mass, along)
        after = np.maximum(self.knots - shape[:, :1], _SOON)
        height = np.where(after > _SOON, self.course.height(after, shape), 0)
        first, second = (here[0] + here[1]) / np.diff(self.knots), (here[1] + here[2]) / np.diff(self.knots)
        by_begin = np.stack([height[:, :-1] - 2 * first, first - second, 2 * second - height[:, 1:]])
        by_first, *by_others = (_moments(mass * slope, along) for slope in self.course.log_slopes(since, shape))
        moments = here, by_begin + by_first, *by_others
        value, *by_shape = (self._rows(each, drawn[..., None])[..., 0] for each in moments)
        return value, np.stack(by_shape, axis=-1)

    def _nodes(self, shape: Array) -> tuple[Array, Array, Array]:
        """Times since the beginning, places along the pieces and weight x height; (n, n_piece, n_node) each."""
        node, weight = _legendre(self.n_node)
        root = np.maximum(self.knots - shape[:, :1], 0) ** (1 / _ROOT)
        low, width = root[:, :-1, None], np.diff(root, axis=1)[..., None]
        place = low + width * (1 + node) / 2
        since = np.maximum(place**_ROOT, _SOON)
        mass = width * weight / 2 * _ROOT * place ** (_ROOT - 1) * self.course.height(since, shape)
        along = (shape[:, :1, None] + since - self.knots[:-1, None]) / np.diff(self.knots)[:, None]
        return since, along, mass

    def _rows(self, moments: Array, drawn: Array) -> Array:
        """Values of the frames from moments, (3, n, n_piece), and drawn curves; as :meth:`seen`."""
        m0, m1, m2 = moments[..., None]
        left, right = drawn[:, :-1], drawn[:, 1:]
        rest = m0 * left + m1 * right
        return np.asarray(self.of_whole @ (rest + m1 * left + m2 * right) + self.of_rest @ rest)


def release_integral(
    sampling: Sampling, rows: npt.NDArray[np.intp], course: TimeCourse, n_node: int = N_NODE
) -> ReleaseIntegral:
    """Make the maps to the frames ``rows`` of a schedule for one family of time courses."""
    earliest = course.shape(course.grid[0, :1])[0][0, 0]
    first = max(int(np.searchsorted(sampling.knots, earliest, side="right")) - 1, 0)
    knots = sampling.knots[first:]
    begin, stop = ((index[rows] - first)[:, None] for index in (sampling.begin, sampling.stop))
    piece = np.arange(knots.size - 1)
    if sampling.convention == "midframe":
        of_whole = (piece < begin).astype(float)
        return ReleaseIntegral(course, knots, sampling.draw[first:], of_whole, np.zeros_like(of_whole), n_node)
    inside = (piece >= begin) & (piece < stop)
    of_rest = inside * np.diff(knots) / sampling.frames.duration[rows][:, None]
    return ReleaseIntegral(course, knots, sampling.draw[first:], of_rest @ (piece[:, None] > piece), of_rest, n_node)


@cache
def _legendre(n_node: int) -> tuple[Array, Array]:
    """Nodes and weights of a quadrature from -1 to 1."""
    node, weight = np.polynomial.legendre.leggauss(n_node)
    return node, weight


def _moments(mass: Array, along: Array) -> Array:
    """Integrals with (1 - s)^2, s (1 - s) and s^2, shape (3, n, n_piece)."""
    ahead = mass * along
    whole, first, second = mass.sum(axis=-1), ahead.sum(axis=-1), np.einsum("...q,...q->...", ahead, along)
    return np.stack([whole - 2 * first + second, first - second, second])
