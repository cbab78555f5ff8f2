"""Sentences of the methods text about what a drug does to binding."""

from __future__ import annotations

from raphe.report.methods_words import Steps
from raphe.report.wording import count, listed

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
    what = "one occupancy and one V_ND" if lassen else "one occupancy"
    text = (
        f"{what[0].upper()}{what[1:]} for all regions of a participant "
        f"({'Lassen plot' if lassen else 'line through 0'}) were estimated by {METHODS[str(get('method'))]}"
    )
    if get("method") == "ml":
        kind = str(get("noise"))
        value = "V_T" if lassen else "1 + BP_ND"
        told = NOISES.get(kind, "errors that the regions of a scan share, with the covariance that was given")
        text += f"; {told.format(value=value)}"
    left = dict.fromkeys(str(name) for step in steps for name in _names(step.parameters.get("left_out")))
    return f"{text}, in {count(len(steps), 'participant')}." + (f" Left out: {listed(list(left))}." if left else "")


def _names(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()
