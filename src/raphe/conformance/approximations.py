"""What a model gives, computed exactly, for a tissue that is not the model's: its bias, which is no software's fault.

Every term of a model's equation is the closed form of the true curve, so there is no error of drawing curves through
frames; what is left is the misfit of the model. It depends on how frames are weighted and read, so each is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize_scalar

from raphe.conformance.cases import HALF_LIFE, NOISE_LEVEL, Case, edges
from raphe.conformance.closed import ZERO, Closed, exact
from raphe.conformance.noise import decay_weights, noise_sd
from raphe.conformance.tissue import compartments, plasma, reference, seen, target, whole_blood

Array = npt.NDArray[np.float64]

T_STAR = 30.0
"""Beginning of the late frames of graphical analysis, min."""

RATES = np.geomspace(1e-4, 2.0, 241)
"""Rate constants, 1/min, between whose answers a spline runs in the search for the best one."""

WEIGHTS = ("decay", "duration", "uniform")
"""Kinds of weights by which approximations are computed."""

N_REPEAT = 4000
"""Noisy repeats over which the bias by noise is averaged."""

SEED = 1


@dataclass(frozen=True, eq=False)
class Terms:
    """What enters the equations, at the frames; one row a curve where there are more.

    Parameters
    ----------
    C, area : ndarray, shape (..., n_frame)
        Tissue without blood, kBq/mL, and its integral from injection on.
    D, delivered : ndarray, shape (n_frame,)
        Plasma or reference, and its integral.
    weights : ndarray, shape (..., n_frame)
    late : ndarray of bool, shape (n_frame,)
    k2_prime : float
    """

    C: Array
    area: Array
    D: Array
    delivered: Array
    weights: Array
    late: npt.NDArray[np.bool_]
    k2_prime: float = np.nan


def _solve(left: Array, columns: tuple[Array, ...], weights: Array) -> Array:
    """Weighted least squares, shape (..., n_column)."""
    design = np.stack(np.broadcast_arrays(*columns), axis=-1)
    normal = np.einsum("...fp,...f,...fq->...pq", design, weights, design)
    right = np.einsum("...fp,...f,...f->...p", design, weights, left)
    return np.asarray(np.linalg.solve(normal, right[..., None])[..., 0])


def _mrtm1(t: Terms) -> Array:
    k2, minus_k2a, _ = np.moveaxis(_solve(t.C, (t.delivered, t.area, t.D), t.weights), -1, 0)
    return np.asarray(-k2 / minus_k2a - 1)


def _mrtm2(t: Terms) -> Array:
    k2, minus_k2a = np.moveaxis(_solve(t.C, (t.delivered + t.D / t.k2_prime, t.area), t.weights), -1, 0)
    return np.asarray(-k2 / minus_k2a - 1)


def _logan_ref(t: Terms) -> Array:
    return _logan_line(t, t.delivered + t.D / t.k2_prime) - 1


def _logan(t: Terms) -> Array:
    return _logan_line(t, t.delivered)


def _logan_line(t: Terms, delivered: Array) -> Array:
    C, late = t.C[..., t.late], t.late
    return _solve(t.area[..., late] / C, (delivered[late] / C, np.ones_like(C)), t.weights[..., late])[..., 0]


def _ma1(t: Terms) -> Array:
    late = t.late
    inflow, outflow = np.moveaxis(
        _solve(t.C[..., late], (t.delivered[late], t.area[..., late]), t.weights[..., late]), -1, 0
    )
    return np.asarray(-inflow / outflow)


def _patlak(t: Terms) -> Array:
    late = t.late
    D = t.D[late]
    return _solve(t.C[..., late] / D, (t.delivered[late] / D, np.ones_like(D)), t.weights[..., late])[..., 0]


LINEAR: Mapping[str, tuple[str, Callable[[Terms], Array]]] = {
    "MRTM1": ("2tissue-reference", _mrtm1),
    "MRTM2": ("2tissue-reference", _mrtm2),
    "LoganRef": ("2tissue-reference", _logan_ref),
    "Logan": ("2tissue", _logan),
    "MA1": ("2tissue", _ma1),
    "Patlak": ("irreversible", _patlak),
    "PatlakRef": ("irreversible-reference", _patlak),
}
"""Models that are linear regressions: the family that they only approximate, and the regression."""

SEARCHED: Mapping[str, str] = {"SRTM": "2tissue-reference", "SRTM2": "2tissue-reference", "1TCM": "2tissue"}
"""Models with a search for one rate constant, and the family that they only approximate."""

NOISE_BIAS: Mapping[str, str] = {"Logan": "1tissue", "LoganRef": "1tissue-reference", "MA1": "1tissue"}
"""Models whose estimate noise biases although they are exact without it, and the family on which that is shown."""

FAMILY: Mapping[str, str] = {**{name: family for name, (family, _) in LINEAR.items()}, **SEARCHED}


def expected(model: str, case: Case, schedule: str, reading: str) -> dict[str, float]:
    """The macro parameter that the model gives without noise, by the weights of the frames."""
    terms = _terms(case, schedule, reading)
    measured = _floats(target(case), schedule)[reading]
    border = _border(schedule)
    weights = {
        "decay": decay_weights(measured, border, float(HALF_LIFE)),
        "duration": np.diff(border),
        "uniform": np.ones(len(measured)),
    }
    if model in LINEAR:
        of = LINEAR[model][1]
        return {name: float(of(replace(terms, weights=w))) for name, w in weights.items()}
    return {name: _searched(model, case, schedule, reading, measured, w) for name, w in weights.items()}


def noise_bias(model: str, case: Case, schedule: str) -> dict[str, float]:
    """Mean error, as a share of the truth, over :data:`N_REPEAT` noisy repeats of the averages of frames, by weights.

    The integral of the noise is that of a curve that is level within each frame.
    """
    terms, border = _terms(case, schedule, "average"), _border(schedule)
    V_B = float(case.truth.get("V_B", ZERO))
    measured = _floats(target(case), schedule)["average"]
    sd = noise_sd(measured, border, float(HALF_LIFE), float(NOISE_LEVEL)) / (1 - V_B)
    noise = sd * np.random.default_rng(SEED).normal(size=(N_REPEAT, sd.size))
    length = np.diff(border)
    area = np.cumsum(noise * length, axis=-1) - noise * length / 2
    noisy = replace(terms, C=terms.C + noise, area=terms.area + area)
    symbol = "V_T" if "V_T" in case.truth else "BP_ND"
    true = float(case.truth[symbol])
    weights = {"decay": decay_weights(measured, border, float(HALF_LIFE)), "uniform": np.ones(sd.size)}
    return {name: float(np.mean(LINEAR[model][1](replace(noisy, weights=w))) / true - 1) for name, w in weights.items()}


def _terms(case: Case, schedule: str, reading: str) -> Terms:
    k = case.truth
    with exact():
        tissue = compartments(plasma(), k["K1"], k.get("k2a", k["k2"]), k.get("k3", ZERO), k.get("k4", ZERO))
        behind = reference(k["k2_prime"]) if "k2_prime" in k else plasma()
        C, area, D, delivered = (
            _floats(curve, schedule)[reading] for curve in (tissue, tissue.integral(), behind, behind.integral())
        )
    border = _border(schedule)
    late = (border[:-1] + border[1:]) / 2 >= T_STAR
    return Terms(C, area, D, delivered, np.ones_like(C), late, float(k.get("k2_prime", "nan")))


def _searched(model: str, case: Case, schedule: str, reading: str, measured: Array, weights: Array) -> float:
    """Search the rate constant whose best curve is nearest."""
    name = str(case.truth["k2_prime"]) if "k2_prime" in case.truth else ""
    behind = reference(case.truth["k2_prime"]) if name else plasma()
    D = _floats(behind, schedule)[reading]
    blood = _floats(whole_blood(), schedule)[reading]
    k2_prime = float(case.truth.get("k2_prime", "nan"))
    answers = _answers(name, schedule, reading)

    def fitted(log_rate: float) -> tuple[float, Array, float]:
        rate = float(np.exp(log_rate))
        tail = answers(log_rate)
        if model == "SRTM":
            columns: tuple[Array, ...] = (D, tail)
        elif model == "SRTM2":
            columns = (D + (k2_prime - rate) * tail,)
        else:
            columns = (tail, blood)
        theta = _solve(measured, columns, weights)
        if model == "1TCM" and theta[1] < 0:
            theta = np.append(_solve(measured, columns[:1], weights), 0.0)
        residual = measured - np.stack(columns, axis=-1) @ theta
        return float((weights * residual**2).sum()), theta, rate

    grid = np.log(RATES)
    best = int(np.argmin([fitted(x)[0] for x in grid]))
    around = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
    place = minimize_scalar(lambda x: fitted(x)[0], bounds=around, method="bounded", options={"xatol": 1e-10}).x
    _, theta, rate = fitted(float(place))
    if model == "SRTM":
        return float((theta[1] + theta[0] * rate) / rate - 1)
    if model == "SRTM2":
        return float(theta[0] * k2_prime / rate - 1)
    return float(theta[0] / (1 - theta[1]) / rate)


@cache
def _answers(reference_name: str, schedule: str, reading: str) -> CubicSpline:
    """Answer of one compartment to plasma or a reference, by the logarithm of its rate constant."""
    rows = [values[reading] for values in _answer_table(reference_name, schedule)]
    return CubicSpline(np.log(RATES), np.array(rows))


@cache
def _answer_table(reference_name: str, schedule: str) -> tuple[Mapping[str, Array], ...]:
    with exact():
        curve = reference(Decimal(reference_name)) if reference_name else plasma()
        return tuple(_floats(curve.convolved(Decimal(f"{rate:.12g}")), schedule) for rate in RATES)


def _floats(curve: Closed, schedule: str) -> dict[str, Array]:
    return {reading: np.array([float(v) for v in values]) for reading, values in seen(curve, schedule).items()}


def _border(schedule: str) -> Array:
    return np.array([float(time) for time in edges(schedule)])
