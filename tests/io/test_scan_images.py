"""Which image of a scan is mapped."""

from __future__ import annotations

import pytest

from raphe.errors import InputError
from raphe.io.names import parse_name
from raphe.io.scan_images import image_of


@pytest.fixture
def folder(tmp_path):
    pet = tmp_path / "sub-01" / "ses-a" / "pet"
    pet.mkdir(parents=True)

    def add(middle):
        path = pet / f"sub-01_ses-a_trc-DASB_{middle}_pet.nii.gz"
        path.touch()
        return path

    return tmp_path, add, parse_name(pet / "sub-01_ses-a_trc-DASB_pet.nii.gz")


def test_of_several_the_one_in_the_space_of_an_atlas_is_mapped(folder):
    root, add, scan = folder
    add("desc-preproc")
    add("space-T1w_desc-preproc")
    of_template = add("space-MNI152NLin2009aSym_desc-preproc")
    assert image_of(scan, "", [root]) == of_template


def test_a_space_that_is_asked_for_comes_first(folder):
    root, add, scan = folder
    on_t1 = add("space-T1w_desc-preproc")
    add("space-MNI152NLin2009aSym_desc-preproc")
    assert image_of(scan, "", [root], "T1w") == on_t1


def test_several_that_are_in_no_space_of_an_atlas_are_an_error(folder):
    root, add, scan = folder
    add("desc-preproc")
    add("space-T1w_desc-preproc")
    with pytest.raises(InputError, match="2 images of this scan could be mapped"):
        image_of(scan, "", [root])
