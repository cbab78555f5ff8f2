"""Sentences of the methods text about arterial blood."""

from __future__ import annotations

from collections.abc import Mapping

from raphe.data.record import Parameter, Step
from raphe.report.methods_words import Steps, between, in_each, of_tracer, plain, tallied
from raphe.report.wording import count, general, listed

NAMES: Mapping[str, str] = {
    "whole_blood": "whole blood",
    "plasma": "plasma",
    "parent": "metabolite-corrected plasma",
    "parent_fraction": "the parent fraction",
    "plasma_to_blood": "the ratio of plasma to whole blood",
}
"""Each quantity in a sentence."""

WEIGHTS: Mapping[str, str] = {
    "uniform": "all samples weighing alike",
    "counts": "samples weighed by their counting statistics",
    "given": "samples weighed by 1/variance",
}

STRAIGHT = ("interpolation", "isotonic")
"""Models without an equation that join the samples."""

LEFT_OUT = "_left_out_for_a_manual_one"


def blood_read(steps: Steps) -> str:
    """Tell what was sampled, and how it was read."""
    get = steps[0].parameters.get
    recordings = get("recordings")
    kinds = recordings if isinstance(recordings, tuple) else (recordings,)
    by = listed([{"manual": "by hand", "autosampler": "by an autosampler"}.get(str(kind), str(kind)) for kind in kinds])
    told = [name for name in NAMES if get(f"n_{name}") is not None]
    samples = listed([f"{between(steps, f'n_{name}')} of {NAMES[name]}" for name in told])
    parts = [
        f"Arterial blood{of_tracer(steps)} was sampled {by}{in_each(steps)} ({samples}; {get('format')}); decay "
        f"correction: {get('decay_correction')}."
    ]
    if any(key.endswith(LEFT_OUT) for step in steps for key in step.parameters):
        parts.append("Where two samples were taken at one time, the manual one was kept.")
    lines = [int(str(step.parameters.get("n_lines_out_of_order", 0))) for step in steps]
    if sum(lines):
        where = f" of {count(sum(n > 0 for n in lines), 'scan')}" if len(steps) > 1 else ""
        parts.append(
            f"The samples of {count(sum(lines), 'line')} of the tables{where} were left out, because the times stood "
            "out of order."
        )
    if "autosampler" in kinds:
        done = "had been" if get("dispersion_corrected") else "was not"
        parts.append(f"The autosampler's curve {done} corrected for dispersion.")
    return " ".join(parts) + _unit_given(steps[0])


def input_read(steps: Steps) -> str:
    """Tell the input function that was given."""
    get = steps[0].parameters.get
    times = f" of {len(steps)} scans" if len(steps) > 1 else ""
    return (
        f"The arterial input{of_tracer(steps)}{times} was taken as given ({get('format')}): {get('parent')}, joined by "
        f"straight lines; decay correction: {get('decay_correction')}.{_unit_given(steps[0])}"
    )


def _unit_given(step: Step) -> str:
    get = step.parameters.get
    if not get("unit_given"):
        return ""
    stated = get("units_overruled")
    over = f", over what the files say ({plain(stated)})" if stated else ""
    return f" Activities of blood were taken to be in {get('unit_given')}{over}."


def plasma_samples(steps: Steps) -> str:
    """Tell the samples that give the scale of an estimated input."""
    get = steps[0].parameters.get
    every = [step.parameters.get("times") for step in steps]
    known = [time for own in every if isinstance(own, tuple) for time in own if isinstance(time, int | float)]
    at = ""
    if len(steps) == 1:
        at = f" at {listed([general(time) for time in known])} min"
    elif known:
        at = f" between {general(min(known))} and {general(max(known))} min"
    n = between(steps, "n_samples")
    text = (
        f"{n} {'sample' if n == '1' else 'samples'} of the parent in plasma{of_tracer(steps)}{in_each(steps)}{at} gave "
        f"the scale of the estimated input ({get('parent')}"
    )
    text += f"; {get('format')}; decay correction: {get('decay_correction')})." if get("format") else ")."
    if get("assumed_error") is not None:
        text += f" A sample was taken to be known to {between(steps, 'assumed_error', 2, 100.0)} %."
    left = [step.parameters.get("left_out") for step in steps]
    words = list(dict.fromkeys(str(one) for own in left if isinstance(own, tuple) for one in own))
    return f"{text} Left out: {listed(words)}." if words and len(steps) == 1 else text


def image_derived_input(steps: Steps) -> str:
    """Tell how an input was drawn from the image."""
    get = steps[0].parameters.get
    late = (
        f", multiplied by {between(steps, 'factor')} so that it meets {between(steps, 'n_late')} late samples of blood"
        if get("n_late")
        else ""
    )
    ratio = f"whole blood times a ratio ({get('plasma_ratio')}; {get('plasma_ratio_source')})"
    fraction = f"a given parent fraction ({get('parent_fraction')}; {get('parent_fraction_source')})"
    return (
        f"The input{of_tracer(steps)} was drawn from the image's own blood, so that its mean over each frame is what "
        f"was measured{late}. Plasma was taken as {ratio if get('plasma_ratio') else 'whole blood'}, and the parent as "
        f"plasma{f' times {fraction}' if get('parent_fraction') else ', without metabolites'}."
    )


def join_blood(steps: Steps) -> str:
    """Tell how manual samples and those of an autosampler became one series."""
    get = steps[0].parameters.get
    text = (
        f"The autosampler's samples (from {between(steps, 'autosampler_from', 3, 60.0)} to "
        f"{between(steps, 'autosampler_to', 4, 60.0)} s) were joined with the manual ones before and after"
    )
    if not get("calibrated"):
        return f"{text}; the two were not calibrated against each other."
    error = f" (standard error {between(steps, 'factor_se', 2)})" if get("factor_se") is not None else ""
    return (
        f"{text}, after they had been multiplied by {between(steps, 'factor')}{error}, the mean ratio of the manual "
        "samples taken meanwhile to them."
    )


def fit_of(quantity: str, steps: Steps) -> str:
    """Tell the model of one curve of the blood; empty for straight lines that were asked for.

    Those are told with the input that is made of them.
    """
    get, name = steps[0].parameters.get, NAMES[quantity]
    name = name[0].upper() + name[1:]
    if get("source"):
        return f"{name}{of_tracer(steps)} was not fitted, but given: {get('title')} ({_given(steps)}; {get('source')})."
    titles = [_title(step.parameters) for step in steps]
    samples = f"{between(steps, 'n_samples')} samples"
    weights = WEIGHTS.get(str(get("weights")), f"weights: {get('weights')}")
    if get("n_candidates"):
        none = sum(step.parameters.get("chosen") != "lowest AICc" for step in steps)
        instead = f"; where none of them was ({none} of {len(steps)}), the samples were joined" if none else ""
        return (
            f"{name}{of_tracer(steps)} was described{in_each(steps)} by the model of lowest AICc among "
            f"{count(_whole(get('n_candidates')), 'candidate')} whose parameters are determined by the samples and "
            f"whose curve is plausible{instead}: {tallied(titles)} ({samples}, {weights})."
        )
    if get("model") in STRAIGHT and quantity in ("parent", "whole_blood"):
        return ""
    return f"{name}{of_tracer(steps)} was described by: {tallied(titles)} ({samples}, {weights})."


def _title(parameters: Mapping[str, Parameter]) -> str:
    model, title = str(parameters.get("model")), str(parameters.get("title"))
    return f"{title} ({model})" if any(key.startswith("parameter_") for key in parameters) else title


def _given(steps: Steps) -> str:
    names = [key for key in steps[0].parameters if key.startswith("parameter_")]
    return listed([f"{name.removeprefix('parameter_')} = {between(steps, name)}" for name in names])


def make_input(steps: Steps) -> str:
    """Tell how the input was made of its parts."""
    parent = dict.fromkeys(str(step.parameters.get("parent")) for step in steps)
    whole = dict.fromkeys(str(step.parameters["whole_blood"]) for step in steps if "whole_blood" in step.parameters)
    get = steps[0].parameters.get
    corrected = (
        "metabolite-corrected plasma" if get("metabolite_corrected") else "total plasma times the parent fraction"
    )
    if list(parent) == ["interpolation"]:
        drawn = "as straight lines between the samples from zero at injection"
        times = ", times the parent fraction" if not get("metabolite_corrected") else ""
        source = "metabolite-corrected plasma" if not times else "total plasma"
        text = f"The input of the models{of_tracer(steps)} was {source} {drawn}{times}"
    else:
        text = f"The input of the models{of_tracer(steps)} was the curve fitted to {corrected} ({listed(list(parent))})"
    scaled = (
        "; while the autosampler ran, plasma is whole blood times their ratio"
        if any("plasma_to_blood" in step.parameters for step in steps)
        else ""
    )
    if not whole:
        return f"{text}{scaled}. Whole blood was not known."
    lines = (
        "straight lines between its samples" if list(whole) == ["interpolation"] else f"a fit ({listed(list(whole))})"
    )
    return f"{text}{scaled}; whole blood was drawn as {lines}."


def blood_cut(steps: Steps) -> str:
    """Tell frames that the blood does not cover."""
    scans = f" of {len(steps)} scans" if len(steps) > 1 else ""
    return (
        f"Where the blood{of_tracer(steps)}{scans} ended before the scan, models with the arterial input were fitted "
        f"to the frames that it covers: the first {between(steps, 'n_frames')}, up to {between(steps, 'end')} min."
    )


def delay(steps: Steps) -> str:
    """Tell the delay of the blood."""
    get = steps[0].parameters.get
    value = f"{between(steps, 'value', 3, 60.0)} s"
    if "low" not in steps[0].parameters:
        return (
            f"Blood{of_tracer(steps)} was taken to reach the tissue {value} after the time of its sample "
            f"({get('source')})."
        )
    bounds = f"{between(steps, 'low', 3, 60.0)} to {between(steps, 'high', 3, 60.0)} s"
    return (
        f"The delay of the blood{of_tracer(steps)} between its sampling and the tissue (positive: later in the tissue) "
        f"was estimated{in_each(steps)}: two exponentials and a share of blood were fitted to the mean curve of all "
        f"regions (by volume where volumes are known) for delays from {bounds}, and the delay of the best fit was "
        f"taken, {value} (standard error {between(steps, 'se', 2, 60.0)} s)."
    )


def _whole(value: Parameter) -> int:
    return int(value) if isinstance(value, int | float) else 0
