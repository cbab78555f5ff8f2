"""Folders of a data set may be links to other places, as on several disks: what is in them is found."""

import shutil

import pytest

from raphe.io.below import below, below_people
from raphe.io.bids import read_study
from raphe.io.check import check_dataset


def moved(folder, place):
    """Move a folder elsewhere, and leave a link to it."""
    shutil.move(folder, place)
    folder.symlink_to(place)


@pytest.mark.parametrize("folder", ["sub-01", "sub-01/ses-baseline", "sub-01/ses-baseline/pet"])
def test_a_folder_that_is_a_link_is_read(study, tmp_path, folder):
    """A session's folder that was a link was passed over, and with it its scans, without a word."""
    whole = [table.scan.label for table in read_study(study.root).tables]
    moved(study.root / folder, tmp_path / "raw")
    moved(study.root / "derivatives/petprep" / folder, tmp_path / "made")
    assert [table.scan.label for table in read_study(study.root).tables] == whole
    assert check_dataset(study.root) == ()


def test_a_link_that_leads_back_is_not_followed(study):
    (study.root / "sub-01/ses-baseline/again").symlink_to(study.root / "sub-01")
    assert check_dataset(study.root) == ()


def test_a_link_that_leads_nowhere_is_told(study, tmp_path):
    moved(study.root / "sub-01/ses-baseline", tmp_path / "raw")
    (tmp_path / "raw").rename(tmp_path / "gone")
    (told,) = [one.message for one in check_dataset(study.root) if one.path == study.root / "sub-01/ses-baseline"]
    assert "sub-01/ses-baseline is a link to" in told
    assert "which does not exist" in told


def test_what_is_found(tmp_path):
    for name in ("sub-02/pet/b_pet.json", "sub-01/ses-a/pet/a_pet.json", "sub-01/anat/c_pet.json", "code/d_pet.json"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("{}")
    found = [path.relative_to(tmp_path).as_posix() for path in below_people(tmp_path, "*_pet.json")]
    assert found == ["sub-01/anat/c_pet.json", "sub-01/ses-a/pet/a_pet.json", "sub-02/pet/b_pet.json"]
    assert [path.name for path in below(tmp_path, "*.json", "pet")] == ["a_pet.json", "b_pet.json"]
    assert below(tmp_path / "absent", "*") == []
