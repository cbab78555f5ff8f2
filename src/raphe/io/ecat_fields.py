"""What the headers of an ECAT7 image tell of its scan, as fields of BIDS; what they leave open is never guessed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType
from typing import Any

import numpy as np

from raphe.catalog import half_life as half_life_of
from raphe.core.decay import decay_constant, remaining
from raphe.core.frames import Frames
from raphe.data.finding import Finding
from raphe.errors import InputError
from raphe.io.ecat import EcatFile
from raphe.io.place import located
from raphe.io.radionuclides import canonical
from raphe.io.schedule import make_frames
from raphe.io.sidecar import HALF_LIFE_TOLERANCE
from raphe.io.units import concentration

SCANNERS = MappingProxyType(
    {
        328: "HRRT",
        921: "ECAT EXACT",
        925: "ECAT ART",
        931: "ECAT 931",
        951: "ECAT 951",
        953: "ECAT 953",
        961: "ECAT EXACT HR",
        962: "ECAT EXACT HR+",
        966: "ECAT EXACT 3D",
    }
)
"""Models by ``system_type``: CTI named its tomographs by these numbers."""

CALIBRATED = 1
"""What ``calibration_units`` is where voxels times the calibration factor are an activity."""

MODES = MappingProxyType({3: "static emission", 4: "dynamic emission"})
"""Kinds of acquisition that are a scan of a person with a tracer, by ``acquisition_type``."""

OTHER_MODES = MappingProxyType({1: "blank", 2: "transmission", 5: "gated emission", 6: "transmission rectilinear"})

MEASURED, CALCULATED, DECAY = 2, 4, 512
"""Bits of ``corrections_applied``: attenuation measured, attenuation calculated, decay."""

SAME_CLOCK = 1.0
"""Seconds to which the time of decay correction must agree between frames."""

EARLIEST_DOSE = 12.0 * 3600
"""Seconds before the scan beyond which a ``dose_start_time`` is not this scan's; an assumption."""

HIGHEST = 1e9
"""Bq/mL above which an activity cannot be of a living body, for a warning; an assumption."""

_NO_NAME = ("", "unknown", "none", "n/a")


@dataclass(frozen=True)
class Told:
    """What the headers tell.

    Parameters
    ----------
    fields : mapping of str to object
        Fields of BIDS.
    hints : mapping of str to str
        What they say of a field, where that is not enough to fill it.
    factor : float
        From the voxels, times their scale factor, to Bq/mL.
    findings : tuple of Finding
    """

    fields: Mapping[str, object]
    hints: Mapping[str, str]
    factor: float
    findings: tuple[Finding, ...]


def read_fields(
    image: EcatFile,
    *,
    calibration: float | None = None,
    unit: str | None = None,
    dosage_unit: str | None = None,
    zone: tzinfo = UTC,
) -> Told:
    """Fields of an ECAT7 image.

    Times count from the start of the scan, which is what the file does and to which ECAT corrects decay.

    Parameters
    ----------
    image : EcatFile
    calibration : float, optional
        Factor from voxels to the unit of the file, over that of the header.
    unit : str, optional
        Activity concentration where the header does not tell it.
    dosage_unit : str, optional
        Unit of the header's dosage, which has none.
    zone : tzinfo
        Of the scanner, for ``TimeZero``: the header counts seconds of the world's clock.

    Raises
    ------
    InputError, UnitError
        If it is a transmission or gated scan, the unit or the calibration is not told, or the nuclide contradicts its
        half-life.
    """
    header, told = image.header, _Telling()
    kind = int(header["acquisition_type"])
    if kind in OTHER_MODES:
        raise InputError(
            f"{image.path} is a {OTHER_MODES[kind]} scan (acquisition_type {kind}); give the emission scan"
        )
    factor = _calibration(image, calibration) * _to_becquerel(image, unit)
    told.fields["Units"] = "Bq/mL"
    _scanner(header, told)
    _tracer(image, told, dosage_unit)
    frames = _times(image, told, zone)
    _decay(image, told, frames)
    _reconstruction(image, told)
    return Told(
        told.fields,
        told.hints,
        factor,
        tuple(Finding("warning", image.path, field, f"{image.path}: {text}") for field, text in told.doubts),
    )


class _Telling:
    """What was found so far."""

    def __init__(self) -> None:
        self.fields: dict[str, object] = {}
        self.hints: dict[str, str] = {}
        self.doubts: list[tuple[str, str]] = []


def _calibration(image: EcatFile, given: float | None) -> float:
    """Factor from the voxels times their scale factor to the unit of the file."""
    if given is not None:
        return given
    factor, state = float(image.header["ecat_calibration_factor"]), int(image.header["calibration_unitS"])
    way_out = (
        "give the factor by which voxels times their scale factor become the header's unit (--calibration-factor F)"
    )
    if not (math.isfinite(factor) and factor > 0):
        raise InputError(f"{image.path}: ecat_calibration_factor is {factor:g}; {way_out}, 1 if they are in it already")
    if state != CALIBRATED and factor != 1:
        raise InputError(
            f"{image.path}: calibration_units is {state}, not {CALIBRATED} for calibrated, but ecat_calibration_factor "
            f"is {factor:g}; {way_out}: that factor, or 1 if they are in it already"
        )
    return factor


def _to_becquerel(image: EcatFile, given: str | None) -> float:
    spelled = image.header["data_units"]
    if not spelled:
        if given is None:
            raise InputError(
                f"{image.path}: data_units is empty, so the unit of the voxels is not told; give it (--unit Bq/mL)"
            )
        spelled = given
    with located(f"{image.path}: data_units"):
        factor = concentration(spelled)
    if given is not None and concentration(given) != factor:
        raise InputError(f"{image.path}: data_units is {spelled!r}, but --unit is {given}; leave --unit out")
    return 1e3 * factor


def _scanner(header: Mapping[str, Any], told: _Telling) -> None:
    told.fields["Manufacturer"] = "Siemens"  # ECAT7 is CTI's and Siemens' own format
    number = int(header["system_type"])
    if number in SCANNERS:
        told.fields["ManufacturersModelName"] = SCANNERS[number]
    else:
        told.hints["ManufacturersModelName"] = f"the header's system_type is {number}"
    kind = int(header["acquisition_type"])
    if kind in MODES:
        told.fields["AcquisitionMode"] = MODES[kind]
    if header["patient_weight"] > 0:
        told.fields["BodyWeight"] = round(float(header["patient_weight"]), 3)


def _tracer(image: EcatFile, told: _Telling, dosage_unit: str | None) -> None:
    header = image.header
    if header["radiopharmaceutical"].lower() in _NO_NAME:
        told.hints["TracerName"] = f"the header's radiopharmaceutical is {header['radiopharmaceutical']!r}"
    else:
        told.fields["TracerName"] = header["radiopharmaceutical"]
    if header["isotope_name"].lower() not in _NO_NAME:
        with located(f"{image.path}: isotope_name"):
            told.fields["TracerRadionuclide"] = nuclide = canonical(header["isotope_name"])
        _check_half_life(image, nuclide, told)
    dosage = float(header["dosage"])
    if dosage > 0 and dosage_unit is not None:
        told.fields |= {"InjectedRadioactivity": float(f"{dosage:.7g}"), "InjectedRadioactivityUnits": dosage_unit}
    elif dosage > 0:
        told.hints["InjectedRadioactivity"] = (
            f"the header's dosage is {dosage:.7g} without a unit; say it by --dosage-unit MBq"
        )


def _check_half_life(image: EcatFile, nuclide: str, told: _Telling) -> None:
    seconds = float(image.header["isotope_halflife"])
    try:
        own = 60 * half_life_of(nuclide)
    except KeyError:
        return
    if seconds > 0 and abs(seconds - own) > HALF_LIFE_TOLERANCE * own:
        told.doubts.append(
            (
                "isotope_halflife",
                f"isotope_halflife is {seconds:g} s, but {nuclide} has {own:g} s; decay was corrected with a wrong "
                "one, or isotope_name is wrong",
            )
        )


def _times(image: EcatFile, told: _Telling, zone: tzinfo) -> Frames:
    start = [int(frame["frame_start_time"]) / 1000 for frame in image.frames]
    duration = [int(frame["frame_duration"]) / 1000 for frame in image.frames]
    frames = make_frames(
        np.array(start) / 60, np.array(duration) / 60, f"{image.path}: frame_start_time and frame_duration"
    )
    told.fields |= {"FrameTimesStart": start, "FrameDuration": duration, "ScanStart": 0}
    scan, dose = int(image.header["scan_start_time"]), int(image.header["dose_start_time"])
    if scan == 0:
        told.hints["TimeZero"] = "when the scan started"
        return frames
    clock = datetime.fromtimestamp(scan, zone)
    told.fields["TimeZero"] = clock.strftime("%H:%M:%S")
    end = scan + start[-1] + duration[-1]
    if scan - EARLIEST_DOSE <= dose < end:
        told.fields["InjectionStart"] = dose - scan
    elif dose > 0:
        told.hints["InjectionStart"] = (
            f"the header's dose_start_time is {dose - scan:+d} s from its scan_start_time, which cannot be of this scan"
        )
    else:
        told.hints["InjectionStart"] = "the header has no dose_start_time; 0 if the tracer was given as the scan began"
    return frames


def _decay(image: EcatFile, told: _Telling, frames: Frames) -> None:
    """Tell whether and to what time decay was corrected: the flag and the factors of the frames must agree."""
    factors = np.array([float(frame["decay_corr_fctr"]) for frame in image.frames])
    flags = [bool(int(frame["corrections_applied"]) & DECAY) for frame in image.frames]
    done = bool((factors > 1 + 1e-6).any())
    if any(flag != done for flag in flags) or not (factors > 0).all():
        said = "is" if flags[0] else "is not"
        told.hints["ImageDecayCorrected"] = (
            f"by corrections_applied it {said} corrected, but decay_corr_fctr is {factors.min():.4g} to "
            f"{factors.max():.4g}"
        )
        return
    told.fields["ImageDecayCorrected"] = done
    if not done:
        told.fields["ImageDecayCorrectionTime"] = 0
        return
    told.fields["DecayCorrectionFactor"] = [float(f"{one:.8g}") for one in factors]
    life = float(image.header["isotope_halflife"]) / 60
    if not life > 0:
        told.hints["ImageDecayCorrectionTime"] = "the header has no isotope_halflife to tell it by"
        return
    moment = -60 * np.log(factors * remaining(frames, life)) / decay_constant(life)
    if np.abs(moment).max() <= SAME_CLOCK:
        told.fields["ImageDecayCorrectionTime"] = 0
    elif np.ptp(moment) <= SAME_CLOCK:
        told.fields["ImageDecayCorrectionTime"] = round(float(np.median(moment)), 1)
    else:
        told.hints["ImageDecayCorrectionTime"] = (
            f"decay_corr_fctr of the frames means {moment.min():.0f} to {moment.max():.0f} s from the start of the scan"
        )


def _reconstruction(image: EcatFile, told: _Telling) -> None:
    first = image.frames[0]
    done = int(first["corrections_applied"])
    kinds = [name for bit, name in ((MEASURED, "measured"), (CALCULATED, "calculated")) if done & bit]
    if kinds:
        told.fields["AttenuationCorrection"] = " and ".join(kinds)
    elif done:
        told.fields["AttenuationCorrection"] = "none"
    told.fields |= {
        "ReconMatrixSize": list(image.grid.shape),
        "ImageVoxelSize": [round(size, 6) for size in image.grid.zooms],
        "PatientPosition": image.position,
        "ScaleFactor": [float(f"{float(frame['scale_factor']):.8g}") for frame in image.frames],
    }
    if first["annotation"]:
        told.hints["ReconMethodName"] = f"the header's annotation is {first['annotation']!r}"
    if np.any([float(first[f"mt_{i}_{j}"]) for i in (1, 2, 3) for j in (1, 2, 3)]):
        told.doubts.append(("mt_1_1", "the header holds a transformation matrix; the voxels stay as they are stored"))
