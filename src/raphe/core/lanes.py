r"""Regressions of many curves side by side, compiled: what :mod:`raphe.core.multilinear` asks for.

Frames are the outer loop and a fixed number of curves, the lanes, the inner one, so that the compiler takes several
curves at once; the last set is filled up, so that a curve's digits depend neither on its place nor on how many there
are. The columns are made orthogonal one after another (modified Gram and Schmidt), the left side as the last of them,
which is as exact as a QR decomposition (Bjorck 1967, BIT 7:1). Where the errors of the equations are
:math:`H e = (\sigma S + \kappa L) e`, with S picking the fitted frames and L = T D a running sum
(:mod:`raphe.core.integrals`), :math:`H e = r` is solved as :math:`(\sigma \Delta + \kappa D) e = \Delta r`, where
:math:`\Delta = T^{-1}` takes differences: a band.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.floating]
Numbers = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

LANES = 64
"""Curves side by side: a multiple of what a processor takes at once, and few enough that the frames stay in cache."""

ON_INTEGRAL, ON_CURVE, ON_NEITHER = 0, 1, 2
"""What is beside the fixed columns: the curve's integral; the curve, with the integral on the left; nothing."""

UNSAFE = 1e5
"""Factor in the elimination of a band beyond which it has lost too many digits."""

UNSTABLE = 1e8
"""Growth from an equation's error to that of a frame beyond which frames' own residuals are not to be had."""

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


@compiled
def regressed(
    curves: Floats, weights: Array, kind: int, fixed: Array, factor: Array, rows: Numbers, step: Array, squares: Array,
    with_errors: bool, rank: float, least_share: float, freedom: float, near: int, theta: Array,
    fitted: Array, wrss: Array, covariance: Array, singular: Flags, divisible: Flags,
) -> None:  # fmt: skip
    """Coefficients and their covariance for every curve, written to the last six; NaN where there are none.

    Parameters
    ----------
    curves : ndarray, shape (n_frame, n_curve), kBq/mL
    weights : ndarray, shape (n_frame, n_curve), or (n_frame, 1) for all alike
    kind : int
        :data:`ON_INTEGRAL`, :data:`ON_CURVE` or :data:`ON_NEITHER`.
    fixed : ndarray, shape (n_fixed, n_row)
        Columns that all curves share.
    factor : ndarray, shape (n_row,)
        Of the weights.
    rows : ndarray of int, shape (n_row,)
        Frames that are fitted.
    step, squares
        As in :class:`raphe.core.integrals.RunningSum`.
    with_errors : bool
        Whether to find the covariance.
    rank : float
        Sine of the angle between a column and those before it, at or below which the design counts as singular.
    least_share : float
        Share of a curve's highest frame that its fitted frames have to exceed where equations are divided by them.
    freedom : float
        Lower limit of one minus the leverage.
    near : int
        Frames on either side over which squared residuals are averaged.
    theta : ndarray, shape (n_par, n_curve)
    fitted : ndarray, shape (n_row, n_curve), kBq/mL, or (n_row, 0) where it is not wanted
    wrss : ndarray, shape (n_curve,)
    covariance : ndarray, shape (n_par, n_par, n_curve)
    singular, divisible : ndarray of bool, shape (n_curve,)
    """
    n_frame, n_curve = curves.shape
    n_fixed, n_row = fixed.shape
    n_par = n_fixed + (0 if kind == ON_NEITHER else 1)
    shared = weights.shape[1] == 1
    every = kind != ON_NEITHER and n_row == n_frame
    for j in range(n_row):
        every = every and rows[j] == j
    c, area, prior = np.zeros((n_frame, LANES)), np.zeros((n_frame, LANES)), np.zeros((n_frame, LANES))
    columns, w = np.zeros((n_par + 1, n_row, LANES)), np.zeros((n_row, LANES))
    norm, turn = np.zeros((n_par, LANES)), np.zeros((n_par, n_par + 1, LANES))
    answer, total, bad, lost = np.zeros((n_par, LANES)), np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    n_most = max(n_frame, n_row)  # a frame may stand twice
    carried, spread = np.zeros((n_par, n_most, LANES)), np.zeros((n_par, n_par, LANES))
    by_curve, by_area = np.ones(LANES), np.zeros(LANES)
    band, work = np.zeros((n_frame, 4 * LANES)), np.zeros((2, n_most, LANES))
    for j in range(n_row):
        columns[0, j, :] = fixed[0, j]
    if shared:
        _load(weights, 0, 1, prior)
    for first in range(0, n_curve, LANES):
        n_lane = min(LANES, n_curve - first)
        _load(curves, first, n_lane, c)
        if not shared:
            _load(weights, first, n_lane, prior)
        if kind != ON_NEITHER:
            _running(step, c, area)
        _equations(kind, c, area, prior, fixed, factor, rows, least_share, columns, w, total)
        _orthogonal(columns, w, norm, turn, rank, bad)
        for v in range(n_lane):
            divisible[first + v], singular[first + v] = total[v] == 0, total[v] == 0 and bad[v] > 0
        for v in range(LANES):
            lost[v] = np.nan if bad[v] > 0 or total[v] > 0 else 0.0
        _coefficients(turn, answer)
        _squares(w, columns[n_par], total)
        if fitted.size:
            _fitted(kind, c, columns[n_par], answer[n_par - 1], lost, rows, first, n_lane, fitted)
        for v in range(n_lane):
            wrss[first + v] = total[v] + lost[v]
            for p in range(n_par):
                theta[p, first + v] = answer[p, v] + lost[v]
        if not with_errors:
            continue
        for v in range(LANES):
            by_curve[v] = -answer[n_par - 1, v] if kind == ON_CURVE else 1.0
            by_area[v] = 1.0 if kind == ON_CURVE else (-answer[n_par - 1, v] if kind == ON_INTEGRAL else 0.0)
        if kind == ON_NEITHER:
            _one_sided(columns, w, norm, prior, rows, freedom, near, carried, work, spread)
        else:
            _carry(columns, w, norm, rows, step, by_curve, by_area, every, carried, work)
            bad[:] = 0 if every else 1
            if every:
                _eliminate(step, by_curve, by_area, band, bad)
                _own_errors(columns, norm, prior, band, freedom, near, carried, work, spread, bad)
            if bad.any():
                _expected_errors(
                    w, norm, prior, rows, step, squares, by_curve, by_area, total, carried, work, spread, bad
                )
        _turn_back(turn, spread)
        for v in range(n_lane):
            for p in range(n_par):
                for q in range(n_par):
                    covariance[p, q, first + v] = spread[p, q, v] + lost[v]


@compiled
def _load(source: Floats, first: int, n_lane: int, out: Array) -> None:
    """A set of curves; lanes without one hold the last."""
    for i in range(out.shape[0]):
        for v in range(n_lane):
            out[i, v] = source[i, first + v]
        for v in range(n_lane, LANES):
            out[i, v] = out[i, n_lane - 1]


@compiled
def _running(step: Array, c: Array, out: Array) -> None:
    """Running sum of a band times the curves."""
    n = step.shape[0]
    total = np.zeros(LANES)
    for i in range(n):
        i0, i1, i3 = max(i - 2, 0), max(i - 1, 0), min(i + 1, n - 1)
        a0, a1, a2, a3 = step[i, 0], step[i, 1], step[i, 2], step[i, 3]
        for v in range(LANES):
            total[v] += a0 * c[i0, v] + a1 * c[i1, v] + a2 * c[i, v] + a3 * c[i3, v]
            out[i, v] = total[v]


@compiled
def _equations(
    kind: int, c: Array, area: Array, prior: Array, fixed: Array, factor: Array, rows: Numbers, least_share: float,
    columns: Array, w: Array, undivided: Array,
) -> None:  # fmt: skip
    """Columns and weights of the equations at the fitted frames, the left side last; lanes that cannot be divided.

    The first column is no other from set to set, and stands already.
    """
    n_fixed, left = fixed.shape[0], columns.shape[0] - 1
    undivided[:] = 0
    for j in range(rows.size):
        i, scale = rows[j], factor[j]
        for v in range(LANES):
            w[j, v] = scale * prior[i, v]
        for p in range(1, n_fixed):
            for v in range(LANES):
                columns[p, j, v] = fixed[p, j]
        if kind == ON_INTEGRAL:
            for v in range(LANES):
                columns[n_fixed, j, v] = area[i, v]
                columns[left, j, v] = c[i, v]
        elif kind == ON_CURVE:
            for v in range(LANES):
                columns[n_fixed, j, v] = c[i, v]
                columns[left, j, v] = area[i, v]
        else:
            for v in range(LANES):
                columns[left, j, v] = c[i, v]
    if kind == ON_CURVE:
        _divided(c, rows, least_share, w, undivided)


@compiled
def _divided(c: Array, rows: Numbers, least_share: float, w: Array, undivided: Array) -> None:
    """Weights of equations that are divided by the curve; left as they are where it has no activity in a frame."""
    highest, lowest = np.zeros(LANES), np.full(LANES, np.inf)
    for i in range(c.shape[0]):
        for v in range(LANES):
            highest[v] = max(highest[v], c[i, v])
    for j in range(rows.size):
        i = rows[j]
        for v in range(LANES):
            lowest[v] = min(lowest[v], c[i, v])
    for v in range(LANES):
        undivided[v] = 0.0 if lowest[v] > least_share * highest[v] else 1.0
    for j in range(rows.size):
        i = rows[j]
        for v in range(LANES):
            divisor = 1.0 if undivided[v] > 0 else c[i, v]
            w[j, v] /= divisor * divisor


@compiled
def _orthogonal(columns: Array, w: Array, norm: Array, turn: Array, rank: float, bad: Array) -> None:
    """Make the columns orthogonal in place, the left side with them; lanes whose columns are not independent."""
    n_par = columns.shape[0] - 1
    before = np.zeros((n_par, LANES))
    bad[:] = 0
    for p in range(n_par):
        _products(w, columns, p, norm, turn)
        for v in range(LANES):
            if not norm[p, v] > rank * rank * (norm[p, v] + before[p, v]):
                bad[v] = 1
        for q in range(p + 1, n_par + 1):
            for v in range(LANES):
                turn[p, q, v] /= norm[p, v]
            if q < n_par:
                for v in range(LANES):
                    before[q, v] += turn[p, q, v] * turn[p, q, v] * norm[p, v]
            for j in range(w.shape[0]):
                for v in range(LANES):
                    columns[q, j, v] -= turn[p, q, v] * columns[p, j, v]


@compiled
def _products(w: Array, columns: Array, p: int, norm: Array, turn: Array) -> None:
    """Weighted products of a column with itself and with those after it."""
    n_after = columns.shape[0] - 1 - p
    sums = np.zeros((n_after + 1) * LANES)
    for j in range(w.shape[0]):
        if n_after == 2:
            for v in range(LANES):
                weighted = w[j, v] * columns[p, j, v]
                sums[v] += weighted * columns[p, j, v]
                sums[LANES + v] += weighted * columns[p + 1, j, v]
                sums[2 * LANES + v] += weighted * columns[p + 2, j, v]
        else:
            for k in range(n_after + 1):
                for v in range(LANES):
                    sums[k * LANES + v] += w[j, v] * columns[p, j, v] * columns[p + k, j, v]
    for v in range(LANES):
        norm[p, v] = sums[v]
    for k in range(1, n_after + 1):
        for v in range(LANES):
            turn[p, p + k, v] = sums[k * LANES + v]


@compiled
def _squares(w: Array, residual: Array, out: Array) -> None:
    """Weighted sum of squares."""
    out[:] = 0
    for j in range(w.shape[0]):
        for v in range(LANES):
            out[v] += w[j, v] * residual[j, v] * residual[j, v]


@compiled
def _coefficients(turn: Array, answer: Array) -> None:
    """Coefficients of the columns as they were, from those of the orthogonal ones."""
    n_par = answer.shape[0]
    for p in range(n_par - 1, -1, -1):
        for v in range(LANES):
            answer[p, v] = turn[p, n_par, v]
        for q in range(p + 1, n_par):
            for v in range(LANES):
                answer[p, v] -= turn[p, q, v] * answer[q, v]


@compiled
def _fitted(
    kind: int, c: Array, residual: Array, last: Array, lost: Array, rows: Numbers, first: int, n_lane: int, out: Array
) -> None:  # fmt: skip
    """Activity that would leave no residual in its frame's equation."""
    for j in range(rows.size):
        i = rows[j]
        if kind == ON_CURVE:
            for v in range(n_lane):
                out[j, first + v] = c[i, v] + residual[j, v] / last[v] + lost[v]
        else:
            for v in range(n_lane):
                out[j, first + v] = c[i, v] - residual[j, v] + lost[v]


@compiled
def _one_sided(
    columns: Array, w: Array, norm: Array, prior: Array, rows: Numbers, freedom: float, near: int, carried: Array,
    work: Array, spread: Array,
) -> None:  # fmt: skip
    """Covariance of the orthogonal columns' coefficients where the frames' errors are those of the equations."""
    n_par, n_row = norm.shape[0], rows.size
    leverage, precision = work[0], work[1]
    for j in range(n_row):
        for v in range(LANES):
            leverage[j, v] = 0
            precision[j, v] = prior[rows[j], v]
    for p in range(n_par):
        _influence(w, columns[p], norm[p], carried[p])
        for j in range(n_row):
            for v in range(LANES):
                leverage[j, v] += carried[p, j, v] * columns[p, j, v]
    _square(columns[n_par], leverage, precision, n_row, freedom)
    _averaged_sandwich(carried, leverage, precision, n_row, near, spread)


@compiled
def _influence(w: Array, column: Array, norm: Array, out: Array) -> None:
    """Derivative of an orthogonal column's coefficient by the left side of every equation."""
    inverse = 1 / norm
    for j in range(w.shape[0]):
        for v in range(LANES):
            out[j, v] = w[j, v] * column[j, v] * inverse[v]


@compiled
def _carry(
    columns: Array, w: Array, norm: Array, rows: Numbers, step: Array, by_curve: Array, by_area: Array, every: bool,
    carried: Array, work: Array,
) -> None:  # fmt: skip
    """What each frame's error carries into the orthogonal columns' coefficients, through curve and integral."""
    n = step.shape[0]
    behind, apart, total = work[0], work[1], np.zeros(LANES)
    for p in range(norm.shape[0]):
        own = carried[p]
        if every:
            _influence(w, columns[p], norm[p], own)
        else:
            _influence(w, columns[p], norm[p], apart)
            own[:] = 0
            for j in range(rows.size):
                i = rows[j]
                for v in range(LANES):
                    own[i, v] += apart[j, v]
        total[:] = 0
        for k in range(n):
            i = n - 1 - k
            for v in range(LANES):
                total[v] += own[i, v]
                behind[i, v] = total[v]
        for i in range(n):
            i0, i2, i3 = max(i - 1, 0), min(i + 1, n - 1), min(i + 2, n - 1)
            a0, a1 = step[i0, 3] if i > 0 else 0.0, step[i, 2]
            a2, a3 = step[i2, 1] if i + 1 < n else 0.0, step[i3, 0] if i + 2 < n else 0.0
            for v in range(LANES):
                through = a0 * behind[i0, v] + a1 * behind[i, v] + a2 * behind[i2, v] + a3 * behind[i3, v]
                own[i, v] = by_curve[v] * own[i, v] + by_area[v] * through


@compiled
def _eliminate(step: Array, by_curve: Array, by_area: Array, band: Array, bad: Array) -> None:
    """Triangles of the band of differences of H without exchange of rows; lanes in which that is unsafe.

    In ``band``, of each row: the factors of the second and the first row before it, one over its pivot, and what stands
    right of that.
    """
    state = np.zeros(5 * LANES)  # of the first and the second row before, 1/pivot and what is right of it; the largest
    for i in range(step.shape[0]):
        d0, d1, d2, d3 = step[i, 0], step[i, 1], step[i, 2], step[i, 3]
        for v in range(LANES):
            pivot1, pivot2, right1, right2 = state[v], state[LANES + v], state[2 * LANES + v], state[3 * LANES + v]
            second = by_area[v] * d0 * pivot2
            first = (by_area[v] * d1 - by_curve[v] - second * right2) * pivot1
            pivot = 1 / (by_curve[v] + by_area[v] * d2 - first * right1)
            right = by_area[v] * d3
            state[v], state[LANES + v], state[2 * LANES + v], state[3 * LANES + v] = pivot, pivot1, right, right1
            state[4 * LANES + v] = max(state[4 * LANES + v], max(abs(second), abs(first)))
            band[i, v], band[i, LANES + v], band[i, 2 * LANES + v], band[i, 3 * LANES + v] = second, first, pivot, right
    for v in range(LANES):
        if not state[4 * LANES + v] < UNSAFE:
            bad[v] = 1


@compiled
def _own_errors(
    columns: Array, norm: Array, prior: Array, band: Array, freedom: float, near: int, carried: Array, work: Array,
    spread: Array, bad: Array,
) -> None:  # fmt: skip
    """Covariance of the orthogonal columns' coefficients from the frames' own residuals, where all are fitted.

    Lanes in which these are not to be had are marked as bad: the equations of a curve that grows by itself.
    """
    n_par, n = norm.shape[0], prior.shape[0]
    leverage, own = work[0], work[1]
    leverage[:] = 0
    largest = np.zeros(2 * LANES)  # of the frames, and of the equations
    for p in range(n_par):
        _solve(band, columns[p], own)
        largest[:] = 0
        through, equation = carried[p], columns[p]
        for i in range(n):
            for v in range(LANES):
                leverage[i, v] += own[i, v] * through[i, v]
            for v in range(LANES):
                largest[v] = max(largest[v], abs(own[i, v]))
                largest[LANES + v] = max(largest[LANES + v], abs(equation[i, v]))
        for v in range(LANES):
            if not largest[v] < UNSTABLE * largest[LANES + v]:
                bad[v] = 1
    _solve(band, columns[n_par], own)
    _square(own, leverage, prior, n, freedom)
    _averaged_sandwich(carried, leverage, prior, n, near, spread)


@compiled
def _solve(band: Array, right: Array, out: Array) -> None:
    """Solve H out = right, with the triangles of the differences of H."""
    n = band.shape[0]
    state = np.zeros(3 * LANES)  # the answer one and two rows before, and the right side one before
    for i in range(n):
        for v in range(LANES):
            x = (right[i, v] - state[2 * LANES + v]) - band[i, LANES + v] * state[v] - band[i, v] * state[LANES + v]
            state[LANES + v], state[v], state[2 * LANES + v] = state[v], x, right[i, v]
            out[i, v] = x
    state[:LANES] = 0
    for k in range(n):
        i = n - 1 - k
        for v in range(LANES):
            x = (out[i, v] - band[i, 3 * LANES + v] * state[v]) * band[i, 2 * LANES + v]
            state[v] = x
            out[i, v] = x


@compiled
def _square(residual: Array, leverage: Array, weights: Array, n: int, freedom: float) -> None:
    """Weighted squared residual over the square of one minus the leverage (HC3), in place of the leverage."""
    for i in range(n):
        for v in range(LANES):
            ratio = residual[i, v] / max(1 - leverage[i, v], freedom)
            leverage[i, v] = weights[i, v] * ratio * ratio


@compiled
def _averaged_sandwich(carried: Array, squares: Array, weights: Array, n: int, near: int, spread: Array) -> None:
    """Covariance where a frame's variance is the mean of neighbouring frames' squares, relative to 1/weight."""
    variance, sums = np.zeros(LANES), np.zeros(spread.shape[0] ** 2 * LANES)
    for i in range(n):
        begin, end = max(0, i - near), min(n, i + near + 1)
        variance[:] = 0
        for k in range(begin, end - 3, 4):
            for v in range(LANES):
                variance[v] += (squares[k, v] + squares[k + 1, v]) + (squares[k + 2, v] + squares[k + 3, v])
        for k in range(end - (end - begin) % 4, end):
            for v in range(LANES):
                variance[v] += squares[k, v]
        share = 1 / (end - begin)
        for v in range(LANES):
            variance[v] *= share / weights[i, v]
        _add_products(carried, i, variance, sums)
    _spread(sums, spread)


@compiled
def _add_products(carried: Array, i: int, variance: Array, sums: Array) -> None:
    """Add what one frame's variance gives to the lower triangle of the covariance, row after row in ``sums``."""
    if carried.shape[0] == 2:
        for v in range(LANES):
            weighted = carried[0, i, v] * variance[v]
            sums[v] += weighted * carried[0, i, v]
            sums[LANES + v] += weighted * carried[1, i, v]
            sums[2 * LANES + v] += carried[1, i, v] * carried[1, i, v] * variance[v]
        return
    if carried.shape[0] == 3:
        for v in range(LANES):
            first, second = carried[0, i, v] * variance[v], carried[1, i, v] * variance[v]
            sums[v] += first * carried[0, i, v]
            sums[LANES + v] += first * carried[1, i, v]
            sums[2 * LANES + v] += second * carried[1, i, v]
            sums[3 * LANES + v] += first * carried[2, i, v]
            sums[4 * LANES + v] += second * carried[2, i, v]
            sums[5 * LANES + v] += carried[2, i, v] * carried[2, i, v] * variance[v]
        return
    place = 0
    for p in range(carried.shape[0]):
        for q in range(p + 1):
            for v in range(LANES):
                sums[place + v] += carried[p, i, v] * carried[q, i, v] * variance[v]
            place += LANES


@compiled
def _spread(sums: Array, spread: Array) -> None:
    """Covariance from its lower triangle, row after row."""
    place = 0
    for p in range(spread.shape[0]):
        for q in range(p + 1):
            for v in range(LANES):
                spread[p, q, v] = spread[q, p, v] = sums[place + v]
            place += LANES


@compiled
def _expected_errors(
    w: Array, norm: Array, prior: Array, rows: Numbers, step: Array, squares: Array, by_curve: Array, by_area: Array,
    wrss: Array, carried: Array, work: Array, spread: Array, wanted: Array,
) -> None:  # fmt: skip
    r"""Covariance of the orthogonal columns' coefficients from 1/weight, scaled so that it explains what is left.

    Written to the lanes in which it is wanted. With :math:`M = I - X P`, :math:`\mathrm{tr}[M' W M H V H'] =
    \mathrm{tr}[W H V H'] - \mathrm{tr}[X' W X\, P H V H' P']`, and the elements of :math:`H V H'` on the diagonal are
    sums over frames, of which all but the last few are those of the squared integral: again a running sum.
    """
    n, n_par = step.shape[0], norm.shape[0]
    variance, seen = work[0], work[1]
    least, total, expected = np.full(LANES, np.inf), np.zeros(LANES), np.zeros(spread.shape)
    here, sums = np.zeros(LANES), np.zeros(n_par * n_par * LANES)
    for i in range(n):
        for v in range(LANES):
            least[v] = min(least[v], prior[i, v] if prior[i, v] > 0 else np.inf)
    for i in range(n):
        for v in range(LANES):
            variance[i, v] = 1 / max(prior[i, v], least[v])
    _running(squares, variance, seen)
    for j in range(rows.size):
        i = rows[j]
        diagonal = step[i, 2] + (step[i - 1, 3] if i > 0 else 0.0)  # of the integral
        for v in range(LANES):
            both = by_curve[v] * (by_curve[v] + 2 * by_area[v] * diagonal)
            total[v] += w[j, v] * (variance[i, v] * both + by_area[v] * by_area[v] * seen[i, v])
    for i in range(n):
        for v in range(LANES):
            here[v] = variance[i, v]
        _add_products(carried, i, here, sums)
    _spread(sums, expected)
    for p in range(n_par):
        for v in range(LANES):
            total[v] -= norm[p, v] * expected[p, p, v]
    for p in range(n_par):
        for q in range(n_par):
            for v in range(LANES):
                if wanted[v] > 0:
                    spread[p, q, v] = expected[p, q, v] * wrss[v] / total[v]


@compiled
def _turn_back(turn: Array, spread: Array) -> None:
    """Covariance of the coefficients of the columns as they were, in place."""
    n_par = spread.shape[0]
    for p in range(n_par - 1, -1, -1):
        for q in range(p + 1, n_par):
            for k in range(n_par):
                for v in range(LANES):
                    spread[p, k, v] -= turn[p, q, v] * spread[q, k, v]
    for p in range(n_par - 1, -1, -1):
        for q in range(p + 1, n_par):
            for k in range(n_par):
                for v in range(LANES):
                    spread[k, p, v] -= turn[p, q, v] * spread[k, q, v]
