"""The answers of a study as the group page tells them."""

import dataclasses
import math

import numpy as np
import pytest

from group_scene import page_of
from raphe.data.estimates import Estimate, Estimates
from raphe.data.results import Contrast, ContrastRow, PairedValues
from raphe.quality import Quality
from raphe.report.answers import cautions, sentence
from raphe.report.contrast_answer import answer_of
from raphe.report.flow import FlowScan
from raphe.report.group_of import group_of, lines_of, scatter_of

NAN = math.nan

TRACER, MODEL = "[11C]AZ10419369", "SRTM"
NOTE = "within one arm: no comparison with placebo"


def row(region="hippocampus", p=0.3, p_adjusted=0.6, estimate=0.05, n=20, **fields):
    values = np.linspace(0.3, 0.5, n)
    pairs = PairedValues(region, tuple(f"{at:02d}" for at in range(n)), values, values + estimate, values, values)
    return ContrastRow(
        pairs, estimate, 0.02, n - 1.0, estimate - 0.04, estimate + 0.04, p, p_adjusted, 16.7, **fields
    )  # fmt: skip


def contrast(rows, name="c", **fields):
    basis = {"primary": False, "adjust": "holm", "status": "secondary", "method": "t test", "what": "change in BP_ND"}
    return Contrast(name, TRACER, MODEL, "BP_ND", "baseline", "post", rows=tuple(rows), **{**basis, **fields})


WITHIN = contrast([row(p=0.036, p_adjusted=0.54), row("putamen")], "ketamine alone", notes=(NOTE,))
BETWEEN = contrast(
    [row(p=0.39, groups=("ketamine",) * 20), row("putamen", p_adjusted=0.01)], "after treatment", kind="ancova",
    groups=("placebo", "ketamine"), primary=True, status="primary",
)  # fmt: skip


def estimates():
    rows = []
    for at in range(6):
        for session in ("baseline", "post"):
            quality, se = (Quality.UNDETERMINED, 2.0) if (at, session) == (2, "post") else (Quality.GOOD, 0.1)
            value = 1 + at / 10 + (session == "post") / 20
            rows += [
                Estimate(f"{at:02d}", session, TRACER, "", "ketamine" if at < 4 else "placebo", region, MODEL, "BP_ND",
                         value, se, quality)
                for region in ("putamen", "hippocampus")
            ]  # fmt: skip
    return Estimates(tuple(rows))


def test_a_primary_region_is_judged_by_its_own_p():
    found = answer_of(BETWEEN, "hippocampus")
    assert (found.role, found.kind, found.first, found.second) == ("primary", "between", "placebo", "ketamine")
    assert found.outcome == f"BP_ND of {TRACER} in hippocampus"
    assert (found.p, found.n, found.control) == (0.39, 20, "placebo")
    assert math.isnan(found.p_adjusted)
    assert found.test == "t(19) = 2.50"


def test_without_the_primary_region_all_regions_are_told_together():
    found = answer_of(BETWEEN, "thalamus")
    assert found.outcome.endswith("in 2 regions")
    assert "show a difference in putamen" in sentence(found)
    assert found.p_adjusted == 0.01
    assert found.shown


def test_the_trap_is_caught_though_the_adjusted_p_would_hide_it():
    answers = [answer_of(WITHIN, "hippocampus", "ketamine"), answer_of(BETWEEN, "hippocampus")]
    (told,) = cautions(answers)
    assert "the change within ketamine (p = 0.036) is significant by itself, but a difference from placebo is" in told
    assert not answers[0].shown
    assert "within one arm: no comparison with placebo" in sentence(answers[0])


@pytest.mark.parametrize(
    ("fields", "kind"),
    [({}, "crossover"), ({"notes": (NOTE,)}, "within"), ({"notes": ("all arms together: no comparison between arms",)},
     "within"), ({"groups": ("a", "b")}, "between"), ({"kind": "interaction"}, "interaction"),
     ({"kind": "correlation"}, "correlation")],
    ids=["paired", "arm", "together", "groups", "interaction", "correlation"],
)  # fmt: skip
def test_kinds_of_comparison(fields, kind):
    assert answer_of(contrast([row()], **fields)).kind == kind


def test_the_gate_is_told():
    note = "exploratory: 'after treatment' stands before it in the plan's order and is not shown"
    found = answer_of(contrast([row()], notes=(note,), status="exploratory"))
    assert found.role == "exploratory"
    assert "Exploratory: 'after treatment' stands before it in the plan's order and is not shown." in sentence(found)


def test_the_smallest_p_of_a_permutation_is_told():
    found = answer_of(contrast([row(n=4, p=0.125, p_smallest=0.125)], method="permutation of signs; intervals by t"))
    assert found.test == "permutation of signs"
    assert "with 4 people is 0.125" in sentence(found)


def test_who_has_a_value_that_may_not_be_used_is_left_out_with_the_reason():
    lines = lines_of(estimates(), TRACER, MODEL, "BP_ND", "hippocampus", ("baseline", "post"))
    assert [line.group for line in lines] == ["ketamine"] * 4 + ["placebo"] * 2
    assert [line.participant for line in lines if line.why] == ["02"]
    assert lines[2].why.startswith("post: ")
    assert lines[3].values == pytest.approx((1.3, 1.35))


def test_a_correlation_keeps_its_numbers():
    found = scatter_of(contrast([row()], kind="correlation", method="Spearman's rank correlation"), row())
    assert (found.r, found.p, found.method) == (0.05, 0.3, "spearman")
    np.testing.assert_array_equal(found.x, row().pairs.first)


def test_the_whole_is_put_together(read):
    correlated = contrast([row("putamen"), row()], "severity", kind="correlation", status="exploratory")
    scans = [FlowScan(f"{at:02d}", session, "ketamine") for at in range(6) for session in ("baseline", "post")]
    found = group_of(
        [WITHIN, BETWEEN, correlated], estimates(), scans, primary_region="hippocampus",
        arms={"ketamine alone": "ketamine"}, groups=("ketamine", "placebo"),
    )  # fmt: skip
    assert [one.contrast for one in found.planned.rows] == ["after treatment", "ketamine alone", "severity"]
    titles = [figure.title for figure in found.figures]
    assert titles == ["severity: hippocampus", f"BP_ND of {TRACER}, each person"]
    assert [panel.title for panel in found.folded[0].figures[0].panels] == ["putamen"]
    words = read(page_of("t", found)).text
    assert "This is not evidence that the drug differs from placebo" in words


def partial_row(region="hippocampus"):
    plain = row(region, estimate=0.45, p=0.054)
    covariates = np.sin(np.arange(20.0))[:, None]
    return dataclasses.replace(plain, given=("madrs:baseline",), covariates=covariates)


def test_a_partial_correlation_is_drawn_beside_the_plain_one():
    plain = contrast([row(estimate=0.74, p=0.0002)], "plain", kind="correlation")
    partial = contrast([partial_row()], "given", kind="correlation")
    (figure,) = group_of([plain, partial], Estimates(())).figures
    assert figure.title == "plain: hippocampus"
    assert [panel.aside.partition(" (")[0] for panel in figure.panels] == ["r = 0.74", "partial r = 0.45"]


def test_a_partial_correlation_alone_gives_its_number_to_the_residuals():
    (figure,) = group_of([contrast([partial_row()], "given", kind="correlation")], Estimates(())).figures
    raw, residual = figure.panels
    assert raw.aside == ""
    assert residual.aside.startswith("partial r = 0.45")
    assert "r = " not in figure.caption.replace("partial r = 0.45", "")


def test_a_contrast_without_rows_is_told():
    found = group_of([contrast([], "empty")], Estimates(()))
    assert found.planned.rows[0].state == "not computed"
    assert found.figures == ()


def test_only_an_order_of_tests_frees_a_secondary_contrast_from_the_number_of_regions():
    assert answer_of(WITHIN, "hippocampus").decisive == 0.54
    reached = dataclasses.replace(WITHIN, in_order=True)
    assert answer_of(reached, "hippocampus").decisive == 0.036
    outside = contrast(
        [row()], "other", status="exploratory", notes=("exploratory: the plan's order does not name it",)
    )
    states = {one.contrast: one.state for one in group_of([BETWEEN, reached, outside], Estimates(()),
                                                           primary_region="hippocampus").planned.rows}  # fmt: skip
    assert states == {"after treatment": "not shown", "ketamine alone": "shown", "other": "not shown"}


def test_an_interaction_says_what_it_is():
    found = answer_of(contrast([row(p=0.01, p_adjusted=0.01)], kind="interaction", what="change in A minus that in B"))
    told = sentence(found)
    assert "that the change in post differs from that in baseline" in told
    assert "It is the change in A minus that in B." in told


def test_what_a_difference_and_a_correlation_were_adjusted_for_is_told():
    what = "partial correlation of BP_ND with madrs, given madrs in baseline"
    told = sentence(answer_of(contrast([partial_row()], kind="correlation", what=what)))
    assert f"It is the {what}." in told
    what = "BP_ND in post of arm a minus that of arm b, adjusted for BP_ND in baseline"
    told = sentence(answer_of(contrast([row()], kind="ancova", groups=("b", "a"), what=what)))
    assert f"It is the {what}." in told
    assert "It is the" not in sentence(answer_of(contrast([row()], kind="correlation", what="correlation")))
