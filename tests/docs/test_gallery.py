"""Every script of the gallery runs as it stands, and prints."""

import runpy
import tempfile
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[2] / "docs" / "gallery").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_it_runs(script, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    runpy.run_path(str(script), run_name="__main__")
    told = capsys.readouterr()
    assert "BP_ND" in told.out or "V_T" in told.out
    assert told.err == ""
