"""Whether the PET may say where the dorsal raphe is."""

from __future__ import annotations

from raphe import catalog
from raphe.pipeline.preprocess_choices import Preprocessing
from raphe.preprocess.raphe_nuclei import AROUND, NAME


def raphe_is_shown(choices: Preprocessing, tracer: str) -> bool:
    """Whether the plan lets the PET say it, and the catalog has the tracer bind more there than in the midbrain."""
    known = catalog.find_tracer(tracer)
    entry = known.species.get(choices.species) if known else None
    if choices.raphe != "pet" or entry is None:
        return False
    try:
        own, around = (entry.binding(name).BP_ND[0].value for name in (NAME, AROUND))
    except KeyError:
        return False
    return own > around
