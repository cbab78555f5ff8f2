"""A dynamic PET image with its schedule: what its header and its sidecars say, and how its numbers become kBq/mL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.data.finding import Finding
from raphe.data.record import Step
from raphe.errors import InputError, TimingError
from raphe.io.activity import to_injection, unit_of
from raphe.io.nifti import ImageFile, open_image
from raphe.io.sidecar import Sidecar, sidecar_of


@dataclass(frozen=True, eq=False)
class DynamicFile:
    """A 4D image of activity, not yet read.

    Parameters
    ----------
    file : ImageFile
    frames : Frames
        Of the volumes that are used, min from injection.
    volumes : range
        Those that are used.
    factors : ndarray, shape (n_frame,)
        From the file's unit, once scaled, to kBq/mL decay-corrected to injection.
    half_life : float, min, or None
    sidecar : Sidecar
    whole : Frames
        Of all volumes.
    step : Step
        ``read``: format, unit, time of injection in the file (min), decay correction.
    findings : tuple of Finding
        Warnings.
    """

    file: ImageFile
    frames: Frames
    volumes: range
    factors: npt.NDArray[np.float64]
    half_life: float | None
    sidecar: Sidecar
    whole: Frames
    step: Step
    findings: tuple[Finding, ...]

    @property
    def path(self) -> Path:
        """The file."""
        return self.file.path


def open_dynamic(
    path: Path,
    *,
    unit: str | None = None,
    half_life: float | None = None,
    frames: slice = slice(None),
    raw: Path | None = None,
    single: bool = False,
) -> DynamicFile:
    """Look at a dynamic image and its PET sidecars, and at no voxel yet.

    Parameters
    ----------
    path : Path
    unit : str, optional
        Activity concentration, where no sidecar tells it.
    half_life : float, min, optional
        Half-life, where no sidecar tells the radionuclide.
    frames : slice, optional
        Volumes to use, counted from 0.
    raw : Path, optional
        Root of the raw dataset, whose sidecars the image inherits.
    single : bool
        Whether an image of one frame will do.

    Raises
    ------
    InputError, UnitError, TimingError
        If the image cannot be used, has no sidecar with its times, or contradicts it.
    """
    file = open_image(path)
    n_volume = file.n_volume
    if n_volume == 1 and not single:
        raise InputError(
            f"{path} is a single volume ({' x '.join(map(str, file.grid.shape))}); a dynamic scan is a 4D image with a "
            "volume for each frame"
        )
    sidecar = sidecar_of(path, unit=unit, half_life=half_life, raw=raw)
    if sidecar is None:
        raise InputError(
            f"{path} has no PET sidecar, so its frame times are not known; write FrameTimesStart and FrameDuration (in "
            f"seconds), Units and TracerRadionuclide into {path.name.split('.')[0]}.json"
        )
    whole = sidecar.frames
    if whole is None:
        raise TimingError(
            f"{sidecar.paths[0]}: FrameDuration is missing, so the ends of the frames of {path.name} are not known; "
            "list the length of each frame in seconds"
        )
    if len(whole) != n_volume:
        raise TimingError(
            f"{path} has {n_volume} {'volume' if n_volume == 1 else 'volumes'}, but FrameTimesStart of "
            f"{sidecar.paths[0]} lists {len(whole)} frames; mend whichever is wrong"
        )
    first, stop = frames.start or 0, n_volume if frames.stop is None else frames.stop
    if not 0 <= first < stop <= n_volume:
        raise InputError(
            f"{path}: frames {first}:{'' if frames.stop is None else stop} were asked for (--frames), but the image "
            f"has {n_volume}, counted from 0; name a range within 0:{n_volume}"
        )
    half_life = sidecar.half_life if sidecar.half_life is not None else half_life
    used = Frames(whole.start[first:stop], whole.duration[first:stop])
    spelled, factor = unit_of(path, None, sidecar, unit)
    factors, correction = to_injection(used, sidecar, half_life, path)
    step = Step(
        "read",
        {
            "format": "NIfTI" + (f", {file.kind}" if file.kind else ""),
            "unit": spelled,
            "injection": sidecar.injection,
            "decay_correction": correction,
        },
    )
    return DynamicFile(
        file, used, range(first, stop), factor * factors, half_life, sidecar, whole, step,
        (*file.findings, *sidecar.findings),
    )  # fmt: skip
