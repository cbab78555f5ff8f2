"""The methods text, written from the recorded steps: what the report says was done is what was done.

A function for each step name turns the steps of that name which differ only in what varies from scan to scan into one
sentence or two. A step without a function is told by its name and parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from raphe.core.weights import FORMULAS
from raphe.data.record import Parameter, Step
from raphe.report.wording import count, general, listed

Steps = Sequence[Step]


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


def methods(steps: Steps, citations: Mapping[str, str]) -> Methods:
    """Write the methods text of some steps.

    Parameters
    ----------
    steps : sequence of Step
        In the order in which they were done; steps that differ only from scan to scan are told once.
    citations : mapping of str to str
        Text of each reference by its key. A key without text stands for itself.
    """
    numbers: dict[str, int] = {}
    sentences = []
    for group in _groups(steps):
        write = WRITERS.get(group[0].name, (_other, ()))[0]
        cited = dict.fromkeys(key for step in group for key in step.citations)
        found = tuple(sorted(numbers.setdefault(key, len(numbers) + 1) for key in cited))
        sentences.append(Sentence(write(group), found))
    return Methods(tuple(sentences), tuple(citations.get(key, key) for key in numbers))


def _groups(steps: Steps) -> list[list[Step]]:
    """Gather the steps of one name that agree in all that does not vary from scan to scan."""
    groups: dict[object, list[Step]] = {}
    for step in steps:
        varying = WRITERS.get(step.name, (_other, ()))[1]
        settings = tuple((key, value) for key, value in step.parameters.items() if key not in varying)
        groups.setdefault((step.name, settings), []).append(step)
    return list(groups.values())


def _fit(steps: Steps) -> str:
    get = steps[0].parameters.get
    tracer = f" of {get('tracer')}" if get("tracer") else ""
    title = f" ({get('title')})" if get("title") else ""
    reference = f", with {get('reference')} as reference region" if get("reference") else ""
    scans = f" of {len(steps)} scans" if len(steps) > 1 else ""
    parts = [
        f"Time-activity curves{tracer}{scans} ({_range(steps, 'n_frames')} frames over {_range(steps, 'scan_minutes')} "
        f"min) were fitted by {get('model')}{title}{reference}"
    ]
    if get("t_star"):
        parts.append(f"using the frames whose middle is at or after t* = {_words(get('t_star'))} min")
    if get("k2_prime") is not None:
        parts.append(f"with k2_prime fixed at {_range(steps, 'k2_prime')} 1/min")
    weights = FORMULAS.get(str(get("weights")), str(get("weights")))
    errors = (
        "Standard errors are heteroscedasticity-consistent (HC3, squared residuals averaged over neighbouring frames), "
        "so they do not rest on the weights being true"
    )
    convention = CONVENTION.get(str(get("convention")), "")
    return f"{', '.join(parts)}. Weights of frames: {weights}. {errors}. {convention}".strip()


CONVENTION: Mapping[str, str] = {
    "average": "A frame's value was taken as the average of a continuous curve over the frame, for model and reference "
    "alike.",
    "midframe": "A frame's value was taken as the activity at its middle, and values were joined by straight lines "
    "from zero at injection.",
}


def _read(steps: Steps) -> str:
    get = steps[0].parameters.get
    tables = count(len(steps), "table")
    correction = str(get("decay_correction") or "as the sidecar declares them, decay-corrected to injection")
    return f"Curves were read from {tables} ({get('format')}, {get('unit')}); decay correction: {correction}."


def _regions(steps: Steps) -> str:
    get = steps[0].parameters.get
    how = "weighted by their volumes" if get("volumes_known") else "without weights, as volumes were not known"
    merged = get("merged")
    made = "; ".join(_words(one) for one in merged) if isinstance(merged, tuple) else _words(merged)
    return f"Regions that were made of several curves, {how}: {made}."


def _reference(steps: Steps) -> str:
    get = steps[0].parameters.get
    return f"Reference region{_of_tracer(steps)}: {get('region')} ({get('how')}; named by the {get('source')})."


def _of_tracer(steps: Steps) -> str:
    tracer = steps[0].parameters.get("tracer")
    return f" of {tracer}" if tracer else ""


def _k2_prime(steps: Steps) -> str:
    get = steps[0].parameters.get
    if not get("regions"):
        return f"k2_prime{_of_tracer(steps)} was fixed at {_range(steps, 'value')} 1/min ({get('source')})."
    scans = f" in each of {len(steps)} scans" if len(steps) > 1 else ""
    used = [step.parameters.get("regions") for step in steps]
    regions = tuple(dict.fromkeys(name for names in used if isinstance(names, tuple) for name in names))
    usable = "" if len(set(used)) == 1 else "those usable of "
    return (
        f"k2_prime{_of_tracer(steps)} was estimated{scans} as the precision-weighted mean of what "
        f"{get('model')} gives in "
        f"{usable}{_words(regions)}: {_range(steps, 'value')} 1/min (standard error "
        f"{_range(steps, 'se', 2)}), which is part of the standard errors of the estimates."
    )


def _paired(steps: Steps) -> str:
    get = steps[0].parameters.get
    adjusted = (
        "p values were adjusted over the regions by Holm's procedure"
        if get("adjust") == "holm"
        else "p values were not adjusted for the number of regions"
    )
    primary = "primary comparison" if get("primary") else "comparison"
    what = f"{get('parameter')} of {get('tracer')} ({get('model')}) from session {get('first')} to {get('second')}"
    return (
        f"The {primary} \N{LEFT DOUBLE QUOTATION MARK}{get('name')}\N{RIGHT DOUBLE QUOTATION MARK} is the mean change "
        f"in {what} in each of {count(int(str(get('n_regions'))), 'region')}, over the participants with both, with a "
        f"paired t test where there are at least two; {adjusted}."
    )


def _agreement(steps: Steps) -> str:
    get = steps[0].parameters.get
    what = f"{get('parameter')} of {get('tracer')} ({get('model')}) between sessions {get('first')} and {get('second')}"
    return (
        f"Agreement of {what} is given as bias and 95 % limits of agreement (exact confidence intervals, each limit by "
        f"itself), intraclass correlation {get('icc_form')}, absolute test-retest variability (mean of |difference| / "
        "mean of both) and within-subject coefficient of variation (root mean square of relative differences over the "
        "square root of two). All intervals are 95 % confidence intervals and take differences to be normal."
    )


def _other(steps: Steps) -> str:
    settings = listed([f"{key} = {_words(value)}" for key, value in steps[0].parameters.items()], most=40)
    times = f" ({len(steps)} times)" if len(steps) > 1 else ""
    return f"{steps[0].name}{times}: {settings}." if settings else f"{steps[0].name}{times}."


WRITERS: Mapping[str, tuple[Callable[[Steps], str], tuple[str, ...]]] = {
    "read": (_read, ("tracer",)),
    "regions": (_regions, ("tracer",)),
    "reference": (_reference, ()),
    "fit": (_fit, ("n_curves", "n_frames", "scan_minutes", "k2_prime")),
    "k2_prime": (_k2_prime, ("value", "se", "regions")),
    "paired": (_paired, ()),
    "agreement": (_agreement, ()),
}
"""For each step name: who writes its text, and which parameters vary from scan to scan."""


def _range(steps: Steps, key: str, digits: int = 4) -> str:
    """One number, or the lowest and highest over the scans."""
    values = [float(v) for step in steps if isinstance(v := step.parameters.get(key), int | float)]
    if not values:
        return "an unrecorded number of"
    low, high = general(min(values), digits), general(max(values), digits)
    return low if low == high else f"{low} to {high}"


def _words(value: Parameter) -> str:
    if isinstance(value, tuple):
        return listed([_words(v) for v in value])
    if isinstance(value, float):
        return general(value, 6)
    return "none" if value is None else str(value)


def inputs(steps: Iterable[Step]) -> dict[str, str]:
    """SHA-256 of every file that the steps read, by its path, sorted."""
    return dict(sorted({path: digest for step in steps for path, digest in step.inputs.items()}.items()))
