"""Straight lines between the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from raphe.blood.protocol import Example, Parameter, Problem, Solution
from raphe.blood.straight import drawn_through
from raphe.core.piecewise import PiecewiseLinear


@dataclass(frozen=True)
class Interpolation:
    """Straight lines between the samples; the first ratio holds before them, the last after."""

    label: ClassVar[str] = "interpolation"
    title: ClassVar[str] = "straight lines between samples"
    equation: ClassVar[str] = ""
    citations: ClassVar[tuple[str, ...]] = ()
    parameters: ClassVar[tuple[Parameter, ...]] = ()

    def estimate(self, problem: Problem) -> Solution:
        """Curve through the samples."""
        time, value = problem.time, problem.value
        if time[0] > 0:
            time, value = np.append(0.0, time), np.append(value[0], value)
        return drawn_through(PiecewiseLinear(time, value), problem.time, problem.value)


EXAMPLE = Example(Interpolation(), (), ())
