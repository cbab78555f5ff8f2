"""The arterial input of a map."""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt

from raphe.data.tacs import TACs
from raphe.errors import InputError
from raphe.io.dynamic import DynamicFile
from raphe.kinetics.voxelwise import CHUNK
from raphe.pipeline.arterial import Arterial, arterial_input, source_of_files
from raphe.pipeline.choices import Analysis
from raphe.pipeline.messages import Messages
from raphe.pipeline.voxels import Voxels

Array = npt.NDArray[np.float64]


def arterial_of_map(
    options: argparse.Namespace, image: DynamicFile, analysis: Analysis, voxels: Voxels, messages: Messages
) -> Arterial:
    """Arterial input of the files that ``--input`` names, held against the mean curve of the mask.

    Raises
    ------
    InputError, UnitError
        As :func:`raphe.pipeline.arterial.source_of_files`, and if no voxel holds numbers in all frames.
    """
    tacs = TACs(_mean_curve(voxels), image.frames, ("mean of the mask",))
    source = source_of_files(
        options.input, tacs, image.sidecar.scan(""), analysis, image.sidecar.injection, image.half_life, options.unit
    )
    for finding in source.findings:
        messages.warn(finding.message)
    return arterial_input(source, tacs, analysis, image.half_life)


def _mean_curve(voxels: Voxels) -> Array:
    """Mean over the voxels whose values are all numbers, shape (n_frame,); the same whatever the parts are."""
    sums: dict[int, tuple[Array, int]] = {}
    for _, part, activity in voxels.parts():
        for first in range(0, activity.shape[1], CHUNK):
            chunk = activity[:, first : first + CHUNK]
            good = np.isfinite(chunk).all(axis=0)
            sums[part.start + first] = chunk[:, good].sum(axis=1, dtype=float), int(good.sum())
    counted = sum(count for _, count in sums.values())
    if not counted:
        raise InputError(f"{voxels.image.path}: no voxel of the mask holds numbers in all frames")
    return np.asarray(sum(sums[first][0] for first in sorted(sums)) / counted)
