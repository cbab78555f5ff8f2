"""Blood of one scan: what was sampled, and the input function made of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from raphe.core.piecewise import PiecewiseLinear
from raphe.errors import InputError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Samples:
    """Measurements of one kind, with their own times.

    Parameters
    ----------
    time : array_like of float, shape (n_sample,), min from injection
        Ascending. Two samples may share a time only if they were taken in different ways, as a manual sample while the
        autosampler ran.
    value : array_like of float, shape (n_sample,)
        Activity in kBq/mL, decay-corrected to injection, or a fraction.
    source : tuple of str, length n_sample
        How each was taken: ``"manual"`` or ``"autosampler"``.

    Raises
    ------
    InputError
        If shapes disagree, a number is not finite, or times are out of order or doubled.
    """

    time: Array
    value: Array
    source: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("time", "value"):
            array = np.array(getattr(self, name), dtype=float, ndmin=1)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if not self.source:
            object.__setattr__(self, "source", ("manual",) * self.time.size)
        if self.time.ndim != 1 or self.time.shape != self.value.shape or len(self.source) != self.time.size:
            raise InputError(f"there are {self.time.size} times of samples, but {self.value.size} values")
        for index in np.flatnonzero(~(np.isfinite(self.time) & np.isfinite(self.value)))[:1]:
            raise InputError(f"sample {index + 1} has a time or a value that is not a finite number")
        alike = np.array(self.source[1:]) == np.array(self.source[:-1])
        step = np.diff(self.time)
        for index in np.flatnonzero((step < 0) | (step == 0) & alike)[:1]:
            how = "is doubled" if self.time[index] == self.time[index + 1] else "is out of order"
            raise InputError(
                f"sample {index + 2}, at {60 * self.time[index + 1]:g} s, {how}: the sample before it is at "
                f"{60 * self.time[index]:g} s"
            )

    def __len__(self) -> int:
        return self.time.size


@dataclass(frozen=True, eq=False)
class BloodSamples:
    """All that was sampled of one scan's arterial blood; ``None`` for what was not.

    Parameters
    ----------
    whole_blood, plasma : Samples or None, kBq/mL
        Decay-corrected to injection. ``plasma`` holds parent and metabolites together, unless
        ``metabolite_corrected``.
    parent_fraction : Samples or None
        Share of the unchanged tracer in plasma, 0 to 1.
    plasma_to_blood : Samples or None
        Ratio of plasma to whole blood where the source tells it instead of one of the two.
    metabolite_corrected : bool
        Whether ``plasma`` is of the unchanged tracer alone.
    dispersion_corrected : bool
        Whether the autosampler's curve has been corrected for dispersion in its tube.
    """

    whole_blood: Samples | None = None
    plasma: Samples | None = None
    parent_fraction: Samples | None = None
    plasma_to_blood: Samples | None = None
    metabolite_corrected: bool = False
    dispersion_corrected: bool = False


@dataclass(frozen=True, eq=False)
class PlasmaInput:
    """Arterial input of one scan, as continuous curves.

    Parameters
    ----------
    parent : PiecewiseLinear, kBq/mL
        Metabolite-corrected plasma, the input of every tissue: unchanged tracer, decay-corrected to injection.
    whole_blood : PiecewiseLinear or None, kBq/mL
        Whole blood, which fills the vessels of a tissue.
    plasma : PiecewiseLinear or None, kBq/mL
        Parent and metabolites together.
    parent_fraction : PiecewiseLinear or None
    delay : float, min
        By how much later than the samples say the blood reaches the tissue; already part of the curves.
    """

    parent: PiecewiseLinear
    whole_blood: PiecewiseLinear | None = None
    plasma: PiecewiseLinear | None = None
    parent_fraction: PiecewiseLinear | None = None
    delay: float = field(default=0.0)

    def at(self, time: npt.ArrayLike) -> Array:
        """Metabolite-corrected plasma at ``time`` (min), kBq/mL."""
        return self.parent(time)

    def shifted(self, delay: float) -> PlasmaInput:
        """Input that reaches the tissue ``delay`` min later; negative for earlier."""

        def later(curve: PiecewiseLinear | None) -> PiecewiseLinear | None:
            return None if curve is None else curve.shifted(delay)

        return PlasmaInput(
            self.parent.shifted(delay),
            later(self.whole_blood),
            later(self.plasma),
            later(self.parent_fraction),
            self.delay + delay,
        )
