"""Simulated scans: how many an hour, and how their time grows with voxels and with frames.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/simulated_scans.py [--workers N] [--scans N]

One scan is a head in motion, 128 x 128 x 95 voxels and 38 frames of 93 min, blurred, noisy, and written as NIfTI
(isal, level 1). The head is made once a participant and is timed apart, as is compiling.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.data.image import Grid
from raphe.io.image_writing import write_image
from raphe.simulate.anatomy import Anatomy
from raphe.simulate.coarse import coarse_head
from raphe.simulate.curves import noise_level, scan_curves
from raphe.simulate.geometry import geometry
from raphe.simulate.individual import individual
from raphe.simulate.motion import first_pose, moving
from raphe.simulate.scanner import Scanner, frames_of, largest
from tissues import HALF_LIFE, print_table, schedules

SHAPE = (128, 128, 95)


@lru_cache(maxsize=1)
def head() -> Anatomy:
    """One individual's."""
    usual = geometry("human")
    return individual(coarse_head(usual, (), 1.0), usual.spread.plain, np.random.default_rng(1))


def seconds(shape: tuple[int, int, int], frames: Frames, seed: int, folder: Path) -> float:
    """Time of making and writing one scan."""
    anatomy = head()
    edge = 245.0 / np.array(shape)
    affine = np.diag([*edge, 1.0])
    affine[:3, 3] = -(np.array(shape) - 1) / 2 * edge
    scanner = Scanner(Grid(shape, affine), 2.6, 3.4, 100.0, 2.5, 0.4, 0.6)
    rest = geometry("human").restlessness.plain
    random = np.random.default_rng(seed)
    motion = moving(
        first_pose(rest, random), float(frames.end[-1]), rest, np.array(geometry("human").brain.centre), 90.0, random
    )
    start = time.perf_counter()
    n = len(anatomy.names)
    reference, activity = scan_curves(frames, np.ones(n), 0.1, np.linspace(0, 3, n), 20.0)
    activity[0] = 0
    alpha = noise_level(frames, HALF_LIFE, reference, 2.0)
    slope = largest(scanner, activity, frames, HALF_LIFE, alpha) / 32767
    streams = (np.random.default_rng((seed, frame)) for frame in itertools.count())
    made = frames_of(scanner, anatomy, activity, frames, motion, HALF_LIFE, alpha, streams)
    write_image(folder / f"{seed}.nii.gz", scanner.grid, (noisy for noisy, _ in made), len(frames), np.int16, slope)
    return time.perf_counter() - start


def shortened(frames: Frames, n: int) -> Frames:
    """The first ``n`` frames, their number doubled from the front where there are not so many."""
    edges = np.concatenate([frames.start, frames.end[-1:]])
    while len(edges) - 1 < n:
        edges = np.sort(np.concatenate([edges, (edges[1:] + edges[:-1]) / 2]))
    return Frames(edges[:n], np.diff(edges)[:n])


def growth(name: str, x: npt.ArrayLike, y: npt.ArrayLike) -> str:
    """Power by which time grows."""
    return f"time grows with {name} to the power of {np.polyfit(np.log(x), np.log(y), 1)[0]:.2f}"


def main() -> None:
    """Time scans and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scans", type=int, default=6)
    asked = parser.parse_args()
    frames = schedules()["38 frames, 93 min"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        head()
        print(f"a head: {time.perf_counter() - start:.1f} s, with compiling")
        seconds((16, 16, 12), shortened(frames, 2), 0, folder)  # compiles the rest
        rows = []
        for share in (0.5, 0.75, 1.0, 1.25):
            shape = tuple(round(share * n) for n in SHAPE)
            taken = seconds((shape[0], shape[1], shape[2]), frames, 1, folder)
            rows.append([" x ".join(map(str, shape)), "38", f"{taken:.1f}", f"{1e9 * taken / np.prod(shape) / 38:.0f}"])
        by_frames = [(n, seconds(SHAPE, shortened(frames, n), 2, folder)) for n in (10, 19, 38, 76)]
        rows += [
            [" x ".join(map(str, SHAPE)), f"{n}", f"{taken:.1f}", f"{1e9 * taken / np.prod(SHAPE) / n:.0f}"]
            for n, taken in by_frames
        ]
        print_table("One scan, one process:", ["voxels", "frames", "s", "ns a voxel and frame"], rows)
        voxels = [np.prod([int(n) for n in row[0].split(" x ")]) for row in rows[:4]]
        print(growth("voxels", voxels, [float(row[2]) for row in rows[:4]]))
        print(growth("frames", *zip(*by_frames, strict=True)))
        with ProcessPoolExecutor(asked.workers, get_context("spawn")) as pool:
            list(
                pool.map(seconds, *zip(*[((16, 16, 12), frames, n, folder) for n in range(asked.workers)], strict=True))
            )
            start = time.perf_counter()
            tasks = [pool.submit(seconds, SHAPE, frames, 10 + n, folder) for n in range(asked.scans)]
            for task in tasks:
                task.result()
            taken = time.perf_counter() - start
        print(
            f"\n{asked.scans} scans, {asked.workers} workers: {3600 * asked.scans / taken:.0f} scans an hour (60 asked)"
        )


if __name__ == "__main__":
    main()
