"""Permutation tests of contrasts, by counting arrangements one by one."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from contrast_studies import answered, study
from raphe.data.people import People
from raphe.errors import InputError

RNG = np.random.default_rng(11)
FOUR = {"x": {f"m{i}": 1.0 for i in range(4)}, "y": {f"m{i}": 1.2 + i / 10 for i in range(4)}}
ARMS = {f"p{i}": "drug" if i < 4 else "placebo" for i in range(7)}
BEFORE = {who: RNG.normal(2, 0.3) for who in ARMS}
AFTER = {who: BEFORE[who] + RNG.normal(0.3 if ARMS[who] == "drug" else 0, 0.1) for who in ARMS}
ROWS = study({"x": BEFORE, "y": AFTER}, arms=ARMS)


def test_four_animals_cannot_have_a_p_below_an_eighth():
    found = answered(study(FOUR), terms=("x", "y"), test="permutation")
    (row,) = found.rows
    assert (row.p, row.p_smallest) == (0.125, 0.125)
    assert row.ci_low == answered(study(FOUR), terms=("x", "y")).rows[0].ci_low
    assert "all 16 arrangements" in found.method


def test_a_region_with_fewer_people_has_a_larger_smallest_p():
    fewer = {session: {who: v for who, v in values.items() if who != "m0"} for session, values in FOUR.items()}
    rows = (*study(FOUR), *study(fewer, region="s"))
    assert [row.p_smallest for row in answered(rows, terms=("x", "y"), test="permutation").rows] == [0.125, 0.25]


def test_groups_are_exchanged_in_every_way():
    asked = {"kind": "groups", "terms": ("placebo", "drug"), "sessions": ("y",), "test": "permutation"}
    (row,) = answered(ROWS, **asked).rows
    values = np.array(list(AFTER.values()))

    def t(members):
        second = np.isin(np.arange(7), members)
        return abs(stats.ttest_ind(values[second], values[~second], equal_var=False).statistic)

    found = t([0, 1, 2, 3])
    assert row.p == pytest.approx(np.mean([t(list(one)) >= found - 1e-9 for one in combinations(range(7), 4)]))
    assert row.p_smallest == pytest.approx(1 / 35)


def test_an_ancova_is_fitted_again_for_every_allocation():
    asked = {"kind": "ancova", "terms": ("placebo", "drug"), "sessions": ("x", "y"), "test": "permutation"}
    (row,) = answered(ROWS, **asked).rows
    x, y = (np.array(list(values.values())) for values in (BEFORE, AFTER))

    def t(members):
        design = np.column_stack([np.ones(7), x, np.isin(np.arange(7), members)])
        beta, (rss,), *_ = np.linalg.lstsq(design, y)
        return abs(beta[2]) / np.sqrt(rss / 4 * np.linalg.inv(design.T @ design)[2, 2])

    found = t([0, 1, 2, 3])
    assert found == pytest.approx(row.estimate / row.se)
    assert row.p == pytest.approx(np.mean([t(list(one)) >= found - 1e-9 for one in combinations(range(7), 4)]))


def test_an_ancova_by_permutation_holds_its_level_with_skewed_values():
    """500 studies without an effect; one standard error of a rejection rate of 5 % is 1 %."""
    rng = np.random.default_rng(1)
    people = [f"p{i}" for i in range(8)]
    arms = {who: "drug" if i < 4 else "placebo" for i, who in enumerate(people)}
    asked = {"kind": "ancova", "terms": ("placebo", "drug"), "sessions": ("x", "y"), "test": "permutation"}
    rejected = 0
    for _ in range(500):
        x = dict(zip(people, rng.exponential(1, 8), strict=True))
        y = {who: x[who] + rng.exponential(1) for who in people}
        rejected += answered(study({"x": x, "y": y}, arms=arms), **asked).rows[0].p <= 0.05
    assert rejected / 500 == pytest.approx(0.043, abs=0.03)  # 3 of 70 arrangements are the most below 5 %


def test_the_largest_statistic_adjusts_over_regions():
    people = [f"m{k}" for k in range(8)]
    before = dict.fromkeys(people, 1.0)
    after = [{who: 1 + RNG.normal(0.1, 0.2) for who in people} for _ in range(5)]
    rows = tuple(row for i, one in enumerate(after) for row in study({"x": before, "y": one}, region=f"r{i}"))
    by_t, alone = (answered(rows, terms=("x", "y"), adjust=how).rows for how in ("maxt", "none"))
    assert [row.p for row in by_t] == [row.p for row in alone]
    assert all(row.p_adjusted >= 2 / 2**8 for row in by_t)
    both = answered(rows, terms=("x", "y"), adjust="maxt", test="permutation").rows
    assert all(row.p_adjusted >= row.p for row in both)
    assert [row.p_adjusted for row in both] == [row.p_adjusted for row in by_t]


def test_a_drawn_test_depends_on_the_seed_alone():
    rows = study({"x": {f"m{i}": 1.0 for i in range(20)}, "y": {f"m{i}": 1 + RNG.normal(0.1, 0.2) for i in range(20)}})
    one, same, other = (answered(rows, terms=("x", "y"), test="permutation", seed=seed).rows[0].p for seed in (1, 1, 2))
    assert one == same
    assert one == pytest.approx(other, abs=0.02)
    assert one != other


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"kind": "mixed", "terms": ("x", "y"), "test": "permutation"}, "a mixed contrast has no permutation test"),
        ({"terms": ("x", "y"), "covariates": ("age",), "test": "permutation"}, "signs cannot be flipped"),
        ({"kind": "mixed", "terms": ("x", "y"), "adjust": "maxt"}, 'so adjust = "maxt" cannot be'),
    ],
)
def test_a_permutation_test_that_there_is_not(asked, said):
    people = People({"age": {who: str(20 + i**2) for i, who in enumerate(ARMS)}})
    with pytest.raises(InputError, match=said):
        answered(ROWS, people, **asked)


SITES = {who: "east" if i in (0, 1, 4, 5) else "west" for i, who in enumerate(ARMS)}
EAST, WEST = [0, 1, 4, 5], [2, 3, 6]
OF_SITES = [[*a, *b] for a in combinations(EAST, 2) for b in combinations(WEST, 2)]


def in_blocks(sites=SITES, **question):
    people = People({"arm": ARMS, "site": sites})
    return answered(ROWS, people, terms=("placebo", "drug"), test="permutation", blocks="site", **question)


def test_arms_are_dealt_anew_within_blocks_only():
    contrast = in_blocks(kind="groups", sessions=("y",))
    values = np.array(list(AFTER.values()))

    def t(members):
        second = np.isin(np.arange(7), members)
        return abs(stats.ttest_ind(values[second], values[~second], equal_var=False).statistic)

    found = t([0, 1, 2, 3])
    (row,) = contrast.rows
    assert len(OF_SITES) == 18
    assert row.p == pytest.approx(np.mean([t(one) >= found - 1e-9 for one in OF_SITES]))
    assert row.p_smallest == pytest.approx(1 / 18)
    assert "within blocks (site) (all 18 arrangements)" in contrast.method


def test_an_ancova_is_fitted_again_for_every_allocation_within_blocks():
    (row,) = in_blocks(kind="ancova", sessions=("x", "y")).rows
    x, y = (np.array(list(values.values())) for values in (BEFORE, AFTER))

    def t(members):
        design = np.column_stack([np.ones(7), x, np.isin(np.arange(7), members)])
        beta, (rss,), *_ = np.linalg.lstsq(design, y)
        return abs(beta[2]) / np.sqrt(rss / 4 * np.linalg.inv(design.T @ design)[2, 2])

    found = t([0, 1, 2, 3])
    assert row.p == pytest.approx(np.mean([t(one) >= found - 1e-9 for one in OF_SITES]))
    assert row.p_smallest == pytest.approx(1 / 18)


def test_blocks_of_even_arms_allow_the_mirrored_allocation_too():
    """Four people in two blocks of one and one: 4 allocations, of which the mirrored one is as extreme."""
    some = [row for row in ROWS if row.participant in ("p0", "p1", "p4", "p5")]
    sites = {"p0": "1", "p4": "1", "p1": "2", "p5": "2"}
    asked = {"terms": ("placebo", "drug"), "sessions": ("y",), "test": "permutation", "blocks": "site"}
    (row,) = answered(some, People({"arm": ARMS, "site": sites}), kind="groups", **asked).rows
    assert row.p_smallest == 0.5


def test_people_of_a_block_with_one_arm_keep_it_and_the_reader_is_told():
    sites = {who: "north" if who == "p0" else place for who, place in SITES.items()}
    contrast = in_blocks(sites, kind="groups", sessions=("y",))
    assert contrast.notes == (
        "1 of 7 participants keep their arm in every permutation: their blocks (site north) are of one arm",
    )
    assert contrast.rows[0].p_smallest == pytest.approx(1 / 9)
    with pytest.raises(InputError, match="no block holds people of both"):
        in_blocks(ARMS, kind="groups", sessions=("y",))
    with pytest.raises(InputError, match="no block holds people of both"):
        in_blocks(ARMS, kind="ancova", sessions=("x", "y"))


def test_who_has_no_block_is_refused_or_left_out():
    sites = {**SITES, "p6": "n/a"}
    with pytest.raises(InputError, match="blocks are missing: p6 lacks site"):
        in_blocks(sites, kind="groups", sessions=("y",))
    (row,) = in_blocks(sites, kind="groups", sessions=("y",), missing="exclude").rows
    assert [(out.participant, out.reason) for out in row.pairs.excluded] == [("p6", "no value of block site")]
