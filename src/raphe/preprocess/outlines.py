"""Outlines of nuclei where the brightness of the head has them, near where a warp has drawn them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse
from scipy.special import ndtr

from raphe.core.box import Box, box_of, put_back
from raphe.core.resample import LINEAR, at_places
from raphe.data.template import Template
from raphe.data.volume import Labels, Volume, Whole
from raphe.nomenclature import region_key
from raphe.preprocess.edges import densities
from raphe.preprocess.likeness import brightness_of

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

UNSURE = (0.0032, 0.0044, 0.006, 0.008, 0.012)
"""Standard deviations of the error of drawn surfaces among which a head chooses, over the brain's edge: from 0.4 to 1.5
mm in people."""

DEEP = 0.98
"""Share from which a voxel is so far within a nucleus that it tells nothing of how unsure the surfaces are."""

REACH = 3.0
"""How far from a drawn surface an outline may lie, in these standard deviations."""

LEAST = 0.02
"""Probability of each tissue that is added to the template's, whose heads are not this one."""

FEW = 40_000
"""Voxels by which it is chosen how unsure the surfaces are."""

ALIKE, TURNS = 0.5, 5
"""Logarithm of how much more probable a class is for each neighbour of it, an assumption; turns of the field."""


def follow_brightness(
    labels: Labels,
    template: Template,
    t1: Volume,
    brain: Flags,
    tissues: tuple[Volume, Volume, Volume],
    places: Floats,
    size: float,
) -> tuple[Labels, float]:
    """Labels whose nuclei end where the brightness of the head says so.

    Near the surfaces that the warp has drawn, each voxel takes the nucleus or tissue that is most probable: by the
    warp, the template's maps of tissue, and the voxel's brightness (as in Puonti et al. 2016, NeuroImage 143:235).
    Voxels on edges have a brightness between two classes, and are of the one of which they have more. How unsure the
    warp is of a surface's place is what makes the head's brightness most likely (of :data:`UNSURE`).

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
    float
        Standard deviation of the error of a drawn surface, mm; NaN where there is none.
    """
    nuclei = [number for number in sorted(template.nuclei) if (labels.values == number).any()]
    if not nuclei:
        return labels, math.nan
    zooms = np.array(t1.grid.zooms)
    box = _around(np.isin(labels.values, nuclei), UNSURE[-1] * size / zooms)
    drawn = labels.values[box]
    within = np.isin(drawn, nuclei)
    atlas = _Map(drawn, nuclei, _tissue_of_places(template, places[box], within), zooms)
    free = brain[box] & (within | np.isin(drawn, [0, *template.ribbon]))
    kinds = _kinds([labels.names[number] for number in nuclei])
    known = brightness_of(t1.values, tissues, box)
    bright = t1.values[box].astype(np.float64)
    unsure = _most_likely(atlas, bright, free, kinds, known, size)
    shares = atlas.shares(unsure)
    near = free & (shares.sum(axis=0) > float(ndtr(-REACH)))
    if not near.any():
        return labels, unsure
    prior = atlas.prior(shares, unsure, near)
    likely = densities(bright[near], _by_kind(prior, kinds), known)
    best = _smooth(prior * likely[kinds], _neighbours(near)).argmax(axis=0)
    found = np.append(nuclei, [0, 0, 0])[best]
    before = drawn[near]
    kept = np.where(np.isin(before, nuclei), 0, before)
    values = labels.values.copy()
    part = values[box]
    part[near] = np.where(found > 0, found, kept)
    return Labels(labels.grid, values, labels.names), unsure


@dataclass(frozen=True, eq=False)
class _Map:
    """Nuclei as they are drawn, and shares of grey, white and fluid around them, shape (3, ...); 0 within them."""

    drawn: Whole
    nuclei: list[int]
    tissue: Floats
    zooms: Array

    def shares(self, unsure: float) -> Floats:
        """Probability of each nucleus, shape (n_nuclei, ...), where surfaces are unsure by that SD, mm."""
        return np.stack([_share(self.drawn == number, unsure / self.zooms) for number in self.nuclei])

    def prior(self, shares: Floats, unsure: float, where: Flags) -> Array:
        """Probabilities of nuclei and tissues, (n_nuclei + 3, n_voxel), where the whole map is displaced by that."""
        sigma = unsure / self.zooms
        around = [ndimage.gaussian_filter(one, sigma, mode="nearest", truncate=REACH + 1)[where] for one in self.tissue]
        prior = np.concatenate([shares[:, where], np.stack(around)]).astype(np.float64)
        return np.asarray(prior / np.maximum(prior.sum(axis=0), np.finfo(float).tiny))


def _tissue_of_places(template: Template, places: Floats, within: Flags) -> Floats:
    """Shares of tissue around the nuclei: of each place as the one that it most probably is, but for a little."""
    shares = np.stack([at_places(one.values, one.grid.affine, places, LINEAR) for one in template.tissues])
    one = (shares.argmax(axis=0) == np.arange(3)[:, None, None, None]) & (shares.sum(axis=0) > 0)
    tissue = one + np.float32(LEAST)
    return np.where(within, np.float32(0), tissue / tissue.sum(axis=0)).astype(np.float32)


def _most_likely(
    atlas: _Map, bright: Array, free: Flags, kinds: npt.NDArray[np.intp], known: Array, size: float
) -> float:
    """How unsure the surfaces are, mm: what makes the brightness around them most likely.

    All of :data:`UNSURE` are tried on the same voxels, those that are near surfaces by the largest; the likeliest is
    the top of a parabola in its logarithm through the best and its neighbours.
    """
    shares = atlas.shares(UNSURE[-1] * size)
    near = free & (shares.sum(axis=0) > float(ndtr(-REACH))) & (shares.max(axis=0) < DEEP)
    at = np.flatnonzero(near)
    if not at.size:
        return UNSURE[-1] * size
    few = np.zeros(near.size, dtype=bool)
    few[at[:: max(1, at.size // FEW)]] = True
    few = few.reshape(near.shape)
    fit = []
    for one in UNSURE:
        prior = _by_kind(atlas.prior(atlas.shares(one * size), one * size, few), kinds)
        fit.append(float(np.log(np.maximum((prior * densities(bright[few], prior, known)).sum(axis=0), 1e-300)).mean()))
    best = int(np.clip(np.argmax(fit), 1, len(fit) - 2))
    line = np.log(UNSURE)[best - 1 : best + 2]
    a, b, _ = np.polyfit(line - line[1], fit[best - 1 : best + 2], 2)
    top = float(np.clip(line[1] - b / (2 * a), *np.log(UNSURE)[[0, -1]])) if a < 0 else np.log(UNSURE)[np.argmax(fit)]
    return float(np.exp(top)) * size


def _around(inside: Flags, sigma: Array) -> Box:
    """Box of what is inside, with room for what the surface may move."""
    return box_of(inside, [math.ceil((REACH + 1) * one) for one in sigma])


def _share(inside: Flags, sigma: Array) -> Floats:
    """Probability of a region whose surface is unsure."""
    box = _around(inside, sigma)
    part = ndimage.gaussian_filter(inside[box].astype(np.float32), sigma, mode="constant", truncate=REACH + 1)
    return put_back(part, box, inside.shape)


def _by_kind(prior: Array, kinds: npt.NDArray[np.intp]) -> Array:
    """Probabilities of those that are alike in brightness, shape (n_kind, n_voxel)."""
    whole = np.zeros((kinds.max() + 1, prior.shape[1]))
    np.add.at(whole, kinds, prior)
    return whole


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
