"""The share of a tissue that is blood, where it is known beforehand: taken out of the curves, and put back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from raphe.errors import ModelError
from raphe.kinetics.protocol import Problem

Array = npt.NDArray[np.float64]


def share_of_blood(model: str, V_B: float) -> None:
    """Refuse a share of blood that leaves no tissue, or that is none.

    Raises
    ------
    ModelError
    """
    if not 0 <= V_B < 1:
        raise ModelError(
            f"{model} needs a V_B of at least 0 and less than 1, the share of blood, but was given {V_B!r}"
        )


def without_blood(problem: Problem, V_B: float) -> Problem:
    """Problem of the tissue alone: :math:`(C - V_B C_{blood}) / (1 - V_B)`, with whole blood as the frames see it."""
    if V_B == 0:
        return problem
    return replace(problem, activity=(problem.activity - V_B * problem.whole_blood) / (1 - V_B))


def with_blood(tissue: Array, problem: Problem, rows: npt.NDArray[np.intp], V_B: float) -> Array:
    """Activity of tissue and blood together at ``rows``, shape (n_curve, n_row), kBq/mL."""
    return tissue if V_B == 0 else (1 - V_B) * tissue + V_B * problem.whole_blood[rows]
