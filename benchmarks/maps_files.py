"""Maps from file to files: time against what reading and writing alone must take, and memory.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/maps_files.py [--large] [--folder DIR]

Writes a 91x109x91 image of 38 frames (with ``--large`` one of 256x256x207, 2 GB), gzipped, a quarter of its voxels in
the head, and maps it by SRTM and by MRTM2. The limit is what cannot be done without: decompress the file by
isal's fastest decoder, go once over the numbers, compress the maps by isal at level 1, on one thread. Both are timed in
turns in one process, so that a busy machine slows both; importing and loading compiled code is timed apart, in a fresh
process, and so is memory. Maps go to a folder that is not there before.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from isal import igzip
from nibabel import Nifti1Image

from maps import Brain
from raphe.cli import main as raphe
from raphe.core.frames import Frames
from tissues import print_table, schedules

SMALL, LARGE = (91, 109, 91), (256, 256, 207)
SHARE = {SMALL: 0.26, LARGE: 0.07}
"""Of the box that the head fills."""

N_RUN = 5
BLOCK = 1 << 20


def write_image(folder: Path, shape: tuple[int, int, int], frames: Frames) -> tuple[Path, Path, Path, int]:
    """Write image, mask and table of the reference; these and the number of voxels."""
    axes = np.meshgrid(*[(np.arange(n) - n / 2 + 0.5) / (n / 2) for n in shape], indexing="ij")
    radius = (axes[0] ** 2 + axes[1] ** 2 + axes[2] ** 2).transpose(2, 1, 0).ravel()
    at = np.sort(np.argpartition(radius, n_voxel := int(SHARE[shape] * radius.size))[:n_voxel])
    brain = Brain(frames, 0.03, n_voxel)
    image = Nifti1Image(np.zeros((*shape, 1), dtype=np.float32), np.diag([2.0, 2.0, 2.0, 1.0]))
    image.header.set_data_shape((*shape, len(frames)))
    image.header.set_xyzt_units("mm", "sec")
    image.header["vox_offset"], image.header["scl_slope"], image.header["scl_inter"] = 352, 1, 0
    path = folder / "sub-01_pet.nii.gz"
    with igzip.open(path, "wb", compresslevel=1) as file:
        file.write(image.header.binaryblock + bytes(4))
        noise = np.random.default_rng(3)
        for row in brain.activity:  # air is noise as well, and does not compress
            volume = (row.std() * 0.1 * noise.standard_normal(radius.size, dtype=np.float32)).astype(np.float32)
            volume[at] = row
            file.write(volume.data)
    told = {
        "FrameTimesStart": (60 * frames.start).tolist(), "FrameDuration": (60 * frames.duration).tolist(),
        "Units": "kBq/mL", "TracerName": "DASB", "TracerRadionuclide": "C11", "ScanStart": 0, "InjectionStart": 0,
        "ImageDecayCorrected": True, "ImageDecayCorrectionTime": 0,
    }  # fmt: skip
    (folder / "sub-01_pet.json").write_text(json.dumps(told))
    inside = np.zeros(radius.size, dtype=np.uint8)
    inside[at] = 1
    mask = folder / "mask.nii.gz"
    mask.write_bytes(igzip.compress(Nifti1Image(inside.reshape(shape, order="F"), image.affine).to_bytes()))
    table = folder / "reference.tsv"
    lines = zip(60 * frames.start, 60 * frames.end, brain.reference, strict=True)
    table.write_text("frame_start\tframe_end\tcerebellum\n" + "".join(f"{a}\t{b}\t{c}\n" for a, b, c in lines))
    return path, mask, table, n_voxel


def limit(path: Path, maps: list[bytes]) -> float:
    """Seconds that cannot be done without."""
    start = time.perf_counter()
    buffer = np.empty(BLOCK, dtype=np.uint8)
    with igzip.open(path, "rb") as file:
        while count := file.readinto(buffer.data):  # type: ignore[attr-defined]
            buffer[: count // 4 * 4].view(np.float32).sum()
    for raw in maps:
        igzip.compress(raw, 1)
    return time.perf_counter() - start


def command(path: Path, mask: Path, table: Path, model: str, *more: str) -> list[str]:
    """Words of the command, its time as verbose."""
    out = str(path.parent / f"out-{model}")
    given = ["--reference", f"{table}:cerebellum", "--unit", "kBq/mL", "--mask", str(mask), "--out", out]
    return ["map", str(path), "--model", model, *given, "--quiet", *more]


def timed(work: Callable[[], object], out: Path | None = None) -> float:
    """Seconds of one run, silent, into a folder that is not there before."""
    if out is not None:
        shutil.rmtree(out, ignore_errors=True)
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        code = work()
    assert code == 0, "the command was refused"
    return time.perf_counter() - start


PEAK = (
    "import sys; from raphe.cli import main; code = main(sys.argv[1:]);"
    "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]); sys.exit(code)"
)
"""Program of a process that tells its own peak: what its parent is told may be the parent's."""


def fresh(words: list[str]) -> tuple[float, float]:
    """Seconds and peak memory (MB) of the command in a process of its own."""
    before = time.perf_counter()
    told = subprocess.run([sys.executable, "-c", PEAK, *words], check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - before, 1.024e-3 * int(told.split()[-1])


def main() -> None:
    """Write the image, map it and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--folder", help="where to write; a temporary folder if not given")
    asked = parser.parse_args()
    shape: tuple[int, int, int] = LARGE if asked.large else SMALL
    frames = schedules()["38 frames, 93 min"]
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        path, mask, table, n_voxel = write_image(folder, shape, frames)
        size: npt.NDArray[np.float64] = np.prod([*shape, len(frames)]) * 4 / 1e6
        zipped = os.path.getsize(path) / 1e6
        print(f"{shape}, {len(frames)} frames: {size:.0f} MB as float32, {zipped:.0f} MB gzipped, {n_voxel:,} voxels\n")
        more = ["--memory", "1G"] if asked.large else []
        rows = []
        for model, weights, workers in (
            ("SRTM", "duration", 1),
            ("SRTM", "decay", 1),
            ("SRTM", "decay", 2),
            ("MRTM2", "duration", 1),
        ):
            words = command(path, mask, table, model, "--weights", weights, "--workers", str(workers))
            words += ["--k2-prime", "0.1"] if model == "MRTM2" else []
            whole, memory = fresh([*words, *more])
            timed(lambda words=words: raphe(words))
            maps = [igzip.decompress(each.read_bytes()) for each in (folder / f"out-{model}").glob("*.nii.gz")]
            ours, least = [], []
            for _ in range(2 if asked.large else N_RUN):
                least.append(limit(path, maps))
                ours.append(timed(lambda words=words: raphe(words), folder / f"out-{model}"))
            mine, bound = float(np.median(ours)), float(np.median(least))
            rows.append(
                [f"{model}, weights by {weights}, threads: {workers}", f"{len(maps)}", f"{bound:.2f}", f"{mine:.2f}",
                 f"{mine / bound:.2f}", f"{whole:.2f}", f"{memory:.0f}", f"{memory / size:.2f}"]
            )  # fmt: skip
        header = (
            "",
            "maps",
            "limit, s",
            "raphe map, s",
            "ratio",
            "fresh process, s",
            "peak memory, MB",
            "of the image",
        )
        print_table("From file to files:", header, rows)


if __name__ == "__main__":
    main()
