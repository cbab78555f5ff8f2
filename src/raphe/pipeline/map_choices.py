"""What a map is to be made of: choices of the user and the catalog, less what no map can do."""

from __future__ import annotations

import argparse
import dataclasses

from raphe.catalog import find_tracer
from raphe.data.tacs import TACs
from raphe.errors import InputError, ModelError
from raphe.io.dynamic import DynamicFile
from raphe.pipeline.choices import Analysis, choose
from raphe.pipeline.map_reference import Named
from raphe.pipeline.options import said, weights


def choices_of_map(options: argparse.Namespace, image: DynamicFile, where: Named | None, tacs: TACs | None) -> Analysis:
    """What is to be done, with what the catalog knows of the tracer.

    Parameters
    ----------
    options : argparse.Namespace
    image : DynamicFile
    where : Named or None
        The reference, as it is named.
    tacs : TACs or None
        Curves of its table, where it is one.

    Raises
    ------
    InputError, ModelError
        If something is asked for that no map can do, or a model needs what is not named.
    """
    choices = said(options)
    choices["reference"] = None
    if where is not None and where.mask:
        choices["reference"] = (where.label,)
    elif where is not None and tacs is not None:
        alone = tacs.names[0] if len(tacs.names) == 1 else None
        region = where.region or alone
        choices["reference"] = None if region is None else (region,)
    if options.weights is not None:
        choices["weights"] = weights(
            options.weights, len(image.frames), slice(image.volumes.start, image.volumes.stop), "the image has"
        )
    name = image.sidecar.tracer
    analysis = choose([("command line", choices)], find_tracer(name), name)
    if image.half_life is None and options.weights is None:
        analysis = dataclasses.replace(analysis, weights="duration")
    _refuse(analysis)
    _require(analysis, options, where)
    return analysis


def _refuse(analysis: Analysis) -> None:
    joint = [kind.name for kind in analysis.kinds if getattr(kind, "joint", False)]
    if joint:
        raise ModelError(
            f"{' and '.join(joint)} fits the curves of all regions together, so it makes no maps; use raphe fit for "
            "regions, or choose another model"
        )
    if analysis.t_star == "auto":
        raise InputError(
            "--t-star auto looks for deviations from a line, which the noise of single voxels hides; find t* for "
            "regions (raphe fit --t-star auto) and give it in min"
        )
    if isinstance(analysis.weights, str) and analysis.weights == "residual":
        raise InputError(
            "--weights residual needs the residuals of regions; for maps take decay, duration, uniform or a file"
        )
    if analysis.uncertainty != "jacobian":
        raise InputError(
            f"--uncertainty {analysis.uncertainty} would take many fits for every voxel; maps have the standard errors "
            "of the fit (jacobian), leave it out"
        )


def _require(analysis: Analysis, options: argparse.Namespace, where: Named | None) -> None:
    """Refuse models that need what is not named."""
    if analysis.needs("plasma") and not options.input:
        wanting = " and ".join(kind.name for kind in analysis.kinds if "plasma" in kind.needs)
        raise ModelError(f"{wanting} needs an arterial input; name its files (--input FILE)")
    if analysis.needs("reference") and where is None:
        wanting = " and ".join(kind.name for kind in analysis.kinds if "reference" in kind.needs)
        raise ModelError(
            f"{wanting} needs the curve of a reference region; give a table that holds it, or a mask (--reference FILE)"
        )
    if options.label is not None and (where is None or not where.mask):
        raise InputError(f"--label {options.label} is of a reference that is a label image; give one with --reference")
