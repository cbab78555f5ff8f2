"""raphe: PET neuroreceptor pharmacology, from a study's scans to its answer.

The names below are the public face; they are imported when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOME = {
    "Estimates": "raphe.data.estimates",
    "Frames": "raphe.core.frames",
    "KineticFit": "raphe.data.fit",
    "LoganRef": "raphe.kinetics.models.logan_ref",
    "MRTM1": "raphe.kinetics.models.mrtm1",
    "MRTM2": "raphe.kinetics.models.mrtm2",
    "Quality": "raphe.quality",
    "RapheError": "raphe.errors",
    "SRTM": "raphe.kinetics.models.srtm",
    "SRTM2": "raphe.kinetics.models.srtm2",
    "TACs": "raphe.data.tacs",
    "agreement": "raphe.stats.test_retest",
    "check_dataset": "raphe.io.check",
    "estimate_k2_prime": "raphe.kinetics.k2_prime",
    "fit": "raphe.kinetics.fit",
    "paired": "raphe.stats.region",
    "read_curves": "raphe.io.curves",
    "read_plan": "raphe.pipeline.plan",
    "simulate": "raphe.simulate.study",
    "tracer": "raphe.catalog",
}

__all__ = ["__version__", *_HOME]

if TYPE_CHECKING:
    from raphe.catalog import tracer
    from raphe.core.frames import Frames
    from raphe.data.estimates import Estimates
    from raphe.data.fit import KineticFit
    from raphe.data.tacs import TACs
    from raphe.errors import RapheError
    from raphe.io.check import check_dataset
    from raphe.io.curves import read_curves
    from raphe.kinetics.fit import fit
    from raphe.kinetics.k2_prime import estimate_k2_prime
    from raphe.kinetics.models.logan_ref import LoganRef
    from raphe.kinetics.models.mrtm1 import MRTM1
    from raphe.kinetics.models.mrtm2 import MRTM2
    from raphe.kinetics.models.srtm import SRTM
    from raphe.kinetics.models.srtm2 import SRTM2
    from raphe.pipeline.plan import read_plan
    from raphe.quality import Quality
    from raphe.simulate.study import simulate
    from raphe.stats.region import paired
    from raphe.stats.test_retest import agreement


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'raphe' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
