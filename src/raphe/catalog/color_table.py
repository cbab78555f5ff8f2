"""FreeSurfer's numbers of labels: the name of each, and the tissue that it is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

from raphe.catalog.schema import Entry
from raphe.nomenclature import region_key

Tissue = Literal["grey", "white", "fluid", "other"]


class _Block(Entry):
    tissue: Tissue
    prefix: str = ""
    add: int = 0


class _Group(Entry):
    blocks: list[_Block]
    labels: dict[str, int]


class _ColorTable(Entry):
    group: list[_Group]
    words: dict[Tissue, list[str]]


@dataclass(frozen=True)
class ColorLabel:
    """One label.

    Parameters
    ----------
    name : str
        As FreeSurfer has it, ``Left-Hippocampus``.
    tissue : {"grey", "white", "fluid", "other"}
        Grey is a region of a study, white and fluid are not; of other the label does not say what it is.
    """

    name: str
    tissue: Tissue


@cache
def color_table() -> Mapping[int, ColorLabel]:
    """Labels of FreeSurfer's segmentations of whole heads, by number."""
    found = {
        number + block.add: ColorLabel(block.prefix + name, block.tissue)
        for group in _read().group
        for block in group.blocks
        for name, number in group.labels.items()
    }
    return MappingProxyType(found)


def tissue_named(name: str) -> Tissue | None:
    """Tissue of a label by its name, in any case and punctuation; None if the name tells of none."""
    return _by_name().get(_plain(name))


@cache
def _by_name() -> Mapping[str, Tissue]:
    found = {_plain(label.name): label.tissue for label in color_table().values()}
    found |= {_plain(word): tissue for tissue, words in _read().words.items() for word in words}
    return MappingProxyType(found)


def _plain(name: str) -> str:
    """Name without its side where it is one of two sides; ``wm-lh-cuneus`` stays what it is."""
    plain, side = region_key(name)
    words = name.replace("_", " ").replace("-", " ").lower().split()
    return f"ctx {plain}" if side and words[0] == "ctx" else plain


@cache
def _read() -> _ColorTable:
    text = (files(__package__) / "labels" / "freesurfer.toml").read_text(encoding="utf-8")
    return _ColorTable.model_validate(tomllib.loads(text))
