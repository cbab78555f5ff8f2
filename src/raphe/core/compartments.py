r"""Compartments behind one input: tissues whose response to it is a sum of exponentials.

A tissue answers its input C by :math:`C_T = \sum_j a_j\, e^{-b_j t} \otimes C`, with amplitudes and rates that follow
from its rate constants (Gunn, Gunn & Cunningham 2001, J Cereb Blood Flow Metab 21:635, doi
10.1097/00004647-200106000-00002). Blood in its vessels adds to what a frame sees: :math:`(1 - V_B) C_T + V_B C_B`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.core.alone import alone
from raphe.core.bounded import Curve, plain
from raphe.core.combined import combined, drawn
from raphe.core.exponentials import search
from raphe.core.projection import LANES
from raphe.core.rates import LEAST, rates_within, two_roots
from raphe.core.reduced import reduced
from raphe.core.responses import RATES, Responses

Array = npt.NDArray[np.float64]

SLOWEST, SLOW, N_GRID = 1e-5, 1e-4, 24
"""Lowest rate, 1/min, at which exponentials are tried for the start of a search; from where on the others are spaced
evenly in their logarithm; and number of the rates."""


@dataclass(frozen=True, eq=False)
class Exponentials:
    """Amplitudes and rates of a tissue's response, and their derivatives by its rate constants.

    Parameters
    ----------
    amplitude, rate : ndarray, shape (n_curve, n_exponential)
    by_amplitude, by_rate : ndarray, shape (n_curve, n_exponential, n_par)
        Derivatives of the amplitudes and of the rates by each rate constant.
    """

    amplitude: Array
    rate: Array
    by_amplitude: Array
    by_rate: Array


def one_tissue(k: Array) -> Exponentials:
    """One compartment; ``k`` is K1 and k2, shape (n_curve, 2)."""
    K1, k2 = k.T
    zero, one = np.zeros_like(K1), np.ones_like(K1)
    return Exponentials(K1[:, None], k2[:, None], _rows([[one, zero]]), _rows([[zero, one]]))


def irreversible(k: Array) -> Exponentials:
    """Two compartments, the second without return; ``k`` is K1, k2 and k3, shape (n_curve, 3)."""
    K1, k2, k3 = k.T
    both = np.maximum(k2 + k3, LEAST)
    zero, one = np.zeros_like(K1), np.ones_like(K1)
    kept, left = k3 / both, k2 / both
    amplitude = np.stack([K1 * kept, K1 * left], axis=-1)
    by_k2, by_k3 = K1 * k3 / both**2, K1 * k2 / both**2
    by_amplitude = _rows([[kept, -by_k2, by_k3], [left, by_k2, -by_k3]])
    return Exponentials(amplitude, np.stack([zero, both], -1), by_amplitude, _rows([[zero] * 3, [zero, one, one]]))


def two_tissue(k: Array) -> Exponentials:
    """Two compartments; ``k`` is K1, k2, k3 and k4, shape (n_curve, 4)."""
    K1 = k[:, :1]
    share, root, by_share, by_root = two_roots(plain(k[:, 1:]))
    by_share *= K1[..., None]
    by_share[..., 0] = share
    return Exponentials(K1 * share, root, by_share, by_root)


def two_tissue_by_reference(k: Array) -> Exponentials:
    r"""Two compartments as seen from a reference tissue; ``k`` is R1, k2, k3 and k4, shape (n_curve, 4).

    With the reference's :math:`k_2' = k_2 / R_1`, the tissue is :math:`R_1 C_R` and two exponentials with amplitudes
    :math:`(k_2 - R_1 b_j)` times those of two compartments for K1 = 1 (Lammertsma et al. 1996, J Cereb Blood Flow Metab
    16:42, doi 10.1097/00004647-199601000-00005).
    """
    R1, k2 = k[:, :1], k[:, 1:2]
    share, root, by_share, by_root = two_roots(plain(k[:, 1:]))
    head = k2 - R1 * root
    by_head = np.array([0.0, 1.0, 0.0, 0.0]) - R1[..., None] * by_root
    by_head[..., 0] = -root
    by_amplitude = by_head * share[..., None] + head[..., None] * by_share
    return Exponentials(head * share, root, by_amplitude, by_root)


def tissue_with_reference(responses: Responses, reference: Array) -> Curve:
    """Model for :func:`raphe.core.bounded.bounded_fit` with :func:`two_tissue_by_reference`.

    Parameters
    ----------
    responses : Responses
        Of the reference curve at the fitted frames.
    reference : ndarray, shape (n_row,), kBq/mL
        Reference curve there.
    """
    seen = plain(reference)

    def curve(theta: Array, index: npt.NDArray[np.intp]) -> tuple[Array, Array]:
        fitted, jacobian = _curves(responses, two_tissue_by_reference(theta), np.zeros(len(theta)), seen, False)
        jacobian[..., 0] += reference
        return fitted + theta[:, :1] * reference, jacobian

    return curve


def tissue_with_blood(
    responses: Responses, exponentials: Callable[[Array], Exponentials], blood: Array, V_B: float | None
) -> Curve:
    """Model for :func:`raphe.core.bounded.bounded_fit`: rate constants, and the share of blood where it is not known.

    Parameters
    ----------
    responses : Responses
        Of the plasma input at the fitted frames.
    exponentials : callable
        One of this module's.
    blood : ndarray, shape (n_row,), kBq/mL
        Whole blood at the fitted frames.
    V_B : float or None
        Share of blood; None where it is the last parameter.
    """
    seen = plain(blood)

    def curve(theta: Array, index: npt.NDArray[np.intp]) -> tuple[Array, Array]:
        k = theta if V_B is not None else theta[:, :-1]
        share = np.full(len(theta), V_B) if V_B is not None else theta[:, -1]
        return _curves(responses, exponentials(k), share, seen, V_B is None)

    return curve


@dataclass(frozen=True, eq=False)
class Ends:
    """Where searches within bounds have ended, for each curve.

    Parameters
    ----------
    theta : ndarray, shape (n_curve, n_par)
        Rate constants and, where it is not known, the share of blood.
    fitted : ndarray, shape (n_curve, n_row)
    cost : ndarray, shape (n_curve,)
        Weighted sum of squared residuals.
    held : ndarray of bool, shape (n_curve, n_par)
        Parameters that are held by a bound.
    converged : ndarray of bool, shape (n_curve,)
    """

    theta: Array
    fitted: Array
    cost: Array
    held: npt.NDArray[np.bool_]
    converged: npt.NDArray[np.bool_]


def fit_within(
    responses: Responses, blood: Array, V_B: float | None, start: Array, curves: Array, weights: Array, limits: Array
) -> Ends:
    """Fit a tissue with blood within bounds, by :func:`raphe.core.rates.rates_within`.

    Parameters
    ----------
    responses, blood, V_B
        As for :func:`tissue_with_blood`.
    start : ndarray, shape (n_curve, n_par)
        Rate constants of one of this module's tissues behind plasma and, where it is not known, the share of blood. Of
        these k2, k3 and k4 are used.
    curves, weights : ndarray, shape (n_curve, n_row)
    limits : ndarray, shape (n_par, 2)
        Bounds of each parameter.
    """
    rate = slice(1, start.shape[1] - (V_B is None))
    ends = np.array([limits[0], limits[-1] if V_B is None else (V_B, V_B)])
    lower, upper = (plain(bound) for bound in limits[rate].T)
    rates, amounts, fitted, cost, held, converged = rates_within(
        responses.value, responses.slope, responses.scale, plain(start[:, rate]), plain(curves), plain(weights),
        plain(blood), lower, upper, ends,
    )  # fmt: skip
    theta = np.column_stack([amounts[:, :1], rates, amounts[:, 1 if V_B is None else 2 :]])
    at = (theta <= limits[:, 0]) | (theta >= limits[:, 1])
    at[:, rate] = held
    return Ends(theta, fitted, cost, at, converged)


@dataclass(frozen=True, eq=False)
class Start:
    """Best one or two exponentials of each curve, of amplitudes that are not negative.

    Parameters
    ----------
    amplitude, rate : ndarray, shape (n_curve, n_exponential)
        The slower first; an amplitude may be 0.
    V_B : ndarray, shape (n_curve,)
    fitted : ndarray, shape (n_curve, n_row)
    cost : ndarray, shape (n_curve,)
        Weighted sum of squared residuals.
    at_edge : ndarray of bool, shape (n_curve,)
        Where a rate is the first or the last that was tried.
    converged : ndarray of bool, shape (n_curve,)
    """

    amplitude: Array
    rate: Array
    V_B: Array
    fitted: Array
    cost: Array
    at_edge: npt.NDArray[np.bool_]
    converged: npt.NDArray[np.bool_]


def tried(fastest: float, slow_is_zero: bool = False) -> Array:
    """Rates at which exponentials are tried, 1/min.

    Parameters
    ----------
    fastest : float, 1/min
    slow_is_zero : bool
        Whether 0 is to be among the rates, as the first.
    """
    rates = np.geomspace(SLOW, fastest, N_GRID)
    rates[0] = SLOWEST
    return np.concatenate([[0.0], rates]) if slow_is_zero else rates


def begin(
    responses: Responses,
    curves: Array,
    weights: Array,
    blood: Array,
    V_B: float | None,
    V_B_bounds: tuple[float, float],
    fastest: float,
    *,
    slow_is_zero: bool = False,
    near: Array | None = None,
) -> Start:
    """Best non-negative combination of two exponentials and blood, by :func:`raphe.core.exponentials.search`.

    Rate constants that are not negative give amplitudes that are not negative, and the other way round, so this is the
    best fit already where no upper bound matters.

    Parameters
    ----------
    responses : Responses
        At the fitted frames.
    curves : ndarray, shape (n_curve, n_row)
    weights : ndarray, shape (n_curve, n_row) or, where they are the same for all curves, (1, n_row)
    blood : ndarray, shape (n_row,)
    V_B : float or None
        Share of blood, None where it is to be found within its bounds.
    V_B_bounds : (float, float)
    fastest : float, 1/min
        Upper end of the search.
    slow_is_zero : bool
        Whether the slower exponential does not fade.
    near : ndarray, shape (n_curve, 2), 1/min, optional
        Rates near which the best are known to be, the slower first.
    """
    low, high = V_B_bounds if V_B is None else (V_B, V_B)
    rates = tried(fastest, slow_is_zero)
    grid, curves, weights, blood = responses.place(rates), plain(curves), plain(weights), plain(blood)
    place, amplitude, cost, settled = search(
        responses.value,
        responses.slope,
        grid,
        int(slow_is_zero),
        curves,
        weights,
        blood,
        float(low),
        float(high),
        None if near is None else np.clip(responses.place(near), grid[0], grid[-1]),
        reduced(responses, weights[0], blood) if len(weights) == 1 < len(curves) and near is None else None,
    )
    edge = (place >= grid[-1]) | (place <= grid[0]) & np.array([not slow_is_zero, True])
    return _start(responses, place, amplitude, blood, cost, edge, settled)


def begin_alone(
    responses: Responses,
    curves: Array,
    weights: Array,
    blood: Array,
    V_B: float | None,
    V_B_bounds: tuple[float, float],
    rates: tuple[float, float],
) -> Start:
    """Best non-negative combination of one exponential and blood, by :func:`raphe.core.alone.alone`.

    Parameters
    ----------
    responses, curves, weights, blood, V_B, V_B_bounds
        As for :func:`begin`.
    rates : (float, float), 1/min
        Ends of the search.
    """
    low, high = V_B_bounds if V_B is None else (V_B, V_B)
    grid = responses.place(np.geomspace(max(rates[0], SLOWEST), rates[1], N_GRID))
    grid[0] = responses.place(np.asarray(rates[0]))
    value, slope = (
        np.pad(table, ((0, 0), (0, -table.shape[1] % LANES))) for table in (responses.value, responses.slope)
    )
    blood = plain(blood)
    place, amplitude, cost, settled = alone(
        value, slope, grid, plain(curves), plain(weights), blood, float(low), float(high)
    )
    edge = (place <= grid[0]) | (place >= grid[-1])
    return _start(responses, place, amplitude, blood, cost, edge, settled)


def _start(
    responses: Responses,
    place: Array,
    amplitude: Array,
    blood: Array,
    cost: Array,
    edge: npt.NDArray[np.bool_],
    settled: Array,
) -> Start:
    """Start of exponentials at places of the table, and of the amplitudes before them and, last, before blood."""
    before, share = amplitude[:, :-1], amplitude[:, -1]
    return Start(
        before / np.maximum(1 - share, LEAST)[:, None],
        responses.rate(place),
        share,
        drawn(responses.value, responses.slope, place, amplitude, blood),
        cost,
        np.asarray((edge & (before > 0)).any(axis=1)),
        settled > 0,
    )


def rate_constants(start: Start) -> Array:
    """K1, k2, k3 and k4 of two exponentials, shape (n_curve, 4); where there is but one, k3 is 0 and k4 the fastest."""
    (a, b), (slow, fast) = start.amplitude.T, start.rate.T
    K1 = np.maximum(a + b, LEAST)
    k2 = np.maximum((a * slow + b * fast) / K1, LEAST)
    k4 = slow * fast / k2
    k3 = np.maximum(slow + fast - k2 - k4, 0)
    single = (a <= 0) | (b <= 0)
    k3 = np.where(single, 0.0, k3)
    k4 = np.where(single, RATES[1], k4)
    return np.stack([K1, k2, k3, k4], axis=-1)


def _curves(
    responses: Responses, exponentials: Exponentials, share: Array, blood: Array, extra: bool
) -> tuple[Array, Array]:
    """Tissue and a share of blood at the frames, shape (n_curve, n_row), and derivatives, (n_curve, n_row, n_par)."""
    fitted, slopes = combined(
        responses.value,
        responses.slope,
        responses.scale,
        plain(exponentials.amplitude),
        plain(exponentials.rate),
        exponentials.by_amplitude,
        exponentials.by_rate,
        plain(share),
        blood,
        int(extra),
    )
    return fitted, slopes.transpose(0, 2, 1)


def _rows(entries: list[list[Array]]) -> Array:
    """Stack derivatives: outer list by exponential, inner by parameter, to (n_curve, n_exponential, n_par)."""
    return np.stack([np.stack(row, axis=-1) for row in entries], axis=1)
