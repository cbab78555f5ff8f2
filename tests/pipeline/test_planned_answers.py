"""A simulated trial from curves to its answers, and the answers again from the table of estimates."""

import json
import shutil

import numpy as np
import pytest

from raphe.cli import main
from raphe.io.results import read_estimates
from raphe.stats.columns import Covariate, Factor
from raphe.stats.linear import ancova


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """Nine patients of the trial after Tiger et al. 2020, analysed."""
    root = tmp_path_factory.mktemp("trial")
    study, out = root / "study", root / "out"
    assert main(["simulate", "tiger2020", str(study), "--tacs-only", "--participants", "9", "--quiet"]) == 0
    assert main(["run", str(study), str(out), "all", "--quiet"]) == 0
    return root


CONTROLLED = "contrast-ketamineagainstplacebo_result"
INSIDE = "contrast-withinketamine_result"
SCORES = "contrast-baselinebindingandchangeinMADRS_result"
GIVEN = "contrast-baselinebindingandchangeinMADRSgivenMADRSbefore_result"


def table(path):
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return [dict(zip(lines[0], row, strict=True)) for row in lines[1:]]


def values(trial, region):
    """Binding of each person before and after, and the arm, from the estimates."""
    rows = read_estimates(trial / "out" / "group" / "estimates.tsv").where(region=region, parameter="BP_ND").rows
    before = {row.participant: row.value for row in rows if row.session == "baseline"}
    after = {row.participant: row.value for row in rows if row.session == "post"}
    return before, after, {row.participant: row.arm for row in rows}


def test_the_tables_begin_with_the_columns_of_the_interface(trial):
    for name in (CONTROLLED, INSIDE, SCORES, GIVEN):
        text = (trial / "out" / "group" / f"{name}.tsv").read_text(encoding="utf-8")
        assert text.split("\n")[0].split("\t")[:11] == (
            "contrast region estimate se df ci_low ci_high p p_adjusted n excluded".split()
        )
        assert "\r" not in text


def test_the_primary_answer_is_the_analysis_of_covariance_of_the_estimates(trial):
    rows = table(trial / "out" / "group" / f"{CONTROLLED}.tsv")
    assert len(rows) == 15
    for row in rows[:4]:
        before, after, arms = values(trial, row["region"])
        who = list(before)
        arm = Factor("arm", tuple(arms[one] for one in who), ("placebo", "ketamine"))
        model = ancova([after[one] for one in who], Covariate("before", np.array([before[one] for one in who])), arm)
        right = model.difference({"arm": "ketamine"}, {"arm": "placebo"})
        assert float(row["estimate"]) == pytest.approx(right.estimate, rel=1e-6)
        assert float(row["p"]) == pytest.approx(right.p, rel=1e-5)
        assert (row["kind"], row["status"], row["n"], row["df"]) == ("ancova", "primary", "9", "6")
        assert row["n_by_arm"] == "ketamine 6, placebo 3" or row["n_by_arm"] == "placebo 3, ketamine 6"


def test_a_change_within_the_arm_is_marked_and_concerns_that_arm_alone(trial):
    rows = table(trial / "out" / "group" / f"{INSIDE}.tsv")
    assert {row["n"] for row in rows} == {"6"}
    assert all("within one arm: no comparison with placebo" in row["note"] for row in rows)
    sidecar = json.loads((trial / "out" / "group" / f"{INSIDE}.json").read_text(encoding="utf-8"))
    assert sidecar["Notes"][0] == "within one arm: no comparison with placebo"
    assert sidecar["Primary"] is False


def test_binding_against_scores_is_the_correlation_of_the_files(trial):
    (row,) = table(trial / "out" / "group" / f"{SCORES}.tsv")
    before, _, arms = values(trial, "ventral striatum")
    scores = {one["participant_id"][4:]: one for one in table(trial / "study" / "phenotype" / "madrs.tsv")}
    who = [one for one in before if arms[one] == "ketamine"]
    change = [float(scores[one]["post"]) - float(scores[one]["baseline"]) for one in who]
    assert float(row["estimate"]) == pytest.approx(np.corrcoef([before[one] for one in who], change)[0, 1], rel=1e-6)
    (given,) = table(trial / "out" / "group" / f"{GIVEN}.tsv")
    assert (row["df"], given["df"]) == ("4", "3")


def test_the_page_tells_the_controlled_comparison_first_and_claims_no_more(trial):
    page = (trial / "out" / "report.html").read_text(encoding="utf-8")
    controlled, inside = page.index("<h3>ketamine against placebo"), page.index("<h3>within ketamine")
    assert controlled < inside
    assert "Within one arm: no comparison with placebo." in page[inside:]
    assert "nan" not in page[controlled:inside].lower().replace("finance", "")


def test_the_values_of_people_stand_in_a_table(trial):
    rows = table(trial / "out" / "group" / f"{CONTROLLED.replace('result', 'values')}.tsv")
    before, after, arms = values(trial, "hippocampus")
    own = [row for row in rows if row["region"] == "hippocampus"]
    assert {row["participant"]: row["arm"] for row in own} == arms
    for row in own:
        assert float(row["first"]) == pytest.approx(before[row["participant"]], rel=1e-8)
        assert float(row["second"]) == pytest.approx(after[row["participant"]], rel=1e-8)


def test_stats_gives_the_same_tables_from_the_estimates(trial, tmp_path):
    estimates = trial / "out" / "group" / "estimates.tsv"
    assert main(["stats", str(trial / "study" / "raphe.toml"), str(estimates), "--out", str(tmp_path / "s")]) == 0
    for name in (CONTROLLED, INSIDE, SCORES, GIVEN):
        ours = (tmp_path / "s" / "group" / f"{name}.tsv").read_text(encoding="utf-8")
        assert ours == (trial / "out" / "group" / f"{name}.tsv").read_text(encoding="utf-8")
    assert list((tmp_path / "s" / "provenance").glob("*.json"))


@pytest.fixture
def beside(trial, tmp_path):
    """Plan, people and scores in a folder of their own, for a table of exclusions beside them."""
    shutil.copytree(trial / "study" / "phenotype", tmp_path / "phenotype")
    for name in ("raphe.toml", "participants.tsv"):
        shutil.copy(trial / "study" / name, tmp_path)
    return tmp_path


OUT = "participant_id\tsession_id\ttracer\treason\n"


def test_stats_takes_out_what_exclusions_beside_the_plan_name_as_a_run_does(trial, beside, capsys):
    """From estimates of all scans, and from those of a run that has left them out already."""
    rows = OUT + "sub-02\tses-post\tn/a\tmoved\nsub-05\tn/a\tAZ10419369\tleft\n"
    (beside / "exclusions.tsv").write_text(rows, encoding="utf-8")
    shutil.copytree(trial / "out", beside / "run")
    ran = ["run", str(trial / "study"), str(beside / "run"), "group", "--plan", str(beside / "raphe.toml"), "--quiet"]
    assert main(ran) in (0, 1)
    capsys.readouterr()
    for estimates in (trial / "out", beside / "run"):
        asked = ["stats", str(beside / "raphe.toml"), str(estimates / "group" / "estimates.tsv")]
        out = beside / f"stats of {estimates.name}"
        assert main([*asked, "--out", str(out)]) in (0, 1)
        assert "takes out sub-02_ses-post (moved), sub-05 AZ10419369 (left)" in capsys.readouterr().err.replace(
            "\n", " "
        )
        for name in (CONTROLLED, INSIDE, SCORES, GIVEN):
            ours = (out / "group" / f"{name}.tsv").read_text(encoding="utf-8")
            assert ours == (beside / "run" / "group" / f"{name}.tsv").read_text(encoding="utf-8")
    assert {row["n"] for row in table(out / "group" / f"{CONTROLLED}.tsv")} == {"7"}
    assert {row["excluded"] for row in table(out / "group" / f"{CONTROLLED}.tsv")} == {"3"}  # scans
    record = json.loads((out / "provenance" / "stats.json").read_text(encoding="utf-8"))
    assert "moved" in json.dumps(record)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("sub-2\tn/a\tn/a\tmoved", "participant_id, line 2: there is no participant 'sub-2'; did you mean 'sub-02'"),
        ("sub-02\tses-pots\tn/a\tmoved", "session_id, line 2: there is no session 'ses-pots'; did you mean 'ses-post'"),
        ("sub-02\tn/a\tDASB\tmoved", "tracer, line 2: there is no tracer 'DASB'"),
        ("sub-02\tn/a\tn/a\tn/a", "reason"),
    ],
)
def test_stats_refuses_exclusions_of_what_there_is_not(trial, beside, capsys, row, words):
    (beside / "exclusions.tsv").write_text(f"{OUT}{row}\n", encoding="utf-8")
    asked = ["stats", str(beside / "raphe.toml"), str(trial / "out" / "group" / "estimates.tsv")]
    assert main([*asked, "--out", str(beside / "s")]) == 2
    assert words in capsys.readouterr().err.replace("\n", " ")
    assert not (beside / "s").exists()


def test_stats_of_exclusions_that_leave_nothing_or_name_a_run(trial, beside, capsys):
    people = sorted({row.participant for row in read_estimates(trial / "out" / "group" / "estimates.tsv").rows})
    rows = "".join(f"sub-{who}\tn/a\tn/a\tlost\n" for who in people)
    (beside / "exclusions.tsv").write_text(OUT + rows, encoding="utf-8")
    asked = ["stats", str(beside / "raphe.toml"), str(trial / "out" / "group" / "estimates.tsv")]
    assert main(asked) == 2
    assert "excludes every scan of it" in capsys.readouterr().err.replace("\n", " ")
    (beside / "exclusions.tsv").write_text("participant_id\trun\treason\nsub-02\trun-1\tmoved\n", encoding="utf-8")
    assert main(asked) == 2
    assert "cannot be told from others in these results" in capsys.readouterr().err.replace("\n", " ")


def test_stats_prints_answers_without_a_folder(trial, capsys):
    words = ["stats", str(trial / "study" / "raphe.toml"), str(trial / "out" / "group" / "estimates.tsv")]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("ketamine against placebo (primary): BP_ND in post of arm ketamine minus that of arm")
    assert "note: within one arm: no comparison with placebo" in printed


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "\tketamine\t",
            "\tketamin\t",
            "is in arm 'ketamin', which has no [[arm]] in the plan; did you mean 'ketamine'",
        ),
        ("\tketamine\t", "\tplacebo\t", "is in two arms"),
    ],
)
def test_stats_refuses_arms_that_cannot_be(trial, tmp_path, capsys, old, new, said):
    text = (trial / "out" / "group" / "estimates.tsv").read_text(encoding="utf-8")
    path = tmp_path / "estimates.tsv"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert main(["stats", str(trial / "study" / "raphe.toml"), str(path), "--out", str(tmp_path / "s")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_stats_without_the_scores_says_which_contrast_lacks_them(trial, tmp_path, capsys):
    plan = tmp_path / "raphe.toml"
    shutil.copy(trial / "study" / "raphe.toml", plan)
    assert main(["stats", str(plan), str(trial / "out" / "group" / "estimates.tsv")]) == 2
    told = capsys.readouterr().err
    assert "contrast 'baseline binding and change in MADRS': 'madrs' is no column of participants.tsv" in told


def test_stats_of_a_row_twice_and_of_a_folder_that_is_not_there(trial, tmp_path, capsys):
    text = (trial / "out" / "group" / "estimates.tsv").read_text(encoding="utf-8")
    path = tmp_path / "estimates.tsv"
    path.write_text(text + text.splitlines()[1] + "\n", encoding="utf-8")
    plan = str(trial / "study" / "raphe.toml")
    assert main(["stats", plan, str(path)]) == 2
    assert "stands in line 2 already; both lines say the same: delete line" in capsys.readouterr().err
    assert main(["stats", plan, str(path), "--phenotype", str(tmp_path / "none")]) == 2
    assert "is no folder" in capsys.readouterr().err


def test_stats_refuses_a_participant_who_stands_in_two_arms(trial, tmp_path, capsys):
    path = tmp_path / "participants.tsv"
    text = (trial / "study" / "participants.tsv").read_text(encoding="utf-8")
    first = text.splitlines()[1]
    other = first.replace("ketamine", "placebo") if "ketamine" in first else first.replace("placebo", "ketamine")
    path.write_text(f"{text}{other}\n", encoding="utf-8")
    plan, estimates = str(trial / "study" / "raphe.toml"), str(trial / "out" / "group" / "estimates.tsv")
    assert main(["stats", plan, estimates, "--participants", str(path), "--out", str(tmp_path / "s")]) == 2
    assert "stands in line 2 already; the lines differ in arm (" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_a_margin_of_the_plan_is_judged_in_table_and_words(trial, tmp_path, capsys):
    text = (trial / "study" / "raphe.toml").read_text(encoding="utf-8")
    plan = tmp_path / "raphe.toml"
    plan.write_text(text.replace('kind = "ancova"', 'kind = "ancova"\nmargin = 5.0', 1), encoding="utf-8")
    given = ["--participants", str(trial / "study" / "participants.tsv"), "--phenotype"]
    given += [str(trial / "study" / "phenotype")]
    estimates = str(trial / "out" / "group" / "estimates.tsv")
    assert main(["stats", str(plan), estimates, *given, "--out", str(tmp_path / "s")]) == 0
    row = table(tmp_path / "s" / "group" / f"{CONTROLLED}.tsv")[0]
    assert float(row["margin"]) == 5.0
    assert float(row["p_equivalence"]) < 1e-3
    assert float(row["ci_low"]) < float(row["ci90_low"]) < float(row["ci90_high"]) < float(row["ci_high"])
    capsys.readouterr()
    assert main(["stats", str(plan), estimates, *given]) == 0
    assert "it is shown to lie within the margin of ±5" in capsys.readouterr().out


def test_what_a_plan_asks_for_besides_stands_in_table_sidecar_and_page(trial, tmp_path):
    text = (trial / "study" / "raphe.toml").read_text(encoding="utf-8")
    plan = tmp_path / "raphe.toml"
    asked = 'weights = "se"\nbootstrap = 200\nprior = { scale = 0.2, df = 3 }\nregions = ["hippocampus"]'
    plan.write_text(text.replace('kind = "ancova"', f'kind = "ancova"\n{asked}', 1), encoding="utf-8")
    out = tmp_path / "out"
    shutil.copytree(trial / "out", out)
    assert main(["run", str(trial / "study"), str(out), "group", "--plan", str(plan), "--quiet"]) == 0
    before = list(table(trial / "out" / "group" / f"{CONTROLLED}.tsv")[0])
    (row,) = table(out / "group" / f"{CONTROLLED}.tsv")
    assert list(row) == before
    assert " ".join(before[-11:-3]) == "bf10 tau tau_by_arm error_share boot_low boot_high boot_se posterior_mean"
    assert before[-3:] == ["posterior_low", "posterior_high", "p_above_zero"]
    assert 0 < float(row["error_share"]) < 1
    assert float(row["boot_low"]) < float(row["estimate"]) < float(row["boot_high"])
    assert abs(float(row["posterior_mean"])) < abs(float(row["estimate"]))
    sidecar = json.loads((out / "group" / f"{CONTROLLED}.json").read_text(encoding="utf-8"))
    assert sidecar["Prior"].startswith("a t distribution with location 0, scale 0.2 and 3 degrees of freedom")
    assert "baseline's own error is not modelled" in sidecar["Weights"]
    assert "200 resamplings of participants within their arms (seed 1)" in sidecar["Bootstrap"]
    values = table(out / "group" / f"{CONTROLLED.replace('result', 'values')}.tsv")
    rows = read_estimates(out / "group" / "estimates.tsv").where(
        region="hippocampus", parameter="BP_ND", session="post"
    )
    assert {one["participant"]: float(one["se"]) for one in values} == pytest.approx(
        {one.participant: one.se for one in rows.rows}, rel=1e-6
    )
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("What the plan asks for besides") == 1
    assert "chosen by the plan: an assumption" in page
    assert "Knapp G, Hartung J." in page
    assert "Efron B." in page


@pytest.mark.parametrize(
    ("session", "regions", "said"),
    [
        ("post", None, "(every region likewise) is 0.5 in all 9 participants of session 'post'"),
        ("baseline", ("hippocampus",), "in region 'hippocampus' is 0.5 in all 9 participants of session 'baseline'"),
    ],
)
def test_an_outcome_that_does_not_vary_is_refused(trial, tmp_path, capsys, session, regions, said):
    """In all regions, or in the primary one; in another it is a remark on that region."""
    table = trial / "out" / "group" / "estimates.tsv"

    def stats(regions):
        lines = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines()]
        for row in lines[1:]:
            if row[7] == "BP_ND" and row[1] == session and (regions is None or row[5] in regions):
                row[8] = "0.5"
        path = tmp_path / "constant.tsv"
        path.write_text("".join("\t".join(row) + "\n" for row in lines), encoding="utf-8")
        code = main(["stats", str(trial / "study" / "raphe.toml"), str(path), "--out", str(tmp_path / "s")])
        return code, capsys.readouterr().err.replace("\n", " ")

    code, err = stats(regions)
    assert code == 2
    assert said in err
    assert not (tmp_path / "s").exists()
    if regions is not None:
        assert stats(("putamen",))[0] == 0
