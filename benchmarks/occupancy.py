"""Bias and coverage of V_ND and occupancy from a Lassen plot: ``python benchmarks/occupancy.py``, 15 minutes.

2,000 simulated studies a row for ``ml`` (500 for the others, 250 for outliers), unless a number follows the command;
names of parts (methods, narrow, shared_errors, peers, outliers) run these alone.

Each study has V_T of 6 or 12 regions before and under a drug, with V_ND 1.5 mL/cm3 and specific volumes from 0.3 to 4,
and independent normal errors in proportion to V_T: 5 and 10 % a scan (test-retest variability of 6 and 11 %). ``ml`` is
raphe's default; ``ols`` and ``tls`` are what other programs do. Bias is of the median over all studies and of the mean
over those whose interval has ends, with Monte-Carlo errors; an interval without ends counts as covering. Same seed,
same numbers.
"""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt

from raphe.data.pharmacology import OccupancyLine
from raphe.data.results import Interval
from raphe.pharmacology.lassen import lassen_plot
from tissues import print_table

Array = npt.NDArray[np.float64]

SEED = 1
V_ND = 1.5
SPECIFIC = {n: np.linspace(0.3, 4.0, n) for n in (6, 12)}
NARROW = np.linspace(1.5, 2.2, 8)
OCCUPANCIES = (0.3, 0.5, 0.7, 0.9)
NOISES = (0.05, 0.10)
SHARED = 0.5
HEADER = ["V_ND median", "V_ND mean", "with ends", "coverage", "occupancy median", "coverage"]


def studies(specific: Array, occupancy: float, noise: float, n: int, shared: float = 0.0) -> tuple[Array, Array]:
    """V_T at baseline and under the drug, shape (n, n_region) each; ``shared`` is the correlation of their errors."""
    seed = (SEED, specific.size, round(100 * occupancy), round(1000 * noise), round(100 * shared))
    random = np.random.default_rng(seed)
    found = []
    for left in (1.0, 1 - occupancy):
        own, common = random.normal(size=(n, specific.size)), random.normal(size=(n, 1))
        error = np.sqrt(1 - shared) * own + np.sqrt(shared) * common
        found.append((V_ND + left * specific) * (1 + noise * error))
    return found[0], found[1]


def fits(baseline: Array, blocked: Array, **options: object) -> list[OccupancyLine]:
    """One Lassen plot a study."""
    names = [str(at) for at in range(baseline.shape[1])]
    options = {"judged": False, **options}
    return [lassen_plot(names, x, y, **options)[0] for x, y in zip(baseline, blocked, strict=True)]  # type: ignore[arg-type]


def cells(lines: list[OccupancyLine], occupancy: float) -> list[str]:
    """Bias and coverage with Monte-Carlo errors."""
    n = len(lines)
    V = np.array([line.V_ND.value for line in lines])
    ended = np.array([np.isfinite(line.V_ND.low) for line in lines])
    quartiles = np.quantile(V, [0.25, 0.75])
    spread = 1.2533 * (quartiles[1] - quartiles[0]) / 1.349 / np.sqrt(n)
    mean = V[ended].mean() if ended.any() else np.nan
    error = V[ended].std() / np.sqrt(max(ended.sum(), 1))
    of_occupancy = np.median([line.occupancy.value for line in lines])
    return [
        f"{100 * (np.median(V) / V_ND - 1):+.1f} ± {100 * spread / V_ND:.1f}",
        f"{100 * (mean / V_ND - 1):+.1f} ± {100 * error / V_ND:.1f}",
        f"{100 * ended.mean():.0f}",
        covered([line.V_ND for line in lines], V_ND),
        f"{100 * (of_occupancy / occupancy - 1):+.1f}",
        covered([line.occupancy for line in lines], occupancy),
    ]


def covered(intervals: list[Interval], truth: float) -> str:
    """Per cent of the intervals that hold the truth, with its Monte-Carlo error."""
    share = float(np.mean([one.low <= truth <= one.high for one in intervals]))
    return f"{100 * share:.1f} ± {100 * np.sqrt(share * (1 - share) / len(intervals)):.1f}"


def methods(n: int) -> None:
    of_methods(n, ("ml",))


def peers(n: int) -> None:
    of_methods(n, ("ols", "tls"))


def of_methods(n: int, names: tuple[str, ...]) -> None:
    rows = []
    for specific in SPECIFIC.values():
        for noise in NOISES:
            for occupancy in OCCUPANCIES:
                data = studies(specific, occupancy, noise, n)
                for method in names:
                    name = [str(specific.size), f"{100 * noise:g} %", f"{occupancy:g}", method]
                    rows.append([*name, *cells(fits(*data, method=method), occupancy)])
                    print("\t".join(rows[-1]), file=sys.stderr, flush=True)
    print_table(
        f"Lassen plot by {' and '.join(names)}, bias and coverage in %, {n} studies a row",
        ["regions", "noise", "occupancy", "method", *HEADER],
        rows,
    )


def shared_errors(n: int) -> None:
    rows = []
    specific = SPECIFIC[12]
    for occupancy in OCCUPANCIES[1:]:
        for noise in NOISES:
            data = studies(specific, occupancy, noise, n, SHARED)
            covariance = noise**2 * ((1 - SHARED) * np.eye(specific.size) + SHARED)
            for told, options in (("no", {}), ("yes", {"covariance": covariance, "known": True})):
                rows.append([f"{100 * noise:g} %", f"{occupancy:g}", told, *cells(fits(*data, **options), occupancy)])
    print_table(
        f"Errors that the regions of a scan share (correlation {SHARED:g}), 12 regions, {n} studies a row",
        ["noise", "occupancy", "covariance given", *HEADER],
        rows,
    )


def narrow(n: int) -> None:
    rows = []
    for noise in (0.02, *NOISES):
        for occupancy in OCCUPANCIES[1:]:
            lines = fits(*studies(NARROW, occupancy, noise, n))
            span = np.median([line.span for line in lines])
            rows.append([f"{100 * noise:g} %", f"{occupancy:g}", f"{span:.1f}", *cells(lines, occupancy)])
    print_table(
        f"Eight regions of nearly the same binding (V_S {NARROW[0]:g} to {NARROW[-1]:g}), {n} studies a row",
        ["noise", "occupancy", "median span", *HEADER],
        rows,
    )


def outliers(n: int) -> None:
    rows = []
    for size, specific in SPECIFIC.items():
        for noise in NOISES:
            x, y = studies(specific, 0.7, noise, n)
            false = np.mean([_named(line) != [] for line in fits(x, y, judged=True)])
            odd = y.copy()
            odd[:, size // 2] *= 1.5
            found = np.mean([str(size // 2) in _named(line) for line in fits(x, odd, judged=True)])
            error = 100 * np.sqrt(false * (1 - false) / n)
            rows.append([str(size), f"{100 * noise:g} %", f"{100 * false:.1f} ± {error:.1f}", f"{100 * found:.0f}"])
    print_table(
        f"Test that a region lies on the line, in %, occupancy 0.7, {n} studies a row",
        ["regions", "noise", "any named, none odd", "odd one named (V_T under drug +50 %)"],
        rows,
    )


def _named(line: OccupancyLine) -> list[str]:
    return [region.name for region in line.regions if region.p_outlier < 0.05]


PARTS = {
    "methods": (methods, 1),
    "narrow": (narrow, 4),
    "shared_errors": (shared_errors, 4),
    "peers": (peers, 4),
    "outliers": (outliers, 8),
}
"""Each part, and by how much fewer its studies are."""

if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()] or [2000]
    for name in [word for word in sys.argv[1:] if word in PARTS] or PARTS:
        part, fewer = PARTS[name]
        part(max(numbers[0] // fewer, 10))
