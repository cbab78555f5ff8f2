"""``raphe convert``: a scanner's image, and blood and curves of other programs, become one scan of a raw dataset."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from raphe.errors import InputError, RapheError
from raphe.io import pet_fields, raw_dataset
from raphe.io.dft import is_dft
from raphe.io.dicom import is_dicom
from raphe.io.ecat import is_ecat
from raphe.io.pmod_convert import is_blood_source
from raphe.io.staging import staged
from raphe.io.tables import read_json, read_text, shortened
from raphe.pipeline.conversion import Conversion
from raphe.pipeline.convert_image import convert_dicom, convert_ecat
from raphe.pipeline.convert_tables import convert_blood_tables, convert_curves
from raphe.pipeline.messages import Messages

UNDERSTOOD = "ECAT7 (.v), DICOM, PMOD blood (.bld, .txt), curves (.tac, .dft, .tsv, .csv)"

CURVES = (".tac", ".dft", ".tsv", ".csv")
"""Endings of tables of curves."""


@dataclass(frozen=True)
class Sources:
    """Files that were named, by what they are."""

    ecat: tuple[Path, ...] = ()
    dicom: tuple[Path, ...] = ()
    blood: tuple[Path, ...] = ()
    curves: tuple[Path, ...] = ()


def run(options: argparse.Namespace) -> int:
    """Convert one scan; prints the files that were written."""
    messages = Messages(options)
    sources = _sort(options.source)
    given, of_blood = pet_fields.parted(_given(options))
    with staged(options.out) as stage, _as_published(stage, options.out):
        work = Conversion(stage, options, given, of_blood, messages)
        if sources.ecat:
            scan = convert_ecat(work, sources.ecat[0])
        elif sources.dicom:
            scan = convert_dicom(work, sources.dicom)
        else:
            scan = work.scan(options.tracer or "")
        if sources.blood:
            convert_blood_tables(work, scan, sources.blood)
        if sources.curves:
            convert_curves(work, scan, sources.curves)
        _warn_of_unused(work, sources)
        raw_dataset.add_description(stage, options.out)
        if sources.ecat or sources.dicom or sources.blood:
            raw_dataset.add_participant(stage, options.out, scan)
        files = sorted(path.relative_to(stage) for path in stage.rglob("*") if path.is_file())
        if not options.overwrite:
            raw_dataset.refuse_existing(options.out, [file for file in files if file.name != "participants.tsv"])
    for file in files:
        print(options.out / file)
    return messages.code


def _sort(paths: Sequence[Path]) -> Sources:
    found: dict[str, list[Path]] = {"ecat": [], "dicom": [], "blood": [], "curves": []}
    for path in dict.fromkeys(paths):
        if not path.exists():
            raise InputError(f"{path} does not exist")
        found[_kind(path)].append(path)
    sources = Sources(**{kind: tuple(files) for kind, files in found.items()})
    for several, what in (((*sources.ecat, *sources.dicom[:1]), "images"), (sources.curves, "tables of curves")):
        if len(several) > 1:
            names = shortened([str(path) for path in several], 4)
            raise InputError(f"{names} are several {what}; convert one scan at a time")
    return sources


def _kind(path: Path) -> str:
    if path.is_dir():
        if is_dicom(path):
            return "dicom"
        raise InputError(f"{path} is a folder that holds no DICOM file; name the files ({UNDERSTOOD})")
    if is_ecat(path):
        return "ecat"
    if is_dicom(path):
        return "dicom"
    if is_blood_source(path):
        return "blood"
    if path.suffix.lower() in CURVES:
        return "curves"
    with _named(path):
        if is_dft(read_text(path)):
            return "curves"
    raise InputError(f"{path} is none of the formats that raphe converts: {UNDERSTOOD}")


def _given(options: argparse.Namespace) -> dict[str, object]:
    """Fields that the user gave; a later one goes before an earlier one, and ``--set`` before ``--json``."""
    fields: dict[str, object] = {}
    for path in options.json:
        fields |= read_json(path)
    return fields | dict(options.set)


def _warn_of_unused(work: Conversion, sources: Sources) -> None:
    if work.of_blood and not sources.blood:
        work.messages.warn(f"there is no blood to describe; not used: {', '.join(work.of_blood)}")
    if work.given and not (sources.ecat or sources.dicom or sources.curves):
        work.messages.warn(f"there is no image to describe; not used: {shortened(list(work.given), 4)}")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Say of a file that cannot be read as text which formats would do."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{error}; raphe converts {UNDERSTOOD}") from None


@contextmanager
def _as_published(stage: Path, out: Path) -> Iterator[None]:
    """Name files in errors by the place that they will have, not by that in which they are made."""
    try:
        yield
    except RapheError as error:
        raise type(error)(str(error).replace(str(stage), str(out))) from None
