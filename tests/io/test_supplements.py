"""Files of an atlas that supplies another, sound and not."""

import json

import nibabel
import numpy as np
import pytest

from raphe import catalog
from raphe.errors import InputError
from raphe.io.supplements import read_supplement

CIT168 = next(atlas for atlas in catalog.supplements() if atlas.name == "CIT168")
SHAPE = (20, 24, 18)
AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])
AFFINE[:3, 3] = (-20, -24, -18)


@pytest.fixture
def files(tmp_path):
    """A brain, and labels on a part of its grid."""
    found = {"t1": tmp_path / "t1.nii.gz", "labels": tmp_path / "labels.nii.gz"}
    image = np.zeros(SHAPE, dtype=np.float32)
    image[2:18, 2:22, 2:16] = 100
    save(found["t1"], image)
    labels = np.zeros((10, 10, 8), dtype=np.uint8)
    labels[2, 3, 4] = 23
    labels[7, 3, 4:6] = 24
    labels[4, 4, 4] = 5
    part = AFFINE.copy()
    part[:3, 3] += [10, 10, 8]
    save(found["labels"], labels, part)
    return found


def save(path, values, affine=AFFINE):
    nibabel.save(nibabel.Nifti1Image(values, affine), path)


def test_regions_have_two_sides_and_stay_on_their_own_grid(files):
    t1, labels = read_supplement(CIT168, files, ["ventral pallidum"])
    assert t1.grid.shape == SHAPE
    assert labels.grid.shape == (10, 10, 8)
    assert labels.volumes == pytest.approx({"left_ventral_pallidum": 8.0, "right_ventral_pallidum": 16.0})


def test_every_region_of_the_catalog_is_where_the_published_names_have_it(shared_data):
    """Names and numbers of CIT168.json, which lies beside the labels."""
    folder = shared_data / "atlases/human"
    published = json.loads((folder / "CIT168.json").read_text(encoding="utf-8"))["labels"]
    short = {
        "substantia nigra": "substantia nigra pars",
        "pallidum": "globus pallidus",
        "habenula": "habenular nucleus",
    }
    for region, numbers in CIT168.regions.items():
        for number in numbers:
            for side, at in (("L", number), ("R", number + CIT168.right)):
                assert published[at].lower().replace("-", " ").startswith(f"{side.lower()} {short.get(region, region)}")
    assert CIT168.regions["ventral pallidum"] == [published.index("L Ventral Pallidum")]


def test_the_published_files_are_read(shared_data):
    folder = shared_data / "atlases/human"
    paths = {role: folder / file.path for role, file in CIT168.files.items()}
    _, labels = read_supplement(CIT168, paths, CIT168.supplies)
    x = {}
    for number, name in labels.names.items():
        x[name] = (labels.grid.affine @ [*np.argwhere(labels.values == number).mean(axis=0), 1])[0]
    assert set(x) == {"left_ventral_pallidum", "right_ventral_pallidum"}
    assert x["left_ventral_pallidum"] == pytest.approx(-12, abs=2)
    assert x["right_ventral_pallidum"] == pytest.approx(12, abs=2)


def several(path):
    save(path, np.ones((*SHAPE, 3), dtype=np.float32))


def not_whole(path):
    values = np.zeros(SHAPE, dtype=np.float32)
    values[5, 5, 5] = 23.4
    save(path, values)


def without_right(path):
    values = np.zeros(SHAPE, dtype=np.uint8)
    values[5, 5, 5] = 23
    save(path, values)


def elsewhere(path):
    image = nibabel.load(path)
    affine = image.affine.copy()
    affine[0, 3] += 200
    save(path, np.asarray(image.dataobj), affine)


def empty(path):
    save(path, np.zeros(SHAPE, dtype=np.float32))


def no_image(path):
    path.write_bytes(b"no image")


@pytest.mark.parametrize(
    ("role", "spoil", "told"),
    [
        ("t1", several, "has 3 volumes; a 3D image was expected"),
        ("t1", empty, "no voxel is above 0"),
        ("t1", no_image, "is not a NIfTI image"),
        ("labels", several, "has 3 volumes; a 3D image was expected"),
        ("labels", not_whole, "it holds 23.4; labels are whole numbers"),
        ("labels", without_right, r"ventral pallidum as \[23, 24\], but no voxel of this image is 24 .*up to 23"),
        ("labels", empty, "no voxel of this image is 23 or 24"),
        ("labels", elsewhere, r"0 % of its labels lie in the brain of \[preprocess.files\] cit168_t1"),
    ],
    ids=lambda value: value.__name__ if callable(value) else str(value)[:12],
)
def test_files_that_are_of_no_use_are_named_with_field_and_value(files, role, spoil, told):
    spoil(files[role])
    with pytest.raises(InputError, match=told) as error:
        read_supplement(CIT168, files, ["ventral pallidum"])
    assert f"[preprocess.files] cit168_{role} = " in str(error.value)
    assert str(files[role]) in str(error.value)
