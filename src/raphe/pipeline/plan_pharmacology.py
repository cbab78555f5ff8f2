"""Keys of a ``[[contrast]]`` that are of pharmacology: flow, endogenous ligand, dose."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from raphe.pharmacology.dose_likelihood import BOUNDS
from raphe.pipeline.plan_values import Name, Section


def _range(value: tuple[float, ...] | None) -> tuple[float, ...] | None:
    if value is not None and not (len(value) == 2 and 0 < value[0] <= value[1] < 1):
        raise ValueError("it must be a list of two shares between 0 and 1, ascending, as [0.05, 0.2]")
    return value


def _fixed(name: str) -> BeforeValidator:
    low, high = BOUNDS[name]

    def check(value: object) -> object:
        if value == "fit":
            return value
        if isinstance(value, int | float) and not isinstance(value, bool) and low < value < high:
            return float(value)
        raise ValueError(f'it must be "fit", or a number above {low:g} and below {high:g}, without quotes')

    return BeforeValidator(check)


class PharmacologyKeys(Section):
    """Keys that a contrast may have besides; :mod:`raphe.pipeline.pharmacology_rules` says which go together."""

    flow_margin: Annotated[float, Field(gt=1)] | None = None
    """Largest ratio of R1 or k2' that counts as no change; None: that of :data:`raphe.pipeline.flow_of.MARGIN`."""
    design: Literal["release", "depletion"] | None = None
    """Of a displacement: how its third and fourth session tell ligand from receptors."""
    theta0: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Share of receptors that the endogenous ligand takes at baseline, which is an assumption; None: not known."""
    theta0_range: Annotated[tuple[float, ...] | None, Field(strict=False), AfterValidator(_range)] = None
    noise: Literal["relative", "absolute", "se"] = "relative"
    """Of an occupancy by the Lassen plot: how large the errors of the regions are to each other."""
    exposure: Name | None = None
    """Of an occupancy: column or score that holds each person's dose or plasma concentration."""
    exposure_unit: Name | None = None
    exposure_kind: Literal["dose", "concentration"] = "dose"
    E_max: Annotated[float | Literal["fit"], _fixed("E_max")] = 1.0
    hill: Annotated[float | Literal["fit"], _fixed("hill")] = 1.0
