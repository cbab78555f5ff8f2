"""Linear models of one row a subject, and analysis of covariance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from raphe.core.linear_model import fit_linear
from raphe.errors import InputError
from raphe.stats.columns import Column, Covariate, Factor
from raphe.stats.design import Design, design_of
from raphe.stats.model import FittedModel
from raphe.stats.model_input import check_between, check_cells, checked_codes, checked_outcome

Array = npt.NDArray[np.float64]


def fit_least_squares(
    outcome: npt.ArrayLike,
    design: Design,
    *,
    subject: Sequence[str] = (),
    weights: npt.ArrayLike | None = None,
) -> FittedModel:
    """Fit a linear model by least squares; tests have n - p degrees of freedom.

    Parameters
    ----------
    outcome : array_like, shape (n,)
    design : Design
    subject : sequence of str, length n, optional
        One row a subject.
    weights : array_like, shape (n,), optional
        1/variance up to a factor, above 0.

    Raises
    ------
    InputError
        If the outcome is not finite or constant, a subject has two rows, one subject is left in a cell, there are as
        many parameters as rows, or a weight is not above 0.
    """
    values = checked_outcome(outcome, design)
    people = tuple(subject) or tuple(str(row + 1) for row in range(values.size))
    codes = checked_codes(people, values.size, "subjects")
    if np.unique(codes).size < codes.size:
        twice = next(person for i, person in enumerate(people) if person in people[:i])
        raise InputError(f"subject {twice!r} has two rows, which are not independent; keep one, or fit a mixed model")
    check_cells(people, design)
    weighed = None if weights is None else np.asarray(weights, dtype=float)
    if weighed is not None and weighed.shape != values.shape:
        raise InputError(f"there are {weighed.size} weights for {values.size} rows; bring them to one length")
    fit = fit_linear(np.asarray(design.matrix), values, weighed)
    if fit.sigma2 <= 1e-20 * float(np.var(values)):
        raise InputError("the design fits the outcome exactly, so there is no error to judge by; leave out terms")
    return FittedModel(
        design=design,
        beta=fit.beta,
        tests=fit,
        method="least squares, weighted" if weighed is not None else "least squares",
        n=values.size,
        n_subject=values.size,
        log_likelihood=fit.log_likelihood,
        covariance={"residual variance": fit.sigma2},
    )


def ancova(
    post: npt.ArrayLike,
    baseline: Covariate,
    arm: Factor,
    covariates: Sequence[Column] = (),
    *,
    subject: Sequence[str] = (),
    weights: npt.ArrayLike | None = None,
) -> FittedModel:
    """Compare arms after treatment, adjusted for the baseline (Senn 2006, Stat Med 25:4334).

    Parameters
    ----------
    post : array_like, shape (n,)
        Outcome after treatment.
    baseline : Covariate
    arm : Factor
        The first level is what others are compared with.
    covariates : sequence of Factor and Covariate
        What else is adjusted for.
    subject, weights
        As in :func:`fit_least_squares`.

    Returns
    -------
    FittedModel
        ``difference({arm: a}, {arm: b})`` is the adjusted difference of two arms.

    Raises
    ------
    InputError
        As :func:`raphe.stats.design.design_of` and :func:`fit_least_squares`, and for a subject in two arms.
    """
    columns = (baseline, arm, *covariates)
    design = design_of(columns, [(column.name,) for column in columns])
    if subject:
        checked_codes(subject, len(arm.values), "subjects")
        check_between(subject, [arm], [arm.name])
    return fit_least_squares(post, design, subject=subject, weights=weights)
