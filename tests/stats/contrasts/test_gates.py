"""The order in which contrasts are judged."""

from dataclasses import replace

import numpy as np

from contrast_studies import answered, study
from raphe.stats.contrasts.gates import in_order

VALUES = {"x": {f"p{i}": 1.0 for i in range(6)}, "y": {f"p{i}": 1 + i / 50 for i in range(6)}}
BASE = answered((*study(VALUES), *study(VALUES, region="s")), terms=("x", "y"))


def of(name, p, p_other=0.001, primary=False):
    rows = tuple(replace(row, p=q, p_adjusted=q) for row, q in zip(BASE.rows, (p, p_other), strict=True))
    return replace(BASE, name=name, rows=rows, primary=primary, status="primary" if primary else "secondary")


def statuses(*contrasts, order, region="r", primary=True):
    return {one.name: one.status for one in in_order(contrasts, order, region, primary=primary)}


def test_each_is_confirmatory_while_those_before_it_are_shown():
    first, second, third = of("a", 0.01, primary=True), of("b", 0.2), of("c", 0.001)
    assert statuses(first, second, third, order=("a", "b", "c")) == {
        "a": "primary", "b": "secondary", "c": "exploratory",
    }  # fmt: skip


def test_what_stands_behind_a_failed_one_says_so():
    found = in_order((of("a", 0.2, primary=True), of("b", 0.001)), ("a", "b"), "r", primary=True)
    assert found[1].notes == ("exploratory: 'a' stands before it in the plan's order and is not shown",)
    assert found[0].notes == ()


def test_without_a_primary_region_all_regions_must_be_shown():
    one, two = of("a", 0.01, p_other=0.2, primary=True), of("b", 0.01)
    assert statuses(one, two, order=("a", "b"), region="")["b"] == "exploratory"
    assert statuses(one, two, order=("a", "b"), region="r")["b"] == "secondary"


def test_what_could_not_be_made_or_tested_shuts_the_gate():
    assert statuses(of("b", 0.01), order=("a", "b")) == {"b": "exploratory"}
    assert statuses(of("a", np.nan), of("b", 0.01), order=("a", "b"))["b"] == "exploratory"


def test_what_the_order_does_not_name_is_exploratory_and_without_an_order_nothing_is():
    assert statuses(of("a", 0.01), of("z", 0.01), order=("a",))["z"] == "exploratory"
    assert statuses(of("a", 0.01), of("z", 0.01), order=()) == {"a": "secondary", "z": "secondary"}


def test_without_a_primary_contrast_nothing_is_secondary():
    one, two, three = of("a", 0.01), of("b", 0.2), of("c", 0.01)
    assert set(statuses(one, two, order=(), primary=False).values()) == {"planned"}
    found = statuses(one, two, three, order=("a", "b", "c"), primary=False)
    assert found == {"a": "planned", "b": "planned", "c": "exploratory"}


def test_a_contrast_that_the_order_has_come_to_is_judged_by_its_own_p_though_no_other_is_left_outside():
    first, second, third = in_order(
        (of("a", 0.01, primary=True), of("b", 0.01), of("c", 0.01)), ("a", "b"), "r", primary=True
    )
    assert [one.by_own_p for one in (first, second, third)] == [True, True, False]
    behind = in_order((of("a", 0.2, primary=True), of("b", 0.01)), ("a", "b"), "r", primary=True)
    assert [one.by_own_p for one in behind] == [True, False]
    assert not in_order((of("b", 0.01),), (), "r", primary=True)[0].by_own_p
