r"""What a linear model and its shuffles ask of the data, in as few numbers as there are: one row of weights a shuffle.

With the design split into the regressor of the contrast, a unit vector u, and the nuisance Z that it is orthogonal to
(Winkler et al. 2014, NeuroImage 92:381, appendix A), data without the nuisance are n - rank(Z) numbers of length 1,
e, and all that a t value is made of is the partial correlation

.. math:: r = \frac{u'e}{\sqrt{1 - \sum_k (z_k'e)^2}}, \qquad t = r \sqrt{\frac{\nu}{1 - r^2}},

where :math:`\nu` are the degrees of freedom. Freedman & Lane (1983, J Bus Econ Stat 1:292) shuffle the residuals e;
then u and the rows of Z are taken in another order, and :math:`z_k` is what the shuffled Z has outside Z. Draper and
Stoneman (1966, Technometrics 8:695) shuffle the regressor and leave all else: u is what it then has outside Z, and
:math:`z_k` are 0. Without nuisance, or with none that a shuffle changes, both are the same and exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.core.exchange import Shuffles
from raphe.errors import InputError

Array = npt.NDArray[np.float64]

ALIKE = 1e-9
"""Length of a difference of unit vectors up to which they are the same."""

PART = 1000
"""Shuffles that are turned at once, to bound the memory."""


@dataclass(frozen=True, eq=False)
class Shuffled:
    """A model under all of its shuffles.

    Parameters
    ----------
    basis : ndarray, shape (n_scan, k)
        Orthonormal; what is left of the data without the nuisance, as k numbers.
    rows : ndarray, shape (n_shuffle, 1 + n_other, k)
        First u, then what the shuffled nuisance has outside the nuisance; the first shuffle is the observed order.
    scale : float
        The effect is ``scale`` times the product of u and the data.
    df : int
        Degrees of freedom.
    possible : int
        Number of distinct shuffles.
    complete : bool
        Whether all of them are listed.
    held : bool
        Whether the nuisance stays with the data and only the regressor is shuffled.
    """

    basis: Array
    rows: Array
    scale: float
    df: int
    possible: int
    complete: bool
    held: bool

    def two_weights(self) -> tuple[float, float, npt.NDArray[np.bool_]] | None:
        """Lower and higher weight of a scan, and which has the higher, where each shuffle has only these two."""
        if self.rows.shape[1] > 1:
            return None
        weights = self.rows[:, 0] @ self.basis.T
        low, high = float(weights.min()), float(weights.max())
        of_high = weights > (low + high) / 2
        if np.abs(weights - np.where(of_high, high, low)).max() > ALIKE:
            return None
        return low, high, of_high

    @property
    def smallest(self) -> float:
        """Smallest p value that these shuffles can give, two-sided, of one voxel or of the largest."""
        return float(self.same().mean())

    def same(self) -> npt.NDArray[np.bool_]:
        """Which shuffles give the observed absolute t value whatever the data."""
        first, others = self.rows[0, 0], self.rows[:, 1:]
        apart = np.minimum(
            np.linalg.norm(self.rows[:, 0] - first, axis=1), np.linalg.norm(self.rows[:, 0] + first, axis=1)
        )
        return np.asarray((apart < ALIKE) & (np.abs(others) < ALIKE).all(axis=(1, 2)))


def freedman_lane(design: Array, contrast: Array, shuffles: Shuffles) -> Shuffled:
    """Shuffle the residuals of the nuisance.

    Parameters
    ----------
    design : ndarray, shape (n_scan, n_column)
    contrast : ndarray, shape (n_column,)
    shuffles : Shuffles

    Raises
    ------
    InputError
        If the model leaves no degree of freedom, the contrast cannot be estimated, or all shuffles give one t value.
    """
    regressor, nuisance, df = split(design, contrast)
    basis = _outside(nuisance, len(design))
    scale = float(np.linalg.norm(regressor))
    found = []
    for first in range(0, len(shuffles.order), PART):
        order, sign = shuffles.order[first : first + PART], shuffles.sign[first : first + PART]
        own = (sign * (regressor / scale)[order]) @ basis
        moved = np.swapaxes(basis.T @ (sign[:, :, None] * nuisance[order]), 1, 2)
        found.append(np.concatenate([own[:, None], _fewer(moved)], axis=1))
    most = max(part.shape[1] for part in found)
    rows = np.concatenate([np.pad(part, ((0, 0), (0, most - part.shape[1]), (0, 0))) for part in found])
    return _checked(Shuffled(basis, rows, scale, df, shuffles.possible, shuffles.complete, held=False))


def held(
    design: Array, contrast: Array, regressors: Array, possible: int, complete: bool, covariates: int = 0
) -> Shuffled:
    """Shuffle one column of the design and hold all others with the data: re-randomisation.

    Parameters
    ----------
    design : ndarray, shape (n_scan, n_column)
    contrast : ndarray, shape (n_column,)
        Of one column only.
    regressors : ndarray, shape (n_shuffle, n_scan)
        That column under each shuffle; the first is the observed one.
    possible : int
        Number of distinct shuffles.
    complete : bool
        Whether all of them are listed.
    covariates : int
        Further covariates that differ from voxel to voxel, given with the data.

    Raises
    ------
    InputError
        If the contrast is of more columns, the model leaves no degree of freedom, the contrast cannot be estimated, a
        regressor says nothing that the other columns do not, or all give one t value.
    """
    column = np.flatnonzero(contrast)
    if len(column) != 1:
        raise InputError(
            f"an allocation is one column of the design, but the contrast is of {len(column)}; give it one number"
        )
    _, nuisance, df = split(design, contrast)
    if df <= covariates:
        raise InputError(
            f"{len(design)} scans, {design.shape[1]} columns and {covariates} covariates by voxel leave no degree of "
            "freedom; take fewer covariates"
        )
    basis = _outside(nuisance, len(design))
    own = regressors @ basis
    size = np.linalg.norm(own, axis=1)
    bare = np.flatnonzero(size <= 1e-8 * np.maximum(np.linalg.norm(regressors, axis=1), 1e-300))
    if len(bare):
        raise InputError(
            f"allocation {bare[0] + 1} of {len(own)} says nothing that the other columns do not; leave it out"
        )
    weight = float(contrast[column[0]])
    rows = np.sign(weight) * (own / size[:, None])[:, None]
    scale = abs(weight) / float(size[0])
    return _checked(Shuffled(basis, rows, scale, df - covariates, possible, complete, held=True))


def split(design: Array, contrast: Array) -> tuple[Array, Array, int]:
    """Regressor of a contrast, the nuisance, and the degrees of freedom.

    Returns
    -------
    regressor : ndarray, shape (n_scan,)
        Its product with the data is the estimate of the contrast.
    nuisance : ndarray, shape (n_scan, rank - 1)
        Orthonormal, and orthogonal to the regressor.
    df : int

    Raises
    ------
    InputError
        If shapes differ, a number is not finite, the contrast is 0 or cannot be estimated, or no degree is left.
    """
    if design.ndim != 2 or contrast.shape != design.shape[1:]:
        raise InputError(
            f"the design has shape {design.shape}, the contrast {contrast.shape}; give the contrast one number a column"
        )
    if not (np.isfinite(design).all() and np.isfinite(contrast).all()):
        raise InputError("the design or the contrast has a value that is not a finite number; leave that scan out")
    if not contrast.any():
        raise InputError("all numbers of the contrast are 0; give it one that is not")
    left, values, right = np.linalg.svd(design, full_matrices=False)
    rank = int((values > values.max(initial=0.0) * max(design.shape) * np.finfo(float).eps).sum())
    left, values, right = left[:, :rank], values[:rank], right[:rank]
    if np.linalg.norm(contrast - right.T @ (right @ contrast)) > 1e-8 * np.linalg.norm(contrast):
        raise InputError(
            f"the contrast cannot be estimated: the {design.shape[1]} columns of the design say only {rank} different "
            "things, and what the contrast asks for is mixed with the other columns; take one of them out"
        )
    df = len(design) - rank
    if df < 1:
        raise InputError(
            f"{len(design)} scans and {rank} parameters leave no degree of freedom; add scans or take columns out"
        )
    regressor = left @ ((right @ contrast) / values)
    unit = regressor / np.linalg.norm(regressor)
    nuisance = np.linalg.svd(left - np.outer(unit, unit @ left))[0][:, : rank - 1]
    return regressor, nuisance, df


def _outside(columns: Array, n: int) -> Array:
    """Orthonormal basis of what the columns do not span."""
    return np.linalg.qr(columns, mode="complete")[0][:, columns.shape[1] :] if columns.size else np.eye(n)


def _fewer(moved: Array) -> Array:
    """Orthogonal rows with the same sum of squared products with any data, as few as there are: (m, q, k)."""
    if not moved.shape[1]:
        return moved
    _, values, right = np.linalg.svd(moved, full_matrices=False)
    rows = values[:, :, None] * right
    needed = int((values > ALIKE).sum(axis=1).max())
    return np.asarray(np.where(values[:, :needed, None] > ALIKE, rows[:, :needed], 0.0))


def _checked(model: Shuffled) -> Shuffled:
    if model.same().all():
        raise InputError(
            f"all {len(model.rows)} permutations give the same t value, so that none can be surprising: what the "
            "contrast compares does not change by this scheme; exchange what it compares, or flip signs to test a mean"
        )
    return model
