"""Two compartments and blood: curves per second against a loop of scipy's least squares, at the same accuracy.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/compartments.py

Prints, for one run on one thread: time per curve of both, their ratio, and how the costs compare. The loop is what a
user would write with care: answers tabulated once for a scan, bounds, scaled parameters, one sensible start. Both
tabulate the answers to the input once for a scan, before the time per curve is taken; the time of our table is printed
apart, as is that of the first call, which compiles.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from raphe.core.compartments import tissue_with_blood, two_tissue
from raphe.core.decay import remaining
from raphe.core.frames import Frames
from raphe.core.piecewise import PiecewiseLinear
from raphe.core.responses import responses
from raphe.core.sampling import sampling
from raphe.data.blood import PlasmaInput
from raphe.data.tacs import TACs
from raphe.kinetics.fit import fit
from raphe.kinetics.models.two_tcm import TwoTCM

Array = npt.NDArray[np.float64]

HALF_LIFE = 20.364
N_OURS, N_LOOP = 4000, 100
LEVELS = (0.0, 0.01, 0.03, 0.1)


def schedule() -> Frames:
    """Make a schedule of 38 frames over 93 min."""
    runs = ((9, 10), (2, 15), (3, 20), (4, 30), (4, 60), (4, 180), (12, 360))
    duration = np.concatenate([np.full(n, seconds / 60) for n, seconds in runs])
    return Frames(np.concatenate([[0.0], np.cumsum(duration)[:-1]]), duration)


def arterial() -> PlasmaInput:
    """Feng's curve, and whole blood that falls behind it."""
    (a, b, c), (p, q, r) = (851.1225, 21.8798, 20.8113), (-4.1339, -0.1191, -0.0104)
    t = np.unique(np.concatenate([np.linspace(0, 3, 400), np.geomspace(3, 100, 300)]))
    plasma = (a * t - b - c) * np.exp(p * t) + b * np.exp(q * t) + c * np.exp(r * t)
    return PlasmaInput(PiecewiseLinear(t, plasma), PiecewiseLinear(t, plasma * (0.7 + 0.3 * np.exp(-t / 20))))


def tissues(n: int, rng: np.random.Generator) -> Array:
    """K1, k2, k3, k4 and V_B of tissues as brains have them, shape (n, 5)."""
    K1, V_ND, k4, BP_ND = (
        rng.uniform(0.05, 0.6, n),
        rng.uniform(0.5, 8, n),
        rng.uniform(0.01, 0.12, n),
        rng.uniform(0.2, 5, n),
    )
    return np.stack([K1, K1 / V_ND, BP_ND * k4, k4, rng.uniform(0, 0.08, n)], axis=-1)


def with_noise(clean: Array, frames: Frames, level: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Curves with the noise of counts, its mean after 10 min a share of the curve's, and their weights."""
    sd = np.sqrt(
        np.maximum(clean, 0.01 * clean.max(axis=1, keepdims=True)) / (remaining(frames, HALF_LIFE) * frames.duration)
    )
    late = frames.mid > 10
    sd *= (clean[:, late].mean(axis=1) / sd[:, late].mean(axis=1))[:, None] * max(level, 1e-6)
    weights = 1 / sd**2
    return clean + (level > 0) * sd * rng.normal(size=clean.shape), weights / weights.mean(axis=1, keepdims=True)


class Loop:
    """Scipy's least squares for one curve after another."""

    def __init__(self, frames: Frames, plasma: PlasmaInput, blood: Array) -> None:
        self.log_rate = np.linspace(np.log(1e-6), np.log(20), 4000)
        self.table = sampling(frames).convolve(plasma.parent, np.exp(self.log_rate)).real
        self.blood = blood

    def answer(self, rate: float) -> Array:
        place = (np.log(max(rate, 1e-6)) - self.log_rate[0]) / (self.log_rate[1] - self.log_rate[0])
        left = min(max(int(place), 0), len(self.log_rate) - 2)
        share = place - left
        return self.table[left] * (1 - share) + self.table[left + 1] * share

    def curve(self, theta: Array) -> Array:
        K1, k2, k3, k4, share = theta
        total = k2 + k3 + k4
        root = np.sqrt(max(total**2 - 4 * k2 * k4, 1e-20))
        slow, fast = (total - root) / 2, (total + root) / 2
        tissue = K1 * ((k3 + k4 - slow) * self.answer(slow) + (fast - k3 - k4) * self.answer(fast)) / root
        return (1 - share) * tissue + share * self.blood

    def fit(self, curve: Array, weights: Array) -> float:
        root = np.sqrt(weights)
        start = np.array([0.2, 0.1, 0.05, 0.05, 0.03])
        bounds = ([0, 1e-5, 0, 1e-5, 0], [5, 5, 5, 5, 0.5])
        found = least_squares(lambda p: root * (self.curve(p) - curve), start, bounds=bounds, x_scale=start)
        return float(2 * found.cost)


def main() -> None:
    """Print the comparison."""
    frames, plasma, rng = schedule(), arterial(), np.random.default_rng(1)
    sampled = sampling(frames)
    blood = sampled.seen(plasma.whole_blood) if plasma.whole_blood else np.zeros(len(frames))
    began = time.perf_counter()
    table = responses(sampled, plasma.parent)
    print(f"table of the answers, once for a scan: {1000 * (time.perf_counter() - began):.0f} ms")
    model = tissue_with_blood(table, two_tissue, blood, None)
    loop = Loop(frames, plasma, blood)
    began = time.perf_counter()
    first = TACs(model(tissues(1, rng), np.arange(1))[0], frames, ("0",))
    fit(TwoTCM(), first, plasma=plasma, weights="uniform")
    print(f"first call, which compiles or loads what was compiled: {time.perf_counter() - began:.1f} s")
    print("noise  us/curve  loop us/curve   ratio  cost/loop's: median  99 %  worst   within 0.1 % or better")
    for level in LEVELS:
        truth = tissues(N_OURS, rng)
        curves, weights = with_noise(model(truth, np.arange(N_OURS))[0], frames, level, rng)
        tacs = TACs(curves, frames, tuple(map(str, range(N_OURS))))
        began = time.perf_counter()
        found, _ = fit(TwoTCM(), tacs, plasma=plasma, weights=weights)
        ours = (time.perf_counter() - began) / N_OURS
        began = time.perf_counter()
        theirs = np.array([loop.fit(curves[row], weights[row]) for row in range(N_LOOP)])
        other = (time.perf_counter() - began) / N_LOOP
        rest = (found.weights * (curves - found.fitted) ** 2).sum(axis=1)[:N_LOOP]
        told = f"{100 * level:4.0f} %  {1e6 * ours:8.0f}  {1e6 * other:13.0f}  {other / ours:6.0f}"
        if level:
            ratio = rest / theirs
            told += f"  {np.median(ratio):19.6f}  {np.quantile(ratio, 0.99):.4f}  {ratio.max():.4f}"
            told += f"  {np.mean(ratio < 1.001):7.2f}"
        print(told, flush=True)


if __name__ == "__main__":
    main()
