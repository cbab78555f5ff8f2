import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raphe.core.frames import OVERLAP_TOLERANCE, Frames
from raphe.errors import TimingError


def test_mid_and_end_follow_from_start_and_duration():
    frames = Frames([0.0, 0.5, 2.0], [0.5, 1.0, 2.0])
    np.testing.assert_array_equal(frames.end, [0.5, 1.5, 4.0])
    np.testing.assert_array_equal(frames.mid, [0.25, 1.0, 3.0])
    assert len(frames) == 3


@pytest.mark.parametrize(
    ("start", "duration", "words"),
    [
        ([0.0, 1.0], [1.0, 0.0], ["frame 2", "60 s", "zero length"]),
        ([0.0, 1.0], [1.0, -0.5], ["frame 2", "negative length of -30 s"]),
        ([0.0, 1.0, 0.5], [0.1, 0.1, 0.1], ["backwards", "frame 3", "30 s", "frame 2", "60 s"]),
        ([0.0, 0.0], [1.0, 1.0], ["backwards", "frame 2"]),
        ([0.0, 1.0, 2.0], [1.0, 1.5, 1.0], ["overlap", "frame 2 ends at 150 s", "frame 3 starts at 120 s"]),
        ([0.0, np.nan], [1.0, 1.0], ["frame 2", "not a finite"]),
        ([0.0, 1.0], [1.0, np.inf], ["frame 2", "not a finite"]),
        ([0.0, 1.0], [1.0], ["2 starts", "1 durations"]),
        ([], [], ["0 starts"]),
        ([[0.0, 1.0]], [[1.0, 1.0]], ["one start and one duration per frame"]),
    ],
)
def test_faults_name_the_frame_and_its_times(start, duration, words):
    with pytest.raises(TimingError) as caught:
        Frames(start, duration)
    for word in words:
        assert word in str(caught.value)


def test_end_times_in_place_of_durations_are_refused():
    end = np.cumsum([10.0, 10, 20, 30, 60])
    with pytest.raises(TimingError, match="durations hold end times"):
        Frames(np.concatenate([[0.0], end[:-1]]), end)


def test_rounding_of_the_clock_is_no_overlap():
    frames = Frames([0.0, 1.0], [1.0 + 0.9 * OVERLAP_TOLERANCE, 1.0])
    assert frames.end[0] == frames.start[1]
    with pytest.raises(TimingError, match="overlap"):
        Frames([0.0, 1.0], [1.0 + 1.1 * OVERLAP_TOLERANCE, 1.0])
    with pytest.raises(TimingError, match="overlap"):  # the shorter of the two frames is the measure
        Frames([0.0, 10.0], [10.0 + 1.1 * OVERLAP_TOLERANCE, 1.0])


def test_times_cannot_be_changed_afterwards():
    start = np.array([0.0, 1.0])
    frames = Frames(start, [1.0, 1.0])
    start[0] = -5
    assert frames.start[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        frames.start[0] = 1


def test_equality_is_that_of_the_times():
    frames = Frames([0.0, 1.0], [1.0, 1.0])
    assert frames == Frames([0, 1], [1, 1])
    assert frames != Frames([0.0, 1.0], [1.0, 2.0])
    assert frames != "frames"


@given(st.lists(st.tuples(st.floats(0.01, 10), st.floats(0, 5)), min_size=1, max_size=20), st.floats(-5, 5))
def test_first_frames_are_those_of_the_whole(pieces, begin):
    duration = np.array([d for d, _ in pieces])
    gap = np.array([g for _, g in pieces])
    start = begin + np.concatenate([[0.0], np.cumsum(duration + gap)[:-1]])
    frames = Frames(start, duration)
    n = (len(pieces) + 1) // 2
    part = frames.first(n)
    assert len(part) == n
    np.testing.assert_array_equal(part.mid, frames.mid[:n])
