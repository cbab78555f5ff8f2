"""A dynamic image as a carpet: places of the brain from top to bottom, frames from left to right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Carpet:
    """How far the activity of each place departs from what its tissue does.

    Parameters
    ----------
    tissue : tuple of str, length n_row
        Kind of tissue of each row; rows of one kind stand together, from the lowest place of the brain to the highest.
    departure : ndarray, shape (n_row, n_frame)
        Activity over that of the tissue, the two scaled to be alike over the scan, less 1; NaN in frames in which the
        tissue has no activity.
    """

    tissue: tuple[str, ...]
    departure: Array

    @property
    def kinds(self) -> tuple[tuple[str, int], ...]:
        """Kinds of tissue in order, each with its number of rows."""
        return tuple((kind, self.tissue.count(kind)) for kind in dict.fromkeys(self.tissue))
