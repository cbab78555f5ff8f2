"""Finds the corrections: every module of this folder that has an EXAMPLE."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from raphe.errors import InputError, nearest
from raphe.preprocess import pvc
from raphe.preprocess.pvc.protocol import Correction


@cache
def corrections() -> dict[str, Correction]:
    """Every correction by its name."""
    found = {}
    for module in pkgutil.iter_modules(pvc.__path__):
        example = getattr(importlib.import_module(f"{pvc.__name__}.{module.name}"), "EXAMPLE", None)
        if example is not None:
            found[example.name] = example
    return found


def correction(name: str) -> Correction:
    """Correction called ``name``, in any case.

    Raises
    ------
    InputError
        If there is none.
    """
    by_name = {known.lower(): one for known, one in corrections().items()}
    if name.lower() not in by_name:
        raise InputError(f"there is no partial-volume correction {name!r}; {nearest(name, corrections())}")
    return by_name[name.lower()]
