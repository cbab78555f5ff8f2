"""Viewers of a scan's parametric maps: the maps within the stated error, and only where they fit and left is known."""

import re

import numpy as np
import pytest
from tests.report.test_viewer import held, volumes

from raphe.data.scan import Scan
from raphe.report import map_viewers as module
from raphe.report.map_viewers import map_viewers
from raphe.report.maps import map_view
from raphe.report.scan import scan_page

AFFINE = np.diag([2.0, 2, 2, 1])
SHAPE = (9, 8, 7)


@pytest.fixture
def values():
    """Binding with a voxel that has none, one far out, and the mask about it."""
    found = np.random.default_rng(2).normal(1.5, 0.2, SHAPE).astype(np.float32)
    found[0] = np.nan
    found[4, 4, 4] = 30
    return found


@pytest.fixture
def activity():
    return np.random.default_rng(3).uniform(5, 20, SHAPE).astype(np.float32)


@pytest.fixture
def page(make_fit):
    def make(values, viewers):
        shown = [map_view("SRTM", "BP_ND", values, np.isfinite(values), AFFINE)]
        return scan_page(
            Scan("01", tracer="DASB"), [make_fit({"putamen": (1.5, 0.1, 0)})], steps=(), versions={}, citations={},
            command_line="raphe", maps=shown, viewers=viewers,
        )  # fmt: skip

    return make


def test_the_page_holds_the_map_within_the_error_that_it_states(values, activity, page, read):
    text = page(values, map_viewers([("SRTM", "BP_ND", values)], activity, AFFINE))
    images, settings = volumes(text)
    stated = float(re.search(r"they are off by ([\d.]+) at most", read(text).text)[1])
    assert stated <= 0.001
    found = images["statistic"].get_fdata()
    inside = np.isfinite(values)
    assert found.shape == SHAPE
    assert np.abs(found - values)[inside].max() <= stated * 1.001 + 1e-6
    np.testing.assert_array_equal(np.asarray(images["flags"].dataobj), inside)
    assert settings["limit"] == pytest.approx(np.percentile(values[inside], 99))
    assert list(held(text)).count("viewer-library") == 1
    assert "Slices and rendering of BPND by SRTM to move through" in read(text).text
    assert "Not corrected" not in read(text).text


def test_maps_that_do_not_fit_and_those_without_left_and_right_have_no_viewer(values, activity, page, monkeypatch):
    both = [("SRTM", "BP_ND", values), ("MRTM2", "BP_ND", values * 1.1)]
    assert len(map_viewers(both, activity, AFFINE).items) == 2
    one = map_viewers(both[:1], activity, AFFINE)
    monkeypatch.setattr(module, "MOST", one.size)
    assert [view.title for view in map_viewers(both, activity, AFFINE).items] == ["BP_ND by SRTM"]
    monkeypatch.setattr(module, "MOST", 1000)
    assert map_viewers(both, activity, AFFINE) is None
    assert map_viewers(both, activity, AFFINE, oriented=False) is None
    assert "viewer" not in page(values, None)


def test_a_map_without_any_usable_voxel_has_no_viewer(values, activity):
    assert map_viewers([("SRTM", "BP_ND", np.full_like(values, np.nan))], activity, AFFINE) is None
