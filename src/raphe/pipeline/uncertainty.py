"""Ways to find the uncertainty of a fit, and which of them a model offers."""

from __future__ import annotations

from raphe.errors import InputError
from raphe.kinetics.protocol import KineticModel

UNCERTAINTIES = ("jacobian", "bootstrap", "profile")
"""Ways to find standard errors and intervals; the first is that of every fit."""

JOINT = (
    ": the input and all regions are searched for together, which takes too long to be repeated, and the standard "
    "errors of the fit hold what the input leaves open"
)
"""Why a model that estimates the input has the uncertainty of its fit alone."""


def offers(kind: type[KineticModel] | KineticModel, uncertainty: str) -> bool:
    """Whether the uncertainty of a model can be found this way.

    A profile takes a model of the curve itself, or one whose every fit has it (``gives_ends``), and repeats are of no
    use where the estimate is linear in the curve.
    """
    if uncertainty == "bootstrap":
        from raphe.kinetics.bootstrap import repeatable  # with scipy.special, 13 MB that maps have no use for

        return repeatable(kind)
    return uncertainty == "jacobian" or hasattr(kind, "surface") or getattr(kind, "gives_ends", False)


def check_uncertainty(kinds: tuple[type[KineticModel], ...], uncertainty: str, repeats: int) -> None:
    """Refuse a way that no model has, and too few repeats.

    Raises
    ------
    InputError
    """
    if uncertainty not in UNCERTAINTIES:
        raise InputError(f"there is no uncertainty {uncertainty!r}; there are {', '.join(UNCERTAINTIES)}")
    if not any(offers(kind, uncertainty) for kind in kinds):
        other = "bootstrap" if uncertainty == "profile" and any(offers(kind, "bootstrap") for kind in kinds) else None
        told = ", ".join(kind.name for kind in kinds)
        why = JOINT if all("samples" in kind.needs for kind in kinds) else ""
        way = f"take --uncertainty {other}, or leave it out" if other else "leave it out"
        raise InputError(f"{told} has no {uncertainty}{why}; {way}")
    if uncertainty != "bootstrap":
        return
    from raphe.kinetics.bootstrap import LEAST_REPEATS

    if repeats < LEAST_REPEATS:
        raise InputError(f"{repeats} repeats are too few for intervals; give at least {LEAST_REPEATS}, better 1000")
