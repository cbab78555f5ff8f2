"""Doubts that show when the tables of a study are held against one another."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.data.finding import Finding
from raphe.data.tacs import TACs
from raphe.io.doubts import POSSIBLE_SUV, Reading, doubt, infused, peak, standardised
from raphe.io.profile_doubts import ENOUGH_SCANS, odd_regions
from raphe.io.tables import shortened

UNIT_JUMP = 100.0
"""Fold by which the activity of one scan may differ from that of the others before their units are doubted."""

CUT_SHORT = 0.9
"""Share of the usual length of a tracer's scans below which a scan is called short."""

ODD_UPTAKE = 5.0
"""Fold by which the standardised uptake of a scan may differ from that of the tracer's other scans; an assumption.

In the scans that this was tried on (DASB, MC1, PBR28, simulated ones before and after a drug) activity alone, not
divided by the dose, differs by less than threefold.
"""

FEWEST_TOLD = 3
"""Scans from which on most of them tell how a tracer was given."""


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


def _administrations(scans: Sequence[Reading]) -> Iterator[Finding]:
    """Doubt a scan that was a bolus where most of its tracer's were infusions, or the other way round."""
    told = [reading for reading in scans if reading.table.scan.administration]
    if len(told) < FEWEST_TOLD:
        return
    usual = Counter(infused(reading.table.scan) for reading in told).most_common(1)[0][0]
    spelled = Counter(
        reading.table.scan.administration for reading in told if infused(reading.table.scan) == usual
    ).most_common(1)[0][0]
    for reading in told:
        scan = reading.table.scan
        if infused(scan) != usual:
            what = f"ModeOfAdministration is {scan.administration!r}, but {spelled!r} in most scans of {scan.tracer}"
            yield doubt(
                reading.table.path, "ModeOfAdministration", f"{what}; late ratios of the two cannot be compared"
            )


def _odd_uptake(scans: Sequence[Reading]) -> Iterator[Finding]:
    """Doubt a scan of possible uptake whose whole scale is not that of the others of its tracer."""
    known = [(reading, standardised(reading.tacs, reading.table.scan)) for reading in scans]
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
            yield doubt(reading.table.path, "Units", told)


def _missing_regions(group: Sequence[Reading]) -> Iterator[Finding]:
    count = Counter(name for reading in group for name in reading.tacs.names)
    usual = [name for name, times in count.items() if 2 * times >= len(group)]
    for reading in group:
        missing = [name for name in usual if name not in reading.tacs.names]
        if missing:
            where = f"at least half of the {len(group)} tables of this kind have it"
            yield doubt(reading.table.path, missing[0], f"a missing region: {shortened(missing)} ({where})")


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
            yield doubt(own[0].table.path, "seg", told)


def _twins(group: Sequence[Reading]) -> Iterator[Finding]:
    first: dict[bytes, Reading] = {}
    for reading in group:
        other = first.setdefault(reading.tacs.activity.tobytes(), reading)
        if other is not reading:
            yield doubt(
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
            yield doubt(reading.table.path, next(iter(odd)), told)


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
            yield doubt(
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
            yield doubt(reading.table.path, "FrameTimesStart", told)
        elif not _same(usual, reading.tacs.frames):
            told = f"its schedule ({_schedule(reading.tacs.frames, usual)}) differs from that of most scans of"
            told += f" {reading.table.scan.tracer} ({_schedule(usual, reading.tacs.frames)})"
            yield doubt(reading.table.path, "FrameTimesStart", told)


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
    peaks = np.array([peak(reading.tacs) for reading in readings])
    for index, reading in enumerate(readings):
        others = float(np.median(np.delete(peaks, index)))
        low, high = sorted((float(peaks[index]), others))
        if low > 0 and high / low > UNIT_JUMP:
            told = (
                f"its regions peak at {peaks[index]:.3g} kBq/mL (median), those of other tables at {others:.3g}; is "
                f"Units, {reading.table.sidecar.unit!r}, right?"
            )
            yield doubt(reading.table.path, "Units", told)
