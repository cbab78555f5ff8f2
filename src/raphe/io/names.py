"""Names of BIDS files: entities in any order, suffix, and the files that belong to one another by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from raphe.errors import InputError
from raphe.io.below import below
from raphe.io.fields import Fields
from raphe.io.not_fetched import is_there

SCAN_ENTITIES = ("sub", "ses", "task", "trc", "rec", "run")
"""The entities that tell one PET scan from another; all others tell what was made of it."""

SEGMENTATIONS = frozenset(
    {"gtmseg", "brainstem", "thalamicnuclei", "hippocampusamygdala", "wm", "whitematter", "raphe", "limbic"}
)
"""Values of ``desc``, in small letters, by which petprep_extract_tacs tells the segmentation of its curves."""

NESTED = 2
"""Folders between a dataset's own and those of its participants at most."""

RAW_FOLDERS = ("", "rawdata", "raw")
"""Where the raw data may stand beside a folder ``derivatives``."""


Entities = tuple[tuple[str, str], ...]
"""Entities of a scan and their values, in the order of BIDS."""


@dataclass(frozen=True)
class Name:
    """A file's name, taken apart.

    Parameters
    ----------
    path : Path
    entities : mapping of str to str
        Value of each ``key-value`` pair, in the order of the name.
    suffix : str
        The last part, e.g. ``tacs``.
    """

    path: Path
    entities: Mapping[str, str]
    suffix: str

    @property
    def scan(self) -> Entities:
        """Entities of the scan that the file belongs to, in the order of BIDS."""
        return tuple((key, self.entities[key]) for key in SCAN_ENTITIES if key in self.entities)

    @property
    def label(self) -> str:
        """Of that scan, as :attr:`raphe.data.scan.Scan.label`."""
        return "_".join(f"{key}-{value}" for key, value in self.scan)

    @property
    def root(self) -> Path:
        """Folder of the dataset that the file stands in: the one that holds its ``sub-`` folder."""
        for folder in self.path.parents:
            if folder.name.startswith("sub-"):
                return folder.parent
        return self.path.parent


def parse_name(path: Path) -> Name:
    """Take a BIDS file name apart; ``desc`` and all others may stand anywhere.

    Raises
    ------
    InputError
        If a part is not ``key-value`` or a key stands twice.
    """
    *pairs, suffix = path.name.split(".")[0].split("_")
    entities: dict[str, str] = {}
    for pair in pairs:
        key, dash, value = pair.partition("-")
        if not (key and dash and value):
            raise InputError(f"{path}: the part {pair!r} of its name is not key-value; name it as BIDS does")
        if key in entities:
            raise InputError(f"{path}: the entity {key!r} stands twice in its name; keep one")
        entities[key] = value
    return Name(path, MappingProxyType(entities), suffix)


def full_name(path: Path, raw: Path) -> Name:
    """Name of curves or an image of a scan, with the entities of the scan that only the raw data set tells.

    Some programs leave out of a name what does not differ between the scans that they had, such as a study's one
    tracer, or what they do not know. Where the raw data set has one scan that the name fits, and none of exactly that
    name, the file is its.

    Parameters
    ----------
    path : Path
    raw : Path
        Root of the raw data set.

    Raises
    ------
    InputError
        As :func:`parse_name`.
    """
    name = parse_name(path)
    fitting = fitting_scans(name, raw)
    if len(fitting) != 1 or fitting[0] == name.scan:
        return name
    return Name(path, MappingProxyType({**name.entities, **dict(fitting[0])}), name.suffix)


def fitting_scans(name: Name, raw: Path) -> list[Entities]:
    """Scans of a raw data set that a name fits: the one of exactly that name, or else all that it says a part of.

    Parameters
    ----------
    name : Name
    raw : Path
        Root of the raw data set.
    """
    if "sub" not in name.entities:
        return []
    folders = name.path.relative_to(name.root).parts[1:-1]  # a session may be told by its folder alone
    said = {*name.scan, *(("ses", folder.removeprefix("ses-")) for folder in folders if folder.startswith("ses-"))}
    found: dict[Entities, None] = {}
    for path in below(raw / f"sub-{name.entities['sub']}", "[!.]*_pet.*", "pet"):
        try:
            scan = parse_name(path).scan
        except InputError:
            continue  # so that the check of the data set says why the name is unusable
        if said <= set(scan):
            found[scan] = None
    return [name.scan] if name.scan in found else list(found)


def check_place(name: Name) -> None:
    """Refuse a file that stands in the folder of another participant or session than its name says, or names none.

    Raises
    ------
    InputError
        With the name's label and the folder's.
    """
    if "sub" not in name.entities:
        raise InputError(f"{name.path}: its name does not say the participant (sub-LABEL_...)")
    for folder in name.path.parents:
        key, dash, label = folder.name.partition("-")
        if dash and key in ("sub", "ses") and name.entities.get(key, label) != label:
            raise InputError(f"{name.path}: its name says {key}-{name.entities[key]}, but it stands in {folder.name}")
        if key == "sub":
            return


def find_sidecars(table: Path, raw: Path | None = None) -> tuple[Path, ...]:
    """JSON files that describe a table of curves, the nearest first: a field holds from the first that has it.

    They are the table's own ``.json``, those that it inherits in its own dataset, and the ``*_pet.json`` of its scan
    (:func:`full_name`) in its own and in the raw dataset: by the inheritance principle of BIDS, files in its
    folder or above whose entities the scan all has. The raw dataset is ``raw``, else it stands where the folder
    ``derivatives`` stands, or in ``raw`` or ``rawdata`` there.

    Parameters
    ----------
    table : Path
    raw : Path, optional
        Root of the raw dataset.

    Returns
    -------
    tuple of Path
        Empty if there is none.
    """
    found = list(own_sidecars(table))
    try:
        name = parse_name(table)
    except InputError:
        return tuple(found)
    scan = dict(name.scan)
    if "sub" in scan:
        found += _inherited(table.parent, name.root, "pet", scan)
        for root in _raw_roots(table, raw):
            found += scan_sidecars(dict(full_name(table, root).scan), root)
    return _distinct(found)


def own_sidecars(table: Path) -> tuple[Path, ...]:
    """JSON files that describe a table itself, the nearest first: its own, and those that it inherits in its dataset.

    The dataset begins where its ``dataset_description.json`` is, or in a folder ``derivatives``; without either, with
    the ``sub-`` folder.

    Returns
    -------
    tuple of Path
        Empty if there is none.
    """
    own = table.with_name(table.name.split(".")[0] + ".json")
    found = [own] if is_there(own) else []
    try:
        name = parse_name(table)
    except InputError:
        return tuple(found)
    return _distinct([*found, *_inherited(table.parent, _top(name.root), name.suffix, name.entities)])


def _top(root: Path) -> Path:
    """Folder in which a dataset begins whose participants stand in ``root``, which may be one of several analyses."""
    for folder in (root, *root.absolute().parents[:NESTED]):
        if (folder / "dataset_description.json").is_file() or folder.parent.name == "derivatives":
            return folder
    return root


def scan_sidecars(scan: Mapping[str, str], root: Path) -> tuple[Path, ...]:
    """``*_pet.json`` that hold for a scan of the dataset at ``root``, the nearest first.

    Parameters
    ----------
    scan : mapping of str to str
        Entities of the scan, ``sub`` among them.
    root : Path
    """
    return tuple(_inherited(folder_of_scan(scan, root), root, "pet", scan))


def folder_of_scan(scan: Mapping[str, str], root: Path) -> Path:
    """Folder of the raw files of a scan of the dataset at ``root``; arguments as of :func:`scan_sidecars`."""
    folder = root / f"sub-{scan['sub']}"
    return (folder / f"ses-{scan['ses']}" if "ses" in scan else folder) / "pet"


def sidecars_of(name: Name, bids: Path) -> tuple[Path, ...]:
    """Sidecars of a table of curves of a study, the nearest first.

    Raises
    ------
    InputError
        If it has none, with the name that one should have.
    """
    paths = find_sidecars(name.path, bids)
    if not paths or Fields(paths).of_columns_alone:
        stem = "_".join(f"{key}-{value}" for key, value in name.scan)
        several = ["_".join(f"{key}-{value}" for key, value in scan) for scan in fitting_scans(name, bids)]
        if len(several) > 1:
            raise InputError(
                f"{name.path}: its name fits {len(several)} scans of {bids}: {', '.join(several)}; name the table as "
                "the one that it is of"
            )
        raise InputError(
            f"{name.path} has no sidecar: neither a .json beside it nor {stem}_pet.json in the raw dataset {bids}; "
            "write its times, unit and tracer into one (raphe convert makes one)"
        )
    return paths


def of_another_scan(path: Path, scan: Path, keys: Iterable[str] = SCAN_ENTITIES) -> str:
    """Say that a file is of another scan than the one that it is used for, by their names; empty where they agree.

    Parameters
    ----------
    path, scan : Path
        The file, and the image or table of the scan. A name that BIDS would not give says nothing.
    keys : iterable of str
        Entities in which they must agree, where both have them.
    """
    try:
        own, other = parse_name(path).entities, parse_name(scan).entities
    except InputError:
        return ""
    for key in keys:
        if key in own and key in other and own[key] != other[key]:
            return (
                f"{path.name} is of {key}-{own[key]} by its name, but {scan.name} of {key}-{other[key]}; is it of the "
                "same scan?"
            )
    return ""


def volumes_of(name: Name) -> Path | None:
    """Table of volumes of the same participant, session (or none) and segmentation in the same dataset, or None."""
    fitting = []
    for path in below(name.root / f"sub-{name.entities['sub']}", "[!.]*_morph.tsv"):
        other = parse_name(path).entities
        if other.get("seg") == name.entities.get("seg") and other.get("ses", name.entities.get("ses")) == (
            name.entities.get("ses")
        ):
            fitting.append((-len(other.items() & name.entities.items()), path))
    return min(fitting)[1] if fitting else None


def reference_label(name: Name) -> str | None:
    """Label of the reference region if the table holds its curve alone (``ref-`` or ``label-``), else None."""
    return name.entities.get("label", name.entities.get("ref"))


def segmentation(name: Name) -> str:
    """Segmentation of a table: the value of ``seg``, else of a ``desc`` that is one; or empty."""
    desc = name.entities.get("desc", "")
    return name.entities.get("seg", desc if desc.lower() in SEGMENTATIONS else "")


def correction(name: Name) -> str:
    """Partial volume correction of a table: the value of ``pvc``; empty for ``nopvc`` and for none."""
    return correction_of(name.entities.get("pvc", ""))


def correction_of(label: str) -> str:
    """Partial volume correction of a label; empty for one that says that there is none."""
    return "" if label.lower() in ("nopvc", "none", "no") else label


def natural_key(label: str) -> tuple[tuple[int, str], ...]:
    """Key by which labels sort as a person would count and spell: ``2`` before ``10``, ``a`` before ``b``."""
    parts = re.findall(r"\d+|\D+", label.lower())
    return tuple((int(part), "") if part.isdecimal() else (0, part) for part in parts)


def _distinct(paths: Iterable[Path]) -> tuple[Path, ...]:
    unique: dict[Path, Path] = {}
    for path in paths:
        unique.setdefault(path.parent.resolve() / path.name, path)
    return tuple(unique.values())


def _raw_roots(table: Path, raw: Path | None) -> Iterator[Path]:
    if raw is not None:
        yield raw
    for folder in table.absolute().parents:
        if folder.name == "derivatives":
            yield from (folder.parent / name for name in RAW_FOLDERS)


def _inherited(folder: Path, root: Path, suffix: str, entities: Mapping[str, str]) -> Iterator[Path]:
    while True:
        fitting = []
        for path in sorted(folder.glob("[!.]*.json")) if folder.is_dir() else ():
            try:
                name = parse_name(path)
            except InputError:
                continue
            if name.suffix == suffix and name.entities.items() <= entities.items():
                fitting.append((-len(name.entities), path))
        yield from (path for _, path in sorted(fitting))
        if folder == root or folder == folder.parent:
            return
        folder = folder.parent
