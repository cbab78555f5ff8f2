r"""Ratings of depression (MADRS, 0 to 60 points) that follow plasticity, placebo and belief: a hypothesis.

With severity M before treatment, z the person's lasting binding in SD from the mean, plasticity P and time t after the
first infusion, a rating is, but for its own error,

.. math::

    M \left(1 - \frac{e P\, (1 - \kappa z)_+ / c + p\,(1 - e^{-t/\tau}) \pm x}{\bar M}\right),
    \quad M = \bar M + \sigma (\rho z + \sqrt{1 - \rho^2}\, \epsilon)

with the drug's effect e, its loss with binding kappa, a constant c so that the mean effect is e, the person's placebo
response p, and x points gained by who believes to have had the drug and lost by who does not. Effects go with
severity. Every constant stands in ``mechanism.toml``, ``[symptoms]``. Time is in hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr

from raphe.simulate.constants import SymptomConstants

HIGHEST = 60
"""Highest score of the scale; the lowest is 0."""

RESPONSE = 0.5
"""Fall of the score, as a share of that before treatment, from which on a patient responds."""


@dataclass(frozen=True)
class Visit:
    """What is true of a patient when rated.

    Parameters
    ----------
    since : float, h
        Time since the first infusion, of drug or placebo; not positive before it.
    plasticity : float
        P.
    block : float
        Highest share of NMDA receptors that was blocked after any infusion given blindly.
    known : bool
        Whether an infusion was given openly before.
    """

    since: float
    plasticity: float
    block: float
    known: bool = False


@dataclass(frozen=True)
class Patient:
    """What lasts in one patient.

    Parameters
    ----------
    severity : float
        Points before treatment.
    drug, placebo : float
        Points that one unit of plasticity, and that time, take away at the mean severity.
    doubt : float
        Between 0 and 1; the patient believes to have had the drug where the chance of that is more.
    """

    severity: float
    drug: float
    placebo: float
    doubt: float


def draw_patient(constants: SymptomConstants, binding: float, random: np.random.Generator) -> Patient:
    """Draw a patient.

    Parameters
    ----------
    constants : SymptomConstants
    binding : float
        The person's lasting binding in the region that matters, in SD from the mean.
    random : Generator
        Three numbers are taken.
    """
    severe, placebo = random.standard_normal(2)
    doubt = random.random()
    rho, loss = constants.severity_binding.value, constants.drug_binding.value
    shared = rho * binding + np.sqrt(1 - rho**2) * severe
    return Patient(
        severity=float(constants.severity_mean.value + constants.severity_sd.value * shared),
        drug=float(constants.drug_effect.value * max(0.0, 1 - loss * binding) / _mean_share(loss)),
        placebo=float(constants.placebo_mean.value + constants.placebo_sd.value * placebo),
        doubt=float(doubt),
    )


def state(constants: SymptomConstants, patient: Patient, visit: Visit) -> float:
    """Points of a patient at a visit, without the error of a rating and without the ends of the scale."""
    if visit.since <= 0:
        return patient.severity
    placebo = patient.placebo * (1 - np.exp(-visit.since / constants.placebo_time.value))
    expected = constants.expectancy.value * (1 if believes(constants, patient, visit) else -1)
    better = patient.drug * visit.plasticity + placebo + expected
    return float(patient.severity * (1 - better / constants.severity_mean.value))


def believes(constants: SymptomConstants, patient: Patient, visit: Visit) -> bool:
    """Whether a patient believes at a visit to have had the drug, by what was felt or because it was said."""
    chance = expit(logit(constants.guess_at_rest.value) + constants.guess_slope.value * visit.block)
    return visit.known or patient.doubt < chance


def ratings(
    constants: SymptomConstants, patient: Patient, visits: Sequence[Visit], random: np.random.Generator
) -> list[int]:
    """Score at each visit: the state with the error of a rating, whole points on the scale.

    Parameters
    ----------
    constants : SymptomConstants
    patient : Patient
    visits : sequence of Visit
    random : Generator
        One number is taken for each visit.
    """
    errors = constants.rating_sd.value * random.standard_normal(len(visits))
    points = [state(constants, patient, visit) + error for visit, error in zip(visits, errors, strict=True)]
    return [int(np.clip(round(float(point)), 0, HIGHEST)) for point in points]


def responds(first: float, last: float) -> bool:
    """Whether a score fell by half of the first or more."""
    return last <= (1 - RESPONSE) * first


def _mean_share(loss: float) -> float:
    """Mean of max(0, 1 - loss z) over standard normal z; 1 to rounding where the bound is 10 SD away."""
    if abs(loss) < 0.1:
        return 1.0
    end = 1 / abs(loss)
    return float(ndtr(end) + abs(loss) * np.exp(-(end**2) / 2) / np.sqrt(2 * np.pi))
