"""The benchmarks that the pages name: what they take from the package is there."""

import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_it_finds_what_it_needs(name, monkeypatch):
    for one in NAMES:  # imported anew, and put back afterwards, for other tests may have modules of such names
        monkeypatch.setitem(sys.modules, one, None)
        monkeypatch.delitem(sys.modules, one)
    monkeypatch.syspath_prepend(FOLDER)
    assert importlib.import_module(name).__doc__
