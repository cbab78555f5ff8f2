"""Which maps of a study are asked for, and which files those of a scan are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from raphe.errors import InputError
from raphe.io.bids import ScanCurves
from raphe.io.names import find_sidecars, parse_name
from raphe.io.scan_images import brain_masks_of, image_of
from raphe.pipeline.map_noise import AgainstNoise


@dataclass(frozen=True)
class MapChoice:
    """What maps are to be made.

    Parameters
    ----------
    space : str or None
        The ``space-`` of the images; None where each scan has one.
    mask : {"brain", "activity"} or None
        Brain masks of the scans, or voxels with activity; None: a brain mask where one is on the grid of the image.
    noise : AgainstNoise
    """

    space: str | None = None
    mask: str | None = None
    noise: AgainstNoise = field(default_factory=AgainstNoise)


@dataclass(frozen=True)
class FilesOfMaps:
    """Files that the maps of a scan are made of, by their names.

    Parameters
    ----------
    image : Path
    masks : tuple of tuple of Path
        Brain masks that it may have; see :func:`raphe.io.scan_images.brain_masks_of`.
    raw : Path
        Root of the raw dataset.
    table : Path
        The table of curves.
    """

    image: Path
    masks: tuple[tuple[Path, ...], ...]
    raw: Path
    table: Path

    @property
    def all(self) -> tuple[Path, ...]:
        """Every file that may bear on the maps, sidecars of the image among them."""
        return (self.image, *find_sidecars(self.image, self.raw), *(path for rank in self.masks for path in rank))


def files_of_maps(table: ScanCurves, choice: MapChoice, bids: Path, derivatives: Sequence[Path]) -> FilesOfMaps:
    """Image of a scan that is to be mapped, and its brain masks.

    Raises
    ------
    InputError
        If the scan has no image, or several; or no brain mask where one is asked for.
    """
    roots = (*derivatives, bids)
    image = image_of(table.name, table.pvc, roots, choice.space)
    if image is None:
        raise InputError(
            f"{table.path}: maps are asked for, but there is no dynamic image of this scan (*_pet.nii.gz) in the data "
            "set or its derivatives; name its folder (--derivatives), or leave --maps or [maps] out"
        )
    masks = brain_masks_of(parse_name(image), roots) if choice.mask != "activity" else ()
    if choice.mask == "brain" and not masks:
        raise InputError(
            f"{image}: the plan asks for a brain mask ([maps] mask), but this scan has none "
            "(*_desc-brain_mask.nii.gz) in the data set or its derivatives; name its folder (--derivatives), or leave "
            "mask out"
        )
    return FilesOfMaps(image, masks, bids, table.path)
