"""Raw images of one participant: T1-weighted and dynamic PET, and what is true of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe import catalog
from raphe.core.frames import Frames
from raphe.data.image import Grid
from raphe.data.scan import Scan
from raphe.io.described import Column, write_described
from raphe.io.image_writing import write_image
from raphe.io.tables import write_text
from raphe.nomenclature import region_key
from raphe.simulate.anatomy import BLOOD, GREY, OTHER_GREY, Anatomy
from raphe.simulate.curves import noise_level
from raphe.simulate.geometry import geometry
from raphe.simulate.heads import own_head, protocol_of, scanner_of
from raphe.simulate.motion import Motion, Restlessness, first_pose, moving, still
from raphe.simulate.mri import labels_on, mri_grid, t1_image
from raphe.simulate.plan import RegionsSection, SimulationPlan
from raphe.simulate.population import Participant, ScanTruth, scan_truth, treatment_of
from raphe.simulate.scanner import Scanner, frames_of, largest
from raphe.simulate.scans import true_curves
from raphe.simulate.streams import Place, stream
from raphe.simulate.tissues import tissues

Array = npt.NDArray[np.float64]

INT16 = 32767

POSE_COLUMNS = (
    Column("time", "Since injection", "s"),
    *(Column(f"trans_{axis}", "From the head's space to the scanner's, after the rotation", "mm") for axis in "xyz"),
    *(Column(f"rot_{axis}", "About that axis, x first", "rad") for axis in "xyz"),
)


@dataclass(frozen=True, eq=False)
class Subject:
    """One participant, as images see them.

    Parameters
    ----------
    plan : SimulationPlan
    seed : int
    participant : Participant
    anatomy : Anatomy
    """

    plan: SimulationPlan
    seed: int
    participant: Participant
    anatomy: Anatomy

    @property
    def restlessness(self) -> Restlessness:
        """How much the heads of the study move."""
        usual = geometry(self.plan.study.species).restlessness.plain
        amount = 1.0 if self.plan.motion is None else self.plan.motion.amount.value
        return Restlessness(usual.offset, usual.turn, amount * usual.drift, amount * usual.jumps, usual.jump)

    def random(self, place: Place, *more: int) -> np.random.Generator:
        """Random numbers of the participant's own."""
        return stream(self.seed, place, self.participant.index, *more)

    @cached_property
    def mri_pose(self) -> Motion:
        """How the head lies in the MRI."""
        start = first_pose(self.restlessness, self.random(Place.POSE))
        return still(start, self.anatomy.centre, self.anatomy.radius)


def subject(plan: SimulationPlan, folder: Path, seed: int, person: Participant) -> Subject:
    """Make the head of a participant; ``folder`` is that of the plan."""
    return Subject(plan, seed, person, own_head(plan, folder, seed, person.index))


def write_mri(out: Path, truth: Path, one: Subject, session: str) -> None:
    """Write the T1-weighted image of a participant, and the labels that are true in it.

    Parameters
    ----------
    out, truth : Path
        Roots of the raw dataset and of what is true.
    one : Subject
    session : str
        Label of the session in which it was made.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    protocol, _ = protocol_of(one.plan)
    grid, pose = mri_grid(one.anatomy, protocol.mri_voxel.value), one.mri_pose
    image = t1_image(one.anatomy, grid, pose, one.random(Place.MRI))
    name = f"sub-{one.participant.label}_ses-{session}"
    folder = Path(f"sub-{one.participant.label}", f"ses-{session}", "anat")
    write_image(out / folder / f"{name}_T1w.nii.gz", grid, [image], 1, np.int16)
    _write_labels(truth / folder / f"{name}_space-T1w_dseg.nii.gz", one.anatomy, grid, pose)


def write_pet(out: Path, truth: Path, one: Subject, scan: Scan, told: ScanTruth, frames: Frames) -> None:
    """Write one dynamic PET image, and what is true of it: curves, labels, motion and its place against the MRI.

    Parameters
    ----------
    out, truth : Path
        As for :func:`write_mri`.
    one : Subject
    scan : Scan
    told : ScanTruth
    frames : Frames

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    made = _acquired(one, told, frames)
    folder = Path(f"sub-{scan.participant}", f"ses-{scan.session}", "pet")
    noisy = (image for image, _ in made.images)
    slope = float(f"{made.largest / INT16:.4g}")
    grid = made.scanner.grid
    write_image(out / folder / f"{scan.label}_pet.nii.gz", grid, noisy, len(frames), np.int16, slope)
    _write_truth(truth / folder, scan, one, made.scanner, scan_motion(one, told, frames), frames, made.activity)


def scan_motion(one: Subject, told: ScanTruth, frames: Frames) -> Motion:
    """How a head moves during one scan; the same whenever it is asked for."""
    random = one.random(Place.POSE, 1, *_place(one.plan, told))
    restless, anatomy = one.restlessness, one.anatomy
    start = first_pose(restless, random)
    return moving(start, float(frames.end[-1]), restless, anatomy.centre, anatomy.radius, random)


def both_frames(one: Subject, told: ScanTruth, frames: Frames) -> Iterator[tuple[Array, Array]]:
    """Frames of one scan as they are written, but for their rounding, and the same without noise, kBq/mL."""
    return _acquired(one, told, frames).images


@dataclass(frozen=True, eq=False)
class _Acquired:
    """What a scanner makes of one scan.

    Parameters
    ----------
    scanner : Scanner
    activity : ndarray, shape (n_parcel, n_frame), kBq/mL
        Without noise or blur.
    images : iterator of (ndarray, ndarray)
        Frames with noise and without, kBq/mL.
    largest : float, kBq/mL
        What a voxel hardly ever exceeds.
    """

    scanner: Scanner
    activity: Array
    images: Iterator[tuple[Array, Array]]
    largest: float


def _acquired(one: Subject, told: ScanTruth, frames: Frames) -> _Acquired:
    scanner, motion = scanner_of(one.plan), scan_motion(one, told, frames)
    reference, activity = parcel_curves(one, told, frames)
    half_life = catalog.half_life(catalog.tracer(told.tracer).radionuclide)
    alpha = noise_level(frames, half_life, reference, one.plan.noise.percent.value)
    streams = _streams(one, _place(one.plan, told))
    images = frames_of(scanner, one.anatomy, activity, frames, motion, half_life, alpha, streams)
    return _Acquired(scanner, activity, images, largest(scanner, activity, frames, half_life, alpha))


def parcel_curves(one: Subject, told: ScanTruth, frames: Frames) -> tuple[Array, Array]:
    """Noise-free curves of the reference, (n_frame,), and of every parcel of a head, (n_parcel, n_frame), kBq/mL.

    Regions of grey matter that the plan does not list are drawn as those that it does; grey matter of no region is as
    these are on average.
    """
    plan, anatomy, known = one.plan, one.anatomy, tissues()
    listed = {region_key(name)[0]: place for place, name in enumerate(told.regions)}
    reference = catalog.species(plan.study.species).reference_region
    others = _others(one, told, [name for name in anatomy.regions if name not in (*listed, reference)])
    R1, BP_ND = np.ones(len(anatomy.names)), np.zeros(len(anatomy.names))
    for number, (name, tissue) in enumerate(zip(anatomy.names, anatomy.tissues, strict=True)):
        if name in listed:
            R1[number], BP_ND[number] = told.R1[listed[name]], told.BP_ND[listed[name]]
        elif name in others:
            R1[number], BP_ND[number] = others[name]
        elif tissue in known and (assumed := known[tissue]).R1 is not None and assumed.BP_ND is not None:
            R1[number], BP_ND[number] = assumed.R1.value, assumed.BP_ND.value
    if OTHER_GREY in anatomy.names:
        regions = [anatomy.number(name) for name in anatomy.regions if name != reference]
        at, volumes = anatomy.number(OTHER_GREY), anatomy.volumes[regions]
        R1[at], BP_ND[at] = (np.average(values[regions], weights=volumes) for values in (R1, BP_ND))
    true = true_curves(plan, told, frames, R1, BP_ND)
    activity = true.tissue
    activity[0] = 0
    if BLOOD in anatomy.names:
        activity[anatomy.number(BLOOD)] = true.blood
    return true.reference, activity


def _others(one: Subject, told: ScanTruth, names: list[str]) -> Mapping[str, tuple[float, float]]:
    """R1 and BP_ND of regions that the plan does not list, with people's deviations of their own and the same drugs."""
    plan = one.plan
    if not names:
        return {}
    rest = plan.model_copy(update={"regions": RegionsSection.model_validate({"list": names})})
    session = next(section for section in plan.sessions if section.label == told.session)
    tracer = next(section for section in plan.tracers if section.name == told.tracer)
    seed = int(stream(one.seed, Place.OTHERS).integers(2**32))
    treated = treatment_of(plan, one.seed, told.participant)
    found = scan_truth(rest, seed, told.participant, session, tracer, treated)
    return {name: (float(found.R1[i]), float(found.BP_ND[i])) for i, name in enumerate(names)}


def _streams(one: Subject, place: tuple[int, int]) -> Iterator[np.random.Generator]:
    """Random numbers of one frame after the other."""
    frame = 0
    while True:
        yield one.random(Place.FRAME, *place, frame)
        frame += 1


def _place(plan: SimulationPlan, told: ScanTruth) -> tuple[int, int]:
    """Place of the tracer and of the session in the plan."""
    tracers, sessions = [one.name for one in plan.tracers], [one.label for one in plan.sessions]
    return tracers.index(told.tracer), sessions.index(told.session)


def _write_truth(
    folder: Path, scan: Scan, one: Subject, scanner: Scanner, motion: Motion, frames: Frames, activity: Array
) -> None:
    anatomy = one.anatomy
    start = still(motion.pose[0], motion.centre, motion.radius)
    _write_labels(folder / f"{scan.label}_space-pet_dseg.nii.gz", anatomy, scanner.grid, start)
    to_pet = start.matrix(start.pose[0]) @ np.linalg.inv(one.mri_pose.matrix(one.mri_pose.pose[0]))
    lines = "".join(" ".join(f"{value:.9f}" for value in row) + "\n" for row in to_pet)
    write_text(folder / f"{scan.label}_from-T1w_to-pet_mode-image_xfm.txt", lines)
    poses = [
        (round(60 * float(time), 3), *(float(f"{value:.7g}") for value in pose))
        for time, pose in zip(motion.time, motion.pose, strict=True)
    ]
    about = {
        "Description": "Pose of the head, linear between rows",
        "Centre": [round(float(v), 4) for v in motion.centre],
    }
    write_described(folder / f"{scan.label}_motion.tsv", POSE_COLUMNS, poses, about)
    columns = [Column("frame_start", "Begin", "s"), Column("frame_end", "End", "s")]
    columns += [
        Column(name.replace(" ", "_"), "Activity without noise or blur", "kBq/mL") for name in anatomy.names[1:]
    ]
    rows = [
        (
            round(60 * float(frames.start[i]), 3),
            round(60 * float(frames.end[i]), 3),
            *(float(f"{value:.7g}") for value in activity[1:, i]),
        )
        for i in range(len(frames))
    ]
    write_described(folder / f"{scan.label}_tacs.tsv", columns, rows, {"Description": "True curves of all parcels"})


def _write_labels(path: Path, anatomy: Anatomy, grid: Grid, pose: Motion) -> None:
    write_image(path, grid, [labels_on(anatomy, grid, pose)], 1, np.uint8)
    columns = [Column("index", "Label"), Column("name", "Region or tissue"), Column("tissue", "Kind of tissue")]
    rows = [
        (number, name.replace(" ", "_") if tissue == GREY else name, tissue)
        for number, (name, tissue) in enumerate(zip(anatomy.names, anatomy.tissues, strict=True))
        if number
    ]
    write_described(path.with_name(path.name.replace(".nii.gz", ".tsv")), columns, rows, {"Description": "True labels"})
