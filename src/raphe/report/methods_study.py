"""Sentences of the methods text about comparisons of scans."""

from __future__ import annotations

from raphe.report.methods_words import Steps
from raphe.report.wording import count, general, listed, quoted

BESIDES = {"weights": "Weights:", "blocks": "Blocks:", "bootstrap": "Bootstrap:", "prior": "Prior:"}
"""What a plan may ask for besides, by the name that a step has for it, and how it is told."""

EQUIVALENCE = (
    "Whether it lies within a margin of ±{margin}, named in the plan, was tested by two one-sided tests at 5 %, which "
    "is whether its 90 % confidence interval does."
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


def tests(steps: Steps) -> str:
    """Tell what holds for the tests of all comparisons, and in which order they count."""
    get = steps[0].parameters.get
    level = f"{general(100 * float(str(get('level'))))} %"
    text = (
        f"Tests are two-sided at a level of {level}; 95 % confidence intervals are not adjusted for the number of "
        "tests."
    )
    if get("primary_contrast"):
        text += (
            f" In the primary comparison, {get('primary_region')} was named in advance and is judged by its own p "
            "value; other regions are judged by the adjusted one."
        )
    order = get("order")
    if isinstance(order, tuple) and len(order) > 1:
        text += (
            f" Comparisons were tested in the order {listed([quoted(str(name)) for name in order])}, each at the full "
            "level and only while all before it were shown: in the primary region by its own p value, or in all "
            "regions by the adjusted ones where a comparison does not have that region. What comes after, or is not "
            "named there, is exploratory."
        )
    elif int(str(get("n_contrasts"))) > 1:
        text += " P values are not adjusted for the number of comparisons."
    return text


def contrast(steps: Steps) -> str:
    """Tell a comparison."""
    get = steps[0].parameters.get
    n = int(str(get("n_regions")))
    adjusted = {
        "holm": "p values were adjusted over the regions by Holm's procedure",
        "hochberg": "p values were adjusted over the regions by Hochberg's procedure",
        "bh": "p values were adjusted over the regions by Benjamini and Hochberg's procedure",
        "bonferroni": "p values were multiplied by the number of regions",
        "maxt": "p values were adjusted over the regions by the permutation distribution of the largest statistic",
    }.get(str(get("adjust")), "p values were not adjusted for the number of regions")
    status = str(get("status") or ("primary" if get("primary") else ""))
    name = f"The {status} comparison".replace("  ", " ")
    adjusted = f"; {adjusted}" if n != 1 else ""
    where = f"in each of {count(n, 'region')}" if n != 1 else "in one region"
    if (get("kind"), get("parameter")) == ("occupancy", "V_T"):
        where = "by one line through the regions of each"
    random = f" (seed {get('seed')})" if "random" in str(get("method")) else ""
    return (
        f"{name} {quoted(str(get('name')))} is the {get('what')}, of {get('tracer')} ({get('model')}), "
        f"{where}; {get('method')}{random}{adjusted}."
        + (f" {EQUIVALENCE.format(margin=general(float(str(get('margin')))))}" if get("margin") else "")
        + "".join(f" {word} {get(key)}." for key, word in BESIDES.items() if get(key))
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
