"""What the study's page says of contrasts that compare arms, and of changes within one."""

from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from contrast_studies import answered, study
from raphe.report.answers import cautions, sentence
from raphe.report.comparison import contrast_view
from raphe.report.contrast_answer import answer_of
from raphe.report.verdict import family_verdict, region_verdict

ARMS = {f"p{i}": "drug" if i < 6 else "placebo" for i in range(12)}
BEFORE = {who: 2 + (i % 6) / 20 for i, who in enumerate(ARMS)}
RISE = {who: BEFORE[who] + 0.3 + (i % 3) / 10 for i, who in enumerate(ARMS)}
"""All rise, drug or not."""

ROWS = tuple(
    row for region in ("hippocampus", "putamen") for row in study({"a": BEFORE, "b": RISE}, region=region, arms=ARMS)
)
STUDY = {"arms": ("drug", "placebo")}
INSIDE = answered(ROWS, name="inside", terms=("a", "b"), arm="drug", **STUDY)
BETWEEN = answered(ROWS, name="between", kind="ancova", terms=("placebo", "drug"), sessions=("a", "b"), **STUDY)


def test_a_rise_within_the_arm_that_the_comparison_does_not_show_is_told_as_such():
    """The trap of the trial: significant within the drug's arm, nothing against placebo."""
    assert all(row.p_adjusted < 0.05 for row in INSIDE.rows)
    assert all(row.p > 0.5 for row in BETWEEN.rows)
    told = cautions([answer_of(BETWEEN, "hippocampus"), answer_of(INSIDE, "hippocampus", "drug")])
    assert len(told) == 1
    assert (
        "the change within drug (p < 0.001) is significant by itself, but a difference from placebo is not" in told[0]
    )
    assert "not evidence that the drug differs from placebo" in told[0]


def test_no_such_sentence_where_the_comparison_shows_it_too():
    shown = replace(BETWEEN, rows=tuple(replace(row, p=0.001, p_adjusted=0.001) for row in BETWEEN.rows))
    assert cautions([answer_of(shown, "hippocampus"), answer_of(INSIDE, "hippocampus", "drug")]) == []


def test_a_verdict_within_an_arm_carries_the_note():
    for verdict in (region_verdict(INSIDE, INSIDE.rows[0]), family_verdict(INSIDE)):
        assert verdict.endswith("Within one arm: no comparison with placebo.")
        assert "against placebo" not in verdict


def test_a_comparison_of_arms_tells_what_was_compared_and_how_many():
    verdict = region_verdict(BETWEEN, BETWEEN.rows[0])
    assert verdict.startswith("The data do not show a difference in hippocampus, AZ: ")
    assert "6 of arm drug and 6 of arm placebo" in verdict
    assert "no evidence that there is none" in verdict


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"kind": "groups", "terms": ("placebo", "drug"), "sessions": ("a", "b")}, "a difference"),
        ({"kind": "mixed", "terms": ("a", "b"), "levels": ("placebo", "drug")}, "a difference"),
        ({"kind": "interaction", "by": "arm", "levels": ("placebo", "drug"), "terms": ("a", "b")}, "change differs"),
        ({"terms": ("a", "b"), "scale": "log"}, "a difference"),
        ({"terms": ("a", "b"), "test": "permutation"}, "a difference"),
    ],
)  # fmt: skip
def test_every_kind_has_a_view(asked, says):
    contrast = answered(ROWS, **asked)
    view = contrast_view(contrast, "")
    assert not view.change
    assert says in view.verdicts[0]
    assert len(view.rows) == 2
    assert all(row["p"] for row in view.rows)
    assert "nan" not in view.verdicts[0]


def test_a_permutation_test_tells_the_smallest_p():
    four = study({"a": {f"m{i}": 1.0 for i in range(4)}, "b": {f"m{i}": 1.1 + i / 10 for i in range(4)}})
    contrast = answered(four, terms=("a", "b"), test="permutation")
    verdict = region_verdict(contrast, contrast.rows[0])
    assert "the smallest possible is 0.125" in verdict
    assert "do not show" in verdict


def test_what_cannot_be_tested_says_why():
    flat = study({"a": BEFORE, "b": dict.fromkeys(ARMS, 2.0)}, region="flat", arms=ARMS)
    contrast = answered((*ROWS, *flat), kind="ancova", terms=("placebo", "drug"), sessions=("a", "b"))
    row = next(row for row in contrast.rows if row.pairs.region == "flat")
    assert np.isnan(row.p)
    assert "cannot be tested: the outcome is constant" in region_verdict(contrast, row)


def test_where_an_order_of_tests_has_come_to_it_the_section_judges_the_primary_region_as_the_table_of_answers_does():
    """The table told `shown` by its own p, the section below `not shown in any region` by the adjusted ones."""
    rows = tuple(replace(row, p=0.03, p_adjusted=0.4) for row in BETWEEN.rows)
    reached = replace(BETWEEN, rows=rows, status="secondary", in_order=True)
    assert answer_of(reached, "hippocampus").shown
    first, others = contrast_view(reached, "hippocampus").verdicts
    assert first.startswith("The data show a difference in hippocampus")
    assert "do not show a difference in any" in others
    (only,) = contrast_view(replace(reached, in_order=False), "hippocampus").verdicts
    assert only == others


def test_wide_tables_and_figures_scroll_in_a_narrow_window():
    assert 'style="--wide:' in str(contrast_view(BETWEEN, "hippocampus").forest.panels[0].drawing)
    style = files("raphe.report").joinpath("templates/style.css").read_text(encoding="utf-8")
    assert "max-width: var(--wide)" in style
    narrow = style.split("@media screen and (max-width: 46rem)")[1]
    assert "overflow-x: auto" in narrow
    assert "min-width: min(var(--wide)," in narrow


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"terms": ("a", "b")}, "mean over people of the change in per cent of a"),
        ({"kind": "ancova", "terms": ("placebo", "drug"), "sessions": ("a", "b")}, "of the mean in a of all people"),
        ({"kind": "groups", "terms": ("placebo", "drug"), "sessions": ("a",)}, "of the mean of arm placebo"),
        ({"kind": "groups", "terms": ("placebo", "drug"), "sessions": ("a", "b")}, "difference of the mean changes"),
        ({"kind": "mixed", "terms": ("a", "b")}, "of the mean in a of all people"),
        ({"terms": ("a", "b"), "scale": "log"}, "the ratio that the estimate is the logarithm of, less 1"),
        ({"terms": ("a", "b"), "scale": "percent"}, ""),
    ],
)  # fmt: skip
def test_of_what_the_per_cents_are_is_told_beside_them(asked, told):
    view = contrast_view(answered(ROWS, **asked), "")
    assert view.percent.startswith(told)
    assert bool(view.percent) is bool(told)
    assert (f"In per cent: {view.percent}." in view.forest.caption) is bool(told)


def test_the_words_of_per_cents_agree_with_the_numbers():
    before, after = (np.array([values[who] for who in ARMS]) for values in (BEFORE, RISE))
    placebo = np.array([ARMS[who] == "placebo" for who in ARMS])
    paired = answered(ROWS, terms=("a", "b")).rows[0]
    assert paired.percent == pytest.approx(np.mean(100 * (after - before) / before))
    ancova = answered(ROWS, kind="ancova", terms=("placebo", "drug"), sessions=("a", "b")).rows[0]
    assert ancova.percent == pytest.approx(100 * ancova.estimate / before.mean())
    one = answered(ROWS, kind="groups", terms=("placebo", "drug"), sessions=("a",)).rows[0]
    assert one.percent == pytest.approx(100 * one.estimate / before[placebo].mean())


def test_one_region_is_nowhere_said_to_be_adjusted():
    one = answered(tuple(row for row in ROWS if row.region == "putamen"), terms=("a", "b"))
    view = contrast_view(one, "")
    assert view.adjusted == "p itself, for there is one region"
    assert "djusted" not in view.forest.caption
    assert "adjusted p" not in str(view.forest.panels[0].drawing)
    both = contrast_view(answered(ROWS, terms=("a", "b")), "")
    assert "Adjusted p: Holm's procedure over 2 regions." in both.forest.caption
    assert "adjusted p" in str(both.forest.panels[0].drawing)


def test_sentence_figure_and_table_write_an_estimate_alike():
    """Of four people the figure told `+0.15 (-0.13 to 0.43)`, and the table under it `+0.149` and `-0.127 to 0.425`."""
    before = {"m0": 2.1, "m1": 2.4, "m2": 1.9, "m3": 2.2}
    rise = {"m0": 0.31, "m1": -0.06, "m2": 0.12, "m3": 0.02}
    four = study({"a": before, "b": {who: before[who] + rise[who] for who in before}})
    for scale in ("difference", "log"):
        contrast = answered(four, terms=("a", "b"), scale=scale)
        view = contrast_view(contrast, "")
        (row,) = view.rows
        value = row["change" if view.change else "estimate"]
        assert f"{value} ({row['ci']})" in str(view.forest.panels[0].drawing)
        assert f"{value} (95 % CI {row['ci']})" in sentence(answer_of(contrast))
        assert f"95 % CI {row['ci']}" in view.verdicts[0]
