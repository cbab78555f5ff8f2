"""Sentences claim no more than the data do."""

import dataclasses
import math
import re

import pytest

from group_scene import OUTCOME, answers
from raphe.errors import InputError
from raphe.report.answers import KINDS, ROLES, Answer, cautions, ordered, sentence
from raphe.report.planned import planned

NAN = math.nan


def answer(**fields):
    basis = {"contrast": "c", "role": "primary", "kind": "between", "outcome": OUTCOME, "first": "placebo",
             "second": "ketamine", "estimate": 0.03, "low": -0.04, "high": 0.1, "p": 0.39, "n": 30}  # fmt: skip
    return Answer(**{**basis, **fields})


SHOWN = {"low": 0.01, "high": 0.05, "p": 0.004}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "fields",
    [{}, {"p": NAN}, {"estimate": NAN}, {"stopped_by": "first", "p": 0.001}, {"p_adjusted": 0.06, "p": 0.001}],
    ids=["open", "untested", "none", "stopped", "adjusted"],
)
def test_what_is_not_shown_is_never_called_no_effect(kind, fields):
    told = sentence(answer(kind=kind, **fields))
    assert "the data show" not in told
    assert not re.search(r"\bno (effect|difference|change|correlation)\b|did not|does not (change|differ)", told)


def test_a_contrast_that_is_not_shown_says_what_remains_possible():
    told = sentence(answer())
    assert (
        "the difference of ketamine from placebo is not shown: +0.030 (95 % CI \u22120.040 to 0.100), p = 0.39" in told
    )
    assert told.endswith("This is no evidence that there is none: every value within the interval is compatible with "
                         "the data.")  # fmt: skip


def test_a_contrast_that_is_shown_says_which_way():
    assert "the data show that ketamine is above placebo: +0.030" in sentence(answer(**SHOWN))
    down = answer(kind="within", arm="ketamine", control="placebo", first="baseline", second="post", estimate=-0.03,
                  low=-0.05, high=-0.01, p=0.004)  # fmt: skip
    assert "a decrease from baseline to post in ketamine" in sentence(down)


@pytest.mark.parametrize("kind", ["crossover", "within"])
def test_an_occupancy_is_no_rise_of_binding(kind):
    """Binding falls where a drug occupies: a positive estimate must not be told as more under the drug."""
    told = answer(kind=kind, first="baseline", second="drug", effect="occupancy", estimate=60, low=50, high=70, p=0.001)
    assert "the data show an occupancy above 0 in drug" in sentence(told)
    assert "above baseline" not in sentence(told)
    assert "increase" not in sentence(told)
    open_ = dataclasses.replace(told, low=-10, p=0.3)
    assert "an occupancy other than 0 in drug" in sentence(open_)
    assert "is not shown: +60" in sentence(open_)


def test_the_adjusted_p_counts_where_it_is_known():
    assert answer(**SHOWN).shown
    assert not answer(**SHOWN, p_adjusted=0.06).shown
    assert "p = 0.060 adjusted by Holm" in sentence(answer(**SHOWN, p_adjusted=0.06, adjusted_for="Holm"))


@pytest.mark.parametrize("p", [0.001, 0.5])
def test_every_change_within_an_arm_says_that_it_is_not_controlled(p):
    told = sentence(answer(kind="within", arm="ketamine", control="placebo", p=p))
    assert "within one arm: no comparison with placebo" in told


def test_the_smallest_attainable_p_is_said():
    told = sentence(answer(kind="crossover", n=4, p=0.125, least_p=0.125))
    assert "p = 0.125" in told
    assert "The smallest p that this test can give with 4 people is 0.125: it could not fall below 0.05" in told
    assert "The smallest p that this test can give is 0.000488." in sentence(answer(n=12, p=0.03, least_p=2 / 4096))


def test_the_trap_is_told_as_what_it_is():
    (told,) = cautions(answers())
    assert told.startswith(
        f"{OUTCOME}: the change within ketamine (p = 0.036) is significant by itself, but a difference from placebo is "
        "not shown."
    )
    assert "This is not evidence that the drug differs from placebo" in told


def test_there_is_no_caution_where_the_controlled_contrast_is_shown_or_no_arm_changed():
    shown = [dataclasses.replace(one, low=0.01, p=0.01) if one.kind == "between" else one for one in answers()]
    assert cautions(shown) == []
    assert cautions([one for one in answers() if one.arm != "ketamine"]) == []


def test_a_controlled_contrast_that_is_missing_or_was_not_tested_is_no_evidence_either():
    within = [one for one in answers() if one.kind == "within"]
    (told,) = cautions(within)
    assert "no contrast with placebo was computed" in told
    stopped = answer(**SHOWN, stopped_by="first", control="placebo")
    assert len(cautions([*within, stopped])) == 1


def test_controlled_contrasts_come_first_and_secondary_ones_keep_their_order():
    found = planned(answers()).rows
    assert [row.contrast for row in found] == [
        "after treatment", "ventral striatum", "four animals", "ketamine, post", "placebo, post",
        "binding and symptoms",
    ]  # fmt: skip
    assert [row.place for row in found][:3] == ["primary", "secondary 1", "secondary 2"]
    assert [row.state for row in found] == ["not shown", "not tested", "not shown", "shown", "not shown", "shown"]
    both = [answer(kind="within", arm="ketamine"), answer()]
    assert [one.kind for one in ordered(both)] == ["between", "within"]


def test_what_a_gate_holds_back_is_not_called_shown_or_not_shown():
    told = sentence(answer(**SHOWN, stopped_by="first"))
    assert "was not tested, because the order of tests named in advance stopped at first" in told
    assert "is not shown" not in told


def test_the_table_says_what_kind_of_study_it_is():
    assert any("Exploratory" in told for told in planned([answer(role="exploratory")]).remarks)
    (told,) = planned([answer(role="planned")]).remarks
    assert told == (
        "The plan names no primary contrast: none of the planned ones stands above the others, and no result here is "
        "confirmatory."
    )
    assert planned([answer(role="planned")]).rows[0].place == "planned"
    assert any("not a controlled one" in told for told in planned([answer(kind="within")]).remarks)
    assert planned([answer()]).remarks == ()


def test_a_primary_contrast_that_could_not_be_made_is_not_said_to_be_unnamed():
    (told,) = planned([answer(role="secondary")], "one subject is left in arm placebo").remarks
    assert told == (
        "The plan's primary contrast could not be made (one subject is left in arm placebo), so that no result here is "
        "confirmatory."
    )


def test_what_could_not_be_computed_says_why():
    told = sentence(answer(estimate=NAN, why="one subject is left in arm placebo"))
    assert told.endswith("could not be computed (one subject is left in arm placebo).")
    assert planned([answer(estimate=NAN)]).rows[0].state == "not computed"


@pytest.mark.parametrize(("field", "allowed"), [("role", ROLES), ("kind", KINDS)])
def test_words_that_are_not_known_are_refused(field, allowed):
    with pytest.raises(InputError, match=f"'other'; it must be one of {allowed[0]}"):
        answer(**{field: "other"})
