"""The scans of a simulated study: what is known of them, their frames, and their curves without noise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe import catalog
from raphe.core.frames import Frames
from raphe.data.scan import Scan
from raphe.simulate.anatomy import BLOOD
from raphe.simulate.curves import Exponentials, bolus_input, feng_input, scan_curves
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.plasma import Arterial, arterial, write_samples
from raphe.simulate.population import ScanTruth
from raphe.simulate.streams import Place, stream
from raphe.simulate.tissues import tissues

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrueCurves:
    """Curves of one scan without noise, kBq/mL, decay-corrected to injection.

    Parameters
    ----------
    reference, blood : ndarray, shape (n_frame,)
        Blood that is whole.
    tissue : ndarray, shape (n_tissue, n_frame)
    arterial : Arterial
    """

    reference: Array
    tissue: Array
    blood: Array
    arterial: Arterial


def true_curves(plan: SimulationPlan, truth: ScanTruth, frames: Frames, R1: Array, BP_ND: Array) -> TrueCurves:
    """Curves of tissues with any R1 and BP_ND in one scan.

    Parameters
    ----------
    plan : SimulationPlan
    truth : ScanTruth
        Of the scan; its own R1 and BP_ND are not used.
    frames : Frames
    R1, BP_ND : ndarray, shape (n_tissue,)
    """
    section = next(one for one in plan.tracers if one.name == truth.tracer)
    entry = catalog.tracer(truth.tracer).species[plan.study.species]
    peak = entry.reference.peak_suv.value * truth.injected / truth.participant.body_weight
    k4 = None if section.k4 is None else section.k4.value
    total = plasma_total(truth.tracer)
    reference, tissue = scan_curves(frames, R1, truth.k2_prime, BP_ND, peak, k4, total)
    in_blood = arterial(frames, total, truth.k2_prime, peak, delivery())
    blood = in_blood.whole_blood.averages(frames)
    share = 0.0 if plan.blood is None else plan.blood.V_B.value
    return TrueCurves(
        (1 - share) * reference + share * blood, (1 - share) * tissue + share * blood, blood, in_blood
    )  # fmt: skip


def plasma_total(tracer: str) -> Exponentials:
    """Total activity of a tracer in plasma after a bolus, in arbitrary units; Feng's where the catalog has none."""
    known = catalog.tracer(tracer).plasma
    return feng_input() if known is None else bolus_input(known.rise.value, known.bolus.value, known.late.value)


def delivery() -> float:
    """K1 of the reference that is assumed, mL/cm3/min."""
    assumed = tissues()[BLOOD].K1_reference
    assert assumed is not None, "the file of tissues has it"
    return assumed.value


def frames_of_scan(plan: SimulationPlan, tracer: str) -> Frames:
    """Frames of the scans with a tracer."""
    section = next(one for one in plan.tracers if one.name == tracer)
    schedule = next(entry for entry in catalog.tracer(tracer).schedule if entry.name == section.schedule)
    return Frames(np.array(schedule.start), np.array(schedule.duration))


def scan_of(plan: SimulationPlan, truth: ScanTruth, scanner: str) -> Scan:
    """What is known of a scan beside its activity."""
    tracer = catalog.tracer(truth.tracer)
    mass = tracer.species[plan.study.species].injected_mass.value
    weight = tracer.molecular_weight
    return Scan(
        participant=truth.participant.label,
        session=truth.session,
        entities=(("trc", tracer.name),),
        tracer=tracer.name,
        radionuclide=tracer.radionuclide,
        half_life=catalog.half_life(tracer.radionuclide),
        injected_radioactivity=truth.injected,
        injected_mass=mass,
        molar_activity=None if weight is None else float(f"{truth.injected / mass * weight.value / 1000:.4g}"),
        body_weight=truth.participant.body_weight,
        scanner=scanner,
    )


def write_blood(out: Path, plan: SimulationPlan, seed: int, truth: ScanTruth) -> None:
    """Write the arterial samples of a scan, where the plan has any.

    Parameters
    ----------
    out : Path
        Root of the raw dataset.
    plan : SimulationPlan
    seed : int
    truth : ScanTruth

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    if plan.blood is None:
        return
    frames = frames_of_scan(plan, truth.tracer)
    place = [section.name for section in plan.tracers].index(truth.tracer)
    session = [section.label for section in plan.sessions].index(truth.session)
    random = stream(seed, Place.BLOOD, truth.participant.index, place, session)
    found = true_curves(plan, truth, frames, truth.R1, truth.BP_ND).arterial
    samples = found.samples(float(frames.end[-1]), plan.blood.percent.value, random)
    write_samples(out, scan_of(plan, truth, ""), samples)
