"""What the sidecars of fitted parameters have in common, whether the parameters stand in a table or in maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from raphe.io.provenance import SOFTWARE, software_version
from raphe.nomenclature import SYMBOLS


@dataclass(frozen=True)
class Told:
    """What is told of a fit besides its numbers.

    Parameters
    ----------
    weights : str
        How the frames were weighted, with the formula.
    sources : sequence of str
        Files that the curves come from; see :func:`raphe.io.derivatives.source_uri`.
    command_line : str
    reference : str, optional
        Name of the reference region.
    references : sequence of str
        Citations of the model, as text.
    notes : mapping of str to str, optional
        Where a setting's value came from, by the setting's label, e.g. how ``k2prime`` was estimated.
    """

    weights: str
    sources: Sequence[str]
    command_line: str
    reference: str | None = None
    references: Sequence[str] = ()
    notes: Mapping[str, str] = field(default_factory=dict)


def metadata(
    description: str, model: str, inputs: Mapping[str, float], convention: str, told: Told
) -> dict[str, object]:
    """Fields of a sidecar of fitted parameters.

    Parameters
    ----------
    description : str
    model : str
        Its name.
    inputs : mapping of str to float
        Values that were taken as known, by symbol.
    convention : str
        How the frames were read.
    told : Told
    """
    symbols = [SYMBOLS[name] for name in inputs]
    return {
        "Description": description,
        "Sources": list(told.sources),
        "ModelName": model,
        **({} if told.reference is None else {"ReferenceRegion": told.reference}),
        "InputValues": [float(value) for value in inputs.values()],
        "InputValuesLabels": [symbol.label for symbol in symbols],
        "InputValuesUnits": [symbol.unit for symbol in symbols],
        **({"Notes": dict(told.notes)} if told.notes else {}),
        "Weights": told.weights,
        "Convention": convention,
        "SoftwareName": SOFTWARE,
        "SoftwareVersion": software_version(),
        "CommandLine": told.command_line,
        "References": list(told.references),
    }
