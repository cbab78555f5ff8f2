"""What drugs do at once: shares of targets that are taken, and serotonin in balance with its release and uptake.

Concentrations are ng/mL of plasma; everything else is relative to rest. Constants are those of ``mechanism.toml``. What
an inner loop asks for takes numbers as well as arrays.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from raphe.simulate.constants import Constants

Array = npt.NDArray[np.float64]

V = TypeVar("V", float, Array)


def nmda_block(constants: Constants, ketamine: Array, norketamine: Array) -> Array:
    """Share of the interneurons' NMDA receptors that is blocked; concentrations in ng/mL."""
    return taken(ketamine + constants.norketamine_potency.value * norketamine, constants.block_ic50.value)


def transporter_left(constants: Constants, ketamine: Array) -> Array:
    """Share of the transporter that ketamine, ng/mL, leaves."""
    return np.asarray(1 - constants.sert_block.value * taken(ketamine, constants.sert_ec50.value))


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
    on_transporter = taken(ketamine, constants.sert_ec50.value)
    on_release = taken(ketamine, constants.ketamine_release_ec50.value)
    return balance(constants, on_transporter, on_release, taken(fenfluramine, constants.fenfluramine_ec50.value))


def balance(constants: Constants, on_transporter: V, on_release: V, carried_share: V) -> V:
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


def restraint(constants: Constants, fold: V) -> V:
    """By how much serotonin at heteroreceptors divides the rise of glutamate; 1 at rest."""
    return 1 + constants.glutamate_restraint.value * (relative_occupancy(constants, fold) - 1)


def taken(concentration: Array, half: float) -> Array:
    """Share of a target that is taken: one site, half of it at ``half``; nothing below 0, where a solver may stray."""
    present = np.maximum(concentration, 0.0)
    return np.asarray(present / (present + half))


def share(concentration: float, half: float) -> float:
    """As :func:`taken`, of one number: a solver asks for it some hundred times a millisecond."""
    return concentration / (concentration + half) if concentration > 0 else 0.0
