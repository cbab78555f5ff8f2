"""What a contrast says besides its estimate where the plan asks for it: weights, resampling, a stated prior."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Weighting:
    """How much of the spread between people is that of their estimates."""

    tau: tuple[float, ...]
    """Standard deviation between people without the errors of their estimates: of all, or of each arm in turn."""
    pooled: float
    """The same as one number: root mean square over the people."""
    error_share: float
    """Part of the whole variance that the errors of estimates make up, 0 to 1."""


@dataclass(frozen=True)
class Resampled:
    """Interval of an estimate by resampling people, in the unit of the estimate; NaN where there is none."""

    low: float
    high: float
    se: float


@dataclass(frozen=True)
class Held:
    """Posterior of an effect under the prior that the plan states, in the unit of the estimate."""

    mean: float
    """NaN where the tails are too heavy for one."""
    low: float
    """Ends of the 95 % credible interval."""
    high: float
    above_zero: float
    """Probability that the effect is above 0."""
