"""Pictures of maps: the same person looks the same, however the file has its axes."""

import base64
import re
import struct
import zlib
from itertools import permutations

import numpy as np
import pytest

from raphe.data.record import Step
from raphe.report.maps import map_view
from raphe.report.methods import methods

SIZES = (2.0, 3.0, 4.0)


@pytest.fixture
def upright():
    """Map, mask and affine with axes to the right, to the front and up, slightly turned."""
    values = np.random.default_rng(3).uniform(0.5, 2.0, (7, 8, 9))
    values[0, 1, 2] = np.nan
    mask = np.ones(values.shape, dtype=bool)
    mask[:, :, 0] = False
    values[~mask] = np.nan
    affine = np.eye(4)
    affine[:3, :3] = np.diag(SIZES) @ np.array([[1, 0.1, 0], [-0.1, 1, 0.05], [0, -0.05, 1]])
    affine[:3, 3] = -6, -12, -20
    return values, mask, affine


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("turned", [(), (0,), (1,), (0, 2), (0, 1, 2)])
def test_a_map_looks_the_same_whatever_the_order_of_its_axes(upright, order, turned):
    values, mask, affine = upright
    moved = affine.copy()
    for axis in turned:
        moved[:3, 3] += moved[:3, axis] * (values.shape[axis] - 1)
        moved[:3, axis] *= -1
    moved[:3, :3] = moved[:3, order]
    others = [np.flip(whole, turned).transpose(order) for whole in (values, mask)]
    assert map_view("SRTM", "BP_ND", *others, moved) == map_view("SRTM", "BP_ND", values, mask, affine)


def test_slices_say_where_they_are(upright):
    axial, coronal, sagittal = map_view("SRTM", "BP_ND", *upright).rows
    assert (axial.plane, coronal.plane, sagittal.plane) == ("Axial, front up", "Coronal, top up", "Sagittal, top up")
    assert [(row.slices[0].left, row.slices[0].right) for row in (axial, coronal, sagittal)] == [
        ("L", "R"), ("L", "R"), ("P", "A"),
    ]  # fmt: skip
    assert axial.slices[-1].place == "z = 3 mm"
    assert axial.slices[0].place == "z = \N{MINUS SIGN}13 mm"


def test_where_the_header_does_not_say_left_nothing_is_called_left(upright):
    values, mask, affine = upright
    view = map_view("SRTM", "BP_ND", values, mask, affine, oriented=False)
    assert not view.oriented
    assert [row.plane for row in view.rows] == [f"Across axis {axis} of the image" for axis in (3, 2, 1)]
    assert {(one.left, one.right) for row in view.rows for one in row.slices} == {("", "")}
    assert view.rows[0].slices[0].place == "slice 3 of 9"


def test_voxels_are_counted_and_the_scale_has_a_zero(upright):
    values, mask, affine = upright
    view = map_view("SRTM", "BP_ND", values, mask, affine)
    assert (view.n_voxel, view.n_unusable) == ("447", "1")
    assert [place for _, place in view.ticks] == ["0", "50", "100"]
    view = map_view("SRTM", "BP_ND", values - 1.2, mask, affine)
    assert view.ticks[1][0] == "0"
    assert 20 < float(view.ticks[1][1]) < 80


@pytest.mark.parametrize("fill", [np.nan, 0.0, 1.5])
def test_a_map_of_nothing_or_of_one_value_is_drawn(fill):
    values = np.full((3, 4, 5), fill)
    view = map_view("SRTM", "BP_ND", values, np.zeros(values.shape, dtype=bool), np.eye(4))
    assert len(view.rows) == 3


def test_methods_tell_the_maps_of_all_tracers_and_then_what_was_done_to_all():
    def steps(tracer, n_voxel, **mask):
        mapped = {"image": f"{tracer}.nii.gz", "models": ("SRTM",), "weights": "decay", "n_voxel": n_voxel, **mask}
        smoothed = {"kernel": "HYPR-LR", "fwhm": 4.5, "inside": "mask"}
        return [
            Step("maps", {"tracer": tracer, **mapped}),
            Step("smooth", {"tracer": tracer, **smoothed}, citations=("christian2010",)),
        ]

    activity = {"share": 0.1, "percentile": 99.0, "threshold": 1.2, "passed_over": ("mri_mask.nii.gz",)}
    told = [
        one.text
        for one in methods(
            [*steps("A", 9, file="a"), *steps("A", 8, file="b"), *steps("B", 7, **activity)], {}
        ).sentences
    ]
    assert told[0].startswith("In the dynamic images of A of 2 scans, SRTM was fitted to every voxel")
    assert told[0].endswith("Voxels: brain masks were used (8 to 9 voxels).")
    assert told[1].startswith("In the dynamic image of B (B.nii.gz), SRTM was")
    assert (
        "exceeds 0.1 of the 99th percentile, which is an assumption (7 voxels); 1 brain mask on another grid" in told[1]
    )
    assert told[2] == (
        "Before the maps were fitted, noise was reduced by HYPR-LR inside the mask, with a Gaussian of 4.5 mm FWHM."
    )
    assert len(told) == 3


def pixels_of(picture):
    """Colours of a picture of the page, shape (height, width, 4)."""
    raw = base64.b64decode(re.search(r"base64,([^\"]+)", picture)[1])
    found, place = {}, 8
    while place < len(raw):
        (size,) = struct.unpack_from(">I", raw, place)
        kind, data = raw[place + 4 : place + 8], raw[place + 8 : place + 8 + size]
        assert struct.unpack_from(">I", raw, place + 8 + size)[0] == zlib.crc32(kind + data)
        found[kind], place = data, place + 12 + size
    width, height = struct.unpack_from(">II", found[b"IHDR"])
    lines = np.frombuffer(zlib.decompress(found[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not lines[:, 0].any()
    palette = np.frombuffer(found[b"PLTE"], np.uint8).reshape(-1, 3)
    opaque = np.full(len(palette), 255, np.uint8)
    opaque[: len(found[b"tRNS"])] = np.frombuffer(found[b"tRNS"], np.uint8)
    return np.concatenate([palette, opaque[:, None]], axis=1)[lines[:, 1:]]


def test_colours_are_those_of_the_values_with_grey_for_unusable_voxels_and_nothing_outside():
    values = np.full((3, 5, 3), np.nan)
    mask = np.zeros(values.shape, dtype=bool)
    mask[1, 1:4, 1] = True
    values[1, 1:3, 1] = 0.0, 10.0  # the third has no estimate
    axial = map_view("SRTM", "BP_ND", values, mask, np.diag([2.0, 2, 2, 1])).rows[0].slices
    colours = pixels_of(next(one.picture for one in axial if one.place == "z = 2 mm"))[::-1, 1]
    assert colours[[0, 4], 3].tolist() == [0, 0]
    assert colours[1:4].tolist() == [[68, 1, 84, 255], [253, 231, 37, 255], [217, 221, 225, 255]]
