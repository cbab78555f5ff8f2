"""From a fit and its steps to the table of parameters and what its sidecar says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from raphe.catalog import reference
from raphe.core.weights import FORMULAS
from raphe.data.blood import PlasmaInput
from raphe.data.fit import KineticFit
from raphe.data.record import Step
from raphe.data.scan import Scan
from raphe.io.fitted import Told
from raphe.io.input_function import write_input_function
from raphe.io.kinpar import write_kinpar
from raphe.pipeline.plasma_samples import STEP
from raphe.report.wording import count, listed


def write_parameters(
    path: Path, result: KineticFit, steps: Sequence[Step], sources: Sequence[str], command_line: str
) -> None:
    """Write the parameters of a fit; what was chosen, and by whom, is read from the steps.

    Steps of other models are left aside.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    write_kinpar(path, result, told_of(result.model, steps, sources, command_line))


def told_of(model: str, steps: Sequence[Step], sources: Sequence[str], command_line: str) -> Told:
    """What the sidecar of a model's parameters tells of how they were found, read from the steps.

    Parameters
    ----------
    model : str
        Its name.
    steps : sequence of Step
        Those of other models are left aside.
    sources : sequence of str
    command_line : str
    """
    own = [step for step in steps if not _of_another(step, model)]
    done = {step.name: step for step in own}
    cited = dict.fromkeys(key for step in own for key in step.citations)
    reference_name = done["fit"].parameters.get("reference")
    return Told(
        FORMULAS[str(done["fit"].parameters["weights"])],
        sources,
        command_line,
        None if reference_name is None else str(reference_name),
        [reference(key).citation for key in cited],
        _notes(done),
    )


def write_estimated_input(
    path: Path, result: KineticFit, scan: Scan, steps: Sequence[Step], sources: Sequence[str]
) -> None:
    """Write the input that a fit has estimated, with what it rests on.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    assert result.estimated_input is not None, "only such a fit is handed over"
    done = {step.name: step for step in steps}
    blood = f"{result.inputs['V_B']:g}, taken as known" if "V_B" in result.inputs else "not taken into account"
    write_input_function(
        path,
        PlasmaInput(result.estimated_input),
        scan,
        sources=sources,
        notes={"Input": estimated_from(done), "Model": result.model, "ShareOfBlood": blood},
        measured=False,
    )


def _notes(done: dict[str, Step]) -> dict[str, str]:
    fitted = done["fit"].parameters
    kind = fitted["errors"]
    notes = {"SE": f"standard errors hold whether or not the weights are the true 1/variance ({kind})"}
    notes |= _intervals(done)
    if fitted.get("reference") is not None:
        how = done["reference"].parameters["how"]
        notes["ReferenceRegion"] = f"{how} (from: {done['reference'].parameters['source']})"
    if fitted.get("plasma"):
        notes |= _notes_of_blood(done)
    if fitted.get("samples"):
        notes["Input"] = f"{estimated_from(done)}; it stands beside this table"
        notes["SE"] += ", and include the uncertainty of the estimated input"
    if "k2_prime" in done and fitted.get("k2_prime") is not None:
        get = done["k2_prime"].parameters.get
        if get("regions"):
            regions = ", ".join(str(name) for name in get("regions") or ())  # type: ignore[union-attr]
            notes["k2prime"] = (
                f"{get('source')}: weighted mean over {regions}, by {get('model')}; standard error {get('se'):.3g} "
                "1/min, which the standard errors of the estimates include"
            )
        elif get("n_voxel"):
            notes["k2prime"] = (
                f"{get('source')}: weighted median over {get('n_voxel')} voxels, by {get('model')}; standard error "
                f"{get('se'):.3g} 1/min, which the standard errors of the estimates include"
            )
        else:
            notes["k2prime"] = f"given (from: {get('source')})"
    if "t_star_source" in fitted:
        notes["t_star"] = f"from: {fitted['t_star_source']}"
    if "regions" in done:
        notes["Regions"] = "; ".join(str(made) for made in done["regions"].parameters["merged"])  # type: ignore[union-attr]
    return notes


def estimated_from(done: Mapping[str, Step]) -> str:
    """Tell what an estimated input rests on, from the steps by name."""
    get = done[STEP].parameters.get
    times = cast("tuple[float, ...]", get("times"))
    return (
        f"estimated from the tissue together with the parameters, not measured; its scale is from "
        f"{count(len(times), 'sample')} of the parent in plasma ({get('parent')}) at "
        f"{listed([f'{time:.4g}' for time in times])} min"
    )


def _intervals(done: dict[str, Step]) -> dict[str, str]:
    """How standard errors and intervals came about, where the Jacobian did not give them."""
    if "bootstrap" in done:
        get = done["bootstrap"].parameters.get
        repeats = f"{get('repeats')} repeats with new noise (parametric bootstrap, seed {get('seed')})"
        return {
            "SE": f"standard deviations of the estimates from {repeats}; the noise is as the residuals have it",
            "Interval": f"95 %, bias-corrected percentiles of {repeats}",
        }
    if "profile" in done:
        return {"Interval": "95 %, profile likelihood with the weights taken as the true 1/variance"}
    return {}


def _notes_of_blood(done: dict[str, Step]) -> dict[str, str]:
    """Where the input came from, and how its delay did."""
    notes = {}
    if "blood_read" in done:
        notes["Input"] = "made of the blood samples; the input function that was used stands beside this table"
    elif "input_read" in done:
        notes["Input"] = "an input function that was given"
    if "delay" in done:
        get = done["delay"].parameters.get
        value = 60 * float(str(get("value")))
        notes["Delay"] = (
            f"{value:.3g} s, fitted over the scan (standard error {60 * float(str(get('se'))):.2g} s)"
            if get("se") is not None
            else f"{value:.3g} s (from: {get('source')})"
        )
    return notes


def _of_another(step: Step, model: str) -> bool:
    """Whether a step was done for another model."""
    return (
        step.name in ("fit", "t_star", "t_star_search", "bootstrap", "profile")
        and step.parameters.get("model") != model
    )
