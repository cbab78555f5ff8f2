"""The study plan: what the study is, read from ``raphe.toml``, frozen."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError as SchemaError

from raphe.errors import InputError, PlanError
from raphe.io.tables import read_text
from raphe.nomenclature import region_key
from raphe.pipeline.plan_faults import describe
from raphe.pipeline.plan_rules import check_rules
from raphe.pipeline.plan_schema import ContrastSection, StudyPlan, TracerSection
from raphe.pipeline.toml_lines import key_lines, line_of

__all__ = ["ContrastSection", "StudyPlan", "TracerSection", "read_plan", "with_regions_as"]


def read_plan(path: Path) -> StudyPlan:
    """Read the plan that a TOML file holds.

    Parameters
    ----------
    path : Path
        ``raphe.toml``; UTF-8.

    Raises
    ------
    PlanError
        If the file cannot be read, is not TOML, has a key that is not known or a value that cannot be, or contradicts
        itself. The message names file, line, key and value, and the way out.
    """
    text = _text(path)
    document = _parsed(path, text)
    lines = key_lines(text)
    if not document:
        raise PlanError(f'{path} is empty; a study plan needs at least one tracer: [[tracer]] and name = "..."')
    try:
        plan = StudyPlan.model_validate(document)
    except SchemaError as error:
        faults = error.errors(include_url=False)
        found = [(line_of(lines, fault["loc"]), describe(fault, StudyPlan)) for fault in faults]
        line, what = min(found, key=lambda item: item[0])
        more = f" ({len(found) - 1} more fault{'s' if len(found) > 2 else ''} in this file)" if len(found) > 1 else ""
        raise PlanError(f"{path}, line {line}: {what}{more}") from None
    plan = plan.model_copy(update={"contrasts": tuple(_with_tracer(plan, contrast) for contrast in plan.contrasts)})
    plan._path, plan._lines = path, lines
    check_rules(plan)
    return with_regions_as(plan, plan.regions.names)


def with_regions_as(plan: StudyPlan, names: Sequence[str]) -> StudyPlan:
    """Plan whose primary region, list of regions and regions of contrasts are spelled as names that mean the same.

    Parameters
    ----------
    plan : StudyPlan
    names : sequence of str
        Of ``[regions]`` ``list``, or of the data.
    """
    spelled = {region_key(name): name for name in reversed(names)}

    def own(name: str) -> str:
        return name if name in names else spelled.get(region_key(name), name)

    contrasts = (each.model_copy(update={"regions": tuple(map(own, each.regions))}) for each in plan.contrasts)
    primary = plan.primary and plan.primary.model_copy(update={"region": own(plan.primary.region)})
    regions = plan.regions.model_copy(update={"names": tuple(map(own, plan.regions.names))})
    return plan.model_copy(update={"contrasts": tuple(contrasts), "primary": primary, "regions": regions})


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except InputError as error:
        raise PlanError(f"the study plan cannot be used: {error}") from None


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, _, place = str(error).rpartition(" (at ")
        place = place.rstrip(")").replace("end of document", f"line {text.count(chr(10)) + 1}, the end of the file")
        several = "; a section that stands several times has double brackets, as [[tracer]]" if "twice" in what else ""
        raise PlanError(
            f"{path}, {place}: this is not valid TOML ({what.lower()}); check quotes, brackets and commas there, and "
            f"that a key stands once in its table{several}"
        ) from None
    except (ValueError, RecursionError):
        raise PlanError(f"{path}: this is not valid TOML (a number or a list without end); write it anew") from None


def _with_tracer(plan: StudyPlan, contrast: ContrastSection) -> ContrastSection:
    """The contrast with its tracers as the plan spells them; one of two tracers is of its second level."""
    if contrast.kind == "interaction" and contrast.by == "tracer":
        known = [plan.tracer(name) for name in contrast.levels]
        levels = tuple(one.name if one else name for one, name in zip(known, contrast.levels, strict=True))
        given = contrast.tracer or (levels[-1] if levels else "")
        named = plan.tracer(given)
        return contrast.model_copy(update={"levels": levels, "tracer": named.name if named else given})
    named = plan.tracer(contrast.tracer) if contrast.tracer else plan.tracers[0] if len(plan.tracers) == 1 else None
    return contrast.model_copy(update={"tracer": named.name}) if named else contrast
