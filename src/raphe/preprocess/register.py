"""Rigid registration of a PET image to the T1-weighted image of the same head.

Mutual information finds where the head is, from several starts; then the PET is held against the MRI block by block
(:mod:`raphe.core.block_alignment`), each block with its own relation between the two. Where the two metrics end in
different places, or the MRI explains little of the PET, that is a doubt, and is said.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core import rigid
from raphe.data.alignment import Registration
from raphe.data.image import Grid
from raphe.data.record import Parameter, Step
from raphe.data.volume import Volume
from raphe.preprocess.blockwise import (
    FINE,
    MARGIN,
    Extent,
    Pair,
    View,
    climb,
    doubts_of_score,
    extent_of,
    inverse,
    mirror_of,
    pair_of,
)
from raphe.preprocess.information import itk_images, matrix_of, search

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

COARSE = 18.0
"""How many voxels a brain's edge has where starts are compared."""

TURNS = (0.0, 0.35, -0.35)
"""Radians about each axis from which the search begins."""

STEP, NEAR, LEAST = 1 / 12, 1 / 60, 1 / 3000
"""Steps of the search by information over the brain's edge: the first one, that where the place is nearly known, and
the last. In people 9 mm, 2 mm and 0.04 mm."""

ASIDE = 0.12
"""How far beside the best position the search begins again along each axis, over the brain's edge: 13 mm in people."""

ROUNDS = 3
"""How often it begins again at most, as long as that finds a better position."""

BETTER = 0.003
"""Share by which a position must be better to be searched around again."""

KEPT = 3
"""Positions, apart from each other, that go on to voxels half as wide."""

CLEAR = 0.05
"""Share by which the score of the right position exceeds that of any other, at the least; an assumption."""


def register_rigid(moving: Volume, fixed: Volume, brain: Flags, seen: Flags | None = None) -> tuple[Registration, Step]:
    """Rigid transform from a PET image to a T1-weighted image.

    Parameters
    ----------
    moving : Volume
        The PET: a mean over frames.
    fixed : Volume
        The MRI.
    brain : ndarray of bool, shape ``fixed.grid.shape``
        Brain of the fixed image.
    seen : ndarray of bool, shape ``moving.grid.shape``, optional
        Where the PET was measured; everywhere by default.

    Returns
    -------
    Registration
        Its score is the share of the PET's variance within blocks of the brain that the MRI explains.
    Step
    """
    extent = extent_of(fixed, brain)
    seen = np.ones(moving.grid.shape, dtype=bool) if seen is None else seen
    moving, seen = _measured(moving, seen)
    starts = _by_information(moving, fixed, brain, extent)
    coarse = pair_of(moving, fixed, brain, extent, COARSE, View(seen, starts[0]))
    starts = _around(coarse, starts, extent.size)
    pair = pair_of(moving, fixed, brain, extent, view=View(seen, starts[0]))
    fits = [climb(pair, start) for start in starts]
    score, pull = max(fits, key=lambda fit: fit[0])
    view = View(seen, pull)
    score, pull = climb(pair_of(moving, fixed, brain, extent, view=view), pull)
    matrix = inverse(pull)
    apart = extent.apart(matrix, _informed(moving, fixed, brain, pull, extent))
    rivals = [extent.apart(matrix, inverse(other)) for found, other in fits if found > (1 - CLEAR) * score]
    mirrored = climb(pair_of(moving, *mirror_of(fixed, brain), extent, view=view), pull)[0]
    doubts = doubts_of_score(score, mirrored)
    if max(rivals) > extent.limit:
        doubts.append(
            f"two positions {max(rivals):.1f} mm apart (median over the brain) fit alike: look at the overlay"
        )
    if apart > extent.limit:
        doubts.append(
            f"mutual information and the blockwise fit end {apart:.1f} mm apart (median over the brain; more than "
            f"{extent.limit:.1f} mm is a doubt): look at the overlay"
        )
    parameters: dict[str, Parameter] = {
        "metric": "blockwise regression after mutual information", "starts": len(TURNS) * 3 - 2, "score": score,
        "apart": apart, "mirrored": mirrored, "doubts": tuple(doubts),
    }  # fmt: skip
    return Registration(matrix, "blockwise regression", score, tuple(doubts)), Step("register", parameters)


def _measured(moving: Volume, seen: Flags) -> tuple[Volume, Flags]:
    """Image without the slices in which nothing was measured."""
    where = np.argwhere(seen)
    if not len(where):
        return moving, seen
    low, high = where.min(axis=0), where.max(axis=0) + 1
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    affine = moving.grid.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ low
    values = np.ascontiguousarray(moving.values[box])
    nx, ny, nz = values.shape
    return Volume(Grid((nx, ny, nz), affine), values), seen[box]


def _by_information(moving: Volume, fixed: Volume, brain: Flags, extent: Extent) -> list[Array]:
    """Transforms from the fixed to the moving image of least negative mutual information, the best first."""
    import SimpleITK as sitk

    centre, size = extent.centre, extent.size
    margin = max(1, round(MARGIN * size / min(fixed.grid.zooms)))
    rim = ndimage.binary_dilation(brain, iterations=margin)
    first = itk_images(moving, fixed, rim, size / COARSE)
    middle = _middle(moving)
    starts = [np.zeros(3)] + [
        angle * np.eye(3)[axis] for axis in range(3) for angle in TURNS if angle
    ]  # fmt: skip
    found = []
    for turn in starts:
        transform = sitk.Euler3DTransform()
        transform.SetCenter(centre.tolist())
        transform.SetRotation(*turn.tolist())
        transform.SetTranslation((middle - centre).tolist())
        found.append(search(first, transform, STEP * size, LEAST * size))
    found.sort(key=lambda one: one[0])
    return [matrix_of(transform) for _, transform in found]


def _informed(moving: Volume, fixed: Volume, brain: Flags, pull: Array, extent: Extent) -> Array:
    """Transform of most mutual information near one that was found otherwise."""
    import SimpleITK as sitk

    centre, size = extent.centre, extent.size
    start = sitk.Euler3DTransform()
    start.SetCenter(centre.tolist())
    start.SetMatrix(pull[:3, :3].ravel().tolist(), 1e-6)
    start.SetTranslation((pull[:3, 3] - centre + pull[:3, :3] @ centre).tolist())
    margin = max(1, round(MARGIN * size / min(fixed.grid.zooms)))
    rim = ndimage.binary_dilation(brain, iterations=margin)
    _, found = search(itk_images(moving, fixed, rim, size / FINE), start, NEAR * size, LEAST * size)
    return inverse(matrix_of(found))


def _around(pair: Pair, starts: list[Array], size: float) -> list[Array]:
    """Transforms of the largest shares in coarse voxels, from starts and from positions around the best of them."""
    found = sorted((climb(pair, start) for start in starts), key=lambda one: -one[0])
    for _ in range(ROUNDS):
        best = found[0]
        moves = [sign * step for step in np.diag([ASIDE * size] * 3 + [TURNS[1]] * 3) for sign in (1, -1)]
        more = [climb(pair, best[1] @ rigid.matrix(move, pair.centre)) for move in moves]
        found = sorted([*found, *more], key=lambda one: -one[0])
        if found[0][0] < best[0] + BETTER:
            break
    kept: list[Array] = []
    for _, pull in found:
        if all(_apart(pair, pull, other) > size / FINE for other in kept):
            kept.append(pull)
    return kept[:KEPT]


def _apart(pair: Pair, one: Array, other: Array) -> float:
    """Median distance between where two transforms from the fixed image lead, mm."""
    return float(np.median(rigid.shifts(np.linalg.inv(other) @ one, pair.places[::7])))


def _middle(moving: Volume) -> Array:
    """Centre of the activity, mm."""
    positive = np.clip(moving.values, 0, np.percentile(moving.values, 99.5))
    at = np.array(ndimage.center_of_mass(np.where(positive > 0.3 * positive.max(), positive, 0)))
    return np.asarray(moving.grid.affine[:3, :3] @ at + moving.grid.affine[:3, 3])
