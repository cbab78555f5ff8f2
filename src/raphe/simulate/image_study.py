"""The images of a simulated study: several participants at a time, and resumed where they were stopped."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

from raphe.errors import OutputError
from raphe.io.provenance import software_version
from raphe.io.staging import staged
from raphe.io.tables import write_text
from raphe.simulate.dataset import TRUTH, write_mri_sidecar, write_sidecar, write_study
from raphe.simulate.heads import common_head, files_of_head, protocol_of
from raphe.simulate.page import PAGE, study_report
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.plan_file import PlanText
from raphe.simulate.record import Record, record
from raphe.simulate.scans import frames_of_scan, scan_of, write_blood
from raphe.simulate.treatment_files import write_sessions

Progress = Callable[[int, int, str], None]

BEGUN = ".raphe-simulate.json"
"""Says what is being made in a folder, until all is done."""

DONE = ".raphe-done-{}"
"""Stands in it for each participant that is whole."""

STOPPED = 130
"""Exit status of a process that was stopped."""


def silent(done: int, total: int, what: str) -> None:
    """Say nothing."""


def check_empty(out: Path) -> None:
    """Refuse a place that is not an empty folder or none at all.

    Raises
    ------
    OutputError
    """
    if out.is_dir() and any(out.iterdir()):
        raise OutputError(f"{out} is not empty; choose another folder for the simulated study, or remove this one")
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file; choose another place for the simulated study")


def simulate_images(
    plan: SimulationPlan, source: PlanText, out: Path, seed: int, number: int, workers: int, progress: Progress
) -> Path:
    """Make raw images of a study.

    Parameters
    ----------
    plan : SimulationPlan
    source : PlanText
        The file of that plan.
    out : Path
    seed, number : int
        Number of participants.
    workers : int
        Processes.
    progress : callable
        As of :func:`raphe.simulate.study.simulate_study`, whose errors are raised.

    Returns
    -------
    Path
        The study plan.
    """
    if not (out / BEGUN).is_file():
        check_empty(out)
    common_head(plan, source.folder)  # what is wrong with an anatomy is told before anything is written
    what = _identity(plan, source, seed, number)
    if not _begun(out, what):
        with staged(out) as stage:
            write_text(stage / BEGUN, json.dumps(what, indent=2) + "\n")
    left = [index for index in range(number) if not (out / DONE.format(index)).is_file()]
    done = number - len(left)
    progress(done, number, "participants" if done == 0 else "participants, of which some were made before")
    for index in _made(plan, source.folder, seed, left, out, workers):
        done += 1
        progress(done, number, f"participants; sub-{index + 1:02d} is done")
    with staged(out) as stage:
        records = [record(plan, seed, index) for index in range(number)]
        write_study(stage, plan, source, seed, records, images=True)
        write_text(stage / TRUTH / PAGE, study_report(plan, source, seed, records, images=True))
    for path in (*(out / DONE.format(index) for index in range(number)), out / BEGUN):
        path.unlink(missing_ok=True)
    return out / "raphe.toml"


def _made(plan: SimulationPlan, folder: Path, seed: int, left: list[int], out: Path, workers: int) -> Iterator[int]:
    """Make participants; gives the index of each that is done."""
    if workers == 1 or len(left) < 2:
        for index in left:
            yield make_participant(plan, folder, seed, index, out)
        return
    with ProcessPoolExecutor(min(workers, len(left)), get_context("spawn")) as pool:
        tasks = [pool.submit(_in_process, plan, folder, seed, index, out) for index in left]
        try:
            for task in as_completed(tasks):
                yield task.result()
        except BrokenProcessPool:
            raise OutputError(
                "one of the processes that make images has ended without a word, perhaps for want of memory; the same "
                "command with fewer --workers goes on from here"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _in_process(plan: SimulationPlan, folder: Path, seed: int, index: int, out: Path) -> int:
    """Make a participant in a process of its own, which takes no other one when it is stopped."""
    try:
        return make_participant(plan, folder, seed, index, out)
    except KeyboardInterrupt:  # what was begun has been cleaned up
        os._exit(STOPPED)


def make_participant(plan: SimulationPlan, folder: Path, seed: int, index: int, out: Path) -> int:
    """Make all images of one participant; they appear in ``out`` when all are there. Gives the index back."""
    from raphe.simulate.scan_images import subject, write_mri, write_pet

    found: Record = record(plan, seed, index)
    one = subject(plan, folder, seed, found.participant)
    protocol, _ = protocol_of(plan)
    with staged(out) as stage:
        truth = stage / TRUTH
        first = found.truths[0].session
        write_mri(stage, truth, one, first)
        write_mri_sidecar(stage, found.participant.label, first)
        for told in found.truths:
            scan, frames = scan_of(plan, told, protocol.label), frames_of_scan(plan, told.tracer)
            write_pet(stage, truth, one, scan, told, frames)
            write_sidecar(stage, scan, frames, protocol)
            write_blood(stage, plan, seed, told)
        write_sessions(stage, plan, found)
    (out / DONE.format(index)).touch()
    return index


def _identity(plan: SimulationPlan, source: PlanText, seed: int, number: int) -> dict[str, object]:
    """What decides about the bytes of a study."""
    files = [path.read_bytes() for path in files_of_head(plan, source.folder)]
    return {
        "Plan": source.name,
        "SHA256": [hashlib.sha256(content).hexdigest() for content in (source.text.encode(), *files)],
        "Seed": seed,
        "Participants": number,
        "Version": software_version(),
    }


def _begun(out: Path, what: dict[str, object]) -> bool:
    """Whether a study was begun in a folder; another one than this is refused."""
    path = out / BEGUN
    if not path.is_file():
        return False
    told: object = None
    with suppress(OSError, ValueError):
        told = json.loads(path.read_text(encoding="utf-8"))
    if told != what:
        raise OutputError(
            f"{out} holds a simulated study that is not finished, of another plan, head, seed, number of participants "
            f"or version ({path.name} says which); go on with that one, choose another folder, or remove this one"
        )
    return True
