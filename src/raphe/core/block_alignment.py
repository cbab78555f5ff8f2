r"""How well an image follows another under a rigid motion, block by block.

Within each block of neighbouring places the image is taken to be some combination of a few others, its basis, with
coefficients of the block's own. What is left after that regression is summed over the blocks. So a tracer whose
distribution changes from frame to frame costs little, for grey and white matter exchange their parts alike within a
block, and an edge that has moved costs much.

The coefficients are projected out (variable projection, Golub and Pereyra 1973, SIAM J Numer Anal 10:413, doi
10.1137/0710036), so one pass over the places gives a step of Gauss and Newton.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int64]


@numba.njit(cache=True, nogil=True)
def orthonormal(basis: Array, edges: Whole) -> Array:
    """Make the basis orthonormal in every block.

    Parameters
    ----------
    basis : ndarray, shape (n_place, n_basis)
    edges : ndarray of int, shape (n_block + 1,)
        Places of block b are ``edges[b]`` to ``edges[b + 1]``.

    Returns
    -------
    ndarray, shape (n_place, n_basis)
        A vector that the others of its block already span is 0 there.
    """
    made = np.zeros_like(basis)
    for block in range(edges.size - 1):
        first, last = edges[block], edges[block + 1]
        for column in range(basis.shape[1]):
            vector = basis[first:last, column].copy()
            size = np.sqrt((vector * vector).sum())
            for before in list(range(column)) * 2:
                other = made[first:last, before]
                vector -= (other * vector).sum() * other
            left = np.sqrt((vector * vector).sum())
            if left > 1e-4 * size:
                made[first:last, column] = vector / left
    return made


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def normal_equations(
    image: Floats,
    to_index: Array,
    places: Array,
    basis: Array,
    edges: Whole,
    motion: Array,
    centre: Array,
) -> tuple[float, Array, Array]:
    """Cost of a motion, and what a step from it follows from.

    Parameters
    ----------
    image : ndarray of float32, shape (nx, ny, nz)
        That is sampled, between its voxels linearly; beyond its edge as at the edge.
    to_index : ndarray, shape (4, 4)
        From mm to indices of its voxels.
    places : ndarray, shape (n_place, 3), mm
        In the reference position, block after block.
    basis : ndarray, shape (n_place, n_basis)
        Orthonormal within each block.
    edges : ndarray of int, shape (n_block + 1,)
    motion : ndarray, shape (4, 4), mm to mm
        From the reference position to the image.
    centre : ndarray, shape (3,), mm
        About which a further motion turns, before ``motion``.

    Returns
    -------
    cost : float
        Sum of the squares that are left.
    gradient : ndarray, shape (6,)
        Half of its derivative by a shift (mm) and a turn (radians), both before ``motion``.
    hessian : ndarray, shape (6, 6)
        Half of its second derivative after Gauss and Newton.
    """
    whole = to_index @ motion
    turned = np.ascontiguousarray(whole[:3, :3].T)
    most, n_basis = np.diff(edges).max(), basis.shape[1]
    rows, seen = np.zeros((7, most)), np.zeros((n_basis, most))
    left, explained = np.zeros((7, 7)), np.zeros((n_basis, 7))
    for block in range(edges.size - 1):
        first, n = edges[block], edges[block + 1] - edges[block]
        for place in range(n):
            _sample(image, whole, turned, places[first + place], centre, rows, place)
            for at in range(n_basis):
                seen[at, place] = basis[first + place, at]
        for one in range(7):
            for at in range(n_basis):
                explained[at, one] = _dot(seen[at], rows[one], n)
            for other in range(one + 1):
                total = _dot(rows[one], rows[other], n)
                for at in range(n_basis):
                    total -= explained[at, one] * explained[at, other]
                left[one, other] += total
    whole_left = left + left.T
    for at in range(7):
        whole_left[at, at] = left[at, at]
    cost, gradient, hessian = left[6, 6], whole_left[6, :6].copy(), whole_left[:6, :6].copy()
    return cost, gradient, hessian


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def value_and_slopes(image: Floats, to_index: Array, places: Array, motion: Array) -> Array:
    """Value of an image that has moved, and its slopes, at places of the reference position.

    Parameters
    ----------
    image, to_index, places, motion
        As of :func:`normal_equations`.

    Returns
    -------
    ndarray, shape (4, n_place)
        The value, and its derivatives by the three coordinates of the reference position, 1/mm.
    """
    made = np.empty((4, len(places)))
    whole = to_index @ motion
    turned = np.ascontiguousarray(whole[:3, :3].T)
    row, centre = np.zeros((7, 1)), np.zeros(3)
    for place in range(len(places)):
        _sample(image, whole, turned, places[place], centre, row, 0)
        made[0, place], made[1, place], made[2, place], made[3, place] = row[6, 0], row[0, 0], row[1, 0], row[2, 0]
    return made


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def shared_edges(
    image: Floats,
    to_index: Array,
    places: Array,
    basis: Array,
    edges: Whole,
    motion: Array,
    centre: Array,
    reference: Array,
) -> Array:
    """Second derivative of the cost as far as image and reference agree on their edges.

    The noise of an image has slopes, too, and Gauss and Newton take them for edges. Slopes of the image times those of
    a reference with noise of its own are free of it in the mean.

    Parameters
    ----------
    image, to_index, places, basis, edges, motion, centre
        As of :func:`normal_equations`.
    reference : ndarray, shape (4, n_place)
        Value and slopes, as of :func:`value_and_slopes`.

    Returns
    -------
    ndarray, shape (6, 6)
        Symmetric.
    """
    found = np.zeros((6, 6))
    whole = to_index @ motion
    turned = np.ascontiguousarray(whole[:3, :3].T)
    most, n_basis = np.diff(edges).max(), basis.shape[1]
    rows, others, seen = np.zeros((7, most)), np.zeros((7, most)), np.zeros((n_basis, most))
    by_own, by_other = np.zeros((n_basis, 6)), np.zeros((n_basis, 6))
    for block in range(edges.size - 1):
        first, n = edges[block], edges[block + 1] - edges[block]
        mean = 0.0
        for place in range(n):
            at = places[first + place]
            _sample(image, whole, turned, at, centre, rows, place)
            _spread(reference, first + place, at, centre, others, place)
            mean += others[6, place] / n
            for number in range(n_basis):
                seen[number, place] = basis[first + place, number]
        others[6, :n] -= mean
        size = _dot(others[6], others[6], n)
        if not size > 0:
            continue
        share = _dot(rows[6], others[6], n) / size
        for number in range(n_basis):
            for one in range(6):
                by_own[number, one] = _dot(seen[number], rows[one], n)
                by_other[number, one] = _dot(seen[number], others[one], n)
        for one in range(6):
            for other in range(6):
                total = _dot(rows[one], others[other], n)
                for number in range(n_basis):
                    total -= by_own[number, one] * by_other[number, other]
                found[one, other] += share * total
    return (found + found.T) / 2


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _dot(one: Array, other: Array, n: int) -> float:
    """Sum of the products of the first ``n`` numbers."""
    total = 0.0
    for at in range(n):
        total += one[at] * other[at]
    return total


@numba.njit(cache=True, nogil=True, inline="always")
def _spread(told: Array, number: int, place: Array, centre: Array, rows: Array, at: int) -> None:
    """Write derivatives by the six numbers of a further motion, and the value, in a column, from value and slopes."""
    sx, sy, sz = told[1, number], told[2, number], told[3, number]
    rx, ry, rz = place[0] - centre[0], place[1] - centre[1], place[2] - centre[2]
    rows[0, at], rows[1, at], rows[2, at] = sx, sy, sz
    rows[3, at], rows[4, at], rows[5, at] = ry * sz - rz * sy, rz * sx - rx * sz, rx * sy - ry * sx
    rows[6, at] = told[0, number]


@numba.njit(cache=True, nogil=True, inline="always", fastmath={"reassoc", "contract", "nsz"})
def _sample(image: Floats, whole: Array, turned: Array, place: Array, centre: Array, rows: Array, at: int) -> None:
    """Write derivatives by the six numbers of a further motion, and the value, of the image at a place, in a column."""
    x, y, z = place[0], place[1], place[2]
    u = min(max(whole[0, 0] * x + whole[0, 1] * y + whole[0, 2] * z + whole[0, 3], 0.0), image.shape[0] - 1.000001)
    v = min(max(whole[1, 0] * x + whole[1, 1] * y + whole[1, 2] * z + whole[1, 3], 0.0), image.shape[1] - 1.000001)
    w = min(max(whole[2, 0] * x + whole[2, 1] * y + whole[2, 2] * z + whole[2, 3], 0.0), image.shape[2] - 1.000001)
    i, j, k = int(u), int(v), int(w)
    u, v, w = u - i, v - j, w - k
    c000, c100, c010, c110 = image[i, j, k], image[i + 1, j, k], image[i, j + 1, k], image[i + 1, j + 1, k]
    c001, c101 = image[i, j, k + 1], image[i + 1, j, k + 1]
    c011, c111 = image[i, j + 1, k + 1], image[i + 1, j + 1, k + 1]
    x00, x10, x01 = c000 + u * (c100 - c000), c010 + u * (c110 - c010), c001 + u * (c101 - c001)
    x11 = c011 + u * (c111 - c011)
    y0, y1 = x00 + v * (x10 - x00), x01 + v * (x11 - x01)
    by_u = ((c100 - c000) * (1 - v) + (c110 - c010) * v) * (1 - w) + ((c101 - c001) * (1 - v) + (c111 - c011) * v) * w
    by_v = (x10 - x00) * (1 - w) + (x11 - x01) * w
    by_w = y1 - y0
    sx = turned[0, 0] * by_u + turned[0, 1] * by_v + turned[0, 2] * by_w
    sy = turned[1, 0] * by_u + turned[1, 1] * by_v + turned[1, 2] * by_w
    sz = turned[2, 0] * by_u + turned[2, 1] * by_v + turned[2, 2] * by_w
    rx, ry, rz = x - centre[0], y - centre[1], z - centre[2]
    rows[0, at], rows[1, at], rows[2, at] = sx, sy, sz
    rows[3, at], rows[4, at], rows[5, at] = ry * sz - rz * sy, rz * sx - rx * sz, rx * sy - ry * sx
    rows[6, at] = y0 + w * (y1 - y0)
