"""The group part of a study's page: who took part, what was planned, what was found, and the figures of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from raphe.report.brain import StatisticMap, axial_slices, glass_brain
from raphe.report.correlation import Scatter, groups_of, in_words, numbers_of, partial_plot, scatter_plot
from raphe.report.flow import FlowScan, flow, flow_chart
from raphe.report.peaks import PeakRow, Peaks, peaks
from raphe.report.planned import Planned
from raphe.report.simulated import Figure, Key, Titled
from raphe.report.spaghetti import PersonLine, spaghetti
from raphe.report.wording import count, general, listed


class Folded(NamedTuple):
    """Figures that stand behind a line to click on."""

    summary: str
    figures: tuple[Figure, ...]


class MapPart(NamedTuple):
    """One map of a statistic with the table of its peaks."""

    title: str
    figures: tuple[Figure, ...]
    peaks: Peaks


class Group(NamedTuple):
    """What the page tells of the group; whatever is empty is left out."""

    planned: Planned
    flow: tuple[Figure, ...] = ()
    figures: tuple[Figure, ...] = ()
    folded: tuple[Folded, ...] = ()


def flow_figure(scans: Sequence[FlowScan]) -> Figure:
    """Flow of people and scans."""
    caption = (
        "People and scans, from the plan to the analysis. A scan is counted where it is lost first; each reason stands "
        "with its number of scans."
    )
    return Figure((Titled("", flow_chart(flow(scans))),), caption, wide=True)


def spaghetti_figure(
    regions: Mapping[str, Sequence[PersonLine]],
    sessions: Sequence[str],
    parameter: str,
    *,
    groups: Sequence[str] = (),
    unit: str = "",
    named: bool = True,
    title: str = "",
) -> Figure:
    """Values of each person in each session, one drawing a region, those of one region on one axis."""
    panels = tuple(
        Titled(
            region,
            spaghetti(
                lines, sessions, parameter, f"{parameter} of {region} by session, one line a person",
                groups=groups, unit=unit, named=named,
            ),
        )
        for region, lines in regions.items()
    )  # fmt: skip
    out = {line.participant for lines in regions.values() for line in lines if line.why}
    told = [
        f"{parameter} of each person{' from session to session' if len(sessions) > 1 else ''}. Beside them, the mean "
        "with its 95 % interval; it is the interval of a mean across people, which does not tell whether a change is "
        "chance."
    ]
    if out:
        told.append(
            f"{count(len(out), 'person is', 'people are')} left out in one region or more: hollow, not in the mean."
        )
    several = len({line.group for lines in regions.values() for line in lines}) > 1
    return Figure(panels, " ".join(told), wide=several, title=title, halves=not several)


def correlation_figure(
    found: Scatter, adjusted: Scatter | None = None, *, named: bool = True, title: str = ""
) -> Figure:
    """Two measurements against each other and, beside it, what is left of both without the covariates.

    Parameters
    ----------
    found : Scatter
        With the correlation that is not adjusted, or NaN where it was not asked for.
    adjusted : Scatter, optional
        Of the same measurements, with covariates and the correlation that is adjusted for them.
    named : bool
        Whether a dot says whose it is when the pointer rests on it.
    title : str
        Heading above the figure.
    """
    known = found.r == found.r
    aside = numbers_of(found) if known else ""
    panels = [Titled("as measured" if adjusted else "", scatter_plot(found, named=named), aside)]
    told = [in_words(found)] if known or adjusted is None else []
    if adjusted is not None:
        heading = f"adjusted for {listed(adjusted.adjusted_for)}"
        panels.append(Titled(heading, partial_plot(adjusted, named=named), numbers_of(adjusted)))
        told.append(in_words(adjusted))
        told.append("On the right: residuals, what a line through the covariates does not tell of both.")
    told.append("Line: least squares, with the 95 % band of its height. A correlation does not tell what causes what.")
    out = len(found.participants) - int(found.counted.sum())
    if out:
        told.append(f"{count(out, 'person is', 'people are')} not in the line (hollow where both values are known).")
    keys = tuple(Key(group, f"s{at % 6}", "dot") for at, group in enumerate(groups_of(found)))
    return Figure(tuple(panels), " ".join(told), keys, title=title, halves=True)


def map_part(
    title: str,
    found: StatisticMap,
    rows: Sequence[PeakRow],
    correction: str,
    *,
    level: float = 0.05,
    heights: Sequence[float] = (),
) -> MapPart:
    """Glass brain, slices and table of peaks of one map.

    Parameters
    ----------
    title : str
    found : StatisticMap
    rows : sequence of PeakRow
        The highest first.
    correction : str
        How p was corrected, e.g. ``the largest absolute t of 5,000 sign flips``.
    level : float
        At or below which a corrected p value counts.
    heights : sequence of float, mm
        Of the slices.
    """
    drawn = f"of {general(found.threshold)} and beyond" if found.threshold > 0 else "of any size"
    marked = (
        f"What is outlined in black is significant after correction (p at or below {level}, by {correction}); what is "
        "not outlined is not, and is drawn only so that the pattern can be seen."
        if found.corrected is not None
        else "No correction for the number of voxels was made: no voxel by itself is evidence."
    )
    glass = f"Glass brain of {found.name} {drawn}: the largest absolute value along each line of sight. {marked}"
    sides = "L, R, P, A, I and S are left, right, back, front, below and above, by the header of the image."
    cut = f"Axial slices of the same map. {sides if found.oriented else 'The header does not say where left is.'}"
    figures = (
        Figure((Titled("", glass_brain(found, f"Glass brain of {found.name}: {title}")),), glass, wide=True),
        Figure((Titled("", axial_slices(found, f"Axial slices of {found.name}: {title}", heights)),), cut, wide=True),
    )
    return MapPart(title, figures, peaks(rows, found.name, level))
