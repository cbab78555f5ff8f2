"""What the models of a map are fitted to: voxels, reference and blood, read in one pass where the memory allows it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.data.blood import PlasmaInput
from raphe.data.record import Step
from raphe.data.tacs import TACs
from raphe.io.dynamic import DynamicFile
from raphe.io.images import Floats, Values
from raphe.kinetics.protocol import KineticModel
from raphe.kinetics.voxelwise import VoxelFit, fit_voxels
from raphe.pipeline.choices import Analysis
from raphe.pipeline.map_reference import Named, mean_of_mask, region_of_table, voxels_of_mask
from raphe.pipeline.memory import limit_of, processors, threads
from raphe.pipeline.messages import Messages
from raphe.pipeline.voxels import Voxels, masked_by, masked_by_activity

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MapMaterial:
    """Voxels, and what is needed besides to fit models to them.

    Parameters
    ----------
    image : DynamicFile
    analysis : Analysis
    voxels : Voxels
    workers : int
        Threads.
    mask : Step
        Which voxels they are.
    reference : (ndarray of shape (n_frame,), str, Step) or None
        Curve of the reference in kBq/mL, its name, and how it was found.
    plasma : PlasmaInput or None
    blood : tuple of Step
        How the input came about.
    n_blood : int or None
        Frames that models behind plasma are fitted to, from the first on; None for all.
    noise : tuple of Step
        What was done to the volumes against noise.
    """

    image: DynamicFile
    analysis: Analysis
    voxels: Voxels
    workers: int
    mask: Step
    reference: tuple[Array, str, Step] | None = None
    plasma: PlasmaInput | None = None
    blood: tuple[Step, ...] = ()
    n_blood: int | None = None
    noise: tuple[Step, ...] = ()

    def n_frame(self, model: KineticModel) -> int:
        """How many frames a model is fitted to."""
        whole = len(self.image.frames)
        return whole if self.n_blood is None or "plasma" not in model.needs else self.n_blood

    def fit(self, model: KineticModel, input_se: Mapping[str, float], activity: Floats) -> VoxelFit:
        """Fit a model to a part of the voxels.

        Parameters
        ----------
        model : KineticModel
        input_se : mapping of str to float
            As of :func:`raphe.kinetics.voxelwise.fit_voxels`.
        activity : ndarray, shape (n_frame, n_part), kBq/mL
        """
        n_frame, weights = self.n_frame(model), self.analysis.weights
        return fit_voxels(
            model,
            self.image.frames.first(n_frame),
            activity[:n_frame],
            reference=self.reference[0] if self.reference is not None and "reference" in model.needs else None,
            plasma=self.plasma if "plasma" in model.needs else None,
            weights=weights if isinstance(weights, str) else weights[:n_frame],
            half_life=self.image.half_life,
            convention=self.analysis.convention,
            input_se=input_se or None,
            workers=self.workers,
        )


def read_material(
    options: argparse.Namespace,
    image: DynamicFile,
    analysis: Analysis,
    where: Named | None,
    tacs: TACs | None,
    messages: Messages,
) -> MapMaterial:
    """Read the voxels of an image, or as many as the memory can hold, and what belongs to them.

    Parameters
    ----------
    options : argparse.Namespace
    image : DynamicFile
    analysis : Analysis
    where : Named or None
        The reference, as it is named; None where no model needs one.
    tacs : TACs or None
        Curves of its table, where it is one.
    messages : Messages

    Raises
    ------
    InputError, UnitError, TimingError
        If the image, the mask, the reference or the blood cannot be used, or the memory is too little.
    """
    limit = limit_of(options.memory)
    workers = threads(limit, options.workers or processors())
    if options.workers and workers < options.workers:
        messages.say(f"{workers} of {options.workers} threads are used, for more do not fit into the memory")
    besides: tuple[Values, ...] = ()
    if where is not None and where.mask:
        besides = (Values(voxels_of_mask(where, image, options.label), image.file, image.factors),)
    voxels, mask = _voxels(options, image, analysis, besides, workers, limit, messages)
    voxels.begin()
    reference = None
    if where is not None and tacs is not None:
        reference = region_of_table(where, tacs, analysis)
    elif where is not None:
        reference = mean_of_mask(where, besides[0], image, options.label)
    if not analysis.needs("plasma"):
        return MapMaterial(image, analysis, voxels, workers, mask, reference)
    from raphe.pipeline.map_blood import arterial_of_map  # takes half a second to import

    arterial = arterial_of_map(options, image, analysis, voxels, messages)
    return MapMaterial(
        image, analysis, voxels, workers, mask, reference, arterial.plasma, arterial.steps, arterial.n_frames
    )


def _voxels(
    options: argparse.Namespace,
    image: DynamicFile,
    analysis: Analysis,
    besides: Sequence[Values],
    workers: int,
    limit: int,
    messages: Messages,
) -> tuple[Voxels, Step]:
    map_bytes = sum(8 * len(kind.parameters) + 1 for kind in analysis.kinds)
    if options.mask is not None:
        voxels, step = masked_by(
            options.mask, image, map_bytes=map_bytes, workers=workers, limit=limit, tell=messages.progress,
            besides=besides,
        )  # fmt: skip
    else:
        voxels, step = masked_by_activity(
            image, map_bytes=map_bytes, workers=workers, limit=limit, tell=messages.progress, besides=besides
        )
        get = step.parameters.get
        messages.say(
            f"no mask was given: the {get('n_voxel')} voxels are mapped whose mean activity exceeds "
            f"{get('threshold'):.3g} kBq/mL, {100 * float(str(get('share'))):g} % of the {get('percentile'):g}th "
            "percentile, an assumption; --mask FILE names others"
        )
    if voxels.n_part > 1:
        messages.say(f"the image is read {voxels.n_part} times for each step, so as to stay within --memory")
    return voxels, step
