"""Scores of participants."""

import json
import math

import pytest

from raphe.errors import InputError
from raphe.io.phenotype import read_score, score_names

WIDE = "participant_id\tbaseline\tpost\nsub-01\t30\t12\nsub-02\t25\tn/a\n"
LONG = "participant_id\tsession_id\tmadrs\tother\nsub-01\tses-a\t30\t1\nsub-01\tses-b\t12\t2\nsub-02\tses-a\t25\t3\n"


def folder(tmp_path, **tables):
    for name, text in tables.items():
        (tmp_path / f"{name}.tsv").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_column_for_each_visit(tmp_path):
    score = read_score(folder(tmp_path, madrs=WIDE), "MADRS")
    assert score.visits["baseline"] == {"01": 30, "02": 25}
    assert math.isnan(score.visits["post"]["02"])


@pytest.mark.parametrize("name", ["madrs", "ratings"])
def test_a_row_for_each_visit_in_a_table_of_any_name(tmp_path, name):
    score = read_score(folder(tmp_path, **{name: LONG}), "madrs")
    assert score.visits == {"a": {"01": 30, "02": 25}, "b": {"01": 12}}


def test_a_score_that_was_taken_once(tmp_path):
    score = read_score(folder(tmp_path, scales="participant_id\tbmi\nsub-01\t21.5\n"), "bmi")
    assert score.visits == {"": {"01": 21.5}}


def test_what_there_is_not(tmp_path):
    assert read_score(tmp_path / "phenotype", "madrs") is None
    assert read_score(folder(tmp_path, madrs=WIDE), "hamd") is None
    assert score_names(tmp_path) == ("madrs", "baseline", "post")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("30", "61", r"'baseline', line 2: sub-01 has 61, but madrs goes from 0 to 60"),
        ("25", "-1", r"line 3: sub-02 has -1, but madrs goes from 0 to 60"),
        ("25", "many", r"line 3: 'many' is not a number"),
        ("sub-02", "sub-01", r"line 3: sub-01 stands in line 2 already"),
        ("sub-02", "02", r"line 3: '02' does not begin with 'sub-'"),
        ("participant_id", "id", "no column 'participant_id'"),
    ],
)
def test_a_score_that_cannot_be_read(tmp_path, old, new, said):
    with pytest.raises(InputError, match=said):
        read_score(folder(tmp_path, madrs=WIDE.replace(old, new, 1)), "madrs")


def test_a_visit_twice(tmp_path):
    with pytest.raises(InputError, match="sub-01 stands in visit 'a' in line 2 already"):
        read_score(folder(tmp_path, madrs=LONG.replace("ses-b", "ses-a")), "madrs")


@pytest.mark.parametrize("told", [{"Minimum": 0, "Maximum": 20}, {"Levels": {"0": "none", "20": "worst"}}])
def test_the_sidecar_tells_the_range(tmp_path, told):
    place = folder(tmp_path, scale=WIDE)
    (place / "scale.json").write_text(json.dumps({"baseline": told}), encoding="utf-8")
    with pytest.raises(InputError, match="line 2: sub-01 has 30, but scale goes from 0 to 20"):
        read_score(place, "scale")


def test_several_columns_none_of_which_is_named(tmp_path):
    with pytest.raises(InputError, match="not known which holds the score; there are madrs, other"):
        read_score(folder(tmp_path, zz=LONG), "zz")
