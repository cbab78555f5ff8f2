"""How much scans of one person and of different people differ: what precision and power follow from."""

from __future__ import annotations

import math
from dataclasses import dataclass

from raphe.errors import InputError

FROM_VARIABILITY = math.sqrt(math.pi) / 2
"""Standard deviation within people over the mean absolute difference of two scans of them, if normal: 0.886."""


@dataclass(frozen=True)
class Scatter:
    """Standard deviations of one region, all in one unit: that of the parameter, or per cent of its mean.

    Parameters
    ----------
    within : float
        Of repeated scans of a person, without a drug.
    between : float
        Of people's true values; NaN where unknown, which only comparisons of people need.
    response : float
        Of people's true changes under the drug.
    """

    within: float
    between: float = math.nan
    response: float = 0.0

    @property
    def scan(self) -> float:
        """Standard deviation of single scans of different people."""
        return math.hypot(self.between, self.within)

    @property
    def icc(self) -> float:
        """Intraclass correlation of single scans; the correlation of baseline with a later scan under no drug."""
        return self.between**2 / self.scan**2

    @property
    def change(self) -> float:
        """Standard deviation of the change under the drug."""
        return math.hypot(math.sqrt(2) * self.within, self.response)


def scatter(
    *,
    within: float | None = None,
    between: float | None = None,
    total: float | None = None,
    icc: float | None = None,
    response: float = 0.0,
) -> Scatter:
    """Scatter from any two of the four figures that papers print, or from that within people alone.

    Parameters
    ----------
    within : float, optional
        Standard deviation within people, or wSCV in per cent.
    between : float, optional
        Standard deviation of true values between people.
    total : float, optional
        Standard deviation of single scans of different people, or their CV in per cent.
    icc : float, optional
        Intraclass correlation, 0 to below 1.
    response : float
        Standard deviation of true changes under the drug, same unit.

    Raises
    ------
    InputError
        If they do not determine the scatter, contradict each other, or are out of range.
    """
    given = {"within": within, "between": between, "total": total, "icc": icc}
    known = {name: value for name, value in given.items() if value is not None}
    for name, value in {**known, "response": response}.items():
        least_open = name in ("within", "total")
        if not math.isfinite(value) or value < 0 or (least_open and value == 0):
            raise InputError(f"a scatter {name} of {value:g} is not possible; give one above 0")
    if icc is not None and icc >= 1:
        raise InputError(f"an ICC of {icc:g} leaves no scatter within people; give one from 0 to below 1")
    if len(known) > 2 or not known or (set(known) <= {"between", "icc"} and len(known) == 1) or set(known) == {"total"}:
        names = ", ".join(known) or "none"
        raise InputError(
            f"scatter is given by two of within, between, total and icc, or within alone; these were given: {names}"
        )
    if within is None:
        within = _within(between, total, icc)
    elif icc is not None:
        between = within * math.sqrt(icc / (1 - icc))
    if between is None and total is not None:
        if total < within:
            raise InputError(
                f"people differ by {total:g} in all but by {within:g} within; the former includes the latter"
            )
        between = math.sqrt(total**2 - within**2)
    if within <= 0:
        raise InputError("no scatter is left within people; check the figures that were given")
    return Scatter(within, math.nan if between is None else between, response)


def _within(between: float | None, total: float | None, icc: float | None) -> float:
    if between is not None and total is not None:
        if total <= between:
            raise InputError(
                f"people differ by {total:g} in all but by {between:g} in truth; the former includes the latter"
            )
        return math.sqrt(total**2 - between**2)
    if total is not None and icc is not None:
        return total * math.sqrt(1 - icc)
    if not icc or between is None:
        raise InputError("an ICC of 0 and a scatter between people contradict each other; give that within people")
    return between * math.sqrt(1 / icc - 1)
