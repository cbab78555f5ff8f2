"""From a fit and its steps to the table of parameters and what its sidecar says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from raphe.catalog import reference
from raphe.core.weights import FORMULAS
from raphe.data.fit import KineticFit
from raphe.data.record import Step
from raphe.io.kinpar import write_kinpar


def write_parameters(
    path: Path, result: KineticFit, steps: Sequence[Step], sources: Sequence[str], command_line: str
) -> None:
    """Write the parameters of a fit; what was chosen, and by whom, is read from the steps.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    done = {step.name: step for step in steps}
    cited = dict.fromkeys(key for step in steps for key in step.citations)
    write_kinpar(
        path,
        result,
        weights=FORMULAS[str(done["fit"].parameters["weights"])],
        sources=sources,
        command_line=command_line,
        reference=str(done["reference"].parameters["region"]),
        references=[reference(key).citation for key in cited],
        notes=_notes(done),
    )


def _notes(done: dict[str, Step]) -> dict[str, str]:
    notes = {"SE": "standard errors hold whether or not the weights are the true 1/variance (HC3)"}
    how = done["reference"].parameters["how"]
    notes["ReferenceRegion"] = f"{how} (from: {done['reference'].parameters['source']})"
    if "k2_prime" in done:
        get = done["k2_prime"].parameters.get
        if get("regions"):
            regions = ", ".join(str(name) for name in get("regions") or ())  # type: ignore[union-attr]
            notes["k2prime"] = (
                f"{get('source')}: weighted mean over {regions}, by {get('model')}; standard error {get('se'):.3g} "
                "1/min, which the standard errors of the estimates include"
            )
        else:
            notes["k2prime"] = f"given (from: {get('source')})"
    if "t_star_source" in done["fit"].parameters:
        notes["t_star"] = f"from: {done['fit'].parameters['t_star_source']}"
    if "regions" in done:
        notes["Regions"] = "; ".join(str(made) for made in done["regions"].parameters["merged"])  # type: ignore[union-attr]
    return notes
