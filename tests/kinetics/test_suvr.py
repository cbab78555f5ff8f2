"""The ratio in a window: exact where it is a mean, refused where there is no window."""

import numpy as np
import pytest

from raphe.core.frames import Frames
from raphe.data.tacs import TACs
from raphe.errors import ModelError, TimingError
from raphe.kinetics import registry
from raphe.kinetics.fit import fit
from raphe.kinetics.models.suvr import SUVR
from raphe.quality import Quality


@pytest.fixture
def subject(known):
    return known.Subject(known.frames_38, 0.1, 0.2)


@pytest.fixture
def ratio(known, subject):
    def of(begin, end, curves, frames=subject.frames, reference=None, **options):
        options = {"half_life": known.half_life, **options}
        reference = subject.reference if reference is None else reference
        return fit(SUVR(begin, end), known.table(np.atleast_2d(curves), frames), reference=reference, **options)[0]

    return of


@pytest.mark.parametrize("convention", ["average", "midframe"])
@pytest.mark.parametrize("weights", ["decay", "uniform"])
@pytest.mark.parametrize("window", [(0, 93), (21, 93), (63, 93), (87, 93)])
def test_a_window_of_whole_frames_is_the_ratio_of_areas(window, weights, convention, ratio, subject, known):
    for truth in known.behind_reference:
        found = ratio(*window, subject.of(truth), weights=weights, convention=convention)
        assert found.of("SUVR")[0][0] == pytest.approx(subject.ratio(*window, truth), rel=1e-9)


def test_a_frame_partly_inside_counts_by_its_overlap(ratio, subject):
    target, reference = subject.target(1.1, 1.5), subject.reference
    frames = subject.frames
    share = np.zeros(38)
    share[-3:] = 2.0, 6.0, 3.5  # 79-90.5 of 75-81, 81-87 and 87-93
    found = ratio(79, 90.5, target)
    assert found.of("SUVR")[0][0] == pytest.approx((share @ target) / (share @ reference), rel=1e-12)
    assert found.n_frames[0] == 3
    np.testing.assert_array_equal(np.flatnonzero(np.isfinite(found.fitted[0])), [35, 36, 37])
    exact = subject.ratio(79, 90.5, {"R1": 1.1, "BP_ND": 1.5})
    assert found.of("SUVR")[0][0] == pytest.approx(exact, rel=1e-3)
    assert frames.end[-1] == pytest.approx(93)


@pytest.mark.parametrize(("window", "n_frame"), [((87, 93), 1), ((88, 90), 1), ((81, 93), 2)])
def test_one_or_two_frames_give_a_ratio_without_an_error_and_without_a_flag(window, n_frame, ratio, subject):
    found = ratio(*window, subject.target(1.1, 1.5))
    assert found.n_frames[0] == n_frame
    assert np.isfinite(found.of("SUVR")[0][0])
    assert np.isnan(found.of("SUVR")[1][0])
    assert found.quality[0] == Quality.GOOD
    assert found.usable[0]


def test_early_frames_are_not_needed_and_a_gap_counts_for_nothing(ratio, subject, known):
    keep = np.array([33, 34, 36, 37])
    late = Frames(subject.frames.start[keep], subject.frames.duration[keep])
    target, reference = subject.target(1.1, 1.5)[keep], subject.reference[keep]
    found = ratio(63, 93, target, late, reference)
    assert found.of("SUVR")[0][0] == pytest.approx(target.mean() / reference.mean(), rel=1e-12)
    assert np.isfinite(found.of("SUVR")[1][0])


def test_frames_of_no_weight_are_left_out(ratio, subject):
    weights = np.ones(38)
    weights[36] = 0
    target, reference = subject.target(1.1, 1.5), subject.reference
    found = ratio(75, 93, target, weights=weights)
    expected = (target[35] + target[37]) / (reference[35] + reference[37])
    assert found.of("SUVR")[0][0] == pytest.approx(expected, rel=1e-12)
    with pytest.raises(TimingError, match=r"no frame with a weight in the SUVR window of 82 to 86 min"):
        ratio(82, 86, target, weights=weights)


def test_a_window_beyond_the_scan_is_refused_with_both(ratio, subject):
    target = subject.target(1.1, 1.5)
    with pytest.raises(TimingError, match=r"window of 60 to 100 min.*from 0 to 93 min"):
        ratio(60, 100, target)
    late = Frames(subject.frames.start[30:], subject.frames.duration[30:])
    with pytest.raises(TimingError, match=r"window of 30 to 60 min.*from 45 to 93 min"):
        ratio(30, 60, target[30:], late, subject.reference[30:])
    assert ratio(63, 93.005, target).usable[0]  # rounding of the clock


@pytest.mark.parametrize("window", [(60, 60), (70, 60), (-5, 60), (np.nan, 60), (60, np.nan), (60, np.inf)])
def test_what_is_no_window_is_refused(window):
    with pytest.raises(ModelError, match="t_begin before t_end"):
        SUVR(*window)


def test_both_ends_are_needed():
    with pytest.raises(ModelError, match="SUVR needs t_end"):
        registry.make("SUVR", t_begin=60.0)


def test_a_reference_without_activity_in_the_window_gives_no_ratio(ratio, subject):
    reference = subject.reference.copy()
    reference[33:] = -0.1
    found = ratio(63, 93, subject.target(1.1, 1.5), reference=reference)
    assert np.isnan(found.of("SUVR")[0][0])
    assert not found.usable[0]


def test_a_negative_ratio_is_implausible(ratio, subject):
    found = ratio(63, 93, -subject.target(1.1, 1.5))
    assert found.quality[0] & Quality.IMPLAUSIBLE


def test_the_window_is_written_down(subject, known):
    curves = TACs(np.array([subject.target(1.1, 1.5)]), subject.frames, ("putamen",))
    found, step = fit(SUVR(63, 93), curves, reference=subject.reference, half_life=known.half_life)
    assert dict(found.inputs) == {"t_begin": 63, "t_end": 93}
    assert step.parameters["t_begin"] == 63
    assert step.parameters["t_end"] == 93
    assert step.parameters["n_frames"] == 5


def test_the_noise_of_target_and_reference_are_both_in_the_standard_error(known):
    """Each repeat has a reference of its own; a drift of the true ratio in the window is not taken for noise."""
    frames = known.schedule((10, 60), (10, 300), (6, 300))
    subject = known.Subject(frames, 0.1, 0.2)
    rng = np.random.default_rng(6)
    target, reference = subject.target(1.1, 1.5), subject.reference
    value, se = [], []
    for _ in range(400):
        noisy = [curve * (1 + 0.03 * rng.normal(size=26)) for curve in (target, reference)]
        table = known.table(noisy[0][None], frames)
        found, _ = fit(SUVR(50, 90), table, reference=noisy[1], weights="uniform")
        value.append(found.of("SUVR")[0][0])
        se.append(found.of("SUVR")[1][0])
    assert np.sqrt(np.mean(np.square(se))) == pytest.approx(np.std(value), rel=0.1)  # 400 repeats know it to 4 %


def test_the_ratio_is_not_that_of_equilibrium(known, subject, ratio):
    """As its documentation has it: too high while tracer leaves, and more so where more is bound."""
    excess = [ratio(63, 93, subject.target(1.0, bp)).of("SUVR")[0][0] / (1 + bp) for bp in (0.2, 1.0, 2.0)]
    assert 1 < excess[0] < excess[1] < excess[2]
