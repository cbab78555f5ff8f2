"""Noise handling of parametric maps on phantoms of known truth: error, noise and resolution of each way.

Run as ``python benchmarks/maps_noise.py [--repeats 3] [--time]``. Prints the tables of docs/noise-in-maps.md.

A ball of 2 mm voxels holds a folded cortex, nuclei, and structures of two to three voxels, in three forms: ``steps``
(BP_ND constant in each), ``slopes`` (BP_ND and R1 change smoothly within each), ``scanner`` (the activity of ``slopes``
blurred by 5 mm, as a scanner shows it; the truth is its map without noise). Noise of the frames is that of counts,
white or blurred by 5 mm (2.5 voxels). Voxels are fitted by SRTM2 with the true k2_prime.

The resolution of a method is the FWHM of the Gaussian under which the truth is nearest to the mean map over the
repeats, over all voxels, and again over the small structures alone. Smoothing is shown at the resolution of the
regularised map, interpolated between kernels; HYPR-LR, which cannot be set to a resolution, at its best kernel.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
from scipy.ndimage import binary_erosion, gaussian_filter, maximum_filter, minimum_filter

from raphe.core.frames import Frames
from raphe.core.sampling import sampling
from raphe.core.smoothing import FWHM, composite, hypr, hypr_gain, kernel, smoothed
from raphe.kinetics.models.srtm2 import SRTM2
from raphe.kinetics.regularise import regularise
from raphe.kinetics.voxelwise import VoxelFit, fit_voxels
from raphe.quality import usable

DURATION = np.array([10 / 60] * 6 + [0.5] * 4 + [1.0] * 5 + [2.0] * 5 + [3.0] * 6 + [5.0] * 12)
FRAMES = Frames(np.concatenate([[0], np.cumsum(DURATION)[:-1]]), DURATION)
TIME = FRAMES.mid
REFERENCE = 12 * (np.exp(-TIME / 60) - np.exp(-TIME / 2)) + 3 * np.exp(-TIME / 8) * (1 - np.exp(-TIME))
HALF_LIFE = 20.364
K2_PRIME = 0.1
N, VOXEL = 48, (2.0, 2.0, 2.0)
BLUR = 5.0
LEVELS = {0.15: 0.35, 0.3: 0.7, 0.6: 1.4}
WIDTHS = (1.6, 2.0, 2.4, 3.2, 4.0, 5.0, 6.0, 8.0)
HYPR_WIDTHS = (2.4, 5.0, 8.0)
PROBES = np.arange(0.0, 12.1, 0.5)

Z, Y, X = np.meshgrid(*[np.arange(N) - N / 2 + 0.5] * 3, indexing="ij")
RADIUS = np.sqrt(X**2 + Y**2 + Z**2)
MASK = RADIUS < 21
AT = np.flatnonzero(MASK)


def phantom(kind):
    """BP_ND and R1, small structures, and where BP_ND of the steps is the same for two voxels around."""
    polar, angle = np.arccos(Z / np.maximum(RADIUS, 0.1)), np.arctan2(Y, X)
    bp, r1, small = np.full(MASK.shape, 0.3), np.full(MASK.shape, 0.75), np.zeros(MASK.shape, dtype=bool)
    cortex = (RADIUS > 17.5 + 1.5 * np.sin(5 * angle) * np.sin(6 * polar)) & MASK
    bp[cortex], r1[cortex] = 1.2, 1.1

    def add(centre, half, binding, delivery, is_small=False):
        inside = sum(((axis - c) / h) ** 2 for axis, c, h in zip((X, Y, Z), centre, half, strict=True)) < 1
        bp[inside], r1[inside] = binding, delivery
        small[inside] |= is_small

    for side in (-6, 6):
        add((side, 2, 0), (2.5, 6, 4), 2.5, 1.15)
        add((side, -8, 0), (3, 3, 3), 1.8, 1.05)
        add((side * 0.5, 8, -6), (1.6, 1.6, 1.6), 3.0, 1.0, True)
        add((side * 0.7, 0, 9), (1, 5, 1.2), 2.0, 0.9, True)
        add((side * 1.2, -3, -8), (1.5, 1.5, 1.5), 1.2, 0.8, True)
    flat = (maximum_filter(bp, 5) == minimum_filter(bp, 5)) & binary_erosion(MASK, iterations=3)
    if kind != "steps":
        bp = bp * (1 + 0.35 * np.sin(X / 5 + 1) * np.cos(Y / 6) + 0.15 * np.sin(Z / 4))
        r1 = r1 * (1 + 0.12 * np.cos(X / 6) * np.sin(Z / 5 + 0.5))
    return bp, r1, small, flat


def volume(values):
    grid = np.zeros(MASK.size)
    grid[AT] = values
    return grid.reshape(MASK.shape)


def activity(bp, r1):
    """Curves without noise, (n_frame, n_voxel), by the equation of SRTM."""
    at = sampling(FRAMES)
    drawn = at.drawn(REFERENCE)
    bp, r1 = bp.ravel()[AT], r1.ravel()[AT]
    k2a = r1 * K2_PRIME / (1 + bp)
    found = np.empty((DURATION.size, bp.size))
    for first in range(0, bp.size, 8192):
        part = slice(first, first + 8192)
        phi = r1[part] * (K2_PRIME - k2a[part])
        found[:, part] = (r1[part, None] * REFERENCE + phi[:, None] * at.convolve(drawn, k2a[part])).T
    return found


def noisy(clean, level, correlated, seed):
    """Curves with the noise of counts, whose mean over the frames after 10 min is ``level`` of their mean."""
    rng = np.random.default_rng(seed)
    mean = clean.mean(axis=1)
    sd = np.sqrt(mean * np.exp(np.log(2) / HALF_LIFE * TIME) / DURATION)
    sd *= level * mean[TIME > 10].mean() / sd[TIME > 10].mean()
    drawn = rng.normal(size=(DURATION.size, *MASK.shape))
    if correlated:
        drawn = np.stack([gaussian_filter(each, BLUR / FWHM / VOXEL[0]) for each in drawn])
        drawn /= drawn.std()
    return clean + sd[:, None] * drawn.reshape(DURATION.size, -1)[:, AT]


def fitted(curves) -> VoxelFit:
    return fit_voxels(
        SRTM2(k2_prime=K2_PRIME), FRAMES, curves.astype(np.float32), reference=REFERENCE, half_life=HALF_LIFE
    )


def binding(fit):
    return np.where(usable(fit.quality), fit.value[0], np.nan)


def by_smoothing(curves, width):
    inside = kernel(MASK, width, VOXEL)
    return np.stack([smoothed(volume(frame), inside).ravel()[AT] for frame in curves])


def by_hypr(curves, width):
    inside = kernel(MASK, width, VOXEL)
    volumes = [volume(frame) for frame in curves]
    gain = hypr_gain(composite(volumes, DURATION), inside)
    return np.stack([hypr(each, gain, inside).ravel()[AT] for each in volumes])


def resolution(mean, blurred, where):
    """FWHM (mm) of the blur of the truth that is nearest to a map, by a parabola through the nearest three."""
    cost = np.array([np.nanmean((mean - each)[where] ** 2) for each in blurred])
    k = int(cost.argmin())
    if not 0 < k < PROBES.size - 1:
        return PROBES[k]
    before, here, after = cost[k - 1 : k + 2]
    return PROBES[k] + (PROBES[1] - PROBES[0]) * 0.5 * (before - after) / (before - 2 * here + after)


def figures(maps, truth, blurred, small, around):
    """FWHM, RMSE, SD; FWHM, RMSE and contrast of small structures; share without value."""
    maps = np.stack(maps)
    mean, error = np.nanmean(maps, axis=0), maps - truth
    contrast = np.nansum(((mean - around) * (truth - around))[small]) / np.sum((truth - around)[small] ** 2)
    return np.array([
        resolution(mean, blurred, np.ones(truth.size, dtype=bool)),
        np.sqrt(np.nanmean(error**2)),
        np.sqrt(np.nanmean(np.nanvar(maps, axis=0, ddof=1))),
        resolution(mean, blurred, small),
        np.sqrt(np.nanmean(error[:, small] ** 2)),
        contrast,
        np.isnan(maps).mean(),
    ])  # fmt: skip


def at_width(rows, width, column):
    """Figures of a method at a resolution, between those of its kernels."""
    rows = np.array(sorted(rows, key=lambda row: row[column]))
    return np.array([np.interp(width, rows[:, column], each) for each in rows.T])


def cell(kind, level, correlated, repeats):
    bp, r1, small, flat = phantom(kind)
    clean = activity(bp, r1)
    if kind == "scanner":
        clean = by_smoothing(clean, BLUR)
    truth = fitted(clean).value[0].astype(float)
    blurred = [truth if width == 0 else by_smoothing(truth[None], width)[0] for width in PROBES]
    small, flat = small.ravel()[AT], flat.ravel()[AT]
    rest = kernel(MASK & ~volume(small).astype(bool), 9.0, VOXEL)
    around = (
        gaussian_filter(volume(np.where(small, 0, truth)), rest.sigma, mode="constant") / np.maximum(rest.share, 1e-9)
    ).ravel()[AT]
    maps, scores = {}, []
    for seed in range(repeats):
        curves = noisy(clean, level, correlated, seed)
        raw = fitted(curves)
        better = regularise(raw, MASK, VOXEL)
        maps.setdefault("raw", []).append(binding(raw))
        maps.setdefault("regularised", []).append(better.value[0].astype(float))
        scores.append((np.log1p(better.value[0]) - np.log1p(truth)) / (better.se[0] / (1 + better.value[0])))
        for width in WIDTHS:
            maps.setdefault(("smooth", width), []).append(binding(fitted(by_smoothing(curves, width))))
        for width in HYPR_WIDTHS:
            maps.setdefault(("hypr", width), []).append(binding(fitted(by_hypr(curves, width))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a voxel without a value in any repeat
        found = {name: figures(each, truth, blurred, small, around) for name, each in maps.items()}
    scores = np.stack(scores)
    return found, np.nanstd(scores[:, flat]), np.nanmean(scores[:, flat]), np.nanstd(scores)


def width_of(fwhm):
    return "< 1.5" if fwhm < 1.5 else f"{fwhm:.1f}"


def main(repeats):
    head = "phantom | noise | raw SD"
    overall = [
        f"| {head} | raw | regularised: FWHM | RMSE (SD) | smoothed, same FWHM | smoothed, best FWHM | HYPR-LR, best |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    inner = [
        f"| {head} | raw | regularised: FWHM | RMSE (contrast) | smoothed, same FWHM | "
        "RMSE of all voxels: regularised, smoothed | smoothed, best overall | HYPR-LR, best overall |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    errors = [
        f"| {head} | SD of z, flat | mean of z, flat | SD of z, all |",
        "|---|---|---|---|---|---|",
    ]
    for kind in ("steps", "slopes", "scanner"):
        for correlated in (False, True):
            for sd, level in LEVELS.items():
                found, flat, shift, everywhere = cell(kind, level, correlated, repeats)
                ours, raw = found["regularised"], found["raw"]
                smooth = [raw] + [each for name, each in found.items() if name[0] == "smooth"]
                best = min(smooth[1:], key=lambda each: each[1])
                hyprs = min((each for name, each in found.items() if name[0] == "hypr"), key=lambda each: each[1])
                same, same_small = at_width(smooth, ours[0], 0), at_width(smooth, ours[3], 3)
                named = f"| {kind} | {'blurred' if correlated else 'white'} | {sd:g}"
                overall.append(
                    f"{named} | {raw[1]:.3f} | {width_of(ours[0])} | **{ours[1]:.3f}** ({ours[2]:.3f}) | "
                    f"{same[1]:.3f} ({same[2]:.3f}) | {best[1]:.3f} at {best[0]:.1f} | {hyprs[1]:.3f} |"
                )
                inner.append(
                    f"{named} | {raw[4]:.2f} | {width_of(ours[3])} | **{ours[4]:.2f}** ({100 * ours[5]:.0f} %) | "
                    f"{same_small[4]:.2f} ({100 * same_small[5]:.0f} %) | {ours[1]:.3f}, {same_small[1]:.3f} | "
                    f"{best[4]:.2f} ({100 * best[5]:.0f} %) | {hyprs[4]:.2f} ({100 * hyprs[5]:.0f} %) |"
                )
                errors.append(f"{named} | {flat:.2f} | {shift:.2f} | {everywhere:.2f} |")
                print(overall[-1], f"  missing raw {100 * raw[6]:.0f} %, ours {100 * ours[6]:.1f} %", flush=True)
    for title, rows in (("Over all voxels", overall), ("In the small structures", inner), ("Standard errors", errors)):
        print(f"\n{title}\n", *rows, sep="\n")


def times():
    """Seconds on one thread for 235,000 voxels of 91 x 109 x 91."""
    rng = np.random.default_rng(0)
    axes = np.meshgrid(*[np.linspace(-1, 1, n) for n in (91, 109, 91)], indexing="ij")
    mask = sum(axis**2 for axis in axes) < 0.64
    n = int(mask.sum())
    print(f"\n{n} voxels of 91 x 109 x 91, one thread")
    frame = rng.normal(size=mask.shape)
    inside = kernel(mask, 5.0, VOXEL)
    begin = time.perf_counter()
    for _ in range(5):
        smoothed(frame, inside)
    print(f"smooth, a frame: {(time.perf_counter() - begin) / 5:.3f} s")
    for name, drawn in (("white", frame), ("blurred", gaussian_filter(frame, BLUR / FWHM / VOXEL[0]))):
        value = (2 * np.exp(0.15 * drawn / drawn.std()) - 1)[mask][None].astype(np.float32)
        fit = VoxelFit(("BP_ND",), value, 0.15 * (1 + value), np.zeros(n, dtype=np.uint8))
        regularise(fit, mask, VOXEL)
        for workers in (1, 2):
            begin = time.perf_counter()
            regularise(fit, mask, VOXEL, workers=workers)
            print(f"regularise, a map, {name}, {workers} threads: {time.perf_counter() - begin:.2f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--time", action="store_true", help="print times only")
    options = parser.parse_args()
    if not options.time:
        main(options.repeats)
    times()
