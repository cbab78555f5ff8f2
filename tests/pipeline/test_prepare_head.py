"""What decides whether a head is made ready anew."""

import pytest

from raphe import catalog
from raphe.pipeline.prepare_head import fingerprint_of_head


@pytest.mark.parametrize("role", ["head", "t1", "labels"])
def test_a_head_is_made_anew_when_its_image_or_a_file_of_the_atlas_changes(tmp_path, role):
    """A template has an image in the role of ``t1`` too; once it stood for the participant's own."""
    atlas = next(iter(catalog.atlases()))
    files = {name: tmp_path / f"{name}.nii.gz" for name in ("head", "t1", "labels")}
    for path in files.values():
        path.write_bytes(b"as it was")

    def mark():
        return fingerprint_of_head(files["head"], {name: files[name] for name in ("t1", "labels")}, atlas)

    before = mark()
    assert mark() == before
    files[role].write_bytes(b"another")
    assert mark() != before
