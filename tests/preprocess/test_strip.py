"""A ball of tissue under fluid, and what lies beyond: known to a voxel."""

import numpy as np
import pytest

from raphe.data.image import Grid
from raphe.data.volume import Volume
from raphe.preprocess.strip import strip

SIZE = 120.0
"""Edge of the brain in the units of the thickness that is told, whatever this ball's own."""


def layers(zoom=1.0, n=90):
    """Distance from the centre, mm, of each voxel."""
    grid = Grid((n, n, n), np.diag([zoom, zoom, zoom, 1.0]))
    line = (np.arange(n) - (n - 1) / 2) * zoom
    return grid, np.sqrt(line[:, None, None] ** 2 + line[:, None] ** 2 + line**2)


def stripped(grid, tissue, brain):
    return strip(brain, Volume(grid, np.where(brain & ~tissue, 1.0, 0.0).astype(np.float32)), SIZE)


def test_a_shell_beyond_the_fluid_is_no_brain():
    grid, away = layers()
    brain, shell = away < 40, away > 38
    found = stripped(grid, (away < 34) | shell, brain)
    np.testing.assert_array_equal(found, brain & ~shell)


def test_thin_bridges_do_not_join_it():
    grid, away = layers()
    brain, shell = away < 40, away > 37
    tissue = (away < 34) | shell
    tissue[:, 44:46, 44:46] = True  # through the fluid, 2 mm wide
    found = stripped(grid, tissue, brain)
    assert found[away < 34].all()
    assert (found & shell).sum() < 0.02 * (brain & shell).sum()


def test_thin_folds_stay():
    """A sheet of 5 mm, cortex on both sides of little white matter, over a gap of 2 mm, joined along one side."""
    grid, away = layers()
    brain = away < 40
    x = np.arange(90)[:, None, None] - 44.5
    sheet = (away > 32) & (away < 37) & (x > 0) & (x < 25)
    tissue = (away < 30) | sheet | ((away < 37) & (np.abs(x) < 4))
    found = stripped(grid, tissue, brain)
    assert found[away < 30].all()
    assert (found & sheet).sum() > 0.97 * sheet.sum()


def test_a_part_of_its_own_stays():
    """As a cerebellum whose peduncles the image does not show."""
    grid, away = layers()
    at = np.indices(grid.shape)
    second = ((at - np.array([44.5, 44.5, 82.0])[:, None, None, None]) ** 2).sum(axis=0) < 7.5**2
    tissue = (away < 16) | second
    brain = (away < 40) | second
    np.testing.assert_array_equal(stripped(grid, tissue, brain), brain)


@pytest.mark.parametrize("tissue", ["none", "coarse"])
def test_what_cannot_be_told_is_left(tissue):
    grid, away = layers(4.0, 30)
    brain = away < 40
    inside = np.zeros(grid.shape, dtype=bool) if tissue == "none" else brain & ~((away > 30) & (away < 34))
    found = stripped(grid, inside, brain)
    assert found[away < 30].all()
    assert found[brain & ~inside].all()
