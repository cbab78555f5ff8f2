"""Compartments behind plasma by voxel: voxels per second, and costs against a converged search by scipy.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/maps_compartments.py

Voxels of a C-11 scan of 38 frames, a tenth of them without uptake to speak of, fitted in one thread under one set of
weights by ``estimate``, as maps do chunk by chunk: with and without standard errors, and again under weights of their
own near the first answer. The time is that of the whole call, from a chunk of activity to parameters, standard errors
and flags; the tables of the scan and the first call, which compiles, are not in it. Processor time, for the work is
of one thread and the machine may have other work; medians of several runs.

The costs of a sample are held against scipy's bounded least squares for the same model, with the derivatives of the
model, from the truth and from three other starts, each to convergence; the lowest of the four counts.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from compartments import HALF_LIFE, arterial, schedule, tissues
from raphe.core.bounded import Curve
from raphe.core.compartments import one_tissue, tissue_with_blood, two_tissue
from raphe.core.decay import remaining
from raphe.core.frames import Frames
from raphe.core.responses import responses
from raphe.core.sampling import sampling
from raphe.core.weights import decay, scaled
from raphe.kinetics.frame_weights import expected_weights
from raphe.kinetics.models.one_tcm import OneTCM
from raphe.kinetics.models.two_tcm import TwoTCM
from raphe.kinetics.models.two_tcm3k import TwoTCM3k
from raphe.kinetics.protocol import KineticModel, Problem, Solution
from raphe.kinetics.voxelwise import CHUNK

Array = npt.NDArray[np.float64]

LEVELS = (0.0, 0.01, 0.03, 0.1)
"""Noise: standard deviation over mean after 10 min of a voxel of typical uptake."""

N_CHUNK, N_RUN, N_SAMPLE = 2, 5, 200
FLAT = 0.1
"""Share of the voxels that take up a fiftieth of what others do."""

TYPICAL = np.array([[0.3, 0.1, 0.08, 0.04, 0.05]])
UPPER = np.array([5.0, 5.0, 5.0, 5.0, 0.5])
LOWER = np.array([0.0, 1e-5, 0.0, 1e-5, 0.0])

MODELS: dict[str, KineticModel] = {
    "2TCM": TwoTCM(),
    "2TCM, V_B known": TwoTCM(V_B=0.05),
    "2TCM3k": TwoTCM3k(),
    "1TCM": OneTCM(),
}


def voxels(curve: Curve, frames: Frames, level: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Curves with one noise for all, Fortran-ordered as a chunk of an image is, and the truth."""
    truth = tissues(N_CHUNK * CHUNK, rng)
    truth[rng.random(len(truth)) < FLAT, 0] /= 50
    clean, typical = curve(truth, np.arange(len(truth)))[0], curve(TYPICAL, np.arange(1))[0][0]
    sd = np.sqrt(np.maximum(typical, 0.01 * typical.max()) / (remaining(frames, HALF_LIFE) * frames.duration))
    late = frames.mid > 10
    sd *= level * typical[late].mean() / sd[late].mean()
    return np.asfortranarray(clean + sd * rng.normal(size=clean.shape)), truth


def took(work: Callable[[], object], n: int) -> float:
    """Median processor time of some work a voxel, us."""
    times = []
    for _ in range(N_RUN):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return 1e6 * float(np.median(times)) / n


def chunks(problem: Problem) -> list[Problem]:
    """Problems of a chunk of voxels each."""
    return [
        dataclasses.replace(
            problem, activity=problem.activity[at : at + CHUNK], weights=problem.weights[at : at + CHUNK]
        )
        for at in range(0, len(problem.activity), CHUNK)
    ]


def converged(curve: Curve, truth: Array, y: Array, w: Array, lower: Array, upper: Array) -> float:
    """Lowest cost that scipy finds from the truth and three other starts."""
    root = np.sqrt(w)

    def rest(theta: Array) -> Array:
        return root * (curve(theta[None], np.arange(1))[0][0] - y)

    def slopes(theta: Array) -> Array:
        return np.asarray(root[:, None] * curve(theta[None], np.arange(1))[1][0])

    others = np.array([[0.2, 0.1, 0.05, 0.05, 0.03], [0.3, 1.5, 1.0, 0.03, 0.01], [0.1, 0.5, 2.0, 1.0, 0.05]])
    starts = np.vstack([truth, others[:, : truth.size]])
    ends = (
        least_squares(
            rest, np.clip(start, lower + 1e-6, upper - 1e-6), slopes, bounds=(lower, upper), x_scale=0.1 * upper,
            xtol=1e-12, ftol=1e-12, gtol=1e-12, max_nfev=2000,
        )
        for start in starts
    )  # fmt: skip
    return min(2 * float(end.cost) for end in ends)


def main() -> None:
    """Print the tables."""
    frames, plasma, rng = schedule(), arterial(), np.random.default_rng(1)
    sampled = sampling(frames)
    blood = sampled.seen(plasma.whole_blood) if plasma.whole_blood else np.zeros(len(frames))
    table = responses(sampled, plasma.parent)
    two, one = (tissue_with_blood(table, kind, blood, None) for kind in (two_tissue, one_tissue))
    first = decay(frames, HALF_LIFE)
    print("model            noise  us/voxel, with SE   without   again, with SE     voxels/s")
    sample = []
    for level in LEVELS:
        activity, truth = voxels(two, frames, level, rng)
        weights = np.broadcast_to(first / first.mean(), activity.shape)
        problem = Problem(sampled, activity, weights, np.arange(len(frames)), None, plasma)
        for name, model in MODELS.items():
            parts = chunks(problem)
            answers = [model.estimate(part) for part in parts]
            again = [_again(part, answer) for part, answer in zip(parts, answers, strict=True)]
            bare = [dataclasses.replace(part, errors=False) for part in parts]
            _ = model.estimate(again[0])
            times = [
                took(lambda m=model, ps=each: [m.estimate(p) for p in ps], len(activity))  # type: ignore[misc]
                for each in (parts, bare, again)
            ]
            print(
                f"{name:16} {100 * level:4.0f} %  {times[0]:17.1f}  {times[1]:8.1f}  {times[2]:15.1f}"
                f"  {1e6 / times[0]:11.0f}",
                flush=True,
            )
            if name in ("2TCM", "1TCM") and level:
                sample.append((name, level, answers[0], parts[0], truth))
    print("\ncost over scipy's: model  noise  <= 1 + 1e-6  <= 1.0007  worst   with a negative rate")
    for name, level, answer, part, truth in sample:
        curve, n = (two, 5) if name == "2TCM" else (one, 3)
        keep = [0, 1, 2, 3, 4] if n == 5 else [0, 1, 4]
        costs = [
            converged(curve, truth[row, keep], part.activity[row], part.weights[row], LOWER[keep], UPPER[keep])
            for row in range(N_SAMPLE)
        ]
        ratio = answer.wrss[:N_SAMPLE] / np.array(costs)
        negative = (answer.value[:, :n] < 0).any(axis=1).mean()
        print(
            f"{name:24} {100 * level:4.0f} %  {np.mean(ratio <= 1 + 1e-6):11.3f}  {np.mean(ratio <= 1.0007):9.3f}"
            f"  {ratio.max():.5f}  {negative:.4f}",
            flush=True,
        )


def _again(part: Problem, answer: Solution) -> Problem:
    """Problem under the weights that a first answer expects."""
    weights = scaled(expected_weights(part, answer, HALF_LIFE), part.rows)
    return dataclasses.replace(part, weights=weights, first=answer)


if __name__ == "__main__":
    main()
