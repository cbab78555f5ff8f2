"""Sentences of the methods text about curves, reference and kinetic models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from raphe.core.weights import FORMULAS
from raphe.data.record import Parameter
from raphe.nomenclature import SYMBOLS
from raphe.report.methods_words import Steps, between, in_each, of_tracer, plain
from raphe.report.wording import count, general, listed, unit

CONVENTION: Mapping[str, str] = {
    "average": "A frame's value was taken as the average of a continuous curve over the frame, for model and input "
    "alike.",
    "midframe": "A frame's value was taken as the activity at its middle, and values were joined by straight lines "
    "from zero at injection.",
}

FITTED = ("n_curves", "n_frames", "samples", "scan_minutes", "k2_prime", "t_star")
"""What of a fit varies from scan to scan."""

TOLD = frozenset({"k2_prime", "t_star", "V_B", "t_begin", "t_end"})
"""Values taken as known that a sentence tells in words of their own."""


def read(steps: Steps) -> str:
    """Tell where curves come from."""
    get = steps[0].parameters.get
    tables = count(len(steps), "table")
    correction = str(get("decay_correction") or "as the sidecar declares them, decay-corrected to injection")
    return f"Curves were read from {tables} ({get('format')}, {get('unit')}); decay correction: {correction}."


def regions(steps: Steps) -> str:
    """Tell which regions were made of others."""
    get = steps[0].parameters.get
    how = "weighted by their volumes" if get("volumes_known") else "without weights, as volumes were not known"
    merged = get("merged")
    made = "; ".join(plain(one) for one in merged) if isinstance(merged, tuple) else plain(merged)
    return f"Regions that were made of several curves, {how}: {made}."


def reference(steps: Steps) -> str:
    """Tell the reference region."""
    get = steps[0].parameters.get
    return f"Reference region{of_tracer(steps)}: {get('region')} ({get('how')}; named by the {get('source')})."


def k2_prime(steps: Steps) -> str:
    """Tell how k2' came about."""
    get = steps[0].parameters.get
    if not get("regions"):
        return f"k2_prime{of_tracer(steps)} was fixed at {between(steps, 'value')} 1/min ({get('source')})."
    used = [step.parameters.get("regions") for step in steps]
    names = tuple(dict.fromkeys(name for own in used if isinstance(own, tuple) for name in own))
    usable = "" if len(set(used)) == 1 else "those usable of "
    return (
        f"k2_prime{of_tracer(steps)} was estimated{in_each(steps)} as the precision-weighted mean of what "
        f"{get('model')} gives in {usable}{plain(names)}: {between(steps, 'value')} 1/min (standard error "
        f"{between(steps, 'se', 2)}), which is part of the standard errors of the estimates."
    )


def t_star_search(steps: Steps) -> str:
    """Tell how t* was searched for."""
    get = steps[0].parameters.get
    return (
        f"t*{of_tracer(steps)} for {get('model')} was searched for{in_each(steps)}: of each region, the start of the "
        f"earliest frame from which on no frame strays from the fitted line by {general(_number(get('limit')))} % or "
        f"more of its value. It was found in {between(steps, 'n_found')} of {between(steps, 'n_curves')} regions."
    )


def t_star(steps: Steps) -> str:
    """Tell the t* that was taken."""
    get = steps[0].parameters.get
    share = f"{general(100 * _number(get('share')))} %"
    model = f" for {get('model')}" if get("model") else ""
    scan = "of a scan" if len(steps) > 1 else "of the scan"
    return (
        f"The t*{model} {scan} is the earliest that {share} of the regions have reached: {between(steps, 'value')} min."
    )


def fits(groups: Sequence[Steps]) -> list[tuple[str, ...]]:
    """Tell the fits of each model; what several have in common is told in a paragraph of its own after the last.

    Parameters
    ----------
    groups : sequence of sequence of Step
        Fits that differ only in :data:`FITTED`.

    Returns
    -------
    list of tuple of str
        Paragraphs, one or two a group.
    """
    shared = [(group[0].parameters.get("weights"), group[0].parameters.get("convention")) for group in groups]
    told: list[tuple[str, ...]] = []
    for at, group in enumerate(groups):
        text = _fit(group, groups[at - 1] if at else None)
        if shared[at] in shared[at + 1 :]:
            told.append((text,))
        elif shared.count(shared[at]) == 1:
            told.append((f"{text} {_common(group, [group])}",))
        else:
            alike = [other for other, own in zip(groups, shared, strict=True) if own == shared[at]]
            n = len(alike)
            told.append((text, _common(group, alike, " in both analyses" if n == 2 else f" in all {n} analyses")))
    return told


def _fit(steps: Steps, before: Steps | None) -> str:
    get = steps[0].parameters.get
    title = f" ({get('title')})" if get("title") else ""
    scans = f" of {len(steps)} scans" if len(steps) > 1 else ""
    curves = f"Time-activity curves{of_tracer(steps)}{scans}"
    minutes = f"{between(steps, 'scan_minutes')} min"
    alike = before is not None and all(_of(before, key) == _of(steps, key) for key in ("tracer", "scan_minutes"))
    late = get("t_star") or get("t_end") is not None
    size = minutes if late else f"{between(steps, 'n_frames')} frames over {minutes}"
    if alike:
        curves, size = (
            "The same curves",
            "" if late or _of(before or (), "n_frames") == _of(steps, "n_frames") else size,
        )
    source = f", with {get('reference')} as reference region" if get("reference") else ""
    source = ", with the arterial input" if get("plasma") else source
    if get("samples"):
        source = (
            ", with the input estimated from the curves of all regions together and not measured but for "
            f"{_samples(steps)} of the parent in plasma (the standard errors include what that leaves open)"
        )
    parts = [f"{curves}{f' ({size})' if size else ''} were fitted by {get('model')}{title}{source}", *_known(steps)]
    return ", ".join(parts) + "."


def _samples(steps: Steps) -> str:
    n = between(steps, "samples")
    return f"{n} {'sample' if n == '1' else 'samples'}"


def _of(steps: Steps, key: str) -> list[Parameter]:
    return [step.parameters.get(key) for step in steps]


def _known(steps: Steps) -> list[str]:
    """Tell what a fit took as known."""
    get = steps[0].parameters.get
    parts, frames = [], between(steps, "n_frames")
    if get("t_star"):
        source = f" ({get('t_star_source')})" if get("t_star_source") else ""
        parts.append(
            f"using the {frames} frames whose middle is at or after t* = {between(steps, 't_star')} min{source}"
        )
    if get("t_end") is not None:
        window = f"{between(steps, 't_begin')} to {between(steps, 't_end')} min after injection"
        parts.append(f"in the window from {window} ({frames} frames)")
    if get("k2_prime") is not None:
        parts.append(f"with k2_prime fixed at {between(steps, 'k2_prime')} 1/min")
    if get("V_B"):
        parts.append(f"with the share of blood V_B fixed at {between(steps, 'V_B')}")
    elif get("plasma") or get("samples"):
        parts.append("with the share of blood V_B " + ("estimated" if get("V_B") is None else "taken as 0"))
    for name in steps[0].parameters:
        if name in SYMBOLS and name not in TOLD:
            parts.append(f"with {name} fixed at {between(steps, name)} {unit(name)}".rstrip())
    return parts


def _common(steps: Steps, groups: Sequence[Steps], where: str = "") -> str:
    get = steps[0].parameters.get
    weights = FORMULAS.get(str(get("weights")), str(get("weights"))).replace(" x ", " \N{MULTIPLICATION SIGN} ")
    kinds = {str(group[0].parameters.get("model")): str(group[0].parameters.get("errors")) for group in groups}
    usual, *others = sorted(set(kinds.values()), reverse=True)
    told = [f"{kind} for {listed([model for model, own in kinds.items() if own == kind])}" for kind in others]
    kind = ", and ".join([usual, *told])
    words = (
        f"Weights of frames{where}: {weights}. Standard errors are heteroscedasticity-consistent ({kind}; squared "
        "residuals averaged over neighbouring frames), so they do not rest on the weights being true."
    )
    return f"{words} {CONVENTION.get(str(get('convention')), '')}".strip()


def not_fitted(steps: Steps) -> str:
    """Tell a model that some scans do not allow."""
    get = steps[0].parameters.get
    if len(steps) == 1:
        return f"{get('model')}{of_tracer(steps)} could not be fitted: {get('why')}"
    return f"{get('model')}{of_tracer(steps)} could not be fitted in {len(steps)} scans, whose reports say why."


def akaike_weights(steps: Steps) -> str:
    """Tell how models were compared."""
    models = steps[0].parameters.get("models")
    return (
        f"{plain(models)}{of_tracer(steps)} were compared curve by curve by their Akaike weights, from AICc with the "
        "same weights of frames and only free parameters counted."
    )


def bootstrap(steps: Steps) -> str:
    """Tell the repeats of a bootstrap."""
    get = steps[0].parameters.get
    lost = between(steps, "n_lost")
    left = f" Regions with neither, as too many repeats could not be fitted: {lost}{in_each(steps)}."
    left = "" if lost == "0" else left
    level = general(100 * _number(get("level")))
    return (
        f"Standard errors and {level} % intervals of {get('model')} come from a parametric bootstrap instead: "
        f"{get('repeats')} repeats with new noise, which is as the residuals have it, and percentiles that are "
        f"corrected for their median bias (seed {get('seed')}).{left}"
    )


def profile(steps: Steps) -> str:
    """Tell intervals by the profile likelihood."""
    get = steps[0].parameters.get
    level = general(100 * _number(get("level")))
    return (
        f"{level} % intervals of {plain(get('parameters'))} by {get('model')} are those of the profile likelihood, "
        "with the weights taken as the true 1/variance."
    )


def _number(value: Parameter) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
