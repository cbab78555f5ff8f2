r"""The people of a simulated study and what is true in each of their scans.

Every random number comes from a stream of its own participant, tracer and session, which is seeded by their places in
the plan: what participant 3 is does not depend on how many there are. Same seed, same numbers, with one version
of NumPy.

A positive quantity is lognormal, :math:`x = m \exp(b + w - (\sigma_b^2 + \sigma_w^2) / 2)`, with a deviation b of the
person and a deviation w of the scan, so that its mean is m. The scan's share follows from a published absolute
variability V (the mean of |difference| / mean of two scans): for normal w, :math:`V = 2 \sigma_w / \sqrt{\pi}`. The
person's share is what is left of the published standard deviation between people. The noise of the curves comes on top,
so estimates vary more than the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe import catalog
from raphe.catalog import Quantity, RegionEntry
from raphe.nomenclature import region_key
from raphe.simulate.plan import SessionSection, SimulationPlan, TracerSection
from raphe.simulate.scan_state import ScanState, scan_state
from raphe.simulate.streams import Place, stream
from raphe.simulate.treatment import Treatment, treatment

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Participant:
    """One person or animal.

    Parameters
    ----------
    index : int
        Counted from 0.
    arm : str
        Empty where the plan has no arms.
    body_weight : float, kg
    """

    index: int
    arm: str
    body_weight: float

    @property
    def label(self) -> str:
        """Label without ``sub-``."""
        return f"{self.index + 1:02d}"


@dataclass(frozen=True, eq=False)
class ScanTruth:
    """What is true in one scan.

    Parameters
    ----------
    participant : Participant
    session, condition, tracer : str
    regions : tuple of str, length n_region
    BP_ND, R1 : ndarray, shape (n_region,)
    k2_prime : float, 1/min
    injected : float, MBq
    state : ScanState, optional
        What the mechanism makes of the scan, whose factor is in BP_ND; None where the plan gives no drug.
    """

    participant: Participant
    session: str
    condition: str
    tracer: str
    regions: tuple[str, ...]
    BP_ND: Array
    R1: Array
    k2_prime: float
    injected: float
    state: ScanState | None = None


def participant(plan: SimulationPlan, seed: int, index: int) -> Participant:
    """Draw one participant; the same whatever the number of participants."""
    random = _Random(stream(seed, Place.PERSON, index), stream(seed, Place.PERSON, index, 0))
    weight = random.draw([catalog.species(plan.study.species).body_weight], np.zeros(1))[0]
    return Participant(index, _arm(plan, seed, index), round(float(weight), 1))


def treatment_of(plan: SimulationPlan, seed: int, person: Participant) -> Treatment | None:
    """Draw how a participant responds to the plan's doses, and when scans and visits are; None without doses."""
    return treatment(plan, seed, person.index, person.body_weight, person.arm) if plan.doses else None


def lasting_binding(plan: SimulationPlan, seed: int, index: int, tracer: str, region: str) -> float:
    """Deviation of a participant's lasting binding from the mean of people, in SD; what a scan adds is not in it.

    Parameters
    ----------
    plan : SimulationPlan
    seed : int
    index : int
        Of the participant, from 0.
    tracer, region : str
        Names that the plan has.
    """
    names = plan.regions.names
    place = [section.name for section in plan.tracers].index(tracer)
    random = stream(seed, Place.BETWEEN, index, place)
    return float(_deviates(random, len(names), plan.variability.between.value)[names.index(region)])


def leaves_before(plan: SimulationPlan, seed: int, index: int) -> str | None:
    """Visit before which a participant leaves the study, if so; drawn in blocks, whatever the number of people."""
    if plan.dropout is None:
        return None
    number, place = divmod(index, plan.dropout.one_of)
    lost = stream(seed, Place.DROPOUT, number).integers(plan.dropout.one_of)
    return plan.dropout.before if place == lost else None


def scan_truth(
    plan: SimulationPlan,
    seed: int,
    person: Participant,
    session: SessionSection,
    tracer: TracerSection,
    treated: Treatment | None = None,
) -> ScanTruth:
    """Draw what is true in one scan of one participant.

    ``treated`` is what :func:`treatment_of` gives; where it is not given, it is drawn anew, which gives the same.
    """
    at = (person.index, plan.tracers.index(tracer))
    random = _Random(
        stream(seed, Place.BETWEEN, *at),
        stream(seed, Place.WITHIN, *at, plan.sessions.index(session)),
        plan.variability.between.value,
        plan.variability.within.value,
    )
    known = catalog.tracer(tracer.name).species[plan.study.species]
    entries = [known.binding(name) for name in plan.regions.names]
    variability = np.array([_test_retest(plan, tracer.name, entry) for entry in entries])
    BP_ND = random.draw([entry.BP_ND[0] for entry in entries], np.sqrt(np.pi) / 2 * variability / 100)
    R1 = random.draw([entry.R1 for entry in entries], np.full(len(entries), known.R1_repeat.value / 100))
    k2_prime = random.draw([known.reference.k2_prime], np.array([known.reference.k2_prime_repeat.value / 100]))
    dose = known.injected_radioactivity
    injected = random.draw([dose], _log_sd([dose]))
    treated = treated or treatment_of(plan, seed, person)
    state = scan_state(plan, treated, session, tracer) if treated else None
    return ScanTruth(
        participant=person,
        session=session.label,
        condition=session.condition or "",
        tracer=tracer.name,
        regions=plan.regions.names,
        BP_ND=BP_ND * _effect(plan, person, session, tracer) * (state.binding if state else 1.0),
        R1=R1,
        k2_prime=float(k2_prime[0]),
        injected=round(float(injected[0]), 1),
        state=state,
    )


@dataclass(frozen=True, eq=False)
class _Random:
    """The streams of a person and of a scan, and how far regions go together in each."""

    between: np.random.Generator
    within: np.random.Generator
    between_correlation: float = 0.0
    within_correlation: float = 0.0

    def draw(self, quantities: Sequence[Quantity], within: Array) -> Array:
        """Lognormal values with the means of ``quantities``; ``within`` is the logarithms' SD between scans."""
        between = np.sqrt(np.maximum(_log_sd(quantities) ** 2 - within**2, 0.0))
        n = len(quantities)
        deviation = between * _deviates(self.between, n, self.between_correlation)
        deviation += within * _deviates(self.within, n, self.within_correlation)
        mean = np.array([quantity.value for quantity in quantities])
        return np.asarray(mean * np.exp(deviation - (between**2 + within**2) / 2))


def _deviates(random: np.random.Generator, n: int, correlation: float) -> Array:
    """Draw standard normal deviates, every two of which have the same correlation, shape (n,)."""
    shared, *own = random.standard_normal(n + 1)
    return np.asarray(np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * np.array(own))


def _log_sd(quantities: Sequence[Quantity]) -> Array:
    """Spread (SD) of the logarithm of lognormal quantities with the given means and SDs."""
    return np.array([np.sqrt(np.log1p(((quantity.sd or 0.0) / quantity.value) ** 2)) for quantity in quantities])


def _test_retest(plan: SimulationPlan, tracer: str, entry: RegionEntry) -> float:
    """Absolute variability of a region, per cent: the plan's, else the catalog's."""
    for section in plan.test_retest:
        if section.tracer == tracer and entry.name in (region_key(name)[0] for name in section.regions):
            return section.percent.value
    return entry.test_retest.value


def _effect(plan: SimulationPlan, person: Participant, session: SessionSection, tracer: TracerSection) -> Array:
    """Factor on BP_ND of each region, shape (n_region,)."""
    factor = np.ones(len(plan.regions.names))
    for effect in plan.effects:
        applies = (
            effect.tracer == tracer.name
            and effect.session in (None, session.label)
            and effect.condition in (None, session.condition)
            and effect.arm in (None, person.arm)
        )
        if applies:
            touched = [not effect.regions or name in effect.regions for name in plan.regions.names]
            factor[touched] *= 1 + effect.percent.value / 100
    return factor


def _arm(plan: SimulationPlan, seed: int, index: int) -> str:
    """Arm of a participant by permuted blocks; the same whatever the number of participants."""
    block = [arm.name for arm in plan.arms for _ in range(arm.allocation)]
    if not block:
        return ""
    number, place = divmod(index, len(block))
    return block[int(stream(seed, Place.BLOCK, number).permutation(len(block))[place])]
