"""The exposure of an occupancy contrast, held against the people that there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from raphe.data.people import People
from raphe.errors import InputError
from raphe.pipeline.dose_of import check_exposures
from raphe.pipeline.plan_schema import ContrastSection
from raphe.report.wording import count


def exposure_faults(contrast: ContrastSection, whole: Sequence[str], people: People) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the exposures of the people of a contrast: ``error`` or ``warning``, and in words.

    A name that is neither column nor score is a finding of its own, elsewhere.
    """
    name = contrast.exposure
    if name is None or (name not in people.columns and name not in people.scores):
        return
    if not people.numeric(name):
        yield "error", f"exposure {name!r} does not hold numbers; give the dose or concentration as a number"
        return
    found = {one: people.known(name, one) for one in whole}
    lacking = [f"sub-{one}" for one, value in found.items() if value is None]
    if lacking:
        told = f"{count(len(lacking), 'person', 'people')} without {name!r}: {', '.join(lacking)}"
        if contrast.missing == "error":
            how = 'give it, or write missing = "exclude" to leave these people out of the curve'
            yield "error", f"{told}; {how}"
        else:
            yield "warning", f"its curve leaves out {told}"
    known = {f"sub-{one}": float(value) for one, value in found.items() if value is not None}
    try:
        check_exposures(known, f"exposure {name!r}", contrast.exposure_kind)
    except InputError as error:
        yield "error", str(error)
