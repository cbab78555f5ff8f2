"""What is wrong or doubtful about the raw images of a dataset, by headers and sidecars.

No voxel is read but those of images whose files are so short that they can hold nothing but one number.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from raphe.data.finding import Finding
from raphe.errors import InputError
from raphe.io.decoded import decoded
from raphe.io.fields import Fields
from raphe.io.image_copies import doubts_of_copies
from raphe.io.images import Span, stream
from raphe.io.names import Name, folder_of_scan, scan_sidecars
from raphe.io.nifti import ImageFile, open_image
from raphe.io.participants import ID
from raphe.io.raw_images import RawImages, Scan, doubt, doubts_of_anatomy, doubts_of_runs
from raphe.io.tables import read_table
from raphe.io.volumes import check_single

HUMAN = ("", "human", "homo sapiens", "n/a")


@dataclass(frozen=True)
class Bounds:
    """What the images of a species' brain may be; assumptions, wide enough for every scanner that was looked at.

    Parameters
    ----------
    voxel : tuple of float, mm
        Smallest and largest side of a voxel.
    field : tuple of float, mm
        Smallest and largest extent of an image.
    """

    voxel: tuple[float, float]
    field: tuple[float, float]


NOTHING = 200
"""Times by which no image is compressed that shows anything; an assumption."""

OF_HUMANS = Bounds((0.4, 10.0), (80.0, 2500.0))
OF_ANIMALS = Bounds((0.05, 5.0), (10.0, 800.0))


def doubts_of_images(images: RawImages, with_curves: Collection[Scan] = ()) -> Iterator[Finding]:
    """Everything that is wrong with the images or doubtful about them.

    Parameters
    ----------
    images : RawImages
    with_curves : collection
        Scans (:attr:`raphe.io.names.Name.scan`) that have curves, for which no image is needed; theirs are passed over.
    """
    for path, error in images.unnamed:
        yield Finding("error", path, "", str(error))
    plan = _plan(images.root)
    species = _species(images.root, str(plan[0].get("species", "")))
    scans = [name for name in images.pet if name.scan not in with_curves]
    people = {name.entities["sub"] for name in scans}
    chosen = str(plan[1].get("t1", ""))
    t1 = [name for name in images.t1 if name.entities["sub"] in people and chosen in name.path.name]
    for name in scans:
        yield from _guarded(name, lambda name: _of_pet(images.root, name, species))
    if plan[1].get("anatomy") != "pet":
        for name in t1:
            yield from _guarded(name, lambda name: _of_t1(open_image(name.path), _bounds(species, name)))
        yield from doubts_of_anatomy(scans, t1)
    yield from doubts_of_runs(scans)
    yield from doubts_of_copies(scans, () if plan[1].get("anatomy") == "pet" else t1)


def _guarded(name: Name, look: Callable[[Name], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look(name)
    except InputError as error:
        yield Finding("error", name.path, "", str(error))
    except OSError as error:
        told = f"{name.path} cannot be read: {error.strerror or error}; mend its permissions"
        yield Finding("error", name.path, "", told)


def _of_pet(root: Path, name: Name, species: Mapping[str, str]) -> Iterator[Finding]:
    sidecars = scan_sidecars(dict(name.scan), root)
    if not sidecars:
        place = folder_of_scan(dict(name.scan), root)
        told = (
            f"{name.path}: this image has no sidecar"
            f"{'' if name.path.parent == place else f' in {place}, where BIDS wants both'}; "
            f"write its times, unit and tracer into {name.path.name.split('.')[0]}.json (raphe convert makes one)"
        )
        yield Finding("error", name.path, "", told)
    image = open_image(name.path)
    yield from _of_header(image, _bounds(species, name))
    yield from _cut_short(image)
    yield from _without_content(image)
    if sidecars:
        yield from _frames(name, image, Fields(sidecars))
    if image.n_volume == 1:
        yield doubt(
            name,
            "",
            "the image has one frame; it is registered, and regions have a value, but no model but SUVR can be fitted",
        )


def _of_t1(image: ImageFile, bounds: Bounds) -> Iterator[Finding]:
    yield from _of_header(image, bounds)
    check_single(image)
    yield from _cut_short(image)
    yield from _without_content(image)


def _without_content(image: ImageFile) -> Iterator[Finding]:
    """Read an image that is compressed as no other is, and say where it shows nothing."""
    whole = image.grid.n_voxel * image.n_volume * image.dtype.itemsize
    if image.path.stat().st_size * NOTHING > whole:
        return
    found = Span(image)
    stream(image, [found], range(image.n_volume))
    if found.low > found.high:
        what = "no voxel holds a number"
    elif found.low == found.high or found.high <= 0:
        what = (
            f"every voxel is {found.low:g}"
            if found.low == found.high
            else f"no voxel is above 0 (from {found.low:g} to {found.high:g})"
        )
    else:
        return
    told = f"{image.path} shows nothing: {what}; no curve can be made of it. Reconstruct or convert it again"
    yield Finding("warning", image.path, "", told)


def _frames(name: Name, image: ImageFile, fields: Fields) -> Iterator[Finding]:
    for field in ("FrameTimesStart", "FrameDuration"):
        try:
            n_frame = fields.numbers(field, "").size
        except InputError:
            continue  # the check of the sidecar tells it
        if n_frame != image.n_volume:
            told = (
                f"{name.path} has {image.n_volume} {'frame' if image.n_volume == 1 else 'frames'}, but {field} of "
                f"{fields.source(field)} lists {n_frame}; mend whichever is wrong"
            )
            yield Finding("error", name.path, field, told)


def _of_header(image: ImageFile, bounds: Bounds) -> Iterator[Finding]:
    yield from image.findings
    sizes, grid = image.grid.zooms, image.grid
    extent = [size * count for size, count in zip(sizes, grid.shape, strict=True)]
    for told, values, (low, high) in (("voxels of", sizes, bounds.voxel), ("an extent of", extent, bounds.field)):
        if min(values) < low or max(values) > high:
            spelled = " x ".join(f"{value:.4g}" for value in values)
            yield Finding(
                "warning",
                image.path,
                "pixdim",
                f"{image.path}: the header says {told} {spelled} mm, where {low:g} to {high:g} mm was expected of a "
                "brain; is its unit another one (cm, m), or the species of participants.tsv?",
            )
            return


def _cut_short(image: ImageFile) -> Iterator[Finding]:
    """Read a gzipped image to its end where its last bytes do not tell the length that it should have."""
    if image.kind != "gz":
        return
    wanted = image.offset + image.grid.n_voxel * image.n_volume * image.dtype.itemsize
    with image.path.open("rb") as file:
        file.seek(-4, 2)
        told = int.from_bytes(file.read(4), "little")
    if told == wanted % 2**32:
        return
    with decoded(image.path) as whole:
        held = whole.finish()
    if held < wanted:
        message = (
            f"{image.path} is cut short: it holds {held} of the {wanted} bytes that its header says; copy it again"
        )
        yield Finding("error", image.path, "", message)


def _bounds(species: Mapping[str, str], name: Name) -> Bounds:
    told = species.get(f"sub-{name.entities['sub']}", species.get("", ""))
    return OF_HUMANS if told.lower() in HUMAN else OF_ANIMALS


def _plan(root: Path) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Sections ``[study]`` and ``[preprocess]`` of the plan of a dataset; empty where it has none that can be read."""
    try:
        plan = tomllib.loads((root / "raphe.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}, {}  # the check of the plan tells it
    study, preprocess = (plan.get(section) for section in ("study", "preprocess"))
    return study if isinstance(study, dict) else {}, preprocess if isinstance(preprocess, dict) else {}


def _species(root: Path, usual: str) -> dict[str, str]:
    """Species of each participant by ``participants.tsv``, and by the empty word that of all others."""
    found = {"": usual}
    try:
        table = read_table(root / "participants.tsv")
        pairs = zip(table.cells(ID), table.cells("species"), strict=True)
        found |= {participant: told for participant, told in pairs if told}
    except InputError:
        pass  # the check of the table tells it
    return found
