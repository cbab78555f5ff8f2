"""One scan of a phantom, and the same scan as it should not be: what comes out, and what is told."""

import json

import nibabel
import numpy as np
import pytest

from phantom_head import FRAMES, curves, grid, places, tissues
from raphe.data.alignment import Field, Warp
from raphe.data.volume import Labels, Volume
from raphe.io.provenance import read_record
from raphe.io.raw_scans import find_raw_scans
from raphe.io.tables import read_table
from raphe.io.transforms import read_transforms
from raphe.pipeline import locate
from raphe.pipeline.prepare_head import HeadTask
from raphe.pipeline.preprocess_choices import Preprocessing
from raphe.pipeline.preprocess_scan import preprocess_scan
from raphe.pipeline.raw_task import RawTask
from raphe.preprocess import register
from raphe.preprocess.anatomy import Head
from raphe.preprocess.blockwise import inverse

T1 = grid(3.0, (58, 66, 58))
PET = grid(4.0, (44, 52, 44))
REGIONS = {1: "frontal", 2: "left_caudate", 3: "right_caudate", 4: "cerebellar_grey", 5: "white", 6: "fluid"}
STEM = "sub-01_ses-a_trc-DASB"


def head():
    cortex, nuclei, white, fluid = tissues(places(T1))
    brain = cortex + nuclei + white + fluid > 0.5
    maps = (Volume(T1, (one * brain).astype(np.float32)) for one in (cortex + nuclei, white, fluid))
    noise = 0.02 * np.random.default_rng(1).standard_normal(T1.shape)
    t1 = 0.7 * cortex + 0.75 * nuclei + white + 0.2 * fluid + noise
    field = Field(T1, places(T1).astype(np.float32))
    labels = Labels(T1, np.zeros(T1.shape, dtype=np.int32), {1: "atlas"})
    return Head(Volume(T1, (1000 * t1).astype(np.float32)), brain, *maps, Warp("MNI", field, field), labels, ())


def drawn():
    """Numbers of the regions on the MRI, each where its tissue is most of it."""
    at, shares = places(T1), tissues(places(T1))
    nucleus = np.where(at[..., 2] < -15, 4, np.where(at[..., 0] < 0, 2, 3))
    numbers = np.select([shares[0] > 0.5, shares[1] > 0.5, shares[2] > 0.5, shares[3] > 0.5], [1, nucleus, 5, 6], 0)
    return numbers.astype(np.int32)


def activity(of=PET):
    noise = 0.4 * np.random.default_rng(3).standard_normal((len(FRAMES), *of.shape))
    return np.tensordot(curves().T, tissues(places(of), 3.0), axes=1) + noise


DATA = activity().astype(np.float32)


class Study:
    """A participant with a segmentation, whose PET is written as a test wants it."""

    def __init__(self, root):
        self.root, self.out = root, root / "out"
        anat = root / "sub-01/ses-a/anat"
        anat.mkdir(parents=True)
        (anat / "sub-01_ses-a_T1w.nii.gz").write_bytes(b"the head is given")
        nibabel.save(nibabel.Nifti1Image(drawn(), T1.affine), anat / "sub-01_ses-a_seg-mine_dseg.nii.gz")
        rows = "".join(f"{number}\t{name}\n" for number, name in REGIONS.items())
        (anat / "sub-01_ses-a_seg-mine_dseg.tsv").write_text(f"index\tname\n{rows}", encoding="utf-8")

    def write(self, data=DATA, affine=PET.affine, frames=FRAMES, *, folder=None, name="pet", qform=None, dtype="f4"):
        """Write image and sidecar into the data set, or another folder."""
        path = (folder or self.root) / "sub-01/ses-a/pet" / f"{STEM}_{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        header = nibabel.Nifti1Header()
        header.set_data_dtype(dtype)
        image = nibabel.Nifti1Image(np.moveaxis(data, 0, -1), affine, header)
        image.set_sform(affine, 1)
        image.set_qform(affine if qform is None else qform, 1)
        nibabel.save(image, path)
        fields = {
            "Units": "kBq/mL", "TracerName": "DASB", "TracerRadionuclide": "C11", "InjectionStart": 0,
            "ImageDecayCorrected": True, "ImageDecayCorrectionTime": 0,
            "FrameTimesStart": (60 * frames.start).tolist(), "FrameDuration": (60 * frames.duration).tolist(),
        }  # fmt: skip
        path.with_name(f"{STEM}_{name}.json").write_text(json.dumps(fields), encoding="utf-8")
        return path

    def run(self, *derivatives):
        (raw,) = find_raw_scans(self.root, derivatives)
        choices = Preprocessing(pvc=())
        task = HeadTask(self.root, raw.t1, choices, self.out, "", {}, "")
        return preprocess_scan(
            RawTask(raw, self.root, derivatives, choices, task, self.out, "", {"raw": self.root}, "raphe run")
        )

    def file(self, rest):
        return self.out / "sub-01/ses-a/pet" / f"{STEM}_{rest}"

    def curves(self, rest="seg-mine_desc-preproc_tacs.tsv"):
        table = read_table(self.file(rest))
        return {name: table.floats(name) for name in table.columns if not name.startswith("frame_")}

    def step(self, name):
        steps = read_record(self.out / "provenance" / f"{STEM}_preproc.json").steps
        return next((step for step in steps if step.name == name), None)


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
