"""Partial-volume corrections against spheres in closed form: ``python benchmarks/partial_volumes.py [--fwhm 2.6 6.5]``.

Spheres as large as nuclei lie in warm white matter under a shell of cortex (``raphe.simulate.spheres``); the image is
that of a tomograph whose resolution is known. For each method and region are printed: the corrected mean over the true
one with the right resolution, with 0.8 and 1.2 times it, and how much more noise it has. ``--speed`` adds CPU seconds
for 38 frames of 128 x 128 x 95 voxels with 60 regions.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import numpy.typing as npt
from scipy import sparse, spatial

from raphe.core.frames import Frames
from raphe.data.image import Grid
from raphe.data.volume import DynamicImage, Labels, Volume
from raphe.preprocess.extract import RegionShares, region_shares
from raphe.preprocess.pvc.correct import correct
from raphe.preprocess.pvc.registry import corrections
from raphe.preprocess.pvc.reliability import WRONG, reliability
from raphe.preprocess.pvc.setting import Setting, setting_for
from raphe.simulate.spheres import head_of_spheres, sphere_image
from tissues import print_table

GREY = ("putamen", "hippocampus", "nucleus_accumbens", "cortex")
BRAIN = np.array([66.0, 82.0, 62.0])
"""Half axes of the head of the clock, mm."""


def grid_of(shape: tuple[int, int, int], zoom: float) -> Grid:
    """Grid around 0 mm, a little off the middle."""
    affine = np.diag([zoom, zoom, zoom, 1.0])
    affine[:3, 3] = -zoom * (np.array(shape) - 1) / 2 + (0.3, -0.2, 0.1)
    return Grid(shape, affine)


def phantom(fwhm: float, zoom: float) -> tuple[Setting, npt.NDArray[np.float32]]:
    """Setting and image of the spheres."""
    head = head_of_spheres()
    n = int(np.ceil((78 + 4 * fwhm + 4) / zoom))
    grid = grid_of((n, n, n), zoom)
    sharp = {name: sphere_image(sphere, grid) for name, (sphere, _) in head.items()}
    shares = sparse.csr_array(np.array([one.ravel() for one in sharp.values()]))
    volumes = np.asarray(shares.sum(axis=1)).ravel() * zoom**3
    regions = RegionShares(grid, tuple(head), shares, volumes, np.ones(len(head)))
    grey = Volume(grid, np.sum([sharp[name] for name in GREY], axis=0).astype(np.float32))
    white = Volume(grid, sharp["white"].astype(np.float32))
    image = np.sum([level * sphere_image(sphere, grid, fwhm, 5) for sphere, level in head.values()], axis=0)
    return setting_for(regions, (fwhm,) * 3, grey, white), image.astype(np.float32)


def recovery(fwhm: float, zoom: float, grain: float) -> list[list[str]]:
    """Rows of the table of one tomograph."""
    setting, image = phantom(fwhm, zoom)
    wrong = {factor: setting.with_width(factor) for factor in WRONG}
    true = np.array([level for _, level in head_of_spheres().values()])
    at = [list(head_of_spheres()).index(name) for name in GREY]
    rows = [["none", *(f"{v:.2f}" for v in (setting.means(image)[:-1] / np.maximum(true, 1e-9))[at])]]
    for name, method in corrections().items():
        right = method.correct(setting, image).means[:-1] / np.maximum(true, 1e-9)
        judged = reliability(image, setting, method, wrong, (grain,) * 3)
        cells = [
            f"{right[k]:.2f} ({right[k] * judged.sensitivity[0.8][k]:.2f}, {right[k] * judged.sensitivity[1.2][k]:.2f})"
            f" x{judged.amplification[k]:.1f}"
            for k in at
        ]
        rows.append([name, *cells])
    return rows


def seconds() -> list[list[str]]:
    """CPU seconds by method for a whole scan, from four frames."""
    random = np.random.default_rng(0)
    fine = Grid((120, 150, 115), grid_of((120, 150, 115), 1.2).affine)
    places = np.moveaxis(np.indices(fine.shape), 0, -1) @ fine.affine[:3, :3].T + fine.affine[:3, 3]
    inside = ((places / BRAIN) ** 2).sum(axis=-1) < 1
    seeds = random.uniform(-1, 1, (400, 3))
    seeds = seeds[(seeds**2).sum(axis=1) < 1][:60] * BRAIN
    values = np.zeros(fine.shape, dtype=np.int32)
    values[inside] = spatial.cKDTree(seeds).query(places[inside])[1] + 1
    grid = grid_of((128, 128, 95), 2.03)
    shares, _ = region_shares(Labels(fine, values, {at: f"region {at}" for at in range(1, 61)}), grid, np.eye(4))
    grey, white = (
        Volume(grid, np.asarray(shares.shares[rows].sum(axis=0), dtype=np.float32).reshape(grid.shape))
        for rows in (slice(0, 40), slice(40, 60))
    )
    setting = setting_for(shares, (6.5,) * 3, grey, white)
    level = np.append(random.uniform(1, 5, 60), 0.3).astype(np.float32)
    one = (setting.spread.T @ level).reshape(grid.shape) + random.normal(0, 0.2, grid.shape)
    wrong = {factor: setting.with_width(factor) for factor in WRONG}
    few = Frames(np.arange(4.0), np.ones(4))
    image = DynamicImage(grid, few, np.broadcast_to(one.astype(np.float32), (4, *grid.shape)), 20.0)
    rows = []
    for name, method in corrections().items():
        began = time.process_time()
        correct(image, setting, method, keep_image=False)
        scan = 38 / 4 * (time.process_time() - began)
        began = time.process_time()
        reliability(image.activity[0], setting, method, wrong, (2.5,) * 3)
        rows.append([name, f"{scan:.1f}", f"{time.process_time() - began:.1f}"])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fwhm", type=float, nargs="+", default=[2.6, 6.5], help="resolutions, mm")
    parser.add_argument("--zoom", type=float, default=2.0, help="edge of a voxel, mm")
    parser.add_argument("--grain", type=float, default=0.0, help="FWHM of the noise, mm")
    parser.add_argument("--speed", action="store_true")
    options = parser.parse_args()
    for fwhm in options.fwhm:
        print_table(
            f"Recovered with {fwhm:g} mm FWHM (with 0.8 and 1.2 times it), x noise; voxels of {options.zoom:g} mm",
            ["method", *GREY], recovery(fwhm, options.zoom, options.grain),
        )  # fmt: skip
    if options.speed:
        print_table("CPU seconds, 128 x 128 x 95 x 38, 60 regions", ["method", "scan", "reliability"], seconds())


if __name__ == "__main__":
    main()
