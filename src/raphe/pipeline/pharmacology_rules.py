"""What keys of pharmacology in a contrast of a plan may not say, whatever the data."""

from __future__ import annotations

from raphe.errors import PlanError
from raphe.pharmacology.lassen import LEAST
from raphe.pipeline.contrast_rules import fault, is_lassen
from raphe.pipeline.plan_schema import ContrastSection, StudyPlan

OF_EXPOSURE = ("missing", "exposure_unit", "exposure_kind", "E_max", "hill")
"""Keys of an occupancy that say nothing without ``exposure``."""

TERMS = {
    "release": "baseline, drug, releaser, and releaser with the drug",
    "depletion": "baseline, drug, depleted, and depleted with the drug",
}
"""The four sessions of each design."""


def check_pharmacology(plan: StudyPlan) -> None:
    """Refuse keys of pharmacology that do not go together.

    Raises
    ------
    PlanError
        With the file, the line and the way out.
    """
    for index, contrast in enumerate(plan.contrasts):
        if contrast.flow_margin is not None:
            _check_flow(plan, index, contrast)
        if contrast.kind == "displacement":
            _check_displacement(plan, index, contrast)
        if contrast.kind == "occupancy":
            _check_line(plan, index, contrast)
        if contrast.kind == "occupancy" and contrast.exposure is None:
            for key in OF_EXPOSURE:
                if key in contrast.model_fields_set:
                    how = f"{key} is of occupancy against exposure; add exposure = a column of participants.tsv, or "
                    raise _fault(plan, index, key, how + f"leave {key} out")


def has_flow(contrast: ContrastSection) -> bool:
    """Whether flow is compared beside a contrast: binding by BP_ND that changes between two sessions."""
    if contrast.parameter != "BP_ND":
        return False
    if contrast.kind in ("groups", "ancova"):
        return len(contrast.sessions) == 2
    return contrast.kind == "paired" or (contrast.kind == "interaction" and contrast.by == "arm")


def _check_flow(plan: StudyPlan, index: int, contrast: ContrastSection) -> None:
    if not has_flow(contrast):
        how = "flow_margin is of changes of BP_ND between two sessions, within people or between arms; leave it out"
        raise _fault(plan, index, "flow_margin", how)


def _check_line(plan: StudyPlan, index: int, contrast: ContrastSection) -> None:
    """Refuse a Lassen plot of too few regions, and its key where there is none."""
    if not is_lassen(contrast):
        if "noise" in contrast.model_fields_set:
            how = 'noise is of the Lassen plot; add parameter = "V_T", or leave noise out'
            raise _fault(plan, index, "noise", how)
        return
    regions, least = contrast.regions or plan.regions.names, LEAST[contrast.parameter]
    if regions and len(regions) < least:
        there = f"{'is' if len(regions) == 1 else 'are'} {len(regions)} ({', '.join(regions)})"
        where = "" if contrast.regions else " in [regions] list"
        how = f"a Lassen plot needs {least} regions or more, of high and of low binding, and there {there}{where}; "
        message = f"contrast {contrast.name!r}: {how}add regions"
        raise fault(plan, ("contrast", index, "regions") if contrast.regions else ("regions", "list"), message)


def _check_displacement(plan: StudyPlan, index: int, contrast: ContrastSection) -> None:
    if contrast.parameter != "BP_ND":
        raise _fault(plan, index, "parameter", "a displacement is found from BP_ND; leave parameter out")
    if len(contrast.terms) == 4 and contrast.design is None:
        how = " or ".join(f'design = "{design}" (terms: {terms})' for design, terms in TERMS.items())
        raise _fault(plan, index, "terms", f"terms has four sessions, which need {how}")
    if contrast.design is not None and len(contrast.terms) != 4:
        how = f'design = "{contrast.design}" needs four sessions in terms: {TERMS[contrast.design]}; terms has '
        raise _fault(plan, index, "design", f"{how}{len(contrast.terms)}; add them, or leave design out")
    for key in ("theta0", "theta0_range"):
        if contrast.design is not None and getattr(contrast, key) is not None:
            how = "finds theta0 itself" if contrast.design == "depletion" else "does not need theta0"
            raise _fault(plan, index, key, f'design = "{contrast.design}" {how}; leave {key} out')
    if contrast.theta0_range is None:
        return
    if contrast.theta0 is None:
        raise _fault(
            plan, index, "theta0_range", "a range of theta0 stands without theta0; add theta0 = a number in it"
        )
    low, high = contrast.theta0_range
    if not low <= contrast.theta0 <= high:
        how = f"theta0 = {contrast.theta0:g} is not within its own theta0_range, {low:g} to {high:g}; mend one of them"
        raise _fault(plan, index, "theta0_range", how)


def _fault(plan: StudyPlan, index: int, key: str, what: str) -> PlanError:
    name = plan.contrasts[index].name
    return fault(plan, ("contrast", index, key), f"contrast {name!r}: {what}")
