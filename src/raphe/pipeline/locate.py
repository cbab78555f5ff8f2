"""Where the regions of a scan are: by its MRI, a segmentation, or the PET alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe import catalog
from raphe.data.record import Step
from raphe.data.volume import Labels, Volume
from raphe.io import derivatives as names
from raphe.nomenclature import WHITE
from raphe.pipeline.atlas_choice import atlas_of
from raphe.pipeline.own_regions import own_regions, own_segmentation
from raphe.pipeline.partial_volumes import resolution
from raphe.pipeline.prepare_head import read_head
from raphe.pipeline.raphe_choice import raphe_is_shown
from raphe.pipeline.raw_task import Located, RawTask
from raphe.pipeline.template_of import template_of
from raphe.preprocess.anatomy import grey_only, with_tissue
from raphe.preprocess.in_space import judge_in_space
from raphe.preprocess.pet_anatomy import regions_of_pet
from raphe.preprocess.raphe_nuclei import raphe_on_pet
from raphe.preprocess.register import register_rigid
from raphe.preprocess.warp import brain_edge


def locate(
    task: RawTask, reference: Volume, seen: npt.NDArray[np.bool_]
) -> tuple[Located, list[Step], tuple[str, ...]]:
    """Find the regions of a scan, in the space of its MRI or of the PET.

    Parameters
    ----------
    task : RawTask
    reference : Volume
        Late mean of the PET without head motion.
    seen : ndarray of bool, shape ``reference.grid.shape``
        Voxels that lie in the field of view in every frame.

    Returns
    -------
    Located
    list of Step
    tuple of str
        What is doubtful of a segmentation and of the raphe; of registration and head their own records tell.
    """
    if task.head is None:
        template, of_template = template_of(task.choices, task.out, task.datasets, task.command_line)
        labels, warp, step = regions_of_pet(reference, template, catalog.find_tracer(task.raw.scan.tracer))
        brain = ndimage.binary_closing(labels.values > 0, iterations=3)
        whole = _with_rest(labels, brain)
        return Located(names.label(template.name), whole, None, None, warp, brain), [step, *of_template], ()
    head, _ = read_head(task.head)
    judge = judge_in_space if task.raw.on_t1 else register_rigid
    registration, step = judge(reference, head.t1, head.brain, seen)
    own = own_segmentation(task)
    if own is None:
        seg, labels, steps, doubts = names.label(atlas_of(task.choices).name), head.labels, [step], tuple[str, ...]()
    else:
        seg = own.label(task.choices.seg)
        labels, told, doubts = own_regions(own, head, task.choices.seg)
        steps = [told, step]
    if task.choices.grey is not None:
        labels = grey_only(labels, head.grey, task.choices.grey)
        steps.append(Step("grey_only", {"least": task.choices.grey}))
    whole = with_tissue(dataclasses.replace(head, labels=labels))
    place = Located(seg, whole, registration, head, head.warp, head.brain)
    sharp = resolution(dataclasses.replace(task, choices=dataclasses.replace(task.choices, smoothing=None)))
    if own is None and sharp is not None and raphe_is_shown(task.choices, task.raw.scan.tracer):
        size = brain_edge(whole.grid, head.brain)
        moved, step, more = raphe_on_pet(reference, whole, place.to_pet, size, sharp.fwhm)
        return dataclasses.replace(place, labels=moved), [*steps, step], (*doubts, *more)
    return place, steps, doubts


def _with_rest(labels: Labels, brain: npt.NDArray[np.bool_]) -> Labels:
    """Labels of the PET alone, with the rest of the brain as white matter."""
    top = max(labels.names, default=0)
    values = np.where(brain & (labels.values == 0), np.int32(top + 1), labels.values)
    return Labels(labels.grid, values, {**labels.names, top + 1: WHITE})
