"""Whether 95 % intervals hold the truth, by each way to find them: ``python benchmarks/uncertainty.py``, ten minutes.

Noisy repeats of tissues of known truth are fitted, and each gets its interval from the Jacobian (estimate -+ t SE), by
bootstrap, and by profile likelihood. A dash stands where a model has no profile. Same seed, same numbers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

import raphe
from intervals import noise_sd
from raphe.core.frames import Frames
from raphe.core.piecewise import PiecewiseLinear
from raphe.core.sampling import sampling
from raphe.data.blood import PlasmaInput
from raphe.kinetics import registry
from raphe.kinetics.bootstrap import bootstrap
from raphe.kinetics.profile import profile
from raphe.kinetics.protocol import Problem
from tissues import HALF_LIFE, print_table, schedules, tissues

Array = npt.NDArray[np.float64]

N_CURVE = 500
N_BOOTSTRAP = 500
SEED = 1
K2_PRIME, DELAY = 0.1, 0.2
NOISES = {"decay": "as the weights say", "relative": "constant per cent"}

FENG = ((851.1225, 21.8798, 20.8113), (-4.1339, -0.1191, -0.0104))
"""Plasma of Feng et al. 1993, Int J Biomed Comput 32:95, kBq/mL and 1/min."""


@dataclass(frozen=True)
class Case:
    """A tissue, the model that it is fitted by, and the parameter in question."""

    words: str
    model: str
    parameter: str
    truth: Mapping[str, float]
    level: float
    t_star: float | None = None


ORDINARY = {"K1": 0.2, "k2": 0.12, "k3": 0.06, "k4": 0.04, "V_B": 0.05}
SLOW = {"K1": 0.1, "k2": 0.1, "k3": 0.05, "k4": 0.01, "V_B": 0.05}
FLAT = {"K1": 0.2, "k2": 0.12, "k3": 0.2, "k4": 0.3, "V_B": 0.05}
TARGET = {"R1": 1.1, "BP_ND": 1.5}
CASES = (
    Case("BP_ND 1.5", "SRTM", "BP_ND", TARGET, 0.03),
    Case("BP_ND 1.5", "SRTM2", "BP_ND", TARGET, 0.03),
    Case("BP_ND 1.5", "MRTM2", "BP_ND", TARGET, 0.03),
    Case("V_T 4.2", "2TCM", "V_T", ORDINARY, 0.03),
    Case("V_T 4.2, k3 of it", "2TCM", "k3", ORDINARY, 0.03),
    Case("V_T 4.2, k4 of it", "2TCM", "k4", ORDINARY, 0.03),
    Case("V_T 6, k4 0.01 (slow)", "2TCM", "V_T", SLOW, 0.03),
    Case("k4 0.01 (slow)", "2TCM", "k4", SLOW, 0.03),
    Case("k3 0.2, k4 0.3 (fast)", "2TCM", "k3", FLAT, 0.03),
    Case("V_T 2.8, t* 30 min", "MA1", "V_T", {"K1": 0.2, "k2": 0.0714, "V_B": 0.0}, 0.03, 30.0),
    Case("V_T 2.8, t* 30 min", "Logan", "V_T", {"K1": 0.2, "k2": 0.0714, "V_B": 0.0}, 0.03, 30.0),
)


def plasma(end: float) -> PlasmaInput:
    """Arterial input of Feng's form, in straight lines, with whole blood of 0.8 of it."""
    time = np.unique(np.concatenate([np.linspace(0, 3, 601), np.linspace(3, end - DELAY, 401)]))
    (a, b, c), (p, q, r) = FENG
    value = (a * time - b - c) * np.exp(p * time) + b * np.exp(q * time) + c * np.exp(r * time)
    parent = PiecewiseLinear(time + DELAY, value)
    return PlasmaInput(parent, PiecewiseLinear(time + DELAY, 0.8 * value))


def clean(case: Case, frames: Frames) -> tuple[Array, float, dict[str, object]]:
    """Curve without noise, the true parameter, and what the model needs."""
    if "BP_ND" in case.truth:
        reference, targets = tissues(frames, np.array([1.1]), K2_PRIME, np.array([case.truth["BP_ND"]]), DELAY)
        return targets[0], case.truth["BP_ND"], {"reference": reference}
    blood = plasma(float(frames.end[-1]))
    model = registry.make("2TCM" if "k3" in case.truth else "1TCM")
    n = len(frames)
    empty = np.ones((1, n))
    problem = Problem(sampling(frames), empty, empty, np.arange(n), plasma=blood)
    theta = np.array([list(case.truth.values())])
    surface = model.surface(problem, np.pad(theta, ((0, 0), (0, len(model.parameters) - theta.shape[1]))))
    value = surface.parameters(theta)[0][0, model.parameters.index(case.parameter)]
    return surface.curve(theta, np.arange(1))[0][0], float(value), {"plasma": blood}


def held(case: Case, kind: str) -> list[str]:
    """Cells of one row: per cent of the intervals that hold the truth, by each way; and the time of a curve."""
    frames = next(iter(schedules().values()))
    curve, truth, given = clean(case, frames)
    sd = noise_sd(curve, frames, kind, case.level)
    noisy = curve + sd * np.random.default_rng((SEED, len(case.words))).normal(size=(N_CURVE, len(frames)))
    needs_k2 = "k2_prime" if case.model in ("SRTM2", "MRTM2") else None
    extra = {"k2_prime": K2_PRIME} if needs_k2 else {}
    model = registry.make(case.model, **extra, **({} if case.t_star is None else {"t_star": case.t_star}))
    curves = raphe.TACs(noisy, frames, tuple(str(n) for n in range(N_CURVE)))
    found, _ = raphe.fit(model, curves, half_life=HALF_LIFE, **given)
    column = found.parameters.index(case.parameter)
    value, se = found.of(case.parameter)
    good = np.isfinite(value)
    half = stats.t.ppf(0.975, found.n_frames[good] - model.n_free) * se[good]
    near = np.abs(value[good] - truth)
    cells = [f"{100 * np.mean(near <= half):.1f}"]
    given.pop("reference", None)
    for way in (bootstrap, profile):
        if way is profile and not hasattr(model, "surface"):
            cells.append("-")
            continue
        began = time.monotonic()
        options = {"n_repeat": N_BOOTSTRAP} if way is bootstrap else {"parameters": (case.parameter,)}
        result, _ = way(model, found, **given, **options)
        low, high = result.low[:, column], result.high[:, column]
        known = np.isfinite(value) & ~np.isnan(low)
        inside = np.mean((low[known] <= truth) & (truth <= high[known]))
        missing = 100 * (1 - known.mean())
        open_end = 100 * np.isinf(high[known]).mean()
        notes = [f"{missing:.0f} % without"] if missing >= 0.5 else []
        notes += [f"{open_end:.0f} % open"] if open_end >= 0.5 else []
        cells.append(f"{100 * inside:.1f}" + (f" ({', '.join(notes)})" if notes else ""))
        print(
            case.model, case.words, kind, way.__name__, f"{1000 * (time.monotonic() - began) / N_CURVE:.0f} ms a curve"
        )
    return cells


if __name__ == "__main__":
    rows = [
        [case.model, f"{case.parameter}: {case.words}", words, *held(case, kind)]
        for case in CASES
        for kind, words in NOISES.items()
    ]
    print_table(
        f"Per cent of 95 % intervals that hold the truth; {N_CURVE} curves, {N_BOOTSTRAP} repeats of each",
        ["model", "parameter", "noise", "Jacobian", "bootstrap", "profile"],
        rows,
    )
