"""Maps that do not belong together, or are not there, are said with the way out; flags and mirrors are heeded."""

from dataclasses import replace

import nibabel
import numpy as np
import pytest

from raphe.errors import InputError
from raphe.io.mimap import OUTSIDE
from raphe.pipeline.maps_of_scans import MapOfScan, common_place, smoothing_of
from raphe.quality import Quality

SHAPE = (6, 3, 2)
AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])
AFFINE[:3, 3] = -5, 0, 0


@pytest.fixture
def scan(tmp_path):
    """Write the maps of one scan."""

    def write(person, space="TPL", affine=AFFINE, shape=SHAPE, value=None, quality=None):
        entity = f"_space-{space}" if space else ""
        folder = tmp_path / f"sub-{person}/pet"
        folder.mkdir(parents=True)
        paths = [folder / f"sub-{person}{entity}_model-SRTM_meas-{what}_mimap.nii.gz" for what in ("BPND", "quality")]
        value = np.full(shape, 1.0) if value is None else value
        quality = np.zeros(shape) if quality is None else quality
        nibabel.save(nibabel.Nifti1Image(value.astype(np.float32), affine), paths[0])
        nibabel.save(nibabel.Nifti1Image(quality.astype(np.uint8), affine), paths[1])
        return MapOfScan(f"sub-{person}", *paths)

    return write


def refused(maps, *words, template="TPL", mirror=False):
    with pytest.raises(InputError) as told:
        common_place(maps, "BP_ND by SRTM", template, mirror)
    for word in words:
        assert word in str(told.value)


def test_the_mask_is_what_every_scan_has_mapped(scan):
    quality = [np.zeros(SHAPE), np.zeros(SHAPE)]
    quality[0][0], quality[1][:, 0] = OUTSIDE, OUTSIDE
    place = common_place([scan("01", quality=quality[0]), scan("02", quality=quality[1])], "BP_ND", "", False)
    expected = (quality[0] != OUTSIDE) & (quality[1] != OUTSIDE)
    np.testing.assert_array_equal(place.mask, expected)
    assert (place.grid.shape, place.space) == (SHAPE, "TPL")


def test_estimates_that_may_not_be_used_are_missing(scan):
    value = np.arange(np.prod(SHAPE), dtype=float).reshape(SHAPE)
    quality = np.zeros(SHAPE)
    quality[1, 1, 1] = Quality.IMPRECISE
    quality[2, 1, 1] = Quality.UNDETERMINED | Quality.SLOW
    value[3, 1, 1] = np.nan
    one = scan("01", value=value, quality=quality)
    place = common_place([one], "BP_ND", "", False)
    found = np.full(SHAPE, -1.0)
    found[place.mask] = place.read(one)
    expected = value.copy()
    expected[1, 1, 1] = np.nan
    np.testing.assert_array_equal(found, expected)


def test_without_flags_what_is_finite_and_not_zero_is_mapped(scan):
    value = np.arange(1, 1 + np.prod(SHAPE), dtype=float).reshape(SHAPE)
    value[0, 0, 0], value[1, 0, 0], value[2, 0, 0], value[3, 0, 0] = 0, np.nan, -np.inf, -1e-6
    one, flagged = replace(scan("01", value=value), quality=None), scan("02")
    place = common_place([one, flagged], "BP_ND", "", False)
    expected = np.ones(SHAPE, dtype=bool)
    expected[:3, 0, 0] = False
    np.testing.assert_array_equal(place.mask, expected)
    np.testing.assert_array_equal(place.read(one), value[expected].astype(np.float32))


def test_left_and_right_are_averaged_into_the_left(scan):
    value = np.random.default_rng(0).normal(size=SHAPE)
    quality = np.zeros(SHAPE)
    quality[5, 0, 0] = OUTSIDE
    one = scan("01", value=value, quality=quality)
    place = common_place([one], "BP_ND", "", True)
    expected = np.zeros(SHAPE, dtype=bool)
    expected[:3] = True
    expected[0, 0, 0] = False
    np.testing.assert_array_equal(place.mask, expected)
    np.testing.assert_allclose(place.read(one), ((value + value[::-1]) / 2)[expected], rtol=1e-6)


def test_a_plane_in_the_middle_stays(scan):
    affine = AFFINE.copy()
    affine[0, 3] = -4
    place = common_place([scan("01", affine=affine, shape=(5, 3, 2))], "BP_ND", "", True)
    assert place.mask[:3].all()
    assert not place.mask[3:].any()


def test_a_grid_beside_the_middle_is_moved_to_it(scan):
    affine = AFFINE.copy()
    affine[0, 3] += 0.6
    x = affine[0, 0] * np.arange(6) + affine[0, 3]
    value = np.broadcast_to((3 + 0.1 * x)[:, None, None], SHAPE)
    one = scan("01", affine=affine, value=value)
    place = common_place([one], "BP_ND", "", True)
    assert 2 * place.grid.affine[0, 3] / AFFINE[0, 0] == pytest.approx(round(place.grid.affine[0, 3]))
    assert abs(place.grid.affine[0, 3] - affine[0, 3]) <= 0.5
    assert place.mask.any()
    np.testing.assert_allclose(place.read(one), 3, rtol=1e-6)


def test_a_turned_grid_has_no_mirror(scan):
    affine = AFFINE.copy()
    affine[1, 0] = 0.1
    refused([scan("01", affine=affine)], "cannot be mirrored at x = 0", "none of its axes runs along x", mirror=True)


@pytest.mark.parametrize("space", ["T1w", "orig", "pet", ""])
def test_spaces_of_each_persons_own_are_refused(scan, space):
    maps = [scan("01", space=space), scan("02", space=space)]
    refused(maps, repr(space or "(none)"), 'write space = "TPL" under [maps]', "participant")


def test_several_spaces_are_refused_with_whose_they_are(scan):
    refused([scan("01", space="TPL"), scan("02", space="MNI")], "2 spaces", "TPL: sub-01", "MNI: sub-02")


def test_several_grids_are_refused_with_whose_they_are(scan):
    shifted = AFFINE.copy()
    shifted[1, 3] += 1
    refused([scan("01"), scan("02", affine=shifted)], "sub-02_space-TPL_model-SRTM_meas-BPND", "is not on the grid of")
    refused([scan("03"), scan("04", shape=(6, 3, 3))], "sub-04_space-TPL", "their shapes differ")


def test_missing_maps_are_named_with_the_way_to_make_them(scan):
    maps = [scan("01"), scan("02"), scan("03")]
    maps[1].value.unlink()
    maps[2].quality.unlink()
    refused(maps, "2 of its 3 scans have no map of BP_ND by SRTM", "sub-02, sub-03", "raphe run BIDS OUT participant")


def test_masks_that_do_not_overlap_are_refused(scan):
    first, second = np.zeros(SHAPE), np.zeros(SHAPE)
    first[:3], second[3:] = OUTSIDE, OUTSIDE
    refused([scan("01", quality=first), scan("02", quality=second)], "no voxel is in the masks of all 2 scans")


def test_smoothing_is_told_as_the_sidecars_have_it(scan):
    maps = [scan("01"), scan("02"), scan("03")]
    texts = ('{"FWHM": 4.0, "Kernel": "Gaussian, inside the mask"}', "{}", "{}")
    for one, text in zip(maps, texts, strict=True):
        one.value.with_name(one.value.name.replace(".nii.gz", ".json")).write_text(text)
    assert smoothing_of(maps) == ("Gaussian, inside the mask, 4.0 mm FWHM", "nothing was smoothed")
