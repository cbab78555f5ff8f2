"""A segmentation of the user's own on the head of a scan: space, tissue, and which of them is taken."""

import nibabel
import numpy as np
import pytest

from phantom_head import grid, places, tissues
from raphe.core import rigid
from raphe.core.frames import Frames
from raphe.data.alignment import Field, Warp
from raphe.data.image import Grid
from raphe.data.scan import Scan
from raphe.data.volume import DynamicImage, Labels, Volume
from raphe.errors import InputError
from raphe.io.raw_scans import RawScan
from raphe.io.segmentations import find_segmentation
from raphe.pipeline.own_regions import own_regions, own_segmentation
from raphe.pipeline.prepare_head import HeadTask
from raphe.pipeline.preprocess_choices import Preprocessing
from raphe.pipeline.raw_task import RawTask
from raphe.preprocess.anatomy import Head, grey_only, with_tissue
from raphe.preprocess.extract import extract_curves, region_shares
from raphe.preprocess.reference_region import cerebellar_reference

T1 = Grid((60, 66, 58), rigid.matrix([3, -2, 4, 0.05, -0.04, 0.1], (0, 0, 0)) @ grid(3.0, (60, 66, 58)).affine)
CONFORMED = Grid((90, 90, 90), np.array([[-2.0, 0, 0, 90], [0, 0, 2, -88], [0, -2, 0, 91], [0, 0, 0, 1]]))
NUMBERS = {"left_hippocampus": 17, "right_hippocampus": 53, "white": 2, "fluid": 4}


def head():
    cortex, nuclei, white, fluid = tissues(places(T1))
    brain = cortex + nuclei + white + fluid > 0.5
    maps = (Volume(T1, (one * brain).astype(np.float32)) for one in (cortex + nuclei, white, fluid))
    warp = Warp("MNI", Field(T1, places(T1).astype(np.float32)), Field(T1, places(T1).astype(np.float32)))
    empty = np.zeros(T1.shape, dtype=np.int32)
    return Head(Volume(T1, white.astype(np.float32)), brain, *maps, warp, Labels(T1, empty, {1: "atlas"}), ())


def truth(at):
    """FreeSurfer's number at places of scanner space, mm: the left is where x is below 0."""
    _, nuclei, white, fluid = tissues(at)
    numbers = np.where(nuclei > 0.5, np.where(at[..., 0] < 0, 17, 53), 0)
    return np.where(white > 0.5, 2, np.where(fluid > 0.5, 4, numbers)).astype(np.int32)


def freesurfer(root, shift=0.0, name="aparc+aseg", folder="sub-01", numbers=None):
    path = root / folder / "mri" / f"{name}.mgz"
    path.parent.mkdir(parents=True)
    affine = CONFORMED.affine.copy()
    affine[0, 3] += shift
    nibabel.save(nibabel.MGHImage(truth(places(CONFORMED)) if numbers is None else numbers, affine), path)
    return path


def test_labels_of_another_grid_lie_where_they_are_in_the_scanner(tmp_path):
    freesurfer(tmp_path)
    found, step, doubts = own_regions(find_segmentation("01", (None,), (tmp_path,)), head(), None)
    assert not doubts
    assert step.parameters["file"] == "aparc+aseg.mgz"
    assert step.parameters["seg"] == "aparcaseg"
    expected = truth(places(T1))
    for number, name in found.names.items():
        one, other = found.values == number, expected == NUMBERS[name]
        assert 2 * (one & other).sum() / (one.sum() + other.sum()) > 0.9, name
    left = places(T1)[found.values == 17][..., 0]
    assert left.max() < 1.5


@pytest.mark.parametrize(("shift", "doubted"), [(0.0, False), (10.0, False), (110.0, True), (1000.0, True)])
def test_a_segmentation_that_lies_elsewhere_is_doubted(tmp_path, shift, doubted):
    path = freesurfer(tmp_path, shift)
    _, step, doubts = own_regions(find_segmentation("01", (None,), (tmp_path,)), head(), None)
    assert bool(doubts) == doubted == (step.parameters["inside"] < 0.5)
    for doubt in doubts:
        assert str(path) in doubt
        assert "does not lie on this MRI" in doubt


def test_curves_are_of_grey_regions_and_tissue_is_that_of_the_segmentation(tmp_path):
    """White matter and fluid stay what the segmentation says, even where the MRI says otherwise."""
    freesurfer(tmp_path)
    mri = head()
    labels, _, _ = own_regions(find_segmentation("01", (None,), (tmp_path,)), mri, None)
    blind = Head(mri.t1, mri.brain, mri.grey, mri.fluid, mri.white, mri.warp, labels, ())
    whole = with_tissue(blind)
    assert set(whole.names.values()) == {"left_hippocampus", "right_hippocampus", "white", "fluid", "other_grey"}
    numbers = {name: number for number, name in whole.names.items()}
    for name in ("white", "fluid"):
        given = next(number for number, one in labels.names.items() if one == name)
        assert (whole.values[(labels.values == given) & mri.brain] == numbers[name]).all()
    kept = grey_only(labels, mri.grey, 0.9)
    white = next(number for number, one in labels.names.items() if one == "white")
    np.testing.assert_array_equal(kept.values == white, labels.values == white)
    assert (kept.values == 17).sum() < (labels.values == 17).sum()
    frames = Frames(np.array([0.0]), np.array([10.0]))
    activity = np.select([whole.values == 17, whole.values == 53], [30.0, 20.0], 5.0).astype(np.float32)
    shares, _ = region_shares(whole, T1, np.eye(4))
    tacs, _ = extract_curves(DynamicImage(T1, frames, activity[None], 20.0), shares.rows(tuple(NUMBERS)[:2]))
    np.testing.assert_allclose(tacs.activity[:, 0], [30, 20], rtol=1e-5)


def test_the_reference_is_found_by_freesurfers_numbers_and_keeps_away_from_cortex_alone(tmp_path):
    """White matter under the fusiform gyrus is no cortex: the cerebellum beside it stays in the reference."""
    at = places(CONFORMED)
    cerebellum = (np.abs(at[..., 0]) < 45) & (np.abs(at[..., 1] + 50) < 20) & (np.abs(at[..., 2] + 40) < 14)
    above = (np.abs(at[..., 0]) < 45) & (np.abs(at[..., 1] + 50) < 20) & (np.abs(at[..., 2] + 22) < 4)
    shares = {}
    for name, number in (("wmparc", 3007), ("aparc.a2009s+aseg", 11121), ("aparc+aseg", 1007)):
        numbers = np.where(cerebellum, np.where(at[..., 0] < 0, 8, 47), np.where(above, number, 0)).astype(np.int32)
        freesurfer(tmp_path / name, name=name, numbers=numbers)
        labels, _, _ = own_regions(find_segmentation("01", (None,), (tmp_path / name,)), head(), None)
        reference, step, _ = cerebellar_reference(labels, 110.0)
        assert reference is not None
        shares[name] = step.parameters["share"]
    assert shares["aparc+aseg"] == shares["aparc.a2009s+aseg"]
    assert shares["wmparc"] > shares["aparc+aseg"] + 0.1


def task(root, seg=None, t1="sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz", session="a", derivatives=()):
    choices = Preprocessing(seg=seg)
    made = HeadTask(root, root / t1, choices, root / "out", "", {}, "")
    raw = RawScan(Scan("01", session), root / "sub-01_pet.nii.gz", False, root / t1)
    return RawTask(raw, root, tuple(derivatives), choices, made, root / "out", "", {}, "")


def test_the_session_of_the_mri_comes_before_that_of_the_pet(tmp_path):
    for session in ("a", "b"):
        freesurfer(tmp_path / "derivatives" / "freesurfer", folder=f"sub-01_ses-{session}")
    assert own_segmentation(task(tmp_path)).session == "a"
    assert own_segmentation(task(tmp_path, session="b")).session == "a"
    assert own_segmentation(task(tmp_path, session="b", t1="sub-01/anat/sub-01_T1w.nii.gz")).session == "b"


def test_a_name_that_there_is_not_is_refused_with_those_that_there_are(tmp_path):
    freesurfer(tmp_path / "fs")
    for wanted, told in ((task(tmp_path, "gtmseg", derivatives=[tmp_path / "fs"]), r"there are aparc\+aseg: name"),
                         (task(tmp_path, "gtmseg"), "there is none: name")):  # fmt: skip
        with pytest.raises(InputError, match=rf"sub-01 has no segmentation 'gtmseg' .*{told}.*--derivatives"):
            own_segmentation(wanted)
    assert own_segmentation(task(tmp_path, "desikankilliany", derivatives=[tmp_path / "fs"])) is None
    assert own_segmentation(task(tmp_path)) is None
    assert own_segmentation(task(tmp_path, "aparcaseg", derivatives=[tmp_path / "fs"])).path == (
        tmp_path / "fs" / "sub-01" / "mri" / "aparc+aseg.mgz"
    )
