"""Regional curves of one scan of a simulated study, and how noisy its frames are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe import catalog
from raphe.core.frames import Frames
from raphe.report.simulated import Chapter, Figure, Key, Titled
from raphe.report.simulated_figures import Line, time_panel
from raphe.report.wording import count, fixed, general
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.population import ScanTruth
from raphe.simulate.record import Record
from raphe.simulate.scan_tacs import expected_tacs, scan_tacs

Array = npt.NDArray[np.float64]

SHOWN = 5
"""So many regions at most, from the largest to the smallest, beside the reference."""

EARLIEST = 0.5
"""Minutes before which there is too little activity for a share of it to mean much."""

THIRDS = ("small regions", "middling regions", "large regions")
"""Names of the thirds of the regions by volume."""


@dataclass(frozen=True, eq=False)
class Regions:
    """Curves of one scan by region, the reference first, and the noise of one scan or of several.

    Parameters
    ----------
    names : tuple of str, length n_region
    volumes : ndarray, shape (n_region,), mm3
    frames : Frames
    clean, noisy : ndarray, shape (n_region, n_frame), kBq/mL
    square : ndarray, shape (n_region, n_frame)
        Mean square of (noisy - clean) / clean over scans.
    expected : ndarray, shape (n_region, n_frame)
        Standard deviation of that as the plan's noise has it.
    n_scan : int
    true : ndarray, optional
        Of images: the curves without blur or movement.
    """

    names: tuple[str, ...]
    volumes: Array
    frames: Frames
    clean: Array
    noisy: Array
    square: Array
    expected: Array
    n_scan: int
    true: Array | None = None


def regions_of_curves(plan: SimulationPlan, seed: int, records: Sequence[Record]) -> Regions:
    """Curves of the first scan, and the noise of all scans of some participants with its tracer."""
    truths = [truth for one in records for truth in one.truths if truth.tracer == records[0].truths[0].tracer]
    exact, sd = expected_tacs(plan, truths[0])
    assert exact.volumes is not None, "simulated curves know their volumes"
    squares, variances, first = np.zeros(sd.shape), np.zeros(sd.shape), np.empty(0)
    for truth in truths:
        (clean, own), noisy = expected_tacs(plan, truth), scan_tacs(plan, seed, truth)
        squares += relative(noisy.activity - clean.activity, clean.activity) ** 2 / len(truths)
        variances += relative(own, clean.activity) ** 2 / len(truths)
        first = first if first.size else noisy.activity
    names = tuple(name.replace("_", " ") for name in exact.names)
    return Regions(names, exact.volumes, exact.frames, exact.activity, first, squares, np.sqrt(variances), len(truths))


def relative(part: Array, whole: Array) -> Array:
    """Part over whole; NaN where there is no activity."""
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0))


def curves_chapter(plan: SimulationPlan, truth: ScanTruth, regions: Regions) -> Chapter:
    """Curves of one scan with and without noise, and the noise by frame.

    Parameters
    ----------
    plan : SimulationPlan
    truth : ScanTruth
        Of that scan.
    regions : Regions
    """
    level = plan.noise.percent
    origin = f"from {level.source}, {level.status}" if level.source != level.status else "an assumption"
    told = (
        f"Noise is that of decay-corrected counts, {general(level.value)} % on the plan's scale ({origin}), and "
        "smaller for larger regions. For [11C]DASB, docs/simulate.md shows it beside that of two real scans."
    )
    figures = (_curves(truth, regions), _noise(truth, regions))
    return Chapter("curves", "Curves and their noise", (told,), figures=figures)


def _curves(truth: ScanTruth, regions: Regions) -> Figure:
    order = np.argsort(regions.volumes[1:], kind="stable") + 1
    spread = np.linspace(len(order) - 1, 0, min(SHOWN, len(order))).round().astype(int)
    chosen = [0, *(int(place) for place in order[spread])]
    time = regions.frames.mid
    panels = []
    for place in chosen:
        lines = [Line("s0", time, regions.clean[place]), Line("s1 points", time, regions.noisy[place])]
        if regions.true is not None:
            lines.insert(0, Line("s2 dashed", time, regions.true[place]))
        name = regions.names[place]
        drawing = time_panel(
            lines, "kBq/mL", "min after injection", f"Curves of {name}, with noise and without", begin=0.0
        )
        aside = _volume(regions.volumes[place]) + (", the reference" if place == 0 else "")
        panels.append(Titled(name, drawing, aside))
    keys = [Key("without noise", "s0"), Key("with noise", "s1", "dot")]
    of_images = ""
    if regions.true is not None:
        keys.append(Key("true: neither blur nor movement", "s2", "dashed"))
        of_images = " Means over the true labels as they lie at injection: blur and movement are in the first two."
    scan = f"sub-{truth.participant.label}, session {truth.session}, {catalog.tracer(truth.tracer).label}"
    caption = f"{scan}: the reference, and regions from the largest to the smallest.{of_images}"
    return Figure(tuple(panels), caption, tuple(keys), title="One scan")


def _noise(truth: ScanTruth, regions: Regions) -> Figure:
    shown = regions.frames.mid >= EARLIEST
    time = regions.frames.mid[shown]
    panels = []
    for name, group in zip(THIRDS, _thirds(regions.volumes), strict=True):
        if not group.size:
            continue
        expected = 100 * np.sqrt(np.nanmean(regions.expected[np.ix_(group, shown)] ** 2, axis=0))
        found = 100 * np.sqrt(np.nanmean(regions.square[np.ix_(group, shown)], axis=0))
        lines = [Line("s0", time, expected), Line("s1 points", time, found)]
        drawing = time_panel(lines, "% of the curve", "min after injection", f"Noise by frame, {name}", begin=0.0)
        ends = dict.fromkeys([_volume(regions.volumes[group].min()), _volume(regions.volumes[group].max())])
        panels.append(Titled(name, drawing, f"{count(group.size, 'region')}, {' to '.join(ends)}"))
    keys = (Key("as the plan has it", "s0"), Key(f"found in {count(regions.n_scan, 'scan')}", "s1", "dot"))
    caption = (
        f"Standard deviation of the noise of each frame of {catalog.tracer(truth.tracer).label} as a share of its "
        "curve, root mean square over regions; regions by thirds of their volumes, the reference included. It jumps "
        f"where the frames become longer. The first {60 * EARLIEST:g} s are left out."
    )
    return Figure(tuple(panels), caption, keys, title="Noise by frame")


def _thirds(volumes: Array) -> list[npt.NDArray[np.intp]]:
    return list(np.array_split(np.argsort(volumes, kind="stable"), 3))


def _volume(volume: float) -> str:
    """Write a volume in mm3 as mL."""
    mL = float(volume) / 1000
    return f"{general(mL, 2) if mL < 100 else fixed(mL, 0)} mL"
