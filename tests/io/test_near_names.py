"""Files that are passed over for the spelling of their names are told, and sidecars that scans inherit are no scans."""

import json

import pytest

from raphe.io.check import check_dataset


def told(study):
    return [(one.severity, one.path.name, one.message) for one in check_dataset(study.root)]


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("sub-01_ses-baseline_T1W.nii.gz", "sub-01_ses-baseline_T1w.nii.gz"),
        ("sub-01_ses-baseline_run-2_PET.nii.gz", "sub-01_ses-baseline_run-2_pet.nii.gz"),
        ("sub-01_ses-baseline_run-2_pet.NII.GZ", "sub-01_ses-baseline_run-2_pet.nii.gz"),
        ("sub-01_ses-baseline_run-2_pet.JSON", "sub-01_ses-baseline_run-2_pet.json"),
        ("sub-01_ses-baseline_recording-manual_Blood.tsv", "sub-01_ses-baseline_recording-manual_blood.tsv"),
    ],
)
def test_a_file_whose_name_differs_in_a_capital_letter_is_told(study, name, right):
    study.pet().with_name(name).write_bytes(b"")
    ((severity, path, message),) = told(study)
    assert (severity, path) == ("warning", name)
    assert f"is not read, for BIDS spells such a name {right}; rename it" in message


def test_a_folder_that_is_a_participants_but_for_its_dash_is_told(study):
    (study.root / "sub-01").rename(study.root / "Sub_01")
    messages = [message for _, _, message in told(study)]
    assert any("Sub_01 is not read, for BIDS spells such a name sub-01" in message for message in messages)


@pytest.mark.parametrize("folder", ["subjects", "sub_lists", "Sub-99"])
def test_a_folder_without_data_of_people_is_not(study, folder):
    (study.root / folder).mkdir()
    assert told(study) == []


def test_other_names_are_nobodys_business(study):
    for name in ("notes_about_PET.txt", "sub-01_ses-baseline_events.TSV", "readme.JSON"):
        study.pet().with_name(name).write_text("x")
    assert told(study) == []


@pytest.mark.parametrize("place", ["sub-01/sub-01_pet.json", "sub-01/ses-baseline/sub-01_ses-baseline_pet.json"])
def test_a_sidecar_that_scans_inherit_is_no_scan_of_its_own(study, place):
    """With neither times nor tracer of its own, it was told as a scan that lacks them."""
    path = study.root / place
    path.write_text(json.dumps({"BodyWeight": 70.0, "BodyWeightUnits": "kg"}))
    assert told(study) == []


def test_a_sidecar_in_a_folder_of_another_name_is_told_with_the_right_one(study, fields, save_json):
    stray = save_json(study.root / "sub-01/ses-third/PET/sub-01_ses-third_pet.json", fields())
    ((severity, path, message),) = [one for one in told(study) if one[0] == "error"]
    assert (severity, path) == ("error", stray.name)
    assert "is of no scan where it stands; move it, with the files beside it, to" in message
    assert message.endswith("sub-01/ses-third/pet")
