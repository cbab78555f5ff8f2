"""Which image of a scan is taken, and which T1-weighted image goes with it, by the names of files alone."""

import pytest

from raphe.errors import InputError
from raphe.io.datasets import find_tables
from raphe.io.names import parse_name
from raphe.io.raw_scans import find_raw_scans, t1_of
from raphe.io.scan_images import image_of

PET = "sub-01/ses-a/pet/sub-01_ses-a_trc-DASB"


@pytest.fixture
def raw(tmp_path, save_json, fields):
    """A participant with one PET image and one T1-weighted; the images are empty files."""
    root = tmp_path / "raw"
    save_json(root / f"{PET}_pet.json", fields())
    touch(root / f"{PET}_pet.nii.gz")
    touch(root / "sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz")
    return root


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def made(root, *parts, folder="petprep"):
    """Images as PETPrep names them."""
    return [touch(root / "derivatives" / folder / f"{PET}_{part}_pet.nii.gz") for part in parts]


def only(raw, derivatives=(), **how):
    (found,) = find_raw_scans(raw, derivatives, **how)
    return found


def test_without_derivatives_the_raw_image_is_taken(raw):
    found = only(raw)
    assert (found.image, found.corrected, found.on_t1, found.doubts) == (raw / f"{PET}_pet.nii.gz", False, False, ())
    assert found.t1 is not None


@pytest.mark.parametrize("desc", ["preproc", "mc", "hmc"])
def test_what_petprep_writes_by_default_is_taken_on_the_t1(raw, desc):
    """PETPrep writes an image in the space of the T1-weighted image and one in that of a template."""
    on_t1, _ = made(raw, f"space-T1w_desc-{desc}", f"space-MNI152NLin2009cAsym_desc-{desc}")
    found = only(raw, [raw / "derivatives/petprep"])
    assert (found.image, found.corrected, found.on_t1, found.doubts) == (on_t1, True, True, ())


def test_an_image_whose_name_leaves_the_tracer_out_is_that_of_the_one_scan_that_it_fits(raw):
    """PETPrep's patterns of names have had no ``trc``."""
    path = touch(raw / f"derivatives/petprep/{PET.replace('_trc-DASB', '')}_space-T1w_desc-preproc_pet.nii.gz")
    assert only(raw, [raw / "derivatives/petprep"]).image == path
    scan = parse_name(raw / f"{PET}_pet.nii.gz")
    assert image_of(scan, "", [raw / "derivatives/petprep", raw]) == path
    other = raw / f"{PET.replace('DASB', 'AZ10419369')}_pet.json"
    other.write_text((raw / f"{PET}_pet.json").read_text())
    touch(other.with_suffix(".nii.gz"))
    found = find_raw_scans(raw, [raw / "derivatives/petprep"])
    assert [one.corrected for one in found] == [False, False]
    for one in found:
        (doubt,) = one.doubts
        assert f"fit several scans of the raw data set ({path.name}), so the raw image is taken" in doubt
    assert image_of(scan, "", [raw / "derivatives/petprep"]) is None


def test_without_an_mri_the_image_in_its_own_space_comes_first(raw):
    on_t1, own = made(raw, "space-T1w_desc-preproc", "desc-preproc")
    assert only(raw, [raw / "derivatives/petprep"]).image == on_t1
    found = only(raw, [raw / "derivatives/petprep"], anatomy="pet")
    assert (found.image, found.on_t1, found.t1) == (own, False, None)


def test_the_last_of_a_programs_images_comes_first(raw):
    _, last = made(raw, "desc-hmc", "desc-preproc")
    assert only(raw, [raw / "derivatives/petprep"]).image == last


def test_images_in_a_templates_space_alone_leave_the_raw_one_and_that_is_told(raw):
    made(raw, "space-MNI152NLin2009cAsym_desc-preproc")
    found = only(raw, [raw / "derivatives/petprep"])
    assert not found.corrected
    (doubt,) = found.doubts
    assert "space-MNI152NLin2009cAsym_desc-preproc_pet.nii.gz" in doubt
    assert "space-T1w" in doubt


def test_images_that_are_corrected_for_partial_volumes_or_not_for_motion_are_passed_over(raw):
    made(raw, "space-T1w_pvc-gtm_desc-preproc", "desc-smooth")
    assert not only(raw, [raw / "derivatives/petprep"]).corrected


def test_two_programs_images_are_not_chosen_between(raw):
    one, other = (made(raw, "space-T1w_desc-preproc", folder=folder)[0] for folder in ("petprep", "mine"))
    with pytest.raises(InputError, match=r"2 preprocessed images .*--derivatives") as error:
        only(raw, [raw / "derivatives/petprep", raw / "derivatives/mine"])
    assert str(one) in str(error.value)
    assert str(other) in str(error.value)


def test_petpreps_confounds_are_no_curves(raw):
    path = touch(raw / f"derivatives/petprep/{PET}_desc-confounds_timeseries.tsv")
    path.write_text("global_signal\ttrans_x\trot_x\tframewise_displacement\n1.0\t0.1\t0.0\tn/a\n")
    with pytest.raises(InputError, match="no time-activity curves"):
        find_tables(raw, [raw / "derivatives/petprep"])


def test_a_missing_sidecar_is_told_with_its_name(raw):
    (raw / f"{PET}_pet.json").unlink()
    with pytest.raises(InputError, match=r"no sidecar: .*sub-01_ses-a_trc-DASB_pet\.json.*write its times"):
        find_raw_scans(raw)


def test_runs_are_scans_of_their_own(raw, save_json, fields):
    for run in ("1", "2"):
        save_json(raw / f"{PET}_run-{run}_pet.json", fields())
        touch(raw / f"{PET}_run-{run}_pet.nii.gz")
    (raw / f"{PET}_pet.nii.gz").unlink()
    assert [one.scan.label for one in find_raw_scans(raw)] == [f"{PET.split('/')[-1]}_run-{run}" for run in "12"]


def test_the_t1_of_another_session_is_taken_where_it_is_the_only_one(raw):
    own = raw / "sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz"
    other = touch(raw / "sub-01/ses-b/anat/sub-01_ses-b_T1w.nii.gz")
    assert only(raw).t1 == own
    own.unlink()
    assert only(raw).t1 == other
    touch(raw / "sub-01/ses-c/anat/sub-01_ses-c_T1w.nii.gz")
    with pytest.raises(InputError, match=r"2 T1-weighted images for ses-a .*ses-b.*ses-c.*t1 in \[preprocess\]"):
        only(raw)
    assert only(raw, t1="ses-c").t1.name == "sub-01_ses-c_T1w.nii.gz"


def test_of_two_t1s_the_plan_chooses(raw):
    other = touch(raw / "sub-01/ses-a/anat/sub-01_ses-a_run-2_T1w.nii.gz")
    with pytest.raises(InputError, match=r"2 T1-weighted images .*sub-01_ses-a_run-2_T1w"):
        only(raw)
    assert only(raw, t1="run-2").t1 == other
    assert only(raw, anatomy="pet").t1 is None
    with pytest.raises(InputError, match="'run-3' in its name"):
        only(raw, t1="run-3")


def test_what_was_made_of_a_t1_is_none(raw):
    touch(raw / "sub-01/ses-a/anat/sub-01_ses-a_desc-brain_T1w.nii.gz")
    assert only(raw).t1.name == "sub-01_ses-a_T1w.nii.gz"


def test_two_t1s_of_a_participant_without_sessions_are_told_without_a_session(tmp_path):
    for run in "12":
        touch(tmp_path / f"sub-01/anat/sub-01_run-{run}_T1w.nii.gz")
    with pytest.raises(InputError, match=r"has 2 T1-weighted images \("):
        t1_of(tmp_path, "01", None)
