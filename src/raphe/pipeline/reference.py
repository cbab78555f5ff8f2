"""The reference region of a scan, and its k2'."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import numpy.typing as npt

from raphe.catalog import find_tracer
from raphe.data.record import Parameter, Step
from raphe.data.regions import Merged, resolve
from raphe.data.tacs import TACs
from raphe.errors import InputError
from raphe.kinetics import registry
from raphe.kinetics.fit import check_reference, fit
from raphe.kinetics.k2_prime import LEAST_BINDING
from raphe.nomenclature import region_key
from raphe.pipeline.choices import Analysis

Array = npt.NDArray[np.float64]


def find_reference(
    tacs: TACs, analysis: Analysis, separate: tuple[str, Array] | None = None, empty: Sequence[str] = ()
) -> tuple[Array, str, Step]:
    """Curve of the reference region, its name, and how it was found.

    Parameters
    ----------
    tacs : TACs
    analysis : Analysis
    separate : (str, ndarray of shape (n_frame,)), optional
        Name and curve of a reference region that stands in a table of its own.
    empty : sequence of str
        Regions that the table names but that have no value.

    Raises
    ------
    InputError
        If it is absent, empty, zero or negative, or not a number somewhere; the message says which.
    """
    curve, name, step = _reference(tacs, analysis, separate, empty)
    check_reference(f"reference region {name!r}", curve, tacs.frames)
    return curve, name, step


def doubt_of_reference(names: Sequence[str], tracer: str, species: str = "human") -> str:
    """What is doubtful of a reference region by name, in words; empty for nothing, and for a tracer that is not known.

    Parameters
    ----------
    names : sequence of str
        Of the region that was asked for.
    tracer, species : str
        As in the catalog.
    """
    known = find_tracer(tracer)
    if known is None or species not in known.species:
        return ""
    for name in names:
        with suppress(KeyError):
            binding = known.species[species].binding(name).BP_ND[0]
            if binding.value >= LEAST_BINDING:
                return (
                    f"the reference is {name!r}, where {known.label} binds by the catalog (BP_ND {binding.value:g}); "
                    "BP_ND of the others is less by what binds there. Is another region meant?"
                )
    return ""


def _reference(
    tacs: TACs, analysis: Analysis, separate: tuple[str, Array] | None, empty: Sequence[str]
) -> tuple[Array, str, Step]:
    said = analysis.origin.get("reference", "default")
    plain = {region_key(name)[0] for name in analysis.reference}
    if separate is not None and (said == "catalog" or region_key(separate[0])[0] in plain):
        name, curve = separate
        return curve, name, Step("reference", {"region": name, "how": "its own table", "source": "table"})
    failures: list[InputError] = []
    for name in analysis.reference:
        try:
            found, made = resolve([name], tacs, analysis.merges)
        except InputError as error:
            failures.append(error)
            continue
        how: Merged = made[name]
        parameters: dict[str, Parameter] = {"region": name, "how": str(how), "members": how.members, "source": said}
        return found.activity[0], name, Step("reference", parameters)
    wanted = {region_key(name) for name in analysis.reference}
    for name in empty:
        if region_key(name) in wanted:
            raise InputError(f"the reference region {name!r} is empty: no frame has a value; fill it or take another")
    if len(analysis.reference) == 1:
        raise InputError(f"the reference is absent: {failures[0]}")
    raise InputError(
        f"no reference region is among the curves (looked for {', '.join(analysis.reference)}); name one of "
        f"{', '.join(tacs.names[:12])}{' ...' if len(tacs.names) > 12 else ''} with --reference or in the plan"
    )


def high_binding(tacs: TACs, analysis: Analysis, reference: Array, half_life: float | None) -> tuple[TACs, str]:
    """Curves that give k2', and who named them.

    Parameters
    ----------
    tacs : TACs
    analysis : Analysis
    reference : ndarray, shape (n_frame,), kBq/mL
    half_life : float, min, or None

    Raises
    ------
    InputError
        If the plan names one that is not there, or none is of high binding.
    """
    origin = analysis.origin.get("high_binding", "")
    found: list[str] = []
    for name in analysis.high_binding:
        try:
            resolve([name], tacs, analysis.merges)
        except InputError:
            if origin == "plan":
                raise
            continue
        found.append(name)
    if found:
        return resolve(found, tacs, analysis.merges)[0], f"the high-binding regions that the {origin} names"
    first, _ = fit(
        registry.make("MRTM1"), tacs, reference=reference, weights=analysis.weights, half_life=half_life,
        convention=analysis.convention,
    )  # fmt: skip
    binding, _ = first.of("BP_ND")
    high = [
        name
        for name, value, good in zip(first.names, binding, first.usable, strict=True)
        if good and value > LEAST_BINDING
    ]
    if not high:
        raise InputError(
            f"k2_prime 'auto' needs regions of high binding; none is named and none has BP_ND above {LEAST_BINDING:g} "
            "by MRTM1. Give k2_prime as a number, or choose SRTM"
        )
    return resolve(high, tacs, {})[0], f"the regions with BP_ND above {LEAST_BINDING:g} by MRTM1, an assumption"
