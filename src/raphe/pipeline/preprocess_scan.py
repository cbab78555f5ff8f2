"""One raw scan to curves: motion, registration, regions, partial volumes, and the files of all that."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe import catalog
from raphe.core import rigid
from raphe.core.resample import at_places, resample
from raphe.data.alignment import HeadMotion, Registration, Warp
from raphe.data.image import Grid
from raphe.data.record import Step
from raphe.data.tacs import TACs
from raphe.data.volume import DynamicImage, Labels, Volume
from raphe.io import derivatives as names
from raphe.io.described import Column, write_described
from raphe.io.label_images import find_labels, read_labels, table_of
from raphe.io.names import find_sidecars, parse_name
from raphe.io.provenance import fingerprint, is_done, remove_outdated, sha256, write_record
from raphe.io.raw_scans import RawScan
from raphe.io.staging import staged
from raphe.io.tacs import write_tacs
from raphe.io.templates import template_paths
from raphe.io.transforms import write_transforms
from raphe.io.volumes import read_dynamic, write_dynamic, write_labels, write_mask, write_volume
from raphe.pipeline.prepare_head import HeadTask, atlas_of, read_head, template_of
from raphe.pipeline.preprocess_choices import Preprocessing
from raphe.preprocess.anatomy import FLUID, OTHER_GREY, WHITE, Head, with_tissue
from raphe.preprocess.denoise import denoise
from raphe.preprocess.extract import RegionShares, extract_curves, region_shares
from raphe.preprocess.motion import correct_motion, estimate_motion, mean_image, no_motion
from raphe.preprocess.pet_anatomy import regions_of_pet
from raphe.preprocess.pvc.correct import Corrected, correct, setting_for, tissue_on
from raphe.preprocess.pvc.registry import correction
from raphe.preprocess.reference_region import NAME, cerebellar_reference
from raphe.preprocess.register import register_rigid
from raphe.preprocess.warp import brain_edge

TISSUE = (WHITE, FLUID, OTHER_GREY)

INTERPOLATION = 3
"""Degree of the spline by which frames are resampled."""

OUTSIDE = 0.1
"""Share of a region beyond the field of view from which that is said."""


@dataclass(frozen=True)
class RawTask:
    """All that a process needs to preprocess one scan.

    Parameters
    ----------
    raw : RawScan
    bids : Path
    derivatives : tuple of Path
    choices : Preprocessing
    head : HeadTask or None
        None where regions come from the PET alone.
    out : Path
    title : str
    datasets : mapping of str to Path
    command_line : str
    """

    raw: RawScan
    bids: Path
    derivatives: tuple[Path, ...]
    choices: Preprocessing
    head: HeadTask | None
    out: Path
    title: str
    datasets: Mapping[str, Path]
    command_line: str

    @property
    def label(self) -> str:
        """Of the scan."""
        return self.raw.scan.label


@dataclass(frozen=True)
class RawOutcome:
    """How one scan went.

    Parameters
    ----------
    label : str
    skipped : bool
        Whether it was done before and nothing has changed.
    seconds : float
    doubts : tuple of str
        What a person must read.
    """

    label: str
    skipped: bool
    seconds: float
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Located:
    """Where the regions of a scan are.

    Parameters
    ----------
    seg : str
        Label of the segmentation.
    labels : Labels
        Regions and tissue, in the space of the T1-weighted image or of the PET.
    registration : Registration or None
        From the PET to the T1-weighted image; None where regions come from the PET alone.
    head : Head or None
    warp : Warp
        To the template, from the space of the labels.
    brain : ndarray of bool
        On the grid of the labels.
    """

    seg: str
    labels: Labels
    registration: Registration | None
    head: Head | None
    warp: Warp
    brain: npt.NDArray[np.bool_]

    @property
    def to_pet(self) -> npt.NDArray[np.float64]:
        """From the space of the labels to that of the PET, mm to mm."""
        matrix = np.eye(4) if self.registration is None else np.linalg.inv(self.registration.matrix)
        return np.asarray(matrix, dtype=np.float64)


def fingerprint_of_raw(task: RawTask) -> str:
    """What decides the curves of a scan: its files and the choices for it."""
    files = [task.raw.image, *find_sidecars(task.raw.image, task.bids)]
    if task.head is not None:
        files.append(task.head.t1)
    own = own_labels(task)
    if own is not None:
        files += [own, *([table] if (table := table_of(own)) else [])]
    else:
        files += template_paths(atlas_of(task.choices), dict(task.choices.files)).values()
    settings = {key: str(value) for key, value in dataclasses.asdict(task.choices).items()}
    return fingerprint({f"{at} {path.name}": sha256(path) for at, path in enumerate(files)}, settings)


def own_labels(task: RawTask) -> Path | None:
    """Segmentation of the user's own, where there is one and regions come from the T1-weighted image."""
    if task.head is None:
        return None
    roots = (*task.derivatives, task.bids)
    return find_labels(task.raw.scan.participant, task.raw.scan.session, roots, task.choices.seg)


def preprocess_scan(task: RawTask, restart: bool = False) -> RawOutcome:
    """Make curves of one scan; nothing appears in the output unless all of it does.

    Raises
    ------
    RapheError
        If the scan cannot be preprocessed; the message says why.
    """
    began = time.monotonic()
    record = names.provenance(task.out, f"{task.label}_preproc")
    mark = fingerprint_of_raw(task)
    if not restart and is_done(record, mark, task.out):
        return RawOutcome(task.label, True, time.monotonic() - began)
    image, told = read_dynamic(task.raw.image, task.bids)
    motion, steps, doubts = _motion(task, image)
    steps = [dataclasses.replace(told.step, name="read_image"), *steps]
    doubts = [*(finding.message for finding in told.findings), *doubts]
    still = correct_motion(image, motion, order=INTERPOLATION) if motion is not None else image
    found_motion = motion if motion is not None else no_motion(image)
    late = image.frames.start >= min(10.0, image.frames.end[-1] / 4)
    reference = Volume(image.grid, mean_image(still, late if late.any() else None))
    place, more = _locate(task, reference)
    steps += more
    if place.registration is not None:
        doubts += place.registration.doubts
    doubts += place.head.doubts if place.head is not None else ()
    made = _curves(task, still, place)
    steps += made.steps
    doubts += made.doubts
    with staged(task.out) as stage:
        at = dataclasses.replace(task, out=stage)
        files = _write(at, image, found_motion, still, reference, place, made)
        remove_outdated(record, task.out, [file.relative_to(stage).as_posix() for file in files])
        names.write_description(stage, task.title, task.datasets)
        named = [
            dataclasses.replace(step, parameters={"tracer": task.raw.scan.tracer, **step.parameters}) for step in steps
        ]
        if task.head is not None:
            named.insert(0, Step("head", {"record": f"{task.head.stem}_anat"}))
        named.append(Step("preprocessed", {"doubts": tuple(doubts)}, seconds=time.monotonic() - began))
        write_record(
            names.provenance(stage, f"{task.label}_preproc"), named, fingerprint=mark, root=stage, outputs=files,
            command_line=task.command_line,
        )  # fmt: skip
    return RawOutcome(task.label, False, time.monotonic() - began, tuple(doubts))


def _motion(task: RawTask, image: DynamicImage) -> tuple[HeadMotion | None, list[Step], list[str]]:
    """Motion of the scan; None where it is not to be corrected."""
    if task.raw.corrected or not task.choices.motion:
        why = "corrected by another program" if task.raw.corrected else "turned off"
        return None, [Step("head_motion", {"estimated": False, "why": why})], []
    motion, step = estimate_motion(image)
    doubts = []
    if motion.held.any():
        doubts.append(
            f"{int(motion.held.sum())} of {len(motion.held)} frames tell nothing of the head's position; they lie "
            "where their neighbours do"
        )
    return motion, [step], doubts


def _locate(task: RawTask, reference: Volume) -> tuple[Located, list[Step]]:
    """Regions in the space of the MRI or of the PET."""
    if task.head is None:
        template = template_of(task.choices)
        labels, warp, step = regions_of_pet(reference, template, catalog.find_tracer(task.raw.scan.tracer))
        brain = ndimage.binary_closing(labels.values > 0, iterations=3)
        whole = _with_rest(labels, brain)
        return Located(names.label(template.name), whole, None, None, warp, brain), [step]
    head, _ = read_head(task.head)
    registration, step = register_rigid(reference, head.t1, head.brain)
    own = own_labels(task)
    if own is None:
        seg = names.label(atlas_of(task.choices).name)
        return Located(seg, with_tissue(head), registration, head, head.warp, head.brain), [step]
    given = read_labels(own)
    seg = parse_name(own).entities.get("seg", "own")
    carried = given if _same(given.grid, head.t1.grid) else _on(given, head.t1.grid)
    labelled = with_tissue(dataclasses.replace(head, labels=carried))
    chosen = Step("segmentation", {"file": own.name, "seg": seg})
    return Located(seg, labelled, registration, head, head.warp, head.brain), [chosen, step]


@dataclass(frozen=True, eq=False)
class _Made:
    """Curves of a scan, and what they were made with."""

    regions: RegionShares
    reference: RegionShares | None
    tacs: TACs
    of_reference: TACs | None
    corrected: Mapping[str, Corrected]
    steps: list[Step]
    doubts: list[str]


def _curves(task: RawTask, still: DynamicImage, place: Located) -> _Made:
    shares, step = region_shares(place.labels, still.grid, place.to_pet)
    brain = np.asarray(shares.shares.sum(axis=0)).ravel().reshape(still.grid.shape) > 0.5
    image, steps = _denoised(task.choices, still, brain)
    steps = [step, *steps]
    size = brain_edge(place.labels.grid, place.brain)
    alone, told, doubts = cerebellar_reference(place.labels, size)
    steps.append(told)
    found_doubts = list(doubts)
    inner = shares.rows(tuple(name for name in shares.names if name not in TISSUE))
    seen = inner.seen
    lost = [
        f"{name} ({100 * (1 - part):.0f} %)" for name, part in zip(inner.names, seen, strict=True) if part < 1 - OUTSIDE
    ]
    if lost:
        found_doubts.append(f"beyond the PET's field of view: {', '.join(lost[:8])}{' ...' if len(lost) > 8 else ''}")
    tacs, extracted = extract_curves(image, inner)
    steps.append(extracted)
    reference, of_reference = None, None
    if alone is not None:
        reference, _ = region_shares(alone, still.grid, place.to_pet)
        of_reference, _ = extract_curves(image, reference)
    corrected: dict[str, Corrected] = {}
    fwhm = resolution(task)
    if fwhm is None and task.choices.pvc:
        found_doubts.append(
            f"no partial-volume correction: the resolution of the tomograph {task.raw.scan.scanner!r} is not known; "
            "give it in the plan (fwhm in [preprocess], mm)"
        )
    elif task.choices.pvc and fwhm is not None:
        grey, white = _tissue(place, still.grid)
        setting = setting_for(shares, fwhm, grey, white)
        for name in task.choices.pvc:
            method = correction(name)
            whole, made = correct(image, setting, method)
            keep = [at for at, one in enumerate(whole.tacs.names) if one not in TISSUE]
            curves = TACs(
                whole.tacs.activity[keep], whole.tacs.frames, tuple(whole.tacs.names[at] for at in keep), tacs.volumes
            )  # fmt: skip
            corrected[method.name] = dataclasses.replace(
                whole, tacs=curves, amplification=whole.amplification[keep], image=None
            )  # fmt: skip
            steps.append(made)
    return _Made(inner, reference, tacs, of_reference, corrected, steps, found_doubts)


def resolution(task: RawTask) -> tuple[float, float, float] | None:
    """FWHM of the images, mm: the plan's, else that of the catalog's tomograph whose name the sidecar has."""
    if task.choices.fwhm is not None:
        a, b, c = task.choices.fwhm
        return a, b, c
    scanner = task.raw.scan.scanner.lower()
    for entry in catalog.protocols():
        if entry.name.lower() in scanner or entry.label.lower() in scanner:
            width = entry.fwhm.value
            return width, width, width
    return None


def _tissue(place: Located, grid: Grid) -> tuple[Volume | None, Volume | None]:
    if place.head is None:
        return None, None
    return tissue_on(place.head.grey, grid, place.to_pet), tissue_on(place.head.white, grid, place.to_pet)


def _denoised(
    choices: Preprocessing, image: DynamicImage, brain: npt.NDArray[np.bool_]
) -> tuple[DynamicImage, list[Step]]:
    if choices.smoothing is None and choices.hypr is None:
        return image, []
    made, step = denoise(image, brain, smoothing=choices.smoothing, with_hypr=choices.hypr)
    return made, [step]


def _with_rest(labels: Labels, brain: npt.NDArray[np.bool_]) -> Labels:
    """Labels of the PET alone, with the rest of the brain as white matter."""
    top = max(labels.names, default=0)
    values = np.where(brain & (labels.values == 0), np.int32(top + 1), labels.values)
    return Labels(labels.grid, values, {**labels.names, top + 1: WHITE})


def _same(one: Grid, other: Grid) -> bool:
    return one.shape == other.shape and bool(np.allclose(one.affine, other.affine, atol=1e-3))


def _on(labels: Labels, grid: Grid) -> Labels:
    found = resample(labels.values, labels.grid.affine, np.eye(4), grid.shape, grid.affine, 0)
    return Labels(grid, np.asarray(found, dtype=np.int32), labels.names)


MOTION_COLUMNS = (
    *(Column(f"trans_{axis}", "From the frame to the reference position", "mm") for axis in "xyz"),
    *(Column(f"rot_{axis}", "About that axis, x first", "rad") for axis in "xyz"),
    Column("framewise_displacement", "Mean movement of the brain since the frame before", "mm"),
    Column("within", "Movement within the frame, from its neighbours' positions", "mm"),
    Column("held", "Whether the frame's position is its neighbours'"),
)


def _write(
    task: RawTask,
    image: DynamicImage,
    motion: HeadMotion,
    still: DynamicImage,
    reference: Volume,
    place: Located,
    made: _Made,
) -> list[Path]:
    """Write everything; the files that were written."""
    out, scan = task.out, task.raw.scan
    sources = [
        names.source_uri(path, task.datasets) for path in (task.raw.image, *find_sidecars(task.raw.image, task.bids))
    ]
    about: dict[str, object] = {"Sources": sources}
    schedule = {
        "Units": "kBq/mL",
        "FrameTimesStart": _seconds(image.frames.start), "FrameDuration": _seconds(image.frames.duration),
        "TracerName": scan.tracer, "TracerRadionuclide": scan.radionuclide, "InjectionStart": 0,
        "ImageDecayCorrected": True, "ImageDecayCorrectionTime": 0,
    }  # fmt: skip
    images = [names.preprocessed(out, scan), names.pet_reference(out, scan)]
    told = {**about, "Interpolation": f"spline of degree {INTERPOLATION}"}
    write_dynamic(images[0], still, {**told, **schedule, "Description": "Without head motion"})
    write_volume(images[1], reference, {**told, "Description": "Mean of the late frames without head motion"})
    brain = np.asarray(made.regions.shares.sum(axis=0)).ravel().reshape(image.grid.shape)
    mask = ndimage.binary_closing(brain > 0.25, iterations=2)
    images.append(names.brain_on_pet(out, scan))
    write_mask(images[-1], image.grid, mask, {**about, "Type": "Brain"})
    images.append(names.regions_on_pet(out, scan, place.seg))
    write_labels(
        images[-1], made.regions.labels(), {**about, "Description": "Region with the largest share of a voxel"}
    )
    tables = [images[-1].with_name(images[-1].name.replace(".nii.gz", ".tsv"))]
    if made.reference is not None:
        images.append(names.reference_mask(out, scan, NAME))
        shares = np.asarray(made.reference.shares.sum(axis=0)).ravel().reshape(image.grid.shape)
        write_mask(images[-1], image.grid, shares > 0.5, {**about, "Type": "ROI"})
    if task.choices.space is not None:
        images += _for_maps(task, image, motion, place, {**told, **schedule})
    files = [*images, *(names.map_sidecar(file) for file in images), *tables]
    files += _transforms(task, motion, place)
    return [*files, *_tables(task, motion, place, made, sources)]


def _for_maps(
    task: RawTask, image: DynamicImage, motion: HeadMotion, place: Located, about: Mapping[str, object]
) -> list[Path]:
    """Image and brain mask in the space of the template, resampled once from the raw frames."""
    field, out, scan = place.warp.to_native, task.out, task.raw.scan
    space = names.label(place.warp.template)
    matrix = place.to_pet
    places = field.places @ matrix[:3, :3].T.astype(np.float32) + matrix[:3, 3].astype(np.float32)
    moved = correct_motion(image, motion, field.grid, places.astype(np.float32), 1)
    files = [names.preprocessed(out, scan, space), names.brain_on_pet(out, scan, space)]
    write_dynamic(files[0], moved, {**about, "Interpolation": "linear", "Description": f"In the space of {space}"})
    brain = at_places(place.brain.astype(np.float32), place.labels.grid.affine, field.places)
    write_mask(files[1], field.grid, np.asarray(brain, dtype=np.float32) > 0.5, {"Type": "Brain"})
    return files


def _transforms(task: RawTask, motion: HeadMotion, place: Located) -> list[Path]:
    files = [names.head_motion(task.out, task.raw.scan)]
    write_transforms(files[0], list(motion.matrices))
    if place.registration is not None:
        files.append(names.to_space(task.out, task.raw.scan, "T1w"))
        write_transforms(files[-1], [place.registration.matrix])
    return files


def _tables(task: RawTask, motion: HeadMotion, place: Located, made: _Made, sources: Sequence[str]) -> list[Path]:
    out, scan = task.out, task.raw.scan
    files = [names.confounds(out, scan), names.morphometry(out, scan, place.seg)]
    poses = [rigid.pose(matrix, motion.centre).tolist() for matrix in motion.matrices]
    rows = [
        (*pose, float(fd), float(within), "true" if held else "false")
        for pose, fd, within, held in zip(poses, motion.displacement, motion.within, motion.held, strict=True)
    ]
    write_described(files[0], MOTION_COLUMNS, rows, {"Centre": motion.centre.tolist(), "Sources": list(sources)})
    voxels = np.asarray((made.regions.shares > 0.5).sum(axis=1)).ravel()
    columns = (Column("name", "Region"), Column("volume-mm3", "Volume", "mm3"), Column("n_voxel", "Voxels of the PET"))
    volumes = [
        (name, float(volume), int(n))
        for name, volume, n in zip(made.regions.names, made.regions.volumes, voxels, strict=True)
    ]
    write_described(files[1], columns, volumes, {"Sources": list(sources)})
    files.append(names.tacs(out, scan, place.seg))
    write_tacs(files[-1], made.tacs, scan, sources=sources)
    for method, one in made.corrected.items():
        files.append(names.tacs(out, scan, place.seg, method))
        write_tacs(files[-1], one.tacs, scan, sources=sources)
    if made.of_reference is not None:
        files.append(names.reference_curve(out, scan, NAME))
        write_tacs(files[-1], made.of_reference, scan, sources=sources)
    return [*files, *(names.sidecar(file) for file in files)]


def _seconds(minutes: npt.NDArray[np.float64]) -> list[float]:
    return [float(f"{60 * value:.9g}") for value in minutes]
