"""Whether an image holds what it should: numbers, a brain, and activity in every frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core.frames import Frames
from raphe.data.image import Grid
from raphe.data.volume import DynamicImage, Volume
from raphe.errors import InputError

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

BRAINS = {"human": (9e5, 2.1e6), "macaque": (5.5e4, 1.5e5)}
"""Volumes between which brains lie, mm3; an assumption."""

LEAST_OBJECT = 0.1
"""Share of the smallest brain that must be filled by what is bright in an image."""

BRIGHT = 0.05
"""Share of the 99.9th percentile of what is above 0 from which a voxel is bright."""

COARSEST = 8
"""Voxels along the edge of the largest brain below which no image can show it."""

LOST = 0.1
"""Share of a frame's voxels without a number from which on the frame counts as lost."""

HELD = (5e-4, 1.2)
"""Shares of the injected activity that an image may hold in the frame that has most; assumptions.

None holds more than was injected, but for the errors of both; a brain takes some hundredths, and its head as much.
"""


def sound_head(t1: Volume, species: str, path: object) -> None:
    """Refuse a T1-weighted image without a brain in it.

    Parameters
    ----------
    t1 : Volume
    species : str
    path : object
        What to call the image.

    Raises
    ------
    InputError
        If it is 0, negative or the same everywhere, or what is in it is too small or its voxels too large for a brain.
    """
    _check_values(float(t1.values.min()), float(t1.values.max()), path, "T1-weighted image")
    _check_size(t1.values, t1.grid, species, path)


def sound_scan(image: DynamicImage, species: str, path: object) -> tuple[DynamicImage, tuple[str, ...]]:
    """Image without lost frames and with a number wherever something was measured.

    A frame is lost where no voxel has a number, all have the same, or more than :data:`LOST` of those that have a
    number in other frames have none. Frames of zeros before the first activity are no lost ones. A frame that is the
    copy of another is kept, and told, for which of the two was measured is not known. Single values that are
    infinite, or no number in some frames alone, are those of the nearest voxel that has one; where a voxel has no
    number in any frame, nothing was measured.

    Parameters
    ----------
    image : DynamicImage
        kBq/mL, as it was read.
    species : str
    path : object
        What to call the image.

    Returns
    -------
    DynamicImage
        The given one where nothing is to be mended.
    tuple of str
        What a person must know.

    Raises
    ------
    InputError
        If no frame holds a positive value, the whole is negative, or what is in the image is too small or its voxels
        too large for a brain.
    """
    spans = [_span(frame) for frame in image.activity]
    known = [span for span in spans if span is not None]
    if not known:
        raise InputError(
            f"{path}: no voxel of any of the {len(spans)} frames holds a number (all are NaN or infinite); reconstruct "
            "or convert the scan again, or leave it out (exclusions.tsv)"
        )
    _check_values(min(low for low, _ in known), max(high for _, high in known), path, "PET image")
    missing, measured = _missing(image.activity)
    lost = _lost(spans, missing, measured)
    kept = np.array([at not in lost for at in range(len(spans))])
    doubts = [_told(image.frames, at, why) for at, why in lost.items()]
    doubts += _copies(image, spans)
    if not kept.any():
        raise InputError(f"{path}: nothing is left of this PET image. {doubts[0]}; reconstruct or convert it again")
    if not kept.all():
        frames = Frames(image.frames.start[kept], image.frames.duration[kept])
        image = DynamicImage(image.grid, frames, image.activity[kept], image.half_life)
        missing = None if missing is None else missing[kept]
    if missing is not None and missing.any():
        doubts.append(
            f"{int(missing.sum())} values are infinite or no number where other frames have one; those of the nearest "
            "voxels stand for them"
        )
        image = DynamicImage(image.grid, image.frames, _filled(image.activity, missing), image.half_life)
    share = (image.frames.duration / image.frames.duration.sum()).astype(np.float32)
    mean = np.nan_to_num(np.tensordot(share, image.activity, axes=1))
    if mean.sum(dtype=float) <= 0:
        raise InputError(
            f"{path}: more of this PET image is below 0 than above (its mean is {mean.mean(dtype=float):.3g} kBq/mL); "
            "is its sign or the scaling of its header (scl_slope, scl_inter) wrong? Reconstruct or convert it again, "
            "or leave the scan out (exclusions.tsv)"
        )
    _check_size(mean, image.grid, species, path)
    return image, tuple(doubts)


def against_dose(image: DynamicImage, dose: float | None) -> tuple[str, ...]:
    """What a person must know of an image that holds more activity than was injected, or next to none of it.

    Parameters
    ----------
    image : DynamicImage
        kBq/mL, decay-corrected to injection.
    dose : float, MBq, or None
        Injected activity, where it is known.

    Returns
    -------
    tuple of str
        Empty where the share of the dose is within :data:`HELD`, or the dose is not known.
    """
    if not dose:
        return ()
    voxel = abs(float(np.linalg.det(image.grid.affine[:3, :3]))) / 1000  # mL
    held = max(float(np.nansum(frame, dtype=float)) for frame in image.activity) * voxel / (1000 * dose)
    if HELD[0] <= held <= HELD[1]:
        return ()
    return (
        f"the image holds {100 * held:.3g} % of the {dose:g} MBq that were injected, where {100 * HELD[0]:g} to "
        f"{100 * HELD[1]:g} % can be; check Units and InjectedRadioactivity, each with its unit (BP_ND by a reference "
        "region is the same in any unit, V_T is not)",
    )


def _span(values: Floats) -> tuple[float, float] | None:
    """Lowest and highest number; None where there is none."""
    low, high = float(values.min()), float(values.max())
    if np.isfinite(low) and np.isfinite(high):
        return low, high
    numbers = values[np.isfinite(values)]
    return (float(numbers.min()), float(numbers.max())) if numbers.size else None


def _check_values(low: float, high: float, path: object, kind: str) -> None:
    if high <= 0:
        what = "it is 0 in every voxel" if low == high == 0 else f"no voxel is above 0 (from {low:g} to {high:g})"
    elif low == high:
        what = f"every voxel is {low:g}"
    else:
        return
    raise InputError(
        f"{path}: this {kind} shows nothing: {what}; reconstruct or convert it again, or leave the scan out "
        "(exclusions.tsv)"
    )


def _missing(activity: Floats) -> tuple[npt.NDArray[np.bool_] | None, int]:
    """Values that are infinite, or no number where some frame has one; None for none. And how many voxels have any."""
    none = ~np.isfinite(activity)
    if not none.any():
        return None, activity[0].size
    nowhere = np.isnan(activity[0])
    for frame in activity[1:]:
        nowhere &= np.isnan(frame)
    none &= ~nowhere
    return (none if none.any() else None), int((~nowhere).sum())


def _lost(
    spans: list[tuple[float, float] | None], missing: npt.NDArray[np.bool_] | None, measured: int
) -> dict[int, str]:
    """Frames that show nothing, with the reason."""
    flat = [span is None or span[0] == span[1] for span in spans]
    arrived = flat.index(False) if not all(flat) else -1
    lost: dict[int, str] = {}
    for at, span in enumerate(spans):
        share = float(missing[at].sum() / measured) if missing is not None else 0.0
        if span is None:
            lost[at] = "no voxel holds a number"
        elif share > LOST:
            lost[at] = f"{100 * share:.0f} % of its voxels hold no number"
        elif span[0] == span[1] and (at > arrived or span[0] != 0):
            lost[at] = f"every voxel is {span[0]:g}"
    return lost


def _told(frames: Frames, at: int, why: str) -> str:
    return (
        f"frame {at + 1} ({frames.start[at]:g} to {frames.end[at]:g} min) is lost: {why}; it is left out, and the "
        "curves have a gap there"
    )


def _copies(image: DynamicImage, spans: list[tuple[float, float] | None]) -> list[str]:
    """Tell frames that have the value of another in every voxel, where these differ: noise does not repeat."""
    first: dict[tuple[float, float], list[int]] = {}
    told = []
    for at, span in enumerate(spans):
        if span is None or span[0] == span[1]:
            continue
        like = first.setdefault(span, [])
        one = next(
            (one for one in like if np.array_equal(image.activity[one], image.activity[at], equal_nan=True)), None
        )
        if one is None:
            like.append(at)
            continue
        told.append(
            f"frames {one + 1} and {at + 1} are the same in every voxel: one is a copy of the other; convert the scan "
            "again"
        )
    return told


def _filled(activity: Floats, missing: npt.NDArray[np.bool_]) -> Floats:
    """Activity with the nearest voxel's number of the same frame where one is missing."""
    filled = activity.copy()
    for frame, gaps in zip(filled, missing, strict=True):
        if gaps.any():
            nearest = ndimage.distance_transform_edt(
                ~np.isfinite(frame), return_distances=False, return_indices=True
            )  # fmt: skip
            frame[gaps] = frame[tuple(nearest)][gaps]
    return filled


def _check_size(values: Floats, grid: Grid, species: str, path: object) -> None:
    """Refuse an image in which no brain of the species can be, as one is whose header has centimetres."""
    if species not in BRAINS:
        return
    low, high = BRAINS[species]
    spelled = " x ".join(f"{size:.3g}" for size in grid.zooms)
    mend = "is the unit of the header another one (cm, m), or the species of the plan? Mend what is wrong"
    if COARSEST * min(grid.zooms) > high ** (1 / 3):
        raise InputError(
            f"{path}: the header says voxels of {spelled} mm (pixdim), too large for the brain of a {species}; {mend}"
        )
    positive = values[values > 0]
    bright = float((values > BRIGHT * np.percentile(positive, 99.9)).sum()) if positive.size else 0.0
    volume = bright * abs(float(np.linalg.det(grid.affine[:3, :3])))
    if volume < LEAST_OBJECT * low:
        raise InputError(
            f"{path}: what is bright in it has {volume / 1000:.3g} mL, but the brain of a {species} has "
            f"{low / 1000:g} mL or more. Its voxels have {spelled} mm (pixdim): {mend}"
        )
