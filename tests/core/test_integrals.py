"""The integral as a running sum of a band, against the matrix that it stands for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raphe.core.frames import Frames
from raphe.core.integrals import AFTER, BEFORE, running_integral, running_sum
from raphe.core.sampling import CONVENTIONS, sampling


def summed(step):
    """Matrix of which these are the differences."""
    n = len(step)
    band = np.zeros((n, n + BEFORE + AFTER))
    for row in range(n):
        band[row, row : row + BEFORE + 1 + AFTER] = step[row]
    return np.cumsum(band, axis=0)[:, BEFORE : BEFORE + n]


@pytest.mark.parametrize("convention", CONVENTIONS)
@given(
    durations=st.lists(st.floats(0.02, 30), min_size=1, max_size=45),
    gaps=st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.5, 20.0]), min_size=45, max_size=45),
    first=st.sampled_from([-0.5, 0.0, 1.5]),
)
def test_the_integral_is_a_running_sum_of_a_band_whatever_the_schedule(convention, durations, gaps, first):
    length = np.array(durations)
    start = first + np.concatenate([[0.0], np.cumsum(length[:-1] + gaps[: length.size - 1])])
    integral = sampling(Frames(start, length), convention).integral
    found = running_sum(integral)
    scale = np.abs(integral).max()  # a frame of seconds after an hour keeps ten digits of it, in the matrix as well
    np.testing.assert_allclose(summed(found.step), integral, rtol=0, atol=1e-10 * scale)
    np.testing.assert_allclose(summed(found.squares), integral**2, rtol=0, atol=1e-10 * scale**2)


def test_a_schedule_has_one_running_sum():
    frames = Frames(np.arange(6) * 2.0, np.full(6, 2.0))
    assert running_integral(sampling(frames)) is running_integral(sampling(Frames(frames.start, frames.duration)))
