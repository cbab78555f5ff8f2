"""Tracers, radionuclides, species and references as data, a source for each number."""

from raphe.catalog.reader import (
    all_species,
    find_tracer,
    half_life,
    protocol,
    protocols,
    radionuclides,
    reference,
    references,
    species,
    tracer,
    tracers,
)
from raphe.catalog.schema import Protocol, Quantity, Radionuclide, Reference, RegionEntry, Schedule, Species, Tracer

__all__ = [
    "Protocol",
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
    "protocol",
    "protocols",
    "radionuclides",
    "reference",
    "references",
    "species",
    "tracer",
    "tracers",
]
