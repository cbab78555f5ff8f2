"""What is assumed of the tissues of a head that are no region of the catalog."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from pydantic import Field

from raphe.catalog import Quantity
from raphe.catalog.schema import Entry


class Tissue(Entry):
    """One tissue."""

    T1: Quantity
    """Signal of a T1-weighted image, white matter 1."""
    T1_regions: dict[str, Quantity] = Field(default_factory=dict)
    """Likewise, of regions that are brighter or darker than the tissue is elsewhere."""
    R1: Quantity | None = None
    """Delivery of a tracer relative to the reference."""
    BP_ND: Quantity | None = None
    K1_reference: Quantity | None = None
    """Of blood: delivery to the reference, mL/cm3/min, by which the input is scaled to the tissues."""


@cache
def tissues() -> Mapping[str, Tissue]:
    """Tissues by the words of :data:`raphe.simulate.anatomy.TISSUES`, but for air."""
    read = tomllib.loads((files(__package__) / "tissues.toml").read_text(encoding="utf-8"))
    return MappingProxyType({name: Tissue.model_validate(table) for name, table in read.items()})
