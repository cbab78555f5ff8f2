"""Maps read for a contrast, looked at as they are: one that shows nothing, and one that is a copy of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np

from raphe.errors import InputError
from raphe.pipeline.maps_of_scans import MapOfScan, Place, Singles


def reader(place: Place, maps: Mapping[tuple[str, int], MapOfScan]) -> Callable[[str, int], Singles]:
    """Function from a participant and the number of a cell to the values of the mask's voxels.

    It raises :class:`raphe.errors.InputError` for a map without any usable value, for one that has the same value
    everywhere, and for one that has the values of another file in every voxel: noise does not repeat, so that one scan
    stands for two.
    """
    seen: dict[bytes, Path] = {}

    def read(person: str, at: int) -> Singles:
        one = maps[person, at]
        values = place.read(one)
        if not np.isfinite(values).any():
            raise InputError(
                f"{one.value}: none of the {values.size} voxels that are analysed has a usable value; look at the map "
                "and its flags, make it again, or leave the scan out (exclusions.tsv)"
            )
        if values.size > 1 and np.nanmin(values) == np.nanmax(values):
            raise InputError(
                f"{one.value}: each of the {values.size} voxels that are analysed is {np.nanmax(values):g}; make the "
                "map again, or leave the scan out (exclusions.tsv)"
            )
        other = seen.setdefault(sha256(values.tobytes()).digest(), one.value)
        if other != one.value:
            raise InputError(
                f"{other} and {one.value} have the same value in every one of {values.size} voxels: one is a copy of "
                "the other; put the right map in its place, or leave the scan out (exclusions.tsv)"
            )
        return values

    return read
