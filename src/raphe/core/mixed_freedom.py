"""Degrees of freedom for tests in a mixed model: Satterthwaite's and Kenward and Roger's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core.linear_model import independent, wald
from raphe.core.mixed_model import MixedFit

Array = npt.NDArray[np.float64]

NEVER_FEWER = 2.0
"""Degrees of freedom of an F test where a part of it has no more than these."""


class Satterthwaite:
    r"""Tests with :math:`\nu = 2 v^2 / (g^T C g)`, v the contrast's variance, g its gradient, C of the parameters.

    C is the inverse of the observed information on the covariance parameters (Giesbrecht and Burns 1985, Biometrics
    41:477; Fai and Cornelius 1996, J Stat Comput Simul 54:363; as in lmerTest, Kuznetsova et al. 2017, J Stat Softw
    82(13), and in the R package mmrm).
    """

    def __init__(self, fit: MixedFit) -> None:
        self.fit = fit

    def one(self, combination: Array) -> tuple[float, float, float]:
        """Estimate, standard error and degrees of freedom of a combination of coefficients, shape (p,)."""
        variance = float(combination @ self.fit.covariance @ combination)
        return float(combination @ self.fit.beta), float(np.sqrt(variance)), self._df(combination, variance)

    def joint(self, rows: Array) -> tuple[float, float, float]:
        """F with its two degrees of freedom for rows, shape (q, p), that are all 0 under the null hypothesis."""
        kept = independent(rows)
        values, vectors = np.linalg.eigh(kept @ self.fit.covariance @ kept.T)
        turned = vectors.T @ kept
        F = float(np.mean((turned @ self.fit.beta) ** 2 / values))
        df = np.array([self._df(row, float(value)) for row, value in zip(turned, values, strict=True)])
        return F, float(len(kept)), _pooled(df)

    def _df(self, combination: Array, variance: float) -> float:
        slopes, covariance = self.fit.observed_slopes
        gradient = slopes @ combination @ combination
        spread = float(gradient @ covariance @ gradient)
        return 2 * variance**2 / spread if spread > 0 else float("nan")


def _pooled(df: Array) -> float:
    """Denominator of an F whose parts have these degrees of freedom."""
    q = len(df)
    if np.ptp(df) < 1e-8:
        return float(df.mean())
    if not (df > NEVER_FEWER).all():
        return NEVER_FEWER
    E = float((df / (df - 2)).sum())
    return 2 * E / (E - q)


class KenwardRoger:
    """Tests with the covariance adjusted for small samples and the scaled F of Kenward and Roger.

    Kenward and Roger 1997, Biometrics 53:983, as in pbkrtest (Halekoh and Hojsgaard 2014, J Stat Softw 59(9)); the
    information on the covariance parameters is the expected one. A structure that is not linear in its parameters
    enters with its second derivatives. Where the data are too few for the moments of F, its degrees of freedom are NaN.
    """

    def __init__(self, fit: MixedFit) -> None:
        self.fit = fit

    def one(self, combination: Array) -> tuple[float, float, float]:
        """Estimate, standard error and degrees of freedom of a combination of coefficients, shape (p,)."""
        se = float(np.sqrt(combination @ self.fit.adjusted @ combination))
        A1, _ = self._sums(combination[None])
        return float(combination @ self.fit.beta), se, 2 / A1 if A1 > 0 else float("nan")

    def joint(self, rows: Array) -> tuple[float, float, float]:
        """F with its two degrees of freedom for rows, shape (q, p), that are all 0 under the null hypothesis."""
        kept = independent(rows)
        q = len(kept)
        F = wald(kept, self.fit.beta, self.fit.adjusted)
        A1, A2 = self._sums(kept)
        if q == 1:
            return F, 1.0, 2 / A1 if A1 > 0 else float("nan")
        B = (A1 + 6 * A2) / (2 * q)
        g = ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
        c1, c2, c3 = np.array([g, q - g, q + 2 - g]) / (3 * q + 2 * (1 - g))
        E = 1 / (1 - A2 / q)
        V = 2 / q * (1 + c1 * B) / ((1 - c2 * B) ** 2 * (1 - c3 * B))
        m = 4 + (q + 2) / (q * V / (2 * E**2) - 1)
        if not (E > 0 and m > 2):
            return F, float(q), float("nan")
        return float(m / (E * (m - 2)) * F), float(q), float(m)

    def _sums(self, rows: Array) -> tuple[float, float]:
        """A1 and A2 of the paper."""
        slopes = rows @ self.fit.covariance_slopes @ rows.T
        turned = np.linalg.solve(rows @ self.fit.covariance @ rows.T, slopes)
        traces = np.trace(turned, axis1=1, axis2=2)
        W = self.fit.theta_covariance
        return float(traces @ W @ traces), float(np.einsum("rs,rij,sji->", W, turned, turned))
