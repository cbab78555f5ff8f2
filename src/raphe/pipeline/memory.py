"""How much memory a run may take, and how many voxels of an image fit into it at once."""

from __future__ import annotations

import os
import resource
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from raphe.errors import InputError
from raphe.kinetics.voxelwise import CHUNK

WORKING = 64_000_000
"""Bytes that a thread takes to fit a chunk of voxels, as measured with 38 frames, and rounded up."""

SPARE = 128_000_000
"""Bytes that are left for what is loaded on the way, compiled code above all, and for what the allocator keeps."""

OF_MACHINE = 0.8
"""Share of the machine's free memory that is taken where no limit is given."""


@dataclass(frozen=True)
class WaysOut:
    """What a command lets its user do about a message, in words that go into it.

    Parameters
    ----------
    memory : str
        How to give more memory; the bytes that are needed stand for ``{least}``.
    all_at_once : str
        Why not all voxels fit into the memory, and what to do about it.
    mask : str
        How to say which voxels are mapped.
    """

    memory: str
    all_at_once: str
    mask: str


OF_MAP = WaysOut(
    memory="give at least {least} (--memory), fewer models or a smaller mask",
    all_at_once="which --memory does not allow; give more, or a smaller mask",
    mask="give one (--mask FILE)",
)
"""Of ``raphe map``."""

OF_RUN = WaysOut(
    memory="free at least {least}, or ask for fewer scans at a time (--workers), fewer models or a smaller brain mask",
    all_at_once="for which there is not enough free memory; free some, ask for fewer scans at a time (--workers), or "
    "give a smaller brain mask (*_desc-brain_mask.nii.gz)",
    mask="put a brain mask (*_desc-brain_mask.nii.gz) on the image's grid into the data set or a derivative "
    "(--derivatives)",
)
"""Of ``raphe run``."""


_UNKNOWN = 4_000_000_000
"""Bytes that are taken to be free where the system does not tell."""


def limit_of(given: int | None, beside: int = 1) -> int:
    """Bytes that this process may hold: what was given, or a share of what the machine has free.

    Parameters
    ----------
    given : int or None
    beside : int
        Processes that share the machine.
    """
    return held() + int(OF_MACHINE * _free() / beside) if given is None else given


def held() -> int:
    """Bytes that this process holds now."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most


def _free() -> int:
    """Bytes that the machine, or the container that the process runs in, can still give."""
    free = _UNKNOWN
    with suppress(OSError, ValueError, IndexError):
        told = Path("/proc/meminfo").read_text()
        free = 1024 * int(told.split("MemAvailable:")[1].split()[0])
    with suppress(OSError, ValueError):
        most, now = (int(Path(f"/sys/fs/cgroup/memory.{what}").read_text()) for what in ("max", "current"))
        free = min(free, most - now)
    return free


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def threads(limit: int, wanted: int) -> int:
    """How many of the wanted threads there is working space for, at least one."""
    free = limit - held() - SPARE
    return max(1, min(wanted, int(free // (1.5 * WORKING))))


def voxels_at_once(
    n_voxel: int, n_frame: int, map_bytes: int, workers: int, limit: int, used: int = 0, ways: WaysOut = OF_MAP
) -> int:
    """How many voxels may be held at once: all, or else a multiple of :data:`CHUNK`.

    Parameters
    ----------
    n_voxel : int
        All that are to be fitted.
    n_frame : int
    map_bytes : int
        Of all maps, for each voxel.
    workers : int
        Threads.
    limit : int, bytes
    used : int, bytes
        What else is going to be held.
    ways : WaysOut
        For the message.

    Raises
    ------
    InputError
        If not even a chunk fits; the message says what would do.
    """
    each = 4 * n_frame + 8  # the values, and where they stand
    fixed = held() + SPARE + used + workers * WORKING + n_voxel * (map_bytes + 8)
    at_once = (limit - fixed) // each
    if at_once >= n_voxel:
        return n_voxel
    if at_once < CHUNK:
        least = f"{(fixed + CHUNK * each) / 1e6 + 1:.0f}M"
        raise InputError(
            f"{limit / 1e6:.0f}M of memory are too little for {n_voxel} voxels with {n_frame} frames and {map_bytes} "
            f"bytes of maps each; {ways.memory.format(least=least)}"
        )
    return int(at_once // CHUNK * CHUNK)
