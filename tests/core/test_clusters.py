import numpy as np
import pytest
from scipy import ndimage

from raphe.core.clusters import clusters, neighbours, tfce
from raphe.errors import InputError

STRUCTURE = {
    6: ndimage.generate_binary_structure(3, 1),
    18: ndimage.generate_binary_structure(3, 2),
    26: np.ones((3, 3, 3), dtype=bool),
}


def field(seed, shape=(9, 8, 7), smooth=1.0):
    """A smooth map in a mask with holes."""
    rng = np.random.default_rng(seed)
    values = ndimage.gaussian_filter(rng.normal(size=shape), smooth)
    return 2 * values / values.std(), rng.random(shape) < 0.8


def by_steps(values, mask, connectivity, height, extent, steps):
    """TFCE by the midpoint rule, labelling the whole map at each step."""
    found, step = np.zeros(values.shape), np.abs(values[mask]).max() / steps
    for sign in (1, -1):
        for k in range(steps):
            h = (k + 0.5) * step
            labels, _ = ndimage.label(mask & (sign * values >= h), STRUCTURE[connectivity])
            size = np.bincount(labels.ravel()).astype(float)
            size[0] = 0
            found += sign * size[labels] ** extent * h**height * step
    return found[mask]


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize(("height", "extent"), [(2.0, 0.5), (1.0, 1.0), (2.5, 0.7)])
def test_steps_converge_to_the_exact_integral(connectivity, height, extent):
    values, mask = field(1)
    values = values.astype(np.float32).astype(float)
    exact = tfce(values[mask], neighbours(mask, connectivity), height, extent)
    error = [
        np.abs(by_steps(values, mask, connectivity, height, extent, steps) - exact).max() / np.abs(exact).max()
        for steps in (100, 1000, 4000)
    ]
    assert error[0] > error[1] > error[2]
    assert error[2] < 1e-3


def test_a_line_by_hand():
    """Heights 1 3 2 0 -2: sizes 3 up to 1, 2 from 1 to 2, 1 from 2 to 3; and one alone below zero."""
    mask = np.ones((5, 1, 1), dtype=bool)
    found = tfce(np.array([1.0, 3, 2, 0, -2]), neighbours(mask, 6))
    low, middle, high = np.sqrt(3) * 1 / 3, np.sqrt(2) * (8 - 1) / 3, (27 - 8) / 3
    np.testing.assert_allclose(found, [low, low + middle + high, low + middle, 0, -8 / 3], rtol=1e-12)


def test_two_summits_join_at_the_saddle():
    mask = np.ones((3, 1, 1), dtype=bool)
    found = tfce(np.array([2.0, 1, 3]), neighbours(mask, 6))
    saddle = np.sqrt(3) / 3
    np.testing.assert_allclose(found, [saddle + 7 / 3, saddle, saddle + 26 / 3], rtol=1e-12)


def test_ties_are_one_step():
    mask = np.ones((2, 2, 1), dtype=bool)
    np.testing.assert_allclose(tfce(np.full(4, 2.0), neighbours(mask, 6)), np.sqrt(4) * 8 / 3, rtol=1e-12)


def test_no_value_belongs_to_no_cluster():
    mask = np.ones((3, 1, 1), dtype=bool)
    np.testing.assert_allclose(tfce(np.array([2.0, np.nan, 1]), neighbours(mask, 6)), [8 / 3, 0, 1 / 3], rtol=1e-12)


def test_turning_the_signs_turns_the_map():
    values, mask = field(2)
    near = neighbours(mask, 26)
    np.testing.assert_array_equal(tfce(-values[mask], near), -tfce(values[mask], near))


@pytest.mark.parametrize("connectivity", [6, 18, 26])
def test_clusters_are_those_of_scipy(connectivity):
    values, mask = field(3)
    labels, extent, mass = clusters(values[mask], neighbours(mask, connectivity), 1.0)
    volume = np.zeros(mask.shape, dtype=int)
    volume[mask] = labels
    seen = []
    for sign in (1, -1):
        theirs, count = ndimage.label(mask & (sign * values >= 1.0), STRUCTURE[connectivity])
        for k in range(1, count + 1):
            (own,) = np.unique(volume[theirs == k])  # all of one cluster, and no other
            assert own * sign > 0
            assert extent[abs(own) - 1] == (theirs == k).sum() == (volume == own).sum()
            assert mass[abs(own) - 1] == pytest.approx((np.abs(values[theirs == k]) - 1).sum(), rel=1e-5)
            seen.append(own)
    assert len(set(seen)) == len(seen) == len(extent)
    assert list(extent) == sorted(extent, reverse=True)


def test_no_cluster():
    mask = np.ones((2, 2, 2), dtype=bool)
    labels, extent, mass = clusters(np.zeros(8), neighbours(mask, 26), 1.0)
    assert (labels.any(), len(extent), len(mass)) == (False, 0, 0)


@pytest.mark.parametrize("connectivity", [6, 18, 26])
def test_neighbours_of_the_middle_of_a_cube(connectivity):
    mask = np.ones((3, 3, 3), dtype=bool)
    near = neighbours(mask, connectivity)
    assert sorted(near[13]) == sorted(np.flatnonzero(STRUCTURE[connectivity].ravel() & (np.arange(27) != 13)))
    assert (near[0] < 27).sum() == {6: 3, 18: 6, 26: 7}[connectivity]  # a corner


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: neighbours(np.ones((2, 2, 2), dtype=bool), 8), "6, 18 or 26 neighbours, but 8"),
        (lambda: neighbours(np.zeros((2, 2, 2), dtype=bool), 6), "with 0 voxels has no clusters"),
        (lambda: tfce(np.zeros(3), np.zeros((4, 6), np.int32)), r"map has shape \(3,\), but the neighbours of 4"),
    ],
    ids=["connectivity", "empty", "shape"],
)
def test_bad_input_is_said(call, message):
    with pytest.raises(InputError, match=message):
        call()
