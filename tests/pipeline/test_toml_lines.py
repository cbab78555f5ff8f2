import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raphe.pipeline.toml_lines import key_lines, line_of

TEXT = '''# a comment with [brackets]
top = 1
"quoted.key" = """text
[not.a.table]
x = 1""" # done
[study]
title = "a # b [c]"
a.b . c = [ 1,
  2, # no ] here
  [3, 4], {d = 1, e = [2]},

  'it]' ]
[[tracer]] # one
name = "A"
[tracer.sub]
q = 1
[[tracer]]
  name = 'B'
inline = { a = 1, b = "," }
[ regions . "two words" ]
empty = []
"tab\\tkey" = 1
'''

EXPECTED = {
    ("top",): 2,
    ("quoted.key",): 3,
    ("study",): 6,
    ("study", "title"): 7,
    ("study", "a", "b", "c"): 8,
    ("study", "a", "b", "c", 0): 8,
    ("study", "a", "b", "c", 1): 9,
    ("study", "a", "b", "c", 2): 10,
    ("study", "a", "b", "c", 3): 10,
    ("study", "a", "b", "c", 4): 12,
    ("tracer",): 13,
    ("tracer", 0): 13,
    ("tracer", 0, "name"): 14,
    ("tracer", 0, "sub", "q"): 16,
    ("tracer", 1): 17,
    ("tracer", 1, "name"): 18,
    ("tracer", 1, "inline"): 19,
    ("regions",): 20,
    ("regions", "two words"): 20,
    ("regions", "two words", "empty"): 21,
    ("regions", "two words", "tab\tkey"): 22,
}


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_every_key_has_the_line_it_stands_in(ending):
    tomllib.loads(TEXT)
    lines = key_lines(TEXT.replace("\n", ending))
    assert {path: lines.get(path) for path in EXPECTED} == EXPECTED


def test_a_key_inside_of_an_inline_table_has_the_line_of_what_is_around_it():
    assert line_of(key_lines(TEXT), ("tracer", 1, "inline", "b")) == 19
    assert line_of(key_lines(TEXT), ("absent",)) == 1


VALUES = st.sampled_from(
    ["1", '"a # = [x]"', "'b\"'", '"""m\n[t]\nx = 1\n"""', "'''\n\"\n'''", '["a",\n\n "b", # ] c\n]', "{ k = [1, 2] }",
     "1979-05-27T07:32:00", '""""four""""', '"\\"]"', "[[1,\n2], [3]]"]
)  # fmt: skip
BETWEEN = st.sampled_from(["", "\n", "# [x] a = 1\n", "   \n\t\n"])


@given(st.lists(st.tuples(st.sampled_from(["table", "array", "key"]), VALUES, BETWEEN), max_size=12))
def test_lines_hold_for_any_order_of_tables_keys_and_values(parts):
    text, expected, counts, table = "", {}, 0, ()
    for index, (kind, value, between) in enumerate(parts):
        text += between
        line = text.count("\n") + 1
        if kind == "table":
            table = (f"t{index}",)
            text += f"[t{index}]\n"
            expected[table] = line
        elif kind == "array":
            table = ("several", counts)
            counts += 1
            text += "[[several]]\n"
            expected[table] = line
        else:
            text += f"k{index} = {value}\n"
            expected[(*table, f"k{index}")] = line
    tomllib.loads(text)
    lines = key_lines(text)
    assert {path: lines.get(path) for path in expected} == expected
