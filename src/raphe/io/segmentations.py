"""Segmentations of the user's own: which there are of a participant, and which of them is taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from raphe.catalog import tissue_named
from raphe.errors import InputError
from raphe.io.below import below
from raphe.io.color_tables import ENDINGS, color_table_of
from raphe.io.derivatives import IMAGE_ENDINGS, label
from raphe.io.label_images import names_in, table_of
from raphe.io.names import parse_name
from raphe.io.tables import shortened
from raphe.nomenclature import segmentation_key

FREESURFER = (
    *("gtmseg", "aparc+aseg", "aparc.DKTatlas+aseg", "aparc.DKTatlas+aseg.mapped", "aparc.DKTatlas+aseg.deep.withCC"),
    *("aparc.DKTatlas+aseg.deep", "synthseg", "synthseg.rca", "aparc.a2009s+aseg", "wmparc", "aseg"),
    "aseg.auto_noCCseg",
)
"""Images of FreeSurfer, FastSurfer and SynthSeg; where a participant has several, the first of them is taken."""

ORDER = {segmentation_key(name): at for at, name in enumerate(FREESURFER)} | {"gtm": 0}
"""Place of a segmentation among those of FreeSurfer, whose names BIDS derivatives give to their copies too."""

SUBJECTS = ("freesurfer", "fastsurfer")
"""Folders of subjects that may stand in a dataset."""


@dataclass(frozen=True)
class Segmentation:
    """One image of a participant's regions.

    Parameters
    ----------
    path : Path
    names : tuple of str
        By which it can be chosen: ``seg-`` and ``desc-`` of its name, or the name of FreeSurfer's file.
    session : str or None
    freesurfer : bool
        Whether it stands in a folder of FreeSurfer, so that its numbers are FreeSurfer's.
    """

    path: Path
    names: tuple[str, ...]
    session: str | None
    freesurfer: bool

    @property
    def table(self) -> Path | None:
        """Table of names that belongs to the image, where there is one."""
        return color_table_of(self.path) if self.freesurfer else table_of(self.path)

    def is_called(self, name: str) -> bool:
        """Whether a name, in any case and punctuation, is one of its names."""
        return segmentation_key(name) in {segmentation_key(own) for own in self.names}

    def label(self, wanted: str | None) -> str:
        """The ``seg-`` of files made with it: the name by which it was chosen, else its first."""
        chosen = [name for name in self.names if wanted and segmentation_key(name) == segmentation_key(wanted)]
        return label([*chosen, *self.names, "own"][0])

    @property
    def place(self) -> tuple[int, bool] | None:
        """Place in :data:`FREESURFER`, its own files before copies; None for other segmentations."""
        places = [ORDER[key] for name in self.names if (key := segmentation_key(name)) in ORDER]
        return (min(places), not self.freesurfer) if places else None


def find_segmentation(
    participant: str, sessions: Sequence[str | None], roots: Sequence[Path], wanted: str | None = None
) -> Segmentation | None:
    """Segmentation of a participant in the space of the T1-weighted image; None if there is none.

    Parameters
    ----------
    participant : str
    sessions : sequence of (str or None)
        Sessions whose segmentations come before all others, the first first.
    roots : sequence of Path
        Datasets, and folders of FreeSurfer's subjects.
    wanted : str, optional
        Name that it must have: its ``seg-`` or ``desc-``, or that of FreeSurfer's file, in any case and punctuation.

    Raises
    ------
    InputError
        If there are several and :data:`FREESURFER` does not say which comes first.
    """
    there = segmentations(participant, roots)
    found = [one for one in there if (one.is_called(wanted) if wanted is not None else _holds_regions(one))]
    own = next((some for session in sessions if (some := [one for one in found if one.session == session])), found)
    places = [one.place for one in own]
    if len(own) > 1 and None not in places:
        first = min(place for place in places if place is not None)
        own = [one for one, place in zip(own, places, strict=True) if place == first]
    if len(own) > 1:
        named = shortened([str(one.path) for one in own], 4)
        raise InputError(
            f"sub-{participant} has {len(own)} segmentations ({named}); say which by its seg- or desc-, or by the name "
            "of FreeSurfer's file (--seg, or seg in [regions] of the plan), or give the folder of one (--derivatives)"
        )
    return own[0] if own else None


def segmentations(participant: str, roots: Sequence[Path]) -> tuple[Segmentation, ...]:
    """All that there are of a participant, each file once; arguments as of :func:`find_segmentation`."""
    found = [*_of_bids(participant, roots), *_of_freesurfer(participant, roots)]
    return tuple({one.path.resolve(): one for one in reversed(found)}.values())[::-1]


def _of_bids(participant: str, roots: Iterable[Path]) -> Iterator[Segmentation]:
    for root in roots:
        folder = root / f"sub-{participant}"
        for path in sorted(path for ending in IMAGE_ENDINGS for path in below(folder, f"[!.]*_dseg{ending}", "anat")):
            entities = parse_name(path).entities
            if entities.get("space", "T1w") == "T1w":
                names = [entities[key] for key in ("seg", "desc") if key in entities]
                names = [name for name in names if name != "preproc"]
                yield Segmentation(path, tuple(names), entities.get("ses"), False)


def _of_freesurfer(participant: str, roots: Sequence[Path]) -> Iterator[Segmentation]:
    for subjects in _folders_of_subjects(roots):
        for folder, session in _of_participant(subjects, participant):
            for name in FREESURFER:
                paths = (folder / "mri" / f"{name}{ending}" for ending in ENDINGS)
                path = next((path for path in paths if path.is_file() or path.is_symlink()), None)
                if path is not None:
                    yield Segmentation(path, (name,), session, True)


def _folders_of_subjects(roots: Sequence[Path]) -> Iterator[Path]:
    """Where FreeSurfer may have written: in a dataset, its sources, and its derivatives unless some are named."""
    for root in roots:
        yield root
        yield from (root / name for name in SUBJECTS)
        yield from sorted((root / "sourcedata").glob("*/"))
        inside = root / "derivatives"
        if not any(other.is_relative_to(inside) for other in roots):
            yield from sorted(inside.glob("*/"))


def _of_participant(subjects: Path, participant: str) -> Iterator[tuple[Path, str | None]]:
    """Folders of one participant, and the session of each."""
    yield subjects / f"sub-{participant}", None
    for folder in sorted(subjects.glob(f"sub-{participant}/ses-*/")):
        yield folder, folder.name.removeprefix("ses-")
    for folder in sorted(subjects.glob(f"sub-{participant}_ses-*/")):
        yield folder, folder.name.split("_ses-")[1].split("_")[0]


def _holds_regions(one: Segmentation) -> bool:
    """Whether a segmentation that nobody asked for is one of regions: not of grey matter, white matter and fluid."""
    if one.freesurfer:
        return True
    table = one.table
    if table is None:
        return "seg" in parse_name(one.path).entities  # so that reading it says that the table is missing
    try:
        return any(tissue_named(name) in (None, "grey") for name in names_in(table).values())
    except InputError:
        return True  # so that reading it says why it is unusable
