"""Forest plot of a contrast."""

import math

import numpy as np
import pytest

from drawn import Drawn
from raphe.data.results import Contrast, ContrastRow, Equivalent, PairedValues
from raphe.report.contrast_forest import forest_of

NAN = math.nan


def row(region, estimate=0.05, p=0.39, p_adjusted=0.6, n=20, **fields):
    values = np.linspace(0.3, 0.5, n)
    pairs = PairedValues(region, tuple(f"{at:02d}" for at in range(n)), values, values + estimate, values, values)
    return ContrastRow(pairs, estimate, 0.02, n - 1.0, estimate - 0.04, estimate + 0.04, p, p_adjusted, 16.7, **fields)


def contrast(rows, **fields):
    basis = {"primary": True, "adjust": "holm", "kind": "ancova", "groups": ("placebo", "ketamine"), "what": "BP_ND"}
    return Contrast("c", "DASB", "SRTM", "BP_ND", "baseline", "post", rows=tuple(rows), **{**basis, **fields})


def test_the_primary_region_is_a_diamond_and_has_no_adjusted_p():
    rows = (row("hippocampus"), row("putamen", p_adjusted=0.01))
    (panel,) = forest_of(contrast(rows), rows, rows[:1]).panels
    found = Drawn(panel.drawing)
    assert found.place("hippocampus")[1] < found.place("putamen")[1]
    assert len(found.diamonds()) == 1
    assert "0.010" in found.words()
    assert "0.600" not in found.words()


@pytest.mark.parametrize(("margin", "words"), [(None, False), (0.1, True)])
def test_a_margin_of_the_plan_is_a_band(margin, words):
    within = None if margin is None else Equivalent(margin, 0.01, 0.09, 0.2)
    rows = (row("hippocampus", equivalent=within), row("putamen", equivalent=within))
    figure = forest_of(contrast(rows), rows)
    assert ('class="margin"' in figure.panels[0].drawing) == words
    assert ("The band from \N{MINUS SIGN}0.1 to 0.1 holds effects that do not matter." in figure.caption) == words


def test_a_region_without_estimate_says_why():
    lost = row("putamen", NAN, NAN, NAN, 0, why="no scan has a usable estimate")
    rows = (row("hippocampus"), lost)
    figure = forest_of(contrast(rows), rows)
    assert "Not computed: putamen (no scan has a usable estimate)." in figure.caption
