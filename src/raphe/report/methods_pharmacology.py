"""Sentences of the methods text about what a drug does to binding."""

from __future__ import annotations

from raphe.report.methods_words import Steps
from raphe.report.wording import count, general, listed, quoted

METHODS = {
    "ml": "maximum likelihood with errors in both scans, the specific volumes of the regions profiled out, and "
    "profile-likelihood intervals",
    "ols": "ordinary least squares in the axes of the Lassen plot, which takes the baseline to be free of error",
    "tls": "total least squares in the axes of the Lassen plot, which takes their errors to be independent and alike",
}

NOISES = {
    "relative": "errors in proportion to {value}, their size told by the scatter about the line",
    "absolute": "errors alike in all regions, their size told by the scatter about the line",
    "se": "errors in proportion to the standard errors of the fits, their size told by the scatter about the line",
}


def read(steps: Steps) -> str:
    """Nothing to tell: the files stand under provenance."""
    return ""


def occupancy(steps: Steps) -> str:
    """Tell how occupancy was computed region by region."""
    return (
        "Occupancy of a region is 1 minus BP_ND under the drug over that at baseline, with the standard error by the "
        "delta method and the interval by Fieller's theorem from the standard errors of both fits; the mean over "
        "participants has a t interval."
    )


def line(steps: Steps) -> str:
    """Tell how the line through the regions was fitted."""
    get = steps[0].parameters.get
    lassen = get("parameter") == "V_T"
    of = f" in contrast {quoted(str(get('contrast')))}" if get("contrast") else ""
    what, are = ("one occupancy and one V_ND", "were") if lassen else ("one occupancy", "was")
    text = (
        f"{what[0].upper()}{what[1:]} for all regions of a participant "
        f"({'Lassen plot' if lassen else 'line through 0'}){of} {are} estimated by {METHODS[str(get('method'))]}"
    )
    if get("method") == "ml":
        kind = str(get("noise"))
        value = "V_T" if lassen else "1 + BP_ND"
        told = NOISES.get(kind, "errors that the regions of a scan share, with the covariance that was given")
        text += f"; {told.format(value=value)}"
    left = dict.fromkeys(str(name) for step in steps for name in _names(step.parameters.get("left_out")))
    return f"{text}, in {count(len(steps), 'participant')}." + (f" Left out: {listed(list(left))}." if left else "")


def flow(steps: Steps) -> str:
    """Tell how delivery and clearance were compared beside contrasts of binding."""
    get = steps[0].parameters.get
    names = dict.fromkeys(str(name) for step in steps for name in _names(step.parameters.get("parameters")))
    arms = [str(arm) for arm in _names(get("arms"))]
    how = "by a paired t test of logarithms between the sessions"
    if arms:
        how = f"by Welch's t test of the logarithms of each person's change, arm {arms[1]} relative to arm {arms[0]}"
    margin = float(str(get("margin")))
    source = "an assumption of raphe" if get("assumed") else "named in the study plan"
    return (
        f"In the people of {_contrasts(steps)}, {listed(list(names))} were compared {how}, for change and, by two "
        f"one-sided tests at 5 %, for equivalence within ratios of {general(1 / margin, 3)} and {general(margin, 3)} "
        f"({source}); not adjusted for the number of regions."
    )


def displacement(steps: Steps) -> str:
    """Tell how endogenous ligand and receptors were read from changes of binding."""
    get = steps[0].parameters.get
    text = (
        f"The change of binding in {_contrasts(steps)} was read by competition at equilibrium, BP_ND / "
        "BP_ND(baseline) = f / (1 + theta0 (n - 1)), f being the ratio of B_max, theta0 the share of receptors that "
        "endogenous ligand takes at baseline and n its fold change"
    )
    if get("design") == "pair":
        text += "; two scans with one tracer give f if n = 1, or theta0 (n - 1) if f = 1, and cannot tell these apart"
        if get("theta0") is not None:
            ends = [general(float(str(end)), 3) for end in _names(get("theta0_range"))]
            text += f"; theta0 = {general(float(str(get('theta0'))), 3)}"
            text += f" ({' to '.join(ends)})" if ends else ""
            text += " is an assumption of the plan"
    elif get("design") == "release":
        text += "; a releaser with and without the drug tells them apart, if it adds as much ligand in both"
    else:
        text += "; depletion of the ligand with and without the drug tells them apart, if it is complete"
    return text + ". Intervals are Fieller's, of means over the same people."


def dose(steps: Steps) -> str:
    """Tell how occupancy was fitted against dose or concentration."""
    get = steps[0].parameters.get
    name = "ED50" if get("kind") == "dose" else "EC50"
    fixed = [
        f"{shown} fixed at {general(float(str(value)), 3)}"
        for key, shown in (("E_max", "E_max"), ("hill", "h"))
        if (value := get(key)) is not None
    ]
    of = "given by each line" if get("of") == "lines" else "in each region"
    where = f" ({_contrasts(steps)})" if get("contrast") else ""
    return (
        f"Occupancy {of}{where} was fitted against {get('exposure')} as E_max x^h / (x^h + {name}^h)"
        f"{', ' if fixed else ''}{listed(fixed)}, by maximum likelihood with errors alike in all scans and "
        f"profile-likelihood intervals; where a participant has several scans, ln {name} varies between participants."
    )


def _contrasts(steps: Steps) -> str:
    names = [quoted(str(step.parameters.get("contrast"))) for step in steps]
    return f"contrast{'s' if len(names) > 1 else ''} {listed(names)}"


def _names(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()
