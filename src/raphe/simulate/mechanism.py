r"""From a drug in plasma to what a tracer binds to: a hypothesis, written as equations.

Ketamine blocks NMDA receptors of interneurons, so that glutamate rises, unless serotonin at the heteroreceptors of its
terminals holds it back; what AMPA receptors pass on of that builds up a slow plasticity, and the number of postsynaptic
5-HT1B receptors follows it:

.. math::

    B = \frac{C + w N}{C + w N + IC_{50}}, \quad G = \frac{g B}{1 + \psi (\theta / \theta_0 - 1)}, \quad
    A = G (1 - O_{NBQX}), \quad
    \dot P = k A - P / \tau_P, \quad \dot S = (P - S) / \tau_R, \quad R = 1 + E S

with ketamine C, norketamine N, the share theta of receptors that serotonin occupies (theta_0 at rest), the gain E of a
region and R relative to the number before. Besides, ketamine takes away a part of the transporter and releases
serotonin, while it is there (:func:`raphe.simulate.actions.serotonin_fold`), and serotonin competes with the tracer of
the receptor: :math:`BP / BP_0 = R / (1 + \theta_0 (n - 1))` with n-fold serotonin.

Time is in hours, concentration in ng/mL; everything else is relative to rest. No published model of ketamine and the
5-HT1B receptor exists: ``docs/mechanism.md`` says what is hypothesis, ``mechanism.toml`` where each number is from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from raphe.simulate.actions import nmda_block, relative_occupancy, restraint, serotonin_fold, taken, transporter_left
from raphe.simulate.constants import Constants, KetamineModel, SpeciesMechanism, mechanism_file
from raphe.simulate.dynamics import System, solved
from raphe.simulate.pharmacokinetics import Body, Infusion

Array = npt.NDArray[np.float64]

RECEPTOR, TRANSPORTER = "5-HT1B receptor", "serotonin transporter (SERT)"
"""Targets of tracers, in the catalog's words, of which the mechanism says something."""

_OVER_TIME = ("time", "ketamine", "norketamine", "NBQX", "fenfluramine", "plasticity", "drive")
"""Fields of a course that have a value at each time."""


@dataclass(frozen=True)
class Mechanism:
    """What is assumed of one species.

    Parameters
    ----------
    species : SpeciesMechanism
    ketamine : KetamineModel
    constants : Constants
    """

    species: SpeciesMechanism
    ketamine: KetamineModel
    constants: Constants


def mechanism(species: str, ketamine: str | None = None, constants: Constants | None = None) -> Mechanism:
    """Mechanism of a species, by its name; with another model of ketamine's kinetics, or other constants.

    Raises
    ------
    KeyError
        If raphe assumes nothing of that species, or knows no such model.
    """
    known = mechanism_file()
    assumed = known.species[species]
    return Mechanism(assumed, known.ketamine[ketamine or assumed.ketamine.value], constants or known.constants)


@dataclass(frozen=True, eq=False)
class Course:
    """What happens in one person or animal over time; each value has the shape of ``time``.

    Parameters
    ----------
    mechanism : Mechanism
    time : ndarray, h
    ketamine, norketamine, NBQX, fenfluramine : ndarray, ng/mL
    plasticity : ndarray
        P, about 1 at its highest after the usual infusion in people.
    drive : ndarray
        S, what the receptors follow.
    response : float
        Own gain of receptors, relative to that expected.
    """

    mechanism: Mechanism
    time: Array
    ketamine: Array
    norketamine: Array
    NBQX: Array
    fenfluramine: Array
    plasticity: Array
    drive: Array
    response: float = 1.0

    def at(self, time: Array) -> Course:
        """Course at some of its own times, h.

        Raises
        ------
        KeyError
            If one of them is not among its own.
        """
        places = np.searchsorted(self.time, time)
        if (places == self.time.size).any() or (self.time[places] != time).any():
            raise KeyError("the course was not solved at all of these times")
        picked = {name: getattr(self, name)[places] for name in _OVER_TIME}
        return replace(self, **picked)

    @property
    def block(self) -> Array:
        """B, share of the interneurons' NMDA receptors that is blocked."""
        return nmda_block(self.mechanism.constants, self.ketamine, self.norketamine)

    @property
    def glutamate(self) -> Array:
        """G, rise of glutamate, as a share of its resting level."""
        constants = self.mechanism.constants
        free = constants.glutamate_gain.value * self.block
        return np.asarray(free / restraint(constants, self.serotonin))

    @property
    def ampa(self) -> Array:
        """A, the rise that AMPA receptors pass on."""
        return self.glutamate * (1 - taken(self.NBQX, self.mechanism.constants.ampa_ic50.value))

    @property
    def transporter(self) -> Array:
        """Transporter that is left, as a share."""
        return transporter_left(self.mechanism.constants, self.ketamine)

    @property
    def serotonin(self) -> Array:
        """n, serotonin outside cells as a multiple of that at rest."""
        return serotonin_fold(self.mechanism.constants, self.ketamine, self.fenfluramine)

    def receptors(self, region: str) -> Array:
        """R, number of 5-HT1B receptors in a region, relative to that before; never less than 0."""
        gain = self.response * self.mechanism.species.gain_of(region)
        return np.maximum(1 + gain * self.drive, 0.0)

    def dopamine(self, region: str) -> Array:
        """Dopamine in a region as a multiple of that at rest, disinhibited by activated heteroreceptors."""
        constants = self.mechanism.constants
        activation = self.receptors(region) * relative_occupancy(constants, self.serotonin)
        return np.asarray(1 + constants.dopamine_gain.value * (activation - 1))

    def binding(self, target: str, region: str) -> Array:
        """Binding potential of a tracer of ``target``, relative to that before any drug.

        Raises
        ------
        KeyError
            If the mechanism says nothing of that target.
        """
        if target == RECEPTOR:
            rivalry = 1 + self.mechanism.constants.baseline_occupancy.value * (self.serotonin - 1)
            return np.asarray(self.receptors(region) / rivalry)
        if target == TRANSPORTER:
            return self.transporter
        raise KeyError(target)


def course(
    mechanism: Mechanism, body: Body, infusions: Sequence[Infusion], time: Array, response: float = 1.0
) -> Course:
    """Solve the mechanism from before the first infusion to the last of ``time``.

    The solver (LSODA) starts anew wherever an infusion begins or ends, so that none can be stepped over.

    Parameters
    ----------
    mechanism : Mechanism
    body : Body
    infusions : sequence of Infusion
        In any order; several may run at once.
    time : ndarray, shape (n_time,), h
        Ascending; on the clock of the infusions, before whose first all is at rest.
    response : float
        Own gain of receptors, relative to that expected.

    Returns
    -------
    Course
    """
    time = np.asarray(time, dtype=float)
    system = System.of(mechanism.ketamine, mechanism.constants, body)
    given = [one for one in infusions if one.amount > 0 and one.start < time[-1]]
    states = solved(system, given, time) if given else np.zeros((system.size, time.size))
    seen = system.concentrations(states)
    return Course(
        mechanism,
        time,
        ketamine=seen["ketamine"],
        norketamine=seen["norketamine"],
        NBQX=seen["NBQX"],
        fenfluramine=seen["fenfluramine"],
        plasticity=states[-2],
        drive=states[-1],
        response=response,
    )
