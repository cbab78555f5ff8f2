"""A contrast in every voxel, with p values by permutation that hold for the whole brain."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import count as counted
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.core import clusters as cores
from raphe.core.box import box_of
from raphe.core.permutation import TIE_OF_MAPS, Turned, family_wise, max_t, observed_map, over_maps, turn
from raphe.core.shuffled import Shuffled
from raphe.core.smoothing import Kernel, kernel
from raphe.data.map_contrast import MapCluster, MapContrast
from raphe.errors import InputError
from raphe.stats.map_designs import MapDesign
from raphe.stats.map_scheme import shuffled

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating]
Labels = npt.NDArray[np.int32]

T, TFCE, CLUSTER = "t", "tfce", "cluster"
STATISTICS = (T, TFCE, CLUSTER)


class _Chance(NamedTuple):
    """Observed map of t, its p values, the largest t of each shuffle, and what else was measured of each map."""

    t: Array
    p: Array
    p_fwe: Array
    most: Array
    measured: Array


class _Space(NamedTuple):
    """How a map is measured."""

    near: cores.Places | None
    """Neighbours for TFCE; None where it is not wanted."""
    near_clusters: cores.Places | None
    threshold: float

    def measure(self, values: cores.Singles) -> tuple[float, float, float, float]:
        """Largest absolute t, largest TFCE, and largest extent and mass of a cluster; 0 for what is not wanted."""
        by_tfce, extent, mass = 0.0, 0.0, 0.0
        if self.near is not None:
            by_tfce = float(np.abs(cores.enhanced(values, self.near, cores.HEIGHT, cores.EXTENT)).max())
        if self.near_clusters is not None:
            extent, mass = cores.largest(values, self.near_clusters, np.float32(self.threshold))
        return float(np.abs(values).max()), by_tfce, extent, mass


def map_contrast(
    study: MapDesign,
    mask: Flags,
    *,
    permutations: int = 5000,
    seed: int = 0,
    statistics: Collection[str] = STATISTICS,
    variance_smoothing: float | None = None,
    affine: Array | None = None,
    cluster_p: float = 0.001,
    cluster_threshold: float | None = None,
    connectivity: int = 6,
    cluster_connectivity: int = 26,
    threads: int = 1,
    tell: Callable[[int, int], None] | None = None,
) -> MapContrast:
    """Test one contrast in every voxel of a mask, two-sided.

    Only voxels that have a value in every scan are analysed; the others are counted.

    Parameters
    ----------
    study : MapDesign
        Its maps on the grid of the mask, or as rows of the mask's voxels.
    mask : ndarray of bool
        Of three dimensions, unless only ``t`` is asked for.
    permutations : int
        How many shuffles, the observed one among them. All are looked at where there are no more.
    seed : int
        Of the shuffles drawn at random; the same seed gives the same digits, whatever the threads.
    statistics : collection of str
        ``t`` (always made), ``tfce``, ``cluster``.
    variance_smoothing : float, optional
        FWHM in mm of a Gaussian over the map of the variance, for few scans: pseudo-t (Nichols & Holmes 2002, Hum
        Brain Mapp 15:1).
    affine : ndarray, shape (4, 4), optional
        Voxels to mm; needed for variance smoothing and for volumes of clusters.
    cluster_p : float
        One-sided p value, uncorrected, of the t value that forms clusters: by the t distribution, or the normal one
        where the variance is smoothed.
    cluster_threshold : float, optional
        That t value itself.
    connectivity, cluster_connectivity : int
        Neighbours of a voxel for TFCE and for clusters: 6, 18 or 26, FSL's defaults.
    threads : int
    tell : callable, optional
        Called now and then with the shuffles whose whole map has been looked at, and of how many.

    Raises
    ------
    InputError
        If the mask is empty, shapes differ, no voxel can be analysed, a statistic is unknown, the contrast cannot be
        estimated, scans are too few, or no shuffle changes the t value.
    """
    unknown = set(statistics) - set(STATISTICS)
    if unknown:
        raise InputError(f"there is no statistic {sorted(unknown)[0]!r}; there are {', '.join(STATISTICS)}")
    model = shuffled(study, permutations, seed)
    seen = _seen(study, model, mask)
    smooth = None if variance_smoothing is None else _kernel(seen.analysed, variance_smoothing, affine)
    height = _threshold(cluster_p, cluster_threshold, model.df, smooth is not None)
    space = _Space(
        cores.neighbours(seen.analysed, connectivity) if TFCE in statistics else None,
        cores.neighbours(seen.analysed, cluster_connectivity) if CLUSTER in statistics else None,
        height,
    )
    chance = _chance(seen.turned, model, space, smooth, threads, tell)
    first = observed_map(seen.turned, model, smooth)
    return _result(study, model, seen, space, chance, first, variance_smoothing, affine)


class _Seen(NamedTuple):
    """Data of the voxels that can be analysed."""

    turned: Turned
    analysed: Flags
    n: npt.NDArray[np.int64]
    left_out: tuple[str, ...]


def _seen(study: MapDesign, model: Shuffled, mask: Flags) -> _Seen:
    maps = [_masked(values, mask) for values in (study.maps, *study.covariate_maps)]
    finite = np.all([np.isfinite(values) for values in maps], axis=0)
    n = np.zeros(mask.shape, dtype=np.int64)
    n[mask] = finite.sum(axis=0)
    complete = finite.all(axis=0)
    left_out = []
    if not complete.any():
        raise InputError(f"none of the {complete.size} voxels of the mask has a value in all {len(finite)} scans")
    if not complete.all():
        left_out.append(f"{(~complete).sum()} of {complete.size} voxels of the mask lack a value in at least one scan")
    data, *covariates = (values[:, complete] for values in maps) if left_out else maps
    turned = turn(data, model, covariates)
    if not turned.usable.any():
        raise InputError("no voxel varies between the scans beyond what the model says; the maps are constant")
    if not turned.usable.all():
        left_out.append(f"{(~turned.usable).sum()} voxels do not vary between the scans beyond what the model says")
        data, *covariates = (values[:, turned.usable] for values in (data, *covariates))
        complete[complete] = turned.usable
        turned = turn(data, model, covariates)
    analysed = np.zeros(mask.shape, dtype=np.bool_)
    analysed[mask] = complete
    return _Seen(turned, analysed, n, tuple(left_out))


def _masked(values: Floats, mask: Flags) -> Floats:
    """Maps as rows of the mask's voxels."""
    if mask.dtype != np.bool_ or not mask.any():
        raise InputError(f"the mask has {mask.dtype} values, {int((mask != 0).sum())} of them not 0; give one of bool")
    if values.shape[1:] == mask.shape:
        return values[:, mask]
    if values.ndim == 2 and values.shape[1] == mask.sum():
        return values
    raise InputError(f"the maps have shape {values.shape[1:]}, the mask {mask.shape}; bring them to one grid")


def _kernel(analysed: Flags, width: float, affine: Array | None) -> Kernel:
    """Gaussian inside the part of the grid that holds voxels."""
    if affine is None:
        raise InputError("variance smoothing is in mm and needs the size of a voxel; give the affine of the maps")
    if analysed.ndim != 3:
        raise InputError(f"variance smoothing needs a mask of three dimensions, but this one has {analysed.ndim}")
    x, y, z = (float(size) for size in np.linalg.norm(affine[:3, :3], axis=0))
    return kernel(analysed[box_of(analysed)], width, (x, y, z))


def _threshold(p: float, given: float | None, df: int, smoothed: bool) -> float:
    if given is not None:
        if not 0 < given < np.inf:
            raise InputError(f"the threshold of clusters is {given:g}; give a positive t value")
        return given
    if not 0 < p < 0.5:
        raise InputError(f"the p value that forms clusters is {p:g}; give one between 0 and 0.5")
    return float(stats.norm.isf(p) if smoothed else stats.t.isf(p, df))


def _chance(
    turned: Turned,
    model: Shuffled,
    space: _Space,
    smooth: Kernel | None,
    threads: int,
    tell: Callable[[int, int], None] | None,
) -> _Chance:
    """All shuffles, whole maps only where they are needed."""
    measure = space.measure if tell is None else _told(space, len(model.rows), tell)
    measured = np.zeros((len(model.rows), 4))
    if smooth is None:
        found = max_t(turned, model, threads)
        if space.near is not None or space.near_clusters is not None:
            measured, _ = over_maps(turned, model, measure, threads=threads)
        return _Chance(turned.t, found.p, found.p_fwe, found.most, measured)
    first = observed_map(turned, model, smooth)
    bar = np.abs(first) * np.float32(1 - TIE_OF_MAPS)
    measured, count = over_maps(turned, model, measure, variance=smooth, bar=bar, threads=threads)
    t, m = first.astype(float), len(model.rows)
    p_fwe = family_wise(np.abs(t), measured[:, 0], share=TIE_OF_MAPS)
    return _Chance(t, count / m, p_fwe, measured[:, 0], measured)


def _told(
    space: _Space, total: int, tell: Callable[[int, int], None]
) -> Callable[[cores.Singles], tuple[float, float, float, float]]:
    """Measure maps, and tell how many are done at each twentieth of them."""
    numbers, step = counted(1), max(total // 20, 1)

    def measure(values: cores.Singles) -> tuple[float, float, float, float]:
        found = space.measure(values)
        at = next(numbers)
        if at % step == 0 or at == total:
            tell(at, total)
        return found

    return measure


def _result(
    study: MapDesign,
    model: Shuffled,
    seen: _Seen,
    space: _Space,
    chance: _Chance,
    first: cores.Singles,
    smooth: float | None,
    affine: Array | None,
) -> MapContrast:
    def volume(values: Array) -> Array:
        whole = np.full(seen.analysed.shape, np.nan)
        whole[seen.analysed] = values
        return whole

    by_tfce = log_tfce = labels = None
    if space.near is not None:
        by_tfce = cores.tfce(first, space.near)
        log_tfce = volume(_log(family_wise(np.abs(by_tfce), chance.measured[:, 1], share=TIE_OF_MAPS)))
        by_tfce = volume(by_tfce)
    rows: tuple[MapCluster, ...] = ()
    if space.near_clusters is not None:
        labels, rows = _clusters(first, space, chance.measured, chance.t, seen.analysed, affine)
    return MapContrast(
        what=study.what,
        effect=volume(seen.turned.effect),
        t=volume(chance.t),
        p=volume(np.full(len(first), np.nan) if smooth is not None else 2 * stats.t.sf(np.abs(chance.t), model.df)),
        p_permuted=volume(chance.p),
        logpfwe=volume(_log(chance.p_fwe)),
        tfce=by_tfce,
        logpfwe_tfce=log_tfce,
        labels=labels,
        clusters=rows,
        cluster_threshold=np.nan if labels is None else space.threshold,
        n=seen.n,
        analysed=seen.analysed,
        df=model.df,
        permutations=len(model.rows),
        possible=model.possible,
        exact=model.complete,
        smallest_p=model.smallest,
        critical_t=_critical(chance.most),
        variance_smoothing=smooth,
        left_out=seen.left_out,
    )


def _log(p: Array) -> Array:
    return np.abs(np.log10(p))


def _critical(most: Array) -> float:
    """The largest value that more than a twentieth of the shuffles reach."""
    few = int(len(most) * 0.05)
    return float(np.sort(most)[::-1][few]) if few else np.inf


def _clusters(
    first: cores.Singles, space: _Space, measured: Array, t: Array, analysed: Flags, affine: Array | None
) -> tuple[Labels, tuple[MapCluster, ...]]:
    """Volume of numbers and the table."""
    assert space.near_clusters is not None
    of, extent, mass = cores.clusters(first, space.near_clusters, space.threshold)
    labels = np.zeros(analysed.shape, dtype=np.int32)
    labels[analysed] = of
    p_extent = family_wise(extent.astype(float), measured[:, 2])
    p_mass = family_wise(mass, measured[:, 3], share=TIE_OF_MAPS)
    size = np.nan if affine is None else float(abs(np.linalg.det(affine[:3, :3])))
    number = np.abs(of)
    highest = np.lexsort((-np.abs(t), number))
    tops = highest[np.searchsorted(number[highest], np.arange(1, len(extent) + 1))]
    rows = (
        MapCluster(
            k + 1, int(np.sign(of[top])), int(extent[k]), size * int(extent[k]), float(mass[k]), float(p_extent[k]),
            float(p_mass[k]), tuple(int(i) for i in at), float(t[top]),
        )
        for k, (top, at) in enumerate(zip(tops, np.argwhere(analysed)[tops], strict=True))
    )  # fmt: skip
    return labels, tuple(rows)
