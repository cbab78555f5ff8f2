import math

import numpy as np
import pytest

from raphe.core.frames import Frames
from raphe.data.concern import Concern, Movement, movement_of

START, LENGTH = np.array([0.0, 1, 3, 5, 10, 20]), np.array([1.0, 2, 2, 5, 10, 10])


def test_movement_counts_from_five_minutes_on():
    moved = np.array([math.nan, 9.0, 8.0, 1.0, 2.0, 0.5])
    within = np.array([9.0, 9.0, 9.0, 0.2, math.nan, 0.8])
    found = movement_of(Frames(START, LENGTH), moved, within)
    assert (found.largest, found.mean) == (2.0, pytest.approx(3.5 / 3))
    assert found.within == pytest.approx((5 * 0.2 + 10 * 0.8) / 15)


def test_a_scan_that_ends_before_counts_whole_and_one_that_tells_nothing_has_no_number():
    frames = Frames(START[:3], LENGTH[:3])
    assert movement_of(frames, np.array([math.nan, 3.0, 1.0]), np.zeros(3)) == Movement(3.0, 2.0, 0.0)
    nothing = np.full(3, math.nan)
    assert all(math.isnan(one) for one in vars(movement_of(frames, nothing, nothing)).values())


def test_doubts_come_before_movement_and_movement_before_nothing():
    def concern(n, largest):
        return Concern(("doubt",) * n, Movement(largest, 0.0, 0.0), 0, 6, 0.5, ())

    order = [concern(2, 0.1), concern(1, 5.0), concern(1, 2.0), concern(0, 9.0), concern(0, math.nan)]
    assert sorted(reversed(order), key=lambda one: one.rank) == order
