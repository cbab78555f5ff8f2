"""Files and folders of a dataset that are passed over because a letter of their names is not as BIDS spells it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from raphe.data.finding import Finding
from raphe.io.below import below

_SUFFIXES = {spelled.lower(): spelled for spelled in ("pet", "T1w", "tacs", "blood")}
_FILE = re.compile(
    rf"(?P<stem>.*_)(?P<suffix>{'|'.join(_SUFFIXES)})(?P<ending>\.(?:nii|nii\.gz|json|tsv))", re.IGNORECASE
)
_PERSON = re.compile(r"sub[-_ ]*(?P<label>[a-z0-9]+)", re.IGNORECASE)


def misspelt(bids: Path) -> Iterator[Finding]:
    """Tell which names differ from those of BIDS in small and capital letters, or in the dash of ``sub-``, alone.

    Parameters
    ----------
    bids : Path
        Root of the dataset.
    """
    for folder in sorted(folder for folder in bids.iterdir() if folder.is_dir()):
        if folder.name.startswith("sub-"):
            yield from _files(folder)
        elif (match := _PERSON.fullmatch(folder.name)) and any(
            _FILE.fullmatch(path.name) for path in folder.rglob("*")
        ):
            yield _told(folder, f"sub-{match['label']}")


def _files(folder: Path) -> Iterator[Finding]:
    for path in below(folder, "[!.]*"):
        match = _FILE.fullmatch(path.name)
        if match is None or path.is_dir():
            continue
        right = f"{match['stem']}{_SUFFIXES[match['suffix'].lower()]}{match['ending'].lower()}"
        if right != path.name and not path.with_name(right).exists():
            yield _told(path, right)


def _told(path: Path, right: str) -> Finding:
    return Finding("warning", path, "", f"{path} is not read, for BIDS spells such a name {right}; rename it")
