"""``raphe fit``: a kinetic model on one table of curves."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from raphe.catalog import find_tracer
from raphe.data.fit import KineticFit
from raphe.data.record import Step
from raphe.data.scan import Scan
from raphe.errors import ModelError
from raphe.io.curves import read_curves
from raphe.io.derivatives import fitted_table
from raphe.io.place import located
from raphe.io.sidecar import sidecar_of
from raphe.io.staging import prepare, staged
from raphe.pipeline.analysis import Material, analyse
from raphe.pipeline.arterial import arterial_input, source_of_files
from raphe.pipeline.choices import choose
from raphe.pipeline.messages import Messages
from raphe.pipeline.options import said, weights
from raphe.pipeline.parameters import write_parameters
from raphe.pipeline.plasma_samples import samples_of_files
from raphe.quality import words


def run(options: argparse.Namespace) -> int:
    """Fit one table; without ``--out`` the parameters are printed, of several models one table after another."""
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
    behind = [kind for kind in analysis.kinds if {"plasma", "samples"} & set(kind.needs)]
    if behind and not options.input:
        what = "an arterial input" if analysis.needs("plasma") else "a few samples of plasma, or one"
        wanting = " and ".join(kind.name for kind in behind)
        raise ModelError(f"{wanting} needs {what}; name the files (--input FILE)")
    arterial, few = None, None
    injection = 0.0 if sidecar is None else sidecar.injection
    if analysis.needs("samples"):
        few = samples_of_files(options.input, analysis, curves.tacs, injection, curves.half_life, options.unit)
        for finding in () if analysis.needs("plasma") else few.findings:
            messages.warn(finding.message)
    if analysis.needs("plasma"):
        scan = Scan("", tracer=name, half_life=curves.half_life) if sidecar is None else sidecar.scan("")
        source = source_of_files(options.input, curves.tacs, scan, analysis, injection, curves.half_life, options.unit)
        arterial = arterial_input(source, curves.tacs, analysis, curves.half_life)
        for finding in source.findings:
            messages.warn(finding.message)
    elif options.input and not behind:
        messages.warn(f"--input is not used: {', '.join(analysis.models)} needs no arterial input")
    material = Material(
        curves.tacs,
        curves.half_life,
        empty=curves.empty,
        plasma=None if arterial is None else arterial.plasma,
        n_frames=None if arterial is None else arterial.n_frames,
        samples=None if few is None else few.plasma,
    )
    with located(options.tacs):
        fits, steps = analyse(material, analysis, messages.progress)
    blood = arterial.steps if arterial else few.steps[:1] if few else ()
    steps = (curves.step, *blood, *(few.steps[1:] if few else ()), *steps)
    for finding in curves.findings:
        messages.warn(finding.message)
    if by_duration:
        messages.say("no half-life is known (--half-life), so frames are weighted by their duration")
    for fit in fits:
        lost = int((~fit.usable).sum())
        if 2 * lost > len(fit.names):
            told = f"{lost} of {len(fit.names)} regions have no usable estimate by {fit.model}; see their flags"
            messages.warn(f"{options.tacs}: {told}")
    for step in steps:
        if step.name == "not_fitted":
            messages.warn(f"{options.tacs}: {step.parameters['why']}; the other models were fitted")
    _write(options, fits, steps)
    for fit in fits:
        messages.say(_summary(fit))
    return messages.code


def _write(options: argparse.Namespace, fits: Sequence[KineticFit], steps: Sequence[Step]) -> None:
    """Write a table for each model, or print it where no folder is named."""
    sources = [str(path) for path in (options.tacs, *options.input)]
    if options.out is None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "kinpar.tsv"
            for fit in fits:
                write_parameters(path, fit, steps, sources, options.command_line)
                sys.stdout.write(f"# {fit.model}\n" if len(fits) > 1 else "")
                sys.stdout.write(path.read_text(encoding="utf-8"))
        return
    paths = [fitted_table(options.out, options.tacs, fit.model) for fit in fits]
    with staged(options.out) as stage:
        for path, fit in zip(paths, fits, strict=True):
            write_parameters(stage / path.name, fit, steps, sources, options.command_line)
    for path in paths:
        print(path)


def _summary(result: KineticFit) -> str:
    flagged = [f"{name} ({words(int(bits))})" for name, bits in zip(result.names, result.quality, strict=True) if bits]
    told = f"{result.model}: {len(result.names)} regions, {int((~result.usable).sum())} of them not usable"
    return told + (f"; flagged: {', '.join(flagged)}" if flagged else "")
