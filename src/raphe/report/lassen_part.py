"""Lassen plots beside a contrast, as the page tells them."""

from __future__ import annotations

from raphe.data.pharmacology import OccupancyLine, OccupancyStudy
from raphe.data.pharmacology_tables import LassenTable
from raphe.data.results import Interval
from raphe.report.lassen_figure import ends_of, lassen_figure, share_of
from raphe.report.page import fold
from raphe.report.part import FEW, Part
from raphe.report.simulated import Figure, Table, Titled
from raphe.report.wording import NOTHING, count, general, listed, raised

CAPTION = (
    "Fall of V_T under the drug against its baseline; one dot a region, hollow where it does not lie on the line of "
    "the others. The slope is the occupancy (in the heading, with its 95 % interval); the line meets the axis at V_ND "
    "(diamond, with the 95 % interval as a bar, cut at the edge of the plot). The line is that of the model with "
    "errors in both scans, and not the regression of these axes."
)


def lassen_part(table: LassenTable) -> Part:
    """Occupancy and V_ND of each person by a line through the regions, and of the group."""
    study = table.study
    sentences = [_group(study), *_of_lines(study)]
    sentences += [f"Participant {person} has no line: {why}." for person, why in study.no_line]
    panels = [
        Titled(
            f"Participant {line.participant}: {share_of(line.occupancy)}",
            lassen_figure(line),
            f"{_volume(line.V_ND)}; {count(len(line.used), 'region')}",
            line.statements,
        )
        for line in study.lines
    ]
    views = fold(panels, most=FEW)
    more = count(len(views.rest), "more participant")
    figures = (Figure(views.shown, CAPTION, halves=True, rest=views.rest, more=more),) if panels else ()
    return Part("Lassen plot: one occupancy and V_ND of all regions", tuple(sentences), (_table(study),), figures)


def _group(study: OccupancyStudy) -> str:
    """The answer of the group in a sentence; of one participant that participant's."""
    group = study.group
    if group is None:
        return "No participant has a line."
    if group.n == 1:
        line = study.lines[0]
        return f"Of the one participant: occupancy {share_of(line.occupancy)}, {_volume(line.V_ND)}."
    return (
        f"Mean over {count(group.n, 'participant')} with the t interval: occupancy {share_of(group.occupancy)}, "
        f"{_volume(group.V_ND)}."
    )


def _of_lines(study: OccupancyStudy) -> list[str]:
    """Whose lines a reader must look at."""
    told = []
    if study.group is not None and study.group.undetermined:
        lost = listed(list(study.group.undetermined), most=40)
        told.append(f"The regions of {lost} set no end to the interval of V_ND or of the occupancy.")
    remarked = [line.participant for line in study.lines if line.statements]
    if remarked:
        told.append(f"There are remarks on the line of {listed(remarked, most=40)}.")
    return told


def _table(study: OccupancyStudy) -> Table:
    header = ("Participant", "Regions", "Occupancy", f"V_ND ({raised('mL/cm3')})", "Regions off the line")
    rows = [(line.participant, *_cells(line)) for line in study.lines]
    rows += [(person, "0", NOTHING, NOTHING, NOTHING) for person, _ in study.no_line]
    caption = (
        f"Lines through the regions of each participant, {study.baseline} and {study.blocked}, with 95 % profile-"
        "likelihood intervals; regions that do not lie on the line of the others (adjusted p below 0.05)."
    )
    folded = f"All {len(rows)} participants" if len(rows) > FEW else ""
    return Table(header, tuple(rows), caption, folded=folded)


def _cells(line: OccupancyLine) -> tuple[str, str, str, str]:
    odd = [region.name for region in line.used if region.p_outlier < 0.05]
    volume = f"{general(line.V_ND.value, 3)} ({ends_of(line.V_ND, 3)})"
    return str(len(line.used)), share_of(line.occupancy), volume, listed(odd) if odd else NOTHING


def _volume(V_ND: Interval) -> str:
    ends = ends_of(V_ND, 3)
    return f"V_ND {general(V_ND.value, 3)}{f' ({ends})' if ends else ''} {raised('mL/cm3')}"
