"""``raphe fit``: a kinetic model on one table of curves."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from raphe.catalog import find_tracer
from raphe.data.finding import Finding
from raphe.data.fit import KineticFit
from raphe.data.record import Step
from raphe.data.scan import Scan
from raphe.errors import ModelError
from raphe.io.curves import read_curves
from raphe.io.derivatives import fitted_table
from raphe.io.doubts import doubts_of_table
from raphe.io.names import of_another_scan
from raphe.io.place import located
from raphe.io.radionuclides import doubt_of_half_life
from raphe.io.sidecar import sidecar_of
from raphe.io.staging import prepare, staged
from raphe.kinetics.k2_prime import doubt_of
from raphe.kinetics.negative_binding import doubts_of_binding
from raphe.pipeline.analysis import Material, analyse
from raphe.pipeline.arterial import arterial_input, source_of_files
from raphe.pipeline.choices import Analysis, choose
from raphe.pipeline.messages import Messages
from raphe.pipeline.options import said, weights
from raphe.pipeline.parameters import write_estimated_input, write_parameters
from raphe.pipeline.plasma_samples import samples_of_files, with_samples
from raphe.pipeline.reference import doubt_of_reference
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
    _require_input(analysis, options)
    injection = 0.0 if sidecar is None else sidecar.injection
    scan = Scan("", tracer=name, half_life=curves.half_life) if sidecar is None else sidecar.scan("")
    arterial, samples = None, None
    findings: dict[Finding, None] = {}
    if analysis.needs("plasma"):
        source = source_of_files(options.input, curves.tacs, scan, analysis, injection, curves.half_life, options.unit)
        arterial = arterial_input(source, curves.tacs, analysis, curves.half_life)
        findings |= dict.fromkeys(source.findings)
    if analysis.needs("samples"):
        samples = samples_of_files(options.input, curves.tacs, analysis, injection, curves.half_life, options.unit)
        findings |= dict.fromkeys(samples.findings)
    for finding in findings:
        messages.warn(finding.message)
    for doubt in filter(None, (of_another_scan(path, options.tacs) for path in options.input)):
        messages.warn(f"{options.tacs}: {doubt}")
    if options.half_life is not None and (doubt := doubt_of_half_life(options.half_life)):
        messages.warn(f"--half-life: {doubt}")
    if options.input and not (analysis.needs("plasma") or analysis.needs("samples")):
        messages.warn(f"--input is not used: {', '.join(analysis.models)} needs no arterial input")
    material = Material(
        curves.tacs,
        curves.half_life,
        empty=curves.empty,
        plasma=None if arterial is None else arterial.plasma,
        samples=None if samples is None else samples.plasma,
        n_frames=None if arterial is None else arterial.n_frames,
    )
    with located(options.tacs):
        fits, steps = analyse(material, analysis, messages.progress)
    steps = (curves.step, *with_samples(arterial.steps if arterial else (), samples), *steps)
    doubts = () if options.frames else doubts_of_table(options.tacs, curves.tacs, scan)
    for finding in (*curves.findings, *doubts):
        messages.warn(finding.message)
    if by_duration:
        messages.say("no half-life is known (--half-life), so frames are weighted by their duration")
    for fit in fits:
        lost = int((~fit.usable).sum())
        if 2 * lost > len(fit.names):
            told = f"{lost} of {len(fit.names)} regions have no usable estimate by {fit.model}; see their flags"
            messages.warn(f"{options.tacs}: {told}")
    if options.reference and (doubt := doubt_of_reference([options.reference], name)):
        messages.warn(f"{options.tacs}: {doubt}")
    for doubt in doubts_of_binding(fits):
        messages.warn(f"{options.tacs}: {doubt}")
    for step in steps:
        value = step.parameters.get("value") if step.name == "k2_prime" else None
        if isinstance(value, float) and (doubt := doubt_of(value)):
            messages.warn(f"{options.tacs}: {doubt}")
        if step.name == "not_fitted":
            messages.warn(f"{options.tacs}: {step.parameters['why']}; the other models were fitted")
    _write(options, scan, fits, steps)
    for fit in fits:
        messages.say(_summary(fit))
    return messages.code


def _require_input(analysis: Analysis, options: argparse.Namespace) -> None:
    """Refuse models that need blood, where no file of it is named."""
    for need, what in (
        ("plasma", "an arterial input; name its files"),
        ("samples", "at least one sample of the parent in plasma; name its file"),
    ):
        if analysis.needs(need) and not options.input:
            wanting = " and ".join(kind.name for kind in analysis.kinds if need in kind.needs)
            raise ModelError(f"{wanting} needs {what} (--input FILE)")


def _write(options: argparse.Namespace, scan: Scan, fits: Sequence[KineticFit], steps: Sequence[Step]) -> None:
    """Write a table for each model and the input that it has estimated, or print the tables if there is no folder."""
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
    estimated = {
        fit.model: fitted_table(options.out, options.tacs, fit.model, "inputfunction")
        for fit in fits
        if fit.estimated_input is not None
    }
    with staged(options.out) as stage:
        for path, fit in zip(paths, fits, strict=True):
            write_parameters(stage / path.name, fit, steps, sources, options.command_line)
            if fit.model in estimated:
                write_estimated_input(stage / estimated[fit.model].name, fit, scan, steps, sources)
    paths += estimated.values()
    for path in paths:
        print(path)


def _summary(result: KineticFit) -> str:
    flagged = [f"{name} ({words(int(bits))})" for name, bits in zip(result.names, result.quality, strict=True) if bits]
    told = f"{result.model}: {len(result.names)} regions, {int((~result.usable).sum())} of them not usable"
    return told + (f"; flagged: {', '.join(flagged)}" if flagged else "")
