"""What a model of blood is: a frozen set of assumptions with pure functions, and no data.

A model stands in one file of :mod:`raphe.blood.parent_fraction`, :mod:`raphe.blood.plasma_ratio` or
:mod:`raphe.blood.arterial`, with an ``EXAMPLE``. :meth:`BloodModel.estimate` turns a :class:`Problem` into a
:class:`Solution`; a :class:`Curve` is a model with an equation, whose estimate is a search
(:func:`raphe.blood.search.search`). What may be fitted, what is drawn and which model is chosen is judged once for all,
in :mod:`raphe.blood.fit`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from raphe.errors import ModelError

Array = npt.NDArray[np.float64]

RATE = "1/min"
TIME = "min"
SHARE = "unitless"


@dataclass(frozen=True)
class Parameter:
    """One free parameter and where it is searched.

    Parameters
    ----------
    name, unit, meaning : str
    low, high : float
        Ends of the search, in the unit of the parameter, or in units of the largest sample if ``of_peak``.
    low_is_physical, high_is_physical : bool
        Whether an estimate at that end is an answer (a fraction of 0, a delay of 0) and not merely the end of a search.
    of_peak : bool
        Whether the parameter grows with the samples.
    """

    name: str
    unit: str
    low: float
    high: float
    meaning: str
    low_is_physical: bool = False
    high_is_physical: bool = False
    of_peak: bool = False

    @property
    def logarithmic(self) -> bool:
        """Whether it is searched on the scale of its logarithm: where it must be positive."""
        return self.low > 0 and not self.low_is_physical and not self.high_is_physical


@dataclass(frozen=True, eq=False)
class Problem:
    """Samples to be fitted; checked and finite.

    Parameters
    ----------
    time : ndarray, shape (n_sample,), min
        Strictly ascending.
    value : ndarray, shape (n_sample,)
    weights : ndarray, shape (n_sample,)
        1/variance up to a factor; not negative. A sample of weight 0 is not fitted.
    """

    time: Array
    value: Array
    weights: Array

    @property
    def peak(self) -> float:
        """Largest absolute value."""
        return float(np.abs(self.value).max())


@dataclass(frozen=True, eq=False)
class Solution:
    """What a model gives for the samples.

    Parameters
    ----------
    value : ndarray, shape (n_par,)
    covariance : ndarray, shape (n_par, n_par)
        NaN for parameters at a bound, and for all where the samples do not determine them.
    fitted : ndarray, shape (n_sample,)
    wrss : float
        Weighted residual sum of squares.
    n_free : float
        Free parameters; as many as samples for a curve that is drawn through them.
    quality : int
        Flags of the search.
    curve : callable
        Values at times (min), for all times.
    kinks : ndarray, min
        Times at which the curve bends sharply.
    """

    value: Array
    covariance: Array
    fitted: Array
    wrss: float
    n_free: float
    quality: int
    curve: Callable[[Array], Array]
    kinks: Array


@runtime_checkable
class BloodModel(Protocol):
    """A set of assumptions that can be fitted to samples.

    ``label`` is the name with the assumptions that differ from the default, ``title`` the model in words, ``equation``
    in formulas.
    """

    @property
    def label(self) -> str:
        """Name and what is fitted besides."""
        ...

    @property
    def title(self) -> str:
        """Model in words."""
        ...

    @property
    def equation(self) -> str:
        """Model in formulas."""
        ...

    @property
    def citations(self) -> tuple[str, ...]:
        """Keys of the reference list."""
        ...

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Free parameters in the order of :attr:`Solution.value`."""
        ...

    def estimate(self, problem: Problem) -> Solution:
        """Curve and parameters of the samples."""
        ...


@runtime_checkable
class Curve(BloodModel, Protocol):
    """A model with an equation."""

    def curve(self, theta: Array, time: Array) -> Array:
        """Values of parameters of shape (..., n_par) at times of shape (n,): shape (..., n)."""
        ...

    def starts(self, problem: Problem) -> Array:
        """Parameters to begin the search with, shape (n_start, n_par)."""
        ...

    def kinks(self, theta: Array) -> Array:
        """Times (min) at which the curve of one set of parameters bends sharply."""
        ...

    def ordered(self, theta: Array) -> Array:
        """Same curve with exchangeable terms in their order, shape (n_par,)."""
        ...


class Shape(Protocol):
    """How a parent fraction falls from 1, for :class:`raphe.blood.falling.Falling`."""

    name: ClassVar[str]
    title: ClassVar[str]
    equation: ClassVar[str]
    citations: ClassVar[tuple[str, ...]]
    parameters: ClassVar[tuple[Parameter, ...]]
    grid: ClassVar[tuple[tuple[float, ...], ...]]

    def share(self, theta: Array, since: Array) -> Array:
        """Share that is left ``since`` (n,) min after the fall began; theta (..., n_par), gives (..., n)."""
        ...

    def ordered(self, theta: Array) -> Array:
        """Same curve with exchangeable terms in their order, shape (n_par,)."""
        ...


@dataclass(frozen=True)
class Example:
    """A model as it is by default, true parameters for it, and what of it enters the automatic choice.

    Parameters
    ----------
    model : BloodModel
    truth : tuple of float
        Parameters on which the contract tests run; empty for a model without an equation.
    candidates : tuple of BloodModel
        The model under the assumptions that are tried when none is named.
    """

    model: BloodModel
    truth: tuple[float, ...]
    candidates: tuple[BloodModel, ...]


@dataclass(frozen=True)
class Population:
    """A model with parameters that were taken from elsewhere.

    Parameters
    ----------
    model : Curve
    value : tuple of float, length n_par
        In the order and units of the model's parameters.
    source : str
        Where they come from, for the report: a reference, or the group that they are the mean of.

    Raises
    ------
    ModelError
        If the values do not fit the model or no source is given.
    """

    model: Curve
    value: tuple[float, ...]
    source: str

    def __post_init__(self) -> None:
        parameters = self.model.parameters
        if len(self.value) != len(parameters):
            wanted = ", ".join(p.name for p in parameters)
            raise ModelError(
                f"{self.model.label} has {len(parameters)} parameters ({wanted}), but {len(self.value)} values were "
                "given"
            )
        for parameter, value in zip(parameters, self.value, strict=True):
            inside = parameter.of_peak or parameter.low <= value <= parameter.high
            if not (np.isfinite(value) and inside):
                raise ModelError(
                    f"{self.model.label}: {parameter.name} is {value:g} {parameter.unit}, but must lie between "
                    f"{parameter.low:g} and {parameter.high:g}; check the unit"
                )
        if not self.source.strip():
            raise ModelError(f"{self.model.label} with given parameters needs a source: say where they come from")

    def __call__(self, time: npt.ArrayLike) -> Array:
        """Values at ``time`` (min), shape (n,)."""
        return self.model.curve(np.array(self.value), np.asarray(time, dtype=float))


def columns(theta: Array) -> Array:
    """Each parameter by itself, shape (n_par, ..., 1), so that it broadcasts over times."""
    whole = np.asarray(theta, dtype=float)
    return (whole if whole.ndim == 1 else np.moveaxis(whole, -1, 0))[..., None]


def combinations(*values: npt.ArrayLike) -> Array:
    """Every combination of one value of each, shape (n_combination, n)."""
    grid = np.meshgrid(*(np.atleast_1d(np.asarray(v, dtype=float)) for v in values), indexing="ij")
    return np.stack([axis.ravel() for axis in grid], axis=-1)
