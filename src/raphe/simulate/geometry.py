"""What a coarse head is made of: ellipsoids and folds, as TOML, each with its source."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field

from raphe.catalog.schema import Entry, Sourced
from raphe.simulate.anatomy import GREY
from raphe.simulate.individual import Spread
from raphe.simulate.motion import Restlessness

_FOLDER = files(__package__) / "anatomies"

Triple = Annotated[tuple[float, float, float], Field(strict=False)]


class Ellipsoid(Sourced):
    """Place and half-lengths of an ellipsoid, mm, turned about the axis from left to right."""

    centre: Triple
    axes: Triple
    tilt: float = 0.0
    """Degrees; positive lifts the front."""


class Folds(Sourced):
    """Folds of the cortex, mm."""

    depth: float
    """How far the surface goes up and down."""
    wavelength: float
    """Distance of two folds."""
    fluid: float
    """How deep the cortex begins."""
    fissure: float
    """Lower end, along z, of the fissure between the hemispheres."""


class Shells(Sourced):
    """What is around the brain, mm."""

    bone: float
    soft: float


class Sinus(Sourced):
    """The superior sagittal sinus."""

    width: float
    """mm."""


class SpreadEntry(Sourced):
    """How far heads differ, as :class:`raphe.simulate.individual.Spread` has it."""

    size: float
    shift: float
    smoothness: float
    atrophy: float

    @property
    def plain(self) -> Spread:
        """Without its source."""
        return Spread(self.size, self.shift, self.smoothness, self.atrophy)


class RestlessnessEntry(Sourced):
    """How much heads move, as :class:`raphe.simulate.motion.Restlessness` has it."""

    offset: float
    turn: float
    drift: float
    jumps: float
    jump: float

    @property
    def plain(self) -> Restlessness:
        """Without its source."""
        return Restlessness(self.offset, self.turn, self.drift, self.jumps, self.jump)


class Lobe(Sourced):
    """A part of the cortex: what is nearest to one of its seeds."""

    name: str
    seeds: Annotated[tuple[Triple, ...], Field(strict=False, min_length=1)]
    """mm, on the right side."""


class Part(Ellipsoid):
    """A structure; one that is off the midline is there on both sides. It takes the place of those before it."""

    name: str
    tissue: str = GREY
    folded: bool = False
    """Whether it is the bark of the ellipsoid, whose inside is white matter."""
    within: str = ""
    """The structure that it is a part of; it is painted where it is asked for by name."""


class Geometry(Entry):
    """A coarse head."""

    species: str
    protocol: str
    """Of the catalog, for images where the plan names none."""
    bin: int
    """Voxels along each axis that become one there."""
    brain: Ellipsoid
    folds: Folds
    shells: Shells
    sinus: Sinus
    spread: SpreadEntry
    restlessness: RestlessnessEntry
    lobes: Annotated[tuple[Lobe, ...], Field(alias="lobe", strict=False, min_length=1)]
    parts: Annotated[tuple[Part, ...], Field(alias="part", strict=False)]

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of what is grey matter."""
        return (*(lobe.name for lobe in self.lobes), *(part.name for part in self.parts if part.tissue == GREY))


@cache
def geometry(species: str) -> Geometry:
    """Geometry of a species.

    Raises
    ------
    KeyError
        If there is none.
    """
    file = _FOLDER / f"{species}.toml"
    if not file.is_file():
        raise KeyError(species)
    return Geometry.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
