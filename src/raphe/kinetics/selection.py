"""Which of several models the data prefer: Akaike weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from raphe.data.fit import KineticFit
from raphe.kinetics.registry import model_type

Array = npt.NDArray[np.float64]


def with_akaike_weights(fits: Sequence[KineticFit]) -> tuple[KineticFit, ...]:
    r"""Give every fit of a curve its Akaike weight among the fits of the same curve.

    .. math:: w_i = e^{-\Delta_i / 2} \Big/ \sum_j e^{-\Delta_j / 2}, \qquad \Delta_i = AICc_i - \min_j AICc_j

    Only models that fit the curve itself take part (``fits_curve``): the residuals of a plot or of an equation with the
    curve on both sides are not those of the data. They must have been fitted to the same frames with the same weights
    (``shared`` of :func:`raphe.kinetics.fit.fit`). A weight is NaN where a curve has fewer than two such fits.

    Parameters
    ----------
    fits : sequence of KineticFit
        Of the curves of one scan.

    Returns
    -------
    tuple of KineticFit
        In the same order; as they were where fewer than two can be compared.

    References
    ----------
    Burnham & Anderson 2004, Sociol Methods Res 33:261, doi 10.1177/0049124104268644.
    """
    alike = [fit for fit in fits if model_type(fit.model).fits_curve]
    if len(alike) < 2:
        return tuple(fits)
    names = tuple(dict.fromkeys(name for fit in alike for name in fit.names))
    criteria = np.full((len(alike), len(names)), np.nan)
    for row, fit in enumerate(alike):
        for value, name in zip(fit.aicc, fit.names, strict=True):
            criteria[row, names.index(name)] = value
    weights = akaike_weights(criteria)
    weighed = {
        id(fit): dataclasses.replace(fit, akaike=row[[names.index(name) for name in fit.names]])
        for fit, row in zip(alike, weights, strict=True)
    }
    return tuple(weighed.get(id(fit), fit) for fit in fits)


def akaike_weights(criteria: Array) -> Array:
    """Akaike weights of AICc values; NaN where a value is, or where fewer than two are known.

    Parameters
    ----------
    criteria : ndarray, shape (n_model, n_curve)

    Returns
    -------
    ndarray, shape (n_model, n_curve)
    """
    known = np.isfinite(criteria)
    lowest = np.where(known, criteria, np.inf).min(axis=0)
    with np.errstate(invalid="ignore"):
        share = np.where(known, np.exp(-(criteria - lowest) / 2), 0.0)
    total = share.sum(axis=0)
    several = known.sum(axis=0) > 1
    return np.where(known & several, share / np.where(total > 0, total, 1.0), np.nan)
