"""What a kinetic model is: a frozen set of assumptions with one pure function, and no data.

A model is written in one file of :mod:`raphe.kinetics.models` as a frozen dataclass. Its fields are what it assumes
(``MRTM2(k2_prime=0.06)``), its class attributes say what it is called, what it needs and what it gives, and
:meth:`KineticModel.estimate` turns a :class:`Problem` into a :class:`Solution`. It neither checks input nor judges its
own answer beyond its search: :func:`raphe.kinetics.fit.fit` does both, once, for all models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from raphe.core.nonlinear import ProfileFit, profile_fit
from raphe.core.piecewise import PiecewiseLinear
from raphe.core.rate_table import RateTable
from raphe.core.sampling import Sampling
from raphe.data.blood import PlasmaInput
from raphe.errors import ModelError
from raphe.nomenclature import SYMBOLS
from raphe.quality import Quality

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Problem:
    """Curves to be fitted; checked, finite, and on one schedule.

    Parameters
    ----------
    sampling : Sampling
        How the frames' values and the curves behind them belong together.
    activity : ndarray, shape (n_curve, n_frame), kBq/mL
        In single precision at most where the model says that it takes it (:class:`KineticModel`).
    weights : ndarray, shape (n_curve, n_frame)
        1/variance up to a factor for each curve; positive at the frames in ``rows``.
    rows : ndarray of int, shape (n_row,)
        Frames that are fitted. A frame that stands twice counts twice. Frames that are not in ``rows`` still feed the
        integrals and convolutions.
    reference : ndarray, shape (n_frame,), kBq/mL, or None
        Curve of the reference region.
    plasma : PlasmaInput or None
        Arterial input, with whole blood where the model needs it.
    first : Solution or None
        Answer to the same curves under other weights, near which a search may begin.
    errors : bool
        False where standard errors are not wanted; a model may then leave them NaN.
    drawn : bool
        False where the fitted curves are not wanted; a model may then leave them out, shape (0, n_row).
    """

    sampling: Sampling
    activity: Array
    weights: Array
    rows: npt.NDArray[np.intp]
    reference: Array | None = None
    plasma: PlasmaInput | None = None
    first: Solution | None = None
    errors: bool = True
    drawn: bool = True

    def late(self, t_star: float) -> Problem:
        """Problem that is fitted only where the middle of the frame is at or after ``t_star`` (min)."""
        return replace(self, rows=self.rows[self.sampling.frames.mid[self.rows] >= t_star])

    @property
    def reference_curve(self) -> Array:
        """The reference, for a model that needs one, shape (n_frame,), kBq/mL."""
        assert self.reference is not None, "fit() hands a reference to every model whose needs name one"
        return self.reference

    @property
    def parent(self) -> PiecewiseLinear:
        """Metabolite-corrected plasma, for a model that needs it, kBq/mL."""
        assert self.plasma is not None, "fit() hands a plasma input to every model whose needs name one"
        return self.plasma.parent

    @property
    def whole_blood(self) -> Array:
        """Whole blood as the frames see it, shape (n_frame,), kBq/mL; 0 where it is not known."""
        assert self.plasma is not None, "fit() hands a plasma input to every model whose needs name one"
        blood = self.plasma.whole_blood
        return np.zeros(len(self.sampling.frames)) if blood is None else self.sampling.seen(blood)

    @property
    def row_activity(self) -> Array:
        """Curves at the fitted frames, shape (n_curve, n_row), kBq/mL."""
        return np.ascontiguousarray(self.activity[:, self.rows])

    @property
    def row_weights(self) -> Array:
        """Weights at the fitted frames, shape (n_curve, n_row)."""
        return np.ascontiguousarray(self.weights[:, self.rows])

    @property
    def variance(self) -> Array:
        """Relative variance of every frame, 1/weight, shape (n_curve, n_frame); the largest where the weight is 0."""
        with np.errstate(divide="ignore"):
            variance = 1 / self.weights
        largest = np.where(np.isfinite(variance), variance, 0).max(axis=-1, keepdims=True)
        return np.where(np.isfinite(variance), variance, largest)


@dataclass(frozen=True, eq=False)
class Solution:
    """What a model gives for each curve.

    Parameters
    ----------
    value : ndarray, shape (n_curve, n_par)
        Parameters in the order of the model's ``parameters``.
    se : ndarray, shape (n_curve, n_par)
        Standard errors.
    fitted : ndarray, shape (n_curve, n_row), kBq/mL
        Activity that the model puts at the fitted frames; (0, n_row) where it was not wanted and is left out.
    wrss : ndarray, shape (n_curve,)
        Weighted sum of squared residuals that was minimised.
    rows : ndarray of int, shape (n_row,)
        Frames that were fitted.
    quality : ndarray of int, shape (n_curve,)
        Flags of the search: singular, at a bound, not converged.
    estimated_input : PiecewiseLinear or None, kBq/mL
        Parent in plasma, where the model has estimated it with the curves.
    ends : ndarray, shape (n_curve, 2), or None
        Of the 95 % interval of the model's ``macro`` parameter, infinite where there is none on that side; None where
        its standard error says it all.
    """

    value: Array
    se: Array
    fitted: Array
    wrss: Array
    rows: npt.NDArray[np.intp]
    quality: npt.NDArray[np.int64]
    estimated_input: PiecewiseLinear | None = None
    ends: Array | None = None


@runtime_checkable
class KineticModel(Protocol):
    """A set of assumptions that can be fitted.

    Class attributes: ``name`` as in files, ``aliases`` also accepted, ``title`` in words, ``needs`` what it cannot do
    without (``"reference"``, ``"k2_prime"``, ``"plasma"``, or ``"samples"`` of the parent in plasma), ``parameters``
    the symbols that it gives, ``macro`` the one of them that it is used for, ``fits_curve`` whether its residuals are
    the curve's own, frame by frame, so that its AICc may be held against that of others, ``citations`` keys of the
    reference list. A field of the name of a symbol (``k2_prime``, ``V_B``, ``t_star``) is a value that is taken as
    known; where it is None, it is estimated or left out, as the model says. A model whose solutions have ``ends`` says
    so by ``gives_ends = True``; one that takes curves in single precision where neither errors nor fitted curves are
    wanted, with the same answer as from the same numbers in double precision, by ``takes_single = True``; one whose
    standard errors are not of the kind HC3, by ``errors = "HC2"``.
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]]
    title: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]
    parameters: ClassVar[tuple[str, ...]]
    macro: ClassVar[str]
    fits_curve: ClassVar[bool]
    citations: ClassVar[tuple[str, ...]]

    @property
    def n_free(self) -> int:
        """How many parameters are free in the fit."""
        ...

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        ...


@runtime_checkable
class CountingModel(KineticModel, Protocol):
    """A model that finds the weights that its first answer tells, and the answer under them, at once."""

    def estimate_counted(self, problem: Problem, counts: Array) -> Solution:
        """Parameters of every curve of the problem, whose weights are provisional and the same for all.

        Parameters
        ----------
        problem : Problem
        counts : ndarray, shape (n_row,), min
            Duration times the remaining share of the nuclide (:func:`raphe.core.weights.decay`).
        """
        ...


@dataclass(frozen=True)
class Example:
    """A model and a true tissue for it, on which the contract tests of every model run.

    Parameters
    ----------
    model : KineticModel
    truth : mapping of str to float
        Of a tissue behind a reference: ``R1``, ``k2_prime`` (1/min) and ``BP_ND``, one-tissue kinetics, or with ``k3``
        and ``k4`` (1/min) besides for two. Of a tissue behind plasma: ``K1`` (mL/cm3/min), ``k2`` and, for two
        compartments, ``k3`` and ``k4`` (1/min), ``V_B``; absent ones are 0. Further keys are what the model names.
    tolerance : float
        Largest relative error of the macro parameter (of 1 + BP_ND for BP_ND) from noise-free frame averages. Larger
        than 1e-3 only where the model is an approximation for such a tissue.
    """

    model: KineticModel
    truth: Mapping[str, float]
    tolerance: float


def least_frames(model: KineticModel) -> int:
    """Least number of frames that a fit takes: the model's own ``least_frames``, or else two more than ``n_free``."""
    return int(getattr(model, "least_frames", model.n_free + 2))


def kind_of_errors(model: KineticModel) -> str:
    """Kind of a model's heteroscedasticity-consistent standard errors: its own ``errors``, or else HC3."""
    return str(getattr(model, "errors", "HC3"))


COMPUTABLE_RATE = (1e-6, 1e6)
"""Range of an assumed rate constant, 1/min, far wider than that of any tissue."""


def rate_fit(problem: Problem, table: RateTable, counts: Array | None = None) -> ProfileFit:
    """Fit of one rate constant beside linear parameters.

    Parameters
    ----------
    problem : Problem
    table : RateTable
    counts : ndarray, shape (n_row,), optional
        As for :func:`raphe.core.nonlinear.profile_fit`.
    """
    curves, weights = (_framewise(each, problem.rows) for each in (problem.activity, problem.weights))
    return profile_fit(table, curves, weights, problem.errors, counts, problem.drawn)


def _framewise(values: Array, rows: npt.NDArray[np.intp]) -> Array:
    """Values at the fitted frames, (n_curve, n_row), frame after frame in memory; one row for all curves stays one."""
    if rows.size == values.shape[1]:
        return values
    if values.strides[0] == 0:
        return np.broadcast_to(values[:1, rows], (len(values), rows.size))
    return values.T[rows].T


def search_quality(found: ProfileFit) -> npt.NDArray[np.int64]:
    """Quality of a search over one rate constant, shape (n_curve,)."""
    flags = (
        (found.at_bound, Quality.AT_BOUND),
        (~found.converged, Quality.NOT_CONVERGED),
        (found.singular, Quality.SINGULAR),
    )
    return np.asarray(sum(where * np.uint8(flag) for where, flag in flags), dtype=np.int64)


def positive(model: str, symbol: str, value: float) -> None:
    """Refuse an assumed value that is not a positive number, or none that can be computed with.

    Raises
    ------
    ModelError
    """
    low, high = COMPUTABLE_RATE
    if not low <= value <= high:
        unit = SYMBOLS[symbol].unit
        raise ModelError(f"{model} needs a positive {symbol} in {unit}, {low:g} to {high:g}, but was given {value!r}")


def propagated(gradient: Array, covariance: Array) -> Array:
    """Propagate standard errors to functions of parameters by the delta method.

    Parameters
    ----------
    gradient : ndarray, shape (n_curve, n_out, n_par)
        Derivative of each function by each parameter.
    covariance : ndarray, shape (n_curve, n_par, n_par)

    Returns
    -------
    ndarray, shape (n_curve, n_out)
    """
    from raphe.core.propagation import errors_of  # numba, which is slow to import

    curves_last = (np.ascontiguousarray(np.moveaxis(each, 0, -1)) for each in (gradient, covariance))
    return errors_of(*curves_last).T


def curvewise(*columns: Array | float) -> Array:
    """Columns side by side along a new last axis; one that is the same for all curves is broadcast.

    In memory each column stays together, so that what is done with one of them goes through memory in its order.
    """
    return np.moveaxis(_stacked(columns), 0, -1)


def derivatives(*rows: Sequence[Array | float]) -> Array:
    """Derivatives of functions, a row each, by parameters, shape (n_curve, n_row, n_par); in memory as above."""
    columns = _stacked([entry for row in rows for entry in row])
    return np.moveaxis(columns.reshape(len(rows), len(rows[0]), -1), -1, 0)


def _stacked(entries: Sequence[Array | float]) -> Array:
    """Entries one after another along a new first axis, broadcast; with fewer steps than NumPy's own for any kind."""
    out = np.empty((len(entries), *np.broadcast_shapes(*(np.shape(entry) for entry in entries))))
    for row, entry in zip(out, entries, strict=True):
        row[...] = entry
    return out


def multilinear_noise(late: Problem, own: Array) -> Array:
    """How the frames' errors enter an equation that holds a curve and ``own`` times its integral on the other side.

    Parameters
    ----------
    late : Problem
        With the rows that are fitted.
    own : ndarray, shape (n_curve,), 1/min
        Coefficient of the curve's own integral.

    Returns
    -------
    ndarray, shape (n_curve, n_row, n_frame)
        S - own x L, with S picking the fitted frames and L their integral; the H of
        :func:`raphe.core.linear.covariance_both_sides`.
    """
    select = np.eye(len(late.sampling.frames))[late.rows]
    return np.asarray(select - own[:, None, None] * late.sampling.integral[late.rows])
