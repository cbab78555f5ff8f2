"""Scans of a study that are there as images: the dynamic PET of each, and the T1-weighted image that goes with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from raphe.data.scan import Scan
from raphe.errors import InputError, nearest
from raphe.io.below import below, below_people
from raphe.io.derivatives import IMAGE_ENDINGS
from raphe.io.names import Name, check_place, natural_key, parse_name, sidecars_of
from raphe.io.scan_images import OWN_SPACES, T1_SPACE, corrected_image
from raphe.io.sessions import session_key
from raphe.io.sidecar import read_sidecar
from raphe.io.tables import shortened


@dataclass(frozen=True, eq=False)
class RawScan:
    """One scan as images.

    Parameters
    ----------
    scan : Scan
    image : Path
        The dynamic PET image.
    corrected : bool
        Whether another program has corrected its head motion.
    t1 : Path or None
        The T1-weighted image of the participant; None where there is none, or none is needed.
    on_t1 : bool
        Whether the image lies on the T1-weighted image already.
    doubts : tuple of str
        What a person must know of the choice of the image.
    """

    scan: Scan
    image: Path
    corrected: bool
    t1: Path | None
    on_t1: bool = False
    doubts: tuple[str, ...] = ()


def find_raw_scans(
    bids: Path,
    derivatives: Sequence[Path] = (),
    *,
    participants: Sequence[str] = (),
    sessions: Sequence[str] = (),
    t1: str | None = None,
    anatomy: str | None = None,
    wanted: Callable[[str], bool] | None = None,
) -> tuple[RawScan, ...]:
    """Scans of a dataset that have a dynamic image, by participant, session and name.

    Parameters
    ----------
    bids : Path
        Root of the raw dataset.
    derivatives : sequence of Path
        Datasets whose preprocessed images come before the raw ones.
    participants, sessions : sequence of str
        Labels to keep, with or without ``sub-`` and ``ses-``; all if there are none.
    t1 : str, optional
        What the name of the T1-weighted image holds (``ses-baseline``, ``acq-mprage``), where there are several.
    anatomy : {"t1", "pet"}, optional
        ``"pet"``: no T1-weighted image is looked for.
    wanted : callable, optional
        Says by its label whether a scan is read; the files of others are not opened.

    Raises
    ------
    InputError
        If a name, place or sidecar is unusable, or a scan has several T1-weighted images of which none is chosen.
    """
    found = []
    for name in _images(bids):
        if wanted is not None and not wanted(name.label):
            continue
        check_place(name)
        if not (_kept(name, "sub", participants) and _kept(name, "ses", sessions)):
            continue
        entities = dict(name.scan)
        participant, session = entities.pop("sub"), entities.pop("ses", None)
        scan = read_sidecar(sidecars_of(name, bids)).scan(participant, session, tuple(entities.items()))
        anatomical = None if anatomy == "pet" else t1_of(bids, participant, session, t1)
        spaces = OWN_SPACES if anatomical is None else (T1_SPACE, *OWN_SPACES)
        ready, doubt = corrected_image(name, [root for root in derivatives if root != bids], spaces)
        image = name if ready is None else ready
        on_t1 = image.entities.get("space") == T1_SPACE
        doubts = (doubt,) if doubt else ()
        found.append(RawScan(scan, image.path, ready is not None, anatomical, on_t1, doubts))
    return tuple(sorted(found, key=_order))


def has_images(bids: Path) -> bool:
    """Whether a dataset has dynamic images, whatever their names are worth."""
    return any(below_people(bids, f"[!.]*_pet{ending}", "pet") for ending in IMAGE_ENDINGS)


def t1_of(bids: Path, participant: str, session: str | None, wanted: str | None = None) -> Path | None:
    """T1-weighted image of a participant: that of the session, else the only one of another session.

    Parameters
    ----------
    bids : Path
    participant : str
    session : str or None
        Of the PET scan.
    wanted : str, optional
        What its name must hold.

    Returns
    -------
    Path or None
        None where the participant has none.

    Raises
    ------
    InputError
        If there are several, or none that is as wanted.
    """
    there = _raw(_named(bids / f"sub-{participant}", "T1w"))
    chosen = [name for name in there if wanted is None or wanted in name.path.name]
    if there and not chosen:
        near = nearest(str(wanted), [name.path.name for name in there])
        raise InputError(f"{bids}: no T1-weighted image of sub-{participant} has {wanted!r} in its name; {near}")
    own = [name for name in chosen if name.entities.get("ses") == session]
    if len(own or chosen) > 1:
        named = shortened([name.path.name for name in own or chosen], 6)
        raise InputError(
            f"{bids}: sub-{participant} has {len(own or chosen)} T1-weighted images"
            f"{'' if session is None else f' for ses-{session}'} ({named}); say which by a part of its name (t1 in "
            "[preprocess] of the plan)"
        )
    return (own or chosen)[0].path if chosen else None


def _images(bids: Path) -> list[Name]:
    return _raw(name for folder in sorted(bids.glob("sub-*")) for name in _named(folder, "pet"))


def _raw(names: Iterable[Name]) -> list[Name]:
    """Names that say nothing of what was done to the image."""
    return [name for name in names if not {"desc", "space"} & set(name.entities)]


def _named(folder: Path, suffix: str) -> list[Name]:
    paths = {path for ending in IMAGE_ENDINGS for path in below(folder, f"[!.]*_{suffix}{ending}")}
    return [parse_name(path) for path in sorted(paths)]


def _kept(name: Name, key: str, labels: Sequence[str]) -> bool:
    wanted = {label.removeprefix(f"{key}-") for label in labels}
    return not wanted or name.entities.get(key) in wanted


def _order(raw: RawScan) -> tuple[object, ...]:
    return natural_key(raw.scan.participant), session_key(raw.scan.session), raw.scan.label
