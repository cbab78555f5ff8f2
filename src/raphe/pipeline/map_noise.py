"""Less noise in maps: images smoothed before the fit, and maps regularised after it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.data.record import Step
from raphe.errors import InputError
from raphe.io.dynamic import DynamicFile
from raphe.kinetics.voxelwise import VoxelFit
from raphe.pipeline.maps import Maps
from raphe.pipeline.memory import WaysOut
from raphe.pipeline.voxels import Voxels

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class AgainstNoise:
    """What is to be done against noise in maps.

    Parameters
    ----------
    smoothing : float or None, mm
        FWHM of the Gaussian by which every volume is smoothed inside the mask.
    hypr : float or None, mm
        FWHM of the Gaussian of HYPR-LR, instead.
    regularise : bool
        Whether maps are averaged over neighbours that differ by no more than their errors.
    """

    smoothing: float | None = None
    hypr: float | None = None
    regularise: bool = False


def smooth(
    noise: AgainstNoise, voxels: Voxels, ways: WaysOut, tell: Callable[[int, int, str], None] | None = None
) -> tuple[Step, ...]:
    """Smooth the volumes inside the mask, if that is asked for, and say so.

    Parameters
    ----------
    noise : AgainstNoise
    voxels : Voxels
        All must be held at once; they are changed.
    ways : WaysOut
        For messages.
    tell : callable, optional
        Called with the volumes that are done, of how many, and what they are.

    Raises
    ------
    InputError
        If the memory does not hold all voxels at once.
    """
    fwhm = noise.smoothing or noise.hypr
    if fwhm is None:
        return ()
    if voxels.n_part > 1:
        how = "smoothing" if noise.smoothing else "HYPR-LR"
        raise InputError(
            f"{voxels.image.path}: {how} needs all {voxels.indices.size} voxels of the mask at once, {ways.all_at_once}"
        )
    from raphe.core import smoothing  # scipy.ndimage, which is slow to import

    image = voxels.image
    inside = smoothing.kernel(_mask(image, voxels), fwhm, image.file.grid.zooms[::-1])
    for _, _, activity in voxels.parts():
        gain = None
        if noise.hypr is not None:
            mean = smoothing.composite((_volume(row, inside.mask) for row in activity), image.frames.duration)
            gain = smoothing.hypr_gain(mean, inside)
        for at, row in enumerate(activity):
            volume = _volume(row, inside.mask)
            done = smoothing.smoothed(volume, inside) if gain is None else smoothing.hypr(volume, gain, inside)
            row[:] = done[inside.mask]
            if tell is not None:
                tell(at + 1, len(activity), "volumes smoothed")
    how, cited = ("HYPR-LR", ("christian2010",)) if noise.hypr is not None else ("Gaussian", ())
    return (Step("smooth", {"kernel": how, "fwhm": fwhm, "inside": "mask"}, citations=cited),)


def regularise(noise: AgainstNoise, voxels: Voxels, maps: Sequence[Maps], workers: int = 1) -> tuple[Maps, ...]:
    """Average maps over neighbours that are the same but for their errors, if that is asked for."""
    if not noise.regularise:
        return tuple(maps)
    from raphe.kinetics import regularise as of_maps  # scipy.ndimage, which is slow to import

    mask, voxel = _mask(voxels.image, voxels), voxels.image.file.grid.zooms[::-1]
    step = Step("regularise", {}, citations=("polzehl2006",))
    done = []
    for one in maps:
        whole = of_maps.regularise(_joined(one.found), mask, voxel, workers=workers)
        done.append(dataclasses.replace(one, found=[whole], steps=(*one.steps, step)))
    return tuple(done)


def _mask(image: DynamicFile, voxels: Voxels) -> Flags:
    """Mask with the last axis first, in which order of memory the file has its voxels."""
    grid = image.file.grid
    inside = np.zeros(grid.n_voxel, dtype=bool)
    inside[voxels.indices] = True
    return inside.reshape(grid.shape[::-1])


def _volume(row: npt.NDArray[np.float32], mask: Flags) -> npt.NDArray[np.float32]:
    volume = np.zeros(mask.shape, dtype=np.float32)
    volume[mask] = row
    return volume


def _joined(parts: Sequence[VoxelFit]) -> VoxelFit:
    value, se = (np.concatenate([getattr(part, name) for part in parts], axis=1) for name in ("value", "se"))
    return VoxelFit(parts[0].parameters, value, se, np.concatenate([part.quality for part in parts]))
