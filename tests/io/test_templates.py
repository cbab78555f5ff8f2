"""Maps of tissue of an atlas that has none, from the groups of its labels."""

from __future__ import annotations

import numpy as np
import pytest

from raphe import catalog
from raphe.data.volume import Labels
from raphe.io.templates import read_template
from raphe.io.volumes import read_whole_numbers


def test_grey_matter_of_no_region_is_grey_and_not_fluid_and_has_one_label(shared_data):
    files = {
        "t1": shared_data / "atlases/macaque/inia19-t1-brain.nii.gz",
        "labels": shared_data / "atlases/macaque/inia19-NeuroMaps.nii.gz",
    }
    atlas = catalog.atlas("INIA19")
    template = read_template(atlas, files)
    grid, numbers = read_whole_numbers(files["labels"])
    own = Labels(grid, numbers, {})
    assert template.t1.grid.shape == own.grid.shape
    for group, expected in (("other_grey", (1, 0, 0)), ("fluid", (0, 0, 1))):
        where = np.isin(own.values, atlas.tissues[group]) & template.brain
        shares = [float(np.median(tissue.values[where])) for tissue in template.tissues]
        assert shares == pytest.approx(expected, abs=0.45), group
        assert np.argmax(shares) == np.argmax(expected)
    (other,) = (number for number, name in template.labels.names.items() if name == "other_grey")
    both = [number + side for number in atlas.tissues["other_grey"] for side in (0, atlas.right)]
    np.testing.assert_array_equal(template.labels.values == other, np.isin(numbers, both))
