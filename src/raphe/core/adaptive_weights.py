"""Maps averaged over neighbours that do not differ by more than noise: propagation and separation.

Each voxel becomes a mean of those around it, by the inverse of their variance, by their distance, and by whether what
surrounds them is the same as far as the errors can tell (Polzehl & Spokoiny 2006, Probab Theory Relat Fields 135:335;
compared patch by patch, as Coupe et al. 2008, IEEE Trans Med Imaging 27:425). This is done in :data:`STAGES`, each with
a longer reach, and with comparisons of the estimates of the stage before.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.ndimage import correlate1d, gaussian_filter

from raphe.errors import InputError

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stage:
    """One pass.

    Parameters
    ----------
    reach : float
        Share of the longest reach.
    corners : bool
        Whether patches are compared with their corners, 27 voxels, or without, 7.
    """

    reach: float
    corners: bool


STAGES = (Stage(0.58, True), Stage(0.84, False), Stage(1.0, False))
"""The first compares single voxels, and needs larger patches."""

REACH = 3.1
"""Longest distance of voxels that are averaged, where none is given, as a multiple of the smallest size of a voxel."""

ALIKE, APART = 1.0, 3.0
"""Mean squared difference of two patches, relative to its variance, up to which they are the same and from which on
they have nothing in common."""

ALONE = 0.25
"""Share of the squared difference of the two voxels in the middle that counts even where the rest of the patches is the
same."""

POOL = 1.0
"""Standard deviation, in voxels, of the Gaussian under which variances are averaged (their logarithms), so that a
voxel's weight does not go with its own error."""

LAGS = 8
"""Distance in voxels beyond which errors are taken as independent."""

FLATTENED = 2.0
"""Standard deviation, in voxels, of the Gaussian under which it is judged where a map is flat."""

LEAST_CORRELATION = 0.05
"""Correlation of neighbours below which errors are taken as independent."""

MOST_CORRELATION = 0.95
MEDIAN_OF_SQUARE = 0.4549364
"""Median of the square of a standard normal value."""

TRIAL = 22
"""Voxels along each side of the cube of noise by which standard errors are calibrated."""

CHUNK = 64
"""Rows of voxels that are averaged at once."""

LANES = 8
"""Voxels whose variances are found at once."""

EDGE = 1
"""Reach of a patch."""

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


@dataclass(frozen=True, eq=False)
class Regularised:
    """A map after averaging.

    Parameters
    ----------
    value, se : ndarray, shape (x, y, z)
        NaN where not wanted, and where no voxel within reach takes part.
    correlation : ndarray, shape (3,)
        Of the errors of neighbours along each axis.
    """

    value: Array
    se: Array
    correlation: Array


def regularised(
    value: Array,
    se: Array,
    part: Flags,
    wanted: Flags,
    voxel: tuple[float, float, float],
    *,
    reach: float | None = None,
    correlation: Array | None = None,
    workers: int = 1,
) -> Regularised:
    """Map averaged over neighbours that do not differ by more than noise.

    Where standard errors are small beside what differs, it is the map as it was; where all is the same, it is the mean
    under a kernel of Epanechnikov. It does not depend on the number of workers.

    Parameters
    ----------
    value, se : ndarray, shape (x, y, z)
        On a scale on which errors are nearly normal: logarithms of volumes and rates.
    part : ndarray of bool, shape (x, y, z)
        Voxels that take part: their values are finite and their standard errors positive.
    wanted : ndarray of bool, shape (x, y, z)
        Voxels that get a value. One that takes no part itself gets that of its neighbours.
    voxel : tuple of float, mm
    reach : float, mm, optional
        Longest distance of voxels that are averaged; :data:`REACH` voxels by default.
    correlation : ndarray, shape (3,), optional
        Of the errors of neighbours along each axis; by default that of :func:`correlation_of_neighbours`. Further apart
        it falls as a Gaussian.
    workers : int
        Threads.

    Returns
    -------
    Regularised
        The standard error holds noise: with the weights as they are, correlation included, and enlarged, as far as a
        voxel is averaged, by what the choice of weights by noise adds where the truth is constant, found with a cube of
        such noise. It does not hold what other tissue was mixed in at an edge that the noise hides.

    Raises
    ------
    InputError
        If shapes differ, the reach is not positive, or a voxel that takes part has no standard error.
    """
    if not value.shape == se.shape == part.shape == wanted.shape or value.ndim != 3:
        raise InputError(f"maps of one 3D grid are needed, not {value.shape}, {se.shape}, {part.shape}, {wanted.shape}")
    if not all(0 < size < np.inf for size in voxel) or not (reach is None or 0 < reach < np.inf):
        raise InputError(f"the reach ({reach} mm) and the sizes of a voxel ({voxel} mm) must be positive")
    if not (np.isfinite(value[part]).all() and (se[part] > 0).all() and (se[part] < np.inf).all()):
        raise InputError("a voxel that takes part has no value, or no positive standard error; leave it out")
    empty = np.full(value.shape, np.nan)
    if not part.any():
        return Regularised(empty, empty.copy(), np.zeros(3))
    spacing = np.asarray(voxel) / min(voxel)
    far = REACH if reach is None else reach / min(voxel)
    variance = pooled(np.where(part, se, 1.0) ** 2, part)
    clean = np.where(part, value, 0.0)
    rho = correlation_of_neighbours(clean, variance, part) if correlation is None else np.asarray(correlation, float)
    rho = np.where(rho < LEAST_CORRELATION, 0.0, np.minimum(rho, MOST_CORRELATION))
    passes = [_Pass.of(stage, far, spacing, rho) for stage in STAGES]
    found, spread = _staged(clean, variance, part, wanted, passes, workers)
    found[~wanted], spread[~wanted] = np.nan, np.nan
    averaged = np.clip(1 - spread / variance, 0, 1)
    return Regularised(found, np.sqrt(spread * (1 + _excess(passes, rho, workers) * averaged)), rho)


def pooled(variance: Array, part: Flags) -> Array:
    """Geometric mean of the variances around each voxel; 1 where a voxel takes no part."""
    share = gaussian_filter(part.astype(float), POOL, mode="constant")
    total = gaussian_filter(np.where(part, np.log(variance), 0.0), POOL, mode="constant")
    mean: Array = np.divide(total, share, out=np.zeros(part.shape), where=part)
    return np.exp(mean)


def correlation_of_neighbours(value: Array, variance: Array, part: Flags) -> Array:
    """Correlation of the errors of neighbours along each axis, from the median of their squared differences.

    What truly differs makes it too small. So only that half of the voxels is taken where the smoothed map is flattest
    beside its errors; still it is too small for a map whose every voxel differs from the next by more than noise. There
    nothing is averaged either.

    Parameters
    ----------
    value, variance : ndarray, shape (x, y, z)
    part : ndarray of bool, shape (x, y, z)

    Returns
    -------
    ndarray, shape (3,)
        From 0 on; 0 along an axis without neighbours.
    """
    flat = part & (_steepness(value, variance, part) <= 1)
    rho = np.zeros(3)
    for axis in range(3):
        y, v, p = np.moveaxis(value, axis, 0), np.moveaxis(variance, axis, 0), np.moveaxis(flat, axis, 0)
        both = p[1:] & p[:-1]
        if both.any():
            square = (y[1:] - y[:-1])[both] ** 2 / (v[1:] + v[:-1])[both]
            rho[axis] = max(1 - float(np.median(square)) / MEDIAN_OF_SQUARE, 0.0)
    return rho


def _steepness(value: Array, variance: Array, part: Flags) -> Array:
    """Squared slope of the smoothed map over the variance, relative to its median; 0 at the edge of what takes part."""
    share = gaussian_filter(part.astype(float), FLATTENED, mode="constant")
    total = gaussian_filter(np.where(part, value, 0.0), FLATTENED, mode="constant")
    smooth = np.divide(total, share, out=np.full(part.shape, np.nan), where=part)
    slope = np.zeros(part.shape)
    for axis in range(3):
        step, here = np.moveaxis(smooth, axis, 0), np.moveaxis(slope, axis, 0)
        here[1:-1] += np.nan_to_num(step[2:] - step[:-2]) ** 2
    slope /= variance
    return slope / max(float(np.median(slope[part])), np.finfo(float).tiny)


@dataclass(frozen=True, eq=False)
class _Pass:
    """A stage on a grid.

    ``step`` (n, 3) are voxels within reach, ``near`` (n,) their weights by distance, ``patch`` (m, 3) the rows of
    voxels that are compared, the middle one first, with or without their ``corners``, ``band`` (3, 2 LAGS + 1) the
    correlation along each axis, ``expected`` (n,) the variance of a difference of raw values relative to that of
    independent ones, and ``factor`` by how much correlation multiplies the variance of the mean by ``near``.
    """

    step: Integers
    near: Array
    patch: Integers
    corners: bool
    band: Array
    expected: Array
    factor: float

    @staticmethod
    def of(stage: Stage, far: float, spacing: Array, rho: Array) -> _Pass:
        reach = max(stage.reach * far, 1.0 + 1e-9)
        size = np.floor(reach / spacing).astype(int)
        step = _block(size)
        square = ((step * spacing) ** 2).sum(1)
        step, near = step[square < reach**2], 1 - square[square < reach**2] / reach**2
        patch = _block(np.array([EDGE, EDGE, 0]))
        patch = patch[np.argsort(np.abs(patch).sum(1), kind="stable")]
        if not stage.corners:
            patch = patch[np.abs(patch).sum(1) <= 1]
        lag = np.arange(-LAGS, LAGS + 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            band = np.where(lag == 0, 1.0, np.exp(np.log(rho)[:, None] * lag**2))
            between = np.prod(np.where(step == 0, 1.0, np.exp(np.log(rho) * step**2)), axis=1)
        box = np.zeros(2 * size + 1)
        box[tuple((step + size).T)] = near
        spread = box
        for axis in range(3):
            spread = correlate1d(spread, band[axis], axis=axis, mode="constant")
        expected = np.maximum(1 - between, 1 - MOST_CORRELATION)
        return _Pass(step, near, patch, stage.corners, band, expected, float((box * spread).sum() / (box**2).sum()))

    def averages(
        self,
        image: tuple[Array, Array, Array, Array, Array],
        rows: Integers,
        stride: Integers,
        first: bool,
        last: bool,
        workers: int,
    ) -> tuple[Array, Array]:
        size = np.abs(self.step).max(axis=0)
        scale = 1 / self.expected if first else np.ones(self.near.size)
        exact = last and self.factor > 1
        felt = np.count_nonzero(self.band > LEAST_CORRELATION**2, axis=1).max() if exact else 1
        lags = int(felt) // 2
        band = np.ascontiguousarray(self.band[:, LAGS - lags : LAGS + lags + 1])
        steps, boxed, patch = self.step @ stride, self.step + size, self.patch @ stride
        mean, spread = np.empty_like(image[0]), np.empty_like(image[0])

        def run(chunk: slice) -> None:
            _averaged(
                *image, rows[chunk], steps, boxed, 2 * size + 1, self.near, scale, patch, self.corners,
                (ALIKE, APART, ALONE), band, self.factor, exact, mean, spread,
            )  # fmt: skip

        chunks = [slice(at, at + CHUNK) for at in range(0, len(rows), CHUNK)]
        if workers == 1:
            for chunk in chunks:
                run(chunk)
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(run, chunks))
        return mean, spread


def _block(size: Integers) -> Integers:
    sides = np.meshgrid(*(np.arange(-half, half + 1) for half in size), indexing="ij")
    return np.stack(sides, axis=-1).reshape(-1, 3)


def _staged(
    value: Array, variance: Array, part: Flags, wanted: Flags, passes: list[_Pass], workers: int
) -> tuple[Array, Array]:
    """Value and variance of the wanted voxels, other ones as they are, after all passes."""
    margin = int(max(np.abs(each.step).max() for each in passes)) + EDGE
    own, takes = np.pad(value, margin), np.pad(part.astype(float), margin)
    spread = np.pad(variance, margin, constant_values=1.0)
    inside = np.pad(wanted, margin).ravel()
    stride = np.array([own.shape[1] * own.shape[2], own.shape[2], 1])
    rows = _rows(inside, own.shape[2])
    now, sure = own.ravel(), spread.ravel()
    for number, each in enumerate(passes):
        image = (own.ravel(), spread.ravel(), now, sure, takes.ravel())
        mean, error = each.averages(image, rows, stride, number == 0, number == len(passes) - 1, workers)
        now, sure = own.flatten(), spread.flatten()
        now[inside], sure[inside] = mean[inside], error[inside]
        if number < len(passes) - 1:  # a voxel that takes no part is compared with none
            now[np.isnan(now)], sure[np.isnan(sure)] = 0.0, 1.0
    inner = (slice(margin, -margin),) * 3
    return now.reshape(own.shape)[inner].copy(), sure.reshape(own.shape)[inner].copy()


def _rows(inside: Flags, length: int) -> Integers:
    """First voxel inside, and the one after the last, of every row of ``length`` voxels that has any, (n, 2)."""
    lines = inside.reshape(-1, length)
    has = np.flatnonzero(lines.any(axis=1))
    first, last = lines[has].argmax(axis=1), length - lines[has, ::-1].argmax(axis=1)
    return np.stack([has * length + first, has * length + last], axis=1).astype(np.int64)


def _excess(passes: list[_Pass], rho: Array, workers: int) -> float:
    """Excess of the squared error over its variance in a cube of noise where the truth is 0, if averaged with many.

    Noise chooses the weights too: neighbours are kept that have the same error by chance.
    """
    side, block = np.arange(TRIAL), np.ones((TRIAL,) * 3)
    noise = np.random.default_rng(1).standard_normal(block.shape)
    for axis in range(3):
        if rho[axis] > 0:
            joint = np.exp(np.log(rho[axis]) * (side[:, None] - side) ** 2) + 1e-9 * np.eye(TRIAL)
            noise = np.moveaxis(np.tensordot(np.linalg.cholesky(joint), noise, (1, axis)), 0, axis)
    whole = block > 0
    found, spread = _staged(noise, block, whole, whole, passes, workers)
    return max(float(np.mean(found**2 / spread) - 1) / float(np.mean(np.clip(1 - spread, 1e-3, 1))), 0.0)


@compiled
def _averaged(
    own: Array,
    variance: Array,
    now: Array,
    sure: Array,
    takes: Array,
    rows: Integers,
    step: Integers,
    corner: Integers,
    size: Integers,
    near: Array,
    scale: Array,
    patch: Integers,
    corners: bool,
    limits: tuple[float, float, float],
    band: Array,
    factor: float,
    exact: bool,
    mean: Array,
    spread: Array,
) -> None:
    """Means of ``own`` around the voxels of ``rows``, and their variances with the weights as they are.

    ``rows`` (n, 2) are the first voxel of each row and the voxel after the last. ``patch`` are the rows of a patch, the
    middle one first; those beside it count with their neighbours along the row only if ``corners``. ``now`` and
    ``sure`` are the values that are compared, and their variances. The variance is that of the weighted sum under the
    correlations of ``band`` or, unless ``exact``, that of independent errors times ``factor``, or times the number of
    voxels that the mean amounts to, where that is less. ``mean`` and ``spread`` are filled in.
    """
    alike, apart, alone = limits
    by = 1 / (apart - alike)
    longest = 0
    for q in range(rows.shape[0]):
        longest = max(longest, rows[q, 1] - rows[q, 0])
    wide, narrow = np.empty((2, longest + 2)), np.empty((2, longest + 2))
    middle, total, moment, squares = np.empty(longest), np.empty(longest), np.empty(longest), np.empty(longest)
    weight = np.empty(longest)
    kept = np.empty((step.size if exact else 0, longest))
    box, joint = np.zeros((size[0], size[1], size[2], LANES)), np.empty(LANES)
    one, two = np.zeros_like(box), np.zeros_like(box)
    for q in range(rows.shape[0]):
        i, n = rows[q, 0], rows[q, 1] - rows[q, 0]
        for t in range(n):
            total[t] = moment[t] = squares[t] = 0.0
        for s in range(step.size):
            j = i + step[s]
            wide[:], narrow[:] = 0.0, 0.0
            for r in range(patch.size):
                a, b = i - 1 + patch[r], j - 1 + patch[r]
                one_row, other = slice(a, a + n + 2), slice(b, b + n + 2)
                _compare(
                    wide if corners or r == 0 else narrow,
                    takes[one_row], takes[other], now[one_row], now[other], sure[one_row], sure[other],
                )  # fmt: skip
                if r == 0:
                    middle[:n] = alone * scale[s] * wide[0, 1 : n + 1]
            there = slice(j, j + n)
            _weigh(wide, narrow, middle, near[s], scale[s], apart, by, takes[there], variance[there], weight)
            _add(weight, own[there], variance[there], total, moment, squares)
            if exact:
                kept[s, :n] = weight[:n] * np.sqrt(variance[there])
        for t in range(n):
            if not total[t] > 0:
                mean[i + t], spread[i + t] = np.nan, np.nan
                continue
            mean[i + t] = moment[t] / total[t]
            amount = total[t] * total[t] / squares[t] * variance[i + t]
            spread[i + t] = squares[t] / (total[t] * total[t]) * min(factor, max(amount, 1.0))
        if exact:
            for start in range(0, n, LANES):
                last = min(start + LANES, n)
                for s in range(step.size):
                    for t in range(start, last):
                        box[corner[s, 0], corner[s, 1], corner[s, 2], t - start] = kept[s, t]
                _joint(box, one, two, band, joint)
                for t in range(start, last):
                    if total[t] > 0:
                        spread[i + t] = joint[t - start] / (total[t] * total[t])


@compiled
def _compare(sums: Array, takes: Array, others: Array, now: Array, then: Array, sure: Array, unsure: Array) -> None:
    """Add to ``sums`` the squared differences of two rows over their variances, and how many they are."""
    squares, counts = sums[0], sums[1]
    for t in range(now.size):
        both = takes[t] * others[t]
        difference = now[t] - then[t]
        squares[t] += both * difference * difference / (sure[t] + unsure[t])
        counts[t] += both


@compiled
def _weigh(
    wide: Array,
    narrow: Array,
    middle: Array,
    near: float,
    scale: float,
    apart: float,
    by: float,
    takes: Array,
    variance: Array,
    weight: Array,
) -> None:
    """Weights of a row of voxels for those that they are compared with."""
    lone, alone, sums, counts = narrow[0], narrow[1], wide[0], wide[1]
    for t in range(takes.size):
        distance = lone[t + 1] + sums[t] + sums[t + 1] + sums[t + 2]
        count = alone[t + 1] + counts[t] + counts[t + 1] + counts[t + 2]
        distance = max(scale * distance / max(count, 1.0), middle[t])
        weight[t] = near * min(max((apart - distance) * by, 0.0), 1.0) * takes[t] / variance[t]


@compiled
def _add(weight: Array, own: Array, variance: Array, total: Array, moment: Array, squares: Array) -> None:
    for t in range(own.size):
        total[t] += weight[t]
        moment[t] += weight[t] * own[t]
        squares[t] += weight[t] * weight[t] * variance[t]


@compiled
def _joint(box: Array, one: Array, two: Array, band: Array, joint: Array) -> None:
    """Sum of the products of all elements of each box, (x, y, z, LANES), with all, times the correlation between."""
    n0, n1, n2, _ = box.shape
    lags = band.shape[1] // 2
    total = np.empty(LANES)
    joint[:] = 0.0
    for x in range(n0):
        for y in range(n1):
            for z in range(n2):
                total[:] = 0.0
                for d in range(max(-lags, -z), min(lags, n2 - 1 - z) + 1):
                    _add_lanes(total, band[2, d + lags], box[x, y, z + d])
                one[x, y, z] = total
    for x in range(n0):
        for y in range(n1):
            for z in range(n2):
                total[:] = 0.0
                for d in range(max(-lags, -y), min(lags, n1 - 1 - y) + 1):
                    _add_lanes(total, band[1, d + lags], one[x, y + d, z])
                two[x, y, z] = total
    for x in range(n0):
        for y in range(n1):
            for z in range(n2):
                total[:] = 0.0
                for d in range(max(-lags, -x), min(lags, n0 - 1 - x) + 1):
                    _add_lanes(total, band[0, d + lags], two[x + d, y, z])
                for v in range(LANES):
                    joint[v] += total[v] * box[x, y, z, v]


@compiled
def _add_lanes(total: Array, factor: float, values: Array) -> None:
    for v in range(LANES):
        total[v] += factor * values[v]
