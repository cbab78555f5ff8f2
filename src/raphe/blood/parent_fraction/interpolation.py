"""Straight lines between the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.blood.protocol import Example, Parameter, Problem, Solution
from raphe.blood.straight import drawn_through
from raphe.core.piecewise import PiecewiseLinear

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interpolation:
    """Straight lines between the samples as they are, from 1 at injection, held after the last.

    As kinfitr and bloodstream draw it. Values outside of 0 to 1 are set to that end; the curve rises where the samples
    do.
    """

    label: ClassVar[str] = "interpolation"
    title: ClassVar[str] = "straight lines between samples"
    equation: ClassVar[str] = ""
    citations: ClassVar[tuple[str, ...]] = ()
    parameters: ClassVar[tuple[Parameter, ...]] = ()

    def estimate(self, problem: Problem) -> Solution:
        """Curve through the samples."""
        return drawn_through(from_one(problem.time, problem.value), problem.time, problem.value)


def from_one(time: Array, fraction: Array) -> PiecewiseLinear:
    """Fraction as straight lines, from 1 at injection where no sample was taken then."""
    value = np.clip(fraction, 0.0, 1.0)
    if time[0] > 0:
        return PiecewiseLinear(np.append(0.0, time), np.append(1.0, value))
    return PiecewiseLinear(time, value)


EXAMPLE = Example(Interpolation(), (), ())
