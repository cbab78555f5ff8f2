"""Row of a region from a linear model with arms."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from raphe.data.results import UNKNOWN, ContrastRow, PairedValues
from raphe.stats.contrasts.answer import row_of
from raphe.stats.contrasts.weighing import weighting_of
from raphe.stats.design import Design
from raphe.stats.model import FittedModel
from raphe.stats.standardised import of_model
from raphe.stats.weighted import fit_random_effects

Array = npt.NDArray[np.float64]

OF_RESIDUALS = "adjusted difference over the standard deviation of the residuals, corrected for its bias (Hedges)"


def model_row(
    pairs: PairedValues,
    model: FittedModel,
    terms: tuple[str, str],
    arms: tuple[str, ...],
    individual: Array,
    percent: float,
    why: str = "",
) -> ContrastRow:
    """Second arm minus first by a least-squares model that has a factor ``arm``."""
    found = model.difference({"arm": terms[1]}, {"arm": terms[0]})
    sigma = math.sqrt(model.covariance["residual variance"])
    standardised = of_model(found.estimate, found.se, sigma, found.df) if found.se > 0 else UNKNOWN
    return row_of(
        pairs, found, percent, why=[why], standardised=standardised, groups=arms, individual=np.asarray(individual)
    )


def with_overlap(row: ContrastRow, name: str, baseline: Array) -> ContrastRow:
    """Row that says so where no baseline of an arm is among those of the other; ``baseline`` is that of its people."""
    inside = np.array(row.groups) == row.groups[0]
    one, other = baseline[inside], baseline[~inside]
    if one.max() >= other.min() and other.max() >= one.min():
        return row
    apart = f"{name} of the two arms does not overlap, so that their difference at an equal one is extrapolated"
    return replace(row, why="; ".join(filter(None, (row.why, apart))))


def random_effects_row(
    pairs: PairedValues,
    design: Design,
    terms: tuple[str, str],
    arms: tuple[str, ...],
    individual: Array,
    outcome: tuple[Array, Array],
    percent: Callable[[float], float],
) -> ContrastRow:
    """Second arm minus first by a random-effects linear model of an outcome with its standard errors."""
    model, told = fit_random_effects(*outcome, design, pairs.participants)
    found = model.difference({"arm": terms[1]}, {"arm": terms[0]})
    row = row_of(pairs, found, percent(found.estimate), groups=arms, individual=np.asarray(individual))
    return replace(row, individual_se=outcome[1], weighting=weighting_of(told))
