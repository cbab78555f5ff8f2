"""What a kinetic model gave for the curves of one scan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.core.piecewise import PiecewiseLinear
from raphe.quality import usable

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class KineticFit:
    """Parameters of every curve of a scan with their standard errors, and what they were fitted to.

    Parameters
    ----------
    model : str
        Name of the model, e.g. ``"SRTM"``.
    names : tuple of str, length n_curve
        Regions.
    parameters : tuple of str, length n_par
        Symbols of :mod:`raphe.nomenclature`, e.g. ``("BP_ND", "R1", "k2")``.
    value, se : ndarray, shape (n_curve, n_par)
        Estimates and their standard errors, each in the symbol's own unit; NaN where not estimated.
    sigma : ndarray, shape (n_curve,)
        Weighted residual standard deviation, sqrt(sum(w r^2) / (n - p)), with weights scaled to mean 1 over the
        fitted frames; in kBq/mL, or in minutes for a reference Logan plot.
    aicc : ndarray, shape (n_curve,)
        Akaike information criterion, corrected for small samples, counting free parameters only.
    quality : ndarray of int, shape (n_curve,)
        Bits of :class:`raphe.quality.Quality`.
    frames : Frames
        Schedule of the scan.
    activity, fitted, weights : ndarray, shape (n_curve, n_frame)
        Curves and model values in kBq/mL, and relative weights (1/variance, mean 1 over the fitted frames). ``fitted``
        is NaN and ``weights`` 0 at frames that were not fitted.
    reference : ndarray, shape (n_frame,), kBq/mL, or None
        Curve of the reference region.
    inputs : mapping of str to float
        Values that were fixed and not estimated, by symbol: ``k2_prime`` in 1/min, ``t_star`` in min.
    convention : str
        ``"average"`` or ``"midframe"``.
    macro : str
        The parameter that the model is used for, e.g. ``"BP_ND"`` or ``"V_T"``.
    akaike : ndarray, shape (n_curve,), or None
        Akaike weight among the models that were fitted to the same curves; None where there was no other.
    variance : ndarray, shape (n_curve, n_frame), or None
        Relative variance that the weights expect of every frame, those that were not fitted too: 1/weight where there
        is one. NaN for a curve that was not fitted.
    low, high : ndarray, shape (n_curve, n_par), or None
        Ends of the 95 % intervals, infinite where there is none on that side and NaN where they were not computed; None
        where no intervals were asked for, and the model gives none of its own.
    uncertainty : str
        How ``se``, ``low`` and ``high`` were found: ``"jacobian"``, ``"bootstrap"``, or ``"profile"`` for the intervals
        alone.
    estimated_input : PiecewiseLinear or None, kBq/mL
        Parent in plasma, where the model has estimated it with the curves and it was not measured.
    """

    model: str
    names: tuple[str, ...]
    parameters: tuple[str, ...]
    value: Array
    se: Array
    sigma: Array
    aicc: Array
    quality: npt.NDArray[np.int64]
    frames: Frames
    activity: Array
    fitted: Array
    weights: Array
    reference: Array | None = None
    inputs: Mapping[str, float] = field(default_factory=dict)
    convention: str = "average"
    macro: str = "BP_ND"
    akaike: Array | None = None
    variance: Array | None = None
    low: Array | None = None
    high: Array | None = None
    uncertainty: str = "jacobian"
    estimated_input: PiecewiseLinear | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", MappingProxyType(dict(self.inputs)))
        for name in ("value", "se", "sigma", "aicc", "quality", "activity", "fitted", "weights"):
            getattr(self, name).flags.writeable = False
        for array in (self.variance, self.low, self.high):
            if array is not None:
                array.flags.writeable = False

    @property
    def n_frames(self) -> npt.NDArray[np.int64]:
        """Number of frames that were fitted, shape (n_curve,)."""
        return np.asarray((self.weights > 0).sum(axis=-1))

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Whether each curve's estimates may enter a summary, shape (n_curve,)."""
        return usable(self.quality)

    @property
    def with_ends(self) -> frozenset[str]:
        """Parameters that have intervals: none, that which the model is used for alone, or all of them."""
        if self.low is None:
            return frozenset()
        told = {name for name, ends in zip(self.parameters, self.low.T, strict=True) if not np.isnan(ends).all()}
        return frozenset(told if told == {self.macro} else self.parameters)

    def of(self, parameter: str) -> tuple[Array, Array]:
        """Estimates and standard errors of one parameter, each of shape (n_curve,).

        Raises
        ------
        ValueError
            If the model does not have that parameter.
        """
        column = self.parameters.index(parameter)
        return self.value[:, column], self.se[:, column]
