"""Sentences of the methods text about parametric maps."""

from __future__ import annotations

from raphe.core.weights import FORMULAS
from raphe.data.record import Step
from raphe.report.methods_words import Steps, between, of_tracer, plain
from raphe.report.wording import count, general, listed, quoted


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


def read_maps(steps: Steps) -> str:
    """Tell which maps were read."""
    step = steps[0]
    chosen = f" whose names have {listed(texts_of(step, 'entities'))}" if texts_of(step, "entities") else ""
    how = unflagged(step)
    return (
        f"{count(int(number_of(step, 'n_maps')), 'map')} of {listed(texts_of(step, 'parameters'))}{chosen} "
        f"{'were' if number_of(step, 'n_maps') > 1 else 'was'} read from the folder {step.parameters.get('folder')}"
        f"{how}."
    )


def map_contrast(steps: Steps) -> str:
    """Tell a contrast voxel by voxel."""
    step = steps[0]
    get, ways = step.parameters.get, []
    pseudo = get("variance_smoothing")
    t = (
        "t"
        if pseudo is None
        else f"pseudo-t (variance smoothed by {general(number_of(step, 'variance_smoothing'))} mm)"
    )
    for name, words in (
        ("t", f"the largest absolute {t}"),
        ("tfce", "the largest TFCE (height 2, extent 0.5, 6 neighbours, exact integral)"),
        (
            "cluster",
            f"the largest extent and mass of clusters beyond {t if pseudo is None else 'pseudo-t'} = "
            f"{general(number_of(step, 'threshold'))} (one-sided p = {general(number_of(step, 'cluster_p'))}, 26 "
            "neighbours)",
        ),
    ):
        ways += [words] if name in texts_of(step, "statistics") else []
    n, excluded = len(texts_of(step, "participants")), len(texts_of(step, "excluded"))
    out = f" ({count(excluded, 'other was', 'others were')} left out)" if excluded else ""
    primary = "primary contrast" if get("primary") else "contrast"
    mirror = _averaged(step) if get("mirror") == "average" else ""
    return (
        f"The {primary} {quoted(str(get('name')))} was tested voxel by voxel in the maps of "
        f"{get('parameter')} of {get('tracer')} ({get('model')}) of {count(n, 'participant')}{out} in the space "
        f"{get('space')}: {get('what')}.{mirror} Before the fit of the maps: {smoothed(step)}. Voxels: {masked(step)} "
        f"({number_of(step, 'n_voxel'):,.0f} analysed); an estimate that may not be used counts as missing. Two-sided "
        f"family-wise p values are by {listed(ways)} of {arrangements(step)}; the smallest that these can give is "
        f"{general(number_of(step, 'smallest_p'), 3)}."
    )


def _averaged(step: Step) -> str:
    """Tell that left and right were averaged, after a space."""
    far = abs(number_of(step, "moved"))
    how = (
        f", on a grid moved by {general(far, 2)} mm along x (linear interpolation) so that it has a mirror"
        if far
        else ""
    )
    return f" Left and right of each map were averaged first{how}."


def arrangements(step: Step) -> str:
    """How many shuffles there were, of what, and whether they are all."""
    get = step.parameters.get
    signs = get("kind") == "paired" or (get("kind") == "interaction" and not texts_of(step, "arms"))
    one, many = ("sign flip", "sign flips") if signs else ("exchange", "exchanges")
    n, possible = number_of(step, "permutations"), float(str(get("possible")))
    if get("exact"):
        return f"all {n:,.0f} {many}, which is exact" if n > 1 else f"the only {one}"
    whole = f"{possible:,.0f}" if possible < 1e6 else f"{possible:.2g}"
    error = (0.05 * 0.95 / n) ** 0.5
    return (
        f"{n:,.0f} random {many} of {whole} (Monte Carlo, seed {get('seed')}; standard error of a p of 0.05: "
        f"{general(error, 2)})"
    )


def smoothed(step: Step) -> str:
    """What was done against noise in the scans' maps."""
    return "; or ".join(texts_of(step, "smoothing")) or "nothing was smoothed"


def masked(step: Step) -> str:
    """Which voxels were analysed."""
    get = step.parameters.get
    told = f"those that every scan has mapped{unflagged(step)}"
    if get("mask") == "grey":
        told += f", where the template's grey matter has a probability of {general(number_of(step, 'grey'))} or more"
    return told + (", of the left half" if get("mirror") == "average" else "")


def unflagged(step: Step) -> str:
    """What counts as mapped where maps have no flags of their fits, after a blank; empty where all have."""
    n, n_maps = number_of(step, "n_unflagged"), number_of(step, "n_maps")
    if not n > 0:
        return ""
    which = "the maps have" if n == n_maps else f"{n:.0f} of {n_maps:.0f} maps have"
    return f" ({which} no flags of fits: what is finite and not exactly 0 counts as mapped)"


def number_of(step: Step, key: str) -> float:
    """Number of a step; NaN where it has none."""
    value = step.parameters.get(key)
    return float(value) if isinstance(value, int | float) else float("nan")


def texts_of(step: Step, key: str) -> tuple[str, ...]:
    """Words of a step; empty where it has none."""
    value = step.parameters.get(key)
    return tuple(str(one) for one in value) if isinstance(value, tuple) else ()
