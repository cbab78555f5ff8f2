"""The viewer: one library a page, volumes that are the maps, nothing from elsewhere, and words for what is shown."""

import base64
import gzip
import hashlib
import json
import re
import zipfile
from importlib import resources
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hatchling.builders.wheel import WheelBuilder
from tests.report.test_statistic_maps import AFFINE, PEAK, SHAPE, group_map, step

from raphe.report import viewer
from raphe.report.statistic_maps import maps_view, viewer_page

PUBLISHED = "47b896b77ec4a5be3ef1949c33ad393b6f45629921f326c279000bcf51bdb4af"
STORED = "43cc93c8caf46410d33cb79b0808f8ac28b2bf41b23cdb8c76503e938902d3c2"
"""sha256 of ``dist/niivue.umd.js`` of release 0.69.0 in the npm registry, and of the same after ``gzip -9 -n``."""

ROOT = Path(__file__).parents[2]
FOLDER = resources.files("raphe.report") / "niivue"
HELD = re.compile(r'<script type="text/plain" id="([^"]+)">([^<]*)</script>')


def view(found, backgrounds=None, page=""):
    return maps_view(found, backgrounds or {}, (), page)


def page_of(found, backgrounds=None, title="Trial"):
    return viewer_page(title, view(found, backgrounds, "group/maps.html"), "../report.html", {"raphe": "1"})


def held(page):
    """Contents of the elements that hold data, by their ids; each once."""
    pairs = HELD.findall(page)
    assert len({name for name, _ in pairs}) == len(pairs)
    return {name: gzip.decompress(base64.b64decode(text, validate=True)) for name, text in pairs}


def volumes(page, at=0):
    """Volumes of a viewer by their roles, and its settings."""
    found = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    settings, data = json.loads(found[at]), held(page)
    return {role: nibabel.Nifti1Image.from_bytes(data[name]) for role, name in settings["volumes"].items()}, settings


@pytest.fixture
def found():
    """A contrast with a hole, of which two voxels are significant by TFCE and one of them by height."""
    one = group_map(step())
    t, log, tfce = (one.maps[name].copy() for name in ("t", "logpfwe", "tfce"))
    for values in (t, log, tfce):
        values[0] = np.nan
    enhanced = log.copy()
    enhanced[4, 4, 2] = 1.7
    one.maps.update({"t": t, "logpfwe": log, "tfce": tfce, "logpfwetfce": enhanced})
    return one


def test_the_library_is_the_published_one_with_its_licence():
    stored = (FOLDER / "niivue.umd.js.gz").read_bytes()
    assert hashlib.sha256(stored).hexdigest() == STORED
    assert hashlib.sha256(gzip.decompress(stored)).hexdigest() == PUBLISHED
    told = (FOLDER / "README.md").read_text()
    assert STORED in told
    assert PUBLISHED in told
    assert "Copyright (c) 2021, Niivue" in (FOLDER / "LICENSE").read_text()
    assert "AS IS" in (FOLDER / "NOTICE").read_text()


def test_a_page_has_one_library_and_each_volume_once_however_many_viewers(found, read):
    page = page_of([found, found, found])
    data = held(page)
    assert hashlib.sha256(data["viewer-library"]).hexdigest() == PUBLISHED
    assert len(data) == 1 + 5
    assert read(page).ids.count("viewer-library") == 1
    assert [name for name in read(page).ids if re.fullmatch(r"viewer-\d", name)] == ["viewer-1", "viewer-2", "viewer-3"]
    assert "Copyright (c) 2021, Niivue" in read(page).text


def test_a_page_loads_nothing(found, read):
    page = read(page_of([found]))
    assert all(address.startswith("data:") for address in page.loads())
    assert not any(tag == "link" for tag in page.tags)
    policy = next(value for tag, name, value in page.attributes if tag == "meta" and "default-src" in (value or ""))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def test_the_volumes_are_the_map_within_the_error_that_the_page_states(found, read):
    page = page_of([found])
    images, settings = volumes(page)
    stated = float(re.search(r"they are off by ([\d.]+) at most", read(page).text)[1])
    image = images["statistic"]
    start = np.linalg.solve(AFFINE, image.affine[:, 3])[:3].round().astype(int)
    box = tuple(slice(low, low + size) for low, size in zip(start, image.shape, strict=True))
    t = found.maps["t"]
    inside = np.isfinite(t)
    assert inside[box].sum() == inside.sum()
    assert stated <= np.nanmax(np.abs(t)) / 2000
    assert np.abs(image.get_fdata() - t[box])[inside[box]].max() <= stated * 1.001
    np.testing.assert_array_equal(np.asarray(images["flags"].dataobj) & 1, inside[box])
    logp = images["logp0"].get_fdata()
    assert np.abs(10**-logp - 10.0 ** -found.maps["logpfwe"][box])[inside[box]].max() < 0.005
    voxel = np.array(settings["inverse"]) @ [6.0, 8.0, 4.0, 1.0]
    assert image.get_fdata()[tuple(voxel.round().astype(int))] == pytest.approx(t[3, 4, 2], abs=stated * 1.001)


def test_first_is_what_survives_correction_and_what_does_not_is_called_so(found, read):
    page = page_of([found])
    images, settings = volumes(page)
    flags = np.asarray(images["flags"].dataobj)
    assert ((flags & 2) > 0).sum() == 1
    assert ((flags & 4) > 0).sum() == 2
    assert settings["ways"] == ["by the largest absolute t", "by TFCE"]
    told = read(page).text
    assert (
        told.index("corrected, by the largest absolute t")
        < told.index("corrected, by TFCE")
        < told.index("not corrected")
    )
    assert "Not corrected for the number of voxels: no voxel by itself is evidence" in told


def test_where_nothing_survives_the_viewer_says_that_there_is_nothing_to_colour(read):
    nothing = group_map(step(n_fwe=0, n_fwe_tfce=0))
    nothing.maps.update({"logpfwe": np.zeros(SHAPE, np.float32)})
    images, _ = volumes(page_of([nothing]))
    assert not (np.asarray(images["flags"].dataobj) & 2).any()
    assert (
        "Nothing is significant after correction for the whole map, by the largest absolute t"
        in read(page_of([nothing])).text
    )


def test_the_background_is_the_image_under_the_slices_or_what_was_analysed(found):
    ramp = np.broadcast_to(np.linspace(0, 50, SHAPE[1], dtype=np.float32)[:, None], SHAPE)
    with_one, _ = volumes(page_of([found], {"drug": ramp}))
    shades = np.asarray(with_one["background"].dataobj)
    assert shades.min() == 0
    assert shades.max() == 255
    assert (np.diff(shades.astype(int), axis=1) >= 0).all()
    without, _ = volumes(page_of([found]))
    np.testing.assert_array_equal(
        np.asarray(without["background"].dataobj) > 0, np.asarray(without["flags"].dataobj) > 0
    )


def test_the_same_maps_give_the_same_page(found):
    assert page_of([found]) == page_of([found])


def test_without_javascript_the_page_says_what_is_missing_and_shows_no_button(found, read):
    page = read(page_of([found]))
    assert "noscript" in page.tags
    assert ("button", "hidden", None) in page.attributes
    assert "The interactive viewer needs JavaScript" in page.text


def test_viewers_that_are_too_large_go_to_a_page_of_their_own(found, monkeypatch):
    assert view([found], page="group/maps.html").page == ""
    monkeypatch.setattr(viewer, "MOST", 1_000_000)
    assert view([found], page="group/maps.html").page == "group/maps.html"


def test_without_a_map_there_is_no_viewer():
    assert maps_view([], {}, ["not made"]).viewers is None
    assert viewer.viewers([]) is None


def test_names_are_text_and_never_markup(read):
    hostile = "</script><script>alert(1)</script>"
    named = step(name=hostile, space=hostile)
    one = group_map(named, (PEAK._replace(region=hostile),))
    page = page_of([one], title=hostile)
    assert "<script>alert" not in page
    assert read(page).tags.count("script") == read(page_of([group_map(step())])).tags.count("script")
    _, settings = volumes(page)
    assert settings["space"] == hostile


def test_the_wheel_carries_the_library_and_every_licence(tmp_path):
    (made,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = zipfile.ZipFile(made).namelist()
    folder = "raphe/report/niivue/"
    assert {folder + name for name in ("niivue.umd.js.gz", "LICENSE", "NOTICE", "README.md")} <= set(names)
    licences = [name.partition(".dist-info/licenses/")[2] for name in names if ".dist-info/licenses/" in name]
    assert sorted(licences) == ["LICENSE", f"src/{folder}LICENSE", f"src/{folder}NOTICE"]
