"""The group part of the page from the answers of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from raphe.data.estimates import Estimate, Estimates
from raphe.data.results import Contrast, ContrastRow
from raphe.nomenclature import region_key
from raphe.quality import EXCLUDES, UNTOLD
from raphe.report.contrast_answer import answer_of, asked
from raphe.report.correlation import Axis, Scatter
from raphe.report.flow import FlowScan
from raphe.report.group import (
    Folded,
    Group,
    correlation_figure,
    flow_figure,
    spaghetti_figure,
)
from raphe.report.planned import planned
from raphe.report.simulated import Figure
from raphe.report.spaghetti import PersonLine
from raphe.report.wording import listed, remarks, unit

NAN = float("nan")


def group_of(
    contrasts: Sequence[Contrast],
    estimates: Estimates,
    scans: Sequence[FlowScan] = (),
    *,
    primary_region: str = "",
    primary_unmade: str = "",
    arms: Mapping[str, str] | None = None,
    groups: Sequence[str] = (),
    people: bool = True,
) -> Group:
    """Tell what a study found.

    Parameters
    ----------
    contrasts : sequence of Contrast
        In the order of the plan.
    estimates : Estimates
        Of which each person's values are drawn, those that may not be used hollow.
    scans : sequence of FlowScan
        Every planned scan; none draws no flow.
    primary_region : str
    primary_unmade : str
        Why the plan's primary contrast could not be made; empty where it was, or the plan names none.
    arms : mapping of str to str, optional
        Arm to which a contrast is limited, by the contrast's name.
    groups : sequence of str
        Arms in the order of their colours.
    people : bool
        Whether each person's values are drawn.
    """
    answers = [answer_of(one, primary_region, (arms or {}).get(one.name, "")) for one in contrasts]
    figures: list[Figure] = []
    folded: list[Folded] = []
    made = [one for one in contrasts if asked(one)]
    for contrast in sorted(made, key=lambda one: (not one.primary, not one.controlled)):
        regions = _in_front([row.pairs.region for row in asked(contrast)], primary_region)
        if contrast.kind == "correlation" and not _partners(contrast, made, given=False):
            figures.append(_correlation(contrast, _partners(contrast, made, given=True), regions[0]))
    for first, *others in _people_figures(contrasts, estimates, primary_region, groups) if people else ():
        figures.append(first)
        if others:
            folded.append(Folded(f"{first.title}, other regions", tuple(others)))
    flows = (flow_figure(scans),) if scans else ()
    return Group(planned(answers, primary_unmade), flows, tuple(figures), tuple(folded))


def scatter_of(contrast: Contrast, row: ContrastRow, *, order: Sequence[str] = ()) -> Scatter:
    """Values of a correlation in one region."""
    method = next((name for name in ("spearman", "skipped") if name in contrast.method.lower()), "pearson")
    pairs = row.pairs
    across, up = (words.partition(" (")[0] for words in (contrast.first, contrast.second))
    return Scatter(
        pairs.participants, pairs.first, pairs.second, Axis(f"{across}, {pairs.region}"), Axis(up),
        row.estimate, row.ci_low, row.ci_high, row.p, method, row.groups, tuple(order),
        row.covariates if row.given else None, row.given,
    )  # fmt: skip


def lines_of(
    estimates: Estimates, tracer: str, model: str, parameter: str, region: str, sessions: Sequence[str]
) -> list[PersonLine]:
    """Values of each person in each session; who has one that may not be used is left out, with the reason."""
    rows = estimates.where(tracer=tracer, model=model, parameter=parameter, region=region).rows
    found: dict[tuple[str, str], dict[str, Estimate]] = {}
    for row in rows:
        if row.session in sessions:
            found.setdefault((row.participant, row.arm), {})[row.session] = row
    lines = []
    for (participant, arm), own in found.items():
        values = tuple(own[session].value if session in own else NAN for session in sessions)
        bad = [
            f"{session}: {_reason(own[session])}" for session in sessions if session in own and not own[session].usable
        ]
        lines.append(PersonLine(participant, arm, values, "; ".join(bad)))
    return lines


def _partners(contrast: Contrast, contrasts: Sequence[Contrast], *, given: bool) -> list[Contrast]:
    """Correlations of the same measurements that are adjusted where this one is not, or the other way round."""
    own = asked(contrast)[0]
    if bool(own.given) == given:
        return []
    return [
        one
        for one in contrasts
        if (one.kind, one.tracer, one.model, one.first, one.second)
        == (contrast.kind, contrast.tracer, contrast.model, contrast.first, contrast.second)
        and bool(asked(one)[0].given) == given
        and asked(one)[0].pairs.participants == own.pairs.participants
    ]


def _correlation(contrast: Contrast, adjusted: Sequence[Contrast], region: str) -> Figure:
    """Figure of a correlation in one region, with the one that is adjusted beside it."""
    row = next(row for row in asked(contrast) if row.pairs.region == region)
    title = f"{contrast.name}: {region}"
    found = scatter_of(contrast, row)
    if found.adjusted_for:
        plain = replace(found, r=NAN, low=NAN, high=NAN, p=NAN, covariates=None, adjusted_for=())
        return correlation_figure(plain, found, title=title)
    for one in adjusted:
        for other in asked(one):
            if other.pairs.region == region:
                return correlation_figure(found, scatter_of(one, other), title=title)
    return correlation_figure(found, title=title)


def _people_figures(
    contrasts: Sequence[Contrast], estimates: Estimates, primary_region: str, groups: Sequence[str]
) -> list[list[Figure]]:
    """Values of each person over the sessions that contrasts compare, for each of their tracers once."""
    found = []
    for of in dict.fromkeys((one.tracer, one.model, one.parameter) for one in contrasts if not one.sources):
        tracer, model, parameter = of
        own = estimates.where(tracer=tracer, model=model, parameter=parameter)
        sessions = own.distinct("session")
        if len(sessions) < 2:
            continue
        regions = _in_front(list(own.distinct("region")), primary_region)
        titled = f"{parameter} of {tracer}, each person"
        figures = []
        for part, title in ((regions[:1], titled), (regions[1:], "")):
            lines = {region: lines_of(own, *of, region, sessions) for region in part}
            if lines:
                named = len(regions) * len(next(iter(lines.values()))) < 1000
                figures.append(
                    spaghetti_figure(
                        lines, sessions, parameter, groups=groups, unit=unit(parameter), named=named, title=title
                    )
                )
        found.append(figures)
    return found


def _in_front(regions: Sequence[str], primary: str) -> list[str]:
    return sorted(dict.fromkeys(regions), key=lambda region: not primary or region_key(region) != region_key(primary))


def _reason(row: Estimate) -> str:
    return listed(remarks(row.quality & EXCLUDES)) or UNTOLD
