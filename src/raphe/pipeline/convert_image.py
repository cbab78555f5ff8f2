"""The image of a scan and its sidecar: from ECAT7, or from DICOM by the converter that the user has."""

from __future__ import annotations

import shutil
import tempfile
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.data.scan import Scan
from raphe.errors import InputError
from raphe.io import pet_fields, raw_dataset
from raphe.io.dicom import convert_series
from raphe.io.ecat import EcatFile, open_ecat
from raphe.io.ecat_fields import HIGHEST, Told, read_fields
from raphe.io.image_writing import write_image
from raphe.io.nifti import open_image
from raphe.io.provenance import software_version
from raphe.io.sidecar import inspect_sidecar
from raphe.nomenclature import tracer_key
from raphe.pipeline.conversion import Conversion

IMAGE, SIDECAR = "pet.nii.gz", "pet.json"


def convert_ecat(work: Conversion, path: Path) -> Scan:
    """Write an ECAT7 image and its sidecar.

    Raises
    ------
    InputError, UnitError, TimingError
        If the file cannot be used, or a field that BIDS requires is told by neither it nor the user.
    """
    asked = work.options
    with open_ecat(path, asked.position) as image:
        told = read_fields(
            image,
            calibration=asked.calibration_factor,
            unit=asked.unit,
            dosage_unit=asked.dosage_unit,
            zone=_zone(asked.time_zone),
        )
        for finding in (*image.findings, *told.findings):
            work.warn(finding.message)
        fields = _fields(work, path, told.fields, told.hints)
        scan = work.scan(str(fields["TracerName"]))
        _write_sidecar(work, path, scan, fields, len(image.frames))
        _write_ecat(work, work.stage / raw_dataset.pet_file(scan, IMAGE), image, told)
    return scan


def convert_dicom(work: Conversion, sources: Sequence[Path]) -> Scan:
    """Write the image of a DICOM series and its sidecar.

    Raises
    ------
    InputError, UnitError, TimingError
        As :func:`raphe.io.dicom.convert_series`, or if a field that BIDS requires is not told.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = convert_series(sources, Path(folder))
        work.messages.detail(f"{made.program} made {made.image.name}")
        fields = _fields(work, sources[0], made.fields, made.hints)
        scan = work.scan(str(fields["TracerName"]))
        target = work.stage / raw_dataset.pet_file(scan, IMAGE)
        target.parent.mkdir(parents=True)
        shutil.copyfile(made.image, target)
        image = open_image(target)
        for finding in image.findings:
            work.warn(finding.message)
        _write_sidecar(work, sources[0], scan, fields, image.n_volume)
    return scan


def _fields(work: Conversion, source: Path, found: Mapping[str, object], hints: Mapping[str, str]) -> dict[str, object]:
    """Fields of the sidecar: those of the source, over them those that were given, and what follows from both."""
    fields = {**found, **work.given}
    tracer = work.options.tracer
    if tracer is not None:
        told = str(fields.get("TracerName", tracer))
        if not _alike(told, tracer):
            work.warn(f"{source}: TracerName is {told!r}, but --tracer is {tracer!r}, which is taken")
        fields["TracerName"] = tracer
    fields = pet_fields.completed(fields)
    pet_fields.require(source, fields, pet_fields.asked(fields), hints)
    made_by = {"ConversionSoftware": raw_dataset.MADE_BY, "ConversionSoftwareVersion": software_version()}
    order = dict.fromkeys((*pet_fields.REQUIRED, *fields))
    return {field: fields[field] for field in order if field in fields} | made_by


def _alike(one: str, other: str) -> bool:
    first, second = tracer_key(one), tracer_key(other)
    return first in second or second in first


def _write_sidecar(work: Conversion, source: Path, scan: Scan, fields: Mapping[str, object], n_volume: int) -> None:
    """Write the sidecar, and read it as every other command will.

    A length of the scan that is hard to believe is but a doubt where the source told it, for there its unit is known.
    """
    path = work.stage / raw_dataset.pet_file(scan, SIDECAR)
    raw_dataset.write_json(path, fields)
    sidecar, faults = inspect_sidecar([path])
    for fault in faults:
        message = str(fault.error).replace(str(path), str(source))
        if fault.field != "FrameDuration" or {"FrameDuration", "FrameTimesStart", "InjectionStart"} & set(work.given):
            raise type(fault.error)(message)
        work.warn(message)
    for field, times in (("FrameTimesStart", sidecar.start), ("FrameDuration", sidecar.duration)):
        if times is not None and times.size != n_volume:
            raise InputError(
                f"{source}: {field} lists {times.size} frames, but the image has {n_volume}; mend what was given"
            )
    for finding in sidecar.findings:
        work.warn(finding.message)


def _write_ecat(work: Conversion, path: Path, image: EcatFile, told: Told) -> None:
    highest = 0.0

    def volumes() -> Iterator[npt.NDArray[np.float32]]:
        nonlocal highest
        for index, volume in enumerate(image.volumes(told.factor), start=1):
            highest = max(highest, float(np.abs(volume).max()))
            work.messages.progress(index, len(image.frames), "frames")
            yield volume

    write_image(path, image.grid, volumes(), len(image.frames), np.float32)
    if highest > HIGHEST:
        work.warn(
            f"{image.path}: the activity reaches {highest:.3g} Bq/mL, which nothing living holds; is the calibration "
            f"factor ({image.header['ecat_calibration_factor']:g}) or the unit ({image.header['data_units']}) wrong?"
        )


def _zone(name: str | None) -> tzinfo:
    if name is None:
        return UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"--time-zone {name!r} is not known on this machine; write e.g. Europe/Stockholm") from None
