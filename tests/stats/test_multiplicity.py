import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from raphe.stats.multiplicity import (
    benjamini_hochberg,
    bonferroni,
    fixed_sequence,
    gatekeeping,
    hochberg,
    holm,
)

P = np.array([0.01, 0.02, 0.03, 0.04, 0.05, 0.001, 0.8, 0.3])

# R 4.2.2: p.adjust(p, m).
OF_R = {
    "hochberg": (hochberg, [0.07, 0.12, 0.15, 0.15, 0.15, 0.008, 0.8, 0.6]),
    "BH": (benjamini_hochberg, [0.04, 0.16 / 3, 0.06, 0.064, 0.2 / 3, 0.008, 0.8, 2.4 / 7]),
    "bonferroni": (bonferroni, [0.08, 0.16, 0.24, 0.32, 0.4, 0.008, 1.0, 1.0]),
    "holm": (holm, [0.07, 0.12, 0.15, 0.16, 0.16, 0.008, 0.8, 0.6]),
}


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


@pytest.mark.parametrize("method", OF_R)
def test_adjusted_p_of_r(method):
    adjust, truth = OF_R[method]
    np.testing.assert_allclose(adjust(P), truth, rtol=1e-12)


@pytest.mark.parametrize("method", OF_R)
def test_a_test_that_was_not_made_stays_nan_and_does_not_count(method):
    adjust, truth = OF_R[method]
    found = adjust(np.insert(P, [0, 3, 8], np.nan))
    assert np.isnan(found[[0, 4, 10]]).all()
    np.testing.assert_allclose(found[~np.isnan(found)], truth, rtol=1e-12)
    assert adjust(np.array([])).shape == (0,)


def test_fixed_sequence_stops_at_the_first_that_is_not_shown():
    np.testing.assert_allclose(fixed_sequence([0.01, 0.04, 0.2, 0.001]), [0.01, 0.04, 0.2, 0.2])
    np.testing.assert_allclose(fixed_sequence([0.01, np.nan, 0.001]), [0.01, np.nan, 1.0])
    assert fixed_sequence(np.array([])).shape == (0,)


def test_gatekeeping_by_hand():
    first, second, third = gatekeeping([[0.02], [0.03, 0.001, 0.2], [0.001]])
    # Holm within the second: 0.003, 0.06, 0.2; none below 0.02; the third not below 0.2.
    np.testing.assert_allclose(first, [0.02])
    np.testing.assert_allclose(second, [0.06, 0.02, 0.2])
    np.testing.assert_allclose(third, [0.2])
    np.testing.assert_allclose(gatekeeping([[0.01, np.nan], [0.001]])[0], [0.01, np.nan])
    np.testing.assert_allclose(gatekeeping([[0.01, np.nan], [0.001]])[1], [1.0])


@pytest.mark.parametrize(
    ("means", "least"), [((0.0, 0.0, 0.0, 0.0), 0.04), ((9.0, 0.0, 0.0, 0.0), 0.04), ((9.0, 9.0, 9.0, 0.0), 0.04)]
)
def test_gatekeeping_keeps_the_family_wise_error_and_uses_it(means, least):
    """One primary, two secondary, one exploratory; those with a mean of 9 are true and found."""
    rng = np.random.default_rng(6)
    true = np.array(means) > 0
    n, false = 4000, 0
    for _ in range(n):
        p = 2 * stats.norm.sf(np.abs(rng.normal(means)))
        adjusted = np.concatenate(gatekeeping([p[:1], p[1:3], p[3:]]))
        false += (adjusted[~true] <= 0.05).any()
    assert least <= false / n <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / n)


@pytest.mark.parametrize("adjust", [hochberg, benjamini_hochberg], ids=["hochberg", "BH"])
def test_step_up_keeps_its_level_without_any_effect(adjust):
    """Without a true effect every finding is false, so that both control the chance of any."""
    rng = np.random.default_rng(7)
    false = sum((adjust(rng.uniform(size=10)) <= 0.05).any() for _ in range(4000))
    assert 0.04 <= false / 4000 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000)
