"""Which atlas the regions come from, which others supply it, and the files of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from raphe import catalog
from raphe.catalog import Atlas
from raphe.errors import InputError, nearest
from raphe.io.templates import check_named, template_paths
from raphe.nomenclature import region_key
from raphe.pipeline.preprocess_choices import Preprocessing


@dataclass(frozen=True)
class Supply:
    """An atlas that gives regions to the main one.

    Parameters
    ----------
    atlas : Atlas
    files : mapping of str to Path
        ``t1`` and ``labels``.
    regions : tuple of str
        Those that it gives, as its catalog entry has them.
    """

    atlas: Atlas
    files: dict[str, Path]
    regions: tuple[str, ...]


def atlas_of(choices: Preprocessing) -> Atlas:
    """Atlas that the plan names, else that of the species.

    Raises
    ------
    InputError
        If the catalog has none.
    """
    there = {atlas.name: atlas for atlas in catalog.atlases() if atlas.species == choices.species}
    if choices.atlas is None:
        if not there:
            raise InputError(f"the catalog has no atlas of the species {choices.species!r}; give a segmentation")
        return next(iter(there.values()))
    for name, atlas in there.items():
        if name.lower() == choices.atlas.lower():
            return atlas
    raise InputError(
        f"there is no atlas {choices.atlas!r} of the species {choices.species!r}; {nearest(choices.atlas, there)}"
    )


def supplies_of(choices: Preprocessing) -> tuple[Supply, ...]:
    """Atlases that give regions to the main one: those whose files the plan names.

    Raises
    ------
    InputError
        If the plan names some of an atlas's files but not all, one that is not there, or takes regions from an atlas
        that is not known or whose files it does not name, or that the atlas does not have.
    """
    known = {atlas.name.lower(): atlas for atlas in catalog.supplements() if atlas.species == choices.species}
    asked = {name.lower(): regions for name, regions in choices.regions_from}
    named = {name: _files(atlas, dict(choices.files)) for name, atlas in known.items()}
    for name, _ in choices.regions_from:
        if name.lower() not in known:
            there = ", ".join(atlas.name for atlas in known.values()) or "none"
            raise InputError(
                f"[preprocess.regions_from] {name!r}: no atlas of that name supplies regions of the species "
                f"{choices.species!r}; there is {there}"
            )
        if not named[name.lower()]:
            fields = " and ".join(known[name.lower()].role(role) for role in known[name.lower()].files)
            raise InputError(
                f"[preprocess.regions_from] {name}: its files are not named; write {fields} into [preprocess.files]"
            )
    return tuple(
        Supply(known[name], files, _regions(known[name], asked.get(name, known[name].supplies)))
        for name, files in named.items()
        if files
    )


def main_files(choices: Preprocessing) -> dict[str, Path]:
    """Files of the main atlas that the user has, by the words of the catalog's entry; unknown words among them."""
    others = {atlas.role(role) for atlas in catalog.supplements() for role in atlas.files}
    return {role: path for role, path in choices.files if role not in others}


def paths_of(choices: Preprocessing) -> dict[str, Path]:
    """Every file of the atlas and of those that supply it, by the words of the plan.

    Raises
    ------
    InputError
        If one is not there, as :func:`raphe.io.templates.template_paths` and :func:`supplies_of`.
    """
    more = {one.atlas.role(role): path for one in supplies_of(choices) for role, path in one.files.items()}
    return {**template_paths(atlas_of(choices), main_files(choices)), **more}


def check_files(choices: Preprocessing) -> None:
    """Refuse what the plan says of atlases and their files where it cannot be followed; packages are not asked for.

    Raises
    ------
    InputError
        If the atlas is not known, has no such file, or a file is not there; and as :func:`supplies_of`.
    """
    if choices.files or choices.regions_from or choices.atlas is not None:
        atlas = atlas_of(choices)
        supplies_of(choices)
        check_named(atlas, main_files(choices))


def _files(atlas: Atlas, files: dict[str, Path]) -> dict[str, Path]:
    found = {role: files[atlas.role(role)] for role in atlas.files if atlas.role(role) in files}
    for role, path in found.items():
        if not path.is_file():
            raise InputError(
                f"[preprocess.files] {atlas.role(role)} = {str(path)!r}: there is no such file; name yours of "
                f"{atlas.name} ({Path(atlas.files[role].path).name}), or leave it out"
            )
    missing = [atlas.role(role) for role in atlas.files if role not in found]
    if found and missing:
        raise InputError(
            f"[preprocess.files] has {', '.join(atlas.role(role) for role in found)} but not {', '.join(missing)}; "
            f"{atlas.name} needs both"
        )
    return found


def _regions(atlas: Atlas, wanted: tuple[str, ...]) -> tuple[str, ...]:
    for name in wanted:
        if region_key(name)[0] not in atlas.regions:
            raise InputError(
                f"[preprocess.regions_from] {atlas.name}: it has no region {name!r}; {nearest(name, atlas.regions)}"
            )
    return tuple(dict.fromkeys(region_key(name)[0] for name in wanted))
