"""A raw scan that is to become curves, and what is found and made on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.data.alignment import Registration, Warp
from raphe.data.record import Step
from raphe.data.tacs import TACs
from raphe.data.volume import Labels
from raphe.io.raw_scans import RawScan
from raphe.pipeline.prepare_head import HeadTask
from raphe.pipeline.preprocess_choices import Preprocessing
from raphe.preprocess.anatomy import Head
from raphe.preprocess.extract import RegionShares
from raphe.preprocess.pvc.blur import OffCentre
from raphe.preprocess.pvc.reliability import Reliability

INTERPOLATION = 3
"""Degree of the spline by which frames are resampled."""


@dataclass(frozen=True)
class RawTask:
    """All that a process needs to preprocess one scan.

    Parameters
    ----------
    raw : RawScan
    bids : Path
    derivatives : tuple of Path
    choices : Preprocessing
    head : HeadTask or None
        None where regions come from the PET alone.
    out : Path
    title : str
    datasets : mapping of str to Path
    command_line : str
    """

    raw: RawScan
    bids: Path
    derivatives: tuple[Path, ...]
    choices: Preprocessing
    head: HeadTask | None
    out: Path
    title: str
    datasets: Mapping[str, Path]
    command_line: str

    @property
    def label(self) -> str:
        """Of the scan."""
        return self.raw.scan.label


@dataclass(frozen=True)
class RawOutcome:
    """How one scan went.

    Parameters
    ----------
    label : str
    skipped : bool
        Whether it was done before and nothing has changed.
    seconds : float
    doubts : tuple of str
        What a person must read.
    """

    label: str
    skipped: bool
    seconds: float
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Located:
    """Where the regions of a scan are.

    Parameters
    ----------
    seg : str
        Label of the segmentation.
    labels : Labels
        Regions and tissue, in the space of the T1-weighted image or of the PET.
    registration : Registration or None
        From the PET to the T1-weighted image; None where regions come from the PET alone.
    head : Head or None
    warp : Warp
        To the template, from the space of the labels.
    brain : ndarray of bool
        On the grid of the labels.
    """

    seg: str
    labels: Labels
    registration: Registration | None
    head: Head | None
    warp: Warp
    brain: npt.NDArray[np.bool_]

    @property
    def to_pet(self) -> npt.NDArray[np.float64]:
        """From the space of the labels to that of the PET, mm to mm."""
        matrix = np.eye(4) if self.registration is None else np.linalg.inv(self.registration.matrix)
        return np.asarray(matrix, dtype=np.float64)


class Resolution(NamedTuple):
    """Of the images, and who says so."""

    fwhm: tuple[float, float, float]
    """Along the axes of the grid, mm."""
    source: str
    grain: float
    """Width (FWHM) of a Gaussian that makes noise as coarse as that of the images, mm; 0 where it is not known."""
    off_centre: OffCentre | None = None
    """None where it is the same everywhere."""


@dataclass(frozen=True, eq=False)
class CorrectedCurves:
    """Curves after a partial-volume correction, how far they can be trusted, and the resolution that it took.

    The arrays of ``reliability`` are in the order of the curves. ``reference`` is the reference region, alone.
    """

    tacs: TACs
    reliability: Reliability
    resolution: Resolution
    reference: CorrectedCurves | None = None


@dataclass(frozen=True, eq=False)
class Made:
    """Curves of a scan, and what they were made with.

    ``kinds`` is the kind of tissue of each voxel, as of :func:`raphe.preprocess.carpet.kinds_of`; ``cut_off`` names
    the regions that lie beyond the field of view in part.
    """

    regions: RegionShares
    reference: RegionShares | None
    tacs: TACs
    of_reference: TACs | None
    corrected: Mapping[str, CorrectedCurves]
    steps: list[Step]
    doubts: list[str]
    kinds: npt.NDArray[np.int32]
    cut_off: tuple[str, ...]
