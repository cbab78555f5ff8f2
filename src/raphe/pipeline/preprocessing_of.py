"""What the report shows of a scan's preprocessing, read from the files that it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.core.resample import LINEAR, NEAREST, resample
from raphe.data.image import Grid
from raphe.data.preprocessed import Preprocessed
from raphe.data.record import Step
from raphe.data.scan import Scan
from raphe.io import derivatives as names
from raphe.io.carpets import read_carpets
from raphe.io.provenance import read_record
from raphe.io.tables import read_table
from raphe.io.transforms import read_transforms
from raphe.io.volumes import read_volume, read_whole_numbers
from raphe.pipeline.choices import Analysis
from raphe.pipeline.concern_of import words_of
from raphe.pipeline.suvr_of import suvr_of

POSE = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")


def preprocessing_of(
    out: Path, scan: Scan, frames: Frames, seg: str, regions: Sequence[str], analysis: Analysis
) -> Preprocessed:
    """Preprocessing of one scan.

    Parameters
    ----------
    out : Path
    scan : Scan
    frames : Frames
    seg : str
        Segmentation whose curves were fitted.
    regions : sequence of str
        Those that were fitted.
    analysis : Analysis
        Names the reference of ratios.

    Raises
    ------
    InputError
        If a file that it wrote cannot be read.
    """
    steps = read_record(names.provenance(out, f"{scan.label}_preproc")).steps
    table = read_table(names.confounds(out, scan))
    pet = read_volume(names.pet_reference(out, scan))
    grid, number = read_whole_numbers(names.regions_on_pet(out, scan, seg))
    upright = _upright(pet.grid)
    still = np.eye(4)
    labels = resample(number, grid.affine, still, upright.shape, upright.affine, NEAREST)
    shown = resample(pet.values, pet.grid.affine, still, upright.shape, upright.affine, LINEAR)
    head = next((step for step in steps if step.name == "head"), None)
    t1 = None
    if head is not None:
        anatomical = _t1(out, scan, str(head.parameters["record"]))
        (matrix,) = read_transforms(names.to_space(out, scan, "T1w"))
        image = read_volume(anatomical)
        back = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
        t1 = np.asarray(
            resample(image.values, image.grid.affine, back, upright.shape, upright.affine, LINEAR), np.float32
        )
    carpets = names.carpets(out, scan)
    return Preprocessed(
        frames,
        np.column_stack([table.floats(name) for name in POSE]),
        table.floats("framewise_displacement"),
        table.floats("within"),
        np.array([cell == "true" for cell in table.cells("held")]),
        upright,
        np.asarray(shown, dtype=np.float32),
        t1,
        np.asarray(labels, dtype=np.int32),
        doubts_of_scan(steps),
        tuple(_facts(steps)),
        read_carpets(carpets) if carpets.is_file() else {},
        suvr_of(out, scan, seg, regions, analysis),
    )


def _t1(out: Path, scan: Scan, record: str) -> Path:
    """T1-weighted image that a record of a head speaks of."""
    outputs = read_record(names.provenance(out, record)).outputs
    return next(out / name for name in outputs if name.endswith("_desc-preproc_T1w.nii.gz"))


def doubts_of_scan(steps: tuple[Step, ...]) -> tuple[str, ...]:
    """Doubts that the record of a scan's preprocessing holds."""
    return next((words_of(step, "doubts") for step in steps if step.name == "preprocessed"), ())


def _facts(steps: tuple[Step, ...]) -> list[tuple[str, str]]:
    facts = []
    for step in steps:
        get = step.parameters.get
        score, share = get("score"), get("share")
        if step.name in ("register", "in_space") and isinstance(score, float):
            facts.append(("PET's variance that the MRI explains", f"{100 * score:.0f} %"))
        if step.name == "reference_region" and isinstance(share, float):
            facts.append(("Cerebellar grey matter that is the reference", f"{100 * share:.0f} %"))
        if step.name == "corrected_reference" and isinstance(share, float):
            facts.append(("The same where partial volumes are corrected", f"{100 * share:.0f} %"))
        if step.name == "preprocessed":
            facts += _partial_volumes(step)
    return facts


def _partial_volumes(step: Step) -> list[tuple[str, str]]:
    """How each correction of partial volumes changes noise, and what a wrong resolution makes of it."""
    facts, regions = [], step.parameters.get("regions")
    for key, values in step.parameters.items():
        kind, _, method = key.partition("_")
        if kind not in ("noise", "sensitivity") or not isinstance(values, tuple) or not isinstance(regions, tuple):
            continue
        known = [(float(v), str(name)) for v, name in zip(values, regions, strict=True) if isinstance(v, int | float)]
        if not known:
            continue
        if kind == "noise":
            most, name = max(known)
            middle = float(np.median([value for value, _ in known]))
            facts.append((f"Noise after {method}, times that before", f"{middle:.1f}; most {most:.1f} in {name}"))
        else:
            method, _, factor = method.partition("_")
            change, name = max((abs(value - 1), name) for value, name in known)
            facts.append((f"{method} with {factor} times the resolution", f"up to {100 * change:.0f} % off, in {name}"))
    return facts


def _upright(grid: Grid) -> Grid:
    """Grid whose axes run to the right, forwards and upwards, that holds another."""
    corners = np.array([[x, y, z, 1.0] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    places = (corners * [*(np.array(grid.shape) - 1), 1]) @ grid.affine.T
    low, high = places[:, :3].min(axis=0), places[:, :3].max(axis=0)
    direction = np.abs(grid.affine[:3, :3]) / np.array(grid.zooms)
    zooms: npt.NDArray[np.float64] = np.array(grid.zooms)[direction.argmax(axis=1)]
    shape = tuple(int(n) for n in np.round((high - low) / zooms) + 1)
    affine = np.diag([*zooms, 1.0])
    affine[:3, 3] = low
    return Grid((shape[0], shape[1], shape[2]), affine)
