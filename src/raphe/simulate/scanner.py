"""What a scanner makes of a head: blurred, noisy frames on its own grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core import weights
from raphe.core.frames import Frames
from raphe.data.image import Grid
from raphe.preprocess.pvc.blur import Blur
from raphe.simulate.anatomy import Anatomy
from raphe.simulate.curves import NOISE_VOLUME
from raphe.simulate.motion import Motion

Array = npt.NDArray[np.float64]

FWHM = float(2 * np.sqrt(2 * np.log(2)))
"""Full width at half maximum of a Gaussian with a standard deviation of 1."""

FINER = 2
"""Points along each edge of a voxel at which the anatomy is looked up."""

RARE = 5.0
"""Standard deviations of noise that a voxel hardly ever exceeds."""

BROAD = 60.0
"""Width (FWHM) of the kernel that makes the distribution of scatter of that of activity, mm; an assumption."""


@dataclass(frozen=True, eq=False)
class Scanner:
    """A tomograph as far as its images tell.

    Parameters
    ----------
    grid : Grid
        Of its images; 0 mm is the centre of its field of view.
    fwhm : float, mm
        Resolution in the centre, 0 for none.
    fwhm_off_centre : float, mm
        Resolution ``radius`` off the axis; it grows with the square of the distance.
    radius : float, mm
    grain : float, mm
        Width (FWHM) of the kernel that makes the noise of neighbouring voxels alike, as reconstruction does.
    scatter : float
        Share of scattered ones among the coincidences that are not random.
    randoms : float
        Random coincidences for each true one at the highest activity.
    """

    grid: Grid
    fwhm: float
    fwhm_off_centre: float
    radius: float
    grain: float
    scatter: float
    randoms: float

    def blurred(self, image: Array) -> Array:
        """Image as the scanner resolves it."""
        centre = _gaussian(image, self.fwhm, self.grid)
        if self.fwhm_off_centre <= self.fwhm:
            return centre
        nx, ny, _ = self.grid.shape
        place = self.grid.affine[:3, :3].diagonal()[:, None]
        x, y = (self.grid.affine[axis, 3] + place[axis] * np.arange(n) for axis, n in ((0, nx), (1, ny)))
        share = np.minimum((x[:, None] ** 2 + y**2) / self.radius**2, 1.0)[..., None]
        return np.asarray((1 - share) * centre + share * _gaussian(image, self.fwhm_off_centre, self.grid))


def frames_of(
    scanner: Scanner,
    anatomy: Anatomy,
    activity: Array,
    frames: Frames,
    motion: Motion,
    half_life: float,
    alpha: float,
    streams: Iterator[np.random.Generator],
) -> Iterator[tuple[Array, Array]]:
    r"""Frames of a scan, one after the other, with noise and without, kBq/mL.

    Noise of a voxel has the standard deviation :math:`\alpha' \sqrt{(C + B) / (d r)}` with the blurred activity C, what
    scatter and randoms add to the counts, B, the duration d and the share r of the nuclide that is left. It is alike in
    neighbouring voxels as :class:`Scanner` says, and :math:`\alpha'` is such that in the last frame the mean over a
    volume has the noise that :func:`raphe.simulate.curves.noise_sd` gives its curve.

    Parameters
    ----------
    scanner : Scanner
    anatomy : Anatomy
    activity : ndarray, shape (n_parcel, n_frame), kBq/mL, decay-corrected to injection
    frames : Frames
    motion : Motion
    half_life : float, min
    alpha : float, sqrt(kBq/mL min)
        As :func:`raphe.simulate.curves.noise_level` gives it; 0 for no noise.
    streams : iterator of Generator
        One a frame.
    """
    left = weights.decay(frames, half_life)
    total = _totals(anatomy, activity)
    rate = total * left / frames.duration
    rate = rate / rate.max()
    spread: Array | None = None
    scattered = scanner.scatter / (1 - scanner.scatter)
    level = _level(scanner, alpha) / np.sqrt(1 + scattered + scanner.randoms * rate[-1])
    for index, random in zip(range(len(frames)), streams, strict=False):
        seen = scanner.blurred(expected(scanner, anatomy, activity[:, index], frames, index, motion))
        if alpha <= 0:
            yield seen, seen
            continue
        mean = seen[seen > 0.1 * seen.max()].mean() if seen.max() > 0 else 0.0
        if spread is None or index == len(frames) // 2:
            broad = _gaussian(seen, BROAD, scanner.grid)
            spread = broad / max(mean, 1e-30)
        more = mean * (scattered * spread + scanner.randoms * rate[index])
        sd = level * np.sqrt(np.maximum(seen + more, 0) / left[index])
        yield seen + sd * _alike(random.standard_normal(scanner.grid.shape), scanner), seen


def largest(scanner: Scanner, activity: Array, frames: Frames, half_life: float, alpha: float) -> float:
    """Activity, kBq/mL, that a voxel of a scan hardly ever exceeds: the highest, and :data:`RARE` times its noise."""
    highest = activity.max(axis=0)
    sd = _level(scanner, alpha) * np.sqrt(2 * highest / weights.decay(frames, half_life))
    return float((highest + RARE * sd).max())


def expected(scanner: Scanner, anatomy: Anatomy, activity: Array, frames: Frames, index: int, motion: Motion) -> Array:
    """Mean activity in each voxel during a frame, before anything blurs it."""
    from raphe.simulate.paint import painted  # numba, which is slow to import

    finer = FINER if scanner.fwhm > 0 else 1  # without any blur, a voxel holds what is at its centre
    start, end = float(frames.start[index]), float(frames.end[index])
    poses = motion.within(start, end)
    to_head = np.linalg.inv(anatomy.grid.affine)
    images = [
        painted(
            anatomy.labels,
            np.ascontiguousarray((to_head @ np.linalg.inv(motion.matrix(pose)) @ scanner.grid.affine)[:3]),
            scanner.grid.shape, finer, activity,
        )
        for pose in poses
    ]  # fmt: skip
    return np.asarray(sum(images) / len(images))


def _level(scanner: Scanner, alpha: float) -> float:
    """Factor of the noise of one voxel for that of a curve, as far as neighbours vary as one."""
    return float(alpha * np.sqrt(NOISE_VOLUME / _volume_alike(scanner)))


def _totals(anatomy: Anatomy, activity: Array) -> Array:
    return np.asarray(anatomy.volumes[1:] @ activity[1:])


def _volume_alike(scanner: Scanner) -> float:
    """Volume of independent noise, mm3: how many voxels vary as one, times their volume."""
    x, y, z = scanner.grid.zooms
    alike = 1.0
    for zoom in (x, y, z):
        kernel = _kernel(scanner.grain / FWHM / zoom)
        alike *= zoom / float((kernel**2).sum())
    return alike


def _alike(white: Array, scanner: Scanner) -> Array:
    """Noise of variance 1 in each voxel, like that of its neighbours."""
    for axis, zoom in enumerate(scanner.grid.zooms):
        kernel = _kernel(scanner.grain / FWHM / zoom)
        white = ndimage.correlate1d(white, kernel / np.sqrt((kernel**2).sum()), axis=axis, mode="wrap")
    return white


def _gaussian(image: Array, fwhm: float, grid: Grid) -> Array:
    """Blurred image of shares that parcels have of voxels: as wide as it says on coarse voxels, too."""
    for axis, kernel in enumerate(Blur((fwhm, fwhm, fwhm), grid.zooms, "shares").kernels):
        if kernel.size > 1:
            image = ndimage.correlate1d(image, kernel, axis=axis, mode="constant")
    return image


def _kernel(sigma: float) -> Array:
    """Gaussian kernel with a sum of 1, sigma in voxels."""
    reach = int(np.ceil(4 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-9)) ** 2)
    return np.asarray(kernel / kernel.sum())
