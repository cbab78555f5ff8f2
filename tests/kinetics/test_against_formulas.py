"""The ``midframe`` convention against the formulas of PMOD, PETSurfer and kinfitr, written anew with numpy.

Integrals are trapezoids through the values at mid-frame from 0 at time 0; linear models are ``numpy.linalg.lstsq``;
the nonlinear ones ``scipy.optimize.least_squares`` with the convolution on a grid of 0.01 min.
"""

import csv

import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.signal import fftconvolve

from raphe.core.frames import Frames
from raphe.data.tacs import TACs
from raphe.kinetics.fit import fit
from raphe.kinetics.models.logan_ref import LoganRef
from raphe.kinetics.models.mrtm1 import MRTM1
from raphe.kinetics.models.mrtm2 import MRTM2
from raphe.kinetics.models.srtm import SRTM
from raphe.kinetics.models.srtm2 import SRTM2

K2_PRIME = 0.07
GRID = 0.01


def integral(time, curve):
    t, c = np.concatenate([[0.0], time]), np.concatenate([[0.0], curve])
    return np.array([np.trapezoid(c[: i + 2], t[: i + 2]) for i in range(time.size)])


def solved(columns, left, weights):
    root = np.sqrt(weights)
    return np.linalg.lstsq(np.stack(columns, axis=1) * root[:, None], left * root, rcond=None)[0]


def mrtm1(time, curve, reference, weights):
    k2, minus_k2a, R1 = solved([integral(time, reference), integral(time, curve), reference], curve, weights)
    return {"BP_ND": -k2 / minus_k2a - 1, "R1": R1, "k2": k2, "k2_prime": k2 / R1, "k2a": -minus_k2a}


def mrtm2(time, curve, reference, weights):
    delivered = integral(time, reference) + reference / K2_PRIME
    k2, minus_k2a = solved([delivered, integral(time, curve)], curve, weights)
    return {"BP_ND": -k2 / minus_k2a - 1, "R1": k2 / K2_PRIME, "k2": k2, "k2a": -minus_k2a}


def logan(time, curve, reference, weights, t_star, k2_prime):
    late = time >= t_star
    delivered = integral(time, reference) + (reference / k2_prime if k2_prime else 0)
    x, y = delivered[late] / curve[late], integral(time, curve)[late] / curve[late]
    return {"BP_ND": solved([x, np.ones_like(x)], y, weights[late])[0] - 1}


class OnGrid:
    """The reference as straight lines on a fine grid, and its convolution with an exponential at mid-frame."""

    def __init__(self, time, reference):
        self.time = time
        self.grid = np.arange(0, time[-1] + GRID, GRID)
        self.curve = np.interp(self.grid, np.concatenate([[0.0], time]), np.concatenate([[0.0], reference]))

    def convolved(self, rate):
        fade = np.exp(-rate * self.grid)
        full = fftconvolve(self.curve, fade)[: self.grid.size]
        trapezoid = GRID * (full - 0.5 * (self.curve[0] * fade + self.curve * fade[0]))
        return np.interp(self.time, self.grid, trapezoid)


def lowest(model, curve, weights, starts):
    def residual(p):
        return np.sqrt(weights) * (model(p) - curve)

    return min(
        (least_squares(residual, s, x_scale=np.abs(s), xtol=1e-12, ftol=1e-12) for s in starts), key=lambda f: f.cost
    ).x


def srtm(time, curve, reference, weights):
    grid = OnGrid(time, reference)

    def model(p):
        R1, k2, k2a = p
        return R1 * reference + (k2 - R1 * k2a) * grid.convolved(k2a)

    R1, k2, k2a = lowest(model, curve, weights, [[1.0, 0.1, 0.1 / (1 + bp)] for bp in (0.3, 2.0)])
    return {"BP_ND": k2 / k2a - 1, "R1": R1, "k2": k2, "k2_prime": k2 / R1, "k2a": k2a}


def srtm2(time, curve, reference, weights):
    grid = OnGrid(time, reference)

    def model(p):
        return p[0] * (reference + (K2_PRIME - p[1]) * grid.convolved(p[1]))

    R1, k2a = lowest(model, curve, weights, [[1.0, K2_PRIME / (1 + bp)] for bp in (0.3, 2.0)])
    return {"BP_ND": R1 * K2_PRIME / k2a - 1, "R1": R1, "k2": R1 * K2_PRIME, "k2a": k2a}


LINEAR = {
    "MRTM1": (MRTM1(), mrtm1),
    "MRTM2": (MRTM2(k2_prime=K2_PRIME), mrtm2),
    "LoganRef": (LoganRef(t_star=35), lambda *a: logan(*a, t_star=35, k2_prime=None)),
    "LoganRef with k2_prime": (LoganRef(35, K2_PRIME), lambda *a: logan(*a, t_star=35, k2_prime=K2_PRIME)),
}
NONLINEAR = {"SRTM": (SRTM(), srtm), "SRTM2": (SRTM2(k2_prime=K2_PRIME), srtm2)}


def compare(model, formula, tacs, reference, weights, rtol, least):
    found, _ = fit(model, tacs, reference=reference, weights=weights, convention="midframe")
    compared = np.flatnonzero(found.usable)
    assert compared.size >= least
    for i in compared:
        expected = formula(tacs.frames.mid, tacs.activity[i], reference, weights)
        for name in found.parameters:
            assert found.of(name)[0][i] == pytest.approx(expected[name], rel=rtol, abs=rtol), (tacs.names[i], name)


@pytest.fixture(params=["simulated", "DASB", "simref"])
def scan(request, known):
    """Curves, reference and weights of one scan: always the simulated one, the real ones where they are to be had."""
    if request.param == "simulated":
        subject = known.Subject(known.frames_38, 0.06, 0.2)
        clean = np.array([subject.target(r, bp) for r, bp in ((1.0, 2.0), (0.9, 0.4), (1.2, 4.0))])
        noise = np.random.default_rng(2).normal(size=clean.shape)
        return known.table(clean * (1 + 0.02 * noise), subject.frames), subject.reference, subject.frames.duration
    folder = request.getfixturevalue("shared_data") / "tacs"
    if request.param == "DASB":
        return dasb(folder / "dasb-test-retest/derivatives/PETPrep1/sub-02/ses-baseline/pet")
    return simref(folder / "simref/simref_ddgm_1_tacs.csv")


def dasb(folder):
    with (folder / "sub-02_ses-baseline_pvc-nopvc_desc-mc_tacs.tsv").open() as stream:
        names, *rows = list(csv.reader(stream, delimiter="\t"))
    values = np.array(rows, dtype=float)
    start, end = values[:, 0] / 60, values[:, 1] / 60
    frames = Frames(start, end - start)
    wanted = [i for i, name in enumerate(names) if name.startswith(("left_t", "left_p", "left_c", "right_c", "brain"))]
    tacs = TACs(values[:, wanted].T / 1000, frames, tuple(names[i] for i in wanted))
    return tacs, values[:, names.index("reference")] / 1000, frames.duration * np.exp(-frames.mid / 60)


def simref(path):
    with path.open() as stream:
        rows = list(csv.DictReader(stream))[1:]  # the first has no length
    start, duration, weights, reference, *curves = (
        np.array([float(row[key]) for row in rows])
        for key in ("start_min", "dur_min", "weight", "Reference", "ROI1", "ROI2", "ROI3")
    )
    return TACs(curves, Frames(start, duration), ("ROI1", "ROI2", "ROI3")), reference, weights


@pytest.mark.parametrize("name", list(LINEAR))
def test_linear_models_are_those_of_lstsq(name, scan):
    compare(*LINEAR[name], *scan, rtol=1e-6, least=3)


@pytest.mark.parametrize("name", list(NONLINEAR))
def test_nonlinear_models_are_those_of_a_fine_grid(name, scan):
    tacs, reference, weights = scan
    some = tacs.without(*tacs.names[4:])
    compare(*NONLINEAR[name], some, reference, weights, rtol=1e-4, least=2)
