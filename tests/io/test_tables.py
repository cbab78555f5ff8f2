import math
import os
import re
from pathlib import Path

import numpy as np
import pytest

from raphe.errors import InputError, OutputError
from raphe.io.tables import doubled, read_json, read_table, read_text, write_text


def saved(tmp_path: Path, content: str | bytes, name: str = "table.tsv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        "a\tb\n1\t2\n3\t4\n",
        "a,b\n1,2\n3,4\n",
        "a;b\n1;2\n3;4",
        "\ufeffa\tb\n1\t2\n3\t4\n",
        "a\tb\r\n1\t2\r\n3\t4\r\n",
        "a\tb\r1\t2\r3\t4\r",
        "a\tb\n1\t2\n3\t4\n\n  \n\t\n",
        '"a","b"\n"1","2"\n3,4\n',
        " a \tb\n 1\t2 \n3\t4\n",
        "a  b\n1   2\n 3 4\n",
    ],
    ids=["tab", "comma", "semicolon", "bom", "crlf", "cr", "blank end", "quotes", "padded", "blanks"],
)
def test_reads_every_kind_of_separator_and_line_ending(tmp_path, content):
    table = read_table(saved(tmp_path, content))
    assert table.columns == ("a", "b")
    assert table.rows == (("1", "2"), ("3", "4"))
    assert table.lines == (2, 3)
    np.testing.assert_array_equal(table.floats("b"), [2.0, 4.0])


def test_a_separator_in_quotes_is_part_of_the_cell(tmp_path):
    assert read_table(saved(tmp_path, 'name,value\n"a, b",1\n')).cells("name") == ("a, b",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["empty"]),
        ("\n\n", ["empty"]),
        ("a\tb\n", ["no rows"]),
        ("a\tb\n1\t2\n3\n", ["line 3", "1 cells", "2 columns"]),
        ("a\tb\n1\t2\t3\n", ["line 2", "3 cells", "2 columns"]),
        ("a,b\n1,5,2,5\n", ["line 2", "decimal comma"]),
        ("a\tb\n1\t2\n\n3\t4\n", ["line 3", "empty"]),
        ("a\tb\ta\n1\t2\t3\n", ["'a'", "2 times"]),
        ("a\t\tb\n1\t2\t3\n", ["column 2 of 3", "no name"]),
        ("a\tb\t\n1\t2\t\n", ["column 3 of 3", "no name"]),
        ("\na\tb\n1\t2\n", ["no name", "line 1"]),
        ('a,b\n"1,2\n', ["line 2", "quote"]),
        (b"a\tb\n1\t\x00\n", ["binary"]),
        (b"\x1f\x8b\x08\x00rest", ["binary"]),
        ("a\tb\n1\t2\n".encode("utf-16"), ["UTF-16", "UTF-8"]),
        (b"a\tb\n1\t2 \xb5Ci\n", ["line 2", "0xb5", "UTF-8"]),
    ],
)
def test_refuses_what_is_no_table(tmp_path, content, words):
    path = saved(tmp_path, content)
    with pytest.raises(InputError) as caught:
        read_table(path)
    message = str(caught.value)
    assert str(path) in message
    for word in words:
        assert word in message


def test_refuses_an_absent_file_and_a_folder(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_table(tmp_path / "none.tsv")
    with pytest.raises(InputError, match="is a folder"):
        read_table(tmp_path)


@pytest.mark.parametrize(("cell", "value"), [("1", 1.0), ("-2.5e-3", -0.0025), (".5", 0.5), ("+3.", 3.0), ("1E3", 1e3)])
def test_numbers(tmp_path, cell, value):
    assert read_table(saved(tmp_path, f"a\tb\n{cell}\tx\n")).floats("a")[0] == value


@pytest.mark.parametrize("cell", ["n/a", "N/A", "NaN", "nan", "NA", ""])
def test_what_is_not_there_is_nan(tmp_path, cell):
    assert math.isnan(read_table(saved(tmp_path, f"a\tb\n{cell}\tx\n")).floats("a")[0])


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("12,5", "decimal comma"),
        ("inf", "not a number"),
        ("-Infinity", "not a number"),
        ("1e999", "too large"),
        ("1_000", "not a number"),
        ("1 000", "not a number"),
        ("0x10", "not a number"),
        ("1.0D+03", "not a number"),
        ("١٢", "not a number"),
        ("12kBq", "not a number"),
        ("#REF!", "not a number"),
        ("-", "not a number"),
        ("1.2.3", "not a number"),
        ("<0.02", "tells a limit of what can be measured.*write the value that was measured, or n/a"),
        ("< LOD", "tells a limit"),
        ("LOQ", "tells a limit"),
        ("below LOD", "tells a limit"),
        ("BLQ", "tells a limit"),
        ("n.d.", "tells a limit"),
    ],
)
def test_what_is_no_number_is_named_with_file_column_line_and_value(tmp_path, cell, reason):
    path = saved(tmp_path, f"a\tb\n1\t1\n{cell}\t2\n")
    with pytest.raises(InputError, match=reason) as caught:
        read_table(path).floats("a")
    for word in (str(path), "'a'", "line 3", repr(cell)):
        assert word in str(caught.value)


def test_a_column_that_is_not_there_is_named_beside_those_that_are(tmp_path):
    with pytest.raises(InputError, match=r"'weight'.*columns: a, b"):
        read_table(saved(tmp_path, "a\tb\n1\t2\n")).floats("weight")


def test_reads_a_json_object(tmp_path):
    content = '\ufeff{"a": 1, "b": [1.5, null, true], "c": {"d": "é"}}'
    assert read_json(saved(tmp_path, content)) == {"a": 1, "b": [1.5, None, True], "c": {"d": "é"}}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["line 1", "not valid JSON"]),
        ('{"a": 1,}', ["line 1", "not valid JSON"]),
        ('{"a": 1\n "b": 2}', ["line 2", "column 2", "not valid JSON"]),
        ('{"a": 1', ["not valid JSON"]),
        ("{'a': 1}", ["line 1", "column 2"]),
        ('{"a": 1, "a": 2}', ["'a'", "2 times"]),
        ('{"x": {"a": 1, "a": 2}}', ["'a'", "2 times"]),
        ('{"a": NaN}', ["field a: NaN is not a number in JSON"]),
        ('{"a": [0, Infinity]}', ["field a, element 2: Infinity is not a number in JSON"]),
        ('{"a": {"b": -Infinity}}', ["field a.b: -Infinity is not a number in JSON"]),
        ('{"a": 1e999}', ["field a: 1e999 is too large for a number"]),
        ("[1, 2]", ["object", "list"]),
        ('"text"', ["object", "str"]),
        ("null", ["object"]),
        ("[" * 100000, ["JSON"]),
        ('{"a": ' + "9" * 5000 + "}", ["JSON"]),
    ],
    ids=lambda value: str(value)[:20],
)
def test_refuses_what_is_no_json_object(tmp_path, content, words):
    path = saved(tmp_path, content, "x.json")
    with pytest.raises(InputError) as caught:
        read_json(path)
    for word in (str(path), *words):
        assert word in str(caught.value)


def test_writes_whole_files_and_makes_folders(tmp_path):
    path = tmp_path / "new" / "deep" / "x.txt"
    write_text(path, "é\n")
    write_text(path, "second\n")
    assert path.read_bytes() == b"second\n"
    assert [file.name for file in path.parent.iterdir()] == ["x.txt"]


def test_what_cannot_be_written_leaves_the_old_file_and_says_where(tmp_path, monkeypatch):
    path = tmp_path / "x.txt"
    write_text(path, "old\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="No space left") as caught:
        write_text(path, "new\n")
    assert str(path) in str(caught.value)
    assert path.read_text() == "old\n"
    assert [file.name for file in tmp_path.iterdir()] == ["x.txt"]


def test_a_file_in_the_place_of_a_folder_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_text(tmp_path / "file" / "x.txt", "text")


@pytest.mark.parametrize("data", [b"PK\x03\x04....xl/workbook.xml....", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0"])
def test_an_excel_file_is_told_as_such(tmp_path, data):
    path = tmp_path / "plasma.bld"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"plasma\.bld is an Excel file.*save it as tab-separated text"):
        read_text(path)


@pytest.mark.parametrize(
    ("other", "way"),
    [
        ("sub-01\tdrug\t", "both lines say the same: delete line 3"),
        ("sub-01\tplacebo\t31", "the lines differ in arm (drug, placebo), age (empty, 31): keep the one that is right"),
    ],
)
def test_two_lines_of_which_only_one_should_be_are_held_against_each_other(tmp_path, other, way):
    path = tmp_path / "participants.tsv"
    path.write_text(f"participant_id\tarm\tage\nsub-01\tdrug\t\n{other}\n")
    assert doubled(read_table(path), 2, 3) == way


@pytest.mark.parametrize(("column", "hint"), [("arms", "; did you mean 'arm'? (columns: "), ("dose", " (columns: ")])
def test_a_column_that_is_not_there_is_told_with_the_one_nearest_to_it(tmp_path, column, hint):
    path = tmp_path / "participants.tsv"
    path.write_text("participant_id\tarm\tage\nsub-01\tdrug\t30\n")
    with pytest.raises(InputError, match=re.escape(f"there is no column {column!r}{hint}participant_id, arm, age)")):
        read_table(path).cells(column)
