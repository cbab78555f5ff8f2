"""``raphe map``: parametric maps of one dynamic image."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from raphe.io.dynamic import open_dynamic
from raphe.io.staging import prepare
from raphe.pipeline.first_use import telling_of_compilation
from raphe.pipeline.map_choices import choices_of_map
from raphe.pipeline.map_fit import fit_maps
from raphe.pipeline.map_material import read_material
from raphe.pipeline.map_noise import regularise, smooth
from raphe.pipeline.map_reference import curve_of_table, named
from raphe.pipeline.maps import Maps, write_maps
from raphe.pipeline.messages import Messages
from raphe.quality import Quality, usable


def run(options: argparse.Namespace) -> int:
    """Map one image; the paths of the maps are printed."""
    messages = Messages(options)
    prepare(options.out)
    frames = slice(*(options.frames or (None,)))
    image = open_dynamic(options.pet, unit=options.unit, half_life=options.half_life, frames=frames)
    where = None if options.reference is None else named(options.reference)
    table = None if where is None or where.mask else curve_of_table(where, image, options.unit)
    analysis = choices_of_map(options, image, where, table)
    for finding in image.findings:
        messages.warn(finding.message)
    if options.input and not analysis.needs("plasma"):
        messages.warn(f"--input is not used: {', '.join(analysis.models)} needs no arterial input")
    if where is not None and not analysis.needs("reference"):
        messages.warn(f"--reference is not used: {', '.join(analysis.models)} needs no reference region")
        where = None
    started = time.perf_counter()
    material = read_material(options, image, analysis, where, table, messages)
    material = smooth(options, material, messages)
    read = time.perf_counter()
    with telling_of_compilation(messages.say):
        maps = regularise(options, material, fit_maps(material, messages))
    fitted = time.perf_counter()
    _tell(maps, options, messages)
    sources = [str(path) for path in (options.pet, options.mask, where and where.path, *options.input) if path]
    paths = write_maps(
        options.out,
        image.file,
        material.voxels.indices,
        maps,
        analysis.convention,
        sources,
        options.command_line,
        material.workers,
    )
    written = time.perf_counter()
    messages.detail(
        f"read in {read - started:.2f} s, fitted in {fitted - read:.2f} s, written in {written - fitted:.2f} s; the "
        f"file was decoded {material.voxels.n_decoded} times"
    )
    for path in paths:
        print(path)
    return messages.code


def _tell(several: Sequence[Maps], options: argparse.Namespace, messages: Messages) -> None:
    """Tell how many voxels have an estimate that may be used."""
    for maps in several:
        n_voxel = sum(part.quality.size for part in maps.found)
        lost = sum(int((~usable(part.quality)).sum()) for part in maps.found)
        bad = sum(int((part.quality & int(Quality.BAD_INPUT) > 0).sum()) for part in maps.found)
        told = f"{maps.model.name}: {n_voxel} voxels, {lost} of them not usable"
        if bad:
            told += f", {bad} of these because their values are not numbers or all zero"
        if 2 * lost > n_voxel:
            messages.warn(f"{options.pet}: {told}; see the map of flags (meas-quality)")
        else:
            messages.say(told)
