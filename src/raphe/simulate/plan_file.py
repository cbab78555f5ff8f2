"""The file of a simulated study's plan: found by name or path, read, and understood."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from raphe.errors import PlanError, nearest
from raphe.simulate.plan import SimulationPlan

_EMBEDDED = files(__package__) / "plans"

FORMS = {
    "Quantity": ', { value = ..., source = "assumption" } or another source',
    "Window": ', { low = ..., high = ..., source = "assumption" } or another source',
}
"""How a value is written that has a source."""


@dataclass(frozen=True)
class PlanText:
    """A plan file before it is understood.

    Parameters
    ----------
    name : str
        What messages call it: its path, or the name of an embedded plan.
    text : str
    folder : Path
        From where the paths in it are counted.
    """

    name: str
    text: str
    folder: Path = Path()


def embedded_plans() -> tuple[str, ...]:
    """Names of the plans that come with raphe, sorted."""
    return tuple(sorted(file.name.removesuffix(".toml") for file in _EMBEDDED.iterdir() if file.name.endswith(".toml")))


def find_plan(plan: str | Path) -> PlanText:
    """Text of an embedded plan by its name, or of a file by its path.

    Raises
    ------
    PlanError
        If there is neither, or the file cannot be read.
    """
    if str(plan) in embedded_plans():
        return PlanText(str(plan), (_EMBEDDED / f"{plan}.toml").read_text(encoding="utf-8"))
    path = Path(plan)
    if not path.is_file():
        raise PlanError(
            f"there is no plan {str(plan)!r} to simulate, neither as a file nor among those that come with raphe; "
            f"{nearest(str(plan), embedded_plans())}"
        )
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        return PlanText(str(path), text, path.parent.absolute())
    except OSError as error:
        raise PlanError(f"{path}: the plan cannot be read ({error.strerror or error}); check its permissions") from None
    except UnicodeDecodeError:
        raise PlanError(f"{path}: the plan is not UTF-8 text; save it as UTF-8") from None


def parse_plan(source: PlanText) -> SimulationPlan:
    """Understand a plan.

    Raises
    ------
    PlanError
        If it is not TOML, has a key that is not known, or a value that cannot be. The message names the key, its value
        and the way out.
    """
    try:
        return SimulationPlan.model_validate(tomllib.loads(source.text))
    except tomllib.TOMLDecodeError as error:
        raise PlanError(f"{source.name}: this is not valid TOML: {error}; check quotes, brackets and commas") from None
    except (ValueError, RecursionError) as error:
        if not isinstance(error, ValidationError):
            raise PlanError(f"{source.name}: this is not valid TOML (a number or a list without end)") from None
        faults = error.errors(include_url=False)
        more = f" ({len(faults) - 1} more in this file)" if len(faults) > 1 else ""
        fault = faults[0]
        reason = fault["msg"].removeprefix("Value error, ").replace("Input should", "it must")
        if fault["type"] == "missing":
            reason = "it is missing; add it"
        elif fault["type"] == "model_type":
            reason = f"it must be a table{FORMS.get(fault['ctx']['class_name'], '')}"
        value = "" if isinstance(fault["input"], dict | list) else f" = {fault['input']!r}"
        raise PlanError(f"{source.name}: {_place(fault['loc'])}{value}: {reason}{more}") from None


def _place(path: tuple[str | int, ...]) -> str:
    """Path as a person would say it: ``[effect] 2, percent.value``."""
    if not path:
        return "the plan"
    number = f" {path[1] + 1}" if len(path) > 1 and isinstance(path[1], int) else ""
    rest = ".".join(str(part) for part in path[2 if number else 1 :])
    return f"[{path[0]}]{number}" + (f", {rest}" if rest else "")
