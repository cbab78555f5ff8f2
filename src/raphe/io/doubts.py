"""Doubts about curves that can be read: what a person should look at before believing a result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from raphe.core.decay import decay_constant
from raphe.core.frames import Frames
from raphe.data.finding import Finding
from raphe.data.scan import Scan
from raphe.data.tacs import TACs
from raphe.io.bids import ScanCurves
from raphe.io.curves import MANY_FRAMES, MINUTES_SUSPECTED
from raphe.io.tables import no_chance, shortened
from raphe.nomenclature import tracer_key

LATE = 5.0
"""Minutes after injection after which a first frame is called late."""

OUTLIER = 4.0
"""Fold by which a value may depart from both of its neighbours before it is doubted.

An assumption. In the scans that this was tried on (DASB, MC1, PS13; 4300 curves), only thalamic nuclei of a few voxels
after correction for partial volume do.
"""

EARLY = 5.0
"""Minutes from injection in which a curve may leap."""

FAINT = 0.05
"""Share of a curve's upper quartile under which noise may make values leap."""

LONGEST_SCAN, MANY_LIVES = 600.0, 6.0
"""Minutes after injection, and half-lives, beyond which a scan of the brain is doubted: seconds taken for minutes make
it as long."""

GAP = 0.1
"""Time between two frames, as a share of the shorter one, from which on it is called a gap."""

LIKE_DECAY = 0.8
"""Share of the decay constant at which a scan's slowest tenth of regions falls late when nobody corrected for decay.

An assumption. In the scans that this was tried on (DASB, MC1, PS13) it is 0.0-0.3 with and 1.0-1.3 without correction.
"""

TOO_MUCH = 0.2
"""Share of the decay constant at which a scan's fastest tenth of regions rises late when decay was corrected for twice.

An assumption. In the same scans, with PBR28, AZ10419369 and simulated ones, they fall by 0.1-0.7, and after a second
correction rise by 0.3-0.9.
"""

DECAYED = 1.5
"""Half-lives that the second half of a scan must last for :data:`LIKE_DECAY` or :data:`TOO_MUCH` to tell anything."""

POSSIBLE_SUV = (0.02, 200.0)
"""Standardised uptake (activity times body weight over dose) between which a region's peak is possible; an assumption.

Brain regions peak between 0.5 and 15; the bounds are wide enough for a blocked scan and for any tracer, and narrow
enough for a unit that is wrong a thousandfold.
"""


@dataclass(frozen=True, eq=False)
class Reading:
    """A table of curves of a study together with its curves."""

    table: ScanCurves
    tacs: TACs

    @property
    def kind(self) -> tuple[str, str, str, str]:
        """What it must share with another table for their regions to be comparable."""
        return (
            tracer_key(self.table.scan.tracer),
            self.table.seg,
            self.table.pvc,
            self.table.name.entities.get("desc", ""),
        )


def doubts_of_table(path: Path, tacs: TACs, scan: Scan) -> Iterator[Finding]:
    """Doubts about the curves of one table by itself.

    Parameters
    ----------
    path : Path
        Of the table, for messages.
    tacs : TACs
    scan : Scan
        What is known of it.
    """
    activity, frames, names = tacs.activity, tacs.frames, tacs.names
    if _odd_span(frames, scan.half_life):
        yield doubt(
            path, "", f"{len(frames)} frames end at {frames.end[-1]:.4g} min; is the unit of their times right?"
        )
    if frames.start[0] > LATE:
        yield doubt(
            path,
            "",
            f"the curves start {frames.start[0]:g} min after injection; models of the whole curve need its beginning",
        )
    yield from gaps(path, frames)
    yield from _copied_frames(path, tacs)
    yield from _outliers(path, tacs)
    yield from _decay(path, tacs, scan)
    yield from _uptake(path, tacs, scan)
    same: dict[bytes, str] = {}
    for name, curve in zip(names, activity, strict=True):
        if not curve.any():
            yield doubt(path, name, f"region {name!r} has no activity at all (every value is 0)")
        elif len(frames) > 1 and np.ptp(curve) == 0:
            yield doubt(path, name, f"region {name!r} has the same activity in every frame")
        elif curve @ frames.duration < 0:
            yield doubt(path, name, f"region {name!r} has a negative activity in total")
        elif curve.tobytes() in same:
            yield doubt(path, name, f"regions {same[curve.tobytes()]!r} and {name!r} have identical curves")
        same.setdefault(curve.tobytes(), name)


def gaps(path: Path, frames: Frames) -> Iterator[Finding]:
    """Doubts about a schedule in which nothing was measured between two frames."""
    gap = frames.start[1:] - frames.end[:-1]
    shorter = np.minimum(frames.duration[1:], frames.duration[:-1])
    for index in np.flatnonzero(gap > GAP * shorter):
        yield doubt(
            path,
            "",
            f"nothing was measured in the {60 * gap[index]:g} s between frames {index + 1} and {index + 2}; the curves "
            "are drawn straight through them",
        )


def doubt(path: Path, field: str, told: str) -> Finding:
    """Warning about a file, whose name begins the message."""
    return Finding("warning", path, field, f"{path}: {told}")


def _copied_frames(path: Path, tacs: TACs) -> Iterator[Finding]:
    """Doubt frames that have the values of another in every region: noise does not repeat."""
    first: dict[bytes, int] = {}
    pairs = []
    for at, values in enumerate(tacs.activity.T):
        one = first.setdefault(values.tobytes(), at)
        if one != at and no_chance(values.tolist()):
            pairs.append(f"{one + 1} and {at + 1}")
    if pairs:
        told = f"frames {shortened(pairs, 3)} have the same value in every region; is one a copy of the other?"
        yield doubt(path, "", told)


def _odd_span(frames: Frames, half_life: float | None) -> bool:
    """Whether the frames end so late or so early that their times may have another unit, by the nuclide if known."""
    end = float(frames.end[-1])
    if end > LONGEST_SCAN:
        return half_life is None or end > MANY_LIVES * half_life
    return len(frames) > MANY_FRAMES and end < MINUTES_SUSPECTED and (half_life is None or end < half_life)


def _outliers(path: Path, tacs: TACs) -> Iterator[Finding]:
    """Doubt values that stand far from those before and after them, once the first minutes are over."""
    curves, frames = tacs.activity, tacs.frames
    own, before, after = curves[:, 1:-1], curves[:, :-2], curves[:, 2:]
    low, high = np.minimum(before, after), np.maximum(before, after)
    seen = low > FAINT * np.quantile(np.abs(curves), 0.75, axis=1, keepdims=True)
    odd = np.argwhere(seen & ((own > OUTLIER * high) | (OUTLIER * own < low)) & (frames.start[1:-1] >= EARLY))
    for curve, at in odd[:1]:
        values = curves[curve, at : at + 3]
        more = f", and {len(odd) - 1} other values do likewise" if len(odd) > 1 else ""
        told = (
            f"region {tacs.names[curve]!r} leaps in frame {at + 2}, to {values[1]:.4g} kBq/mL between "
            f"{values[0]:.4g} and {values[2]:.4g}{more}; is the value right?"
        )
        yield doubt(path, tacs.names[curve], told)


def _decay(path: Path, tacs: TACs, scan: Scan) -> Iterator[Finding]:
    """Doubt a decay correction if every region falls late as fast as the nuclide decays, or rises nearly as fast."""
    frames, half_life = tacs.frames, scan.half_life
    late = frames.mid >= frames.end[-1] / 2
    if half_life is None or late.sum() < 3 or frames.end[-1] < 2 * DECAYED * half_life:
        return
    curves = tacs.activity[:, late]
    curves = curves[(curves > 0).all(axis=1)]
    if not len(curves):
        return
    falls = -np.polyfit(frames.mid[late], np.log(curves).T, 1)[0] / decay_constant(half_life)
    slowest, fastest = np.quantile(falls, (0.1, 0.9))
    if slowest >= LIKE_DECAY:
        told = (
            f"nearly every region falls by at least {slowest:.2g} times the decay of {half_life:g} min late in the "
            "scan, as it would if nobody had corrected for decay; is ImageDecayCorrected right?"
        )
        yield doubt(path, "ImageDecayCorrected", told)
    elif fastest <= -TOO_MUCH and not infused(scan):
        told = (
            f"nearly every region rises by at least {-fastest:.2g} times the decay of {half_life:g} min late in the "
            "scan, as it would if decay had been corrected for twice; is ImageDecayCorrected right?"
        )
        yield doubt(path, "ImageDecayCorrected", told)


def infused(scan: Scan) -> bool:
    """Whether the tracer was infused, with a bolus or without: then its activity may rise to the end."""
    return "infusion" in scan.administration.lower()


def _uptake(path: Path, tacs: TACs, scan: Scan) -> Iterator[Finding]:
    suv = standardised(tacs, scan)
    if suv and not POSSIBLE_SUV[0] <= suv <= POSSIBLE_SUV[1]:
        told = (
            f"its regions peak at {peak(tacs):.3g} kBq/mL (median), a standardised uptake of {suv:.2g} after "
            f"{scan.injected_radioactivity:g} MBq in {scan.body_weight:g} kg; check Units, InjectedRadioactivity and "
            "BodyWeight, each with its unit"
        )
        yield doubt(path, "Units", told)


def standardised(tacs: TACs, scan: Scan) -> float:
    """Peak of the regions as standardised uptake; 0 where dose or body weight are not known."""
    dose, weight = scan.injected_radioactivity, scan.body_weight
    return peak(tacs) * weight / dose if dose and weight else 0.0


def peak(tacs: TACs) -> float:
    """Median over the regions of their highest activity, kBq/mL."""
    return float(np.median(np.abs(tacs.activity).max(axis=1)))
