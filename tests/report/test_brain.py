"""Maps of a statistic: pictures show the values where they are, and outlines what is significant."""

import base64
import re
import zlib

import numpy as np
import pytest

from drawn import Drawn
from group_scene import brain
from raphe.errors import InputError
from raphe.report.brain import StatisticMap, axial_slices, glass_brain, projected
from raphe.report.outline import outline

SHAPE = (9, 11, 7)
AFFINE = np.array([[-2.0, 0, 0, 8], [0, 2, 0, -10], [0, 0, 2, -6], [0, 0, 0, 1]])
"""The first axis runs to the left."""


def small(**fields):
    """One positive and one negative voxel at (x, y, z) = (6, -4, 2) and (-4, 6, -2) mm."""
    values = np.zeros(SHAPE)
    values[1, 3, 4], values[6, 8, 2] = 5.0, -3.0
    mask = np.zeros(SHAPE, dtype=bool)
    mask[1:-1, 1:-1, 1:-1] = True
    return StatisticMap(values, AFFINE, mask, threshold=2.0, **fields)


def pixels(drawing):
    """Pictures of a drawing: place, size and places in the palette."""
    found = []
    for one in Drawn(drawing).root.iter("image"):
        data = base64.b64decode(one.attrib["href"].split(",")[1])
        width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
        packed = data[data.index(b"IDAT") + 4 : data.rindex(b"IEND") - 8]
        lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, width + 1)
        box = tuple(float(one.attrib[key]) for key in ("x", "y", "width", "height"))
        found.append((box, lines[:, 1:]))
    return found


def test_an_outline_goes_around_what_is_marked():
    marked = np.zeros((4, 5), dtype=bool)
    marked[1:3, 2:4] = True
    assert sorted(outline(marked)) == [(2, 1, 2, 3), (2, 1, 4, 1), (2, 3, 4, 3), (4, 1, 4, 3)]
    assert outline(np.zeros((3, 3), dtype=bool)) == []
    ring = np.ones((3, 3), dtype=bool)
    ring[1, 1] = False
    assert len(outline(ring)) == 8


def test_a_projection_keeps_the_largest_absolute_value_with_its_sign():
    values = np.array([[[1.0, -4.0, 3.0]], [[np.nan, 0.5, np.nan]]])
    np.testing.assert_array_equal(projected(values, 2), [[-4.0], [0.5]])
    np.testing.assert_array_equal(projected(np.full((2, 2, 2), np.nan), 0), np.zeros((2, 2)))


def test_voxels_stand_where_they_are_in_each_view():
    pictures = [shown for _, shown in pixels(glass_brain(small(), "label"))]
    side, behind, above = pictures[1], pictures[3], pictures[5]
    assert side.shape == (7, 11)
    assert behind.shape == (7, 9)
    assert above.shape == (11, 9)
    # The first axis of the file runs to the left: x = 6 mm is column 7 from the left, 1 from the right.
    for shown, high, low in ((side, (2, 3), (4, 8)), (behind, (2, 7), (4, 2)), (above, (7, 7), (2, 2))):
        assert shown[high] > 128 + 120
        assert 0 < shown[low] < 128
        assert (shown > 0).sum() == 2


def test_a_voxel_below_the_threshold_is_not_drawn():
    found = small()
    found.values[4, 5, 3] = 1.9
    assert (pixels(glass_brain(found, "label"))[1][1] > 0).sum() == 2


def test_regions_that_touch_are_parted_by_one_line():
    two = np.array([[0, 0, 0, 0], [0, 1, 2, 0], [0, 0, 0, 0]])
    assert sorted(outline(two)) == [(1, 1, 1, 2), (1, 1, 3, 1), (1, 2, 3, 2), (2, 1, 2, 2), (3, 1, 3, 2)]


def test_only_what_is_significant_is_outlined():
    corrected = np.zeros(SHAPE, dtype=bool)
    corrected[1, 3, 4] = True
    found = glass_brain(small(corrected=corrected), "label")
    lines = Drawn(found).lines("contour found")
    assert len(lines) == 3
    for line, (box, shown) in zip(lines, pixels(found)[1::2], strict=True):
        row, column = np.argwhere(shown == shown.max())[0]
        across, down = box[2] / shown.shape[1], box[3] / shown.shape[0]
        assert (line[:, 0].min(), line[:, 0].max()) == pytest.approx(
            (box[0] + column * across, box[0] + (column + 1) * across), abs=0.11
        )
        assert (line[:, 1].min(), line[:, 1].max()) == pytest.approx(
            (box[1] + row * down, box[1] + (row + 1) * down), abs=0.11
        )
    assert "1 are significant after correction" in Drawn(found).description
    assert Drawn(glass_brain(small(), "label")).lines("contour found") == []


def test_slices_are_cut_at_their_heights():
    found = Drawn(axial_slices(small(), "label", (2.0, -2.0)))
    assert [text for text in found.words() if "mm" in text] == ["z = \u22122 mm", "z = 2 mm"]
    _, low, _, high, _ = (shown for _, shown in pixels(axial_slices(small(), "label", (2.0, -2.0))))
    assert np.argwhere(low > 0).tolist() == [[2, 2]]
    assert np.argwhere(high > 0).tolist() == [[7, 7]]


def test_slices_go_through_the_largest_value():
    words = Drawn(axial_slices(small(), "label")).words()
    assert "z = 2 mm" in words


def test_nothing_of_the_background_is_drawn_outside_of_the_mask():
    background = np.full(SHAPE, 7.0)
    under = pixels(axial_slices(small(background=background), "label", (0.0,)))[0][1]
    assert (under[1:-1, 1:-1] == 255).all()
    assert under.sum() == 255 * 7 * 9


@pytest.mark.parametrize("draw", [glass_brain, axial_slices])
def test_without_an_orientation_no_side_is_named(draw):
    words = Drawn(draw(small(oriented=False), "label")).words()
    assert not {"L", "R", "P", "A"} & set(words)
    assert not any("mm" in text for text in words)


def test_a_map_without_values_can_be_drawn():
    found = StatisticMap(np.full(SHAPE, np.nan), AFFINE, np.ones(SHAPE, dtype=bool))
    assert Drawn(glass_brain(found, "label")).description == "No voxel has a value."
    assert Drawn(axial_slices(found, "label")).height > 0


def test_pictures_keep_the_shape_of_the_head():
    for (_, _, width, height), shown in pixels(glass_brain(brain(), "label"))[:-1]:
        assert width / shown.shape[1] == pytest.approx(height / shown.shape[0], rel=0.01)


def test_pages_stay_small():
    drawings = glass_brain(brain(), "label") + axial_slices(brain(), "label")
    assert len(drawings) < 120_000
    assert re.search("http(?!://www.w3)", drawings) is None


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match=r"background has shape \(2, 2, 2\), the map"):
        small(background=np.ones((2, 2, 2)))
    with pytest.raises(InputError, match="mask of the map is empty"):
        StatisticMap(np.zeros(SHAPE), AFFINE, np.zeros(SHAPE, dtype=bool))
    with pytest.raises(InputError, match="no slice at 80 mm; the mask reaches from -6 to 6 mm"):
        axial_slices(small(), "label", (80.0,))
