"""What the report shows of a scan's preprocessing."""

import base64
import dataclasses
import re
import struct
import zlib

import numpy as np
import pytest

from raphe.core.frames import Frames
from raphe.data.carpet import Carpet
from raphe.data.image import Grid
from raphe.data.preprocessed import Preprocessed, Suvr
from raphe.data.scan import Scan
from raphe.report.carpet import LIMIT, PALETTE, carpets
from raphe.report.preprocessing import preprocessing_view
from raphe.report.scan import scan_page

FRAMES = Frames(np.array([0.0, 1, 5, 10, 20]), np.array([1.0, 4, 5, 10, 10]))


def carpet(departure):
    tissue = ("grey matter",) * (len(departure) - 1) + ("fluid",)
    return Carpet(tissue, np.asarray(departure, dtype=float))


@pytest.fixture
def found():
    shape = (12, 14, 10)
    labels = np.zeros(shape, dtype=np.int32)
    labels[3:9, 3:11, 2:8] = 1
    labels[6:9, 3:11, 2:8] = 2
    pet = np.where(labels > 0, 10.0, 0.1).astype(np.float32)
    flat = np.zeros((4, 5))
    return Preprocessed(
        FRAMES,
        np.zeros((5, 6)),
        np.array([np.nan, 7.0, 0.4, 2.5, 0.2]),
        np.array([3.0, 0.2, 0.3, 0.4, 0.1]),
        np.array([True, False, False, False, False]),
        Grid(shape, np.diag([4.0, 4.0, 4.0, 1.0])),
        pet,
        pet[::-1].copy(),
        labels,
        ("the brain mask holds 90 mL",),
        (("PET's variance that the MRI explains", "64 %"),),
        {"as measured": carpet(flat), "without head motion": carpet(flat)},
        Suvr(("cerebellum",), 10.0, 30.0, ("", "GTM"), ("putamen", "raphe"), np.array([[2.0, 1.0], [2.5, 0.9]])),
    )


def pixels(drawing):
    """Every picture in a drawing, as places in its palette."""
    for data in re.findall(r"base64,([^\"]+)", str(drawing)):
        png = base64.b64decode(data)
        width, height = struct.unpack(">II", png[16:24])
        body = png[png.index(b"IDAT") + 4 : png.index(b"IEND") - 8]
        yield np.frombuffer(zlib.decompress(body), dtype=np.uint8).reshape(height, width + 1)[:, 1:]


def test_a_carpet_has_its_first_row_on_top_its_frames_from_the_left_and_white_where_nothing_departs():
    departure = np.zeros((6, 5))
    departure[0, 1], departure[5, 4], departure[2, 2] = 9.0, -LIMIT / 2, np.nan
    drawing = carpets({"as measured": carpet(departure)}, FRAMES, np.zeros(5), {})
    shown, _ = pixels(drawing)
    middle = len(PALETTE) // 2
    assert shown.shape == (6, 5)
    assert shown[0, 1] == len(PALETTE) - 1
    assert shown[5, 4] == pytest.approx(middle / 2, abs=1)
    assert shown[2, 2] == 0
    assert (shown == middle).sum() == 27
    assert PALETTE[middle].tolist() == [255, 255, 255]
    red, _, blue = PALETTE[-1].tolist()
    assert red > blue


def test_kinds_of_tissue_stand_beside_their_rows(found):
    text = str(carpets(found.carpets, FRAMES, found.displacement, {"fluid": "water"}))
    assert text.count(">grey matter<") == 1
    assert ">water<" in text
    assert ">fluid<" not in text


def test_numbers_of_movement_count_from_five_minutes(found):
    facts = dict(preprocessing_view(found).facts)
    assert facts["Largest movement between frames, from 5 min on"] == "2.5 mm"
    assert facts["Frames whose position is their neighbours'"] == "1 of 5"
    assert facts["Doubts"] == "1"
    assert facts["PET's variance that the MRI explains"] == "64 %"


def test_layers_lie_in_the_same_places_and_the_pet_is_not_drawn_where_it_is_faint(found):
    layers = preprocessing_view(found).layers
    place = re.compile(r'viewBox="[^"]*"|<image x="\S+" y="\S+" width="\S+" height="\S+"')
    under, over = (place.findall(str(one)) for one in (layers.under, layers.over))
    assert under == over
    assert len(under) == 4
    over = next(pixels(layers.over))
    assert 0 < (over == 0).mean() < 1
    assert all((one > 0).all() for one in pixels(layers.under))


def test_outlines_run_along_the_edges_of_the_regions_over_the_same_picture(found):
    (figure,) = preprocessing_view(found).regions
    plain, drawn = (str(one.drawing) for one in figure.panels[:2])
    assert "outline" not in plain
    assert [one.tobytes() for one in pixels(plain)] == [one.tobytes() for one in pixels(drawn)]
    left, width = (float(re.search(r'<image x="(\S+)" y="\S+" width="(\S+)"', drawn)[at]) for at in (1, 2))
    axial = re.search(r'<path class="outline" d="([^"]+)"', drawn)[1]
    upright = {x for x, _, end in re.findall(r"M(\S+) (\S+?)L(\S+) ", axial) if x == end}
    voxel = width / next(pixels(drawn)).shape[1]
    assert sorted((float(x) - left) / voxel for x in upright) == pytest.approx([2, 5, 8], abs=0.05)


def test_without_an_mri_nothing_is_faded_and_tissue_has_other_names(found):
    view = preprocessing_view(dataclasses.replace(found, t1=None))
    assert view.layers is None
    assert ">regions<" in str(view.movement[1].panels[0].drawing)


def test_what_was_not_made_is_not_shown(found):
    view = preprocessing_view(dataclasses.replace(found, carpets={}, suvr=None, doubts=()))
    assert view.ratios is None
    assert len(view.movement) == 1
    assert dict(view.facts)["Doubts"] == "none"


def test_ratios_stand_beside_each_other_with_their_change(found):
    ratios = preprocessing_view(found).ratios
    assert ratios.methods == ("GTM",)
    words = {name: [word for word, _ in cells] for name, cells in ratios.rows}
    assert words == {"putamen": ["2.00", "2.50", "+25"], "raphe": ["1.00", "0.90", "\N{MINUS SIGN}10"]}
    assert "no binding potential" in ratios.caption


@pytest.mark.parametrize("excluded", ["", "moved <much>"])
def test_the_page_is_well_formed_and_says_whether_the_scan_is_excluded(found, make_fit, read, excluded):
    fit = make_fit({"putamen": (2.0, 0.1, 0)})
    told = {"steps": (), "versions": {}, "citations": {}, "command_line": "raphe run"}
    text = scan_page(Scan("01"), [fit], preprocessing=preprocessing_view(found), excluded=excluded, **told)
    page = read(text)
    assert all(one.startswith("data:image/png") for one in page.loads())
    assert ("Excluded from every table" in page.text) == bool(excluded)
    assert "1 doubt about its images" in page.text
    assert "the brain mask holds 90 mL" in page.text
    assert "SUVR" in page.text
    assert "prefers-reduced-motion" in text
