"""A volume within a page is the map that it was made of, within the error that is stated, read by another program."""

import base64
import gzip

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raphe.report.volume import STEPS, rounded, whole

AFFINE = np.array([[-2.0, 0.1, 0, 90], [0, 2.1, 0.2, -126], [0.1, 0, 1.9, -72], [0, 0, 0, 1]])


def read(volume):
    """The image that the text holds, by nibabel."""
    return nibabel.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(volume.text, validate=True)))


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-6, 1e6), st.integers(0, 2**32 - 1))
def test_no_value_is_off_by_more_than_half_of_a_step(size, seed):
    values = size * np.random.default_rng(seed).standard_t(4, (5, 4, 3))
    volume = rounded(values, AFFINE)
    largest = np.abs(values).max()
    assert largest / STEPS / 2.51 < volume.step <= largest / STEPS * (1 + 1e-6)
    assert np.abs(read(volume).get_fdata() - values).max() <= volume.step / 2 + 1e-6 * largest


@pytest.mark.parametrize(("largest", "step"), [(4.0, 0.002), (72.0, 0.005), (163.0, 0.005), (164.0, 0.05), (1e5, 5)])
def test_a_step_is_no_larger_than_asked_for_unless_numbers_end_before(largest, step):
    values = np.array([[[largest, -largest / 3]]])
    volume = rounded(values, AFFINE, 0.005)
    assert volume.step == pytest.approx(step)
    assert np.abs(read(volume).get_fdata() - values).max() <= step / 2 + 1e-6 * largest


def test_what_has_no_value_is_0_and_0_alone_can_be_held():
    values = np.array([[[1.0, np.nan], [np.inf, -2.0]]])
    np.testing.assert_allclose(read(rounded(values, AFFINE)).get_fdata(), [[[1, 0], [0, -2]]], rtol=1e-6)
    assert (read(rounded(np.zeros((2, 2, 2)), AFFINE)).get_fdata() == 0).all()


def test_whole_numbers_are_as_they_were_and_at_their_place():
    values = np.arange(60, dtype=np.uint8).reshape(5, 4, 3)
    found = read(whole(values, AFFINE))
    np.testing.assert_array_equal(np.asarray(found.dataobj), values)
    np.testing.assert_allclose(found.affine, AFFINE, atol=1e-5)
    np.testing.assert_allclose(found.get_sform(), AFFINE, atol=1e-5)


def test_the_same_content_gives_the_same_bytes_and_the_same_name():
    values = np.random.default_rng(1).normal(size=(5, 4, 3))
    assert rounded(values, AFFINE) == rounded(values.copy(order="F"), AFFINE.copy())
    assert rounded(values, AFFINE).name != rounded(-values, AFFINE).name
