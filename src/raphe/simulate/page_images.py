"""What the page of a simulated study shows of its images: slices of one participant, and how the head moved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from raphe import catalog
from raphe.core.frames import Frames
from raphe.data.image import Grid
from raphe.nomenclature import region_key
from raphe.report.simulated import Chapter, Figure, Key, Titled
from raphe.report.simulated_figures import Line, time_panel
from raphe.report.slices import Volume, label_colours, slices
from raphe.report.wording import general, quoted
from raphe.simulate.anatomy import BRAIN, GREY, Anatomy
from raphe.simulate.curves import noise_level, noise_sd
from raphe.simulate.heads import protocol_of, scanner_of
from raphe.simulate.motion import Motion, still
from raphe.simulate.mri import labels_on, mri_grid, t1_image
from raphe.simulate.page_curves import Regions, relative
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.population import ScanTruth
from raphe.simulate.record import Record
from raphe.simulate.scan_images import Subject, both_frames, parcel_curves, scan_motion, subject
from raphe.simulate.scans import frames_of_scan
from raphe.simulate.streams import Place

Array = npt.NDArray[np.float64]

BRIGHTEST = 99.8
"""Percentile of the head's signal at which the scale of greys of its T1-weighted image ends."""

MARGIN = 4.0
"""Around the head, mm."""


@dataclass(frozen=True, eq=False)
class Seen:
    """The first scan of the first participant, made once more.

    Parameters
    ----------
    one : Subject
    told : ScanTruth
    frames : Frames
    motion : Motion
    labels : ndarray of uint8
        On the scanner's grid, as the head lies at injection.
    noisy, clean : ndarray, kBq/mL
        Last frame, with noise and without.
    regions : Regions
    """

    one: Subject
    told: ScanTruth
    frames: Frames
    motion: Motion
    labels: npt.NDArray[np.uint8]
    noisy: Array
    clean: Array
    regions: Regions


def seen(plan: SimulationPlan, folder: Path, seed: int, record: Record) -> Seen:
    """Make the first scan of a participant; ``folder`` is that of the plan."""
    told = record.truths[0]
    one, frames = subject(plan, folder, seed, record.participant), frames_of_scan(plan, told.tracer)
    motion, grid = scan_motion(one, told, frames), scanner_of(plan).grid
    labels = labels_on(one.anatomy, grid, still(motion.pose[0], motion.centre, motion.radius))
    names = [catalog.species(plan.study.species).reference_region, *(region_key(name)[0] for name in told.regions)]
    numbers = np.array([one.anatomy.number(name) for name in names])
    curves = np.zeros((2, len(names), len(frames)))
    noisy = clean = np.empty(0)
    for index, (noisy, clean) in enumerate(both_frames(one, told, frames)):
        for kind, image in enumerate((noisy, clean)):
            curves[kind, :, index] = _means(labels, image, len(one.anatomy.names))[numbers]
    regions = _regions(one, told, frames, tuple(names), numbers, curves)
    return Seen(one, told, frames, motion, labels, noisy, clean, regions)


def _means(labels: npt.NDArray[np.uint8], image: Array, n: int) -> Array:
    """Mean of an image over each label, shape (n,)."""
    voxels = np.bincount(labels.ravel(), minlength=n)
    return np.asarray(np.bincount(labels.ravel(), image.ravel(), n) / np.maximum(voxels, 1))


def _regions(
    one: Subject, told: ScanTruth, frames: Frames, names: tuple[str, ...], numbers: npt.NDArray[np.intp], curves: Array
) -> Regions:
    reference, activity = parcel_curves(one, told, frames)
    half_life = catalog.half_life(catalog.tracer(told.tracer).radionuclide)
    volumes, (noisy, clean) = one.anatomy.volumes[numbers], curves
    alpha = noise_level(frames, half_life, reference, one.plan.noise.percent.value)
    sd = noise_sd(frames, half_life, np.maximum(clean, 0), volumes, alpha)
    square = relative(noisy - clean, clean) ** 2
    return Regions(names, volumes, frames, clean, noisy, square, relative(sd, clean), 1, activity[numbers])


def head_chapter(plan: SimulationPlan, found: Seen) -> Chapter:
    """Slices of the head and of its last frame, and its movement."""
    protocol, joined = protocol_of(plan)
    scanner = scanner_of(plan)
    voxel = " x ".join(general(edge, 3) for edge in scanner.grid.zooms)
    together = f", {joined} voxels along each axis joined" if joined > 1 else ""
    told = (
        f"The scanner is called {protocol.label}{together}: voxels of {voxel} mm, resolution "
        f"{general(scanner.fwhm)} mm in the centre. The head is drawn from the anatomy {quoted(plan.anatomy.source)}, "
        "with size, shape and loss of tissue of its own; geometry, tissues and movement are mostly assumptions."
    )
    region = region_key(plan.primary.region if plan.primary else plan.regions.names[0])[0]
    figures = (_mri(plan, found, region), _pet(found, region), _motion(found))
    return Chapter("images", "Images of one participant", (told,), figures=figures)


def _mri(plan: SimulationPlan, found: Seen, region: str) -> Figure:
    one, anatomy = found.one, found.one.anatomy
    protocol, _ = protocol_of(plan)
    grid, pose = mri_grid(anatomy, protocol.mri_voxel.value), one.mri_pose
    labels, image = labels_on(anatomy, grid, pose), t1_image(anatomy, grid, pose, one.random(Place.MRI))
    pale = [number for number, tissue in enumerate(anatomy.tissues) if number and tissue != GREY]
    colours = label_colours(len(anatomy.names), pale)
    top = float(np.percentile(image[labels > 0], BRIGHTEST))
    shown = {
        "T1-weighted image": _volume(grid, image, high=top, unit="signal", grey=True),
        "true labels": _volume(grid, labels, colours=colours),
    }
    keys = tuple(
        Key(name, f"#{bytes(colours[number]).hex()}", "swatch")
        for number, name in enumerate(anatomy.names)
        if number and anatomy.tissues[number] == GREY
    )
    person = f"sub-{found.told.participant.label}"
    caption = (
        f"Head of {person} in the space of its T1-weighted image, through the middle of the right {region}. L, R, P, "
        "A, I and S are the sides of the head: left, right, back, front, below, above. Other tissues are grey."
    )
    return Figure(_drawn(shown, labels, grid, anatomy, region), caption, keys, wide=True, title="Anatomy")


def _pet(found: Seen, region: str) -> Figure:
    grid = scanner_of(found.one.plan).grid
    top = float(found.clean.max())
    shown = {
        "without noise": _volume(grid, found.clean, high=top, unit="kBq/mL"),
        "as it is in the study": _volume(grid, found.noisy, high=top, unit="kBq/mL"),
    }
    start, end = float(found.frames.start[-1]), float(found.frames.end[-1])
    caption = (
        f"Last frame, {general(start)} to {general(end)} min, of {catalog.tracer(found.told.tracer).label} in session "
        f"{found.told.session}: blurred and moved in both, with noise in the lower. One scale of colours for both; "
        "noise beyond its ends has the colour of the end. Decay-corrected to injection."
    )
    panels = _drawn(shown, found.labels, grid, found.one.anatomy, region)
    return Figure(panels, caption, wide=True, title="A late frame")


def _motion(found: Seen) -> Figure:
    time, moved = found.motion.time, found.motion.pose - found.motion.pose[0]
    axes = ("x, to the right", "y, forwards", "z, upwards")
    panels = []
    for title, unit, values in (
        ("Translation", "mm", moved[:, :3]),
        ("Rotation", "degrees", np.rad2deg(moved[:, 3:])),
    ):
        lines = [Line(f"s{axis}", time, values[:, axis]) for axis in range(3)]
        drawing = time_panel(lines, unit, "min after injection", f"{title} of the head over time", rest=0.0)
        panels.append(Titled(title, drawing))
    keys = tuple(Key(f"along or about {name}", f"s{axis}") for axis, name in enumerate(axes))
    caption = "Movement of the head since injection: a slow drift with sudden jumps, if there were any in this scan."
    return Figure(tuple(panels), caption, keys, title="Movement")


def _volume(grid: Grid, values: npt.NDArray[np.floating] | npt.NDArray[np.uint8], **more: object) -> Volume:
    corner, zooms = grid.affine[:3, 3], grid.zooms
    place = (float(corner[0]), float(corner[1]), float(corner[2]))
    return Volume(np.asarray(values), place, zooms, **more)  # type: ignore[arg-type]


def _drawn(
    shown: dict[str, Volume], labels: npt.NDArray[np.uint8], grid: Grid, anatomy: Anatomy, region: str
) -> tuple[Titled, ...]:
    """Draw images on one grid through the same place, as far as the head reaches."""
    at, within = _middle(labels, grid, anatomy, region), _box(labels, grid)
    return tuple(Titled(name, _slices(volume, at, within, name)) for name, volume in shown.items())


def _slices(volume: Volume, at: tuple[float, float, float], within: tuple[Array, Array], name: str) -> Markup:
    return slices(volume, at, within, f"{name}: axial, coronal and sagittal slice")


def _middle(labels: npt.NDArray[np.uint8], grid: Grid, anatomy: Anatomy, region: str) -> tuple[float, float, float]:
    """Middle of the right half of a region, mm; of the brain, if it has no voxel there."""
    brain = [number for number, tissue in enumerate(anatomy.tissues) if tissue in BRAIN]
    middle = _places(np.isin(labels, brain), grid).mean(axis=0)
    places = _places(labels == anatomy.number(region), grid)
    right = places[places[:, 0] > middle[0]] if places.size else places
    found = right.mean(axis=0) if right.size else middle
    return float(found[0]), float(found[1]), float(found[2])


def _box(labels: npt.NDArray[np.uint8], grid: Grid) -> tuple[Array, Array]:
    places = _places(labels > 0, grid)
    return places.min(axis=0) - MARGIN, places.max(axis=0) + MARGIN


def _places(where: npt.NDArray[np.bool_], grid: Grid) -> Array:
    """Centres of voxels, mm, shape (n, 3)."""
    return np.argwhere(where) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
