"""Registration by mutual information, in ITK's hands but in our own axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core.resample import resample
from raphe.data.volume import Volume

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

BINS = 32
"""Of the joint histogram, along each axis."""

ENOUGH = (1e-5, 8, 0, 5, 0.05, 10)
"""When a search along lines ends: slope and number of the last values; range, accuracy, trials of each line."""


def search(
    images: tuple[Any, Any, Any], start: Any, step: float | None = None, least: float = 0.0
) -> tuple[float, Any]:
    """Least negative mutual information from a start, and the transform that has it.

    Parameters
    ----------
    images : tuple
        Of :func:`itk_images`.
    start : SimpleITK.Transform
        From places of the fixed image to those of the moving one.
    step, least : float, mm, optional
        Length of the first step, and the shortest, after which the search ends; without them, it goes along lines,
        which takes longer and suits transforms that are more than rigid.

    Returns
    -------
    float
        0 where the two images do not meet.
    SimpleITK.Transform
    """
    import SimpleITK as sitk

    fixed, moving, mask = images
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMattesMutualInformation(BINS)
    method.SetMetricFixedMask(mask)
    method.SetInterpolator(sitk.sitkLinear)
    if step is None:
        method.SetOptimizerAsConjugateGradientLineSearch(1.0, 60, *ENOUGH)
    else:
        method.SetOptimizerAsRegularStepGradientDescent(step, least, 100, 0.6, 1e-6)
    method.SetOptimizerScalesFromPhysicalShift()
    own = type(start)(start)
    method.SetInitialTransform(own, True)
    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)  # the metric's: with more, its sums differ from run to run
    try:
        method.Execute(fixed, moving)
    except RuntimeError:  # no place of the one lies in the other
        return 0.0, type(start)(start)
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    return float(method.GetMetricValue()), own


def itk_images(moving: Volume, fixed: Volume, rim: Flags, voxel: float) -> tuple[Any, Any, Any]:
    """Fixed image, moving image and mask of the fixed, in voxels of that size: ITK's images, but in our own axes."""
    import SimpleITK as sitk

    made = []
    for values, grid, order in (
        (fixed.values * rim, fixed.grid, 1),
        (moving.values, moving.grid, 1),
        (rim.astype(np.float32), fixed.grid, 0),
    ):
        zooms = np.array(grid.zooms)
        sigma = 0.5 * np.sqrt(np.maximum((voxel / zooms) ** 2 - 1, 0)) if order else np.zeros(3)
        smooth = ndimage.gaussian_filter(np.asarray(values, dtype=np.float32), sigma)
        corners = np.array([[x, y, z, 1] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
        box = (corners * [*(np.array(grid.shape) - 1), 1]) @ grid.affine.T
        low, high = box[:, :3].min(axis=0), box[:, :3].max(axis=0)
        shape = tuple(int(n) for n in np.ceil((high - low) / voxel).astype(int) + 1)
        affine = np.diag([voxel, voxel, voxel, 1.0])
        affine[:3, 3] = low
        on_axes = resample(smooth, grid.affine, np.eye(4), (shape[0], shape[1], shape[2]), affine, order)
        image = sitk.GetImageFromArray(np.ascontiguousarray(on_axes.T))
        image.SetSpacing([voxel] * 3)
        image.SetOrigin(low.tolist())
        made.append(image)
    return made[0], made[1], sitk.Cast(made[2] > 0.5, sitk.sitkUInt8)


def matrix_of(transform: Any) -> Array:
    """Matrix of a rigid or affine transform, from places of the fixed image to those of the moving one."""
    turn = np.array(transform.GetMatrix()).reshape(3, 3)
    centre = np.array(transform.GetCenter())
    whole = np.eye(4)
    whole[:3, :3] = turn
    whole[:3, 3] = np.array(transform.GetTranslation()) + centre - turn @ centre
    return whole
