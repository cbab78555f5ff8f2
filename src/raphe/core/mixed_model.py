"""Gaussian linear mixed models of small samples, by restricted maximum likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from raphe.core.linear_model import orthonormal
from raphe.core.mixed_blocks import Codes, arrange
from raphe.core.mixed_likelihood import Model, Point
from raphe.core.mixed_search import Lowest, free_hessian, lowest
from raphe.core.mixed_start import starts
from raphe.core.mixed_structures import STRUCTURES
from raphe.errors import InputError

Array = npt.NDArray[np.float64]

LEAST_INFORMATION = 1e-8
"""Least eigenvalue of the expected information, parameters scaled alike, at or below which it counts as singular."""


@dataclass(frozen=True, eq=False)
class MixedFit:
    """A mixed model at its optimum.

    Covariance parameters theta are the variances of the C random intercepts, then each group's parameters of its matrix
    of visits (see :mod:`raphe.core.mixed_structures`).

    Parameters
    ----------
    beta : ndarray, shape (p,)
    covariance : ndarray, shape (p, p)
        (X' V^-1 X)^-1, not adjusted.
    log_likelihood : float
        Restricted or full, with all constants (Bates et al. 2015, J Stat Softw 67(1)).
    random : ndarray, shape (C,)
        Variances of the random intercepts.
    visits : ndarray, shape (G, T, T)
        Covariance of the residuals of T visits in each group; (G, 1, 1) where they are independent.
    theta : ndarray, shape (R,)
    reml, converged : bool
    steps : int
        Of the search.
    zero : ndarray of bool, shape (R,)
        Variances that are 0, the limit of what they can be.
    """

    beta: Array
    covariance: Array
    log_likelihood: float
    random: Array
    visits: Array
    theta: Array
    reml: bool
    converged: bool
    steps: int
    zero: npt.NDArray[np.bool_]
    _model: Model
    _lowest: Lowest
    _factor: Array
    """Scale times inverse triangle: inner coefficients to beta."""
    _units: Array
    """Unit of each theta in inner ones."""

    @cached_property
    def theta_covariance(self) -> Array:
        """Inverse of the expected information on theta, shape (R, R)."""
        return np.asarray(2 * np.linalg.inv(self._point.expected) * np.outer(self._units, self._units))

    @cached_property
    def covariance_slopes(self) -> Array:
        """Derivatives of the coefficients' covariance by theta, shape (R, p, p)."""
        inner = self._point.covariance @ self._point.second.single @ self._point.covariance
        return np.asarray(self._factor @ inner @ self._factor.T / self._units[:, None, None])

    @cached_property
    def observed_slopes(self) -> tuple[Array, Array]:
        """Derivatives of the coefficients' covariance by the free parameters, (R, p, p), and these' covariance, (R, R).

        The latter is the inverse of the observed information. A variance at 0 has slope 0 there and adds nothing.
        """
        hessian = free_hessian(self._model, self._lowest.eta, self._point)
        slope = self._model.natural(self._lowest.eta).slope * self._units[:, None]
        free = np.tensordot(slope.T, self.covariance_slopes, 1)
        return free, np.asarray(2 * np.linalg.inv(hessian))

    @cached_property
    def adjusted(self) -> Array:
        r"""Covariance of the coefficients adjusted for small samples, shape (p, p).

        .. math:: \Phi_A = \Phi + 2 \Phi \Big[\sum_{rs} W_{rs} (Q_{rs} - P_r \Phi P_s - R_{rs} / 4)\Big] \Phi

        (Kenward and Roger 1997, Biometrics 53:983), W the inverse of the expected information on theta.
        """
        point = self._point
        W = 2 * np.linalg.inv(point.expected)
        single, Phi = point.second.single, point.covariance
        inner = point.second.double - np.einsum("rij,jk,skl->rsil", single, Phi, single) - point.bent() / 4
        sums = np.tensordot(W, inner, 2)
        sums = Phi + Phi @ (sums + sums.T) @ Phi
        return np.asarray(self._factor @ sums @ self._factor.T)

    @property
    def _point(self) -> Point:
        return self._lowest.point


def fit_mixed_model(
    design: Array,
    outcome: Array,
    subject: Codes,
    *,
    visit: Codes | None = None,
    structure: str = "independent",
    group: Codes | None = None,
    random: Sequence[Codes] = (),
    known: Array | None = None,
    scale: Array | None = None,
    reml: bool = True,
) -> MixedFit:
    """Fit coefficients and covariance parameters.

    The covariance of two rows of a subject is that of their visits, times the rows' ``scale``; rows that share a level
    of a random intercept have its variance in common; ``known`` comes on top. The order of rows does not matter.

    Parameters
    ----------
    design : ndarray, shape (n, p), of full column rank
    outcome : ndarray, shape (n,)
    subject : ndarray of int, shape (n,)
        Rows of different subjects have independent residuals.
    visit : ndarray of int, shape (n,)
        From 0; once a subject. Needed by every structure but ``"independent"``.
    structure : str
        A key of :data:`raphe.core.mixed_structures.STRUCTURES`.
    group : ndarray of int, shape (n,)
        From 0: which of several covariance matrices; alike within a subject.
    random : sequence of ndarray of int, shape (n,)
        From 0: levels of each random intercept; they may cross.
    known : ndarray, shape (n,)
        Variance of the error of measurement of each row, in squared units of the outcome.
    scale : ndarray, shape (n,)
        Ratio of each row's residual standard deviation to that of a row with 1.
    reml : bool
        Restricted likelihood; else full.

    Raises
    ------
    InputError
        If the design is singular, fits the data exactly, leaves no row for the error, or the data do not bear on a
        covariance parameter.
    """
    n, p = design.shape
    if n <= p:
        raise InputError(
            f"{p} parameters cannot be fitted with an error to {n} rows; leave out terms or bring more rows"
        )
    basis, triangle = orthonormal(design)
    at_first = basis.T @ outcome
    rest = outcome - basis @ at_first
    unit = float(np.sqrt(rest @ rest / (n - p)))
    if unit <= 1e-10 * float(np.abs(outcome).max()):
        raise InputError("the design fits the outcome exactly, so there is no error to judge by")
    scale = np.ones(n) if scale is None else scale
    known = np.zeros(n) if known is None else known / unit**2
    group = np.zeros(n, dtype=np.intp) if group is None else group
    blocks, size = arrange(subject, visit, group, random, scale, known)
    together = np.column_stack([basis, rest / unit])
    model = Model(
        blocks=blocks,
        data=tuple(together[b.rows] for b in blocks),
        structure=STRUCTURES[structure](size),
        n_group=int(group.max()) + 1,
        n_random=len(random),
        reml=reml,
    )
    found = _best(model, starts(model, rest / unit))
    factor = unit * np.linalg.inv(triangle)
    powers = np.array([1] * len(random) + list(model.structure.powers) * model.n_group)
    return _fit(
        model, found, np.asarray(np.linalg.solve(triangle, at_first)), np.asarray(factor), unit, powers, triangle
    )


def _best(model: Model, etas: Sequence[Array]) -> Lowest:
    """The lowest point from the most promising start."""
    points = [(point, eta) for eta in etas if (point := model.at(model.natural(eta).theta))]
    _check_information(model, points[0][0])
    point, eta = min(points, key=lambda pair: pair[0].value)
    return lowest(model, eta, point)


def _check_information(model: Model, point: Point) -> None:
    expected = point.expected
    size = np.sqrt(np.maximum(np.diag(expected), 0))
    if not (size > 0).all() or np.linalg.eigvalsh(expected / np.outer(size, size))[0] <= LEAST_INFORMATION:
        raise InputError(
            f"the data cannot tell the {model.n_parameter} parameters of the covariance apart; choose a simpler "
            "covariance or leave out a random intercept"
        )


def _fit(
    model: Model, found: Lowest, first: Array, factor: Array, unit: float, powers: npt.NDArray[np.int_], R: Array
) -> MixedFit:
    point = found.point
    n = sum(z.shape[0] * z.shape[1] for z in model.data)
    counted = n - R.shape[1] if model.reml else n
    value = point.value + counted * np.log(2 * np.pi * unit**2)
    if model.reml:
        value += 2 * float(np.log(np.abs(np.diag(R))).sum())
    units = np.asarray(unit ** (2.0 * powers), dtype=float)
    visits = np.array([model.structure.matrix(part) for part in model.parts(point.theta)]) * unit**2
    if len(model.structure.powers) == 1:
        visits = visits[:, :1, :1]
    return MixedFit(
        beta=first + factor @ point.beta,
        covariance=factor @ point.covariance @ factor.T,
        log_likelihood=-0.5 * float(value),
        random=point.theta[: model.n_random] * unit**2,
        visits=visits,
        theta=point.theta * units,
        reml=model.reml,
        converged=found.converged,
        steps=found.steps,
        zero=(found.eta == 0) & (powers == 1),
        _model=model,
        _lowest=found,
        _factor=factor,
        _units=units,
    )
