"""Activity at the door: its unit, and the time to which it is corrected for decay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.core.decay import decay_constant, remaining
from raphe.core.frames import Frames
from raphe.errors import InputError, UnitError
from raphe.io.place import located
from raphe.io.sidecar import Sidecar
from raphe.io.units import CONCENTRATIONS, concentration

Array = npt.NDArray[np.float64]


def unit_of(
    path: Path, told: tuple[str, str] | None, sidecar: Sidecar | None, unit: str | None
) -> tuple[str, float]:  # fmt: skip
    """Tell the unit of the activity in a file as it is spelled, and its factor to kBq/mL.

    Parameters
    ----------
    path : Path
    told : (str, str) or None
        What the file itself says, or a description of its columns, and where that stands.
    sidecar : Sidecar or None
    unit : str or None
        What the user says.

    Raises
    ------
    UnitError
        If nothing tells it, or two of the three contradict each other.
    """
    stem = path.name.split(".")[0]
    if sidecar is not None and sidecar.unit is not None and sidecar.unit_source is not None:
        own = sidecar.unit_source.name.split(".")[0] == stem
        if told is None:
            told = sidecar.unit, str(sidecar.unit_source)
        elif own and factor_of(*told) != factor_of(sidecar.unit, sidecar.unit_source):
            raise UnitError(
                f"{told[1]} says {told[0]}, but Units of {sidecar.unit_source} is {sidecar.unit}; mend whichever is "
                "wrong"
            )
    if told is None and unit is None:
        raise UnitError(
            f"{path}: neither its header nor a sidecar says the unit of the activity; give it with --unit, or "
            f"write Units into {stem}.json ({CONCENTRATIONS})"
        )
    if unit is not None and told is not None and factor_of(unit, "--unit") != factor_of(*told):
        raise UnitError(
            f"{path}: the unit {unit} was given, but {told[1]} says {told[0]}; leave --unit out or mend the file"
        )
    spelled, source = told or (str(unit), "--unit")
    return spelled, factor_of(spelled, source)


def to_injection(frames: Frames, sidecar: Sidecar | None, half_life: float | None, path: Path) -> tuple[Array, str]:
    """Factors that bring the activity of every frame to injection, shape (n_frame,), and in words how.

    Raises
    ------
    InputError
        If the half-life is needed and not known.
    """
    if sidecar is None or (sidecar.decay_corrected and sidecar.correction_time == 0.0):
        return np.ones(len(frames)), "to injection in the file"
    if half_life is None:
        raise InputError(
            f"{path}: the activity must be corrected for decay, but the half-life is unknown; give --half-life"
        )
    if sidecar.decay_corrected:
        factor = float(np.exp(decay_constant(half_life) * sidecar.correction_time))
        moved = f"to {60 * sidecar.correction_time:g} s after injection in the file, moved to injection"
        return np.full(len(frames), factor), f"{moved} with a half-life of {half_life:g} min"
    return 1 / remaining(frames, half_life), f"none in the file, done with a half-life of {half_life:g} min"


def factor_of(unit: str, source: object) -> float:
    """Factor from a unit of activity concentration to kBq/mL; a UnitError names where it stands."""
    with located(source):
        return concentration(unit)
