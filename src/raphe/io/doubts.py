"""Doubts about curves that can be read: what a person should look at before believing a result."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.core.decay import decay_constant
from raphe.core.frames import Frames
from raphe.data.finding import Finding
from raphe.data.scan import Scan
from raphe.data.tacs import TACs
from raphe.io.bids import ScanCurves
from raphe.io.curves import MANY_FRAMES, MINUTES_SUSPECTED
from raphe.io.profile_doubts import ENOUGH_SCANS, odd_regions
from raphe.io.tables import no_chance, shortened
from raphe.nomenclature import tracer_key

UNIT_JUMP = 100.0
"""Fold by which the activity of one scan may differ from that of the others before their units are doubted."""

CUT_SHORT = 0.9
"""Share of the usual length of a tracer's scans below which a scan is called short."""

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


ODD_UPTAKE = 5.0
"""Fold by which the standardised uptake of a scan may differ from that of the tracer's other scans; an assumption.

In the scans that this was tried on (DASB, MC1, PBR28, simulated ones before and after a drug) activity alone, not
divided by the dose, differs by less than threefold.
"""


FEWEST_TOLD = 3
"""Scans from which on most of them tell how a tracer was given."""


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
        yield _doubt(
            path, "", f"{len(frames)} frames end at {frames.end[-1]:.4g} min; is the unit of their times right?"
        )
    if frames.start[0] > LATE:
        yield _doubt(
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
            yield _doubt(path, name, f"region {name!r} has no activity at all (every value is 0)")
        elif len(frames) > 1 and np.ptp(curve) == 0:
            yield _doubt(path, name, f"region {name!r} has the same activity in every frame")
        elif curve @ frames.duration < 0:
            yield _doubt(path, name, f"region {name!r} has a negative activity in total")
        elif curve.tobytes() in same:
            yield _doubt(path, name, f"regions {same[curve.tobytes()]!r} and {name!r} have identical curves")
        same.setdefault(curve.tobytes(), name)


def doubts_of_study(readings: Sequence[Reading]) -> Iterator[Finding]:
    """Doubts that show when the tables of a study are held against one another."""
    kinds = defaultdict(list)
    for reading in readings:
        kinds[reading.kind].append(reading)
    for group in kinds.values():
        yield from _missing_regions(group)
        yield from _twins(group)
        yield from _odd_regions(group)
    tracers: dict[str, dict[str, Reading]] = defaultdict(dict)
    for reading in readings:
        tracers[reading.kind[0]].setdefault(reading.table.scan.label, reading)
    for tracer in tracers:
        yield from _segmentations([reading for reading in readings if reading.kind[0] == tracer])
    for scans in tracers.values():
        yield from _names(list(scans.values()))
        yield from _radionuclides(list(scans.values()))
        yield from _schedules(list(scans.values()))
        yield from _odd_uptake(list(scans.values()))
        yield from _administrations(list(scans.values()))
    yield from _unit_jumps(readings)


def gaps(path: Path, frames: Frames) -> Iterator[Finding]:
    """Doubts about a schedule in which nothing was measured between two frames."""
    gap = frames.start[1:] - frames.end[:-1]
    shorter = np.minimum(frames.duration[1:], frames.duration[:-1])
    for index in np.flatnonzero(gap > GAP * shorter):
        yield _doubt(
            path,
            "",
            f"nothing was measured in the {60 * gap[index]:g} s between frames {index + 1} and {index + 2}; the curves "
            "are drawn straight through them",
        )


def _doubt(path: Path, field: str, told: str) -> Finding:
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
        yield _doubt(path, "", told)


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
        yield _doubt(path, tacs.names[curve], told)


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
        yield _doubt(path, "ImageDecayCorrected", told)
    elif fastest <= -TOO_MUCH and not _infused(scan):
        told = (
            f"nearly every region rises by at least {-fastest:.2g} times the decay of {half_life:g} min late in the "
            "scan, as it would if decay had been corrected for twice; is ImageDecayCorrected right?"
        )
        yield _doubt(path, "ImageDecayCorrected", told)


def _infused(scan: Scan) -> bool:
    """Whether the tracer was infused, with a bolus or without: then its activity may rise to the end."""
    return "infusion" in scan.administration.lower()


def _administrations(scans: Sequence[Reading]) -> Iterator[Finding]:
    """Doubt a scan that was a bolus where most of its tracer's were infusions, or the other way round."""
    told = [reading for reading in scans if reading.table.scan.administration]
    if len(told) < FEWEST_TOLD:
        return
    usual = Counter(_infused(reading.table.scan) for reading in told).most_common(1)[0][0]
    spelled = Counter(
        reading.table.scan.administration for reading in told if _infused(reading.table.scan) == usual
    ).most_common(1)[0][0]
    for reading in told:
        scan = reading.table.scan
        if _infused(scan) != usual:
            what = f"ModeOfAdministration is {scan.administration!r}, but {spelled!r} in most scans of {scan.tracer}"
            yield _doubt(
                reading.table.path, "ModeOfAdministration", f"{what}; late ratios of the two cannot be compared"
            )


def _uptake(path: Path, tacs: TACs, scan: Scan) -> Iterator[Finding]:
    suv = _standardised(tacs, scan)
    if suv and not POSSIBLE_SUV[0] <= suv <= POSSIBLE_SUV[1]:
        told = (
            f"its regions peak at {_peak(tacs):.3g} kBq/mL (median), a standardised uptake of {suv:.2g} after "
            f"{scan.injected_radioactivity:g} MBq in {scan.body_weight:g} kg; check Units, InjectedRadioactivity and "
            "BodyWeight, each with its unit"
        )
        yield _doubt(path, "Units", told)


def _odd_uptake(scans: Sequence[Reading]) -> Iterator[Finding]:
    """Doubt a scan of possible uptake whose whole scale is not that of the others of its tracer."""
    known = [(reading, _standardised(reading.tacs, reading.table.scan)) for reading in scans]
    known = [(reading, suv) for reading, suv in known if POSSIBLE_SUV[0] <= suv <= POSSIBLE_SUV[1]]
    if len(known) < ENOUGH_SCANS:
        return
    usual = float(np.median([suv for _, suv in known]))
    for reading, suv in known:
        if not 1 / ODD_UPTAKE <= suv / usual <= ODD_UPTAKE:
            scan = reading.table.scan
            told = (
                f"its regions peak at a standardised uptake of {suv:.2g} (median), where {usual:.2g} is usual in the "
                f"{len(known)} scans of {scan.tracer}; check the values, Units, InjectedRadioactivity "
                f"({scan.injected_radioactivity:g} MBq) and BodyWeight ({scan.body_weight:g} kg)"
            )
            yield _doubt(reading.table.path, "Units", told)


def _standardised(tacs: TACs, scan: Scan) -> float:
    """Peak of the regions as standardised uptake; 0 where dose or body weight are not known."""
    dose, weight = scan.injected_radioactivity, scan.body_weight
    return _peak(tacs) * weight / dose if dose and weight else 0.0


def _peak(tacs: TACs) -> float:
    """Median over the regions of their highest activity, kBq/mL."""
    return float(np.median(np.abs(tacs.activity).max(axis=1)))


def _missing_regions(group: Sequence[Reading]) -> Iterator[Finding]:
    count = Counter(name for reading in group for name in reading.tacs.names)
    usual = [name for name, times in count.items() if 2 * times >= len(group)]
    for reading in group:
        missing = [name for name in usual if name not in reading.tacs.names]
        if missing:
            where = f"at least half of the {len(group)} tables of this kind have it"
            yield _doubt(reading.table.path, missing[0], f"a missing region: {shortened(missing)} ({where})")


def _segmentations(readings: Sequence[Reading]) -> Iterator[Finding]:
    """Doubt a scan that lacks the segmentation of most others: regions of one name are not the same regions then."""
    scans: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        scans[reading.table.scan.label].append(reading)
    count = Counter(seg for own in scans.values() for seg in {reading.table.seg for reading in own})
    usual, times = count.most_common(1)[0]
    for own in scans.values():
        segs = {reading.table.seg for reading in own}
        if usual not in segs and 2 * times > len(scans):
            told = (
                f"its segmentation is {own[0].table.seg or 'not told'}, while {times} of the {len(scans)} scans of "
                f"{own[0].table.scan.tracer} have {usual or 'one that is not told'}; are its regions the same?"
            )
            yield _doubt(own[0].table.path, "seg", told)


def _twins(group: Sequence[Reading]) -> Iterator[Finding]:
    first: dict[bytes, Reading] = {}
    for reading in group:
        other = first.setdefault(reading.tacs.activity.tobytes(), reading)
        if other is not reading:
            yield _doubt(
                reading.table.path, "", f"its curves are identical with those of {other.table.path}; is one a copy?"
            )


def _odd_regions(group: Sequence[Reading]) -> Iterator[Finding]:
    """Doubt regions whose late activity is not what the scan's others lead to expect after those of the other scans."""
    late = [_late(reading.tacs) for reading in group]
    for reading, odd in zip(group, odd_regions(late), strict=True):
        if odd:
            folds = shortened([f"{name!r} has {fold:.2g} times" for name, fold in odd.items()], 4)
            told = (
                f"{folds} the late activity that its other regions and the {len(group) - 1} other tables of this kind "
                "lead to expect; are columns exchanged, is one in another unit, or is a region drawn elsewhere?"
            )
            yield _doubt(reading.table.path, next(iter(odd)), told)


def _late(tacs: TACs) -> dict[str, float]:
    """Activity of each region in the second half of the scan."""
    frames = tacs.frames
    late = frames.mid >= frames.end[-1] / 2
    return dict(zip(tacs.names, (tacs.activity[:, late] @ frames.duration[late]).tolist(), strict=True))


def _names(scans: Sequence[Reading]) -> Iterator[Finding]:
    count = Counter(reading.table.scan.tracer for reading in scans)
    usual, _ = count.most_common(1)[0]
    for reading in scans:
        name = reading.table.scan.tracer
        if name != usual:
            yield _doubt(
                reading.table.path, "TracerName", f"TracerName is {name!r}, but {usual!r} in most scans; spell it alike"
            )


def _radionuclides(scans: Sequence[Reading]) -> Iterator[Finding]:
    pairs = list(combinations((reading.table for reading in scans), 2))
    differing = [(one, other) for one, other in pairs if one.scan.radionuclide != other.scan.radionuclide]
    own = [(one, other) for one, other in differing if one.scan.participant == other.scan.participant]
    for one, other in (own or differing)[:1]:
        where = f"{one.scan.label} has {one.scan.radionuclide}, {other.scan.label} {other.scan.radionuclide}"
        message = f"{other.path}: tracer {one.scan.tracer!r} has two radionuclides: {where}; mend the wrong sidecar"
        yield Finding("error" if own else "warning", other.sidecar.paths[-1], "TracerRadionuclide", message)


def _schedules(scans: Sequence[Reading]) -> Iterator[Finding]:
    if len(scans) < 2:
        return
    ends = np.array([reading.tacs.frames.end[-1] for reading in scans])
    usual = _most_common([reading.tacs.frames for reading in scans])
    for index, reading in enumerate(scans):
        others = float(np.median(np.delete(ends, index)))
        if ends[index] < CUT_SHORT * others:
            told = f"the scan ends at {ends[index]:g} min, the others of {reading.table.scan.tracer} at {others:g} min"
            yield _doubt(reading.table.path, "FrameTimesStart", told)
        elif not _same(usual, reading.tacs.frames):
            told = f"its schedule ({_schedule(reading.tacs.frames, usual)}) differs from that of most scans of"
            told += f" {reading.table.scan.tracer} ({_schedule(usual, reading.tacs.frames)})"
            yield _doubt(reading.table.path, "FrameTimesStart", told)


def _schedule(frames: Frames, other: Frames) -> str:
    """Size of a schedule, and its first frame that another does not have."""
    size = f"{len(frames)} frames, {frames.end[-1]:g} min"
    differing = np.flatnonzero(~_alike(frames, other))
    if not differing.size:
        return size
    at = differing[0]
    return f"{size}; frame {at + 1} is {60 * frames.start[at]:g}-{60 * frames.end[at]:g} s"


def _most_common(schedules: Sequence[Frames]) -> Frames:
    kinds: list[list[Frames]] = []
    for frames in schedules:
        alike = next((kind for kind in kinds if _same(kind[0], frames)), None)
        if alike is None:
            kinds.append([frames])
        else:
            alike.append(frames)
    return max(kinds, key=len)[0]


def _same(one: Frames, other: Frames) -> bool:
    """Whether two schedules are the same but for what cannot matter."""
    return len(one) == len(other) and bool(_alike(one, other).all())


def _alike(one: Frames, other: Frames) -> npt.NDArray[np.bool_]:
    """Which frames of two schedules are the same, to a second and a per cent, as far as both go."""
    n = min(len(one), len(other))
    mid = np.isclose(one.mid[:n], other.mid[:n], rtol=0.01, atol=1 / 60)
    return mid & np.isclose(one.duration[:n], other.duration[:n], rtol=0.01, atol=1 / 60)


def _unit_jumps(readings: Sequence[Reading]) -> Iterator[Finding]:
    if len(readings) < 2:
        return
    peaks = np.array([_peak(reading.tacs) for reading in readings])
    for index, reading in enumerate(readings):
        others = float(np.median(np.delete(peaks, index)))
        low, high = sorted((float(peaks[index]), others))
        if low > 0 and high / low > UNIT_JUMP:
            told = (
                f"its regions peak at {peaks[index]:.3g} kBq/mL (median), those of other tables at {others:.3g}; is "
                f"Units, {reading.table.sidecar.unit!r}, right?"
            )
            yield _doubt(reading.table.path, "Units", told)
