"""An excluded scan of images that cannot be preprocessed stops nothing."""

import nibabel
import numpy as np

from raphe.errors import InputError
from raphe.pipeline import preprocess


def refuse(task, restart=False):
    raise InputError("the image is dark")


def test_an_excluded_scan_that_cannot_be_preprocessed_fails_nothing(files, raphe, monkeypatch):
    monkeypatch.setattr(preprocess, "preprocess_scan", refuse)
    files.table_of("02", "rescan").unlink()
    pet = files.pet_of("02", "rescan")
    image = np.ones((6, 6, 6, len(files.fields(pet)["FrameDuration"])), dtype=np.float32)
    nibabel.save(nibabel.Nifti1Image(image, np.diag([20.0, 20.0, 20.0, 1.0])), pet.with_suffix(".nii.gz"))
    command = ("run", files.root, files.out, "all")
    ended = raphe(*command)
    assert ended.code == 2
    assert "no scan could be preprocessed. sub-02_ses-rescan: the image is dark" in ended.err
    (files.root / "exclusions.tsv").write_text("participant_id\tsession_id\treason\nsub-02\tses-rescan\tdark\n")
    ended = raphe(*command)
    assert ended.code == 1, ended.err
    assert "sub-02_ses-rescan, which is excluded (dark), failed: the image is dark" in ended.err
    assert (files.out / "report.html").is_file()
