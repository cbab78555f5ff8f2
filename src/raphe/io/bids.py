"""A BIDS study of curves: which scans there are, and what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from raphe.data.scan import Scan
from raphe.errors import InputError, nearest, without_zeros
from raphe.io.blood import read_blood
from raphe.io.blood_files import blood_tables, input_tables
from raphe.io.curves import Curves, read_curves
from raphe.io.datasets import dataset_roots, find_tables
from raphe.io.input_function import InputFunction, read_input_function
from raphe.io.names import (
    Name,
    check_place,
    correction,
    correction_of,
    find_sidecars,
    full_name,
    natural_key,
    reference_label,
    segmentation,
    sidecars_of,
    volumes_of,
)
from raphe.io.participants import read_participants
from raphe.io.recordings import Blood
from raphe.io.sessions import acquisition_times, ordered, session_key
from raphe.io.sidecar import Sidecar, read_sidecar
from raphe.io.tables import read_table, shortened
from raphe.nomenclature import segmentation_key

VOLUME = "volume-mm3"


@dataclass(frozen=True, eq=False)
class ScanCurves:
    """One table of curves of one scan, not yet read."""

    scan: Scan
    name: Name
    """Path and entities of the table, ``seg``, ``pvc`` and ``desc`` among them."""
    sidecar: Sidecar
    morph: Path | None = None
    """Table of the volumes of its regions."""
    references: Mapping[str, Path] = field(default_factory=dict)
    """Tables that hold the curve of a reference region alone, by its label, with the same partial volume correction."""
    blood: tuple[Path, ...] = ()
    """Tables of blood samples of the scan (:func:`raphe.io.blood_files.blood_tables`), not yet read."""
    input_functions: tuple[Path, ...] = ()
    """Input functions of the scan in the datasets that were looked in, not yet read."""

    @property
    def path(self) -> Path:
        """The table of curves."""
        return self.name.path

    @property
    def pvc(self) -> str:
        """Partial volume correction; empty for none."""
        return correction(self.name)

    @property
    def seg(self) -> str:
        """Segmentation; empty where the name does not tell."""
        return segmentation(self.name)


@dataclass(frozen=True, eq=False)
class Study:
    """Every table of curves of a study, by participant, session (:mod:`raphe.io.sessions`) and name."""

    root: Path
    tables: tuple[ScanCurves, ...]
    participants: Mapping[str, Mapping[str, str]]
    """Row of each participant in ``participants.tsv``, by label without ``sub-``."""

    @property
    def sessions(self) -> tuple[str | None, ...]:
        """Labels of the sessions of the study, in order."""
        return tuple(sorted({one.scan.session for one in self.tables}, key=session_key))

    def choose(self, pvc: str | None = None, seg: str | None = None) -> tuple[ScanCurves, ...]:
        """One table of curves for each scan.

        Parameters
        ----------
        pvc : str, optional
            Partial volume correction as the names have it; None or ``nopvc`` for curves without.
        seg : str, optional
            Segmentation, in any case and punctuation; needed where scans have several.

        Raises
        ------
        InputError
            If a scan has no such table or several; the message lists what there is.
        """
        pvc = correction_of(pvc or "")
        chosen = []
        for scan in dict.fromkeys(one.scan.label for one in self.tables):
            tables = [one for one in self.tables if one.scan.label == scan]
            fitting = [
                one
                for one in tables
                if one.pvc.lower() == pvc.lower()
                and (seg is None or segmentation_key(one.seg) == segmentation_key(seg))
            ]
            if len(fitting) != 1:
                raise InputError(_ambiguous(self.root, scan, fitting, tables, pvc, seg))
            chosen += fitting
        return tuple(chosen)


def read_study(
    bids: Path,
    derivatives: Sequence[Path] = (),
    *,
    participants: Sequence[str] = (),
    sessions: Sequence[str] = (),
    more: Sequence[Path] = (),
    wanted: Callable[[str], bool] | None = None,
) -> Study:
    """Read what a study has of curves: names, sidecars and participants, but no table of curves.

    Parameters
    ----------
    bids : Path
        Root of the dataset: raw with ``derivatives/`` inside, or a derivative dataset.
    derivatives : sequence of Path, optional
        Derivative datasets that hold the curves, or folders of such; by default every folder in ``bids/derivatives``
        and ``bids`` itself.
    participants, sessions : sequence of str, optional
        Labels to keep, with or without ``sub-`` and ``ses-``; by default all.
    more : sequence of Path
        Tables of curves besides those of the datasets.
    wanted : callable, optional
        Says by its label whether a scan is read; the files of others are not opened.

    Raises
    ------
    InputError, UnitError, TimingError
        If a folder is absent, there are no curves, a label has none, or a name, sidecar or ``participants.tsv`` is
        unusable.
    """
    roots = dataset_roots(bids, derivatives)
    names = [full_name(path, bids) for path in find_tables(bids, derivatives, more)]
    if wanted is not None:
        names = [name for name in names if wanted(name.label)]
    for name in names:
        check_place(name)
    names = _kept(names, "sub", participants)
    names = _kept(names, "ses", sessions)
    references = [name for name in names if reference_label(name) is not None]
    tables = [
        describe(name, read_sidecar(sidecars_of(name, bids)), references, raw=bids, roots=roots)
        for name in names
        if reference_label(name) is None
    ]
    if not names:
        raise InputError(f"{bids}: every scan that has curves is left out, so there is nothing to analyse")
    if not tables:
        raise InputError(f"{bids}: there are reference curves, but no tables of regions (*_tacs.tsv)")
    return Study(bids, tuple(_sorted(tables, bids)), MappingProxyType(read_participants(bids)))


def load_curves(table: ScanCurves) -> Curves:
    """Curves of one table of a study, with the volumes of the regions where they are known.

    Raises
    ------
    InputError, UnitError, TimingError
        As :func:`raphe.io.curves.read_curves`, and if the table of volumes is unusable.
    """
    curves = read_curves(table.path, sidecar=table.sidecar)
    if table.morph is None or curves.tacs.volumes is not None:
        return curves
    morph = read_table(table.morph)
    if not {"name", VOLUME} <= set(morph.columns):
        return curves
    volume = dict(zip((_plain(name) for name in morph.cells("name")), morph.floats(VOLUME), strict=True))
    volumes = np.array([volume.get(_plain(name), np.nan) for name in curves.tacs.names])
    for at in np.flatnonzero(volumes < 0)[:1]:
        raise InputError(
            f"{table.morph}: {VOLUME} of {curves.tacs.names[at]!r} is {volumes[at]:g}, and regions are merged by their "
            "volumes; mend it, or write n/a where it is not known"
        )
    return replace(curves, tacs=replace(curves.tacs, volumes=volumes))


def load_reference(table: ScanCurves, label: str) -> Curves:
    """Curve of one of the reference regions of a scan, alone; ``label`` as in ``table.references``.

    Raises
    ------
    InputError, UnitError, TimingError
        If the scan has no such reference curve, or its table is unusable.
    """
    if label not in table.references:
        known = shortened(tuple(table.references)) or "none"
        raise InputError(f"{table.scan.label} has no reference curve {label!r} (it has: {known})")
    path = table.references[label]
    chain = dict.fromkeys((*find_sidecars(path), *table.sidecar.paths))
    return read_curves(path, sidecar=read_sidecar(tuple(chain)))


def load_blood(table: ScanCurves, *, unit: str | None = None, drop: bool = False) -> Blood | None:
    """Blood samples of a scan, on the clock of its injection; None if it has none.

    Parameters
    ----------
    table : ScanCurves
    unit : str, optional
        Unit of every activity, whatever the files say (``--blood-unit``).
    drop : bool
        Whether to leave out samples that stand out of order (``--blood-faults mend``).

    Raises
    ------
    InputError, UnitError
        As :func:`raphe.io.blood.read_blood`.
    """
    if not table.blood:
        return None
    known = table.sidecar
    return read_blood(table.blood, injection=known.injection, half_life=known.half_life, unit=unit, drop=drop)


def load_input(table: ScanCurves, *, unit: str | None = None) -> InputFunction | None:
    """Input function of a scan that is there ready-made, on the clock of its injection; None if there is none.

    Parameters
    ----------
    table : ScanCurves
    unit : str, optional
        Unit of every activity, whatever the file says (``--blood-unit``).

    Raises
    ------
    InputError, UnitError
        If the scan has several, or as :func:`raphe.io.input_function.read_input_function`.
    """
    if len(table.input_functions) > 1:
        files = shortened([str(path) for path in table.input_functions])
        raise InputError(
            f"{table.scan.label} has several input functions: {files}; "
            "name the one derivative dataset to use (--derivatives), or remove those that are not meant"
        )
    return read_input(table, table.input_functions[0], unit=unit) if table.input_functions else None


def read_input(table: ScanCurves, path: Path, *, unit: str | None = None) -> InputFunction:
    """Read an input function that is meant for a scan; arguments and errors as of :func:`load_input`."""
    known = table.sidecar
    return read_input_function(path, unit=unit, injection=known.injection, half_life=known.half_life)


def _kept(names: list[Name], key: str, labels: Sequence[str]) -> list[Name]:
    wanted = {label.removeprefix(f"{key}-") for label in labels}
    there = dict.fromkeys(name.entities.get(key, "") for name in names)
    for label in sorted(wanted - set(there)):
        name, known = f"{key}-{label}", [f"{key}-{other}" for other in there if other]
        hint = f"there are {shortened(known) or f'curves of no {key}- at all'}"
        if without_zeros(name) in map(without_zeros, known):
            hint = nearest(name, known)
        raise InputError(f"there are no curves of {name}; {hint}")
    return [name for name in names if not wanted or name.entities.get(key) in wanted]


def describe(
    name: Name,
    sidecar: Sidecar,
    references: Sequence[Name] = (),
    *,
    raw: Path | None = None,
    roots: Sequence[Path] = (),
) -> ScanCurves:
    """Put together what is known of a table of curves.

    Parameters
    ----------
    name : Name
        Of the table.
    sidecar : Sidecar
    references : sequence of Name
        Tables of reference curves of the study; those of the same scan and partial volume correction belong to it.
    raw : Path, optional
        Root of the raw dataset, where blood may be; by default the table's own dataset.
    roots : sequence of Path
        Datasets in which input functions may be.

    Raises
    ------
    InputError
        If the name of a table of volumes is unusable.
    """
    entities = dict(name.scan)
    participant, session = entities.pop("sub"), entities.pop("ses", None)
    own = [one for one in references if one.scan == name.scan and correction(one) == correction(name)]
    own.sort(key=lambda one: one.entities.get("seg") == name.entities.get("seg"))  # the same segmentation wins
    return ScanCurves(
        scan=sidecar.scan(participant, session, tuple(entities.items())),
        name=name,
        sidecar=sidecar,
        morph=volumes_of(name),
        references=MappingProxyType({str(reference_label(one)): one.path for one in own}),
        blood=blood_tables(name, raw or name.root),
        input_functions=input_tables(name, roots),
    )


def _sorted(tables: Sequence[ScanCurves], bids: Path) -> Iterator[ScanCurves]:
    for participant in sorted({one.scan.participant for one in tables}, key=natural_key):
        own = [one for one in tables if one.scan.participant == participant]
        order = ordered((one.scan.session for one in own), acquisition_times(bids, participant))
        for session in order:
            yield from sorted((one for one in own if one.scan.session == session), key=_file)


def _file(table: ScanCurves) -> Path:
    return table.path


def _ambiguous(
    root: Path,
    scan: str,
    fitting: Sequence[ScanCurves],
    tables: Sequence[ScanCurves],
    pvc: str | None,
    seg: str | None,
) -> str:
    asked = f"pvc {pvc or 'none'}" + (f" and seg {seg}" if seg else "")
    if not fitting:
        choices = sorted({f"pvc {one.pvc or 'none'}, seg {one.seg or 'none'}" for one in tables})
        return f"{root}: {scan} has no curves with {asked}; it has: {'; '.join(choices)}"
    segs = sorted({one.seg for one in fitting})
    if len(segs) == len(fitting):
        return f"{root}: {scan} has curves of several segmentations with {asked}; choose one: {', '.join(segs)}"
    return (
        f"{root}: {scan} has several tables of curves with {asked}: {', '.join(str(one.path) for one in fitting)}; "
        "name the one derivative dataset to use (--derivatives), or remove those that are not meant"
    )


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")
