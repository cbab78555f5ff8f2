"""Answers of a study: contrasts between sessions and the agreement of repeated scans."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

NAN = float("nan")


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval; NaN where the data do not give one."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Excluded:
    """One value that a summary leaves out, and why."""

    participant: str
    session: str
    region: str
    reason: str


@dataclass(frozen=True, eq=False)
class PairedValues:
    """One parameter of one region in two sessions, for the participants that have both.

    Parameters
    ----------
    region : str
    participants : tuple of str, length n
    first, second : ndarray, shape (n,)
        Estimates in the parameter's unit; usable ones only.
    first_se, second_se : ndarray, shape (n,)
        Their standard errors; NaN where unknown.
    excluded : tuple of Excluded
        Values of this region that exist but may not be used, or that lack their partner.
    """

    region: str
    participants: tuple[str, ...]
    first: Array
    second: Array
    first_se: Array
    second_se: Array
    excluded: tuple[Excluded, ...] = ()

    def __len__(self) -> int:
        return len(self.participants)


@dataclass(frozen=True, eq=False)
class ContrastRow:
    """The change in one region.

    ``estimate`` is the mean of second minus first in the parameter's unit with its standard error ``se``, the degrees
    of freedom ``df``, the 95 % confidence interval, two-sided ``p`` and ``p_adjusted`` over the regions of the
    contrast; ``percent`` is the mean of the participants' changes in per cent of their first value. Everything but
    ``estimate`` and ``percent`` is NaN where n < 2. ``why`` says in words what could not be computed and is empty
    otherwise.
    """

    pairs: PairedValues
    estimate: float
    se: float
    df: float
    ci_low: float
    ci_high: float
    p: float
    p_adjusted: float
    percent: float
    why: str = ""


@dataclass(frozen=True, eq=False)
class Contrast:
    """One planned comparison of two sessions of the same tracer, by region."""

    name: str
    tracer: str
    model: str
    parameter: str
    first: str
    """Label of the session (or condition) that is subtracted."""
    second: str
    adjust: str
    """``holm`` or ``none``."""
    primary: bool
    rows: tuple[ContrastRow, ...]


@dataclass(frozen=True, eq=False)
class AgreementRow:
    """How well two scans of the same people agree in one region.

    ``bias`` is the mean difference second minus first; ``limits_low`` and ``limits_high`` are the 95 % limits of
    agreement (Bland and Altman 1999) with their confidence intervals; ``icc`` an intraclass correlation; ``trv`` the
    absolute test-retest variability in per cent; ``wscv`` the within-subject coefficient of variation in per cent.
    ``why`` says in words what could not be computed and is empty otherwise. ``sdd`` is the smallest difference between
    two scans of a person that is more than their noise; ``icc_consistency`` and ``icc_one_way`` are other forms of the
    correlation; ``n_ten`` is how many people a paired study of a 10 % change needs.
    """

    pairs: PairedValues
    bias: Interval
    limits_low: Interval
    limits_high: Interval
    icc: Interval
    trv: Interval
    wscv: Interval
    why: str
    sdd: Interval = Interval(NAN, NAN, NAN)
    icc_consistency: Interval = Interval(NAN, NAN, NAN)
    icc_one_way: Interval = Interval(NAN, NAN, NAN)
    n_ten: float = NAN


@dataclass(frozen=True, eq=False)
class Agreement:
    """Test-retest agreement of one tracer, model and parameter between two sessions, by region."""

    tracer: str
    model: str
    parameter: str
    first: str
    second: str
    icc_form: str
    """The form's name, e.g. ``ICC(A,1)``, two-way random, absolute agreement, single measurement."""
    rows: tuple[AgreementRow, ...]
