"""From a design of maps and its scheme of exchange to the model under every shuffle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core.exchange import Shuffles, exchanges, flips
from raphe.core.shuffled import Shuffled, freedman_lane, held, split
from raphe.errors import InputError
from raphe.stats.map_designs import ALLOCATION, BOTH, PERMUTE, SIGN, WHOLE, WITHIN, MapDesign

Array = npt.NDArray[np.float64]


def shuffled(study: MapDesign, permutations: int, seed: int) -> Shuffled:
    """Model of a study under every shuffle of its scheme.

    Parameters
    ----------
    study : MapDesign
    permutations : int
        How many are wanted, the observed one among them; a supplied list of allocations is taken as a whole.
    seed : int

    Raises
    ------
    InputError
        If the contrast cannot be estimated or no shuffle changes it; see :mod:`raphe.core.shuffled`.
    """
    design, contrast = np.asarray(study.design, dtype=float), np.asarray(study.contrast, dtype=float)
    split(design, contrast)  # says first what is wrong with the model itself
    if study.scheme == ALLOCATION:
        return _by_allocation(study, design, contrast, permutations, seed)
    if study.scheme == SIGN:
        shuffles = flips(len(design), permutations, seed, _codes(study.blocks))
    else:
        shuffles = _exchanged(study, _rows(design), permutations, seed)
    return freedman_lane(design, contrast, shuffles)


def _exchanged(study: MapDesign, labels: npt.NDArray[np.int64], permutations: int, seed: int) -> Shuffles:
    within = study.scheme in (PERMUTE, WITHIN, BOTH, ALLOCATION)
    whole = study.scheme in (WHOLE, BOTH)
    return exchanges(labels, permutations, seed, _codes(study.blocks), within=within, whole=whole)


def _rows(design: Array) -> npt.NDArray[np.int64]:
    """Number of the distinct row that each scan has."""
    return np.asarray(np.unique(design, axis=0, return_inverse=True)[1], dtype=np.int64).ravel()


def _codes(blocks: tuple[object, ...] | None) -> npt.NDArray[np.int64] | None:
    if blocks is None:
        return None
    number = {block: k for k, block in enumerate(dict.fromkeys(blocks))}
    return np.array([number[block] for block in blocks])


def _by_allocation(study: MapDesign, design: Array, contrast: Array, permutations: int, seed: int) -> Shuffled:
    columns = np.flatnonzero(contrast)
    if len(columns) != 1:
        raise InputError(f"an allocation is one column of the design, but the contrast is of {len(columns)} columns")
    own, covariates = design[:, columns[0]], len(study.covariate_maps)
    if study.allocations is None:
        shuffles = _exchanged(study, _rows(own[:, None]), permutations, seed)
        taken = own[shuffles.order]
        return held(design, contrast, taken, shuffles.possible, shuffles.complete, covariates)
    listed = np.asarray(study.allocations, dtype=float)
    if listed.ndim != 2 or listed.shape[1] != len(own) or not np.isfinite(listed).all():
        raise InputError(
            f"the allocations have shape {listed.shape} or a value that is not finite, but there are {len(own)} scans; "
            "give one row of finite numbers an allocation"
        )
    observed = (listed == own).all(axis=1)
    if study.all_allocations and not observed.any():
        raise InputError("the list holds all allocations, but the observed one is not among them; check their coding")
    if study.all_allocations:
        listed = np.concatenate([listed[observed], listed[~observed]])
    else:
        listed = np.concatenate([own[None], listed])
    return held(design, contrast, listed, len(listed), study.all_allocations, covariates)
