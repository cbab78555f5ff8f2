"""Time to fit one table of 100 regions by every model, beside a plain loop over its curves.

Run it from the checkout with nothing else at work on the machine:

    .venv/bin/python benchmarks/fit_regions.py

Each time is the least of several runs in this process. The loop is what one would write without this program: for each
curve ``numpy.linalg.lstsq`` for a linear model, ``scipy.optimize.least_squares`` for a nonlinear one, on the same
integrals and convolutions. It gives neither standard errors nor flags and fits once, where ``fit`` fits twice (its
decay weights come from a first fit) and gives both. Times differ between machines; the ratio is what to compare.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from raphe.core.frames import Frames
from raphe.core.sampling import Sampling, sampling
from raphe.core.weights import decay
from raphe.data.tacs import TACs
from raphe.kinetics import registry
from raphe.kinetics.fit import fit

Array = npt.NDArray[np.float64]

N_REGION = 100
N_RUN = 7
HALF_LIFE = 20.364
K2_PRIME = 0.06
T_STAR = 30.0


def scan() -> tuple[TACs, Array]:
    """38 frames over 93 min of targets with BP_ND 0.2-5 and 2 % noise, and their reference."""
    seconds = np.repeat([10.0, 15, 20, 30, 60, 180, 360], [9, 2, 3, 4, 4, 4, 12])
    frames = Frames(np.concatenate([[0.0], np.cumsum(seconds)[:-1]]) / 60, seconds / 60)
    reference = 40 * frames.mid * np.exp(-0.35 * frames.mid) + 12 * (np.exp(-0.012 * frames.mid) - np.exp(-frames.mid))
    rng = np.random.default_rng(1)
    R1 = rng.uniform(0.8, 1.3, N_REGION)
    k2a = R1 * K2_PRIME / (1 + rng.uniform(0.2, 5, N_REGION))
    sampled = sampling(frames)
    tail = sampled.convolve(sampled.drawn(reference), k2a)
    curves = R1[:, None] * (reference + (K2_PRIME - k2a)[:, None] * tail)
    curves *= 1 + 0.02 * rng.normal(size=curves.shape)
    return TACs(curves, frames, tuple(f"region {i}" for i in range(N_REGION))), reference


def solved(columns: list[Array], left: Array, root: Array) -> Array:
    """Weighted linear least squares of one curve."""
    return np.asarray(np.linalg.lstsq(np.stack(columns, axis=1) * root[:, None], left * root, rcond=None)[0])


def loops(sampled: Sampling, reference: Array) -> dict[str, Callable[[Array, Array], object]]:
    """For each model, a function that fits one curve with the square roots of its weights."""
    area = sampled.integral @ reference
    late = sampled.frames.mid >= T_STAR

    def srtm(curve: Array, root: Array) -> object:
        def residual(p: Array) -> Array:
            tail = sampled.convolve(sampled.drawn(reference), p[2:])[0]
            return np.asarray(root * (p[0] * reference + (p[1] - p[0] * p[2]) * tail - curve))

        return least_squares(residual, [1.0, K2_PRIME, K2_PRIME / 2.5], x_scale=[1.0, 0.1, 0.03])

    def srtm2(curve: Array, root: Array) -> object:
        def residual(p: Array) -> Array:
            tail = sampled.convolve(sampled.drawn(reference), p[1:])[0]
            return np.asarray(root * (p[0] * (reference + (K2_PRIME - p[1]) * tail) - curve))

        return least_squares(residual, [1.0, K2_PRIME / 2.5], x_scale=[1.0, 0.03])

    def logan(curve: Array, root: Array) -> object:
        delivered, own = (area + reference / K2_PRIME)[late] / curve[late], (sampled.integral @ curve)[late]
        return solved([delivered, np.ones(delivered.size)], own / curve[late], root[late])

    return {
        "SRTM": srtm,
        "SRTM2": srtm2,
        "MRTM1": lambda c, root: solved([area, sampled.integral @ c, reference], c, root),
        "MRTM2": lambda c, root: solved([area + reference / K2_PRIME, sampled.integral @ c], c, root),
        "LoganRef": logan,
    }


def least_time(work: Callable[[], object]) -> float:
    """Shortest wall time of several runs, s."""
    times = []
    for _ in range(N_RUN):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def main() -> None:
    """Print the table."""
    tacs, reference = scan()
    sampled = sampling(tacs.frames)
    roots = np.sqrt(decay(tacs.frames, HALF_LIFE, np.maximum(tacs.activity, 0)))
    by_hand = loops(sampled, reference)
    print(f"{N_REGION} regions, {len(tacs.frames)} frames; least of {N_RUN} runs")
    print(f"{'model':10}{'fit, ms':>10}{'loop, ms':>10}{'fit / loop':>12}")
    for name, example in registry.examples().items():
        took = least_time(lambda m=example.model: fit(m, tacs, reference=reference, half_life=HALF_LIFE))
        line = f"{name:10}{1e3 * took:10.1f}"
        if name in by_hand:
            one = by_hand[name]
            loop = least_time(lambda o=one: [o(c, r) for c, r in zip(tacs.activity, roots, strict=True)])
            line += f"{1e3 * loop:10.1f}{took / loop:12.2f}"
        print(line)


if __name__ == "__main__":
    main()
