"""One contrast voxel by voxel: tested, and written with all that a reader needs to know of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.data import group_map as stat
from raphe.data.group_map import GroupMap
from raphe.data.map_contrast import MapContrast
from raphe.data.record import Parameter, Step
from raphe.io import derivatives as names
from raphe.io.provenance import SOFTWARE, remove_outdated, software_version, versions, write_record
from raphe.io.staging import staged
from raphe.io.statmaps import write_group_map
from raphe.nomenclature import SYMBOLS
from raphe.pipeline.map_atlas import OnGrid, without_sides
from raphe.pipeline.map_content import reader
from raphe.pipeline.map_peaks import LEVEL, maps_of, table_of, threshold_of
from raphe.pipeline.map_question import Asked, Sample, design_of
from raphe.pipeline.maps_of_scans import MapOfScan, Place, smoothing_of
from raphe.pipeline.plan_schema import MapsSection
from raphe.report.methods_maps import unflagged
from raphe.stats.contrasts.words import UNITS
from raphe.stats.voxelwise import map_contrast

GREY = 0.2
"""Probability of grey matter of the template from which a voxel counts as such; an assumption."""

SIGNS = "signs of the participants' values"

SCHEMES: Mapping[str, str] = {
    "paired": SIGNS,
    "interaction": SIGNS,
    "groups": "who is in which arm",
    "ancova": "who is in which arm, all else staying with its participant",
    "correlation": "whose score is whose",
}
"""What chance could have exchanged, by kind of contrast."""


@dataclass(frozen=True, eq=False)
class Material:
    """Everything that one contrast needs, before any voxel is tested.

    Parameters
    ----------
    wanted : Asked
    sample : Sample
    maps : mapping of (str, int) to MapOfScan
        By participant and number of the cell.
    place : Place
    atlas : OnGrid
    """

    wanted: Asked
    sample: Sample
    maps: Mapping[tuple[str, int], MapOfScan]
    place: Place
    atlas: OnGrid


def answer(
    material: Material, section: MapsSection, threads: int, tell: Callable[[int, int], None] | None = None
) -> GroupMap:
    """Test every voxel.

    Parameters
    ----------
    material : Material
    section : MapsSection
        With a number of permutations.
    threads : int
        The digits do not depend on it.
    tell : callable, optional
        Called with the shuffles that are done, and of how many.

    Raises
    ------
    InputError
        As :func:`raphe.pipeline.map_content.reader`, :func:`raphe.pipeline.map_question.design_of` and
        :func:`raphe.stats.voxelwise.map_contrast`.
    """
    assert section.permutations is not None
    began, place, atlas = time.monotonic(), material.place, material.atlas
    study = design_of(material.wanted, material.sample, reader(place, material.maps))
    found = map_contrast(
        study,
        place.mask,
        permutations=section.permutations,
        seed=section.seed,
        statistics=section.statistics,
        variance_smoothing=section.variance_smoothing,
        affine=place.grid.affine,
        cluster_p=section.cluster_p,
        threads=threads,
        tell=tell,
    )
    threshold = threshold_of(found, section.cluster_p)
    regions = without_sides(atlas.regions) if place.mirror else atlas.regions
    peaks = table_of(found, place.grid.affine, threshold, atlas.labels, regions)
    done = {**_of_question(material), **_of_voxels(material, section), **_of_chance(found, section, threshold)}
    step = Step("map_contrast", done, _citations(material, section, found), seconds=time.monotonic() - began)
    return GroupMap(material.wanted.question.name, place.grid, maps_of(found), peaks, step)


def _citations(material: Material, section: MapsSection, found: MapContrast) -> tuple[str, ...]:
    """Sources of what was done."""
    shuffled = bool(material.wanted.question.covariates) and material.wanted.question.kind != "ancova"
    cited = {
        "nichols2002": True,
        "freedman1983": shuffled,
        "smith2009": "tfce" in section.statistics,
        "phipson2010": not found.exact,
    }
    return tuple(key for key, does in cited.items() if does)


def _of_question(material: Material) -> dict[str, Parameter]:
    question, sample, wanted = material.wanted.question, material.sample, material.wanted
    return {
        "name": question.name,
        "kind": question.kind,
        "what": wanted.words,
        "tracer": question.tracer,
        "model": ", ".join(dict.fromkeys(cell.model for cell in wanted.cells)),
        "parameter": question.parameter,
        "unit": _unit(material),
        "primary": question.primary,
        "participants": sample.people,
        "arms": sample.arms,
        "excluded": sample.excluded,
    }


def _unit(material: Material) -> str:
    """Unit of the effect."""
    question = material.wanted.question
    own = UNITS[question.scale] if len(material.wanted.cells) > 1 else None
    unit = SYMBOLS[question.parameter].unit if own is None else own or "unitless"
    return f"{unit} per unit of {question.score}" if question.kind == "correlation" else unit


def _of_voxels(material: Material, section: MapsSection) -> dict[str, Parameter]:
    place = material.place
    return {
        "space": place.space,
        "voxel": place.grid.zooms,
        "smoothing": smoothing_of(material.maps.values()),
        "n_maps": len(material.maps),
        "n_unflagged": sum(one.quality is None for one in material.maps.values()),
        "mirror": section.mirror,
        "moved": 0.0 if place.move is None else place.move.mm,
        "mask": section.group_mask,
        "grey": GREY if section.group_mask == "grey" else None,
        "n_masked": int(place.mask.sum()),
        "atlas": material.atlas.name,
        "why_no_atlas": material.atlas.why,
    }


def _of_chance(found: MapContrast, section: MapsSection, threshold: float) -> dict[str, Parameter]:
    return {
        "n_voxel": int(found.analysed.sum()),
        "left_out": found.left_out,
        "statistics": tuple(dict.fromkeys(("t", *section.statistics))),
        "permutations": found.permutations,
        "possible": str(found.possible),
        "exact": found.exact,
        "smallest_p": found.smallest_p,
        "seed": section.seed,
        "df": found.df,
        "critical_t": found.critical_t if np.isfinite(found.critical_t) else None,
        "threshold": threshold,
        "cluster_p": section.cluster_p,
        "variance_smoothing": found.variance_smoothing,
        "p_fwe": _least(found.logpfwe),
        "n_fwe": _beyond(found.logpfwe),
        "p_fwe_tfce": None if found.logpfwe_tfce is None else _least(found.logpfwe_tfce),
        "n_fwe_tfce": None if found.logpfwe_tfce is None else _beyond(found.logpfwe_tfce),
        "n_clusters": len(found.clusters),
        "n_extent_fwe": sum(one.p_extent <= LEVEL for one in found.clusters),
        "n_mass_fwe": sum(one.p_mass <= LEVEL for one in found.clusters),
    }


def _least(logp: npt.NDArray[np.float64]) -> float:
    return float(10 ** -np.nanmax(logp))


def _beyond(logp: npt.NDArray[np.float64]) -> int:
    """Voxels whose p value counts; rounding of the logarithm does not."""
    return int((logp >= -np.log10(LEVEL) - 1e-9).sum())


def write_answer(
    out: Path,
    record: str,
    found: GroupMap,
    material: Material,
    mark: str,
    command_line: str,
    datasets: Mapping[str, Path],
) -> None:
    """Write maps, table and record, all or none.

    Parameters
    ----------
    out : Path
    record : str
        Name of the record.
    found : GroupMap
    material : Material
    mark : str
        Fingerprint.
    command_line : str
    datasets : mapping of str to Path
        That are read, by their names in BIDS URIs.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    sources = [
        path.relative_to(out).as_posix() if path.is_relative_to(out) else names.source_uri(path, datasets)
        for one in material.maps.values()
        for path in one.files
    ]
    about = {**about_contrast(found.step), "Sources": sources, "CommandLine": command_line}
    with staged(out) as stage:
        written = write_group_map(stage, found, about, told_of_maps(found.step))
        remove_outdated(names.provenance(out, record), out, [file.relative_to(stage).as_posix() for file in written])
        write_record(
            names.provenance(stage, record), (found.step,), fingerprint=mark, root=stage, outputs=written,
            command_line=command_line,
        )  # fmt: skip


def about_contrast(step: Step) -> dict[str, object]:
    """What every sidecar says of a contrast."""
    get = step.parameters.get
    smooth = get("variance_smoothing")
    return {
        "Contrast": get("name"),
        "Kind": get("kind"),
        "Effect": get("what"),
        "Tracer": get("tracer"),
        "ModelName": get("model"),
        "Parameter": get("parameter"),
        "Participants": get("participants"),
        **({"Arms": get("arms")} if get("arms") else {}),
        "Excluded": get("excluded"),
        "Space": get("space"),
        "Mask": _mask(step),
        "NumberOfVoxels": get("n_voxel"),
        "LeftOut": get("left_out"),
        "MirrorAveraged": get("mirror") == "average",
        **(
            {"MovedAlongX": {"Distance": get("moved"), "Units": "mm", "Interpolation": "linear"}}
            if get("moved")
            else {}
        ),
        "SmoothingOfScans": get("smoothing"),
        "VarianceSmoothing": None if smooth is None else {"FWHM": smooth, "FWHMUnits": "mm"},
        "Exchanged": SCHEMES[str(get("kind"))] if get("arms") == () else SCHEMES["groups"],
        "Permutations": get("permutations"),
        "PossibleArrangements": get("possible"),
        "Exact": get("exact"),
        "SmallestAttainableP": get("smallest_p"),
        "Seed": None if get("exact") else get("seed"),
        "DegreesOfFreedom": get("df"),
        "CriticalT": get("critical_t"),
        "ThresholdOfClusters": {"t": get("threshold"), "p": get("cluster_p"), "Sided": "one-sided, uncorrected"},
        "Atlas": get("atlas") or None,
        "SoftwareName": SOFTWARE,
        "SoftwareVersion": software_version(),
        "SoftwareVersions": versions(),
    }


def _mask(step: Step) -> str:
    get = step.parameters.get
    told = f"voxels that every scan has mapped{unflagged(step)}"
    if get("mask") == "grey":
        told += f", where the template's probability of grey matter is at least {get('grey')} (an assumption)"
    return told + ("; of these the left half" if get("mirror") == "average" else "")


def told_of_maps(step: Step) -> dict[str, str]:
    """What each map is."""
    get = step.parameters.get
    t = "pseudo-t, with the variance smoothed" if get("variance_smoothing") is not None else "t"
    fwe = "-log10 of the two-sided p value corrected for all voxels (family-wise, by permutation), by the largest"
    return {
        stat.EFFECT: f"Estimate: {get('what')}; in {get('unit')}",
        stat.T: f"Statistic: {t}",
        stat.LOGP_FWE: f"{fwe} absolute t; 1.30 and more is p <= 0.05",
        stat.LOGP: "-log10 of the two-sided p value of each voxel alone, by permutation; not corrected",
        stat.TFCE: "Threshold-free cluster enhancement of t (height 2, extent 0.5, 6 neighbours), signed",
        stat.LOGP_FWE_TFCE: f"{fwe} absolute TFCE; 1.30 and more is p <= 0.05",
        stat.CLUSTER: "Number of each voxel's cluster as in the table, negative where the effect is; 0 for none",
        stat.N: "Scans or participants' values that each voxel has; only voxels that have all are analysed",
    }
