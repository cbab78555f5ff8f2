"""What a planned contrast asks of maps: who takes part, and a model of every voxel that is least squares on columns."""

import numpy as np
import pytest

from raphe.data.people import People
from raphe.errors import InputError
from raphe.pipeline.map_question import Asked, Cell, asked, design_of, sample_of
from raphe.stats.contrasts.question import Question
from raphe.stats.map_scheme import shuffled
from raphe.stats.voxelwise import map_contrast

N_VOXEL = 40
WHO = tuple(f"{at:02d}" for at in range(1, 13))
ARM = {who: "drug" if at % 2 else "placebo" for at, who in enumerate(WHO)}
AGE = {who: str(20 + 3 * (at % 5)) for at, who in enumerate(WHO)}
SEX = {who: "MF"[at // 3 % 2] for at, who in enumerate(WHO)}
SCORE = {who: float((7 * at) % 11) for at, who in enumerate(WHO)}
PEOPLE = People({"arm": ARM, "age": AGE, "sex": SEX}, {"madrs:before": SCORE, "madrs:after": {who: 2.0 for who in WHO}})


def value(person, at):
    """Values of a scan of a person: the number of the cell says which."""
    return np.random.default_rng([int(person), at]).normal(2 + at / 4, 0.3, N_VOXEL).astype(np.float32)


def ask(kind, sessions, arms=(), **keys):
    question = Question("it", "DASB", "SRTM", kind=kind, **keys)
    return asked(question, sessions, arms)


def sample(wanted, people=PEOPLE, scanned=None, aside=None):
    return sample_of(wanted, scanned or [set(WHO)] * len(wanted.cells), aside or {}, people)


def answered(wanted):
    """Effect and t of every voxel."""
    study = design_of(wanted, sample(wanted), value)
    found = map_contrast(study, np.ones(N_VOXEL, dtype=bool), permutations=20, seed=1, statistics=("t",))
    return found.effect, found.t, study


def least_squares(y, design, contrast):
    """Estimate and t of a contrast of columns, from the normal equations."""
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ y
    rest = ((y - design @ beta) ** 2).sum(axis=0) / (len(y) - design.shape[1])
    return contrast @ beta, contrast @ beta / np.sqrt(rest * (contrast @ inverse @ contrast))


def stacked(at):
    return np.stack([value(person, at) for person in WHO]).astype(float)


DRUG = np.array([float(ARM[who] == "drug") for who in WHO])
ONE = np.ones(len(WHO))
AGES = np.array([float(AGE[who]) for who in WHO])
MALE = np.array([float(SEX[who] == "M") for who in WHO])
SCORES = np.array([SCORE[who] for who in WHO])
CHANGE = stacked(1) - stacked(0)

CASES = {
    "paired": (ask("paired", ("a", "b")), CHANGE, [ONE]),
    "paired, per cent": (ask("paired", ("a", "b"), scale="percent"), 100 * CHANGE / stacked(0), [ONE]),
    "paired, log": (ask("paired", ("a", "b"), scale="log"), np.log(stacked(1) / stacked(0)), [ONE]),
    "paired at mean age": (
        ask("paired", ("a", "b"), covariates=("age", "sex")), CHANGE, [ONE, AGES - AGES.mean(), MALE - MALE.mean()]
    ),
    "groups of values": (ask("groups", ("a",), ("placebo", "drug")), stacked(0), [DRUG, ONE]),
    "groups of changes with age": (
        ask("groups", ("a", "b"), ("placebo", "drug"), covariates=("age",)), CHANGE, [DRUG, ONE, AGES]
    ),
    "interaction by arm": (ask("interaction", ("a", "b"), ("placebo", "drug"), by="arm"), CHANGE, [DRUG, ONE]),
    "interaction by tracer": (
        ask("interaction", ("a", "b"), by="tracer", levels=("AZ", "DASB"), sources=(("AZ", "SRTM"), ("DASB", "SRTM"))),
        (stacked(3) - stacked(2)) - CHANGE, [ONE],
    ),
    "score before": (ask("correlation", ("a",), score="madrs", score_sessions=("before",)), stacked(0), [SCORES, ONE]),
    "change with change of the score and age": (
        ask("correlation", ("a", "b"), score="madrs", score_sessions=("before", "after"), covariates=("age",)),
        CHANGE, [2.0 - SCORES, ONE, AGES],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_effect_and_t_are_those_of_least_squares(name):
    wanted, y, columns = CASES[name]
    effect, t = least_squares(y, np.column_stack(columns), np.eye(len(columns))[0])
    found, found_t, _ = answered(wanted)
    np.testing.assert_allclose(found, effect, rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(found_t, t, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("scale", ["difference", "percent", "log"])
def test_ancova_adjusts_every_voxel_for_its_own_baseline(scale):
    wanted = ask("ancova", ("a", "b"), ("placebo", "drug"), covariates=("age",), scale=scale)
    found, found_t, _ = answered(wanted)
    before, after = stacked(0), stacked(1)
    if scale == "percent":
        after = 100 * (after - before) / before
    if scale == "log":
        before, after = np.log(before), np.log(after)
    for at in range(N_VOXEL):
        design = np.column_stack([DRUG, ONE, AGES, before[:, at]])
        effect, t = least_squares(after[:, at : at + 1], design, np.eye(4)[0])
        np.testing.assert_allclose((found[at], found_t[at]), (effect[0], t[0]), rtol=5e-4, atol=5e-4)


def test_words_say_what_the_effect_is():
    words = {name: case[0].words for name, case in CASES.items()}
    assert words["paired"] == "change in BP_ND of DASB from a to b (b minus a)"
    assert words["groups of values"] == "BP_ND of DASB in a, drug minus placebo"
    assert words["interaction by tracer"] == "change in BP_ND of DASB from a to b (b minus a) minus that of AZ"
    assert words["score before"] == "BP_ND of DASB in a, per unit of madrs"
    assert words["change with change of the score and age"].endswith("per unit of madrs (its change), adjusted for age")


@pytest.mark.parametrize("scale", ["percent", "log"])
def test_a_scale_without_meaning_leaves_the_voxel_out(scale):
    wanted = ask("paired", ("a", "b"), scale=scale)

    def read(person, at):
        values = value(person, at)
        values[3] = -0.1 if person == "02" and at == 0 else values[3]
        return values

    study = design_of(wanted, sample(wanted), read)
    assert np.isnan(study.maps[1, 3])
    assert np.isfinite(study.maps).sum() == study.maps.size - 1


def test_people_without_a_scan_an_arm_or_a_score_are_counted_with_reasons():
    arms = {**ARM, "03": "n/a", "04": "another"}
    scores = {"madrs:before": {**SCORE, "05": float("nan")}}
    people = People({"arm": arms}, scores)
    wanted = ask("groups", ("a", "b"), ("placebo", "drug"))
    there = [set(WHO), set(WHO) - {"01", "02"}]
    found = sample(wanted, people, there, {("dasb", "01", "b"): "excluded by a person: fell asleep"})
    assert found.people == WHO[4:]
    assert found.arms == tuple(ARM[who] for who in WHO[4:])
    assert found.excluded == (
        "sub-01: excluded by a person: fell asleep in session b",
        "sub-02: no scan in session b",
        "sub-03: no arm is known",
    )
    of_score = sample(ask("correlation", ("a",), score="madrs", score_sessions=("before",)), people)
    assert of_score.excluded == ("sub-05: no value of madrs:before",)


def test_a_missing_covariate_is_an_error_unless_the_plan_leaves_such_people_out():
    people = People({"age": {**AGE, "02": "n/a"}})
    with pytest.raises(InputError, match=r"sub-02: no value of age.*missing = \"exclude\""):
        sample(ask("paired", ("a", "b"), covariates=("age",)), people)
    found = sample(ask("paired", ("a", "b"), covariates=("age",), missing="exclude"), people)
    assert "02" not in found.people
    assert found.excluded == ("sub-02: no value of age",)


def test_one_person_is_too_few():
    wanted = ask("paired", ("a", "b"))
    few = sample(wanted, scanned=[{"01", "02"}, {"01"}])
    with pytest.raises(InputError, match=r"1 participant has all of its scans \(sub-02: no scan in session b\)"):
        design_of(wanted, few, value)


@pytest.mark.parametrize(
    "keys", [{"kind": "mixed"}, {"kind": "occupancy"}, {"kind": "correlation", "method": "skipped"}]
)
def test_what_is_of_regions_only_says_so(keys):
    with pytest.raises(InputError, match="regions only"):
        asked(Question("it", "DASB", "SRTM", **keys), ("a", "b"), ())


def test_cells_stand_in_the_order_of_tracers_and_sessions():
    wanted = CASES["interaction by tracer"][0]
    assert isinstance(wanted, Asked)
    assert wanted.cells == (
        Cell("AZ", "SRTM", "a"), Cell("AZ", "SRTM", "b"), Cell("DASB", "SRTM", "a"), Cell("DASB", "SRTM", "b"),
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["groups", "ancova"])
def test_arms_of_maps_are_exchanged_within_blocks(kind):
    """The arms of a shuffle, read back from the models, have as many people of each block as they had."""
    site = {who: "east" if at < 6 else "west" for at, who in enumerate(WHO)}
    people = People({"arm": ARM, "site": site})
    wanted = ask(kind, ("a", "b"), ("placebo", "drug"), blocks="site")
    chosen = sample(wanted, people)
    assert chosen.blocks == tuple(site.values())
    study = design_of(wanted, chosen, value)
    order = shuffled(study, 10_000, 1)
    assert order.possible == 20 * 20  # 3 of 6 in each block
    lost = {**site, "03": "n/a"}
    with pytest.raises(InputError, match="blocks are missing: sub-03"):
        sample(wanted, People({"arm": ARM, "site": lost}))


def test_maps_say_that_they_know_no_weights():
    assert ask("paired", ("a", "b"), weights="se").words.endswith("(voxel by voxel all participants have one weight)")
