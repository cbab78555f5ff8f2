"""Headers whose voxels have no size, or one that no voxel has."""

import gzip
import re

import nibabel
import numpy as np
import pytest

from raphe.errors import InputError
from raphe.io.nifti import open_image

AFFINE = np.array([[3.0, 0, 0, -30], [0, 3.0, 0, -40], [0, 0, 3.0, -50], [0, 0, 0, 1]])
SHAPE = (4, 5, 6)


@pytest.fixture
def write(tmp_path):
    def made(**fields):
        """An image with both forms, whose header then has other values."""
        path = tmp_path / "image.nii"
        image = nibabel.Nifti1Image(np.zeros(SHAPE, dtype=np.float32), AFFINE)
        image.set_sform(AFFINE, 1)
        image.set_qform(AFFINE, 1)
        nibabel.save(image, path)
        raw = bytearray(path.read_bytes())
        header = np.ndarray((), dtype=nibabel.nifti1.header_dtype, buffer=raw)
        for name, value in fields.items():
            field, _, at = name.partition("__")
            if at:
                header[field][int(at)] = value
            else:
                header[field] = value
        path.write_bytes(raw)
        return path

    return made


def test_a_negative_size_does_not_matter_where_the_sform_says_it(write):
    image = open_image(write(pixdim__1=-3.0))
    np.testing.assert_allclose(image.grid.affine, AFFINE)
    assert any("takes the sform" in finding.message for finding in image.findings)


@pytest.mark.parametrize("qform", [0, 1])
@pytest.mark.parametrize("axis", [1, 3])
def test_a_size_of_zero_beside_an_sform_is_a_doubt(write, qform, axis):
    image = open_image(write(**{f"pixdim__{axis}": 0.0}, qform_code=qform))
    np.testing.assert_allclose(image.grid.affine, AFFINE)
    told = [one.message for one in image.findings if one.field == "pixdim"]
    assert len(told) == 1
    assert f"voxels of {'0 x 3 x 3' if axis == 1 else '3 x 3 x 0'} (pixdim), but its sform of 3 x 3 x 3 mm" in told[0]


@pytest.mark.parametrize("qform", [0, 1])
@pytest.mark.parametrize("size", [-3.0, 0.0, np.nan], ids=str)
def test_a_size_that_no_voxel_has_is_refused_without_an_sform(write, qform, size):
    """Read as it is, a negative one would turn the image upside down."""
    path = write(pixdim__2=size, sform_code=0, qform_code=qform)
    with pytest.raises(InputError, match=rf"voxels of 3 x {size:g} x 3 \(pixdim\) and has no sform") as error:
        open_image(path)
    assert str(path) in str(error.value)
    assert "write positive sizes" in str(error.value)


@pytest.mark.parametrize(
    "fields",
    [{"srow_x": 0.0}, {"srow_x": [0.0, 3.0, 0.0, -30.0]}, {"srow_z__2": np.inf}],
    ids=["a row of zeros", "two rows alike", "infinite"],
)
def test_an_affine_without_an_inverse_is_refused(write, fields):
    path = write(**fields)
    with pytest.raises(InputError, match=r"the sform of its header is no affine \(\[\[.*mend it") as error:
        open_image(path)
    assert str(path) in str(error.value)


def test_axes_that_run_the_other_way_are_read_so(write):
    """A qfac of -1, and a mirrored sform, are no faults."""
    image = open_image(write(pixdim__0=-1.0, sform_code=0))
    np.testing.assert_allclose(image.grid.affine[:3, :3], np.diag([3.0, 3.0, -3.0]))
    image = open_image(write(srow_x=[-3.0, 0.0, 0.0, 30.0]))
    np.testing.assert_allclose(image.grid.affine[0], [-3.0, 0.0, 0.0, 30.0])


@pytest.mark.parametrize(
    ("start", "name", "words"),
    [
        (b"\x00\x00\x00\x01\x00\x00\x00\x05", "x.nii.gz", "it is FreeSurfer's (.mgz, .mgh): convert it by mri_convert"),
        (b"MATRIX72v", "x.nii", "it is ECAT7: raphe convert"),
        (bytes(128) + b"DICM", "x.nii", "it is DICOM: raphe convert"),
        (b"\x89HDF\r\n", "x.nii", "it is HDF5, perhaps MINC"),
        (b"\x1f\x8b\x08", "x.nii.gz", "it was compressed twice"),
        (b"\x01\x02", "x.img", "it is the half of a pair of files"),
        (b"\x01\x02", "x.nii", "convert it, e.g. by dcm2niix"),
        ((348).to_bytes(4, "little"), "x.nii", "is it Analyze 7.5, which does not say where left is?"),
    ],
)
def test_a_file_of_another_format_is_told_with_what_to_do(tmp_path, start, name, words):
    data = start + bytes(1000)
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    with pytest.raises(InputError, match=re.escape(words)):
        open_image(path)
