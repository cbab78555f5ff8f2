"""Scans that hold nothing, in every frame or in some, and scales that no brain has: what comes out and is told."""

import json
import shutil

import nibabel
import numpy as np
import pytest

from phantom_head import FRAMES
from phantom_study import DATA, PET, T1, Study, head
from raphe.cli import main
from raphe.errors import InputError
from raphe.pipeline import locate, preprocess
from raphe.pipeline.prepare_head import HeadTask, prepare_head
from raphe.pipeline.preprocess_choices import Preprocessing
from raphe.preprocess import register
from raphe.preprocess.blockwise import inverse

PLAN = """[study]
title = "Two scans"

[[tracer]]
name = "DASB"
model = "SRTM"
reference = "cerebellar_grey"

[preprocess]
pvc = []

"""


@pytest.fixture(scope="module", autouse=True)
def patched():
    """The head is given, and the second opinion on its place left out, which takes long on a head like a ball."""
    with pytest.MonkeyPatch.context() as patch:
        made = head()
        patch.setattr(locate, "read_head", lambda task: (made, ()))
        patch.setattr(preprocess, "prepare_head", lambda task, restart=False: 0.0)
        patch.setattr(register, "_informed", lambda moving, fixed, brain, pull, extent: inverse(pull))
        yield


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    made = Study(tmp_path_factory.mktemp("sound"))
    made.write()
    made.run()
    return made.curves()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (np.zeros_like(DATA), "it is 0 in every voxel"),
        (np.full_like(DATA, np.nan), "no voxel of any of the 13 frames holds a number"),
        (-np.abs(DATA) - 1, r"no voxel is above 0 \(from -\d+\.\d+ to -1\)"),
        (np.full_like(DATA, np.inf), "no voxel of any of the 13 frames holds a number"),
    ],
    ids=["zeros", "NaN", "negative", "infinite"],
)
def test_a_scan_that_shows_nothing_names_its_file_and_leaves_no_file(study, data, told):
    path = study.write(data)
    with pytest.raises(InputError, match=told) as error:
        study.run()
    assert str(error.value).startswith(str(path))
    assert not list(study.root.rglob("*_tacs.tsv"))


@pytest.mark.parametrize("value", [0.0, np.nan], ids=["zeros", "NaN"])
@pytest.mark.parametrize("at", [5, len(FRAMES) - 1], ids=["middle", "last"])
def test_a_lost_frame_leaves_a_gap_and_the_rest_as_it_is(study, sound, at, value):
    data = DATA.copy()
    data[at] = value
    study.write(data)
    doubts = study.run().doubts
    (told,) = [doubt for doubt in doubts if "is lost" in doubt]
    assert told.startswith(f"frame {at + 1} ({FRAMES.start[at]:g} to {FRAMES.end[at]:g} min)")
    found = study.curves()
    for name, curve in sound.items():
        assert np.abs(found[name] - np.delete(curve, at)).max() < 0.03 * curve.max(), name
    image = nibabel.load(study.file("desc-preproc_pet.nii.gz"))
    assert image.shape[3] == len(FRAMES) - 1
    sidecar = json.loads(study.file("desc-preproc_pet.json").read_text(encoding="utf-8"))
    np.testing.assert_allclose(sidecar["FrameTimesStart"], np.delete(60 * FRAMES.start, at))
    np.testing.assert_allclose(sidecar["FrameDuration"], np.delete(60 * FRAMES.duration, at))


def test_the_first_frame_may_be_empty(study, sound):
    data = DATA.copy()
    data[0] = 0
    study.write(data)
    assert not any("is lost" in doubt for doubt in study.run().doubts)
    found = study.curves()
    for name, curve in sound.items():
        assert found[name][0] == 0
        assert np.abs(found[name][1:] - curve[1:]).max() < 0.03 * curve.max(), name


def test_infinite_values_do_not_reach_the_curves(study, sound):
    data = DATA.copy()
    data[:, 20, 28, 22] = np.inf
    data[3, 24, 22, 22] = -np.inf
    study.write(data)
    doubts = study.run().doubts
    assert any(doubt.startswith("14 values are infinite or no number") for doubt in doubts)
    found = study.curves()
    for name, curve in sound.items():
        assert np.abs(found[name] - curve).max() < 0.02 * curve.max(), name


def test_axes_that_run_the_other_way_change_nothing(study, sound):
    affine = PET.affine.copy()
    affine[0] *= -1
    study.write(DATA[:, ::-1], affine)
    study.run()
    found = study.curves()
    for name, curve in sound.items():
        assert np.abs(found[name] - curve).max() < 0.03 * curve.max(), name


def test_a_brain_that_fills_less_than_a_hundredth_of_the_image(study, sound):
    """Air around it, as in a long tomograph, and the brain not in the middle."""
    wide = np.zeros((3, 140, 140, 140), dtype=np.float32)
    low = (50, 40, 70)
    (x, y, z), frames = low, type(FRAMES)(FRAMES.start[-3:], FRAMES.duration[-3:])
    wide[:, x : x + 44, y : y + 52, z : z + 44] = DATA[-3:]
    assert (DATA[-1] > 4).sum() / wide[0].size < 0.01
    affine = PET.affine.copy()
    affine[:3, 3] -= 4.0 * np.array(low)
    study.write(wide, affine, frames)
    doubts = study.run().doubts
    assert not any("view" in doubt for doubt in doubts)
    found = study.curves()
    for name, curve in sound.items():
        assert np.abs(found[name] - curve[-3:]).max() < 0.05 * curve.max(), name


@pytest.mark.parametrize(("factor", "told"), [(0.1, "0.4 x 0.4 x 0.4 mm"), (10.0, "voxels of 40 x 40 x 40 mm")])
def test_centimetres_for_millimetres(study, factor, told):
    affine = PET.affine.copy()
    affine[:3] *= factor
    path = study.write(affine=affine)
    with pytest.raises(InputError, match=told) as error:
        study.run()
    assert str(path) in str(error.value)
    assert "unit of the header" in str(error.value)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda t1: np.zeros_like(t1), "it is 0 in every voxel"),
        (lambda t1: np.full_like(t1, 300), "every voxel is 300"),
        (lambda t1: np.full_like(t1, np.nan), "it is 0 in every voxel"),
        (lambda t1: -t1 - 1e6, "no voxel is above 0"),
    ],
    ids=["zeros", "constant", "NaN", "negative"],
)
def test_a_t1_that_shows_nothing_is_refused_before_any_work(study, spoil, told):
    path = study.root / "sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz"
    nibabel.save(nibabel.Nifti1Image(spoil(head().t1.values), T1.affine), path)
    files = {"t1": path, "labels": path, "table": path}  # those of the atlas are not looked at
    task = HeadTask(study.root, path, Preprocessing(files=tuple(files.items())), study.out, "", {}, "")
    with pytest.raises(InputError, match=told) as error:
        prepare_head(task)
    assert str(error.value).startswith(str(path))


def test_a_scan_that_shows_nothing_does_not_stop_the_other(study, tmp_path_factory, capsys, monkeypatch):
    """Exit code 3: some scans failed, the rest is done; ``raphe check`` tells it before."""
    study.write()
    path = study.write(np.zeros_like(DATA), session="b")
    (study.root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}', encoding="utf-8")
    anat = study.root / "sub-01/ses-a/anat"
    shutil.copytree(anat, study.root / "sub-01/ses-b/anat")
    for file in (study.root / "sub-01/ses-b/anat").iterdir():
        file.rename(file.with_name(file.name.replace("ses-a", "ses-b")))
    assert main(["check", str(study.root), "--quiet"]) == 1
    assert f"{path} shows nothing: every voxel is 0" in capsys.readouterr().out
    made = head()
    monkeypatch.setattr(preprocess, "paths_of", lambda choices: {})
    monkeypatch.setattr(preprocess, "prepare_head", prepare_head)  # which writes the head that is given
    for name, value in (("paths_of", {}), ("template_of", (None, ())), ("prepare_anatomy", (made, ()))):
        monkeypatch.setattr(f"raphe.pipeline.prepare_head.{name}", lambda *_, value=value: value)
    sessions = (
        '[[session]]\nlabel = "a"\n\n[[session]]\nlabel = "b"\n\n[[contrast]]\nname = "change"\nterms = ["a", "b"]\n'
    )
    (study.root / "raphe.toml").write_text(PLAN + sessions, encoding="utf-8")  # a plan asks for both
    out = tmp_path_factory.mktemp("out")
    code = main(["run", str(study.root), str(out), "all", "--quiet"])
    told = capsys.readouterr().err
    assert code == 3, told
    assert f"{path}: this PET image shows nothing: it is 0 in every voxel" in told.replace("\n", " ")
    assert list(out.rglob("*ses-a*_kinpar.tsv"))
    assert not list(out.rglob("*ses-b*_tacs.tsv"))
    assert not list(out.rglob("*ses-b*_pet.nii.gz"))
