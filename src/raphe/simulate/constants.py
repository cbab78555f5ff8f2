"""The numbers of the mechanism, each with its source or the word assumption, read once from ``mechanism.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, TypeVar

from pydantic import Field

from raphe.catalog import Quantity
from raphe.catalog.schema import Choice, Entry
from raphe.errors import PlanError, nearest
from raphe.nomenclature import region_key


class Peripheral(Entry):
    """A compartment beside the central one."""

    volume: Quantity
    """L."""
    flow: Quantity
    """L/h."""


class Liver(Peripheral):
    """The compartment that clears the drug, where clearance is not that of the central one."""

    elimination: Quantity
    """1/h, to anything else."""
    conversion: Quantity
    """1/h, to the metabolite."""


class Flows(Entry):
    """Disposition of a substance by volumes and clearances of a person of ``reference_weight``.

    Volumes go with weight, clearances and flows with weight to the power of ``clearance_exponent``.
    """

    reference_weight: Quantity
    """kg."""
    clearance_exponent: Quantity
    volume: Quantity
    """L."""
    clearance: Quantity | None = None
    """L/h."""
    peripheral: Annotated[tuple[Peripheral, ...], Field(strict=False)] = ()
    liver: Liver | None = None


class Metabolite(Flows):
    """Disposition of the metabolite and the share of the cleared drug that becomes it."""

    share: Quantity


class Rates(Entry):
    """Disposition of a substance by rate constants, 1/min, which no weight changes, and a volume, L/kg."""

    volume_per_kg: Quantity
    k10: Quantity
    k12: Quantity
    k21: Quantity
    k13: Quantity
    k31: Quantity


class Drug(Entry):
    """Disposition in one of the two forms in which it is published."""

    flows: Flows | None = None
    rates: Rates | None = None


class KetamineModel(Entry):
    """Pharmacokinetics of ketamine and norketamine."""

    label: str
    metabolite: Choice
    """Name of one of the metabolite's dispositions."""
    drug: Drug


class OneCompartment(Entry):
    """Pharmacokinetics of another drug."""

    volume_per_kg: Quantity
    """L/kg."""
    half_life: Quantity
    """h."""


class Gain(Entry):
    """Rise of the receptor number of a region per unit of plasticity, per cent."""

    region: str
    percent: Quantity


class SpeciesMechanism(Entry):
    """What is assumed of one species."""

    ketamine: Choice
    gain: Annotated[tuple[Gain, ...], Field(strict=False)]

    def gain_of(self, region: str) -> float:
        """Rise of the receptor number per unit of plasticity, a share; 0 for a region that is not listed."""
        plain = region_key(region)[0]
        return next((entry.percent.value / 100 for entry in self.gain if entry.region == plain), 0.0)


class PeopleVariation(Entry):
    """Variation between people."""

    volume_variance: Quantity
    clearance_variance: Quantity
    covariance: Quantity
    response_cv: Quantity


class Constants(Entry):
    """Constants of the mechanism; hours, ng/mL and shares."""

    norketamine_potency: Quantity
    block_ic50: Quantity
    glutamate_gain: Quantity
    glutamate_restraint: Quantity
    ampa_ic50: Quantity
    plasticity_rate: Quantity
    plasticity_time: Quantity
    receptor_time: Quantity
    sert_block: Quantity
    sert_ec50: Quantity
    release_pool: Quantity
    ketamine_release: Quantity
    ketamine_release_ec50: Quantity
    fenfluramine_ec50: Quantity
    autoreceptor_brake: Quantity
    baseline_occupancy: Quantity
    dopamine_gain: Quantity


class SymptomConstants(Entry):
    """Constants of the ratings, points of MADRS."""

    severity_mean: Quantity
    severity_sd: Quantity
    severity_binding: Quantity
    drug_effect: Quantity
    drug_binding: Quantity
    placebo_mean: Quantity
    placebo_sd: Quantity
    placebo_time: Quantity
    expectancy: Quantity
    guess_at_rest: Quantity
    guess_slope: Quantity
    rating_sd: Quantity


class MechanismFile(Entry):
    """All of ``mechanism.toml``."""

    ketamine: dict[str, KetamineModel]
    metabolite: dict[str, Metabolite]
    people: PeopleVariation
    species: dict[str, SpeciesMechanism]
    other: dict[str, OneCompartment]
    constants: Constants
    symptoms: SymptomConstants


KETAMINE = "ketamine"

C = TypeVar("C", Constants, SymptomConstants)

SHARES = frozenset({"sert_block", "ketamine_release", "baseline_occupancy", "guess_at_rest"})
"""Constants that must lie above 0 and below 1."""

SIGNED = frozenset({"severity_binding", "drug_binding", "guess_slope"})
"""Constants that may be negative."""


@cache
def mechanism_file() -> MechanismFile:
    """What raphe assumes, as it stands in ``mechanism.toml``."""
    text = (files(__package__) / "mechanism.toml").read_text(encoding="utf-8")
    return MechanismFile.model_validate(tomllib.loads(text))


def drugs() -> tuple[str, ...]:
    """Names of the drugs that the mechanism knows."""
    return (KETAMINE, *mechanism_file().other)


def with_changes(constants: C, changes: Mapping[str, Quantity], where: str) -> C:
    """Constants with some of them replaced by those of a plan.

    Parameters
    ----------
    constants : Constants or SymptomConstants
    changes : mapping of str to Quantity
    where : str
        What messages call the place of the changes.

    Raises
    ------
    PlanError
        If there is no constant of that name, or the value cannot be: shares lie between 0 and 1, a correlation between
        -1 and 1, all others are not negative, and times, EC50 and IC50 not 0.
    """
    for name, quantity in changes.items():
        if name not in type(constants).model_fields:
            raise PlanError(f"{where}: there is no constant {name!r}; {nearest(name, type(constants).model_fields)}")
        fault = _fault(name, quantity.value)
        if fault:
            raise PlanError(f"{where}, {name} = {quantity.value:g}: {fault}")
    replaced: dict[str, Any] = dict(changes)
    return constants.model_copy(update=replaced)


def _fault(name: str, value: float) -> str:
    if name in SHARES and not 0 < value < 1:
        return "it must lie between 0 and 1"
    if name == "severity_binding" and not -1 <= value <= 1:
        return "a correlation lies between -1 and 1"
    if name not in SIGNED and value < 0:
        return "it must not be negative"
    if name.endswith(("_time", "50")) and value == 0:
        return "it must be more than 0"
    return ""
