"""The problem that a fit has solved, made again from what the fit keeps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core.sampling import sampling
from raphe.data.blood import PlasmaInput
from raphe.data.fit import KineticFit
from raphe.errors import ModelError
from raphe.kinetics.protocol import KineticModel, Problem

LEVEL = 0.95
"""Of the intervals."""


def solved_problem(
    model: KineticModel, fit: KineticFit, plasma: PlasmaInput | None
) -> tuple[Problem, npt.NDArray[np.intp]]:
    """Problem of the curves that were fitted, with the weights and frames of the fit.

    Parameters
    ----------
    model : KineticModel
        The one that was fitted.
    fit : KineticFit
    plasma : PlasmaInput or None
        Arterial input of the fit.

    Returns
    -------
    Problem
    ndarray of int, shape (n_fitted,)
        Numbers of its curves among those of the fit.

    Raises
    ------
    ModelError
        If the fit is of another model, the input is missing, or the fit does not tell the variance of its frames.
    """
    if fit.model != model.name:
        raise ModelError(f"the fit is by {fit.model}, but its uncertainty is asked for by {model.name}")
    if "plasma" in model.needs and plasma is None:
        raise ModelError(f"{model.name} needs the arterial input of the fit for its uncertainty; give it (plasma=...)")
    if fit.variance is None:
        raise ModelError(
            f"this fit by {fit.model} does not tell the variance of its frames; take one that fit() has made"
        )
    at = np.flatnonzero((fit.weights > 0).any(axis=1))
    rows = np.flatnonzero((fit.weights[at] > 0).any(axis=0))
    blood = plasma if "plasma" in model.needs else None
    problem = Problem(
        sampling(fit.frames, fit.convention), fit.activity[at], 1 / fit.variance[at], rows, fit.reference, blood
    )
    return problem, at
