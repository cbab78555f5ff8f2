"""Whether the 95 % intervals of BP_ND cover the truth: ``python benchmarks/coverage.py``, about two minutes.

A thousand noisy repeats of each tissue and schedule, analysed with the default weights (``decay``), which are the true
ones for one of the three kinds of noise. The interval is the estimate -+ t SE, t being the 97.5 % quantile for n - p
degrees of freedom. Beside it stands the interval with the usual standard error, sigma^2 (J' W J)^-1, which takes the
weights as true and every regressor as free of noise. Same seed, same numbers.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats
from tissues import HALF_LIFE, model, print_table, schedules, tissues

import raphe
from raphe.core.decay import remaining
from raphe.core.frames import Frames
from raphe.core.sampling import Sampling, sampling

Array = npt.NDArray[np.float64]

N_REPEAT = 1000
SEED = 1
MODELS = ("SRTM", "SRTM2", "MRTM1", "MRTM2", "LoganRef")
NOISES = {"decay": "as the weights say", "relative": "constant per cent", "uniform": "constant kBq/mL"}
BP_ND = (0.3, 1.5, 4.0)
R1, K2_PRIME, DELAY = 1.1, 0.1, 0.2
LEVEL = 0.03
NOISIER = 0.10
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
    activity = np.maximum(curve, 0.01 * curve.max())
    shape = {
        "decay": np.sqrt(activity / (remaining(frames, HALF_LIFE) * frames.duration)),
        "relative": activity,
        "uniform": np.ones(len(frames)),
    }[kind]
    late = frames.mid > 10
    return np.asarray(shape * level * curve[late].mean() / shape[late].mean())


def repeats(name: str, frames: Frames, kind: str, BP: float, level: float = LEVEL) -> tuple[Repeats, float]:
    """Fit ``N_REPEAT`` repeats; those that a flag excludes are left out, and their share in per cent is returned."""
    reference, targets = tissues(frames, np.array([R1]), K2_PRIME, np.array([BP]), DELAY)
    sd = noise_sd(targets[0], frames, kind, level)
    seed = (SEED, len(frames), int(10 * BP), round(1000 * level), zlib.crc32(kind.encode()))
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
            tail = (k2 - R1 * k2a)[:, None] * sampled.convolve(reference, k2a)
        else:
            tail = k2[:, None] * reference_area - k2a[:, None] * area
        return np.asarray(R1[:, None] * reference + tail)

    return predict, theta


def coverage() -> None:
    """Per cent of 95 % intervals that hold the truth."""
    rows, with_t, with_196 = [], [], []
    for name in MODELS:
        for kind, words in NOISES.items():
            cells = []
            for frames in schedules().values():
                for BP in BP_ND:
                    found, _ = repeats(name, frames, kind, BP)
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
    print(f"With 1.96 for t, coverage is lower by {np.mean(with_t) - np.mean(with_196):.1f} points on average.\n")


def bias() -> None:
    """Mean error and scatter under the noise that the weights expect."""
    frames = next(iter(schedules().values()))
    rows = []
    for name in MODELS:
        cells = []
        for level in (LEVEL, NOISIER):
            for BP in BP_ND:
                found, flagged = repeats(name, frames, "decay", BP, level)
                error = 100 * (found.value / BP - 1)
                lost = f" [{flagged:.0f} %]" if flagged >= 0.5 else ""
                cells.append(f"{error.mean():+.1f} ± {error.std():.1f}{lost}")
        rows.append([name, *cells])
    header = ["model", *(f"{100 * level:g} % noise: {BP:g}" for level in (LEVEL, NOISIER) for BP in BP_ND)]
    print_table(
        f"Error of BP_ND, %, mean ± SD over {N_REPEAT} repeats, true k2', {next(iter(schedules()))}; in square brackets "
        "the share that a flag excludes; by noise and BP_ND",
        header,
        rows,
    )


if __name__ == "__main__":
    coverage()
    bias()
