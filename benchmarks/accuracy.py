"""Error of BP_ND from noise-free curves, by convention and with a wrong k2': ``python benchmarks/accuracy.py``.

Tissues with one-tissue kinetics, exact to rounding: BP_ND 0.2 to 5, R1, k2' and arrival time of the bolus as below,
averaged over the frames of two schedules.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

import raphe
from raphe.core.frames import Frames
from tissues import HALF_LIFE, model, print_table, schedules, tissues

Array = npt.NDArray[np.float64]

MODELS = ("SRTM", "SRTM2", "MRTM1", "MRTM2", "LoganRef")
BP_ND = np.array([0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0])
R1 = np.array([0.8, 1.0, 1.3])
K2_PRIME = (0.05, 0.06, 0.1, 0.13, 0.17)
DELAY = (0.0, 0.3, 0.8)
SHOWN = (0.2, 0.5, 1.5, 5.0)


def errors(name: str, frames: Frames, convention: str, k2_prime_factor: float | None = 1.0) -> Array:
    """Errors of BP_ND in per cent, shape (n_reference, n_R1, n_BP_ND); ``None`` leaves k2' out."""
    found = []
    for k2_prime in K2_PRIME:
        for delay in DELAY:
            reference, targets = tissues(frames, np.repeat(R1, BP_ND.size), k2_prime, np.tile(BP_ND, R1.size), delay)
            given = None if k2_prime_factor is None else k2_prime_factor * k2_prime
            curves = raphe.TACs(targets, frames, tuple(str(i) for i in range(len(targets))))
            result, _ = raphe.fit(
                model(name, given), curves, reference=reference, half_life=HALF_LIFE, convention=convention
            )
            value, _ = result.of("BP_ND")
            found.append(100 * (value.reshape(R1.size, BP_ND.size) / BP_ND - 1))
    return np.array(found)


def by_convention() -> None:
    rows = []
    for name in MODELS:
        for convention in ("average", "midframe"):
            cells = []
            for frames in schedules().values():
                error = np.abs(errors(name, frames, convention))
                cells += [f"{np.median(error):.3f}", f"{error.max():.2f}"]
            rows.append([name, convention, *cells])
    header = ["model", "convention", *(f"{s}: {what}" for s in schedules() for what in ("median", "worst"))]
    print_table("Size of the error of BP_ND, %, noise-free, true k2'", header, rows)


def by_binding() -> None:
    """What the coarser convention costs at one BP_ND."""
    frames = next(iter(schedules().values()))
    rows = [[name, *_ranges(errors(name, frames, "midframe"))] for name in MODELS]
    _print_by_binding("midframe, true k2'", ["model"], rows)


def by_k2_prime() -> None:
    """What a wrong k2', or none, does where the model takes one."""
    frames = next(iter(schedules().values()))
    factors: list[tuple[float | None, str]] = [(1.1, "10 % too high"), (0.9, "10 % too low"), (None, "left out")]
    rows = [
        [name, said, *_ranges(errors(name, frames, "average", factor))]
        for name in ("SRTM2", "MRTM2", "LoganRef")
        for factor, said in factors
        if factor is not None or name == "LoganRef"
    ]
    _print_by_binding("average, wrong k2'", ["model", "k2'"], rows)


def _ranges(error: Array) -> list[str]:
    """Lowest to highest error at each BP_ND that is shown."""
    at = [error[..., int(np.flatnonzero(value == BP_ND)[0])] for value in SHOWN]
    return [f"{one.min():+.1f} to {one.max():+.1f}" for one in at]


def _print_by_binding(what: str, left: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    header = [*left, *(f"BP_ND {value:g}" for value in SHOWN)]
    print_table(f"Error of BP_ND, %, lowest to highest, noise-free, {what}, {next(iter(schedules()))}", header, rows)


if __name__ == "__main__":
    by_convention()
    by_binding()
    by_k2_prime()
