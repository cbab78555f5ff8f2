import numpy as np
import pytest

from raphe.core import rigid
from raphe.core.resample import CUBIC, LINEAR, NEAREST, at_places, resample


@pytest.mark.parametrize(("order", "worst"), [(LINEAR, 2e-2), (CUBIC, 1e-3)])
def test_a_smooth_function_of_place_is_the_same_function_on_another_grid(order, worst):
    """Anisotropic, flipped voxels to others, through a rigid transform."""
    affine, target = np.diag([-2.0, 2.5, 3.0, 1.0]), np.diag([3.0, 3.0, 2.0, 1.0])
    affine[:3, 3], target[:3, 3] = [60, -62, -60], [-25, -25, -20]
    shape, small = (61, 51, 41), (17, 17, 21)
    move = rigid.matrix([4, -3, 2, 0.1, 0.2, -0.15], (0, 0, 0))

    def value(place):
        return np.sin(place[0] / 20) * np.cos(place[1] / 25) + place[2] / 50

    def places(grid, of):
        index = np.indices(of).reshape(3, -1)
        return (grid[:3, :3] @ index + grid[:3, 3:]).reshape(3, *of)

    image = value(places(affine, shape))
    found = resample(image, affine, move, small, target, order)
    back = np.linalg.inv(move)
    there = places(target, small)
    want = value(np.einsum("ij,jxyz->ixyz", back[:3, :3], there) + back[:3, 3].reshape(3, 1, 1, 1))
    np.testing.assert_allclose(found, want, atol=worst)
    by_place = np.moveaxis(np.einsum("ij,jxyz->ixyz", back[:3, :3], there) + back[:3, 3].reshape(3, 1, 1, 1), 0, -1)
    np.testing.assert_allclose(at_places(image, affine, by_place, order), found, atol=1e-12)


def test_labels_keep_their_type_and_outside_is_said():
    labels = np.arange(27, dtype=np.int32).reshape(3, 3, 3)
    found = resample(labels, np.eye(4), np.eye(4), (5, 3, 3), np.eye(4), NEAREST, outside=-1)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found[:3], labels)
    assert (found[3:] == -1).all()
