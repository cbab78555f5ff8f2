"""Maps by multilinear and graphical models: time a voxel beside one pass over the image in memory.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/maps_linear.py

One thread, 38 frames over 93 min, 235,000 voxels in float32, noise of 3 and 10 %; medians of several calls. ``pass`` is
the sum over the image. ``coefficients`` is the regression alone with weights that all voxels share, in the image as it
is. ``estimate`` is what a model gives for a chunk of voxels in float64, each with weights of its own: parameters,
standard errors, fitted curves, flags. ``map`` is :func:`raphe.kinetics.voxelwise.fit_voxels`: two estimates, weights
between them, and what judges the answer. Times differ between machines and with what else is at work; the ratios are
what to compare.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from raphe.core.decay import remaining
from raphe.core.frames import Frames
from raphe.core.integrals import running_integral
from raphe.core.multilinear import on_curve, on_fixed, on_integral
from raphe.core.piecewise import PiecewiseLinear
from raphe.core.sampling import Sampling, sampling
from raphe.core.weights import decay, scaled
from raphe.data.blood import PlasmaInput
from raphe.kinetics import registry
from raphe.kinetics.protocol import KineticModel, Problem
from raphe.kinetics.voxelwise import CHUNK, fit_voxels
from tissues import HALF_LIFE, print_table, schedules

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]

N_VOXEL, N_TISSUE, N_RUN = 235_000, 500, 5
K2_PRIME, T_STAR = 0.1, 30.0
LEVELS = (0.03, 0.1)
MODELS = ("MRTM2", "MRTM1", "LoganRef", "PatlakRef", "MA1", "Logan", "Patlak")


def arterial(frames: Frames) -> PlasmaInput:
    """Feng's curve, which holds no blood."""
    (a, b, c), (p, q, r) = (851.1225, 21.8798, 20.8113), (-4.1339, -0.1191, -0.0104)
    t = np.unique(np.concatenate([np.linspace(0, 3, 400), np.geomspace(3, frames.end[-1], 300)]))
    return PlasmaInput(PiecewiseLinear(t, (a * t - b - c) * np.exp(p * t) + b * np.exp(q * t) + c * np.exp(r * t)))


def image(sampled: Sampling, plasma: PlasmaInput, level: float) -> tuple[Image, Array]:
    """Voxels of one-tissue kinetics with the noise of counts, (n_frame, n_voxel), and their reference, (n_frame,)."""
    rng = np.random.default_rng(1)
    K1, BP_ND = rng.uniform(0.1, 0.3, N_TISSUE), rng.uniform(0.2, 4, N_TISSUE)
    frames = sampled.frames
    clean = K1 * sampled.convolve(plasma.parent, K1 / 0.2 * K2_PRIME / (1 + BP_ND)).real.T
    reference = 0.2 * sampled.convolve(plasma.parent, np.array([K2_PRIME])).real[0]
    sd = np.sqrt(
        np.maximum(clean, 0.01 * clean.max(axis=0)) / (remaining(frames, HALF_LIFE) * frames.duration)[:, None]
    )
    late = frames.mid > 10
    sd *= level * clean[late].mean(axis=0) / sd[late].mean(axis=0)
    tissue = np.arange(N_VOXEL) % N_TISSUE
    noise = rng.standard_normal((len(frames), N_VOXEL), dtype=np.float32)
    return (clean.astype(np.float32)[:, tissue] + sd.astype(np.float32)[:, tissue] * noise), reference


def coefficients(name: str, sampled: Sampling, whole: Image, reference: Array, plasma: PlasmaInput) -> object:
    """Regression of one model alone, for the whole image."""
    late = np.flatnonzero(sampled.frames.mid >= (0 if name.startswith("MRTM") else T_STAR))
    weights = np.broadcast_to(decay(sampled.frames, HALF_LIFE, reference), whole.T.shape)
    behind = "Ref" in name or name.startswith("MRTM")
    source = reference if behind else sampled.seen(plasma.parent)
    area = sampled.integral @ reference if behind else sampled.integrated(plasma.parent)
    bare = {"errors": False, "fitted": False}
    if name.startswith("Patlak"):
        return on_fixed(whole.T, (area[late], source[late]), source[late], late, weights, **bare)
    if name.startswith("Logan"):
        return on_curve(whole.T, area[late], running_integral(sampled), late, weights, **bare)
    columns = {"MRTM1": (area[late], source[late]), "MRTM2": (area[late] + source[late] / K2_PRIME,)}
    return on_integral(whole.T, columns.get(name, (area[late],)), running_integral(sampled), late, weights, **bare)


def microseconds(call: Callable[[], object], n_voxel: int) -> float:
    """Median time of a call for a voxel, the first call, which compiles, left out."""
    times = []
    for run in range(N_RUN + 1):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * (run > 0))
    return float(np.median(times[1:])) / n_voxel * 1e6


def model_of(name: str) -> KineticModel:
    """Model as it stands, with what it takes as known."""
    return registry.make(name, k2_prime=K2_PRIME) if name == "MRTM2" else registry.make(name)


def rows_of(level: float) -> Iterator[list[str]]:
    """Lines of the table of one level of noise."""
    frames = next(iter(schedules().values()))
    sampled, plasma = sampling(frames), arterial(frames)
    whole, reference = image(sampled, plasma, level)
    block = np.ascontiguousarray(whole[:, :CHUNK].astype(float)).T
    share = np.maximum(block / block.max(axis=1, keepdims=True), 0.05)
    own = scaled(np.asfortranarray(decay(frames, HALF_LIFE) / share), np.arange(len(frames)))
    problem = Problem(sampled, block, own, np.arange(len(frames)), reference, plasma)
    for name in MODELS:
        model = model_of(name)
        given = {"reference": reference} if "reference" in model.needs else {"plasma": plasma}
        once = microseconds(lambda: whole.sum(dtype=np.float32), N_VOXEL)
        taken = (
            microseconds(lambda name=name: coefficients(name, sampled, whole, reference, plasma), N_VOXEL),
            microseconds(lambda model=model: model.estimate(problem), CHUNK),
            microseconds(
                lambda model=model, given=given: fit_voxels(model, frames, whole, half_life=HALF_LIFE, **given), N_VOXEL
            ),
        )
        yield [name, f"{once:.4f}", *(f"{each:.3f} ({each / once:.1f})" for each in taken)]


def main() -> None:
    """Print the tables."""
    for level in LEVELS:
        header = ("model", "pass", "coefficients", "estimate, own weights, errors", "map")
        print_table(f"{100 * level:.0f} % noise: us a voxel (times one pass)", header, rows_of(level))


if __name__ == "__main__":
    main()
