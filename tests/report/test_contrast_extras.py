"""The small table of what a plan asks for besides the estimate."""

from dataclasses import replace

import numpy as np

from raphe.data.extras import Held, Resampled, Weighting
from raphe.data.record import Step
from raphe.data.results import Contrast, ContrastRow, PairedValues
from raphe.report.comparison import contrast_view
from raphe.report.contrast_extras import extra_table
from raphe.report.methods_study import contrast as methods_of

NAN = float("nan")
NUMBERS = np.array([1.0, 1.2, 1.4, 1.1])
PAIRS = PairedValues("putamen", ("a", "b", "c", "d"), NUMBERS, NUMBERS + 0.1, NUMBERS / 10, NUMBERS / 10)
ROW = ContrastRow(PAIRS, 0.1234, 0.041, 3.0, -0.01, 0.25, 0.06, 0.06, 8.0, groups=("p", "p", "d", "d"))
CONTRAST = Contrast(
    "c", "DASB", "SRTM", "BP_ND", "p", "d", "holm", False, (ROW,), "groups", what="difference", groups=("p", "d")
)
FULL = replace(
    ROW,
    weighting=Weighting((0.1, 0.2), 0.158, 0.25),
    resampled=Resampled(0.04, 0.21, 0.0432),
    held=Held(0.1, -0.02, 0.22, 0.999),
)
ASKED = {"Weights": "by errors", "Bootstrap": "BCa", "Prior": "a t distribution; chosen by the plan: an assumption"}


def test_nothing_is_shown_where_nothing_is_asked_for():
    assert extra_table(CONTRAST, [ROW]) is None
    assert contrast_view(CONTRAST, "putamen").besides is None


def test_every_figure_stands_under_its_head():
    found = extra_table(replace(CONTRAST, extras=ASKED), [FULL])
    assert found is not None
    (row,) = found.rows
    told = {head: cell for (head, _), cell in zip(found.heads, row.cells, strict=True)}
    assert row.estimate == "+0.123"
    assert told == {
        "tau": ("0.158", "p 0.100, d 0.200"),
        "Error": ("25 %", ""),
        "Bootstrap": ("0.040 to 0.210", "SE 0.043"),
        "Posterior": ("+0.100", "\N{MINUS SIGN}0.020 to 0.220"),
        "P(> 0)": ("> 0.99", ""),
    }
    assert [name for name, _ in found.told] == ["Weights", "Bootstrap", "Prior"]


def test_a_region_without_figures_has_dashes():
    gap = replace(ROW, resampled=Resampled(NAN, NAN, NAN))
    found = extra_table(replace(CONTRAST, extras=ASKED), [gap])
    assert found is not None
    assert {cell for cell, _ in found.rows[0].cells} == {"\N{EN DASH}"}


def test_no_sentence_goes_by_them():
    plain, asked = (
        contrast_view(replace(CONTRAST, rows=(row,), extras=extras), "putamen").verdicts
        for row, extras in ((ROW, {}), (FULL, ASKED))
    )
    assert plain == asked


def test_the_methods_name_them():
    given = {
        "name": "c",
        "what": "w",
        "tracer": "DASB",
        "model": "SRTM",
        "n_regions": 1,
        "method": "m",
        "adjust": "holm",
    }
    told = methods_of([Step("contrast", {**given, "weights": "by errors", "prior": "a t", "blocks": "site"})])
    assert told.endswith("Weights: by errors. Blocks: site. Prior: a t.")
    assert "Weights" not in methods_of([Step("contrast", given)])
