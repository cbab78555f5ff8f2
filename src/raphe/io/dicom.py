"""DICOM series to NIfTI by programs that the user has: dcm2niix, and pypet2bids around it where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from raphe.errors import InputError, UnitError
from raphe.io.decoded import decoded
from raphe.io.pet_fields import REQUIRED, told, without_empty
from raphe.io.tables import read_json, shortened
from raphe.io.units import concentration

CONVERTER, COMPLETED = "dcm2niix", "dcm2niix4pet"
"""The converter, and pypet2bids' command around it."""

LONGEST = 1800.0
"""Seconds after which a converter is stopped."""

INSTALL = (
    "install dcm2niix (pip install dcm2niix, conda install -c conda-forge dcm2niix, or apt install dcm2niix), and "
    "pypet2bids besides for fuller metadata (pip install pypet2bids); or convert elsewhere and give the NIfTI files"
)

_ENDINGS = (".dcm", ".ima", ".img.dcm")
_DECAY = MappingProxyType({"NONE": False, "START": True, "ADMIN": True})
_SAME = (
    "Manufacturer",
    "ManufacturersModelName",
    "FrameTimesStart",
    "FrameDuration",
    "BodyPart",
    "DecayCorrectionFactor",
)


@dataclass(frozen=True, eq=False)
class FromDicom:
    """One PET series that was converted.

    Parameters
    ----------
    image : Path
        The NIfTI file, gzipped.
    fields : mapping of str to object
        Fields of BIDS.
    hints : mapping of str to str
        What the series says of a field, where that is not enough to fill it.
    program : str
        What made it.
    """

    image: Path
    fields: Mapping[str, object]
    hints: Mapping[str, str]
    program: str


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM by its mark or its ending, or a folder holds such a file."""
    if path.is_dir():
        return any(is_dicom(file) for file in sorted(path.rglob("*")) if file.is_file())
    if path.name.lower().endswith(_ENDINGS):
        return True
    try:
        with decoded(path) as file:
            head = bytearray(132)
            file.fill(memoryview(head))
    except (InputError, OSError):
        return False
    return bytes(head[128:]) == b"DICM"


def convert_series(sources: Sequence[Path], folder: Path, timeout: float | None = None) -> FromDicom:
    """Convert one series.

    Parameters
    ----------
    sources : sequence of Path
        A folder, or the files of the series.
    folder : Path
        An empty folder for what is made.
    timeout : float, s, optional
        :data:`LONGEST` if not given.

    Raises
    ------
    InputError
        If no converter is installed, it fails or takes too long, or it makes no image or several.
    """
    timeout = LONGEST if timeout is None else timeout
    series = _series(sources, folder / "series")
    made = folder / "made"
    made.mkdir()
    what = shortened([str(path) for path in sources], 3)
    if shutil.which(CONVERTER) is None:
        raise InputError(f"{what}: DICOM is converted by {CONVERTER}, which is not on the PATH; {INSTALL}")
    if shutil.which(COMPLETED) is not None:
        _run([COMPLETED, str(series), "-d", str(made)], what, timeout)
        program, read = COMPLETED, _of_pypet2bids
    else:
        _run(
            [CONVERTER, "-b", "y", "-ba", "y", "-z", "y", "-f", "series-%s", "-o", str(made), str(series)],
            what,
            timeout,
        )
        program, read = CONVERTER, _of_dcm2niix
    image = _the_image(made, what, program)
    sidecar = image.with_name(image.name.removesuffix(".nii.gz") + ".json")
    if not sidecar.is_file():
        raise InputError(f"{what}: {program} made {image.name} without a JSON sidecar; use a newer version of it")
    fields, hints = read(read_json(sidecar))
    return FromDicom(image, fields, hints, program)


def _series(sources: Sequence[Path], folder: Path) -> Path:
    """Folder of the series: the one that was given, or one of links to the files that were."""
    if len(sources) == 1 and sources[0].is_dir():
        return sources[0]
    folder.mkdir()
    for number, path in enumerate(sources):
        if path.is_dir():
            raise InputError(f"{path} is a folder among files; give one folder, or the files of one series")
        (folder / f"{number:06d}.dcm").symlink_to(path.resolve())
    return folder


def _run(command: Sequence[str], what: str, timeout: float) -> None:
    quiet = {**os.environ, "PET2BIDS_TELEMETRY_ENABLED": "False"}
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=timeout, check=False, env=quiet
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"{what}: {command[0]} was stopped after {timeout:g} s; is it one PET series?") from None
    except OSError as error:
        raise InputError(f"{what}: {command[0]} cannot be run: {error.strerror or error}; {INSTALL}") from None
    if ended.returncode:
        said = [line for line in f"{ended.stdout}\n{ended.stderr}".splitlines() if line.strip()]
        last = " / ".join(line.strip() for line in said[-3:]) or "it says nothing"
        raise InputError(f"{what}: {command[0]} failed (exit code {ended.returncode}): {last}")


def _the_image(made: Path, what: str, program: str) -> Path:
    images = sorted(made.rglob("*.nii.gz"))
    if len(images) != 1:
        names = shortened([image.name for image in images], 6) or "none"
        raise InputError(
            f"{what}: {program} made {len(images)} images ({names}); give the files of one PET series alone"
        )
    return images[0]


def _of_pypet2bids(sidecar: Mapping[str, object]) -> tuple[dict[str, object], dict[str, str]]:
    """Take the fields of BIDS that it could fill; it leaves the others empty or as lists of nothing."""
    known = {field: value for field, value in sidecar.items() if told(value)}
    return known, {}


def _of_dcm2niix(sidecar: Mapping[str, object]) -> tuple[dict[str, object], dict[str, str]]:
    """Translate DICOM's words, as dcm2niix passes them on, to fields of BIDS."""
    fields = without_empty(sidecar, (*_SAME, *(set(REQUIRED) & set(sidecar))))
    hints: dict[str, str] = {}
    taken: tuple[tuple[str, str, Callable[[object], object | None]], ...] = (
        ("Units", "Units", _unit),
        ("Radiopharmaceutical", "TracerName", lambda value: value),
        ("RadionuclideTotalDose", "InjectedRadioactivity", _megabecquerel),
        ("DecayCorrection", "ImageDecayCorrected", lambda value: _DECAY.get(str(value).upper())),
        ("AttenuationCorrectionMethod", "AttenuationCorrection", lambda value: value),
        ("ReconstructionMethod", "ReconMethodName", lambda value: value),
        ("ConvolutionKernel", "ReconFilterType", lambda value: value),
        ("AcquisitionTime", "TimeZero", lambda value: str(value).split(".")[0]),
        ("DecayFactor", "DecayCorrectionFactor", lambda value: value if isinstance(value, list) else None),
    )
    for word, field, translate in taken:
        if not told(sidecar.get(word)):
            continue
        value = translate(sidecar[word])
        if value is None:
            fields.pop(field, None)
            hints[field] = f"the series says {word} {sidecar[word]!r}"
        elif field == "Units" or field not in fields:
            fields[field] = value
    if "RadionuclideTotalDose" in sidecar and "InjectedRadioactivity" in fields:
        fields.setdefault("InjectedRadioactivityUnits", "MBq")
    if "RadionuclideHalfLife" in sidecar:
        hints["TracerRadionuclide"] = f"its half-life is {sidecar['RadionuclideHalfLife']} s"
    _with_clock(fields, str(sidecar.get("DecayCorrection", "")).upper())
    return fields, hints


def _unit(value: object) -> object | None:
    """Give an activity concentration as BIDS spells it; DICOM's other units (counts, SUV) are none."""
    try:
        return "Bq/mL" if concentration(str(value)) == concentration("Bq/mL") else value
    except UnitError:
        return None


def _megabecquerel(value: object) -> object | None:
    """Give DICOM's dose, which is in Bq, in MBq."""
    return float(f"{float(value) / 1e6:.7g}") if isinstance(value, int | float) and value > 0 else None


def _with_clock(fields: dict[str, object], decay: str) -> None:
    """Times count from the start of the series, which is TimeZero."""
    if told(fields.get("TimeZero")):
        fields.setdefault("ScanStart", 0)
    if decay in ("START", "NONE"):
        fields.setdefault("ImageDecayCorrectionTime", 0)
    elif decay == "ADMIN" and "InjectionStart" in fields:
        fields.setdefault("ImageDecayCorrectionTime", fields["InjectionStart"])
