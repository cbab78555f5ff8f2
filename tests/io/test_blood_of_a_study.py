"""Blood of a study: found by name, read when it is asked for, and held against the tissue."""

import json

import numpy as np
import pytest

from raphe.data.scan import Scan
from raphe.errors import InputError
from raphe.io.bids import load_blood, load_input, read_study
from raphe.io.blood import read_blood
from raphe.io.blood_doubts import doubts_of_blood
from raphe.io.check import check_dataset
from raphe.io.curves import read_curves
from raphe.io.input_function import read_input_function

TIMES = (0, 20, 40, 60, 120, 300, 600, 1800, 3600, 5400)
WHOLE = (0, 100, 60000, 30000, 20000, 12000, 9000, 6000, 4000, 3000)
SHARE = (1, 1, 1, 0.98, 0.95, 0.9, 0.8, 0.6, 0.4, 0.3)


def table(scale=1.0, plasma=1.2, clock=1.0):
    lines = ["time\tplasma_radioactivity\twhole_blood_radioactivity\tmetabolite_parent_fraction"]
    for time, whole, share in zip(TIMES, WHOLE, SHARE, strict=True):
        lines.append(f"{time * clock}\t{plasma * scale * whole}\t{scale * whole}\t{share}")
    return "\n".join(lines) + "\n"


def described(plasma="Bq/mL", whole="Bq/mL"):
    return {
        "time": {"Units": "s"},
        "plasma_radioactivity": {"Units": plasma},
        "whole_blood_radioactivity": {"Units": whole},
        "metabolite_parent_fraction": {"Units": "arbitrary"},
    }


@pytest.fixture
def give(study, save_json):
    """Give blood to the scans of the small study, sound unless said otherwise."""

    def write(text=None, fields=None, participant="01", session="baseline", name="_recording-manual_blood"):
        path = study.pet(participant, session).with_name(f"sub-{participant}_ses-{session}{name}.tsv")
        path.write_text(table() if text is None else text)
        save_json(path.with_suffix(".json"), described() if fields is None else fields)
        return path

    return write


@pytest.fixture
def give_input(study, save_json):
    def write(dataset="bloodstream", stem="sub-01_ses-baseline", unit="Bq/mL", scale=1.0):
        path = study.root / f"derivatives/{dataset}/sub-01/ses-baseline/pet/{stem}_inputfunction.tsv"
        save_json(path.with_suffix(".json"), {"AIF": {"Units": [unit]}})
        rows = [f"{time}\t{scale * whole * share}" for time, whole, share in zip(TIMES, WHOLE, SHARE, strict=True)]
        path.write_text("\n".join(["time\tAIF", *rows]) + "\n")
        return path

    return write


def table_of(study, participant="01", session="baseline", derivatives=()):
    tables = read_study(study.root, derivatives).tables
    return next(one for one in tables if (one.scan.participant, one.scan.session) == (participant, session))


def errors(study, **options):
    return [one for one in check_dataset(study.root, **options) if one.severity == "error"]


def test_blood_is_of_the_scan_that_it_names(study, give):
    manual, auto = give(), give("time\twhole_blood_radioactivity\n10\t50\n", name="_recording-autosampler_blood")
    give(session="blocked")
    own = table_of(study)
    assert own.blood == (auto, manual)
    assert [one.blood[0].name[:12] for one in read_study(study.root).tables if one.blood] == ["sub-01_ses-b"] * 2
    assert table_of(study, "02").blood == ()
    assert load_blood(table_of(study, "02")) is None
    blood = load_blood(own)
    assert len(blood.samples.whole_blood) == 11
    assert load_blood(own, unit="kBq/mL").samples.plasma.value.max() == 72000


def test_finding_blood_does_not_read_it(study, give, give_input):
    give("nonsense", {})
    give_input().write_text("nonsense")
    own = table_of(study)
    assert (len(own.blood), len(own.input_functions)) == (1, 1)
    with pytest.raises(InputError):
        load_blood(own)


def test_blood_is_read_on_the_clock_of_injection(study, give):
    give()
    study.change(InjectionStart=60, ImageDecayCorrectionTime=60)
    blood = load_blood(table_of(study))
    assert blood.samples.plasma.time[0] == -1
    assert blood.step.parameters["injection"] == 1.0


@pytest.mark.parametrize("name", ["_trc-other_recording-manual_blood", "_run-2_recording-manual_blood"])
def test_blood_of_another_tracer_or_run_is_not_taken_and_said(study, give, name):
    path = give(name=name)
    assert table_of(study).blood == ()
    (finding,) = check_dataset(study.root)
    assert (finding.path, finding.severity) == (path, "warning")
    assert "of no scan that has curves" in finding.message


def test_the_name_that_says_most_is_meant(study, give):
    give()
    for path in (study.table(), study.pet()):
        path.rename(path.with_name(path.name.replace("baseline_", "baseline_run-1_", 1)))
    path = give(name="_run-1_recording-manual_blood")
    assert table_of(study).blood == (path,)


def test_blood_that_stands_in_the_dataset_of_the_curves(study, give, save_json):
    give()
    path = study.table().with_name("sub-01_ses-baseline_recording-manual_blood.tsv")
    path.write_text(table())
    save_json(path.with_suffix(".json"), described())
    assert table_of(study).blood == (path,)


def test_input_functions_of_the_datasets_looked_in(study, give_input):
    path = give_input()
    assert table_of(study).input_functions == (path,)
    assert load_input(table_of(study)).input.at(1.0) == pytest.approx(30 * 0.98)
    assert load_input(table_of(study, session="blocked")) is None
    petprep = study.root / "derivatives/petprep"
    assert table_of(study, derivatives=[petprep]).input_functions == ()
    both = [petprep, study.root / "derivatives/bloodstream"]
    assert table_of(study, derivatives=both).input_functions == (path,)
    give_input("other")
    with pytest.raises(InputError, match="sub-01_ses-baseline has several input functions"):
        load_input(table_of(study))


def test_sound_blood_has_no_findings(study, give, give_input):
    give()
    give_input()
    assert check_dataset(study.root) == ()


@pytest.mark.parametrize(("unit", "right"), [("kBq/mL", "Bq/mL"), ("MBq/mL", None)])
def test_blood_in_a_unit_that_cannot_be(study, give, unit, right):
    path = give(fields=described(unit, unit))
    found = errors(study)
    assert [one.path for one in found] == [path.with_suffix(".json")] * 2
    assert {one.field for one in found} == {"plasma_radioactivity", "whole_blood_radioactivity"}
    for one in found:
        for word in (str(path.with_suffix(".json")), unit, "times", "0.01 to 100", "min", "Mend Units", "--blood-unit"):
            assert word in one.message
        hint = "a factor of 1000 would make it fit, Bq/mL for kBq/mL" if right else "no factor of 1000"
        assert hint in one.message
        assert "MBq in 5 L of blood after an injection of 400 MBq" in one.message
    if right:
        assert errors(study, blood_unit=lambda _: right) == []
    assert errors(study, blood=False) == []


def test_blood_a_thousand_times_too_small(study, give):
    give(table(scale=1e-3))
    found = errors(study)
    assert len(found) == 2
    assert "kBq/mL for Bq/mL" in found[0].message
    assert "(--blood-unit kBq/mL)" in found[0].message


def test_one_column_in_the_wrong_unit(study, give):
    give(fields=described(plasma="kBq/mL"))
    (error,) = errors(study)
    assert error.field == "plasma_radioactivity"


def test_plasma_that_does_not_go_with_whole_blood(study, give):
    give(table(plasma=60.0, scale=0.3))
    (error,) = errors(study)
    assert "plasma is 60 times whole blood" in error.message


def test_two_recordings_that_do_not_go_together(study, give):
    give()
    give("time\twhole_blood_radioactivity\n10\t50\n50\t45000\n130\t19000\n", name="_recording-autosampler_blood")
    assert check_dataset(study.root) == ()
    auto = give("time\twhole_blood_radioactivity\n10\t.05\n50\t45\n130\t19\n", name="_recording-autosampler_blood")
    (error,) = errors(study)
    assert error.path == auto.with_suffix(".json")
    assert "where both were sampled" in error.message


def doubts(study):
    return [one.message for one in check_dataset(study.root) if one.severity == "warning"]


@pytest.mark.parametrize("plasma", [0.1, 7.0])
def test_plasma_that_seldom_goes_with_whole_blood_is_doubted(study, give, plasma):
    give(table(plasma=plasma))
    assert errors(study) == []
    (told,) = doubts(study)
    assert f"plasma is {plasma:g} times whole blood" in told
    assert "0.2 to 5 is usual" in told


def test_an_autosampler_twice_as_high_as_manual_samples_is_doubted(study, give):
    give()
    text = "time\twhole_blood_radioactivity\n10\t50\n50\t45000\n130\t19000\n"
    give(text, name="_recording-autosampler_blood")
    assert doubts(study) == []
    give("time\twhole_blood_radioactivity\n10\t110\n50\t99000\n130\t42000\n", name="_recording-autosampler_blood")
    (told,) = doubts(study)
    assert "where both were sampled; mend the unit or the calibration" in told


def test_a_parent_fraction_that_never_is_more_than_a_per_cent_is_doubted(study, give):
    lines = [line.split("\t") for line in table().splitlines()]
    at = lines[0].index("metabolite_parent_fraction")
    for cells in lines[1:]:
        if cells[at] != "n/a":
            cells[at] = f"{float(cells[at]) / 100:.6g}"
    give("\n".join("\t".join(cells) for cells in lines) + "\n")
    assert any("% unchanged tracer; is its unit right" in told for told in doubts(study))


def test_a_sample_that_leaps_is_doubted(study, give):
    lines = [line.split("\t") for line in table().splitlines()]
    at = lines[0].index("plasma_radioactivity")
    sampled = [cells for cells in lines[1:] if cells[at] != "n/a"]
    own = sampled[-2][at]
    for value in ("0", f"{10 * float(own):g}"):
        sampled[-2][at] = value
        give("\n".join("\t".join(cells) for cells in lines) + "\n")
        assert any("plasma_radioactivity leaps to" in told for told in doubts(study)), value
    sampled[-2][at] = own
    give("\n".join("\t".join(cells) for cells in lines) + "\n")
    assert doubts(study) == []


@pytest.mark.parametrize(("clock", "unit", "word"), [(1 / 60, "s", "minutes"), (1.0, "min", "seconds")])
def test_a_clock_in_another_unit(study, give, clock, unit, word):
    path = give(table(clock=clock), {**described(), "time": {"Units": unit}})
    (error,) = errors(study)
    assert (error.path, error.field) == (path, "time")
    assert f"Are these {word}?" in error.message
    assert "the scan ends at 90 min" in error.message


def test_minutes_in_a_manual_table_beside_an_autosampler_in_seconds(study, give):
    give(table(clock=1 / 60))
    rows = "".join(f"{time}\t20000\n" for time in range(0, 400, 10))
    give(f"time\twhole_blood_radioactivity\n{rows}", name="_recording-autosampler_blood")
    assert "Are these minutes?" in errors(study)[0].message


def test_a_peak_that_does_not_fit_the_dose(study, give):
    give(table(scale=0.05))
    study.change(BodyWeight=70, BodyWeightUnits="kg")
    assert check_dataset(study.root) == ()
    study.change(BodyWeight=0.07, BodyWeightUnits="kg")
    found = [one for one in check_dataset(study.root) if one.path.suffix == ".json"]
    assert ["whole blood peaks at 3 kBq/mL, a standardised uptake" in one.message for one in found] == [True]


def test_faults_of_reading_are_told_for_each_file(study, give):
    one = give(table().replace("60.0\t", "30.0\t", 1), participant="01")
    other = give(fields={}, participant="02")
    found = errors(study)
    assert [error.path for error in found] == [one, other]
    assert "out of order" in found[0].message
    assert "--blood-unit" in found[1].message


def test_blood_of_a_scan_without_curves_is_read_too(study, give):
    study.table().unlink()
    path = give("time\tplasma_radioactivity\n60\t1\n60\t2\n", described())
    assert ("doubled" in errors(study)[0].message, errors(study)[0].path) == (True, path)


def test_an_input_function_in_a_unit_that_cannot_be(study, give_input):
    path = give_input(scale=1e-4)
    (error,) = errors(study)
    assert error.path == path.with_suffix(".json")
    assert "area under the tissue" in error.message
    assert "Mend Units of AIF, or tell raphe the unit (--blood-unit kBq/mL); or mend Units of" in error.message
    path.write_text("time\tAIF\n0\tx\n")
    assert [one.path for one in errors(study)] == [path]


def test_the_dose_of_the_scanner_is_evidence(study):
    study.change(InjectedRadioactivity=765900, InjectedRadioactivityUnits="Bq", RadionuclideTotalDose=765900000)
    (finding,) = check_dataset(study.root)
    assert "RadionuclideTotalDose of the same file is 765900000 Bq, 1000 times as much" in finding.message
    study.change(InjectedRadioactivity=4, RadionuclideTotalDose=765900000)
    (finding,) = check_dataset(study.root)
    assert (
        "InjectedRadioactivity comes to 4 MBq; RadionuclideTotalDose of the same file is 765900000" in finding.message
    )
    study.change(RadionuclideTotalDose=700000000)
    assert check_dataset(study.root) == ()


def copied(root, to, label):
    """One scan of a study with its raw sidecar, blood and one table of curves, to be broken."""
    participant, session = label.split("_")
    for source in sorted(root.glob(f"**/{participant}/{session}/pet/*")):
        if source.suffix in (".json", ".tsv") and "confounds" not in source.name:
            path = to / source.relative_to(root)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(source.read_bytes())
    return next(to.glob("sub-*/**/*_blood.json"))


def test_real_blood_that_is_labelled_wrongly(shared_data, tmp_path):
    """The public copy of this dataset has kBq/mL labelled as Bq/mL; this one has it right."""
    path = copied(shared_data / "tacs/mc1-test-retest", tmp_path, "sub-11_ses-test")
    assert errors_of(tmp_path) == []
    path.write_text(path.read_text().replace("kBq/mL", "Bq/mL"))
    found = errors_of(tmp_path)
    assert [one.field for one in found] == ["whole_blood_radioactivity", "plasma_radioactivity"]
    assert "a factor of 1000 would make it fit, kBq/mL for Bq/mL" in found[0].message
    assert errors_of(tmp_path, blood_unit=lambda _: "kBq/mL") == []


def errors_of(root, **options):
    return [one for one in check_dataset(root, **options) if one.severity == "error"]


def test_all_real_scans_pass_as_they_are_and_none_a_thousand_times_off(shared_data):
    root = shared_data / "tacs/mc1-test-retest"
    (error,) = errors_of(root)  # 178.2 s stands where 118.2 s is meant
    assert error.path.name == "sub-13_ses-retest_recording-manual_blood.tsv"
    assert "line 10: the time 133.8 is out of order" in error.message
    for unit in ("Bq/mL", "MBq/mL"):
        found = errors_of(root, blood_unit=lambda _, unit=unit: unit)
        assert len({one.path for one in found}) == 34
        assert sum("would make it fit, kBq/mL" in one.message for one in found) == 2 * 33
    root = shared_data / "tacs/ps13"
    assert [one.field for one in check_dataset(root / "raw", [root / "derivatives"]) if "blood" in one.path.name] == []
    found = [
        one
        for unit in ("kBq/mL", "mCi/mL")
        for one in check_dataset(root / "raw", [root / "derivatives"], blood_unit=lambda _, unit=unit: unit)
        if one.severity == "error"
    ]
    assert len(found) == 4


@pytest.mark.parametrize(("scale", "flagged"), [(1.0, 0), (1e-3, 20), (1e3, 20)])
def test_curves_of_kinfitr(shared_data, tmp_path, scale, flagged):
    folder, wrong = shared_data / "tacs/pbr28", 0
    for path in sorted(folder.glob("*_blood.csv")):
        tacs = read_curves(
            path.with_name(path.name.replace("_blood", "_tacs")), unit="kBq/mL", half_life=20.4, frames=slice(1, None)
        ).tacs
        made = read_input_function(path, unit="kBq/mL").input
        rows = np.column_stack((60 * made.whole_blood.time, scale * made.whole_blood.value))
        lines = ["time\twhole_blood_radioactivity", *(f"{time:g}\t{value!r}" for time, value in rows.tolist())]
        table = tmp_path / "sub-01_blood.tsv"
        table.write_text("\n".join(lines))
        table.with_suffix(".json").write_text(json.dumps({"whole_blood_radioactivity": {"Units": "kBq/mL"}}))
        wrong += sum(one.severity == "error" for one in doubts_of_blood(read_blood([table]), tacs, Scan("01")))
    assert wrong == flagged


def test_ps13_from_raw_data_and_named_derivatives(shared_data):
    root = shared_data / "tacs/ps13"
    (own,) = read_study(root / "raw", [root / "derivatives"]).choose(seg="gtm")
    assert [path.name for path in own.blood] == ["sub-01_ses-baseline_recording-manual_blood.tsv"]
    assert [path.name for path in own.input_functions] == ["sub-01_ses-baseline_inputfunction.tsv"]
    samples, ready = load_blood(own).samples, load_input(own).input
    late = samples.plasma.time > 10
    fitted = ready.plasma(samples.plasma.time[late])
    np.testing.assert_allclose(fitted, samples.plasma.value[late], rtol=0.2)
