"""``raphe occupancy``: what a drug occupies, from two tables of binding."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.catalog import references
from raphe.data.pharmacology import GroupLine, OccupancyLine, OccupancyStudy, RegionOccupancy
from raphe.data.record import Step
from raphe.data.results import PairedValues
from raphe.errors import InputError, nearest
from raphe.io import derivatives
from raphe.io.occupancy import summary, write_occupancy
from raphe.io.provenance import sha256, versions
from raphe.io.staging import prepare, staged
from raphe.io.tables import read_table, write_text
from raphe.pharmacology.lassen import LEAST, group_line, lassen_plot
from raphe.pharmacology.occupancy import occupancy
from raphe.pipeline.messages import Messages
from raphe.pipeline.occupancy_tables import read_pairs
from raphe.report.occupancy import occupancy_page


def run(options: argparse.Namespace) -> int:
    """Compute occupancies; without ``--out`` the table is printed."""
    messages = Messages(options)
    if options.out is not None:
        prepare(options.out)
    paths = options.baseline, options.blocked or options.baseline
    tracer, model, parameter, labels, pairs = read_pairs(options)
    by_region: tuple[RegionOccupancy, ...] = ()
    steps: list[Step] = [Step("occupancy_read", {}, inputs={str(path): sha256(path) for path in paths})]
    if parameter == "BP_ND":
        by_region, step = occupancy(pairs)
        steps.append(step)
    lines, no_line, more = _lines(pairs, parameter, options)
    steps += more
    _refuse_swapped(pairs, paths)
    group: GroupLine | None = group_line(lines) if lines else None
    study = OccupancyStudy(tracer, model, parameter, *labels, pairs, by_region, lines, group, no_line)
    _tell(study, messages)
    _write(options, study, steps, paths)
    return messages.code


def _lines(
    pairs: Sequence[PairedValues], parameter: str, options: argparse.Namespace
) -> tuple[tuple[OccupancyLine, ...], tuple[tuple[str, str], ...], list[Step]]:
    """One line for each participant; without one, why. For V_T at least one is needed."""
    people = list(dict.fromkeys(name for one in pairs for name in one.participants))
    regions = [one.region for one in pairs]
    covariance = None if options.covariance is None else _covariance(options.covariance, regions)
    lines, no_line, steps = [], [], []
    for person in people:
        values = np.full((4, len(pairs)), np.nan)
        reasons = {}
        for at, one in enumerate(pairs):
            if person in one.participants:
                row = one.participants.index(person)
                values[:, at] = one.first[row], one.second[row], one.first_se[row], one.second_se[row]
            else:
                reasons[one.region] = "; ".join(
                    f"{left.session}: {left.reason}" for left in one.excluded if left.participant == person
                )
        try:
            line, step = lassen_plot(
                regions,
                values[0],
                values[1],
                parameter=parameter,
                method=options.method,
                noise=options.noise,
                baseline_se=values[2] if options.noise == "se" else None,
                blocked_se=values[3] if options.noise == "se" else None,
                covariance=covariance,
                known=covariance is not None,
                left_out={name: why for name, why in reasons.items() if why},
                participant=person,
            )
        except InputError as error:
            if parameter == "V_T" and len(people) == 1:
                raise
            if np.isfinite(values[:2]).all(axis=0).sum() >= LEAST[parameter]:
                raise InputError(f"participant {person!r}: {error}") from None
            no_line.append((person, str(error)))
            continue
        lines.append(line)
        steps.append(step)
    if parameter == "V_T" and not lines:
        who, why = no_line[0] if no_line else ("any", "no participant has both scans")
        raise InputError(f"no participant has a Lassen plot; {who}: {why}")
    return tuple(lines), tuple(no_line), steps


def _covariance(path: Path, regions: Sequence[str]) -> npt.NDArray[np.float64]:
    """Covariance of relative errors, from a table with a column ``name`` and one for each region."""
    table = read_table(path)
    names = table.cells("name")
    missing = [name for name in regions if name not in names or name not in table.columns]
    if missing:
        raise InputError(f"{path} has no row and column of region {missing[0]!r}; {nearest(missing[0], names)}")
    whole = np.stack([table.floats(name) for name in regions], axis=1)
    return np.asarray(whole[[names.index(name) for name in regions]])


def _refuse_swapped(pairs: Sequence[PairedValues], paths: tuple[Path, Path]) -> None:
    """Refuse scans of which the blocked one is the higher in every region of every participant."""
    first = np.concatenate([one.first for one in pairs])
    second = np.concatenate([one.second for one in pairs])
    if first.size > 2 and (second > first).all():
        raise InputError(
            f"binding is higher in {paths[1]} than in {paths[0]} in all {first.size} values: a drug that occupies its "
            "target lowers it; swap the two if they are the wrong way round, or test the rise with a contrast"
        )


def _tell(study: OccupancyStudy, messages: Messages) -> None:
    for line in study.lines:
        who = f"participant {line.participant}: " if line.participant else ""
        for text in line.statements:
            messages.warn(who + text)
        messages.say(who + _result(line))
    for person, why in study.no_line:
        messages.warn(f"participant {person}: no line through the regions: {why}")
    out = {f"{left.participant}, {one.region}: {left.reason}" for one in study.pairs for left in one.excluded}
    for text in sorted(out):
        messages.warn(f"left out: {text}")


def _result(line: OccupancyLine) -> str:
    text = (
        f"occupancy {100 * line.occupancy.value:.1f} % ({100 * line.occupancy.low:.1f} to "
        f"{100 * line.occupancy.high:.1f} %) from {len(line.used)} regions"
    )
    if line.parameter == "V_T":
        text += f"; V_ND {line.V_ND.value:.3g} ({line.V_ND.low:.3g} to {line.V_ND.high:.3g}) mL/cm3"
    return text


def _write(options: argparse.Namespace, study: OccupancyStudy, steps: Sequence[Step], paths: tuple[Path, Path]) -> None:
    """Write the table, its sidecar and its page, or print one of the first two."""
    citations = {key: entry.citation for key, entry in references().items()}
    cited = dict.fromkeys(key for step in steps for key in step.citations)
    told = {
        "Sources": [str(path) for path in dict.fromkeys(paths)],
        "Regions": [one.region for one in study.pairs],
        "Excluded": [
            {"participant": left.participant, "session": left.session, "region": left.region, "reason": left.reason}
            for one in study.pairs
            for left in one.excluded
        ],
        "CommandLine": options.command_line,
        "References": [citations[key] for key in cited],
    }
    if options.json:
        print(json.dumps([summary(line) for line in study.lines], indent=2, ensure_ascii=False))
    if options.out is None:
        if not options.json:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "occupancy.tsv"
                write_occupancy(path, study, told)
                sys.stdout.write(path.read_text(encoding="utf-8"))
        return
    entities = {
        "ses": "".join(options.session or ()) or None,
        "trc": study.tracer or None,
        "model": study.model or None,
    }
    table = derivatives.occupancy(options.out, paths, study.parameter, **entities)
    page = occupancy_page(
        study, steps=steps, versions=versions(), citations=citations, command_line=options.command_line
    )
    with staged(options.out) as stage:
        write_occupancy(stage / table.name, study, told)
        write_text(derivatives.page_of(stage / table.name), page)
    if not options.json:
        print(table)
        print(derivatives.page_of(table))
