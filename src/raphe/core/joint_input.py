"""An input of Feng's form and the tissues of several regions, fitted to the regions' curves and a few samples at once.

Damped Gauss-Newton steps (Levenberg-Marquardt), in which the tissues' own parameters are eliminated region by region,
so that the work grows with the number of regions and no faster. The surface has several valleys, so the search begins
from several inputs, with the best two exponentials of a grid behind each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from raphe.core.feng_tissue import N_INPUT, N_OWN, STEP, plasma_at, tissues
from raphe.core.linear import HC2, RANK_TOLERANCE, frame_variance

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.intp]

USUAL = np.array([np.log(600.0), np.log(30.0), np.log(15.0), np.log(3.0), np.log(0.2), np.log(0.015)])
"""Input to begin with, but for its arrival: A1, A2, A3 (up to a common factor) and l1, l2, l3. An assumption."""

SPREAD = np.array([1.0, 1.0, 1.0, 0.5, 1.0, 0.8])
"""Standard deviations, of the logarithms, of the inputs that are tried about it; an assumption."""

N_TRIED, N_FOLLOWED, N_KEPT = 128, 4, 2
"""Inputs that are tried, with the best tissues of a grid behind each; the best of them, which are followed; and the
lowest ends of these, which are followed again when the regions' residual variances are better known."""

RATES = np.geomspace(0.002, 1.5, 22)
"""Rates, 1/min, of the exponentials that are tried behind each of them."""

LOWER_INPUT = np.array([-0.5, -20.0, -20.0, -20.0, np.log(0.2), np.log(1e-5), np.log(1e-5)])
UPPER_INPUT = np.array([5.0, 20.0, 20.0, 20.0, np.log(60.0), np.log(20.0), np.log(20.0)])
LOWER_OWN = np.array([-15.0, np.log(1e-4), np.log(1e-5), -12.0])
UPPER_OWN = np.array([15.0, np.log(20.0), np.log(20.0), 12.0])
"""Ranges of the search, far beyond what blood and tissue have; t0 in min, the others logarithms or logits."""

MOST_STEPS, LONGEST = 400, 2.0
"""Steps after which a search is given up, and the longest in any parameter."""

ENTERED, SETTLED = 1e-5, 1e-7
"""Relative fall of the cost below which three steps in a row have brought a search near its end, and to it."""

ROUNDS = 3
"""How often the residual variances of the regions are taken from the fit, and the fit made again."""

LEAST_NOISE = 1e-4
"""Least residual standard deviation that a region is taken to have, relative to its activity: an assumption, for curves
without noise."""

THERE = 1e-3
"""Share of V_T from which on an exponential counts as being there."""

ARRIVED = 0.02
"""Share of the highest activity above which the first frame tells the arrival of the input to begin with."""


@dataclass(frozen=True, eq=False)
class JointData:
    """What is fitted.

    Parameters
    ----------
    curves, weights : ndarray, shape (n_curve, n_row)
        kBq/mL; 1/variance, of each curve up to a factor of its own.
    times : ndarray, shape (n_time,), min
        Edges of the frames, or their middles.
    begin, stop : ndarray of int, shape (n_row,)
        Numbers of each frame's edges; the same for values at its middle.
    sample_time, sample : ndarray, shape (n_sample,), min and kBq/mL
        Samples of the parent in plasma, positive.
    sample_error : float
        Standard deviation of a sample, as a share of it.
    V_B, V_B_error : float
        Share of blood in the tissues, and by how much it may be off.
    """

    curves: Array
    weights: Array
    times: Array
    begin: Numbers
    stop: Numbers
    sample_time: Array
    sample: Array
    sample_error: float
    V_B: float
    V_B_error: float


@dataclass(frozen=True, eq=False)
class JointFit:
    """Where the search has ended.

    Parameters
    ----------
    theta : ndarray, shape (7,)
        Input, as :data:`raphe.core.feng_tissue.N_INPUT` has it.
    volumes : ndarray, shape (n_curve, 2)
        Behind the two exponentials of each tissue, mL/cm3; their sum is V_T.
    fitted : ndarray, shape (n_curve, n_row), kBq/mL
    covariance : ndarray, shape (n_curve, 2, 2)
        Of the volumes, what the input and the rates leave open included.
    by_blood : ndarray, shape (2, n_curve, 2)
        ``volumes`` with the share of blood larger and smaller by its error, but not below 0.
    at_bound : ndarray of bool, shape (n_curve,)
        Where a bound holds the input, or the rate of an exponential that is there.
    converged : bool
    """

    theta: Array
    volumes: Array
    fitted: Array
    covariance: Array
    by_blood: Array
    at_bound: Flags
    converged: bool


@dataclass(frozen=True, eq=False)
class _End:
    theta: Array
    own: Array
    cost: float
    converged: bool


def joint_fit(data: JointData) -> JointFit:
    """Fit input and tissues by weighted least squares, the curves of each region weighted by its own residuals."""
    starts = _starts(data)
    free = data.curves.shape[1] - N_OWN - N_INPUT / len(data.curves)
    noise = _residual_squares(data, *starts[0]) / free
    ends = [_descended(data, noise, *start, ENTERED) for start in starts]
    for _ in range(ROUNDS):
        best = min(ends, key=_cost)
        noise = _residual_squares(data, best.theta, best.own) / free
        ends = [_descended(data, noise, end.theta, end.own, ENTERED) for end in sorted(ends, key=_cost)[:N_KEPT]]
    best = min(ends, key=_cost)
    best = _descended(data, noise, best.theta, best.own, SETTLED)
    shares = data.V_B + data.V_B_error, max(data.V_B - data.V_B_error, 0.0)
    moved = [_descended(replace(data, V_B=V_B), noise, best.theta, best.own, ENTERED) for V_B in shares]
    return _told(data, noise, best, np.stack([_volumes(end.own) for end in moved]))


def _cost(end: _End) -> float:
    return end.cost


def _volumes(own: Array) -> Array:
    """Volumes behind the two exponentials of each tissue, shape (n_curve, 2)."""
    V_T, share = np.exp(own[:, 0]), _share(own)
    return np.column_stack([(1 - share) * V_T, share * V_T])


def _share(own: Array) -> Array:
    """Share of V_T that is behind the second exponential."""
    return np.asarray(1 / (1 + np.exp(-own[:, 3])))


def _starts(data: JointData) -> list[tuple[Array, Array]]:
    """The best inputs of those that are tried, each with the best tissues behind it."""
    from scipy.stats import norm, qmc  # slow to import, and of use here alone

    drawn = norm.ppf(qmc.Halton(SPREAD.size, scramble=False).random(N_TRIED + 1)[1:])
    tried = [_start(data, factors) for factors in (np.zeros(SPREAD.size), *(SPREAD * drawn))]
    misfit = [float(np.log(_residual_squares(data, *one)).sum()) for one in tried]
    return [tried[at] for at in np.argsort(misfit, kind="stable")[:N_FOLLOWED]]


def _start(data: JointData, factors: Array) -> tuple[Array, Array]:
    """An input that meets the samples in the mean, and the best two exponentials of the grid behind it, or one."""
    first = int((data.curves > ARRIVED * data.curves.max(axis=1, keepdims=True)).any(axis=0).argmax())
    theta = np.concatenate([[data.times[data.begin[first]]], USUAL + factors])
    theta[1:4] += np.mean(np.log(data.sample) - _log_plasma(theta, data.sample_time))
    theta = np.clip(theta, LOWER_INPUT, UPPER_INPUT)
    alone = np.column_stack([np.zeros(RATES.size), np.log(RATES), np.zeros(RATES.size), np.full(RATES.size, -40.0)])
    basis, _, _ = tissues(theta, alone, 0.0, data.times, data.begin, data.stop, False)
    nothing, _, _ = tissues(theta, np.full((1, N_OWN), -40.0), data.V_B, data.times, data.begin, data.stop, False)
    basis = (1 - data.V_B) * basis
    moment = (data.weights * (data.curves - nothing)) @ basis.T
    square = data.weights @ (basis**2).T
    i, j = np.triu_indices(RATES.size, 1)
    both, a, b = data.weights @ (basis[i] * basis[j]).T, moment[:, i], moment[:, j]
    with np.errstate(divide="ignore", invalid="ignore"):
        determinant = square[:, i] * square[:, j] - both**2
        x, y = (a * square[:, j] - b * both) / determinant, (b * square[:, i] - a * both) / determinant
        gain = np.where((x > 0) & (y > 0), x * a + y * b, -np.inf)
    pair, at = gain.argmax(axis=1), np.arange(len(moment))
    single = (np.maximum(moment, 0) ** 2 / square).argmax(axis=1)
    two = np.isfinite(gain[at, pair])
    V_T = np.where(two, (x + y)[at, pair], np.maximum(moment[at, single] / square[at, single], 1e-6))
    share = np.where(two, y[at, pair] / V_T, 0.1)
    slower = np.where(two, RATES[i[pair]], RATES[single])
    faster = np.where(two, RATES[j[pair]], RATES[np.minimum(single + 3, RATES.size - 1)])
    own = np.column_stack([np.log(V_T), np.log(slower), np.log(faster), np.log(share / (1 - share))])
    return theta, np.clip(own, LOWER_OWN, UPPER_OWN)


def _log_plasma(theta: Array, time: Array) -> Array:
    return np.asarray(np.log(np.maximum(plasma_at(theta, time), 1e-12)))


def _residual_squares(data: JointData, theta: Array, own: Array) -> Array:
    """Weighted sum of squared residuals of each region, shape (n_curve,)."""
    fitted, _, _ = tissues(theta, own, data.V_B, data.times, data.begin, data.stop, False)
    least = LEAST_NOISE**2 * (data.weights * data.curves**2).sum(axis=1)
    return np.asarray(np.maximum((data.weights * (data.curves - fitted) ** 2).sum(axis=1), least))


def _residuals(data: JointData, root: Array, theta: Array, own: Array) -> tuple[Array, Array]:
    fitted, _, _ = tissues(theta, own, data.V_B, data.times, data.begin, data.stop, False)
    off = (np.log(data.sample) - _log_plasma(theta, data.sample_time)) / data.sample_error
    return root * (data.curves - fitted), off


def _slopes(data: JointData, root: Array, theta: Array, own: Array) -> tuple[Array, Array, Array]:
    """Derivatives of the weighted values of the regions by the input and by their own, and of the samples."""
    _, by_input, by_own = tissues(theta, own, data.V_B, data.times, data.begin, data.stop, True)
    step = STEP * np.eye(N_INPUT)
    pairs = [(theta + one, theta - one) for one in step]
    samples = [_log_plasma(up, data.sample_time) - _log_plasma(down, data.sample_time) for up, down in pairs]
    by_sample = np.stack(samples, axis=-1) / (2 * STEP * data.sample_error)
    return root[..., None] * by_input, root[..., None] * by_own, by_sample


def _descended(data: JointData, noise: Array, theta: Array, own: Array, settled: float) -> _End:
    """Search from one start to the end of its valley, or near it."""
    root = np.sqrt(data.weights / noise[:, None])
    rest, off = _residuals(data, root, theta, own)
    cost = float((rest**2).sum() + (off**2).sum())
    damping, small = 1e-3, 0
    for _ in range(MOST_STEPS):
        by_input, by_own, by_sample = _slopes(data, root, theta, own)
        lowered = False
        for _ in range(12):
            step, its = _step(by_input, by_own, by_sample, rest, off, damping, theta, own)
            trial, others = np.clip(theta + step, LOWER_INPUT, UPPER_INPUT), np.clip(own + its, LOWER_OWN, UPPER_OWN)
            left, away = _residuals(data, root, trial, others)
            new = float((left**2).sum() + (away**2).sum())
            if new < cost:
                lowered = True
                break
            damping *= 4
        if not lowered:
            return _End(theta, own, cost, True)
        fall, cost = cost - new, new
        theta, own, rest, off = trial, others, left, away
        damping = max(damping / 5, 1e-12)
        small = small + 1 if fall < settled * (1 + cost) else 0
        if small >= 3:
            return _End(theta, own, cost, True)
    return _End(theta, own, cost, False)


def _step(
    by_input: Array, by_own: Array, by_sample: Array, rest: Array, off: Array, damping: float, theta: Array, own: Array
) -> tuple[Array, Array]:
    """Damped step of the input and of every tissue, whose normal equations are eliminated first."""
    g_input = np.einsum("crp,cr->p", by_input, rest) + by_sample.T @ off
    g_own = np.einsum("crp,cr->cp", by_own, rest)
    moved = ~_pushed(theta, g_input, LOWER_INPUT, UPPER_INPUT)
    its = ~_pushed(own, g_own, LOWER_OWN, UPPER_OWN)
    by_input, by_sample, by_own = by_input * moved, by_sample * moved, by_own * its[:, None]
    own_square = by_own.transpose(0, 2, 1) @ by_own
    across = by_own.transpose(0, 2, 1) @ by_input
    square = np.einsum("crp,crq->pq", by_input, by_input) + by_sample.T @ by_sample
    own_square += _diagonal(np.einsum("cpp->cp", own_square), damping)
    square += _diagonal(np.diag(square), damping)
    solved = np.linalg.solve(own_square, np.concatenate([across, (g_own * its)[..., None]], axis=-1))
    left = square - np.einsum("cop,coq->pq", across, solved[..., :-1])
    right = g_input * moved - np.einsum("cop,co->p", across, solved[..., -1])
    step = np.linalg.lstsq(left, right, rcond=None)[0]
    others = solved[..., -1] - solved[..., :-1] @ step
    longest = max(np.abs(step).max(), np.abs(others).max(), LONGEST)
    return step * (LONGEST / longest), others * (LONGEST / longest)


def _diagonal(square: Array, damping: float) -> Array:
    """What damping adds to normal matrices; 1 where a parameter has no effect, so that it stays."""
    size = np.where(square > 0, np.maximum(square, 1e-8) * damping, 1.0)
    return np.asarray(size[..., None] * np.eye(size.shape[-1]))


def _pushed(value: Array, gradient: Array, lower: Array, upper: Array) -> Flags:
    return np.asarray(((value <= lower) & (gradient <= 0)) | ((value >= upper) & (gradient >= 0)))


def _told(data: JointData, noise: Array, end: _End, by_blood: Array) -> JointFit:
    """Uncertainty of where a search has ended: of all parameters together, that of the input carried into each tissue.

    Heteroscedasticity-consistent (HC2, as :func:`raphe.core.linear.covariance`) in the regions; a sample has the
    variance that it is said to have. A volume may be negative in it, so that the standard errors where an exponential
    is not there are those of the two compartments that were supposed, and not of one.
    """
    root = np.sqrt(data.weights / noise[:, None])
    by_input, by_own, by_sample = _slopes(data, root, end.theta, end.own)
    rest, _ = _residuals(data, root, end.theta, end.own)
    share = _share(end.own)
    n_curve, n_row = rest.shape
    by_own[..., [2, 3]] = by_own[..., [1, 2]]
    for column in (0, 1):
        unit = np.column_stack([np.zeros(n_curve), *[end.own[:, 1 + column]] * 2, np.zeros(n_curve)])
        seen, _, _ = tissues(end.theta, unit, 0.0, data.times, data.begin, data.stop, False)
        by_own[..., column] = (1 - data.V_B) * root * seen
    held = (end.own <= LOWER_OWN) | (end.own >= UPPER_OWN)
    there = np.minimum(share, 1 - share) > THERE
    first, second = there | (share <= 0.5), there | (share > 0.5)
    fixed = np.column_stack([np.zeros((n_curve, 2), dtype=bool), held[:, 1] | ~first, held[:, 2] | ~second])
    edge = held[:, 0] | (held[:, 1] & first) | (held[:, 2] & second)
    held_input = (end.theta <= LOWER_INPUT) | (end.theta >= UPPER_INPUT)
    whole = np.zeros((n_curve * n_row + len(data.sample), N_INPUT + N_OWN * n_curve))
    for c in range(n_curve):
        rows = slice(c * n_row, (c + 1) * n_row)
        whole[rows, :N_INPUT] = by_input[c]
        whole[rows, N_INPUT + N_OWN * c : N_INPUT + N_OWN * (c + 1)] = by_own[c]
    whole[n_curve * n_row :, :N_INPUT] = by_sample
    free = np.flatnonzero(~np.concatenate([held_input, fixed.ravel()]))
    size = np.linalg.norm(whole[:, free], axis=0)
    size = np.where(size > 0, size, 1)
    u, s, vt = np.linalg.svd(whole[:, free] / size, full_matrices=False)
    influence = (vt.T / np.maximum(s, RANK_TOLERANCE * s[0])) @ u.T / size[:, None]
    leverage = (u**2).sum(axis=1)[: n_curve * n_row].reshape(n_curve, n_row)
    variance = frame_variance(rest, leverage, np.ones_like(rest), HC2)
    spread = (influence * np.concatenate([variance.ravel(), np.ones(len(data.sample))])) @ influence.T
    every = np.zeros((whole.shape[1], whole.shape[1]))
    every[np.ix_(free, free)] = spread
    at = N_INPUT + N_OWN * np.arange(n_curve)[:, None] + np.arange(2)
    fitted, _, _ = tissues(end.theta, end.own, data.V_B, data.times, data.begin, data.stop, False)
    return JointFit(
        end.theta,
        _volumes(end.own),
        fitted,
        every[at[:, :, None], at[:, None, :]],
        by_blood,
        edge | held_input.any(),
        end.converged,
    )
