"""Every command from words to files: names, columns, sidecars and exit codes as other people's scripts expect them."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from raphe.cli import main

BP_ND = {"thalamus": 1.9, "putamen": 2.1, "caudate": 1.6, "hippocampus": 0.7}
R1 = {"thalamus": 1.0, "putamen": 1.1, "caudate": 0.9, "hippocampus": 0.8}
CHANGE = {("01", "baseline"): 1.0, ("01", "rescan"): 0.9, ("02", "baseline"): 1.1, ("02", "rescan"): 1.0}
K2_PRIME = 0.06

PARAMETERS = {
    "SRTM": ["BPND", "R1", "k2", "k2prime", "k2a"],
    "SRTM2": ["BPND", "R1", "k2", "k2a"],
    "MRTM1": ["BPND", "R1", "k2", "k2prime", "k2a"],
    "MRTM2": ["BPND", "R1", "k2", "k2a"],
    "LoganRef": ["BPND"],
}
SCAN = "sub-01_ses-baseline"


def columns(model):
    """Columns of a table of parameters, as the interface has them."""
    pairs = [column for label in PARAMETERS[model] for column in (label, f"{label}-se")]
    return ["name", *pairs, "sigma", "aicc", "n_frames", "quality"]


def files_of(scan, model="SRTM"):
    folder = "/".join(scan.split("_")[:2])
    stems = (f"{scan}_seg-test_desc-preproc_tacs", f"{scan}_seg-test_model-{model}_kinpar")
    return {
        f"{folder}/report.html",
        f"provenance/{scan}.json",
        *(f"{folder}/pet/{stem}.{kind}" for stem in stems for kind in ("tsv", "json")),
    }


ABOUT = {"dataset_description.json", ".bidsignore"}
SCANS = [f"sub-{who}_ses-{session}" for who, session in CHANGE]
GROUP = {
    "report.html",
    "provenance/group.json",
    *(
        f"group/{stem}.{kind}"
        for stem in (
            "estimates",
            "contrast-change_flow",
            "contrast-change_result",
            "contrast-change_values",
            "agreement-baselinerescan_trc-DASB_model-SRTM_meas-BPND_result",
        )
        for kind in ("tsv", "json")
    ),
}


def names(out):
    return {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}


def test_run_writes_these_files_and_prints_the_report(files, raphe):
    ended = raphe("run", files.root, files.out, "all")
    assert (ended.code, ended.out) == (0, f"{files.out / 'report.html'}\n")
    assert names(files.out) == ABOUT | GROUP | set().union(*(files_of(scan) for scan in SCANS))


def test_the_participant_level_writes_the_scans_alone(files, raphe):
    ended = raphe("run", files.root, files.out, "participant", "--participant-label", "02", "--session-label", "rescan")
    assert (ended.code, ended.out) == (0, "")
    assert names(files.out) == ABOUT | files_of("sub-02_ses-rescan")


def test_a_dry_run_writes_nothing(files, raphe, contents, tmp_path):
    before = contents(tmp_path)
    ended = raphe("run", files.root, files.out, "all", "--dry-run")
    assert ended.code == 0
    assert ended.out.splitlines() == [f"would fit SRTM to {table}" for table in files.tables()]
    assert contents(tmp_path) == before


@pytest.mark.parametrize("left", ["nothing", "sidecars", "an MRI"])
def test_a_dry_run_of_a_study_without_curves_or_images_says_so(files, refused, left):
    shutil.rmtree(files.root / "derivatives")
    if left == "nothing":
        for who in ("01", "02"):
            shutil.rmtree(files.root / f"sub-{who}")
    if left == "an MRI":
        path = files.root / "sub-01/ses-baseline/anat/sub-01_ses-baseline_T1w.nii.gz"
        path.parent.mkdir()
        path.touch()
    for more in ((), ("--dry-run",)):
        words = ["there are no time-activity curves", "--derivatives"]
        refused("run", files.root, files.out, "all", *more, words=words)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--participant-label", "1"), ["no images of sub-1", "did you mean 'sub-01'? The zeros are part"]),
        (("--session-label", "third"), ["no images of ses-third", "there is only ses-baseline"]),
        (("--tracer", "SB207145"), ["the images are of DASB, and none of SB207145", "TracerName"]),
    ],
)
def test_images_of_others_than_were_asked_for(scan, files, refused, words, told):
    shutil.rmtree(files.root / "derivatives")
    for more in ((), ("--dry-run",)):
        refused("run", files.root, files.out, "all", *words, *more, words=told)


def test_a_plan_that_images_cannot_answer_is_refused_before_they_are_worked_on(scan, files, raphe, refused):
    shutil.rmtree(files.root / "derivatives")
    for place in (("01", "rescan"), ("02", "baseline"), ("02", "rescan")):
        shutil.copy(scan.pet, files.pet_of(*place).with_suffix(".nii.gz"))
    assert raphe("check", files.root).code == 1  # small images without MRI
    assert raphe("run", files.root, files.out, "all", "--dry-run").code == 0
    files.plan.write_text(files.plan.read_text().replace('"rescan"', '"after"'))
    told = "line 13: session 'after' has no scan in the data; there are baseline, rescan"
    refused("run", files.root, files.out, "all", words=[told])
    checked = raphe("check", files.root)
    assert checked.code == 2
    assert told in checked.out


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("index\tname\n1\tthalamus\n1\tputamen\n", "line 3: index 1 stands twice, for 'thalamus' and 'putamen'"),
        ("number\tname\n1\tthalamus\n", "has no column 'index'; a table of labels has index and name (it has: number"),
        ("index\tname\n1\tthalamus\n2\tn/a\n", "line 3: index 2 has no name"),
        ("index\tname\n1\ta\n2\ta\n3\tb\n4\tc\n5\td\n", "name 'a' stands twice, for index 1 and 2; name each"),
        ("index\tname\n1\tthalamus\ntwo\tputamen\n", "column 'index', line 3: 'two' is not a number"),
        (None, "has no table of its labels"),
    ],
)
def test_a_faulty_table_of_labels_is_refused_before_images_are_worked_on(scan, files, raphe, refused, table, told):
    shutil.rmtree(files.root / "derivatives")
    for place in (("01", "rescan"), ("02", "baseline"), ("02", "rescan")):
        shutil.copy(scan.pet, files.pet_of(*place).with_suffix(".nii.gz"))
    folder = files.root / "sub-01/ses-baseline/anat"
    folder.mkdir()
    scan.save(scan.labels.astype(np.float32), folder / "sub-01_ses-baseline_T1w.nii.gz")
    scan.save(scan.labels, folder / "sub-01_ses-baseline_seg-own_dseg.nii.gz")
    path = folder / "sub-01_ses-baseline_seg-own_dseg.tsv"
    names = ("thalamus", "putamen", "caudate", "hippocampus", "cerebellum", "unused", "unused")
    path.write_text("index\tname\n" + "".join(f"{number}\t{name}\n" for number, name in enumerate(names, 1)))
    assert raphe("run", files.root, files.out, "all", "--dry-run").code == 0
    path.unlink()
    if table is not None:
        path.write_text(table)
    words = [path.stem if table is None else path.name, told]
    refused("run", files.root, files.out, "all", words=words)
    checked = raphe("check", files.root)
    assert checked.code == 2
    assert told in checked.out


def test_the_truth_comes_back_within_its_standard_error(files, raphe, rows_of):
    raphe("run", files.root, files.out, "all")
    rows = rows_of(files.out / "group/estimates.tsv")
    assert " ".join(rows[0]) == ("participant session tracer condition arm region model parameter value se quality")
    assert len(rows) == 4 * 4 * 5
    for row in rows:
        scan = row["participant"], row["session"]
        true = {"BP_ND": CHANGE[scan] * BP_ND[row["region"]], "R1": R1[row["region"]], "k2_prime": K2_PRIME}
        if row["parameter"] in true:
            value, se = float(row["value"]), float(row["se"])
            assert value == pytest.approx(true[row["parameter"]], rel=0.01)
            assert 0 < se < 0.01 * value
        assert (row["tracer"], row["condition"], row["arm"], row["model"]) == ("DASB", "n/a", "n/a", "SRTM")
        assert row["quality"] == ""


def test_the_planned_change_comes_back(files, raphe, rows_of):
    raphe("run", files.root, files.out, "all")
    rows = rows_of(files.out / "group/contrast-change_result.tsv")
    assert list(rows[0])[:11] == [
        "contrast", "region", "estimate", "se", "df", "ci_low", "ci_high", "p", "p_adjusted", "n", "excluded",
    ]  # fmt: skip
    assert [row["region"] for row in rows] == list(BP_ND)
    for row in rows:
        assert (row["contrast"], row["df"], row["n"], row["excluded"]) == ("change", "1", "2", "0")
        assert float(row["estimate"]) == pytest.approx(-0.1 * BP_ND[row["region"]], abs=0.02)
        assert float(row["ci_low"]) < float(row["estimate"]) < float(row["ci_high"])
        assert float(row["p_adjusted"]) >= float(row["p"])
    told = json.loads((files.out / "group/contrast-change_result.json").read_text())
    assert told["Terms"] == ["baseline", "rescan"]
    assert told["Primary"] is True


@pytest.mark.parametrize(("model", "kind"), [("SRTM", "HC3"), ("FRTM", "HC2")])
def test_the_kind_of_standard_errors_that_a_sidecar_names_is_that_of_its_model(files, raphe, model, kind):
    assert raphe("run", files.root, files.out, "participant", "--model", model).code in (0, 1)
    sidecar = files.out / f"sub-01/ses-baseline/pet/{SCAN}_seg-test_model-{model}_kinpar.json"
    told = json.loads(sidecar.read_text())["Notes"]["SE"]
    assert told.endswith(f"true 1/variance ({kind})")
    assert f"consistent ({kind};" in (files.out / "sub-01/ses-baseline/report.html").read_text()


@pytest.mark.parametrize("model", PARAMETERS)
def test_a_table_of_parameters_and_its_sidecar(files, raphe, rows_of, model):
    words = ["run", files.root, files.out, "participant", "--model", model]
    ended = raphe(*words)
    assert ended.code == 0, ended.err
    table = files.out / f"sub-01/ses-baseline/pet/{SCAN}_seg-test_model-{model}_kinpar.tsv"
    rows = rows_of(table)
    assert list(rows[0]) == columns(model)
    assert [row["name"] for row in rows] == list(BP_ND)
    told = json.loads(table.with_suffix(".json").read_text())
    fields = (
        "Description", "Sources", "ModelName", "ReferenceRegion", "InputValues", "InputValuesLabels", "Weights",
        "Convention", "SoftwareName", "SoftwareVersion", "CommandLine", "References",
    )  # fmt: skip
    assert set(fields) <= set(told)
    assert (told["ModelName"], told["ReferenceRegion"], told["Convention"]) == (model, "cerebellum", "average")
    assert told["CommandLine"].startswith("raphe run ")
    assert len(told["InputValues"]) == len(told["InputValuesLabels"]) == len(told["InputValuesUnits"])
    assert f"bids:raw:sub-01/ses-baseline/pet/{SCAN}_pet.json" in told["Sources"]
    assert set(columns(model)) <= set(told)
    assert set(told["BPND-se"]) == {"Description", "Units"}
    assert told["BPND-se"]["Units"] == "%"


def test_standard_errors_stand_in_per_cent_here_and_as_they_are_there(files, raphe, rows_of):
    raphe("run", files.root, files.out, "all")
    table = files.out / f"sub-01/ses-baseline/pet/{SCAN}_seg-test_model-SRTM_kinpar.tsv"
    percent = {row["name"]: float(row["BPND-se"]) for row in rows_of(table)}
    for row in rows_of(files.out / "group/estimates.tsv"):
        if (row["participant"], row["session"], row["parameter"]) == ("01", "baseline", "BP_ND"):
            share = 100 * float(row["se"]) / float(row["value"])
            assert share == pytest.approx(percent[row["region"]], rel=1e-6)


def test_the_curves_that_were_fitted_stand_in_the_output(files, raphe, rows_of):
    raphe("run", files.root, files.out, "participant")
    table = files.out / f"sub-01/ses-baseline/pet/{SCAN}_seg-test_desc-preproc_tacs.tsv"
    rows, given = rows_of(table), files.rows()
    assert list(rows[0]) == ["frame_start", "frame_end", *BP_ND]
    assert [row["frame_start"] for row in rows] == [row[0] for row in given[1:]]
    at = given[0].index("putamen")
    np.testing.assert_allclose([float(r["putamen"]) for r in rows], [float(r[at]) / 1000 for r in given[1:]])
    told = json.loads(table.with_suffix(".json").read_text())
    assert (told["Units"], told["InjectedRadioactivity"], len(told["FrameTimesStart"])) == ("kBq/mL", 400.0, 36)


def test_the_output_is_a_dataset_that_names_its_sources(files, raphe):
    raphe("run", files.root, files.out, "all")
    told = json.loads((files.out / "dataset_description.json").read_text())
    assert (told["Name"], told["DatasetType"]) == ("A small study", "derivative")
    assert told["GeneratedBy"][0]["Name"] == "raphe"
    assert list(told["DatasetLinks"]) == ["raw", "derivative1"]
    assert len(told["SourceDatasets"]) == 2
    record = json.loads((files.out / f"provenance/{SCAN}.json").read_text())
    assert {step["name"] for step in record["steps"]} >= {"read", "reference", "fit"}
    assert any(str(files.table) in step["inputs"] for step in record["steps"])
    assert all("seconds" in step for step in record["steps"])
    assert {"raphe", "numpy", "scipy", "python"} <= set(record["versions"])


def test_the_report_needs_nothing_else(files, raphe):
    raphe("run", files.root, files.out, "all")
    for page in files.out.rglob("*.html"):
        text = page.read_text()
        assert not re.search(r'(?:src|href)="(?:https?:)?//(?!doi\.org)', text)
        assert "<link" not in text
    page = (files.out / "report.html").read_text()
    for words in ("A small study", "Bland", "limits of agreement", "Methods", "thalamus", "Lammertsma"):
        assert words in page


def test_without_a_plan_the_catalog_decides(files, raphe):
    files.plan.unlink()
    assert raphe("run", files.root, files.out, "all").code == 0
    told = json.loads((files.out / f"sub-01/ses-baseline/pet/{SCAN}_seg-test_model-MRTM2_kinpar.json").read_text())
    assert "catalog" in told["Notes"]["ReferenceRegion"]
    assert "catalog" in told["Notes"]["k2prime"]
    assert not list(files.out.rglob("contrast-*"))
    assert list(files.out.rglob("agreement-*"))


def test_the_command_line_goes_before_the_plan(files, raphe, rows_of):
    files.copied("cerebellum", "other")
    for table in files.tables()[1:]:
        files.copied("cerebellum", "other", table)
    words = ["--model", "mrtm", "--reference", "other", "--weights", "uniform", "--convention", "midframe"]
    assert raphe("run", files.root, files.out, "all", *words).code == 1  # two regions are one
    told = json.loads((files.out / f"sub-01/ses-baseline/pet/{SCAN}_seg-test_model-MRTM1_kinpar.json").read_text())
    assert (told["ModelName"], told["ReferenceRegion"], told["Convention"]) == ("MRTM1", "other", "midframe")
    assert "equal" in told["Weights"]
    assert "command line" in told["Notes"]["ReferenceRegion"]


def test_a_plan_elsewhere_goes_before_the_one_in_the_data(files, raphe, tmp_path):
    plan = tmp_path / "other.toml"
    plan.write_text('[[tracer]]\nname = "[11C]DASB"\nmodel = "SRTM2"\nreference = "cerebellum"\nk2_prime = 0.06\n')
    assert raphe("run", files.root, files.out, "all", "--plan", plan).code == 0
    assert len(list(files.out.rglob("*_model-SRTM2_kinpar.tsv"))) == 4
    assert raphe("check", files.root, "--plan", plan).code == 0


def test_corrections_and_segmentations_are_chosen_by_name(files, raphe):
    for table in files.tables():
        for old, new in (("_seg-test", "_seg-test_pvc-AGTM"), ("_seg-test", "_seg-other")):
            copy = table.with_name(table.name.replace(old, new))
            copy.write_text(table.read_text())
            files.cell(20, "putamen", 12345, copy)
    command = ["run", files.root, files.out, "participant", "--quiet"]
    assert raphe(*command, "--seg", "other").code in (0, 1)
    assert raphe(*command, "--seg", "test", "--pvc", "agtm").code in (0, 1)
    assert raphe(*command, "--seg", "test", "--pvc", "nopvc").code in (0, 1)
    folder = files.out / "sub-01/ses-baseline/pet"
    assert (folder / f"{SCAN}_seg-test_model-SRTM_kinpar.tsv").is_file()
    assert not (folder / f"{SCAN}_seg-other_model-SRTM_kinpar.tsv").is_file()


def test_several_workers_give_the_same_numbers(files, tmp_path):
    for workers, out in (("1", "one"), ("2", "two")):
        words = ["run", files.root, tmp_path / out, "all", "--workers", workers, "--quiet"]
        ended = subprocess.run([sys.executable, "-m", "raphe.cli", *map(str, words)], capture_output=True, text=True)
        assert (ended.returncode, ended.stderr) == (0, "")
    for name in ("estimates.tsv", "contrast-change_result.tsv"):
        assert (tmp_path / "one/group" / name).read_bytes() == (tmp_path / "two/group" / name).read_bytes()


def test_the_volumes_of_the_parts_weight_a_merged_region(files, raphe, rows_of):
    files.edit("list = [", 'merge = { striatum = ["putamen", "caudate"] }\nlist = ["striatum", ')
    for table in files.tables():
        morph = table.with_name(table.name.replace("desc-preproc_tacs", "desc-preproc_morph"))
        morph.write_text("name\tvolume-mm3\nputamen\t9000\ncaudate\t1000\n")
    assert raphe("run", files.root, files.out, "participant").code == 0
    table = files.out / f"sub-01/ses-baseline/pet/{SCAN}_seg-test_desc-preproc_tacs.tsv"
    for row in rows_of(table):
        mean = 0.9 * float(row["putamen"]) + 0.1 * float(row["caudate"])
        assert float(row["striatum"]) == pytest.approx(mean, rel=1e-6)


@pytest.mark.parametrize("quiet", [True, False])
def test_quiet_and_the_log(files, raphe, tmp_path, quiet):
    log = tmp_path / "log.jsonl"
    words = ["--quiet"] if quiet else ["--verbose"]
    ended = raphe("run", files.root, files.out, "all", "--log-file", log, *words)
    assert (ended.err == "") == quiet
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"time", "level", "command", "message"} == set(lines[0])
    assert any("4 scans analysed" in line["message"] for line in lines)
    files.tell(Units=...)
    assert raphe("run", files.root, files.out, "all", "--log-file", log, *words).code == 2
    last = json.loads(log.read_text().splitlines()[-1])
    assert last["level"] == "error"
    assert "Units is missing" in last["message"]


def fit(files, raphe, *words, reference="cerebellum"):
    return raphe("fit", files.table, "--reference", reference, *words)


@pytest.mark.parametrize("model", PARAMETERS)
@pytest.mark.parametrize("convention", ["average", "midframe"])
def test_fit_prints_what_it_writes(files, raphe, rows_of, model, convention):
    words = ["--model", model.lower(), "--convention", convention, "--quiet"]
    if model == "LoganRef":
        words += ["--k2-prime", str(K2_PRIME)]  # without it, the plot of a curve that falls is biased
    printed = fit(files, raphe, *words)
    assert (printed.code, printed.err) == (0, "")
    head, *rows = (line.split("\t") for line in printed.out.splitlines())
    assert head == columns(model)
    assert [row[0] for row in rows] == list(BP_ND)
    for row in rows:
        loose = 0.02 if convention == "midframe" else 0.005
        assert float(row[1]) == pytest.approx(BP_ND[row[0]], rel=loose)
    written = fit(files, raphe, *words, "--out", files.out)
    path = files.out / f"{SCAN}_seg-test_model-{model}_kinpar.tsv"
    assert (written.code, written.out) == (0, f"{path}\n")
    assert path.read_text() == printed.out
    told = json.loads(path.with_suffix(".json").read_text())
    assert (told["ModelName"], told["Convention"]) == (model, convention)
    assert names(files.out) == {path.name, path.with_suffix(".json").name}


def test_fit_tells_what_check_tells_of_a_table(files, raphe):
    """A frame that was lost is no reason to refuse, but one to look."""
    words = ("--model", "SRTM", "--quiet")
    assert fit(files, raphe, *words).code == 0
    lines = [line.split("\t") for line in files.table.read_text().splitlines()]
    at = lines[0].index("putamen")
    lines[-4][at] = "0"
    files.table.write_text("".join("\t".join(cells) + "\n" for cells in lines))
    ended = fit(files, raphe, *words)
    assert ended.code == 1
    assert "region 'putamen' leaps in frame" in ended.err
    assert "leaps" in raphe("check", files.root).out


def number(ended, column="BPND", region="thalamus"):
    head, *rows = (line.split("\t") for line in ended.out.splitlines())
    return float(next(row for row in rows if row[0] == region)[head.index(column)])


def test_fit_takes_k2_prime_as_a_number_or_finds_it(files, raphe):
    exact = fit(files, raphe, "--model", "MRTM2", "--k2-prime", "0.06")
    found = fit(files, raphe, "--model", "MRTM2", "--k2-prime", "auto")
    wrong = fit(files, raphe, "--model", "MRTM2", "--k2-prime", "0.12")
    assert number(exact) == pytest.approx(1.9, rel=0.005)
    assert number(found) == pytest.approx(1.9, rel=0.005)
    assert abs(number(wrong) - 1.9) > 0.02
    assert number(found, "BPND-se") > number(exact, "BPND-se")  # the uncertainty of k2_prime is in it
    told = fit(files, raphe, "--model", "SRTM2", "--k2-prime", "0.06", "--out", files.out)
    sidecar = json.loads(next(files.out.glob("*.json")).read_text())
    assert told.code == 0
    assert dict(zip(sidecar["InputValuesLabels"], sidecar["InputValues"], strict=True))["k2prime"] == 0.06


@pytest.mark.parametrize("model", ["SRTM2", "MRTM2", "LoganRef"])
def test_a_k2_prime_in_another_unit_is_doubted(files, raphe, model):
    """3 is 0.05 / s; no k2' of a tracer of the brain is near."""
    odd = fit(files, raphe, "--model", model, "--k2-prime", "3")
    assert f"warning: {files.table}: k2' of 3 1/min is outside of 0.005 to 1" in odd.err
    assert odd.code == 1
    assert "k2'" not in fit(files, raphe, "--model", model, "--k2-prime", "0.06").err
    planned = raphe("run", files.root, files.out, "participant", "--model", model, "--k2-prime", "3")
    assert "--k2-prime: k2' of 3 1/min is outside" in planned.err


def test_fit_takes_t_star_and_frames(files, raphe):
    late = fit(files, raphe, "--model", "LoganRef", "--t-star", "40")
    assert number(late, "n_frames") == 7  # mid-times 42.5 to 85 min
    assert number(fit(files, raphe, "--model", "MRTM1", "--t-star", "0"), "n_frames") == 36
    assert number(fit(files, raphe, "--model", "SRTM", "--frames", "0:34"), "n_frames") == 34
    assert number(fit(files, raphe, "--model", "SRTM", "--frames", ":"), "n_frames") == 36


@pytest.mark.parametrize("weights", ["decay", "duration", "uniform", "file"])
def test_fit_takes_weights_by_name_or_from_a_file(files, raphe, tmp_path, weights):
    if weights == "file":
        weights = tmp_path / "weights.tsv"
        weights.write_text("frame\tweight\n" + "".join(f"{at}\t{0 if at < 3 else 1 + at}\n" for at in range(36)))
    ended = fit(files, raphe, "--model", "SRTM", "--weights", weights)
    assert ended.code == 0
    assert number(ended) == pytest.approx(1.9, rel=0.01)
    assert number(ended, "n_frames") == (33 if weights == tmp_path / "weights.tsv" else 36)


def test_fit_on_a_table_alone_needs_its_unit_and_says_how_it_weights(files, raphe, tmp_path):
    table = tmp_path / "curves.tsv"
    table.write_text(files.table.read_text())
    words = ["fit", table, "--model", "SRTM", "--reference", "cerebellum", "--unit", "Bq/mL", "--out", files.out]
    for more, weighted in ((["--half-life", "20.364"], "remaining share"), ([], "duration of the frame")):
        assert raphe(*words, *more).code == 0
        told = json.loads((files.out / "curves_model-SRTM_kinpar.json").read_text())
        assert weighted in told["Weights"]


def test_fit_that_finds_next_to_nothing_ends_with_1(files, raphe):
    ended = fit(files, raphe, "--model", "SRTM", "--frames", "0:14", "--quiet")
    assert ended.code == 1
    assert "of 4 regions have no usable estimate" in ended.err


def test_check_tells_errors_as_json(files, raphe):
    assert raphe("check", files.root, "--json").out == "[]\n"
    files.tell(Units=..., InjectedRadioactivity=-1)
    ended = raphe("check", files.root, "--json")
    found = json.loads(ended.out)
    assert ended.code == 2
    assert [(one["severity"], one["field"]) for one in found] == [
        ("error", "Units"),
        ("warning", "InjectedRadioactivity"),
    ]
    assert {one["path"] for one in found} == {str(files.pet)}
    assert all(one["message"].startswith(str(files.pet)) for one in found)


@pytest.mark.parametrize("what", ["models", "tracers", "species", "protocols"])
def test_list_says_what_there_is_with_its_source(raphe, what):
    ended = raphe("list", what)
    assert (ended.code, ended.err) == (0, "")
    word = {"models": "SRTM2: ", "tracers": "[11C]DASB", "species": "human", "protocols": "36 frames"}[what]
    assert word in ended.out
    assert "doi" in ended.out or "[" in ended.out


def test_help_shows_an_example_of_every_command(raphe):
    for command in ("demo", "check", "run", "fit", "map", "occupancy", "simulate", "list"):
        ended = raphe(command, "--help")
        assert ended.code == 0
        assert (
            f"Example:  raphe {'simulate' if command in ('check', 'run', 'fit', 'map', 'occupancy') else command}"
            in ended.out
        )
    assert raphe("--version").out.startswith("raphe ")


def test_simulate_makes_a_study_whose_truth_comes_back(raphe, rows_of, tmp_path):
    study, out = tmp_path / "study", tmp_path / "out"
    ended = raphe("simulate", "test-retest", study, "--tacs-only", "--seed", "3", "--participants", "4")
    assert (ended.code, ended.out) == (0, f"{study / 'raphe.toml'}\n")
    assert raphe("check", study).code == 0
    assert raphe("run", study, out, "all").code == 0
    key = ("participant", "session", "tracer", "region")
    truth = {tuple(row[k] for k in key): float(row["BP_ND"]) for row in rows_of(study / "truth/parameters.tsv")}
    rows = [row for row in rows_of(out / "group/estimates.tsv") if row["parameter"] == "BP_ND"]
    assert {tuple(row[k] for k in key) for row in rows} == set(truth)
    flags = ("singular", "at_bound", "implausible", "imprecise", "not_converged", "bad_input")
    good = [row for row in rows if not any(flag in row["quality"] for flag in flags)]
    assert len(good) > 0.85 * len(rows)
    z = [(float(row["value"]) - truth[tuple(row[k] for k in key)]) / float(row["se"]) for row in good]
    assert np.mean(np.abs(z) < 1.96) > 0.85
    error = [float(row["value"]) / truth[tuple(row[k] for k in key)] - 1 for row in good]
    assert abs(np.median(error)) < 0.02
    agreement = rows_of(out / "group/agreement-baselinerescan_trc-AZ10419369_model-SRTM_meas-BPND_result.tsv")
    assert all(float(row["loa_low"]) < float(row["bias"]) < float(row["loa_high"]) for row in agreement)


def test_simulate_gives_the_same_bytes_for_the_same_seed(raphe, contents, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        raphe("simulate", "test-retest", tmp_path / name, "--tacs-only", "--seed", seed, "--participants", "2")
    assert contents(tmp_path / "a") == contents(tmp_path / "b") != contents(tmp_path / "c")


def test_simulate_refuses_a_place_that_holds_something(files, raphe, contents, tmp_path):
    before = contents(tmp_path)
    for place, told in ((files.root, "not empty"), (files.plan, "is a file"), (files.plan / "x", "file")):
        ended = raphe("simulate", "test-retest", place, "--tacs-only")
        assert (ended.code, ended.out) == (2, "")
        assert told in ended.err
    assert raphe("simulate", "test-retest", files.root).code == 2  # images likewise
    assert raphe("simulate", "test-retes", tmp_path / "new", "--tacs-only").code == 2
    assert contents(tmp_path) == before


def test_demo_ends_with_the_path_of_its_report(tmp_path):
    command = [sys.executable, "-m", "raphe.cli", "demo", str(tmp_path / "demo")]
    for _ in range(2):
        ended = subprocess.run(command, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        report = ended.stdout.splitlines()[-1]
        assert report == str(tmp_path / "demo/results/report.html")
        assert "Bland" in Path(report).read_text()
    assert "kept from before" in ended.stderr


def test_demo_does_not_touch_what_it_did_not_make(files, raphe, contents, tmp_path):
    before = contents(tmp_path)
    for place in (tmp_path, files.root, files.plan):
        ended = raphe("demo", place)
        assert ended.code == 2
        assert "holds something else" in ended.err
    assert contents(tmp_path) == before


def test_a_traceback_is_shown_only_on_request(files, raphe):
    files.tell(Units=...)
    assert "Traceback" not in raphe("run", files.root, files.out, "all").err
    with pytest.raises(Exception, match="Units is missing"):
        raphe("run", files.root, files.out, "all", "--debug")


LITERATURE = {"thalamus": (1.5, 2.3), "putamen": (1.7, 2.2), "striatum": (1.3, 2.0), "hippocampus": (0.4, 0.8)}
"""BP_ND of [11C]DASB: 1.94, 2.14, about 1.9 and 0.70 in Beliveau et al. 2017 (J Neurosci 37:120); one person here."""


def test_a_real_test_and_retest_stand_where_the_literature_has_them(shared_data, raphe, rows_of, tmp_path):
    plan = tmp_path / "raphe.toml"
    plan.write_text(
        '[study]\ntitle = "DASB"\n[[tracer]]\nname = "DASB"\nmodel = "MRTM2"\nreference = "reference"\n'
        f"[regions]\nlist = {json.dumps(list(LITERATURE))}\n"
    )
    out = tmp_path / "out"
    ended = raphe("run", shared_data / "tacs/dasb-test-retest", out, "all", "--plan", plan)
    assert ended.code == 0, ended.err
    rows = [row for row in rows_of(out / "group/estimates.tsv") if row["parameter"] == "BP_ND"]
    assert len(rows) == 8
    for row in rows:
        low, high = LITERATURE[row["region"]]
        assert low < float(row["value"]) < high
        assert row["quality"] in ("", "slow")
    agreement = rows_of(out / "group/agreement-baselinerescan_trc-DASB_model-MRTM2_meas-BPND_result.tsv")
    assert [row["region"] for row in agreement] == list(LITERATURE)
    assert all(0 < float(row["trv"]) < 25 for row in agreement)
    page = (out / "report.html").read_text()
    assert "Test-retest" in page
    assert all(region in page for region in LITERATURE)


@pytest.mark.parametrize(
    ("command", "way"),
    [
        (["run", "bids", "out", "all"], "goes on from here"),
        (["simulate", "tiger2020", "out"], "goes on from here"),
        (["simulate", "tiger2020", "out", "--tacs-only"], "begins anew"),
        (["map", "pet.nii", "--model", "SRTM", "--out", "out"], "begins anew"),
    ],
)
def test_a_stop_says_whether_anything_is_kept(monkeypatch, capsys, command, way):
    def stop(name):
        raise KeyboardInterrupt

    monkeypatch.setattr("importlib.import_module", stop)
    assert main(command) == 130
    assert capsys.readouterr().err == f"raphe {command[0]}: stopped; the same command {way}\n"
