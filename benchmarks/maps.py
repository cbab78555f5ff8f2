"""Parametric maps: time, error, bias and honesty of standard errors, against NiftyPAD in the same run.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/maps.py [--peer PEER/bin/python] [--only NAME ...] [--plot FILE.svg]

Everything on one thread, C-11, 38 frames over 93 min, 235,000 voxels whose truth is in closed form. PEER is an
environment with NiftyPAD (``python -m venv PEER; PEER/bin/pip install niftypad``); without it the peer's columns are
left out. The peer fits the first 1,000 voxels, and its rate is that of these.

Parts: ``rates`` (voxels per second and ratios), ``error`` (RMSE and bias of SRTM), ``bootstrap`` (100 refits of a whole
brain), ``regions`` (100 regions of a new scan), ``growth`` (time against voxels and frames, drawn to FILE.svg), ``z``
(standard deviation of estimate minus truth over SE).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.core.decay import remaining
from raphe.core.frames import Frames
from raphe.data.tacs import TACs
from raphe.kinetics.fit import fit
from raphe.kinetics.models.srtm import SRTM
from raphe.kinetics.voxelwise import VoxelFit, fit_voxels
from tissues import HALF_LIFE, model, print_table, schedules, tissues

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.floating]

N_VOXEL, N_TISSUE, N_PEER, N_BOOTSTRAP = 235_000, 5_000, 1_000, 100
K2_PRIME = 0.1
LEVELS = (0.03, 0.1)
PEER_SCRIPT = Path(__file__).parent / "peers" / "niftypad_voxels.py"


class Brain:
    """Voxels of known truth, at one level of noise."""

    def __init__(self, frames: Frames, level: float, n_voxel: int = N_VOXEL, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        R1, BP_ND = rng.uniform(0.8, 1.3, N_TISSUE), rng.uniform(0.1, 4.0, N_TISSUE)
        self.frames = frames
        self.reference, clean = tissues(frames, R1, K2_PRIME, BP_ND, 0.0)
        sd = np.sqrt(np.maximum(clean, 0.01 * clean.max(axis=1, keepdims=True)))
        sd /= np.sqrt(remaining(frames, HALF_LIFE) * frames.duration)
        late = frames.mid > 10
        sd *= level * (clean[:, late].mean(axis=1) / sd[:, late].mean(axis=1))[:, None]
        kind = np.arange(n_voxel) % N_TISSUE
        self.BP_ND = BP_ND[kind]
        self.activity = np.empty((len(frames), n_voxel), dtype=np.float32)
        for i in range(len(frames)):
            self.activity[i] = clean[kind, i] + sd[kind, i] * rng.normal(size=n_voxel)

    def maps(self, name: str, weights: str | Array = "decay", errors: bool = True) -> VoxelFit:
        """All parameters and flags of every voxel."""
        return fit_voxels(
            model(name, K2_PRIME), self.frames, self.activity, reference=self.reference, weights=weights,
            half_life=HALF_LIFE, errors=errors,
        )  # fmt: skip

    def fit(self, name: str, weights: str | Array = "decay", errors: bool = True) -> Array:
        """BP_ND, and its standard error, of every voxel that is usable, NaN of others, shape (2, n_voxel)."""
        found = self.maps(name, weights, errors)
        at = found.parameters.index("BP_ND")
        both = np.stack([found.value[at], found.se[at]]).astype(float)
        both[:, (found.quality & 63) != 0] = np.nan
        return both


def seconds(work: Callable[[], object], n: int = 5) -> float:
    """Median time of ``n`` runs after one that is not counted."""
    work()
    taken = []
    for _ in range(n):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def beside(work: Callable[[], object], other: Callable[[], object], n: int = 15) -> tuple[float, float]:
    """Median time of ``n`` runs, and its ratio to the other's just before and after: a machine's speed drifts."""
    taken, ratios = [], []
    work()
    for _ in range(n):
        times = []
        for each in (other, work, other):
            start = time.perf_counter()
            each()
            times.append(time.perf_counter() - start)
        taken.append(times[1])
        ratios.append(2 * times[1] / (times[0] + times[2]))
    return float(np.median(taken)), float(np.median(ratios))


def of_peer(peer: str | None, brain: Brain, name: str, weights: Array) -> tuple[Array, float] | None:
    """BP_ND of the first voxels by the peer, and seconds a voxel."""
    if peer is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "given.npz", Path(folder) / "out.npz"
        np.savez(
            given, activity=brain.activity[:, :N_PEER].T.astype(float), reference=brain.reference, weights=weights,
            edges=np.stack([brain.frames.start, brain.frames.end]) * 60, k2_prime=K2_PRIME,
        )  # fmt: skip
        subprocess.run([peer, PEER_SCRIPT, given, name, out], check=True, stderr=subprocess.DEVNULL)
        found = np.load(out)
        return found["BP_ND"], float(found["seconds"]) / N_PEER


def rates(frames: Frames, peer: str | None) -> None:
    """Voxels per second."""
    brain = Brain(frames, LEVELS[0])

    def one_pass() -> object:
        return brain.activity.sum(axis=0)

    once = seconds(one_pass) / N_VOXEL
    weights = frames.duration / frames.duration.mean()
    rows = [["one pass over the data", f"{1e6 * once:.4f}", f"{1 / once:,.0f}", "1", "", ""]]
    for name in ("SRTM", "SRTM2", "MRTM1", "MRTM2", "LoganRef"):
        theirs = of_peer(peer, brain, name, weights) if name != "SRTM2" else None
        for what, kind, errors in (
            ("values, weights by duration", "duration", False),
            ("values and SE, weights by duration", "duration", True),
            ("values and SE, weights by decay", "decay", True),
        ):
            taken, ratio = beside(lambda name=name, kind=kind, errors=errors: brain.maps(name, kind, errors), one_pass)
            ours = taken / N_VOXEL
            rows.append(
                [
                    f"{name}, {what}", f"{1e6 * ours:.3f}", f"{1 / ours:,.0f}", f"{ratio:.1f}",
                    f"{1e6 * theirs[1]:.0f}" if theirs else "", f"{theirs[1] / ours:,.0f}" if theirs else "",
                ]
            )  # fmt: skip
    header = ("", "us a voxel", "voxels/s", "times one pass", "NiftyPAD, us", "NiftyPAD / raphe")
    print_table("Rates of all parameters and flags and, where said, errors:", header, rows)


def error(frames: Frames, peer: str | None) -> None:
    """RMSE and bias of SRTM, and whether estimates lie on a grid."""
    weights = frames.duration / frames.duration.mean()
    rows = []
    for level in (0.0, *LEVELS):
        brain = Brain(frames, level, N_PEER * 20)
        found = {f"raphe, {kind}": brain.fit("SRTM", kind)[0][:N_PEER] for kind in ("duration", "decay")}
        theirs = of_peer(peer, brain, "SRTM", weights)
        if theirs:
            found["NiftyPAD, duration"] = theirs[0]
        usable = np.all([np.isfinite(each) & (np.abs(each) < 100) for each in found.values()], axis=0)
        for name, value in found.items():
            off = (value - brain.BP_ND[:N_PEER])[usable]
            alike = np.unique(np.round(value[usable], 9)).size / usable.sum()
            rows.append(
                [f"{100 * level:.0f} %", name, f"{np.sqrt(np.mean(off**2)):.4f}", f"{off.mean():+.4f}",
                 f"{np.abs(off).max():.1e}", f"{alike:.3f}", f"{usable.mean():.3f}"]
            )  # fmt: skip
    header = ("noise", "SRTM", "RMSE of BP_ND", "bias", "largest", "distinct values", "usable in all")
    print_table("Error of BP_ND:", header, rows)


def bootstrap(frames: Frames, peer: str | None) -> None:
    """A whole brain fitted again and again."""
    brain = Brain(frames, LEVELS[0])
    brain.fit("SRTM", "duration", errors=False)
    start = time.perf_counter()
    for _ in range(N_BOOTSTRAP):
        brain.fit("SRTM", "duration", errors=False)
    print(f"{N_BOOTSTRAP} refits of {N_VOXEL:,} voxels by SRTM: {time.perf_counter() - start:.1f} s\n")


def regions(frames: Frames, peer: str | None) -> None:
    """Hundred regions of a scan whose tables are not yet made."""
    brain = Brain(frames, LEVELS[0], 100)
    taken = []
    for i in range(6):
        curves = TACs(brain.activity.T.astype(float), frames, tuple(f"region {n}" for n in range(100)))
        start = time.perf_counter()
        fit(SRTM(), curves, reference=brain.reference * (1 + 1e-6 * i), half_life=HALF_LIFE)
        taken.append(time.perf_counter() - start)
    print(f"100 regions of a new scan by SRTM, errors and weights by decay: {1e3 * np.median(taken[1:]):.1f} ms\n")


def growth(frames: Frames, peer: str | None) -> list[tuple[str, Array, Array]]:
    """Time against the number of voxels and of frames."""
    found = []
    size = np.array([25_000, 50_000, 100_000, 200_000, 400_000, 800_000])
    brains = (Brain(frames, 0.03, n) for n in size.tolist())
    by_size = [seconds(lambda brain=brain: brain.fit("SRTM"), 3) for brain in brains]
    found.append(("voxels", size.astype(float), np.array(by_size)))
    numbers = np.array([19, 38, 76, 114])
    by_frames = []
    for n in numbers.tolist():
        edges = np.interp(np.linspace(0, len(frames), n + 1), np.arange(len(frames) + 1), [0, *frames.end])
        brain = Brain(Frames(edges[:-1], np.diff(edges)), 0.03, 100_000)
        by_frames.append(seconds(lambda brain=brain: brain.fit("SRTM"), 3))
    found.append(("frames, 100,000 voxels", numbers.astype(float), np.array(by_frames)))
    for what, x, y in found:
        slope = np.polyfit(np.log(x), np.log(y), 1)[0]
        rows = [[f"{a:,.0f}", f"{b:.3f}"] for a, b in zip(x, y, strict=True)]
        print_table(f"Growth with {what}: time in proportion to the power {slope:.2f}:", (what, "s"), rows)
    return found


def z(frames: Frames, peer: str | None) -> None:
    """Whether standard errors are those of the noise."""
    rows = []
    for level in LEVELS:
        brain = Brain(frames, level, 50_000)
        for name in ("SRTM", "SRTM2", "MRTM1", "MRTM2"):
            value, se = brain.fit(name)
            told = (brain.BP_ND > 0.5) & np.isfinite(value)
            score = ((value - brain.BP_ND) / se)[told]
            rows.append(
                [f"{100 * level:.0f} %", name, f"{score.std():.3f}", f"{score.mean():+.3f}", f"{told.mean():.3f}"]
            )
    header = ("noise", "", "SD of z", "mean of z", "usable of BP_ND > 0.5, of all")
    print_table("z = (estimate - truth) / SE, BP_ND above 0.5:", header, rows)


PARTS = {"rates": rates, "error": error, "bootstrap": bootstrap, "regions": regions, "growth": growth, "z": z}


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="Python of an environment with NiftyPAD")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--plot", type=Path, help="SVG of the growth")
    asked = parser.parse_args()
    frames = schedules()["38 frames, 93 min"]
    for name in asked.only:
        drawn = PARTS[name](frames, asked.peer)
        if name == "growth" and asked.plot and drawn:
            asked.plot.write_text(_plot(drawn))
        sys.stdout.flush()


def _plot(found: list[tuple[str, Array, Array]]) -> str:
    """Two panels with logarithmic axes, and the line of proportion through the first point."""
    width, height, edge = 300, 220, 44
    body = []
    for n, (what, x, y) in enumerate(found):
        left = n * (width + 30)
        lx, ly = np.log(x), np.log(y)
        span_x, span_y = np.ptp(lx), max(np.ptp(ly), np.ptp(lx))

        def place(
            a: Array, b: Array, left: int = left, at: tuple[float, ...] = (lx[0], span_x, ly[0], span_y)
        ) -> Array:
            across = left + edge + (a - at[0]) / at[1] * (width - 2 * edge)
            up = height - edge - (b - at[2]) / at[3] * (height - 2 * edge)
            return np.stack([across, up], axis=-1)

        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in place(lx, ly[0] + lx - lx[0]))
        body.append(f'<polyline points="{line}" fill="none" stroke="#999" stroke-dasharray="4 3"/>')
        for (a, b), xi, yi in zip(place(lx, ly), x, y, strict=True):
            body.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="#1f5fa8"/>')
            body.append(f'<text x="{a:.1f}" y="{height - 26}" text-anchor="middle">{xi:,.0f}</text>')
            body.append(f'<text x="{a + 6:.1f}" y="{b - 7:.1f}">{yi:.2f} s</text>')
        body.append(f'<text x="{left + width / 2}" y="{height - 8}" text-anchor="middle">{what}</text>')
    size = f"0 0 {len(found) * (width + 30)} {height}"
    text = "\n".join(body)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" font-family="sans-serif" font-size="10">'
    return f"{head}\n{text}\n</svg>\n"


if __name__ == "__main__":
    main()
