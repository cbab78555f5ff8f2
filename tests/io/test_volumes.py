"""A dynamic image read whole is the same whatever its voxels are stored as."""

import nibabel
import numpy as np
import pytest

from raphe.errors import InputError, TimingError
from raphe.io.volumes import read_dynamic, read_volume

SHAPE = (6, 5, 4)
START = [0, 60, 180]
DURATION = [60, 120, 300]
DATA = np.random.default_rng(2).uniform(0, 40, (*SHAPE, 3))
AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])


def scan(folder, save_json, fields, data=DATA, dtype="<f4", slope=None, **changes):
    """Image and sidecar, in kBq/mL."""
    path = folder / "sub-01" / "pet" / "sub-01_pet.nii.gz"
    told = {"Units": "kBq/mL", "FrameTimesStart": START, "FrameDuration": DURATION, **changes}
    save_json(path.with_name("sub-01_pet.json"), fields(**told))
    header = nibabel.Nifti1Header(endianness=dtype[0])
    header.set_data_dtype(dtype)
    if slope is not None:
        header.set_slope_inter(*slope)
    nibabel.save(nibabel.Nifti1Image(data, AFFINE, header), path)
    return path


@pytest.mark.parametrize(
    ("dtype", "slope", "tolerance"),
    [
        ("<f4", None, 1e-5),
        (">f4", None, 1e-5),
        ("<f8", None, 1e-5),
        ("<i2", None, 1e-3),
        (">i2", (0.002, 0.0), 2e-3),
        ("<i2", (0.002, 20.0), 2e-3),
        ("<u2", (0.001, 0.0), 1e-3),
        ("<f4", (2.0, -3.0), 1e-5),
    ],
)
def test_however_voxels_are_stored(tmp_path, save_json, fields, dtype, slope, tolerance):
    """Nibabel writes ``(data - inter) / slope`` and says so in the header."""
    image, told = read_dynamic(scan(tmp_path, save_json, fields, dtype=dtype, slope=slope))
    np.testing.assert_allclose(np.moveaxis(image.activity, 0, -1), DATA, atol=tolerance)
    np.testing.assert_allclose(image.frames.start, np.array(START) / 60)
    assert not told.findings


@pytest.mark.parametrize("data", [DATA[..., 0], DATA[..., :1]], ids=["3D", "4D"])
def test_one_frame(tmp_path, save_json, fields, data):
    path = scan(tmp_path, save_json, fields, data, FrameTimesStart=[2400], FrameDuration=[1200])
    image, _ = read_dynamic(path)
    assert image.activity.shape == (1, *SHAPE)
    np.testing.assert_allclose(image.activity[0], DATA[..., 0], atol=1e-5)
    assert (image.frames.start[0], image.frames.end[0]) == (40, 60)


def test_one_frame_whose_sidecar_is_of_a_dynamic_scan(tmp_path, save_json, fields):
    path = scan(tmp_path, save_json, fields, DATA[..., 0])
    with pytest.raises(TimingError, match=r"has 1 volume, but FrameTimesStart of .*sub-01_pet.json lists 3 frames"):
        read_dynamic(path)


def test_frames_in_another_order_are_refused(tmp_path, save_json, fields):
    """Sorting them would need to know whether the volumes were sorted too, which nobody can say."""
    path = scan(tmp_path, save_json, fields, FrameTimesStart=[0, 180, 60], FrameDuration=[60, 300, 120])
    with pytest.raises(TimingError, match=r"FrameTimesStart goes backwards: frame 3 .*image"):
        read_dynamic(path)


def test_an_image_of_the_mri_with_several_volumes_is_refused(tmp_path):
    path = tmp_path / "sub-01_T1w.nii.gz"
    nibabel.save(nibabel.Nifti1Image(DATA, AFFINE), path)
    with pytest.raises(InputError, match=r"sub-01_T1w.nii.gz has 3 volumes.*Keep the one"):
        read_volume(path)


@pytest.mark.parametrize("mirror", [True, False])
def test_qform_and_sform_that_disagree_are_a_doubt_of_the_scan_too(tmp_path, save_json, fields, mirror):
    path = scan(tmp_path, save_json, fields)
    image = nibabel.load(path)
    other = np.diag([-1, 1, 1, 1]) @ AFFINE if mirror else AFFINE.copy()
    other[1, 3] += 0.0 if mirror else 12.0
    image.set_sform(AFFINE, 1)
    image.set_qform(other, 1)
    nibabel.save(image, path)
    found, told = read_dynamic(path)
    (doubt,) = told.findings
    assert "left and right" in doubt.message if mirror else "12 mm apart" in doubt.message
    assert "takes the sform" in doubt.message
    np.testing.assert_array_equal(found.grid.affine, AFFINE)
