"""Whether the 95 % intervals of BP_ND cover the truth: ``python benchmarks/intervals.py``, about a minute.

A thousand noisy repeats of each tissue and schedule, analysed with the default weights (``decay``), which are the true
ones for one of the three kinds of noise. The interval is the estimate -+ t SE, t being the 97.5 % quantile for n - p
degrees of freedom. Beside it stands the interval with the usual standard error, sigma^2 (J' W J)^-1, which takes the
weights as true and every regressor as free of noise. Same seed, same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

import raphe
from raphe.core import weights
from raphe.core.frames import Frames
from raphe.core.sampling import Sampling, sampling
from tissues import HALF_LIFE, model, print_table, schedules, tissues

Array = npt.NDArray[np.float64]

N_REPEAT = 1000
SEED = 1
MODELS = ("SRTM", "SRTM2", "MRTM1", "MRTM2", "LoganRef")
NOISES = {"decay": "as the weights say", "relative": "constant per cent", "uniform": "constant kBq/mL"}
BP_ND = (0.3, 1.5, 4.0)
R1, K2_PRIME, DELAY = 1.1, 0.1, 0.2
LEVEL = 0.03
NOISIER = 0.10
REFERENCE_LEVELS = (0.0, 0.01, 0.03, 0.06)
N_REFERENCE = 100
STEP = 1e-30


@dataclass(frozen=True, eq=False)
class Repeats:
    """Fits of the noisy repeats of one tissue."""

    truth: float
    value: Array
    se: Array
    usual_se: Array
    half: float
    """Half-width of the 95 % interval in standard errors."""

    def covered(self, se: Array, half: float) -> float:
        """Per cent of the intervals that hold the truth."""
        return 100 * float(np.mean(np.abs(self.value - self.truth) < half * se))


def noise_sd(curve: Array, frames: Frames, kind: str, level: float) -> Array:
    """SD of each frame, shape (n_frame,), kBq/mL; from 10 min on its mean is ``level`` times the curve's mean."""
    shape = {
        "decay": 1 / np.sqrt(weights.decay(frames, HALF_LIFE, curve)),
        "relative": np.maximum(curve, 0.01 * curve.max()),
        "uniform": np.ones(len(frames)),
    }[kind]
    late = frames.mid > 10
    return np.asarray(shape * level * curve[late].mean() / shape[late].mean())


def repeats(name: str, frames: Frames, kind: str, BP: float, level: float = LEVEL) -> tuple[Repeats, float]:
    """Fit ``N_REPEAT`` repeats; those that a flag excludes are left out, and their share in per cent is returned."""
    reference, targets = tissues(frames, np.array([R1]), K2_PRIME, np.array([BP]), DELAY)
    sd = noise_sd(targets[0], frames, kind, level)
    seed = (SEED, len(frames), int(10 * BP), round(1000 * level), list(NOISES).index(kind))
    noisy = targets + sd * np.random.default_rng(seed).normal(size=(N_REPEAT, len(frames)))
    curves = raphe.TACs(noisy, frames, tuple(str(i) for i in range(N_REPEAT)))
    chosen = model(name, K2_PRIME)
    result, _ = raphe.fit(chosen, curves, reference=reference, half_life=HALF_LIFE)
    value, se = result.of("BP_ND")
    good = result.usable
    half = float(stats.t.ppf(0.975, int(result.n_frames[0]) - chosen.n_free))
    usual = usual_se(result, sampling(frames), getattr(chosen, "t_star", 0.0))
    return Repeats(BP, value[good], se[good], usual[good], half), 100 * float(1 - good.mean())


def usual_se(result: raphe.KineticFit, sampled: Sampling, t_star: float) -> Array:
    """Standard error of BP_ND by sigma^2 (J' W J)^-1, shape (n_curve,); J by a complex step."""
    rows = np.flatnonzero(sampled.frames.mid >= t_star)
    predict, theta = _prediction(result, sampled)
    columns = []
    for p in range(theta.shape[1]):
        moved = theta.astype(complex)
        moved[:, p] += 1j * STEP
        columns.append(predict(moved).imag[:, rows] / STEP)
    jacobian = np.stack(columns, axis=-1)
    information = np.einsum("crp,cr,crq->cpq", jacobian, result.weights[:, rows], jacobian)
    scale = np.sqrt(np.einsum("cpp->cp", information))
    inverse = np.linalg.pinv(information / (scale[:, :, None] * scale[:, None, :]), hermitian=True)
    return np.asarray(result.sigma * np.sqrt(inverse[:, 0, 0]) / scale[:, 0])


def _prediction(result: raphe.KineticFit, sampled: Sampling) -> tuple[Callable[[Array], Array], Array]:
    """What a model predicts for the left side of its equation from its free parameters, BP_ND first; and these."""
    reference, curves = np.asarray(result.reference), result.activity
    area, reference_area = curves @ sampled.integral.T, sampled.integral @ reference
    BP = result.of("BP_ND")[0]
    if result.model == "LoganRef":
        delivered = reference_area + reference / K2_PRIME
        return lambda t: t[:, :1] * delivered / curves + t[:, 1:], np.stack([BP, np.zeros_like(BP)], axis=1)
    own_k2a = result.model in ("SRTM", "MRTM1")
    theta = np.stack([BP, *(result.of(name)[0] for name in (("R1", "k2a") if own_k2a else ("R1",)))], axis=1)

    def predict(t: Array) -> Array:
        R1 = t[:, 1]
        k2a = t[:, 2] if own_k2a else R1 * K2_PRIME / (1 + t[:, 0])
        k2 = k2a * (1 + t[:, 0])
        if result.model.startswith("SRTM"):
            tail = (k2 - R1 * k2a)[:, None] * sampled.convolve(sampled.drawn(reference), k2a)
        else:
            tail = k2[:, None] * reference_area - k2a[:, None] * area
        return np.asarray(R1[:, None] * reference + tail)

    return predict, theta


def coverage() -> None:
    """Per cent of 95 % intervals that hold the truth."""
    rows, with_t, with_196, lost = [], [], [], 0.0
    for name in MODELS:
        for kind, words in NOISES.items():
            cells = []
            for frames in schedules().values():
                for BP in BP_ND:
                    found, flagged = repeats(name, frames, kind, BP)
                    lost = max(lost, flagged)
                    ours = found.covered(found.se, found.half)
                    cells.append(f"{ours:.1f} ({found.covered(found.usual_se, found.half):.1f})")
                    with_t.append(ours)
                    with_196.append(found.covered(found.se, 1.96))
            rows.append([name, words, *cells])
    header = ["model", "noise", *(f"{s.split(',')[0]}: {BP:g}" for s in schedules() for BP in BP_ND)]
    print_table(
        f"Coverage of 95 % intervals of BP_ND, %: raphe (usual SE in brackets); {N_REPEAT} repeats, noise "
        f"{100 * LEVEL:g} %; by schedule and BP_ND",
        header,
        rows,
    )
    print(f"With 1.96 for t, coverage is lower by {np.mean(with_t) - np.mean(with_196):.1f} points on average.")
    print(f"A flag excluded at most {lost:.1f} % of the repeats of a tissue.\n")


def bias() -> None:
    """Mean error, scatter and coverage under the noise that the weights expect."""
    name_of_schedule, frames = next(iter(schedules().items()))
    rows = []
    for name in MODELS:
        for level in (LEVEL, NOISIER):
            cells = []
            for BP in BP_ND:
                found, flagged = repeats(name, frames, "decay", BP, level)
                error = 100 * (found.value / BP - 1)
                lost = f" [{flagged:.0f} %]" if flagged >= 0.5 else ""
                cells.append(
                    f"{error.mean():+.1f} ± {error.std():.1f}, {found.covered(found.se, found.half):.0f}{lost}"
                )
            rows.append([name, f"{100 * level:g} %", *cells])
    print_table(
        f"Error of BP_ND, %, mean ± SD over {N_REPEAT} repeats, then coverage, %; true k2', {name_of_schedule}; in "
        "square brackets the share that a flag excludes",
        ["model", "noise", *(f"BP_ND {BP:g}" for BP in BP_ND)],
        rows,
    )


def reference_noise() -> None:
    """Coverage where the reference curve is noisy too, of which no standard error knows."""
    name_of_schedule, frames = next(iter(schedules().items()))
    rows = []
    for name in MODELS:
        cells = []
        for level in REFERENCE_LEVELS:
            held = [_with_noisy_reference(name, frames, level, seed) for seed in range(N_REFERENCE)]
            cells.append(f"{100 * np.mean(held):.1f}")
        rows.append([name, *cells])
    print_table(
        f"Coverage of 95 % intervals of BP_ND 1.5, %, by the noise of the reference curve; region {100 * LEVEL:g} %, "
        f"{N_REFERENCE} references with {N_REPEAT // N_REFERENCE} curves each, {name_of_schedule}",
        ["model", *(f"reference {100 * level:g} %" for level in REFERENCE_LEVELS)],
        rows,
    )


def _with_noisy_reference(name: str, frames: Frames, level: float, seed: int) -> float:
    """Share of the intervals that hold the truth, with one noisy reference."""
    BP = 1.5
    reference, targets = tissues(frames, np.array([R1]), K2_PRIME, np.array([BP]), DELAY)
    random = np.random.default_rng((SEED, seed))
    n = N_REPEAT // N_REFERENCE
    noisy = targets + noise_sd(targets[0], frames, "decay", LEVEL) * random.normal(size=(n, len(frames)))
    reference = reference + noise_sd(reference, frames, "decay", level) * random.normal(size=len(frames))
    curves = raphe.TACs(noisy, frames, tuple(str(i) for i in range(n)))
    chosen = model(name, K2_PRIME)
    result, _ = raphe.fit(chosen, curves, reference=reference, half_life=HALF_LIFE)
    value, se = result.of("BP_ND")
    half = float(stats.t.ppf(0.975, int(result.n_frames[0]) - chosen.n_free))
    return float(np.mean(np.abs(value - BP) < half * se))


if __name__ == "__main__":
    coverage()
    bias()
    reference_noise()
