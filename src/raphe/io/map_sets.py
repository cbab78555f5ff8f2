"""Parametric maps of scans found in a folder by their names, whatever software made them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from raphe.errors import InputError
from raphe.io.below import below
from raphe.io.derivatives import IMAGE_ENDINGS, QUALITY
from raphe.io.names import Name, check_place, find_sidecars, parse_name
from raphe.io.tables import read_json, shortened

SUFFIX = "mimap"

EXPECTED = "sub-LABEL[_ses-LABEL][_trc-TRACER]_space-TEMPLATE[_model-MODEL]_meas-{}_mimap.nii.gz"
"""Name of a map."""


@dataclass(frozen=True)
class FoundMap:
    """One map of a parameter.

    Parameters
    ----------
    path : Path
    entities : mapping of str to str
        Of its name.
    tracer, model : str
        By its name, else by its sidecars; empty where neither tells.
    quality : Path or None
        Map of the flags of its fits, which is named as it is but for ``meas-quality``; None where there is none.
    """

    path: Path
    entities: Mapping[str, str]
    tracer: str
    model: str
    quality: Path | None

    @property
    def participant(self) -> str:
        """Label without ``sub-``."""
        return self.entities["sub"]

    @property
    def session(self) -> str:
        """Label without ``ses-``; empty where there is none."""
        return self.entities.get("ses", "")

    @property
    def label(self) -> str:
        """``sub-01_ses-baseline`` and so on."""
        return f"sub-{self.participant}" + (f"_ses-{self.session}" if self.session else "")


def find_maps(folder: Path, labels: Sequence[str]) -> tuple[FoundMap, ...]:
    """Maps of parameters under a folder, sorted by their paths; maps of standard errors are none.

    Parameters
    ----------
    folder : Path
    labels : sequence of str
        What ``meas-`` says of the parameters, in any case.

    Raises
    ------
    InputError
        If there is no such folder, no map, or a name is not as BIDS has it or of another folder's participant.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; name one that holds maps, or a table of estimates")
    images = sorted(_images(folder))
    named = [parse_name(path) for path in images if _stem(path).endswith(f"_{SUFFIX}") and path.name[:4] == "sub-"]
    flags = {_others(name): name.path for name in named if name.entities.get("meas") == QUALITY}
    wanted = {label.lower() for label in labels}
    found = [
        _found(name, flags.get(_others(name)))
        for name in named
        if name.entities.get("meas", "").lower() in wanted and "stat" not in name.entities
    ]
    if not found:
        raise InputError(_none(folder, labels, images))
    return tuple(found)


def _images(folder: Path) -> Iterator[Path]:
    """Every image under a folder, but in hidden ones."""
    for path in below(folder, "*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.name.endswith(IMAGE_ENDINGS) and not hidden:
            yield path


def _stem(path: Path) -> str:
    return next(path.name.removesuffix(end) for end in IMAGE_ENDINGS if path.name.endswith(end))


def _others(name: Name) -> tuple[Path, frozenset[tuple[str, str]]]:
    """What a map and that of its flags have in common."""
    return name.path.parent, frozenset(item for item in name.entities.items() if item[0] != "meas")


def _found(name: Name, quality: Path | None) -> FoundMap:
    check_place(name)
    told = {"trc": name.entities.get("trc", ""), "model": name.entities.get("model", "")}
    fields = {"trc": "TracerName", "model": "ModelName"}
    lacking = [key for key, value in told.items() if not value]
    for sidecar in find_sidecars(name.path) if lacking else ():
        about = read_json(sidecar)
        for key in lacking:
            value = about.get(fields[key])
            told[key] = told[key] or (value if isinstance(value, str) else "")
    return FoundMap(name.path, name.entities, told["trc"], told["model"], quality)


def _none(folder: Path, labels: Sequence[str], images: Sequence[Path]) -> str:
    there = shortened([path.relative_to(folder).as_posix() for path in images], 6)
    return (
        f"{folder}: there is no map of {' or '.join(labels)} in it or below; maps are named "
        f"{EXPECTED.format('|'.join(labels))} (or .nii), and "
        f"{f'the images there are {there}; rename those that are meant' if images else 'there is no NIfTI image'}"
    )
