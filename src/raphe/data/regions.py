"""Regions by the names that people use, made of the curves that a table holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.data.tacs import TACs
from raphe.errors import InputError, nearest
from raphe.nomenclature import COMPOSITES, region_key

SIDE_WORDS = {"L": "left", "R": "right"}


class Merged(NamedTuple):
    """Which curves a region's curve is the mean of."""

    members: tuple[str, ...]
    """Names in the table."""
    weights: tuple[float, ...]
    """Share of each member; the shares sum to 1."""

    def __str__(self) -> str:
        if len(self.members) == 1:
            return f"{self.members[0]} as it stands"
        if len(set(self.weights)) == 1:
            return f"plain mean of {', '.join(self.members)}"
        shares = (f"{name} ({weight:.3f})" for name, weight in zip(self.members, self.weights, strict=True))
        return f"mean, weighted by volume, of {', '.join(shares)}"


def resolve(wanted: Sequence[str], tacs: TACs, merges: Mapping[str, Sequence[str]]) -> tuple[TACs, dict[str, Merged]]:
    """Curves of the regions that are wanted, by those names.

    Several curves make one by their mean, weighted by volume where the volumes of all of them are known.

    Parameters
    ----------
    wanted : sequence of str
        Regions, as :func:`members` understands them. Empty: every curve of the table, then every merge.
    tacs : TACs
        Curves of one scan.
    merges : mapping of str to sequence of str
        Regions that the study plan makes of others.

    Returns
    -------
    TACs
        One curve a wanted region, in their order; its volume is the sum of its members' where all are known, else NaN.
    dict of str to Merged
        Members and weights of each.

    Raises
    ------
    InputError
        If a region stands twice, cannot be found or could be several things; the message says which and names those
        that are near.
    """
    names = tuple(wanted) or tuple(dict.fromkeys((*tacs.names, *merges)))
    made = {name: _weighted(members(name, tacs.names, merges), tacs) for name in names}
    index = {name: i for i, name in enumerate(tacs.names)}
    rows = [[index[member] for member in made[name].members] for name in names]
    activity = [_mean(tacs.activity[row], made[name].weights) for row, name in zip(rows, names, strict=True)]
    volumes = None if tacs.volumes is None else np.array([tacs.volumes[row].sum() for row in rows])
    return TACs(np.array(activity), tacs.frames, names, volumes), made


def members(name: str, names: Sequence[str], merges: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Names of the curves that a region is made of.

    What the plan merges comes first, because someone wrote it down for this study. Then: the name as it stands; the
    same region in another spelling (:func:`raphe.nomenclature.region_key`), of both sides where no side is asked for;
    a region that is known to be made of others (:data:`raphe.nomenclature.COMPOSITES`).

    Parameters
    ----------
    name : str
        The region that is wanted.
    names : sequence of str
        Curves of the table.
    merges : mapping of str to sequence of str
        Regions that the study plan makes of others, each named in any of the ways above.

    Raises
    ------
    InputError
        If there is no such region, only one side of it, or more than one curve that could be meant.
    """
    parts = next((parts for merged, parts in merges.items() if region_key(merged) == region_key(name)), None)
    if parts is None:
        found = _found(name, names)
        if not found:
            raise InputError(f"there is no region {name!r} among the curves; {nearest(name, _known(names, merges))}")
        return found
    leaves = [(part, _found(part, names)) for part in parts]
    for part, found in leaves:
        if not found:
            raise InputError(
                f"region {name!r} is merged of {', '.join(parts)}, but there is no {part!r} among the curves; "
                f"{nearest(part, _known(names, {}))}"
            )
    return _once(name, [leaf for _, found in leaves for leaf in found])


def _known(names: Sequence[str], merges: Mapping[str, Sequence[str]]) -> dict[str, None]:
    """Regions that could be asked for: merges, curves in either spelling, and what can be made of them."""
    plain = dict.fromkeys(region_key(name)[0] for name in names)
    made = [name for name, parts in COMPOSITES.items() if all(part in plain for part in parts)]
    return dict.fromkeys((*merges, *names, *plain, *made))


def _found(name: str, names: Sequence[str]) -> tuple[str, ...]:
    return (name,) if name in names else _by_key(*region_key(name), names)


def _by_key(plain: str, side: str, names: Sequence[str]) -> tuple[str, ...]:
    sides: dict[str, list[str]] = {}
    for name in names:
        other, which = region_key(name)
        if other == plain:
            sides.setdefault(which, []).append(name)
    wanted = (side,) if side else ("",) if "" in sides else ("L", "R")
    hits = [sides.get(which, []) for which in wanted]
    for several in hits:
        if len(several) > 1:
            raise InputError(
                f"region {plain!r} could be any of {', '.join(several)}; write the one that is meant as it stands there"
            )
    if all(hits):
        return tuple(hit[0] for hit in hits)
    if any(hits):
        (only,) = [hit[0] for hit in hits if hit]
        raise InputError(
            f"of region {plain!r} there is only one side among the curves, {only}; ask for {only!r} if that side alone "
            "is meant"
        )
    return _composite(plain, side, names)


def _composite(plain: str, side: str, names: Sequence[str]) -> tuple[str, ...]:
    parts = COMPOSITES.get(plain, ())
    leaves = [_by_key(part, side, names) for part in parts]
    if any(leaves) and not all(leaves):
        absent = [part for part, found in zip(parts, leaves, strict=True) if not found]
        which = f"{SIDE_WORDS[side]} {plain}" if side else plain
        raise InputError(
            f"region {which!r} is made of {', '.join(parts)}, but there is no {', '.join(absent)} among the curves; "
            "merge it of the regions that there are in the study plan's [regions.merge]"
        )
    return _once(plain, [leaf for found in leaves for leaf in found])


def _once(name: str, leaves: Sequence[str]) -> tuple[str, ...]:
    for leaf in leaves:
        if leaves.count(leaf) > 1:
            raise InputError(f"region {name!r} counts the curve {leaf!r} more than once; name each part once")
    return tuple(leaves)


def _weighted(names: tuple[str, ...], tacs: TACs) -> Merged:
    share = np.full(len(names), 1 / len(names))
    if tacs.volumes is not None:
        volumes = tacs.volumes[[tacs.names.index(name) for name in names]]
        if np.all(volumes >= 0) and 0 < volumes.sum() < np.inf:
            share = volumes / volumes.sum()
    return Merged(names, tuple(float(weight) for weight in share))


def _mean(curves: npt.NDArray[np.float64], weights: Sequence[float]) -> npt.NDArray[np.float64]:
    share = np.array(weights)
    return np.asarray(share[share > 0] @ curves[share > 0])
