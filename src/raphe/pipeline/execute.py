"""Where the scans are worked on: in this process, or several at a time; a scan that fails does not stop the others."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from raphe.errors import OutputError, RapheError, unexpected
from raphe.io.staging import STOPS

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


def execute(
    work: Callable[[Task], Outcome], tasks: Sequence[Task], workers: int, debug: bool = False
) -> Iterator[tuple[Task, Outcome | RapheError]]:
    """Do ``work`` on every task and yield each with its outcome, or with the error that it ended in, as they finish.

    Parameters
    ----------
    work : callable
        Must be importable by name where there is more than one worker.
    tasks : sequence
    workers : int
        Processes; 1 works in this one. What is still waiting is dropped when the iteration is stopped.
    debug : bool
        Whether an error that is not raphe's own is raised, instead of being told as that of its task.

    Raises
    ------
    OutputError
        If a process ends without a word, as it does when the machine runs out of memory.
    """
    if workers == 1 or len(tasks) < 2:
        for task in tasks:
            yield task, _outcome(functools.partial(work, task), debug)
        return
    with ProcessPoolExecutor(
        min(workers, len(tasks)), mp_context=get_context("spawn"), initializer=_leave_stopping_to_the_parent
    ) as pool:
        waiting = {pool.submit(work, task): task for task in tasks}
        try:
            for done in as_completed(waiting):
                yield waiting[done], _outcome(done.result, debug)
        except BrokenProcessPool:
            raise OutputError(
                "one of the processes that work on scans has ended without a word, perhaps for want of memory; the "
                "same command with fewer --workers goes on from here"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _outcome(result: Callable[[], Outcome], debug: bool) -> Outcome | RapheError:
    try:
        return result()
    except RapheError as error:
        return error
    except BrokenProcessPool:
        raise
    except Exception as error:
        if debug:
            raise
        return unexpected(error)


def _leave_stopping_to_the_parent() -> None:
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
