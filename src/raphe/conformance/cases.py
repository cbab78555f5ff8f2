"""The cases: schedules, input, and the grids of true parameters, family by family. Numbers only; see closed and solver.

Every parameter is a decimal number, so that what is computed of it is the same on every machine. Rates are in 1/min,
times in min unless they are called seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, product

from raphe.conformance.closed import exact

Truth = dict[str, Decimal]

HALF_LIFE = Decimal("20.364")
"""Of carbon-11, min."""

DELAY = Decimal("0.2")
"""Time at which the input arrives, min."""

FENG = {"A": ("851.1225", "21.8798", "20.8113"), "lambda": ("4.1339", "0.1191", "0.0104")}
"""Feng, Huang & Wang 1993, Int J Biomed Comput 32:95: amplitudes in kBq/mL (/min for the first), rates in 1/min."""

WHOLE_BLOOD = {"A": ("640", "17", "24"), "lambda": ("4", "0.09", "0.004")}
"""Fewer cells take up tracer than plasma has, and metabolites stay longer; an assumption."""

K1_PRIME = Decimal("0.3")
"""Delivery to every reference, mL/cm3/min."""

NOISE_LEVEL = Decimal("0.03")
"""Noise of the precision that is stated: mean of its SD after 10 min as a share of the curve's mean there."""

SCHEDULES: Mapping[str, tuple[tuple[int, int], ...]] = {
    "38": ((9, 10), (2, 15), (3, 20), (4, 30), (4, 60), (4, 180), (12, 360)),
    "36": ((6, 10), (3, 20), (6, 30), (5, 60), (5, 120), (8, 300), (3, 600)),
}
"""Runs of (number of frames, seconds), without gaps, from injection on: 38 frames in 93 min, 36 in 90 min."""

WINDOWS: Mapping[str, tuple[int, int]] = {"38": (63, 93), "36": (60, 90)}
"""Window of SUVR in each schedule, min; whole frames."""


SAMPLES = (30, 60, 90)
"""Times, min, of the samples of plasma that a model is told which has no other input."""

SAMPLE_ERROR = Decimal("0.03")
"""Standard deviation of their logarithm in noisy repeats."""


@dataclass(frozen=True)
class Case:
    """One tissue.

    Parameters
    ----------
    name, family : str
    truth : mapping of str to Decimal
        All parameters that it has, by their symbols; what follows from others too.
    noisy : bool
        Whether it is among the few of its family whose noisy repeats are fitted.
    """

    name: str
    family: str
    truth: Truth
    noisy: bool

    @property
    def reference(self) -> str:
        """Name of the reference tissue that belongs to it; ``n/a`` where there is none."""
        return f"reference-{self.truth['k2_prime']}" if "k2_prime" in self.truth else "n/a"


@dataclass(frozen=True)
class Family:
    """Cases of one kind of tissue.

    Parameters
    ----------
    name, prefix : str
        Of the family, and of its cases.
    title : str
        In words.
    grid : callable
        Gives the parameters of each case.
    noisy : tuple of int
        Numbers of the cases, from 1, whose noisy repeats are fitted.
    """

    name: str
    prefix: str
    title: str
    grid: Callable[[], Iterator[Truth]]
    noisy: tuple[int, ...]

    def cases(self) -> tuple[Case, ...]:
        """Cases in the order of the grid."""
        return tuple(
            Case(f"{self.prefix}-{number:02d}", self.name, truth, number in self.noisy)
            for number, truth in enumerate(self.grid(), start=1)
        )


def _numbers(*texts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(text) for text in texts)


def _one_tissue() -> Iterator[Truth]:
    for K1, V_T, V_B in product(_numbers("0.05", "0.15", "0.5"), _numbers("1", "4", "12"), _numbers("0", "0.05")):
        k2 = K1 / V_T
        yield {"K1": K1, "k2": k2, "V_B": V_B, "V_T": V_T, "k2a": k2}


def _two_tissue() -> Iterator[Truth]:
    grid = product(
        _numbers("0.08", "0.3"), _numbers("1", "3"), _numbers("0.3", "1.5", "5"), _numbers("0.02", "0.06"),
        _numbers("0", "0.05"),
    )  # fmt: skip
    for K1, V_ND, BP_ND, k4, V_B in grid:
        V_S = V_ND * BP_ND
        yield {
            "K1": K1, "k2": K1 / V_ND, "k3": BP_ND * k4, "k4": k4, "V_B": V_B, "BP_ND": BP_ND, "V_T": V_ND + V_S,
            "V_ND": V_ND, "V_S": V_S, "BP_P": V_S,
        }  # fmt: skip


def _one_tracer() -> Iterator[Truth]:
    V_ND, k4 = Decimal("1.5"), Decimal("0.05")
    pairs = zip(
        _numbers("0.12", "0.1", "0.08", "0.13", "0.09", "0.11", "0.07", "0.1"),
        _numbers("0.2", "0.5", "0.8", "1.2", "1.6", "2.2", "3", "4"),
        strict=True,
    )
    for K1, BP_ND in pairs:
        V_S = V_ND * BP_ND
        yield {
            "K1": K1, "k2": K1 / V_ND, "k3": BP_ND * k4, "k4": k4, "V_B": Decimal(0), "BP_ND": BP_ND,
            "V_T": V_ND + V_S, "V_ND": V_ND, "V_S": V_S, "BP_P": V_S,
        }  # fmt: skip


def _irreversible() -> Iterator[Truth]:
    grid = product(
        _numbers("0.05", "0.1", "0.3"), _numbers("0.1", "0.3"), _numbers("0.02", "0.06", "0.15"), _numbers("0", "0.05")
    )
    for K1, k2, k3, V_B in grid:
        yield {"K1": K1, "k2": k2, "k3": k3, "V_B": V_B, "V_ND": K1 / k2, "K_i": K1 * k3 / (k2 + k3)}


def _one_tissue_reference() -> Iterator[Truth]:
    grid = product(_numbers("0.06", "0.15"), _numbers("0.8", "1", "1.3"), _numbers("0.2", "0.5", "1", "2", "3", "5"))
    for k2_prime, R1, BP_ND in grid:
        yield _behind_reference(k2_prime, R1, BP_ND)


def _two_tissue_reference() -> Iterator[Truth]:
    grid = product(
        _numbers("0.06", "0.15"), _numbers("0.8", "1.2"), _numbers("0.5", "1.5", "4"), _numbers("0.02", "0.05", "0.15")
    )
    for k2_prime, R1, BP_ND, k4 in grid:
        truth = _behind_reference(k2_prime, R1, BP_ND)
        del truth["k2a"]
        yield {**truth, "k3": BP_ND * k4, "k4": k4}


def _irreversible_reference() -> Iterator[Truth]:
    for k2_prime, R1, k3 in product(_numbers("0.06", "0.15"), _numbers("0.8", "1.2"), _numbers("0.01", "0.03", "0.08")):
        k2 = R1 * k2_prime
        yield {
            "K1": R1 * K1_PRIME, "R1": R1, "k2_prime": k2_prime, "k2": k2, "k3": k3, "K_i_ref": k2 * k3 / (k2 + k3),
            "K_i": R1 * K1_PRIME * k3 / (k2 + k3),
        }  # fmt: skip


def _release(*shapes: Truth) -> Callable[[], Iterator[Truth]]:
    def grid() -> Iterator[Truth]:
        tissues = product(_numbers("0.9", "1.2"), _numbers("1.5", "3"), _numbers("0.15", "0.4"), shapes)
        for R1, BP_ND, displacement, shape in tissues:
            truth = _behind_reference(Decimal("0.1"), R1, BP_ND)
            gamma = truth["k2"] / (1 + BP_ND * (1 - displacement)) - truth["k2a"]
            yield {**truth, "gamma": gamma, "displacement": displacement, **shape}

    return grid


def _shape(**numbers: str) -> Truth:
    return {name: Decimal(text) for name, text in numbers.items()}


def _behind_reference(k2_prime: Decimal, R1: Decimal, BP_ND: Decimal) -> Truth:
    """Target whose non-displaceable volume is that of the reference."""
    k2 = R1 * k2_prime
    return {
        "K1": R1 * K1_PRIME, "R1": R1, "k2_prime": k2_prime, "k2": k2, "BP_ND": BP_ND, "DVR": 1 + BP_ND,
        "k2a": k2 / (1 + BP_ND),
    }  # fmt: skip


FAMILIES: tuple[Family, ...] = (
    Family("1tissue", "1T", "one tissue compartment behind plasma", _one_tissue, (4, 8, 10, 16)),
    Family("2tissue", "2T", "two tissue compartments behind plasma", _two_tissue, (4, 8, 20, 28, 34, 44)),
    Family("irreversible", "IR", "two tissue compartments behind plasma, a trap", _irreversible, (4, 12, 18, 22, 34)),
    Family(
        "1tissue-reference", "1TR", "one tissue compartment behind a reference of one compartment",
        _one_tissue_reference, (2, 10, 16, 21, 28, 34),
    ),
    Family(
        "2tissue-reference", "2TR", "two tissue compartments behind a reference of one compartment",
        _two_tissue_reference, (2, 5, 13, 22, 24, 32),
    ),
    Family(
        "irreversible-reference", "IRR", "a trap behind a reference of one compartment", _irreversible_reference,
        (2, 6, 8, 11),
    ),
    Family(
        "release-gamma", "RG", "release of endogenous ligand in the scan, gamma variate",
        _release(
            _shape(t_D="30", t_P="45", alpha="1"), _shape(t_D="40", t_P="50", alpha="3"),
            _shape(t_D="35", t_P="55", alpha="0.5"),
        ),
        (4, 10, 17, 23),
    ),
    Family(
        "release-fading", "RF", "release of endogenous ligand in the scan, at once and fading exponentially",
        _release(_shape(t_D="35", tau="0.02"), _shape(t_D="35", tau="0.1"), _shape(t_D="50", tau="0.05")),
        (4, 10, 17, 23),
    ),
    Family(
        "one-tracer", "OT", "regions of one tracer, two tissue compartments behind plasma without blood", _one_tracer,
        (1, 2, 3, 4, 5, 6, 7, 8),
    ),
)  # fmt: skip


def cases(*families: str) -> tuple[Case, ...]:
    """Cases of the families called so; all without names."""
    with exact():
        return tuple(case for family in FAMILIES if not families or family.name in families for case in family.cases())


def edges(schedule: str) -> tuple[Decimal, ...]:
    """Start of the first frame and the end of every one, min."""
    with exact():
        return tuple(Decimal(time) / 60 for time in seconds(schedule))


def seconds(schedule: str) -> tuple[int, ...]:
    """Start of the first frame and the end of every one, s."""
    return (0, *accumulate(length for number, length in SCHEDULES[schedule] for _ in range(number)))
