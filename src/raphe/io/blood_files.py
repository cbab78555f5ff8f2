"""The blood of a scan by name: its tables of samples, and input functions that others made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from raphe.errors import InputError
from raphe.io.below import below
from raphe.io.names import Name, parse_name


def blood_tables(scan: Name, raw: Path) -> tuple[Path, ...]:
    """``*_blood.tsv`` of a scan, in the dataset that holds its curves or else in the raw one.

    A table is the scan's if it is of the same participant and session, and says no other entity of a scan than the
    scan's own. Of several such tables of one ``recording``, the one whose name says most is meant.

    Parameters
    ----------
    scan : Name
        Of a table of curves or an image of the scan.
    raw : Path
        Root of the raw dataset.

    Returns
    -------
    tuple of Path
        Empty if there is none.
    """
    for root in dict.fromkeys((scan.root, raw)):
        found = _nearest(scan, root, "blood")
        if found:
            return found
    return ()


def input_tables(scan: Name, roots: Sequence[Path]) -> tuple[Path, ...]:
    """``*_inputfunction.tsv`` of a scan in each dataset of ``roots``; it is the scan's as of :func:`blood_tables`.

    One with ``model-`` in its name was estimated from the tissue by that model, and is left aside.
    """
    found = dict.fromkeys(path for root in roots for path in _nearest(scan, root, "inputfunction"))
    return tuple(path for path in found if "model" not in parse_name(path).entities)


def belongs(name: Name, scan: Name) -> bool:
    """Whether a file of blood is of a scan: of its participant and session, and of nothing else than the scan's own."""
    same_session = name.entities.get("ses") == scan.entities.get("ses")
    return "sub" in name.entities and same_session and set(name.scan) <= set(scan.scan)


def _nearest(scan: Name, root: Path, suffix: str) -> tuple[Path, ...]:
    """Files of a scan in one dataset, of each ``recording`` those whose names say most of the scan."""
    fitting = list(_fitting(scan, root, suffix))
    most: dict[str, int] = {}
    for name in fitting:
        recording = name.entities.get("recording", "")
        most[recording] = max(most.get(recording, 0), len(name.scan))
    return tuple(name.path for name in fitting if len(name.scan) == most[name.entities.get("recording", "")])


def _fitting(scan: Name, root: Path, suffix: str) -> Iterator[Name]:
    for path in below(root / f"sub-{scan.entities['sub']}", f"[!.]*_{suffix}.tsv"):
        try:
            name = parse_name(path)
        except InputError:
            continue  # so that the check of the dataset says why the name is unusable
        if belongs(name, scan):
            yield name
