"""What a model that fits the curve itself hands over: how its curve, and its parameters, follow from the free ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from raphe.core.bounded import Curve
from raphe.kinetics.protocol import KineticModel, Problem

Array = npt.NDArray[np.float64]
Functions = Callable[[Array], tuple[Array, Array]]


@dataclass(frozen=True, eq=False)
class Surface:
    """Least-squares surface of each curve of a problem.

    Parameters
    ----------
    curve : callable
        The model at the fitted frames, as :func:`raphe.core.bounded.bounded_fit` takes it.
    theta : ndarray, shape (n_curve, n_free)
        Free parameters at the estimates.
    lower, upper : ndarray, shape (n_free,)
        Their bounds.
    parameters : callable
        Takes free parameters, shape (m, n_free); gives all parameters of the model in their order, (m, n_par), and
        their derivatives, (m, n_par, n_free).
    """

    curve: Curve
    theta: Array
    lower: Array
    upper: Array
    parameters: Functions


@runtime_checkable
class Surfaced(KineticModel, Protocol):
    """A model of the curve itself that can be fitted with any of its parameters held."""

    def surface(self, problem: Problem, value: Array) -> Surface:
        """Surface about the estimates ``value``, shape (n_curve, n_par), of every curve of the problem."""
        ...
