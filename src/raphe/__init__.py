"""raphe: PET neuroreceptor pharmacology, from a study's scans to its answer.

The names below are the public face; they are imported when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

from raphe.compiled_code import keep_compiled_code

keep_compiled_code()

__version__ = "0.4.0.dev0"

_HOME = {
    "Estimates": "raphe.data.estimates",
    "Frames": "raphe.core.frames",
    "KineticFit": "raphe.data.fit",
    "Logan": "raphe.kinetics.models.logan",
    "LoganRef": "raphe.kinetics.models.logan_ref",
    "MA1": "raphe.kinetics.models.ma1",
    "MRTM1": "raphe.kinetics.models.mrtm1",
    "MRTM2": "raphe.kinetics.models.mrtm2",
    "OneTCM": "raphe.kinetics.models.one_tcm",
    "PlasmaInput": "raphe.data.blood",
    "Quality": "raphe.quality",
    "RapheError": "raphe.errors",
    "SRTM": "raphe.kinetics.models.srtm",
    "SRTM2": "raphe.kinetics.models.srtm2",
    "TACs": "raphe.data.tacs",
    "TwoTCM": "raphe.kinetics.models.two_tcm",
    "agreement": "raphe.stats.test_retest",
    "check_dataset": "raphe.io.check",
    "estimate_delay": "raphe.kinetics.delay",
    "estimate_k2_prime": "raphe.kinetics.k2_prime",
    "fit": "raphe.kinetics.fit",
    "make_input": "raphe.blood.input",
    "paired": "raphe.stats.region",
    "read_blood": "raphe.io.blood",
    "read_curves": "raphe.io.curves",
    "read_estimates": "raphe.io.results",
    "read_input_function": "raphe.io.input_function",
    "read_plan": "raphe.pipeline.plan",
    "simulate_study": "raphe.simulate.study",
    "tracer": "raphe.catalog",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'raphe' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
