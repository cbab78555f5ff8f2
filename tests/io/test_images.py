"""Images are read as nibabel reads them, block by block; what is damaged, and what nibabel lets pass, is refused."""

import dataclasses
import gzip

import nibabel
import numpy as np
import pytest
from backports import zstd

from raphe.data.image import Grid
from raphe.errors import InputError
from raphe.io import images
from raphe.io.images import Mean, Values, read_mask, stream
from raphe.io.nifti import open_image

SHAPE = (7, 6, 5, 4)
RANDOM = np.random.default_rng(3)
DATA = RANDOM.normal(20, 10, SHAPE)
AFFINE = np.array([[2.0, 0, 0, -10], [0, 2.5, 0, 3], [0, 0, 3, 1], [0, 0, 0, 1]])


@pytest.fixture(autouse=True, params=[1 << 18, 50], ids=["one-block", "small-blocks"])
def _block(request, monkeypatch):
    monkeypatch.setattr(images, "BLOCK", request.param)


def save(path, data=DATA, dtype="<f4", kind=nibabel.Nifti1Image, affine=AFFINE):
    header = kind.header_class(endianness=dtype[0])
    header.set_data_dtype(dtype)
    header.set_xyzt_units("mm", "sec")
    nibabel.save(kind(data, affine, header), path)
    return path


def flat(data):
    """Time-major values in the order of the file."""
    return data.reshape(-1, data.shape[-1], order="F").T


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">f8", "<i2", ">i2", "<u1", "<i4", ">u2"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nii.zst"])
def test_values_are_those_of_nibabel(tmp_path, kind, dtype, ending):
    path = save(tmp_path / f"image{ending}", dtype=dtype, kind=kind)
    truth = flat(nibabel.load(path).get_fdata())
    image = open_image(path)
    assert (image.grid.shape, image.n_volume) == (SHAPE[:3], SHAPE[3])
    np.testing.assert_array_equal(image.grid.affine, AFFINE)
    some = np.array([0, 1, 49, 50, 51, 120, 209])
    factors = np.array([1.0, 2.0, 0.5, 1e-3])
    chosen, everything = Values(some, image, factors), Values(None, image, np.ones(4))
    mean = Mean(image, factors)
    stream(image, [chosen, everything, mean], range(4))
    np.testing.assert_allclose(everything.values, truth, rtol=2e-7, atol=1e-6)
    np.testing.assert_allclose(chosen.values, truth[:, some] * factors[:, None], rtol=3e-7, atol=1e-6)
    np.testing.assert_allclose(mean.mean, factors @ truth, rtol=1e-5)
    assert chosen.values.dtype == np.float32
    assert chosen.values.flags.c_contiguous


def test_some_volumes_of_an_image(tmp_path):
    image = open_image(save(tmp_path / "image.nii.gz"))
    found = Values(None, image, np.ones(2))
    told = []
    stream(image, [found], range(1, 3), lambda *done: told.append(done))
    np.testing.assert_array_equal(found.values, flat(DATA).astype(np.float32)[1:3])
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_mean_counts_what_is_no_number_as_nothing(tmp_path):
    data = DATA.copy()
    data[1, 1, 1] = np.nan
    data[2, 2, 2, 0], data[3, 3, 3, 1] = np.inf, -np.inf
    image = open_image(save(tmp_path / "image.nii", data))
    mean = Mean(image, np.full(4, 0.25))
    stream(image, [mean], range(4))
    truth = np.where(np.isfinite(data), data, 0).mean(axis=-1)
    np.testing.assert_allclose(mean.mean, truth.ravel(order="F"), rtol=1e-5)


def test_places_in_other_units_are_millimetres(tmp_path):
    image = nibabel.Nifti1Image(DATA, AFFINE / 1000)
    image.header.set_xyzt_units("meter", "sec")
    nibabel.save(image, tmp_path / "metres.nii")
    np.testing.assert_allclose(open_image(tmp_path / "metres.nii").grid.affine[:3], AFFINE[:3], rtol=1e-6)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nii.zst"])
@pytest.mark.parametrize("share", [0.3, 0.99])
def test_a_file_that_is_cut_short(tmp_path, ending, share):
    path = save(tmp_path / f"image{ending}")
    held = path.read_bytes()
    path.write_bytes(held[: int(share * len(held))])
    with pytest.raises(InputError, match=r"image\.nii.* (cut short|ends within|ends after)"):
        stream(open_image(path), [], range(4))


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nii.zst"])
@pytest.mark.parametrize("volumes", [range(4), range(2)])
def test_a_header_that_says_less_than_the_file_holds(tmp_path, ending, volumes):
    path = save(tmp_path / f"image{ending}", np.ones((40, 6, 5, 4)))
    image = open_image(path)
    stream(image, [], volumes)
    small = dataclasses.replace(image, grid=Grid((20, 6, 5), AFFINE))
    with pytest.raises(InputError, match=r"image\.nii.* holds 9600 bytes more than the 20 x 6 x 5 x 4 voxels"):
        stream(small, [], volumes)


@pytest.mark.parametrize("volumes", [range(4), range(2)])
def test_a_checksum_that_is_wrong_is_seen_whichever_volumes_are_read(tmp_path, volumes):
    path = save(tmp_path / "image.nii.gz")
    held = path.read_bytes()
    path.write_bytes(held[:-8] + bytes([held[-8] ^ 1]) + held[-7:])
    assert np.isfinite(nibabel.load(path).get_fdata()).all()  # nibabel says nothing
    with pytest.raises(InputError, match=r"image\.nii\.gz is damaged: after byte \d+ .*checksum"):
        stream(open_image(path), [], volumes)


def test_a_zstd_checksum_that_is_wrong_is_seen(tmp_path):
    plain = save(tmp_path / "plain.nii").read_bytes()
    options = {zstd.CompressionParameter.checksum_flag: 1}
    held = bytearray(zstd.compress(plain, options=options))
    held[-1] ^= 1
    path = tmp_path / "image.nii.zst"
    path.write_bytes(held)
    with pytest.raises(InputError, match=r"image\.nii\.zst is damaged"):
        stream(open_image(path), [], range(4))


def test_several_members_of_gzip_are_one_file(tmp_path):
    plain = save(tmp_path / "plain.nii").read_bytes()
    path = tmp_path / "image.nii.gz"
    path.write_bytes(gzip.compress(plain[:1000]) + gzip.compress(plain[1000:]))
    image = open_image(path)
    found = Values(None, image, np.ones(4))
    stream(image, [found], range(4))
    np.testing.assert_array_equal(found.values, flat(DATA).astype(np.float32))


def test_a_mask_is_what_is_not_zero_or_has_a_label(tmp_path):
    data = RANDOM.integers(0, 4, SHAPE[:3]).astype(np.int16)
    path = save(tmp_path / "mask.nii.gz", data, "<i2")
    grid = open_image(path).grid
    np.testing.assert_array_equal(read_mask(path, grid, "x"), (data != 0).ravel(order="F"))
    np.testing.assert_array_equal(read_mask(path, grid, "x", 2), (data == 2).ravel(order="F"))
    broken = np.where(data == 3, np.nan, data)
    path = save(tmp_path / "nan.nii.gz", broken, "<f4")
    np.testing.assert_array_equal(read_mask(path, grid, "x"), ((data == 1) | (data == 2)).ravel(order="F"))
    path = save(tmp_path / "single.nii.gz", data[..., None], "<i2")
    np.testing.assert_array_equal(read_mask(path, grid, "x"), (data != 0).ravel(order="F"))


def test_grids_are_compared(tmp_path):
    grid = Grid((7, 6, 5), AFFINE)
    grid.check_same(Grid((7, 6, 5), AFFINE + 0.9e-3), "a", "b")
    with pytest.raises(InputError, match=r"b is not on the grid of a: their affines differ.*-9.998.*-10\b"):
        grid.check_same(Grid((7, 6, 5), AFFINE + 2e-3 * (AFFINE == -10)), "a", "b")
    with pytest.raises(InputError, match=r"shapes differ.*7 x 6 x 4.*7 x 6 x 5"):
        grid.check_same(Grid((7, 6, 4), AFFINE), "a", "b")
