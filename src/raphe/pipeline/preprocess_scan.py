"""One raw scan to curves: motion, registration, regions, partial volumes, and the files of all that."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe import catalog
from raphe.data.alignment import HeadMotion
from raphe.data.image import Grid
from raphe.data.record import Step
from raphe.data.tacs import TACs
from raphe.data.volume import DynamicImage, Labels, Volume
from raphe.io import derivatives as names
from raphe.io.names import find_sidecars
from raphe.io.provenance import fingerprint, is_done, remove_outdated, sha256, write_record
from raphe.io.staging import staged
from raphe.io.templates import template_paths
from raphe.io.volumes import read_dynamic
from raphe.nomenclature import FLUID, OTHER_GREY, WHITE
from raphe.pipeline.own_regions import own_regions, own_segmentation
from raphe.pipeline.prepare_head import atlas_of, read_head, template_of
from raphe.pipeline.preprocess_choices import Preprocessing
from raphe.pipeline.preprocess_files import write_preprocessed
from raphe.pipeline.raphe_choice import raphe_is_shown
from raphe.pipeline.raw_task import INTERPOLATION, Located, Made, RawOutcome, RawTask
from raphe.preprocess.anatomy import grey_only, with_tissue
from raphe.preprocess.denoise import denoise
from raphe.preprocess.extract import extract_curves, region_shares
from raphe.preprocess.motion import correct_motion, estimate_motion, mean_image, no_motion
from raphe.preprocess.pet_anatomy import regions_of_pet
from raphe.preprocess.pvc.correct import Corrected, correct, setting_for, tissue_on
from raphe.preprocess.pvc.registry import correction
from raphe.preprocess.raphe_nuclei import raphe_on_pet
from raphe.preprocess.reference_region import cerebellar_reference
from raphe.preprocess.register import register_rigid
from raphe.preprocess.warp import brain_edge

TISSUE = (WHITE, FLUID, OTHER_GREY)

OUTSIDE = 0.1
"""Share of a region beyond the field of view from which that is said."""


def fingerprint_of_raw(task: RawTask) -> str:
    """What decides the curves of a scan: its files and the choices for it."""
    files = [task.raw.image, *find_sidecars(task.raw.image, task.bids)]
    if task.head is not None:
        files.append(task.head.t1)
    own = own_segmentation(task)
    if own is not None:
        files += [own.path, *([own.table] if own.table is not None else [])]
    else:
        files += template_paths(atlas_of(task.choices), dict(task.choices.files)).values()
    settings = {key: str(value) for key, value in dataclasses.asdict(task.choices).items()}
    return fingerprint({f"{at} {path.name}": sha256(path) for at, path in enumerate(files)}, settings)


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
    place, more, told_of_place = _locate(task, reference)
    steps += more
    doubts += told_of_place
    if place.registration is not None:
        doubts += place.registration.doubts
    doubts += place.head.doubts if place.head is not None else ()
    made = _curves(task, still, place)
    steps += made.steps
    doubts += made.doubts
    with staged(task.out) as stage:
        at = dataclasses.replace(task, out=stage)
        files = write_preprocessed(at, image, found_motion, still, reference, place, made)
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


def _locate(task: RawTask, reference: Volume) -> tuple[Located, list[Step], tuple[str, ...]]:
    """Regions in the space of the MRI or of the PET, and what is doubtful of a segmentation."""
    if task.head is None:
        template = template_of(task.choices)
        labels, warp, step = regions_of_pet(reference, template, catalog.find_tracer(task.raw.scan.tracer))
        brain = ndimage.binary_closing(labels.values > 0, iterations=3)
        whole = _with_rest(labels, brain)
        return Located(names.label(template.name), whole, None, None, warp, brain), [step], ()
    head, _ = read_head(task.head)
    registration, step = register_rigid(reference, head.t1, head.brain)
    own = own_segmentation(task)
    if own is None:
        seg, labels, steps, doubts = names.label(atlas_of(task.choices).name), head.labels, [step], tuple[str, ...]()
    else:
        seg = own.label(task.choices.seg)
        labels, told, doubts = own_regions(own, head, task.choices.seg)
        steps = [told, step]
    if task.choices.grey is not None:
        labels = grey_only(labels, head.grey, task.choices.grey)
        steps.append(Step("grey_only", {"least": task.choices.grey}))
    whole = with_tissue(dataclasses.replace(head, labels=labels))
    place = Located(seg, whole, registration, head, head.warp, head.brain)
    fwhm = resolution(task)
    if own is None and fwhm is not None and raphe_is_shown(task.choices, task.raw.scan.tracer):
        size = brain_edge(whole.grid, head.brain)
        moved, step, doubts = raphe_on_pet(reference, whole, place.to_pet, size, fwhm)
        return dataclasses.replace(place, labels=moved), [*steps, step], doubts
    return place, steps, doubts


def _curves(task: RawTask, still: DynamicImage, place: Located) -> Made:
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
    return Made(inner, reference, tacs, of_reference, corrected, steps, found_doubts)


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
