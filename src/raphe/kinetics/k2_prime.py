"""One k2' for a scan, from its high-binding regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.data.record import Step
from raphe.data.tacs import TACs
from raphe.errors import InputError
from raphe.kinetics.fit import fit
from raphe.kinetics.models.mrtm1 import MRTM1

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class K2Prime:
    """Clearance from the reference tissue to plasma, 1/min, with its standard error and the regions that gave it."""

    value: float
    se: float
    regions: tuple[str, ...]


def estimate_k2_prime(
    tacs: TACs,
    *,
    reference: str | Array,
    regions: Sequence[str],
    weights: str | Array = "decay",
    half_life: float | None = None,
    convention: str = "average",
) -> tuple[K2Prime, Step]:
    """Mean of the k2' that MRTM1 gives in each of ``regions``, weighted by their precision.

    The mean is taken of log k2' with weights (k2' / SE)^2, since the error of a rate is in proportion to it. Its
    standard error is that of the weighted mean, widened by the regions' scatter where that is more than their own
    errors explain.

    Parameters
    ----------
    tacs, reference, weights, half_life, convention
        As for :func:`raphe.kinetics.fit.fit`.
    regions : sequence of str
        Regions of high binding; in others k2' is poorly determined.

    Returns
    -------
    K2Prime
    Step

    Raises
    ------
    InputError
        If none of the regions is among the curves, or none gives a usable k2'.

    References
    ----------
    Ichise et al. 2003, J Cereb Blood Flow Metab 23:1096, doi 10.1097/01.WCB.0000085441.37552.CA.
    """
    own = reference if isinstance(reference, str) else None
    present = tuple(dict.fromkeys(name for name in regions if name in tacs.names and name != own))
    if not present:
        raise InputError(
            f"k2_prime 'auto' needs a region of high binding, but none of {', '.join(regions) or '(none named)'} is "
            "among the curves; name some (high_binding in the plan) or give k2_prime as a number"
        )
    result, _ = fit(MRTM1(), tacs, reference=reference, weights=weights, half_life=half_life, convention=convention)
    at = [result.names.index(name) for name in present]
    value, se = (column[at] for column in result.of("k2_prime"))
    good = result.usable[at] & (value > 0) & (se > 0) & (se < value)
    if not good.any():
        raise InputError(
            f"k2_prime 'auto' found no usable k2_prime in {', '.join(present)}; give k2_prime as a number, or choose "
            "SRTM"
        )
    mean, relative_se = _weighted_mean(np.log(value[good]), se[good] / value[good])
    used = tuple(name for name, ok in zip(present, good, strict=True) if ok)
    k2_prime = K2Prime(float(np.exp(mean)), float(np.exp(mean) * relative_se), used)
    step = Step(
        "k2_prime",
        {"value": k2_prime.value, "se": k2_prime.se, "regions": used, "model": MRTM1.name},
        citations=MRTM1.citations,
    )
    return k2_prime, step


def _weighted_mean(value: Array, se: Array) -> tuple[float, float]:
    weight = 1 / se**2
    mean = float((weight * value).sum() / weight.sum())
    scatter = float((weight * (value - mean) ** 2).sum() / (value.size - 1)) if value.size > 1 else 1.0
    return mean, float(np.sqrt(max(1.0, scatter) / weight.sum()))
