"""Where the curves of a study are: its datasets, and the tables in them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from raphe.errors import InputError
from raphe.io.below import below_people
from raphe.io.columns import is_curve
from raphe.io.derivatives import made_by
from raphe.io.not_fetched import absent
from raphe.io.provenance import SOFTWARE
from raphe.io.tables import read_text, shortened

_OF_PEOPLE = re.compile(r"(sub|ses)-|(pet|anat)$")
"""Folders below that of a dataset that hold data of people."""


_FOLDER = re.compile(r"(sub|ses)-[A-Za-z0-9]+|pet|anat")
"""Names of such folders as a whole."""


def find_tables(bids: Path, derivatives: Sequence[Path] = (), more: Sequence[Path] = ()) -> tuple[Path, ...]:
    """Tables of curves in a study, reference curves among them; arguments as of :func:`raphe.io.bids.read_study`.

    Raises
    ------
    InputError
        If a folder is absent or there are no tables.
    """
    roots = dataset_roots(bids, derivatives)
    found = [path for root in roots for path in below_people(root, "[!.]*.tsv") if _is_table(path)]
    found += more
    if not found:
        searched = shortened([str(root) for root in roots or (bids,)], 4)
        raise InputError(
            f"{bids}: there are no time-activity curves (sub-*/**/*_tacs.tsv or *_timeseries.tsv) in {searched}"
            f"{elsewhere(bids) or '; name the datasets that hold them (--derivatives)'}"
        )
    return tuple(dict.fromkeys(found))


def dataset_roots(bids: Path, derivatives: Sequence[Path] = (), but: Path | None = None) -> tuple[Path, ...]:
    """Folders in which curves are looked for; arguments as of :func:`raphe.io.bids.read_study`.

    By default these are ``bids`` and every dataset in ``bids/derivatives``. A dataset that is itself a result of raphe
    is left out unless it is named and is not ``but``, the folder for new results.

    Raises
    ------
    InputError
        If a folder is absent.
    """
    for folder in (bids, *derivatives):
        if not folder.is_dir():
            raise no_dataset(folder)
    found = [root for folder in derivatives or (bids / "derivatives",) for root in _datasets(folder)]
    kept = [root for root in found if not _is_result(root) or (root in derivatives and not _same(root, but))]
    return tuple(kept) if derivatives else (bids, *kept)


def no_dataset(folder: Path) -> InputError:
    """Say why nothing can be read from a path that is no folder, with the way out."""
    if not folder.exists():
        return InputError(f"{folder} does not exist")
    packed = folder.name.lower().endswith((".zip", ".tar", ".gz", ".tgz", ".7z", ".rar"))
    return InputError(f"{folder} is not a folder{'; unpack it, and name the folder that it held' if packed else ''}")


def elsewhere(bids: Path) -> str:
    """Say where a dataset is that was looked for in a folder above it or below it, in words; empty for nowhere near."""
    if bids.absolute().name.startswith(("sub-", "ses-")):
        return f"; {bids} is the folder of one participant or session: name the data set that holds it"
    inside = [folder for folder in sorted(bids.iterdir()) if folder.is_dir() and any(folder.glob("sub-*"))]
    inside = [folder for folder in inside if folder.name not in ("derivatives", "sourcedata")]
    return f"; the data set seems to be {inside[0]}" if len(inside) == 1 else ""


def unreadable_folders(root: Path) -> Iterator[tuple[Path, InputError]]:
    """Yield folders of a dataset that may not be looked into: searching by a pattern passes over them without a word.

    Looked at are the dataset's own, ``phenotype/``, and those of participants, sessions, PET and anatomy.
    """
    ahead = [root, root / "phenotype"]
    while ahead:
        folder = ahead.pop()
        try:
            with os.scandir(folder) as inside:
                entries = list(inside)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            why = error.strerror or error
            told = f"{folder} cannot be looked into: {why}; what is in it would be missed, so mend its permissions"
            yield folder, InputError(told)
            continue
        for name in sorted(entry.name for entry in entries if entry.is_symlink()):
            if _FOLDER.fullmatch(name) and not (folder / name).exists():
                yield folder / name, InputError(absent(folder / name))
        folders = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        ahead += (folder / name for name in sorted(folders, reverse=True) if _OF_PEOPLE.match(name))


def _same(one: Path, other: Path | None) -> bool:
    return other is not None and os.path.realpath(one) == os.path.realpath(other)


def _is_result(root: Path) -> bool:
    try:
        return SOFTWARE in (made_by(root) or ())
    except InputError:
        return False  # so that the check of its description says why it is unusable


def _datasets(folder: Path) -> Iterator[Path]:
    """Give the folder itself if it is a dataset, else the datasets directly in it."""
    if any(folder.glob("sub-*")):
        yield folder
    elif folder.is_dir():
        yield from (child for child in sorted(folder.iterdir()) if child.is_dir() and not child.name.startswith("."))


COMBINED = "_desc-combinedregions_tacs"
"""What petfit calls its curves of regions."""

OF_COMBINED = ("_desc-targetregions_tacs", "_desc-ref_tacs")
"""What it makes of them for models with a reference: the others, and the reference alone, perhaps smoothed."""


def _is_table(path: Path) -> bool:
    stem = path.name.removesuffix(".tsv")
    for made in OF_COMBINED:
        if stem.endswith(made) and path.with_name(f"{stem.removesuffix(made)}{COMBINED}.tsv").is_file():
            return False
    if stem.endswith("_tacs"):
        return True
    if not stem.endswith("_timeseries") or "_desc-confounds" in stem or path.parent.name != "pet":
        return False
    try:
        header = read_text(path).split("\n", 1)[0].strip("\r").split("\t")
    except InputError:
        return True  # so that reading it says why it is unusable
    return not all(is_curve(column) for column in header)
