r"""Standard errors and intervals by a parametric bootstrap: fit again what the scan might have been.

A repeat is a curve with new noise, independent from frame to frame and normal, whose variance in each frame comes from
the residuals and not from the weights, as in :func:`raphe.core.linear.covariance`. The weights of the fit are kept.

A model of the curve itself is repeated about the curve that it fits. The others hold the measured curve, or its
integral, on the other side of their equation as well, so that no curve without noise follows from the fit; they are
repeated about the measured one, with variances under which the repeats have the residuals that were found, over
one minus the mean leverage.

The intervals are percentiles of the repeats, corrected for their median bias (Efron 1987, J Am Stat Assoc 82:171, doi
10.1080/01621459.1987.10478410) and taken at the t quantiles for the degrees of freedom of the residuals instead of the
normal ones (Hesterberg 2015, Am Stat 69:371, doi 10.1080/00031305.2015.1089789).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtrit

from raphe.core.linear import LEAST_FREEDOM, averaged, frame_variance
from raphe.data.blood import PlasmaInput
from raphe.data.fit import KineticFit
from raphe.data.record import Parameter, Step
from raphe.errors import InputError, ModelError
from raphe.kinetics.fit import input_variance
from raphe.kinetics.judgement import judgement
from raphe.kinetics.protocol import KineticModel, Problem, Solution
from raphe.kinetics.solved import LEVEL, solved_problem
from raphe.quality import Quality, usable

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]
Tell = Callable[[int, int], None]

N_PILOT, N_JOINT_PILOT = 200, 50
"""Repeats that tell how much of its own error each frame leaves in its residual; fewer of a model that takes longer."""

LEAST_REPEATS = 50
"""Fewer repeats do not reach to the ends of a 95 % interval."""

MOST_LOST = 0.2
"""Share of the repeats without a usable estimate above which there are neither standard errors nor intervals."""

CHUNK = 4096
"""Curves that a model is given at once, for the sake of memory."""

UNFITTED = Quality.BAD_INPUT | Quality.SINGULAR | Quality.NOT_CONVERGED
"""Flags of a repeat that has no estimate; one with others counts for the ends of the interval, and as lost."""

_PILOT, _REPEATS = 1, 2


def bootstrap(
    model: KineticModel,
    fit: KineticFit,
    *,
    plasma: PlasmaInput | None = None,
    n_repeat: int = 1000,
    seed: int = 1,
    input_se: Mapping[str, float] | None = None,
    tell: Tell | None = None,
) -> tuple[KineticFit, Step]:
    """Replace the standard errors of a fit by the scatter of noisy repeats, and add 95 % intervals.

    The noise of a curve follows from the seed and its name, so neither the other curves nor their order matter; but for
    a model that fits them jointly, of which one repeat is one scan.

    Parameters
    ----------
    model : KineticModel
        The one that was fitted.
    fit : KineticFit
    plasma : PlasmaInput, optional
        Arterial input of the fit.
    n_repeat : int
        At least :data:`LEAST_REPEATS`.
    seed : int
    input_se : mapping of str to float, optional
        As in :func:`raphe.kinetics.fit.fit`; its effect is added to standard errors and half-widths in quadrature.
    tell : callable, optional
        Called with the number of repeats that are done, and that of all.

    Returns
    -------
    KineticFit
        With ``se``, ``low`` and ``high``, and the flags that follow from the new standard errors. They are NaN, and the
        curve has the flag ``imprecise``, where more than :data:`MOST_LOST` of its repeats have no usable estimate.
    Step

    Raises
    ------
    InputError
        If there are too few repeats.
    ModelError
        If the fit is of another model, its input is missing, or the model is linear in the curve.
    """
    if n_repeat < LEAST_REPEATS:
        raise InputError(f"{n_repeat} repeats are too few for intervals; give at least {LEAST_REPEATS}, better 1000")
    if not repeatable(model):
        why = (
            "searches for the input and all regions together, which takes too long to be repeated"
            if "samples" in model.needs
            else "is a ratio that is linear in the curve; repeats add nothing to its standard error"
        )
        raise ModelError(f"{model.name} {why}")
    problem, at = solved_problem(model, fit, plasma)
    found = model.estimate(problem)
    sound = np.isfinite(found.fitted).all(axis=1) & np.isfinite(found.wrss)
    (problem, found), at = _only(problem, found, sound), at[sound]
    scan = _Scan(model, problem, found, tuple(fit.names[n] for n in at), seed)
    value, lost = scan.repeats(n_repeat, tell)
    inputs = input_variance(model, problem, input_se) if input_se else np.zeros(found.value.shape)
    quantile = float(stdtrit(max(len(found.rows) - model.n_free, 1), (1 + LEVEL) / 2))
    enough = lost.mean(axis=1) <= MOST_LOST
    se, low, high = (np.full(fit.value.shape, np.nan) for _ in range(3))
    se[at] = np.where(enough[:, None], np.sqrt(_scatter(value, lost) ** 2 + inputs), np.nan)
    for sign, ends in ((-1, low), (1, high)):
        end = _percentile(value, found.value, sign * quantile)
        wider = found.value + sign * np.hypot(end - found.value, quantile * np.sqrt(inputs))
        ends[at] = np.where(enough[:, None], np.where(inputs > 0, wider, end), np.nan)
    quality = fit.quality.copy()
    judged = judgement(model, replace(found, se=se[at]), scan.end)
    quality[at] = found.quality | judged | np.where(enough, 0, Quality.IMPRECISE)
    result = replace(fit, se=se, low=low, high=high, quality=quality, uncertainty="bootstrap")
    told: dict[str, Parameter] = {
        "model": model.name,
        "repeats": n_repeat,
        "seed": seed,
        "level": LEVEL,
        "n_lost": int((~enough).sum()),
    }
    return result, Step("bootstrap", told, citations=("efron1987", "hesterberg2015"))


def repeatable(model: KineticModel | type[KineticModel]) -> bool:
    """Whether repeats can be made and tell more than the standard error.

    Not of a ratio of areas, which is linear in the curve, nor of a model that searches for the input as well.
    """
    return not {"window", "samples"} & set(model.needs)


@dataclass(frozen=True, eq=False)
class _Scan:
    """What the curves of a scan might have been.

    Parameters
    ----------
    model : KineticModel
    problem : Problem
    found : Solution
        Of the problem.
    names : tuple of str, length n_curve
    seed : int
    """

    model: KineticModel
    problem: Problem
    found: Solution
    names: tuple[str, ...]
    seed: int

    @property
    def end(self) -> float:
        """End of the scan, min."""
        return float(self.problem.sampling.frames.end[-1])

    @cached_property
    def centre(self) -> Array:
        """Curves that the repeats scatter about, shape (n_curve, n_frame)."""
        centre = self.problem.activity.copy()
        if self.model.fits_curve:
            centre[:, self.found.rows] = self.found.fitted
        return centre

    @cached_property
    def residual(self) -> Array:
        """Of the fit, shape (n_curve, n_row)."""
        return np.asarray(self.problem.activity[:, self.found.rows] - self.found.fitted)

    def repeats(self, n_repeat: int, tell: Tell | None) -> tuple[Array, Flags]:
        """Estimates of the repeats, shape (n_curve, n_repeat, n_par), NaN where there is none; and which are lost."""
        n = len(self.names)
        value, lost = np.full((n, n_repeat, len(self.model.parameters)), np.nan), np.ones((n, n_repeat), dtype=bool)
        macro = self.model.parameters.index(self.model.macro)
        done = 0
        for curves, numbers, _, solution in self._solved(self._sd(), n_repeat, _REPEATS):
            bits = solution.quality | judgement(self.model, solution, self.end)
            fitted = (solution.quality & int(UNFITTED) == 0)[:, None] & np.isfinite(solution.value)
            value[curves, numbers] = np.where(fitted, solution.value, np.nan)
            lost[curves, numbers] = ~usable(bits) | ~fitted[:, macro]
            done += len(curves)
            if tell is not None:
                tell(done, n * n_repeat)
        return value, lost

    def _sd(self) -> Array:
        """Standard deviation of every frame, shape (n_curve, n_frame), kBq/mL."""
        rows, expected = self.found.rows, self.problem.variance
        weights = 1 / expected[:, rows]
        squares = weights * self.residual**2
        level2 = squares.sum(axis=1, keepdims=True) / max(len(rows) - self.model.n_free, 1)
        own, other = self._pilot(np.sqrt(level2 * expected))
        if self.model.fits_curve:
            variance = level2 * expected
            variance[:, rows] = frame_variance(self.residual, 1 - own, weights)
            return np.asarray(np.sqrt(variance))
        gain = np.maximum(averaged(other), LEAST_FREEDOM) * (1 - min(self.model.n_free / len(rows), 1 - LEAST_FREEDOM))
        variance = expected * squares.sum(axis=1, keepdims=True) / gain.sum(axis=1, keepdims=True)
        variance[:, rows] = averaged(squares) / gain / weights
        return np.asarray(np.sqrt(variance))

    def _pilot(self, sd: Array) -> tuple[Array, Array]:
        """What noise of a given size makes of the residuals of each frame, both of shape (n_curve, n_row).

        The share of its own error that a frame keeps, one minus its leverage; and the mean square of all that changes,
        relative to that of its own error. Both are 1 where there is no noise.
        """
        rows, about = self.found.rows, 0.0 if self.model.fits_curve else self.residual
        sums = np.zeros((3, *self.residual.shape))
        n = N_JOINT_PILOT if getattr(self.model, "joint", False) else N_PILOT
        for curves, _, error, solution in self._solved(sd, n, _PILOT):
            left = self.centre[curves][:, rows] + error[:, rows] - solution.fitted
            left = left - (about[curves] if isinstance(about, np.ndarray) else about)
            known = (solution.quality & int(UNFITTED) == 0) & np.isfinite(left).all(axis=1)
            own, left = error[known][:, rows], left[known]
            for total, part in zip(sums, (left * own, left**2, own**2), strict=True):
                np.add.at(total, curves[known], part)
        some = sums[2] > 0
        share, square = (np.where(some, part / np.where(some, sums[2], 1.0), 1.0) for part in sums[:2])
        return share, square

    def _solved(self, sd: Array, n_repeat: int, stream: int) -> Iterator[tuple[Index, Index, Array, Solution]]:
        """Yield repeats, many at a time: numbers of their curves and their own, errors of the frames, solution."""
        joint, n_curve = getattr(self.model, "joint", False), len(self.names)
        size = n_curve if joint else max(1, CHUNK // n_repeat)
        for first in range(0, n_curve, size):
            block = np.arange(first, min(first + size, n_curve))
            noise = np.stack([self._draw(n, n_repeat, stream) for n in block.tolist()])
            many = 1 if joint else max(1, CHUNK // block.size)
            for begin in range(0, n_repeat, many):
                numbers = np.arange(begin, min(begin + many, n_repeat))
                curves, own = (grid.ravel() for grid in np.meshgrid(block, numbers, indexing="ij"))
                error = sd[curves] * noise[curves - first, own]
                again = replace(
                    self.problem, activity=self.centre[curves] + error, weights=self.problem.weights[curves]
                )
                yield curves, own, error, self.model.estimate(again)

    def _draw(self, curve: int, n_repeat: int, stream: int) -> Array:
        """Normal numbers that follow from the seed and the curve's name, shape (n_repeat, n_frame)."""
        random = np.random.default_rng([self.seed, stream, *self.names[curve].encode()])
        return random.standard_normal((n_repeat, self.problem.activity.shape[1]))


def _only(problem: Problem, found: Solution, kept: Flags) -> tuple[Problem, Solution]:
    """Problem and solution of some of the curves."""
    curvewise = ("value", "se", "fitted", "wrss", "quality")
    return (
        replace(problem, activity=problem.activity[kept], weights=problem.weights[kept]),
        replace(found, **{name: getattr(found, name)[kept] for name in curvewise}),
    )


def _scatter(value: Array, lost: Flags) -> Array:
    """Standard deviation of the repeats that are not lost, shape (n_curve, n_par)."""
    kept = np.isfinite(value) & ~lost[..., None]
    n = kept.sum(axis=1)
    mean = np.where(kept, value, 0).sum(axis=1) / np.maximum(n, 1)
    squares = np.where(kept, value - mean[:, None], 0) ** 2
    return np.where(n > 1, np.sqrt(squares.sum(axis=1) / np.maximum(n - 1, 1)), np.nan)


def _percentile(value: Array, estimate: Array, quantile: float) -> Array:
    """Percentile of the repeats at a normal quantile, less twice their median bias; shape (n_curve, n_par).

    It is interpolated between the repeats, and at most the most distant one.
    """
    n = np.isfinite(value).sum(axis=1)
    most = np.maximum(n, 1)
    below = (value < estimate[:, None]).sum(axis=1) + (value == estimate[:, None]).sum(axis=1) / 2
    shift = ndtri(np.clip(below / most, 0.5 / most, 1 - 0.5 / most))
    place = np.clip(ndtr(2 * shift + quantile) * (n + 1) - 1, 0, most - 1)
    left = place.astype(np.intp)
    ordered = np.sort(value, axis=1)  # what is not a number comes last
    low, high = (
        np.take_along_axis(ordered, at[:, None], axis=1)[:, 0] for at in (left, np.minimum(left + 1, most - 1))
    )
    return np.asarray(low + (place - left) * (high - low))
