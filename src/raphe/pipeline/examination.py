"""Plan, data and choices held against one another, before any work."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from raphe.catalog import find_tracer
from raphe.data.finding import Finding
from raphe.data.people import People
from raphe.data.scan import Scan
from raphe.errors import InputError
from raphe.io.bids import ScanCurves, load_curves
from raphe.io.curves import Curves
from raphe.kinetics.fit import check_start
from raphe.kinetics.registry import model_type
from raphe.nomenclature import tracer_key
from raphe.pipeline.arterial import source_of_scan
from raphe.pipeline.choices import Analysis, choose
from raphe.pipeline.contrast_rules import tracers_of
from raphe.pipeline.options import weights
from raphe.pipeline.participant import separate_reference
from raphe.pipeline.plan import StudyPlan, TracerSection
from raphe.pipeline.plan_check import check_plan
from raphe.pipeline.plan_schema import same_tracer
from raphe.pipeline.plasma_samples import samples_of_scan
from raphe.pipeline.reference import find_reference
from raphe.report.wording import listed


@dataclass(frozen=True, eq=False)
class Examination:
    """What is to be done to each scan, and what was found.

    Parameters
    ----------
    tables : tuple of ScanCurves
        Those that take part.
    analyses : mapping of Path to Analysis
        By the path of the table; complete only where there is no error among the findings.
    findings : tuple of Finding
    """

    tables: tuple[ScanCurves, ...]
    analyses: Mapping[Path, Analysis]
    findings: tuple[Finding, ...]


def examine(
    tables: Sequence[ScanCurves],
    plan: StudyPlan | None,
    said: Mapping[str, object],
    *,
    partial: bool = False,
    excluded: Collection[str] = (),
    people: People | None = None,
) -> Examination:
    """Hold the plan against the scans, choose the analysis of each, and see that it can be done.

    Parameters
    ----------
    tables : sequence of ScanCurves
        One for each scan.
    plan : StudyPlan or None
    said : mapping of str to object
        Choices of the command line, as fields of :class:`raphe.pipeline.analysis.Analysis`; weights as they were typed.
    partial : bool
        Whether the tables are a part of the study, so that what the plan has besides them is no fault.
    excluded : collection of str
        Labels of scans that a person has taken out of the study: what keeps them from being analysed is no fault.
    people : People, optional
        Arms, covariates and scores that the plan's contrasts need.

    Raises
    ------
    InputError
        If a table of curves cannot be read.
    """
    curves = {table.path: load_curves(table) for table in tables}
    findings: list[Finding] = []
    analyses: dict[Path, Analysis] = {}
    if plan is not None:
        findings += check_plan(plan, *_known(tables, curves), partial=partial, excluded=excluded, people=people)
        tables = [table for table in tables if plan.tracer(table.scan.tracer) is not None]
        if any(finding.severity == "error" for finding in findings):
            return Examination(tuple(tables), analyses, tuple(findings))
    for table in tables:
        try:
            analyses[table.path] = _analysis(table, curves[table.path], plan, said)
        except InputError as error:
            findings.append(Finding("error", table.path, "", f"{table.path}: {error}"))
    chosen = [(table, analyses[table.path]) for table in tables if table.path in analyses]
    for table, analysis in (one for one in chosen if one[0].scan.label not in excluded):
        findings += dict.fromkeys(_scan_faults(table, curves[table.path], analysis))
    if plan is not None:
        findings += _contrast_faults(plan, chosen)
    return Examination(tuple(tables), analyses, tuple(findings))


def tracer_names(tables: Sequence[ScanCurves]) -> dict[str, str]:
    """One name for all spellings of a tracer: the catalog's, else that of the first scan."""
    first: dict[str, str] = {}
    for table in tables:
        entry = find_tracer(table.scan.tracer)
        first.setdefault(tracer_key(table.scan.tracer), entry.name if entry else table.scan.tracer)
    return {table.scan.tracer: first[tracer_key(table.scan.tracer)] for table in tables}


def _known(
    tables: Sequence[ScanCurves], curves: Mapping[Path, Curves]
) -> tuple[tuple[Scan, ...], dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Scans by the catalog's names, and of each the curves that it has and those that it has without any value."""
    names = tracer_names(tables)
    scans = tuple(dataclasses.replace(table.scan, tracer=names[table.scan.tracer]) for table in tables)
    there = {table.scan.label: (*curves[table.path].tacs.names, *table.references) for table in tables}
    return scans, there, {table.scan.label: curves[table.path].empty for table in tables}


def _analysis(table: ScanCurves, curves: Curves, plan: StudyPlan | None, said: Mapping[str, object]) -> Analysis:
    given = said.get("weights")
    weighted = None if given is None else weights(str(given), len(curves.tacs.frames))
    planned = _planned(plan, plan.tracer(table.scan.tracer)) if plan else {}
    layers = (("command line", {**said, "weights": weighted}), ("plan", planned))
    species = plan.study.species if plan else "human"
    return choose(layers, find_tracer(table.scan.tracer), table.scan.tracer, species)


def _planned(plan: StudyPlan, tracer: TracerSection | None) -> Mapping[str, object]:
    common: dict[str, object] = {"regions": plan.regions.names, "merges": dict(plan.regions.merge)}
    if tracer is None:
        return common
    return {
        **common,
        "models": tracer.models,
        "reference": (tracer.reference,) if tracer.reference else None,
        "weights": tracer.weights,
        "convention": tracer.convention,
        "k2_prime": tracer.k2_prime,
        "t_star": tracer.t_star,
        "t_star_limit": tracer.t_star_limit,
        "V_B": tracer.V_B,
        "window": tracer.window,
        "delay": tracer.delay,
        "dispersion": tracer.dispersion,
        "parent_fraction": tracer.parent_fraction,
        "plasma_ratio": tracer.plasma_ratio,
        "arterial": tracer.arterial,
        "blood_unit": tracer.blood_unit,
        "blood_faults": tracer.blood_faults,
        "uncertainty": tracer.uncertainty,
        "repeats": tracer.repeats,
        "high_binding": tracer.high_binding,
    }


def _scan_faults(table: ScanCurves, curves: Curves, analysis: Analysis) -> Iterator[Finding]:
    """Yield what keeps one scan from being analysed as chosen."""
    try:
        for kind in analysis.kinds:
            check_start(curves.tacs.frames, kind)
        _check_regions(curves, analysis)
        if analysis.needs("reference"):
            find_reference(curves.tacs, analysis, separate_reference(table, analysis, curves.tacs.frames), curves.empty)
    except InputError as error:
        yield Finding("error", table.path, "", f"{table.path}: {error}")
    if analysis.needs("plasma"):
        try:
            yield from source_of_scan(table, curves.tacs, analysis).findings
        except InputError as error:
            yield Finding("error", table.path, "blood", str(error))
    if analysis.needs("samples"):
        try:
            yield from samples_of_scan(table, curves.tacs, analysis).findings
        except InputError as error:
            yield Finding("error", table.path, "blood", str(error))


def _check_regions(curves: Curves, analysis: Analysis) -> None:
    """Refuse fewer regions than a model of all of them together needs."""
    wanted = analysis.regions or tuple(dict.fromkeys((*curves.tacs.names, *analysis.merges)))
    for kind in analysis.kinds:
        least = int(getattr(kind, "least_regions", 1))
        if len(wanted) < least:
            raise InputError(
                f"{kind.name} is fitted to all regions together and needs at least {least}, but there are "
                f"{len(wanted)} ({listed(wanted)}); give more, or choose another model"
            )


def _contrast_faults(plan: StudyPlan, scans: Sequence[tuple[ScanCurves, Analysis]]) -> Iterator[Finding]:
    """Yield contrasts of a parameter that no model of their scans gives."""
    for index, contrast in enumerate(plan.contrasts):
        several = {
            analysis.models
            for table, analysis in scans
            if same_tracer(table.scan.tracer) in {same_tracer(name) for name in tracers_of(contrast)}
        }
        for models in several:
            kinds = [model_type(name) for name in models]
            if not any(contrast.parameter in kind.parameters for kind in kinds):
                where = f"{plan.path}, line {plan.line('contrast', index, 'parameter')}"
                given = dict.fromkeys(name for kind in kinds for name in kind.parameters)
                told = (
                    f"{where}: contrast {contrast.name!r} is of {contrast.parameter}, but {', '.join(models)}, by "
                    f"which {contrast.tracer} is analysed, gives {', '.join(given)}; name one of these or another model"
                )
                yield Finding("error", plan.path, "contrast.parameter", told)
