"""Rigid registration of a PET image to the T1-weighted image of the same head.

Mutual information finds where the head is, from several starts; then the PET is held against the MRI block by block
(:mod:`raphe.core.block_alignment`), each block with its own relation between the two. Where the two metrics end in
different places, or the MRI explains little of the PET, that is a doubt, and is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core import rigid
from raphe.core.block_alignment import normal_equations, orthonormal
from raphe.data.alignment import Registration
from raphe.data.record import Parameter, Step
from raphe.data.volume import Volume
from raphe.preprocess.information import itk_images, matrix_of, search

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

COARSE, FINE = 18.0, 36.0
"""How many voxels a brain's edge has where starts are compared, and in the end."""

BLOCKS = 5.0
"""How many blocks a brain's edge has."""

MARGIN = 0.06
"""Width of the rim around the brain that is compared too, as a share of the brain's edge."""

TURNS = (0.0, 0.35, -0.35)
"""Radians about each axis from which the search begins."""

ASIDE = 0.12
"""How far beside the best position the search begins again along each axis, over the brain's edge: 13 mm in people."""

ROUNDS = 3
"""How often it begins again at most, as long as that finds a better position."""

BETTER = 0.003
"""Share by which a position must be better to be searched around again."""

KEPT = 3
"""Positions, apart from each other, that go on to voxels half as wide."""

SAME = 3.0
"""mm at the places of a human brain (in proportion for others): two metrics that end further apart disagree."""

EDGE = 112.0
"""mm: the edge of a cube of the volume of a human brain, which :data:`SAME` goes with."""

EXPLAINED = 0.5
"""Share of the PET's variance within the blocks that its MRI explains where the two lie right, at the least; an
assumption, from simulated scans."""


CLEAR = 0.05
"""Share by which the score of the right position exceeds that of any other, at the least; an assumption."""


@dataclass(frozen=True, eq=False)
class _Pair:
    """Both images, and the places of the fixed one that are compared, block after block."""

    moving: Floats
    to_index: Array
    places: Array
    basis: Array
    edges: npt.NDArray[np.int64]
    centre: Array
    radius: float


def register_rigid(moving: Volume, fixed: Volume, brain: Flags) -> tuple[Registration, Step]:
    """Rigid transform from a PET image to a T1-weighted image.

    Parameters
    ----------
    moving : Volume
        The PET: a mean over frames.
    fixed : Volume
        The MRI.
    brain : ndarray of bool, shape ``fixed.grid.shape``
        Brain of the fixed image.

    Returns
    -------
    Registration
        Its score is the share of the PET's variance within blocks of the brain that the MRI explains.
    Step
    """
    where = np.argwhere(brain) @ fixed.grid.affine[:3, :3].T + fixed.grid.affine[:3, 3]
    size = float((len(where) * abs(np.linalg.det(fixed.grid.affine[:3, :3]))) ** (1 / 3))
    centre = where.mean(axis=0)
    radius = float(np.sqrt(((where - centre) ** 2).sum(axis=1).mean()))
    by_information = _by_information(moving, fixed, brain, centre, size)
    coarse = _pair(moving, fixed, brain, centre, radius, size, COARSE)
    starts = _around(coarse, [_inverse(start) for start in by_information], size)
    pair = _pair(moving, fixed, brain, centre, radius, size, FINE)
    fits = [_newton(pair, start) for start in starts]
    scores = [score for score, _ in fits]
    best = int(np.argmax(scores))
    score, pull = fits[best]
    matrix = _inverse(pull)
    sample = where[:: max(1, len(where) // 2000)]
    by_itself = _informed(moving, fixed, brain, pull, centre, size)
    apart = float(np.median(rigid.shifts(matrix @ np.linalg.inv(by_itself), sample)))
    limit = SAME * size / EDGE
    rivals = [
        float(np.median(rigid.shifts(matrix @ other, sample)))
        for other_score, other in fits
        if other_score > (1 - CLEAR) * score
    ]
    doubts = []
    mirrored = _newton(_pair(moving, *_mirrored(fixed, brain), centre, radius, size, FINE), pull)[0]
    if mirrored > score:
        doubts.append(
            f"the MRI explains more of the PET when left and right are exchanged ({100 * mirrored:.0f} % against "
            f"{100 * score:.0f} %): one of the two images may be flipped"
        )
    if score < EXPLAINED:
        doubts.append(
            f"the MRI explains {100 * score:.0f} % of the PET's variance within blocks of the brain, less than the "
            f"{100 * EXPLAINED:.0f} % that were expected: the two may be of different people, or the transform is wrong"
        )
    if max(rivals) > limit:
        doubts.append(
            f"two positions {max(rivals):.1f} mm apart (median over the brain) fit alike: look at the overlay"
        )
    if apart > limit:
        doubts.append(
            f"mutual information and the blockwise fit end {apart:.1f} mm apart (median over the brain; more than "
            f"{limit:.1f} mm is a doubt): look at the overlay"
        )
    parameters: dict[str, Parameter] = {
        "metric": "blockwise regression after mutual information", "starts": len(TURNS) * 3 - 2, "score": score,
        "apart": apart, "mirrored": mirrored, "doubts": tuple(doubts),
    }  # fmt: skip
    return Registration(matrix, "blockwise regression", score, tuple(doubts)), Step("register", parameters)


def _inverse(matrix: Array) -> Array:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def _mirrored(fixed: Volume, brain: Flags) -> tuple[Volume, Flags]:
    """Image and brain with left and right exchanged about the middle of the brain."""
    where = np.argwhere(brain)
    axis = int(np.abs(fixed.grid.affine[0, :3]).argmax())
    low, high = int(where[:, axis].min()), int(where[:, axis].max())
    inside = np.clip(low + high - np.arange(fixed.grid.shape[axis]), 0, fixed.grid.shape[axis] - 1)
    return Volume(fixed.grid, np.take(fixed.values, inside, axis=axis)), np.take(brain, inside, axis=axis)


def explained(moving: Volume, fixed: Volume, brain: Flags, matrix: Array) -> float:
    """Share of the variance of ``moving`` within blocks of the brain that ``fixed`` explains, after a transform."""
    where = np.argwhere(brain) @ fixed.grid.affine[:3, :3].T + fixed.grid.affine[:3, 3]
    size = float((len(where) * abs(np.linalg.det(fixed.grid.affine[:3, :3]))) ** (1 / 3))
    pair = _pair(moving, fixed, brain, where.mean(axis=0), 1.0, size, FINE)
    return _score(pair, _inverse(matrix))[0]


def _by_information(moving: Volume, fixed: Volume, brain: Flags, centre: Array, size: float) -> list[Array]:
    """Transforms of least negative mutual information, the best first."""
    import SimpleITK as sitk

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
        found.append(search(first, transform, size))
    found.sort(key=lambda one: one[0])
    return [_inverse(matrix_of(transform)) for _, transform in found]


def _informed(moving: Volume, fixed: Volume, brain: Flags, pull: Array, centre: Array, size: float) -> Array:
    """Transform of most mutual information near one that was found otherwise."""
    import SimpleITK as sitk

    start = sitk.Euler3DTransform()
    start.SetCenter(centre.tolist())
    start.SetMatrix(pull[:3, :3].ravel().tolist(), 1e-6)
    start.SetTranslation((pull[:3, 3] - centre + pull[:3, :3] @ centre).tolist())
    margin = max(1, round(MARGIN * size / min(fixed.grid.zooms)))
    rim = ndimage.binary_dilation(brain, iterations=margin)
    _, found = search(itk_images(moving, fixed, rim, size / FINE), start)
    return _inverse(matrix_of(found))


def _around(pair: _Pair, starts: list[Array], size: float) -> list[Array]:
    """Transforms of the largest shares in coarse voxels, from starts and from positions around the best of them."""
    found = sorted((_newton(pair, start) for start in starts), key=lambda one: -one[0])
    for _ in range(ROUNDS):
        best = found[0]
        moves = [sign * step for step in np.diag([ASIDE * size] * 3 + [TURNS[1]] * 3) for sign in (1, -1)]
        more = [_newton(pair, best[1] @ rigid.matrix(move, pair.centre)) for move in moves]
        found = sorted([*found, *more], key=lambda one: -one[0])
        if found[0][0] < best[0] + BETTER:
            break
    kept: list[Array] = []
    for _, pull in found:
        if all(_apart(pair, pull, other) > size / FINE for other in kept):
            kept.append(pull)
    return kept[:KEPT]


def _apart(pair: _Pair, one: Array, other: Array) -> float:
    """Median distance between where two transforms from the fixed image lead, mm."""
    return float(np.median(rigid.shifts(np.linalg.inv(other) @ one, pair.places[::7])))


def _middle(moving: Volume) -> Array:
    """Centre of the activity, mm."""
    positive = np.clip(moving.values, 0, np.percentile(moving.values, 99.5))
    at = np.array(ndimage.center_of_mass(np.where(positive > 0.3 * positive.max(), positive, 0)))
    return np.asarray(moving.grid.affine[:3, :3] @ at + moving.grid.affine[:3, 3])


def _pair(
    moving: Volume, fixed: Volume, brain: Flags, centre: Array, radius: float, size: float, voxels: float
) -> _Pair:
    voxel = size / voxels
    step = [max(1, round(voxel / zoom)) for zoom in fixed.grid.zooms]
    margin = max(1, round(MARGIN * size / min(fixed.grid.zooms)))
    rim = ndimage.binary_dilation(brain, iterations=margin)
    smooth = ndimage.gaussian_filter(np.where(rim, fixed.values, 0), [0.6 * n for n in step])
    inner = ndimage.gaussian_filter(brain.astype(np.float32), [0.6 * n for n in step])
    picked = np.argwhere(rim[:: step[0], :: step[1], :: step[2]]) * step
    at = tuple(picked.T)
    places = picked @ fixed.grid.affine[:3, :3].T + fixed.grid.affine[:3, 3]
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
    return _Pair(values, _inverse(moving.grid.affine), own, ready, edges, centre, radius)


def _score(pair: _Pair, pull: Array) -> tuple[float, Array, Array]:
    """Share of the variance that is explained, and the equations of a step."""
    arguments = (pair.moving, pair.to_index, pair.places)
    cost, gradient, hessian = normal_equations(*arguments, pair.basis, pair.edges, pull, pair.centre)
    flat, _, _ = normal_equations(*arguments, pair.basis[:, :1].copy(), pair.edges, pull, pair.centre)
    share = 1 - cost / flat if flat > 0 else 0.0
    return share, gradient / max(flat, 1e-30), hessian / max(flat, 1e-30)


def _newton(pair: _Pair, start: Array) -> tuple[float, Array]:
    """Transform from the fixed to the moving image of the largest share, near a start."""
    pull, damping = start, 1e-2
    share, gradient, hessian = _score(pair, pull)
    scale = np.diag([1.0, 1, 1, pair.radius**2, pair.radius**2, pair.radius**2])
    for _ in range(40):
        size = np.trace(hessian[:3, :3]) / 3
        if not size > 0:
            break
        step = -np.linalg.solve(hessian + damping * size * scale, gradient)
        trial = pull @ rigid.matrix(step, pair.centre)
        new = _score(pair, trial)
        if new[0] > share:
            pull, (share, gradient, hessian), damping = trial, new, max(damping / 4, 1e-5)
        else:
            damping *= 8
        if np.linalg.norm(step[:3]) + pair.radius * np.linalg.norm(step[3:]) < 0.01 or damping > 1e6:
            break
    return share, pull
