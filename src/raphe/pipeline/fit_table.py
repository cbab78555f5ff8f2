"""``raphe fit``: a kinetic model on one table of curves."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.catalog import find_tracer
from raphe.data.fit import KineticFit
from raphe.data.record import Step
from raphe.errors import InputError
from raphe.io.curves import read_curves
from raphe.io.derivatives import fitted_table
from raphe.io.sidecar import sidecar_of
from raphe.io.staging import prepare, staged
from raphe.io.tables import read_table
from raphe.kinetics.fit import WEIGHTS
from raphe.pipeline.analysis import analyse, choose
from raphe.pipeline.messages import Messages
from raphe.pipeline.parameters import write_parameters
from raphe.quality import words

Array = npt.NDArray[np.float64]


def run(options: argparse.Namespace) -> int:
    """Fit one table; without ``--out`` the parameters are printed."""
    messages = Messages(options)
    if options.out is not None:
        prepare(options.out)
    sidecar = sidecar_of(options.tacs, unit=options.unit, half_life=options.half_life)
    kept = slice(*(options.frames or (None,)))
    curves = read_curves(options.tacs, sidecar=sidecar, unit=options.unit, half_life=options.half_life, frames=kept)
    for finding in curves.findings:
        messages.warn(finding.message)
    said = {
        "model": options.model,
        "reference": (options.reference,) if options.reference else None,
        "k2_prime": options.k2_prime,
        "t_star": options.t_star,
        "weights": weights(options.weights, len(curves.tacs.frames), kept),
        "convention": options.convention,
    }
    name = sidecar.tracer if sidecar is not None else ""
    analysis = choose([("command line", said)], find_tracer(name), name)
    if isinstance(analysis.weights, str) and analysis.weights == "decay":
        analysis = dataclasses.replace(analysis, weights=_known_weights(curves.half_life, options.weights))
    result, steps = analyse(curves.tacs, analysis, curves.half_life)
    steps = (curves.step, *steps)
    if options.out is None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "kinpar.tsv"
            write_parameters(path, result, steps, [str(options.tacs)], options.command_line)
            sys.stdout.write(path.read_text(encoding="utf-8"))
    else:
        path = fitted_table(options.out, options.tacs, result.model)
        with staged(options.out) as stage:
            write_parameters(stage / path.name, result, steps, [str(options.tacs)], options.command_line)
        print(path)
    messages.say(_summary(result, steps))
    return messages.code


def weights(given: str | None, n_frames: int, kept: slice = slice(None)) -> str | Array | None:
    """Weights by name, or from a TSV with a column ``weight``, one row a frame.

    The file may have a row for each of the ``n_frames`` that are fitted, or for every frame of the table, of which
    those in ``kept`` are fitted.

    Raises
    ------
    InputError
        If ``given`` is neither a name nor such a file.
    """
    if given is None or given in WEIGHTS:
        return given
    path = Path(given)
    if not path.exists():
        raise InputError(f"--weights {given!r} is neither {', '.join(WEIGHTS)} nor a file with a column weight")
    table = read_table(path)
    values = table.floats("weight")
    if values.size != n_frames:
        values = values[kept]
    if values.size != n_frames:
        raise InputError(f"{path}: column 'weight' has {len(table.rows)} rows, but the curves have {n_frames} frames")
    for row in np.flatnonzero(~(values >= 0)):
        raise InputError(
            f"{path}: line {table.lines[row]}: the weight {table.cells('weight')[row]!r} is not a number from 0 on; "
            "weights are 1/variance"
        )
    return values


def _known_weights(half_life: float | None, asked: str | None) -> str:
    """``decay`` where the half-life is known or it was asked for, else ``duration``."""
    return "decay" if half_life is not None or asked == "decay" else "duration"


def _summary(result: KineticFit, steps: Sequence[Step]) -> str:
    flagged = [f"{name} ({words(int(bits))})" for name, bits in zip(result.names, result.quality, strict=True) if bits]
    told = f"{result.model}: {len(result.names)} regions, {int((~result.usable).sum())} of them not usable"
    return told + (f"; flagged: {', '.join(flagged)}" if flagged else "")
