"""The time from which a curve's equations hold: a search for t*."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.core.graphical import Plot
from raphe.core.sampling import sampling
from raphe.data.blood import PlasmaInput
from raphe.data.fit import KineticFit
from raphe.data.record import Step
from raphe.data.tacs import TACs
from raphe.errors import InputError, ModelError, TimingError
from raphe.kinetics.fit import fit
from raphe.kinetics.protocol import KineticModel, Problem, least_frames

Array = npt.NDArray[np.float64]

LIMIT = 10.0
"""Largest deviation that is allowed, per cent: what PMOD begins with."""

SHARE = 0.8
"""Share of the regions whose own t* must have been reached by the t* of a scan; an assumption.

All of them would let the noisiest region decide, which may have no t* at all. Of fewer than five regions it is all.
"""


@runtime_checkable
class Graphical(Protocol):
    """A model whose points may be looked at beside their line."""

    def plot(self, problem: Problem) -> Plot:
        """Line of every curve from t* on."""
        ...


@dataclass(frozen=True, eq=False)
class TStar:
    """The t* of each curve of a scan.

    Parameters
    ----------
    names : tuple of str, length n_curve
    t_star : ndarray, shape (n_curve,), min
        Start of the first frame that is fitted. NaN where none will do.
    deviation : ndarray, shape (n_curve,), per cent
        Largest deviation that is left from there on; where there is no t*, the smallest of those that were tried.
    limit : float, per cent
    """

    names: tuple[str, ...]
    t_star: Array
    deviation: Array
    limit: float


def search_t_star(
    model: KineticModel,
    tacs: TACs,
    *,
    reference: str | Array | None = None,
    plasma: PlasmaInput | None = None,
    weights: str | Array = "decay",
    half_life: float | None = None,
    convention: str = "average",
    limit: float = LIMIT,
) -> tuple[TStar, Step]:
    """Earliest t* of each curve from which no frame strays from the regression by ``limit`` or more.

    The criterion of PMOD ("Max Err."): with the frames at or after t* fitted, the largest of |measured - predicted| /
    |predicted| over them is below the limit. For the Logan and Patlak plots that is the distance of a point from its
    line along the ordinate; for the multilinear models, whose left side is the curve, the distance of the curve from
    the fitted one. At least one frame more than a fit needs is left (:func:`raphe.kinetics.protocol.least_frames`), for
    fewer lie on any line.

    The criterion knows nothing of noise: a noisy curve gets a later t*, or none, and one that bends gently an earlier
    one than it should have. Look at the plot.

    Parameters
    ----------
    model : KineticModel
        With a t*; the value that it has is of no account.
    tacs, reference, plasma, weights, half_life, convention
        As for :func:`raphe.kinetics.fit.fit`.
    limit : float, per cent

    Returns
    -------
    TStar
    Step

    Raises
    ------
    ModelError
        If the model has no t*.
    InputError, TimingError
        If the limit is not positive, the scan has too few frames for any t*, or :func:`raphe.kinetics.fit.fit` refuses
        the input.
    """
    if not hasattr(model, "t_star"):
        raise ModelError(f"{model.name} fits the whole curve and has no t_star to search for; leave it out")
    if not 0 < limit < math.inf:
        raise InputError(f"the largest deviation allowed is {limit:g} %; give a positive one, e.g. {LIMIT:g}")
    t_star: Array | None = None
    for start in _starts(tacs.frames, weights, least_frames(model) + 1, model.name):
        tried = dataclasses.replace(model, t_star=start)  # type: ignore[type-var]
        found, _ = fit(
            tried, tacs, reference=reference, plasma=plasma, weights=weights, half_life=half_life, convention=convention
        )
        largest = 100 * _largest_deviation(tried, found, plasma)
        if t_star is None:
            names, t_star, deviation = found.names, np.full(largest.size, np.nan), np.full(largest.size, np.nan)
        open_ = np.isnan(t_star)
        reached = open_ & (largest < limit)
        t_star[reached] = start
        deviation[open_] = np.where(reached, largest, np.fmin(deviation, largest))[open_]
        if not np.isnan(t_star).any():
            break
    assert t_star is not None, "_starts gives one at least"
    step = Step(
        "t_star_search",
        {"model": model.name, "limit": limit, "n_curves": len(names), "n_found": int(np.isfinite(t_star).sum())},
        citations=model.citations,
    )
    return TStar(names, t_star, deviation, limit), step


def t_star_of_scan(found: TStar, *, regions: Sequence[str] | None = None, share: float = SHARE) -> tuple[float, Step]:
    """One t* for all curves of a scan: the earliest that ``share`` of the regions have reached.

    A region without a t* of its own counts as one that never reaches it.

    Parameters
    ----------
    found : TStar
    regions : sequence of str, optional
        Those that decide, of the names in ``found``; default all.
    share : float
        Above 0, up to 1.

    Returns
    -------
    float
        min
    Step

    Raises
    ------
    InputError
        If a region is not there, or too many have no t*.
    """
    if not 0 < share <= 1:
        raise InputError(f"the share of the regions that must have reached t* is {share:g}; give one above 0, up to 1")
    for name in regions or ():
        if name not in found.names:
            raise InputError(f"there is no region {name!r} with a t*; there are {', '.join(found.names)}")
    names = tuple(regions or found.names)
    own = np.array([found.t_star[found.names.index(name)] for name in names])
    needed = math.ceil(share * len(own) - 1e-9)
    value = float(np.sort(np.nan_to_num(own, nan=math.inf))[needed - 1])
    if value == math.inf:
        without = [name for name, t in zip(names, own, strict=True) if math.isnan(t)]
        few = ", ".join(without[:6]) + (", ..." if len(without) > 6 else "")
        raise InputError(
            f"no t* within {found.limit:g} % was found for {len(without)} of {len(own)} regions ({few}), more than may "
            "be left out; allow a larger deviation, name the regions that are to decide, or give t_star as a number "
            "(--t-star MIN)"
        )
    return value, Step(
        "t_star", {"value": value, "limit": found.limit, "share": share, "regions": names, "n_reached": needed}
    )


def _starts(frames: Frames, weights: str | Array, least: int, model: str) -> list[float]:
    """Starts of the frames that leave at least ``least`` frames of some weight, as t*, ascending."""
    given = np.ones(len(frames)) if isinstance(weights, str) else np.asarray(weights, dtype=float)
    if given.shape[-1:] != (len(frames),):
        given = np.ones(len(frames))  # fit() says what is wrong with these weights
    counted = np.asarray((np.atleast_2d(given) > 0).all(axis=0))
    left = np.cumsum(counted[::-1])[::-1]
    t_star = np.maximum(frames.start, 0)
    starts = [float(t) for t in t_star[counted & (left >= least) & (frames.mid >= t_star)]]
    if not starts:
        raise TimingError(
            f"the search for t* of {model} needs at least {least} frames, but the scan has {int(counted.sum())}; give "
            "t_star as a number"
        )
    return starts


def _largest_deviation(model: KineticModel, found: KineticFit, plasma: PlasmaInput | None) -> Array:
    """Largest relative deviation of the fitted frames of each curve, shape (n_curve,); NaN where it was not fitted."""
    rows = np.flatnonzero(found.weights.max(axis=0) > 0)
    good = np.flatnonzero(np.isfinite(found.value).all(axis=-1))
    largest = np.full(len(found.names), np.nan)
    if not good.size:
        return largest
    curves, weights = found.activity[good], found.weights[good]
    if isinstance(model, Graphical):
        problem = Problem(sampling(found.frames, found.convention), curves, weights, rows, found.reference, plasma)
        deviation = model.plot(problem).deviation
    else:
        fitted = found.fitted[np.ix_(good, rows)]
        with np.errstate(divide="ignore", invalid="ignore"):
            deviation = (curves[:, rows] - fitted) / fitted
    largest[good] = np.abs(deviation).max(axis=-1)
    return largest
