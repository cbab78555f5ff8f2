"""Tasks that fail do not stop the others, whatever they fail by."""

from __future__ import annotations

import functools

import pytest

from raphe.errors import InputError, RapheError
from raphe.pipeline.execute import execute

WHY = {"refused": "this file is empty", "broken": "a fault of raphe", "unreadable": "no-file.tsv cannot be used"}


def work(task: str) -> str:
    """Fail in the way that the task names."""
    if task == "refused":
        raise InputError(WHY[task])
    if task == "broken":
        raise IndexError("index 3 is out of bounds")
    if task == "unreadable":
        open("no-file.tsv").close()
    return task


@pytest.mark.parametrize("workers", [1, 2])
def test_each_task_ends_in_its_own_error(workers: int) -> None:
    found = dict(execute(work, ["first", *WHY, "last"], workers))
    assert found["first"] == "first"
    assert found["last"] == "last"
    for task, why in WHY.items():
        assert isinstance(found[task], RapheError)
        assert why in str(found[task])
    assert "IndexError: index 3 is out of bounds" in str(found["broken"])


@pytest.mark.parametrize("workers", [1, 2])
def test_faults_are_raised_for_those_who_look_for_them(workers: int) -> None:
    run = functools.partial(execute, work, ["broken", "first"], workers, debug=True)
    with pytest.raises(IndexError):
        list(run())
