"""The states of one body over time: drugs in their compartments, plasticity, and what receptors follow.

Time is in hours, amount in mg. The solver starts anew wherever an infusion begins or ends, so that none is stepped
over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp

from raphe.simulate.actions import balance, restraint, share
from raphe.simulate.constants import KETAMINE, Constants, KetamineModel, mechanism_file
from raphe.simulate.pharmacokinetics import Body, Compartments, Infusion, ketamine, one_compartment

Array = npt.NDArray[np.float64]

RELATIVE_TOLERANCE = 1e-9
"""Of the solver, on every state; against closed forms the states are right to about 1e-9 of their peak."""

ABSOLUTE_TOLERANCE = 1e-11
"""Of the solver, in mg and in units of plasticity."""


@dataclass(frozen=True, eq=False)
class System:
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
    def of(cls, model: KetamineModel, constants: Constants, body: Body) -> System:
        """Put the drugs beside each other and plasticity behind them."""
        found = [(KETAMINE, ketamine(model, body))]
        found += [(name, one_compartment(name, drug, body)) for name, drug in mechanism_file().other.items()]
        size = sum(len(part.rates) for _, part in found) + 2
        matrix = np.zeros((size, size))
        parts, first = [], 0
        for name, part in found:
            last = first + len(part.rates)
            matrix[first:last, first:last] = part.rates
            parts.append((name, first, part))
            first = last
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
        block = share(float(self.blocking @ states), constants.block_ic50.value)
        spared = 1 - share(float(self.plasma["NBQX"] @ states), constants.ampa_ic50.value)
        fold = balance(
            constants,
            share(present, constants.sert_ec50.value),
            share(present, constants.ketamine_release_ec50.value),
            share(carrier, constants.fenfluramine_ec50.value),
        )
        passed = constants.glutamate_gain.value * block * spared / restraint(constants, fold)
        change = self.matrix @ states + entering
        change[-2] += constants.plasticity_rate.value * passed
        return np.asarray(change)


def _plasma(parts: tuple[tuple[str, int, Compartments], ...], states: Array) -> dict[str, Array]:
    seen: dict[str, Array] = {}
    for _, first, part in parts:
        seen |= part.concentration(states[first : first + len(part.rates)])
    return seen


def solved(system: System, infusions: Sequence[Infusion], time: Array) -> Array:
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
