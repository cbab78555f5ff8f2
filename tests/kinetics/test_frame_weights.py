"""Weights that a first fit tells, held against their definition curve by curve."""

import numpy as np
import pytest

from raphe.core import weights as weighting
from raphe.core.frames import Frames
from raphe.core.sampling import sampling
from raphe.kinetics.frame_weights import expected_weights
from raphe.kinetics.protocol import Problem, Solution

FRAMES = Frames(np.arange(12) * 4.0, np.full(12, 4.0))
HALF_LIFE = 20.364


def defined(problem, first):
    """Weights by the words of the definition, one curve after another."""
    found = np.array(problem.weights)
    for row, curve in enumerate(problem.activity):
        expected = curve.copy()
        expected[first.rows] = first.fitted[row]
        if np.isfinite(expected).all() and expected.max() > 0:
            found[row] = weighting.decay(FRAMES, HALF_LIFE, expected)
    return found


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("n_curve", [1, 150])
def test_expected_weights_are_those_of_their_definition(order, shared, n_curve):
    rng = np.random.default_rng(4)
    activity = np.array(rng.normal(5, 5, (n_curve, 12)), order=order)
    rows = np.arange(2, 12)
    fitted = rng.normal(5, 4, (n_curve, rows.size))
    if n_curve > 3:
        fitted[1, 4], fitted[2, 5] = np.nan, np.inf
        fitted[3], activity[3] = -1, -1
    weights = np.broadcast_to(np.linspace(1, 2, 12), activity.shape)
    weights = weights if shared else weights * rng.uniform(1, 2, activity.shape)
    empty = np.empty((n_curve, 1))
    problem = Problem(sampling(FRAMES), activity, weights, np.arange(12))
    first = Solution(empty, empty, fitted, empty[:, 0], rows, np.zeros(n_curve, dtype=np.int64))
    found = expected_weights(problem, first, HALF_LIFE)
    np.testing.assert_allclose(found, defined(problem, first), rtol=1e-13)
    assert found.flags.f_contiguous or order == "C"
