"""Images of what each parcel of a head holds, sampled on any grid, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]

compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def painted(
    labels: npt.NDArray[np.uint8], matrix: Array, shape: tuple[int, int, int], finer: int, value: Array
) -> Array:
    """Mean over each voxel of what the parcels in it hold.

    Parameters
    ----------
    labels : ndarray of uint8, shape (nx, ny, nz)
        Number of the parcel; 0 outside.
    matrix : ndarray, shape (3, 4)
        From indices of voxels of the image to indices of labels.
    shape : tuple of int, length 3
        Of the image.
    finer : int
        Points along each edge of a voxel at which the labels are looked up.
    value : ndarray, shape (n_parcel,)
        What each parcel holds.

    Returns
    -------
    ndarray, shape ``shape``
    """
    out = np.zeros(shape)
    nx, ny, nz = labels.shape
    step = 1.0 / finer
    share = step * step * step
    for i in range(shape[0]):
        for j in range(shape[1]):
            for k in range(shape[2]):
                total = 0.0
                for a in range(finer):
                    x = i + (a + 0.5) * step - 0.5
                    for b in range(finer):
                        y = j + (b + 0.5) * step - 0.5
                        u0 = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 3] + 0.5
                        v0 = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 3] + 0.5
                        w0 = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 3] + 0.5
                        for c in range(finer):
                            z = k + (c + 0.5) * step - 0.5
                            u, v, w = u0 + matrix[0, 2] * z, v0 + matrix[1, 2] * z, w0 + matrix[2, 2] * z
                            if 0 <= u < nx and 0 <= v < ny and 0 <= w < nz:
                                total += value[labels[int(u), int(v), int(w)]]
                            else:
                                total += value[0]
                out[i, j, k] = total * share
    return out


@compiled
def relabelled(labels: npt.NDArray[np.uint8], matrix: Array, shape: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """Label at the centre of each voxel.

    Parameters
    ----------
    labels, matrix, shape
        As for :func:`painted`.

    Returns
    -------
    ndarray of uint8, shape ``shape``
    """
    out = np.zeros(shape, np.uint8)
    nx, ny, nz = labels.shape
    for i in range(shape[0]):
        for j in range(shape[1]):
            for k in range(shape[2]):
                u = matrix[0, 0] * i + matrix[0, 1] * j + matrix[0, 2] * k + matrix[0, 3] + 0.5
                v = matrix[1, 0] * i + matrix[1, 1] * j + matrix[1, 2] * k + matrix[1, 3] + 0.5
                w = matrix[2, 0] * i + matrix[2, 1] * j + matrix[2, 2] * k + matrix[2, 3] + 0.5
                if 0 <= u < nx and 0 <= v < ny and 0 <= w < nz:
                    out[i, j, k] = labels[int(u), int(v), int(w)]
    return out


@compiled
def deformed(
    labels: npt.NDArray[np.uint8], scale: Array, centre: Array, lattice: Array, spacing: float
) -> npt.NDArray[np.uint8]:
    """Labels of a head that is scaled and smoothly deformed.

    Parameters
    ----------
    labels : ndarray of uint8, shape (nx, ny, nz)
    scale : ndarray, shape (3,)
        How much larger the new head is along each axis.
    centre : ndarray, shape (3,)
        What stays in its place, as indices.
    lattice : ndarray, shape (3, mx, my, mz)
        Displacements in voxels at points ``spacing`` voxels apart, beginning at index 0; linear between them.
    spacing : float

    Returns
    -------
    ndarray of uint8, shape (nx, ny, nz)
    """
    nx, ny, nz = labels.shape
    out = np.zeros((nx, ny, nz), np.uint8)
    shift = np.empty(3)
    for i in range(nx):
        gx = i / spacing
        ia = min(int(gx), lattice.shape[1] - 2)
        fx = gx - ia
        for j in range(ny):
            gy = j / spacing
            ja = min(int(gy), lattice.shape[2] - 2)
            fy = gy - ja
            for k in range(nz):
                gz = k / spacing
                ka = min(int(gz), lattice.shape[3] - 2)
                fz = gz - ka
                for d in range(3):
                    near = lattice[d, ia, ja, ka] * (1 - fz) + lattice[d, ia, ja, ka + 1] * fz
                    far = lattice[d, ia, ja + 1, ka] * (1 - fz) + lattice[d, ia, ja + 1, ka + 1] * fz
                    before = near * (1 - fy) + far * fy
                    near = lattice[d, ia + 1, ja, ka] * (1 - fz) + lattice[d, ia + 1, ja, ka + 1] * fz
                    far = lattice[d, ia + 1, ja + 1, ka] * (1 - fz) + lattice[d, ia + 1, ja + 1, ka + 1] * fz
                    shift[d] = before * (1 - fx) + (near * (1 - fy) + far * fy) * fx
                u = centre[0] + (i - centre[0]) / scale[0] + shift[0] + 0.5
                v = centre[1] + (j - centre[1]) / scale[1] + shift[1] + 0.5
                w = centre[2] + (k - centre[2]) / scale[2] + shift[2] + 0.5
                if 0 <= u < nx and 0 <= v < ny and 0 <= w < nz:
                    out[i, j, k] = labels[int(u), int(v), int(w)]
    return out
