"""A head from its T1-weighted image: brain, tissue, and the regions of an atlas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core.resample import resample
from raphe.data.alignment import Warp
from raphe.data.record import Parameter, Step
from raphe.data.template import Template
from raphe.data.volume import Labels, Volume
from raphe.nomenclature import FLUID, OTHER_GREY, WHITE
from raphe.preprocess.warp import ITERATIONS, affine, brain_edge, carry, nonlinear, propagate

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

SHRINK = 28.0
"""How many voxels a brain's edge has where the bias field is found."""

BIAS_ITERATIONS = (30, 20, 10)

ROUND = 0.06
"""Width of the rim around the template's brain that the first nonlinear registration may see, over the brain's edge."""

PLAUSIBLE = {"human": (9e5, 1.9e6), "macaque": (5.5e4, 1.5e5)}
"""Volumes of brains, mm3, beyond which a mask is doubted; an assumption."""

REACH = 0.04
"""How far from a sheet of the atlas grey matter still belongs to it, over the brain's edge: 5 mm in people."""

FEW = 20_000
"""Voxels by which the start of the mixture is chosen."""

ROUNDS = 40
"""Turns of the mixture of tissues."""


@dataclass(frozen=True, eq=False)
class Head:
    """What a T1-weighted image tells.

    Parameters
    ----------
    t1 : Volume
        Without bias field.
    brain : ndarray of bool, shape ``t1.grid.shape``
    grey, white, fluid : Volume
        Probability of each tissue, on the same grid; 0 outside the brain.
    warp : Warp
    labels : Labels
        Regions of the atlas, on the same grid.
    doubts : tuple of str
    """

    t1: Volume
    brain: Flags
    grey: Volume
    white: Volume
    fluid: Volume
    warp: Warp
    labels: Labels
    doubts: tuple[str, ...]


def prepare_anatomy(t1: Volume, template: Template) -> tuple[Head, tuple[Step, ...]]:
    """Find brain, tissue and regions of a head.

    Parameters
    ----------
    t1 : Volume
        As it was measured, the head around the brain included or not.
    template : Template

    Returns
    -------
    Head
    tuple of Step
    """
    to_template, information = affine(t1, template.t1, template.brain)
    around = _carried(template.brain, template, t1, to_template)
    size = brain_edge(t1.grid, around)
    rim = ndimage.binary_dilation(around, iterations=max(1, round(ROUND * size / min(t1.grid.zooms))))
    flat = correct_bias(t1, rim, size)
    masked = Volume(t1.grid, np.where(rim, flat.values, 0).astype(np.float32))
    warp = nonlinear(masked, template.t1, template.brain, to_template, template.space)
    share = carry(Volume(template.t1.grid, template.brain.astype(np.float32)), warp.to_template, t1.grid)
    brain = _largest((share.values > 0.5) & rim)
    grey, white, fluid = classify(flat, brain, _priors(template, warp, t1))
    drawn = propagate(template.labels, warp.to_template, t1.grid)
    labels = follow_grey(drawn, template.ribbon, grey, brain, REACH * size)
    doubts = _doubts(t1, brain, template)
    steps = (
        Step("bias_field", {"iterations": BIAS_ITERATIONS}, ("tustison2010",)),
        Step(
            "normalise",
            {"template": template.space, "information": information, "iterations": ITERATIONS},
            ("avants2008",),
        ),
        _atlas_step(template, brain, t1, doubts),
    )
    return Head(flat, brain, grey, white, fluid, warp, labels, doubts), steps


def correct_bias(t1: Volume, inside: Flags, size: float) -> Volume:
    """Image without the slow change of brightness that the coil makes, by N4 on a coarse copy.

    Parameters
    ----------
    t1 : Volume
    inside : ndarray of bool, shape ``t1.grid.shape``
        Where the field is found.
    size : float, mm
        Edge of the brain.
    """
    import SimpleITK as sitk

    factors = [max(1, round(size / SHRINK / zoom)) for zoom in t1.grid.zooms]
    small = np.ascontiguousarray(t1.values[:: factors[0], :: factors[1], :: factors[2]])
    mask = np.ascontiguousarray(inside[:: factors[0], :: factors[1], :: factors[2]].astype(np.uint8))
    image = sitk.GetImageFromArray(np.maximum(small, 1e-3 * max(float(small.max()), 1e-9)))
    image.SetSpacing([float(f * z) for f, z in zip(factors[::-1], t1.grid.zooms[::-1], strict=True)])
    within = sitk.GetImageFromArray(mask)
    within.CopyInformation(image)
    method = sitk.N4BiasFieldCorrectionImageFilter()
    method.SetNumberOfThreads(1)
    method.SetMaximumNumberOfIterations(list(BIAS_ITERATIONS))
    method.Execute(image, within)
    log = sitk.GetArrayFromImage(method.GetLogBiasFieldAsImage(image))
    scale = np.diag([1 / f for f in factors])
    field = ndimage.affine_transform(log, scale, output_shape=t1.grid.shape, order=1, mode="nearest")
    return Volume(t1.grid, (t1.values / np.exp(field)).astype(np.float32))


def classify(t1: Volume, brain: Flags, priors: tuple[Floats, ...]) -> tuple[Volume, Volume, Volume]:
    """Probability of grey matter, white matter and fluid, by a mixture of three normal distributions of brightness.

    Parameters
    ----------
    t1 : Volume
    brain : ndarray of bool
    priors : tuple of ndarray, each of shape ``t1.grid.shape``
        Probability of grey, white and fluid that the template gives; empty for none.
    """
    values = t1.values[brain].astype(np.float64)
    given = (
        np.stack([prior[brain] for prior in priors]).astype(np.float64) + 0.02 if priors else np.ones((3, values.size))
    )
    given /= given.sum(axis=0)
    few = slice(None, None, max(1, values.size // FEW))
    starts = [np.percentile(values, [middle, high, low]) for low in (1, 8) for middle in (25, 50) for high in (75, 92)]
    tried = [_mixture(values[few], given[:, few], start) for start in starts]
    best = max(tried, key=lambda one: one[0])
    weight = _mixture(values, given, best[1])[2]
    made = []
    for row in weight:
        whole = np.zeros(t1.grid.shape, dtype=np.float32)
        whole[brain] = row
        made.append(Volume(t1.grid, whole))
    return made[0], made[1], made[2]


def _mixture(values: Array, given: Array, mean: Array) -> tuple[float, Array, Array]:
    """Mean log likelihood, means, and weights, (3, n_voxel), of three normal distributions, by their priors.

    How much of each there is, beyond its prior, is found too (Ashburner and Friston 2005, NeuroImage 26:839).
    """
    spread = np.full(3, max(float(np.ptp(mean)) / 4, 1e-9))
    least = 1e-6 * float(np.abs(values).max()) ** 2 + 1e-18
    weight, fit, mixing = given, 0.0, np.full(3, 1 / 3)
    for _ in range(ROUNDS):
        prior = mixing[:, None] * given
        prior /= prior.sum(axis=0)
        likely = prior * np.exp(-0.5 * ((values - mean[:, None]) / spread[:, None]) ** 2) / spread[:, None]
        whole = np.maximum(likely.sum(axis=0), 1e-300)
        weight, fit = likely / whole, float(np.log(whole).mean())
        total = weight.sum(axis=1) + 1e-9
        mixing = total / (given / (mixing @ given)).sum(axis=1)
        mean = weight @ values / total
        spread = np.sqrt(np.maximum((weight * (values - mean[:, None]) ** 2).sum(axis=1) / total, least))
    return fit, mean, weight


def follow_grey(labels: Labels, ribbon: frozenset[int], grey: Volume, brain: Flags, reach: float) -> Labels:
    """Labels whose sheets lie where the individual's grey matter is.

    Parameters
    ----------
    labels : Labels
        As the atlas draws them.
    ribbon : frozenset of int
        Those that are sheets; what of them is not grey loses its label, and grey matter near them takes the nearest.
    grey : Volume
    brain : ndarray of bool
    reach : float, mm
    """
    box = tuple(slice(max(0, int(n.min()) - 2), int(n.max()) + 3) for n in np.nonzero(brain))
    part = labels.values[box]
    sheet = np.isin(part, list(ribbon))
    distance, nearest = ndimage.distance_transform_edt(~sheet, sampling=labels.grid.zooms, return_indices=True)
    is_grey = (grey.values[box] > 0.5) & (sheet | (part == 0)) & (distance <= reach)
    kept = np.where(sheet, 0, part)
    kept[is_grey] = part[tuple(axis[is_grey] for axis in nearest)]
    values = labels.values.copy()
    values[box] = kept
    return Labels(labels.grid, values, labels.names)


def grey_only(labels: Labels, grey: Volume, least: float) -> Labels:
    """Regions without the voxels whose probability of grey matter is below ``least``; tissue keeps its own."""
    tissue = [number for number, name in labels.names.items() if name in (WHITE, FLUID)]
    kept = (grey.values >= least) | np.isin(labels.values, tissue)
    return Labels(labels.grid, np.where(kept, labels.values, np.int32(0)), labels.names)


def with_tissue(head: Head) -> Labels:
    """Regions of a head, and its white matter, other grey matter and fluid as regions of their own.

    Where the labels have white matter or fluid (:data:`raphe.nomenclature.WHITE`, ``FLUID``), these are so inside the
    brain, whatever the image tells; all else is what is most probable.
    """
    names = {number: name for number, name in head.labels.names.items() if name not in (WHITE, FLUID)}
    top = max(names, default=0)
    kinds = {name: top + at for at, name in enumerate((WHITE, FLUID, OTHER_GREY), start=1)}
    values = head.labels.values.copy()
    free = head.brain & (values == 0)
    probable = np.stack([head.white.values, head.fluid.values, head.grey.values])
    values[free] = top + 1 + probable[:, free].argmax(axis=0)
    for number, name in head.labels.names.items():
        if number not in names:
            where = head.labels.values == number
            values[where] = np.where(head.brain[where], kinds[name], 0)
    return Labels(head.labels.grid, values, {**names, **{number: name for name, number in kinds.items()}})


def _priors(template: Template, warp: Warp, t1: Volume) -> tuple[Floats, ...]:
    return tuple(carry(tissue, warp.to_template, t1.grid).values for tissue in template.tissues)


def _carried(brain: Flags, template: Template, t1: Volume, to_template: Array) -> Flags:
    back = np.asarray(np.linalg.inv(to_template), dtype=np.float64)
    found = resample(brain.astype(np.float32), template.t1.grid.affine, back, t1.grid.shape, t1.grid.affine)
    return np.asarray(found, dtype=np.float32) > 0.5


def _largest(inside: Flags) -> Flags:
    labels, n = ndimage.label(inside)
    if n < 2:
        return inside
    return np.asarray(ndimage.binary_fill_holes(labels == 1 + np.bincount(labels.ravel())[1:].argmax()))


def _doubts(t1: Volume, brain: Flags, template: Template) -> tuple[str, ...]:
    volume = float(brain.sum() * abs(np.linalg.det(t1.grid.affine[:3, :3])))
    low, high = PLAUSIBLE.get(template.species, (0.0, np.inf))
    told = []
    if not low <= volume <= high:
        told.append(
            f"the brain mask holds {volume / 1000:.0f} mL; {low / 1000:.0f} to {high / 1000:.0f} were expected of a "
            f"{template.species} brain: look at its outline"
        )
    edges = [brain[0], brain[-1], brain[:, 0], brain[:, -1], brain[:, :, 0], brain[:, :, -1]]
    cut = sum(int(edge.sum()) for edge in edges) * float(np.prod(t1.grid.zooms)) ** (2 / 3)
    if cut > 0.02 * volume ** (2 / 3):
        told.append(f"the brain reaches the edge of the T1-weighted image over {cut / 100:.1f} cm2: it may be cut")
    return tuple(told)


def _atlas_step(template: Template, brain: Flags, t1: Volume, doubts: tuple[str, ...]) -> Step:
    parameters: dict[str, Parameter] = {
        "atlas": template.name,
        "brain_ml": round(float(brain.sum() * abs(np.linalg.det(t1.grid.affine[:3, :3]))) / 1000, 1),
        "doubts": doubts,
    }
    return Step("atlas", parameters)
