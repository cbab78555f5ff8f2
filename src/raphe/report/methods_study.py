"""Sentences of the methods text about comparisons of scans."""

from __future__ import annotations

from raphe.report.methods_words import Steps
from raphe.report.wording import count, listed, quoted


def planned(steps: Steps) -> str:
    """Tell what the plan says of work that this version does not do."""
    get = steps[0].parameters.get
    return (
        f"The plan has {get('permutations')} permutations for contrasts voxel by voxel; this version of raphe does not "
        "compute such contrasts, and nothing here depends on the number."
    )


def excluded(steps: Steps) -> str:
    """Tell which scans a person has taken out, and why."""
    get = steps[0].parameters.get
    scans, reasons = get("scans"), get("reasons")
    assert isinstance(scans, tuple)
    assert isinstance(reasons, tuple)
    told = [f"{scan} ({why})" for scan, why in zip(scans, reasons, strict=True)]
    return (
        f"{count(len(told), 'scan')} {'was' if len(told) == 1 else 'were'} excluded from all comparisons and summaries "
        f"by a person: {listed(told)}."
    )


def paired(steps: Steps) -> str:
    """Tell a comparison of two sessions."""
    get = steps[0].parameters.get
    adjusted = (
        "p values were adjusted over the regions by Holm's procedure"
        if get("adjust") == "holm"
        else "p values were not adjusted for the number of regions"
    )
    primary = "primary comparison" if get("primary") else "comparison"
    what = f"{get('parameter')} of {get('tracer')} ({get('model')}) from session {get('first')} to {get('second')}"
    return (
        f"The {primary} {quoted(str(get('name')))} is the mean change in {what} in each of "
        f"{count(int(str(get('n_regions'))), 'region')}, over the participants with both, with a paired t test where "
        f"there are at least two; {adjusted}."
    )


def agreement(steps: Steps) -> str:
    """Tell the agreement of repeated scans, of every model at once where nothing else differs."""
    get = steps[0].parameters.get
    models = dict.fromkeys(f"{step.parameters.get('parameter')} by {step.parameters.get('model')}" for step in steps)
    what = (
        f"{get('parameter')} of {get('tracer')} ({get('model')})"
        if len(models) == 1
        else f"the estimates of {get('tracer')} ({', '.join(models)})"
    )
    return (
        f"Agreement of {what} between sessions {get('first')} and {get('second')} is given as bias and 95 % limits of "
        "agreement (exact confidence intervals, each limit by itself), intraclass correlation "
        f"({get('icc_form')}), absolute test-retest variability (mean of |difference| / mean of both) and "
        "within-subject coefficient of variation (root mean square of relative differences over the square root of "
        "two). All intervals are 95 % confidence intervals and take differences to be normal."
    )
