"""A model that estimates the input, with a few samples of plasma for its scale: from files to V_T.

The curves are those of two-tissue kinetics behind an input of Feng's form, in closed form.
"""

import json
import shutil

import numpy as np
import pytest
from tests.pipeline.conftest import LENGTHS

from raphe.core.feng_tissue import plasma_at, tissues

INPUT = np.array([0.5, *np.log([800.0, 25.0, 15.0, 4.0, 0.15, 0.012])])
RATES = {
    "thalamus": (0.3, 0.1, 0.05, 0.03),
    "putamen": (0.15, 0.1, 0.02, 0.04),
    "caudate": (0.2, 0.3, 0.08, 0.02),
    "cerebellum": (0.4, 0.2, 0.1, 0.1),
}
V_T = {name: K1 / k2 * (1 + k3 / k4) for name, (K1, k2, k3, k4) in RATES.items()}
PLAN = '[study]\ntitle = "Few samples"\n\n[[tracer]]\nname = "DASB"\nmodel = {}\n'
JSON = {
    "time": {"Units": "min"},
    "plasma_radioactivity": {"Units": "kBq/mL"},
    "whole_blood_radioactivity": {"Units": "kBq/mL"},
    "metabolite_parent_fraction": {"Units": "unitless"},
}
WHOLE = np.array([*np.arange(0, 3, 0.1), 3.5, 4, 5, 6, 8, 10, 15, 20, 30, 40, 50, 60, 75, 90])


def own(K1, k2, k3, k4):
    """A tissue's parameters of :mod:`raphe.core.feng_tissue`: V_T, the two rates, and the second's share."""
    total = k2 + k3 + k4
    root = np.sqrt(total**2 - 4 * k2 * k4)
    slow, fast = (total - root) / 2, (total + root) / 2
    a, b = K1 * (k3 + k4 - slow) / root / slow, K1 * (fast - k3 - k4) / root / fast
    return [np.log(a + b), np.log(slow), np.log(fast), np.log(b / a)]


def parent(minutes):
    return plasma_at(INPUT, np.atleast_1d(np.asarray(minutes, dtype=float)))


def fraction(minutes):
    return np.exp(-np.asarray(minutes) / 100)


def table(names=tuple(RATES)):
    """Rows of a table of curves in Bq/mL, with a little noise."""
    edges = np.cumsum([0, *LENGTHS]) / 60
    at = np.arange(len(LENGTHS))
    true = np.array([own(*RATES[name]) for name in names])
    curves, _, _ = tissues(INPUT, true, 0.05, edges, at, at + 1, False)
    curves *= 1 + 0.002 * np.random.default_rng(1).standard_normal(curves.shape)
    rows = [["frame_start", "frame_end", *names]]
    for frame in at:
        seconds = [f"{60 * edge:.6g}" for edge in edges[frame : frame + 2]]
        rows.append([*seconds, *(f"{1000 * value:.4f}" for value in curves[:, frame])])
    return rows


def blood_of(study):
    return study.pet.with_name("sub-01_ses-baseline_recording-manual_blood.tsv")


def sample(study, minutes, *, share=True, whole=False):
    """Write blood of the scan at some times."""
    columns = ["time", "plasma_radioactivity", *(["metabolite_parent_fraction"] if share else [])]
    columns += ["whole_blood_radioactivity"] if whole else []
    rows = [columns]
    for time in minutes:
        total = parent(time)[0] / fraction(time)
        row = [f"{time:g}", f"{total:.8f}", *([f"{fraction(time):.10f}"] if share else [])]
        rows.append(row + ([f"{parent(time)[0]:.8f}"] if whole else []))
    study.save(rows, blood_of(study))
    blood_of(study).with_suffix(".json").write_text(json.dumps({k: v for k, v in JSON.items() if k in columns}))


@pytest.fixture
def study(files):
    """One scan of four regions with one sample of blood, and a plan of the model alone."""
    for scan in (("01", "rescan"), ("02", "baseline"), ("02", "rescan")):
        files.forget(*scan)
    for folder in ("sub-02", "derivatives/curves/sub-02"):
        shutil.rmtree(files.root / folder)
    files.save([["participant_id"], ["sub-01"]], files.root / "participants.tsv")
    files.save(table())
    files.plan.write_text(PLAN.format('"SIMEAIF"'))
    sample(files, [40])
    return files


@pytest.fixture
def anchor(study):
    """Write a table with samples of metabolite-corrected plasma, by default the one at 40 min."""

    def write(samples=None):
        path = study.root.parent / "samples.tsv"
        rows = samples or [(40, parent(40)[0])]
        study.save([["time_min", "AIF[kBq/mL]"], *([f"{t:g}", f"{v:.8g}"] for t, v in rows)], path)
        return path

    return write


def close(rows, rel=0.05):
    assert {row["name"] for row in rows} == set(V_T)
    for row in rows:
        assert float(row["VT"]) == pytest.approx(V_T[row["name"]], rel=rel), row


def test_fit_takes_one_sample_and_writes_the_input_that_it_estimated(study, anchor, raphe, rows_of):
    ended = raphe("fit", study.table, "--model", "SIMEAIF", "--input", anchor(), "--out", study.out)
    assert ended.code == 0, ended
    stem = "sub-01_ses-baseline_seg-test_model-SIMEAIF"
    close(rows_of(study.out / f"{stem}_kinpar.tsv"))
    told = study.fields(study.out / f"{stem}_kinpar.json")
    assert told["InputValuesLabels"] == ["VB"]
    assert told["InputValues"] == [0.05]
    assert "not measured" in told["Notes"]["Input"]
    assert "1 sample of the parent in plasma" in told["Notes"]["Input"]
    assert "at 40 min" in told["Notes"]["Input"]
    curve = rows_of(study.out / f"{stem}_inputfunction.tsv")
    assert list(curve[0]) == ["time", "AIF"]
    time, value = (np.array([float(row[name]) for row in curve]) for name in ("time", "AIF"))
    assert np.interp(40, time / 60, value) == pytest.approx(parent(40)[0], rel=0.05)
    described = study.fields(study.out / f"{stem}_inputfunction.json")
    assert "estimated from the tissue and is no measurement" in described["Description"]
    assert described["Notes"]["Model"] == "SIMEAIF"
    assert described["Notes"]["ShareOfBlood"].startswith("0.05")


def test_the_samples_of_blood_recordings_are_plasma_times_parent_fraction(study, raphe, rows_of):
    sample(study, [40, 60])
    ended = raphe("fit", study.table, "--model", "SIMEAIF", "--input", blood_of(study), "--out", study.out)
    assert ended.code == 0, ended
    (found,) = study.out.glob("*_kinpar.tsv")
    close(rows_of(found))
    assert "2 samples" in study.fields(found.with_suffix(".json"))["Notes"]["Input"]


def test_plasma_outside_the_times_of_the_fraction_is_left_out(study, raphe, tmp_path, rows_of):
    """Only the sample at 40 min lies between two of the fraction, of which it is the mean."""
    plasma, share = tmp_path / "plasma.bld", tmp_path / "fraction.bld"
    plasma.write_text(f"time[minutes]\tplasma[kBq/cc]\n15\t999\n40\t{parent(40)[0] / 0.5:.8f}\n80\t999\n")
    share.write_text("time[minutes]\tparent-fraction[1/1]\n30\t0.6\n50\t0.4\n")
    options = ("--model", "SIMEAIF", "--input", plasma, "--input", share, "--out", study.out)
    ended = raphe("fit", study.table, *options)
    assert ended.code == 0, ended
    (found,) = study.out.glob("*_kinpar.tsv")
    close(rows_of(found))
    told = study.fields(found.with_suffix(".json"))["Notes"]["Input"]
    assert "1 sample of" in told
    assert "at 40 min" in told


def test_the_share_of_blood_is_chosen(study, anchor, raphe):
    raphe("fit", study.table, "--model", "SIMEAIF", "--input", anchor(), "--vb", "0.03", "--out", study.out)
    (found,) = study.out.glob("*_kinpar.json")
    assert study.fields(found)["InputValues"] == [0.03]


def test_options_of_a_whole_input_have_no_effect(study, anchor, raphe, rows_of):
    options = ("--delay", "fit", "--arterial", "auto", "--parent-fraction", "hill", "--plasma-ratio", "constant")
    first = raphe("fit", study.table, "--model", "SIMEAIF", "--input", anchor())
    assert first.code == 0, first
    assert raphe("fit", study.table, "--model", "SIMEAIF", "--input", anchor(), *options).out == first.out


@pytest.mark.parametrize("uncertainty", ["bootstrap", "profile"])
def test_other_uncertainties_are_refused_with_the_reason(uncertainty, study, anchor, refused):
    options = ("--model", "SIMEAIF", "--input", anchor(), "--uncertainty", uncertainty, "--out", study.out)
    refused("fit", study.table, *options, words=["SIMEAIF", uncertainty, "takes too long", "leave it out"])


NO_SAMPLES = {
    "all before 10 min": ([(2, 20.0), (6, 9.0)], ["from 10 min", "2 before 10 min", "9 kBq/mL at 6 min"]),
    "all after the scan": ([(95, 5.0)], ["1 after the end of the scan at 90 min", "5 kBq/mL at 95 min"]),
    "all zero": ([(40, 0.0), (60, 0.0)], ["plasma", "no activity", "2 samples", "check the column"]),
    "negative": ([(30, 5.0), (40, -3.0)], ["plasma", "-3 kBq/mL", "2400 s", "mend or remove"]),
    "out of order": ([(40, 5.0), (30, 6.0)], ["'time_min'", "line 3", "30", "out of order"]),
    "doubled": ([(40, 5.0), (40, 6.0)], ["'time_min'", "line 3", "40", "doubled"]),
    "not finite": ([(40, np.inf)], ["AIF", "inf"]),
    "in Bq/mL": ([(40, 9404.0)], ["9404 kBq/mL", "40 min", "Units"]),
}


@pytest.mark.parametrize("fault", NO_SAMPLES)
def test_samples_that_cannot_be_used_are_refused(fault, study, anchor, refused):
    samples, words = NO_SAMPLES[fault]
    path = anchor(samples)
    refused("fit", study.table, "--model", "SIMEAIF", "--input", path, "--out", study.out, words=[path.name, *words])


def test_fewer_than_three_regions_are_refused(study, anchor, refused, raphe):
    study.without("thalamus", "putamen")
    options = ("--model", "SIMEAIF", "--input", anchor(), "--out", study.out)
    refused("fit", study.table, *options, words=[study.table.name, "at least 3", "there are 2", "give more"])
    words = [study.table.name, "at least 3", "there are 2", "caudate and cerebellum", "give more"]
    refused("run", study.root, study.out, "participant", words=words)
    assert "at least 3" in raphe("check", study.root).out


def test_no_file_of_samples_is_refused(study, refused):
    words = ["SIMEAIF", "at least one sample", "--input"]
    refused("fit", study.table, "--model", "SIMEAIF", "--out", study.out, words=words)


def high(files):
    files.column("metabolite_parent_fraction", lambda cell: 1.4, blood_of(files))


def gone(files):
    for path in (blood_of(files), blood_of(files).with_suffix(".json")):
        path.unlink()


BLOOD = {
    "no blood": (gone, ["sub-01_ses-baseline", "no arterial blood", "SIMEAIF", "at least one sample"]),
    "no parent fraction": (lambda f: sample(f, [40], share=False), ["metabolite_parent_fraction", "AIF"]),
    "a parent fraction above 1": (high, ["parent fraction", "1.4"]),
    "no plasma": (
        lambda f: f.save([["time", "metabolite_parent_fraction"], ["40", "0.5"]], blood_of(f)),
        ["plasma_radioactivity", "at least one"],
    ),
    "early samples alone": (lambda f: sample(f, [1, 5]), ["from 10 min", "2 before 10 min", "at 5 min"]),
}


@pytest.mark.parametrize("fault", BLOOD)
def test_run_and_check_refuse_blood_without_a_sample(fault, study, raphe, refused):
    change, words = BLOOD[fault]
    change(study)
    refused("run", study.root, study.out, "participant", words=words)
    ended = raphe("check", study.root)
    assert ended.code == 2, ended
    for word in words:
        assert word in ended.out


def test_the_check_does_not_ask_for_a_whole_input(study, raphe):
    ended = raphe("check", study.root)
    assert ended.code == 0, ended


def test_the_check_asks_for_a_whole_input_where_a_model_needs_it(study, raphe):
    study.plan.write_text(PLAN.format('["SIMEAIF", "2TCM"]'))
    ended = raphe("check", study.root)
    assert ended.code == 2, ended
    assert "peak may have been missed" in ended.out or "no sample between" in ended.out


def test_a_run_with_one_sample_gives_volumes_input_and_report(study, raphe, rows_of):
    ended = raphe("run", study.root, study.out, "participant")
    assert ended.code == 0, ended
    folder = study.out / "sub-01/ses-baseline/pet"
    stem = "sub-01_ses-baseline_seg-test_model-SIMEAIF"
    close(rows_of(folder / f"{stem}_kinpar.tsv"))
    assert {path.name for path in folder.glob("*_inputfunction.tsv")} == {f"{stem}_inputfunction.tsv"}
    report = (study.out / "sub-01/ses-baseline/report.html").read_text()
    assert "1 sample of the parent in plasma of [11C]DASB at 40 min gave the scale" in report
    assert "taken to be known to 3" in report
    for word in ("estimated from the tissue, not measured", "1 sample of the parent in plasma", "gave the scale"):
        assert word in report
    assert 'id="blood"' not in report
    assert "0 scans analysed, 1 kept" in raphe("run", study.root, study.out, "participant").err
    sample(study, [45])
    assert "1 scans analysed, 0 kept" in raphe("run", study.root, study.out, "participant").err


def test_an_input_function_of_the_study_gives_samples_where_there_is_no_blood(study, raphe, rows_of):
    gone(study)
    path = study.table.with_name("sub-01_ses-baseline_inputfunction.tsv")
    study.save([["time", "AIF"], ["2400", f"{parent(40)[0]:.8f}"]], path)
    path.with_suffix(".json").write_text(json.dumps({"AIF": {"Units": "kBq/mL"}}))
    ended = raphe("run", study.root, study.out, "participant")
    assert ended.code == 0, ended
    close(rows_of(study.out / "sub-01/ses-baseline/pet/sub-01_ses-baseline_seg-test_model-SIMEAIF_kinpar.tsv"))


def test_an_estimated_input_is_not_taken_for_a_measured_one(study, raphe):
    gone(study)
    path = study.table.with_name("sub-01_ses-baseline_seg-test_model-SIMEAIF_inputfunction.tsv")
    study.save([["time", "AIF"], ["2400", "5"]], path)
    path.with_suffix(".json").write_text(json.dumps({"AIF": {"Units": "kBq/mL"}}))
    ended = raphe("run", study.root, study.out, "participant")
    assert ended.code == 2, ended
    assert "no input function" in ended.err


def test_a_model_behind_the_whole_input_goes_beside_it(study, raphe, rows_of):
    sample(study, WHOLE, whole=True)
    study.plan.write_text(PLAN.format('["SIMEAIF", "2TCM"]') + "delay = 0.0\n")
    ended = raphe("run", study.root, study.out, "participant")
    assert ended.code == 0, ended
    folder = study.out / "sub-01/ses-baseline/pet"
    for model in ("SIMEAIF", "2TCM"):
        close(rows_of(folder / f"sub-01_ses-baseline_seg-test_model-{model}_kinpar.tsv"))
    assert {path.name for path in folder.glob("*_inputfunction.tsv")} == {
        "sub-01_ses-baseline_inputfunction.tsv",
        "sub-01_ses-baseline_seg-test_model-SIMEAIF_inputfunction.tsv",
    }
    report = (study.out / "sub-01/ses-baseline/report.html").read_text()
    assert 'id="blood"' in report
    assert 'id="estimated-input"' in report
    assert "arterial plasma and estimated from the tissue (SIMEAIF)" in report
    assert "Left out: 35 before 10 min." in report
    assert report.count("Arterial blood of [11C]DASB was sampled") == 1
