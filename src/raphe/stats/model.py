"""What a fitted linear model, mixed or not, says: effects, least-squares means, contrasts and joint tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.stats.coding import Term
from raphe.stats.design import NO_LEVELS, NONE, Design
from raphe.stats.effect import Effect, effect

Array = npt.NDArray[np.float64]

NAN = float("nan")


class Tests(Protocol):
    """The tests that a fit allows."""

    def one(self, combination: Array) -> tuple[float, float, float]:
        """Estimate, standard error and degrees of freedom of a combination of coefficients, shape (p,)."""

    def joint(self, rows: Array) -> tuple[float, float, float]:
        """F and its two degrees of freedom for rows, shape (q, p), that are 0 under the null hypothesis."""


class JointTest(NamedTuple):
    """Whether a term has any effect: F with its degrees of freedom, and p; NaN where the data are too few to say."""

    term: Term
    F: float
    df1: float
    df2: float
    p: float


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A fitted model of one outcome.

    Parameters
    ----------
    design : Design
    beta : ndarray, shape (p,)
    tests : Tests
        How degrees of freedom are found.
    method : str
        How it was fitted and tested, in words.
    n, n_subject : int
        Rows and subjects.
    log_likelihood : float
        Restricted for REML.
    covariance : mapping of str to float
        Variances, covariances and correlations of the errors, by name.
    converged : bool
        If not, only estimates are given; standard errors, degrees of freedom and p values are NaN.
    why : tuple of str
        What a reader must know: a variance at 0, a search without end. Empty if nothing.
    """

    design: Design
    beta: Array
    tests: Tests
    method: str
    n: int
    n_subject: int
    log_likelihood: float
    covariance: Mapping[str, float]
    converged: bool = True
    why: tuple[str, ...] = ()

    def effect(self, combination: Array) -> Effect:
        """Estimate and test of a combination of coefficients, shape (p,), against 0."""
        if not self.converged:
            return Effect(float(combination @ self.beta), NAN, NAN, NAN, NAN, NAN)
        estimate, se, df = self.tests.one(combination)
        if not (se > 0 and df > 0):
            return Effect(estimate, se, df, NAN, NAN, NAN)
        return effect(estimate, se, df)

    @property
    def coefficients(self) -> dict[str, Effect]:
        """Effect of each column of the design, by its name."""
        return {name: self.effect(unit) for name, unit in zip(self.design.names, np.eye(self.beta.size), strict=True)}

    def ls_mean(self, levels: Mapping[str, str] = NO_LEVELS, covariates: Mapping[str, float] = NONE) -> Effect:
        """Least-squares mean of levels; see :meth:`raphe.stats.design.Design.ls_mean`."""
        return self.effect(self.design.ls_mean(levels, covariates))

    def difference(
        self, of: Mapping[str, str], less: Mapping[str, str], covariates: Mapping[str, float] = NONE
    ) -> Effect:
        """Least-squares mean of some levels minus that of others."""
        return self.effect(self.design.difference(of, less, covariates))

    def contrast(
        self,
        factors: Sequence[str],
        weights: Mapping[tuple[str, ...], float],
        covariates: Mapping[str, float] = NONE,
    ) -> Effect:
        """Weighted sum of cells; see :meth:`raphe.stats.design.Design.contrast`."""
        return self.effect(self.design.contrast(factors, weights, covariates))

    def joint_test(self, term: Sequence[str]) -> JointTest:
        """F test of a term, type III; see :meth:`raphe.stats.design.Design.hypothesis`."""
        rows = self.design.hypothesis(tuple(term))
        if not self.converged:
            return JointTest(tuple(term), NAN, float(len(rows)), NAN, NAN)
        F, df1, df2 = self.tests.joint(rows)
        return JointTest(tuple(term), F, df1, df2, float(stats.f.sf(F, df1, df2)))

    @property
    def joint_tests(self) -> tuple[JointTest, ...]:
        """F test of each term but the intercept."""
        return tuple(self.joint_test(term) for term in self.design.terms if term)


class ResidualFreedom:
    """Tests with n - p degrees of freedom, whatever the covariance."""

    def __init__(self, tests: Tests, df: float) -> None:
        self.tests, self.df = tests, df

    def one(self, combination: Array) -> tuple[float, float, float]:
        """Estimate, standard error and degrees of freedom of a combination of coefficients, shape (p,)."""
        estimate, se, _ = self.tests.one(combination)
        return estimate, se, self.df

    def joint(self, rows: Array) -> tuple[float, float, float]:
        """F and its two degrees of freedom for rows, shape (q, p), that are 0 under the null hypothesis."""
        F, df1, _ = self.tests.joint(rows)
        return F, df1, self.df
