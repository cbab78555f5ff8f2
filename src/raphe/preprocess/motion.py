"""Head motion between the frames of a scan.

Every frame is held, block by block, against a mean of others (:mod:`raphe.core.block_alignment`): the late frames
against each other, then the earlier ones, backwards in time, against those that come soon after, then all against their
neighbours. So a frame is compared with others in which the tracer lies nearly as it does there. What single frames tell
is weighed against how a head moves: mostly little, rarely far. So frames without counts lie where their neighbours do.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core import rigid, weights
from raphe.core.box import affine_of, box_of
from raphe.core.frames import Frames
from raphe.core.resample import inside
from raphe.data.alignment import HeadMotion
from raphe.data.image import Grid
from raphe.data.record import Step
from raphe.data.volume import DynamicImage
from raphe.preprocess.frame_position import fitted_position, prior_information, sampled_at, smoothed_positions
from raphe.preprocess.levels import BLOCKS, Level, clean, cleaned, make_level

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

ACTIVE = 0.35
"""Share of the 98th percentile of the mean image from which a voxel counts as brain; an assumption."""

ROOM = 0.2
"""How far around the brain the image is looked at, over the brain's edge: 2 cm in people, further than heads move."""

BRAINS = (30.0, 60.0)
"""How many voxels a brain's edge has at the coarse and at the fine level."""

BLUR = (1.2, 1.0)
"""Standard deviation of the Gaussian before a level, in its voxels."""

SOON = 1.0
"""min, added to a frame's time before its logarithm is taken."""

NEAR = 1.6
"""Difference of these logarithms at which another frame counts 0.6 times as much as one at the same time: wide, for
every link of a chain of comparisons adds its error to all frames before it."""

TURNS = (2, 1, 2)
"""How often positions are found anew: of late frames in coarse voxels, then of all in coarse and in fine ones."""

LATE = 20.0
"""min: frames that begin after it are the late ones, where they are a third of the scan or more; else its second
half."""

HELD = 1e6
"""Information, as a multiple of the prior's, of a position that is not to change."""

TOLD = 0.02
"""Information of a frame on its own position, over what its neighbours tell, below which the position is held."""


def estimate_motion(image: DynamicImage) -> tuple[HeadMotion, Step]:
    """Position of the head in every frame, against that in the late frames.

    Parameters
    ----------
    image : DynamicImage

    Returns
    -------
    HeadMotion
        The reference position is the mean of the late frames', weighted by their counts.
    Step
    """
    n_frame = len(image.frames)
    brain = _brain(_mean(image))
    where = np.argwhere(brain) @ image.grid.affine[:3, :3].T + image.grid.affine[:3, 3]
    size = float((brain.sum() * abs(np.linalg.det(image.grid.affine[:3, :3]))) ** (1 / 3)) if brain.any() else 0.0
    if n_frame == 1 or not size:
        return _still(image, where), Step("head_motion", {"estimated": False, "n_frames": n_frame})
    centre = where.mean(axis=0)
    radius = float(np.sqrt(((where - centre) ** 2).sum(axis=1).mean()))
    motion = np.repeat(np.eye(4)[None], n_frame, axis=0)
    counts, late = _counts(image), _late(image.frames)
    information = np.zeros((n_frame, 6, 6))
    near = _nearness(image.frames) * counts
    near_by, own_brain = _around(image, brain, size)
    each = np.arange(n_frame) if n_frame > 2 else np.zeros(1, dtype=int)  # of two, one would chase the other
    for number, (voxels, blur) in enumerate(zip(BRAINS, BLUR, strict=True)):
        level = make_level(near_by, own_brain, size, size / voxels, blur)
        if number == 0:
            alike = np.tile(late * counts, (n_frame, 1))
            for _ in range(TURNS[0]):
                motion, information = _aligned(level, motion, each[late[each]], alike, centre, radius, far=True)
                motion = _centred(motion, late, counts, centre)
            motion = _chained(level, motion, late, near, centre, radius)
        for _ in range(TURNS[1 + number]):
            motion, information = _aligned(level, motion, each, near, centre, radius)
            motion = _centred(motion, late, counts, centre)
    if n_frame == 2:
        information[1] = information[0]
    prior = prior_information(radius)
    own = np.array([np.trace(np.linalg.solve(prior, one)) / 6 for one in information])
    held = own < TOLD
    found = _described(image, np.asarray(np.linalg.inv(motion), dtype=np.float64), where, centre, held)
    step = Step(
        "head_motion",
        {
            "estimated": True, "blocks": BLOCKS, "late": float(image.frames.start[late].min()),
            "n_frames": n_frame, "held": int(held.sum()), "largest": float(np.nanmax(found.displacement)),
        },
    )  # fmt: skip
    return found, step


def correct_motion(
    image: DynamicImage, motion: HeadMotion, grid: Grid | None = None, places: Floats | None = None, order: int = 1
) -> DynamicImage:
    """Image with the head in the reference position in all frames, resampled once.

    Parameters
    ----------
    image : DynamicImage
        As it was measured.
    motion : HeadMotion
    grid : Grid, optional
        Of the result; the image's own by default.
    places : ndarray of float32, shape (``*grid.shape``, 3), mm, optional
        For each voxel of ``grid``, its place in the reference position, where the grid is in another space.
    order : int
        Degree of the spline between voxels.

    Returns
    -------
    DynamicImage
        0 beyond the field of view. Voxels that are no numbers count as 0.
    """
    grid = image.grid if grid is None else grid
    back = np.linalg.inv(image.grid.affine)
    out = np.empty((len(image.frames), *grid.shape), dtype=np.float32)
    flat = None if places is None else places.reshape(-1, 3).T
    for at in range(len(image.frames)):
        pull = back @ np.linalg.inv(motion.matrices[at])
        frame = clean(image.activity[at])
        if flat is None:
            whole = pull @ grid.affine
            ndimage.affine_transform(frame, whole[:3, :3], whole[:3, 3], grid.shape, out[at], order, mode="nearest")
            out[at][~inside(whole, grid.shape, frame.shape)] = 0
        else:
            index = pull[:3, :3].astype(np.float32) @ flat + pull[:3, 3:].astype(np.float32)
            out[at] = ndimage.map_coordinates(frame, index, order=order).reshape(grid.shape)
    return DynamicImage(grid, image.frames, out, image.half_life)


def no_motion(image: DynamicImage) -> HeadMotion:
    """Motion of a scan that is taken as it is."""
    brain = _brain(_mean(image))
    return _still(image, np.argwhere(brain) @ image.grid.affine[:3, :3].T + image.grid.affine[:3, 3])


def mean_image(image: DynamicImage, frames: npt.NDArray[np.bool_] | None = None) -> Floats:
    """Mean of the frames by their durations, of some of them or all; values that are no number count as 0."""
    share = image.frames.duration * (1.0 if frames is None else frames)
    return np.asarray(np.tensordot((share / share.sum()).astype(np.float32), cleaned(image), axes=1))


def _aligned(
    level: Level,
    motion: Array,
    which: npt.NDArray[np.intp],
    near: Array,
    centre: Array,
    radius: float,
    far: bool = False,
) -> tuple[Array, Array]:
    """Positions of some frames once more, each against the mean of the others near it, and what each frame tells.

    Where they may be ``far`` from what is known, the search starts at the position of the frame before, too.
    """
    sampled = np.array([sampled_at(level, image, one) for image, one in zip(level.images, motion, strict=True)])
    shares = near * ~np.eye(len(motion), dtype=bool)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    references = np.tensordot(shares[which].astype(np.float32), sampled, axes=1)
    found, information = motion.copy(), np.zeros((len(motion), 6, 6))
    for at, reference in zip(which, references, strict=True):
        if not shares[at].any():
            continue
        starts = [motion[at], found[at - 1]] if far and at else [motion[at]]
        fits = [fitted_position(level, at, reference, start, centre, radius) for start in starts]
        _, found[at], information[at] = min(fits, key=lambda fit: fit[0])
    found[which] = smoothed_positions(found[which], information[which], centre, radius)
    return found, information


def _chained(
    level: Level, motion: Array, late: npt.NDArray[np.bool_], near: Array, centre: Array, radius: float
) -> Array:
    """Positions of the frames before the late ones, each against those after it that are near, backwards in time."""
    found = motion.copy()
    sampled = np.array([sampled_at(level, image, one) for image, one in zip(level.images, motion, strict=True)])
    first = int(np.flatnonzero(late)[0])
    prior = prior_information(radius)
    for at in range(first - 1, -1, -1):
        share = np.where(np.arange(len(motion)) > at, near[at], 0.0)
        start = found[at + 1]
        if share.sum() == 0:
            found[at] = start
            continue
        reference = np.tensordot((share / share.sum()).astype(np.float32)[at:], sampled[at:], axes=1)
        _, own, information = fitted_position(level, at, reference, start, centre, radius)
        both = np.array([start, own])
        found[at] = smoothed_positions(both, np.array([HELD * prior, information]), centre, radius)[1]
        sampled[at] = sampled_at(level, level.images[at], found[at])
    return found


def _nearness(frames: Frames) -> Array:
    """How much each frame (second axis) counts as a reference of another (first axis), by their times alone."""
    time = np.log(frames.mid + SOON)
    apart = time[:, None] - time[None]
    return np.asarray(np.exp(-0.5 * (apart / NEAR) ** 2))


def _centred(motion: Array, late: npt.NDArray[np.bool_], counts: Array, centre: Array) -> Array:
    """Motion from the mean position of the late frames."""
    share = counts * late
    poses = np.array([rigid.pose(one, centre) for one in motion])
    mean = rigid.matrix(share @ poses / share.sum(), centre)
    return motion @ np.linalg.inv(mean)


def _mean(image: DynamicImage) -> Floats:
    """Mean over the frames by the counts that each would have if the activity did not change."""
    return clean(np.tensordot(_counts(image).astype(np.float32), cleaned(image), axes=1))


def _around(
    image: DynamicImage, brain: npt.NDArray[np.bool_], size: float
) -> tuple[DynamicImage, npt.NDArray[np.bool_]]:
    """Image and brain without what lies further from the brain than a head moves."""
    box = box_of(brain, [math.ceil(ROOM * size / zoom) for zoom in image.grid.zooms])
    inside = np.ascontiguousarray(brain[box])
    nx, ny, nz = inside.shape
    near = DynamicImage(
        Grid((nx, ny, nz), affine_of(image.grid.affine, box)), image.frames, image.activity[:, *box], image.half_life
    )
    return near, inside


def _brain(mean: Floats) -> npt.NDArray[np.bool_]:
    top = np.percentile(mean, 98)
    inside = mean > ACTIVE * top
    labels, n = ndimage.label(ndimage.binary_erosion(inside, iterations=1))
    if not n or not top > 0:
        return inside & (mean > 0)
    largest = labels == 1 + np.bincount(labels.ravel())[1:].argmax()
    return np.asarray(ndimage.binary_fill_holes(ndimage.binary_dilation(largest, iterations=1)))


def _late(frames: Frames) -> npt.NDArray[np.bool_]:
    late = frames.start >= LATE
    whole = frames.end[-1] - frames.start[0]
    return late if frames.duration[late].sum() >= whole / 3 else frames.mid >= (frames.start[0] + frames.end[-1]) / 2


def _counts(image: DynamicImage) -> Array:
    """Share of the counts that each frame would have if the activity did not change; sums to 1."""
    counts = weights.decay(image.frames, image.half_life)
    return np.asarray(counts / counts.sum())


def _still(image: DynamicImage, where: Array) -> HeadMotion:
    matrices = np.repeat(np.eye(4)[None], len(image.frames), axis=0)
    centre = where.mean(axis=0) if len(where) else image.grid.affine[:3, 3]
    return _described(image, matrices, where, centre, np.zeros(len(image.frames), dtype=bool))


def _described(
    image: DynamicImage, matrices: Array, where: Array, centre: Array, held: npt.NDArray[np.bool_]
) -> HeadMotion:
    """Motion with its displacements: between frames, and within them by the way from one neighbour to the other."""
    n = len(matrices)
    places = where[:: max(1, len(where) // 500)] if len(where) else centre[None]
    at = np.array([places @ one[:3, :3].T + one[:3, 3] for one in np.linalg.inv(matrices)])
    steps = np.linalg.norm(np.diff(at, axis=0), axis=2).mean(axis=1)
    displacement = np.concatenate([[np.nan], steps])
    within = np.full(n, np.nan)
    if n > 1:
        ends = np.concatenate([at[:1], (at[1:] + at[:-1]) / 2, at[-1:]])
        within = np.linalg.norm(np.diff(ends, axis=0), axis=2).mean(axis=1)
    return HeadMotion(np.asarray(matrices), centre, held, within, displacement)
