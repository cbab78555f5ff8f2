"""Maps of scans that contrasts voxel by voxel are made of: where they are, on which grid, in which mask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.core.midline import Move, moved, to_midline
from raphe.core.mirror import TOLERANCE, averaged, mirrored
from raphe.data.image import Grid
from raphe.errors import InputError
from raphe.io.mimap import OUTSIDE
from raphe.io.names import own_sidecars, parse_name
from raphe.io.nifti import open_image
from raphe.io.scan_images import OWN_SPACES, T1_SPACE
from raphe.io.statmaps import read_map
from raphe.io.tables import read_json, shortened
from raphe.quality import usable

Flags = npt.NDArray[np.bool_]
Singles = npt.NDArray[np.float32]

MIDLINE = 1e-3
"""mm beside x = 0 up to which a voxel lies on it."""

AGAIN = "make them by raphe run BIDS OUT participant with [maps] in the plan, then run the group level again"

NOT_TOLD = "smoothing is not told by the sidecars of the maps"


class WaysOut(NamedTuple):
    """What a user may do about maps that do not go together."""

    several: str
    """They are in several spaces."""
    own: str
    """They are in a space of each person's own; ``{space}`` stands for the one that is wanted."""


BY_RAPHE = WaysOut(f"name one in [maps] space, and {AGAIN}", f"write {{space}} under [maps], and {AGAIN}")
"""Where raphe made the maps."""


@dataclass(frozen=True)
class MapOfScan:
    """One map and the flags of its fits.

    Parameters
    ----------
    label : str
        Of the scan.
    value : Path
    quality : Path or None
        None where what made the map did not flag its fits: then voxels that are finite and not exactly 0 count as
        mapped.
    """

    label: str
    value: Path
    quality: Path | None

    @property
    def files(self) -> tuple[Path, ...]:
        """The map, and that of its flags."""
        return (self.value,) if self.quality is None else (self.value, self.quality)

    @property
    def space(self) -> str | None:
        """The ``space-`` of its name."""
        return parse_name(self.value).entities.get("space")


@dataclass(frozen=True, eq=False)
class Place:
    """Grid that the maps have in common, and the voxels that are analysed.

    Parameters
    ----------
    grid : Grid
    space : str
    mask : ndarray of bool, shape ``grid.shape``
    mirror : bool
        Whether left and right of each map are averaged.
    move : Move or None
        From the grid of the maps to this one, where theirs does not lie evenly about x = 0.
    """

    grid: Grid
    space: str
    mask: Flags
    mirror: bool
    move: Move | None = None

    def read(self, one: MapOfScan) -> Singles:
        """Values of the mask's voxels, shape (n_voxel,); NaN where the fit may not be used."""
        values = _usable(one)
        placed = values if self.move is None else moved(values, self.move)
        whole = averaged(placed, self.grid.affine) if self.mirror else placed
        return whole[self.mask].astype(np.float32)


def read_alone(one: MapOfScan) -> Singles:
    """Values of a map wherever it has one that may be used, whatever other maps have, shape (n_voxel,)."""
    values = _usable(one)
    return values[np.isfinite(values)]


def _usable(one: MapOfScan) -> Singles:
    """Values on the grid; NaN where the fit may not be used."""
    _, values = read_map(one.value)
    if one.quality is None:
        good = _mapped(values)
    else:
        _, quality = read_map(one.quality)
        good = usable(np.where(np.isfinite(quality), quality, OUTSIDE).astype(np.int64)) & np.isfinite(values)
    values[~good] = np.nan
    return values


def _mapped(values: Singles) -> Flags:
    """Voxels that a map without flags holds."""
    return np.asarray(np.isfinite(values) & (values != 0))


def common_place(maps: Sequence[MapOfScan], what: str, template: str, mirror: bool, ways: WaysOut = BY_RAPHE) -> Place:
    """Grid of all maps, and the voxels that every scan has mapped.

    Parameters
    ----------
    maps : sequence of MapOfScan
    what : str
        What they are of, for messages.
    template : str
        The ``space-`` that the study's template has; empty where it is not known.
    mirror : bool
        Whether left and right are to be averaged; then the mask is of the left half.
    ways : WaysOut
        For messages.

    Raises
    ------
    InputError
        If a map is missing or empty, maps are in several spaces or on several grids, in a space of each person's own,
        no voxel is in all of them, or no axis of the grid runs along x where left and right are to be averaged.
    """
    missing = [one.label for one in maps if not all(path.is_file() for path in one.files)]
    if missing:
        raise InputError(
            f"{len(missing)} of its {len(maps)} scans have no map of {what} ({shortened(missing, 6)}; the first would "
            f"be {next(one.value.name for one in maps if one.label == missing[0])}); {AGAIN}"
        )
    space = _space(maps, template, ways)
    first, mask = maps[0], None
    grid = open_image(first.value).grid
    for one in maps:
        grid.check_same(open_image(one.value).grid, first.value.name, one.value.name)
        inside = _inside(one, grid, first.value.name)
        if not inside.any():
            raise InputError(
                f"{one.value}: the map is empty: no voxel holds a value (0 and NaN are none); make it again, or leave "
                "the scan out (exclusions.tsv)"
            )
        mask = inside if mask is None else mask & inside
    assert mask is not None
    move = _move(grid) if mirror else None
    if move is not None:
        grid = Grid(grid.shape, move.affine)
        mask = np.isfinite(moved(np.where(mask, np.float32(1), np.float32(np.nan)), move))
    if mirror:
        mask = _left(mask, grid)
    if not mask.any():
        raise InputError(f"no voxel is in the masks of all {len(maps)} scans; look at their registration")
    return Place(grid, space, mask, mirror, move)


def _inside(one: MapOfScan, grid: Grid, called: str) -> Flags:
    """Voxels that a scan has mapped; ``called`` is the map whose grid it is."""
    if one.quality is None:
        return _mapped(read_map(one.value)[1])
    own, quality = read_map(one.quality)
    grid.check_same(own, called, one.quality.name)
    return np.asarray(quality != OUTSIDE)


def _move(grid: Grid) -> Move | None:
    """To a grid that lies evenly about x = 0; None where it does as it is."""
    found = to_midline(grid.affine)
    return None if 2 * abs(found.mm) <= TOLERANCE else found


def _space(maps: Sequence[MapOfScan], template: str, ways: WaysOut) -> str:
    spaces: dict[str | None, list[str]] = {}
    for one in maps:
        spaces.setdefault(one.space, []).append(one.label)
    named = {space or "(none)": labels for space, labels in spaces.items()}
    if len(spaces) > 1:
        told = "; ".join(f"{space}: {shortened(labels, 3)}" for space, labels in named.items())
        raise InputError(f"its maps are in {len(spaces)} spaces ({told}); {ways.several}")
    (space,) = spaces
    if space is None or space in (*OWN_SPACES, T1_SPACE):
        hint = f'space = "{template}"' if template else "the space- of images in a template's space"
        raise InputError(
            f"its maps are in space {space or '(none)'!r}, where each head has a place of its own, so that a voxel is "
            f"not the same place in two people; {ways.own.format(space=hint)}"
        )
    return space


def _left(mask: Flags, grid: Grid) -> Flags:
    """Voxels at x <= 0 that are in the mask on both sides."""
    both = mask & (mirrored(mask.astype(np.float32), grid.affine) == 1)
    x = np.indices(grid.shape)
    place = np.tensordot(grid.affine[0, :3], x, axes=1) + grid.affine[0, 3]
    return np.asarray(both & (place <= MIDLINE))


def about_map(path: Path) -> dict[str, object]:
    """What the sidecars of a map say of it, the nearest first; empty where there are none."""
    about: dict[str, object] = {}
    for sidecar in own_sidecars(path):
        about = {**read_json(sidecar), **about}
    return about


def smoothing_of(maps: Iterable[MapOfScan]) -> tuple[str, ...]:
    """What was done against noise before the maps were fitted, in words, by their sidecars; each once."""
    told: dict[str, None] = {}
    for one in maps:
        about = about_map(one.value)
        words = [f"{about.get('Kernel', 'kernel not told')}, {about['FWHM']} mm FWHM"] if "FWHM" in about else []
        words += [str(about["Regularised"])] if "Regularised" in about else []
        told.setdefault("; ".join(words) or (NOT_TOLD if one.quality is None else "nothing was smoothed"))
    return tuple(told)
