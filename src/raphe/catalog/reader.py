"""Reads the catalog's files, each once and only when asked for."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import ascii_letters
from types import MappingProxyType
from typing import Any

from raphe.catalog.schema import Atlas, Protocol, Radionuclide, Reference, Species, Tracer
from raphe.nomenclature import tracer_key

_FOLDER = files(__package__)


def half_life(nuclide: str) -> float:
    """Half-life of a radionuclide in min.

    Parameters
    ----------
    nuclide : str
        Element and mass number, e.g. ``"C11"``.

    Raises
    ------
    KeyError
        If the catalog does not know it; give the half-life yourself then.
    """
    return radionuclides()[nuclide].half_life.value


@cache
def radionuclides() -> Mapping[str, Radionuclide]:
    """Every radionuclide by its name."""
    found = {name: Radionuclide(name=name, **table) for name, table in _toml(_FOLDER / "radionuclides.toml").items()}
    return MappingProxyType(found)


@cache
def references() -> Mapping[str, Reference]:
    """List of references by their keys."""
    found = {key: Reference(key=key, **table) for key, table in _toml(_FOLDER / "references.toml").items()}
    return MappingProxyType(found)


def reference(key: str) -> Reference:
    """One entry of the reference list.

    Raises
    ------
    KeyError
        If there is none under that key.
    """
    return references()[key]


@cache
def tracers() -> tuple[Tracer, ...]:
    """Every tracer, in the order of their names."""
    return tuple(Tracer.model_validate(table) for table in _folder("tracers"))


def find_tracer(name: str) -> Tracer | None:
    """Tracer that goes by ``name``, in any case and punctuation, with or without the isotope; None if there is none."""
    return _tracers_by_key().get(tracer_key(name))


def tracer(name: str) -> Tracer:
    """Tracer that goes by ``name``, as :func:`find_tracer`.

    Raises
    ------
    KeyError
        If the catalog does not know it.
    """
    return _tracers_by_key()[tracer_key(name)]


@cache
def protocols() -> tuple[Protocol, ...]:
    """Every protocol of a tomograph, in the order of their files."""
    return tuple(Protocol.model_validate(table) for table in _folder("protocols"))


def protocol(name: str) -> Protocol:
    """Protocol called ``name``, in any case.

    Raises
    ------
    KeyError
        If the catalog does not know it.
    """
    return {entry.name.lower(): entry for entry in protocols()}[name.lower()]


@cache
def atlases() -> tuple[Atlas, ...]:
    """Every atlas of a whole brain, in the order of their files."""
    return tuple(atlas for atlas in _all_atlases() if not atlas.supplies)


@cache
def supplements() -> tuple[Atlas, ...]:
    """Every atlas that gives some regions to another, in the order of their files."""
    return tuple(atlas for atlas in _all_atlases() if atlas.supplies)


def atlas(name: str) -> Atlas:
    """Atlas called ``name``, in any case.

    Raises
    ------
    KeyError
        If the catalog does not know it.
    """
    return {entry.name.lower(): entry for entry in atlases()}[name.lower()]


@cache
def all_species() -> tuple[Species, ...]:
    """Every species, in the order of their names."""
    return tuple(Species.model_validate(table) for table in _folder("species"))


def species(name: str) -> Species:
    """Species called ``name``.

    Raises
    ------
    KeyError
        If the catalog does not know it.
    """
    return {entry.name: entry for entry in all_species()}[name]


@cache
def _all_atlases() -> tuple[Atlas, ...]:
    return tuple(Atlas.model_validate(table) for table in _folder("atlases"))


@cache
def _tracers_by_key() -> Mapping[str, Tracer]:
    found: dict[str, Tracer] = {}
    for entry in tracers():
        element, mass = entry.radionuclide.rstrip("0123456789"), entry.radionuclide.lstrip(ascii_letters)
        for name in (entry.name, f"{mass}{element}{entry.name}", f"{element}{mass}{entry.name}", *entry.aliases):
            found[tracer_key(name)] = entry
    return found


def _folder(name: str) -> list[dict[str, Any]]:
    found = sorted((file for file in (_FOLDER / name).iterdir() if file.name.endswith(".toml")), key=lambda f: f.name)
    return [_toml(file) for file in found]


def _toml(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))
