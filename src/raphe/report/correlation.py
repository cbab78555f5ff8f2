"""Two measurements of the same people against each other, with the line through them and what it is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from markupsafe import Markup
from scipy.special import stdtrit

from raphe.errors import InputError
from raphe.report import svg
from raphe.report.wording import count, fixed, general, listed, no_evidence, probability, short, span

Array = npt.NDArray[np.float64]

NAN = float("nan")

WIDTH, HEIGHT = 420.0, 300.0
TOP, FOOT, RIGHT = 10.0, 44.0, 10.0
"""px above, under and beside the axes."""

N_PLACE = 61
"""Places at which the band is drawn."""

LEVEL = 0.95

NONE = 1e-9
"""Spread of residuals, relative to that of the values, under which nothing is left of them."""


@dataclass(frozen=True)
class Axis:
    """What an axis is of: a name, written as a symbol where it is one, and its unit, empty for none."""

    name: str
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Scatter:
    """Two measurements of the same people, and their correlation.

    Parameters
    ----------
    participants : tuple of str, length n
    x, y : ndarray, shape (n,)
        NaN where a person has none.
    across, up : Axis
    r, low, high, p : float
        Correlation with its 95 % interval and two-sided p value; NaN where unknown.
    method : str
        ``pearson``, ``spearman`` and so on.
    groups : tuple of str, length n or 0
        For the colour of each dot.
    order : tuple of str
        Groups that come first: the colour goes by the place, and should be that of other figures.
    covariates : ndarray, shape (n, n_column), optional
        Columns of numbers that ``r`` is adjusted for.
    adjusted_for : tuple of str
        Names of what they hold.
    why : tuple of str, length n or 0
        Why a person is left out; empty where they are not.
    """

    participants: tuple[str, ...]
    x: Array
    y: Array
    across: Axis
    up: Axis
    r: float = NAN
    low: float = NAN
    high: float = NAN
    p: float = NAN
    method: str = "pearson"
    groups: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    covariates: Array | None = None
    adjusted_for: tuple[str, ...] = ()
    why: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.participants)
        for what, size in (("x", len(self.x)), ("y", len(self.y)), ("groups", len(self.groups) or n),
                           ("reasons", len(self.why) or n)):  # fmt: skip
            if size != n:
                raise InputError(f"a correlation has {n} participants but {size} values of {what}; give one each")
        if self.covariates is not None and (self.covariates.ndim != 2 or len(self.covariates) != n):
            raise InputError(
                f"covariates have shape {self.covariates.shape} for {n} participants; give a row a participant"
            )

    @property
    def counted(self) -> npt.NDArray[np.bool_]:
        """Who enters the line: those who have both values and every covariate, and are not left out."""
        found: npt.NDArray[np.bool_] = np.isfinite(self.x) & np.isfinite(self.y)
        if self.covariates is not None:
            found &= np.isfinite(self.covariates).all(axis=1)
        if self.why:
            found &= np.array([not why for why in self.why], dtype=bool)
        return found


class Line(NamedTuple):
    """Least squares line with the 95 % band of its height."""

    x: Array
    y: Array
    low: Array
    high: Array


def scatter_plot(found: Scatter, *, named: bool = True) -> Markup:
    """Draw the values of each person, and the line through those who are not left out with its 95 % band."""
    used = found.counted
    line = fitted_line(found.x[used], found.y[used])
    drawn = np.isfinite(found.x) & np.isfinite(found.y)
    label = f"{found.up.name} against {found.across.name}, one dot a person"
    return _plot(found, found.x, found.y, drawn, used, line, ("", ""), label, named)


def partial_plot(found: Scatter, *, named: bool = True) -> Markup:
    """Draw what the covariates leave of both measurements: the slope and correlation of the dots are the adjusted ones.

    Raises
    ------
    InputError
        If there are no covariates.
    """
    if found.covariates is None or not found.adjusted_for:
        raise InputError("there are no covariates to adjust for; draw the values themselves")
    used = found.counted
    x, y = (np.full(len(used), NAN) for _ in range(2))
    x[used], y[used] = (residuals(values[used], found.covariates[used]) for values in (found.x, found.y))
    line = fitted_line(x[used], y[used], found.covariates.shape[1])
    what = f"{found.up.name} against {found.across.name}, both without what {listed(found.adjusted_for)} tells of them"
    return _plot(found, x, y, used, used, line, ("", ", residual"), what, named)


def residuals(values: Array, covariates: Array) -> Array:
    """Values less what a constant and the covariates tell of them by least squares; exactly 0 where nothing is left.

    Parameters
    ----------
    values : ndarray, shape (n,)
    covariates : ndarray, shape (n, n_covariate)
    """
    if not len(values):
        return values
    design = np.column_stack([np.ones(len(values)), covariates - covariates.mean(axis=0)])
    left: Array = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return left if float(np.ptp(left)) > NONE * float(np.ptp(values)) else np.zeros_like(left)


def fitted_line(x: Array, y: Array, n_covariate: int = 0) -> Line | None:
    """Line of least squares and 95 % band of its height by t; None where there are too few people or x is constant.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
    n_covariate : int
        Parameters that residuals have already cost.
    """
    df = len(x) - 2 - n_covariate
    if df < 1 or not np.ptp(x) > 0:
        return None
    middle, spread = float(x.mean()), float(np.sum((x - x.mean()) ** 2))
    slope = float(np.sum((x - middle) * (y - y.mean())) / spread)
    at = np.linspace(float(x.min()), float(x.max()), N_PLACE)
    height = float(y.mean()) + slope * (at - middle)
    noise = float(np.sum((y - y.mean() - slope * (x - middle)) ** 2)) / df
    half = float(stdtrit(df, (1 + LEVEL) / 2)) * np.sqrt(noise * (1 / len(x) + (at - middle) ** 2 / spread))
    return Line(at, height, height - half, height + half)


def in_words(found: Scatter) -> str:
    """Correlation with its interval and p value, as a sentence that claims no more than the data do."""
    n = int(found.counted.sum())
    adjusted = f", adjusted for {listed(found.adjusted_for)}" if found.adjusted_for else ""
    what = f"{found.across.name} and {found.up.name}{adjusted}"
    if not math.isfinite(found.r):
        return f"The correlation of {what} could not be computed ({count(n, 'person', 'people')} with all values)."
    numbers = f"{numbers_of(found)}, {count(n, 'person', 'people')}"
    if not math.isfinite(found.p):
        return f"The correlation of {what} was not tested: {numbers}."
    if found.p < 1 - LEVEL:
        way = "lower" if found.r < 0 else "higher"
        return f"People with higher {found.across.name} had {way} {found.up.name}{adjusted}: {numbers}."
    return (
        f"The data do not show a correlation of {what}: {numbers}. {no_evidence('correlation', found.low, found.high)}"
    )


def numbers_of(found: Scatter) -> str:
    """Correlation with its interval and p value, in as few words as can be."""
    sign = {"pearson": "r", "spearman": "Spearman's \N{GREEK SMALL LETTER RHO}"}
    method = found.method.removeprefix("partial ")
    called = ("partial " if found.adjusted_for else "") + sign.get(method, f"{method} correlation")
    limits = span(found.low, found.high, 2)
    told = f"{called} = {fixed(found.r, 2)}" + (f" (95 % CI {limits})" if limits else "")
    return told + (f", p {_equals(found.p)}" if math.isfinite(found.p) else "")


def _equals(p: float) -> str:
    words = probability(p)
    return words if words.startswith("<") else f"= {words}"


def _plot(
    found: Scatter,
    x: Array,
    y: Array,
    drawn: npt.NDArray[np.bool_],
    used: npt.NDArray[np.bool_],
    line: Line | None,
    after: tuple[str, str],
    label: str,
    named: bool,
) -> Markup:
    bottom = HEIGHT - FOOT
    band = [] if line is None else [*line.low, *line.high]
    up = svg.scale([*y[drawn], *band], bottom, TOP, pad=0.06)
    left = 40 + svg.width_of(svg.number(tick) for tick in up.ticks())
    across = svg.scale(x[drawn], left, WIDTH - RIGHT, pad=0.06)
    parts = [svg.y_axis(up, left, right=WIDTH - RIGHT), svg.x_axis(across, bottom)]
    if line is not None:
        places = [across(float(v)) for v in line.x]
        low, high, height = (
            [(a, up(float(b))) for a, b in zip(places, values, strict=True)] for values in (line.low, line.high, line.y)
        )
        parts += [svg.area(high, low, "spanned"), svg.path(height, "through")]
    order = groups_of(found)
    for at in np.flatnonzero(drawn):
        kind = f"person s{order.index(found.groups[at]) % 6}" if found.groups else "person s0"
        place = across(float(x[at])), up(float(y[at]))
        parts.append(_dot(found, int(at), place, kind, bool(used[at]), named))
    ends = [f"{after[1]}{f', {axis.unit}' if axis.unit else ''}" for axis in (found.across, found.up)]
    most = int((WIDTH - RIGHT - left) / svg.CHARACTER), int((bottom - TOP) / svg.CHARACTER)
    names = [
        short(axis.name, max(n - len(end), 8))
        for axis, n, end in zip((found.across, found.up), most, ends, strict=True)
    ]
    parts.append(_title((left + WIDTH - RIGHT) / 2, bottom + 32, names[0], ends[0], turn=False))
    parts.append(_title(12, (bottom + TOP) / 2, names[1], ends[1], turn=True))
    return svg.drawing(WIDTH, HEIGHT, parts, label, in_words(found))


def _dot(found: Scatter, at: int, place: tuple[float, float], kind: str, used: bool, named: bool) -> str:
    why = found.why[at] if found.why else ""
    note = ""
    if named:
        reason = "" if used else f" (left out: {why or 'a covariate is missing'})"
        note = f"{found.participants[at]}: {general(float(found.x[at]))}, {general(float(found.y[at]))}{reason}"
    return svg.mark(*place, 3.4, kind if used else "hollow", note)


def _title(x: float, y: float, name: str, after: str, *, turn: bool) -> str:
    """Name of an axis; only what is written as a symbol is set as one."""
    stem, _, rest = name.partition(" ")
    if "_" in stem:
        return svg.symbol(x, y, stem, anchor="middle", after=(" " + rest if rest else "") + after, turn=turn)
    return svg.text(x, y, name + after, anchor="middle", turn=turn)


def groups_of(found: Scatter) -> Sequence[str]:
    """Groups in the order of their colours."""
    return tuple(dict.fromkeys((*found.order, *found.groups)))
