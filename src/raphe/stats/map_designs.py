"""What a comparison of maps rests on: the maps, a design, one contrast, and what chance could have exchanged.

Each function gives one of the standard designs; :class:`MapDesign` itself takes any linear model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.floating]

SIGN, PERMUTE, WITHIN, WHOLE, BOTH, ALLOCATION = (
    "sign",
    "permute",
    "within-blocks",
    "whole-blocks",
    "within-and-whole-blocks",
    "allocation",
)
SCHEMES = (SIGN, PERMUTE, WITHIN, WHOLE, BOTH, ALLOCATION)
LEAST = 2
"""Scans that a group needs."""


@dataclass(frozen=True, eq=False)
class MapDesign:
    """Maps, a linear model of them, one contrast, and a scheme of exchange.

    Parameters
    ----------
    maps : ndarray, shape (n_scan, ...)
        One map a scan, or one difference of maps a participant; NaN where there is no value.
    design : ndarray, shape (n_scan, n_column)
    contrast : ndarray, shape (n_column,)
    scheme : str
        ``sign``: flip signs, of all scans of a block together where there are blocks. ``permute``: exchange all scans.
        ``within-blocks``, ``whole-blocks``, ``within-and-whole-blocks``: exchange scans of one block, blocks of one
        size, both. ``allocation``: exchange the column of the contrast within blocks and hold all else, or take the
        allocations that are given. All but the last shuffle what the other columns leave (Freedman and Lane).
    blocks : tuple, length n_scan, or None
        Block of each scan.
    allocations : ndarray, shape (n_allocation, n_scan), or None
        The column of the contrast under other allocations that could have come about, each as likely as the observed.
    all_allocations : bool
        The observed allocation is among them and there are no others; else they are a random sample of them.
    covariate_maps : tuple of ndarray, shape as ``maps``
        Covariates that differ by voxel, as the map before the treatment; only with ``allocation``.
    what : str
        What the effect is, in words.
    """

    maps: Floats
    design: Array
    contrast: Array
    scheme: str
    blocks: tuple[object, ...] | None = None
    allocations: Array | None = None
    all_allocations: bool = False
    covariate_maps: tuple[Floats, ...] = ()
    what: str = "contrast"

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise InputError(f"the scheme of exchange is {self.scheme!r}; there are {', '.join(SCHEMES)}")
        if len(self.maps) != len(self.design):
            raise InputError(f"there are {len(self.maps)} maps, but the design has {len(self.design)} rows")
        if self.blocks is None and self.scheme in (WITHIN, WHOLE, BOTH):
            raise InputError(f"the scheme {self.scheme!r} needs the block of each scan; give blocks")
        if self.blocks is not None and len(self.blocks) != len(self.design):
            raise InputError(f"there are {len(self.blocks)} entries of blocks, but {len(self.design)} scans")
        if self.blocks is not None and self.scheme == PERMUTE:
            raise InputError("the scheme 'permute' takes no heed of blocks; choose 'within-blocks' or 'whole-blocks'")
        if self.scheme != ALLOCATION and (self.covariate_maps or self.allocations is not None):
            raise InputError(f"allocations and covariate maps need the scheme 'allocation', not {self.scheme!r}")


def paired(first: Floats, second: Floats) -> MapDesign:
    """Mean of second minus first, participant by participant, by sign flips.

    Parameters
    ----------
    first, second : ndarray, shape (n_participant, ...)
        Participants in one order.

    Raises
    ------
    InputError
        If the shapes differ or there are fewer than 2 participants.
    """
    return _mean(_difference(first, second), "mean of second minus first")


def one_sample(maps: Floats, against: float = 0.0) -> MapDesign:
    """Mean of the maps less a fixed value, by sign flips: errors must be symmetric."""
    numbers = _numbers(maps)
    return _mean(np.asarray(numbers - numbers.dtype.type(against)), f"mean less {against:g}")


def interaction(first: Floats, second: Floats, other_first: Floats, other_second: Floats) -> MapDesign:
    """Difference of two changes within participants, (second - first) - (other second - other first), by sign flips.

    Does a blocker abolish the change? Did one tracer change more than the other? All maps have shape
    (n_participant, ...), participants in one order.
    """
    change, other = _difference(first, second), _difference(other_first, other_second)
    return _mean(_difference(other, change), "mean difference of the two changes")


def two_groups(
    maps: Floats, groups: Sequence[object], first: object, second: object, covariates: npt.ArrayLike | None = None
) -> MapDesign:
    """Second minus first group, adjusted for covariates; exchange of all scans.

    Parameters
    ----------
    maps : ndarray, shape (n_scan, ...)
    groups : sequence, length n_scan
        Group of each scan, ``first`` or ``second``.
    covariates : array_like, shape (n_scan,) or (n_scan, n_covariate), optional
        Numbers; means are taken off.

    Raises
    ------
    InputError
        If a scan is of neither group, a group has fewer than 2 scans, or a covariate is constant or not finite.
    """
    member = _members(groups, first, second, len(maps))
    design = np.column_stack([member, np.ones(len(member)), _centred(covariates, len(member))])
    return MapDesign(maps, design, np.eye(design.shape[1])[0], PERMUTE, what=f"{second} minus {first}")


def slope(maps: Floats, variable: npt.ArrayLike, covariates: npt.ArrayLike | None = None) -> MapDesign:
    """Change of the maps with a variable, per unit, adjusted for covariates; exchange of all scans."""
    wanted = _centred(variable, len(maps))
    design = np.column_stack([wanted, np.ones(len(maps)), _centred(covariates, len(maps))])
    return MapDesign(maps, design, np.eye(design.shape[1])[0], PERMUTE, what="change per unit of the variable")


def ancova(
    before: Floats,
    after: Floats,
    groups: Sequence[object],
    first: object,
    second: object,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: Sequence[object] | None = None,
    allocations: npt.ArrayLike | None = None,
    all_allocations: bool = False,
) -> MapDesign:
    """Second minus first group of the maps after, adjusted voxel by voxel for the map before: of a randomised study.

    Groups are exchanged and everything else stays with the participant, as if they had been randomised otherwise.

    Parameters
    ----------
    before, after : ndarray, shape (n_participant, ...)
        Participants in one order.
    groups : sequence, length n_participant
        Group of each participant, ``first`` or ``second``.
    covariates : array_like, shape (n_participant,) or (n_participant, n_covariate), optional
    strata : sequence, length n_participant, optional
        Groups are exchanged only within a stratum (or a block of the randomisation).
    allocations : array_like, shape (n_allocation, n_participant), optional
        1 where a participant is of the second group, 0 of the first, under each allocation of a supplied list.
    all_allocations : bool
        The list holds every allocation that there could have been.

    Raises
    ------
    InputError
        As :func:`two_groups`, or if the shapes differ.
    """
    _difference(before, after)
    member = _members(groups, first, second, len(after))
    design = np.column_stack([member, np.ones(len(member)), _centred(covariates, len(member))])
    listed = None if allocations is None else np.asarray(allocations, dtype=float)
    return MapDesign(
        after,
        design,
        np.eye(design.shape[1])[0],
        ALLOCATION,
        None if strata is None else tuple(strata),
        listed,
        all_allocations,
        (before,),
        f"{second} minus {first} after, adjusted for before",
    )


def _mean(maps: Floats, what: str) -> MapDesign:
    if len(maps) < LEAST:
        raise InputError(f"there is {len(maps)} participant; a mean with its error needs at least {LEAST}")
    return MapDesign(maps, np.ones((len(maps), 1)), np.ones(1), SIGN, what=what)


def _difference(first: Floats, second: Floats) -> Floats:
    if first.shape != second.shape:
        raise InputError(
            f"the first maps have shape {first.shape}, the second {second.shape}; give the same participants and grid"
        )
    return np.asarray(_numbers(second) - _numbers(first))


def _numbers(maps: Floats) -> Floats:
    """Maps whose differences do not wrap round, as those of whole numbers may."""
    return maps if np.issubdtype(maps.dtype, np.floating) else maps.astype(float)


def _members(groups: Sequence[object], first: object, second: object, n: int) -> Array:
    """1 for the second group, 0 for the first."""
    if len(groups) != n:
        raise InputError(f"there are {n} maps, but {len(groups)} entries of groups")
    for place, group in enumerate(groups):
        if group not in (first, second):
            raise InputError(f"scan {place + 1} is of group {group!r}, but {first!r} and {second!r} are compared")
    for name in (first, second):
        if (found := sum(group == name for group in groups)) < LEAST:
            raise InputError(f"group {name!r} has {found} scans; a comparison needs at least {LEAST} in each group")
    return np.array([float(group == second) for group in groups])


def _centred(covariates: npt.ArrayLike | None, n: int) -> Array:
    if covariates is None:
        return np.empty((n, 0))
    values = np.asarray(covariates, dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or len(values) != n:
        raise InputError(f"there are {n} maps, but the covariates have shape {values.shape}; give one row a map")
    for column, of in enumerate(values.T):
        missing = np.flatnonzero(~np.isfinite(of))
        if len(missing):
            raise InputError(
                f"covariate {column + 1} has no finite value in scan {missing[0] + 1}; leave that scan out"
            )
        if np.ptp(of) == 0:
            raise InputError(f"covariate {column + 1} is {of[0]:g} in every scan; take it out")
    return np.asarray(values - values.mean(axis=0))
