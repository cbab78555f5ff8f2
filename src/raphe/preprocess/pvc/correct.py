"""A partial-volume correction applied to a dynamic image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.data.record import Step
from raphe.data.tacs import TACs
from raphe.data.volume import DynamicImage
from raphe.errors import InputError
from raphe.preprocess.pvc.protocol import Correction
from raphe.preprocess.pvc.setting import Setting

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Corrected:
    """What a correction gives.

    Parameters
    ----------
    tacs : TACs
        Means of the setting's wholes, kBq/mL.
    image : DynamicImage or None
        Corrected, where the method corrects voxels.
    """

    tacs: TACs
    image: DynamicImage | None


def correct(
    image: DynamicImage, setting: Setting, method: Correction, *, keep_image: bool = True
) -> tuple[Corrected, Step]:
    """Correct every frame.

    Parameters
    ----------
    image : DynamicImage
        A voxel that is no number counts as 0.
    setting : Setting
    method : Correction
    keep_image : bool
        Whether the corrected image is wanted, where the method makes one.

    Raises
    ------
    InputError
        If the image is on another grid, or the method needs maps of tissue that are not there.
    """
    image.grid.check_same(setting.grid, "the image", "the regions' image")
    if method.needs_tissue and (setting.grey is None or setting.white is None):
        raise InputError(f"{method.title} ({method.name}) needs maps of grey and white matter, which are not there")
    means = np.empty((len(setting.regions.names), len(image.frames)))
    voxels = None
    for at, frame in enumerate(image.activity):
        found = method.correct(setting, numbers(frame))
        means[:, at] = found.means
        if keep_image and found.image is not None:
            voxels = np.empty_like(image.activity) if voxels is None else voxels
            voxels[at] = found.image
    tacs = TACs(setting.joined(means), image.frames, tuple(setting.wholes), setting.volumes)
    corrected = None if voxels is None else DynamicImage(image.grid, image.frames, voxels, image.half_life)
    told = {key: value for key, value in vars(method).items() if isinstance(value, int | float)}
    step = Step(
        "pvc", {"method": method.name, "title": method.title, "fwhm": setting.blur.fwhm, **told}, method.citations
    )  # fmt: skip
    return Corrected(tacs, corrected), step


def numbers(frame: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Frame with 0 for what is no number."""
    return np.nan_to_num(np.ascontiguousarray(frame), nan=0.0, posinf=0.0, neginf=0.0)
