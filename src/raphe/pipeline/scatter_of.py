"""Scatter of regions, from what the user says, an agreement table or the catalog."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from raphe.catalog import find_tracer, tracers
from raphe.errors import InputError, nearest
from raphe.io.tables import read_table
from raphe.stats.scatter import FROM_VARIABILITY, Scatter, scatter

Regions = dict[str, Scatter]


class Known(NamedTuple):
    """Scatter that a study is planned by.

    Parameters
    ----------
    regions : dict of str to Scatter
    unit : str
        Per cent, or none that is known.
    source : str
        Where it is from.
    people : mapping of str to int
        How many people it rests on, by region; empty where that is not known.
    """

    regions: Regions
    unit: str
    source: str
    people: Mapping[str, int] = {}


def scatter_of(options: argparse.Namespace) -> Known:
    """Scatter by region.

    Raises
    ------
    InputError
        If it is given twice, contradicts itself, or a region is unknown.
    """
    own = [name for name in ("sd_within", "sd_between", "wscv", "cv", "icc") if getattr(options, name) is not None]
    named = options.agreement is not None or options.tracer is not None
    if own and named:
        raise InputError(f"--{own[0].replace('_', '-')} and a table both give the scatter; keep one of them")
    if options.agreement is not None:
        regions = _chosen(_from_agreement(options.agreement, options.sd_response), options.region)
        return Known(regions, "%", str(options.agreement), _people(options.agreement))
    if options.tracer is not None:
        found, source = _from_catalog(options.tracer, options.species, options.sd_response)
        return Known(_chosen(found, options.region), "%", source)
    if options.region:
        raise InputError("--region picks rows of --from or --tracer; give one of these")
    if not own:
        return Known({}, "", "")
    absolute, relative = {"sd_within", "sd_between"} & set(own), {"wscv", "cv"} & set(own)
    if absolute and relative:
        raise InputError(
            "standard deviations and per cent were mixed; give --sd-within and --sd-between, or --wscv and --cv"
        )
    one = scatter(
        within=options.sd_within if options.wscv is None else options.wscv,
        between=options.sd_between,
        total=options.cv,
        icc=options.icc,
        response=options.sd_response,
    )
    return Known({"": one}, "%" if relative else "", "command line")


def _from_agreement(path: Path, response: float) -> Regions:
    """Within from ``wscv``, between from ``icc``, of which a negative one counts as 0 and none as unknown."""
    table = read_table(path)
    found = {}
    for region, wscv, icc in zip(table.cells("region"), table.floats("wscv"), table.floats("icc"), strict=True):
        if not wscv > 0:
            found[region] = Scatter(math.nan, math.nan, response)
            continue
        known = None if math.isnan(icc) else min(max(float(icc), 0.0), 1 - 1e-9)
        found[region] = scatter(within=float(wscv), icc=known, response=response)
    return found


def _people(path: Path) -> dict[str, int]:
    """People of each region of an agreement table, where it says how many."""
    table = read_table(path)
    if "n" not in table.columns:
        return {}
    people = zip(table.cells("region"), table.floats("n"), strict=True)
    return {region: int(n) for region, n in people if not math.isnan(n)}


def _from_catalog(name: str, species: str, response: float) -> tuple[Regions, str]:
    """Within from the absolute variability, in all from the standard deviation of BP_ND between healthy people."""
    entry = find_tracer(name)
    if entry is None:
        raise InputError(
            f"the catalog has no test-retest variability of the tracer {name!r}, which --wscv can give instead; "
            f"{nearest(name, [known.name for known in tracers()])}"
        )
    if species not in entry.species:
        raise InputError(f"the catalog has no figures of {name} in {species!r}; there are {', '.join(entry.species)}")
    found = {}
    for region in entry.species[species].region:
        within = region.test_retest.value * FROM_VARIABILITY
        figure = next((one for one in region.BP_ND if one.sd is not None), None)
        total = None if figure is None or figure.sd is None else 100 * figure.sd / figure.value
        if total is not None and total <= within:
            total = None
        found[region.name] = scatter(within=within, total=total, response=response)
    return found, f"catalog, {entry.label}, {species} (raphe list tracers says the sources)"


def _chosen(found: Regions, wanted: Sequence[str]) -> Regions:
    for name in wanted:
        if name not in found:
            raise InputError(f"there is no region {name!r}; {nearest(name, found)}")
    return {name: found[name] for name in wanted} if wanted else found
