"""How the uncertainty of a fit is found, where its Jacobian is not enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from raphe.data.blood import PlasmaInput
from raphe.data.fit import KineticFit
from raphe.data.record import Step
from raphe.errors import InputError
from raphe.kinetics.bootstrap import LEAST_REPEATS, bootstrap, repeatable
from raphe.kinetics.profile import profile
from raphe.kinetics.protocol import KineticModel

UNCERTAINTIES = ("jacobian", "bootstrap", "profile")
"""Ways to find standard errors and intervals; the first is that of every fit."""

JOINT = (
    ": the input and all regions are searched for together, which takes too long to be repeated, and the standard "
    "errors of the fit hold what the input leaves open"
)
"""Why a model that estimates the input has the uncertainty of its fit alone."""

Tell = Callable[[int, int, str], None]


def offers(kind: type[KineticModel] | KineticModel, uncertainty: str) -> bool:
    """Whether the uncertainty of a model can be found this way.

    A profile takes a model of the curve itself, and repeats are of no use where the estimate is linear in the curve.
    """
    return {"jacobian": True, "bootstrap": repeatable(kind), "profile": hasattr(kind, "surface")}[uncertainty]


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
    if uncertainty == "bootstrap" and repeats < LEAST_REPEATS:
        raise InputError(f"{repeats} repeats are too few for intervals; give at least {LEAST_REPEATS}, better 1000")


def with_uncertainty(
    model: KineticModel,
    fit: KineticFit,
    uncertainty: str,
    *,
    plasma: PlasmaInput | None,
    repeats: int,
    input_se: Mapping[str, float],
    tell: Tell | None = None,
) -> tuple[KineticFit, tuple[Step, ...]]:
    """Find the uncertainty of a fit, of all its parameters; where the model does not offer this way, the fit stays.

    Parameters
    ----------
    model : KineticModel
        The one that was fitted.
    fit : KineticFit
    uncertainty : str
        One of :data:`UNCERTAINTIES`.
    plasma : PlasmaInput or None
        Arterial input of the fit.
    repeats : int
        Of the bootstrap.
    input_se : mapping of str to float
        As in :func:`raphe.kinetics.fit.fit`.
    tell : callable, optional
        Called with what is done, of how much, and what it is.
    """
    if uncertainty == "jacobian" or not offers(model, uncertainty):
        return fit, ()
    if uncertainty == "profile":
        found, step = profile(model, fit, plasma=plasma, parameters=model.parameters, input_se=input_se)
        return found, (step,)

    def progress(done: int, total: int) -> None:
        if tell is not None:
            tell(done, total, f"repeats of {model.name}")

    found, step = bootstrap(model, fit, plasma=plasma, n_repeat=repeats, input_se=input_se, tell=progress)
    return found, (step,)
