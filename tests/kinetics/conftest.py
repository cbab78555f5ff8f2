"""Curves of known truth: tissues with one-tissue kinetics behind a plasma input of Feng's form, averaged over frames.

Everything is in closed form, so nothing of the program under test is in the truth.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from raphe.core.frames import Frames
from raphe.data.tacs import TACs
from raphe.kinetics import registry
from raphe.kinetics.protocol import KineticModel

Array = npt.NDArray[np.float64]

AMPLITUDE = (851.1225, 21.8798, 20.8113)
RATE = (-4.1339, -0.1191, -0.0104)
"""Feng et al. 1993, Int J Biomed Comput 32:95: A1, A2, A3 and lambda1, lambda2, lambda3 (1/min)."""

HALF_LIFE = 20.364
"""Of carbon-11, min."""


def schedule(*runs: tuple[int, float]) -> Frames:
    """Frames from runs of (number, seconds), without gaps, from injection on."""
    duration = np.concatenate([np.full(n, seconds / 60) for n, seconds in runs])
    return Frames(np.concatenate([[0.0], np.cumsum(duration)[:-1]]), duration)


FRAMES_38 = schedule((9, 10), (2, 15), (3, 20), (4, 30), (4, 60), (4, 180), (12, 360))
FRAMES_36 = schedule((6, 10), (3, 20), (6, 30), (5, 60), (5, 120), (8, 300), (3, 600))


@dataclass(frozen=True, eq=False)
class Subject:
    """One person's plasma and reference tissue, and any target tissue, as the frames see them.

    With A(t) the integral of the plasma curve and C the tissue's response to it, C' = K1 Cp - k2 C gives the integral
    of C as (K1 A - C) / k2, so the average over a frame needs no quadrature.
    """

    frames: Frames
    k2_prime: float = 0.1
    delay: float = 0.0
    K1_prime: float = 0.3

    def plasma(self, time: Array) -> Array:
        u = np.maximum(time - self.delay, 0)
        (a, b, c), (p, q, r) = AMPLITUDE, RATE
        return (a * u - b - c) * np.exp(p * u) + b * np.exp(q * u) + c * np.exp(r * u)

    def plasma_integral(self, time: Array) -> Array:
        u = np.maximum(time - self.delay, 0)
        (a, b, c), (p, q, r) = AMPLITUDE, RATE
        first = a * (u * np.exp(p * u) / p - np.expm1(p * u) / p**2) - (b + c) * np.expm1(p * u) / p
        return first + b * np.expm1(q * u) / q + c * np.expm1(r * u) / r

    def tissue(self, time: Array, K1: float, k2: float) -> Array:
        """Response of a tissue with one compartment, kBq/mL."""
        u = np.maximum(time - self.delay, 0)
        (a, b, c), (p, q, r) = AMPLITUDE, RATE
        fade = np.exp(-k2 * u)

        def answer(rate: float) -> Array:
            return (np.exp(rate * u) - fade) / (rate + k2)

        first = a * (u * np.exp(p * u) / (p + k2) - answer(p) / (p + k2)) - (b + c) * answer(p)
        return K1 * (first + b * answer(q) + c * answer(r))

    def averages(self, K1: float, k2: float) -> Array:
        """Averages of :meth:`tissue` over the frames."""

        def integral(time: Array) -> Array:
            return (K1 * self.plasma_integral(time) - self.tissue(time, K1, k2)) / k2

        return (integral(self.frames.end) - integral(self.frames.start)) / self.frames.duration

    @property
    def reference(self) -> Array:
        return self.averages(self.K1_prime, self.k2_prime)

    def target(self, R1: float, BP_ND: float) -> Array:
        """Averages of a target with R1 = K1 / K1' and k2 = R1 k2', slowed by binding to k2 / (1 + BP_ND)."""
        return self.averages(R1 * self.K1_prime, R1 * self.k2_prime / (1 + BP_ND))


def table(curves: Array, frames: Frames) -> TACs:
    """Curves as TACs, named by their number."""
    return TACs(curves, frames, tuple(str(i) for i in range(len(curves))))


def model(name: str, k2_prime: float) -> KineticModel:
    """Model by its name, with ``k2_prime`` where it takes one."""
    takes = {field.name for field in dataclasses.fields(registry.model_type(name))}
    return registry.make(name, k2_prime=k2_prime if "k2_prime" in takes else None)


class Known:
    """What the tests of this folder share."""

    frames_38 = FRAMES_38
    frames_36 = FRAMES_36
    half_life = HALF_LIFE
    schedule = staticmethod(schedule)
    Subject = Subject
    table = staticmethod(table)
    model = staticmethod(model)


@pytest.fixture(scope="session")
def known() -> type[Known]:
    return Known
