"""Binding below that of the reference nearly everywhere: another region than the reference was taken for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from raphe.data.fit import KineticFit

BELOW = -0.1
"""BP_ND under which a region binds less than the reference, by twice its standard error too; an assumption.

After a block that leaves nothing, BP_ND scatters about 0, and white matter and fluid may lie a little below.
"""

FEWEST = 2
"""Regions from which on most of them tell something of the reference."""


def n_below(value: npt.NDArray[np.floating], se: npt.NDArray[np.floating], good: npt.NDArray[np.bool_]) -> int:
    """Count the usable BP_ND that are certainly below zero."""
    return int((good & (value < BELOW) & (value + 2 * se < 0)).sum())


def doubts_of_binding(fits: Sequence[KineticFit]) -> list[str]:
    """What is doubtful of the reference of each of a scan's fits, in words."""
    told = []
    for fit in fits:
        if "BP_ND" in fit.parameters:
            below, good = n_below(*fit.of("BP_ND"), fit.usable), int(fit.usable.sum())
            told.append(doubt_of_binding(below, good, f"regions by {fit.model}"))
    return [doubt for doubt in told if doubt]


def doubt_of_binding(below: int, usable: int, what: str) -> str:
    """What is doubtful of a reference, in words; empty for nothing.

    Parameters
    ----------
    below, usable : int
        How many BP_ND are certainly below zero, of how many usable ones.
    what : str
        Of what: regions, voxels.
    """
    if usable < FEWEST or 2 * below <= usable:
        return ""
    return (
        f"BP_ND is below 0 in {below} of {usable} usable {what}, by more than its error: the reference binds more than "
        "they do, or is another region than its name says; look at the reference"
    )
