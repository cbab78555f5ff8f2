"""Scans of images that are excluded or cannot be preprocessed: what they stop, and what the study says of them."""

import nibabel
import numpy as np

from raphe.errors import InputError
from raphe.pipeline import preprocess, study


def refuse(task, restart=False):
    raise InputError("the image is dark")


def image_of(files, *scan):
    """Give a scan an image in place of its curves."""
    files.table_of(*scan).unlink()
    pet = files.pet_of(*scan)
    image = np.ones((6, 6, 6, len(files.fields(pet)["FrameDuration"])), dtype=np.float32)
    nibabel.save(nibabel.Nifti1Image(image, np.diag([20.0, 20.0, 20.0, 1.0])), pet.with_suffix(".nii.gz"))
    return pet.with_suffix(".nii.gz")


def test_an_excluded_scan_that_cannot_be_preprocessed_fails_nothing(files, raphe, monkeypatch):
    monkeypatch.setattr(preprocess, "preprocess_scan", refuse)
    image_of(files, "02", "rescan")
    command = ("run", files.root, files.out, "all")
    ended = raphe(*command)
    assert ended.code == 2
    assert "no scan could be preprocessed. sub-02_ses-rescan: the image is dark" in ended.err
    (files.root / "exclusions.tsv").write_text("participant_id\tsession_id\treason\nsub-02\tses-rescan\tdark\n")
    ended = raphe(*command)
    assert ended.code == 1, ended.err
    assert "sub-02_ses-rescan, which is excluded (dark), failed: the image is dark" in ended.err
    assert (files.out / "report.html").is_file()
    page = (files.out / "report.html").read_text()
    assert page.count("dark") >= 3  # the table of exclusions, the list of scans, the methods
    assert "the image is dark" not in page
    ended = raphe("run", files.root, files.out, "group")
    assert "not been preprocessed" not in ended.err
    assert (files.out / "report.html").read_text().count("dark") >= 3


def test_a_damaged_image_of_an_excluded_scan_stops_nothing(files, raphe):
    image_of(files, "02", "rescan").write_bytes(b"no image")
    assert raphe("run", files.root, files.out, "all").code == 2
    (files.root / "exclusions.tsv").write_text("participant_id\tsession_id\treason\nsub-02\tses-rescan\tstopped\n")
    ended = raphe("run", files.root, files.out, "all")
    assert ended.code == 1, ended.err  # one participant is left in the primary region
    assert "(excluded: stopped; so this stops nothing, and sub-02_ses-rescan is not read)" in ended.err
    assert (files.out / "report.html").read_text().count("stopped") >= 3


def test_the_study_names_scans_that_have_no_curves(files, raphe, monkeypatch):
    assert raphe("run", files.root, files.out, "all").code == 0
    image_of(files, "02", "rescan")
    ended = raphe("run", files.root, files.out, "group")
    assert ended.code == 1
    assert "sub-02_ses-rescan takes no part: it has not been preprocessed yet" in ended.err
    assert "it has not been preprocessed yet" in (files.out / "report.html").read_text()
    monkeypatch.setattr(study, "preprocess", lambda raws, *_: {raws[0].scan.label: "the image is dark"})
    ended = raphe("run", files.root, files.out, "all")
    assert ended.code == 3, ended.err
    assert "the image is dark" in (files.out / "report.html").read_text()
