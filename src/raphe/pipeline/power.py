"""``raphe power``: people, detectable change and precision from the scatter of scans."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import stats

from raphe.errors import InputError
from raphe.io.described import Column, write_described
from raphe.io.provenance import SOFTWARE, software_version
from raphe.io.staging import prepare
from raphe.io.tables import write_text
from raphe.pipeline.messages import Messages
from raphe.pipeline.scatter_of import scatter_of
from raphe.report.power import Curve, power_curves
from raphe.stats.power import KINDS, Design, detectable, half_width, least_p, needed, power, standard_error
from raphe.stats.scatter import Scatter

POWER = 0.8
"""Power that is wanted if none is given."""

FEW = 10
"""Fewer people of a test-retest study leave their scatter open by a third and more, which is told."""

MOST_CURVES = 12


@dataclass(frozen=True)
class Planned:
    """One region's answer; NaN with ``why`` where there is none."""

    region: str
    spread: Scatter | None
    n: int
    change: float
    power: float
    half_width: float
    why: str = ""


def run(options: argparse.Namespace) -> int:
    """Print the table; with ``--out``, write it and a figure."""
    messages = Messages(options)
    kind = options.design
    outcome = options.outcome or "change"
    if options.outcome is not None and kind != "groups":
        raise InputError(f"--outcome is for design groups; design {kind} has its own outcome")
    design = Design(kind, options.allocation, outcome, options.alpha)
    regions, unit, source, people = scatter_of(options)
    if not regions and kind != "correlation":
        raise InputError("no scatter is given; give --wscv or --sd-within, a table by --from, or --tracer")
    wanted = _wanted(options)
    spreads: dict[str, Scatter | None] = {**regions} if regions else {"": None}
    rows = [
        _of_one_person(region, spread, wanted)
        if people.get(region) == 1 and kind != "correlation"
        else _planned(design, region, spread, *wanted)
        for region, spread in spreads.items()
    ]
    for line in _table(design, rows, "" if kind == "correlation" else unit, source):
        print(line)
    for note in (*_notes(design, rows), *_uncertain(rows, {} if kind == "correlation" else people)):
        messages.say(note)
    if options.out is not None:
        prepare(options.out)
        _write(options.out, design, rows, "" if kind == "correlation" else unit, source, options.command_line)
    return 0 if any(not row.why for row in rows) else 2


def _wanted(options: argparse.Namespace) -> tuple[int, float, float]:
    """People (0 to be found), change and power (NaN to be found)."""
    n, change, wanted = options.n, options.change, options.power
    if n is None and change is None:
        raise InputError("nothing to find it from; give --n or --change, or both")
    if n is not None and change is not None and wanted is not None:
        raise InputError("--n, --change and --power leave nothing to find; give two of them")
    if n is None or change is None:
        wanted = POWER if wanted is None else wanted
    return n or 0, math.nan if change is None else change, math.nan if wanted is None else wanted


def _planned(design: Design, region: str, spread: Scatter | None, n: int, change: float, wanted: float) -> Planned:
    """Find what is not given; a region whose scatter does not tell is a row that says so, if there are others."""
    nothing = Planned(region, spread, n, math.nan, wanted, math.nan)
    if spread is not None and math.isnan(spread.within):
        return replace(nothing, why="no scatter within people is known")
    compares = design.kind == "ancova" or (design.kind == "groups" and design.outcome == "post")
    if compares and region and spread is not None and math.isnan(spread.between):
        return replace(nothing, why="no scatter between people is known")
    if n == 0:
        n = needed(design, spread, change, wanted)
    elif math.isnan(change):
        change = detectable(design, spread, n, wanted)
        if math.isnan(change):
            return replace(nothing, why="even a true correlation of 1 is seen too rarely")
    return Planned(region, spread, n, change, power(design, spread, n, change), half_width(design, spread, n, change))


def _of_one_person(region: str, spread: Scatter | None, wanted: tuple[int, float, float]) -> Planned:
    """Row of a region whose scatter nothing can be planned by."""
    n, _, power_wanted = wanted
    why = "one person's two scans are too few to know the scatter by; give --wscv of a larger study"
    return Planned(region, spread, n, math.nan, power_wanted, math.nan, why)


def _uncertain(rows: Sequence[Planned], people: Mapping[str, int]) -> list[str]:
    """Say how far the scatter may be from the truth where few people gave it: the fewest."""
    found = {row.region: people[row.region] for row in rows if not row.why and row.region in people}
    region = min(found, key=lambda name: found[name], default="")
    if found.get(region, FEW) >= FEW:
        return []
    n = found[region]
    low, high = (math.sqrt(n / float(stats.chi2.ppf(tail, n))) for tail in (0.975, 0.025))
    return [
        f"the scatter of {region} within people rests on {n} people: the true one may be {low:.2f} to {high:.2f} times "
        "as large (95 %), and the change that can be shown with it"
    ]


def _table(design: Design, rows: Sequence[Planned], unit: str, source: str) -> list[str]:
    what = {"correlation": "correlation", "equivalence": "margin"}.get(design.kind, "change")
    sided = "each of two one-sided tests at" if design.kind == "equivalence" else "two-sided,"
    told = f"{KINDS[design.kind]}; {sided} {100 * design.alpha:g} %"
    head = ["region", "within", "ICC", "n", what, "power", "half-width", "least p"]
    mark = f" {unit}" if unit else ""
    cells = [head]
    for row in rows:
        second, first = design.split(row.n) if row.n else (0, 0)
        people = f"{row.n} ({second} v {first})" if first else f"{row.n}"
        spread = row.spread
        cells.append(
            [
                row.region or "-",
                "-" if spread is None else f"{spread.within:.3g}{mark}",
                "-" if spread is None or math.isnan(spread.icc) else f"{spread.icc:.2f}",
                people if row.n else "-",
                row.why or f"{row.change:.3g}{mark}",
                "-" if row.why else f"{row.power:.3f}",
                "-" if row.why else f"{row.half_width:.3g}{mark}",
                "-" if row.why else f"{least_p(design, row.n):.3g}",
            ]
        )
    wide = [max(len(line[at]) for line in cells) for at in range(len(head))]
    lines = ["  ".join(cell.ljust(size) for cell, size in zip(line, wide, strict=True)).rstrip() for line in cells]
    return [told, *([f"scatter: {source}"] if source else []), "", *lines]


def _notes(design: Design, rows: Sequence[Planned]) -> list[str]:
    notes = []
    done = [row for row in rows if not row.why]
    for n in sorted({row.n for row in done}):
        floor = least_p(design, n)
        if floor > design.alpha:
            what = "exchange of the groups" if design.split(n)[1] else "test by sign flips"
            notes.append(
                f"n = {n}: a {what} cannot give a p below {floor:.3g}, so only a t test, which takes the values to be "
                "normal, can show anything here"
            )
    for row in done:
        if row.spread is not None and design.kind != "correlation":
            if not standard_error(design, row.spread, row.n).exact:
                notes.append("people respond unlike, so that groups differ in spread: power is an approximation")
                break
    if (
        any(row.spread is not None and not math.isnan(row.spread.between) for row in done)
        and design.kind == "correlation"
    ):
        notes.append("the correlation is with people's true values; what scans show is smaller by the root of the ICC")
    return notes


def _write(folder: Path, design: Design, rows: Sequence[Planned], unit: str, source: str, command: str) -> None:
    columns = (
        Column("region", "Region; n/a where one scatter was given by hand"),
        Column("sd_within", "Standard deviation of repeated scans of a person", unit),
        Column("sd_between", "Standard deviation of people's true values", unit),
        Column("icc", "Intraclass correlation of single scans"),
        Column("n", "People in all"),
        Column("n_second", "People of the second group (drug); all where there is one group"),
        Column("n_first", "People of the first group (control)"),
        Column("change", "True change, correlation or margin", unit),
        Column("power", "Probability that it is shown"),
        Column("half_width", "Mean half-width of the 95 % interval (equivalence: 90 %)", unit),
        Column("p_least", "Smallest two-sided p of a permutation test of the design"),
        Column("remark", "What could not be computed, and why"),
    )
    table = []
    for row in rows:
        spread = row.spread or Scatter(math.nan)
        second, first = design.split(row.n) if row.n else (0, 0)
        floor = math.nan if row.why else least_p(design, row.n)
        table.append(
            [
                row.region or "n/a",
                *(float(x) for x in (spread.within, spread.between, spread.icc)),
                *(row.n, second, first),
                *(float(x) for x in (row.change, row.power, row.half_width, floor)),
                row.why or "n/a",
            ]
        )
    metadata = {
        "Description": f"Power: {KINDS[design.kind]}",
        "Design": design.kind,
        "Outcome": design.outcome if design.kind == "groups" else "n/a",
        "Allocation": list(design.allocation) if design.allocation else "n/a",
        "Alpha": design.alpha,
        "ScatterSource": source or "n/a",
        "SoftwareName": SOFTWARE,
        "SoftwareVersion": software_version(),
        "CommandLine": command,
    }
    write_described(folder / "power.tsv", columns, table, metadata)
    drawn = [row for row in rows if not row.why][:MOST_CURVES]
    if drawn:
        write_text(folder / "power.svg", _figure(design, drawn, unit))


def _figure(design: Design, rows: Sequence[Planned], unit: str) -> str:
    by_change: list[Curve] = []
    by_n: list[Curve] = []
    for row in rows:
        top = min(2 * row.change, 0.999) if design.kind == "correlation" else 2 * row.change
        changes = np.linspace(0.0, top, 41).tolist()
        by_change.append((changes, [power(design, row.spread, row.n, x) for x in changes]))
        numbers = (
            np.unique(np.linspace(design.least, max(2 * row.n, design.least + 4), 41).round()).astype(int).tolist()
        )
        by_n.append((numbers, [power(design, row.spread, n, row.change) for n in numbers]))
    what = {"correlation": "correlation", "equivalence": "margin"}.get(design.kind, "change")
    one = rows[0]
    alone = len(rows) == 1
    titles = (
        f"n = {one.n}" if alone or len({row.n for row in rows}) == 1 else "each region at its n",
        f"{what} {one.change:.3g} {unit}".strip() if alone else f"each region at its {what}",
    )
    return power_curves(by_change, by_n, rows[0].power, titles, (f"{what} ({unit})" if unit else what, "people in all"))
