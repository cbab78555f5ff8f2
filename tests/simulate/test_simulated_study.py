import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from raphe.cli import main
from raphe.errors import OutputError, PlanError
from raphe.io.bids import load_curves, read_study
from raphe.io.sidecar import inspect_sidecar
from raphe.io.tables import read_table
from raphe.simulate.plan_file import find_plan, parse_plan
from raphe.simulate.population import participant, scan_truth
from raphe.simulate.scan_tacs import scan_tacs
from raphe.simulate.study import simulate_study

REQUIRED = (  # REQUIRED by BIDS 1.10 for a PET image, Modality specific files: Positron Emission Tomography
    "Manufacturer",
    "ManufacturersModelName",
    "Units",
    "TracerName",
    "TracerRadionuclide",
    "InjectedRadioactivity",
    "InjectedRadioactivityUnits",
    "InjectedMass",
    "InjectedMassUnits",
    "SpecificRadioactivity",
    "SpecificRadioactivityUnits",
    "ModeOfAdministration",
    "TimeZero",
    "ScanStart",
    "InjectionStart",
    "FrameTimesStart",
    "FrameDuration",
    "AcquisitionMode",
    "ImageDecayCorrected",
    "ImageDecayCorrectionTime",
    "ReconMethodName",
    "ReconMethodParameterLabels",
    "ReconFilterType",
    "AttenuationCorrection",
)


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated") / "study"
    assert simulate_study("test-retest", out, seed=5, participants=2, tacs_only=True) == out / "raphe.toml"
    return out


def test_same_seed_same_bytes(study: Path, tmp_path: Path) -> None:
    simulate_study("test-retest", tmp_path / "again", seed=5, participants=2, tacs_only=True)
    assert hashes(tmp_path / "again") == hashes(study)
    simulate_study("test-retest", tmp_path / "other", seed=6, participants=2, tacs_only=True)
    ours, others = hashes(study), hashes(tmp_path / "other")
    assert ours.keys() == others.keys()
    assert all(ours[name] != others[name] for name in ours if name.endswith("_tacs.tsv"))


def test_a_participant_does_not_depend_on_how_many_there_are(study: Path, tmp_path: Path) -> None:
    simulate_study("test-retest", tmp_path / "more", seed=5, participants=3, tacs_only=True)
    more = hashes(tmp_path / "more")
    own = {name: digest for name, digest in hashes(study).items() if "sub-" in name}
    assert len(own) == 2 * 2 * 2 * 5  # people, sessions, tracers; curves and volumes with sidecars, raw sidecar
    assert own.items() <= more.items()


def test_the_reader_of_studies_finds_every_scan(study: Path) -> None:
    found = read_study(study)
    scans = [table.scan for table in found.choose(seg="sim")]
    assert [(scan.participant, scan.session, scan.tracer) for scan in scans] == [
        (person, session, tracer)
        for person in ("01", "02")
        for session in ("baseline", "rescan")
        for tracer in ("AZ10419369", "DASB")
    ]
    plan = parse_plan(find_plan("test-retest"))
    truth = scan_truth(plan, 5, participant(plan, 5, 0), plan.sessions[0], plan.tracers[0])
    made, read = scan_tacs(plan, 5, truth), load_curves(found.tables[0]).tacs
    assert read.names == made.names
    np.testing.assert_allclose(read.activity, made.activity, rtol=1e-6)
    np.testing.assert_allclose(read.frames.start, made.frames.start, rtol=1e-6)
    assert made.volumes is not None
    assert read.volumes is not None
    np.testing.assert_allclose(read.volumes, made.volumes)
    assert scans[0].injected_radioactivity == truth.injected
    assert scans[0].body_weight == truth.participant.body_weight


def test_sidecars_hold_what_bids_requires_and_raise_no_doubt(study: Path) -> None:
    sidecars = sorted(study.glob("sub-*/ses-*/pet/*_pet.json"))
    assert len(sidecars) == 8
    for path in sidecars:
        content = json.loads(path.read_text(encoding="utf-8"))
        assert [field for field in REQUIRED if field not in content] == []
        sidecar, faults = inspect_sidecar([path])
        assert faults == ()
        assert sidecar.findings == ()


def test_the_truth_stands_apart(study: Path) -> None:
    table = read_table(study / "truth" / "parameters.tsv")
    plan = parse_plan(find_plan("test-retest"))
    assert len(table.rows) == 2 * 2 * 2 * len(plan.regions.names)
    truth = scan_truth(plan, 5, participant(plan, 5, 0), plan.sessions[0], plan.tracers[0])
    written = table.floats("BP_ND")[: len(plan.regions.names)]
    np.testing.assert_allclose(written, truth.BP_ND, rtol=1e-8)
    origin = json.loads((study / "truth" / "parameters.json").read_text(encoding="utf-8"))
    assert origin["Seed"] == 5
    assert (study / "truth" / "plan.toml").read_text(encoding="utf-8") == find_plan("test-retest").text
    assert "truth" in (study / ".bidsignore").read_text(encoding="utf-8").split()  # the validator objects to truth/
    told = [path for path in study.rglob("*") if path.is_file() and "truth" not in path.relative_to(study).parts]
    assert [path for path in told if path.suffix != "" and "k2_prime" in path.read_text(encoding="utf-8")] == []


def test_arms_stand_in_the_table_of_participants(tmp_path: Path) -> None:
    simulate_study("tiger2020", tmp_path / "study", participants=4, tacs_only=True)
    table = read_table(tmp_path / "study" / "participants.tsv")
    assert table.columns == ("participant_id", "weight", "arm")
    assert sorted(table.cells("arm")[:3]) == ["ketamine", "ketamine", "placebo"]
    assert len(table.rows) == 4


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trial") / "study"
    simulate_study("tiger2020", out, seed=2, participants=4, tacs_only=True)
    return out


def test_a_trial_has_ratings_in_one_column_a_visit_and_the_times_of_its_scans(trial: Path) -> None:
    table = read_table(trial / "phenotype" / "madrs.tsv")
    assert table.columns == ("participant_id", "baseline", "post", "open")
    assert table.cells("participant_id") == read_table(trial / "participants.tsv").cells("participant_id")
    described = json.loads((trial / "phenotype" / "madrs.json").read_text(encoding="utf-8"))
    assert {*table.columns, "MeasurementToolMetadata"} == described.keys()
    scores = np.array([[float(cell) for cell in row[1:]] for row in table.rows if "n/a" not in row])
    assert ((scores >= 0) & (scores <= 60) & (scores == scores.round())).all()
    for index in range(4):
        sessions = read_table(trial / f"sub-0{index + 1}" / f"sub-0{index + 1}_sessions.tsv")
        assert sessions.cells("session_id") == ("ses-baseline", "ses-post")
        baseline, post = sessions.floats("hours")
        assert baseline == -48
        assert 24 <= post <= 72


def test_the_mechanism_is_told_in_the_truth_alone(trial: Path) -> None:
    truth = trial / "truth"
    states, parameters = read_table(truth / "receptors.tsv"), read_table(truth / "parameters.tsv")
    assert states.cells("region") == parameters.cells("region")
    assert states.floats("binding").max() > 1.01
    course = read_table(truth / "mechanism.tsv")
    assert set(course.cells("participant")) == {"01", "02", "03", "04"}
    assert (course.floats("hours") >= 0).all()
    assert course.floats("plasticity").max() > 0.5
    assert "hypothesis" in (truth / "mechanism.json").read_text(encoding="utf-8")
    told = [path for path in trial.rglob("*") if path.is_file() and "truth" not in path.relative_to(trial).parts]
    for word in ("plasticity", "receptors", "mg_per_kg", "plasma"):
        assert [path for path in told if word in path.read_text(encoding="utf-8")] == []


def test_a_trial_has_the_same_bytes_again_and_whatever_the_number_of_patients(trial: Path, tmp_path: Path) -> None:
    simulate_study("tiger2020", tmp_path / "again", seed=2, participants=4, tacs_only=True)
    assert hashes(tmp_path / "again") == hashes(trial)
    simulate_study("tiger2020", tmp_path / "fewer", seed=2, participants=2, tacs_only=True)
    own = {name: digest for name, digest in hashes(tmp_path / "fewer").items() if name.startswith("sub-")}
    assert own.items() <= hashes(trial).items()
    rows = [
        (tmp_path / "fewer" / "phenotype" / "madrs.tsv").read_text(),
        (trial / "phenotype" / "madrs.tsv").read_text(),
    ]
    assert rows[1].startswith(rows[0])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"seed": -1}, "seed is -1"),
        ({"participants": 0}, "0 participants"),
        ({"participants": 10**6}, "1000000 participants"),
    ],
)
def test_impossible_wishes_are_refused_and_leave_nothing(tmp_path: Path, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanError, match=words):
        simulate_study("test-retest", tmp_path / "study", **{"tacs_only": True, **settings})
    assert not (tmp_path / "study").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="not empty"):
        simulate_study("test-retest", tmp_path, tacs_only=True)
    with pytest.raises(OutputError, match="is a file"):
        simulate_study("test-retest", tmp_path / "precious.txt", tacs_only=True)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_a_faulty_dose_ends_with_2_and_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "faulty.toml"
    text = find_plan("tiger2020").text.replace("mg_per_kg = { value = 0.5", "mg_per_kg = { value = -0.5")
    plan.write_text(text, encoding="utf-8")
    assert main(["simulate", str(plan), str(tmp_path / "study"), "--tacs-only"]) == 2
    told = capsys.readouterr().err
    assert "faulty.toml" in told
    assert "mg_per_kg = -0.5" in told
    assert not (tmp_path / "study").exists()


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    simulate_study("yamanaka2014", tmp_path, participants=1, tacs_only=True)
    assert len(list(tmp_path.glob("sub-01/ses-*/pet/*_pet.json"))) == 6
