"""The line of mixtures of ligand and receptors that explain one change of binding equally well, drawn."""

from __future__ import annotations

import math

from raphe.data.pharmacology import Displacement
from raphe.data.pharmacology_tables import LigandRow
from raphe.report import svg
from raphe.report.simulated import Figure, Titled

WIDTH, HEIGHT = 420.0, 250.0
LEFT, RIGHT, TOP, BOTTOM = 48.0, 410.0, 12.0, 204.0
"""Edges of the plot in its drawing, px."""


def mixture_figure(row: LigandRow) -> Figure:
    """B_max ratio against the ligand for one region: receptors alone, ligand alone, and the line through both."""
    found = row.found
    assert isinstance(found, Displacement)
    known = not math.isnan(found.theta0)
    alone = found.fold.value if known else 1 + found.extra.value
    across = svg.log_scale([float(x) for x in found.line_fold], LEFT, RIGHT)
    up = svg.scale([*(float(y) for y in found.line_receptors), 1.0], BOTTOM, TOP, zero=True)
    line = [(across(float(x)), up(float(y))) for x, y in zip(found.line_fold, found.line_receptors, strict=True)]
    parts = [
        svg.y_axis(up, LEFT, right=RIGHT),
        svg.x_axis(across, BOTTOM, top=TOP),
        svg.segments([(across(1), TOP, across(1), BOTTOM), (LEFT, up(1), RIGHT, up(1))], "zero"),
        svg.path(line, "fitted"),
        svg.diamond(across(1), up(found.receptors.value), 5, "estimate", "receptors alone"),
    ]
    if across.holds(alone):
        parts.append(svg.mark(across(alone), up(1), 4.5, "estimate", "ligand alone"))
    name = "ligand, n-fold" if known else "1 + theta0 (n \N{MINUS SIGN} 1)"
    parts += [
        svg.text((LEFT + RIGHT) / 2, BOTTOM + 32, name, anchor="middle"),
        svg.symbol(12, (TOP + BOTTOM) / 2, "B_max", anchor="middle", after=" ratio", turn=True),
    ]
    label = (
        f"Ratio of receptor number against the endogenous ligand, {row.region}: the mixtures that explain the change"
    )
    caption = (
        f"Mixtures of ligand and receptors that explain the change of BP_ND in {row.region} equally well. Diamond: "
        "receptors alone; dot: ligand alone (not drawn where it lies beyond the axis)."
    )
    return Figure((Titled("", svg.drawing(WIDTH, HEIGHT, parts, label)),), caption, halves=True)
