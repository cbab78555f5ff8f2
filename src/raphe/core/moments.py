"""Regressions of many curves from sums of products, compiled: quick, where weights are shared and no errors wanted.

The columns that all curves share come in orthonormal, so that with the curve's own column a and the left side y four
kinds of sums are left: q a, q y, a a and a y. What a has beside the q is found as a difference of such sums, which
costs digits where it is little: how much it is comes out beside the coefficients, and :mod:`raphe.core.multilinear`
solves such curves in full (:mod:`raphe.core.lanes`). Frames are the outer loop, two at a time, lanes the inner one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.floating]
Numbers = npt.NDArray[np.intp]

LANES = 128
"""Curves side by side; a full set always, so that a curve's digits do not depend on its place."""

ON_INTEGRAL, ON_CURVE, ON_NEITHER = 0, 1, 2
"""As in :mod:`raphe.core.lanes`."""

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


@compiled
def solved(
    curves: Floats, apart: int, kind: int, q: Array, triangle: Array, w: Array, delivered: Array, step: Array,
    least_share: float, with_fitted: bool, theta: Array, beside: Array, fitted: Array, wrss: Array,
) -> None:  # fmt: skip
    """Coefficients of every curve, written to the last four.

    Parameters
    ----------
    curves : ndarray, shape (>= (n_frame - 1) * apart + n_curve,), kBq/mL
        Frame after frame.
    apart : int
        Values between one frame's first and the next one's.
    kind : int
    q : ndarray, shape (n_fixed, n_frame)
        Columns that all curves share, one or two, orthonormal under the weights; 0 where a frame is not fitted.
    triangle : ndarray, shape (n_fixed, n_fixed)
        What makes the columns as they were of them, from the right; its upper part counts.
    w : ndarray, shape (n_frame,)
        Weights of the equations; 0 where a frame is not fitted.
    delivered : ndarray, shape (n_frame,)
        What is divided by the curve where ``kind`` is :data:`ON_CURVE`.
    step : ndarray, shape (n_frame, 4)
        Differences of the integral's rows, from two frames before each to one after.
    least_share : float
        Share of a curve's highest frame that its fitted frames have to exceed where equations are divided by them.
    with_fitted : bool
        Whether to find the last two.
    theta : ndarray, shape (n_fixed + 1, n_curve)
        Of the columns as they were, then of the curve's own; the latter is of no account where it has none.
    beside : ndarray, shape (n_curve,)
        What the curve's own column has beside the others, as a share of its square; NaN where a curve is not divisible.
    fitted : ndarray, shape (n_fitted_frame, n_curve), kBq/mL
    wrss : ndarray, shape (n_curve,)
    """
    n_frame, n_curve = w.size, beside.size
    sums, area = np.zeros(8 * LANES), np.zeros(LANES)
    last = np.zeros(n_frame * LANES, dtype=curves.dtype)
    for first in range(0, n_curve, LANES):
        source, row, at, n_lane = curves, apart, first, min(LANES, n_curve - first)
        if n_lane < LANES:
            for i in range(n_frame):
                for v in range(LANES):
                    last[i * LANES + v] = curves[i * apart + min(first + v, n_curve - 1)]
            source, row, at = last, LANES, 0
        sums[:] = 0
        if kind == ON_INTEGRAL:
            _sums_on_integral(source, row, at, q, w, step, sums)
        elif kind == ON_CURVE:
            _sums_on_curve(source, row, at, q, w, delivered, step, sums)
            _undivided(least_share, sums)
        else:
            _sums_on_neither(source, row, at, q, w, sums)
        _solve(q.shape[0], kind, sums)
        for v in range(n_lane):
            beside[first + v] = sums[v]
            one, other = sums[LANES + v], sums[2 * LANES + v]
            if q.shape[0] == 2:
                other /= triangle[1, 1]
                one -= triangle[0, 1] * other
                theta[2, first + v] = sums[3 * LANES + v]
            theta[0, first + v], theta[1, first + v] = one / triangle[0, 0], other
        if with_fitted:
            area[:] = 0
            _fitted(source, row, at, kind, q, w, delivered, step, sums, area, first, n_lane, fitted)
            for v in range(n_lane):
                wrss[first + v] = sums[4 * LANES + v]


@compiled
def orthonormal(columns: Array, w: Array, rows: Numbers, sure: float, q: Array, triangle: Array) -> bool:
    """Make columns orthonormal under weights, one after another, twice over (Bjorck 1967, BIT 7:1).

    Parameters
    ----------
    columns : ndarray, shape (n_fixed, n_row)
    w : ndarray, shape (n_row,)
    rows : ndarray of int, shape (n_row,)
        Frames, rising.
    sure : float
        Share of its square that a column must have beside those before it.
    q : ndarray, shape (n_fixed, n_frame)
        0 when given; made the columns at their frames.
    triangle : ndarray, shape (n_fixed, n_fixed)
        0 when given; what makes the columns as they were of them, from the right.

    Returns
    -------
    bool
        Whether all have as much; if not, the columns are not to be used.
    """
    for p in range(len(columns)):
        whole = 0.0
        for j in range(rows.size):
            q[p, rows[j]] = columns[p, j]
            whole += w[j] * columns[p, j] ** 2
        for _ in range(2):
            for before in range(p):
                share = 0.0
                for j in range(rows.size):
                    share += w[j] * q[before, rows[j]] * q[p, rows[j]]
                for j in range(rows.size):
                    q[p, rows[j]] -= share * q[before, rows[j]]
                triangle[before, p] += share
        rest = 0.0
        for j in range(rows.size):
            rest += w[j] * q[p, rows[j]] ** 2
        if not rest > sure * whole:
            return False
        triangle[p, p] = np.sqrt(rest)
        for j in range(rows.size):
            q[p, rows[j]] /= triangle[p, p]
    return True


@compiled
def highest(curves: Floats, apart: int, n_frame: int, out: Array) -> None:
    """Write the highest absolute value of every curve to ``out``; NaN where a value is not finite.

    Parameters
    ----------
    curves, apart
        As for :func:`solved`.
    n_frame : int
    out : ndarray, shape (n_curve,)
    """
    most, lost = np.zeros(8 * LANES, dtype=curves.dtype), np.zeros(8 * LANES, dtype=curves.dtype)
    for first in range(0, out.size, most.size):
        n_lane = min(most.size, out.size - first)
        most[:], lost[:] = 0, 0
        for i in range(n_frame):
            x = curves[i * apart + first : i * apart + first + n_lane]
            for v in range(n_lane):
                size = abs(x[v])
                most[v] = size if size > most[v] else most[v]
                lost[v] = lost[v] if size < np.inf else np.nan
        for v in range(n_lane):
            out[first + v] = most[v] + lost[v]


@compiled
def _row(source: Floats, i: int, row: int, at: int) -> Floats:
    """One frame of a set of lanes."""
    return source[i * row + at : i * row + at + LANES]


@compiled
def _sums_on_integral(source: Floats, row: int, at: int, q: Array, w: Array, step: Array, sums: Array) -> None:
    """Sums where the curve's own column is its integral and the left side is the curve.

    In ``sums``: the integral so far, q a and q y of the first column, a a, a y, q a and q y of the second.
    """
    n = w.size
    for i in range(0, n, 2):
        j, more = min(i + 1, n - 1), i + 1 < n
        x0, x1 = _row(source, max(i - 2, 0), row, at), _row(source, max(i - 1, 0), row, at)
        x2, x3 = _row(source, i, row, at), _row(source, j, row, at)
        x4 = _row(source, min(i + 2, n - 1), row, at)
        a0, a1, a2, a3 = step[i, 0], step[i, 1], step[i, 2], step[i, 3]
        b0, b1, b2, b3 = (step[j, 0], step[j, 1], step[j, 2], step[j, 3]) if more else (0.0, 0.0, 0.0, 0.0)
        w0, w1 = w[i], (w[j] if more else 0.0)
        q0, q1 = w0 * q[0, i], w1 * q[0, j]
        if q.shape[0] == 1:
            for v in range(LANES):
                before, y0, y1 = np.float64(x1[v]), np.float64(x2[v]), np.float64(x3[v])
                one = sums[v] + (a0 * x0[v] + a1 * before + a2 * y0 + a3 * y1)
                two = one + (b0 * before + b1 * y0 + b2 * y1 + b3 * x4[v])
                sums[v] = two
                sums[LANES + v] += q0 * one + q1 * two
                sums[2 * LANES + v] += q0 * y0 + q1 * y1
                first, second = w0 * one, w1 * two
                sums[3 * LANES + v] += first * one + second * two
                sums[4 * LANES + v] += first * y0 + second * y1
            continue
        r0, r1 = w0 * q[1, i], w1 * q[1, j]  # the same and more in one loop, for a second would read all again
        for v in range(LANES):
            before, y0, y1 = np.float64(x1[v]), np.float64(x2[v]), np.float64(x3[v])
            one = sums[v] + (a0 * x0[v] + a1 * before + a2 * y0 + a3 * y1)
            two = one + (b0 * before + b1 * y0 + b2 * y1 + b3 * x4[v])
            sums[v] = two
            sums[LANES + v] += q0 * one + q1 * two
            sums[2 * LANES + v] += q0 * y0 + q1 * y1
            first, second = w0 * one, w1 * two
            sums[3 * LANES + v] += first * one + second * two
            sums[4 * LANES + v] += first * y0 + second * y1
            sums[5 * LANES + v] += r0 * one + r1 * two
            sums[6 * LANES + v] += r0 * y0 + r1 * y1


@compiled
def _sums_on_curve(
    source: Floats, row: int, at: int, q: Array, w: Array, delivered: Array, step: Array, sums: Array
) -> None:  # fmt: skip
    """Sums where a = D / C and y is the integral over the curve; in the same places, and the extremes of C."""
    n = w.size
    sums[6 * LANES : 7 * LANES] = np.inf
    for i in range(n):
        x0, x1 = _row(source, max(i - 2, 0), row, at), _row(source, max(i - 1, 0), row, at)
        x2, x3 = _row(source, i, row, at), _row(source, min(i + 1, n - 1), row, at)
        a0, a1, a2, a3 = step[i, 0], step[i, 1], step[i, 2], step[i, 3]
        wi, qi, d = w[i], w[i] * q[0, i], delivered[i]
        if wi == 0:
            for v in range(LANES):
                sums[v] += a0 * x0[v] + a1 * x1[v] + a2 * x2[v] + a3 * x3[v]
                sums[5 * LANES + v] = max(sums[5 * LANES + v], np.float64(x2[v]))
            continue
        for v in range(LANES):
            area = sums[v] + (a0 * x0[v] + a1 * x1[v] + a2 * x2[v] + a3 * x3[v])
            here = np.float64(x2[v])
            inverse = 1 / here
            sums[5 * LANES + v] = max(sums[5 * LANES + v], here)
            sums[6 * LANES + v] = min(sums[6 * LANES + v], here)
            a, y = d * inverse, area * inverse
            sums[v] = area
            sums[LANES + v] += qi * a
            sums[2 * LANES + v] += qi * y
            sums[3 * LANES + v] += wi * a * a
            sums[4 * LANES + v] += wi * a * y


@compiled
def _undivided(least_share: float, sums: Array) -> None:
    """Make the sum of squares no number where a curve has no activity in a fitted frame."""
    for v in range(LANES):
        if not sums[6 * LANES + v] > least_share * sums[5 * LANES + v]:
            sums[3 * LANES + v] = np.nan


@compiled
def _sums_on_neither(source: Floats, row: int, at: int, q: Array, w: Array, sums: Array) -> None:
    """Sums where the curve has no column of its own; in the same places."""
    for i in range(w.size):
        x = _row(source, i, row, at)
        for p in range(q.shape[0]):
            qi, place = w[i] * q[p, i], (2 + 4 * p) * LANES
            own = sums[place : place + LANES]
            for v in range(LANES):
                own[v] += qi * x[v]


@compiled
def _solve(n_fixed: int, kind: int, sums: Array) -> None:
    """Share of the own column beside the others, and coefficients, in the first places of ``sums``."""
    for v in range(LANES):
        q_a, q_y, a_a, a_y = sums[LANES + v], sums[2 * LANES + v], sums[3 * LANES + v], sums[4 * LANES + v]
        r_a, r_y = sums[5 * LANES + v], sums[6 * LANES + v]
        if kind == ON_NEITHER:
            sums[v], own = 1.0, 0.0
        else:
            if n_fixed == 1:
                r_a = r_y = 0.0
            rest = a_a - q_a * q_a - r_a * r_a
            sums[v], own = rest / a_a, (a_y - q_a * q_y - r_a * r_y) / rest
        sums[LANES + v] = q_y - own * q_a
        sums[2 * LANES + v] = r_y - own * r_a if n_fixed == 2 else own
        sums[3 * LANES + v] = own
        sums[4 * LANES + v] = 0


@compiled
def _fitted(
    source: Floats, row: int, at: int, kind: int, q: Array, w: Array, delivered: Array, step: Array, sums: Array,
    area: Array, first: int, n_lane: int, out: Array,
) -> None:  # fmt: skip
    """Activity that would leave no residual in its frame's equation, and the weighted sum of squared residuals."""
    n, n_fixed, place = w.size, q.shape[0], 0
    here = np.zeros(LANES)
    for i in range(n):
        x0, x1 = _row(source, max(i - 2, 0), row, at), _row(source, max(i - 1, 0), row, at)
        x2, x3 = _row(source, i, row, at), _row(source, min(i + 1, n - 1), row, at)
        a0, a1, a2, a3 = step[i, 0], step[i, 1], step[i, 2], step[i, 3]
        if kind != ON_NEITHER:
            for v in range(LANES):
                area[v] += a0 * x0[v] + a1 * x1[v] + a2 * x2[v] + a3 * x3[v]
        if w[i] == 0:
            continue
        wi, q0, q1, d = w[i], q[0, i], q[n_fixed - 1, i], delivered[i]
        if kind == ON_CURVE:
            for v in range(LANES):
                below = sums[LANES + v] * q0
                here[v] = (area[v] - sums[2 * LANES + v] * d) / below
                off = below * (here[v] / x2[v] - 1)
                sums[4 * LANES + v] += wi * off * off
        else:
            own = 0.0 if kind == ON_NEITHER else 1.0
            second = 1.0 if n_fixed == 2 else 0.0
            for v in range(LANES):
                shared = sums[LANES + v] * q0 + second * sums[2 * LANES + v] * q1
                here[v] = shared + own * sums[3 * LANES + v] * area[v]
                off = x2[v] - here[v]
                sums[4 * LANES + v] += wi * off * off
        target = out[place, first : first + n_lane]
        for v in range(n_lane):
            target[v] = here[v]
        place += 1
