"""Ages and weights that nobody has are doubted; what people and animals have is not."""

import json

import pytest

from raphe.io.people_doubts import doubts_of_people
from raphe.io.tables import read_table


def people(folder, column, *cells, unit=None):
    path = folder / "participants.tsv"
    rows = "".join(f"sub-{at:02d}\t{cell}\n" for at, cell in enumerate(cells, start=1))
    path.write_text(f"participant_id\t{column}\n{rows}")
    if unit is not None:
        path.with_suffix(".json").write_text(json.dumps({column: {"Description": "of people", "Units": unit}}))
    return [one.message for one in doubts_of_people(read_table(path))]


@pytest.mark.parametrize(
    ("column", "cell", "unit"),
    [
        ("age", "340", None),
        ("age", "-5", None),
        ("Age", "999", None),
        ("age", "-1", "months"),
        ("age", "40000", "weeks"),
        ("weight", "7000", None),
        ("weight", "0", None),
        ("weight", "70000", "kg"),
        ("weight", "900000", "g"),
        ("weight", "-70", "kilograms"),
    ],
)
def test_what_nobody_has_is_told_with_its_line(tmp_path, column, cell, unit):
    (told,) = people(tmp_path, column, "35", cell, "n/a", unit=unit)
    assert f"participants.tsv: column {column!r}: sub-02 (line 3) has {cell}" in told
    assert "sub-01" not in told
    assert f"participants.json ({column}: Units)" in told


@pytest.mark.parametrize(
    ("column", "cells", "unit"),
    [
        ("age", ("0", "0.3", "18", "89+", "104", "n/a", "", "unknown"), None),
        ("age", ("300", "1100"), "months"),
        ("age", ("9000", "30000"), "days"),
        ("weight", ("0.025", "0.3", "7.1", "57", "199"), None),
        ("weight", ("57000", "250"), "g"),
        ("weight", ("7000",), "stones"),
        ("size", ("340", "-5"), None),
    ],
)
def test_what_people_and_animals_have_is_not(tmp_path, column, cells, unit):
    assert people(tmp_path, column, *cells, unit=unit) == []


def test_a_sidecar_that_cannot_be_read_leaves_the_usual_unit(tmp_path):
    (tmp_path / "participants.json").write_text("{")
    assert len(people(tmp_path, "age", "340")) == 1
