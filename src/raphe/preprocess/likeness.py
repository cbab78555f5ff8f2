"""A template as an individual's image would show it.

A template's own image is an average of heads, often of another scanner and sequence: its nuclei may be as bright as the
white matter around them where an individual's are not. So its atlas is painted with the brightness that each region and
each tissue has in the individual (the model of Puonti et al. 2016, NeuroImage 143:235). Its maps of tissue are
averages, too: where people differ they hold some of each, which painted would be a grey that nobody has there, and hide
the edges of what is nearly as bright as white matter. So near the nuclei every place is painted as the tissue that it
probably is. Farther off, where folds are not those of the individual, the averages are kept.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core.box import box_of
from raphe.core.resample import NEAREST, resample
from raphe.data.template import Template
from raphe.data.volume import Labels, Volume
from raphe.nomenclature import region_key
from raphe.preprocess.warp import brain_edge

Flags = npt.NDArray[np.bool_]

NEAR = 0.03
"""How far from the nuclei places are painted as one tissue, over the brain's edge: 4 mm in people."""

FEW = 50
"""Voxels that must be left of a region without its surface, else the whole region tells its brightness."""


def likeness(template: Template, t1: Volume, labels: Labels, tissues: tuple[Volume, Volume, Volume]) -> Volume:
    """Paint a template with the brightness of an individual.

    Parameters
    ----------
    template : Template
        With its maps of tissue.
    t1 : Volume
        The individual, without bias field.
    labels : Labels
        The template's labels on the individual, as well as they are known.
    tissues : tuple of Volume
        Grey, white, fluid of the individual.

    Returns
    -------
    Volume
        On the template's grid, in the individual's units; 0 around the brain.
    """
    grid = template.t1.grid
    drawn = resample(template.labels.values, template.labels.grid.affine, np.eye(4), grid.shape, grid.affine, NEAREST)
    shares = np.stack([share.values for share in template.tissues])
    brightness = brightness_of(t1.values, tissues)
    away = ndimage.distance_transform_edt(~np.isin(drawn, sorted(template.nuclei)), sampling=grid.zooms)
    near = away <= NEAR * brain_edge(grid, template.brain)
    one = brightness[shares.argmax(axis=0)] * shares.sum(axis=0)
    painted = np.where(near, one, np.tensordot(brightness, shares, axes=1))
    regions: dict[str, list[int]] = {}
    for number in sorted(template.nuclei):
        regions.setdefault(region_key(labels.names[number])[0], []).append(number)
    for members in regions.values():  # both sides of a region together
        own = _brightness(t1, labels, members)
        if own is not None:
            painted[np.isin(drawn, members)] = own
    return Volume(grid, np.where(template.brain, painted, 0).astype(np.float32))


def brightness_of(
    values: npt.NDArray[np.floating], tissues: tuple[Volume, Volume, Volume], where: tuple[slice, ...] = ()
) -> npt.NDArray[np.float64]:
    """Brightness of each tissue, from voxels that are mixtures of them in part: by least squares."""
    shares = np.stack([one.values[where].ravel() for one in tissues])
    inside = shares.sum(axis=0) > 0
    mixed = shares[:, inside].astype(np.float64)
    return np.asarray(np.linalg.lstsq(mixed @ mixed.T, mixed @ values[where].ravel()[inside], rcond=None)[0])


def _brightness(t1: Volume, labels: Labels, members: list[int]) -> float | None:
    inside = np.isin(labels.values, members)
    if not inside.any():
        return None
    box = box_of(inside, 1)
    deep = ndimage.binary_erosion(inside[box])
    return float(np.median(t1.values[box][deep if deep.sum() > FEW else inside[box]]))
