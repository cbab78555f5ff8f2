"""A line through the regions of each participant, from the pairs of values of every region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.data.pharmacology import OccupancyLine
from raphe.data.record import Step
from raphe.data.results import PairedValues
from raphe.errors import InputError
from raphe.pharmacology.lassen import LEAST, lassen_plot


class PersonLines(NamedTuple):
    """Lines of participants, how each was found, and of participants without one why."""

    lines: tuple[OccupancyLine, ...]
    no_line: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]


def person_lines(
    pairs: Sequence[PairedValues],
    parameter: str,
    *,
    method: str = "ml",
    noise: str = "relative",
    covariance: npt.ArrayLike | None = None,
    judged: bool = True,
    strict: bool = True,
) -> PersonLines:
    """Draw one line for each participant.

    Parameters
    ----------
    pairs : sequence of PairedValues
        One a region: the baseline (first) and the scan under the drug (second).
    parameter, method, noise, covariance, judged
        As for :func:`raphe.pharmacology.lassen.lassen_plot`; the covariance is that of the regions of ``pairs``, in
        their order, and its size is taken as known.
    strict : bool
        Whether a participant who has enough regions, of whom there is no line nevertheless, is an error; otherwise that
        participant is among those without a line.

    Raises
    ------
    InputError
        With ``strict``, as :func:`raphe.pharmacology.lassen.lassen_plot`; if the parameter is V_T and nobody has a
        line.
    """
    people = dict.fromkeys(name for one in pairs for name in one.participants)
    lines, no_line, steps = [], [], []
    for person in people:
        values, left_out = _of_person(pairs, person)
        try:
            line, step = lassen_plot(
                [one.region for one in pairs],
                values[0],
                values[1],
                parameter=parameter,
                method=method,
                noise=noise,
                baseline_se=values[2] if noise == "se" else None,
                blocked_se=values[3] if noise == "se" else None,
                covariance=covariance,
                known=covariance is not None,
                left_out=left_out,
                judged=judged,
                participant=person,
            )
        except InputError as error:
            if strict and parameter == "V_T" and len(people) == 1:
                raise
            if strict and np.isfinite(values[:2]).all(axis=0).sum() >= LEAST[parameter]:
                raise InputError(f"participant {person!r}: {error}" if person else str(error)) from None
            no_line.append((person, str(error)))
            continue
        lines.append(line)
        steps.append(step)
    if parameter == "V_T" and not lines:
        who, why = no_line[0] if no_line else ("", "no participant has both scans")
        raise InputError(f"no participant has a Lassen plot; {f'{who}: ' if who else ''}{why}")
    return PersonLines(tuple(lines), tuple(no_line), tuple(steps))


def _of_person(pairs: Sequence[PairedValues], person: str) -> tuple[npt.NDArray[np.float64], Mapping[str, str]]:
    """Both values and both standard errors of each region, shape (4, n_region), and why regions have none."""
    values = np.full((4, len(pairs)), np.nan)
    reasons = {}
    for at, one in enumerate(pairs):
        if person in one.participants:
            row = one.participants.index(person)
            values[:, at] = one.first[row], one.second[row], one.first_se[row], one.second_se[row]
        else:
            reasons[one.region] = "; ".join(
                f"{left.session}: {left.reason}" for left in one.excluded if left.participant == person
            )
    return values, {name: why for name, why in reasons.items() if why}
