"""Straight lines that do not rise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from raphe.blood.parent_fraction.interpolation import from_one
from raphe.blood.protocol import Example, Parameter, Problem, Solution
from raphe.blood.straight import drawn_through

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Isotonic:
    """Straight lines between values that do not rise and are nearest to the samples (isotonic regression).

    Neighbouring samples that rise are replaced by their weighted mean. It needs no equation and no start, and stands in
    where none of the equations is determined by the samples.
    """

    label: ClassVar[str] = "isotonic"
    title: ClassVar[str] = "straight lines between samples, made not to rise by isotonic regression"
    equation: ClassVar[str] = ""
    citations: ClassVar[tuple[str, ...]] = ()
    parameters: ClassVar[tuple[Parameter, ...]] = ()

    def estimate(self, problem: Problem) -> Solution:
        """Curve near the samples."""
        used = problem.weights > 0
        time, weights = problem.time[used], problem.weights[used]
        level = isotonic_regression(np.clip(problem.value[used], 0.0, 1.0), weights=weights, increasing=False).x
        return drawn_through(from_one(time, level), problem.time, problem.value)


EXAMPLE = Example(Isotonic(), (), ())
