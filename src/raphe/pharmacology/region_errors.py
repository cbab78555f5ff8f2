"""Errors of the regions of a scan: their proportions, and what they share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError

Array = npt.NDArray[np.float64]


class LineModel(NamedTuple):
    """What is assumed of a line and of the errors about it."""

    parameter: str
    method: str
    kind: str
    """How the errors were taken, in a word or two."""
    relative: bool
    """Whether ``baseline`` and ``blocked`` are of errors in proportion to the values."""
    known: bool
    """Whether they tell the size of the errors."""
    baseline: Array
    """Covariance of the errors at baseline, shape (n, n)."""
    blocked: Array

    def of(self, regions: npt.NDArray[np.intp]) -> LineModel:
        """Give the same for some of the regions."""
        square = np.ix_(regions, regions)
        return self._replace(baseline=self.baseline[square], blocked=self.blocked[square])


def line_model(
    parameter: str,
    method: str,
    noise: str,
    regions: Sequence[str],
    kept: npt.NDArray[np.intp],
    baseline_se: npt.ArrayLike | None,
    blocked_se: npt.ArrayLike | None,
    covariance: npt.ArrayLike | None,
    known: bool,
) -> LineModel:
    """Errors of the regions that are kept; arguments as :func:`raphe.pharmacology.lassen.lassen_plot` has them.

    Raises
    ------
    InputError
        For standard errors or a covariance that cannot be.
    """
    same = np.eye(kept.size)
    if method != "ml":
        return LineModel(parameter, method, "alike", False, False, 0 * same if method == "ols" else same, same)
    if noise == "se":
        both = [_variances(regions, kept, values) for values in (baseline_se, blocked_se)]
        return LineModel(parameter, method, "se", False, known, *both)
    if covariance is not None:
        same = _covariance(covariance, len(regions))[np.ix_(kept, kept)]
    kind = f"{noise}, shared" if covariance is not None else noise
    return LineModel(parameter, method, kind, noise == "relative", known, same, same)


def shared_errors(test: npt.ArrayLike, retest: npt.ArrayLike) -> Array:
    """Covariance of the relative errors of the regions of one scan, shape (n_region, n_region), from test-retest data.

    Each region has its own variance, and every two regions the same correlation, the mean of all: what a handful of
    people can tell, and never singular.

    Parameters
    ----------
    test, retest : array_like, shape (n_participant, n_region)
        V_T, above 0; at least three participants and two regions.

    Raises
    ------
    InputError
        For other shapes, or values that are missing or not above 0.
    """
    first, second = (np.asarray(values, dtype=float) for values in (test, retest))
    if first.ndim != 2 or first.shape != second.shape or first.shape[0] < 3 or first.shape[1] < 2:
        raise InputError(
            f"test has shape {first.shape} and retest {second.shape}; both need the same participants (three or more) "
            "in rows and regions (two or more) in columns"
        )
    for values in (first, second):
        if not np.all(np.isfinite(values) & (values > 0)):
            raise InputError("test-retest values of V_T have to be there and above 0; leave out who has others")
    change = (second - first) / ((first + second) / 2) / np.sqrt(2)
    sd = change.std(axis=0, ddof=1)
    if not np.all(sd > 0):
        raise InputError(
            "a region of the test-retest data has the same change in every participant; look at the tables"
        )
    n = sd.size
    mean = (np.corrcoef(change, rowvar=False).sum() - n) / (n * (n - 1))
    mean = float(np.clip(mean, 0.0, 0.99))
    return np.asarray(np.outer(sd, sd) * (mean + (1 - mean) * np.eye(n)))


def _variances(regions: Sequence[str], kept: npt.NDArray[np.intp], values: npt.ArrayLike | None) -> Array:
    if values is None:
        raise InputError("noise 'se' needs the standard errors of both scans; give them or use noise 'relative'")
    se = np.asarray(values, dtype=float)
    if se.shape != (len(regions),):
        raise InputError(f"there are {se.size} standard errors for {len(regions)} regions; one each is needed")
    for at in kept:
        if not (np.isfinite(se[at]) and se[at] > 0):
            raise InputError(
                f"the standard error of {regions[at]} is {se[at]:.4g}, and noise 'se' needs one above 0; use 'relative'"
            )
    return np.diag(se[kept] ** 2)


def _covariance(values: npt.ArrayLike, n: int) -> Array:
    found = np.asarray(values, dtype=float)
    if found.shape != (n, n) or not np.isfinite(found).all():
        raise InputError(f"the covariance of {n} regions has shape {found.shape}; {n} rows of {n} numbers are needed")
    if not np.allclose(found, found.T, rtol=1e-6, atol=1e-12 * np.abs(found).max()):
        raise InputError("the covariance of the regions is not symmetric; look at how it was made")
    if np.linalg.eigvalsh(found)[0] <= 1e-10 * np.trace(found):
        raise InputError(
            "the covariance of the regions is singular, as one from fewer scans than regions is; shrink it first"
        )
    return np.asarray((found + found.T) / 2)
