"""Lines of graphical plots against numpy.polyfit, and their standard errors against repeated noise."""

import numpy as np
import pytest

from raphe.core.frames import Frames
from raphe.core.graphical import logan_plot, patlak_plot
from raphe.core.integrals import running_sum
from raphe.core.multilinear import LEAST_SHARE
from raphe.core.sampling import sampling

N = 24
FRAMES = Frames(np.arange(N) * 3.0, np.full(N, 3.0))
ROWS = np.arange(8, N)
INPUT = 50 * FRAMES.mid * np.exp(-0.1 * FRAMES.mid) + 10
INTEGRAL = sampling(FRAMES).integral


def curves(n, level=0.02):
    """An irreversible uptake of 0.05 beside a volume of 0.7, with noise."""
    clean = 0.05 * INTEGRAL @ INPUT + 0.7 * INPUT
    return clean * (1 + level * np.random.default_rng(1).normal(size=(n, N)))


def weights(n):
    return np.broadcast_to(np.linspace(3, 1, N), (n, N))


def patlak(activity):
    return patlak_plot(activity, (INTEGRAL @ INPUT)[ROWS], INPUT[ROWS], ROWS, weights(len(activity)))


def logan(activity):
    return logan_plot(activity, (INTEGRAL @ INPUT)[ROWS], running_sum(INTEGRAL), ROWS, weights(len(activity)))


def test_lines_are_those_of_polyfit():
    activity = curves(3)
    area = (INTEGRAL @ INPUT)[ROWS]
    for plot, points in (
        (patlak(activity), lambda c: (area / INPUT[ROWS], c[ROWS] / INPUT[ROWS])),
        (logan(activity), lambda c: (area / c[ROWS], (INTEGRAL @ c)[ROWS] / c[ROWS])),
    ):
        for i, curve in enumerate(activity):
            x, y = points(curve)
            slope, intercept = np.polyfit(x, y, 1, w=np.sqrt(weights(1)[0, ROWS]))
            assert plot.slope[i] == pytest.approx(slope, rel=1e-9)
            assert plot.intercept[i] == pytest.approx(intercept, rel=1e-9)
            line = slope * x + intercept
            np.testing.assert_allclose(plot.deviation[i], y / line - 1, rtol=0, atol=1e-10)
            np.testing.assert_allclose(plot.wrss[i], (weights(1)[0, ROWS] * (y - line) ** 2).sum(), rtol=1e-9)


def test_fitted_activity_puts_every_point_on_its_line():
    activity = curves(2)
    area = (INTEGRAL @ INPUT)[ROWS]
    flat = patlak(activity)
    on_line = flat.slope[:, None] * area / INPUT[ROWS] + flat.intercept[:, None]
    np.testing.assert_allclose(flat.fitted / INPUT[ROWS], on_line, rtol=1e-9)
    steep = logan(activity)
    own_area = activity @ INTEGRAL[ROWS].T
    np.testing.assert_allclose(
        own_area, steep.slope[:, None] * area + steep.intercept[:, None] * steep.fitted, rtol=1e-9
    )


REVERSIBLE = np.linalg.solve(np.eye(N) + 0.08 * INTEGRAL, 0.3 * INTEGRAL @ INPUT)
"""C = 0.3 (integral of the input) - 0.08 (integral of C): a volume of 3.75."""


@pytest.mark.parametrize(
    ("plot", "clean", "slope", "widest"),
    [(patlak, curves(1, level=0.0)[0], 0.05, 1.15), (logan, REVERSIBLE, 3.75, 1.1)],
)
def test_standard_error_of_the_slope_is_its_scatter(plot, clean, slope, widest):
    """Of 2,000 repeats, which know it to 2 %; where the weights are free to be wrong it errs to the wide."""
    sd = 0.01 * clean.mean() / np.sqrt(weights(1))
    found = plot(clean + sd * np.random.default_rng(5).normal(size=(2000, N)))
    assert found.slope.mean() == pytest.approx(slope, rel=5e-3)
    assert 0.95 < np.sqrt(np.mean(found.slope_se**2)) / found.slope.std() < widest


def test_a_curve_without_activity_in_a_frame_that_is_divided_by_is_told():
    activity = curves(3)
    activity[1, ROWS[2]] = 0.5 * LEAST_SHARE * activity[1].max()
    plot = logan(activity)
    np.testing.assert_array_equal(plot.divisible, [True, False, True])
    np.testing.assert_array_equal(plot.good, [True, False, True])


def test_an_input_without_activity_in_a_frame_that_is_divided_by_is_told_for_all():
    below = np.where(np.arange(ROWS.size) == 3, 0.0, INPUT[ROWS])
    plot = patlak_plot(curves(2), (INTEGRAL @ INPUT)[ROWS], below, ROWS, weights(2))
    assert not plot.divisible.any()
    assert np.isnan(plot.slope).all()
