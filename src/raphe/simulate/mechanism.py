r"""From a drug in plasma to what a tracer binds to: a hypothesis, written as equations.

Ketamine blocks NMDA receptors of interneurons, so that glutamate rises, unless serotonin at the heteroreceptors of its
terminals holds it back; what AMPA receptors pass on of that builds up a slow plasticity, and the number of postsynaptic
5-HT1B receptors follows it:

.. math::

    B = \frac{C + w N}{C + w N + IC_{50}}, \quad G = \frac{g B}{1 + \psi (\theta / \theta_0 - 1)}, \quad
    A = G (1 - O_{NBQX}), \quad
    \dot P = k A - P / \tau_P, \quad \dot S = (P - S) / \tau_R, \quad R = 1 + E S

with ketamine C, norketamine N, the share theta of receptors that serotonin occupies (theta_0 at rest), the gain E of a
region and R relative to the number before. Besides, ketamine takes away
a part of the transporter and releases serotonin, while it is there (:func:`serotonin_fold`), and serotonin competes
with the tracer of the receptor: :math:`BP / BP_0 = R / (1 + \theta_0 (n - 1))` with n-fold serotonin.

Time is in hours, concentration in ng/mL; everything else is relative to rest. No published model of ketamine and the
5-HT1B receptor exists: ``docs/mechanism.md`` says what is hypothesis, ``mechanism.toml`` where each number is from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp

from raphe.simulate.constants import KETAMINE, Constants, KetamineModel, SpeciesMechanism, mechanism_file
from raphe.simulate.pharmacokinetics import Body, Compartments, Infusion, ketamine, one_compartment

Array = npt.NDArray[np.float64]

V = TypeVar("V", float, Array)

RECEPTOR, TRANSPORTER = "5-HT1B receptor", "serotonin transporter (SERT)"
"""Targets of tracers, in the catalog's words, of which the mechanism says something."""

RELATIVE_TOLERANCE = 1e-9
"""Of the solver, on every state; against closed forms the states are right to about 1e-7 of their peak."""

ABSOLUTE_TOLERANCE = 1e-11
"""Of the solver, in mg and in units of plasticity."""


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
        return np.asarray(free / _restraint(constants, self.serotonin))

    @property
    def ampa(self) -> Array:
        """A, the rise that AMPA receptors pass on."""
        return self.glutamate * (1 - _taken(self.NBQX, self.mechanism.constants.ampa_ic50.value))

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
    system = _System.of(mechanism, body)
    given = [one for one in infusions if one.amount > 0 and one.start < time[-1]]
    states = _solved(system, given, time) if given else np.zeros((system.size, time.size))
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


def nmda_block(constants: Constants, ketamine: Array, norketamine: Array) -> Array:
    """Share of the interneurons' NMDA receptors that is blocked; concentrations in ng/mL."""
    return _taken(ketamine + constants.norketamine_potency.value * norketamine, constants.block_ic50.value)


def transporter_left(constants: Constants, ketamine: Array) -> Array:
    """Share of the transporter that ketamine, ng/mL, leaves."""
    return np.asarray(1 - constants.sert_block.value * _taken(ketamine, constants.sert_ec50.value))


def relative_occupancy(constants: Constants, fold: V) -> V:
    r"""Share of receptors that serotonin occupies over that at rest, :math:`n / (1 + \theta_0 (n - 1))`."""
    return fold / (1 + constants.baseline_occupancy.value * (fold - 1))


def serotonin_fold(constants: Constants, ketamine: Array, fenfluramine: Array) -> Array:
    r"""Serotonin outside cells, as a multiple of that at rest, in balance between release and uptake.

    .. math::

        s n = \frac{1 + \phi}{1 + \phi\, \theta(n) / \theta_0} (1 + U e_K) + U (1 - e_K) s f

    Uptake goes with the transporter that is left, s. Impulse release is inhibited by autoreceptors, whose activation is
    their occupancy by serotonin. Ketamine mobilises the share e_K of a releasable pool U; fenfluramine, with effect f,
    enters through what is left of the transporter and can mobilise only what is left of the pool. For both reasons the
    two together release less than the sum of each.

    Parameters
    ----------
    constants : Constants
    ketamine, fenfluramine : ndarray, ng/mL

    Returns
    -------
    ndarray
        n; 1 without drugs.
    """
    on_transporter = _taken(ketamine, constants.sert_ec50.value)
    on_release = _taken(ketamine, constants.ketamine_release_ec50.value)
    return _fold(constants, on_transporter, on_release, _taken(fenfluramine, constants.fenfluramine_ec50.value))


def _fold(constants: Constants, on_transporter: V, on_release: V, carried_share: V) -> V:
    """Solve the balance of :func:`serotonin_fold`, a quadratic, for n; arguments are shares of each action."""
    left = 1 - constants.sert_block.value * on_transporter
    mobilised = constants.ketamine_release.value * on_release
    pool, brake = constants.release_pool.value, constants.autoreceptor_brake.value
    impulse = (1 + brake) * (1 + pool * mobilised)
    carried = pool * (1 - mobilised) * left * carried_share
    rest = constants.baseline_occupancy.value
    free, braked = 1 - rest, rest + brake
    square = braked * left
    linear = left * free - impulse * rest - carried * braked
    constant = free * (impulse + carried)
    result: V = ((linear**2 + 4 * square * constant) ** 0.5 - linear) / (2 * square)
    return result


def _restraint(constants: Constants, fold: V) -> V:
    """By how much serotonin at heteroreceptors divides the rise of glutamate; 1 at rest."""
    return 1 + constants.glutamate_restraint.value * (relative_occupancy(constants, fold) - 1)


@dataclass(frozen=True, eq=False)
class _System:
    """All states of one body: compartments of each drug, then P and S."""

    constants: Constants
    parts: tuple[tuple[str, int, Compartments], ...]
    """Drug, its first compartment, its compartments."""
    matrix: Array
    """Of what is linear."""
    blocking: Array
    """Gives, from the states, what blocks NMDA receptors: C + w N, ng/mL."""
    plasma: Mapping[str, Array]
    """Likewise the concentration of each substance."""

    @classmethod
    def of(cls, mechanism: Mechanism, body: Body) -> _System:
        """Put the drugs beside each other and plasticity behind them."""
        found = [(KETAMINE, ketamine(mechanism.ketamine, body))]
        found += [(name, one_compartment(name, drug, body)) for name, drug in mechanism_file().other.items()]
        size = sum(len(part.rates) for _, part in found) + 2
        matrix = np.zeros((size, size))
        parts, first = [], 0
        for name, part in found:
            last = first + len(part.rates)
            matrix[first:last, first:last] = part.rates
            parts.append((name, first, part))
            first = last
        constants = mechanism.constants
        matrix[-2, -2] = -1 / constants.plasticity_time.value
        matrix[-1, -2:] = np.array([1, -1]) / constants.receptor_time.value
        seen = _plasma(tuple(parts), np.eye(size))
        blocking = seen["ketamine"] + constants.norketamine_potency.value * seen["norketamine"]
        return cls(constants, tuple(parts), matrix, blocking, seen)

    @property
    def size(self) -> int:
        """Number of states."""
        return len(self.matrix)

    def concentrations(self, states: Array) -> dict[str, Array]:
        """Plasma concentration of every substance, ng/mL, from states of shape (n_state, n_time)."""
        return _plasma(self.parts, states)

    def entry(self, infusions: Sequence[Infusion], at: float) -> Array:
        """What flows into each state at one time, mg/h."""
        places = {name: first for name, first, _ in self.parts}
        entering = np.zeros(self.size)
        for one in infusions:
            if one.start <= at < one.end:
                entering[places[one.drug]] += one.amount / one.duration
        return entering

    def slope(self, states: Array, entering: Array) -> Array:
        """Time derivative of the states, per h."""
        constants = self.constants
        present, carrier = (float(self.plasma[name] @ states) for name in (KETAMINE, "fenfluramine"))
        block = _share(float(self.blocking @ states), constants.block_ic50.value)
        spared = 1 - _share(float(self.plasma["NBQX"] @ states), constants.ampa_ic50.value)
        fold = _fold(
            constants,
            _share(present, constants.sert_ec50.value),
            _share(present, constants.ketamine_release_ec50.value),
            _share(carrier, constants.fenfluramine_ec50.value),
        )
        passed = constants.glutamate_gain.value * block * spared / _restraint(constants, fold)
        change = self.matrix @ states + entering
        change[-2] += constants.plasticity_rate.value * passed
        return np.asarray(change)


def _plasma(parts: tuple[tuple[str, int, Compartments], ...], states: Array) -> dict[str, Array]:
    seen: dict[str, Array] = {}
    for _, first, part in parts:
        seen |= part.concentration(states[first : first + len(part.rates)])
    return seen


def _solved(system: _System, infusions: Sequence[Infusion], time: Array) -> Array:
    """States at each time, shape (n_state, n_time)."""
    edges = {edge for one in infusions for edge in (one.start, one.end) if edge < time[-1]}
    bounds = [*sorted(edges), float(time[-1])]
    states = np.zeros((system.size, time.size))
    now = np.zeros(system.size)
    for start, stop in pairwise(bounds):
        entering = system.entry(infusions, (start + stop) / 2)
        inside = (time > start) & (time <= stop)
        asked = np.union1d(time[inside], [stop])
        solution = solve_ivp(
            lambda _, y, u=entering: system.slope(y, u),
            (start, stop),
            now,
            method="LSODA",
            t_eval=asked,
            rtol=RELATIVE_TOLERANCE,
            atol=ABSOLUTE_TOLERANCE,
        )
        assert solution.success, solution.message
        now = solution.y[:, -1]
        states[:, inside] = solution.y[:, np.searchsorted(asked, time[inside])]
    return states


def _taken(concentration: Array, half: float) -> Array:
    """Share of a target that is taken: one site, half of it at ``half``; nothing below 0, where a solver may stray."""
    present = np.maximum(concentration, 0.0)
    return np.asarray(present / (present + half))


def _share(concentration: float, half: float) -> float:
    """As ``_taken``, of one number: a solver asks for it some hundred times a millisecond."""
    return concentration / (concentration + half) if concentration > 0 else 0.0
