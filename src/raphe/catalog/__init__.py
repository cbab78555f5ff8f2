"""Tracers, radionuclides, species and references as data, a source for each number."""

from raphe.catalog.reader import (
    all_species,
    find_tracer,
    half_life,
    radionuclides,
    reference,
    references,
    species,
    tracer,
    tracers,
)
from raphe.catalog.schema import Quantity, Radionuclide, Reference, RegionEntry, Schedule, Species, Tracer

__all__ = [
    "Quantity",
    "Radionuclide",
    "Reference",
    "RegionEntry",
    "Schedule",
    "Species",
    "Tracer",
    "all_species",
    "find_tracer",
    "half_life",
    "radionuclides",
    "reference",
    "references",
    "species",
    "tracer",
    "tracers",
]
