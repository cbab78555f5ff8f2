"""``raphe map``: parametric maps of one dynamic image."""

from __future__ import annotations

import argparse
import dataclasses
import time

from raphe.io.dynamic import open_dynamic
from raphe.io.names import SCAN_ENTITIES, of_another_scan
from raphe.io.radionuclides import doubt_of_half_life
from raphe.io.staging import prepare
from raphe.pipeline.first_use import telling_of_compilation
from raphe.pipeline.map_choices import choices_of_map
from raphe.pipeline.map_fit import fit_maps
from raphe.pipeline.map_material import read_material
from raphe.pipeline.map_noise import AgainstNoise, regularise, smooth
from raphe.pipeline.map_reference import curve_of_table, named
from raphe.pipeline.maps import told_of_voxels, write_maps
from raphe.pipeline.memory import OF_MAP
from raphe.pipeline.messages import Messages


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
    if options.half_life is not None and (doubt := doubt_of_half_life(options.half_life)):
        messages.warn(f"--half-life: {doubt}")
    masks = [options.mask, where.path if where is not None and where.mask else None]
    of_scan = [*options.input, where.path if where is not None and not where.mask else None]
    for paths, keys in ((masks, ("sub",)), (of_scan, SCAN_ENTITIES)):
        for doubt in filter(None, (of_another_scan(path, options.pet, keys) for path in paths if path is not None)):
            messages.warn(f"{options.pet}: {doubt}")
    if options.input and not analysis.needs("plasma"):
        messages.warn(f"--input is not used: {', '.join(analysis.models)} needs no arterial input")
    if where is not None and not analysis.needs("reference"):
        messages.warn(f"--reference is not used: {', '.join(analysis.models)} needs no reference region")
        where = None
    started = time.perf_counter()
    material = read_material(options, image, analysis, where, table, messages)
    noise = AgainstNoise(options.smooth, options.hypr, options.regularise)
    material = dataclasses.replace(material, noise=smooth(noise, material.voxels, OF_MAP, messages.progress))
    read = time.perf_counter()
    with telling_of_compilation(messages.say):
        maps = regularise(noise, material.voxels, fit_maps(material, messages), material.workers)
    fitted = time.perf_counter()
    for one in maps:
        told, serious = told_of_voxels(one)
        (messages.warn if serious else messages.say)(f"{options.pet}: {told}" if serious else told)
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
