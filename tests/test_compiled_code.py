"""Where compiled code goes when neither the sources nor the user's cache can be written to."""

import os
import stat
from pathlib import Path

import pytest

from raphe import compiled_code


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """Nothing but the temporary folder can be written to; numba is told no place."""
    monkeypatch.setattr(compiled_code, "_writable", lambda folder: False)
    monkeypatch.setattr(compiled_code.tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv(compiled_code.CACHE, raising=False)
    return tmp_path


def test_a_temporary_folder_of_ones_own_is_the_last_resort(nowhere):
    compiled_code.keep_compiled_code()
    folder = Path(os.environ.pop(compiled_code.CACHE))
    assert folder.parent == nowhere
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    compiled_code.keep_compiled_code()  # the next run finds it again
    assert os.environ.pop(compiled_code.CACHE) == str(folder)


@pytest.mark.parametrize("by", ["mode", "link"])
def test_a_folder_that_others_may_write_to_is_not_trusted(nowhere, by):
    wanted = nowhere / f"raphe-compiled-{os.getuid()}"
    if by == "mode":
        wanted.mkdir()
        wanted.chmod(0o777)
    else:
        (nowhere / "elsewhere").mkdir(mode=0o700)
        wanted.symlink_to(nowhere / "elsewhere")
    compiled_code.keep_compiled_code()
    assert os.environ.pop(compiled_code.CACHE) != str(wanted)


def test_a_place_that_is_told_or_can_be_written_to_stays(monkeypatch, tmp_path):
    monkeypatch.setenv(compiled_code.CACHE, "/told")
    compiled_code.keep_compiled_code()
    assert os.environ[compiled_code.CACHE] == "/told"
    monkeypatch.delenv(compiled_code.CACHE)
    monkeypatch.setattr(compiled_code, "_writable", lambda folder: folder != Path(compiled_code.__file__).parent)
    compiled_code.keep_compiled_code()
    assert compiled_code.CACHE not in os.environ
