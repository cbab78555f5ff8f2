"""A PET image held against an MRI block by block: how much of the one the other explains, and where that is most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core import rigid
from raphe.core.block_alignment import normal_equations, orthonormal
from raphe.core.box import box_of
from raphe.core.resample import NEAREST, at_places
from raphe.data.image import Grid
from raphe.data.volume import Volume

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

FINE = 36.0
"""How many voxels a brain's edge has in the end."""

BLOCKS = 5.0
"""How many blocks a brain's edge has."""

MARGIN = 0.06
"""Width of the rim around the brain that is compared too, as a share of the brain's edge."""

SMOOTH, TRUNCATE = 0.6, 4.0
"""Standard deviation of the Gaussian before places are picked, over their distance; where it ends, in itself."""

SAME = 3.0
"""mm at the places of a human brain (in proportion for others): two metrics that end further apart disagree."""

EDGE = 112.0
"""mm: the edge of a cube of the volume of a human brain, which :data:`SAME` goes with."""

EXPLAINED = 0.5
"""Share of the PET's variance within the blocks that its MRI explains where the two lie right, at the least; an
assumption, from simulated scans."""

OWN = 0.92
"""Share of what the MRI explains that its mirror image, which is the head of nobody, explains at the most where the two
are of one person; an assumption: in simulated scans 0.76 to 0.78 of the same person, 0.98 of another."""

WHOLE = 0.98
"""Share of the places that a PET image sees from which it counts as seeing the whole head."""

LEAST = 0.2
"""Share of the places that must be seen for the others to be left out."""

BLURRED = 2
"""Voxels at the edge of what was measured that are not compared, for the blur brings in what was not."""


@dataclass(frozen=True, eq=False)
class View:
    """What a PET image sees of a head.

    Parameters
    ----------
    seen : ndarray of bool
        On the grid of the PET.
    pull : ndarray, shape (4, 4), mm to mm
        From the space of the head to that of the PET, about.
    """

    seen: Flags
    pull: Array


@dataclass(frozen=True, eq=False)
class Extent:
    """Where a brain is and how large.

    Parameters
    ----------
    places : ndarray, shape (n_voxel, 3), mm
        Of its voxels.
    centre : ndarray, shape (3,), mm
    radius : float, mm
        Root mean square distance from the centre.
    size : float, mm
        Edge of a cube of its volume.
    """

    places: Array
    centre: Array
    radius: float
    size: float

    @property
    def limit(self) -> float:
        """Distance, mm, beyond which two positions of this brain disagree."""
        return SAME * self.size / EDGE

    def apart(self, one: Array, other: Array) -> float:
        """Median distance, mm, between where two transforms to this brain's space put its places."""
        sample = self.places[:: max(1, len(self.places) // 2000)]
        return float(np.median(rigid.shifts(one @ np.linalg.inv(other), sample)))


def extent_of(fixed: Volume, brain: Flags) -> Extent:
    """Extent of the brain of an image."""
    places = np.argwhere(brain) @ fixed.grid.affine[:3, :3].T + fixed.grid.affine[:3, 3]
    size = float((len(places) * abs(np.linalg.det(fixed.grid.affine[:3, :3]))) ** (1 / 3))
    centre = places.mean(axis=0)
    return Extent(places, centre, float(np.sqrt(((places - centre) ** 2).sum(axis=1).mean())), size)


def doubts_of_score(score: float, mirrored: float) -> list[str]:
    """Doubts that the shares of variance tell which the MRI explains, as it is and with left and right exchanged."""
    doubts = []
    if mirrored > score:
        doubts.append(
            f"the MRI explains more of the PET when left and right are exchanged ({100 * mirrored:.0f} % against "
            f"{100 * score:.0f} %): one of the two images may be flipped"
        )
    elif mirrored > OWN * score:
        doubts.append(
            f"the MRI explains hardly more of the PET than its mirror image does ({100 * score:.0f} % against "
            f"{100 * mirrored:.0f} %): the two may be of different people"
        )
    if score < EXPLAINED:
        doubts.append(
            f"the MRI explains {100 * score:.0f} % of the PET's variance within blocks of the brain, less than the "
            f"{100 * EXPLAINED:.0f} % that were expected: the two may be of different people, or the transform is wrong"
        )
    return doubts


@dataclass(frozen=True, eq=False)
class Pair:
    """Both images, and the places of the fixed one that are compared, block after block."""

    moving: Floats
    to_index: Array
    places: Array
    basis: Array
    edges: npt.NDArray[np.int64]
    centre: Array
    radius: float


def pair_of(
    moving: Volume, fixed: Volume, brain: Flags, extent: Extent, voxels: float = FINE, view: View | None = None
) -> Pair:
    """Both images made ready to be compared.

    Parameters
    ----------
    moving, fixed : Volume
    brain : ndarray of bool, shape ``fixed.grid.shape``
    extent : Extent
        Of that brain, or of one whose mirror image it is.
    voxels : float
        How many voxels its edge has.
    view : View, optional
        Where the PET sees only a part of the head, places that it does not see are left out.
    """
    size, voxel = extent.size, extent.size / voxels
    step = [max(1, round(voxel / zoom)) for zoom in fixed.grid.zooms]
    margin = max(1, round(MARGIN * size / min(fixed.grid.zooms)))
    box = _around(brain, step, margin)
    rim = ndimage.binary_dilation(brain[box], iterations=margin)
    smooth = ndimage.gaussian_filter(np.where(rim, fixed.values[box], 0), [SMOOTH * n for n in step])
    inner = ndimage.gaussian_filter(brain[box].astype(np.float32), [SMOOTH * n for n in step])
    picked = np.argwhere(rim[:: step[0], :: step[1], :: step[2]]) * step
    index = picked + [part.start for part in box]
    places = index @ fixed.grid.affine[:3, :3].T + fixed.grid.affine[:3, 3]
    if view is not None:
        kept = _in_view(view, moving.grid, places)
        picked, places = picked[kept], places[kept]
    at = tuple(picked.T)
    block = np.floor((places - places.min(axis=0)) / (size / BLOCKS)).astype(int)
    _, number = np.unique(block, axis=0, return_inverse=True)
    order = np.argsort(number.ravel(), kind="stable")
    edges = np.concatenate([[0], np.cumsum(np.bincount(number.ravel()))]).astype(np.int64)
    t1 = smooth[at].astype(np.float64)
    t1 /= np.percentile(t1, 98)
    basis = np.stack([np.ones(len(t1)), t1, t1**2, inner[at].astype(np.float64)], axis=1)[order]
    sigma = [0.5 * voxel / zoom for zoom in moving.grid.zooms]
    values = np.ascontiguousarray(ndimage.gaussian_filter(moving.values, sigma), dtype=np.float32)
    ready, own = orthonormal(basis, edges), np.ascontiguousarray(places[order])
    return Pair(values, inverse(moving.grid.affine), own, ready, edges, extent.centre, extent.radius)


def _around(brain: Flags, step: list[int], margin: int) -> tuple[slice, ...]:
    """Box of a brain with room for the rim and the blur of its edge; it begins at a multiple of the steps."""
    room = [margin + int(np.ceil(TRUNCATE * SMOOTH * n)) + 1 for n in step]
    return tuple(slice(part.start // n * n, part.stop) for part, n in zip(box_of(brain, room), step, strict=True))


def _in_view(view: View, grid: Grid, places: Array) -> Flags:
    """Places that an image sees; all of them where that is nearly so, or hardly any."""
    sure = ndimage.binary_erosion(view.seen, iterations=BLURRED, border_value=1).astype(np.uint8)
    found = at_places(sure, grid.affine, places @ view.pull[:3, :3].T + view.pull[:3, 3], NEAREST)
    kept = np.asarray(found, dtype=bool)
    return kept if LEAST <= kept.mean() < WHOLE else np.ones(len(places), dtype=bool)


def share_of(pair: Pair, pull: Array) -> tuple[float, Array, Array]:
    """Share of the variance that is explained, and the equations of a step."""
    arguments = (pair.moving, pair.to_index, pair.places)
    cost, gradient, hessian = normal_equations(*arguments, pair.basis, pair.edges, pull, pair.centre)
    flat, _, _ = normal_equations(*arguments, pair.basis[:, :1].copy(), pair.edges, pull, pair.centre)
    share = 1 - cost / flat if flat > 0 else 0.0
    return share, gradient / max(flat, 1e-30), hessian / max(flat, 1e-30)


def climb(pair: Pair, start: Array) -> tuple[float, Array]:
    """Transform from the fixed to the moving image of the largest share, near a start."""
    pull, damping = start, 1e-2
    share, gradient, hessian = share_of(pair, pull)
    scale = np.diag([1.0, 1, 1, pair.radius**2, pair.radius**2, pair.radius**2])
    for _ in range(40):
        size = np.trace(hessian[:3, :3]) / 3
        if not size > 0:
            break
        step = -np.linalg.solve(hessian + damping * size * scale, gradient)
        trial = pull @ rigid.matrix(step, pair.centre)
        new = share_of(pair, trial)
        if new[0] > share:
            pull, (share, gradient, hessian), damping = trial, new, max(damping / 4, 1e-5)
        else:
            damping *= 8
        if np.linalg.norm(step[:3]) + pair.radius * np.linalg.norm(step[3:]) < 0.01 or damping > 1e6:
            break
    return share, pull


def mirror_of(fixed: Volume, brain: Flags) -> tuple[Volume, Flags]:
    """Image and brain with left and right exchanged about the middle of the brain."""
    where = np.argwhere(brain)
    axis = int(np.abs(fixed.grid.affine[0, :3]).argmax())
    low, high = int(where[:, axis].min()), int(where[:, axis].max())
    inside = np.clip(low + high - np.arange(fixed.grid.shape[axis]), 0, fixed.grid.shape[axis] - 1)
    return Volume(fixed.grid, np.take(fixed.values, inside, axis=axis)), np.take(brain, inside, axis=axis)


def explained(moving: Volume, fixed: Volume, brain: Flags, matrix: Array) -> float:
    """Share of the variance of ``moving`` within blocks of the brain that ``fixed`` explains, after a transform."""
    return share_of(pair_of(moving, fixed, brain, extent_of(fixed, brain)), inverse(matrix))[0]


def inverse(matrix: Array) -> Array:
    """Transform back."""
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)
