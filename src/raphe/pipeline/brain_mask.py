"""The brain mask of a dynamic image: the nearest by its name of those that are on its grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from raphe.errors import InputError
from raphe.io.dynamic import DynamicFile
from raphe.io.names import parse_name
from raphe.io.nifti import open_image
from raphe.io.tables import shortened
from raphe.pipeline.map_files import FilesOfMaps, MapChoice


@dataclass(frozen=True, eq=False)
class BrainMask:
    """The mask that is taken, if any.

    Parameters
    ----------
    image : Path
    taken : Path or None
    elsewhere : mapping of Path to InputError
        Masks on other grids that would have come before it, each with what tells the two grids.
    """

    image: Path
    taken: Path | None
    elsewhere: Mapping[Path, InputError]

    @property
    def passed_over(self) -> tuple[str, ...]:
        """Names of the masks that could not be used, where none is taken."""
        return () if self.taken is not None else tuple(path.name for path in self.elsewhere)

    @property
    def missed(self) -> tuple[str, ...]:
        """What a person must read: why none of those is taken that are told to be on the grid of the image."""
        return tuple(
            f"{why}. It was not used; the voxels with activity were mapped"
            for path, why in self.elsewhere.items()
            if self.taken is None and _meant_for(path, self.image)
        )


def brain_mask(image: DynamicFile, files: FilesOfMaps, choice: MapChoice) -> BrainMask:
    """Take the nearest of the brain masks that is on the grid of the image.

    Raises
    ------
    InputError
        If several would do, one cannot be read, or one is asked for and none is on the grid.
    """
    elsewhere: dict[Path, InputError] = {}
    for rank in files.masks:
        there = []
        for path in rank:
            own = open_image(path).grid
            try:
                image.file.grid.check_same(own, image.path, path)
            except InputError as error:
                elsewhere[path] = error
            else:
                there.append(path)
        if len(there) > 1:
            raise InputError(
                f"{image.path}: {len(there)} brain masks would do ({shortened([str(path) for path in there], 4)}); "
                "give the folder of one (--derivatives), or remove those that are not meant"
            )
        if there:
            return BrainMask(image.path, there[0], elsewhere)
    if choice.mask == "brain":
        raise next(iter(elsewhere.values()))
    return BrainMask(image.path, None, elsewhere)


def _meant_for(mask: Path, image: Path) -> bool:
    """Whether folder and name say that a mask is on the grid of a PET image."""
    own, other = (parse_name(path).entities.get("space") for path in (mask, image))
    return mask.parent.name == "pet" and own == other
