"""Curves of known truth behind a plasma input of Feng's form, averaged over frames.

Tissues with one or two compartments are in closed form; one with a release of endogenous ligand is solved as an ODE.
Nothing of the program under test is in the truth. What the program is handed as arterial input are straight lines
through the closed form, as near to it as a test asks for.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from scipy.integrate import solve_ivp

from raphe.core.decay import remaining
from raphe.core.frames import Frames
from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import PlasmaInput
from raphe.data.tacs import TACs
from raphe.kinetics import registry
from raphe.kinetics.protocol import KineticModel

Array = npt.NDArray[np.float64]

HALF_LIFE = 20.364
"""Of carbon-11, min."""


@dataclass(frozen=True)
class Feng:
    """(A1 u - A2 - A3) e^(l1 u) + A2 e^(l2 u) + A3 e^(l3 u), with u the time since it arrived; all in closed form."""

    amplitude: tuple[float, float, float]
    rate: tuple[float, float, float]
    delay: float = 0.0

    def __call__(self, time: Array) -> Array:
        u, (a, b, c), (p, q, r) = self._parts(time)
        return (a * u - b - c) * np.exp(p * u) + b * np.exp(q * u) + c * np.exp(r * u)

    def integral(self, time: Array) -> Array:
        u, (a, b, c), (p, q, r) = self._parts(time)
        first = a * (u * np.exp(p * u) - _rise(p, u)) / p - (b + c) * _rise(p, u)
        return first + b * _rise(q, u) + c * _rise(r, u)

    def second_integral(self, time: Array) -> Array:
        u, (a, b, c), (p, q, r) = self._parts(time)
        twice = {rate: (_rise(rate, u) - u) / rate for rate in (p, q, r)}
        first = a * ((u * np.exp(p * u) - _rise(p, u)) / p - twice[p]) / p - (b + c) * twice[p]
        return first + b * twice[q] + c * twice[r]

    def response(self, time: Array, rate: float) -> Array:
        """Its convolution with e^(-rate t)."""
        if rate == 0:
            return self.integral(time)
        u, (a, b, c), (p, q, r) = self._parts(time)
        fade = np.exp(-rate * u)

        def answer(other: float) -> Array:
            return (np.exp(other * u) - fade) / (other + rate)

        first = a * (u * np.exp(p * u) / (p + rate) - answer(p) / (p + rate)) - (b + c) * answer(p)
        return first + b * answer(q) + c * answer(r)

    def response_integral(self, time: Array, rate: float) -> Array:
        """Integral of :meth:`response`, of which c' = C - rate c."""
        return self.second_integral(time) if rate == 0 else (self.integral(time) - self.response(time, rate)) / rate

    def drawn(self, end: float, precision: float) -> PiecewiseLinear:
        """Straight lines that are within ``precision`` of the peak, knots where the curve bends."""
        u = np.concatenate([np.linspace(0, 3, 60001)[:-1], np.linspace(3, end - self.delay, 20001)])
        value = self(u + self.delay)
        bend = np.abs(np.gradient(np.gradient(value, u), u))
        step = np.sqrt(bend / (8 * precision * value.max()))
        count = np.concatenate([[0], np.cumsum(np.diff(u) * (step[1:] + step[:-1]) / 2)])
        knots = self.delay + np.interp(np.linspace(0, count[-1], int(1.2 * count[-1]) + 2), count, u)
        return PiecewiseLinear(knots, self(knots))

    def _parts(self, time: Array) -> tuple[Array, tuple[float, float, float], tuple[float, float, float]]:
        return np.maximum(np.asarray(time, dtype=float) - self.delay, 0), self.amplitude, self.rate


def _rise(rate: float, u: Array) -> Array:
    return np.expm1(rate * u) / rate


FENG = Feng((851.1225, 21.8798, 20.8113), (-4.1339, -0.1191, -0.0104))
"""Feng et al. 1993, Int J Biomed Comput 32:95: A1, A2, A3 and lambda1, lambda2, lambda3 (1/min)."""

WHOLE_BLOOD = Feng((640.0, 17.0, 24.0), (-4.0, -0.09, -0.004))
"""Fewer cells take up tracer than plasma has, and metabolites stay longer; an assumption."""


def schedule(*runs: tuple[int, float]) -> Frames:
    """Frames from runs of (number, seconds), without gaps, from injection on."""
    duration = np.concatenate([np.full(n, seconds / 60) for n, seconds in runs])
    return Frames(np.concatenate([[0.0], np.cumsum(duration)[:-1]]), duration)


FRAMES_38 = schedule((9, 10), (2, 15), (3, 20), (4, 30), (4, 60), (4, 180), (12, 360))
FRAMES_36 = schedule((6, 10), (3, 20), (6, 30), (5, 60), (5, 120), (8, 300), (3, 600))

RELEASE = ("gamma", "t_D", "t_P", "alpha", "tau")


@dataclass(frozen=True, eq=False)
class Subject:
    """One person's plasma, blood and reference tissue, and any target tissue, as the frames see them."""

    frames: Frames
    k2_prime: float = 0.1
    delay: float = 0.0
    K1_prime: float = 0.3

    @property
    def plasma(self) -> Feng:
        return dataclasses.replace(FENG, delay=self.delay)

    @property
    def whole_blood(self) -> Feng:
        return dataclasses.replace(WHOLE_BLOOD, delay=self.delay)

    def input(self, precision: float = 1e-6) -> PlasmaInput:
        """Arterial input for the program, in straight lines within ``precision`` of the peak."""
        end = float(self.frames.end[-1])
        return PlasmaInput(self.plasma.drawn(end, precision), self.whole_blood.drawn(end, precision))

    def _mean(self, integral) -> Array:
        return (integral(self.frames.end) - integral(self.frames.start)) / self.frames.duration

    def tissue_integral(self, time: Array, K1: float, k2: float, k3: float = 0.0, k4: float = 0.0) -> Array:
        """Area under a tissue of one or two compartments, kBq/mL min."""
        plasma = self.plasma
        if k3 == 0:
            return K1 * plasma.response_integral(time, k2)
        total = k2 + k3 + k4
        root = np.sqrt(total**2 - 4 * k2 * k4)
        fast, slow = (total + root) / 2, (total - root) / 2 if k4 > 0 else 0.0
        a, b = (fast - k3 - k4) / root, (k3 + k4 - slow) / root
        return K1 * (a * plasma.response_integral(time, fast) + b * plasma.response_integral(time, slow))

    def averages(self, K1: float, k2: float, k3: float = 0.0, k4: float = 0.0, V_B: float = 0.0) -> Array:
        """Tissue of one or two compartments and the blood in it."""
        tissue = self._mean(lambda t: self.tissue_integral(t, K1, k2, k3, k4))
        return (1 - V_B) * tissue + V_B * self._mean(self.whole_blood.integral)

    @cached_property
    def reference(self) -> Array:
        return self.averages(self.K1_prime, self.k2_prime)

    def target(self, R1: float, BP_ND: float) -> Array:
        """Averages of a target with R1 = K1 / K1' and k2 = R1 k2', slowed by binding to k2 / (1 + BP_ND)."""
        return self.averages(R1 * self.K1_prime, R1 * self.k2_prime / (1 + BP_ND))

    def of(self, truth) -> Array:
        """Averages of the tissue that ``truth`` tells of, in the keys of :class:`raphe.kinetics.protocol.Example`."""
        if "gamma" in truth:
            return self.displaced(**{key: truth[key] for key in ("R1", "BP_ND", *RELEASE) if key in truth})
        if "R1" in truth and "k3" not in truth:
            return self.target(truth["R1"], truth["BP_ND"])
        K1, k2 = (
            (truth["R1"] * a for a in (self.K1_prime, self.k2_prime)) if "R1" in truth else (truth["K1"], truth["k2"])
        )
        return self.averages(K1, k2, truth.get("k3", 0.0), truth.get("k4", 0.0), truth.get("V_B", 0.0))

    def displaced(self, R1: float, BP_ND: float, gamma: float, **shape: float) -> Array:
        """Averages where a release raises the clearance: C' = R1 C_R' + k2 C_R - (k2a + gamma h(t)) C.

        By an ODE solver; with C = R1 C_R + D, the derivative of the reference is not needed.
        """
        k2, K1, t_D = R1 * self.k2_prime, self.K1_prime, shape["t_D"]
        k2a = k2 / (1 + BP_ND)

        def slope(t, y):
            D, _ = y
            reference = K1 * self.plasma.response(t, self.k2_prime)
            C = R1 * reference + D
            return [k2 * reference - (k2a + gamma * release(t, **shape)) * C, C]

        edges = np.append(self.frames.start, self.frames.end[-1])
        area, state, begin = np.zeros(edges.size), [0.0, 0.0], self.delay
        for stop in (t_D, edges[-1]):  # the release begins with a kink or a leap
            inside = (edges > begin) & (edges <= stop)
            times = np.union1d(edges[inside], [begin, stop])
            solved = solve_ivp(slope, (begin, stop), state, "DOP853", times, rtol=1e-10, atol=1e-10)
            area[inside] = solved.y[1][np.isin(times, edges[inside])]
            state, begin = solved.y[:, -1], np.nextafter(stop, np.inf)
        return np.diff(area) / self.frames.duration

    def expected(self, model: KineticModel, truth) -> dict[str, float]:
        """What each symbol is for a tissue, from the definitions of Innis et al. (2007)."""
        k = dict(truth)
        k3, k4 = truth.get("k3", 0.0), truth.get("k4", 0.0)
        if "R1" in truth:
            k["k2"] = truth["R1"] * self.k2_prime
            k["K_i_ref"] = k["k2"] * k3 / (k["k2"] + k3)
        else:
            k["V_ND"], k["K_i"] = truth["K1"] / truth["k2"], truth["K1"] * k3 / (k["k2"] + k3)
        if k3 == 0 or k4 > 0:
            k.setdefault("BP_ND", k3 / k4 if k3 else 0.0)
            k["k2a"] = k["k2"] / (1 + k["BP_ND"])
        if "V_ND" in k and "BP_ND" in k:
            k["V_S"] = k["BP_P"] = k["V_ND"] * k["BP_ND"]
            k["V_T"] = k["V_ND"] + k["V_S"]
        if "gamma" in truth:
            shape = {key: truth[key] for key in RELEASE[1:] if key in truth}
            most = max(release(t, **shape) for t in np.linspace(shape["t_D"] + 1e-9, self.frames.end[-1], 20001))
            lowest = k["k2"] / (k["k2a"] + truth["gamma"] * most) - 1
            k["displacement"] = 1 - lowest / k["BP_ND"]
        if "window" in model.needs:
            k["SUVR"] = self.ratio(model.t_begin, model.t_end, truth)
        return k

    def ratio(self, begin: float, end: float, truth) -> float:
        """Ratio of the areas of a one-tissue target and the reference between two times."""
        R1, span = truth["R1"], np.array([begin, end])
        k2a = R1 * self.k2_prime / (1 + truth["BP_ND"])
        target = np.diff(self.tissue_integral(span, R1 * self.K1_prime, k2a))[0]
        return float(target / np.diff(self.tissue_integral(span, self.K1_prime, self.k2_prime))[0])


def release(t: float, t_D: float, t_P: float = 0.0, alpha: float = 0.0, tau: float | None = None) -> float:
    """Time course of the release, at most 1: a gamma variate (Normandin et al. 2012), or an exponential decay."""
    if t <= t_D:
        return 0.0
    if tau is not None:
        return float(np.exp(-tau * (t - t_D)))
    x = (t - t_D) / (t_P - t_D)
    return float(x**alpha * np.exp(alpha * (1 - x)))


def variants(truth) -> list[dict[str, float]]:
    """The tissue itself, and three others about it: of other delivery and other binding."""
    others = []
    for delivery, binding in ((1, 1), (0.8, 0.3), (1.2, 2), (1, 0.1)):
        other = dict(truth)
        other["R1" if "R1" in truth else "K1"] *= delivery
        if "k3" in truth:
            other["k3"] *= binding
        elif "BP_ND" in truth:
            other["BP_ND"] *= binding
        else:
            other["k2"] /= (1 + binding) / 2
        others.append(other)
    return others


def noise_sd(curve: Array, frames: Frames, half_life: float, level: float, kind: str) -> Array:
    """SD of each frame's noise; ``level`` is its mean after 10 min as a share of the curve's mean there."""
    activity = np.maximum(curve, 0.01 * curve.max())
    if kind == "relative":
        return level * activity
    sd = np.sqrt(activity / (remaining(frames, half_life) * frames.duration))
    late = frames.mid > 10
    return sd * level * curve[late].mean() / sd[late].mean()


def table(curves: Array, frames: Frames) -> TACs:
    """Curves as TACs, named by their number."""
    return TACs(curves, frames, tuple(str(i) for i in range(len(curves))))


def model(name: str, k2_prime: float) -> KineticModel:
    """Model by its name, with ``k2_prime`` where it takes one."""
    takes = {field.name for field in dataclasses.fields(registry.model_type(name))}
    return registry.make(name, k2_prime=k2_prime if "k2_prime" in takes else None)


ONE_TISSUE = [
    {"K1": K1, "k2": K1 / V_T, "V_B": V_B} for K1, V_T, V_B in product((0.05, 0.15, 0.5), (1.0, 4.0, 12.0), (0.0, 0.05))
]
"""Truths behind plasma, over what is seen in brain; the slowest has a time constant of four hours."""

TWO_TISSUE = [
    {"K1": K1, "k2": K1 / V_ND, "k3": BP_ND * k4, "k4": k4, "V_B": V_B}
    for K1, V_ND, BP_ND, k4, V_B in product((0.08, 0.3), (1.0, 3.0), (0.3, 1.5, 5.0), (0.02, 0.06), (0.0, 0.05))
]

IRREVERSIBLE = [
    {"K1": K1, "k2": k2, "k3": k3, "V_B": V_B}
    for K1, k2, k3, V_B in product((0.05, 0.1, 0.3), (0.1, 0.3), (0.02, 0.06, 0.15), (0.0, 0.05))
]

BEHIND_REFERENCE = [
    {"R1": R1, "BP_ND": BP_ND} for R1, BP_ND in product((0.8, 1.0, 1.3), (0.2, 0.5, 1.0, 2.0, 3.0, 5.0))
]


class Known:
    """What the tests of this folder share."""

    frames_38 = FRAMES_38
    frames_36 = FRAMES_36
    half_life = HALF_LIFE
    one_tissue = ONE_TISSUE
    two_tissue = TWO_TISSUE
    irreversible = IRREVERSIBLE
    behind_reference = BEHIND_REFERENCE
    schedule = staticmethod(schedule)
    release = staticmethod(release)
    variants = staticmethod(variants)
    Feng = Feng
    Subject = Subject
    noise_sd = staticmethod(noise_sd)
    table = staticmethod(table)
    model = staticmethod(model)

    @staticmethod
    def subject(example, frames=FRAMES_38, delay=0.2) -> Subject:
        """Someone with the reference of an example."""
        return Subject(frames, example.truth.get("k2_prime", 0.1), delay)

    @staticmethod
    def behind(model: KineticModel, subject: Subject, precision: float = 1e-4) -> dict[str, object]:
        """Reference or input that a model needs, by the name of the option of ``fit``."""
        return {"plasma": subject.input(precision)} if "plasma" in model.needs else {"reference": subject.reference}


@pytest.fixture(scope="session")
def known() -> type[Known]:
    return Known
