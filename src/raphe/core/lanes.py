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

LANES = 32
"""Curves side by side: a multiple of what a processor takes at once, and few enough that the frames stay in cache."""

AT_ONCE = 4
"""Rows that a sum takes at once; there are as many more rows of zeros as fill up the last such set."""

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
    below: int, with_errors: bool, rank: float, least_share: float, freedom: float, near: int, theta: Array,
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
    step, squares, below
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
    fitted : ndarray, shape (n_row, n_curve), kBq/mL
    wrss : ndarray, shape (n_curve,)
    covariance : ndarray, shape (n_par, n_par, n_curve)
    singular, divisible : ndarray of bool, shape (n_curve,)
    """
    n_frame, n_curve = curves.shape
    n_fixed, n_row = fixed.shape
    n_par = n_fixed + (0 if kind == ON_NEITHER else 1)
    n_filled = n_row + (-n_row) % AT_ONCE
    shared = weights.shape[1] == 1
    every = kind != ON_NEITHER and n_row == n_frame
    for j in range(n_row):
        every = every and rows[j] == j
    c, area, prior = np.zeros((n_frame, LANES)), np.zeros((n_frame, LANES)), np.zeros((n_frame, LANES))
    columns, w = np.zeros((n_par + 1, n_filled, LANES)), np.zeros((n_filled, LANES))
    norm, turn = np.zeros((n_par, LANES)), np.zeros((n_par, n_par + 1, LANES))
    answer, total, bad, lost = np.zeros((n_par, LANES)), np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    carried, spread = np.zeros((n_par, n_frame, LANES)), np.zeros((n_par, n_par, LANES))
    by_curve, by_area = np.ones(LANES), np.zeros(LANES)
    band, work = np.zeros((n_frame, step.shape[1], LANES)), np.zeros((3, n_frame, LANES))
    if shared:
        _load(weights, 0, 1, prior)
    for first in range(0, n_curve, LANES):
        n_lane = min(LANES, n_curve - first)
        _load(curves, first, n_lane, c)
        if not shared:
            _load(weights, first, n_lane, prior)
        if kind != ON_NEITHER:
            _running(step, below, c, area)
        _equations(kind, c, area, prior, fixed, factor, rows, least_share, columns, w, total)
        _orthogonal(columns, w, norm, turn, rank, bad)
        for v in range(n_lane):
            divisible[first + v], singular[first + v] = total[v] == 0, total[v] == 0 and bad[v] > 0
        for v in range(LANES):
            lost[v] = np.nan if bad[v] > 0 or total[v] > 0 else 0.0
        _coefficients(turn, answer)
        _along(w, columns[n_par], columns[n_par], total)
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
            _carry(columns, w, norm, rows, step, below, by_curve, by_area, carried, work[0])
            bad[:] = 0 if every else 1
            if every:
                _eliminate(step, below, by_curve, by_area, band, bad)
                _own_errors(columns, norm, prior, band, below, freedom, near, carried, work, spread, bad)
            if bad.any():
                _expected_errors(
                    w, norm, prior, rows, step, squares, below, by_curve, by_area, total, carried, work, spread, bad
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
def _running(step: Array, below: int, c: Array, out: Array) -> None:
    """Running sum of a band times the curves."""
    n, width = step.shape
    total = np.zeros(LANES)
    for i in range(n):
        if width == 4 and i >= below and i - below + 3 < n:
            a, b, d, e = step[i, 0], step[i, 1], step[i, 2], step[i, 3]
            at = i - below
            for v in range(LANES):
                total[v] += a * c[at, v] + b * c[at + 1, v] + d * c[at + 2, v] + e * c[at + 3, v]
                out[i, v] = total[v]
            continue
        for o in range(max(0, below - i), min(width, n + below - i)):
            for v in range(LANES):
                total[v] += step[i, o] * c[i - below + o, v]
        for v in range(LANES):
            out[i, v] = total[v]


@compiled
def _equations(
    kind: int, c: Array, area: Array, prior: Array, fixed: Array, factor: Array, rows: Numbers, least_share: float,
    columns: Array, w: Array, undivided: Array,
) -> None:  # fmt: skip
    """Columns and weights of the equations at the fitted frames, the left side last; lanes that cannot be divided."""
    n_fixed = fixed.shape[0]
    left = columns[columns.shape[0] - 1]
    undivided[:] = 0
    for j in range(rows.size):
        i = rows[j]
        for p in range(n_fixed):
            for v in range(LANES):
                columns[p, j, v] = fixed[p, j]
        for v in range(LANES):
            w[j, v] = factor[j] * prior[i, v]
        if kind == ON_INTEGRAL:
            for v in range(LANES):
                columns[n_fixed, j, v] = area[i, v]
                left[j, v] = c[i, v]
        elif kind == ON_CURVE:
            for v in range(LANES):
                columns[n_fixed, j, v] = c[i, v]
                left[j, v] = area[i, v]
        else:
            for v in range(LANES):
                left[j, v] = c[i, v]
    if kind == ON_CURVE:
        _divided(c, rows, least_share, w, undivided)


@compiled
def _divided(c: Array, rows: Numbers, least_share: float, w: Array, undivided: Array) -> None:
    """Weights of equations that are divided by the curve; left as they are where it has no activity in a frame."""
    highest = np.zeros(LANES)
    for i in range(c.shape[0]):
        for v in range(LANES):
            highest[v] = max(highest[v], c[i, v])
    for j in range(rows.size):
        for v in range(LANES):
            if not c[rows[j], v] > least_share * highest[v]:
                undivided[v] = 1
    for j in range(rows.size):
        for v in range(LANES):
            divisor = 1.0 if undivided[v] > 0 else c[rows[j], v]
            w[j, v] /= divisor * divisor


@compiled
def _orthogonal(columns: Array, w: Array, norm: Array, turn: Array, rank: float, bad: Array) -> None:
    """Make the columns orthogonal in place, the left side with them; lanes whose columns are not independent."""
    n_par = columns.shape[0] - 1
    before = np.zeros((n_par, LANES))
    bad[:] = 0
    for p in range(n_par):
        _along(w, columns[p], columns[p], norm[p])
        for v in range(LANES):
            whole = norm[p, v] + before[p, v]
            if not norm[p, v] > rank * rank * whole:
                bad[v] = 1
        for q in range(p + 1, n_par + 1):
            _along(w, columns[p], columns[q], turn[p, q])
            for v in range(LANES):
                turn[p, q, v] /= norm[p, v]
            if q < n_par:
                for v in range(LANES):
                    before[q, v] += turn[p, q, v] * turn[p, q, v] * norm[p, v]
            for j in range(w.shape[0]):
                for v in range(LANES):
                    columns[q, j, v] -= turn[p, q, v] * columns[p, j, v]


@compiled
def _along(w: Array, a: Array, b: Array, out: Array) -> None:
    """Weighted sum of the products of two columns."""
    out[:] = 0
    for j in range(0, w.shape[0], AT_ONCE):
        for v in range(LANES):
            out[v] += (
                w[j, v] * a[j, v] * b[j, v] + w[j + 1, v] * a[j + 1, v] * b[j + 1, v]
                + w[j + 2, v] * a[j + 2, v] * b[j + 2, v] + w[j + 3, v] * a[j + 3, v] * b[j + 3, v]
            )  # fmt: skip


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
        if kind == ON_CURVE:
            for v in range(n_lane):
                out[j, first + v] = c[rows[j], v] + residual[j, v] / last[v] + lost[v]
        else:
            for v in range(n_lane):
                out[j, first + v] = c[rows[j], v] - residual[j, v] + lost[v]


@compiled
def _one_sided(
    columns: Array, w: Array, norm: Array, prior: Array, rows: Numbers, freedom: float, near: int, carried: Array,
    work: Array, spread: Array,
) -> None:  # fmt: skip
    """Covariance of the orthogonal columns' coefficients where the frames' errors are those of the equations."""
    n_par, n_row = norm.shape[0], rows.size
    squares, precision = work[0], work[1]
    for j in range(n_row):
        for v in range(LANES):
            squares[j, v] = 0
            precision[j, v] = prior[rows[j], v]
        for p in range(n_par):
            for v in range(LANES):
                carried[p, j, v] = w[j, v] * columns[p, j, v] / norm[p, v]
                squares[j, v] += carried[p, j, v] * columns[p, j, v]
    _square(columns[n_par], squares, precision, n_row, freedom)
    _average(squares, precision, n_row, near, work[2])
    _sandwich(carried, work[2], n_row, spread)


@compiled
def _carry(
    columns: Array, w: Array, norm: Array, rows: Numbers, step: Array, below: int, by_curve: Array, by_area: Array,
    carried: Array, behind: Array,
) -> None:  # fmt: skip
    """What each frame's error carries into the orthogonal columns' coefficients, through curve and integral."""
    n, width = step.shape
    for p in range(norm.shape[0]):
        own = carried[p]
        own[:] = 0
        for j in range(rows.size):
            for v in range(LANES):
                own[rows[j], v] += w[j, v] * columns[p, j, v] / norm[p, v]
        for v in range(LANES):
            behind[n - 1, v] = own[n - 1, v]
        for i in range(n - 2, -1, -1):
            for v in range(LANES):
                behind[i, v] = behind[i + 1, v] + own[i, v]
        for i in range(n):
            for v in range(LANES):
                own[i, v] *= by_curve[v]
            for o in range(width):
                row = i + below - o
                if 0 <= row < n:
                    for v in range(LANES):
                        own[i, v] += by_area[v] * step[row, o] * behind[row, v]


@compiled
def _eliminate(step: Array, below: int, by_curve: Array, by_area: Array, band: Array, bad: Array) -> None:
    """Triangles of the band of differences of H, in place, without exchange of rows; lanes in which that is unsafe."""
    n, width = step.shape
    for i in range(n):
        for o in range(width):
            share = (1.0 if o == below else 0.0) - (1.0 if o == below - 1 and i > 0 else 0.0)
            for v in range(LANES):
                band[i, o, v] = by_curve[v] * share + by_area[v] * step[i, o]
        for o in range(max(0, below - i), below):  # take the rows before out of this one
            row = i - below + o
            for v in range(LANES):
                band[i, o, v] *= band[row, below, v]
                if not abs(band[i, o, v]) < UNSAFE:
                    bad[v] = 1
            for k in range(below + 1, width):
                if o + k - below < width:
                    for v in range(LANES):
                        band[i, o + k - below, v] -= band[i, o, v] * band[row, k, v]
        for v in range(LANES):
            band[i, below, v] = 1 / band[i, below, v]


@compiled
def _solve(band: Array, below: int, right: Array, out: Array) -> None:
    """Solve H out = right, with the triangles of the differences of H."""
    n, width, _ = band.shape
    for i in range(n):
        if i == 0:
            for v in range(LANES):
                out[i, v] = right[i, v]
        else:
            for v in range(LANES):
                out[i, v] = right[i, v] - right[i - 1, v]
        for o in range(max(0, below - i), below):
            for v in range(LANES):
                out[i, v] -= band[i, o, v] * out[i - below + o, v]
    for i in range(n - 1, -1, -1):
        for o in range(below + 1, min(width, n + below - i)):
            for v in range(LANES):
                out[i, v] -= band[i, o, v] * out[i - below + o, v]
        for v in range(LANES):
            out[i, v] *= band[i, below, v]


@compiled
def _own_errors(
    columns: Array, norm: Array, prior: Array, band: Array, below: int, freedom: float, near: int, carried: Array,
    work: Array, spread: Array, bad: Array,
) -> None:  # fmt: skip
    """Covariance of the orthogonal columns' coefficients from the frames' own residuals, where all are fitted.

    Lanes in which these are not to be had are marked as bad: the equations of a curve that grows by itself.
    """
    n_par, n = norm.shape[0], prior.shape[0]
    leverage, own = work[0], work[1]
    leverage[:] = 0
    for p in range(n_par):
        _solve(band, below, columns[p], own)
        _unstable(own, columns[p], n, bad)
        for i in range(n):
            for v in range(LANES):
                leverage[i, v] += own[i, v] * carried[p, i, v]
    _solve(band, below, columns[n_par], own)
    _square(own, leverage, prior, n, freedom)
    _average(leverage, prior, n, near, work[2])
    _sandwich(carried, work[2], n, spread)


@compiled
def _unstable(own: Array, equation: Array, n: int, bad: Array) -> None:
    """Mark lanes in which frames' errors are far larger than those of their equations."""
    one, other = np.zeros(LANES), np.zeros(LANES)
    for i in range(n):
        for v in range(LANES):
            one[v] = max(one[v], abs(own[i, v]))
            other[v] = max(other[v], abs(equation[i, v]))
    for v in range(LANES):
        if not one[v] < UNSTABLE * other[v]:
            bad[v] = 1


@compiled
def _square(residual: Array, leverage: Array, weights: Array, n: int, freedom: float) -> None:
    """Weighted squared residual over the square of one minus the leverage (HC3), in place of the leverage."""
    for i in range(n):
        for v in range(LANES):
            ratio = residual[i, v] / max(1 - leverage[i, v], freedom)
            leverage[i, v] = weights[i, v] * ratio * ratio


@compiled
def _average(squares: Array, weights: Array, n: int, near: int, out: Array) -> None:
    """Average over neighbouring frames, relative to 1/weight."""
    for i in range(n):
        begin, end = max(0, i - near), min(n, i + near + 1)
        for v in range(LANES):
            out[i, v] = 0
        for k in range(begin, end):
            for v in range(LANES):
                out[i, v] += squares[k, v]
        for v in range(LANES):
            out[i, v] /= weights[i, v] * (end - begin)


@compiled
def _sandwich(carried: Array, variance: Array, n: int, spread: Array) -> None:
    """Covariance from what each frame's error carries and its variance."""
    n_par = carried.shape[0]
    for p in range(n_par):
        for q in range(p + 1):
            out = spread[p, q]
            out[:] = 0
            for i in range(n):
                for v in range(LANES):
                    out[v] += carried[p, i, v] * carried[q, i, v] * variance[i, v]
            spread[q, p] = out


@compiled
def _expected_errors(
    w: Array, norm: Array, prior: Array, rows: Numbers, step: Array, squares: Array, below: int, by_curve: Array,
    by_area: Array, wrss: Array, carried: Array, work: Array, spread: Array, wanted: Array,
) -> None:  # fmt: skip
    r"""Covariance of the orthogonal columns' coefficients from 1/weight, scaled so that it explains what is left.

    Written to the lanes in which it is wanted.

    With :math:`M = I - X P`, :math:`\mathrm{tr}[M' W M H V H'] = \mathrm{tr}[W H V H'] - \mathrm{tr}[X' W X\, P H V H'
    P']`, and the elements of :math:`H V H'` on the diagonal are sums over frames, of which all but the last few are
    those of the squared integral: again a running sum.
    """
    n, width = step.shape
    variance, seen, own = work[0], work[1], work[2]
    least = np.full(LANES, np.inf)
    for i in range(n):
        for v in range(LANES):
            if 0 < prior[i, v] < least[v]:
                least[v] = prior[i, v]
    for i in range(n):
        for v in range(LANES):
            variance[i, v] = 1 / (prior[i, v] if prior[i, v] > 0 else least[v])
    _running(squares, below, variance, seen)
    for i in range(n):  # the integral's own element on the diagonal: a sum of the band's along its column
        diagonal = 0.0
        for o in range(width):
            row = i + below - o
            if 0 <= row <= i:
                diagonal += step[row, o]
        for v in range(LANES):
            own[i, v] = diagonal
    total = np.zeros(LANES)
    for j in range(rows.size):
        i = rows[j]
        for v in range(LANES):
            both = by_curve[v] * (by_curve[v] + 2 * by_area[v] * own[i, v])
            total[v] += w[j, v] * (variance[i, v] * both + by_area[v] * by_area[v] * seen[i, v])
    expected = np.zeros(spread.shape)
    _sandwich(carried, variance, n, expected)
    for p in range(norm.shape[0]):
        for v in range(LANES):
            total[v] -= norm[p, v] * expected[p, p, v]
    for p in range(norm.shape[0]):
        for q in range(norm.shape[0]):
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
