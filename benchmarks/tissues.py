"""What the benchmarks share: tissues of known truth on two schedules, models by name, and a Markdown table."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from raphe.catalog import half_life, tracer
from raphe.core.frames import Frames
from raphe.kinetics import registry
from raphe.kinetics.protocol import KineticModel
from raphe.simulate.curves import scan_curves

Array = npt.NDArray[np.float64]

HALF_LIFE = half_life("C11")

PEAK = 20.0
"""Highest frame of the reference, kBq/mL; no estimate depends on it."""


def schedules() -> Mapping[str, Frames]:
    """Frame schedules of the catalog: 38 frames over 93 min, and 36 over 90 min."""
    found = {}
    for name, length in (("AZ10419369", "93 min"), ("DASB", "90 min")):
        entry = next(one for one in tracer(name).schedule if one.name == length)
        frames = Frames(np.array(entry.start), np.array(entry.duration))
        found[f"{len(frames)} frames, {length}"] = frames
    return found


def tissues(frames: Frames, R1: Array, k2_prime: float, BP_ND: Array, delay: float) -> tuple[Array, Array]:
    """Exact frame averages of a reference, shape (n_frame,), and of targets, (n_target, n_frame).

    One-tissue kinetics behind a bolus that reaches the brain ``delay`` min after time 0, in closed form: nothing of
    what is fitted is in it.
    """
    seen = frames.end > delay
    start, end = np.maximum(frames.start[seen], delay), frames.end[seen]
    reference, targets = scan_curves(Frames(start - delay, end - start), R1, k2_prime, BP_ND, PEAK)
    curves = np.zeros((len(targets) + 1, len(frames)))
    curves[:, seen] = np.vstack([reference, targets]) * (end - start) / frames.duration[seen]
    return curves[0], curves[1:]


def model(name: str, k2_prime: float | None) -> KineticModel:
    """Model by its name, with ``k2_prime`` where it takes one."""
    takes = {field.name for field in dataclasses.fields(registry.model_type(name))}
    return registry.make(name, k2_prime=k2_prime if "k2_prime" in takes else None)


def print_table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a Markdown table under a line that says what it shows."""
    print(f"{title}\n")
    print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print()
