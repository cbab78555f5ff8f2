"""One raw scan to curves: motion, registration, regions, partial volumes, and the files of all that."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.data.alignment import HeadMotion
from raphe.data.record import Step
from raphe.data.tacs import TACs
from raphe.data.volume import DynamicImage, Volume
from raphe.io import derivatives as names
from raphe.io.names import find_sidecars, parse_name
from raphe.io.provenance import fingerprint, is_done, read_record, remove_outdated, sha256, write_record
from raphe.io.staging import staged
from raphe.io.volumes import read_dynamic
from raphe.nomenclature import FLUID, OTHER_GREY, WHITE
from raphe.pipeline.atlas_choice import paths_of
from raphe.pipeline.locate import locate
from raphe.pipeline.own_regions import own_segmentation
from raphe.pipeline.partial_volumes import Wanted, as_parameters, corrected_curves
from raphe.pipeline.preprocess_choices import Preprocessing
from raphe.pipeline.preprocess_files import write_preprocessed
from raphe.pipeline.preprocessing_of import doubts_of_scan
from raphe.pipeline.raw_task import INTERPOLATION, Located, Made, RawOutcome, RawTask
from raphe.preprocess.carpet import kinds_of
from raphe.preprocess.denoise import denoise
from raphe.preprocess.extract import RegionShares, extract_curves, region_shares
from raphe.preprocess.field_of_view import always_seen
from raphe.preprocess.motion import correct_motion, estimate_motion, mean_image, no_motion
from raphe.preprocess.reference_region import AWAY_CORRECTED, apart, cerebellar_reference
from raphe.preprocess.soundness import against_dose, sound_scan
from raphe.preprocess.warp import brain_edge

Floats = npt.NDArray[np.float32]

TISSUE = (WHITE, FLUID, OTHER_GREY)

OUTSIDE = 0.1
"""Share of a region beyond the field of view from which that is said."""

LEAST_REFERENCE = 0.02
"""Share of the reference region that must be in the field of view; an assumption."""


def fingerprint_of_raw(task: RawTask) -> str:
    """What decides the curves of a scan: its files and the choices for it."""
    files = [task.raw.image, *find_sidecars(task.raw.image, task.bids)]
    if task.head is not None:
        files.append(task.head.t1)
    own = own_segmentation(task)
    if own is not None:
        files += [own.path, *([own.table] if own.table is not None else [])]
    else:
        files += paths_of(task.choices).values()
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
        return RawOutcome(task.label, True, time.monotonic() - began, doubts_of_scan(read_record(record).steps))
    measured, told = read_dynamic(task.raw.image, task.bids)
    image, lost = sound_scan(measured, task.choices.species, task.raw.image)
    lost += against_dose(image, task.raw.scan.injected_radioactivity)
    motion, steps, doubts = _motion(task, image)
    steps = [dataclasses.replace(told.step, name="read_image"), *steps]
    doubts = [*task.raw.doubts, *(finding.message for finding in told.findings), *lost, *doubts]
    still = correct_motion(image, motion, order=INTERPOLATION) if motion is not None else image
    found_motion = motion if motion is not None else no_motion(image)
    reference = Volume(image.grid, _late(still))
    seen = always_seen(image, found_motion)
    place, more, told_of_place = locate(task, reference, seen)
    steps += more
    doubts += told_of_place
    if place.registration is not None:
        doubts += place.registration.doubts
    doubts += place.head.doubts if place.head is not None else ()
    made = _curves(task, still, place, seen)
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
        told_of_all = {"doubts": tuple(doubts), "cut_off": made.cut_off, **as_parameters(made.corrected)}
        named.append(Step("preprocessed", told_of_all, seconds=time.monotonic() - began))
        write_record(
            names.provenance(stage, f"{task.label}_preproc"), named, fingerprint=mark, root=stage, outputs=files,
            command_line=task.command_line,
        )  # fmt: skip
    return RawOutcome(task.label, False, time.monotonic() - began, tuple(doubts))


def _motion(task: RawTask, image: DynamicImage) -> tuple[HeadMotion | None, list[Step], list[str]]:
    """Motion of the scan; None where it is not to be corrected."""
    if task.raw.corrected or not task.choices.motion:
        why = f"corrected by {_maker(task.raw.image)}" if task.raw.corrected else "turned off"
        return None, [Step("head_motion", {"estimated": False, "why": why})], []
    motion, step = estimate_motion(image)
    if len(image.frames) == 1:
        return None, [step], ["one frame only: head motion is not estimated, and no model but SUVR can be fitted"]
    doubts = []
    if motion.held.any():
        doubts.append(
            f"{int(motion.held.sum())} of {len(motion.held)} frames tell nothing of the head's position; they lie "
            "where their neighbours do"
        )
    return motion, [step], doubts


def _maker(image: Path) -> str:
    """Program that made an image, as the description of its dataset has it."""
    return next(iter(names.made_by(parse_name(image).root) or ()), "another program")


def _curves(task: RawTask, still: DynamicImage, place: Located, seen: npt.NDArray[np.bool_]) -> Made:
    """Curves of the regions, by the voxels that lie in the field of view in every frame."""
    size = brain_edge(place.labels.grid, place.brain)
    alone, told, doubts = cerebellar_reference(place.labels, size)
    inside, corrected_too, _ = cerebellar_reference(place.labels, size, AWAY_CORRECTED)
    labels, wholes, of_reference = apart(place.labels, inside)
    drawn, step = region_shares(labels, still.grid, place.to_pet)
    fine = drawn.within(seen)
    shares = fine.joined(wholes)
    brain = np.asarray(shares.shares.sum(axis=0)).ravel().reshape(still.grid.shape) > 0.5
    image, steps = _denoised(task.choices, still, brain)
    steps = [step, *steps, told]
    if task.choices.pvc:
        steps.append(dataclasses.replace(corrected_too, name="corrected_reference"))
    found_doubts = list(doubts)
    inner = shares.rows(tuple(name for name in shares.names if name not in TISSUE))
    cut_off = {name: part for name, part in zip(inner.names, inner.seen, strict=True) if part < 1 - OUTSIDE}
    if cut_off:
        lost = [f"{name} ({100 * (1 - part):.0f} %)" for name, part in cut_off.items()]
        found_doubts.append(f"beyond the PET's field of view: {', '.join(lost[:8])}{' ...' if len(lost) > 8 else ''}")
    tacs, extracted = extract_curves(image, inner)
    steps.append(extracted)
    reference, curve = None, None
    if alone is not None:
        whole = region_shares(alone, still.grid, place.to_pet)[0]
        reference, curve, doubt = _of_reference(image, whole.within(seen))
        found_doubts += doubt
    wanted = Wanted({name: wholes[name] for name in tacs.names}, of_reference if reference is not None else ())
    corrected, made, told_of_them = corrected_curves(task, image, _late(image), fine, place, wanted)
    steps += made
    found_doubts += told_of_them
    kinds = kinds_of(shares, reference)
    return Made(inner, reference, tacs, curve, corrected, steps, found_doubts, kinds, tuple(cut_off))


def _of_reference(image: DynamicImage, part: RegionShares) -> tuple[RegionShares | None, TACs | None, list[str]]:
    """Voxels and curve of the reference region, and how much of it the scan does not see."""
    share = float(part.seen[0])
    if share < LEAST_REFERENCE:
        return None, None, [
            "the reference region (cerebellar grey matter) lies beyond the PET's field of view: "
            f"{100 * share:.0f} % of it is seen, so there is no curve of it; name another reference, or take a model "
            "of arterial input"
        ]  # fmt: skip
    doubts = []
    if share < 1 - OUTSIDE:
        doubts.append(
            f"the reference region (cerebellar grey matter) is cut by the PET's field of view: {100 * (1 - share):.0f} "
            "% of it is lost, and its curve is that of the rest"
        )
    return part, extract_curves(image, part)[0], doubts


def _late(image: DynamicImage) -> Floats:
    """Mean of the late frames, of all where none is."""
    late = image.frames.start >= min(10.0, image.frames.end[-1] / 4)
    return mean_image(image, late if late.any() else None)


def _denoised(
    choices: Preprocessing, image: DynamicImage, brain: npt.NDArray[np.bool_]
) -> tuple[DynamicImage, list[Step]]:
    if choices.smoothing is None and choices.hypr is None:
        return image, []
    made, step = denoise(image, brain, smoothing=choices.smoothing, with_hypr=choices.hypr)
    return made, [step]
