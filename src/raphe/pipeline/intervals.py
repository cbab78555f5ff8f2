"""How the uncertainty of a fit is found, where its Jacobian is not enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from raphe.data.blood import PlasmaInput
from raphe.data.fit import KineticFit
from raphe.data.record import Step
from raphe.kinetics.bootstrap import bootstrap
from raphe.kinetics.profile import profile, profile_step
from raphe.kinetics.protocol import KineticModel
from raphe.pipeline.uncertainty import offers

Tell = Callable[[int, int, str], None]


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
        One of :data:`raphe.pipeline.uncertainty.UNCERTAINTIES`.
    plasma : PlasmaInput or None
        Arterial input of the fit.
    repeats : int
        Of the bootstrap.
    input_se : mapping of str to float
        As in :func:`raphe.kinetics.fit.fit`.
    tell : callable, optional
        Called with what is done, of how much, and what it is.
    """
    if fit.low is not None and uncertainty != "bootstrap":  # the model's own
        return fit, (profile_step(model, (model.macro,), "fieller1954"),)
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
