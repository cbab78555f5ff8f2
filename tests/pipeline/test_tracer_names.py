"""A tracer has several names; the plan may use any of them."""

import pytest


@pytest.mark.parametrize("name", ["[11C]DASB", "dasb", "3-amino-4-(2-dimethylaminomethylphenylsulfanyl)benzonitrile"])
def test_a_plan_may_use_any_name_of_a_tracer(files, raphe, name):
    files.edit('name = "DASB"', f'name = "{name}"')
    ended = raphe("run", files.root, files.out, "all", "--quiet")
    assert (ended.code, ended.err) == (0, "")
    assert list(files.out.glob("group/contrast-*_result.tsv"))
