"""Words of a command: how models are told from what follows them."""

import argparse
import shlex

import pytest

from raphe.arguments import with_joined_models
from raphe.commands import parser_of
from raphe.kinetics import registry

JOINED = {
    "fit t.tsv --model SRTM": ["SRTM"],
    "fit --model SRTM t.tsv": ["SRTM"],
    "fit --model 1TCM 2TCM MA1 t.tsv": ["1TCM", "2TCM", "MA1"],
    "fit t.tsv --model 1TCM,2TCM,MA1": ["1TCM", "2TCM", "MA1"],
    "fit t.tsv --model SRTM --model 1TCM 2TCM": ["1TCM", "2TCM"],
    "run --model SRTM ./bids ./out all": ["SRTM"],
    "run ./bids ./out all --model 1TCM Logan --workers 2": ["1TCM", "Logan"],
    "run ./bids ./out --model 1TCM Logan all": ["1TCM", "Logan"],
    "conformance --model SRTM 2TCM --repeats 20": ["SRTM", "2TCM"],
    "conformance --repeats 20": [],
}


@pytest.mark.parametrize("line", JOINED)
def test_models_stand_anywhere_and_may_be_several(line):
    assert parser_of(lambda options: 0).parse_args(line.split()).model == JOINED[line]


def test_a_folder_that_is_there_is_no_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("study", "out"):
        (tmp_path / name).mkdir()
    options = parser_of(lambda options: 0).parse_args("run --model SRTM study out all".split())
    assert (options.model, str(options.bids), str(options.out)) == (["SRTM"], "study", "out")


def test_a_model_of_the_name_of_a_file_is_the_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "SRTM").write_text("")
    assert with_joined_models(["fit", "t.tsv", "--model", "SRTM", "FRTM"]) == ["fit", "t.tsv", "--model", "SRTM,FRTM"]


def test_a_word_that_is_no_model_is_told(capsys):
    with pytest.raises(SystemExit) as ended:
        parser_of(lambda options: 0).parse_args(["fit", "t.tsv", "--model"])
    assert ended.value.code == 2
    assert "--model" in capsys.readouterr().err


def test_the_example_in_the_help_of_every_command_is_a_command():
    parser = parser_of(lambda options: 0)
    (commands,) = (action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    assert len(commands) >= 7
    for name, command in commands.items():
        lines = command.epilog.removeprefix("Example:  ").split(" && ")
        found = [parser.parse_args(shlex.split(line)[1:]) for line in lines if line.startswith("raphe ")]
        others = [shlex.split(line)[:3] for line in lines if not line.startswith("raphe ")]
        assert all(words == ["python", "-m", "raphe.simulate.blocks"] for words in others)
        assert found[-1].command == name
        for options in found:
            assert set(getattr(options, "model", [])) <= set(registry.names())
