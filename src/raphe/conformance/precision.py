"""How well a noisy curve can tell each parameter: the bound of Cramer and Rao, from the true curve's derivatives.

No unbiased estimate has a smaller standard error. A parameter whose bound is above its own size is not told by such a
scan, whatever the software; one whose bound is a small part of it is, and its interval is to cover the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from raphe.conformance.cases import HALF_LIFE, NOISE_LEVEL, Case, Truth, cases, edges
from raphe.conformance.closed import ZERO, Closed, exact
from raphe.conformance.noise import noise_sd
from raphe.conformance.solver import displaced
from raphe.conformance.tissue import compartments, plasma, reference, seen, whole_blood

Array = npt.NDArray[np.float64]
Derived = Callable[[Truth], Truth]

STEP = Decimal("1e-9")
"""Relative step of the central differences of closed forms."""

SOLVER_STEP = Decimal("1e-4")
"""The same where the solver gives the curve."""

FREE: Mapping[str, tuple[str, ...]] = {
    "1tissue": ("K1", "k2", "V_B"),
    "2tissue": ("K1", "k2", "k3", "k4", "V_B"),
    "irreversible": ("K1", "k2", "k3", "V_B"),
    "1tissue-reference": ("R1", "k2", "k2a"),
    "2tissue-reference": ("R1", "k2", "k3", "k4"),
    "irreversible-reference": ("R1", "k2", "k3"),
    "release-gamma": ("R1", "k2", "k2a", "gamma", "t_D", "t_P", "alpha"),
    "release-fading": ("R1", "k2", "k2a", "gamma", "tau"),
}
"""Parameters of a curve of each family, the input or the reference being known."""

FIXED: Mapping[str, tuple[str, ...]] = {
    "1tissue": ("n/a", "V_B"),
    "2tissue": ("n/a", "V_B", "together"),
    "irreversible": ("n/a", "V_B"),
    "1tissue-reference": ("n/a", "k2_prime"),
    "2tissue-reference": ("n/a",),
    "irreversible-reference": ("n/a",),
    "release-gamma": ("n/a", "t_D"),
    "release-fading": ("t_D",),
    "one-tracer": (),
}
"""What a model may be told besides, none where the input is not known; with k2' the free k2 is R1 k2'. The fading
release is known to begin at t_D.

``together`` is not told, but common to several cases: V_ND to all noisy cases that have the same.
"""


def relative_se(case: Case, schedule: str, fixed: str) -> dict[str, float]:
    """Smallest standard error of each parameter as a share of its value, at the stated noise.

    Parameters
    ----------
    case : Case
    schedule : str
    fixed : str
        Parameter that is known, or ``together``, of :data:`FIXED`; ``n/a`` for none.

    Returns
    -------
    dict of str to float
        By symbol; of what is free, and of what follows from it.
    """
    information, gradient = _information(case, schedule, fixed)
    if fixed == "together":
        information = information + _of_others(case, schedule) * np.outer(gradient["V_ND"], gradient["V_ND"])
    covariance = np.linalg.inv(information)
    return {symbol: float(np.sqrt(g @ covariance @ g)) for symbol, g in gradient.items() if symbol != fixed}


def _of_others(case: Case, schedule: str) -> float:
    """What the other noisy cases of the same V_ND tell about its logarithm: 1/variance."""
    total = 0.0
    for other in cases(case.family):
        if other.noisy and other.name != case.name and other.truth["V_ND"] == case.truth["V_ND"]:
            information, gradient = _information(other, schedule, "n/a")
            total += 1 / float(gradient["V_ND"] @ np.linalg.inv(information) @ gradient["V_ND"])
    return total


def _information(case: Case, schedule: str, fixed: str) -> tuple[Array, dict[str, Array]]:
    """Information on the logarithms of the free parameters, and the derivative of each symbol's logarithm by them."""
    known = "k2_prime" if fixed == "k2_prime" else None
    free = [name for name in FREE[case.family] if name != fixed and not (known and name == "k2")]
    jacobian, columns = [], []
    with exact():
        middle = _complete(case, case.truth, known)
        curve = _curve(case, middle, schedule)
        sd = noise_sd(curve, np.array([float(time) for time in edges(schedule)]), float(HALF_LIFE), float(NOISE_LEVEL))
        step = SOLVER_STEP if "gamma" in case.truth else STEP
        width = float(2 * step)
        for name in free:
            up, down = (_complete(case, {**middle, name: middle[name] * (1 + sign * step)}, known) for sign in (1, -1))
            jacobian.append((_curve(case, up, schedule) - _curve(case, down, schedule)) / width / sd)
            columns.append([float((up[symbol] - down[symbol]) / middle[symbol]) / width for symbol in middle])
    design = np.stack(jacobian, axis=-1)
    return np.asarray(design.T @ design), dict(zip(middle, np.array(columns).T, strict=True))


def _complete(case: Case, theta: Truth, known: str | None) -> Truth:
    """Parameters of a curve, and what follows from them; a fixed k2' gives k2."""
    k = {name: theta[name] for name in FREE[case.family]}
    if known:
        k["k2"] = k["R1"] * case.truth[known]
    return {**k, **_FOLLOWING[case.family](k)}


def _one_tissue(k: Truth) -> Truth:
    return {"V_T": k["K1"] / k["k2"]}


def _two_tissue(k: Truth) -> Truth:
    V_ND, BP_ND = k["K1"] / k["k2"], k["k3"] / k["k4"]
    return {"V_T": V_ND * (1 + BP_ND), "V_ND": V_ND, "V_S": V_ND * BP_ND, "BP_P": V_ND * BP_ND, "BP_ND": BP_ND}


def _irreversible(k: Truth) -> Truth:
    return {"V_ND": k["K1"] / k["k2"], "K_i": k["K1"] * k["k3"] / (k["k2"] + k["k3"])}


def _binding(k: Truth) -> Truth:
    return {"BP_ND": k["k2"] / k["k2a"] - 1, "k2_prime": k["k2"] / k["R1"]}


def _full_reference(k: Truth) -> Truth:
    return {"BP_ND": k["k3"] / k["k4"], "k2_prime": k["k2"] / k["R1"]}


def _influx(k: Truth) -> Truth:
    return {"K_i_ref": k["k2"] * k["k3"] / (k["k2"] + k["k3"])}


def _released(k: Truth) -> Truth:
    BP_ND = k["k2"] / k["k2a"] - 1
    lowest = k["k2"] / (k["k2a"] + k["gamma"]) - 1
    return {**_binding(k), "displacement": 1 - lowest / BP_ND}


_FOLLOWING: Mapping[str, Derived] = {
    "1tissue": _one_tissue,
    "2tissue": _two_tissue,
    "irreversible": _irreversible,
    "1tissue-reference": _binding,
    "2tissue-reference": _full_reference,
    "irreversible-reference": _influx,
    "release-gamma": _released,
    "release-fading": _released,
}


def _curve(case: Case, k: Truth, schedule: str) -> Array:
    """Means over the frames, shape (n_frame,), kBq/mL; the reference, where there is one, stays the true one."""
    if "gamma" in k:
        truth = {name: float(value) for name, value in {**case.truth, **k}.items()}
        return np.asarray(displaced({**truth, "k2_prime": float(case.truth["k2_prime"])}, schedule)["average"][0])
    if "R1" in k:
        curve = behind_reference(reference(case.truth["k2_prime"]), k)
    else:
        tissue = compartments(plasma(), k["K1"], k["k2"], k.get("k3", ZERO), k.get("k4", ZERO))
        curve = tissue.times(1 - k["V_B"]) + whole_blood().times(k["V_B"])
    return np.array([float(value) for value in seen(curve, schedule)["average"]])


def behind_reference(curve: Closed, k: Truth) -> Closed:
    r"""Target behind the curve of a reference: :math:`R_1 [C_R + (A e^{-at} + B e^{-bt}) \otimes C_R]`."""
    R1, inflow = k["R1"], k["k2"] / k["R1"]
    if "k2a" in k:
        return curve.times(R1) + curve.convolved(k["k2a"]).times(R1 * (inflow - k["k2a"]))
    k2, k3, k4 = k["k2"], k["k3"], k.get("k4", ZERO)
    total = k2 + k3 + k4
    root = (total**2 - 4 * k2 * k4).sqrt()
    fast, slow = (total + root) / 2, (total - root) / 2 if k4 else ZERO
    A = (inflow - fast) * (k3 + k4 - fast) / (slow - fast)
    B = (inflow - slow) * (k3 + k4 - slow) / (fast - slow)
    return (curve + curve.convolved(fast).times(A) + curve.convolved(slow).times(B)).times(R1)
