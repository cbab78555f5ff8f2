"""Straight lines between the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from raphe.blood.protocol import Example, Parameter, Problem, Solution
from raphe.blood.straight import drawn_through, from_zero
from raphe.data.blood import Samples


@dataclass(frozen=True)
class Interpolation:
    """Straight lines between the samples, from 0 at injection to the first, held after the last."""

    label: ClassVar[str] = "interpolation"
    title: ClassVar[str] = "straight lines between samples"
    equation: ClassVar[str] = ""
    citations: ClassVar[tuple[str, ...]] = ()
    parameters: ClassVar[tuple[Parameter, ...]] = ()

    def estimate(self, problem: Problem) -> Solution:
        """Curve through the samples."""
        return drawn_through(from_zero(Samples(problem.time, problem.value)), problem.time, problem.value)


EXAMPLE = Example(Interpolation(), (), ())
