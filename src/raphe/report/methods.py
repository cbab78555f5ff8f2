"""The methods text, written from the recorded steps: what the report says was done is what was done.

A function for each step name turns the steps of that name which differ only in what varies from scan to scan into one
sentence or two. A step without a function is told by its name and parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial

from raphe.data.record import Step
from raphe.report import (
    methods_blood,
    methods_curves,
    methods_images,
    methods_maps,
    methods_pharmacology,
    methods_study,
)
from raphe.report.methods_words import Steps, plain
from raphe.report.wording import listed, tracer, with_labels


@dataclass(frozen=True)
class Sentence:
    """What was done, with the numbers of its references (from 1)."""

    text: str
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Methods:
    """The methods text in order, and the references in the order in which it names them."""

    sentences: tuple[Sentence, ...]
    references: tuple[str, ...]


def methods(steps: Steps, citations: Mapping[str, str], called: Mapping[str, str] | None = None) -> Methods:
    """Write the methods text of some steps.

    Parameters
    ----------
    steps : sequence of Step
        In the order in which they were done; steps that differ only from scan to scan are told once.
    citations : mapping of str to str
        Text of each reference by its key. A key without text stands for itself.
    called : mapping of str to str, optional
        Tracers with their labels; others are called as the catalog does.
    """
    groups = _in_order(grouped([_labelled(step, called or {}) for step in steps]))
    of_fits = iter(methods_curves.fits([group for group in groups if group[0].name == "fit"]))
    numbers: dict[str, int] = {}
    sentences = []
    for group in groups:
        name = group[0].name
        first, *more = next(of_fits) if name == "fit" else (WRITERS.get(name, _other)(group),)
        if not first:
            continue
        cited = dict.fromkeys(key for step in group for key in step.citations)
        found = tuple(sorted(numbers.setdefault(key, len(numbers) + 1) for key in cited))
        sentences += [Sentence(first, found), *(Sentence(text, ()) for text in more)]
    return Methods(tuple(sentences), tuple(citations.get(key, key) for key in numbers))


def _labelled(step: Step, called: Mapping[str, str]) -> Step:
    """Step whose tracer has its label."""
    name = step.parameters.get("tracer")
    if not isinstance(name, str) or not name:
        return step
    names = {one: called.get(one, tracer(one)) for one in name.split(" and ")}
    told = (
        {"what": with_labels(str(step.parameters["what"]), names)}
        if len(names) > 1 and "what" in step.parameters
        else {}
    )
    return replace(step, parameters={**step.parameters, "tracer": " and ".join(names.values()), **told})


def grouped(steps: Steps) -> list[Steps]:
    """Gather the steps of one name that agree in all that does not vary from scan to scan."""
    groups: dict[object, list[Step]] = {}
    for step in steps:
        varying = VARYING.get(step.name, ())
        settings = tuple(
            sorted(
                (key, repr(value))
                for key, value in step.parameters.items()
                if not any(fnmatchcase(key, pattern) for pattern in varying)
            )
        )
        groups.setdefault((step.name, settings), []).append(step)
    return [*groups.values()]


def _in_order(groups: list[Steps]) -> list[Steps]:
    """Groups in the order of the work, for a scan may have a step that the first one did not have.

    One that has no place of its own stays with the one before it.
    """
    places, place = [], 0
    for group in groups:
        place = PLACE.get(group[0].name, place)
        places.append(place)
    return [groups[at] for at in sorted(range(len(groups)), key=lambda at: places[at])]


def _other(steps: Steps) -> str:
    settings = listed([f"{key} = {plain(value)}" for key, value in steps[0].parameters.items()], most=40)
    times = f" ({len(steps)} times)" if len(steps) > 1 else ""
    return f"{steps[0].name}{times}: {settings}." if settings else f"{steps[0].name}{times}."


WRITERS: Mapping[str, Callable[[Steps], str]] = {
    **methods_images.WRITERS,
    "read": methods_curves.read,
    "regions": methods_curves.regions,
    "reference": methods_curves.reference,
    "k2_prime": methods_curves.k2_prime,
    "t_star_search": methods_curves.t_star_search,
    "t_star": methods_curves.t_star,
    "not_fitted": methods_curves.not_fitted,
    "akaike_weights": methods_curves.akaike_weights,
    "bootstrap": methods_curves.bootstrap,
    "profile": methods_curves.profile,
    "blood_read": methods_blood.blood_read,
    "blood_cut": methods_blood.blood_cut,
    "input_read": methods_blood.input_read,
    "plasma_samples": methods_blood.plasma_samples,
    "image_derived_input": methods_blood.image_derived_input,
    "join_blood": methods_blood.join_blood,
    "fit_parent_fraction": partial(methods_blood.fit_of, "parent_fraction"),
    "fit_plasma_to_blood": partial(methods_blood.fit_of, "plasma_to_blood"),
    "fit_parent": partial(methods_blood.fit_of, "parent"),
    "fit_whole_blood": partial(methods_blood.fit_of, "whole_blood"),
    "make_input": methods_blood.make_input,
    "delay": methods_blood.delay,
    "maps": methods_maps.maps,
    "smooth": methods_maps.smooth,
    "regularise": methods_maps.regularise,
    "read_maps": methods_maps.read_maps,
    "map_contrast": methods_maps.map_contrast,
    "excluded": methods_study.excluded,
    "tests": methods_study.tests,
    "contrast": methods_study.contrast,
    "agreement": methods_study.agreement,
    "occupancy_read": methods_pharmacology.read,
    "occupancy": methods_pharmacology.occupancy,
    "occupancy_line": methods_pharmacology.line,
    "flow_check": methods_pharmacology.flow,
    "displacement": methods_pharmacology.displacement,
    "dose_response": methods_pharmacology.dose,
}
"""Who writes the text of each step; that of ``fit`` is written for all models at once."""

PLACE: Mapping[str, int] = {
    name: place
    for place, names in enumerate(
        (
            *((name,) for name in methods_images.WRITERS),
            ("read",),
            ("blood_read", "input_read", "image_derived_input"),
            ("blood_cut",),
            ("join_blood", "fit_plasma_to_blood", "fit_parent_fraction", "fit_parent", "fit_whole_blood", "make_input"),
            ("delay",),
            ("plasma_samples",),
            ("regions",),
            ("reference",),
            ("k2_prime",),
            ("t_star_search", "t_star"),
            ("fit", "bootstrap", "profile"),
            ("akaike_weights",),
            ("not_fitted",),
            ("maps",),
            ("smooth",),
            ("regularise",),
            ("read_maps",),
            ("tests", "contrast", "agreement"),
            ("map_contrast",),
            ("occupancy_read", "occupancy", "occupancy_line"),
            ("flow_check", "displacement", "dose_response"),
        )
    )
    for name in names
}
"""Order of the steps in the text; those of one place stay in the order in which they were done."""

_BLOOD_FIT = ("model", "title", "chosen", "n_samples", "akaike_weight", "quality", "parameter_*")

VARYING: Mapping[str, tuple[str, ...]] = {
    **methods_images.VARYING,
    "read": ("tracer",),
    "regions": ("tracer",),
    "k2_prime": ("value", "se", "regions"),
    "t_star_search": ("n_curves", "n_found"),
    "t_star": ("value", "regions", "n_reached"),
    "fit": methods_curves.FITTED,
    "not_fitted": ("why",),
    "bootstrap": ("n_lost",),
    "blood_read": ("n_*", "injection"),
    "blood_cut": ("n_frames", "end"),
    "input_read": ("injection",),
    "plasma_samples": ("n_samples", "times", "left_out"),
    "image_derived_input": ("factor", "factor_se", "n_late"),
    "join_blood": ("n_*", "autosampler_*", "factor", "factor_se"),
    "fit_parent_fraction": _BLOOD_FIT,
    "fit_plasma_to_blood": _BLOOD_FIT,
    "fit_parent": _BLOOD_FIT,
    "fit_whole_blood": _BLOOD_FIT,
    "make_input": ("scan_end", "parent_fraction", "plasma_to_blood", "parent", "whole_blood"),
    "delay": ("value", "se"),
    "agreement": ("model", "parameter", "n_regions"),
    "occupancy_line": ("participant", "n_regions", "left_out"),
    "flow_check": ("contrast", "parameters"),
    "displacement": ("contrast",),
    "dose_response": ("contrast",),
    "maps": ("image", "file", "passed_over", "threshold", "n_voxel"),
    "smooth": ("tracer",),
    "regularise": ("tracer",),
}
"""Settings that vary from scan to scan, by the step's name, with * for any ending."""


def inputs(steps: Iterable[Step]) -> dict[str, str]:
    """SHA-256 of every file that the steps read, by its path, sorted."""
    return dict(sorted({path: digest for step in steps for path, digest in step.inputs.items()}.items()))
