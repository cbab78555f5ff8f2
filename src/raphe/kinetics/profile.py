r"""Intervals by profile likelihood: how far a parameter can be moved before the curve does not fit any more.

With all other parameters fitted anew for every value c of the one of interest, the interval holds those c for which

.. math:: \mathrm{cost}(c) \le \mathrm{cost}_{min} \left[ 1 + F_{1, n - p}(0.95) / (n - p) \right]

with the weighted sum of squared residuals as cost, n frames and p free parameters (Venzon & Moolgavkar 1988, Appl Stat
37:87, doi 10.2307/2347496). For a parameter in which the curve is linear, that is the usual t interval. Where a
parameter has no upper limit, the interval says so, as no standard error can.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from raphe.core.bounded import bounded_fit
from raphe.data.blood import PlasmaInput
from raphe.data.fit import KineticFit
from raphe.data.record import Step
from raphe.errors import ModelError
from raphe.kinetics.fit import input_variance
from raphe.kinetics.protocol import KineticModel, Problem
from raphe.kinetics.solved import LEVEL, solved_problem
from raphe.kinetics.surface import Surface, Surfaced
from raphe.quality import VOLUMES, Quality

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

PULL = 100.0
"""Weight of the pseudo-frame that draws a parameter to its value, in units of what its standard error would give.

Whatever it is, the point that is found lies on the profile: the cost is the lowest for the value that was reached.
"""

BEYOND = 1000.0
"""Sizes of an estimate beyond which an end that was not met counts as infinite; an assumption."""

FAR = 20.0
"""Sizes of an estimate beyond which an upper end is not believed where a bound of the search, other than 0, makes it.

An assumption. V_T without an upper limit rises until k4 meets the lower bound of its search, and ends there.
"""

LEAST_SIZE = 1e-3
"""Size that an estimate near zero is taken to have."""

MOST_REFINEMENTS = 40
SETTLED = 1e-6
"""Distance from the end of the interval, as a share of its half-width, at which the search has settled."""

NO_NOISE = 1e-20
"""Weighted sum of squares, relative to the curve's own, below which there is no noise to speak of."""


def profile(
    model: KineticModel,
    fit: KineticFit,
    *,
    plasma: PlasmaInput | None = None,
    parameters: Sequence[str] | None = None,
    input_se: Mapping[str, float] | None = None,
) -> tuple[KineticFit, Step]:
    """Add 95 % intervals by profile likelihood to a fit.

    The weights are taken as true 1/variance, up to a factor. Standard errors stay as they were.

    Parameters
    ----------
    model : KineticModel
        The one that was fitted; it must have a ``surface``.
    fit : KineticFit
    plasma : PlasmaInput, optional
        Arterial input of the fit.
    parameters : sequence of str, optional
        Whose intervals are computed; of the model's macro parameter if not given.
    input_se : mapping of str to float, optional
        As in :func:`raphe.kinetics.fit.fit`; its effect is added to the half-widths in quadrature.

    Returns
    -------
    KineticFit
        With ``low`` and ``high``. An upper end is infinite where the curve fits on up to a bound of the search, or
        beyond :data:`BEYOND` times the estimate, or beyond :data:`FAR` times where a bound has made it; a lower one
        that is not met is the least value within the bounds.
        Such a curve has the flag ``imprecise`` where the parameter is V_T or BP_ND and the model's macro parameter,
        else ``undetermined``.
    Step

    Raises
    ------
    ModelError
        If the model has no surface, or not such a parameter.
    """
    if not isinstance(model, Surfaced):
        raise ModelError(
            f"there is no profile likelihood of {model.name}, whose equation is not the curve's own or joins several "
            "curves; take the bootstrap (--uncertainty bootstrap)"
        )
    wanted = (model.macro,) if parameters is None else tuple(parameters)
    for name in wanted:
        if name not in model.parameters:
            raise ModelError(f"{model.name} has no {name}; it gives {', '.join(model.parameters)}")
    problem, at = solved_problem(model, fit, plasma)
    inputs = input_variance(model, problem, input_se) if input_se else np.zeros((at.size, len(fit.parameters)))
    freedom = len(problem.rows) - model.n_free
    quantile = float(stdtrit(freedom, (1 + LEVEL) / 2))
    ends = {-1: np.full(fit.value.shape, np.nan), 1: np.full(fit.value.shape, np.nan)}
    surface = model.surface(problem, fit.value[at])
    least = _cost(problem, surface)
    search = _Search(problem, surface, fit.value[at], fit.se[at], quantile, least, least * quantile**2 / freedom)
    for sign, found in ends.items():
        for column in (fit.parameters.index(name) for name in wanted):
            half = np.abs(search.ends(column, sign) - fit.value[at, column])
            widened = np.sqrt(half**2 + quantile**2 * inputs[:, column])
            found[at, column] = fit.value[at, column] + sign * widened
    result = dataclasses.replace(
        fit, low=ends[-1], high=ends[1], uncertainty="profile", quality=fit.quality | _flags(fit, model, ends)
    )
    return result, profile_step(model, wanted)


def profile_step(model: KineticModel, parameters: tuple[str, ...], *more: str) -> Step:
    """Record of intervals by the profile likelihood, of these parameters of a model; ``more`` is cited besides."""
    return Step(
        "profile",
        {"model": model.name, "parameters": parameters, "level": LEVEL},
        citations=("venzon1988", *more),
    )


def _cost(problem: Problem, surface: Surface) -> Array:
    """Cost at the estimates, shape (n_curve,); NaN where there are none."""
    cost = np.full(len(surface.theta), np.nan)
    known = np.flatnonzero(np.isfinite(surface.theta).all(axis=1))
    fitted, _ = surface.curve(surface.theta[known], known)
    cost[known] = (problem.row_weights[known] * (problem.row_activity[known] - fitted) ** 2).sum(axis=1)
    return cost


def _flags(fit: KineticFit, model: KineticModel, ends: Mapping[int, Array]) -> npt.NDArray[np.int64]:
    """Mark the curves of which a parameter has no limit on one side."""
    flags = np.zeros(len(fit.names), dtype=np.int64)
    for column, name in enumerate(fit.parameters):
        open_end = np.isinf(ends[-1][:, column]) | np.isinf(ends[1][:, column])
        decides = name == model.macro and name in VOLUMES
        flags[open_end] |= Quality.IMPRECISE if decides else Quality.UNDETERMINED
    return flags


@dataclass(frozen=True, eq=False)
class _Points:
    """Where several searches stand.

    Parameters
    ----------
    aim : ndarray, shape (n,)
        Value that the parameter is drawn to.
    value : ndarray, shape (n,)
        Value that it has.
    root : ndarray, shape (n,)
        Root of the cost in excess of the least one, 1 at the end of the interval.
    theta : ndarray, shape (n, n_free)
    """

    aim: Array
    value: Array
    root: Array
    theta: Array

    def put(self, at: Index, other: _Points) -> None:
        """Take over others at some places."""
        for name in self.__dataclass_fields__:
            getattr(self, name)[at] = getattr(other, name)

    def take(self, at: Index) -> _Points:
        """Those at some places."""
        return _Points(*(getattr(self, name)[at] for name in self.__dataclass_fields__))


@dataclass(frozen=True, eq=False)
class _Search:
    """Search for the ends of the intervals of all curves of a problem.

    Parameters
    ----------
    problem : Problem
    surface : Surface
    estimate, se : ndarray, shape (n_curve, n_par)
    quantile : float
        Half-width of an interval in standard errors, where the curve is linear.
    least, rise : ndarray, shape (n_curve,)
        Cost at the estimates, and by how much it is more at the ends of an interval.
    """

    problem: Problem
    surface: Surface
    estimate: Array
    se: Array
    quantile: float
    least: Array
    rise: Array

    def ends(self, column: int, sign: int) -> Array:
        """Lower (-1) or upper (1) ends of the interval of one parameter, shape (n_curve,); NaN where it is unknown."""
        value = self.estimate[:, column]
        found = np.full(value.shape, np.nan)
        size = (self.problem.row_weights * self.problem.row_activity**2).sum(axis=1)
        known = np.isfinite(value) & np.isfinite(self.least)
        silent = known & (self.least <= NO_NOISE * size)
        found[silent] = value[silent]
        curves = np.flatnonzero(known & ~silent)
        if curves.size:
            found[curves] = self._ends(curves, column, sign)
        return found

    def _ends(self, curves: Index, column: int, sign: int) -> Array:
        start, n = self.estimate[curves, column], curves.size
        scale = self._scale(curves, column)
        inside = _Points(start.copy(), start.copy(), np.zeros(n), self.surface.theta[curves].copy())
        outside = _Points(*(np.array(part) for part in (start, start, np.full(n, np.inf), inside.theta)))
        step = self.quantile * scale
        farthest = BEYOND * np.maximum(np.abs(start), scale)
        going = np.arange(n)
        while going.size:
            aim = start[going] + sign * step[going]
            there = self._at(curves[going], column, scale[going], aim, inside.theta[going])
            met = there.root >= 1
            outside.put(going[met], there.take(np.flatnonzero(met)))
            inside.put(going[~met], there.take(np.flatnonzero(~met)))
            going = going[~met & (step[going] <= farthest[going])]
            step[going] *= 2
        ends = np.full(n, sign * np.inf)
        if sign < 0:  # an end that a bound makes
            walled = np.abs(inside.aim - inside.value) > np.abs(inside.aim - start) / 2
            ends[walled] = inside.value[walled]
        bracketed = np.flatnonzero(np.isfinite(outside.root))
        last = self._refined(curves, column, scale, inside, outside, bracketed)
        ends[bracketed] = last.value
        if sign > 0:
            far = np.abs(last.value) > FAR * np.maximum(np.abs(start[bracketed]), LEAST_SIZE)
            ends[bracketed[far & self._bounded(last.theta)]] = np.inf
        return ends

    def _bounded(self, theta: Array) -> npt.NDArray[np.bool_]:
        """Whether a bound other than 0 holds one of the free parameters, shape (n,)."""
        limits = (self.surface.lower, self.surface.upper)
        held = [((theta == limit) & (limit != 0)).any(axis=1) for limit in limits]
        return np.asarray(held[0] | held[1])

    def _refined(
        self, curves: Index, column: int, scale: Array, inside: _Points, outside: _Points, at: Index
    ) -> _Points:
        """Ends between a point inside of the interval and one outside, by false position (Illinois)."""
        ends = inside.take(np.arange(scale.size))
        left, right = inside.root - 1, outside.root - 1
        side = np.zeros(scale.shape, dtype=int)
        active = at
        for _ in range(MOST_REFINEMENTS):
            share = left[active] / (left[active] - right[active])
            aim = inside.aim[active] + share * (outside.aim[active] - inside.aim[active])
            there = self._at(curves[active], column, scale[active], aim, inside.theta[active])
            ends.put(active, there)
            over = there.root >= 1
            for points, own, other, mine, which in (
                (outside, right, left, over, 1), (inside, left, right, ~over, -1)
            ):  # fmt: skip
                rows = active[mine]
                points.put(rows, there.take(np.flatnonzero(mine)))
                own[rows] = there.root[mine] - 1
                other[rows] *= np.where(side[rows] == which, 0.5, 1.0)
                side[rows] = which
            active = active[np.abs(there.root - 1) > SETTLED]
            if not active.size:
                break
        return ends.take(at)

    def _at(self, curves: Index, column: int, scale: Array, aim: Array, start: Array) -> _Points:
        """Fit with a pseudo-frame that draws the parameter to ``aim``."""
        target = np.column_stack([self.problem.row_activity[curves], aim])
        weights = np.column_stack([self.problem.row_weights[curves], PULL * self.rise[curves] / scale**2])

        def curve(theta: Array, index: Index) -> tuple[Array, Array]:
            fitted, jacobian = self.surface.curve(theta, curves[index])
            value, gradient = self.surface.parameters(theta)
            return (
                np.column_stack([fitted, value[:, column]]),
                np.concatenate([jacobian, gradient[:, [column]]], axis=1),
            )

        found = bounded_fit(curve, start, target, weights, self.surface.lower, self.surface.upper)
        value = found.fitted[:, -1]
        cost = (weights * (target - found.fitted) ** 2)[:, :-1].sum(axis=1)
        excess = np.maximum(cost - self.least[curves], 0) / self.rise[curves]
        return _Points(aim, value, np.sqrt(excess), found.theta)

    def _scale(self, curves: Index, column: int) -> Array:
        """Standard error where it is known and not above the size of the estimate, else that size."""
        size = np.maximum(np.abs(self.estimate[curves, column]), LEAST_SIZE)
        se = self.se[curves, column]
        return np.asarray(np.where((se > 0) & (se < size), se, size))
