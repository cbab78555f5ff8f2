"""A plan's contrasts made of estimates: order, status, tracers' spellings, occupancy and set-aside scans."""

import numpy as np
import pytest
from scipy import stats

from contrast_studies import study
from raphe.data.estimates import Estimates
from raphe.data.people import People
from raphe.pipeline.contrasts_of import contrasts_of
from raphe.pipeline.plan import read_plan

HEAD = """\
[[tracer]]
name = "AZ10419369"
model = "SRTM"

[[tracer]]
name = "[11C]DASB"
model = "MRTM2"

"""

ARMS = '[[arm]]\nname = "placebo"\n\n[[arm]]\nname = "drug"\n\n'
WHO = [f"p{i}" for i in range(8)]
OF = {who: "drug" if i % 2 else "placebo" for i, who in enumerate(WHO)}
BEFORE = {who: 2 + 0.1 * (i // 2) for i, who in enumerate(WHO)}
AFTER = {who: BEFORE[who] * (0.6 + 0.05 * (-1) ** (i // 2) + 0.01 * (i % 3)) for i, who in enumerate(WHO)}
AZ = study({"a": BEFORE, "b": AFTER}, tracer="AZ10419369", arms=OF)
DASB = study({"a": AFTER, "b": BEFORE}, tracer="DASB", model="MRTM2", arms=OF)


def made(tmp_path, text, rows=(*AZ, *DASB), people=None, aside=None):
    path = tmp_path / "raphe.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return contrasts_of(read_plan(path), Estimates(tuple(rows)), people or People(), aside or {})


def contrast(name, *lines):
    return "\n".join(("[[contrast]]", f'name = "{name}"', 'tracer = "AZ10419369"', *lines)) + "\n\n"


PAIRED = contrast("within", 'terms = ["a", "b"]', 'arm = "drug"')
OTHER = contrast("also within", 'terms = ["a", "b"]', 'arm = "placebo"')
ANCOVA = contrast("between", 'kind = "ancova"', 'terms = ["placebo", "drug"]', 'sessions = ["a", "b"]')
PRIMARY = '[primary]\ntracer = "AZ10419369"\nregion = "r"\ncontrast = "{}"\n'


def test_comparisons_of_arms_come_before_changes_within_them(tmp_path):
    found = made(tmp_path, ARMS + PAIRED + OTHER + ANCOVA)
    assert [one.name for one in found.contrasts] == ["between", "within", "also within"]


def test_the_primary_contrast_comes_first_and_the_order_tells_what_is_exploratory(tmp_path):
    order = '[multiplicity]\norder = ["between", "within"]\n'
    found = made(tmp_path, ARMS + PAIRED + OTHER + ANCOVA + PRIMARY.format("between") + order)
    assert [(one.name, one.status) for one in found.contrasts] == [
        ("between", "primary"),
        ("within", "exploratory"),
        ("also within", "exploratory"),
    ]
    assert found.contrasts[0].rows[0].p > 0.05
    tests, *steps = found.steps
    assert [step.parameters["status"] for step in steps] == ["primary", "exploratory", "exploratory"]
    assert (tests.name, tests.parameters["level"]) == ("tests", 0.05)
    assert (tests.parameters["primary_region"], tests.parameters["order"]) == ("r", ("between", "within"))


def test_a_plan_without_contrasts_has_no_step_of_tests(tmp_path):
    assert made(tmp_path, ARMS).steps == ()


def test_occupancy_by_person_and_its_mean(tmp_path):
    found = made(tmp_path, contrast("occupied", 'kind = "occupancy"', 'terms = ["a", "b"]'))
    (row,) = found.contrasts[0].rows
    each = np.array([100 * (1 - AFTER[who] / BEFORE[who]) for who in WHO])
    right = stats.ttest_1samp(each, 0).confidence_interval(0.95)
    assert row.individual == pytest.approx(each)
    assert (row.estimate, row.ci_low, row.ci_high) == pytest.approx((each.mean(), right.low, right.high))
    assert (found.contrasts[0].unit, row.percent) == ("%", row.estimate)


def test_a_baseline_of_no_binding_is_left_out_of_the_occupancy_and_listed(tmp_path):
    rows = study({"a": {**BEFORE, "p3": -0.1}, "b": AFTER}, tracer="AZ10419369")
    found = made(tmp_path, contrast("occupied", 'kind = "occupancy"', 'terms = ["a", "b"]'), rows)
    (row,) = found.contrasts[0].rows
    assert len(row.pairs) == 7
    (gone,) = row.pairs.excluded
    assert gone.participant == "p3"
    assert "not above 0" in gone.reason


def test_an_interaction_of_tracers_takes_the_model_of_each(tmp_path):
    text = '[[contrast]]\nname = "x"\nkind = "interaction"\nby = "tracer"\nlevels = ["DASB", "AZ10419369"]\n'
    found = made(tmp_path, text + 'terms = ["a", "b"]\nscale = "percent"\n').contrasts[0]
    assert found.sources == (("DASB", "MRTM2"), ("AZ10419369", "SRTM"))
    assert (found.tracer, found.model) == ("DASB and AZ10419369", "MRTM2 and SRTM")
    change = [100 * (AFTER[who] / BEFORE[who] - BEFORE[who] / AFTER[who]) for who in WHO]
    assert found.rows[0].estimate == pytest.approx(np.mean(change))


def test_set_aside_scans_reach_every_kind(tmp_path):
    aside = {"az10419369": {("p0", "b"): "excluded by a person: moved"}}
    rows = tuple(row for row in AZ if (row.participant, row.session) != ("p0", "b"))
    found = made(tmp_path, ARMS + ANCOVA + PAIRED + OTHER, rows, aside=aside)
    by_name = {one.name: one.rows[0].pairs for one in found.contrasts}
    for name in ("between", "also within"):
        assert [(one.participant, one.reason) for one in by_name[name].excluded] == [
            ("p0", "excluded by a person: moved")
        ]
    assert by_name["within"].excluded == ()


def test_what_cannot_be_made_is_told_and_the_others_stand(tmp_path):
    rows = tuple(row for row in AZ if row.session == "a" or row.arm == "drug")
    rows = tuple(row for row in rows if not (row.arm == "placebo" and row.participant != "p0"))
    found = made(tmp_path, ARMS + ANCOVA + PAIRED, rows)
    assert [one.name for one in found.contrasts] == ["within"]
    assert "contrast 'between' cannot be made: " in found.unmade[0]


def test_regions_of_a_contrast_in_another_spelling(tmp_path):
    rows = (*AZ, *study({"a": BEFORE, "b": AFTER}, region="ventral striatum", tracer="AZ10419369"))
    text = '[regions]\nlist = ["r", "ventral striatum"]\n\n'
    found = made(tmp_path, text + contrast("x", 'terms = ["a", "b"]', 'regions = ["Ventral_Striatum"]'), rows)
    assert [row.pairs.region for row in found.contrasts[0].rows] == ["ventral striatum"]
