r"""Clusters of voxels in a map, and threshold-free cluster enhancement (TFCE), exact.

TFCE of a voxel with value :math:`v` is :math:`\int_0^v e(h)^E h^H dh`, where :math:`e(h)` is the number of voxels of
the cluster that it is in at threshold h (Smith & Nichols 2009, NeuroImage 44:83). Between two values of the map
:math:`e(h)` does not change, so that the integral is a sum: each voxel joins the clusters of its higher neighbours in
one pass from the highest to the lowest (a max-tree by union-find: Berger et al. 2007, IEEE ICIP IV:41), and the sums
run down from the lowest to the highest. There is no step width. Positive and negative values form clusters of their
own.

FSL's defaults are E = 0.5, H = 2 and 6 neighbours (``randomise --tfce_C``) for TFCE, and 26 neighbours for clusters
(``cluster``); they are the defaults of :mod:`raphe.stats.voxelwise` too.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from raphe.errors import InputError

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Singles = npt.NDArray[np.float32]
Places = npt.NDArray[np.int32]

HEIGHT, EXTENT = 2.0, 0.5
"""Powers of height and extent in TFCE."""

REACH = {6: 1, 18: 2, 26: 3}
"""Steps along the axes to the farthest neighbour, for each number of neighbours."""

BITS = 11
"""Of a number that are sorted at once."""

compiled = njit(cache=True, nogil=True, error_model="numpy")


def neighbours(mask: Flags, connectivity: int) -> Places:
    """Voxels that touch each voxel of a mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (x, y, z)
    connectivity : int
        6: by faces; 18: by edges too; 26: by corners too.

    Returns
    -------
    ndarray of int, shape (n_voxel, connectivity)
        Numbers of voxels in the order of ``mask``; ``n_voxel`` for a neighbour outside.

    Raises
    ------
    InputError
        If the mask is empty or not of three dimensions, or the connectivity is none of the three.
    """
    if connectivity not in REACH:
        raise InputError(f"a voxel has 6, 18 or 26 neighbours, but {connectivity} were asked for")
    if mask.ndim != 3 or not mask.any():
        raise InputError(f"a mask of shape {mask.shape} with {int(mask.sum())} voxels has no clusters")
    number = np.full(tuple(size + 2 for size in mask.shape), mask.sum(), dtype=np.int32)
    inner = number[1:-1, 1:-1, 1:-1]
    inner[mask] = np.arange(mask.sum(), dtype=np.int32)
    steps = np.stack(np.meshgrid(*[(-1, 0, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    far = np.abs(steps).sum(axis=1)
    at = np.argwhere(mask) + 1
    near = [number[tuple((at + step).T)] for step in steps[(far > 0) & (far <= REACH[connectivity])]]
    return np.ascontiguousarray(np.stack(near, axis=1))


def tfce(values: npt.NDArray[np.floating], near: Places, height: float = HEIGHT, extent: float = EXTENT) -> Array:
    """Threshold-free cluster enhancement of a map, by the exact integral.

    Parameters
    ----------
    values : ndarray, shape (n_voxel,)
        Rounded to single precision. A NaN belongs to no cluster.
    near : ndarray of int, shape (n_voxel, n_neighbour)
        From :func:`neighbours`.
    height, extent : float
        Powers H and E.

    Returns
    -------
    ndarray, shape (n_voxel,)
        Negative where the value is; 0 where it is 0 or NaN.
    """
    _check(values, near)
    return np.asarray(enhanced(np.ascontiguousarray(values, dtype=np.float32), near, float(height), float(extent)))


def clusters(
    values: npt.NDArray[np.floating], near: Places, threshold: float
) -> tuple[Places, npt.NDArray[np.int64], Array]:
    """Clusters of voxels at or beyond a threshold, of either sign.

    Parameters
    ----------
    values : ndarray, shape (n_voxel,)
        Rounded to single precision.
    near : ndarray of int, shape (n_voxel, n_neighbour)
        From :func:`neighbours`.
    threshold : float
        Positive; values at or above it, and at or below its negative, form clusters.

    Returns
    -------
    labels : ndarray of int, shape (n_voxel,)
        Number of the voxel's cluster from 1, the largest first; negative for a cluster of negative values; 0 for none.
    extent : ndarray of int, shape (n_cluster,)
        Voxels.
    mass : ndarray, shape (n_cluster,)
        Sum of what the absolute values have above the threshold (Bullmore et al. 1999, IEEE Trans Med Imaging 18:32).
    """
    _check(values, near)
    single = np.ascontiguousarray(values, dtype=np.float32)
    root, _, _ = joined(single, near, np.float32(threshold))
    inside = np.flatnonzero(root >= 0)
    first, member = np.unique(root[inside], return_inverse=True)
    excess = np.abs(single[inside].astype(float)) - threshold
    extent, mass = np.bincount(member, minlength=len(first)), np.bincount(member, excess, minlength=len(first))
    ranked = np.lexsort((-mass, -extent))
    number = np.empty(len(first), dtype=np.int32)
    number[ranked] = np.arange(1, len(first) + 1)
    labels = np.zeros(len(single), dtype=np.int32)
    labels[inside] = number[member] * np.sign(single[inside]).astype(np.int32)
    return labels, extent[ranked].astype(np.int64), mass[ranked].astype(float)


def _check(values: npt.NDArray[np.floating], near: Places) -> None:
    if values.shape != near.shape[:1]:
        raise InputError(f"the map has shape {values.shape}, but the neighbours of {len(near)} voxels are given")


@compiled
def largest(values: Singles, near: Places, threshold: np.float32) -> tuple[float, float]:
    """Extent, voxels, and mass of the largest clusters of a map by either; as :func:`clusters` has them."""
    _, extent, mass = joined(values, near, threshold)
    widest, heaviest = 0, 0.0
    for v in range(extent.size):
        widest, heaviest = max(widest, extent[v]), max(heaviest, mass[v])
    return float(widest), heaviest


@compiled
def joined(values: Singles, near: Places, threshold: np.float32) -> tuple[Places, Places, Array]:
    """A voxel that stands for the cluster of each voxel, -1 for none; extent and mass stand at that voxel."""
    n = values.size
    root, extent, mass = np.full(n + 1, -1, np.int32), np.zeros(n, np.int32), np.zeros(n)
    for v in range(n):
        if abs(values[v]) >= threshold:
            root[v] = v
            extent[v], mass[v] = 1, abs(float(values[v])) - threshold
            for k in range(near.shape[1]):
                other = near[v, k]
                if root[other] >= 0 and (values[other] > 0) == (values[v] > 0):
                    top = _top(root, other)
                    own = _top(root, v)
                    if top != own:
                        root[own] = top
                        extent[top] += extent[own]
                        mass[top] += mass[own]
                        extent[own], mass[own] = 0, 0.0
    for v in range(n):
        if root[v] >= 0:
            root[v] = _top(root, v)
    return root[:n], extent, mass


@compiled
def enhanced(values: Singles, near: Places, height: float, extent: float) -> Array:
    """TFCE of a map in single precision; see :func:`tfce`."""
    n, power = values.size, height + 1
    order = _descending(np.abs(values))
    parent, size = _tree(values, near, order)
    risen, found = np.empty(n), np.zeros(n)
    for v in range(n):
        h = abs(float(values[v]))
        risen[v] = h * h * h if power == 3 else h**power
    for i in range(order.size - 1, -1, -1):
        v = order[i]
        wide, below = float(size[v]), parent[v]
        wide = np.sqrt(wide) if extent == 0.5 else wide**extent
        found[v] = wide * risen[v] / power if below == v else found[below] + wide * (risen[v] - risen[below]) / power
    for v in range(n):
        if values[v] < 0:
            found[v] = -found[v]
    return found


@compiled
def _tree(values: Singles, near: Places, order: Places) -> tuple[Places, Places]:
    """Voxel at which the cluster of each voxel next grows, itself at the foot, and size of the cluster at the voxel.

    The smaller of two clusters joins the larger, whose voxel that stands for it stays, so that ways to it stay short;
    ``lowest`` is where that cluster has grown last.
    """
    n = values.size
    root, parent = np.full(n + 1, -1, np.int32), np.empty(n, np.int32)
    total, lowest, size = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    for i in range(order.size):
        v = order[i]
        root[v] = parent[v] = lowest[v] = own = v
        total[v] = 1
        positive = values[v] > 0
        for k in range(near.shape[1]):
            other = near[v, k]
            if root[other] >= 0 and (values[other] > 0) == positive:
                top = _top(root, other)
                if top != own:
                    parent[lowest[top]] = v
                    if total[top] > total[own]:
                        top, own = own, top
                    root[top] = own
                    total[own] += total[top]
        lowest[own] = v
        size[v] = total[own]
    return parent, size


@compiled
def _top(root: Places, v: int) -> int:
    """Voxel that stands for the cluster; the way to it is shortened."""
    while root[v] != v:
        root[v] = root[root[v]]
        v = root[v]
    return v


@compiled
def _descending(size: Singles) -> Places:
    """Places of what is above 0, the largest first; those of one size in the order in which they stand.

    Bits of a positive number in single precision, read as a whole number, are in the order of the numbers.
    """
    bits = size.view(np.uint32)
    n = 0
    order = np.empty(size.size, np.int32)
    for v in range(size.size):
        if size[v] > 0:
            order[n] = v
            n += 1
    order, other = order[:n], np.empty(n, np.int32)
    last = np.uint32((1 << BITS) - 1)
    counts = np.empty((1 << BITS) + 1, np.int64)
    for shift in range(0, 33, BITS):
        counts[:] = 0
        for i in range(n):
            counts[last - ((bits[order[i]] >> np.uint32(shift)) & last) + 1] += 1
        for k in range(1, counts.size):
            counts[k] += counts[k - 1]
        for i in range(n):
            key = last - ((bits[order[i]] >> np.uint32(shift)) & last)
            other[counts[key]] = order[i]
            counts[key] += 1
        order, other = other, order
    return order
