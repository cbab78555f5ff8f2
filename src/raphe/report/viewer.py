"""Maps to be looked at by hand: NiiVue and the volumes within the page, decoded when a reader asks."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from raphe.core.box import Array, Box, Flags, affine_of, box_of
from raphe.report import svg
from raphe.report.maps import HIGHEST
from raphe.report.png import data_uri
from raphe.report.volume import Floats, Volume, rounded, step_of, whole
from raphe.report.wording import general

LIBRARY = "niivue"
"""Folder of the viewer's library, as it was published, within this package."""

MOST = 6_000_000
"""Characters up to which the viewers of a page stand on it; more get a page of their own."""

ROOM = 2
"""Voxels around those with a value, where there are any."""

STEP = 0.005
"""Of a statistic at most: pages show two decimals."""

COOL = ((20, 60, 200), (120, 240, 255))
"""Colours of negative values, near 0 and the largest; none is white, so that the sign is always seen."""

WARM = ((170, 40, 0), (255, 235, 90))
"""Colours of positive values."""

SHADES = 127
"""Shades of each in the scale of colours."""

ANALYSED = 1
"""Bit of the voxels that were analysed; ways of correction have the bits above it."""


class Way(NamedTuple):
    """One way of correcting for the number of voxels."""

    name: str
    """E.g. ``by the largest absolute t``."""
    logp: Floats
    """-log10 of p, shape (x, y, z)."""
    found: Flags
    """Voxels that are significant."""


class Place(NamedTuple):
    """A place to go to."""

    name: str
    x: float
    """mm, as ``y`` and ``z``."""
    y: float
    z: float


class Choice(NamedTuple):
    """One way of looking at the map."""

    name: str
    told: str
    """What a reader must know of it."""
    caution: bool = False
    """Whether it must not be overlooked."""


NOT_CORRECTED = Choice(
    "not corrected",
    "Not corrected for the number of voxels: no voxel by itself is evidence, and what is coloured may be chance.",
    caution=True,
)


class Statistic(NamedTuple):
    """A map of a statistic or parameter, and all that its viewer shows."""

    title: str
    name: str
    """Of the statistic, e.g. ``t``."""
    space: str
    values: Floats
    """Shape (x, y, z); NaN where not analysed."""
    affine: Array
    threshold: float
    """Least absolute value that is drawn at first where nothing is corrected."""
    ways: Sequence[Way]
    places: Sequence[Place]
    background: Floats | None
    """Without one, the voxels that were analysed are grey."""
    plain: Choice = NOT_CORRECTED
    """The map as it is."""
    limit: float | None = None
    """Absolute value at which the colours end; without, the largest one."""
    nothing: str = "not analysed"
    """What is said of a voxel without a value."""


class Viewer(NamedTuple):
    """One viewer as a page shows it."""

    name: str
    """Of its element; a link to it opens it."""
    title: str
    statistic: str
    choices: tuple[Choice, ...]
    places: tuple[Place, ...]
    bar: Markup
    ticks: tuple[tuple[str, str], ...]
    error: str
    """By how much a value may be off."""
    settings: Mapping[str, object]
    """What the page's script reads."""


class Viewers(NamedTuple):
    """The viewers of a page, and what they share."""

    items: tuple[Viewer, ...]
    volumes: tuple[Volume, ...]
    """Each once."""

    @property
    def library(self) -> Markup:
        """Base64 of the library's file, compressed."""
        return _library()

    @property
    def licence(self) -> str:
        """Licence of the library and of the works that it holds parts of."""
        return "\n".join((_folder() / name).read_text(encoding="utf-8") for name in ("LICENSE", "NOTICE"))

    @property
    def size(self) -> int:
        """Characters that library and volumes add to a page."""
        return len(self.library) + sum(len(one.text) for one in self.volumes)

    @property
    def megabytes(self) -> str:
        """The same in words."""
        return f"{general(self.size / 1e6, 2)} MB"

    @property
    def large(self) -> bool:
        """Whether they should have a page of their own."""
        return self.size > MOST


def viewers(found: Sequence[Statistic], most: float = math.inf) -> Viewers | None:
    """Make a viewer of each map; None where there is none.

    Parameters
    ----------
    found : sequence of Statistic
    most : float
        Characters that they may add to the page; from the first map on that would exceed it there is no viewer.

    Raises
    ------
    ValueError
        If no voxel of a map was analysed.
    """
    made = Viewers((), ())
    for at, one in enumerate(found):
        volumes = {volume.name: volume for volume in made.volumes}
        item = _viewer(one, f"viewer-{at + 1}", volumes)
        larger = Viewers((*made.items, item), tuple(volumes.values()))
        if larger.size > most:
            break
        made = larger
    return made if made.items else None


def _viewer(one: Statistic, name: str, volumes: dict[str, Volume]) -> Viewer:
    inside = np.isfinite(one.values)
    if not inside.any():
        raise ValueError(f"the map {one.title!r} has no value")
    box = box_of(inside, ROOM)
    affine = affine_of(one.affine, box)
    flags = inside.astype(np.uint8) * ANALYSED
    for at, way in enumerate(one.ways):
        flags |= (way.found & inside).astype(np.uint8) << (at + 1)
    limit = one.limit or max(float(np.abs(one.values[inside]).max()), one.threshold, 1e-9)
    held = {
        "statistic": rounded(one.values[box], affine, min(STEP, step_of(limit))),
        "flags": whole(flags[box], affine),
        **{f"logp{at}": rounded(way.logp[box], affine) for at, way in enumerate(one.ways)},
        "background": whole(_grey(one.background, inside, box), affine),
    }
    volumes.update({volume.name: volume for volume in held.values()})
    step = held["statistic"].step
    settings: dict[str, object] = {
        "volumes": {role: volume.name for role, volume in held.items()},
        "inverse": np.linalg.inv(affine)[:3].tolist(),
        "limit": limit,
        "threshold": one.threshold,
        "statistic": one.name,
        "space": one.space,
        "nothing": one.nothing,
        "digits": max(2, -math.floor(math.log10(step)) - 1),
        "ways": [way.name for way in one.ways],
        "cool": COOL,
        "warm": WARM,
        "places": [[place.x, place.y, place.z] for place in one.places] or [_middle(inside, one.affine)],
    }
    return Viewer(
        name,
        one.title,
        one.name,
        _choices(one),
        tuple(one.places),
        _bar(),
        _ticks(limit),
        general(step / 2, 2),
        settings,
    )


def _choices(one: Statistic) -> tuple[Choice, ...]:
    corrected = [
        Choice(
            f"corrected, {way.name}",
            f"Only voxels that are significant after correction for the whole map, {way.name}."
            if way.found.any()
            else f"Nothing is significant after correction for the whole map, {way.name}: there is nothing to colour.",
        )
        for way in one.ways
    ]
    return (*corrected, one.plain)


def _grey(background: Floats | None, inside: Flags, box: Box) -> npt.NDArray[np.uint8]:
    """Image under the map, from 0 to 255."""
    if background is None:
        return np.where(inside[box], 128, 0).astype(np.uint8)
    known = background[inside & np.isfinite(background)]
    high = max(float(np.percentile(known, HIGHEST)) if known.size else 1.0, 1e-9)
    shade: npt.NDArray[np.uint8] = np.round(255 * np.clip(np.nan_to_num(background[box]) / high, 0, 1)).astype(np.uint8)
    return shade


def _middle(inside: Flags, affine: Array) -> list[float]:
    """Mean place of the voxels that have a value, mm."""
    found: list[float] = (affine @ [*np.argwhere(inside).mean(axis=0), 1.0])[:3].tolist()
    return found


def _bar() -> Markup:
    """Scale of colours, from the lowest value to the highest."""
    shares = np.linspace(0, 1, SHADES)[:, None]
    cool, warm = (low + shares * (np.array(high) - low) for low, high in (COOL, WARM))
    palette = np.concatenate([[(0, 0, 0)], cool[::-1], warm]).round().astype(np.uint8)
    row = np.arange(1, len(palette), dtype=np.uint8)[None]
    return Markup('<img alt="scale of colours" src="{}">').format(data_uri(row, palette))


def _ticks(limit: float) -> tuple[tuple[str, str], ...]:
    along = svg.Scale(-limit, limit, 0, 100)
    return tuple((svg.number(tick), f"{along(tick):.3g}") for tick in along.ticks())


@cache
def _library() -> Markup:
    return Markup(base64.b64encode((_folder() / "niivue.umd.js.gz").read_bytes()).decode())


def _folder() -> resources.abc.Traversable:
    return resources.files("raphe.report") / LIBRARY
