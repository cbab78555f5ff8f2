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

from raphe.core.bounded import Curve, plain
from raphe.core.combined import combined
from raphe.core.exponentials import search
from raphe.core.responses import RATES, Responses

Array = npt.NDArray[np.float64]

SLOWEST, SLOW, N_GRID = 1e-5, 1e-4, 36
"""Lowest rate, 1/min, at which exponentials are tried for the start of a search; from where on the others are spaced
evenly in their logarithm; and number of the rates."""

BANDS = (0.0, 0.08, 0.35, 1.2, 3.5)
"""Rates, 1/min, from each of which on the best faster exponential is a start of its own."""

_LEAST = 1e-12
_CONFLUENT = 1e-7
"""Least distance of the two rates, as a share of their sum: nearer, their difference would have no digits left."""


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
    both = np.maximum(k2 + k3, _LEAST)
    zero, one = np.zeros_like(K1), np.ones_like(K1)
    kept, left = k3 / both, k2 / both
    amplitude = np.stack([K1 * kept, K1 * left], axis=-1)
    by_k2, by_k3 = K1 * k3 / both**2, K1 * k2 / both**2
    by_amplitude = _rows([[kept, -by_k2, by_k3], [left, by_k2, -by_k3]])
    return Exponentials(amplitude, np.stack([zero, both], -1), by_amplitude, _rows([[zero] * 3, [zero, one, one]]))


def two_tissue(k: Array) -> Exponentials:
    """Two compartments; ``k`` is K1, k2, k3 and k4, shape (n_curve, 4)."""
    K1, *rates = k.T
    shares, roots, by_share, by_root = _two_roots(*rates)
    zero = np.zeros_like(K1)
    return Exponentials(
        np.stack([K1 * share for share in shares], axis=-1),
        np.stack(roots, axis=-1),
        _rows([[share, *(K1 * slope for slope in by)] for share, by in zip(shares, by_share, strict=True)]),
        _rows([[zero, *by] for by in by_root]),
    )


def two_tissue_by_reference(k: Array) -> Exponentials:
    r"""Two compartments as seen from a reference tissue; ``k`` is R1, k2, k3 and k4, shape (n_curve, 4).

    With the reference's :math:`k_2' = k_2 / R_1`, the tissue is :math:`R_1 C_R` and two exponentials with amplitudes
    :math:`(k_2 - R_1 b_j)` times those of two compartments for K1 = 1 (Lammertsma et al. 1996, J Cereb Blood Flow Metab
    16:42, doi 10.1097/00004647-199601000-00005).
    """
    R1, *rates = k.T
    k2 = rates[0]
    shares, roots, by_share, by_root = _two_roots(*rates)
    zero, one = np.zeros_like(R1), np.ones_like(R1)
    heads = [k2 - R1 * root for root in roots]
    by_head = [[(one if n == 0 else zero) - R1 * slope for n, slope in enumerate(by)] for by in by_root]
    by_amplitude = [
        [-root * share, *(h * share + head * s for h, s in zip(by_h, by_s, strict=True))]
        for share, root, head, by_h, by_s in zip(shares, roots, heads, by_head, by_share, strict=True)
    ]
    amplitude = np.stack([head * share for head, share in zip(heads, shares, strict=True)], axis=-1)
    return Exponentials(amplitude, np.stack(roots, axis=-1), _rows(by_amplitude), _rows([[zero, *b] for b in by_root]))


def _two_roots(
    k2: Array, k3: Array, k4: Array
) -> tuple[tuple[Array, Array], tuple[Array, Array], list[list[Array]], list[list[Array]]]:
    """Shares of two exponentials for K1 = 1, their rates (slower first), and the derivatives of both by k2, k3, k4."""
    total, bound = k2 + k3 + k4, k3 + k4
    root = np.sqrt(np.maximum((k2 - k4) ** 2 + k3**2 + 2 * k3 * (k2 + k4), (_CONFLUENT * total) ** 2 + _LEAST**2))
    fast = np.maximum((total + root) / 2, _LEAST)
    slow = k2 * k4 / fast
    zero, one = np.zeros_like(k2), np.ones_like(k2)
    shares = ((bound - slow) / root, (fast - bound) / root)
    by_distance = ((total - 2 * k4) / root, total / root, (total - 2 * k2) / root)
    by_bound = (zero, one, one)
    by_slow = [(1 - by) / 2 for by in by_distance]
    by_fast = [(1 + by) / 2 for by in by_distance]
    by_first = [((b - s) - shares[0] * r) / root for b, s, r in zip(by_bound, by_slow, by_distance, strict=True)]
    by_second = [((f - b) - shares[1] * r) / root for b, f, r in zip(by_bound, by_fast, by_distance, strict=True)]
    return shares, (slow, fast), [by_first, by_second], [by_slow, by_fast]


def tissue_with_reference(responses: Responses, reference: Array) -> Curve:
    """Model for :func:`raphe.core.bounded.bounded_fit` with :func:`two_tissue_by_reference`.

    Parameters
    ----------
    responses : Responses
        Of the reference curve at the fitted frames.
    reference : ndarray, shape (n_row,), kBq/mL
        Reference curve there.
    """

    def curve(theta: Array, index: npt.NDArray[np.intp]) -> tuple[Array, Array]:
        fitted, jacobian = _curves(responses, two_tissue_by_reference(theta), np.zeros(len(theta)), reference, False)
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

    def curve(theta: Array, index: npt.NDArray[np.intp]) -> tuple[Array, Array]:
        k = theta if V_B is not None else theta[:, :-1]
        share = np.full(len(theta), V_B) if V_B is not None else theta[:, -1]
        return _curves(responses, exponentials(k), share, blood, V_B is None)

    return curve


@dataclass(frozen=True, eq=False)
class Start:
    """Two exponentials to begin with, for each curve.

    Parameters
    ----------
    amplitude, rate : ndarray, shape (n_curve, 2)
        The slower first; an amplitude may be 0.
    V_B : ndarray, shape (n_curve,)
    """

    amplitude: Array
    rate: Array
    V_B: Array


def tried(fastest: float, slow_is_zero: bool = False) -> tuple[Array, npt.NDArray[np.intp]]:
    """Rates, 1/min, at which exponentials are tried, and the numbers that part them into bands.

    Parameters
    ----------
    fastest : float, 1/min
    slow_is_zero : bool
        Whether 0 is to be among the rates, as the first.
    """
    rates = np.geomspace(SLOW, fastest, N_GRID)
    rates[0] = SLOWEST
    if slow_is_zero:
        rates = np.concatenate([[0.0], rates])
    return rates, np.array([*np.searchsorted(rates, BANDS), rates.size])


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
) -> Start:
    """Best non-negative combination of two exponentials and blood, by :func:`raphe.core.exponentials.search`.

    Rate constants that are not negative give amplitudes that are not negative, and the other way round, so this is the
    best fit already where no upper bound matters.

    Parameters
    ----------
    responses : Responses
        At the fitted frames.
    curves, weights : ndarray, shape (n_curve, n_row)
    blood : ndarray, shape (n_row,)
    V_B : float or None
        Share of blood, None where it is to be found within its bounds.
    V_B_bounds : (float, float)
    fastest : float, 1/min
        Upper end of the search.
    slow_is_zero : bool
        Whether the slower exponential does not fade.
    """
    rates, bands = tried(fastest, slow_is_zero)
    low, high = V_B_bounds if V_B is None else (V_B, V_B)
    place, amplitude, _, _ = search(
        responses.value,
        responses.slope,
        responses.place(rates),
        int(slow_is_zero),
        plain(curves),
        plain(weights),
        plain(blood),
        float(low),
        float(high),
        bands,
    )
    share = amplitude[:, 2]
    tissue = np.maximum(1 - share, _LEAST)[:, None]
    return Start(amplitude[:, :2] / tissue, responses.rate(place), share)


def rate_constants(start: Start) -> Array:
    """K1, k2, k3 and k4 of two exponentials, shape (n_curve, 4); where there is but one, k3 is 0 and k4 the fastest."""
    (a, b), (slow, fast) = start.amplitude.T, start.rate.T
    K1 = np.maximum(a + b, _LEAST)
    k2 = np.maximum((a * slow + b * fast) / K1, _LEAST)
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
    rate = plain(exponentials.rate)
    fitted, slopes = combined(
        responses.value,
        responses.slope,
        responses.place(rate),
        responses.by_rate(rate),
        plain(exponentials.amplitude),
        plain(exponentials.by_amplitude),
        plain(exponentials.by_rate),
        plain(share),
        plain(blood),
        int(extra),
    )
    return fitted, slopes.transpose(0, 2, 1)


def _rows(entries: list[list[Array]]) -> Array:
    """Stack derivatives: outer list by exponential, inner by parameter, to (n_curve, n_exponential, n_par)."""
    return np.stack([np.stack(row, axis=-1) for row in entries], axis=1)
