from pathlib import Path

import pytest

from raphe.errors import InputError
from raphe.io.names import (
    check_place,
    correction,
    find_sidecars,
    natural_key,
    of_another_scan,
    parse_name,
    reference_label,
)


def test_entities_stand_in_any_order():
    early = parse_name(Path("sub-1_ses-a_desc-mc_pvc-agtm_tacs.tsv"))
    late = parse_name(Path("sub-1_ses-a_pvc-agtm_desc-mc_tacs.tsv"))
    assert dict(early.entities) == dict(late.entities) == {"sub": "1", "ses": "a", "desc": "mc", "pvc": "agtm"}
    assert early.suffix == "tacs"


def test_the_scan_is_what_tells_it_from_others_in_the_order_of_bids():
    name = parse_name(Path("sub-1_run-2_trc-DASB_ses-a_desc-x_seg-gtm_tacs.tsv"))
    assert name.scan == (("sub", "1"), ("ses", "a"), ("trc", "DASB"), ("run", "2"))


@pytest.mark.parametrize("text", ["sub-1_odd_tacs.tsv", "sub-1_sub-2_tacs.tsv", "sub-_tacs.tsv", "_tacs.tsv"])
def test_a_malformed_name_is_refused(text):
    with pytest.raises(InputError, match=text):
        parse_name(Path(text))


@pytest.mark.parametrize(("pvc", "is_called"), [("nopvc", ""), ("none", ""), ("agtm", "agtm"), ("MG", "MG")])
def test_partial_volume_correction(pvc, is_called):
    assert correction(parse_name(Path(f"sub-1_pvc-{pvc}_tacs.tsv"))) == is_called
    assert correction(parse_name(Path("sub-1_tacs.tsv"))) == ""


@pytest.mark.parametrize("key", ["ref", "label"])
def test_reference_curves_are_told_by_their_names(key):
    assert reference_label(parse_name(Path(f"sub-1_{key}-cerebellum_tacs.tsv"))) == "cerebellum"
    assert reference_label(parse_name(Path("sub-1_tacs.tsv"))) is None


def test_labels_sort_as_a_person_counts():
    assert sorted(["10", "2", "b", "a", "1"], key=natural_key) == ["a", "b", "1", "2", "10"]


def test_a_file_in_another_folder_than_its_name_says_is_refused():
    check_place(parse_name(Path("d/sub-1/ses-a/pet/sub-1_ses-a_tacs.tsv")))
    with pytest.raises(InputError, match=r"says sub-2, but it stands in sub-1"):
        check_place(parse_name(Path("d/sub-1/pet/sub-2_tacs.tsv")))
    with pytest.raises(InputError, match=r"says ses-b, but it stands in ses-a"):
        check_place(parse_name(Path("d/sub-1/ses-a/pet/sub-1_ses-b_tacs.tsv")))
    with pytest.raises(InputError, match="does not say the participant"):
        check_place(parse_name(Path("d/sub-1/pet/ses-a_tacs.tsv")))


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")


def chain(root: Path, table: str, raw: Path | None = None) -> list[str]:
    return [str(path.relative_to(root)) for path in find_sidecars(root / table, raw)]


TABLE = "derivatives/petprep/sub-1/ses-a/pet/sub-1_ses-a_desc-x_tacs.tsv"


def test_the_tables_own_sidecar_comes_before_the_raw_one(tmp_path):
    touch(tmp_path, TABLE.replace(".tsv", ".json"), "sub-1/ses-a/pet/sub-1_ses-a_pet.json")
    assert chain(tmp_path, TABLE) == [TABLE.replace(".tsv", ".json"), "sub-1/ses-a/pet/sub-1_ses-a_pet.json"]


def test_sidecars_are_inherited_from_subject_and_root_the_nearest_first(tmp_path):
    levels = [
        "sub-1/ses-a/pet/sub-1_ses-a_pet.json",
        "sub-1/ses-a/sub-1_ses-a_pet.json",
        "sub-1/sub-1_pet.json",
        "pet.json",
    ]
    touch(tmp_path, *levels, "sub-2/sub-2_pet.json", "sub-1/ses-b/pet/sub-1_ses-b_pet.json", "anat.json")
    assert chain(tmp_path, TABLE) == levels
    touch(tmp_path, "derivatives/petprep/desc-x_tacs.json", "derivatives/petprep/desc-y_tacs.json")
    assert chain(tmp_path, TABLE)[0] == "derivatives/petprep/desc-x_tacs.json"


@pytest.mark.parametrize("entity", ["task-rest", "trc-DASB", "rec-acdyn", "run-1"])
def test_a_scan_with_another_entity_is_another_scan_unless_it_is_the_only_one(tmp_path, entity):
    scan = f"sub-1/ses-a/pet/sub-1_ses-a_{entity}_pet.json"
    touch(tmp_path, scan, f"sub-1/ses-b/pet/sub-1_ses-b_{entity}_pet.json")
    assert chain(tmp_path, TABLE.replace("_desc", f"_{entity}_desc")) == [scan]
    assert chain(tmp_path, TABLE) == [scan]
    assert chain(tmp_path, TABLE.replace("/sub-1_ses-a", "/sub-1")) == [scan]  # its folder says the session
    assert chain(tmp_path, TABLE.replace("_desc", f"_{entity}0_desc")) == []
    elsewhere = tmp_path / "ses-2026"  # a folder above the data set says nothing of its sessions
    touch(elsewhere, scan)
    assert chain(elsewhere, TABLE) == [scan]
    other = scan.replace(entity, f"{entity}2")
    touch(tmp_path, other)
    assert chain(tmp_path, TABLE) == []
    own = scan.replace(f"_{entity}", "")
    touch(tmp_path, own)
    assert chain(tmp_path, TABLE) == [own]


def test_a_sidecar_of_an_image_in_another_space_does_not_hold_for_curves(tmp_path):
    touch(tmp_path, "derivatives/petprep/sub-1/ses-a/pet/sub-1_ses-a_space-T1w_desc-x_pet.json")
    assert chain(tmp_path, TABLE) == []


@pytest.mark.parametrize("folder", ["raw", "rawdata"])
def test_raw_data_may_stand_beside_derivatives_or_be_named(tmp_path, folder):
    raw = f"{folder}/sub-1/ses-a/pet/sub-1_ses-a_pet.json"
    touch(tmp_path, raw)
    assert chain(tmp_path, TABLE) == [raw]
    touch(tmp_path, "elsewhere/sub-1/ses-a/pet/sub-1_ses-a_pet.json")
    assert chain(tmp_path, TABLE, tmp_path / "elsewhere")[0] == "elsewhere/sub-1/ses-a/pet/sub-1_ses-a_pet.json"


def test_curves_may_stand_in_the_raw_dataset_itself(tmp_path):
    touch(tmp_path, "sub-1/pet/sub-1_pet.json")
    assert chain(tmp_path, "sub-1/pet/sub-1_tacs.tsv") == ["sub-1/pet/sub-1_pet.json"]


def test_a_table_of_any_name_has_the_json_of_the_same_name(tmp_path):
    touch(tmp_path, "my curves.json", "other.json")
    assert chain(tmp_path, "my curves.csv") == ["my curves.json"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sub-02_ses-a_trc-DASB_tacs.tsv", "is of sub-02 by its name, but sub-01_ses-a_trc-DASB_pet.nii.gz of sub-01"),
        ("sub-01_ses-b_blood.tsv", "is of ses-b by its name"),
        ("sub-01_trc-RAC_blood.tsv", "is of trc-RAC by its name"),
        ("sub-01_blood.tsv", ""),
        ("sub-01_ses-a_recording-manual_blood.tsv", ""),
        ("my blood.tsv", ""),
    ],
)
def test_a_file_of_another_scan_by_its_name(name, told):
    scan = Path("sub-01_ses-a_trc-DASB_pet.nii.gz")
    assert told in of_another_scan(Path(name), scan)
    assert bool(of_another_scan(Path(name), scan)) == bool(told)
    assert not of_another_scan(Path("sub-01_ses-mri_T1w.nii.gz"), scan, ("sub",))
