"""Make the files of the suite: ``python -m raphe.conformance.generate FOLDER``.

Nothing of raphe's own models, convolutions and sampling is used, only decimal arithmetic, numpy and scipy. The same
command makes the same bytes. What is written by hand, ``README.md`` and ``requirements.tsv``, is copied.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.conformance import SUITE
from raphe.conformance.approximations import FAMILY, NOISE_BIAS, T_STAR, WEIGHTS, expected, noise_bias
from raphe.conformance.cases import (
    DELAY,
    FAMILIES,
    FENG,
    HALF_LIFE,
    K1_PRIME,
    NOISE_LEVEL,
    SAMPLE_ERROR,
    SAMPLES,
    SCHEDULES,
    WHOLE_BLOOD,
    WINDOWS,
    Case,
    Family,
    Truth,
    cases,
    edges,
    seconds,
)
from raphe.conformance.closed import Closed, exact
from raphe.conformance.noise import FLOOR, LATE, noise_sd
from raphe.conformance.precision import FIXED, relative_se
from raphe.conformance.samples import STRAIGHT, samples
from raphe.conformance.solver import displaced, solved
from raphe.conformance.tissue import READINGS, reference, seen, target

Array = npt.NDArray[np.float64]
Curves = dict[str, dict[str, Array]]

WRITTEN = ("README.md", "requirements.tsv")
"""Files of the suite that are written by hand."""

VERSION = "1"
"""Of the suite; to be raised whenever a number in it changes."""

DIGITS = 12
"""Significant digits of every curve."""

NOISY_SCHEDULE = "38"
"""Schedule on which noisy repeats are fitted."""

SYMBOLS = (
    "K1", "k2", "k3", "k4", "V_B", "R1", "k2_prime", "k2a", "BP_ND", "DVR", "V_T", "V_ND", "V_S", "BP_P", "K_i",
    "K_i_ref", "gamma", "t_D", "t_P", "alpha", "tau", "displacement",
)  # fmt: skip


def generate(folder: Path, families: Sequence[str] = ()) -> None:
    """Write the files of the suite.

    Parameters
    ----------
    folder : Path
        Is made where it does not exist.
    families : sequence of str
        Only the curves of these, without the files that tell of all; everything if empty.
    """
    chosen = [family for family in FAMILIES if not families or family.name in families]
    (folder / "curves").mkdir(parents=True, exist_ok=True)
    largest = 0.0
    for family in chosen:
        for schedule in SCHEDULES:
            curves, distance = family_curves(family, schedule)
            largest = max(largest, distance)
            for reading in READINGS:
                name = f"{family.name}_schedule-{schedule}_{reading}.tsv"
                _write_curves(folder / "curves" / name, schedule, curves[reading])
    if families:
        return
    for name in WRITTEN:
        (folder / name).write_bytes((SUITE / name).read_bytes())
    for schedule in SCHEDULES:
        _write_curves(folder / f"schedule-{schedule}.tsv", schedule, {})
    _write(folder / "plasma.tsv", ("time", "AIF", "whole_blood"), _input_rows())
    _write(folder / "truth.tsv", _truth_columns(), map(_truth_row, cases()))
    _write(folder / "expected.tsv", ("model", "case", "schedule", "reading", *WEIGHTS), _expected_rows())
    _write(folder / "noise_bias.tsv", ("model", "case", "schedule", "decay", "uniform"), _noise_bias_rows())
    _write(folder / "precision.tsv", ("case", "schedule", "fixed", "parameter", "relative_se"), _precision_rows())
    _write_noise_sd(folder / "noise_sd.tsv")
    (folder / "suite.json").write_text(json.dumps(_facts(largest), indent=2) + "\n", encoding="utf-8", newline="\n")


def family_curves(family: Family, schedule: str) -> tuple[Curves, float]:
    """Curves of a family, by how frames are read and by name; and how far closed form and solver are apart at most.

    Returns
    -------
    dict of dict of ndarray, shape (n_frame,), kBq/mL
        The references that belong to the cases come first.
    float, kBq/mL
    """
    found, of = _references(family.cases(), schedule), family.cases()
    curves, apart = [_curve(case, schedule) for case in of], 0.0
    if "gamma" not in of[0].truth:
        solver = solved([_floats(case.truth) for case in of], schedule)
        apart = max(float(np.abs(solver[r] - [curve[r] for curve in curves]).max()) for r in READINGS)
    for case, curve in zip(of, curves, strict=True):
        for reading in READINGS:
            found[reading][case.name] = curve[reading]
    return found, apart


def _curve(case: Case, schedule: str) -> dict[str, Array]:
    """Values of the frames of a case, by how they are read: in closed form, or by the solver where there is none."""
    if "gamma" in case.truth:
        return {reading: values[0] for reading, values in displaced(_floats(case.truth), schedule).items()}
    return _seen(target(case), schedule)


def _references(of: Iterable[Case], schedule: str) -> Curves:
    found: Curves = {reading: {} for reading in READINGS}
    for case in of:
        if case.reference != "n/a" and case.reference not in found[READINGS[0]]:
            for reading, values in _seen(reference(case.truth["k2_prime"]), schedule).items():
                found[reading][case.reference] = values
    return found


def _seen(curve: Closed, schedule: str) -> dict[str, Array]:
    return {reading: np.array([float(v) for v in values]) for reading, values in seen(curve, schedule).items()}


def _floats(truth: Truth) -> dict[str, float]:
    return {name: float(value) for name, value in truth.items()}


def _write_curves(path: Path, schedule: str, curves: dict[str, Array]) -> None:
    """Write frames in s and a column for each curve."""
    rows = zip(pairwise(seconds(schedule)), *curves.values(), strict=True)
    _write(path, ("frame_start", "frame_end", *curves), ((*at, *map(_digits, values)) for at, *values in rows))


def _write(path: Path, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    lines = ["\t".join(columns), *("\t".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _digits(value: float | Decimal, digits: int = DIGITS) -> str:
    return f"{float(value):.{digits}g}"


def _input_rows() -> Iterator[tuple[str, ...]]:
    """Samples of plasma and blood, s and kBq/mL."""
    return (tuple(map(_digits, row)) for row in samples(max(seconds(schedule)[-1] for schedule in SCHEDULES)))


def _truth_columns() -> tuple[str, ...]:
    return ("case", "family", "reference", "noisy", *SYMBOLS, *(f"SUVR_{schedule}" for schedule in SCHEDULES))


def _truth_row(case: Case) -> Iterator[str]:
    yield from (case.name, case.family, case.reference, "yes" if case.noisy else "no")
    yield from (_digits(case.truth[symbol]) if symbol in case.truth else "n/a" for symbol in SYMBOLS)
    for schedule in SCHEDULES:
        yield _digits(_ratio(case, *WINDOWS[schedule])) if case.family == "1tissue-reference" else "n/a"


def _ratio(case: Case, begin: int, end: int) -> Decimal:
    """Ratio of the areas of target and reference between two times, min."""
    with exact():
        areas = [curve.integral() for curve in (target(case), reference(case.truth["k2_prime"]))]
        top, bottom = (area.at(end - DELAY) - area.at(begin - DELAY) for area in areas)
        return top / bottom


def _expected_rows() -> Iterator[tuple[str, ...]]:
    for model, family in FAMILY.items():
        for case in cases(family):
            for schedule in SCHEDULES:
                for reading in READINGS:
                    found = expected(model, case, schedule, reading)
                    yield model, case.name, schedule, reading, *(_digits(found[w], 6) for w in WEIGHTS)


def _noise_bias_rows() -> Iterator[tuple[str, ...]]:
    for model, family in NOISE_BIAS.items():
        for case in cases(family):
            if case.noisy:
                found = noise_bias(model, case, NOISY_SCHEDULE)
                yield model, case.name, NOISY_SCHEDULE, *(f"{found[w]:.4f}" for w in ("decay", "uniform"))


def _precision_rows() -> Iterator[tuple[str, ...]]:
    for case in filter(lambda case: case.noisy, cases()):
        for fixed in FIXED[case.family]:
            for symbol, se in relative_se(case, NOISY_SCHEDULE, fixed).items():
                yield case.name, NOISY_SCHEDULE, fixed, symbol, _digits(se, 3)


def _write_noise_sd(path: Path) -> None:
    """Write the SD of the noise of every frame of the cases that are repeated, by name."""
    border = np.array([float(time) for time in edges(NOISY_SCHEDULE)])
    columns = {}
    for case in filter(lambda case: case.noisy, cases()):
        clean = _curve(case, NOISY_SCHEDULE)["average"]
        columns[case.name] = noise_sd(clean, border, float(HALF_LIFE), float(NOISE_LEVEL))
    rows = zip(pairwise(seconds(NOISY_SCHEDULE)), *columns.values(), strict=True)
    _write(path, ("frame_start", "frame_end", *columns), ((*at, *(_digits(v, 6) for v in sd)) for at, *sd in rows))


def _facts(largest: float) -> dict[str, object]:
    """What the tables do not say by themselves."""

    def feng(numbers: dict[str, tuple[str, str, str]]) -> dict[str, list[float]]:
        return {name: [float(text) for text in values] for name, values in numbers.items()}

    return {
        "name": "raphe conformance suite",
        "version": VERSION,
        "units": {"time": "s", "activity": "kBq/mL", "rates": "1/min", "K1": "mL/cm3/min", "t_D": "min", "t_P": "min"},
        "half_life_min": float(HALF_LIFE),
        "input": {
            "formula": "(A1 u - A2 - A3) exp(-l1 u) + A2 exp(-l2 u) + A3 exp(-l3 u), u = t - delay in min; 0 before",
            "delay_min": float(DELAY),
            "AIF": feng(FENG),
            "whole_blood": feng(WHOLE_BLOOD),
            "straight_lines_within": STRAIGHT,
        },
        "K1_prime": float(K1_PRIME),
        "t_star_min": T_STAR,
        "SUVR_window_min": {schedule: list(window) for schedule, window in WINDOWS.items()},
        "plasma_samples": {"time_min": list(SAMPLES), "relative_sd": float(SAMPLE_ERROR)},
        "noise": {
            "level": float(NOISE_LEVEL),
            "late_min": LATE,
            "activity_floor": FLOOR,
            "schedule": NOISY_SCHEDULE,
        },
        "families": {family.name: family.title for family in FAMILIES},
        "closed_form_and_solver_differ_by_less_than_kBq_per_mL": 10.0 ** math.ceil(math.log10(largest)),
    }


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m raphe.conformance.generate FOLDER")
    generate(Path(sys.argv[1]))
