"""Lassen plots of a plan's contrast: known V_ND and occupancy come back, the same as by ``raphe occupancy``."""

import json

import numpy as np
import pytest
from scipy import stats

from pharmacology_studies import table
from raphe.data.estimates import Estimate, Estimates
from raphe.data.people import People
from raphe.data.scan import Scan
from raphe.errors import PlanError
from raphe.pipeline.contrasts_of import contrasts_of, material_of
from raphe.pipeline.pharmacology_of import pharmacology_of
from raphe.pipeline.plan import read_plan
from raphe.pipeline.plan_check import check_plan
from raphe.quality import Quality
from raphe.report.answers import sentence
from raphe.report.contrast_answer import answer_of
from raphe.report.pharmacology import parts_of

HEAD = '[[tracer]]\nname = "UCB-J"\nmodel = "2TCM"\n\n'
CONTRAST = '[[contrast]]\nname = "c"\nkind = "occupancy"\nterms = ["a", "b"]\nparameter = "V_T"\n'
SPECIFIC = dict(
    zip(
        ("white", "cerebellum", "occipital", "frontal", "thalamus", "caudate", "putamen", "raphe"),
        (0.3, 0.8, 1.2, 1.7, 2.4, 3.0, 3.5, 4.0),
        strict=True,
    )
)
V_ND = {"01": 1.2, "02": 1.4, "03": 1.5, "04": 1.7, "05": 1.9, "06": 2.0}
OCCUPANCY = {"01": 0.3, "02": 0.45, "03": 0.55, "04": 0.65, "05": 0.75, "06": 0.9}


def volumes(noise=0.0, seed=1, specific=SPECIFIC, se=0.05, who=V_ND):
    """V_T of each person in sessions a and b, by the model of the Lassen plot."""
    random = np.random.default_rng(seed)
    rows = []
    for person in who:
        for session, left in (("a", 1.0), ("b", 1 - OCCUPANCY[person])):
            for region, bound in specific.items():
                value = (V_ND[person] + left * bound) * (1 + noise * random.normal())
                cells = (person, session, "UCB-J", "", "", region, "2TCM", "V_T")
                rows.append(Estimate(*cells, value, se * value, Quality.GOOD))
    return rows


def plan_of(tmp_path, text):
    path = tmp_path / "raphe.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return read_plan(path)


def made(tmp_path, rows, *lines, before="", people=None):
    plan = plan_of(tmp_path, before + CONTRAST + "".join(f"{line}\n" for line in lines))
    estimates, people = Estimates(tuple(rows)), people or People()
    found = contrasts_of(plan, estimates, people, {})
    assert not found.unmade
    return found.contrasts, pharmacology_of(plan, found.contrasts, material_of(plan, estimates, people, {}))


def test_scans_without_noise_give_the_truth_of_each_person(tmp_path):
    (contrast,), found = made(tmp_path, volumes())
    (row,) = contrast.rows
    assert row.pairs.region == "all regions"
    truth = np.array([100 * OCCUPANCY[who] for who in row.pairs.participants])
    assert row.individual == pytest.approx(truth)
    assert (row.estimate, row.percent) == pytest.approx((truth.mean(), truth.mean()))
    plain = stats.ttest_1samp(truth, 0)
    assert (row.ci_low, row.ci_high) == pytest.approx(tuple(plain.confidence_interval()))
    assert (row.p, row.p_adjusted) == pytest.approx((plain.pvalue, plain.pvalue))
    assert (contrast.unit, len(row.pairs), row.df) == ("%", 6, 5)
    (lassen,) = found.lassen
    for line in lassen.study.lines:
        assert line.occupancy.value == pytest.approx(OCCUPANCY[line.participant])
        assert line.V_ND.value == pytest.approx(V_ND[line.participant])
    assert lassen.study.group.V_ND.value == pytest.approx(np.mean(list(V_ND.values())))


def test_noisy_scans_hold_the_truth_within_their_intervals(tmp_path):
    held = []
    for seed in range(5):
        (contrast,), found = made(tmp_path, volumes(0.03, seed=seed))
        lines = found.lassen[0].study.lines
        for line in lines:
            held.append(line.occupancy.low < OCCUPANCY[line.participant] < line.occupancy.high)
            held.append(line.V_ND.low < V_ND[line.participant] < line.V_ND.high)
            assert abs(line.V_ND.value / V_ND[line.participant] - 1) < 0.35
    assert 0.88 < np.mean(held) < 1  # of 60 intervals of 95 %
    (row,) = contrast.rows
    assert row.estimate == pytest.approx(100 * np.mean(list(OCCUPANCY.values())), abs=3)
    assert row.individual == pytest.approx([100 * line.occupancy.value for line in lines])
    group = found.lassen[0].study.group.occupancy
    assert (row.estimate, row.ci_low, row.ci_high) == pytest.approx(
        (100 * group.value, 100 * group.low, 100 * group.high)
    )


@pytest.mark.parametrize("noise", ["relative", "absolute", "se"])
@pytest.mark.parametrize("regions", [(), ("raphe", "white", "thalamus", "frontal")], ids=["all regions", "four"])
def test_the_table_is_that_of_raphe_occupancy(tmp_path, raphe, rows_of, noise, regions):
    rows = volumes(0.04, seed=7, se=0.04)
    rows = [row for row in rows if (row.participant, row.session, row.region) != ("02", "b", "raphe")]
    path = table(tmp_path / "estimates.tsv", rows)
    lines = f'noise = "{noise}"\n' + (f"regions = {json.dumps(regions)}\n" if regions else "")
    plan_of(tmp_path, CONTRAST + lines)
    ended = raphe("stats", tmp_path / "raphe.toml", path, "--out", tmp_path / "out")
    assert ended.code in (0, 1), ended.err
    words = ["occupancy", path, "--session", "a", "b", "--noise", noise, "--out", tmp_path / "by_command"]
    ended = raphe(*words, *(("--regions", ",".join(regions)) if regions else ()))
    assert ended.code in (0, 1), ended.err
    (command,) = (tmp_path / "by_command").glob("*_occupancy.tsv")
    wanted = [row for row in rows_of(command) if row["scope"] != "region"]
    own = rows_of(tmp_path / "out/group/contrast-c_lassen.tsv")
    assert len(own) == len(wanted) == 7
    for row, right in zip(own, wanted, strict=True):
        for name in set(row) - {"contrast", "method", "noise"}:
            assert row[name] == right[name], name
        assert row["noise"] == ("n/a" if row["scope"] == "group" else noise)
    (result,) = rows_of(tmp_path / "out/group/contrast-c_result.tsv")
    group = wanted[-1]
    assert (result["region"], result["n"]) == ("all regions", group["n"])
    for name, other in (("estimate", "occupancy"), ("ci_low", "ci_low"), ("ci_high", "ci_high")):
        assert float(result[name]) == pytest.approx(100 * float(group[other]), rel=1e-7)
    sidecar = json.loads((tmp_path / "out/group/contrast-c_lassen.json").read_text(encoding="utf-8"))
    assert set(own[0]) <= set(sidecar)
    assert {line["Participant"] for line in sidecar["Lines"]} == set(V_ND)


def test_people_without_a_line_are_listed_with_the_reason(tmp_path, raphe, rows_of):
    rows = [row for row in volumes(0.02, seed=2) if (row.participant, row.session) != ("05", "b")]
    keep = ("white", "raphe")
    rows = [row for row in rows if row.participant != "03" or row.session == "a" or row.region in keep]
    rows = [row._replace(value=2.0) if row[:2] == ("06", "a") else row for row in rows]
    path = table(tmp_path / "estimates.tsv", rows)
    plan_of(tmp_path, CONTRAST)
    ended = raphe("stats", tmp_path / "raphe.toml", path, "--out", tmp_path / "out")
    assert ended.code == 1
    (result,) = rows_of(tmp_path / "out/group/contrast-c_result.tsv")
    assert (result["n"], result["excluded"]) == ("3", "3")
    own = {row["participant"]: row for row in rows_of(tmp_path / "out/group/contrast-c_lassen.tsv")}
    for person, why in (
        ("03", "a line needs 3 regions with V_T in both scans, and there are 2"),
        ("05", "no scan that could be analysed in session b"),
        ("06", "V_T at baseline is 2 in all 8 regions"),
    ):
        assert why in own[person]["remark"]
        assert own[person]["occupancy"] == "n/a"
        assert f"participant {person}: no line through the regions" in ended.err
    values = rows_of(tmp_path / "out/group/contrast-c_values.tsv")
    assert [row["participant"] for row in values] == ["01", "02", "04"]


def test_regions_without_spread_are_told_and_their_intervals_have_no_end(tmp_path, raphe, rows_of):
    alike = {name: 2.0 + 0.02 * at for at, name in enumerate(SPECIFIC)}
    path = table(tmp_path / "estimates.tsv", volumes(0.05, seed=3, specific=alike))
    plan_of(tmp_path, CONTRAST)
    ended = raphe("stats", tmp_path / "raphe.toml", path)
    assert ended.code == 1
    assert "differs too little from region to region" in ended.err
    assert "set no end to the interval" in ended.out
    raphe("stats", tmp_path / "raphe.toml", path, "--out", tmp_path / "out")
    rows = rows_of(tmp_path / "out/group/contrast-c_lassen.tsv")
    endless = [row["participant"] for row in rows if row["scope"] == "line" and "inf" in row["VND_ci_high"]]
    assert len(endless) >= 5
    assert rows[-1]["remark"] == f"not determined in {', '.join(endless)}"
    (result,) = rows_of(tmp_path / "out/group/contrast-c_result.tsv")
    assert "do not determine" in result["note"]
    assert all(person in result["note"] for person in endless)


def test_bp_nd_of_several_regions_is_told_region_by_region_as_before(tmp_path):
    rows = [row._replace(parameter="BP_ND", model="SRTM") for row in volumes()]
    plan = read_plan_of_bp_nd(tmp_path)
    found = contrasts_of(plan, Estimates(tuple(rows)), People(), {})
    assert [row.pairs.region for row in found.contrasts[0].rows] == list(SPECIFIC)
    beside = pharmacology_of(plan, found.contrasts, material_of(plan, Estimates(tuple(rows)), People(), {}))
    assert beside.lassen == beside.warnings == ()


def read_plan_of_bp_nd(tmp_path):
    path = tmp_path / "raphe.toml"
    path.write_text((HEAD + CONTRAST).replace("2TCM", "SRTM").replace('parameter = "V_T"\n', ""), encoding="utf-8")
    return read_plan(path)


def test_an_arm_alone_and_an_order_of_tests(tmp_path):
    arms = {who: "drug" if at % 2 else "placebo" for at, who in enumerate(V_ND)}
    rows = [row._replace(arm=arms[row.participant]) for row in volumes(0.02)]
    before = '[[arm]]\nname = "placebo"\n\n[[arm]]\nname = "drug"\n\n'
    before += '[primary]\ncontrast = "c"\ntracer = "UCB-J"\nparameter = "V_T"\nregion = "all regions"\n\n'
    before += '[multiplicity]\norder = ["c", "next"]\n\n'
    before += '[[contrast]]\nname = "next"\nterms = ["a", "b"]\nparameter = "V_T"\n\n'
    contrasts, found = made(tmp_path, rows, 'arm = "drug"', 'adjust = "bonferroni"', before=before)
    first, second = contrasts
    assert (first.name, first.status, second.status) == ("c", "primary", "secondary")
    assert first.rows[0].pairs.participants == ("02", "04", "06")
    assert first.rows[0].p_adjusted == first.rows[0].p < 0.05
    assert [line.participant for line in found.lassen[0].study.lines] == ["02", "04", "06"]


def test_occupancies_of_the_lines_are_fitted_against_dose(tmp_path):
    ed50 = 6.0
    doses = {who: ed50 * share / (1 - share) for who, share in OCCUPANCY.items()}
    people = People({"dose": {who: str(dose) for who, dose in doses.items()}})
    _, found = made(tmp_path, volumes(0.001), 'exposure = "dose"', 'exposure_unit = "mg"', people=people)
    (dose,) = found.dose
    assert [row.region for row in dose.rows] == ["all regions"]
    assert dose.rows[0].fit.EC50.value == pytest.approx(ed50, rel=0.02)
    assert len(dose.rows[0].points) == 6
    (step,) = [step for step in found.steps if step.name == "dose_response"]
    assert step.parameters["of"] == "lines"


LISTED = '[regions]\nlist = ["white", "raphe"]\n\n'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (CONTRAST.replace("V_T", "K1"), 9, ["from BP_ND or V_T, not from K1", "Lassen plot"]),
        (CONTRAST + 'regions = ["white", "raphe"]\n', 10, ["needs 3 regions or more", "there are 2 (white, raphe)"]),
        (LISTED + CONTRAST, 6, ["needs 3 regions or more", "in [regions] list"]),
        (CONTRAST + 'model = "SRTM"\n', 10, ["analysed by 2TCM"]),
        (CONTRAST + 'noise = "robust"\n', 10, ["noise", "robust"]),
        (
            CONTRAST + '\n[primary]\ncontrast = "c"\ntracer = "UCB-J"\nparameter = "V_T"\nregion = "raphe"\n',
            15,
            ["region is 'raphe'", 'write region = "all regions"'],
        ),
    ],
    ids=["K1", "two regions", "two listed", "another model", "unknown noise", "primary region"],
)
def test_what_cannot_be_is_refused_with_its_line(tmp_path, text, line, words):
    with pytest.raises(PlanError) as error:
        plan_of(tmp_path, text)
    assert f"line {line}:" in str(error.value)
    for word in words:
        assert word in str(error.value)


def test_noise_of_bp_nd_is_refused_with_its_line(tmp_path):
    path = tmp_path / "raphe.toml"
    text = (HEAD + CONTRAST).replace("2TCM", "SRTM").replace('parameter = "V_T"', 'noise = "se"')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlanError, match=r"line 9: .*noise is of the Lassen plot; add parameter"):
        read_plan(path)


def test_the_check_finds_scans_with_too_few_regions(tmp_path):
    plan = plan_of(tmp_path, CONTRAST)
    scans = [Scan(who, session, tracer="UCB-J") for who in ("01", "02") for session in ("a", "b")]
    enough = {scan.label: ("white", "raphe", "caudate") for scan in scans}
    assert check_plan(plan, scans, enough) == ()
    (finding,) = check_plan(plan, scans, {label: names[:2] for label, names in enough.items()})
    assert finding.severity == "error"
    assert "line 9: " in finding.message
    assert "needs 3 regions or more" in finding.message
    assert "more than 2" in finding.message


def test_nobody_with_a_line_is_told(tmp_path, refused):
    few = {name: SPECIFIC[name] for name in ("white", "raphe")}
    path = table(tmp_path / "estimates.tsv", volumes(0.02, specific=few))
    plan_of(tmp_path, CONTRAST)
    words = ["contrast 'c' cannot be made", "no participant has a Lassen plot; 01: a line needs 3 regions"]
    refused("stats", tmp_path / "raphe.toml", path, "--out", tmp_path / "out", words=words)


def test_the_page_has_a_plot_of_each_person_and_folds_those_beyond_six(tmp_path):
    rows = volumes(0.03, seed=6)
    rows += [row._replace(participant="07") for row in rows if row.participant == "02"]
    rows += [row._replace(participant="08") for row in rows if row.participant == "03" and row.region == "raphe"]
    _, found = made(tmp_path, rows)
    (part,) = parts_of(found)["c"]
    (figure,) = part.figures
    assert [panel.title[:14] for panel in figure.panels] == [f"Participant 0{at}" for at in range(1, 7)]
    assert ([panel.title[:14] for panel in figure.rest], figure.more) == (["Participant 07"], "1 more participant")
    assert "Mean over 7 participants with the t interval: occupancy" in part.sentences[0]
    assert "Participant 08 has no line: a line needs 3 regions" in part.sentences[-1]
    for panel, line in zip(figure.panels, found.lassen[0].study.lines[:6], strict=True):
        assert panel.told == line.statements
        assert all(region in panel.drawing for region in SPECIFIC)
    assert [row[:2] for row in part.tables[0].rows][-2:] == [("07", "8"), ("08", "0")]


@pytest.mark.parametrize("parameter", ["V_T", "BP_ND"])
def test_a_planned_occupancy_is_told_as_one(tmp_path, parameter):
    rows = [row._replace(parameter=parameter) for row in volumes(0.02)]
    plan = plan_of(tmp_path, CONTRAST.replace("V_T", parameter))
    (contrast,) = contrasts_of(plan, Estimates(tuple(rows)), People(), {}).contrasts
    told = sentence(answer_of(contrast, "raphe"))
    assert "the data show an occupancy above 0 in b: +" in told
