import numpy as np
import pytest

from raphe.core import rigid
from raphe.data.alignment import Field
from raphe.data.image import Grid
from raphe.errors import InputError
from raphe.io.transforms import read_transforms, write_transforms
from raphe.io.warps import read_field, write_field

sitk = pytest.importorskip("SimpleITK")

MOVE = rigid.matrix([5, -3, 2, 0.1, -0.2, 0.3], (10, 20, -30))


def test_itk_reads_the_same_transform_in_its_own_coordinates(tmp_path):
    """A place of B, turned to ITK's axes, goes to the place of A."""
    path = tmp_path / "xfm.txt"
    write_transforms(path, [MOVE])
    a = np.array([12.0, -7.0, 33.0])
    b = MOVE[:3, :3] @ a + MOVE[:3, 3]
    found = np.array(sitk.ReadTransform(str(path)).TransformPoint((b * [-1, -1, 1]).tolist()))
    np.testing.assert_allclose(found * [-1, -1, 1], a, atol=1e-9)


def test_what_itk_writes_is_read_with_its_centre(tmp_path):
    own = sitk.AffineTransform(3)
    own.SetMatrix((MOVE[:3, :3]).ravel().tolist())
    own.SetTranslation((1.0, 2.0, 3.0))
    own.SetCenter((7.0, 8.0, 9.0))
    path = tmp_path / "own.txt"
    sitk.WriteTransform(own, str(path))
    (matrix,) = read_transforms(path)
    b = np.array([3.0, -4.0, 5.0])
    a = np.array(own.TransformPoint((b * [-1, -1, 1]).tolist())) * [-1, -1, 1]
    np.testing.assert_allclose(matrix @ [*a, 1], [*b, 1], atol=1e-9)


def test_one_for_each_frame_comes_back(tmp_path):
    many = [rigid.matrix([i, 0, -i, 0.01 * i, 0, 0], (0, 0, 0)) for i in range(5)]
    write_transforms(tmp_path / "hmc.txt", many)
    np.testing.assert_allclose(read_transforms(tmp_path / "hmc.txt"), many, atol=1e-9)


FIRST = "#Insight Transform File V1.0\n"
ZERO = "\nFixedParameters: 0 0 0"
AFFINE = "Transform: AffineTransform_double_3_3\nParameters: "


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hello", "no ITK transform file"),
        (FIRST, "holds no transform"),
        (FIRST + "Transform: Euler3DTransform_double_3_3\nParameters: 0 0 0 0 0 0" + ZERO, "12 was expected"),
        (FIRST + AFFINE + "1 x" + ZERO, "line 3"),
        (FIRST + AFFINE + "0 0 0 0 0 0 0 0 0 0 0 0" + ZERO, "no inverse"),
    ],
)
def test_what_is_no_transform_is_refused(tmp_path, text, told):
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=told):
        read_transforms(path)


def test_itk_pulls_an_image_by_the_field_as_the_places_say(tmp_path):
    """A field of a rigid move, on another grid than the image's: ITK's displacement ends at the same places."""
    affine = np.diag([-2.0, 2.0, 2.5, 1.0])
    affine[:3, 3] = [20, -30, -10]
    grid = Grid((9, 11, 7), affine)
    index = np.stack(np.indices(grid.shape), axis=-1)
    own = index @ affine[:3, :3].T + affine[:3, 3]
    places = (own @ MOVE[:3, :3].T + MOVE[:3, 3]).astype(np.float32)
    path = tmp_path / "xfm.nii.gz"
    write_field(path, Field(grid, places))
    transform = sitk.DisplacementFieldTransform(sitk.Cast(sitk.ReadImage(str(path)), sitk.sitkVectorFloat64))
    for at in [(0, 0, 0), (4, 5, 3), (8, 1, 6)]:
        found = np.array(transform.TransformPoint((own[at] * [-1, -1, 1]).tolist())) * [-1, -1, 1]
        np.testing.assert_allclose(found, places[at], atol=1e-3)
    back = read_field(path)
    np.testing.assert_allclose(back.places, places, atol=1e-4)
    back.grid.check_same(grid, "one", "other")


def test_an_image_is_no_field(tmp_path):
    import nibabel

    path = tmp_path / "image.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.zeros((3, 3, 3), dtype=np.float32), np.eye(4)), path)
    with pytest.raises(InputError, match="3 x 3 x 3"):
        read_field(path)
