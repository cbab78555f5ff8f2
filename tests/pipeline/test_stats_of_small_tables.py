"""``raphe stats`` on small made-up tables: what cannot be answered, or should not be believed, is told."""

import numpy as np
import pytest

HEAD = "participant session tracer condition arm region model parameter value se quality".split()

PLAN = '[[tracer]]\nname = "DASB"\nmodel = "SRTM"\n\n'
PAIRED = '[[contrast]]\nname = "change"\nterms = ["baseline", "post"]\n\n'
SCORE = '[[contrast]]\nname = "mood"\nkind = "correlation"\nx = ["baseline"]\nscore = "madrs"\n'

WHO = [f"{i:02d}" for i in range(1, 9)]
ARMS = ("placebo", "drug")


def rows(regions=("thalamus", "putamen"), sessions=("baseline", "post"), arms=False, seed=1):
    """A row of every person, region and session, as cells by column."""
    random = np.random.default_rng(seed)
    return [
        dict(
            zip(
                HEAD,
                (who, session, "DASB", "n/a", ARMS[int(who) % 2] if arms else "n/a", region, "SRTM", "BP_ND",
                 f"{random.normal(2.0, 0.3):.5f}", "0.1", ""),
                strict=True,
            )
        )
        for who in WHO
        for region in regions
        for session in sessions
    ]  # fmt: skip


@pytest.fixture
def asked(tmp_path, raphe):
    """Run ``raphe stats`` on a plan, rows and scores by person (others have none)."""

    def run(plan, table, scores=None, *words):
        (tmp_path / "raphe.toml").write_text(PLAN + plan)
        text = ["\t".join(HEAD), *("\t".join(row[column] for column in HEAD) for row in table)]
        (tmp_path / "estimates.tsv").write_text("\n".join(text) + "\n")
        people = [f"sub-{who}\t{(scores or {}).get(who, 'n/a')}" for who in WHO]
        (tmp_path / "participants.tsv").write_text("\n".join(["participant_id\tmadrs", *people]) + "\n")
        return raphe("stats", tmp_path / "raphe.toml", tmp_path / "estimates.tsv", *words)

    return run


@pytest.mark.parametrize(
    ("scores", "why"),
    [
        ({}, "nobody has both values; a correlation needs three people"),
        ({"01": 3, "02": 9}, "only 01, 02 have both values; a correlation needs three people"),
    ],
)
def test_a_correlation_that_nobody_can_answer_is_a_warning_that_says_which_and_why(asked, scores, why):
    ended = asked(PAIRED + SCORE, rows(), scores)
    assert ended.code == 1
    assert f"warning: contrast 'mood' cannot be tested in any of its 2 regions: {why}" in ended.err


def test_regions_that_cannot_be_tested_for_different_reasons_are_told_apart(asked):
    table = [row for row in rows() if row["region"] != "putamen" or row["participant"] == "01"]
    for row in table:
        row["value"] = "1.5" if row["region"] == "thalamus" and row["session"] == "baseline" else row["value"]
    ended = asked(PAIRED + SCORE, table, {who: int(who) for who in WHO})
    assert ended.code == 1
    assert (
        "contrast 'mood' cannot be tested in any of its 2 regions: a measurement is the same in all people (thalamus); "
        "only 01 have both values; a correlation needs three people (putamen)"
    ) in ended.err


def test_a_correlation_that_can_be_answered_in_one_region_is_no_warning(asked):
    table = [row for row in rows() if row["region"] != "putamen" or row["participant"] == "01"]
    ended = asked(SCORE, table, {who: int(who) ** 2 for who in WHO})
    assert (ended.code, ended.err) == (0, "")


def test_three_people_have_no_interval_to_speak_of(asked):
    ended = asked(SCORE, rows(), {"01": 3, "02": 9, "03": 4})
    assert "without intervals any value remains possible" in ended.out
    one = asked(SCORE, rows(("thalamus",)), {"01": 3, "02": 9, "03": 4})
    assert "there is no interval, so that any value may be true" in one.out
    assert "within the interval" not in ended.out + one.out


def copy(table, target, source):
    """Values of one person and session in place of another's."""
    own = {row["region"]: row["value"] for row in table if (row["participant"], row["session"]) == source}
    for row in table:
        if (row["participant"], row["session"]) == target:
            row["value"] = own[row["region"]]
    return table


@pytest.mark.parametrize(
    ("target", "source", "named"),
    [
        (("05", "post"), ("02", "post"), "participant '02', session 'post' and participant '05', session 'post'"),
        (("03", "post"), ("03", "baseline"), "participant '03', session 'baseline' and participant '03', session 'po"),
    ],
)
def test_estimates_that_are_a_copy_of_another_scan_are_doubted(asked, target, source, named):
    ended = asked(PAIRED, copy(rows(), target, source))
    assert ended.code == 1
    assert f"BP_ND by SRTM of DASB is the same, to the last digit, in all 2 regions of {named}" in ended.err
    assert "is one a copy of the other?" in ended.err


def test_few_digits_that_coincide_are_no_copy(asked):
    table = copy(rows(), ("05", "post"), ("02", "post"))
    for row in table:
        row["value"] = f"{float(row['value']):.1f}"
    assert asked(PAIRED, table).err == ""


def test_what_no_contrast_is_of_may_be_the_same_in_everyone(asked):
    table = rows()
    table += [{**row, "parameter": "R1", "value": "1.023456789"} for row in table]
    ended = asked(PAIRED, table)
    assert "copy" not in ended.err


@pytest.mark.parametrize(
    ("value", "way"),
    [
        ("the same", "both lines say the same: delete line 34"),
        ("2.5", ", 2.5): keep the one that is right, or tell scans or fits apart by session, tracer or model"),
    ],
)
def test_a_row_that_stands_twice_is_named_by_its_lines_and_what_to_do(asked, value, way):
    table = rows()
    table.append({**table[4], "value": table[4]["value"] if value == "the same" else value})
    ended = asked(PAIRED, table)
    assert ended.code == 2
    assert "stands in line 6 already; " in ended.err
    assert way in ended.err


ANCOVA = '[[contrast]]\nname = "arms"\nkind = "ancova"\nterms = ["placbo", "drug"]\nsessions = ["baseline", "post"]\n'
TWO_ARMS = '[[arm]]\nname = "placebo"\n\n[[arm]]\nname = "drug"\n\n'


@pytest.mark.parametrize(
    ("arms", "hint"),
    [("", "add one with name = 'placbo', and one for every other arm"), (TWO_ARMS, "did you mean 'placebo'?")],
)
def test_an_arm_that_the_plan_does_not_have_is_told_with_the_way_out(asked, arms, hint):
    ended = asked(arms + ANCOVA, rows(arms=True))
    assert ended.code == 2
    assert f"names arm 'placbo', which has no [[arm]]; {hint}" in ended.err


def test_a_region_that_no_estimate_has_is_told_with_the_nearest(asked):
    ended = asked(PAIRED.rstrip() + '\nregions = ["thalamis"]\n', rows())
    assert "region 'thalamis' has no BP_ND by SRTM of DASB; did you mean 'thalamus'?" in ended.err


def test_what_cannot_be_computed_is_not_printed_as_nan_and_nothing_of_scipy_is(asked):
    """All of one arm change by the same: a Bayes factor is found without a warning of the library."""
    table = rows(("thalamus",), arms=True)
    before = {row["participant"]: float(row["value"]) for row in table if row["session"] == "baseline"}
    for row in table:
        if row["session"] == "post" and row["arm"] == "drug":
            row["value"] = f"{before[row['participant']] + 0.5:.5f}"
    groups = '[[contrast]]\nname = "g"\nkind = "groups"\nterms = ["placebo", "drug"]\nsessions = ["baseline", "post"]\n'
    ended = asked(TWO_ARMS + groups, table)
    assert (ended.code, ended.err) == (0, "")
    few = asked(SCORE, rows(("thalamus",)), {"01": 3})
    assert "nan" not in few.out
    assert "contrast 'mood' cannot be tested in region 'thalamus': only 01 have both values" in few.err
