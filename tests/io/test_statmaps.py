"""Maps and the table of a contrast come back as they were written."""

import json

import nibabel
import numpy as np
import pytest

from raphe.data.group_map import GroupMap, MapPeak
from raphe.data.image import Grid
from raphe.data.record import Step
from raphe.errors import InputError
from raphe.io.statmaps import read_group_map, read_map, write_group_map

AFFINE = np.array([[-2.0, 0, 0, 9], [0, 2.5, 0, -12], [0, 0, 3, -7], [0, 0, 0, 1]])
SHAPE = (4, 3, 2)
STEP = Step("map_contrast", {"name": "A v B"})
NAN = float("nan")
PEAKS = (
    MapPeak(1, 1, 9.0, -12.0, -7.5, -6.25, 0.01, 0.02, 0.005, 0.03, 0.04, 12, 180.0, 7.5, "left caudate", ("a b", "c")),
    MapPeak(0, 1, 1.0, 2.0, 3.0, 4.5, 0.2, NAN, 0.1, NAN, NAN, 0, NAN, NAN, "", ()),
)


def group_map(peaks=PEAKS, stats=("t", "logpfwe", "tfce", "logpfwetfce", "cluster", "n")):
    rng = np.random.default_rng(0)
    maps = {stat: rng.normal(size=SHAPE).astype(np.float32) for stat in stats}
    maps["t"][0, 0, 0] = np.nan
    for stat in {"cluster", "n"} & set(stats):
        maps[stat] = rng.integers(-3, 9, SHAPE).astype(np.float32)
    return GroupMap("A v B", Grid(SHAPE, AFFINE), maps, peaks, STEP)


def write(out, found):
    return write_group_map(out, found, {"SmallestAttainableP": 0.125}, dict.fromkeys(found.maps, "words"))


def test_what_a_page_shows_comes_back(tmp_path):
    found = group_map()
    files = write(tmp_path, found)
    assert sorted(files) == sorted(path for path in tmp_path.rglob("*") if path.is_file())
    back = read_group_map(tmp_path, "A v B", STEP)
    np.testing.assert_allclose(back.grid.affine, AFFINE, atol=1e-5)
    assert set(back.maps) == {"t", "logpfwe", "tfce", "logpfwetfce"}
    for stat, values in back.maps.items():
        np.testing.assert_array_equal(values, found.maps[stat])
    assert repr(back.peaks) == repr(found.peaks)


@pytest.mark.parametrize(("stat", "kind"), [("t", np.float32), ("cluster", np.int32), ("n", np.int16)])
def test_numbers_are_of_the_kind_that_they_are(tmp_path, stat, kind):
    found = group_map()
    write(tmp_path, found)
    image = nibabel.load(tmp_path / f"group/contrast-AvB_stat-{stat}_statmap.nii.gz")
    assert image.get_data_dtype() == kind
    np.testing.assert_array_equal(np.asarray(image.dataobj), found.maps[stat])
    about = json.loads((tmp_path / f"group/contrast-AvB_stat-{stat}_statmap.json").read_text())
    assert about == {"Description": "words", "Statistic": stat, "SmallestAttainableP": 0.125}


def test_a_table_without_peaks_comes_back_empty(tmp_path):
    write(tmp_path, group_map((), ("t", "logpfwe")))
    back = read_group_map(tmp_path, "A v B", STEP)
    assert back.peaks == ()
    assert set(back.maps) == {"t", "logpfwe"}


def test_what_is_no_number_stays_so(tmp_path):
    values = np.array([np.nan, np.inf, -1.5, 0], dtype=np.float32).reshape(2, 2, 1)
    nibabel.save(nibabel.Nifti1Image(values, AFFINE), tmp_path / "a.nii.gz")
    _, found = read_map(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(found, values)


def test_several_volumes_are_no_map(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2, 3), np.float32), AFFINE), tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match="3 volumes; a map of one was expected"):
        read_map(tmp_path / "a.nii.gz")


def test_a_contrast_without_files_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"contrast-AvB_stat-t_statmap\.nii\.gz is missing; run the group level again"):
        read_group_map(tmp_path, "A v B", STEP)
