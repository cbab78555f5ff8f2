"""Raw images are looked at before any work: each fault and doubt is told, and a sound dataset has none."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from raphe.io.check import check_dataset

N = 8
"""Frames of the schedule of the small study."""


def affine(size=3.0, n=40):
    made = np.diag([size, size, size, 1.0])
    made[:3, 3] = -(n - 1) / 2 * size
    return made


def noise(shape):
    return np.random.default_rng(1).integers(0, 100, int(np.prod(shape)))


def write_image(path: Path, shape=(40, 40, 40, N), size=3.0, change=lambda header: None, values=noise) -> Path:
    """Write an image by hand, for nibabel mends what its header says of places."""
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.int16)
    header.set_data_shape(shape)
    header.set_qform(affine(size), 1)
    header.set_sform(affine(size), 1)
    header["vox_offset"] = 352
    change(header)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(header.binaryblock + bytes(4) + values(shape).astype("<i2").tobytes(), 1))
    return path


@pytest.fixture
def raw(tmp_path, save_json, fields) -> Path:
    """A participant with one PET image and a T1-weighted one; no curves."""
    root = tmp_path / "raw"
    save_json(root / "dataset_description.json", {"Name": "raw", "BIDSVersion": "1.10.0"})
    (root / "participants.tsv").write_text("participant_id\nsub-01\n")
    save_json(pet(root).with_name("sub-01_ses-a_trc-DASB_pet.json"), fields())
    write_image(pet(root))
    write_image(t1(root), (80, 80, 80), 1.5)
    return root


def pet(root, entities="trc-DASB", ending=".nii.gz"):
    return root / f"sub-01/ses-a/pet/sub-01_ses-a_{entities}_pet{ending}"


def t1(root, session="a", entities=""):
    return root / f"sub-01/ses-{session}/anat/sub-01_ses-{session}{entities}_T1w.nii.gz"


def only(root, field=None):
    found = [one for one in check_dataset(root) if field is None or one.field == field]
    assert len(found) == 1, [one.message for one in found]
    return found[0]


def assert_says(finding, severity, *words):
    assert finding.severity == severity
    for word in words:
        assert word in finding.message, finding.message


def test_a_sound_dataset_of_images_has_no_findings(raw):
    assert check_dataset(raw) == ()


def test_an_image_without_a_sidecar(raw):
    pet(raw).with_name("sub-01_ses-a_trc-DASB_pet.json").unlink()
    assert_says(only(raw), "error", str(pet(raw)), "no sidecar", "sub-01_ses-a_trc-DASB_pet.json")


def test_a_sidecar_of_all_scans_at_the_root_will_do(raw):
    own = pet(raw).with_name("sub-01_ses-a_trc-DASB_pet.json")
    (raw / "pet.json").write_text(own.read_text())
    own.unlink()
    assert check_dataset(raw) == ()


@pytest.mark.parametrize("field", ["FrameTimesStart", "FrameDuration"])
def test_the_frames_of_image_and_sidecar(raw, field):
    write_image(pet(raw), (40, 40, 40, N - 1))
    assert_says(only(raw, field), "error", f"{N - 1} frames", f"{field} of", f"lists {N}")


def test_frames_that_run_backwards(raw, save_json, fields):
    start = fields()["FrameTimesStart"]
    path = pet(raw).with_name("sub-01_ses-a_trc-DASB_pet.json")
    save_json(path, fields(FrameTimesStart=[start[1], start[0], *start[2:]]))
    assert_says(only(raw), "error", "FrameTimesStart goes backwards", "frame 2")


def test_one_frame(raw, save_json, fields):
    write_image(pet(raw), (40, 40, 40, 1))
    path = pet(raw).with_name("sub-01_ses-a_trc-DASB_pet.json")
    save_json(path, fields(FrameTimesStart=[0], FrameDuration=[5400]))
    assert_says(only(raw), "warning", "one frame")


@pytest.mark.parametrize("which", [pet, t1])
def test_qform_and_sform_that_disagree(raw, which):
    def flip(header):
        header.set_sform(np.diag([-1, 1, 1, 1]) @ affine(), 1)

    shape = (40, 40, 40, N) if which is pet else (40, 40, 40)
    write_image(which(raw), shape, change=flip)
    assert_says(only(raw), "warning", str(which(raw)), "qform and sform disagree", "left and right", "sform")


def test_a_shift_between_qform_and_sform(raw):
    def shift(header):
        moved = affine()
        moved[0, 3] += 12.0
        header.set_qform(moved, 2)

    write_image(pet(raw), change=shift)
    assert_says(only(raw), "warning", "12 mm apart", "codes 2 and 1")


def test_a_qform_alone_or_one_that_is_rounded_is_no_doubt(raw):
    write_image(pet(raw), change=lambda header: header.set_sform(None, 0))
    assert check_dataset(raw) == ()

    def round_off(header):
        header["qoffset_x"] += 0.1

    write_image(pet(raw), change=round_off)
    assert check_dataset(raw) == ()


def test_neither_qform_nor_sform(raw):
    def remove(header):
        header["qform_code"] = header["sform_code"] = 0

    write_image(pet(raw), change=remove)
    assert_says(only(raw), "warning", "neither qform nor sform", "left")


@pytest.mark.parametrize(("size", "words"), [(0.3, "voxels of 0.3"), (1.0, "extent of 40"), (30.0, "voxels of 30")])
def test_voxels_that_cannot_be_of_a_human_brain(raw, size, words):
    write_image(pet(raw), size=size)
    assert_says(only(raw), "warning", words, "species")


@pytest.mark.parametrize("where", ["participants", "plan"])
def test_an_animal_may_be_small(raw, where):
    write_image(pet(raw), size=1.0)
    if where == "participants":
        (raw / "participants.tsv").write_text("participant_id\tspecies\nsub-01\tMacaca mulatta\n")
    else:
        (raw / "raphe.toml").write_text('[study]\nspecies = "macaque"\n')
    assert check_dataset(raw) == ()


def test_no_t1_at_all(raw):
    t1(raw).unlink()
    assert_says(only(raw), "warning", "no T1-weighted image", "PET alone", "segmentation")


def test_the_t1_of_another_session(raw):
    t1(raw, "b").parent.mkdir(parents=True)
    t1(raw).rename(t1(raw, "b"))
    assert_says(only(raw), "warning", "its session has no T1-weighted image", "sub-01_ses-b_T1w.nii.gz", "taken")
    write_image(t1(raw, "c"), (80, 80, 80), 1.5)
    assert_says(only(raw), "warning", "others have 2", "sub-01_ses-c_T1w.nii.gz", "plan")


def test_two_t1s_in_a_session(raw):
    write_image(t1(raw, entities="_run-2"), (80, 80, 80), 1.5)
    assert_says(only(raw), "warning", "2 T1-weighted images", "sub-01_ses-a_run-2_T1w.nii.gz", "plan")


def test_the_plan_chooses_a_t1_or_does_without(raw):
    write_image(t1(raw, entities="_run-2"), (80, 80, 80), 1.5)
    (raw / "raphe.toml").write_text('[preprocess]\nt1 = "run-2"\n')
    assert check_dataset(raw) == ()
    t1(raw).unlink()
    t1(raw, entities="_run-2").unlink()
    assert_says(only(raw), "warning", "no T1-weighted image")
    (raw / "raphe.toml").write_text('[preprocess]\nanatomy = "pet"\n')
    assert check_dataset(raw) == ()


def test_several_runs(raw, save_json, fields):
    for run in ("1", "2"):
        save_json(pet(raw, f"trc-DASB_run-{run}", ".json"), fields())
        write_image(pet(raw, f"trc-DASB_run-{run}"), values=lambda shape, run=run: noise(shape) + int(run))
    pet(raw).unlink()
    pet(raw).with_name("sub-01_ses-a_trc-DASB_pet.json").unlink()
    assert_says(only(raw), "warning", "2 runs", "run-1", "run-2")


def test_an_image_that_is_there_twice(raw):
    pet(raw, ending=".nii").write_bytes(gzip.decompress(pet(raw).read_bytes()))
    assert_says(only(raw), "warning", "2 times", ".nii")


@pytest.mark.parametrize(("of", "shape"), [(pet, (40, 40, 40, N)), (t1, (40, 40, 40))], ids=["PET", "T1"])
def test_an_image_that_is_cut_short(raw, of, shape):
    path = of(raw)
    rng = np.random.default_rng(1)
    image = nibabel.Nifti1Image(rng.integers(0, 30000, shape).astype(np.int16), affine())
    nibabel.save(image, path)
    path.write_bytes(path.read_bytes()[:-20000])
    assert_says(only(raw), "error", str(path), "cut short")


def test_a_t1_of_several_volumes(raw):
    write_image(t1(raw), (80, 80, 80, 2), 1.5)
    assert_says(only(raw), "error", str(t1(raw)), "2 volumes", "their mean")


@pytest.mark.parametrize("plan", ['t1 = "run-2"', 'anatomy = "pet"'])
def test_nothing_is_told_of_a_t1_that_is_not_used(raw, plan):
    write_image(t1(raw), (80, 80, 80, 2), 1.5)
    write_image(t1(raw, entities="_run-2"), (80, 80, 80), 1.5)
    (raw / "raphe.toml").write_text(f"[preprocess]\n{plan}\n")
    assert check_dataset(raw) == ()


def test_a_pointer_to_data_that_were_not_fetched(raw):
    pet(raw).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    assert_says(only(raw), "error", "not fetched", "git lfs pull")


@pytest.mark.parametrize("name", ["sub-01_ses-a_DASB_pet.nii.gz", "sub-02_ses-a_pet.nii.gz"])
def test_names_that_are_wrong(raw, name):
    write_image(pet(raw).with_name(name))
    assert_says(only(raw), "error", name)


def test_what_was_made_of_an_image_is_not_raw(raw):
    write_image(pet(raw, "trc-DASB_desc-preproc"), (40, 40, 40, 1))
    assert check_dataset(raw) == ()


def test_a_scan_with_curves_needs_no_t1(study):
    path = study.pet().with_name("sub-01_ses-baseline_pet.nii.gz")
    write_image(path)
    assert check_dataset(study.root) == ()


def test_without_images_and_curves_there_is_nothing_to_analyse(raw):
    pet(raw).unlink()
    assert any("no time-activity curves" in one.message for one in check_dataset(raw) if one.severity == "error")


def test_a_folder_of_curves_that_is_not_there_is_told_beside_images(raw, tmp_path):
    found = check_dataset(raw, [tmp_path / "absent"])
    assert [one.severity for one in found] == ["error"]
    assert "absent" in found[0].message


@pytest.mark.parametrize(
    ("number", "what"), [(0, "every voxel is 0"), (7, "every voxel is 7"), (-3, "every voxel is -3")], ids=str
)
@pytest.mark.parametrize("of", [pet, t1])
def test_an_image_that_shows_nothing(raw, of, number, what):
    shape = (40, 40, 40, N) if of is pet else (80, 80, 80)
    write_image(of(raw), shape, 3.0 if of is pet else 1.5, values=lambda shape: np.full(int(np.prod(shape)), number))
    assert_says(only(raw), "warning", str(of(raw)), f"shows nothing: {what}", "Reconstruct or convert it again")


def test_an_image_without_any_number(raw):
    path = pet(raw)
    image = nibabel.Nifti1Image(np.full((40, 40, 40, N), np.nan, dtype=np.float32), affine())
    image.set_sform(affine(), 1)
    image.set_qform(affine(), 1)
    nibabel.save(image, path)
    assert_says(only(raw), "warning", str(path), "no voxel holds a number")


def test_an_image_that_shows_little_is_not_said_to_show_nothing(raw):
    """It is compressed as far, but one voxel differs."""

    def values(shape):
        made = np.zeros(int(np.prod(shape)), dtype=np.int16)
        made[1000] = 5
        return made

    write_image(pet(raw), values=values)
    assert check_dataset(raw) == ()


def test_the_sidecar_of_an_image_that_has_another_run_is_looked_at(raw, save_json, fields):
    """A sidecar without ``run-`` holds for its own image, and not only for those of the runs that inherit it."""
    save_json(pet(raw, "trc-DASB_run-2").with_suffix("").with_suffix(".json"), fields())
    write_image(pet(raw, "trc-DASB_run-2"))
    save_json(pet(raw).with_suffix("").with_suffix(".json"), fields(FrameDuration=[0] * N))
    assert any(one.severity == "error" and "zero length" in one.message for one in check_dataset(raw))


def test_an_image_that_is_a_copy_of_anothers_is_told(raw, save_json, fields):
    other = raw / "sub-02/ses-a"
    save_json(other / "pet/sub-02_ses-a_trc-DASB_pet.json", fields())
    (raw / "participants.tsv").write_text("participant_id\nsub-01\nsub-02\n")
    for kind, name in (("pet", "trc-DASB_pet"), ("anat", "T1w")):
        (other / kind).mkdir(exist_ok=True)
        (other / kind / f"sub-02_ses-a_{name}.nii.gz").write_bytes(
            (raw / f"sub-01/ses-a/{kind}/sub-01_ses-a_{name}.nii.gz").read_bytes()
        )
    found = [(one.path.name, one.message) for one in check_dataset(raw)]
    assert [name for name, _ in found] == ["sub-02_ses-a_trc-DASB_pet.nii.gz", "sub-02_ses-a_T1w.nii.gz"]
    for _, message in found:
        assert "is the same as" in message
        assert message.endswith("to the last byte; is one a copy, or under a wrong name?")


def test_one_t1_in_two_sessions_of_a_person_is_no_doubt(raw):
    t1(raw, "b").parent.mkdir(parents=True)
    t1(raw, "b").write_bytes(t1(raw).read_bytes())
    assert check_dataset(raw) == ()


def test_an_mp2rage_is_told_where_the_t1_is_missing(raw):
    t1(raw).rename(t1(raw).with_name("sub-01_ses-a_UNIT1.nii.gz"))
    (message,) = [one.message for one in check_dataset(raw)]
    assert "sub-01_ses-a_UNIT1.nii.gz is not taken for one" in message
    assert "name it sub-01_ses-a_T1w.nii.gz" in message


def test_a_gap_between_frames_of_an_image(raw, save_json, fields):
    sidecar = pet(raw).with_suffix("").with_suffix(".json")
    told = fields()
    save_json(sidecar, {**told, "FrameDuration": [*told["FrameDuration"][:-2], 900, 1800]})
    (finding,) = check_dataset(raw)
    assert finding.path == sidecar
    assert "nothing was measured in the 900 s between frames 7 and 8" in finding.message
