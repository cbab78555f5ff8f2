"""Regional curves of one scan, without noise and with it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe import catalog
from raphe.data.tacs import TACs
from raphe.simulate.curves import noise_level, noise_sd
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.population import ScanTruth
from raphe.simulate.scans import frames_of_scan, true_curves
from raphe.simulate.streams import Place, stream

Array = npt.NDArray[np.float64]

SIGNIFICANT_DIGITS = 7
"""To which activities are rounded, so that the last bits of another machine's arithmetic do not reach the files."""


def scan_tacs(plan: SimulationPlan, seed: int, truth: ScanTruth) -> TACs:
    """Noisy curves of one scan, the reference region first; volumes in mm3.

    Parameters
    ----------
    plan : SimulationPlan
    seed : int
    truth : ScanTruth
    """
    place = [section.name for section in plan.tracers].index(truth.tracer)
    session = [section.label for section in plan.sessions].index(truth.session)
    exact, sd = expected_tacs(plan, truth)
    random = stream(seed, Place.NOISE, truth.participant.index, place, session)
    noisy = exact.activity + sd * random.standard_normal(sd.shape)
    return TACs(_rounded(noisy), exact.frames, exact.names, exact.volumes)


def expected_tacs(plan: SimulationPlan, truth: ScanTruth) -> tuple[TACs, Array]:
    """Curves of one scan without noise, and the standard deviation of their noise in each frame, kBq/mL."""
    tracer, species = catalog.tracer(truth.tracer), catalog.species(plan.study.species)
    frames = frames_of_scan(plan, truth.tracer)
    half_life = catalog.half_life(tracer.radionuclide)
    true = true_curves(plan, truth, frames, truth.R1, truth.BP_ND)
    names = (species.reference_region, *truth.regions)
    volumes = np.array([species.volume(name).value for name in names])
    exact = np.vstack([true.reference, true.tissue])
    alpha = noise_level(frames, half_life, true.reference, plan.noise.percent.value)
    sd = noise_sd(frames, half_life, exact, volumes, alpha)
    return TACs(exact, frames, tuple(name.replace(" ", "_") for name in names), volumes), sd


def _rounded(values: Array) -> Array:
    return np.array([[float(f"{value:.{SIGNIFICANT_DIGITS}g}") for value in row] for row in values])
