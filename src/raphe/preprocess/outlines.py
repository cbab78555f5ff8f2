"""Outlines of nuclei where the brightness of the head has them, near where a warp has drawn them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse
from scipy.special import ndtr

from raphe.core.box import Box, box_of
from raphe.core.resample import LINEAR, at_places
from raphe.data.template import Template
from raphe.data.volume import Labels, Volume
from raphe.nomenclature import region_key
from raphe.preprocess.edges import densities
from raphe.preprocess.likeness import brightness_of

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

UNSURE = 0.009
"""Standard deviation of the error of a drawn surface, over the brain's edge: 1 mm in people. An assumption."""

REACH = 3.0
"""How far from a drawn surface an outline may lie, in these standard deviations."""

LEAST = 0.02
"""Probability of each tissue that is added to the template's, whose heads are not this one."""

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
    by_kind = np.zeros((kinds.max() + 1, prior.shape[1]))
    np.add.at(by_kind, kinds, prior)
    likely = densities(t1.values[box][near].astype(np.float64), by_kind, known)
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
    return box_of(inside, [math.ceil((REACH + 1) * one) for one in sigma])


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
