"""The report of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from raphe.data.estimates import Estimate, Estimates
from raphe.data.record import Step
from raphe.data.results import Agreement, Contrast
from raphe.data.scan import Scan
from raphe.report import figures
from raphe.report.comparison import agreement_view, contrast_view
from raphe.report.page import Fold, fold, ordered, record, render
from raphe.report.wording import decimals, fixed, listed, remarks, tracer

HEADLINE = "BP_ND"

SELECTION = 0.2
"""Share of a region's estimates that may be left out before the page says that the others are a selection."""


@dataclass(frozen=True)
class ScanSummary:
    """One scan of the study as its report lists it.

    ``href`` is the way from the study's page to the scan's page, empty where there is none; ``failure`` says in words
    why the scan could not be analysed and is empty otherwise; ``remarks`` are warnings about it.
    """

    scan: Scan
    href: str = ""
    failure: str = ""
    remarks: tuple[str, ...] = ()


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


class Left(NamedTuple):
    """Estimates that were left out for one reason."""

    participant: str
    session: str
    tracer: str
    regions: str
    reason: str


class Binding(NamedTuple):
    """The summary of one tracer by one model: figure and table by region and session."""

    tracer: str
    model: str
    sessions: tuple[str, ...]
    figures: Fold[Markup]
    rows: tuple[tuple[str, tuple[tuple[str, str, int, float], ...]], ...]
    """Region; for each session mean, SD (of one participant: value, SE), n and the mean to sort by."""
    single: bool
    """Whether no session has more than one participant."""


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
    region_order: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> str:
    """Write the report of a study as one HTML document that needs nothing else.

    Parameters
    ----------
    title : str
        Empty for an unnamed study.
    scans : sequence of ScanSummary
        Every scan, those that failed included.
    estimates : Estimates
        Every estimate, usable or not; only usable ones enter a figure or table of binding.
    contrasts, agreements : sequence
        Answers of :mod:`raphe.stats`.
    steps, versions, citations, command_line, notes
        As for :func:`raphe.report.scan.scan_page`; the steps of all scans and of the study, in order.
    question : str
        What the study asks, in a sentence.
    primary_region : str
        Region that the plan names for its primary contrast.
    region_order : sequence of str
        Regions that stand first, in this order.

    Returns
    -------
    str
        The same input gives the same text.
    """
    wanted = (primary_region, *region_order)
    called = {summary.scan.tracer: tracer(summary.scan.tracer, summary.scan.radionuclide) for summary in scans}
    contrasts = sorted(contrasts, key=lambda contrast: not contrast.primary)
    return render(
        "study.html.j2",
        title=title or "Study report",
        question=question,
        glance=_glance(scans, estimates),
        notes=notes,
        bindings=[
            _binding(
                estimates.where(tracer=name, model=model, parameter=HEADLINE), called.get(name, name), model, wanted
            )
            for name in estimates.distinct("tracer")
            for model in estimates.where(tracer=name, parameter=HEADLINE).distinct("model")
        ],
        parameter=HEADLINE,
        contrasts=[
            contrast_view(replace(contrast, tracer=called.get(contrast.tracer, contrast.tracer)), primary_region)
            for contrast in contrasts
        ],
        primary_region=primary_region,
        agreements=[
            agreement_view(replace(agreement, tracer=called.get(agreement.tracer, agreement.tracer)))
            for agreement in agreements
        ],
        left_out=_left_out(estimates, contrasts, agreements, called),
        selected=listed(_selected(estimates, called)),
        scans=_listed(scans, estimates),
        **record(steps, versions, citations, command_line),
    )


def _glance(scans: Sequence[ScanSummary], estimates: Estimates) -> list[tuple[str, str]]:
    rows = estimates.where(parameter=HEADLINE).rows
    usable = sum(row.usable for row in rows)
    failed = sum(bool(summary.failure) for summary in scans)
    kinds: dict[str, int] = {}
    for summary in scans:
        name = tracer(summary.scan.tracer, summary.scan.radionuclide)
        kinds[name] = kinds.get(name, 0) + 1
    sessions = dict.fromkeys(summary.scan.session for summary in scans if summary.scan.session)
    return [
        ("Participants", str(len({summary.scan.participant for summary in scans}))),
        ("Scans", f"{len(scans)} ({listed([f'{n} {name}' for name, n in kinds.items()])})" if scans else "0"),
        ("Sessions", listed(list(sessions)) or "not named"),
        ("Scans that could not be analysed", str(failed)),
        ("Regions", str(len({row.region for row in rows}))),
        ("Usable estimates of BP_ND", f"{usable} of {len(rows)}"),
        ("Left out, with reasons below", str(len(rows) - usable)),
    ]


def _binding(estimates: Estimates, name: str, model: str, wanted: Sequence[str]) -> Binding:
    regions = ordered(estimates.distinct("region"), wanted)
    values: dict[str, dict[str, list[Estimate]]] = {_session(row): {} for row in estimates.rows}
    for row in estimates.usable().rows:
        values[_session(row)].setdefault(row.region, []).append(row)
    chunks = fold(regions, len(set(wanted) & set(regions)))
    label = f"{HEADLINE} of {name} by {model}: every participant, by region and session"
    drawn = [figures.by_session(values, chunk, HEADLINE, label) for chunk in chunks if chunk]
    rows = tuple((region, tuple(_mean(by_name.get(region, [])) for by_name in values.values())) for region in regions)
    single = all(len(people) < 2 for by_name in values.values() for people in by_name.values())
    return Binding(name, model, tuple(values), Fold(tuple(drawn[:1]), tuple(drawn[1:])), rows, single)


def _session(row: Estimate) -> str:
    session = row.session or "unnamed session"
    return f"{session} ({row.condition})" if row.condition and row.condition != session else session


def _mean(people: Sequence[Estimate]) -> tuple[str, str, int, float]:
    """Mean and standard deviation, or the one value and its standard error."""
    values = np.array([row.value for row in people])
    sd = float(values.std(ddof=1)) if values.size > 1 else people[0].se if people else float("nan")
    mean = float(values.mean()) if values.size else float("nan")
    places = decimals(sd)
    return fixed(mean, places), fixed(sd, places), values.size, mean


def _left_out(
    estimates: Estimates,
    contrasts: Sequence[Contrast],
    agreements: Sequence[Agreement],
    called: Mapping[str, str],
) -> list[Left]:
    """Every estimate or pair that no summary holds, regions gathered by scan and reason."""
    found: dict[tuple[str, str, str, str], dict[str, None]] = {}
    rows = estimates.where(parameter=HEADLINE).rows
    regions: dict[str, set[str]] = {}
    for row in rows:
        regions.setdefault(row.tracer, set()).add(row.region)
        if not row.usable:
            reason = "; ".join(remarks(row.quality)) or "no value was estimated"
            found.setdefault((row.participant, row.session, row.tracer, reason), {})[row.region] = None
    scanned = {(row.participant, row.session, row.tracer, row.region) for row in rows}
    compared = [(contrast.tracer, row.pairs) for contrast in contrasts for row in contrast.rows]
    compared += [(agreement.tracer, row.pairs) for agreement in agreements for row in agreement.rows]
    for of, pairs in compared:
        for out in pairs.excluded:
            if (out.participant, out.session, of, out.region) not in scanned:
                found.setdefault((out.participant, out.session, of, out.reason), {})[out.region] = None
    return [
        Left(who, session, called.get(of, of), "all" if set(names) == regions[of] else ", ".join(names), reason)
        for (who, session, of, reason), names in found.items()
    ]


def _selected(estimates: Estimates, called: Mapping[str, str]) -> list[str]:
    """Regions of which so many estimates were left out that the others are a selection."""
    count: dict[tuple[str, str], list[bool]] = {}
    for row in estimates.where(parameter=HEADLINE).rows:
        count.setdefault((row.tracer, row.region), []).append(row.usable)
    return [
        f"{region} ({called.get(tracer, tracer)}: {usable.count(False)} of {len(usable)})"
        for (tracer, region), usable in count.items()
        if any(usable) and usable.count(False) > SELECTION * len(usable)
    ]


def _listed(scans: Sequence[ScanSummary], estimates: Estimates) -> list[Listed]:
    """List the scans, those with the most to look at first."""
    rows: dict[tuple[str, str, str], list[Estimate]] = {}
    for row in estimates.where(parameter=HEADLINE).rows:
        rows.setdefault((row.participant, row.session, row.tracer), []).append(row)
    listing = []
    for summary in scans:
        scan = summary.scan
        own = rows.get((scan.participant, scan.session or "", scan.tracer), [])
        listing.append(
            Listed(
                scan.label,
                summary.href,
                tracer(scan.tracer, scan.radionuclide),
                sum(row.usable for row in own),
                sum(not row.usable for row in own),
                sum(row.usable and bool(row.quality) for row in own),
                summary.failure,
                summary.remarks,
            )
        )
    return sorted(listing, key=lambda s: (not s.failure, -s.n_excluded, -len(s.remarks), -s.n_remarked, s.label))
