"""Files of a scan that was preprocessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core import rigid
from raphe.core.resample import at_places
from raphe.data.alignment import HeadMotion
from raphe.data.volume import DynamicImage, Volume
from raphe.io import derivatives as names
from raphe.io.carpets import write_carpets
from raphe.io.described import Column, write_described
from raphe.io.names import find_sidecars
from raphe.io.tacs import write_tacs
from raphe.io.transforms import write_transforms
from raphe.io.volumes import write_dynamic, write_labels, write_mask, write_volume
from raphe.pipeline.own_regions import own_segmentation
from raphe.pipeline.partial_volumes import as_json
from raphe.pipeline.raw_task import INTERPOLATION, Located, Made, RawTask
from raphe.pipeline.template_of import region_sources
from raphe.preprocess.carpet import carpet
from raphe.preprocess.motion import correct_motion
from raphe.preprocess.reference_region import NAME

MOTION_COLUMNS = (
    *(Column(f"trans_{axis}", "From the frame to the reference position", "mm") for axis in "xyz"),
    *(Column(f"rot_{axis}", "About that axis, x first", "rad") for axis in "xyz"),
    Column("framewise_displacement", "Mean movement of the brain since the frame before", "mm"),
    Column("within", "Movement within the frame, from its neighbours' positions", "mm"),
    Column("held", "Whether the frame's position is its neighbours'"),
)


def write_preprocessed(
    task: RawTask,
    image: DynamicImage,
    motion: HeadMotion,
    still: DynamicImage,
    reference: Volume,
    place: Located,
    made: Made,
) -> list[Path]:
    """Write images, regions, transforms and tables of a scan.

    Parameters
    ----------
    task : RawTask
        Its ``out`` is where is written.
    image : DynamicImage
        As it was measured.
    motion : HeadMotion
    still : DynamicImage
        Without head motion.
    reference : Volume
        Late mean.
    place : Located
    made : Made

    Returns
    -------
    list of Path

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
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
    of_regions = {"RegionSources": region_sources(task.choices)} if own_segmentation(task) is None else {}
    write_labels(
        images[-1],
        made.regions.labels(),
        {**about, **of_regions, "Description": "Region with the largest share of a voxel"},
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
    files += _carpets(task, image, still, made, sources)
    return [*files, *_tables(task, motion, place, made, sources, of_regions)]


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


def _carpets(task: RawTask, image: DynamicImage, still: DynamicImage, made: Made, sources: Sequence[str]) -> list[Path]:
    """Carpets of the image as it was measured and, where motion was corrected, after that."""
    images = {"as measured": image} if still is image else {"as measured": image, "without head motion": still}
    path = names.carpets(task.out, task.raw.scan)
    write_carpets(path, {name: carpet(one, made.kinds) for name, one in images.items()}, {"Sources": list(sources)})
    return [path, names.sidecar(path)]


def _tables(
    task: RawTask,
    motion: HeadMotion,
    place: Located,
    made: Made,
    sources: Sequence[str],
    of_regions: Mapping[str, object],
) -> list[Path]:
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
    write_tacs(files[-1], made.tacs, scan, sources=sources, about=of_regions)
    for method, one in made.corrected.items():
        files.append(names.tacs(out, scan, place.seg, method))
        told = {**of_regions, "PartialVolumeCorrection": as_json(one, method)}
        write_tacs(files[-1], one.tacs, scan, sources=sources, about=told)
        if one.reliability.covariance is not None:
            files.append(names.covariance(out, scan, place.seg, method))
            _write_covariance(files[-1], one.tacs.names, one.reliability.covariance, sources)
        if one.reference is not None:
            files.append(names.reference_curve(out, scan, NAME, method))
            told = {"PartialVolumeCorrection": as_json(one.reference, method)}
            write_tacs(files[-1], one.reference.tacs, scan, sources=sources, about=told)
    if made.of_reference is not None:
        files.append(names.reference_curve(out, scan, NAME))
        write_tacs(files[-1], made.of_reference, scan, sources=sources)
    return [*files, *(names.sidecar(file) for file in files)]


def _write_covariance(
    path: Path, regions: Sequence[str], covariance: npt.NDArray[np.float64], sources: Sequence[str]
) -> None:
    columns = [Column("name", "Region"), *(Column(name, "Covariance with it") for name in regions)]
    rows = [(name, *row) for name, row in zip(regions, covariance.tolist(), strict=True)]
    about = (
        "Covariance of the corrected means of regions where the noise of a voxel has the variance 1; times the "
        "variance of a voxel's noise in a frame, that of the frame"
    )
    write_described(path, columns, rows, {"Description": about, "Sources": list(sources)})


def _seconds(minutes: npt.NDArray[np.float64]) -> list[float]:
    return [float(f"{60 * value:.9g}") for value in minutes]
