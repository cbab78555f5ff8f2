"""An input that was estimated from the tissue, as the scan's page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from markupsafe import Markup

from raphe.data.blood import Samples
from raphe.data.fit import KineticFit
from raphe.data.record import Parameter
from raphe.report import blood_figures
from raphe.report.blood_figures import Series
from raphe.report.wording import count, general, listed, seconds

EARLY = 5.0
"""End of the figure of the bolus, min."""


class EstimatedInput(NamedTuple):
    """The input that one model has estimated."""

    model: str
    facts: tuple[tuple[str, str], ...]
    drawings: tuple[Markup, Markup]
    early: str


SUPPOSED = {
    "form_error": "of V_T for the form of the input, in all regions alike",
    "V_B_error": "of the tissue, more or less, for blood",
    "sample_error": "of a sample",
}
"""What each error that a model supposes is a share of."""


def estimated_input(fit: KineticFit, samples: Samples | None, done: Mapping[str, Parameter]) -> EstimatedInput | None:
    """Prepare what is to be shown of the input that a fit has estimated; None where it has none.

    Parameters
    ----------
    fit : KineticFit
    samples : Samples or None, kBq/mL
        Of the parent in plasma, which gave the scale.
    done : mapping
        Settings of the step that made the fit.
    """
    curve = fit.estimated_input
    if curve is None:
        return None
    end, top = float(fit.frames.end[-1]), int(curve.value.argmax())
    early = min(end, max(EARLY, 2 * float(curve.time[top])))
    series = [Series("parent in plasma", "s0", curve, samples)]
    scale = "not recorded"
    if samples is not None:
        times = listed([general(float(time)) for time in samples.time])
        scale = f"{count(len(samples), 'sample')} of the parent in plasma at {times} min"
    macro = f"The uncertainty of {fit.macro}"
    blood = fit.inputs.get("V_B")
    facts: tuple[tuple[str, str], ...] = (
        ("Input", "estimated from the tissue, not measured"),
        ("Scale from", scale),
        ("Highest value", f"{general(float(curve.value[top]), 3)} kBq/mL at {seconds(float(curve.time[top]))}"),
        (macro, "includes that of the estimated input"),
        ("Blood in the tissue V_B", "not taken into account" if blood is None else f"{general(blood)}, assumed"),
    )
    supposed = [f"{general(100 * float(str(done[name])))} % {of}" for name, of in SUPPOSED.items() if name in done]
    if supposed:
        facts += ((f"Assumed in the SE of {fit.macro}", "; ".join(supposed)),)
    drawings = (
        blood_figures.input_figure(series, 0.0, early, log=False),
        blood_figures.input_figure(series, 0.0, end, log=True),
    )
    return EstimatedInput(fit.model, facts, drawings, general(early))
