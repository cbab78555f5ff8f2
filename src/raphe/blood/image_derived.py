"""Input function from the image: the curve of a blood vessel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.blood.draw import drawn, product
from raphe.blood.join import mean_ratio
from raphe.blood.protocol import Population
from raphe.core.frames import Frames
from raphe.core.piecewise import PiecewiseLinear
from raphe.core.sampling import sampling
from raphe.data.blood import PlasmaInput, Samples
from raphe.data.record import Parameter, Step
from raphe.errors import InputError

Array = npt.NDArray[np.float64]


def image_derived(
    frames: Frames,
    activity: npt.ArrayLike,
    *,
    late: Samples | None = None,
    plasma_ratio: Population | None = None,
    parent_fraction: Population | None = None,
) -> tuple[PlasmaInput, Step]:
    """Make the input of one scan from the curve of a mask in blood.

    The curve is drawn so that its mean over each frame is what was measured there. Between frames it may swing over and
    under the truth, the more so the coarser the frames at the peak are.

    Parameters
    ----------
    frames : Frames
    activity : array_like, shape (n_frame,), kBq/mL
        Decay-corrected to injection. Spill-over and partial volume are the caller's to correct, or left to ``late``.
    late : Samples, optional, kBq/mL
        Manual whole blood after the peak. The curve is multiplied by the mean ratio of the samples to it.
    plasma_ratio : Population, optional
        Ratio of plasma to whole blood; without it both are taken to be alike.
    parent_fraction : Population, optional
        Without it the tracer is taken to have no metabolites in plasma.

    Returns
    -------
    PlasmaInput
    Step
        With what was assumed, the factor and its standard error.

    Raises
    ------
    InputError
        If the curve does not fit the frames or holds no activity, or a late sample cannot be compared.
    """
    measured = np.asarray(activity, dtype=float)
    if measured.shape != (len(frames),):
        raise InputError(f"the curve of the blood mask has {measured.size} values, but there are {len(frames)} frames")
    for frame in np.flatnonzero(~np.isfinite(measured))[:1]:
        raise InputError(f"the curve of the blood mask is not a finite number in frame {frame + 1}; mend the mask")
    if not measured.max() > 0:
        raise InputError("the curve of the blood mask holds no activity; mend the mask")
    curve = sampling(frames, "average").drawn(measured)
    factor, se, n_late = 1.0, float("nan"), 0
    if late is not None:
        factor, se, n_late = _scaling(frames, measured, curve, late)
    whole = curve.scaled(factor)
    end = float(frames.end[-1])
    plasma = whole if plasma_ratio is None else product(whole, _line(plasma_ratio, end))
    fraction = None if parent_fraction is None else _line(parent_fraction, end)
    parent = plasma if fraction is None else product(plasma, fraction)
    settings: dict[str, Parameter] = {
        "factor": factor,
        "factor_se": None if np.isnan(se) else se,
        "n_late": n_late,
        **_told("plasma_ratio", plasma_ratio),
        **_told("parent_fraction", parent_fraction),
    }
    return PlasmaInput(parent, whole, plasma, fraction), Step("image_derived_input", settings)


def _scaling(frames: Frames, measured: Array, curve: PiecewiseLinear, late: Samples) -> tuple[float, float, int]:
    peak = int(measured.argmax())
    for time in late.time[(late.time <= frames.end[peak]) | (late.time > frames.end[-1])][:1]:
        raise InputError(
            f"the blood sample at {60 * time:g} s is not between the peak of the blood mask, which ends at "
            f"{60 * frames.end[peak]:g} s, and the end of the scan at {60 * frames.end[-1]:g} s, so that it cannot "
            "scale the curve; leave it out"
        )
    return mean_ratio(late.value, curve(late.time))


def _line(population: Population, end: float) -> PiecewiseLinear:
    return drawn(population, end, population.model.kinks(np.array(population.value)))


def _told(name: str, population: Population | None) -> dict[str, Parameter]:
    if population is None:
        return {name: None}
    return {name: population.model.label, f"{name}_values": population.value, f"{name}_source": population.source}
