"""Studies with arterial blood: from samples to V_T by several models, and blood that cannot be right.

The curves of the small study are those of one-tissue kinetics behind a plasma in closed form: the reference curve
A (e^-at - e^-bt) is the answer to A [(k2' - a) e^-at + (b - k2') e^-bt] / K1', so every region has
V_T = (1 + BP_ND) K1' / k2'.
"""

import json

import numpy as np
import pytest
from tests.pipeline.conftest import BP_ND, CHANGE, K2_PRIME

A, SLOW, FAST = 20.0, 0.03, 0.7  # kBq/mL, 1/min, 1/min: the reference of the study
K1_PRIME = 0.3
V_ND = K1_PRIME / K2_PRIME
MODELS = ("1TCM", "2TCM", "MA1", "Logan")

SECONDS = np.array(
    [*range(1, 20), *range(20, 120, 4), 135, 150, 180, 240, 300, 420, 600, 900, 1500, 2400, 3600, 4500, 5400]
)


def parent(minutes):
    return A * ((K2_PRIME - SLOW) * np.exp(-SLOW * minutes) + (FAST - K2_PRIME) * np.exp(-FAST * minutes)) / K1_PRIME


def fraction(minutes):
    """Hill's function from 1 on."""
    return 1 - 0.7 * minutes**1.5 / (minutes**1.5 + 15.0**1.5)


BLOOD = {
    "PlasmaAvail": True,
    "WholeBloodAvail": True,
    "MetaboliteAvail": True,
    "DispersionCorrected": False,
    "time": {"Description": "Time of the sample", "Units": "s"},
    "plasma_radioactivity": {"Description": "Plasma", "Units": "kBq/mL"},
    "whole_blood_radioactivity": {"Description": "Whole blood", "Units": "kBq/mL"},
    "metabolite_parent_fraction": {"Description": "Parent fraction", "Units": "unitless"},
}


def blood_of(files, participant="01", session="baseline"):
    name = f"sub-{participant}_ses-{session}_recording-manual_blood.tsv"
    return files.pet_of(participant, session).with_name(name)


@pytest.fixture
def sampled(files):
    """The small study, with blood of every scan."""
    minutes = SECONDS / 60
    total = parent(minutes) / fraction(minutes)
    for scan in CHANGE:
        lines = [["time", "plasma_radioactivity", "whole_blood_radioactivity", "metabolite_parent_fraction"]]
        lines.append(["0", "0", "0", "1"])
        for at, second in enumerate(SECONDS):
            known = f"{fraction(minutes[at]):.10f}" if at % 3 == 0 or second > 300 else "n/a"
            lines.append([str(second), f"{total[at]:.8f}", f"{0.8 * total[at]:.8f}", known])
        path = blood_of(files, *scan)
        files.save(lines, path)
        path.with_suffix(".json").write_text(json.dumps(BLOOD))
    files.edit('model = "SRTM"', f"model = {json.dumps(list(MODELS))}\ndelay = 0.0")
    files.edit('terms = ["baseline", "rescan"]', 'terms = ["baseline", "rescan"]\nparameter = "V_T"')
    files.edit('contrast = "change"', 'contrast = "change"\nparameter = "V_T"')
    return files


def test_one_run_goes_from_sampled_blood_to_the_volumes_of_four_models(sampled, raphe, rows_of):
    ended = raphe("run", sampled.root, sampled.out, "all")
    assert ended.code == 0, ended
    rows = [row for row in rows_of(sampled.out / "group/estimates.tsv") if row["parameter"] == "V_T"]
    assert {row["model"] for row in rows} == set(MODELS)
    assert len(rows) == len(MODELS) * len(CHANGE) * len(BP_ND)
    for row in rows:
        truth = V_ND * (1 + BP_ND[row["region"]] * CHANGE[row["participant"], row["session"]])
        assert float(row["value"]) == pytest.approx(truth, rel=0.02), row
    folder = sampled.out / "sub-01/ses-baseline/pet"
    names = {path.name for path in folder.iterdir()}
    for model in MODELS:
        assert f"sub-01_ses-baseline_seg-test_model-{model}_kinpar.tsv" in names
    assert "sub-01_ses-baseline_inputfunction.tsv" in names
    table = rows_of(folder / "sub-01_ses-baseline_seg-test_model-2TCM_kinpar.tsv")
    assert list(table[0])[:3] == ["name", "K1", "K1-se"]
    assert list(table[0])[-1] == "akaike_weight"
    simple = rows_of(folder / "sub-01_ses-baseline_seg-test_model-1TCM_kinpar.tsv")
    for one, two in zip(simple, table, strict=True):
        assert float(one["akaike_weight"]) + float(two["akaike_weight"]) == pytest.approx(1)
    written = sampled.fields(folder / "sub-01_ses-baseline_seg-test_model-Logan_kinpar.json")
    assert "ReferenceRegion" not in written
    assert written["InputValuesLabels"] == ["t_star", "VB"]
    assert "blood samples" in written["Notes"]["Input"]
    change = rows_of(sampled.out / "group/contrast-change_result.tsv")
    assert {row["region"] for row in change} == set(BP_ND)
    report = (sampled.out / "sub-01/ses-baseline/report.html").read_text()
    for word in (*MODELS, "parent fraction"):
        assert word in report


def test_the_report_of_a_run_has_the_lassen_plots_of_its_contrast(sampled, raphe, rows_of):
    sampled.edit(json.dumps(list(MODELS)), '["1TCM"]')
    sampled.edit('terms = ["baseline", "rescan"]', 'kind = "occupancy"\nterms = ["baseline", "rescan"]')
    text = sampled.plan.read_text()
    region = next(line for line in text.splitlines() if line.startswith("region ="))
    sampled.edit(region, 'region = "all regions"')
    ended = raphe("run", sampled.root, sampled.out, "all", "--quiet")
    assert ended.code == 1, ended  # the drug did little, or the other way round, which is told
    (result,) = rows_of(sampled.out / "group/contrast-change_result.tsv")
    assert (result["region"], result["status"], result["n"]) == ("all regions", "primary", "2")
    truth = {who: 1 - CHANGE[who, "rescan"] / CHANGE[who, "baseline"] for who, _ in CHANGE}
    for row in rows_of(sampled.out / "group/contrast-change_lassen.tsv"):
        if row["scope"] == "line":
            assert float(row["occupancy"]) == pytest.approx(truth[row["participant"]], abs=0.03)
            assert f"participant {row['participant']}: " in ended.err
    page = (sampled.out / "report.html").read_text(encoding="utf-8")
    for words in (
        "Lassen plot: one occupancy and",
        "Mean over 2 participants with the t interval: occupancy",
        "Participant 01",
        "profile-likelihood intervals; errors in proportion to",
        "Cunningham",
        "in contrast",
    ):
        assert words in page, words


def test_a_delay_of_the_blood_is_found_and_recorded(sampled, raphe):
    """The blood is sampled 12 s later than the tissue sees it."""
    sampled.edit("delay = 0.0", 'delay = "fit"')
    for scan in CHANGE:
        sampled.column("time", lambda cell: int(cell) + 12, blood_of(sampled, *scan))
    assert raphe("run", sampled.root, sampled.out, "participant").code == 0
    written = sampled.fields(
        sampled.out / "sub-01/ses-baseline/pet/sub-01_ses-baseline_seg-test_model-1TCM_kinpar.json"
    )
    told = written["Notes"]["Delay"]
    assert "fitted over the scan" in told
    assert float(told.split(" s")[0]) == pytest.approx(-12, abs=1)


def test_the_input_that_was_used_gives_the_same_volumes_again(sampled, raphe, rows_of):
    assert raphe("run", sampled.root, sampled.out, "participant", "--model", "MA1").code == 0
    folder = sampled.out / "sub-01/ses-baseline/pet"
    again = sampled.out.parent / "again"
    options = ("--model", "MA1", "--input", folder / "sub-01_ses-baseline_inputfunction.tsv", "--out", again)
    assert raphe("fit", sampled.table, *options).code == 0
    first = {row["name"]: row["VT"] for row in rows_of(folder / "sub-01_ses-baseline_seg-test_model-MA1_kinpar.tsv")}
    (table,) = again.glob("*_kinpar.tsv")
    second = {row["name"]: row["VT"] for row in rows_of(table)}
    for region, value in first.items():
        assert float(second[region]) == pytest.approx(float(value), rel=1e-7)


def test_fit_takes_blood_by_its_files_and_several_models(sampled, raphe):
    ended = raphe("fit", sampled.table, "--model", "1TCM", "Logan", "--input", blood_of(sampled), "--delay", "0")
    assert ended.code == 0, ended
    assert ended.out.count("# ") == 2
    assert "name\tK1\tK1-se" in ended.out
    assert "name\tVT\tVT-se" in ended.out


def test_the_unit_of_the_curves_stands_in_for_an_input_that_tells_none(sampled, raphe):
    """A table without sidecar has no unit of its own, and --unit is for what does not say its unit."""
    table, blood = sampled.out.parent / "curves.tsv", sampled.out.parent / "input.csv"
    table.write_text(sampled.table.read_text())
    sampled.column("cerebellum", lambda cell: float(cell) / 1000, table)
    for region in BP_ND:
        sampled.column(region, lambda cell: float(cell) / 1000, table)
    minutes = SECONDS / 60
    lines = ["time_s,plasma_metabcorr", "0,0", *(f"{s},{v:.8f}" for s, v in zip(SECONDS, parent(minutes), strict=True))]
    blood.write_text("\n".join(lines) + "\n")
    options = ("--model", "MA1", "--input", blood, "--half-life", "20.4", "--unit", "kBq/mL")
    ended = raphe("fit", table, *options)
    assert ended.code in (0, 1), ended
    value = float(ended.out.splitlines()[2].split("\t")[1])
    assert value == pytest.approx(V_ND * (1 + BP_ND["thalamus"]), rel=0.02)


def test_plasma_and_reference_models_go_together(sampled, raphe, rows_of):
    options = ("--model", "2TCM", "SRTM", "SUVR", "--reference", "cerebellum", "--window", "60:90")
    ended = raphe("run", sampled.root, sampled.out, "participant", *options)
    assert ended.code == 0, ended
    folder = sampled.out / "sub-01/ses-baseline/pet"
    binding = rows_of(folder / "sub-01_ses-baseline_seg-test_model-SRTM_kinpar.tsv")
    for row in binding:
        assert float(row["BPND"]) == pytest.approx(BP_ND[row["name"]], rel=0.02)
    ratio = rows_of(folder / "sub-01_ses-baseline_seg-test_model-SUVR_kinpar.tsv")
    assert all(float(row["SUVR"]) > 1 for row in ratio)


def edited(column, row, value):
    return lambda files: files.cell(row, column, value, blood_of(files))


def rising(files):
    rows = files.rows(blood_of(files))
    rows[-1][3] = "0.95"
    files.save(rows, blood_of(files))


def swapped(files):
    rows = files.rows(blood_of(files))
    rows[10], rows[11] = rows[11], rows[10]
    files.save(rows, blood_of(files))


def ending_early(files):
    rows = files.rows(blood_of(files))
    files.save(rows[: [row[0] for row in rows].index("2400") + 1], blood_of(files))


def with_a_gap(files):
    rows = files.rows(blood_of(files))
    files.save([row for row in rows if row[0] not in ("1500", "2400", "3600")], blood_of(files))


def told(**fields):
    def change(files):
        path = blood_of(files).with_suffix(".json")
        files.tell(path, **fields)

    return change


FAULTS = {
    "a parent fraction above 1": (edited("metabolite_parent_fraction", 1, "1.4"), ["parent fraction", "1.4"]),
    "a parent fraction in per cent without saying so": (
        lambda f: f.column(
            "metabolite_parent_fraction", lambda cell: cell if cell == "n/a" else 100 * float(cell), blood_of(f)
        ),
        ["parent fraction"],
    ),
    "a parent fraction below 0": (edited("metabolite_parent_fraction", 1, "-0.2"), ["parent fraction", "-0.2"]),
    "a parent fraction that rises": (rising, ["parent fraction", "rises", "0.95"]),
    "blood that ends before the scan": (ending_early, ["last sample", "2400 s", "5400 s", "--blood-faults mend"]),
    "a gap of more than a third of the scan": (with_a_gap, ["900 s", "4500 s", "third of the scan"]),
    "plasma in another unit than the scan": (
        told(plasma_radioactivity={"Units": "Bq/mL"}, whole_blood_radioactivity={"Units": "Bq/mL"}),
        ["Bq/mL", "kBq/mL", "--blood-unit"],
    ),
    "samples out of order": (swapped, ["line 1", "out of order", "--blood-faults mend"]),
    "a doubled time": (edited("time", 12, "10"), ["line 13", "doubled"]),
    "an input function of zeros": (
        lambda f: f.column("plasma_radioactivity", lambda cell: 0, blood_of(f)),
        ["plasma", "no activity"],
    ),
    "a sample that is no number": (edited("plasma_radioactivity", 5, "high"), ["plasma_radioactivity", "'high'"]),
    "a unit that is not said": (told(plasma_radioactivity={"Description": "?"}), ["plasma_radioactivity", "unit"]),
    "a unit that does not exist": (told(plasma_radioactivity={"Units": "kg"}), ["plasma_radioactivity", "'kg'"]),
    "times in minutes": (lambda f: f.column("time", lambda cell: float(cell) / 60, blood_of(f)), ["minutes"]),
    "no blood at all": (
        lambda f: (blood_of(f).unlink(), blood_of(f).with_suffix(".json").unlink()),
        ["sub-01_ses-baseline", "no arterial blood", "1TCM"],
    ),
    "no parent fraction": (
        lambda f: f.without("metabolite_parent_fraction", path=blood_of(f)),
        ["parent fraction"],
    ),
    "no plasma": (lambda f: f.without("plasma_radioactivity", path=blood_of(f)), ["plasma"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_blood_that_cannot_be_right_is_refused_before_any_work(fault, sampled, refused):
    change, words = FAULTS[fault]
    change(sampled)
    refused("run", sampled.root, sampled.out, "all", words=[blood_of(sampled).name.split("_rec")[0], *words])


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_says_the_same_as_the_run(fault, sampled, raphe):
    change, words = FAULTS[fault]
    change(sampled)
    ended = raphe("check", sampled.root)
    assert ended.code == 2, ended
    for word in words:
        assert word in ended.out


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "no blood at all"])
def test_the_check_finds_it_without_a_plan_too(fault, sampled, raphe):
    change, words = FAULTS[fault]
    change(sampled)
    sampled.plan.unlink()
    ended = raphe("check", sampled.root)
    assert ended.code == 2, ended
    for word in words:
        assert word in ended.out


@pytest.mark.parametrize("fault", ["a parent fraction above 1", "samples out of order", "an input function of zeros"])
def test_a_model_without_blood_does_not_mind_it(fault, sampled, raphe):
    FAULTS[fault][0](sampled)
    sampled.plan.unlink()
    options = ("--model", "SRTM", "--reference", "cerebellum")
    assert raphe("run", sampled.root, sampled.out, "all", *options).code == 0


def test_a_delay_at_its_bound_is_refused_with_the_way_out(sampled, refused):
    sampled.edit("delay = 0.0", 'delay = "fit"')
    for scan in CHANGE:
        sampled.column("time", lambda cell: int(cell) + 110, blood_of(sampled, *scan))
    words = ["delay", "bound", "-45 s", "--delay"]
    refused("fit", sampled.table, "--model", "1TCM", "--input", blood_of(sampled), "--delay", "fit", words=words)


@pytest.mark.parametrize("fault", [swapped, ending_early])
def test_a_user_may_go_on_with_what_is_left(fault, sampled, raphe, rows_of):
    fault(sampled)
    ended = raphe("run", sampled.root, sampled.out, "participant", "--blood-faults", "mend", "--model", "1TCM")
    assert ended.code == 1, ended
    assert "warning" in ended.err
    rows = rows_of(sampled.out / "sub-01/ses-baseline/pet/sub-01_ses-baseline_seg-test_model-1TCM_kinpar.tsv")
    for row in rows:
        assert float(row["VT"]) == pytest.approx(V_ND * (1 + BP_ND[row["name"]]), rel=0.05)
    assert {row["n_frames"] for row in rows} == ({"36"} if fault is swapped else {"29"})
    told = (sampled.out / "sub-01/ses-baseline/report.html").read_text(encoding="utf-8")
    assert ("were left out, because the times stood out of order" in told) is (fault is swapped)


def test_a_unit_that_is_given_overrules_the_files(sampled, raphe, rows_of):
    for scan in CHANGE:
        sampled.tell(
            blood_of(sampled, *scan).with_suffix(".json"),
            plasma_radioactivity={"Units": "Bq/mL"},
            whole_blood_radioactivity={"Units": "Bq/mL"},
        )
    options = ("--blood-unit", "kBq/mL", "--model", "1TCM")
    assert raphe("run", sampled.root, sampled.out, "participant", *options).code == 0
    rows = rows_of(sampled.out / "sub-01/ses-baseline/pet/sub-01_ses-baseline_seg-test_model-1TCM_kinpar.tsv")
    for row in rows:
        assert float(row["VT"]) == pytest.approx(V_ND * (1 + BP_ND[row["name"]]), rel=0.02)


def test_another_sample_makes_the_scan_be_done_anew(sampled, raphe):
    options = ("run", sampled.root, sampled.out, "participant", "--model", "1TCM")
    assert "4 scans analysed" in raphe(*options).err
    assert "0 scans analysed, 4 kept" in raphe(*options).err
    sampled.cell(5, "plasma_radioactivity", "30.5", blood_of(sampled))
    assert "1 scans analysed, 3 kept" in raphe(*options).err


@pytest.mark.parametrize("with_plan", [True, False])
def test_times_of_the_day_are_told_by_check_fit_and_run_alike(sampled, raphe, with_plan):
    if not with_plan:
        sampled.plan.unlink()
    for scan in CHANGE:
        sampled.column("time", lambda cell: float(cell) + 36000, blood_of(sampled, *scan))
    told = (
        "the first sample of blood is 36001 s after injection, but the scan ends at 5400 s. Are these times of the day"
    )
    commands = [("check", sampled.root), ("fit", sampled.table, "--model", "1TCM", "--input", blood_of(sampled))]
    if with_plan:
        commands.append(("run", sampled.root, sampled.out, "all"))
    for command in commands:
        ended = raphe(*command)
        assert ended.code == 2, ended
        assert f"{blood_of(sampled)}: {told}" in ended.out + ended.err
    assert not sampled.out.exists()


def test_blood_that_rises_after_the_tissue_is_a_doubt(sampled, raphe):
    """The samples of one scan are counted from five minutes before injection on."""
    sampled.column("time", lambda cell: float(cell) + 300, blood_of(sampled))
    checked = raphe("check", sampled.root)
    assert checked.code == 1
    assert "sub-01_ses-baseline_recording-manual_blood.tsv: blood has not risen by its sample 300 s" in checked.out
    assert "likewise" not in checked.out


def test_a_lag_of_the_blood_is_no_doubt(sampled, raphe):
    for scan in CHANGE:
        sampled.column("time", lambda cell: float(cell) + 40 if float(cell) else 0, blood_of(sampled, *scan))
    assert raphe("check", sampled.root).code == 0


def input_tables(sampled):
    """Plasma and parent fraction in tables of their own, each with its JSON."""
    minutes = SECONDS / 60
    paths = sampled.root.parent / "a_plasma.tsv", sampled.root.parent / "b_share.tsv"
    total, share = parent(minutes) / fraction(minutes), fraction(minutes)
    for path, column, values in zip(
        paths, ("plasma_radioactivity", "metabolite_parent_fraction"), (total, share), strict=True
    ):
        rows = [[f"{s}", f"{v:.8f}"] for s, v in zip(SECONDS, values, strict=True)]
        sampled.save([["time", column], ["0", "0" if column.startswith("p") else "1"], *rows], path)
    return paths


@pytest.mark.parametrize("first", [0, 1])
def test_the_file_at_fault_is_named_whichever_comes_first(sampled, raphe, first):
    plasma, share = input_tables(sampled)
    files = (plasma, share) if first == 0 else (share, plasma)
    words = [
        "fit",
        sampled.table,
        "--model",
        "1TCM",
        "--vb",
        "0",
        *(word for file in files for word in ("--input", file)),
    ]
    units = {
        plasma: {"plasma_radioactivity": {"Units": "kBq/mL"}},
        share: {"metabolite_parent_fraction": {"Units": "unitless"}},
    }
    for path, told in units.items():
        path.with_suffix(".json").write_text(json.dumps(told))
    assert raphe(*words).code == 0
    plasma.with_suffix(".json").write_text(json.dumps({"plasma_radioactivity": {"Units": "MBq/mL"}}))
    ended = raphe(*words)
    assert ended.code == 2
    assert ended.err.startswith(f"raphe fit: {plasma.with_suffix('.json')}: plasma_radioactivity is taken in MBq/mL")
    assert "--unit" not in ended.err
    plasma.with_suffix(".json").write_text(json.dumps(units[plasma]))
    sampled.cell(20, "metabolite_parent_fraction", 1.4, share)
    ended = raphe(*words)
    assert ended.code == 2
    assert ended.err.startswith(f"raphe fit: {share}: the parent fraction is 1.4 at ")


def test_the_unit_of_an_input_function_is_asked_for_by_the_option_of_blood(sampled, raphe):
    plasma, _ = input_tables(sampled)
    ended = raphe("fit", sampled.table, "--model", "1TCM", "--vb", "0", "--input", plasma)
    assert ended.code == 2
    assert "the unit of 'plasma_radioactivity' is not said; give it with --blood-unit" in ended.err
    assert (
        raphe("fit", sampled.table, "--model", "1TCM", "--vb", "0", "--input", plasma, "--blood-unit", "kBq/mL").code
        == 1
    )


def test_a_unit_that_the_plan_gives_overrules_the_files_in_check_too(sampled, raphe):
    for scan in CHANGE:
        sampled.tell(
            blood_of(sampled, *scan).with_suffix(".json"),
            plasma_radioactivity={"Units": "Bq/mL"},
            whole_blood_radioactivity={"Units": "Bq/mL"},
        )
    assert raphe("check", sampled.root).code == 2
    sampled.edit('name = "DASB"', 'name = "DASB"\nblood_unit = "kBq/mL"')
    checked = raphe("check", sampled.root)
    assert checked.code == 0, checked
