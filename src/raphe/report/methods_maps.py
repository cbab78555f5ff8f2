"""Sentences of the methods text about parametric maps."""

from __future__ import annotations

from raphe.core.weights import FORMULAS
from raphe.report.methods_words import Steps, between, of_tracer, plain
from raphe.report.wording import count, general


def maps(steps: Steps) -> str:
    """Tell what was mapped, and in which voxels."""
    get = steps[0].parameters.get
    images = f"the dynamic images{of_tracer(steps)} of {len(steps)} scans" if len(steps) > 1 else (
        f"the dynamic image{of_tracer(steps)} ({get('image')})"
    )  # fmt: skip
    models = get("models")
    were = "were" if isinstance(models, tuple) and len(models) > 1 else "was"
    weights = FORMULAS.get(str(get("weights")), str(get("weights")))
    return (
        f"In {images}, {plain(models)} {were} fitted to every voxel as to the regions, with the same input, k2_prime "
        f"and t* where the model has them; weights: {weights}. {_voxels(steps)}"
    )


def _voxels(steps: Steps) -> str:
    get, n_voxel = steps[0].parameters.get, between(steps, "n_voxel", digits=9)
    if "file" in steps[0].parameters:
        which = "brain masks were used" if len(steps) > 1 else f"the brain mask {get('file')} was used"
        return f"Voxels: {which} ({n_voxel} voxels)."
    share, percentile = (general(float(str(get(key)))) for key in ("share", "percentile"))
    passed = get("passed_over")
    why = ""
    if isinstance(passed, tuple) and passed:
        why = f"; {count(len(passed), 'brain mask')} on another grid than the image could not be used"
    return (
        f"Voxels: those whose mean activity, weighted by the frames' durations, exceeds {share} of the {percentile}th "
        f"percentile, which is an assumption ({n_voxel} voxels){why}."
    )


def smooth(steps: Steps) -> str:
    """Tell what was done to the volumes before the fit."""
    get = steps[0].parameters.get
    width = f"{general(float(str(get('fwhm'))))} mm FWHM"
    if get("kernel") == "Gaussian":
        return f"Before the maps were fitted, every volume was smoothed inside the mask by a Gaussian of {width}."
    how = f"{get('kernel')} inside the mask, with a Gaussian of {width}"
    return f"Before the maps were fitted, noise was reduced by {how}."


def regularise(steps: Steps) -> str:
    """Tell what was done to the maps after the fit."""
    return (
        "Maps were averaged over neighbouring voxels whose estimates differ by no more than their errors (propagation "
        "and separation), each parameter by itself; their standard errors are those of the averages."
    )


def done_to_maps(steps: Steps) -> str:
    """What was done against noise, for the captions of maps."""
    done = [writer([step]) for step in steps for name, writer in AGAINST_NOISE.items() if step.name == name]
    return " ".join(done) or "Nothing was smoothed."


AGAINST_NOISE = {"smooth": smooth, "regularise": regularise}
