"""What may be wrong with the images of a scan, in a few numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames

Array = npt.NDArray[np.float64]

SETTLED = 5.0
"""min after injection from which movement counts: before it frames are short, and their positions are rough."""


@dataclass(frozen=True)
class Movement:
    """Movement of the head in the frames that begin at :data:`SETTLED` or later, mm; in all where none does.

    Parameters
    ----------
    largest, mean : float
        Of the framewise displacements; NaN where there are none.
    within : float
        Mean movement within frames, which no correction undoes; weighted by their length.
    """

    largest: float
    mean: float
    within: float


@dataclass(frozen=True)
class Concern:
    """What was found about the images of one scan.

    Parameters
    ----------
    doubts : tuple of str
        What a person must read.
    movement : Movement
    held : int
        Frames whose position is their neighbours'.
    n_frame : int
    explained : float
        Share of the PET's variance that the MRI explains; NaN where regions come from the PET alone.
    cut_off : tuple of str
        Regions that lie beyond the field of view in part.
    """

    doubts: tuple[str, ...]
    movement: Movement
    held: int
    n_frame: int
    explained: float
    cut_off: tuple[str, ...]

    @property
    def rank(self) -> tuple[float, ...]:
        """Key by which scans sort, the most worrying first: number of doubts, then the largest movement."""
        return -len(self.doubts), -float(np.nan_to_num(self.movement.largest))


def movement_of(frames: Frames, displacement: Array, within: Array) -> Movement:
    """Movement of a scan.

    Parameters
    ----------
    frames : Frames
    displacement, within : ndarray, shape (n_frame,), mm
        NaN where nothing tells.
    """
    settled = frames.start >= SETTLED - 1e-6
    if not settled.any():
        settled = np.ones(len(frames), dtype=bool)
    between = displacement[settled & np.isfinite(displacement)]
    inside = settled & np.isfinite(within)
    return Movement(
        float(between.max()) if between.size else float("nan"),
        float(between.mean()) if between.size else float("nan"),
        float(np.average(within[inside], weights=frames.duration[inside])) if inside.any() else float("nan"),
    )
