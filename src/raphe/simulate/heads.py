"""The heads of a simulated study: the anatomy that all have in common, and each participant's own."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from raphe import catalog
from raphe.catalog import Protocol
from raphe.data.image import Grid
from raphe.errors import PlanError
from raphe.nomenclature import region_key
from raphe.simulate.anatomy import Anatomy
from raphe.simulate.coarse import coarse_head
from raphe.simulate.geometry import geometry
from raphe.simulate.individual import individual
from raphe.simulate.inia19 import inia19_head
from raphe.simulate.own_labels import labelled_head
from raphe.simulate.plan import ScannerSection, SimulationPlan
from raphe.simulate.scanner import Scanner
from raphe.simulate.streams import Place, stream
from raphe.simulate.template import template_head

FINEST = {"human": 1.0, "macaque": 0.5}
"""Edge of a voxel of the coarse anatomy that is fine enough, mm; an assumption."""

OF_SPECIES = {"mni": "human", "inia19": "macaque"}
"""Whose head a template is."""


def protocol_of(plan: SimulationPlan) -> tuple[Protocol, int]:
    """The scanner's protocol and how many voxels are joined along each axis."""
    usual = geometry(plan.study.species)
    section = plan.scanner or ScannerSection(protocol=usual.protocol, bin=usual.bin)
    return catalog.protocol(section.protocol), section.bin


def _resolution(plan: SimulationPlan, protocol: Protocol) -> tuple[float, float]:
    """In the centre and off it, mm."""
    if plan.scanner is not None and plan.scanner.fwhm is not None:
        return plan.scanner.fwhm.value, plan.scanner.fwhm.value
    return protocol.fwhm.value, protocol.fwhm_off_centre.value


def scanner_of(plan: SimulationPlan) -> Scanner:
    """The scanner of a study; 0 mm is the centre of its images."""
    protocol, joined = protocol_of(plan)
    shape = [n // joined for n in protocol.matrix.shape]
    voxel = [edge * joined for edge in protocol.matrix.voxel]
    affine = np.diag([*voxel, 1.0])
    affine[:3, 3] = [-(n - 1) / 2 * edge for n, edge in zip(shape, voxel, strict=True)]
    centre, off_centre = _resolution(plan, protocol)
    return Scanner(
        Grid((shape[0], shape[1], shape[2]), affine),
        fwhm=centre,
        fwhm_off_centre=off_centre,
        radius=protocol.off_centre.value,
        grain=protocol.grain.value,
        scatter=protocol.scatter.value,
        randoms=protocol.randoms.value,
    )


def common_head(plan: SimulationPlan, folder: Path) -> Anatomy:
    """Anatomy of which all heads are variations; kept, for it takes seconds.

    Parameters
    ----------
    plan : SimulationPlan
    folder : Path
        From where the paths of a plan are counted.

    Raises
    ------
    PlanError
        If it cannot be made, lacks a region of the plan or the reference, or has one in which the catalog knows no
        binding of one of the tracers.
    """
    head = _common(plan.study.species, plan.anatomy.source, files_of_head(plan, folder), plan.regions.names)
    for section in plan.tracers:
        _check_binding(head, section.name, plan.study.species)
    return head


def files_of_head(plan: SimulationPlan, folder: Path) -> tuple[Path, ...]:
    """Files of which the plan makes its heads: a label image and its table, as far as it names them."""
    return tuple(folder / file for file in (plan.anatomy.labels, plan.anatomy.table) if file is not None)


def _check_binding(head: Anatomy, tracer: str, species: str) -> None:
    known = {entry.name for entry in catalog.tracer(tracer).species[species].region}
    known.add(catalog.species(species).reference_region)
    for name in head.regions:
        if name not in known:
            raise PlanError(
                f"[anatomy]: the head has the region {name!r}, in which the catalog knows no binding of {tracer}; give "
                f"its labels a tissue (white, soft ...) or a name that it knows: {', '.join(sorted(known))}"
            )


def own_head(plan: SimulationPlan, folder: Path, seed: int, index: int) -> Anatomy:
    """Head of one participant."""
    spread = geometry(plan.study.species).spread.plain
    return individual(common_head(plan, folder), spread, stream(seed, Place.HEAD, index))


@lru_cache(maxsize=1)
def _common(species: str, source: str, files: tuple[Path, ...], regions: tuple[str, ...]) -> Anatomy:
    reference = catalog.species(species).reference_region
    if source == "labels":
        image, table = files
        return labelled_head(image, table, (*regions, reference))
    if source in OF_SPECIES and species != OF_SPECIES[source]:
        raise PlanError(
            f"[anatomy] source = {source!r} is the head of a {OF_SPECIES[source]}, but the species is {species}; take "
            "'coarse'"
        )
    if source == "mni":
        head = template_head(regions)
    elif source == "inia19":
        head = inia19_head(files[0] if files else None)
    else:
        head = coarse_head(geometry(species), regions, FINEST[species])
    for region in (*regions, reference):
        if region_key(region)[0] not in head.names:
            raise PlanError(
                f"[regions] list: the anatomy {source!r} of the {species} has no {region!r}; it has "
                f"{', '.join(sorted(head.regions))}. Leave it out, or give a label image that has it ([anatomy])"
            )
    return head
