"""The scans of a simulated study, as far as they need neither curves nor images."""

from __future__ import annotations

import numpy as np

from raphe import catalog
from raphe.core.frames import Frames
from raphe.data.scan import Scan
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.population import ScanTruth


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
