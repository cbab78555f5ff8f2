"""``raphe check``: everything that is wrong or doubtful about a dataset of images or curves, before any work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from raphe.data.finding import Finding
from raphe.errors import InputError, RapheError
from raphe.io.acquisition import doubts_of_times
from raphe.io.below import below_people
from raphe.io.bids import ScanCurves, describe, load_curves
from raphe.io.blood import read_recording
from raphe.io.blood_doubts import inspect_blood
from raphe.io.blood_files import belongs
from raphe.io.datasets import dataset_roots, find_tables, no_dataset, unreadable_folders
from raphe.io.doubts import Reading, doubts_of_table, gaps
from raphe.io.formats import check_complete, read_raw
from raphe.io.image_doubts import doubts_of_images
from raphe.io.names import (
    Name,
    check_place,
    folder_of_scan,
    full_name,
    parse_name,
    reference_label,
    scan_sidecars,
    sidecars_of,
)
from raphe.io.near_names import misspelt
from raphe.io.not_fetched import is_there
from raphe.io.participants import ID, mistaken, unmatched
from raphe.io.participants import faults as participant_faults
from raphe.io.people_doubts import doubts_of_people
from raphe.io.raw_images import RawImages, Scan, find_images
from raphe.io.sessions import session_times
from raphe.io.sidecar import inspect_sidecar
from raphe.io.study_doubts import doubts_of_study
from raphe.io.tables import read_json, read_table
from raphe.nomenclature import tracer_key

UnitOf = Callable[[str], str | None]
"""From the name of a tracer to a unit."""


def check_dataset(
    bids: Path,
    derivatives: Sequence[Path] = (),
    *,
    blood: bool = True,
    blood_unit: UnitOf | None = None,
    more: Sequence[Path] = (),
) -> tuple[Finding, ...]:
    """Read all metadata, headers of images and every table of curves of a study, go on after faults, and tell all.

    Parameters
    ----------
    bids : Path
        Root of the dataset, as of :func:`raphe.io.bids.read_study`.
    derivatives : sequence of Path, optional
        Datasets that hold the curves, as there.
    blood : bool
        Whether to read blood and input functions too; False where no analysis needs them.
    blood_unit : callable, optional
        Gives the unit of every activity of a tracer's blood, whatever the files say; None for what they say.
    more : sequence of Path
        Tables of curves besides those of the datasets.

    Returns
    -------
    tuple of Finding
        Errors, which make :func:`raphe.io.bids.read_study` or reading the curves fail, and warnings; by file. Empty for
        a clean dataset.
    """
    inspection = _Inspection(bids, blood_unit or (lambda _: None))
    if not bids.is_dir():
        inspection.error(bids, "", no_dataset(bids))
        return tuple(inspection.found)
    roots: tuple[Path, ...] = (bids,)
    tables: tuple[Path, ...] = ()
    images = find_images(bids)
    try:
        roots = dataset_roots(bids, derivatives)
        tables = _tables(bids, derivatives, more, needed=not images.pet)
    except InputError as error:
        inspection.error(bids, "", error)
    for root in dict.fromkeys((bids, *roots)):
        for folder, fault in unreadable_folders(root):
            inspection.error(folder, "", fault)
        inspection.guard(root / "dataset_description.json", inspection.description)
    inspection.roots = roots
    for path in tables:
        inspection.guard(path, inspection.table)
    if blood:
        inspection.blood()
    inspection.guard(bids, inspection.misspelt)
    sidecars = below_people(bids, "[!.]*_pet.json")
    for path in sidecars:
        inspection.guard(path, partial(inspection.scan, {name.scan for name in images.pet}, _scans(sidecars)))
    inspection.guard(bids, partial(inspection.images, images, frozenset(more)))
    inspection.guard(bids / "participants.tsv", inspection.participants)
    for participant in dict.fromkeys(name.entities["sub"] for name in (*inspection.names, *images.pet)):
        inspection.guard(bids / f"sub-{participant}", inspection.sessions)
    inspection.guard(bids, inspection.comparison)
    return tuple(dict.fromkeys(inspection.found))


def _tables(bids: Path, derivatives: Sequence[Path], more: Sequence[Path], *, needed: bool) -> tuple[Path, ...]:
    """Tables of curves; a dataset of images has to have none."""
    try:
        return find_tables(bids, derivatives, more)
    except InputError:
        if needed:
            raise
        return ()


def _scans(paths: Sequence[Path]) -> frozenset[Scan]:
    """Scans of which files are, by their names; those with an unusable name are left out."""
    found = []
    for path in paths:
        with suppress(InputError):
            found.append(parse_name(path).scan)
    return frozenset(found)


class _Inspection:
    """What was read so far, and what was found."""

    def __init__(self, bids: Path, blood_unit: UnitOf) -> None:
        self.bids = bids
        self.blood_unit = blood_unit
        self.roots: tuple[Path, ...] = ()
        self.found: list[Finding] = []
        self.names: list[Name] = []
        self.readings: list[Reading] = []
        self.references: dict[bytes, Name] = {}

    def guard(self, path: Path, look: Callable[[Path], None]) -> None:
        """Look at one file; whatever goes wrong becomes a finding about it."""
        try:
            look(path)
        except RapheError as error:
            self.error(path, "", error)
        except OSError as error:
            told = f"{path} cannot be read: {error.strerror or error} ({error.filename}); mend its permissions"
            self.found.append(Finding("error", path, "", told))
        except Exception as error:
            told = f"raphe failed on it ({type(error).__name__}: {error}); this is a fault of raphe, please report it"
            self.found.append(Finding("error", path, "", f"{path}: {told}"))

    def error(self, path: Path, field: str, error: RapheError) -> None:
        self.found.append(Finding("error", path, field, str(error)))

    def warn(self, path: Path, field: str, told: str) -> None:
        self.found.append(Finding("warning", path, field, f"{path}: {told}"))

    def description(self, path: Path) -> None:
        if is_there(path):
            read_json(path)
        elif path.parent == self.bids:
            self.warn(path, "", "the file is missing; BIDS wants it at the root of a dataset")

    def table(self, path: Path) -> None:
        """Name, sidecars, curves and volumes of one table."""
        name = full_name(path, self.bids)
        check_place(name)
        self.names.append(name)
        sidecar, faults = inspect_sidecar(sidecars_of(name, self.bids))
        for fault in faults:
            self.error(fault.path, fault.field, fault.error)
        self.found += sidecar.findings
        if faults:
            check_complete(read_raw(path))  # the table's own faults, as far as they show without its sidecar
            return
        table = describe(name, sidecar, raw=self.bids, roots=self.roots)
        curves = load_curves(table)
        self.found += curves.findings
        self._tracer_entity(table)
        if reference_label(name) is None:
            reading = Reading(table, curves.tacs)
            self.readings.append(reading)
            self.found += doubts_of_table(table.path, curves.tacs, table.scan)
        else:
            first = self.references.setdefault(curves.tacs.activity.tobytes(), name)
            if first.scan != name.scan:
                self.warn(path, "", f"its curve is identical with that of {first.path}; is one a copy?")

    def blood(self) -> None:
        """Blood and input functions of each scan, held against one of its tables; then blood of no scan."""
        scans: dict[object, Reading] = {}
        for reading in self.readings:
            scans.setdefault(reading.table.name.scan, reading)
        held = {path for reading in scans.values() for path in reading.table.blood}
        for reading in scans.values():
            for path in (*reading.table.blood, *reading.table.input_functions)[:1]:
                self.guard(path, partial(self.blood_of_scan, reading))
        for path in below_people(self.bids, "[!.]*_blood.tsv"):
            if path not in held:
                self.guard(path, self.blood_alone)

    def blood_of_scan(self, reading: Reading, _: Path) -> None:
        self.found += inspect_blood(reading, self.blood_unit(reading.table.scan.tracer))

    def blood_alone(self, path: Path) -> None:
        """Blood whose scan has no curves that could be read."""
        name = parse_name(path)
        check_place(name)
        if self.names and not any(belongs(name, table) for table in self.names):
            self.warn(path, "", "by its name, this blood is of no scan that has curves; it will not be used")
        self.found += read_recording(path, unit=self.blood_unit("")).findings

    def misspelt(self, bids: Path) -> None:
        self.found += misspelt(bids)

    def scan(self, images: Collection[Scan], sidecars: Collection[Scan], path: Path) -> None:
        """Sidecar of a raw scan that has no table of curves; those of the others were read with their tables.

        One that has no image of its own name, and that other scans inherit, is read with theirs.
        """
        name = parse_name(path)
        check_place(name)
        if any(table.scan == name.scan for table in self.names) or name.path.name.count("_desc-"):
            return
        others = (*images, *sidecars, *(table.scan for table in self.names))
        if name.scan not in images and any(set(name.scan) < set(scan) for scan in others):
            return
        if self.names:
            self.warn(path, "", "this scan has no table of curves")
        chain = scan_sidecars(dict(name.scan), self.bids)
        if not chain:
            place = folder_of_scan(dict(name.scan), self.bids)
            raise InputError(f"{path} is of no scan where it stands; move it, with the files beside it, to {place}")
        sidecar, faults = inspect_sidecar(chain)
        for fault in faults:
            self.error(fault.path, fault.field, fault.error)
        self.found += sidecar.findings
        if not faults and sidecar.frames is not None:
            self.found += gaps(sidecar.paths[0], sidecar.frames)

    def images(self, images: RawImages, made: Collection[Path], _: Path) -> None:
        """Images that have no curves, or none but those that raphe made of them."""
        self.found += doubts_of_images(images, {name.scan for name in self.names if name.path not in made})

    def participants(self, path: Path) -> None:
        if not is_there(path):
            return
        table = read_table(path)
        for fault in participant_faults(table):
            self.error(path, ID, fault)
        if ID not in table.columns:
            return
        self.found += doubts_of_people(table)
        rows = dict(zip((row.removeprefix("sub-") for row in table.cells(ID)), table.lines, strict=True))
        there = {folder.name.removeprefix("sub-") for folder in self.bids.glob("sub-*") if folder.is_dir()}
        there |= {name.entities["sub"] for name in self.names}
        for fault in mistaken(path, rows, there):
            self.found.append(Finding("warning", path, ID, str(fault)))
        if told := unmatched(dict(zip(table.cells(ID), table.lines, strict=True)), there):
            self.warn(path, ID, told)

    def sessions(self, folder: Path) -> None:
        participant = folder.name.removeprefix("sub-")
        self.found += session_times(self.bids, participant)[1]
        self.found += doubts_of_times(self.bids, participant)

    def comparison(self, _: Path) -> None:
        self.found += doubts_of_study(self.readings)
        seen: dict[tuple[object, ...], ScanCurves] = {}
        for table in (reading.table for reading in self.readings):
            other = seen.setdefault((table.name.scan, table.pvc, table.seg), table)
            if other is not table:
                told = f"the scan has another table of the same segmentation and correction, {other.path}; choose one"
                self.warn(table.path, "", told)

    def _tracer_entity(self, table: ScanCurves) -> None:
        label, tracer = table.name.entities.get("trc"), table.scan.tracer
        if label is None or not tracer:
            return
        one, other = tracer_key(label), tracer_key(tracer)
        if one not in other and other not in one:
            self.warn(table.path, "trc", f"the name says trc-{label}, but TracerName is {tracer!r}")
