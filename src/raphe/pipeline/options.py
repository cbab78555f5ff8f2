"""What the command line says of an analysis."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.blood.registry import make as blood_model
from raphe.errors import InputError
from raphe.io.place import located
from raphe.io.tables import read_table
from raphe.kinetics.frame_weights import WEIGHTS
from raphe.kinetics.registry import model_type

Array = npt.NDArray[np.float64]


def said(options: argparse.Namespace) -> dict[str, object]:
    """Choices as fields of :class:`raphe.pipeline.analysis.Analysis`, None where nothing is said; weights as typed.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    with located("--model"):
        models = tuple(dict.fromkeys(model_type(name).name for name in options.model or ()))
    for kind in ("parent_fraction", "plasma_ratio", "arterial"):
        name = getattr(options, kind)
        if name is not None and name.lower() != "auto":
            with located(f"--{kind.replace('_', '-')}"):
                blood_model(kind, name)
    t_star, limit = options.t_star or (None, None)
    return {
        "models": models,
        "reference": None if options.reference is None else (options.reference,),
        "k2_prime": options.k2_prime,
        "t_star": t_star,
        "t_star_limit": limit,
        "V_B": options.vb,
        "window": options.window,
        "delay": options.delay,
        "dispersion": options.dispersion,
        "parent_fraction": options.parent_fraction,
        "plasma_ratio": options.plasma_ratio,
        "arterial": options.arterial,
        "blood_unit": options.blood_unit,
        "blood_faults": options.blood_faults,
        "uncertainty": options.uncertainty,
        "repeats": options.repeats,
        "weights": options.weights,
        "convention": options.convention,
    }


def weights(given: str, n_frames: int, kept: slice = slice(None), of: str = "the curves have") -> str | Array:
    """Weights by name, or from a TSV with a column ``weight``, one row a frame.

    The file may have a row for each of the ``n_frames`` that are fitted, or for every frame of the table, of which
    those in ``kept`` are fitted.

    Raises
    ------
    InputError
        If ``given`` is neither a name nor such a file.
    """
    if given in WEIGHTS:
        return given
    path = Path(given)
    if not path.exists():
        raise InputError(f"--weights {given!r} is neither {', '.join(WEIGHTS)} nor a file with a column weight")
    table = read_table(path)
    values = table.floats("weight")
    if values.size != n_frames:
        values = values[kept]
    if values.size != n_frames:
        raise InputError(
            f"{path}: column 'weight' has {len(table.rows)} rows, but {of} {n_frames} frames; give one row a frame"
        )
    for row in np.flatnonzero(~(values >= 0)):
        raise InputError(
            f"{path}: line {table.lines[row]}: the weight {table.cells('weight')[row]!r} is not a number from 0 on; "
            "weights are 1/variance"
        )
    return values
