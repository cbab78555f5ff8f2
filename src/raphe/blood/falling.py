"""A fraction that does not rise: where it starts, when it begins to fall, and along which shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.blood.protocol import SHARE, TIME, Parameter, Problem, Shape, Solution, columns, combinations
from raphe.blood.search import search
from raphe.errors import ModelError

Array = npt.NDArray[np.float64]

START = Parameter("start", SHARE, 0.5, 1.0, "fraction before the fall", high_is_physical=True)
"""Fitted start. That half of the tracer at least is unchanged when it is injected is an assumption."""

DELAY = Parameter("delay", TIME, 0.0, 10.0, "time at which the fall begins", low_is_physical=True)
"""Fitted delay. Its upper end is an assumption."""

DELAYS = (0.2, 0.8, 1.7, 3.0, 4.5, 6.2, 8.0)
"""Delays from which the search begins, min."""


@dataclass(frozen=True)
class Falling:
    r"""Parent fraction :math:`f(t) = f_0\, s(t - d)`, with f = f_0 until the delay d.

    Parameters
    ----------
    shape : Shape
        The function s, which is 1 at 0, never rises and never falls below 0.
    start : float or None
        f_0, the fraction before the fall; None to fit it.
    delay : float or None, min
        d; None to fit it.
    """

    shape: Shape
    start: float | None = 1.0
    delay: float | None = 0.0

    def __post_init__(self) -> None:
        if self.start is not None and not 0 < self.start <= 1:
            raise ModelError(f"the parent fraction cannot start at {self.start:g}; give more than 0 and at most 1")
        if self.delay is not None and not 0 <= self.delay < np.inf:
            raise ModelError(f"the delay of the parent fraction is {self.delay:g} min; give 0 or more")

    @property
    def label(self) -> str:
        """Name and what is fitted besides."""
        fitted = [word for word, value in (("start", self.start), ("delay", self.delay)) if value is None]
        fixed = [f"start {self.start:g}"] if self.start not in (None, 1.0) else []
        fixed += [f"delay {self.delay:g} min"] if self.delay not in (None, 0.0) else []
        words = ([" and ".join(fitted) + " fitted"] if fitted else []) + fixed
        return ", ".join([self.shape.name, *words])

    @property
    def title(self) -> str:
        """Model in words."""
        return self.shape.title

    @property
    def equation(self) -> str:
        """Model in formulas."""
        return self.shape.equation

    @property
    def citations(self) -> tuple[str, ...]:
        """Keys of the reference list."""
        return self.shape.citations

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Those of the shape, then the start and the delay where they are fitted."""
        fitted = (START,) * (self.start is None) + (DELAY,) * (self.delay is None)
        return (*self.shape.parameters, *fitted)

    def curve(self, theta: Array, time: Array) -> Array:
        """Fraction of parameters (..., n_par) at times (n,), shape (..., n)."""
        extra = list(columns(theta)[len(self.shape.parameters) :])
        start = extra.pop(0) if self.start is None else self.start
        delay = extra.pop(0) if self.delay is None else self.delay
        since = np.maximum(time - delay, 0.0)
        return np.asarray(start * self.shape.share(theta[..., : len(self.shape.parameters)], since))

    def starts(self, problem: Problem) -> Array:
        """The grid of the shape, with a few starts and delays."""
        highest = float(np.clip(problem.value.max(), START.low, START.high))
        extra = [(1.0, highest)] * (self.start is None) + [DELAYS] * (self.delay is None)
        return combinations(*self.shape.grid, *extra)

    def kinks(self, theta: Array) -> Array:
        """The delay."""
        return np.atleast_1d(theta[-1] if self.delay is None else self.delay)

    def ordered(self, theta: Array) -> Array:
        """Same curve with the terms of the shape in their order."""
        n = len(self.shape.parameters)
        return np.concatenate([self.shape.ordered(theta[:n]), theta[n:]])

    def estimate(self, problem: Problem) -> Solution:
        """Curve and parameters of the samples."""
        return search(self, problem)


def variants(shape: Shape) -> tuple[Falling, ...]:
    """What is tried of a shape when no model is named: start at 1, start fitted, start and delay fitted."""
    return Falling(shape), Falling(shape, start=None), Falling(shape, start=None, delay=None)
