"""The slow change of brightness over an image that the coil makes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.data.volume import Volume

Flags = npt.NDArray[np.bool_]

SHRINK = 28.0
"""How many voxels a brain's edge has where the field is found."""

BIAS_ITERATIONS = (30, 20, 10)


def correct_bias(t1: Volume, inside: Flags, size: float) -> Volume:
    """Image without the slow change of brightness that the coil makes, by N4 on a coarse copy.

    Parameters
    ----------
    t1 : Volume
    inside : ndarray of bool, shape ``t1.grid.shape``
        Where the field is found.
    size : float, mm
        Edge of the brain.
    """
    import SimpleITK as sitk

    factors = [max(1, round(size / SHRINK / zoom)) for zoom in t1.grid.zooms]
    small = np.ascontiguousarray(t1.values[:: factors[0], :: factors[1], :: factors[2]])
    mask = np.ascontiguousarray(inside[:: factors[0], :: factors[1], :: factors[2]].astype(np.uint8))
    image = sitk.GetImageFromArray(np.maximum(small, 1e-3 * max(float(small.max()), 1e-9)))
    image.SetSpacing([float(f * z) for f, z in zip(factors[::-1], t1.grid.zooms[::-1], strict=True)])
    within = sitk.GetImageFromArray(mask)
    within.CopyInformation(image)
    method = sitk.N4BiasFieldCorrectionImageFilter()
    method.SetNumberOfThreads(1)
    method.SetMaximumNumberOfIterations(list(BIAS_ITERATIONS))
    method.Execute(image, within)
    log = sitk.GetArrayFromImage(method.GetLogBiasFieldAsImage(image))
    scale = np.diag([1 / f for f in factors])
    field = ndimage.affine_transform(log, scale, output_shape=t1.grid.shape, order=1, mode="nearest")
    return Volume(t1.grid, (t1.values / np.exp(field)).astype(np.float32))
