"""Less noise in maps: images smoothed before the fit, and maps regularised after it."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from raphe.data.record import Step
from raphe.errors import InputError
from raphe.kinetics.voxelwise import VoxelFit
from raphe.pipeline.map_material import MapMaterial
from raphe.pipeline.maps import Maps
from raphe.pipeline.messages import Messages

Flags = npt.NDArray[np.bool_]


def smooth(options: argparse.Namespace, material: MapMaterial, messages: Messages) -> MapMaterial:
    """Smooth the volumes inside the mask, if that is asked for.

    Raises
    ------
    InputError
        If the width is none, or the memory does not hold all voxels at once.
    """
    fwhm = options.smooth or options.hypr
    if fwhm is None:
        return material
    _all_at_once(material, "--smooth" if options.smooth else "--hypr")
    from raphe.core import smoothing  # scipy.ndimage, which is slow to import

    inside = smoothing.kernel(_mask(material), fwhm, material.image.file.grid.zooms[::-1])
    frames = material.image.frames
    for _, _, activity in material.voxels.parts():
        gain = None
        if options.hypr is not None:
            mean = smoothing.composite((_volume(row, inside.mask) for row in activity), frames.duration)
            gain = smoothing.hypr_gain(mean, inside)
        for at, row in enumerate(activity):
            volume = _volume(row, inside.mask)
            done = smoothing.smoothed(volume, inside) if gain is None else smoothing.hypr(volume, gain, inside)
            row[:] = done[inside.mask]
            messages.progress(at + 1, len(activity), "volumes smoothed")
    how, cited = ("HYPR-LR", ("christian2010",)) if options.hypr is not None else ("Gaussian", ())
    step = Step("smooth", {"kernel": how, "fwhm": fwhm, "inside": "mask"}, citations=cited)
    return dataclasses.replace(material, noise=(step,))


def regularise(options: argparse.Namespace, material: MapMaterial, maps: Sequence[Maps]) -> list[Maps]:
    """Average maps over neighbours that are the same but for their errors, if that is asked for."""
    if not options.regularise:
        return list(maps)
    from raphe.kinetics import regularise as of_maps  # scipy.ndimage, which is slow to import

    mask, voxel = _mask(material), material.image.file.grid.zooms[::-1]
    step = Step("regularise", {}, citations=("polzehl2006",))
    done = []
    for one in maps:
        whole = of_maps.regularise(_joined(one.found), mask, voxel, workers=material.workers)
        done.append(dataclasses.replace(one, found=[whole], steps=(*one.steps, step)))
    return done


def _all_at_once(material: MapMaterial, option: str) -> None:
    if material.voxels.n_part > 1:
        raise InputError(
            f"{option} needs all {material.voxels.indices.size} voxels of the mask at once, which --memory does not "
            "allow; give more, or a smaller mask"
        )


def _mask(material: MapMaterial) -> Flags:
    """Mask with the last axis first, in which order of memory the file has its voxels."""
    grid = material.image.file.grid
    inside = np.zeros(grid.n_voxel, dtype=bool)
    inside[material.voxels.indices] = True
    return inside.reshape(grid.shape[::-1])


def _volume(row: npt.NDArray[np.float32], mask: Flags) -> npt.NDArray[np.float32]:
    volume = np.zeros(mask.shape, dtype=np.float32)
    volume[mask] = row
    return volume


def _joined(parts: Sequence[VoxelFit]) -> VoxelFit:
    value, se = (np.concatenate([getattr(part, name) for part in parts], axis=1) for name in ("value", "se"))
    return VoxelFit(parts[0].parameters, value, se, np.concatenate([part.quality for part in parts]))
