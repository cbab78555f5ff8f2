"""A study of known truth, written as a BIDS dataset of images or of curves."""

from __future__ import annotations

from pathlib import Path

from raphe.errors import PlanError
from raphe.io.staging import staged
from raphe.io.tables import write_text
from raphe.simulate.dataset import TRUTH, write_scan, write_study
from raphe.simulate.image_study import Progress, check_empty, silent, simulate_images
from raphe.simulate.page import PAGE, study_report
from raphe.simulate.plan import MOST_PARTICIPANTS, SimulationPlan
from raphe.simulate.plan_file import find_plan, parse_plan
from raphe.simulate.plan_rules import check_rules
from raphe.simulate.record import Record, record
from raphe.simulate.scan_tacs import scan_tacs
from raphe.simulate.scans import scan_of, write_blood
from raphe.simulate.treatment_files import write_sessions


def simulate_study(
    plan: str | Path,
    out: Path,
    *,
    seed: int = 1,
    participants: int | None = None,
    tacs_only: bool = False,
    workers: int = 1,
    progress: Progress = silent,
) -> Path:
    """Make a study whose truth is known, as raw BIDS: dynamic PET and T1-weighted images, or curves alone.

    ``out`` gets the raw dataset with its ``raphe.toml``, which is the study plan, and ``truth/`` with what is true,
    which no analysis reads. With curves alone these stand under ``derivatives/raphe-sim``, and ``raphe run`` takes the
    folder as it is. The same seed gives the same bytes, whatever the number of workers, and the data of a participant
    do not depend on how many there are.

    Participants with images appear in ``out`` one by one, each whole. If that is stopped, the same call goes on where
    it was.

    Parameters
    ----------
    plan : str or Path
        Name of a plan that comes with raphe (:func:`raphe.simulate.plan_file.embedded_plans`), or a TOML file.
    out : Path
        Folder to make; it may exist if it is empty.
    seed : int
        Not negative.
    participants : int, optional
        Instead of the plan's number. The last block of an allocation to arms may then stay incomplete.
    tacs_only : bool
        Curves alone, in a moment, and without any image.
    workers : int
        Processes that make images.
    progress : callable
        Is told how many participants are done, of how many, and what is being made.

    Returns
    -------
    Path
        The study plan, ``out/raphe.toml``.

    Raises
    ------
    PlanError
        If the plan is absent or unusable, or ``seed`` or ``participants`` are impossible.
    OutputError
        If ``out`` is not empty, but for what was begun by the same call, or cannot be written to.
    """
    if seed < 0:
        raise PlanError(f"the seed is {seed}; give a whole number that is not negative")
    source = find_plan(plan)
    understood = parse_plan(source)
    check_rules(understood, source.name)
    number = understood.study.participants if participants is None else participants
    if not 1 <= number <= MOST_PARTICIPANTS:
        raise PlanError(f"{number} participants cannot be simulated; give a number from 1 to {MOST_PARTICIPANTS}")
    if not tacs_only:
        return simulate_images(understood, source, out, seed, number, workers, progress)
    check_empty(out)
    with staged(out) as stage:
        records = [_participant(understood, seed, index, stage) for index in range(number)]
        write_study(stage, understood, source, seed, records, images=False)
        write_text(stage / TRUTH / PAGE, study_report(understood, source, seed, records, images=False))
    return out / "raphe.toml"


def _participant(plan: SimulationPlan, seed: int, index: int, out: Path) -> Record:
    """Write all scans of one participant; gives what is true."""
    found = record(plan, seed, index)
    for truth in found.truths:
        write_scan(out, scan_of(plan, truth, "simulated"), scan_tacs(plan, seed, truth))
        write_blood(out, plan, seed, truth)
    write_sessions(out, plan, found)
    return found
