"""The report of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from raphe.data.concern import Concern
from raphe.data.estimates import Estimate, Estimates
from raphe.data.pharmacology_tables import Pharmacology
from raphe.data.record import Step
from raphe.data.results import Agreement, Contrast
from raphe.data.scan import Scan
from raphe.report.binding import bindings, macros_of, of_macros
from raphe.report.comparison import contrast_view
from raphe.report.concern import HEADS, RULE, concerns
from raphe.report.flow import FlowScan
from raphe.report.group_of import group_of
from raphe.report.left_out import left_out, selected
from raphe.report.page import record, render
from raphe.report.pharmacology import parts_of
from raphe.report.repeated import repeated
from raphe.report.statistic_maps import StatisticMapsView
from raphe.report.wording import listed, tracer, with_labels

NO_ARM = frozenset({"", "n/a"})
"""What stands where no arm is known."""


@dataclass(frozen=True)
class ScanSummary:
    """One scan of the study as its report lists it.

    ``href`` is the way from the study's page to the scan's page, empty where there is none; ``failure`` says in words
    why the scan could not be analysed and is empty otherwise; ``remarks`` are warnings about it; ``excluded`` is why a
    person has taken it out of the study, and empty where it takes part; ``concern`` is what was
    found about its images where they were preprocessed here.
    """

    scan: Scan
    href: str = ""
    failure: str = ""
    remarks: tuple[str, ...] = ()
    excluded: str = ""
    concern: Concern | None = None


class Listed(NamedTuple):
    """A scan in the list of scans, with what is to be looked at."""

    label: str
    href: str
    tracer: str
    n_usable: int
    n_excluded: int
    n_remarked: int
    failure: str
    remarks: tuple[str, ...]
    excluded: str


def study_page(
    title: str,
    scans: Sequence[ScanSummary],
    estimates: Estimates,
    contrasts: Sequence[Contrast],
    agreements: Sequence[Agreement],
    *,
    steps: Sequence[Step],
    versions: Mapping[str, str],
    citations: Mapping[str, str],
    command_line: str,
    question: str = "",
    primary_region: str = "",
    primary_unmade: str = "",
    region_order: Sequence[str] = (),
    macros: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    maps: StatisticMapsView | None = None,
    pharmacology: Pharmacology | None = None,
) -> str:
    """Write the report of a study as one HTML document that needs nothing else.

    Parameters
    ----------
    title : str
        Empty for an unnamed study.
    scans : sequence of ScanSummary
        Every scan, those that failed or are excluded too.
    estimates : Estimates
        Every estimate of the scans that take part, usable or not; only usable ones enter a figure or table of binding.
    contrasts, agreements : sequence
        Answers of :mod:`raphe.stats`.
    steps, versions, citations, command_line, notes
        As for :func:`raphe.report.scan.scan_page`; the steps of all scans and of the study, in order.
    question : str
        What the study asks, in a sentence.
    primary_region : str
        Region that the plan names for its primary contrast.
    primary_unmade : str
        Why the plan's primary contrast could not be made; empty where it was, or the plan names none.
    region_order : sequence of str
        Regions that stand first, in this order.
    macros : mapping of str to str, optional
        Parameter that each model is used for, e.g. ``{"2TCM": "V_T"}``. Where a model is not told, it is what its
        agreement or contrast is of, else :data:`raphe.report.binding.MACROS`.
    maps : StatisticMapsView, optional
        Contrasts voxel by voxel.
    pharmacology : Pharmacology, optional
        What stands beside the contrasts.

    Returns
    -------
    str
        The same input gives the same text.
    """
    called = {summary.scan.tracer: tracer(summary.scan.tracer, summary.scan.radionuclide) for summary in scans}
    contrasts = sorted(contrasts, key=lambda contrast: (not contrast.primary, not contrast.controlled))
    used = macros_of(estimates, agreements, contrasts, macros or {})
    rows = of_macros(estimates, used)
    summarised = _summarised(estimates, used, contrasts)
    listed_scans = _listed(scans, rows, called)
    told = [_labelled(contrast, called) for contrast in contrasts]
    treated = len({row.arm for row in rows.rows} - NO_ARM) > 1
    return render(
        "study.html.j2",
        title=title or "Study report",
        question=question,
        glance=_glance(scans, rows, called),
        notes=notes,
        bindings=bindings(rows, called, (primary_region, *region_order)),
        parameters=rows.distinct("parameter"),
        contrasts=[contrast_view(contrast, primary_region) for contrast in told],
        group=group_of(
            told,
            Estimates(tuple(row._replace(tracer=called.get(row.tracer, row.tracer)) for row in rows.rows)),
            _flow(scans, rows, called),
            primary_region=primary_region,
            primary_unmade=primary_unmade,
            arms=_limited(steps),
            people=treated or len(rows.distinct("session")) > 2,
        ),
        primary_region=primary_region,
        treated=treated,
        repeated=repeated(
            [replace(agreement, tracer=called.get(agreement.tracer, agreement.tracer)) for agreement in agreements]
        ),
        excluded=[one for one in listed_scans if one.excluded],
        left_out=left_out(summarised, contrasts, agreements, called),
        several=len({(row.model, row.parameter) for row in summarised}) > 1,
        selected=listed(selected(rows, called)),
        scans=listed_scans,
        concerns=concerns(
            {one.scan.label: one.concern for one in scans if one.concern is not None},
            {one.scan.label: one.href for one in scans},
            [one.scan.label for one in scans if one.excluded],
        ),
        concern_heads=HEADS,
        concern_rule=RULE,
        maps=maps,
        beside=parts_of(pharmacology or Pharmacology(), primary_region),
        **record(steps, versions, citations, command_line, called),
    )


def _flow(scans: Sequence[ScanSummary], estimates: Estimates, called: Mapping[str, str]) -> list[FlowScan]:
    """What became of each scan; one that others of the same tracer and arm have, and a person has not, is missing."""
    arms = {row.participant: row.arm for row in estimates.rows if row.arm not in NO_ARM}
    several = len({one.scan.tracer for one in scans}) > 1
    have = {(one.scan.participant, one.scan.tracer, one.scan.session or ""): one for one in scans}
    sessions: dict[tuple[str, str], dict[str, None]] = {}
    for person, of, session in have:
        sessions.setdefault((of, arms.get(person, "")), {})[session] = None
    found = []
    for person, of in dict.fromkeys((person, of) for person, of, _ in have):
        arm = arms.get(person, "")
        for session in sessions[of, arm]:
            name = ", ".join(filter(None, (session, called[of] if several else "")))
            one = have.get((person, of, session))
            if one is None:
                found.append(FlowScan(person, name, arm, missing="no scan in the data set"))
            else:
                found.append(FlowScan(person, name, arm, excluded=one.excluded, failed=one.failure))
    return found


def _limited(steps: Sequence[Step]) -> dict[str, str]:
    """Arm to which each contrast is limited, by the contrast's name; empty where it is to none."""
    return {
        str(step.parameters.get("name")): str(step.parameters.get("arm") or "")
        for step in steps
        if step.name == "contrast"
    }


def _labelled(contrast: Contrast, called: Mapping[str, str]) -> Contrast:
    """Contrast whose tracers have their labels."""
    several = {name: called.get(name, tracer(name)) for name, _ in contrast.sources}
    of = " and ".join(several.values()) or called.get(contrast.tracer, tracer(contrast.tracer))
    return replace(contrast, tracer=of, what=with_labels(contrast.what, several))


def _summarised(estimates: Estimates, used: Mapping[str, str], contrasts: Sequence[Contrast]) -> list[Estimate]:
    """Estimates that some summary, contrast or agreement is of."""
    compared = {
        (tracer, model, contrast.parameter)
        for contrast in contrasts
        for tracer, model in contrast.sources or ((contrast.tracer, contrast.model),)
    }
    return [
        row
        for row in estimates.rows
        if used.get(row.model) == row.parameter or (row.tracer, row.model, row.parameter) in compared
    ]


def _glance(scans: Sequence[ScanSummary], rows: Estimates, called: Mapping[str, str]) -> list[tuple[str, str]]:
    usable, parameters = sum(row.usable for row in rows.rows), rows.distinct("parameter")
    models = rows.distinct("model")
    failed = sum(bool(summary.failure) for summary in scans)
    taken_out = sum(bool(summary.excluded) for summary in scans)
    kinds: dict[str, int] = {}
    for summary in scans:
        name = called[summary.scan.tracer]
        kinds[name] = kinds.get(name, 0) + 1
    sessions = dict.fromkeys(summary.scan.session for summary in scans if summary.scan.session)
    return [
        ("Participants", str(len({summary.scan.participant for summary in scans}))),
        ("Scans", _counted(kinds)),
        ("Sessions", listed(list(sessions)) or "not named"),
        ("Scans that could not be analysed", str(failed)),
        *([("Scans excluded by a person", str(taken_out))] if taken_out else []),
        ("Regions", str(len(rows.distinct("region")))),
        *([("Models", listed(models))] if len(models) > 1 else []),
        (
            f"Usable estimates of {listed(parameters)}" if parameters else "Usable estimates",
            f"{usable} of {len(rows.rows)}",
        ),
        ("Left out, with reasons below", str(len(rows.rows) - usable)),
    ]


def _counted(kinds: Mapping[str, int]) -> str:
    """Scans of each tracer, and their sum where there are several."""
    told = listed([f"{n} {name}" for name, n in kinds.items()]) or "0"
    return f"{sum(kinds.values())} ({told})" if len(kinds) > 1 else told


def _listed(scans: Sequence[ScanSummary], estimates: Estimates, called: Mapping[str, str]) -> list[Listed]:
    """List the scans, those with the most to look at first."""
    rows: dict[tuple[str, str, str], list[Estimate]] = {}
    for row in estimates.rows:
        rows.setdefault((row.participant, row.session, row.tracer), []).append(row)
    listing = []
    for summary in scans:
        scan = summary.scan
        own = rows.get((scan.participant, scan.session or "", scan.tracer), [])
        listing.append(
            Listed(
                scan.label,
                summary.href,
                called[scan.tracer],
                sum(row.usable for row in own),
                sum(not row.usable for row in own),
                sum(row.usable and bool(row.quality) for row in own),
                summary.failure,
                summary.remarks,
                summary.excluded,
            )
        )
    return sorted(
        listing, key=lambda s: (bool(s.excluded), not s.failure, -s.n_excluded, -len(s.remarks), -s.n_remarked, s.label)
    )
