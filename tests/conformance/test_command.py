"""The command: what it prints and writes, and its exit code."""

import argparse
import json
import shutil
from pathlib import Path

import pytest

from raphe.conformance import SUITE, command
from raphe.conformance.suite import Suite
from raphe.errors import ModelError, OutputError


def options(**given):
    usual = {
        "model": [], "repeats": 20, "noise": 0.03, "seed": 1, "convention": "average", "noise_free_only": True,
        "json": None, "out": None, "export": None, "quiet": True,
    }  # fmt: skip
    return argparse.Namespace(**{**usual, **given})


def test_all_met_is_exit_code_0_with_a_table(capsys):
    assert command.run(options(model=["Patlak", "srtm2"])) == 0
    text = capsys.readouterr().out
    assert "| SRTM2 | 1tissue-reference | 72 | BP_ND |" in text
    assert "All requirements are met" in text
    assert "With noise" not in text


def test_one_that_is_not_met_is_exit_code_1(tmp_path, monkeypatch, capsys):
    strict = tmp_path / "suite"
    shutil.copytree(SUITE, strict)
    table = strict / "requirements.tsv"
    table.write_text(table.read_text(encoding="utf-8").replace("1e-3", "1e-9"), encoding="utf-8")
    monkeypatch.setattr(command, "Suite", lambda: Suite(strict))
    assert command.run(options(model=["SRTM2"])) == 1
    assert "Some requirements are not met" in capsys.readouterr().out


def test_json_holds_every_case_and_no_number_that_is_none(tmp_path, capsys):
    file = tmp_path / "found.json"
    command.run(options(model=["MRTM2"], noise_free_only=False, json=file, convention="midframe"))
    found = json.loads(file.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert found["convention"] == "midframe"
    exact = found["noise_free"][0]
    assert len(exact["cases"]) == 72
    assert exact["worst"] == max(abs(case["value"] / case["wanted"] - 1) for case in exact["cases"])
    assert {row["parameter"] for row in found["noisy"][0]["parameters"]} == {"BP_ND", "R1", "k2", "k2a"}
    assert "With noise" in capsys.readouterr().out


def test_out_is_a_folder_with_tables_and_json(tmp_path, capsys):
    command.run(options(model=["Patlak"], out=tmp_path / "new" / "out"))
    made = tmp_path / "new" / "out"
    assert sorted(path.name for path in made.iterdir()) == ["conformance.json", "conformance.md"]
    assert (made / "conformance.md").read_text(encoding="utf-8") in capsys.readouterr().out


def test_export_copies_the_suite_and_overwrites_nothing(tmp_path, capsys):
    folder = tmp_path / "files"
    assert command.run(options(export=folder)) == 0
    assert Path(capsys.readouterr().out.strip()) == folder / "README.md"
    for path in SUITE.rglob("*"):
        copy = folder / path.relative_to(SUITE)
        assert copy.read_bytes() == path.read_bytes() if path.is_file() else copy.is_dir()
    with pytest.raises(OutputError, match="is there already"):
        command.run(options(export=folder))


def test_a_model_that_there_is_not_is_refused_with_the_nearest():
    with pytest.raises(ModelError, match="did you mean SRTM"):
        command.run(options(model=["SRTMM"]))
