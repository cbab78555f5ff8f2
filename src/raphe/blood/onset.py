"""When a bolus arrives: what the arterial models share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.blood.protocol import TIME, Parameter, Problem

Array = npt.NDArray[np.float64]

T0 = Parameter("t0", TIME, 0.0, 10.0, "time at which the bolus arrives", low_is_physical=True)
"""Onset. Its upper end is an assumption."""

NOTHING_YET = 0.02
"""Share of the peak below which a sample may have been taken before the bolus came (an assumption)."""

RISEN = 0.3
"""Share of the peak at which the bolus has come for sure (an assumption)."""


def onsets(problem: Problem, n_most: int = 6) -> Array:
    """Times from which to begin the search for the onset: between samples, up to the first that is clearly risen.

    Parameters
    ----------
    problem : Problem
    n_most : int
        How many to give at most, those nearest to the rise.
    """
    top = int(problem.value.argmax())
    risen = int(np.argmax(problem.value >= RISEN * problem.value[top]))
    low = np.flatnonzero(problem.value[: risen + 1] < NOTHING_YET * problem.value[top])
    first = max(int(low[-1]) - 1, 0) if low.size else 0
    edges = np.append(0.0, problem.time) if first == 0 else problem.time[first - 1 :]
    upto = edges[edges <= problem.time[risen]]
    if upto.size < 2:
        return np.array([0.0])
    share = np.array([0.0, 0.5, 0.9])
    between = (upto[:-1, None] + share * np.diff(upto)[:, None]).ravel()
    picked = np.unique(np.round(np.linspace(0, between.size - 1, n_most)).astype(int))
    return np.asarray(between[picked])
