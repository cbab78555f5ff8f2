"""``raphe occupancy``: what a drug occupies, from two tables of binding."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe import arguments
from raphe.catalog import references
from raphe.data.pharmacology import GroupLine, OccupancyLine, OccupancyStudy, RegionOccupancy
from raphe.data.record import Step
from raphe.data.results import PairedValues
from raphe.errors import InputError, nearest
from raphe.io import derivatives
from raphe.io.occupancy import summary, write_occupancy
from raphe.io.pharmacology import dose_summary, write_dose
from raphe.io.provenance import sha256, versions
from raphe.io.staging import prepare, staged
from raphe.io.tables import read_table, write_text
from raphe.pharmacology.lassen import group_line
from raphe.pharmacology.occupancy import occupancy
from raphe.pharmacology.person_lines import person_lines
from raphe.pipeline.messages import Messages
from raphe.pipeline.occupancy_dose import Dosed, Scans, dose_of_studies, exposures_of
from raphe.pipeline.occupancy_tables import read_pairs
from raphe.report.occupancy import occupancy_page
from raphe.report.pharmacology import curve_in_words


class _Done(NamedTuple):
    """Occupancy of one blocked session, how it was found, and its place among the files."""

    study: OccupancyStudy
    steps: tuple[Step, ...]
    session: tuple[str, ...]
    """Labels of both sessions; empty where none was named."""
    blocked: str
    """Session of the blocked scan by its table."""


def run(options: argparse.Namespace) -> int:
    """Compute occupancies; without ``--out`` the table is printed."""
    messages = Messages(options)
    if options.out is not None:
        prepare(options.out)
    exposures = exposures_of(options)
    done = [_done(each) for each in _each_session(options)]
    dose = None
    if exposures is not None:
        dose = dose_of_studies(options, [Scans(one.study, one.blocked) for one in done], exposures)
    for one in done:
        _tell(one.study, messages, one.blocked if len(done) > 1 else "")
    if dose is not None:
        for text in dose.warnings:
            messages.warn(text)
        for row in dose.table.rows:
            messages.say(f"occupancy against {dose.table.exposure}, {row.region}: {curve_in_words(row)}")
    _write(options, done, dose)
    return messages.code


def _each_session(options: argparse.Namespace) -> list[argparse.Namespace]:
    """Options for each blocked session that ``--session`` names."""
    if not options.session:
        return [options]
    before, text = options.session
    several = [label.removeprefix("ses-") for label in arguments.names(text)]
    doubled = next((name for at, name in enumerate(several) if name in several[:at]), None)
    if doubled is not None:
        raise InputError(f"--session names {doubled!r} twice; keep one")
    return [argparse.Namespace(**{**vars(options), "session": [before.removeprefix("ses-"), name]}) for name in several]


def _done(options: argparse.Namespace) -> _Done:
    paths = options.baseline, options.blocked or options.baseline
    tracer, model, parameter, labels, pairs, session = read_pairs(options)
    by_region: tuple[RegionOccupancy, ...] = ()
    steps: list[Step] = [Step("occupancy_read", {}, inputs={str(path): sha256(path) for path in paths})]
    if parameter == "BP_ND":
        by_region, step = occupancy(pairs)
        steps.append(step)
    covariance = None if options.covariance is None else _covariance(options.covariance, [one.region for one in pairs])
    lines, no_line, more = person_lines(
        pairs, parameter, method=options.method, noise=options.noise, covariance=covariance
    )
    _refuse_swapped(pairs, paths)
    group: GroupLine | None = group_line(lines) if lines else None
    study = OccupancyStudy(tracer, model, parameter, *labels, pairs, by_region, lines, group, no_line)
    return _Done(study, (*steps, *more), tuple(options.session or ()), session)


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


def _tell(study: OccupancyStudy, messages: Messages, session: str = "") -> None:
    """Tell what was found; ``session`` names that under the drug where there are several."""
    of = f"session {session}: " if session else ""
    for line in study.lines:
        who = of + _whose(line.participant)
        for text in line.statements:
            messages.warn(who + text)
        messages.say(who + _result(line))
    for person, why in study.no_line:
        messages.warn(f"{of}{_whose(person)}no line through the regions: {why}")
    out = {
        ", ".join(filter(None, (left.participant, f"{one.region}: {left.reason}")))
        for one in study.pairs
        for left in one.excluded
    }
    for text in sorted(out):
        messages.warn(f"{of}left out: {text}")


def _whose(person: str) -> str:
    """Beginning of a message about a participant; empty where the tables do not say whose they are."""
    return f"participant {person}: " if person else ""


def _result(line: OccupancyLine) -> str:
    text = (
        f"occupancy {100 * line.occupancy.value:.1f} % ({100 * line.occupancy.low:.1f} to "
        f"{100 * line.occupancy.high:.1f} %) from {len(line.used)} regions"
    )
    if line.parameter == "V_T":
        text += f"; V_ND {line.V_ND.value:.3g} ({line.V_ND.low:.3g} to {line.V_ND.high:.3g}) mL/cm3"
    return text


def _write(options: argparse.Namespace, done: Sequence[_Done], dose: Dosed | None) -> None:
    """Write tables, their sidecars and their pages, or print the tables or the lines."""
    citations = {key: entry.citation for key, entry in references().items()}
    added: tuple[Step, ...] = () if dose is None else dose.steps
    if options.json:
        lines = [summary(line) for one in done for line in one.study.lines]
        told = (
            lines if dose is None else {"Lines": lines, "DoseResponse": [dose_summary(row) for row in dose.table.rows]}
        )
        print(json.dumps(told, indent=2, ensure_ascii=False))
    if options.out is None:
        if not options.json:
            _print(options, done, dose, citations)
        return
    written = []
    with staged(options.out) as stage:
        for one in done:
            table = _table(options, one.study, one.session)
            write_occupancy(stage / table.name, one.study, _told(options, one, citations))
            page = occupancy_page(
                one.study,
                steps=(*one.steps, *added),
                versions=versions(),
                citations=citations,
                command_line=options.command_line,
                dose=None if dose is None else dose.table,
            )
            write_text(derivatives.page_of(stage / table.name), page)
            written += [table, derivatives.page_of(table)]
        if dose is not None:
            sessions = dict.fromkeys(name for one in done for name in one.session)
            table = derivatives.dose_response(_table(options, done[0].study, tuple(sessions)))
            write_dose(stage / table.name, dose.table, _told_of_dose(options, added, citations))
            written.append(table)
    if not options.json:
        for path in written:
            print(path)


def _table(options: argparse.Namespace, study: OccupancyStudy, session: tuple[str, ...]) -> Path:
    entities = {"ses": "".join(session) or None, "trc": study.tracer or None, "model": study.model or None}
    paths = options.baseline, options.blocked or options.baseline
    return derivatives.occupancy(options.out, paths, study.parameter, **entities)


def _print(
    options: argparse.Namespace,
    done: Sequence[_Done],
    dose: Dosed | None,
    citations: Mapping[str, str],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "occupancy.tsv"
        for one in done:
            write_occupancy(path, one.study, _told(options, one, citations))
            sys.stdout.write(path.read_text(encoding="utf-8"))
        if dose is not None:
            write_dose(path, dose.table, {})
            sys.stdout.write(path.read_text(encoding="utf-8"))


def _told(options: argparse.Namespace, one: _Done, citations: Mapping[str, str]) -> dict[str, object]:
    """What the sidecar of a table of occupancy says besides."""
    cited = dict.fromkeys(key for step in one.steps for key in step.citations)
    paths = options.baseline, options.blocked or options.baseline
    return {
        "Sources": [str(path) for path in dict.fromkeys(paths)],
        "Regions": [pairs.region for pairs in one.study.pairs],
        "Excluded": [
            {"participant": left.participant, "session": left.session, "region": left.region, "reason": left.reason}
            for pairs in one.study.pairs
            for left in pairs.excluded
        ],
        "CommandLine": options.command_line,
        "References": [citations[key] for key in cited],
    }


def _told_of_dose(
    options: argparse.Namespace, steps: Sequence[Step], citations: Mapping[str, str]
) -> dict[str, object]:
    """What the sidecar of a table of doses says besides."""
    paths = dict.fromkeys((options.baseline, options.blocked or options.baseline, options.exposure))
    return {
        "Sources": [str(path) for path in paths],
        "CommandLine": options.command_line,
        "References": [citations[key] for step in steps for key in step.citations],
    }
