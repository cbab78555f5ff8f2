"""A study of known truth, written as a BIDS dataset of curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe import catalog
from raphe.core.frames import Frames
from raphe.data.scan import Scan
from raphe.data.tacs import TACs
from raphe.errors import OutputError, PlanError
from raphe.io.staging import staged
from raphe.simulate.curves import noise_level, noise_sd, scan_curves
from raphe.simulate.dataset import write_scan, write_study
from raphe.simulate.plan import MOST_PARTICIPANTS, SimulationPlan, find_plan, parse_plan
from raphe.simulate.plan_rules import check_rules
from raphe.simulate.population import ScanTruth
from raphe.simulate.record import Record, record
from raphe.simulate.streams import Place, stream
from raphe.simulate.treatment_files import write_sessions

Array = npt.NDArray[np.float64]

SIGNIFICANT_DIGITS = 7
"""To which activities are rounded, so that the last bits of another machine's arithmetic do not reach the files."""


def simulate_study(
    plan: str | Path, out: Path, *, seed: int = 1, participants: int | None = None, tacs_only: bool = False
) -> Path:
    """Make a study whose truth is known, as raw BIDS sidecars with curves as derivatives.

    ``out`` gets the raw dataset with its ``raphe.toml``, which ``raphe run`` takes as it is, the curves under
    ``derivatives/raphe-sim``, and ``truth/`` with what is true, which no analysis reads. The same seed gives the same
    bytes, and the data of a participant do not depend on how many there are.

    Parameters
    ----------
    plan : str or Path
        Name of a plan that comes with raphe (:func:`raphe.simulate.plan.embedded_plans`), or a TOML file.
    out : Path
        Folder to make; it may exist if it is empty.
    seed : int
        Not negative.
    participants : int, optional
        Instead of the plan's number. The last block of an allocation to arms may then stay incomplete.
    tacs_only : bool
        Must be true: images are not made yet.

    Returns
    -------
    Path
        The study plan, ``out/raphe.toml``.

    Raises
    ------
    PlanError
        If the plan is absent or unusable, ``tacs_only`` is false, or ``seed`` or ``participants`` are impossible.
    OutputError
        If ``out`` is not empty or cannot be written to.
    """
    if not tacs_only:
        raise PlanError("images of a simulated study are not made yet, only its regional curves; add --tacs-only")
    if seed < 0:
        raise PlanError(f"the seed is {seed}; give a whole number that is not negative")
    source = find_plan(plan)
    understood = parse_plan(source)
    check_rules(understood, source.name)
    number = understood.study.participants if participants is None else participants
    if not 1 <= number <= MOST_PARTICIPANTS:
        raise PlanError(f"{number} participants cannot be simulated; give a number from 1 to {MOST_PARTICIPANTS}")
    _check_empty(out)
    with staged(out) as stage:
        records = [_participant(understood, seed, index, stage) for index in range(number)]
        write_study(stage, understood, source, seed, records)
    return out / "raphe.toml"


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
    tracer, species = catalog.tracer(truth.tracer), catalog.species(plan.study.species)
    schedule = next(entry for entry in tracer.schedule if entry.name == plan.tracers[place].schedule)
    frames = Frames(np.array(schedule.start), np.array(schedule.duration))
    half_life = catalog.half_life(tracer.radionuclide)
    peak = tracer.species[species.name].reference.peak_suv.value * truth.injected / truth.participant.body_weight
    reference, regions = scan_curves(frames, truth.R1, truth.k2_prime, truth.BP_ND, peak)
    names = (species.reference_region, *truth.regions)
    volumes = np.array([species.volume(name).value for name in names])
    exact = np.vstack([reference, regions])
    alpha = noise_level(frames, half_life, reference, plan.noise.percent.value)
    random = stream(seed, Place.NOISE, truth.participant.index, place, session)
    noisy = exact + noise_sd(frames, half_life, exact, volumes, alpha) * random.standard_normal(exact.shape)
    return TACs(_rounded(noisy), frames, tuple(name.replace(" ", "_") for name in names), volumes)


def _participant(plan: SimulationPlan, seed: int, index: int, out: Path) -> Record:
    """Write all scans of one participant; gives what is true."""
    found = record(plan, seed, index)
    for truth in found.truths:
        write_scan(out, _scan(plan, truth), scan_tacs(plan, seed, truth))
    write_sessions(out, plan, found)
    return found


def _scan(plan: SimulationPlan, truth: ScanTruth) -> Scan:
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
        scanner="simulated",
    )


def _rounded(values: Array) -> Array:
    return np.array([[float(f"{value:.{SIGNIFICANT_DIGITS}g}") for value in row] for row in values])


def _check_empty(out: Path) -> None:
    if out.is_dir() and any(out.iterdir()):
        raise OutputError(f"{out} is not empty; choose another folder for the simulated study, or remove this one")
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file; choose another place for the simulated study")
