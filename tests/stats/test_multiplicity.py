import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raphe.stats.multiplicity import holm


def test_holm_by_hand():
    # Ordered 0.01, 0.02, 0.03, 0.04, 0.05 times 5, 4, 3, 2, 1; the running maximum holds from the second on.
    np.testing.assert_allclose(holm(np.array([0.03, 0.01, 0.05, 0.02, 0.04])), [0.09, 0.05, 0.09, 0.08, 0.09])


def test_holm_cuts_at_one_and_passes_over_nan():
    adjusted = holm(np.array([np.nan, 0.6, 0.02, np.nan]))
    np.testing.assert_allclose(adjusted, [np.nan, 0.6, 0.04, np.nan])
    np.testing.assert_allclose(holm(np.array([0.6, 0.7])), [1.0, 1.0])
    assert holm(np.array([])).shape == (0,)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_rejects_what_the_step_down_procedure_rejects(values):
    """The definition: reject in the order of p while p_(i) <= alpha / (m - i + 1), and stop at the first that fails."""
    p = np.array(values)
    adjusted = holm(p)
    assert (adjusted >= p - 1e-15).all()
    assert (adjusted <= np.minimum(1, p * p.size) + 1e-15).all()
    for alpha in (0.01, 0.05, 0.3):
        rejected = np.zeros(p.size, bool)
        for rank, index in enumerate(np.argsort(p, kind="stable")):
            if p[index] * (p.size - rank) > alpha:
                break
            rejected[index] = True
        np.testing.assert_array_equal(adjusted <= alpha, rejected)


@pytest.mark.parametrize("alpha", [0.05])
def test_holm_keeps_the_family_wise_error(alpha):
    rng = np.random.default_rng(5)
    false = sum((holm(rng.uniform(size=10)) <= alpha).any() for _ in range(4000))
    assert false / 4000 <= alpha + 3 * np.sqrt(alpha * (1 - alpha) / 4000)
