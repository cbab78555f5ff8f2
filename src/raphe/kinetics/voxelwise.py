"""Parametric maps: a kinetic model fitted to every voxel, by the same estimates as to regions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.core.multilinear import in_line
from raphe.core.sampling import sampling
from raphe.data.blood import PlasmaInput
from raphe.errors import InputError, ModelError
from raphe.kinetics.fit import (
    COMPUTABLE,
    check_frames,
    check_reference,
    check_start,
    input_variance,
    plasma_for,
    weighted,
)
from raphe.kinetics.frame_weights import first_weights
from raphe.kinetics.judgement import judgement
from raphe.kinetics.protocol import CountingModel, KineticModel, Problem
from raphe.quality import Quality

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.floating]

CHUNK = 8320
"""Voxels that are fitted at once: many enough that what is done once a chunk costs little, few enough for the cache; no
power of two, or else all frames of a voxel would fall on the same few places of it."""

STRAIGHT = 8 * CHUNK
"""The same where values come straight from sums over an image as it is: nothing is copied that had to stay in cache."""


@dataclass(frozen=True, eq=False)
class VoxelFit:
    """Parameters of every voxel.

    Parameters
    ----------
    parameters : tuple of str
        Symbols of :mod:`raphe.nomenclature`.
    value, se : ndarray of float32, shape (n_par, n_voxel)
        Each in the symbol's own unit; NaN where not estimated. Errors that were not asked for are not to be written to.
    quality : ndarray of uint8, shape (n_voxel,)
        Bits of :class:`raphe.quality.Quality`.
    """

    parameters: tuple[str, ...]
    value: npt.NDArray[np.float32]
    se: npt.NDArray[np.float32]
    quality: npt.NDArray[np.uint8]


def fit_voxels(
    model: KineticModel,
    frames: Frames,
    activity: Floats,
    *,
    reference: Array | None = None,
    plasma: PlasmaInput | None = None,
    weights: str | Array = "decay",
    half_life: float | None = None,
    convention: str = "average",
    input_se: Mapping[str, float] | None = None,
    errors: bool = True,
    workers: int = 1,
) -> VoxelFit:
    """Fit ``model`` to every voxel, each by itself.

    A voxel's answer is that of :func:`raphe.kinetics.fit.fit` for the same curve, weights included. It does not depend
    on the number of workers, nor on how voxels are dealt out to calls as long as each call begins at a multiple of
    :data:`CHUNK`.

    Parameters
    ----------
    model : KineticModel
    frames : Frames
    activity : ndarray, shape (n_frame, n_voxel), kBq/mL, decay-corrected to injection
        A voxel that holds a value that is not a number, or nothing but zeros, is flagged ``bad_input``.
    reference : ndarray, shape (n_frame,), kBq/mL, optional
    plasma : PlasmaInput, optional
    weights : {"decay", "duration", "uniform"} or ndarray of shape (n_frame,)
        As for :func:`raphe.kinetics.fit.fit`.
    half_life, convention, input_se
        As there.
    errors : bool
        False where standard errors are not wanted, as in a bootstrap; they are NaN then, and the flags are those of the
        search alone.
    workers : int
        Threads.

    Raises
    ------
    InputError, ModelError, TimingError
        As there; and if the model, or the weights (``"residual"``), need all curves of a scan at once.
    """
    if getattr(model, "joint", False):
        raise ModelError(f"{model.name} fits the curves of a scan together, and cannot be fitted voxel by voxel")
    check_start(frames, model)
    curve = None
    if "reference" in model.needs:
        if reference is None:
            raise ModelError(f"{model.name} needs the curve of a reference region; give one")
        curve = np.asarray(reference, dtype=float)
        if curve.shape != (len(frames),):
            raise InputError(f"the reference has {curve.size} frames, the image {len(frames)}")
        check_reference("reference", curve, frames)
    if isinstance(weights, str) and weights == "residual":
        raise InputError(
            "weights 'residual' need all curves of a scan at once; maps take decay, duration, uniform or a file"
        )
    if activity.shape[0] != len(frames):
        raise InputError(f"the image has {activity.shape[0]} frames, its schedule {len(frames)}")
    start, named = first_weights(weights, frames, 1, half_life)
    problem = Problem(
        sampling(frames, convention), np.empty((0, len(frames))), start, np.flatnonzero(start[0] > 0), curve,
        plasma_for(model, plasma), errors=errors, drawn=False,
    )  # fmt: skip
    check_frames(model, problem)

    whole = named == "decay" and problem.rows.size == len(frames) and not input_se
    counting = model if whole and isinstance(model, CountingModel) else None
    n_voxel = activity.shape[1]
    nothing = np.broadcast_to(np.float32(np.nan), (len(model.parameters), n_voxel))
    found = VoxelFit(
        model.parameters, np.empty_like(nothing), np.empty_like(nothing) if errors else nothing,
        np.empty(n_voxel, dtype=np.uint8),
    )  # fmt: skip

    native = activity.dtype in (np.float32, np.float64)
    straight = native and not errors and named != "decay" and getattr(model, "takes_single", False)

    def fit_chunk(part: slice) -> None:
        block = activity[:, part]
        highest = _highest(block) if straight else np.maximum(block.max(axis=0), -block.min(axis=0)).astype(float)
        good = (highest > COMPUTABLE[0]) & (highest < COMPUTABLE[1])  # False where a value is not a number
        if not good.all():
            found.value[:, part], found.quality[part] = np.nan, int(Quality.BAD_INPUT)
            if errors:
                found.se[:, part] = np.nan
            if not good.any():
                return
        at = slice(None) if good.all() else good
        curves = np.asarray(block[:, at], dtype=block.dtype if straight else float).T
        own = dataclasses.replace(problem, activity=curves, weights=np.broadcast_to(start[0], curves.shape))
        if counting is not None:
            last, solution = own, counting.estimate_counted(own, start[0])
        else:
            last, solution = weighted(model, own, named, half_life)
        found.value[:, part][:, at] = solution.value.T
        quality = solution.quality
        if errors:
            se = solution.se
            if input_se:
                se = np.sqrt(se**2 + input_variance(model, last, input_se))
            found.se[:, part][:, at] = se.T
            quality = quality | judgement(model, dataclasses.replace(solution, se=se), float(frames.end[-1]))
        found.quality[part][at] = quality

    parts = _chunks(n_voxel, STRAIGHT if straight else CHUNK)
    if workers == 1:
        for part in parts:
            fit_chunk(part)
    else:
        with ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(fit_chunk, part) for part in parts]:
                done.result()
    return found


def _highest(block: Floats) -> Array:
    from raphe.core import moments  # numba, which is slow to import, and which a model of sums needs all the same

    out = np.empty(block.shape[1])
    moments.highest(*in_line(block), len(block), out)
    return out


def _chunks(n_voxel: int, size: int) -> Iterator[slice]:
    return (slice(first, min(first + size, n_voxel)) for first in range(0, n_voxel, size))
