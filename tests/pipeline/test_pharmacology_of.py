"""Flow, ligand and receptors, and dose beside the contrasts of a plan, held against known truths."""

import json

import numpy as np
import pytest
from scipy import stats

from pharmacology_studies import REGIONS, binding, table
from raphe.data.estimates import Estimates
from raphe.data.people import People
from raphe.pipeline.contrasts_of import contrasts_of, material_of
from raphe.pipeline.people_of import people_of
from raphe.pipeline.pharmacology_of import pharmacology_of
from raphe.pipeline.plan import read_plan

HEAD = '[[tracer]]\nname = "DASB"\nmodel = "{}"\n\n'
ARMS = '[[arm]]\nname = "placebo"\n\n[[arm]]\nname = "drug"\n\n'
WHO = [f"{at:02d}" for at in range(1, 9)]
OF = {who: "drug" if at % 2 else "placebo" for at, who in enumerate(WHO)}
OWN = {who: 0.8 + 0.05 * at for at, who in enumerate(WHO)}
LOWER = {who: OWN[who] * (0.8 + 0.01 * at) for at, who in enumerate(WHO)}


def contrast(*lines, kind="paired", terms='["a", "b"]'):
    return "\n".join(("[[contrast]]", 'name = "c"', f'kind = "{kind}"', f"terms = {terms}", *lines)) + "\n\n"


def made(tmp_path, text, rows, people=None, model="SRTM"):
    path = tmp_path / "raphe.toml"
    path.write_text(HEAD.format(model) + text, encoding="utf-8")
    plan, estimates, people = read_plan(path), Estimates(tuple(rows)), people or People()
    found = contrasts_of(plan, estimates, people, {})
    assert not found.unmade
    return found.contrasts, pharmacology_of(plan, found.contrasts, material_of(plan, estimates, people, {}))


def delivery(seed=1, drug=1.0, parameter="R1", who=WHO):
    """R1 or k2' in two sessions, with the noise of a person and of a scan."""
    random = np.random.default_rng(seed)
    before = {one: 1 + 0.1 * random.standard_normal() for one in who}
    after = {one: before[one] * drug * (1 + 0.03 * random.standard_normal()) for one in who}
    return before, after, binding({"a": before, "b": after}, dict.fromkeys(REGIONS, 0.9), parameter=parameter)


BINDING = binding({"a": OWN, "b": LOWER})


@pytest.mark.parametrize(("drug", "told"), [(1.0, "is shown to be the same"), (0.7, "may come from it")])
def test_flow_is_the_paired_t_test_of_log_R1_of_the_same_people(tmp_path, drug, told):
    before, after, rows = delivery(drug=drug)
    _, found = made(tmp_path, contrast(), [*BINDING, *rows])
    (flow,) = found.flow
    assert (flow.margin, flow.assumed, flow.arms) == (1.1, True, ())
    assert [row.region for row in flow.rows] == list(REGIONS)
    change = np.log(list(after.values())) - np.log(list(before.values()))
    plain = stats.ttest_1samp(change, 0)
    for row in flow.rows:
        assert row.n == 8
        assert row.found.p == pytest.approx(plain.pvalue)
        assert row.found.ratio.value == pytest.approx(np.exp(change.mean()))
        assert told in row.found.statement
    (step,) = [step for step in found.steps if step.name == "flow_check"]
    assert step.parameters["assumed"] is True


def test_the_plan_names_the_margin(tmp_path):
    _, found = made(tmp_path, contrast("flow_margin = 1.25"), [*BINDING, *delivery()[2]])
    assert (found.flow[0].margin, found.flow[0].assumed) == (1.25, False)
    assert found.flow[0].rows[0].found.margin == 1.25


def test_k2_prime_is_compared_where_the_model_finds_it(tmp_path):
    rows = [*BINDING, *delivery()[2], *delivery(2, parameter="k2_prime")[2]]
    _, found = made(tmp_path, contrast(), rows)
    assert [(row.region, row.parameter) for row in found.flow[0].rows] == [
        (region, parameter) for parameter in ("R1", "k2_prime") for region in REGIONS
    ]


def test_a_model_without_R1_has_no_table(tmp_path):
    _, found = made(tmp_path, contrast(), binding({"a": OWN, "b": LOWER}, model="LoganRef"), model="LoganRef")
    assert found.flow[0].rows == ()
    assert found.steps == ()


def test_flow_takes_the_people_of_the_contrast_in_its_arm_and_lists_who_lacks_R1(tmp_path):
    bad = [row._replace(value=-0.1) if row.participant == "04" and row.session == "b" else row for row in delivery()[2]]
    rows = [row for row in [*BINDING, *bad] if not (row.participant == "02" and row.parameter == "R1")]
    rows = [row._replace(arm=OF[row.participant]) for row in rows]
    _, found = made(tmp_path, ARMS + contrast('arm = "drug"'), rows, People({"arm": OF}))
    (first, *_) = found.flow[0].rows
    drugged = [who for who in WHO if OF[who] == "drug"]
    assert first.n == len(drugged) - 2
    told = {one.participant: one.reason for one in first.excluded}
    assert "not above 0" in told["04"]
    assert set(told) == {"02", "04"}


def test_a_region_without_R1_has_a_row_that_says_so(tmp_path):
    rows = [row for row in delivery()[2] if row.region != "caudate"]
    one = [row for row in rows if row.region != "thalamus" or row.participant == "01"]
    _, found = made(tmp_path, contrast(), [*BINDING, *one])
    by_region = {row.region: row for row in found.flow[0].rows}
    assert by_region["caudate"].why == "there is no R1 of this region"
    assert "needs two participants, and there is 1" in by_region["thalamus"].why
    assert by_region["putamen"].found is not None


@pytest.mark.parametrize(
    "lines",
    [
        contrast('sessions = ["a", "b"]', kind="groups", terms='["placebo", "drug"]'),
        contrast('sessions = ["a", "b"]', kind="ancova", terms='["placebo", "drug"]'),
        contrast('by = "arm"', 'levels = ["placebo", "drug"]', kind="interaction"),
    ],
    ids=["groups", "ancova", "interaction"],
)
def test_changes_of_R1_are_compared_between_arms(tmp_path, lines):
    before, after, rows = delivery(5)
    rows = [row._replace(arm=OF[row.participant]) for row in [*BINDING, *rows]]
    _, found = made(tmp_path, ARMS + lines, rows, People({"arm": OF}))
    change = {who: np.log(after[who] / before[who]) for who in WHO}
    drug, placebo = ([change[who] for who in WHO if OF[who] == arm] for arm in ("drug", "placebo"))
    plain = stats.ttest_ind(drug, placebo, equal_var=False)
    for row in found.flow[0].rows:
        assert row.found.p == pytest.approx(plain.pvalue)
        assert row.found.ratio.value == pytest.approx(np.exp(np.mean(drug) - np.mean(placebo)))
    assert found.flow[0].arms == ("placebo", "drug")


THETA0, FOLD, RECEPTORS, RELEASED = 0.25, 1.8, 1.3, 0.5
LOAD = 1 + THETA0 * (FOLD - 1)


def times(factor):
    return {who: own * factor for who, own in OWN.items()}


def test_a_pair_gives_receptors_or_ligand_and_says_that_it_cannot_tell(tmp_path):
    rows = binding({"a": OWN, "b": times(RECEPTORS / LOAD)})
    contrasts, found = made(tmp_path, contrast("theta0 = 0.25", kind="displacement"), rows)
    (told,) = found.ligand
    ratio = RECEPTORS / LOAD
    for row in told.rows:
        assert row.found.receptors.value == pytest.approx(ratio)
        assert row.found.extra.value == pytest.approx(1 / ratio - 1)
        assert row.found.fold.value == pytest.approx(1 + (1 / ratio - 1) / 0.25)
        assert "cannot tell" in row.found.statement
    (answer,) = contrasts
    assert answer.rows[0].estimate == pytest.approx(100 * (ratio - 1))
    assert answer.unit == "%"
    assert any("cannot tell a change of receptor number" in note for note in answer.notes)


def test_the_row_of_a_pair_is_fieller_and_the_paired_t_test(tmp_path):
    before, after = ([sessions[who] for who in WHO] for sessions in (OWN, LOWER))
    contrasts, _ = made(tmp_path, contrast(kind="displacement"), BINDING)
    row = contrasts[0].rows[0]
    assert row.p == pytest.approx(stats.ttest_rel(after, before).pvalue)
    for end in (row.ci_low, row.ci_high):  # ends are the ratios r at which the t test of b - r a is at 5 %
        shifted = np.array(after) - (1 + end / 100) * np.array(before)
        assert stats.ttest_1samp(shifted, 0).pvalue == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("design", "third", "fourth"),
    [
        ("release", 1 / (1 + RELEASED), RECEPTORS / (LOAD + RELEASED)),
        ("depletion", 1 / (1 - THETA0), RECEPTORS / (1 - THETA0)),
    ],
)
def test_four_sessions_tell_receptors_from_ligand(tmp_path, design, third, fourth):
    rows = binding({"a": OWN, "b": times(RECEPTORS / LOAD), "c": times(third), "d": times(fourth)})
    lines = contrast(f'design = "{design}"', kind="displacement", terms='["a", "b", "c", "d"]')
    contrasts, found = made(tmp_path, lines, rows)
    for row in found.ligand[0].rows:
        assert row.found.receptors.value == pytest.approx(RECEPTORS)
        assert row.found.extra.value == pytest.approx(LOAD - 1)
        if design == "depletion":
            assert row.found.theta0.value == pytest.approx(THETA0)
            assert row.found.fold.value == pytest.approx(FOLD)
    assert contrasts[0].rows[0].estimate == pytest.approx(100 * (RECEPTORS - 1))
    assert not any("cannot tell" in note for note in contrasts[0].notes)


def test_who_has_no_binding_is_left_out_and_one_person_tells_nothing(tmp_path):
    rows = [row._replace(value=-0.2) if row.participant == "03" else row for row in BINDING]
    contrasts, found = made(tmp_path, contrast(kind="displacement"), rows)
    assert found.ligand[0].rows[0].n == len(contrasts[0].rows[0].pairs) == 7
    assert "not above 0" in found.ligand[0].rows[0].excluded[0].reason
    alone = [row for row in BINDING if row.participant == "01" or row.region == "putamen"]
    _, found = made(tmp_path, contrast(kind="displacement"), alone)
    assert "one participant allows no inference" in found.ligand[0].rows[1].why


DOSE = {who: dose for who, dose in zip(WHO, (0.5, 1, 2, 4, 8, 16, 32, 64), strict=True)}
ED50 = 6.0
OCCUPIED = binding({"a": OWN, "b": {who: OWN[who] * ED50 / (DOSE[who] + ED50) for who in WHO}})


def doses(**changes):
    return People({"dose": {who: str(changes.get(f"of{who}", dose)) for who, dose in DOSE.items()}})


def test_occupancy_against_dose_comes_back_in_each_region(tmp_path):
    lines = contrast('exposure = "dose"', 'exposure_unit = "mg"', kind="occupancy")
    _, found = made(tmp_path, lines, OCCUPIED, doses())
    (told,) = found.dose
    assert [row.region for row in told.rows] == list(REGIONS)
    for row in told.rows:
        assert row.fit.EC50.value == pytest.approx(ED50, rel=1e-4)
        assert dict(row.doses)[0.8].value == pytest.approx(4 * ED50, rel=1e-4)
    assert (told.unit, told.E_max, told.hill) == ("mg", 1.0, 1.0)


def test_parameters_are_fitted_or_fixed_as_the_plan_says(tmp_path):
    lines = contrast('exposure = "dose"', 'E_max = "fit"', "hill = 1.0", kind="occupancy")
    _, found = made(tmp_path, lines, OCCUPIED, doses())
    assert found.dose[0].rows[0].fit.free == ("EC50", "E_max")
    assert found.dose[0].rows[0].fit.E_max.value == pytest.approx(1.0, rel=1e-3)
    assert (found.dose[0].E_max, found.dose[0].hill) == (None, 1.0)


def test_people_without_exposure_are_left_out_where_the_plan_says_so(tmp_path):
    people = doses(of03="n/a")
    lines = contrast('exposure = "dose"', 'missing = "exclude"', kind="occupancy")
    _, found = made(tmp_path, lines, OCCUPIED, people)
    assert (len(found.dose[0].rows[0].points), found.dose[0].rows[0].left_out) == (7, (("03", "no dose"),))
    _, found = made(tmp_path, contrast('exposure = "dose"', kind="occupancy"), OCCUPIED, people)
    assert found.dose == ()
    assert "is missing for 03" in found.unmade[0]


PLAN = (
    HEAD.format("SRTM")
    + contrast().replace('"c"', '"change"')
    + contrast("theta0 = 0.25", "theta0_range = [0.1, 0.4]", kind="displacement").replace('"c"', '"ligand"')
    + contrast('exposure = "dose"', 'exposure_unit = "mg"', kind="occupancy").replace('"c"', '"dose"')
)


@pytest.fixture
def study(tmp_path):
    """A plan with its participants and estimates: R1 does not change, and the occupancy follows a known curve."""
    (tmp_path / "raphe.toml").write_text(PLAN, encoding="utf-8")
    lines = ["participant_id\tdose", *(f"sub-{who}\t{dose}" for who, dose in DOSE.items())]
    (tmp_path / "participants.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    table(tmp_path / "estimates.tsv", [*OCCUPIED, *delivery()[2]])
    return tmp_path


def test_raphe_stats_writes_the_tables(study, raphe, rows_of):
    ended = raphe("stats", study / "raphe.toml", study / "estimates.tsv", "--out", study / "out")
    assert ended.code == 0, ended.err
    group = study / "out" / "group"
    names = {"change": "flow", "ligand": "displacement", "dose": "doseresponse"}
    for contrast_name, what in names.items():
        path = group / f"contrast-{contrast_name}_{what}.tsv"
        assert str(path) in ended.out.split()
        rows, told = rows_of(path), json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        assert [row["region"] for row in rows] == list(REGIONS)
        assert set(rows[0]) <= set(told)
    flow = rows_of(group / "contrast-change_flow.tsv")[0]
    assert (flow["parameter"], flow["n"], flow["margin"]) == ("R1", "8", "1.1")
    assert float(flow["ci_low"]) < float(flow["ci90_low"]) < float(flow["ratio"]) < float(flow["ci90_high"])
    sidecar = json.loads((group / "contrast-change_flow.json").read_text(encoding="utf-8"))
    assert "assumption" in sidecar["EquivalenceMargin"]["Source"]
    ligand = json.loads((group / "contrast-ligand_displacement.json").read_text(encoding="utf-8"))
    assert ligand["AssumedTheta0"] == {
        "Value": 0.25,
        "Range": [0.1, 0.4],
        "Source": "an assumption of the study plan, not measured here",
    }
    (first, *_) = rows_of(group / "contrast-dose_doseresponse.tsv")
    assert float(first["EC50"]) == pytest.approx(ED50, rel=1e-4)
    assert {"contrast-change_flow.tsv", "contrast-change_flow.json"} <= {
        name.rpartition("/")[2] for name in json.loads((study / "out/provenance/stats.json").read_text())["outputs"]
    }


def test_raphe_stats_prints_the_sentences(study, raphe):
    ended = raphe("stats", study / "raphe.toml", study / "estimates.tsv")
    assert "delivery is shown to be the same" in ended.out
    assert "is an assumption of raphe" in ended.out
    assert "theta0 = 0.25 (0.1 to 0.4) is an assumption of the plan" in ended.out
    assert "ED50 6 (" in ended.out


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("sub-03\t2", "sub-03\t-2", ["line 21", "the dose of sub-03 is -2"]),
        ("sub-03\t2", "sub-03\tn/a", ["line 21", "1 person without 'dose': sub-03", 'missing = "exclude"']),
        (
            "sub-03\t2",
            "sub-03\tmuch",
            ["participants.tsv: column 'dose', line 4: 'much' is not a number; give the dose"],
        ),
        ("\tdose", "\tdoze", ["line 21", "'dose' is no column", "doze"]),
        ("sub-03\t2", "sub-04\t2", ["participants.tsv", "line", "already"]),
    ],
    ids=["negative", "missing", "text", "no column", "doubled"],
)
def test_exposures_that_cannot_be_are_refused_with_the_line(study, refused, old, new, words):
    path = study / "participants.tsv"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    refused("stats", study / "raphe.toml", study / "estimates.tsv", "--out", study / "out", words=words)


def test_raphe_run_shows_flow_beside_the_contrast(files, raphe, rows_of):
    files.plan.write_text(
        files.plan.read_text()
        + '\n[[contrast]]\nname = "ligand"\nkind = "displacement"\nterms = ["baseline", "rescan"]\ntheta0 = 0.2\n'
        + '\n[[contrast]]\nname = "dose"\nkind = "occupancy"\nterms = ["baseline", "rescan"]\nexposure = "dose"\n'
    )
    (files.root / "participants.tsv").write_text("participant_id\tdose\nsub-01\t1\nsub-02\t4\n")
    ended = raphe("run", files.root, files.out, "all", "--quiet")
    assert ended.code in (0, 1), ended.err
    rows = rows_of(files.out / "group" / "contrast-change_flow.tsv")
    assert [row["parameter"] for row in rows] == ["R1"] * 4 + ["k2_prime"] * 4
    for row in rows[:4]:  # the curves were made with the same R1 in both scans
        assert float(row["ratio"]) == pytest.approx(1, abs=0.02)
    page = (files.out / "report.html").read_text(encoding="utf-8")
    for words in (
        "Flow: delivery and clearance in the same people",
        "The margin of 10\N{NO-BREAK SPACE}% is an assumption of raphe",
        "Endogenous ligand or receptors",
        "is an assumption of the plan and was not measured here",
        "Occupancy against dose",
        "two one-sided tests at 5",
        "Schuirmann",
        "Laruelle",
        "Venzon",
    ):
        assert words in page, words
    assert (files.out / "group" / "contrast-ligand_displacement.tsv").is_file()
    assert (files.out / "group" / "contrast-dose_doseresponse.json").is_file()


def test_an_exposure_may_be_a_score_of_a_visit(tmp_path):
    (tmp_path / "participants.tsv").write_text("participant_id\n" + "".join(f"sub-{who}\n" for who in WHO))
    (tmp_path / "phenotype").mkdir()
    lines = ["participant_id\tsession_id\tlevel", *(f"sub-{who}\tb\t{dose}" for who, dose in DOSE.items())]
    (tmp_path / "phenotype" / "plasma.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = tmp_path / "raphe.toml"
    path.write_text(HEAD.format("SRTM") + contrast('exposure = "plasma:b"', kind="occupancy"), encoding="utf-8")
    people, faults = people_of(read_plan(path), tmp_path / "participants.tsv", tmp_path / "phenotype")
    assert faults == ()
    _, found = made(tmp_path, contrast('exposure = "plasma:b"', kind="occupancy"), OCCUPIED, people)
    assert found.dose[0].rows[0].fit.EC50.value == pytest.approx(ED50, rel=1e-4)


def test_raphe_check_tells_faults_of_exposures(files, raphe):
    text = (
        files.plan.read_text() + '\n[[contrast]]\nname = "dose"\nkind = "occupancy"\nterms = ["baseline", "rescan"]\n'
    )
    line = text.count("\n") + 1
    files.plan.write_text(text + 'exposure = "dose"\n')
    ended = raphe("check", files.root)
    assert ended.code == 2
    assert f"line {line}: contrast 'dose': 'dose' is no column of participants.tsv" in ended.out + ended.err
    (files.root / "participants.tsv").write_text("participant_id\tdose\nsub-01\t1\nsub-02\t-4\n")
    ended = raphe("check", files.root)
    assert f"line {line}: contrast 'dose': exposure 'dose': the dose of sub-02 is -4" in ended.out + ended.err
