"""Dynamic images of a scan, and its brain masks, among the files of a study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from raphe import catalog
from raphe.errors import InputError
from raphe.io.below import below
from raphe.io.derivatives import IMAGE_ENDINGS, label
from raphe.io.names import Name, correction, fitting_scans, full_name, parse_name
from raphe.io.tables import shortened

PREPROCESSED = ("preproc", "mc", "hmc")
"""What ``desc-`` may say of a dynamic image that is ready to be mapped; none is the image as it was measured."""


T1_SPACE = "T1w"
"""What ``space-`` says of an image that lies on the T1-weighted image."""

OWN_SPACES = (None, "pet", "petref", "orig")
"""What ``space-`` says of an image that lies where the head did in the scanner."""


def corrected_image(scan: Name, roots: Sequence[Path], spaces: Sequence[str | None]) -> tuple[Name | None, str]:
    """Image of a scan whose head motion another program has corrected, in a space in which regions can be found.

    Parameters
    ----------
    scan : Name
        Of any file of the scan.
    roots : sequence of Path
        Datasets to look in.
    spaces : sequence of str or None
        The ``space-`` of its name, the one that is preferred first.

    Returns
    -------
    Name or None
        None where there is none in these spaces.
    str
        What a person must know of those that are there in other spaces, or may be of other scans; empty for nothing.

    Raises
    ------
    InputError
        If several would do.
    """
    found = [
        name
        for root in dict.fromkeys(roots)
        for name in _images(root, scan, [scan.root])
        if name.entities.get("desc") in PREPROCESSED and not correction(name)
    ]
    for space in spaces:
        there = [name for name in found if name.entities.get("space") == space]
        final = next((desc for desc in PREPROCESSED if any(name.entities["desc"] == desc for name in there)), None)
        best = [name for name in there if name.entities["desc"] == final]
        if len(best) > 1:
            named = shortened([str(name.path) for name in best], 4)
            raise InputError(
                f"{scan.path}: {len(best)} preprocessed images of this scan would do ({named}); give the folder of one "
                "(--derivatives), or remove those that are not meant"
            )
        if best:
            return best[0], ""
    if not found:
        return None, _of_others(scan, roots)
    named = shortened([name.path.name for name in found], 3)
    return None, (
        f"preprocessed images of this scan are there, but in no space in which its regions can be drawn ({named}), so "
        f"the raw image is taken; space-{T1_SPACE} or none would do"
    )


def _of_others(scan: Name, roots: Sequence[Path]) -> str:
    """What a person must know of preprocessed images whose names say too little to be of this scan; empty for none."""
    named = [
        name.path.name
        for root in dict.fromkeys(roots)
        for name in _named(root, scan.entities["sub"], "pet")
        if name.entities.get("desc") in PREPROCESSED
        and set(name.scan) < set(scan.scan)
        and len(fitting_scans(name, scan.root)) > 1
    ]
    if not named:
        return ""
    return (
        f"preprocessed images are there whose names fit several scans of the raw data set ({shortened(named, 3)}), so "
        "the raw image is taken; name them as the scan that they are of"
    )


def image_of(scan: Name, pvc: str, roots: Sequence[Path], space: str | None = None) -> Path | None:
    """Dynamic image of a scan, the one that is preprocessed where there is one.

    Parameters
    ----------
    scan : Name
        Of any file of the scan.
    pvc : str
        Partial volume correction that the image must have; empty for none.
    roots : sequence of Path
        Datasets to look in.
    space : str, optional
        The ``space-`` of its name. Not given: of several images, the one in the space of an atlas of the catalog.

    Returns
    -------
    Path or None
        None where there is no image of the scan.

    Raises
    ------
    InputError
        If several would do, or none has the space that is asked for.
    """
    roots = tuple(dict.fromkeys(roots))
    found = [name for root in roots for name in _images(root, scan, roots) if correction(name) == pvc]
    done = [name for name in found if name.entities.get("desc") in PREPROCESSED]
    candidates = done or [name for name in found if "desc" not in name.entities]
    if space is not None and candidates:
        spaces = sorted({name.entities.get("space", "(none)") for name in candidates})
        candidates = [name for name in candidates if name.entities.get("space") == space]
        if not candidates:
            raise InputError(
                f"{found[0].root}: no image of this scan is in space {space!r}, but in {', '.join(spaces)}; name one "
                "of these (space in [maps] of the plan)"
            )
    if space is None and len(candidates) > 1:
        templates = {label(atlas.space) for atlas in catalog.atlases()}
        candidates = [name for name in candidates if name.entities.get("space") in templates] or candidates
    if len(candidates) > 1:
        named = shortened([name.path.name for name in candidates], 4)
        raise InputError(
            f"{candidates[0].root}: {len(candidates)} images of this scan could be mapped ({named}); say which by "
            "its space (space in [maps] of the plan), give the folder of one (--derivatives), or remove those that are "
            "not meant"
        )
    return candidates[0].path if candidates else None


def brain_masks_of(image: Name, roots: Sequence[Path]) -> tuple[tuple[Path, ...], ...]:
    """Brain masks (``*_desc-brain_mask.nii.gz``) that an image may have by their names; grids are not looked at.

    Parameters
    ----------
    image : Name
    roots : sequence of Path
        Datasets to look in.

    Returns
    -------
    tuple of tuple of Path
        The nearest first: those whose names have most of the scan's entities, and the space of the image. Masks that
        are as near as each other stand together.
    """
    scan, ranks = dict(image.scan), dict[tuple[int, bool], list[Path]]()
    for root in dict.fromkeys(roots):
        for name in _named(root, scan["sub"], "mask", lenient=True):
            own, space = dict(name.scan), name.entities.get("space")
            elsewhere = space is not None and space != image.entities.get("space", space)
            if name.entities.get("desc") == "brain" and own.items() <= scan.items() and not elsewhere:
                ranks.setdefault((-len(own), space != image.entities.get("space")), []).append(name.path)
    return tuple(tuple(ranks[rank]) for rank in sorted(ranks))


def _named(root: Path, participant: str, suffix: str, lenient: bool = False) -> list[Name]:
    """Images of a participant; one whose name is not as BIDS has it is refused, or (``lenient``) passed over."""
    folder, found = root / f"sub-{participant}", []
    for path in sorted(path for ending in IMAGE_ENDINGS for path in below(folder, f"[!.]*_{suffix}{ending}")):
        try:
            found.append(parse_name(path))
        except InputError:
            if not lenient:
                raise
    return found


def _images(root: Path, scan: Name, raw: Sequence[Path]) -> list[Name]:
    """Images of a scan in one dataset; one of ``raw`` may tell what their names leave out."""
    return [
        name
        for name in _named(root, scan.entities["sub"], "pet")
        if name.scan == scan.scan or any(full_name(name.path, other).scan == scan.scan for other in raw)
    ]
