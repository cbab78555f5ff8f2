"""``raphe list``: what there is, with sources."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from raphe.blood.registry import KINDS
from raphe.blood.registry import examples as blood_examples
from raphe.catalog import Quantity, all_species, atlases, protocols, reference, supplements, tracers
from raphe.kinetics.registry import examples
from raphe.nomenclature import SYMBOLS


def run(options: argparse.Namespace) -> int:
    """Print one list."""
    lists = {
        "models": _models,
        "blood": _blood,
        "tracers": _tracers,
        "species": _species,
        "atlases": _atlases,
        "protocols": _protocols,
    }
    for line in lists[options.what]():
        print(line)
    return 0


def _models() -> Iterator[str]:
    for name, example in examples().items():
        model = example.model
        aliases = f" (also {', '.join(model.aliases)})" if model.aliases else ""
        units = ", ".join(f"{symbol} [{SYMBOLS[symbol].unit}]" for symbol in model.parameters)
        yield f"{name}{aliases}: {model.title}"
        yield f"    needs      {', '.join(model.needs)}"
        yield f"    estimates  {units}"
        yield from (f"    source     {reference(key).citation}" for key in model.citations)


def _blood() -> Iterator[str]:
    for kind in KINDS:
        yield f"{kind}:"
        for name, example in blood_examples(kind).items():
            yield f"    {name}: {example.model.title}"


def _atlases() -> Iterator[str]:
    for atlas in atlases():
        told = f"; {atlas.note}" if atlas.note else ""
        yield f"{atlas.name}: {atlas.label}, {atlas.species}, space {atlas.space} [{atlas.source}{told}]"
        for role, file in atlas.files.items():
            yield f"    {role:<8} {f'package {file.package}, ' if file.package else ''}{file.path}"
        if atlas.regions:
            yield f"    regions  {', '.join(atlas.regions)}"
        for shape in atlas.shape:
            told = f"; {shape.note}" if shape.note else ""
            yield f"    {shape.name}: an ellipsoid at {shape.centre} mm [{shape.source}{told}]"
    for atlas in supplements():
        yield f"{atlas.name}: {atlas.label}, {atlas.species}, space {atlas.space} [{atlas.source}]"
        yield f"    gives      {', '.join(atlas.supplies)} to another atlas, where [preprocess.files] names its files"
        for role, file in atlas.files.items():
            yield f"    {atlas.role(role):<13} {file.path} (yours)"
        yield f"    regions    {', '.join(atlas.regions)}"


def _tracers() -> Iterator[str]:
    for tracer in tracers():
        yield f"{tracer.name}: {tracer.label}, {tracer.target}"
        yield f"    model          {tracer.model.value} [{tracer.model.source}]"
        yield f"    high binding   {', '.join(tracer.high_binding.names)} [{tracer.high_binding.source}]"
        yield f"    t* (Logan)     {_quantity(tracer.t_star, 'min')}"
        for caution in tracer.cautions:
            yield f"    caution        {caution.value} [{caution.source}]"
        for species, entry in tracer.species.items():
            names = entry.reference.names
            yield f"    {species}: reference {', '.join(names.names)} [{names.source}]"
            yield f"        k2_prime             {_quantity(entry.reference.k2_prime, '1/min')}"
            for region in entry.region:
                yield f"        {region.name:<28} BP_ND {'; '.join(_quantity(figure, '') for figure in region.BP_ND)}"
    yield ""
    yield from _bibliography()


def _species() -> Iterator[str]:
    for species in all_species():
        yield f"{species.name}: {species.label}, body weight {_quantity(species.body_weight, 'kg')}"
        yield f"    reference region  {species.reference_region}"
        for region in species.region:
            yield f"    {region.name:<28} {_quantity(region.volume, 'mm3')}"


def _protocols() -> Iterator[str]:
    for tracer in tracers():
        for schedule in tracer.schedule:
            runs = ", ".join(f"{run.count} x {run.seconds:g} s" for run in schedule.frames)
            yield f"{tracer.name} {schedule.name}: {len(schedule.duration)} frames, {runs} [{schedule.source}]"
    for protocol in protocols():
        matrix = protocol.matrix
        shape, voxel = " x ".join(map(str, matrix.shape)), " x ".join(f"{edge:g}" for edge in matrix.voxel)
        yield f"{protocol.name}: {protocol.label}, for the {protocol.species}, {shape} of {voxel} mm [{matrix.source}]"
        yield f"    resolution        {_quantity(protocol.fwhm, 'mm FWHM')}"
        yield f"    off the centre    {_quantity(protocol.fwhm_off_centre, 'mm FWHM')}"
        yield f"    grain of noise    {_quantity(protocol.grain, 'mm FWHM')}"
        yield f"    scatter, randoms  {_quantity(protocol.scatter, '')}; {_quantity(protocol.randoms, '')}"


def _quantity(quantity: Quantity, unit: str) -> str:
    spread = f" +- {quantity.sd:g}" if quantity.sd is not None else ""
    status = f", {quantity.status}" if quantity.status == "derived" else ""
    return f"{quantity.value:g}{spread}{' ' + unit if unit else ''} [{quantity.source}{status}]"


def _bibliography() -> Iterator[str]:
    keys = dict.fromkeys(
        quantity.source
        for tracer in tracers()
        for entry in tracer.species.values()
        for region in entry.region
        for quantity in region.BP_ND
    )
    keys |= dict.fromkeys(tracer.model.source for tracer in tracers())
    yield from (f"{key}: {reference(key).citation}" for key in keys if key != "assumption")
