"""A partial-volume correction applied to a dynamic image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse

from raphe.core.resample import resample
from raphe.data.image import Grid
from raphe.data.record import Step
from raphe.data.tacs import TACs
from raphe.data.volume import DynamicImage, Volume
from raphe.errors import InputError
from raphe.preprocess.extract import RegionShares
from raphe.preprocess.pvc.blur import Blur, blur_of
from raphe.preprocess.pvc.protocol import Correction, RegionCorrection, Setting, VoxelCorrection

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

SURROUNDINGS = "surroundings"
"""Name of the region that holds what is around the others."""

MARGIN = 2.0
"""How far the surroundings reach, in FWHM; beyond, there is nothing. An assumption."""


@dataclass(frozen=True, eq=False)
class Corrected:
    """What a correction gives.

    Parameters
    ----------
    tacs : TACs
        Means of the regions that were given, kBq/mL.
    amplification : ndarray, shape (n_region,)
        Standard deviation of a corrected mean over that of the mean itself, if the noise of voxels is independent; NaN
        where the method tells it not.
    image : DynamicImage or None
        Corrected, where the method corrects voxels.
    """

    tacs: TACs
    amplification: Array
    image: DynamicImage | None


def setting_for(
    regions: RegionShares,
    fwhm: tuple[float, float, float],
    grey: Volume | None = None,
    white: Volume | None = None,
) -> Setting:
    """Everything that corrections of one scan have in common.

    Parameters
    ----------
    regions : RegionShares
        White matter and fluid among them.
    fwhm : tuple of float, length 3, mm
        Resolution of the image along its axes.
    grey, white : Volume, optional
        Probability of tissue, on the grid of the regions.
    """
    blur = blur_of(regions.grid, fwhm)
    whole = with_surroundings(regions, fwhm)
    n_voxel = whole.grid.n_voxel
    spread = np.empty((len(whole.names), n_voxel), dtype=np.float32)
    for row in range(len(whole.names)):
        spread[row] = _blurred(whole, row, blur)
    size = np.maximum(np.asarray(whole.shares.sum(axis=1)).ravel(), 1e-9)
    transfer = np.asarray(whole.shares @ spread.T.astype(np.float64)) / size[:, None]
    empty = size < 1e-6
    transfer[empty, empty] = 1.0
    of_grey, of_white = (None if one is None else one.values for one in (grey, white))
    return Setting(whole, spread, transfer, of_grey, of_white, blur)


def correct(image: DynamicImage, setting: Setting, method: Correction) -> tuple[Corrected, Step]:
    """Correct every frame.

    Parameters
    ----------
    image : DynamicImage
    setting : Setting
    method : Correction

    Raises
    ------
    InputError
        If the image is on another grid, or the method needs maps of tissue that are not there.
    """
    image.grid.check_same(setting.grid, "the image", "the regions' image")
    if method.needs_tissue and (setting.grey is None or setting.white is None):
        raise InputError(f"{method.title} ({method.name}) needs maps of grey and white matter, which are not there")
    shares = setting.regions.shares
    size = np.maximum(np.asarray(shares.sum(axis=1)).ravel(), 1e-9)
    n_frame, n_region = len(image.frames), len(setting.regions.names)
    means = np.empty((n_region, n_frame))
    voxels = np.empty_like(image.activity) if method.voxels else None
    inverse = np.asarray(np.linalg.inv(setting.transfer), dtype=np.float64)
    for at in range(n_frame):
        frame = np.nan_to_num(np.ascontiguousarray(image.activity[at]), nan=0.0, posinf=0.0, neginf=0.0)
        observed = np.asarray(shares @ frame.reshape(-1)) / size
        if voxels is None:
            means[:, at] = cast(RegionCorrection, method).means(setting, frame, observed)
        else:
            voxels[at] = cast(VoxelCorrection, method).image(setting, frame, inverse @ observed)
            means[:, at] = _means(shares, voxels[at])
    keep = [at for at, name in enumerate(setting.regions.names) if name != SURROUNDINGS]
    names = tuple(setting.regions.names[at] for at in keep)
    none = size[keep] < 1e-6
    means[np.flatnonzero(none)] = np.nan
    tacs = TACs(means[keep], image.frames, names, setting.regions.volumes[keep])
    amplification = _amplification(setting, inverse)[keep] if method.name == "GTM" else np.full(len(keep), np.nan)
    corrected = None if voxels is None else DynamicImage(image.grid, image.frames, voxels, image.half_life)
    told = {key: value for key, value in vars(method).items() if isinstance(value, int | float)}
    step = Step(
        "pvc", {"method": method.name, "title": method.title, "fwhm": setting.blur.fwhm, **told}, method.citations
    )  # fmt: skip
    return Corrected(tacs, amplification, corrected), step


def with_surroundings(regions: RegionShares, fwhm: tuple[float, float, float]) -> RegionShares:
    """Regions, and one more that holds what is around and between them within :data:`MARGIN`."""
    covered = np.asarray(regions.shares.sum(axis=0)).ravel().reshape(regions.grid.shape)
    reach = [MARGIN * width / zoom for width, zoom in zip(fwhm, regions.grid.zooms, strict=True)]
    distance = ndimage.distance_transform_edt(covered <= 0, sampling=[1 / r for r in reach])
    rest = np.where(distance <= 1, np.clip(1 - covered, 0, 1), 0).reshape(-1)
    row = sparse.csr_array(rest[None])
    voxel = abs(np.linalg.det(regions.grid.affine[:3, :3]))
    return RegionShares(
        regions.grid,
        (*regions.names, SURROUNDINGS),
        sparse.csr_array(sparse.vstack([regions.shares, row])),
        np.append(regions.volumes, rest.sum() * voxel),
        np.append(regions.seen, np.nan),
    )


def tissue_on(image: Volume, grid: Grid, to_grid: Array) -> Volume:
    """Map of tissue on a coarser grid: means over its voxels."""
    zooms = np.array(grid.zooms) / np.array(image.grid.zooms)
    smooth = ndimage.gaussian_filter(image.values, 0.3 * zooms)
    found = resample(smooth, image.grid.affine, to_grid, grid.shape, grid.affine)
    return Volume(grid, np.asarray(found, dtype=np.float32))


def _blurred(regions: RegionShares, row: int, blur: Blur) -> Floats:
    """One region after the blur, by way of the box around it alone."""
    shape = regions.grid.shape
    own = regions.shares[[row]].tocoo()
    whole = np.zeros(regions.grid.n_voxel, dtype=np.float32)
    if own.nnz == 0:
        return whole
    index = np.stack(np.unravel_index(own.coords[1], shape))
    low = np.maximum(index.min(axis=1) - blur.reach, 0)
    high = np.minimum(index.max(axis=1) + 1 + blur.reach, shape)
    box = np.zeros(high - low, dtype=np.float32)
    box[tuple(index - low[:, None])] = own.data
    part = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    whole.reshape(shape)[part] = blur(box)
    return whole


def _means(shares: sparse.csr_array, frame: Floats) -> Array:
    flat = frame.reshape(-1).astype(np.float64)
    good = np.isfinite(flat)
    weight = np.asarray(shares @ good.astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(weight > 0, (shares @ np.where(good, flat, 0)) / weight, np.nan))


def _amplification(setting: Setting, inverse: Array) -> Array:
    """Of GTM: the means are linear in the voxels, whose noise is taken as independent and alike."""
    shares = setting.regions.shares
    size = np.maximum(np.asarray(shares.sum(axis=1)).ravel(), 1e-9)
    averaging = sparse.csr_array(sparse.diags_array(1 / size) @ shares)
    covariance = (averaging @ averaging.T).toarray()
    after = inverse @ covariance @ inverse.T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.sqrt(np.diag(after) / np.diag(covariance)))
