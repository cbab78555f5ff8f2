"""Linear models behind plasma in the ``midframe`` convention, against formulas written anew with numpy.

As PMOD and kinfitr have them: tissue integrals are trapezoids through the values at mid-frame from 0 at time 0, plasma
is taken at mid-frame and integrated over its own samples, blood is taken out beforehand, and the lines are
``numpy.polyfit`` or ``numpy.linalg.lstsq`` with the frames' weights.
"""

import numpy as np
import pytest

from raphe.kinetics.fit import fit
from raphe.kinetics.models.logan import Logan
from raphe.kinetics.models.ma1 import MA1
from raphe.kinetics.models.ma2 import MA2
from raphe.kinetics.models.patlak import Patlak
from raphe.kinetics.models.patlak_ref import PatlakRef

V_B, T_STAR = 0.05, 25.0


def cumulative(time, value):
    """Trapezoids from the first of ``time`` to each of them."""
    return np.concatenate([[0.0], np.cumsum(np.diff(time) * (value[1:] + value[:-1]) / 2)])


class Scan:
    def __init__(self, known):
        self.frames = known.frames_38
        subject = known.Subject(self.frames, 0.1, 0.2)
        self.plasma = subject.input(1e-5)
        self.reference = subject.reference
        truths = (
            {"K1": 0.3, "k2": 0.06},
            {"K1": 0.2, "k2": 0.12, "k3": 0.08, "k4": 0.04},
            {"K1": 0.1, "k2": 0.15, "k3": 0.06},
        )
        clean = np.array([subject.of({**truth, "V_B": V_B}) for truth in truths])
        self.curves = clean * (1 + 0.02 * np.random.default_rng(2).normal(size=clean.shape))
        self.weights = self.frames.duration * np.exp(-self.frames.mid / 60)
        self.time = self.frames.mid

    def integral(self, curve):
        return cumulative(np.append(0.0, self.time), np.append(0.0, curve))[1:]

    def double_integral(self, curve):
        """The drawn curve is straight between mid-frames, so its integral is quadratic and the next one cubic."""
        t, c = np.append(0.0, self.time), np.append(0.0, curve)
        step, area = np.diff(t), cumulative(t, c)
        return np.cumsum(step * area[:-1] + step**2 * (2 * c[:-1] + c[1:]) / 6)

    def plasma_at(self):
        """Plasma, its integral and the integral of that at mid-frame, on a fine grid with the samples in it."""
        parent = self.plasma.parent
        t = np.union1d(np.union1d(parent.time, self.time), np.linspace(0, self.time[-1], 100001))
        value = np.interp(t, parent.time, parent.value, left=0.0)
        once = cumulative(t, value)
        twice = cumulative(t, once)
        return tuple(np.interp(self.time, t, y) for y in (value, once, twice))

    def tissue(self, curve):
        blood = self.plasma.whole_blood
        return (curve - V_B * np.interp(self.time, blood.time, blood.value, left=0.0)) / (1 - V_B)


@pytest.fixture(scope="module")
def scan(known):
    return Scan(known)


def solved(columns, left, weights):
    root = np.sqrt(weights)
    return np.linalg.lstsq(np.stack(columns, axis=1) * root[:, None], left * root, rcond=None)[0]


def slope(x, y, weights):
    return np.polyfit(x, y, 1, w=np.sqrt(weights))[0]


def logan(scan, curve):
    late, C = scan.time >= T_STAR, scan.tissue(curve)
    _, area, _ = scan.plasma_at()
    return {"V_T": slope(area[late] / C[late], scan.integral(C)[late] / C[late], scan.weights[late])}


def ma1(scan, curve):
    late, C = scan.time >= T_STAR, scan.tissue(curve)
    _, area, _ = scan.plasma_at()
    inflow, outflow = solved([area[late], scan.integral(C)[late]], C[late], scan.weights[late])
    return {"V_T": -inflow / outflow}


def ma2(scan, curve):
    C = scan.tissue(curve)
    _, area, twice = scan.plasma_at()
    g1, g2, g3, g4 = solved([twice, scan.double_integral(C), scan.integral(C), area], C, scan.weights)
    V_S = (-g1 * (g1 + g3 * g4) + g2 * g4**2) / (g2 * (g1 + g3 * g4))  # Ichise et al. 2002
    return {"V_T": -g1 / g2, "V_S": V_S, "V_ND": -g1 / g2 - V_S, "K1": g4}


def patlak(scan, curve):
    late, C = scan.time >= T_STAR, scan.tissue(curve)
    value, area, _ = scan.plasma_at()
    return {"K_i": slope(area[late] / value[late], C[late] / value[late], scan.weights[late])}


def patlak_ref(scan, curve):
    late, R = scan.time >= T_STAR, scan.reference
    return {"K_i_ref": slope(scan.integral(R)[late] / R[late], curve[late] / R[late], scan.weights[late])}


MODELS = {
    "Logan": (Logan(T_STAR, V_B), logan),
    "MA1": (MA1(T_STAR, V_B), ma1),
    "MA2": (MA2(V_B), ma2),
    "Patlak": (Patlak(T_STAR, V_B), patlak),
    "PatlakRef": (PatlakRef(T_STAR), patlak_ref),
}


@pytest.mark.parametrize("name", list(MODELS))
def test_is_that_of_polyfit_and_lstsq(name, scan, known):
    model, formula = MODELS[name]
    found, _ = fit(
        model,
        known.table(scan.curves, scan.frames),
        reference=scan.reference,
        plasma=scan.plasma,
        weights=scan.weights,
        convention="midframe",
    )
    for i, curve in enumerate(scan.curves):
        expected = formula(scan, curve)
        assert set(expected) == set(found.parameters)
        for parameter, value in expected.items():
            assert found.of(parameter)[0][i] == pytest.approx(value, rel=1e-5), (i, parameter)
