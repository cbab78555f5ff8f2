"""The raw images of a dataset by their names: which there are, and which belong together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from raphe.data.finding import Finding
from raphe.errors import InputError
from raphe.io.below import below, below_people
from raphe.io.derivatives import IMAGE_ENDINGS
from raphe.io.names import Name, check_place, parse_name
from raphe.io.tables import shortened

Scan = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RawImages:
    """Raw images of a dataset.

    Parameters
    ----------
    root : Path
        Of the dataset.
    pet, t1 : tuple of Name
        PET and T1-weighted images.
    unnamed : tuple of InputError
        What is wrong with the names of others.
    """

    root: Path
    pet: tuple[Name, ...]
    t1: tuple[Name, ...]
    unnamed: tuple[tuple[Path, InputError], ...] = ()


def find_images(bids: Path) -> RawImages:
    """Raw PET and T1-weighted images of a dataset, by name; what was made of them is left out."""
    found: dict[str, list[Name]] = {"pet": [], "T1w": []}
    unnamed = []
    for suffix, names in found.items():
        for path in sorted(path for end in IMAGE_ENDINGS for path in below_people(bids, f"[!.]*_{suffix}{end}")):
            try:
                name = parse_name(path)
                check_place(name)
            except InputError as error:
                unnamed.append((path, error))
                continue
            if not {"desc", "space"} & set(name.entities):
                names.append(name)
    return RawImages(bids, tuple(found["pet"]), tuple(found["T1w"]), tuple(unnamed))


def doubts_of_anatomy(scans: Sequence[Name], t1: Sequence[Name]) -> Iterator[Finding]:
    """Say which PET scans have no T1-weighted image, one of another session, or several."""
    own: dict[tuple[str, str | None], list[Name]] = defaultdict(list)
    for name in t1:
        own[name.entities["sub"], name.entities.get("ses")].append(name)
    for place in dict.fromkeys((name.entities["sub"], name.entities.get("ses")) for name in scans):
        first = next(name for name in scans if (name.entities["sub"], name.entities.get("ses")) == place)
        here = own[place]
        others = [name for name in t1 if name.entities["sub"] == place[0] and name.entities.get("ses") != place[1]]
        if len(here) > 1:
            named = shortened([name.path.name for name in here], 4)
            yield doubt(
                first,
                "T1w",
                f"its session has {len(here)} T1-weighted images ({named}); choose by t1 in [preprocess] of the plan",
            )
        elif not here and others:
            named = shortened([name.path.name for name in others], 3)
            told = f"another has one, which is taken ({named})"
            if len(others) > 1:
                told = f"others have {len(others)} ({named}); choose by t1 in [preprocess] of the plan"
            yield doubt(first, "T1w", f"its session has no T1-weighted image; {told}")
        elif not here:
            yield doubt(
                first,
                "T1w",
                f"there is no T1-weighted image of this participant{_mp2rage(first)}; regions need one, a "
                "segmentation, or the route by PET alone",
            )


def _mp2rage(name: Name) -> str:
    """Say, of a participant without a T1-weighted image, that there is one of an MP2RAGE, which is not read."""
    found = below(name.root / f"sub-{name.entities['sub']}", "[!.]*_UNIT1.nii*")
    if not found:
        return ""
    return (
        f" ({found[0].name} is not taken for one: what is around the head is noise in it; mask that, and name it "
        f"{found[0].name.replace('_UNIT1.', '_T1w.')})"
    )


def doubts_of_runs(scans: Sequence[Name]) -> Iterator[Finding]:
    """Say which scans have several runs, and which the same image twice."""
    runs: dict[Scan, list[Name]] = defaultdict(list)
    for name in scans:
        runs[tuple(pair for pair in name.scan if pair[0] != "run")].append(name)
    for group in runs.values():
        named = shortened([name.path.name for name in group], 4)
        if len(group) > 1 and len({name.scan for name in group}) == 1:
            yield doubt(group[0], "", f"the image is there {len(group)} times ({named}); keep one")
        elif len(group) > 1:
            yield doubt(group[0], "run", f"this scan has {len(group)} runs ({named}), which are analysed one by one")


def doubt(name: Name, field: str, told: str) -> Finding:
    """Warn of an image."""
    return Finding("warning", name.path, field, f"{name.path}: {told}")
