r"""The (restricted) likelihood of a mixed model with independent blocks, and all that follows from its derivatives.

For :math:`y \sim N(X \beta, V(\theta))`, with beta at its optimum and :math:`r = y - X \beta`, the criterion is

.. math:: D(\theta) = \log|V| + r^T V^{-1} r + \log|X^T V^{-1} X|,

without the last term for maximum likelihood (Harville 1977, J Am Stat Assoc 72:320). With
:math:`P = V^{-1} - V^{-1} X (X^T V^{-1} X)^{-1} X^T V^{-1}` and :math:`V_r = \partial V / \partial \theta_r`,

.. math::

    D_r &= \mathrm{tr}(P V_r) - y^T P V_r P y \\
    D_{rs} &= \mathrm{tr}(P V_{rs}) - y^T P V_{rs} P y - \mathrm{tr}(P V_r P V_s) + 2 y^T P V_r P V_s P y,

and the expectation of :math:`D_{rs}` is :math:`\mathrm{tr}(P V_r P V_s)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from raphe.core.mixed_blocks import Blocks
from raphe.core.mixed_structures import Natural, Structure

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Model:
    """A mixed model's data.

    Parameters
    ----------
    blocks : tuple of Blocks
    data : tuple of ndarray, shape (N, m, p + 1), one a size of block
        Design and outcome, row by row.
    structure : Structure
    n_group : int
        G matrices of visits.
    n_random : int
        C random intercepts.
    reml : bool
    """

    blocks: tuple[Blocks, ...]
    data: tuple[Array, ...]
    structure: Structure
    n_group: int
    n_random: int
    reml: bool

    @property
    def n_parameter(self) -> int:
        """Covariance parameters: variances of random intercepts, then each group's."""
        return self.n_random + self.n_group * len(self.structure.powers)

    def parts(self, values: Array) -> Array:
        """Each group's parameters, shape (G, k)."""
        return values[self.n_random :].reshape(self.n_group, -1)

    def natural(self, eta: Array) -> Natural:
        """Natural parameters of all free ones."""
        k, C, total = len(self.structure.powers), self.n_random, self.n_parameter
        theta, slope, curvature = np.empty(total), np.zeros((total, total)), np.zeros((total,) * 3)
        theta[:C] = eta[:C] ** 2
        each = np.arange(C)
        slope[each, each], curvature[each, each, each] = 2 * eta[:C], 2.0
        for i, part in enumerate(self.parts(eta)):
            here = slice(C + i * k, C + (i + 1) * k)
            theta[here], slope[here, here], curvature[here, here, here] = self.structure.natural(part)
        return Natural(theta, slope, curvature)

    def at(self, theta: Array) -> Point | None:
        """The model at natural parameters; None where a covariance matrix is not positive definite."""
        flat = np.concatenate([self.structure.matrix(part).ravel() for part in self.parts(theta)])
        inverses, logdet = [], 0.0
        for blocks in self.blocks:
            V = flat[blocks.place] * blocks.weight
            for variance, shared in zip(theta[: self.n_random], blocks.random, strict=True):
                V += variance * shared
            each = np.arange(V.shape[1])
            V[:, each, each] += blocks.known
            try:
                factor = np.linalg.cholesky(V)
            except np.linalg.LinAlgError:
                return None
            inverses.append(np.linalg.inv(factor))
            logdet += 2 * float(blocks.count @ np.log(factor[:, each, each]).sum(axis=1))
        white = [inv[b.pattern] @ z for inv, b, z in zip(inverses, self.blocks, self.data, strict=True)]
        p = self.data[0].shape[2] - 1
        flat_white = np.concatenate([w.reshape(-1, p + 1) for w in white])
        information = flat_white[:, :p].T @ flat_white[:, :p]
        try:
            root = np.linalg.inv(np.linalg.cholesky(information))
        except np.linalg.LinAlgError:
            return None
        beta = root.T @ (root @ (flat_white[:, :p].T @ flat_white[:, p]))
        flat_white[:, p] -= flat_white[:, :p] @ beta
        ends = np.cumsum([0] + [w.shape[0] * w.shape[1] for w in white])
        shaped = tuple(flat_white[a:b].reshape(w.shape) for a, b, w in zip(ends, ends[1:], white, strict=False))
        value = logdet + float(flat_white[:, p] @ flat_white[:, p])
        if self.reml:
            value -= 2 * float(np.log(np.diag(root)).sum())
        return Point(self, theta, value, beta, root, tuple(inverses), shaped)


@dataclass(frozen=True, eq=False)
class Point:
    """A model at one value of its covariance parameters.

    Parameters
    ----------
    theta : ndarray, shape (R,)
    value : float
        D.
    beta : ndarray, shape (p,)
    root : ndarray, shape (p, p)
        Lower triangle whose transpose times itself is (X' V^-1 X)^-1.
    inverses : tuple of ndarray, shape (K, m, m)
        Inverse Cholesky factor of each pattern's covariance.
    white : tuple of ndarray, shape (N, m, p + 1)
        Design and residual times it.
    """

    model: Model
    theta: Array
    value: float
    beta: Array
    root: Array
    inverses: tuple[Array, ...]
    white: tuple[Array, ...]

    @cached_property
    def covariance(self) -> Array:
        """(X' V^-1 X)^-1, shape (p, p)."""
        return np.asarray(self.root.T @ self.root)

    @cached_property
    def by_matrix(self) -> tuple[Array, Array]:
        """Derivatives of D by the variances of random intercepts, (C,), and by the groups' matrices, (G T T,)."""
        p = self.beta.size
        structure = self.model.structure
        random, visits = np.zeros(self.model.n_random), np.zeros(self.model.n_group * structure.matrix(self._any).size)
        for blocks, inverse, white in zip(self.model.blocks, self.inverses, self.white, strict=True):
            used = white[:, :, p:]
            if self.model.reml:
                used = np.concatenate([white[:, :, :p] @ self.root.T, used], axis=2)
            sums = np.add.reduceat(used @ used.swapaxes(1, 2), blocks.first)
            gap = blocks.count[:, None, None] * np.eye(white.shape[1]) - sums
            slope = inverse.swapaxes(1, 2) @ gap @ inverse
            random += blocks.random.reshape(len(random), slope.size) @ slope.ravel()
            visits += np.bincount(blocks.place.ravel(), (slope * blocks.weight).ravel(), visits.size)
        return random, visits

    @cached_property
    def gradient(self) -> Array:
        """Derivative of D by theta, shape (R,)."""
        random, visits = self.by_matrix
        groups = visits.reshape(self.model.n_group, -1)
        slopes = [self.model.structure.slopes(part) for part in self.model.parts(self.theta)]
        return np.concatenate([random, *(s.reshape(len(s), -1) @ g for s, g in zip(slopes, groups, strict=True))])

    @cached_property
    def second(self) -> Second:
        """Sums of products from which second derivatives follow."""
        R, q = self.model.n_parameter, self.beta.size + 1
        slopes = self._flat_slopes()
        gram, traces = np.zeros(((R + 1) * q, (R + 1) * q)), np.zeros((R, R))
        for blocks, inverse, white in zip(self.model.blocks, self.inverses, self.white, strict=True):
            moved = np.concatenate([blocks.random, slopes[:, blocks.place] * blocks.weight])
            moved = inverse @ moved @ inverse.swapaxes(1, 2)
            lines = moved.reshape(R, -1)
            traces += (lines * np.repeat(blocks.count, white.shape[1] ** 2)) @ lines.T
            stacked = np.concatenate([white[None], moved[:, blocks.pattern] @ white])
            stacked = stacked.reshape(R + 1, -1, q).swapaxes(0, 1).reshape(-1, (R + 1) * q)
            gram += stacked.T @ stacked
        return Second(self.covariance, gram.reshape(R + 1, q, R + 1, q).transpose(0, 2, 1, 3), traces)

    def _flat_slopes(self) -> Array:
        """Derivatives of the groups' matrices in one line by each group's parameters, shape (G k, G T T)."""
        slopes = [self.model.structure.slopes(part) for part in self.model.parts(self.theta)]
        k, size = slopes[0].shape[0], slopes[0][0].size
        flat = np.zeros((len(slopes) * k, len(slopes) * size))
        for i, slope in enumerate(slopes):
            flat[i * k : (i + 1) * k, i * size : (i + 1) * size] = slope.reshape(k, -1)
        return flat

    @property
    def _any(self) -> Array:
        return np.asarray(self.model.parts(self.theta)[0])

    @cached_property
    def expected(self) -> Array:
        """Expectation of the second derivatives of D by theta, shape (R, R)."""
        return self.second.restricted if self.model.reml else self.second.traces

    @cached_property
    def hessian(self) -> Array:
        """Second derivatives of D by theta, shape (R, R)."""
        whole = 2 * self.second.quadratic - self.expected
        if not self.model.structure.linear:
            k, C = len(self.model.structure.powers), self.model.n_random
            groups = self.by_matrix[1].reshape(self.model.n_group, -1)
            for i, (part, slope) in enumerate(zip(self.model.parts(self.theta), groups, strict=True)):
                here = slice(C + i * k, C + (i + 1) * k)
                whole[here, here] += self.model.structure.curvatures(part).reshape(k, k, -1) @ slope
        return whole

    def bent(self) -> Array:
        """X' V^-1 V_rs V^-1 X, shape (R, R, p, p): 0 in a linear structure and for random intercepts."""
        p, R, C = self.beta.size, self.model.n_parameter, self.model.n_random
        whole = np.zeros((R, R, p, p))
        if self.model.structure.linear:
            return whole
        k, size = len(self.model.structure.powers), self.model.structure.matrix(self._any).size
        sums = np.zeros((self.model.n_group * size, p, p))
        for blocks, inverse, white in zip(self.model.blocks, self.inverses, self.white, strict=True):
            back = inverse.swapaxes(1, 2)[blocks.pattern] @ white[:, :, :p]
            pairs = np.add.reduceat(np.einsum("nip,njq->nijpq", back, back), blocks.first)
            np.add.at(sums, blocks.place, pairs * blocks.weight[..., None, None])
        for i, part in enumerate(self.model.parts(self.theta)):
            here = slice(C + i * k, C + (i + 1) * k)
            curvature = self.model.structure.curvatures(part).reshape(k, k, -1)
            whole[here, here] = np.tensordot(curvature, sums[i * size : (i + 1) * size], 1)
        return whole


@dataclass(frozen=True, eq=False)
class Second:
    """Sums of products at one point.

    Parameters
    ----------
    covariance : ndarray, shape (p, p)
    gram : ndarray, shape (R + 1, R + 1, p + 1, p + 1)
        [X r]' V^-1 V_r V^-1 V_s V^-1 [X r], the first r and s standing for V itself.
    traces : ndarray, shape (R, R)
        tr(V^-1 V_r V^-1 V_s).
    """

    covariance: Array
    gram: Array
    traces: Array

    @property
    def single(self) -> Array:
        """X' V^-1 V_r V^-1 X, shape (R, p, p): minus P_r of Kenward and Roger."""
        return np.asarray(self.gram[0, 1:, :-1, :-1])

    @property
    def double(self) -> Array:
        """X' V^-1 V_r V^-1 V_s V^-1 X, shape (R, R, p, p): their Q_rs."""
        return np.asarray(self.gram[1:, 1:, :-1, :-1])

    @cached_property
    def restricted(self) -> Array:
        """tr(P V_r P V_s), shape (R, R)."""
        R = len(self.traces)
        turned = self.covariance @ self.single
        pairs = turned.reshape(R, -1) @ turned.swapaxes(1, 2).reshape(R, -1).T
        return np.asarray(self.traces - 2 * np.tensordot(self.double, self.covariance.T, 2) + pairs)

    @cached_property
    def quadratic(self) -> Array:
        """Products y' P V_r P V_s P y, shape (R, R)."""
        cross = self.gram[0, 1:, :-1, -1]
        return np.asarray(self.gram[1:, 1:, -1, -1] - cross @ self.covariance @ cross.T)
