"""Answers of a study: contrasts between sessions and the agreement of repeated scans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from raphe.data.extras import Held, Resampled, Weighting

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
    tracer: str = ""
    """Where it is not that of the whole comparison."""


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


UNKNOWN = Interval(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Equivalent:
    """Whether an estimate is shown to lie within a margin that was named before: two one-sided tests at 5 %."""

    margin: float
    """-margin to margin, in the unit of the estimate."""
    low: float
    """Lower end of the 90 % interval."""
    high: float
    p: float
    """The larger of both tests."""


@dataclass(frozen=True, eq=False)
class ContrastRow:
    """The answer in one region, with the values of the people that it rests on.

    ``estimate`` is what :attr:`Contrast.what` says, in :attr:`Contrast.unit`, with its standard error ``se``, the
    degrees of freedom ``df``, the 95 % confidence interval, two-sided ``p`` and ``p_adjusted`` over the regions of the
    contrast; ``percent`` is the same in per cent (what of stands in the documents). Everything but ``estimate`` and
    ``percent`` is NaN where nothing can be tested. ``why`` says in words what could not be computed and is empty
    otherwise.
    """

    pairs: PairedValues
    """Two numbers of each person, as :attr:`Contrast.first` and :attr:`Contrast.second` name them; NaN where a person
    lacks one and takes part nevertheless."""
    estimate: float
    se: float
    df: float
    ci_low: float
    ci_high: float
    p: float
    p_adjusted: float
    percent: float
    why: str = ""
    standardised: Interval = UNKNOWN
    """In standard deviations, as :attr:`Contrast.standardised` names it; NaN where it has no such form."""
    p_smallest: float = float("nan")
    """The smallest p that a permutation test of so few people can give; NaN for other tests."""
    groups: tuple[str, ...] = ()
    """Arm of each person of ``pairs``; empty where arms are not compared."""
    individual: Array = field(default_factory=lambda: np.empty(0))
    """What each person adds, in the order of ``pairs``: the change, on the scale of the contrast, or the occupancy."""
    term: str = ""
    """Session that the row is of, where a contrast has rows of several."""
    secondary: bool = False
    """Whether it is of another session than the one that the contrast asks for."""
    given: tuple[str, ...] = ()
    """Names of what a correlation is adjusted for."""
    covariates: Array = field(default_factory=lambda: np.empty((0, 0)))
    """Their columns of numbers, shape (n, n_column), in the order of ``pairs``."""
    equivalent: Equivalent | None = None
    """None where the plan names no margin, or nothing can be tested."""
    bayes_factor: float = float("nan")
    """Of an effect over none, where the kind has one."""
    individual_se: Array = field(default_factory=lambda: np.empty(0))
    """Standard errors of ``individual``, where people are weighted by them."""
    weighting: Weighting | None = None
    """None where people are not weighted, or nothing can be tested."""
    resampled: Resampled | None = None
    """None where the plan asks for no bootstrap."""
    held: Held | None = None
    """None where the plan states no prior, or nothing can be tested."""

    @property
    def counts(self) -> dict[str, int]:
        """People of each arm."""
        return {group: self.groups.count(group) for group in dict.fromkeys(self.groups)}


@dataclass(frozen=True, eq=False)
class Contrast:
    """One planned comparison, by region."""

    name: str
    tracer: str
    model: str
    parameter: str
    first: str
    """Name of the first of each person's two numbers: the session (or arm, or level) that is subtracted."""
    second: str
    adjust: str
    """How p values are adjusted over the regions: ``holm``, ``none`` ..."""
    primary: bool
    rows: tuple[ContrastRow, ...]
    kind: str = "paired"
    scale: str = "difference"
    unit: str | None = None
    """Of the estimates; None for that of the parameter."""
    what: str = ""
    """What is estimated, in words: what is subtracted from what."""
    method: str = ""
    """How it was tested, in words."""
    standardised: str = ""
    """What the standardised effect is, in words; empty for none."""
    groups: tuple[str, ...] = ()
    """Arms that are compared, second minus first; empty where none are."""
    notes: tuple[str, ...] = ()
    """What a reader must know, such as that nothing is compared with placebo."""
    status: str = ""
    """``primary``, ``secondary`` or ``exploratory``; ``planned`` where the plan names no primary one."""
    sources: tuple[tuple[str, str], ...] = ()
    """Tracers with their models, where there are several."""
    extras: Mapping[str, str] = field(default_factory=dict)
    """What the plan asks for besides, in words: ``Weights``, ``Bootstrap``, ``Prior``, ``Blocks``."""
    in_order: bool = False
    """Whether an order of tests that the plan names has come to it."""

    @property
    def by_own_p(self) -> bool:
        """Whether the primary region is judged by its own p value and not by the adjusted one."""
        return self.primary or self.in_order

    @property
    def controlled(self) -> bool:
        """Whether arms are compared."""
        return bool(self.groups)

    def model_of(self, tracer: str) -> str:
        """Model by which values of a tracer were found; of the only one for an empty name."""
        return dict(self.sources).get(tracer, self.model)


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
