r"""Covariance matrices of visits, as functions of a few natural parameters and of free ones to search over.

Every structure gives its matrix with first and second derivatives by its natural parameters theta, which are those
that Kenward-Roger's method reads, and a map from free parameters eta, any real numbers, to theta. Variances are squares
and an unstructured matrix is :math:`\Sigma = L L^T` (Pinheiro and Bates 1996, Stat Comput 6:289), so that the search
meets no bound and a variance of 0 is a place where the gradient vanishes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LARGEST_START = 0.9999
"""Largest absolute correlation from which a search begins."""


class Natural(NamedTuple):
    """Natural parameters, shape (k,), and their derivatives by the free ones, shapes (k, k) and (k, k, k)."""

    theta: Array
    slope: Array
    curvature: Array


class Structure(Protocol):
    """A family of covariance matrices, shape (T, T)."""

    linear: bool
    """Whether the matrix is linear in theta."""

    @property
    def powers(self) -> tuple[int, ...]:
        """Power of the outcome's variance in each natural parameter: 1 for a variance, 0 for a correlation."""

    def start(self, covariance: Array) -> Array:
        """Free parameters, shape (k,), that come near a positive definite matrix."""

    def natural(self, eta: Array) -> Natural:
        """Natural parameters of free ones."""

    def matrix(self, theta: Array) -> Array:
        """Covariance matrix, shape (T, T)."""

    def slopes(self, theta: Array) -> Array:
        """First derivatives, shape (k, T, T)."""

    def curvatures(self, theta: Array) -> Array:
        """Second derivatives, shape (k, k, T, T)."""


@dataclass(frozen=True)
class Independent:
    """One variance, no covariance."""

    size: int
    linear = True
    powers = (1,)

    def start(self, covariance: Array) -> Array:
        """Root of the mean variance."""
        return np.sqrt([np.diag(covariance).mean()])

    def natural(self, eta: Array) -> Natural:
        """Square."""
        return Natural(eta**2, np.diag(2 * eta), np.full((1, 1, 1), 2.0))

    def matrix(self, theta: Array) -> Array:
        """Variance on the diagonal."""
        return np.asarray(theta[0] * np.eye(self.size))

    def slopes(self, theta: Array) -> Array:
        """Unit matrix."""
        return np.eye(self.size)[None]

    def curvatures(self, theta: Array) -> Array:
        """Nothing."""
        return np.zeros((1, 1, self.size, self.size))


@dataclass(frozen=True)
class CompoundSymmetry:
    """theta = (c, s): covariance c of any two visits, variance c + s; c may be negative down to -s / T."""

    size: int
    linear = True
    powers = (1, 1)

    def start(self, covariance: Array) -> Array:
        """From the mean variance and the mean covariance."""
        variance = np.diag(covariance).mean()
        rest = (covariance.sum() - np.trace(covariance)) / max(self.size * (self.size - 1), 1)
        low = -LARGEST_START / max(self.size - 1, 1)
        shared = np.clip(rest, low * variance, LARGEST_START * variance)
        return np.sqrt([variance - shared, variance + (self.size - 1) * shared])

    def natural(self, eta: Array) -> Natural:
        """From the roots of the two eigenvalues s and s + T c."""
        to_theta = np.array([[-1.0, 1.0], [self.size, 0.0]]) / self.size
        curvature = np.zeros((2, 2, 2))
        curvature[:, [0, 1], [0, 1]] = 2 * to_theta
        return Natural(to_theta @ eta**2, to_theta * (2 * eta), curvature)

    def matrix(self, theta: Array) -> Array:
        """Covariance throughout, more on the diagonal."""
        return np.asarray(theta[0] + theta[1] * np.eye(self.size))

    def slopes(self, theta: Array) -> Array:
        """Ones, and the unit matrix."""
        return np.stack([np.ones((self.size, self.size)), np.eye(self.size)])

    def curvatures(self, theta: Array) -> Array:
        """Nothing."""
        return np.zeros((2, 2, self.size, self.size))


@dataclass(frozen=True)
class Unstructured:
    """theta = the lower triangle of the matrix, row by row."""

    size: int
    linear = True

    @property
    def powers(self) -> tuple[int, ...]:
        """All are variances and covariances."""
        return (1,) * (self.size * (self.size + 1) // 2)

    def start(self, covariance: Array) -> Array:
        """Cholesky factor."""
        return np.asarray(np.linalg.cholesky(covariance)[_triangle(self.size)])

    def natural(self, eta: Array) -> Natural:
        """Product of the triangle with its transpose."""
        row, column = _triangle(self.size)
        factor = np.zeros((self.size, self.size))
        factor[row, column] = eta
        moved = np.zeros((eta.size, self.size, self.size))
        moved[np.arange(eta.size), row] = factor.T[column]
        moved += moved.swapaxes(1, 2)
        curvature = np.zeros((eta.size, eta.size, self.size, self.size))
        one, other = np.nonzero(column[:, None] == column)
        np.add.at(curvature, (one, other, row[one], row[other]), 1.0)
        curvature += curvature.swapaxes(2, 3)
        return Natural((factor @ factor.T)[row, column], moved[:, row, column].T, curvature[:, :, row, column].T)

    def matrix(self, theta: Array) -> Array:
        """Triangle and its mirror."""
        row, column = _triangle(self.size)
        whole = np.zeros((self.size, self.size))
        whole[row, column] = whole[column, row] = theta
        return whole

    def slopes(self, theta: Array) -> Array:
        """One pair of places each."""
        row, column = _triangle(self.size)
        places = np.zeros((row.size, self.size, self.size))
        places[np.arange(row.size), row, column] = places[np.arange(row.size), column, row] = 1.0
        return places

    def curvatures(self, theta: Array) -> Array:
        """Nothing."""
        return np.zeros((len(self.powers), len(self.powers), self.size, self.size))


@cache
def _triangle(size: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Places of the lower triangle, row by row."""
    return np.tril_indices(size)


Correlation = Callable[[float, Array], tuple[Array, Array, Array]]
"""Matrix, first and second derivative by rho, from rho and the distances of visits."""


def decaying(rho: float, distance: Array) -> tuple[Array, Array, Array]:
    """Correlations rho^d: autoregressive of the first order."""
    first = distance * rho ** np.maximum(distance - 1, 0)
    second = distance * (distance - 1) * rho ** np.maximum(distance - 2, 0)
    return np.asarray(rho**distance), np.asarray(first), np.asarray(second)


def common(rho: float, distance: Array) -> tuple[Array, Array, Array]:
    """One correlation of any two visits."""
    apart = (distance > 0).astype(float)
    return np.where(distance > 0, rho, 1.0), apart, np.zeros_like(apart)


@dataclass(frozen=True)
class Correlated:
    """theta = (variances, rho): one variance, or one a visit, and a correlation by the distance of visits."""

    size: int
    correlation: Correlation
    lowest: float
    """Lower limit of rho; the upper one is 1."""
    one_variance: bool
    linear = False

    @property
    def powers(self) -> tuple[int, ...]:
        """Variances, then the correlation."""
        return (1,) * (1 if self.one_variance else self.size) + (0,)

    @property
    def distance(self) -> Array:
        """Number of visits from one to the other, shape (T, T)."""
        place = np.arange(float(self.size))
        return np.asarray(np.abs(place[:, None] - place))

    def start(self, covariance: Array) -> Array:
        """From the variances and the mean correlation of neighbours (of all, where distance does not matter)."""
        variance = np.diag(covariance)
        scaled = covariance / np.sqrt(np.outer(variance, variance))
        near = self.distance == 1 if self.correlation is decaying else self.distance > 0
        rho = np.clip(scaled[near].mean() if near.any() else 0.0, LARGEST_START * self.lowest, LARGEST_START)
        part = (rho - self.lowest) / (1 - self.lowest)
        variances = [variance.mean()] if self.one_variance else variance
        return np.array([*np.sqrt(variances), np.log(part / (1 - part))])

    def natural(self, eta: Array) -> Natural:
        """Squares, and a logistic curve from the lowest correlation to 1."""
        part = 0.5 * (1 + np.tanh(0.5 * eta[-1]))
        wide = 1 - self.lowest
        theta = np.append(eta[:-1] ** 2, self.lowest + wide * part)
        slope = np.append(2 * eta[:-1], wide * part * (1 - part))
        curvature = np.zeros((eta.size,) * 3)
        each = np.arange(eta.size)
        curvature[each, each, each] = np.append(np.full(eta.size - 1, 2.0), slope[-1] * (1 - 2 * part))
        return Natural(theta, np.diag(slope), curvature)

    def matrix(self, theta: Array) -> Array:
        """Correlations times standard deviations."""
        sd = np.sqrt(np.broadcast_to(theta[:-1], self.size))
        return np.asarray(self.correlation(theta[-1], self.distance)[0] * np.outer(sd, sd))

    def slopes(self, theta: Array) -> Array:
        """By the variances, then by the correlation."""
        value, first, _ = self.correlation(theta[-1], self.distance)
        sd, by_variance, _ = self._spread(theta[:-1])
        return np.concatenate([by_variance * value, (np.outer(sd, sd) * first)[None]])

    def curvatures(self, theta: Array) -> Array:
        """By each pair of parameters."""
        value, first, second = self.correlation(theta[-1], self.distance)
        sd, by_variance, twice = self._spread(theta[:-1])
        whole = np.zeros((theta.size, theta.size, self.size, self.size))
        whole[:-1, :-1] = twice * value
        whole[-1, :-1] = whole[:-1, -1] = by_variance * first
        whole[-1, -1] = np.outer(sd, sd) * second
        return whole

    def _spread(self, variance: Array) -> tuple[Array, Array, Array]:
        """Standard deviations; first and second derivatives of their products by the variances."""
        sd = np.sqrt(np.broadcast_to(variance, self.size))
        product = np.outer(sd, sd)
        if self.one_variance:
            return sd, np.ones((1, self.size, self.size)), np.zeros((1, 1, self.size, self.size))
        times = np.eye(self.size)[:, :, None] + np.eye(self.size)[:, None, :]
        first = product * times / (2 * variance[:, None, None])
        second = product * times[:, None] * times[None] / (4 * np.outer(variance, variance)[:, :, None, None])
        each = np.arange(self.size)
        second[each, each] -= first / variance[:, None, None]
        return sd, first, second


STRUCTURES: dict[str, Callable[[int], Structure]] = {
    "independent": Independent,
    "cs": CompoundSymmetry,
    "csh": lambda size: Correlated(size, common, -1.0 / max(size - 1, 1), False),
    "ar1": lambda size: Correlated(size, decaying, -1.0, True),
    "ar1h": lambda size: Correlated(size, decaying, -1.0, False),
    "unstructured": Unstructured,
}
"""Makers of a structure for T visits, by name."""
