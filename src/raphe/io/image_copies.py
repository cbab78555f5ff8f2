"""Images of a dataset that are a copy of another, byte for byte."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from raphe.data.finding import Finding
from raphe.io.names import Name

BLOCK = 1 << 20
"""Bytes that are compared at a time: images that differ do so early on."""


def doubts_of_copies(scans: Sequence[Name], t1: Sequence[Name]) -> Iterator[Finding]:
    """Doubt PET images of two scans, and T1-weighted images of two people, that are the same file.

    Parameters
    ----------
    scans, t1 : sequence of Name
        Raw images. One T1-weighted image may stand in several sessions of a person.
    """
    for name, other in _copies(scans):
        if name.scan != other.scan:
            yield _told(name, other)
    for name, other in _copies(t1):
        if name.entities["sub"] != other.entities["sub"]:
            yield _told(name, other)


def _told(name: Name, other: Name) -> Finding:
    told = f"{name.path} is the same as {other.path} to the last byte; is one a copy, or under a wrong name?"
    return Finding("warning", name.path, "", told)


def _copies(names: Sequence[Name]) -> Iterator[tuple[Name, Name]]:
    """Each image that is a copy, with the first that it is a copy of."""
    sizes: dict[int, list[Name]] = defaultdict(list)
    for name in names:
        with suppress(OSError):  # opening it says what is wrong
            size = name.path.stat().st_size
            for other in sizes[size]:
                if _same(name.path, other.path):
                    yield name, other
                    break
            else:
                sizes[size].append(name)


def _same(one: Path, other: Path) -> bool:
    with one.open("rb") as first, other.open("rb") as second:
        while block := first.read(BLOCK):
            if block != second.read(BLOCK):
                return False
    return True
