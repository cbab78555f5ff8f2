"""Doubts about maps of scans that show when they are held against one another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from raphe.kinetics.negative_binding import BELOW
from raphe.pipeline.group_maps import ScanOfMaps
from raphe.pipeline.maps_of_scans import read_alone

ENOUGH = 4
"""Maps of one kind from which on they tell what is usual."""

COVERED = 0.7
"""Share of the voxels that maps usually hold under which one is called cropped; an assumption."""

FOLD = 5.0
"""Fold by which a map's median may exceed the upper quartile of the others'; an assumption.

A drug that takes binding away makes maps lower by any factor, but none makes them five times as high as high ones.
"""


@dataclass(frozen=True)
class _Content:
    """What one map holds: how many voxels, and the median of their values and of their sizes."""

    path: Path
    n_voxel: int
    median: float
    size: float


def doubts_of_maps(scans: Sequence[ScanOfMaps]) -> list[str]:
    """What is doubtful of maps, in words: one that is cropped, in another unit, or of another sign than the others.

    Parameters
    ----------
    scans : sequence of ScanOfMaps
    """
    kinds: dict[tuple[str, str, str], list[_Content]] = defaultdict(list)
    for scan in scans:
        for model, parameter in sorted(scan.of or ()):
            path = scan.find(model, parameter)
            values = read_alone(path)
            kinds[scan.tracer, model, parameter].append(
                _Content(path.value, values.size, float(np.median(values)), float(np.median(np.abs(values))))
                if values.size
                else _Content(path.value, 0, 0.0, 0.0)
            )
    told = []
    for (_, _, parameter), maps in kinds.items():
        if parameter == "BP_ND":
            told += [_negative(one) for one in maps if one.median < BELOW]
        if len(maps) >= ENOUGH:
            told += [doubt for one in maps for doubt in _unlike(one, [other for other in maps if other is not one])]
    return told


def _negative(one: _Content) -> str:
    return (
        f"{one.path}: its BP_ND is below 0 in most voxels (median {one.median:.3g}): is its sign, or the reference of "
        "its fits, right?"
    )


def _unlike(one: _Content, others: Sequence[_Content]) -> list[str]:
    told = []
    usual = float(np.median([other.n_voxel for other in others]))
    if one.n_voxel < COVERED * usual:
        told.append(
            f"{one.path} holds {one.n_voxel} voxels, where {usual:.0f} are usual in the others, and only voxels that "
            "all maps hold are analysed: is it cropped, or masked by another mask?"
        )
    high = float(np.quantile([other.size for other in others], 0.75))
    if high > 0 and one.size > FOLD * high:
        told.append(
            f"{one.path}: its values are {one.size / high:.3g} times those of the higher ones of the others (median "
            f"{one.size:.3g}, theirs {high:.3g}): is it in another unit, or without the scale of its header?"
        )
    return told
