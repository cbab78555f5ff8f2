"""Noise of simulated and of real [11C]DASB curves: ``python benchmarks/simulated_noise.py [--out docs]``, seconds.

Reads two scans of one person (OpenNeuro ds001420) from ``../shared/data``, which is no part of raphe, and simulates the
plan ``test-retest`` for many people on the same frames. Both are measured alike: third differences of neighbouring
frames, which see no slow misfit of a model (``raphe.simulate.frame_noise``). Printed are ratios of the frame-to-frame
standard deviations, simulated over real, by size of region and stretch of the scan: at equal activity, which is the
noise model by itself, in kBq/mL over the highest activity of the reference, and relative to each one's own curve. In
the last two, simulated curves that rise and fall earlier than this person's count too. ``--out`` takes the figure
``simulated-noise.svg``; it holds derived values only.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe import catalog
from raphe.core import weights
from raphe.core.frames import Frames
from raphe.data.tacs import TACs
from raphe.report import svg
from raphe.simulate.curves import NOISE_VOLUME, noise_level
from raphe.simulate.frame_noise import ORDER, frame_to_frame, noise_percent
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.plan_file import find_plan, parse_plan
from raphe.simulate.population import participant, scan_truth
from raphe.simulate.scan_tacs import scan_tacs
from tissues import HALF_LIFE, print_table

Array = npt.NDArray[np.float64]

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "tacs" / "dasb-test-retest"

BOTH_SIDES: Mapping[str, Sequence[str]] = {
    "cerebellar grey": ["cerebellum_cortex"],
    "amygdala": ["amygdala"],
    "nucleus accumbens": ["accumbens_area"],
    "pallidum": ["pallidum"],
    "hippocampus": ["hippocampus"],
    "caudate": ["caudate"],
    "putamen": ["putamen"],
    "thalamus": ["thalamus"],
}
"""Columns of the real tables, ``left_`` and ``right_``, of regions of the catalog."""

CORTEX: Mapping[str, Sequence[str]] = {
    "rostral anterior cingulate": ["rostralanteriorcingulate"],
    "insula": ["insula"],
    "occipital": ["lateraloccipital", "lingual", "cuneus", "pericalcarine"],
    "temporal": [
        "superiortemporal", "middletemporal", "inferiortemporal", "fusiform", "temporalpole", "bankssts",
        "transversetemporal", "entorhinal", "parahippocampal",
    ],
    "parietal": ["superiorparietal", "inferiorparietal", "supramarginal", "postcentral", "precuneus"],
    "frontal": [
        "superiorfrontal", "rostralmiddlefrontal", "caudalmiddlefrontal", "parsopercularis", "parstriangularis",
        "parsorbitalis", "lateralorbitofrontal", "medialorbitofrontal", "precentral", "paracentral", "frontalpole",
    ],
}  # fmt: skip
"""Likewise ``ctx_lh_`` and ``ctx_rh_``; the tables have no volumes, so that parts of a lobe count alike."""

SIZES: Mapping[str, tuple[float, float]] = {
    "under 5 mL": (0.0, 5e3),
    "5 to 20 mL": (5e3, 2e4),
    "over 40 mL": (4e4, np.inf),
}
"""Volumes of regions, mm3."""

STRETCHES: Mapping[str, tuple[float, float]] = {
    "3-10 min": (3, 10),
    "10-20 min": (10, 20),
    "20-90 min": (20, 90),
    "3-90 min": (3, 90),
}

MEASURES: Mapping[str, str] = {
    "counts": "at equal activity",
    "peak": "in kBq/mL, relative to the scan's highest of the reference",
    "curve": "each relative to its own curve",
}
"""What a standard deviation is held against, and how that is said."""

FIRST = STRETCHES["3-10 min"][0]
"""Before that the curve itself is not smooth enough, min."""

PEOPLE = 100


@dataclass(frozen=True, eq=False)
class Scan:
    """What differences of neighbouring frames tell of one scan."""

    volume: Array
    time: Array
    percent: Array
    """Noise as a plan states it, per cent, shape (n_region, n_frame - 3); with a sign."""
    scale: Mapping[str, Array]
    """Standard deviation of a frame for a noise of 1 %, by :data:`MEASURES`, like ``percent``."""

    def noise(self, size: str, stretch: str, measure: str) -> float:
        """Mean square of the noise by one of :data:`MEASURES`."""
        rows = np.ix_(_within(self.volume, SIZES[size]), _within(self.time, STRETCHES[stretch]))
        return float(np.mean((self.percent * self.scale[measure])[rows] ** 2))


def real_scans(folder: Path = DATA) -> list[Scan]:
    """Both real scans; raises FileNotFoundError where they are not."""
    tables = sorted(folder.glob("derivatives/PETPrep1/sub-02/ses-*/pet/*pvc-nopvc_desc-mc_tacs.tsv"))
    if not tables:
        raise FileNotFoundError(f"no curves of ds001420 in {folder}")
    return [measured(_read(table)) for table in tables]


def simulated_scans(people: int = PEOPLE, percent: float | None = None) -> list[Scan]:
    """As many simulated scans with the regions of the real ones; ``percent`` replaces the plan's noise."""
    plan = parse_plan(find_plan("test-retest"))
    if percent is not None:
        noise = plan.noise.model_copy(update={"percent": plan.noise.percent.model_copy(update={"value": percent})})
        plan = plan.model_copy(update={"noise": noise})
    return [measured(_simulated(plan, index)) for index in range(people)]


def measured(tacs: TACs) -> Scan:
    """Differences of neighbouring frames of the regions of a scan that real and simulated ones have in common."""
    wanted = [name.replace(" ", "_") for name in (*BOTH_SIDES, *CORTEX)]
    rows = [tacs.names.index(name) for name in wanted]
    species = catalog.species("human")
    volume = np.array([species.volume(name).value for name in (*BOTH_SIDES, *CORTEX)])
    own = TACs(tacs.activity[rows], tacs.frames, tuple(wanted), volume)
    time, level = frame_to_frame(own, HALF_LIFE)
    peak = float(own.activity[0].max())
    percent = noise_percent(level, own.frames, HALF_LIFE, peak, volume)
    activity = np.maximum(own.activity, 1e-6 * peak)
    absolute = np.sqrt(activity / weights.decay(own.frames, HALF_LIFE) * (NOISE_VOLUME / volume)[:, None])
    absolute *= noise_level(own.frames, HALF_LIFE, own.activity[0], 1.0)
    scale = {"counts": np.ones_like(percent), "peak": _of_four(absolute) / peak, "curve": _of_four(absolute / activity)}
    return Scan(volume, time, percent, scale)


def _of_four(values: Array) -> Array:
    """Means of the four frames of each difference."""
    return np.asarray(np.lib.stride_tricks.sliding_window_view(values, ORDER + 1, axis=1).mean(axis=-1))


def ratios(simulated: Sequence[Scan], real: Sequence[Scan], measure: str = "counts") -> dict[str, dict[str, float]]:
    """Frame-to-frame standard deviation, simulated over real, by size of region and stretch of the scan."""
    return {
        size: {
            stretch: float(
                np.sqrt(
                    np.mean([scan.noise(size, stretch, measure) for scan in simulated])
                    / np.mean([scan.noise(size, stretch, measure) for scan in real])
                )
            )
            for stretch in STRETCHES
        }
        for size in SIZES
    }


def _within(values: Array, limits: tuple[float, float]) -> npt.NDArray[np.bool_]:
    return np.asarray((values >= limits[0]) & (values < limits[1]))


def _read(table: Path) -> TACs:
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    column = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    start, end = column["frame_start"] / 60, column["frame_end"] / 60
    curves = {
        name: np.mean([column[f"{side}_{part}"] for part in parts for side in sides], axis=0)
        for group, sides in ((BOTH_SIDES, ("left", "right")), (CORTEX, ("ctx_lh", "ctx_rh")))
        for name, parts in group.items()
    }
    names = tuple(name.replace(" ", "_") for name in curves)
    return TACs(np.array(list(curves.values())), Frames(start, end - start), names, None)


def _simulated(plan: SimulationPlan, index: int) -> TACs:
    tracer = next(one for one in plan.tracers if one.name == "DASB")
    return scan_tacs(plan, 1, scan_truth(plan, 1, participant(plan, 1, index), plan.sessions[0], tracer))


def report(simulated: Sequence[Scan], real: Sequence[Scan], still: Sequence[Scan]) -> None:
    """Print the ratios, and the level of the real scans."""
    for measure, title in MEASURES.items():
        found = ratios(simulated, real, measure)
        rows = [[size, *(f"{ratio:.2f}" for ratio in by_stretch.values())] for size, by_stretch in found.items()]
        print_table(f"Frame-to-frame SD, simulated over real, {title}", ["regions", *STRETCHES], rows)
        print()
    whole = "3-90 min"
    for name, scans in (("real", real), ("simulated", simulated), ("simulated without noise", still)):
        one = [np.sqrt(np.mean([scan.noise(size, whole, "counts") for size in SIZES])) for scan in scans]
        told = ", ".join(f"{value:.2f}" for value in one[:2])
        print(
            f"noise of {name} scans on the plan's scale: mean {np.mean(one):.2f} %, SD {np.std(one):.2f} ({told} ...)"
        )


def draw(simulated: Sequence[Scan], real: Sequence[Scan], path: Path) -> None:
    """Write the figure: frame-to-frame noise over time, by size of region."""
    parts = [_panel(simulated, real, size, 44 + 296 * place) for place, size in enumerate(("under 5 mL", "over 40 mL"))]
    parts.append(
        svg.text(
            44,
            236,
            "simulated, at the activity of the real curves: line, root mean square; dashed, 2.5 to 97.5 % of scans",
        )
    )
    parts.append(svg.text(44, 250, "dots: two real scans of one person, OpenNeuro ds001420 (CC0); regions pooled"))
    drawn = str(svg.drawing(620, 258, parts, "Frame-to-frame noise of simulated and real curves over time"))
    style = (
        "<style>text{font-size:10px;font-family:sans-serif;fill:#333}path{fill:none}.axis{stroke:#555}.grid{stroke:#e8eaec}"
        ".whole{stroke:#0072b2;stroke-width:1.8}.band{stroke:#0072b2;stroke-width:1;stroke-dasharray:3 3}"
        ".one{stroke:#d55e00;stroke-width:5;stroke-linecap:round}.two{stroke:#8a6d00;stroke-width:5;stroke-linecap:round}"
        "</style>"
    )
    start = drawn.index(">") + 1
    head = drawn[:start].replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    path.write_text(f'{head}{style}<rect width="620" height="258" fill="#fff"/>{drawn[start:]}\n', encoding="utf-8")


def _panel(simulated: Sequence[Scan], real: Sequence[Scan], size: str, left: float) -> str:
    rows, late = _within(real[0].volume, SIZES[size]), real[0].time >= FIRST
    time, unit = real[0].time[late], np.mean([scan.scale["curve"] for scan in real], axis=0)
    own, others = (
        np.array([100 * np.sqrt(np.mean((scan.percent * unit)[np.ix_(rows, late)] ** 2, axis=0)) for scan in scans])
        for scans in (simulated, real)
    )
    across = svg.Scale(0.0, 90.0, left, left + 250)
    up = svg.log_scale([*own.ravel(), *others.ravel()], 180, 24, decades=2)
    parts = [svg.y_axis(up, left, right=left + 250), svg.x_axis(across, 180)]
    lines = {"band": np.quantile(own, [0.025, 0.975], axis=0), "whole": np.sqrt((own**2).mean(axis=0))[None]}
    for kind, several in lines.items():
        for one in several:
            parts.append(svg.path([(across(float(t)), up(float(v))) for t, v in zip(time, one, strict=True)], kind))
    for one, kind in zip(others, ("one", "two"), strict=True):
        parts.append(svg.dots([(across(float(t)), up(float(v))) for t, v in zip(time, one, strict=True)], kind))
    parts.append(svg.text(left, 14, f"regions {size}: frame-to-frame SD, % of the curve"))
    parts.append(svg.text(left + 250, 206, "min after injection", anchor="end"))
    return "".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for simulated-noise.svg")
    options = parser.parse_args()
    real, simulated = real_scans(), simulated_scans()
    report(simulated, real, simulated_scans(10, percent=1e-6))
    if options.out is not None:
        draw(simulated, real, options.out / "simulated-noise.svg")


if __name__ == "__main__":
    main()
