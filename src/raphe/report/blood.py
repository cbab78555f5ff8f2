"""The blood of one scan, as its page shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from raphe.data.blood import PlasmaInput, Samples
from raphe.data.blood_fit import BloodFit
from raphe.data.record import Step
from raphe.quality import Quality, determined
from raphe.report import blood_figures
from raphe.report.blood_figures import Series
from raphe.report.wording import NOTHING, count, fixed, formula, general, listed, raised, seconds, share, with_error

EARLY = 5.0
"""End of the figure of the bolus, min; later where the peak is."""

NAMES: Mapping[str, str] = {
    "parent_fraction": "Parent fraction",
    "plasma_to_blood": "Plasma to whole blood",
    "parent": "Metabolite-corrected plasma",
    "whole_blood": "Whole blood",
}
"""Each quantity in words."""

MEANING: Mapping[Quality, str] = {
    Quality.BAD_INPUT: "too few samples, or none that can be fitted",
    Quality.SINGULAR: "the samples do not determine all parameters",
    Quality.AT_BOUND: "a parameter ended at a bound of its search",
    Quality.NOT_CONVERGED: "the search did not settle",
    Quality.IMPLAUSIBLE: "the curve is not one that blood can have: it falls below zero",
}
"""What each flag says of a curve of the blood."""


class Parameter(NamedTuple):
    """One parameter of a curve of the blood."""

    name: str
    value: str
    se: str
    unit: str
    determined: bool
    """Whether its standard error is small enough for it."""


class Tried(NamedTuple):
    """One model that was tried."""

    label: str
    n_free: str
    aicc: str
    share: str
    remarks: str
    taken: bool


class Modelled(NamedTuple):
    """One curve of the blood with the model behind it."""

    name: str
    title: str
    equation: Markup
    choice: str
    """How the model came to be taken, in words."""
    sigma: str
    parameters: tuple[Parameter, ...]
    remarks: tuple[str, ...]
    drawing: Markup | None
    tried: tuple[Tried, ...]


class BloodView(NamedTuple):
    """The blood of a scan as the page shows it."""

    facts: tuple[tuple[str, str], ...]
    keys: tuple[tuple[str, str], ...]
    """Class of the colour, and name, of each curve."""
    sampled: tuple[str, ...]
    """Ways in which the samples that are shown were taken."""
    drawings: tuple[Markup, Markup]
    early: str
    delay: str
    """By how much curves and samples were moved; empty where they were not."""
    modelled: tuple[Modelled, ...]


def blood_view(plasma: PlasmaInput, fits: Sequence[BloodFit], steps: Sequence[Step], end: float) -> BloodView:
    """Prepare what is to be shown of the blood.

    Parameters
    ----------
    plasma : PlasmaInput
        As the models had it, moved by its delay.
    fits : sequence of BloodFit
        As sampled, not moved; none for an input that was given.
    steps : sequence of Step
    end : float, min
        End of the scan.
    """
    series = _series(plasma, fits)
    peak = float(plasma.parent.time[plasma.parent.value.argmax()])
    early = min(end, EARLY if peak < 0.8 * EARLY else 2 * peak)
    moved = bool(plasma.delay) and any(one.samples is not None for one in series)
    sources = [source for one in series if one.samples is not None for source in one.samples.source]
    return BloodView(
        facts=tuple(_facts(plasma, fits, steps, end)),
        keys=tuple((one.kind, one.name) for one in series),
        sampled=tuple(sorted(set(sources))),
        drawings=(
            blood_figures.input_figure(series, 0.0, early, log=False),
            blood_figures.input_figure(series, 0.0, end, log=True),
        ),
        early=general(early),
        delay=f"{seconds(abs(plasma.delay))} {'later' if plasma.delay > 0 else 'earlier'}" if moved else "",
        modelled=tuple(_modelled(fit, end) for fit in fits if fit.quantity in SHARES or fit.parameters or fit.quality),
    )


SHARES = ("parent_fraction", "plasma_to_blood")
"""Quantities without a unit, each with a figure of its own."""


def _series(plasma: PlasmaInput, fits: Sequence[BloodFit]) -> list[Series]:
    """Curves of the input with the samples behind them, moved as the curves are."""
    known = {fit.quantity: fit for fit in fits}
    parent = known["parent"].samples if "parent" in known else None
    found = [Series("parent in plasma", "s0", plasma.parent, _moved(parent, plasma.delay))]
    if plasma.plasma is not None:
        total = _total(parent, known.get("parent_fraction"))
        found.append(Series("plasma, parent and metabolites", "s1", plasma.plasma, _moved(total, plasma.delay)))
    if plasma.whole_blood is not None:
        whole = known["whole_blood"].samples if "whole_blood" in known else None
        found.append(Series("whole blood", "s3", plasma.whole_blood, _moved(whole, plasma.delay)))
    return found


def _total(parent: Samples | None, fraction: BloodFit | None) -> Samples | None:
    """Samples of total plasma: those of the parent over the parent fraction."""
    if parent is None or fraction is None:
        return None
    level = fraction.curve(np.maximum(parent.time, 0.0))
    known = level > 0
    if not known.any():
        return None
    return Samples(parent.time[known], parent.value[known] / level[known], tuple(np.array(parent.source)[known]))


def _moved(samples: Samples | None, delay: float) -> Samples | None:
    return None if samples is None else Samples(samples.time + delay, samples.value, samples.source)


def _facts(plasma: PlasmaInput, fits: Sequence[BloodFit], steps: Sequence[Step], end: float) -> list[tuple[str, str]]:
    done = {step.name: step.parameters for step in steps}
    top = int(plasma.parent.value.argmax())
    facts = [("Input", _origin(fits, done))]
    facts += [(f"Samples of {_sampled(fit, fits)}", _counted(fit.samples)) for fit in fits if fit.samples is not None]
    facts.append(
        (
            "Peak of the parent in plasma",
            f"{general(float(plasma.parent.value[top]), 3)} kBq/mL at {seconds(float(plasma.parent.time[top]))}",
        )
    )
    if plasma.parent_fraction is not None:
        facts.append(("Parent fraction at the end of the scan", fixed(float(plasma.parent_fraction(end)), 2)))
    return [*facts, ("Delay of the blood", _delay(plasma, done.get("delay", {})))]


def _sampled(fit: BloodFit, fits: Sequence[BloodFit]) -> str:
    """What was counted: the parent is plasma times its fraction, unless plasma is metabolite-corrected."""
    if fit.quantity == "parent" and any(other.quantity == "parent_fraction" for other in fits):
        return "plasma"
    return NAMES[fit.quantity].lower()


def _origin(fits: Sequence[BloodFit], done: Mapping[str, Mapping[str, object]]) -> str:
    if fits:
        fraction = any(fit.quantity == "parent_fraction" for fit in fits)
        return "made of the samples" + ("" if fraction else ", whose plasma is metabolite-corrected")
    if "image_derived_input" in done:
        return "drawn from the image"
    told = done.get("input_read", {}).get("parent")
    return f"as given: {told}" if told else "as given"


def _counted(samples: Samples | None) -> str:
    if samples is None:
        return NOTHING
    kinds = dict.fromkeys(samples.source)
    return listed(
        [f"{samples.source.count(kind)} {'by autosampler' if kind == 'autosampler' else kind}" for kind in kinds]
    )


def _delay(plasma: PlasmaInput, done: Mapping[str, object]) -> str:
    value, se = seconds(plasma.delay), done.get("se")
    if isinstance(se, float) and np.isfinite(se):
        words = with_error(60 * plasma.delay, 60 * se)
        return f"{words[0]} \N{PLUS-MINUS SIGN} {words[1]} s, found over the scan"
    if "low" in done:
        return f"{value}, found over the scan, standard error unknown"
    return f"{value}, {done['source']}" if done.get("source") else value


def _modelled(fit: BloodFit, end: float) -> Modelled:
    drawing = None
    if fit.quantity in SHARES:
        name = {"parent_fraction": "parent fraction", "plasma_to_blood": "plasma / whole blood"}[fit.quantity]
        whole = fit.quantity == "parent_fraction"
        drawing = blood_figures.share_figure(fit.curve, fit.samples, end, name, whole=whole)
    sigma = f"{general(fit.sigma, 2)}{'' if fit.quantity in SHARES else ' kBq/mL'}" if np.isfinite(fit.sigma) else ""
    return Modelled(
        name=NAMES[fit.quantity],
        title=fit.title + (f" ({fit.label})" if fit.parameters else ""),
        equation=_equation(fit),
        choice=_choice(fit),
        sigma=sigma,
        parameters=tuple(_parameter(fit, at) for at in range(len(fit.parameters))),
        remarks=_remarks(fit.quality),
        drawing=drawing,
        tried=_tried(fit),
    )


def _equation(fit: BloodFit) -> Markup:
    """Write the equation of a model; of a parent fraction, with the start and the delay that stand around its shape."""
    words = fit.equation
    if words.startswith("s(u)"):
        start = "start s(u)" if "start" in fit.parameters else "s(u)"
        words = f"f(t) = {start}, u = {'t - delay' if 'delay' in fit.parameters else 't'}, {words}"
    return formula(words)


def _choice(fit: BloodFit) -> str:
    if fit.samples is None:
        return f"given, not fitted (source: {fit.source})" if fit.source else "given, not fitted"
    samples = _counted(fit.samples)
    if not fit.candidates:
        return f"chosen beforehand; {samples} samples"
    tried = count(len(fit.candidates), "model")
    if not fit.candidates[0].share > 0:
        return f"none of {tried} with an equation can be used, so the samples themselves are joined; {samples} samples"
    weight = share(fit.candidates[0].share)
    return f"lowest AICc of {tried} (Akaike weight {weight}); {samples} samples"


def _parameter(fit: BloodFit, at: int) -> Parameter:
    value, se = float(fit.value[at]), float(fit.se[at])
    words = with_error(value, se)
    known = f"\N{PLUS-MINUS SIGN} {words[1]}" if np.isfinite(se) else "n/a" if fit.samples is not None else "given"
    unit = "" if fit.units[at] == "unitless" else raised(fit.units[at])
    return Parameter(fit.parameters[at], words[0], known, unit, fit.samples is None or bool(determined(value, se)))


def _tried(fit: BloodFit) -> tuple[Tried, ...]:
    return tuple(
        Tried(
            one.label,
            general(one.n_free, 3),
            fixed(one.aicc, 1),
            share(one.share) if one.share > 0 else NOTHING,
            "; ".join(_remarks(one.quality)),
            one.label == fit.label and one.share > 0,
        )
        for one in fit.candidates
    )


def _remarks(bits: int) -> tuple[str, ...]:
    return tuple(words for flag, words in MEANING.items() if bits & flag)
