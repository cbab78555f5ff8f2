"""Files whose content was not fetched are told as such: they pass neither for absent nor for broken."""

import pytest

from raphe.io.check import check_dataset

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
ANNEX = "/annex/objects/MD5E-s8--d41d8cd98f00b204e9800998ecf8427e.tsv\n"


def linked(path):
    path.unlink(missing_ok=True)
    path.symlink_to("../.git/annex/objects/x1/Qf/MD5E-s8--d41d8cd98f00b204e9800998ecf8427e")


def files_of(study):
    sessions = study.root / "sub-01/sub-01_sessions.tsv"
    sessions.write_text("session_id\tacq_time\nses-baseline\tn/a\n")
    own = study.table().with_suffix(".json")
    own.write_text("{}")
    return {
        "participants": study.root / "participants.tsv",
        "sidecar of the scan": study.pet(),
        "sidecar of the curves": own,
        "curves": study.table(),
        "sessions": sessions,
        "description": study.root / "dataset_description.json",
    }


@pytest.mark.parametrize(
    "which", ["participants", "sidecar of the scan", "sidecar of the curves", "curves", "sessions"]
)
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (linked, "is a link to ../.git/annex/objects/x1/Qf/MD5E"),
        (lambda path: path.write_text(LFS), "holds no text but names one that was not fetched"),
        (lambda path: path.write_text(ANNEX), "holds no text but names one that was not fetched"),
    ],
    ids=["a link", "Git LFS", "an unlocked file of git-annex"],
)
def test_a_file_that_was_not_fetched(study, which, change, told):
    path = files_of(study)[which]
    assert check_dataset(study.root) == ()
    change(path)
    errors = [one for one in check_dataset(study.root) if one.severity == "error"]
    assert len({one.message for one in errors}) == 1
    assert f"{path} {told}" in errors[0].message
    assert "datalad get" in errors[0].message
    assert "git lfs pull" in errors[0].message
