"""What is wrong with an estimate, by its value and its standard error."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from raphe.kinetics.protocol import KineticModel, Solution
from raphe.nomenclature import SYMBOLS
from raphe.quality import VOLUMES, Quality, determined

PLAUSIBLE: Mapping[str, tuple[float, float]] = {
    "BP_ND": (-0.99, 100.0),
    "R1": (0.01, 20.0),
    "k2": (0.0, 10.0),
    "k2a": (0.0, 10.0),
    "K1": (0.0, 10.0),
    "V_T": (0.0, 10000.0),
    "SUVR": (0.0, 1000.0),
    "K_i": (-10.0, 10.0),
    "K_i_ref": (-10.0, 10.0),
}
"""Open range of each parameter outside of which an estimate is flagged as implausible.

That volumes of distribution, R1 and the rate constants are positive follows from their definitions; noise may bring an
influx below zero. The hundredth of the reference, below which a curve is none of a tissue's, and the upper ends are
assumptions, far from anything reported for the brain.
"""

CLEAR_OF_ZERO = 2.0
"""Standard errors by which k2a has to exceed zero where the scan ends within :data:`TIME_CONSTANTS` of it.

BP_ND is k2 / k2a - 1, so where k2a may be zero BP_ND has no upper limit (Fieller 1954, J R Stat Soc B 16:175), whatever
its standard error says. More than two would leave out estimates that are good, and keep the low ones.
"""

TIME_CONSTANTS = 2.0
"""Time constants 1/k2a within which a scan sees too little of a curve's return to trust its standard error alone."""


def judgement(model: KineticModel, solution: Solution, scan_end: float) -> npt.NDArray[np.int64]:
    """Judge by the values and their standard errors: implausible, imprecise, undetermined, slow.

    Parameters
    ----------
    model : KineticModel
    solution : Solution
    scan_end : float, min

    Returns
    -------
    ndarray of int, shape (n_curve,)
        Flags besides those of the search.
    """
    flags = np.zeros(len(solution.value), dtype=np.uint8)
    known = assumed(model)
    for column, name in enumerate(model.parameters):
        value, se = solution.value[:, column], solution.se[:, column]
        finite = np.isfinite(value)
        if name in PLAUSIBLE:
            low, high = PLAUSIBLE[name]
            _mark(flags, finite & ~((value > low) & (value < high)), Quality.IMPLAUSIBLE)
        if name == model.macro:
            _mark(flags, ~finite & (solution.quality & Quality.BAD_INPUT == 0), Quality.SINGULAR)
            if name in VOLUMES:
                _mark(flags, finite & ~determined(value, se, name), Quality.IMPRECISE)
        elif name not in known:
            _mark(flags, finite & ~determined(value, se), Quality.UNDETERMINED)
        if name == "k2a":
            short = value * scan_end < TIME_CONSTANTS
            _mark(flags, short & (value < CLEAR_OF_ZERO * se), Quality.IMPRECISE)
            _mark(flags, (value > 0) & (value * scan_end < 1), Quality.SLOW)
    return flags.astype(np.int64)


def _mark(flags: npt.NDArray[np.uint8], where: npt.NDArray[np.bool_], flag: Quality) -> None:
    """Set a flag in place; by arithmetic on bytes it takes a fortieth of the time of ``flags[where] |= flag``."""
    flags |= where.view(np.uint8) * np.uint8(flag)


def assumed(model: KineticModel) -> dict[str, float]:
    """Values that a model takes as known, by their symbols."""
    fields = (field.name for field in dataclasses.fields(model) if field.name in SYMBOLS)  # type: ignore[arg-type]
    return {name: float(value) for name in fields if (value := getattr(model, name)) is not None}
