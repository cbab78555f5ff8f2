"""One scan of a phantom, and the same scan as it should not be: what comes out, and what is told."""

import json

import nibabel
import numpy as np
import pytest

from phantom_head import FRAMES, grid, places
from phantom_study import DATA, PET, T1, Study, activity, drawn, head
from raphe.io.transforms import read_transforms
from raphe.pipeline import locate
from raphe.preprocess import register
from raphe.preprocess.blockwise import inverse


@pytest.fixture(scope="module")
def patched():
    """The head is given, and the second opinion on its place left out, which takes long on a head like a ball."""
    with pytest.MonkeyPatch.context() as patch:
        made = head()
        patch.setattr(locate, "read_head", lambda task: (made, ()))
        patch.setattr(register, "_informed", lambda moving, fixed, brain, pull, extent: inverse(pull))
        yield


@pytest.fixture(scope="module")
def sound(tmp_path_factory, patched):
    """The scan as it should be, and its doubts."""
    study = Study(tmp_path_factory.mktemp("sound"))
    study.write()
    return study, study.run().doubts


@pytest.fixture
def study(tmp_path, patched):
    return Study(tmp_path)


def assert_like(found, expected, tolerance, but=()):
    """Curves are those of the sound scan, over the highest of each."""
    assert set(found) == set(expected)
    for name in set(expected) - set(but):
        assert np.abs(found[name] - expected[name]).max() < tolerance * expected[name].max(), name


def test_the_sound_scan_has_no_doubts_of_what_the_others_have(sound):
    study, doubts = sound
    assert not any(word in doubt for doubt in doubts for word in ("view", "frame only", "explains", "sform"))
    assert set(study.curves()) == {"frontal", "left_caudate", "right_caudate", "cerebellar_grey"}


def test_doubts_are_told_again_when_the_scan_is_kept(study):
    other = PET.affine.copy()
    other[0, 3] += 12.0
    study.write(qform=other)
    first = study.run()
    assert any("qform and sform disagree" in doubt and "takes the sform" in doubt for doubt in first.doubts)
    again = study.run()
    assert again.skipped
    assert again.doubts == first.doubts


def test_whole_numbers_with_a_scale_give_the_same_curves(study, sound):
    study.write(dtype="i2")
    assert study.run().doubts == sound[1]
    assert_like(study.curves(), sound[0].curves(), 2e-3)


@pytest.mark.parametrize("flat", [True, False], ids=["3D", "4D"])
def test_one_frame(study, sound, flat):
    data = DATA[-1:] if not flat else DATA[-1:].reshape(PET.shape)[None]
    path = study.write(data, frames=type(FRAMES)(FRAMES.start[-1:], FRAMES.duration[-1:]))
    if flat:
        image = nibabel.load(path)
        nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj)[..., 0], PET.affine), path)
    outcome = study.run()
    assert any("one frame only" in doubt and "SUVR" in doubt for doubt in outcome.doubts)
    assert study.step("head_motion").parameters["estimated"] is False
    found = study.curves()
    assert all(curve.shape == (1,) for curve in found.values())
    assert_like(found, {name: curve[-1:] for name, curve in sound[0].curves().items()}, 0.05)
    assert study.curves("label-cerebellargrey_desc-preproc_tacs.tsv")


def test_three_frames(study, sound):
    edges = [(0, 6), (6, 10), (10, 13)]
    start = np.array([FRAMES.start[a] for a, _ in edges])
    data = np.stack([np.average(DATA[a:b], axis=0, weights=FRAMES.duration[a:b]) for a, b in edges])
    whole = np.append(start[1:], FRAMES.end[-1]) - start
    study.write(data.astype(np.float32), frames=type(FRAMES)(start, whole))
    study.run()
    merged = {
        name: [np.average(curve[a:b], weights=FRAMES.duration[a:b]) for a, b in edges]
        for name, curve in sound[0].curves().items()
    }
    assert_like(study.curves(), {name: np.array(curve) for name, curve in merged.items()}, 0.05)


@pytest.mark.parametrize("how", ["fewer slices", "empty slices"])
def test_a_field_of_view_that_cuts_the_cerebellum(study, sound, how):
    """What is left of it has the same curve, for it is of one kind; how much is lost is told."""
    first = int(np.searchsorted(PET.affine[2, 3] + 4.0 * np.arange(PET.shape[2]), -31.0))
    affine = PET.affine.copy()
    if how == "fewer slices":
        affine[2, 3] += 4.0 * first
        study.write(DATA[..., first:], affine)
    else:
        data = DATA.copy()
        data[..., :first] = 0
        study.write(data)
    doubts = study.run().doubts
    (told,) = [doubt for doubt in doubts if "reference region" in doubt]
    z = places(T1)[drawn() == 4][:, 2]
    lost = (z < PET.affine[2, 3] + 4.0 * first - 2.0).mean()
    found = float(told.split("field of view: ")[1].split(" %")[0]) / 100
    assert found == pytest.approx(lost, abs=0.12)
    assert any(doubt.startswith("beyond the PET's field of view: ") and "cerebellar_grey" in doubt for doubt in doubts)
    assert_like(study.curves(), sound[0].curves(), 0.06, but=("frontal",))
    reference = "label-cerebellargrey_desc-preproc_tacs.tsv"
    assert_like(study.curves(reference), sound[0].curves(reference), 0.08)


def test_a_field_of_view_without_the_cerebellum(study, sound):
    first = int(np.searchsorted(PET.affine[2, 3] + 4.0 * np.arange(PET.shape[2]), -14.0))
    affine = PET.affine.copy()
    affine[2, 3] += 4.0 * first
    study.write(DATA[..., first:], affine)
    doubts = study.run().doubts
    assert any("the reference region" in doubt and "name another reference" in doubt for doubt in doubts)
    assert not study.file("label-cerebellargrey_desc-preproc_tacs.tsv").exists()
    found, expected = study.curves(), sound[0].curves()
    for name in ("left_caudate", "right_caudate"):
        assert np.abs(found[name] - expected[name]).max() < 0.08 * expected[name].max()


def test_an_image_of_petprep_on_the_t1_is_not_moved_again(study, sound):
    """Its grid is another one than the PET's and the MRI's, as PETPrep has it."""
    study.write()
    derivative = study.root / "derivatives" / "petprep"
    of = grid(3.5, (48, 56, 48))
    for space in ("T1w", "MNI152NLin2009cAsym"):
        study.write(
            activity(of).astype(np.float32), of.affine, folder=derivative, name=f"space-{space}_desc-preproc_pet"
        )
    made = {"Name": "x", "BIDSVersion": "1.10.0", "GeneratedBy": [{"Name": "PETPrep"}]}
    (derivative / "dataset_description.json").write_text(json.dumps(made), encoding="utf-8")
    outcome = study.run(derivative)
    assert not any("another program" in doubt or "explains" in doubt for doubt in outcome.doubts)
    (matrix,) = read_transforms(study.file("from-petref_to-T1w_mode-image_xfm.txt"))
    np.testing.assert_array_equal(matrix, np.eye(4))
    assert study.step("register") is None
    assert study.step("in_space").parameters["score"] > 0.5
    assert study.step("head_motion").parameters["why"] == "corrected by PETPrep"
    assert_like(study.curves(), sound[0].curves(), 0.06)
