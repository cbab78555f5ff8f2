"""Adjustment of p values for the number of tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def holm(p: Array) -> Array:
    """Adjust p values so that they control the family-wise error rate, whatever the dependence between the tests.

    The i-th smallest of m p values is multiplied by m - i + 1, raised to the largest adjusted value before it and cut
    at 1 (Holm 1979, Scand J Stat 6:65).

    Parameters
    ----------
    p : array_like of float, shape (n_test,)
        NaN where a test could not be made; such a test stays NaN and does not count.

    Returns
    -------
    ndarray, shape (n_test,)
    """
    p = np.asarray(p, dtype=float)
    adjusted = np.full(p.shape, np.nan)
    made = np.flatnonzero(~np.isnan(p))
    order = made[np.argsort(p[made], kind="stable")]
    steps = p[order] * np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def hochberg(p: Array) -> Array:
    """Adjust p values as :func:`holm`, but from the largest down, for tests that are independent or positively related.

    The i-th smallest of m p values is multiplied by m - i + 1 and cut to the smallest adjusted value after it
    (Hochberg 1988, Biometrika 75:800; Sarkar 1998, Ann Stat 26:494 for positive dependence). Never above Holm's.

    Parameters and value are those of :func:`holm`.
    """
    return _step_up(p, lambda m: np.arange(m, 0, -1.0))


def benjamini_hochberg(p: Array) -> Array:
    """Adjust p values so that they control the expected share of false findings among all findings.

    The i-th smallest of m p values is multiplied by m / i and cut to the smallest adjusted value after it (Benjamini
    and Hochberg 1995, J R Stat Soc B 57:289), for tests that are independent or positively related. It controls less
    than the family-wise error does: it suits exploration, and no primary question.

    Parameters and value are those of :func:`holm`.
    """
    return _step_up(p, lambda m: m / np.arange(1, m + 1))


def bonferroni(p: Array) -> Array:
    """Multiply p values by the number of tests; cut at 1. Never below :func:`holm`, which is as safe.

    Parameters and value are those of :func:`holm`.
    """
    p = np.asarray(p, dtype=float)
    return np.asarray(np.minimum(p * (~np.isnan(p)).sum(), 1.0))


def fixed_sequence(p: Array) -> Array:
    """Adjust p values of tests in the order of the plan, each made at full level while all before it are shown.

    An adjusted p is the largest p up to there (Maurer, Hothorn and Lehmacher 1995). Where a test could not be made, its
    p stays NaN and the gate is shut: what comes after it is 1, for what was not shown passes nothing on.

    Parameters
    ----------
    p : array_like of float, shape (n_test,)
        In the order of the plan, the primary first.

    Returns
    -------
    ndarray, shape (n_test,)
    """
    p = np.asarray(p, dtype=float)
    highest = np.maximum.accumulate(np.where(np.isnan(p), 1.0, p)) if p.size else p
    return np.asarray(np.where(np.isnan(p), np.nan, highest))


def gatekeeping(families: Sequence[Array]) -> tuple[Array, ...]:
    """Adjust p values of families in the order of the plan; a family is tested if all of those before it are shown.

    Within a family by :func:`holm`, and not below the largest adjusted p of the family before it: a serial gatekeeper
    (Westfall and Krishen 2001, J Stat Plan Inference 99:25). The family-wise error over all families is controlled.

    Parameters
    ----------
    families : sequence of array_like of float, shapes (n_test,)
        The primary family first. A test that could not be made (NaN) is left out of its family, as in :func:`holm`, but
        shuts the gate behind it, as in :func:`fixed_sequence`.

    Returns
    -------
    tuple of ndarray
        In the shapes of the families.
    """
    adjusted, gate = [], 0.0
    for family in families:
        own = np.maximum(holm(family), gate)
        adjusted.append(own)
        gate = max([gate, *np.where(np.isnan(own), 1.0, own).tolist()])
    return tuple(adjusted)


def _step_up(p: Array, factors: Callable[[int], Array]) -> Array:
    p = np.asarray(p, dtype=float)
    adjusted = np.full(p.shape, np.nan)
    made = np.flatnonzero(~np.isnan(p))
    order = made[np.argsort(p[made], kind="stable")]
    steps = p[order] * factors(order.size)
    adjusted[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return adjusted
