"""``raphe map``: parametric maps of one dynamic image."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from raphe.catalog import find_tracer
from raphe.data.blood import PlasmaInput
from raphe.data.record import Parameter, Step
from raphe.data.tacs import TACs
from raphe.errors import InputError, ModelError
from raphe.io.dynamic import DynamicImage, open_dynamic
from raphe.io.images import Values
from raphe.io.staging import prepare
from raphe.kinetics.judgement import assumed
from raphe.kinetics.k2_prime import LEAST_BINDING, first_pass_of, k2_primes_of, median_k2_prime
from raphe.kinetics.protocol import KineticModel
from raphe.kinetics.voxelwise import VoxelFit, fit_voxels
from raphe.pipeline.choices import Analysis, choose, make
from raphe.pipeline.first_use import telling_of_compilation
from raphe.pipeline.map_reference import (
    Named,
    curve_of_table,
    mean_of_mask,
    named,
    region_of_table,
    voxels_of_mask,
)
from raphe.pipeline.maps import Maps, write_maps
from raphe.pipeline.memory import limit_of, threads
from raphe.pipeline.messages import Messages
from raphe.pipeline.options import said, weights
from raphe.pipeline.voxels import Voxels, masked_by, masked_by_activity
from raphe.quality import Quality, usable

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Material:
    """What the models are fitted to."""

    voxels: Voxels
    frames: int
    """How many are fitted of models behind plasma."""
    reference: Array | None
    plasma: PlasmaInput | None
    workers: int


@dataclass(eq=False)
class _Task:
    """One model, with what its fit needs, and what it gave."""

    model: KineticModel
    input_se: Mapping[str, float]
    steps: list[Step]
    found: dict[int, VoxelFit] = field(default_factory=dict)
    """By the number of the part."""


def run(options: argparse.Namespace) -> int:
    """Map one image; the paths of the maps are printed."""
    messages = Messages(options)
    prepare(options.out)
    image = open_dynamic(
        options.pet, unit=options.unit, half_life=options.half_life, frames=slice(*(options.frames or (None,)))
    )
    where = None if options.reference is None else named(options.reference)
    table = None if where is None or where.mask else curve_of_table(where, image, options.unit)
    analysis = _choices(options, image, where, None if table is None else table[0])
    _require(analysis, options, where)
    for finding in image.findings:
        messages.warn(finding.message)
    if options.input and not analysis.needs("plasma"):
        messages.warn(f"--input is not used: {', '.join(analysis.models)} needs no arterial input")
    if where is not None and not analysis.needs("reference"):
        messages.warn(f"--reference is not used: {', '.join(analysis.models)} needs no reference region")
        where = None

    limit = limit_of(options.memory)
    workers = threads(limit, options.workers)
    if workers < options.workers:
        messages.say(f"{workers} of {options.workers} threads are used, for more do not fit into the memory")
    of_reference = None
    if where is not None and where.mask:
        of_reference = Values(voxels_of_mask(where, image, options.label), image.file, image.factors)
    voxels, mask_step = _voxels(options, image, analysis, of_reference, limit, workers, messages)
    voxels.begin()

    steps = [image.step, mask_step]
    reference: tuple[Array, str, Step] | None = None
    if where is not None and of_reference is not None:
        reference = mean_of_mask(where, of_reference, image, options.label)
    elif where is not None and table is not None:
        reference = region_of_table(where, table[0], analysis)
    arterial = None
    if analysis.needs("plasma"):
        from raphe.pipeline.map_blood import arterial_of_map  # takes half a second to import

        arterial = arterial_of_map(options, image, analysis, voxels, messages)
    material = _Material(
        voxels,
        len(image.frames) if arterial is None else arterial.n_frames,
        None if reference is None else reference[0],
        None if arterial is None else arterial.plasma,
        workers,
    )
    with telling_of_compilation(messages.say):
        tasks = _tasks(material, image, analysis, reference, () if arterial is None else arterial.steps, messages)
        _fit(tasks, material, image, analysis, messages)
    _tell(tasks, voxels, options, messages)
    sources = [str(path) for path in (options.pet, options.mask, where and where.path, *options.input) if path]
    maps = [
        Maps(task.model, [task.found[part] for part in range(voxels.n_part)], (*steps, *task.steps)) for task in tasks
    ]
    paths = write_maps(
        options.out, image.file, voxels.indices, maps, analysis.convention, sources, options.command_line
    )
    for path in paths:
        print(path)
    return messages.code


def _choices(options: argparse.Namespace, image: DynamicImage, where: Named | None, tacs: TACs | None) -> Analysis:
    """What is to be done, with what the catalog knows of the tracer; and what no map can do is refused."""
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


def _voxels(
    options: argparse.Namespace,
    image: DynamicImage,
    analysis: Analysis,
    of_reference: Values | None,
    limit: int,
    workers: int,
    messages: Messages,
) -> tuple[Voxels, Step]:
    besides = () if of_reference is None else (of_reference,)
    map_bytes = sum(8 * len(kind.parameters) + 1 for kind in analysis.kinds)
    if options.mask is not None:
        voxels, step = masked_by(
            options.mask, image, map_bytes=map_bytes, workers=workers, limit=limit, tell=messages.progress,
            besides=besides,
        )  # fmt: skip
    else:
        voxels, step = masked_by_activity(
            image, map_bytes=map_bytes, workers=workers, limit=limit, tell=messages.progress, besides=besides
        )
        get = step.parameters.get
        messages.say(
            f"no mask was given: the {get('n_voxel')} voxels are mapped whose mean activity exceeds "
            f"{get('threshold'):.3g} kBq/mL, {100 * float(str(get('share'))):g} % of the {get('percentile'):g}th "
            "percentile, an assumption; --mask FILE names others"
        )
    if voxels.n_part > 1:
        messages.say(f"the image is read {voxels.n_part} times for each step, so as to stay within --memory")
    return voxels, step


def _tasks(
    material: _Material,
    image: DynamicImage,
    analysis: Analysis,
    reference: tuple[Array, str, Step] | None,
    of_blood: Sequence[Step],
    messages: Messages,
) -> list[_Task]:
    """Models with what they take as known, k2' from a first pass where that is asked for."""
    known: dict[str, tuple[float, dict[str, float], Step]] = {}
    tasks = []
    for kind in analysis.kinds:
        steps: list[Step] = []
        if "reference" in kind.needs and reference is not None:
            steps.append(reference[2])
        if "plasma" in kind.needs:
            steps += of_blood
        k2_prime, input_se = None, dict[str, float]()
        if "k2_prime" in kind.__dataclass_fields__:  # type: ignore[attr-defined]
            auto = analysis.k2_prime == "auto" or (analysis.k2_prime is None and "k2_prime" in kind.needs)
            if auto:
                first = first_pass_of(kind.name)
                if first.name not in known:
                    known[first.name] = _k2_prime(first, material, image, analysis, messages)
                k2_prime, input_se, step = known[first.name]
                steps.append(step)
            elif analysis.k2_prime is not None:
                k2_prime = float(analysis.k2_prime)
                given: dict[str, Parameter] = {"value": k2_prime, "source": analysis.origin.get("k2_prime", "given")}
                steps.append(Step("k2_prime", given))
        model = make(kind, analysis, k2_prime)
        steps.append(_fit_step(model, material, image, analysis, None if reference is None else reference[1]))
        tasks.append(_Task(model, input_se, steps))
    return tasks


def _k2_prime(
    first: KineticModel, material: _Material, image: DynamicImage, analysis: Analysis, messages: Messages
) -> tuple[float, dict[str, float], Step]:
    found = {}
    for number, _, activity in material.voxels.parts():
        found[number] = k2_primes_of(_fit_part(first, {}, activity, material, image, analysis))
    value, se = (np.concatenate([found[number][row] for number in sorted(found)]) for row in (0, 1))
    k2_prime, step = median_k2_prime(value, se, first.name)
    messages.say(
        f"k2' = {k2_prime.value:.4g} 1/min (SE {k2_prime.se:.2g}), the weighted median over {value.size} voxels with "
        f"BP_ND above {LEAST_BINDING:g} by {first.name}"
    )
    told = {**step.parameters, "source": f"auto: voxels with BP_ND above {LEAST_BINDING:g}, an assumption"}
    certain = k2_prime.se <= 1e-6 * k2_prime.value
    return k2_prime.value, {} if certain else {"k2_prime": k2_prime.se}, Step(step.name, told, step.citations)


def _fit_step(
    model: KineticModel, material: _Material, image: DynamicImage, analysis: Analysis, reference: str | None
) -> Step:
    n_frame = material.frames if "plasma" in model.needs else len(image.frames)
    t_star: dict[str, str] = {}
    if hasattr(model, "t_star"):
        origin = analysis.origin.get("t_star", "") if analysis.t_star is not None else ""
        origin = "" if origin == "catalog" and model.name != "LoganRef" else origin
        t_star = {"t_star_source": origin or "the model's default, an assumption"}
    return Step(
        "fit",
        {
            "model": model.name,
            "title": model.title,
            "convention": analysis.convention,
            "weights": analysis.weights if isinstance(analysis.weights, str) else "given",
            "n_curves": int(material.voxels.indices.size),
            "n_frames": n_frame,
            "scan_minutes": float(image.frames.end[n_frame - 1]),
            "reference": reference if "reference" in model.needs else None,
            "plasma": "plasma" in model.needs,
            **assumed(model),
            **t_star,
        },
        citations=model.citations,
    )


def _fit(
    tasks: Sequence[_Task], material: _Material, image: DynamicImage, analysis: Analysis, messages: Messages
) -> None:
    done, total = 0, len(tasks) * material.voxels.n_part
    for number, _, activity in material.voxels.parts():
        for task in tasks:
            task.found[number] = _fit_part(task.model, task.input_se, activity, material, image, analysis)
            done += 1
            messages.progress(done, total, f"maps of {task.model.name}")


def _fit_part(
    model: KineticModel,
    input_se: Mapping[str, float],
    activity: npt.NDArray[np.float32],
    material: _Material,
    image: DynamicImage,
    analysis: Analysis,
) -> VoxelFit:
    n_frame = material.frames if "plasma" in model.needs else len(image.frames)
    return fit_voxels(
        model,
        image.frames.first(n_frame),
        activity[:n_frame],
        reference=material.reference if "reference" in model.needs else None,
        plasma=material.plasma if "plasma" in model.needs else None,
        weights=analysis.weights if isinstance(analysis.weights, str) else analysis.weights[:n_frame],
        half_life=image.half_life,
        convention=analysis.convention,
        input_se=input_se or None,
        workers=material.workers,
    )


def _tell(tasks: Sequence[_Task], voxels: Voxels, options: argparse.Namespace, messages: Messages) -> None:
    """Tell how many voxels have an estimate that may be used."""
    n_voxel = voxels.indices.size
    for task in tasks:
        lost = sum(int((~usable(found.quality)).sum()) for found in task.found.values())
        bad = sum(int((found.quality & int(Quality.BAD_INPUT) > 0).sum()) for found in task.found.values())
        told = f"{task.model.name}: {n_voxel} voxels, {lost} of them not usable"
        if bad:
            told += f", {bad} of these because their values are not numbers or all zero"
        if 2 * lost > n_voxel:
            messages.warn(f"{options.pet}: {told}; see the maps of flags (meas-quality)")
        else:
            messages.say(told)
