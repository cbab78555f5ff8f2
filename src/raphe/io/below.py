"""Files below a folder, in folders that are links too: data of several disks stand together in one data set by them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path


def below(folder: Path, pattern: str, parent: str = "") -> list[Path]:
    """What fits a pattern by its name, in a folder or below it, sorted.

    ``**`` of :meth:`pathlib.Path.glob` passes over links to folders without a word.

    Parameters
    ----------
    folder : Path
        Nothing is found where it is absent.
    pattern : str
        Of the name, as for :mod:`fnmatch`.
    parent : str
        Name of the folder that it stands in; any if empty.
    """
    return sorted(
        place / name for place, names in _places(folder) for name in names
        if fnmatchcase(name, pattern) and (not parent or place.name == parent)
    )  # fmt: skip


def below_people(bids: Path, pattern: str, parent: str = "") -> list[Path]:
    """What fits a pattern by its name in the folders of participants (``sub-*``); arguments as of :func:`below`."""
    return sorted(path for person in bids.glob("sub-*") for path in below(person, pattern, parent))


def _places(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Each folder, and the names of what is in it; a link that leads back to a folder above it is not followed."""
    for place, folders, files in os.walk(folder, followlinks=True):
        here, names = Path(place), [*folders, *files]
        folders[:] = [name for name in folders if not _leads_back(here / name)]
        yield here, names


def _leads_back(folder: Path) -> bool:
    return folder.is_symlink() and Path(os.path.realpath(folder.parent)).is_relative_to(os.path.realpath(folder))
