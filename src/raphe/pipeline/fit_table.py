"""``raphe fit``: a kinetic model on one table of curves."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path

from raphe.catalog import find_tracer
from raphe.data.fit import KineticFit
from raphe.io.curves import read_curves
from raphe.io.derivatives import fitted_table
from raphe.io.place import located
from raphe.io.sidecar import sidecar_of
from raphe.io.staging import prepare, staged
from raphe.pipeline.analysis import analyse, choose
from raphe.pipeline.messages import Messages
from raphe.pipeline.options import said, weights
from raphe.pipeline.parameters import write_parameters
from raphe.quality import words


def run(options: argparse.Namespace) -> int:
    """Fit one table; without ``--out`` the parameters are printed."""
    messages = Messages(options)
    if options.out is not None:
        prepare(options.out)
    sidecar = sidecar_of(options.tacs, unit=options.unit, half_life=options.half_life)
    kept = slice(*(options.frames or (None,)))
    curves = read_curves(options.tacs, sidecar=sidecar, unit=options.unit, half_life=options.half_life, frames=kept)
    choices = said(options)
    if options.weights is not None:
        choices["weights"] = weights(options.weights, len(curves.tacs.frames), kept)
    name = sidecar.tracer if sidecar is not None else ""
    analysis = choose([("command line", choices)], find_tracer(name), name)
    by_duration = curves.half_life is None and options.weights is None
    if by_duration:
        analysis = dataclasses.replace(analysis, weights="duration")
    with located(options.tacs):
        result, steps = analyse(curves.tacs, analysis, curves.half_life, empty=curves.empty)
    steps = (curves.step, *steps)
    for finding in curves.findings:
        messages.warn(finding.message)
    if by_duration:
        messages.say("no half-life is known (--half-life), so frames are weighted by their duration")
    lost = int((~result.usable).sum())
    if 2 * lost > len(result.names):
        messages.warn(f"{options.tacs}: {lost} of {len(result.names)} regions have no usable estimate; see their flags")
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
    messages.say(_summary(result))
    return messages.code


def _summary(result: KineticFit) -> str:
    flagged = [f"{name} ({words(int(bits))})" for name, bits in zip(result.names, result.quality, strict=True) if bits]
    told = f"{result.model}: {len(result.names)} regions, {int((~result.usable).sum())} of them not usable"
    return told + (f"; flagged: {', '.join(flagged)}" if flagged else "")
