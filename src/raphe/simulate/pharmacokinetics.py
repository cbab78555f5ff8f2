"""Where drugs are in the body: linear compartments, fed by infusions.

Time is in hours, amount in mg, volume in L and concentration in ng/mL of plasma. The published models and what is
assumed beside them stand in ``mechanism.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.simulate.constants import Flows, KetamineModel, Metabolite, OneCompartment, Rates, mechanism_file

Array = npt.NDArray[np.float64]

MINUTES_PER_HOUR = 60.0

NG_PER_ML = 1000.0
"""Of one mg/L."""


@dataclass(frozen=True)
class Infusion:
    """A drug given into a vein at a constant rate.

    Parameters
    ----------
    drug : str
    start : float, h
    duration : float, h
        More than 0.
    amount : float, mg
        Not negative; 0 is saline.
    """

    drug: str
    start: float
    duration: float
    amount: float

    @property
    def end(self) -> float:
        """Time at which it stops, h."""
        return self.start + self.duration


@dataclass(frozen=True)
class Body:
    """What the pharmacokinetics of one person or animal depend on.

    Parameters
    ----------
    weight : float, kg
    volume, clearance : float
        Own volumes and clearances, relative to those expected for the weight.
    """

    weight: float
    volume: float = 1.0
    clearance: float = 1.0


@dataclass(frozen=True, eq=False)
class Compartments:
    """Amounts that flow between compartments and out of them, :math:`dX/dt = K X + b u(t)`.

    What is infused, u in mg/h, enters the first compartment: b is 1 there and 0 elsewhere.

    Parameters
    ----------
    rates : ndarray, shape (n, n), 1/h
        K.
    observed : tuple of (str, int, float)
        For each substance its name, the compartment that is its plasma, and the volume of that, L.
    """

    rates: Array
    observed: tuple[tuple[str, int, float], ...]

    def concentration(self, amounts: Array) -> dict[str, Array]:
        """Plasma concentration of each substance, ng/mL, from amounts of shape (n, n_time), mg."""
        return {name: NG_PER_ML * amounts[place] / volume for name, place, volume in self.observed}


def ketamine(model: KetamineModel, body: Body) -> Compartments:
    """Ketamine and norketamine in one body; ``observed`` holds ``ketamine`` and ``norketamine``.

    Parameters
    ----------
    model : KetamineModel
    body : Body
    """
    parent = _by_rates(model.drug.rates, body) if model.drug.rates else _by_flows(_given(model.drug.flows), body)
    metabolite = mechanism_file().metabolite[model.metabolite.value]
    child = _by_flows(metabolite, body)
    n, m = len(parent.rates), len(child.rates)
    rates = np.zeros((n + m, n + m))
    rates[:n, :n], rates[n:, n:] = parent.rates, child.rates
    rates[n, :n] = metabolite.share.value * parent.converted
    observed = (("ketamine", 0, parent.volume), ("norketamine", n, child.volume))
    return Compartments(rates, observed)


def one_compartment(name: str, drug: OneCompartment, body: Body) -> Compartments:
    """Another drug in one body: its volume and half-life, whatever the variation between people."""
    rate = np.log(2) / drug.half_life.value
    return Compartments(np.array([[-rate]]), ((name, 0, drug.volume_per_kg.value * body.weight),))


@dataclass(frozen=True, eq=False)
class _Disposition:
    """One substance: rates in 1/h, volume of plasma's compartment in L, what each compartment converts in 1/h."""

    rates: Array
    volume: float
    converted: Array


def _given(flows: Flows | None) -> Flows:
    assert flows is not None, "a drug of mechanism.toml has flows or rates"
    return flows


def _by_rates(rates: Rates, body: Body) -> _Disposition:
    per_hour = MINUTES_PER_HOUR
    out = per_hour * rates.k10.value * body.clearance / body.volume
    to, back = per_hour * rates.k12.value, per_hour * rates.k21.value
    to_deep, back_deep = per_hour * rates.k13.value, per_hour * rates.k31.value
    matrix = np.array([[-out - to - to_deep, back, back_deep], [to, -back, 0.0], [to_deep, 0.0, -back_deep]])
    return _Disposition(matrix, rates.volume_per_kg.value * body.weight * body.volume, np.array([out, 0.0, 0.0]))


def _by_flows(flows: Flows | Metabolite, body: Body) -> _Disposition:
    size = body.weight / flows.reference_weight.value
    of_flow = size**flows.clearance_exponent.value
    beside = [*flows.peripheral, *([flows.liver] if flows.liver else [])]
    volume = flows.volume.value * size * body.volume
    matrix = np.zeros((1 + len(beside), 1 + len(beside)))
    converted = np.zeros(len(matrix))
    for place, other in enumerate(beside, 1):
        flow, own = other.flow.value * of_flow, other.volume.value * size * body.volume
        matrix[0, 0] -= flow / volume
        matrix[place, 0] += flow / volume
        matrix[0, place] += flow / own
        matrix[place, place] -= flow / own
    if flows.clearance is not None:
        converted[0] = flows.clearance.value * of_flow * body.clearance / volume
        matrix[0, 0] -= converted[0]
    if flows.liver is not None:
        scale = of_flow / size * body.clearance / body.volume
        converted[-1] = flows.liver.conversion.value * scale
        matrix[-1, -1] -= converted[-1] + flows.liver.elimination.value * scale
    return _Disposition(matrix, volume, converted)
