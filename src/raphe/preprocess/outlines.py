"""Outlines of nuclei where the brightness of the head has them, near where a warp has drawn them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse
from scipy.special import ndtr

from raphe.core.resample import LINEAR, at_places
from raphe.data.template import Template
from raphe.data.volume import Labels, Volume
from raphe.nomenclature import region_key
from raphe.preprocess.likeness import brightness_of

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Box = tuple[slice, ...]

UNSURE = 0.009
"""Standard deviation of the error of a drawn surface, over the brain's edge: 1 mm in people. An assumption."""

REACH = 3.0
"""How far from a drawn surface an outline may lie, in these standard deviations."""

LEAST = 0.02
"""Probability of each tissue that is added to the template's, whose heads are not this one."""

ALIKE, TURNS = 0.5, 5
"""Logarithm of how much more probable a class is for each neighbour of it, an assumption; turns of the field."""

TOLD = 0.01
"""Weight of what is known of a tissue's brightness from the head, in voxels over those that are looked at."""

ROUNDS = 10
"""Turns of the mixture."""


BINS = 400
"""Steps of brightness that are told apart."""

FEW = 40_000
"""Voxels by which brightness is found."""


class _Looks(NamedTuple):
    """Brightness of each class, its standard deviation, common to all, and the share of voxels on edges of two."""

    mean: Array
    sd: float
    edge: float


def follow_brightness(
    labels: Labels,
    template: Template,
    t1: Volume,
    brain: Flags,
    tissues: tuple[Volume, Volume, Volume],
    places: Floats,
    size: float,
) -> Labels:
    """Labels whose nuclei end where the brightness of the head says so.

    Near the surfaces that the warp has drawn, each voxel takes the nucleus or tissue that is most probable: by the
    warp, which is unsure of the surface's place (:data:`UNSURE`), the template's maps of tissue, and the voxel's
    brightness (as in Puonti et al. 2016, NeuroImage 143:235). Voxels on edges have a brightness between two classes,
    and are of the one of which they have more.

    Parameters
    ----------
    labels : Labels
        The template's, as they are drawn on the head.
    template : Template
        With its maps of tissue.
    t1 : Volume
        The head, without bias field.
    brain : ndarray of bool, shape ``t1.grid.shape``
    tissues : tuple of Volume
        Grey, white, fluid of the head: how bright each is.
    places : ndarray of float32, shape (``*t1.grid.shape``, 3), mm
        Of the head's voxels in the template.
    size : float, mm
        Edge of the brain.

    Returns
    -------
    Labels
        What a nucleus loses has no label; what it gains was without one, of another nucleus, or of a sheet of grey
        matter (the template's ``ribbon``).
    """
    nuclei = [number for number in sorted(template.nuclei) if (labels.values == number).any()]
    if not nuclei:
        return labels
    sigma = UNSURE * size / np.array(t1.grid.zooms)
    box = _around(np.isin(labels.values, nuclei), sigma)
    drawn = labels.values[box]
    shares = np.stack([_share(drawn == number, sigma) for number in nuclei])
    free = brain[box] & np.isin(drawn, [0, *nuclei, *template.ribbon])
    near = free & (shares.sum(axis=0) > float(ndtr(-REACH)))
    if not near.any():
        return labels
    prior = _prior(shares[:, near], template, places[box][near])
    kinds = _kinds([labels.names[number] for number in nuclei])
    known = brightness_of(t1.values, tissues, box)
    likely = _likelihood(t1.values[box][near].astype(np.float64), prior, kinds, known)
    best = _smooth(prior * likely[kinds], _neighbours(near)).argmax(axis=0)
    found = np.append(nuclei, [0, 0, 0])[best]
    before = drawn[near]
    kept = np.where(np.isin(before, nuclei), 0, before)
    values = labels.values.copy()
    part = values[box]
    part[near] = np.where(found > 0, found, kept)
    return Labels(labels.grid, values, labels.names)


def _around(inside: Flags, sigma: Array) -> Box:
    """Box of what is inside, with room for what the surface may move."""
    room = np.ceil((REACH + 1) * sigma).astype(int)
    return tuple(
        slice(max(0, int(at.min()) - more), int(at.max()) + more + 1)
        for at, more in zip(np.nonzero(inside), room, strict=True)
    )


def _share(inside: Flags, sigma: Array) -> Floats:
    """Probability of a region whose surface is unsure."""
    whole = np.zeros(inside.shape, dtype=np.float32)
    box = _around(inside, sigma)
    whole[box] = ndimage.gaussian_filter(inside[box].astype(np.float32), sigma, mode="constant", truncate=REACH + 1)
    return whole


def _prior(shares: Floats, template: Template, places: Floats) -> Array:
    """Probabilities of nuclei and, for what these leave, of grey, white and fluid; shape (n_nuclei + 3, n_voxel)."""
    tissue = LEAST + np.stack([at_places(one.values, one.grid.affine, places, LINEAR) for one in template.tissues])
    rest = np.clip(1 - shares.sum(axis=0), 0, 1)
    prior = np.concatenate([shares, rest * tissue / tissue.sum(axis=0)]).astype(np.float64)
    return np.asarray(prior / np.maximum(prior.sum(axis=0), np.finfo(float).tiny))


def _kinds(names: list[str]) -> npt.NDArray[np.intp]:
    """Number of the brightness of each row of the prior: one for both sides of a region, one for each tissue."""
    plain = [region_key(name)[0] for name in names]
    order = list(dict.fromkeys(plain))
    return np.array([order.index(name) for name in plain] + [len(order) + at for at in range(3)])


def _neighbours(near: Flags) -> sparse.csr_array:
    """Which voxels share a face, shape (n_voxel, n_voxel)."""
    number = np.full(near.shape, -1)
    number[near] = np.arange(near.sum())
    pairs = []
    for axis in range(3):
        moved = np.moveaxis(number, axis, 0)
        both = (moved[:-1] >= 0) & (moved[1:] >= 0)
        pairs.append(np.stack([moved[:-1][both], moved[1:][both]]))
    one, other = np.concatenate(pairs, axis=1)
    half = sparse.csr_array((np.ones(one.size), (one, other)), shape=(number.max() + 1,) * 2)
    return sparse.csr_array(half + half.T)


def _smooth(probable: Array, beside: sparse.csr_array) -> Array:
    """Probabilities where neighbours are likely to be alike: a Markov random field, by its mean field."""
    weight = probable / np.maximum(probable.sum(axis=0), 1e-300)
    for _ in range(TURNS):
        weight = probable * np.exp(ALIKE * (beside @ weight.T).T)
        weight /= np.maximum(weight.sum(axis=0), 1e-300)
    return np.asarray(weight)


def _likelihood(values: Array, prior: Array, kinds: npt.NDArray[np.intp], known: Array) -> Array:
    """Of each class in each voxel, given its brightness, shape (n_class, n_voxel)."""
    gather = np.zeros((kinds.max() + 1, kinds.size))
    gather[kinds, np.arange(kinds.size)] = 1
    low, high = np.percentile(values, [0.5, 99.5])
    bins = np.linspace(low, high, BINS)
    at = np.clip(np.searchsorted(bins, values), 0, BINS - 1)
    by_kind = gather @ prior
    few = slice(None, None, max(1, values.size // FEW))
    now = _fitted(values[few], by_kind[:, few], at[few], bins, known)
    return np.asarray(_pure(now, bins)[:, at] + _edges(now, by_kind, at, bins))


def _fitted(values: Array, prior: Array, at: npt.NDArray[np.intp], bins: Array, known: Array) -> _Looks:
    """Expectation and maximisation. Voxels on edges tell of their number alone.

    What is known of the tissues, the last classes, keeps one that is nearly absent from taking other voxels.
    """
    least = 1e-3 * float(np.ptp(bins)) + 1e-9
    each = prior.sum(axis=1)
    mean = prior @ values / np.maximum(each, 1e-9)
    mean[-known.size :] = known
    start, beside = mean, np.full(mean.size, 1e-3)
    beside[-known.size :] = TOLD * values.size
    away = np.abs(values - mean[prior.argmax(axis=0)])
    now = _Looks(mean, max(1.4826 * float(np.median(away)), least), 0.1)
    for _ in range(ROUNDS):
        pure = prior * _pure(now, bins)[:, at]
        pure /= np.maximum(pure.sum(axis=0) + (prior * _edges(now, prior, at, bins)).sum(axis=0), 1e-300)
        each = pure.sum(axis=1)
        mean = (pure @ values + beside * start) / (each + beside)
        variance = float((pure * (values - mean[:, None]) ** 2).sum() / max(float(each.sum()), 1.0))
        edge = float(np.clip(1 - each.sum() / values.size, 0.01, 0.9))
        now = _Looks(mean, max(float(np.sqrt(variance)), least), edge)
    return now


def _pure(now: _Looks, bins: Array) -> Array:
    """Density of brightness of voxels of one class alone, shape (n_class, n_bin)."""
    away = (bins - now.mean[:, None]) / now.sd
    return np.asarray((1 - now.edge) * np.exp(-0.5 * away**2) / (now.sd * np.sqrt(2 * np.pi)))


def _edges(now: _Looks, prior: Array, at: npt.NDArray[np.intp], bins: Array) -> Array:
    """Density of brightness of voxels that are of one class in the larger part, the rest of others by their priors.

    All parts from a half to the whole are alike likely, so brightness is even from the middle of two to the one.
    """
    found = np.zeros_like(prior)
    for one, mean in enumerate(now.mean):
        rest = np.maximum(prior.sum(axis=0) - prior[one], 1e-9)
        for other, its in enumerate(now.mean):
            if other == one:
                continue
            ends = np.sort([mean, (mean + its) / 2])
            width = max(float(ends[1] - ends[0]), 0.1 * now.sd)
            middle = ends.mean()
            from_, to = middle - width / 2, middle + width / 2
            table = now.edge * (ndtr((bins - from_) / now.sd) - ndtr((bins - to) / now.sd)) / width
            found[one] += prior[other] / rest * table[at]
    return found
