"""Whether 95 % intervals hold the truth, by each way: ``python benchmarks/uncertainty.py``, a quarter of an hour.

Noisy repeats of tissues of known truth are fitted, and each gets its interval from the Jacobian (estimate -+ t SE), by
bootstrap, and by profile likelihood. A dash stands where a model has no profile. Same seed, same numbers.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping
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

N_CURVE = 400
N_REPEAT = 300
SEED = 1
LEVEL = 0.03
WAYS = ("Jacobian", "bootstrap", "profile")
K2_PRIME, DELAY = 0.1, 0.2
NOISES = {"decay": "as the weights say", "relative": "constant per cent"}

FENG = ((851.1225, 21.8798, 20.8113), (-4.1339, -0.1191, -0.0104))
"""Plasma of Feng et al. 1993, Int J Biomed Comput 32:95, kBq/mL and 1/min."""


@dataclass(frozen=True)
class Case:
    """A tissue, the model that it is fitted by, and the parameters in question."""

    words: str
    model: str
    parameters: tuple[str, ...]
    truth: Mapping[str, float]
    t_star: float | None = None


TARGET = {"R1": 1.1, "BP_ND": 1.5}
ORDINARY = {"K1": 0.2, "k2": 0.12, "k3": 0.06, "k4": 0.04, "V_B": 0.05}
SLOW = {"K1": 0.1, "k2": 0.1, "k3": 0.05, "k4": 0.01, "V_B": 0.05}
FAST = {"K1": 0.2, "k2": 0.12, "k3": 0.2, "k4": 0.3, "V_B": 0.05}
ONE = {"K1": 0.2, "k2": 0.07, "V_B": 0.0}
CASES = (
    Case("one tissue", "SRTM", ("BP_ND", "R1"), TARGET),
    Case("one tissue", "SRTM2", ("BP_ND",), TARGET),
    Case("one tissue", "MRTM2", ("BP_ND",), TARGET),
    Case("one tissue, t* 30 min", "MA1", ("V_T",), ONE, 30.0),
    Case("one tissue, t* 30 min", "Logan", ("V_T",), ONE, 30.0),
    Case("k3 0.06, k4 0.04", "2TCM", ("V_T", "BP_ND", "k3", "k4"), ORDINARY),
    Case("k3 0.05, k4 0.01: slow", "2TCM", ("V_T", "k4"), SLOW),
    Case("k3 0.2, k4 0.3: fast", "2TCM", ("V_T", "k3"), FAST),
)


def plasma(end: float) -> PlasmaInput:
    """Arterial input of Feng's form, in straight lines, with whole blood of 0.8 of it."""
    time = np.unique(np.concatenate([np.linspace(0, 3, 601), np.linspace(3, end - DELAY, 401)]))
    (a, b, c), (p, q, r) = FENG
    value = (a * time - b - c) * np.exp(p * time) + b * np.exp(q * time) + c * np.exp(r * time)
    parent = PiecewiseLinear(time + DELAY, value)
    return PlasmaInput(parent, PiecewiseLinear(time + DELAY, 0.8 * value))


def clean(case: Case, frames: Frames) -> tuple[Array, dict[str, float], dict[str, object]]:
    """Curve without noise, the true parameters, and what the model needs."""
    if "R1" in case.truth:
        R1, BP_ND = (np.array([case.truth[name]]) for name in ("R1", "BP_ND"))
        reference, targets = tissues(frames, R1, K2_PRIME, BP_ND, DELAY)
        return targets[0], dict(case.truth), {"reference": reference}
    blood = plasma(float(frames.end[-1]))
    model = registry.make("2TCM" if "k3" in case.truth else "1TCM")
    some = np.ones((1, len(frames)))
    problem = Problem(sampling(frames), some, some, np.arange(len(frames)), plasma=blood)
    theta = np.array([list(case.truth.values())])
    surface = model.surface(problem, np.pad(theta, ((0, 0), (0, len(model.parameters) - theta.shape[1]))))
    truth = dict(zip(model.parameters, surface.parameters(theta)[0][0].tolist(), strict=True))
    return surface.curve(theta, np.arange(1))[0][0], truth, {"plasma": blood}


def rows_of(case: Case, kind: str) -> Iterator[list[str]]:
    """Rows of one tissue under one kind of noise."""
    frames = next(iter(schedules().values()))
    curve, truth, given = clean(case, frames)
    sd = noise_sd(curve, frames, kind, LEVEL)
    noisy = curve + sd * np.random.default_rng((SEED, len(case.words))).normal(size=(N_CURVE, len(frames)))
    taken = {field.name for field in dataclasses.fields(registry.model_type(case.model))}
    known = {"k2_prime": K2_PRIME, "t_star": case.t_star}
    model = registry.make(case.model, **{name: value for name, value in known.items() if name in taken})
    curves = raphe.TACs(noisy, frames, tuple(str(n) for n in range(N_CURVE)))
    found, _ = raphe.fit(model, curves, half_life=HALF_LIFE, **given)
    given.pop("reference", None)
    half = stats.t.ppf(0.975, found.n_frames - model.n_free)[:, None] * found.se
    ends = {"Jacobian": (found.value - half, found.value + half)}
    for way, options in ((bootstrap, {"n_repeat": N_REPEAT}), (profile, {"parameters": case.parameters})):
        if way is profile and not hasattr(model, "surface"):
            continue
        began = time.monotonic()
        result, _ = way(model, found, **given, **options)
        ends[way.__name__] = (result.low, result.high)
        print(
            f"{case.model} {kind} {way.__name__}: {1000 * (time.monotonic() - began) / N_CURVE:.0f} ms a curve",
            flush=True,
        )
    for name in case.parameters:
        column = found.parameters.index(name)
        cells = [told(*(end[:, column] for end in ends[way]), truth[name]) if way in ends else "-" for way in WAYS]
        yield [case.model, case.words, name, NOISES[kind], *cells]


def told(low: Array, high: Array, truth: float) -> str:
    """Share of the intervals that hold the truth, and how many there are not or have no upper end."""
    known = ~np.isnan(low) & ~np.isnan(high)
    below, above = (100 * np.mean(miss[known]) for miss in (high < truth, low > truth))
    without, opened = 100 * np.mean(~known), 100 * np.mean(np.isinf(high[known]))
    notes = [f"{without:.0f} % have none"] if without >= 0.5 else []
    notes += [f"{opened:.0f} % are open"] if opened >= 0.5 else []
    return f"{100 - below - above:.1f} [{below:.1f}, {above:.1f}]" + (f" ({', '.join(notes)})" if notes else "")


if __name__ == "__main__":
    rows = [row for case in CASES for kind in NOISES for row in rows_of(case, kind)]
    print_table(
        f"Per cent of 95 % intervals that hold the truth [that lie below it, above it]; {N_CURVE} curves with noise of "
        f"{100 * LEVEL:g} %, {N_REPEAT} repeats of each",
        ["model", "tissue", "parameter", "noise", *WAYS],
        rows,
    )
