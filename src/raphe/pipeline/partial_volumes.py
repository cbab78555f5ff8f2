"""Partial volumes of a scan: curves by each correction that is asked for, and what is known of them."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe import catalog
from raphe.catalog.schema import Protocol
from raphe.data.image import Grid
from raphe.data.record import Parameter, Step
from raphe.data.tacs import TACs
from raphe.data.volume import DynamicImage, Volume
from raphe.errors import InputError
from raphe.io.names import find_sidecars
from raphe.io.recon_filter import gaussian_filter
from raphe.pipeline.raw_task import CorrectedCurves, Located, RawTask, Resolution
from raphe.preprocess.extract import RegionShares
from raphe.preprocess.pvc.blur import OffCentre
from raphe.preprocess.pvc.correct import correct
from raphe.preprocess.pvc.registry import correction
from raphe.preprocess.pvc.reliability import WRONG, Reliability, reliability
from raphe.preprocess.pvc.setting import setting_for, tissue_on
from raphe.preprocess.reference_region import NAME
from raphe.report.wording import general

REFERENCE = "the reference"
"""Name of the reference among what is corrected; one of the regions may have the reference's own."""

LOUD = 3.0
"""Amplification of noise from which it is said."""


class Wanted(NamedTuple):
    """What corrected curves are wanted of, and the regions of the correction of which each consists."""

    regions: Mapping[str, tuple[str, ...]]
    reference: tuple[str, ...]
    """Empty where there is none."""


def corrected_curves(
    task: RawTask,
    image: DynamicImage,
    late: npt.NDArray[np.float32],
    shares: RegionShares,
    place: Located,
    wanted: Wanted,
) -> tuple[dict[str, CorrectedCurves], list[Step], list[str]]:
    """Curves by each correction of the plan.

    Parameters
    ----------
    task : RawTask
    image : DynamicImage
    late : ndarray of float32, shape ``image.grid.shape``
        Mean of its late frames.
    shares : RegionShares
        Regions and tissue; what is of the reference is a region of its own, so that labels of cortex that reach into
        the cerebellum, which are wrong most near the tentorium, do not tell of it.
    place : Located
    wanted : Wanted

    Returns
    -------
    dict of str to CorrectedCurves
        By the name of the method.
    list of Step
    list of str
        What is doubtful.
    """
    if not task.choices.pvc:
        return {}, [], []
    told = resolution(task)
    if told is None:
        return {}, [], [
            f"no partial-volume correction: the resolution of the tomograph {task.raw.scan.scanner!r} is not known; "
            "give it in the plan (fwhm in [preprocess], mm)"
        ]  # fmt: skip
    wholes = {**wanted.regions, **({REFERENCE: wanted.reference} if wanted.reference else {})}
    setting = setting_for(shares, told.fwhm, *_tissue(place, image.grid), wholes, told.off_centre)
    wrong = {factor: setting.with_width(factor) for factor in WRONG}
    found, steps, doubts = {}, [], []
    for name in task.choices.pvc:
        method = correction(name)
        whole, step = correct(image, setting, method, keep_image=False)
        judged = reliability(late, setting, method, wrong, (told.grain,) * 3)
        keep, last = list(range(len(wanted.regions))), [len(wanted.regions)]
        reference = _part(whole.tacs, judged, told, last) if wanted.reference else None
        found[method.name] = dataclasses.replace(_part(whole.tacs, judged, told, keep), reference=reference)
        more: dict[str, Parameter] = {"fwhm_source": told.source}
        if told.off_centre is not None:
            more |= {"fwhm_off_centre": told.off_centre.fwhm, "off_centre": told.off_centre.radius}
        steps.append(dataclasses.replace(step, parameters={**step.parameters, **more}))
        loud = [
            f"{region} ({general(float(gain), 2)})"
            for region, gain in zip(wanted.regions, judged.amplification, strict=False)  # the reference is last
            if gain > LOUD
        ]
        if loud:
            doubts.append(
                f"{method.name} multiplies the noise of {len(loud)} regions by more than {LOUD:g}: "
                f"{', '.join(loud[:8])}{' ...' if len(loud) > 8 else ''}"
            )
    return found, steps, doubts


def resolution(task: RawTask) -> Resolution | None:
    """Resolution of the images: the plan's, else that of the catalog's tomograph whose name the sidecar has.

    A Gaussian that the sidecar tells of (``ReconFilterType``, ``ReconFilterSize``) widens the tomograph's; where its
    width is no number, the source says so. Smoothing before curves are taken widens either.
    """
    entry = tomograph(task.raw.scan.scanner)
    found = None
    if task.choices.fwhm is not None:
        a, b, c = task.choices.fwhm
        found = Resolution((a, b, c), "plan", 0.0 if entry is None else entry.grain.value)
    elif entry is not None:
        width = entry.fwhm.value
        off = OffCentre((entry.fwhm_off_centre.value,) * 3, entry.off_centre.value)
        found = Resolution((width, width, width), f"catalog ({entry.name})", entry.grain.value, off)
        try:
            after = gaussian_filter(find_sidecars(task.raw.image, task.bids))
        except InputError as error:
            return found._replace(source=f"{found.source} without the sidecar's Gaussian: {error}")
        found = _wider(found, after, "the sidecar's Gaussian")
    return None if found is None else _wider(found, task.choices.smoothing, "smoothing by a Gaussian")


def tomograph(scanner: str) -> Protocol | None:
    """Tomograph of the catalog that a sidecar names, by manufacturer and model; None if there is none.

    Its name must stand there, or all words of its label; a maker's name alone (GE) says nothing of a model.
    """
    words = re.findall(r"[a-z0-9]+", scanner.lower())
    for entry in catalog.protocols():
        name = entry.name.lower()
        label = set(re.findall(r"[a-z0-9]+", entry.label.lower())) - {"like"}
        if (name not in entry.manufacturer.lower() and name in "".join(words)) or label <= set(words):
            return entry
    return None


def as_json(one: CorrectedCurves, method: str) -> dict[str, object]:
    """Object that the sidecar of corrected curves has as ``PartialVolumeCorrection``."""
    judged, told = one.reliability, one.resolution

    def by_region(values: npt.NDArray[np.float64]) -> dict[str, float | None]:
        return dict(zip(one.tacs.names, _rounded(values), strict=True))

    return {
        "Method": method,
        "FWHM": list(told.fwhm),
        "FWHMUnits": "mm",
        **(
            {}
            if told.off_centre is None
            else {"FWHMOffCentre": list(told.off_centre.fwhm), "OffCentre": told.off_centre.radius}
        ),
        "FWHMSource": told.source,
        "NoiseGrain": told.grain,
        "NoiseAmplification": by_region(judged.amplification),
        "Sensitivity": {f"{factor:g}": by_region(values) for factor, values in judged.sensitivity.items()},
    }


def as_parameters(corrected: Mapping[str, CorrectedCurves]) -> dict[str, Parameter]:
    """Noise and sensitivity by method, in the order of the regions, for the record."""
    told: dict[str, Parameter] = {}
    for method, one in corrected.items():
        told["regions"] = one.tacs.names
        told[f"noise_{method}"] = _rounded(one.reliability.amplification)
        for factor, values in one.reliability.sensitivity.items():
            told[f"sensitivity_{method}_{factor:g}"] = _rounded(values)
    return told


def _wider(found: Resolution, by: float | None, what: str) -> Resolution:
    """Resolution after one more Gaussian (FWHM in mm)."""
    if by is None:
        return found
    off = found.off_centre
    return Resolution(
        _after(found.fwhm, by),
        f"{found.source} and {what} of {general(by)} mm",
        math.hypot(found.grain, by),
        None if off is None else OffCentre(_after(off.fwhm, by), off.radius),
    )


def _after(fwhm: tuple[float, float, float], by: float) -> tuple[float, float, float]:
    x, y, z = (math.hypot(width, by) for width in fwhm)
    return x, y, z


def _part(tacs: TACs, judged: Reliability, told: Resolution, keep: list[int]) -> CorrectedCurves:
    """Curves of some of the regions, and what is known of them."""
    covariance = None if judged.covariance is None else judged.covariance[np.ix_(keep, keep)]
    sensitivity = {factor: values[keep] for factor, values in judged.sensitivity.items()}
    volumes = None if tacs.volumes is None else tacs.volumes[keep]
    names = tuple(NAME if tacs.names[at] == REFERENCE else tacs.names[at] for at in keep)
    curves = TACs(tacs.activity[keep], tacs.frames, names, volumes)
    return CorrectedCurves(curves, Reliability(judged.amplification[keep], covariance, sensitivity), told)


def _rounded(values: npt.NDArray[np.float64]) -> tuple[float | None, ...]:
    return tuple(float(f"{value:.4g}") if np.isfinite(value) else None for value in values)


def _tissue(place: Located, grid: Grid) -> tuple[Volume | None, Volume | None]:
    if place.head is None:
        return None, None
    return tissue_on(place.head.grey, grid, place.to_pet), tissue_on(place.head.white, grid, place.to_pet)
