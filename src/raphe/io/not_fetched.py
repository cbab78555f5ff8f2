"""Files of a data set whose content is elsewhere: links of git-annex and DataLad, and pointers of Git LFS."""

from __future__ import annotations

import os
from pathlib import Path

POINTERS = (b"/annex/objects/", b"version https://git-lfs")
"""What a file begins with that stands for data which were not fetched."""

HOW = "(datalad get, git annex get, git lfs pull)"


def is_there(path: Path) -> bool:
    """Whether a data set has a file of that name, fetched or not: reading it says what is wrong with a link."""
    return path.is_file() or path.is_symlink()


def absent(path: Path) -> str:
    """Say that a file is not there, with the way out where it is a link to data that were not fetched."""
    if not path.is_symlink():
        return f"{path} does not exist"
    return f"{path} is a link to {os.readlink(path)}, which does not exist; fetch the data {HOW}"


def pointer(path: Path, start: bytes, what: str) -> str:
    """Say that a file is a pointer, from its first bytes; empty where it is none. ``what`` was expected of it."""
    if not start.startswith(POINTERS):
        return ""
    return f"{path} holds no {what} but names one that was not fetched; fetch it {HOW}"
