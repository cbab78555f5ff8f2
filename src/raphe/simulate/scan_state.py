"""What the mechanism makes of one scan, whose binding is one number: its means over the scan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe import catalog
from raphe.simulate.plan import SessionSection, SimulationPlan, TracerSection
from raphe.simulate.treatment import CONCENTRATION_DECIMALS, Treatment, rounded, scan_times

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScanState:
    """Means over one scan, rounded.

    Parameters
    ----------
    ketamine : float, ng/mL
    serotonin : float
        n, as a multiple of that at rest.
    transporter : float
        Share that is left.
    receptors : ndarray, shape (n_region,)
        Relative to those before any drug.
    binding : ndarray, shape (n_region,)
        Factor on the tracer's binding potential.
    """

    ketamine: float
    serotonin: float
    transporter: float
    receptors: Array
    binding: Array


def scan_state(plan: SimulationPlan, treated: Treatment, session: SessionSection, tracer: TracerSection) -> ScanState:
    """What the mechanism makes of one scan.

    Parameters
    ----------
    plan : SimulationPlan
    treated : Treatment
    session : SessionSection
    tracer : TracerSection
    """
    target, names = catalog.tracer(tracer.name).target, plan.regions.names
    regimen = treated.before.get(session.label)
    time = scan_times(plan, treated.sessions[session.label], tracer) if regimen else np.zeros(1)
    if regimen is None or time[-1] <= min(one.start for one in regimen.infusions):
        ones = np.ones(len(names))
        return ScanState(0.0, 1.0, 1.0, ones, ones)
    seen = regimen.course.at(time)
    return ScanState(
        ketamine=float(rounded(seen.ketamine.mean(), CONCENTRATION_DECIMALS)),
        serotonin=float(rounded(seen.serotonin.mean())),
        transporter=float(rounded(seen.transporter.mean())),
        receptors=rounded([seen.receptors(name).mean() for name in names]),
        binding=rounded([seen.binding(target, name).mean() for name in names]),
    )
