import numpy as np
import pytest
import SimpleITK as sitk

from phantom_head import grid, places, tissues
from raphe.data.volume import Volume
from raphe.preprocess.information import itk_images, matrix_of, search

GRID = grid(4.0, (44, 52, 44))
FIXED, MOVING = np.array([0.7, 0.75, 1.0, 0.2]), np.array([1.0, 0.8, 0.3, 0.1])
SHIFT = np.array([5.0, -4.0, 3.0])


def volume(bright, shift=(0.0, 0.0, 0.0)):
    return Volume(GRID, np.tensordot(bright, tissues(places(GRID) - shift), axes=1).astype(np.float32))


@pytest.fixture
def many_threads():
    """A user's own choice of threads, as in a notebook; more than there are cores, so that they finish in any order."""
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(7)
    yield 7
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def test_it_finds_a_shift_in_the_same_digits_each_time_and_leaves_the_users_threads(many_threads):
    brain = tissues(places(GRID)).sum(axis=0) > 0.5
    images = itk_images(volume(MOVING, SHIFT), volume(FIXED), brain, 6.0)
    found = [search(images, sitk.Euler3DTransform(), 9.0, 0.04) for _ in range(4)]
    for value, transform in found:
        assert value == found[0][0]
        np.testing.assert_array_equal(matrix_of(transform), matrix_of(found[0][1]))
    where = np.argwhere(brain) @ GRID.affine[:3, :3].T + GRID.affine[:3, 3]
    matrix = matrix_of(found[0][1])
    missed = where @ matrix[:3, :3].T + matrix[:3, 3] - where - SHIFT
    assert np.median(np.linalg.norm(missed, axis=1)) < 0.5
    assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == many_threads
