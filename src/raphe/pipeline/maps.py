"""From the fits of voxels to maps and what their sidecars say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.data.record import Step
from raphe.io.derivatives import QUALITY, mimap
from raphe.io.fitted import Told, metadata
from raphe.io.images import Indices
from raphe.io.mimap import OUTSIDE, write_mimap
from raphe.io.nifti import ImageFile
from raphe.io.provenance import versions
from raphe.io.staging import staged
from raphe.kinetics.judgement import assumed
from raphe.kinetics.negative_binding import doubt_of_binding, n_below
from raphe.kinetics.protocol import KineticModel
from raphe.kinetics.voxelwise import VoxelFit
from raphe.nomenclature import SYMBOLS
from raphe.pipeline.parameters import told_of
from raphe.quality import MEANING, WORD, Quality, usable

_Job = tuple[Path, Sequence[npt.NDArray[np.generic]], Mapping[str, object]]


@dataclass(frozen=True, eq=False)
class Maps:
    """What one model gave for the voxels of an image.

    Parameters
    ----------
    model : KineticModel
    found : sequence of VoxelFit
        In the order of the voxels.
    steps : tuple of Step
        What was done for this model.
    """

    model: KineticModel
    found: Sequence[VoxelFit]
    steps: tuple[Step, ...]


def write_maps(
    out: Path,
    source: ImageFile,
    voxels: Indices,
    maps: Sequence[Maps],
    convention: str,
    sources: Sequence[str],
    command_line: str,
    workers: int = 1,
) -> list[Path]:
    """Write for each model a map of every parameter, one of its standard error, and one of flags: all or none.

    Parameters
    ----------
    out : Path
        Folder.
    source : ImageFile
        The image that was mapped.
    voxels : ndarray of int
        Indices of the voxels.
    maps : sequence of Maps
    convention : str
    sources : sequence of str
        Files that were read.
    command_line : str
    workers : int
        Files that are written at a time.

    Returns
    -------
    list of Path

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    jobs = [
        job
        for one in maps
        for job in _jobs(out, source, one, convention, told_of(one.model.name, one.steps, sources, command_line))
    ]
    with staged(out) as stage:

        def write(job: _Job) -> None:
            path, values, about = job
            write_mimap(stage / path.name, source, voxels, values, about)

        if workers == 1:
            for job in jobs:
                write(job)
        else:
            with ThreadPoolExecutor(workers) as pool:
                for done in [pool.submit(write, job) for job in jobs]:
                    done.result()
    return [path for path, _, _ in jobs]


def told_of_voxels(maps: Maps) -> tuple[str, bool]:
    """Tell how many voxels have an estimate that may be used, and whether a person must read it."""
    n_voxel = sum(part.quality.size for part in maps.found)
    lost = sum(int((~usable(part.quality)).sum()) for part in maps.found)
    bad = sum(int((part.quality & int(Quality.BAD_INPUT) > 0).sum()) for part in maps.found)
    told = f"{maps.model.name}: {n_voxel} voxels, {lost} of them not usable"
    if bad:
        told += f", {bad} of these because their values are not numbers or all zero"
    serious = 2 * lost > n_voxel
    if serious:
        told += "; see the map of flags (meas-quality)"
    doubt = ""
    if "BP_ND" in maps.model.parameters:
        at = maps.model.parameters.index("BP_ND")
        below = sum(n_below(part.value[at], part.se[at], usable(part.quality)) for part in maps.found)
        doubt = doubt_of_binding(below, n_voxel - lost, "voxels")
    return told + (f". {doubt}" if doubt else ""), serious or bool(doubt)


def _jobs(out: Path, source: ImageFile, one: Maps, convention: str, told: Told) -> Iterator[_Job]:
    """Files of one model: where each goes, its values, and what its sidecar says."""
    name, found = one.model.name, one.found
    common = {
        **metadata("", name, assumed(one.model), convention, told),
        "Mask": _mask(one.steps),
        **_noise(one.steps),
        "SoftwareVersions": versions(),
    }
    for at, parameter in enumerate(one.model.parameters):
        symbol = SYMBOLS[parameter]
        about = {**common, "Parameter": symbol.label, "Units": symbol.unit}
        about["Description"] = f"Map of {symbol.meaning}; NaN where it was not estimated"
        yield mimap(out, source.path, name, symbol.label), [part.value[at] for part in found], about
        about = {**about, "Description": f"Map of the standard error of {symbol.label}; NaN where it was not estimated"}
        yield mimap(out, source.path, name, symbol.label, "se"), [part.se[at] for part in found], about
    yield mimap(out, source.path, name, QUALITY), [part.quality for part in found], {**common, **_flags()}


def _mask(steps: Sequence[Step]) -> dict[str, object]:
    get = next(step for step in steps if step.name == "mask").parameters.get
    if get("file") is not None:
        return {"File": get("file"), "NumberOfVoxels": get("n_voxel")}
    rule = (
        f"voxels whose mean activity, weighted by the frames' durations, exceeds {get('share')} of the "
        f"{get('percentile')}th percentile; an assumption"
    )
    return {"Rule": rule, "Threshold": get("threshold"), "ThresholdUnits": "kBq/mL", "NumberOfVoxels": get("n_voxel")}


def _noise(steps: Sequence[Step]) -> dict[str, object]:
    """What was done against noise."""
    told: dict[str, object] = {}
    for step in steps:
        if step.name == "smooth":
            kernel = f"{step.parameters['kernel']}, inside the mask"
            told |= {"FWHM": step.parameters["fwhm"], "FWHMUnits": "mm", "Kernel": kernel}
        if step.name == "regularise":
            told["Regularised"] = "averaged over neighbours that differ by no more than their errors"
    return told


def _flags() -> dict[str, object]:
    return {
        "Description": f"Flags of the fits, a bit each; 0 for a fit without remark, {OUTSIDE} outside of the mask",
        "Parameter": QUALITY,
        "Units": "unitless",
        "QualityFlags": {str(int(flag)): f"{word}: {MEANING[flag]}" for flag, word in WORD.items()},
        "OutsideOfMask": OUTSIDE,
    }
