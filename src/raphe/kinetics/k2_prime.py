"""One k2' for a scan, from its high-binding regions or voxels."""

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
from raphe.kinetics.models.srtm import SRTM
from raphe.kinetics.protocol import COMPUTABLE_RATE, KineticModel
from raphe.kinetics.voxelwise import VoxelFit
from raphe.quality import usable

Array = npt.NDArray[np.float64]

LEAST_BINDING = 0.5
"""BP_ND from which on a region or voxel counts as high-binding where nothing else names any; an assumption."""

PLAUSIBLE = (0.005, 1.0)
"""1/min; k2' of the tracers of the brain that are known lie well within, so that outside another unit may be meant. An
assumption."""

ALIKE = 27
"""Voxels whose noise counts as one: those of a cube of 3 x 3 x 3.

An assumption. Neighbouring voxels share the noise of the reconstruction, so that many voxels tell less than as many
regions would.
"""


@dataclass(frozen=True)
class K2Prime:
    """Clearance from the reference tissue to plasma, 1/min, with its standard error and the regions that gave it."""

    value: float
    se: float
    regions: tuple[str, ...]


def doubt_of(k2_prime: float) -> str:
    """What is doubtful of a k2', in words; empty for nothing, and for what no model takes, which is refused."""
    (low, high), (least, most) = PLAUSIBLE, COMPUTABLE_RATE
    if low <= k2_prime <= high or not least <= k2_prime <= most:
        return ""
    return (
        f"k2' of {k2_prime:.3g} 1/min is outside of {low:g} to {high:g}, where k2' of tracers of the brain lies, and "
        "BP_ND follows from it; is it in 1/min, and of this tracer's reference region?"
    )


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


def first_pass_of(model: str) -> KineticModel:
    """Model that gives the k2' of voxels to ``model``: SRTM to SRTM2, which is the same model, and MRTM1 to others."""
    return SRTM() if model == "SRTM2" else MRTM1()


def k2_primes_of(found: VoxelFit) -> tuple[Array, Array]:
    """Estimates of k2' in the voxels of high binding, and their standard errors, each of shape (n_good,), 1/min.

    Those are the usable ones with BP_ND above :data:`LEAST_BINDING` and a k2' that is positive and more than its
    standard error.

    Parameters
    ----------
    found : VoxelFit
        Of a model that estimates k2'.
    """
    binding = found.value[found.parameters.index("BP_ND")]
    at = found.parameters.index("k2_prime")
    value, se = found.value[at], found.se[at]
    good = usable(found.quality) & (binding > LEAST_BINDING) & (value > 0) & (se >= 0) & (se < value)
    return value[good].astype(float), se[good].astype(float)


def median_k2_prime(value: Array, se: Array, model: str) -> tuple[K2Prime, Step]:
    """Weighted median of the k2' of voxels.

    The weights are 1 / (relative variance), so that voxels in which k2' is well determined decide. The standard error
    is that of a median of normal values, from the weighted median deviation of log k2' and from the standard errors,
    whichever says more, with :data:`ALIKE` voxels counted as one.

    Parameters
    ----------
    value, se : ndarray, shape (n_voxel,), 1/min
        Of :func:`k2_primes_of`.
    model : str
        The one that gave them.

    Raises
    ------
    InputError
        If there are none.
    """
    if not value.size:
        raise InputError(
            f"k2_prime 'auto' found no voxel with BP_ND above {LEAST_BINDING:g} and a usable k2_prime by {model}; give "
            "k2_prime as a number (--k2-prime X), or choose SRTM"
        )
    relative = np.maximum(se / value, 1e-6)
    weight = 1 / relative**2
    log = np.log(value)
    middle = _weighted_median(log, weight)
    spread = 1.4826 * _weighted_median(np.abs(log - middle), weight)
    counted = max(float(weight.sum() ** 2 / (weight**2).sum()) / ALIKE, 1.0)
    own = np.sqrt(weight.size / weight.sum())
    error = float(np.sqrt(np.pi / 2) * max(spread, own) / np.sqrt(counted))
    k2_prime = K2Prime(float(np.exp(middle)), float(np.exp(middle)) * error, ())
    cited = MRTM1.citations if model == MRTM1.name else SRTM.citations
    step = Step(
        "k2_prime",
        {
            "value": k2_prime.value,
            "se": k2_prime.se,
            "n_voxel": int(value.size),
            "least_binding": LEAST_BINDING,
            "model": model,
        },
        citations=cited,
    )
    return k2_prime, step


def _weighted_median(value: Array, weight: Array) -> float:
    order = np.argsort(value)
    below = np.cumsum(weight[order])
    return float(value[order][np.searchsorted(below, below[-1] / 2)])


def _weighted_mean(value: Array, se: Array) -> tuple[float, float]:
    weight = 1 / se**2
    mean = float((weight * value).sum() / weight.sum())
    scatter = float((weight * (value - mean) ** 2).sum() / (value.size - 1)) if value.size > 1 else 1.0
    return mean, float(np.sqrt(max(1.0, scatter) / weight.sum()))
