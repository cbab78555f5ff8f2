"""What a model of blood gave: the curve, its parameters, and the models that it was chosen from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import Samples

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """One model that was tried.

    Parameters
    ----------
    label : str
        Name with what is fitted besides, e.g. ``"hill, start fitted"``.
    n_free : float
        Free parameters; effective ones for a smoother.
    aicc : float
        NaN where the samples are too few for it.
    share : float
        Akaike weight among the candidates that can be chosen; 0 for one that cannot.
    quality : int
        Bits of :class:`raphe.quality.Quality`.
    """

    label: str
    n_free: float
    aicc: float
    share: float
    quality: int


@dataclass(frozen=True, eq=False)
class BloodFit:
    """One curve of the blood with the model behind it.

    Parameters
    ----------
    quantity : str
        ``"parent_fraction"``, ``"plasma_to_blood"``, ``"parent"`` or ``"whole_blood"``.
    label, title, equation : str
        Name of the model, the model in words, and its equation.
    parameters, units : tuple of str, length n_par
    value, se : ndarray, shape (n_par,)
        Standard errors are NaN for a parameter at a physical limit, and for one that was not estimated.
    covariance : ndarray, shape (n_par, n_par)
    sigma : float
        Weighted residual standard deviation, sqrt(sum(w r^2) / (n - p)) with weights of mean 1, in the samples' unit;
        NaN where nothing was fitted.
    aicc : float
    quality : int
        Bits of :class:`raphe.quality.Quality`.
    samples : Samples or None
        What was fitted, with the source of every sample; None where the model was given.
    weights, fitted : ndarray, shape (n_sample,)
        Relative weights (1/variance, mean 1), and the curve at the samples.
    curve : PiecewiseLinear
        Drawn from injection to the end of the scan.
    candidates : tuple of Candidate
        Models that were tried, best first; empty where one was named.
    source : str
        Where a model that was not fitted comes from.
    citations : tuple of str
        Keys of the reference list.
    """

    quantity: str
    label: str
    title: str
    equation: str
    parameters: tuple[str, ...]
    units: tuple[str, ...]
    value: Array
    se: Array
    covariance: Array
    sigma: float
    aicc: float
    quality: int
    samples: Samples | None
    weights: Array
    fitted: Array
    curve: PiecewiseLinear
    candidates: tuple[Candidate, ...] = ()
    source: str = ""
    citations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("value", "se", "covariance", "weights", "fitted"):
            getattr(self, name).flags.writeable = False
