"""The models of a map, with k2' from a first pass where that is asked for, fitted part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from raphe.data.record import Step
from raphe.kinetics.judgement import assumed
from raphe.kinetics.k2_prime import LEAST_BINDING, doubt_of, first_pass_of, k2_primes_of, median_k2_prime
from raphe.kinetics.protocol import KineticModel, kind_of_errors
from raphe.kinetics.voxelwise import VoxelFit
from raphe.pipeline.choices import given_k2_prime, make, t_star_source
from raphe.pipeline.map_material import MapMaterial
from raphe.pipeline.maps import Maps
from raphe.pipeline.messages import Messages

CERTAIN = 1e-6
"""Share of k2' below which its standard error changes none of a map's seven digits."""


@dataclass(frozen=True, eq=False)
class _Task:
    """One model, with what its fit needs, and what it gave."""

    model: KineticModel
    input_se: Mapping[str, float]
    steps: tuple[Step, ...]
    found: dict[int, VoxelFit] = field(default_factory=dict)
    """By the number of the part."""


def fit_maps(material: MapMaterial, messages: Messages) -> list[Maps]:
    """Fit every model of the analysis to every voxel.

    Parameters
    ----------
    material : MapMaterial
    messages : Messages

    Raises
    ------
    InputError, ModelError, TimingError
        As :func:`raphe.kinetics.voxelwise.fit_voxels`, and if no voxel tells the k2' that a model needs.
    """
    tasks = _tasks(material, messages)
    done, total = 0, len(tasks) * material.voxels.n_part
    for number, _, activity in material.voxels.parts():
        for task in tasks:
            task.found[number] = material.fit(task.model, task.input_se, activity)
            done += 1
            messages.progress(done, total, f"maps of {task.model.name}")
    common = (material.image.step, material.mask, *material.noise)
    parts = range(material.voxels.n_part)
    return [Maps(task.model, [task.found[part] for part in parts], (*common, *task.steps)) for task in tasks]


def _tasks(material: MapMaterial, messages: Messages) -> list[_Task]:
    """Models with what they take as known."""
    analysis = material.analysis
    first_passes: dict[str, tuple[float, dict[str, float], Step]] = {}
    tasks = []
    for kind in analysis.kinds:
        steps: list[Step] = []
        if "reference" in kind.needs and material.reference is not None:
            steps.append(material.reference[2])
        if "plasma" in kind.needs:
            steps += material.blood
        k2_prime, input_se = None, dict[str, float]()
        takes = "k2_prime" in kind.__dataclass_fields__  # type: ignore[attr-defined]
        if takes and (analysis.k2_prime == "auto" or (analysis.k2_prime is None and "k2_prime" in kind.needs)):
            first = first_pass_of(kind.name)
            if first.name not in first_passes:
                first_passes[first.name] = _k2_prime(first, material, messages)
            k2_prime, input_se, step = first_passes[first.name]
            steps.append(step)
        elif takes and analysis.k2_prime is not None:
            k2_prime = float(analysis.k2_prime)
            steps.append(given_k2_prime(analysis))
        if k2_prime is not None and (doubt := doubt_of(k2_prime)):
            messages.warn(f"{kind.name}: {doubt}")
        model = make(kind, analysis, k2_prime)
        tasks.append(_Task(model, input_se, (*steps, _fit_step(model, material))))
    return tasks


def _k2_prime(first: KineticModel, material: MapMaterial, messages: Messages) -> tuple[float, dict[str, float], Step]:
    """Take k2' from a first pass over the voxels, with its standard error where that is of any size."""
    found = {number: k2_primes_of(material.fit(first, {}, part)) for number, _, part in material.voxels.parts()}
    value, se = (np.concatenate([found[number][row] for number in sorted(found)]) for row in (0, 1))
    k2_prime, step = median_k2_prime(value, se, first.name)
    messages.say(
        f"k2' = {k2_prime.value:.4g} 1/min (SE {k2_prime.se:.2g}), the weighted median over {value.size} voxels with "
        f"BP_ND above {LEAST_BINDING:g} by {first.name}"
    )
    told = {**step.parameters, "source": f"auto: voxels with BP_ND above {LEAST_BINDING:g}, an assumption"}
    certain = k2_prime.se <= CERTAIN * k2_prime.value
    return k2_prime.value, {} if certain else {"k2_prime": k2_prime.se}, Step(step.name, told, step.citations)


def _fit_step(model: KineticModel, material: MapMaterial) -> Step:
    analysis, n_frame = material.analysis, material.n_frame(model)
    t_star: dict[str, str] = {}
    if hasattr(model, "t_star"):
        t_star = {"t_star_source": t_star_source(model, analysis)}
    by_reference = "reference" in model.needs and material.reference is not None
    return Step(
        "fit",
        {
            "model": model.name,
            "title": model.title,
            "convention": analysis.convention,
            "weights": analysis.weights if isinstance(analysis.weights, str) else "given",
            "n_curves": int(material.voxels.indices.size),
            "n_frames": n_frame,
            "scan_minutes": float(material.image.frames.end[n_frame - 1]),
            "reference": material.reference[1] if material.reference is not None and by_reference else None,
            "plasma": "plasma" in model.needs,
            "errors": kind_of_errors(model),
            **assumed(model),
            **t_star,
        },
        citations=model.citations,
    )
