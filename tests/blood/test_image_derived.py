"""Input from the curve of a blood mask."""

import numpy as np
import pytest

from raphe.blood import registry
from raphe.blood.draw import drawn
from raphe.blood.falling import Falling
from raphe.blood.image_derived import image_derived
from raphe.blood.parent_fraction.hill import Hill
from raphe.blood.plasma_ratio.constant import Constant
from raphe.blood.protocol import Population
from raphe.core.frames import Frames
from raphe.data.blood import Samples
from raphe.errors import InputError

DURATION = np.array([10.0] * 12 + [30] * 4 + [60] * 5 + [300] * 16) / 60
FRAMES = Frames(np.concatenate([[0.0], np.cumsum(DURATION)[:-1]]), DURATION)


def truth():
    example = registry.examples("arterial")["feng"]
    theta = np.array(example.truth)
    return drawn(lambda t: example.model.curve(theta, t), FRAMES.end[-1], example.model.kinks(theta))


def averages(curve):
    return (curve.integral(FRAMES.end) - curve.integral(FRAMES.start)) / FRAMES.duration


def test_frame_averages_of_the_input_are_the_data():
    rng = np.random.default_rng(0)
    measured = averages(truth()) * (1 + 0.1 * rng.standard_normal(len(FRAMES)))
    made, step = image_derived(FRAMES, measured)
    np.testing.assert_allclose(averages(made.parent), measured, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(averages(made.whole_blood), measured, rtol=1e-10, atol=1e-12)
    assert step.parameters["factor"] == 1
    assert step.parameters["parent_fraction"] is None


def test_the_area_of_a_bolus_is_kept():
    made, _ = image_derived(FRAMES, averages(truth()))
    assert made.parent.integral(FRAMES.end[-1:]) == pytest.approx(truth().integral(FRAMES.end[-1:]), rel=1e-10)


def test_late_samples_scale_the_curve():
    """A mask that recovers 70 % of the activity."""
    late = np.array([20.0, 40.0, 60.0, 80.0])
    samples = Samples(late, truth()(late) * np.array([1.02, 0.98, 1.01, 0.99]))
    made, step = image_derived(FRAMES, 0.7 * averages(truth()), late=samples)
    assert step.parameters["factor"] == pytest.approx(1 / 0.7, rel=5e-3)
    assert step.parameters["factor_se"] == pytest.approx(np.std([1.02, 0.98, 1.01, 0.99], ddof=1) / 2 / 0.7, rel=0.1)
    assert averages(made.whole_blood) == pytest.approx(averages(truth()), rel=5e-3)


def test_population_fraction_and_ratio_are_applied_and_told():
    fraction = Population(Falling(Hill()), (0.1, 10.0, 2.0), "Smith 2020")
    ratio = Population(Constant(), (1.2,), "Jones 2021")
    made, step = image_derived(FRAMES, averages(truth()), plasma_ratio=ratio, parent_fraction=fraction)
    time = np.linspace(0.1, 85, 700)
    expected = made.whole_blood(time) * 1.2 * fraction(time)
    np.testing.assert_allclose(made.parent(time), expected, atol=1e-4 * expected.max())
    assert step.parameters["parent_fraction_source"] == "Smith 2020"
    assert step.parameters["plasma_ratio_values"] == (1.2,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v[:-1], "36 values, but there are 37 frames"),
        (lambda v: np.where(np.arange(v.size) == 4, np.nan, v), "not a finite number in frame 5"),
        (lambda v: 0 * v, "holds no activity"),
    ],
)
def test_a_curve_that_cannot_be_blood_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        image_derived(FRAMES, change(averages(truth())))


@pytest.mark.parametrize("time", [0.3, 200.0])
def test_a_sample_that_is_not_late_is_refused(time):
    with pytest.raises(InputError, match="cannot scale the curve"):
        image_derived(FRAMES, averages(truth()), late=Samples([time], [1.0]))
