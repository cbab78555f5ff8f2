"""Parametric maps of a scan of a study, by the models and with the input that its regions were fitted with."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.data.blood import PlasmaInput
from raphe.data.fit import KineticFit
from raphe.data.record import Parameter, Step
from raphe.errors import InputError
from raphe.io.bids import ScanCurves
from raphe.io.dynamic import DynamicImage, open_dynamic
from raphe.io.scan_images import image_of
from raphe.io.schedule import check_agreement
from raphe.kinetics import registry
from raphe.kinetics.protocol import KineticModel
from raphe.kinetics.voxelwise import VoxelFit, fit_voxels
from raphe.pipeline.choices import Analysis, make
from raphe.pipeline.maps import Maps, write_maps
from raphe.pipeline.memory import limit_of
from raphe.pipeline.voxels import masked_by_activity
from raphe.quality import usable

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MapChoice:
    """What maps are to be made.

    Parameters
    ----------
    space : str or None
        The ``space-`` of the images; None where each scan has one.
    """

    space: str | None = None


@dataclass(frozen=True, eq=False)
class ScanMaps:
    """Maps of one scan.

    Parameters
    ----------
    image : DynamicImage
    voxels : ndarray of int, shape (n_voxel,)
        Indices in the order of the file.
    maps : tuple of Maps
    """

    image: DynamicImage
    voxels: npt.NDArray[np.intp]
    maps: tuple[Maps, ...]
    step: Step
    """What was done, for the methods and the record."""

    def shown(self) -> list[tuple[str, str, npt.NDArray[np.float32]]]:
        """Model, parameter and map of what each model is used for."""
        return [(one.model.name, one.model.macro, self.volume(one.model.name, one.model.macro)) for one in self.maps]

    def volume(self, model: str, parameter: str) -> npt.NDArray[np.float32]:
        """Values of a usable voxel on the grid, shape (x, y, z), NaN elsewhere."""
        one = next(each for each in self.maps if each.model.name == model)
        found = np.concatenate([part.value[part.parameters.index(parameter)] for part in one.found])
        good = usable(np.concatenate([part.quality for part in one.found]))
        whole = np.full(self.image.file.grid.n_voxel, np.nan, dtype=np.float32)
        whole[self.voxels] = np.where(good, found, np.nan)
        return whole.reshape(self.image.file.grid.shape, order="F")


def find_image(table: ScanCurves, choice: MapChoice, bids: Path, derivatives: Sequence[Path]) -> Path:
    """Image of a scan that is to be mapped.

    Raises
    ------
    InputError
        If the scan has none, or several.
    """
    image = image_of(table.name, table.pvc, (*derivatives, bids), choice.space)
    if image is None:
        raise InputError(
            f"{table.path}: maps are asked for, but there is no dynamic image of this scan (*_pet.nii.gz) in the data "
            "set or its derivatives; name its folder (--derivatives), or leave --maps or [maps] out"
        )
    return image


def map_scan(
    path: Path, fits: Sequence[KineticFit], steps: Sequence[Step], analysis: Analysis, plasma: PlasmaInput | None
) -> ScanMaps:
    """Fit every voxel as the regions were: same model, reference or plasma, k2', t* and way of weighting.

    Models that fit the regions together make no maps.

    Parameters
    ----------
    path : Path
        Dynamic image on the frames of the curves.
    fits : sequence of KineticFit
        Of the regions.
    steps : sequence of Step
        That made them.
    analysis : Analysis
    plasma : PlasmaInput or None

    Raises
    ------
    RapheError
        If the image cannot be used.
    """
    image = open_dynamic(path)
    mapped = [fit for fit in fits if not getattr(registry.model_type(fit.model), "joint", False)]
    if not mapped:
        raise InputError(
            f"{path}: no map can be made by {', '.join(fit.model for fit in fits)}, which fits regions together; add "
            "another model, or leave --maps or [maps] out"
        )
    longest = max(mapped, key=lambda fit: len(fit.frames)).frames
    n_frame = len(longest)
    seen = image.frames.first(n_frame)
    if len(image.frames) < n_frame or not check_agreement(
        longest.start, longest.end, seen.start, seen.end, "the table of curves", path
    ):
        raise InputError(
            f"{path} has {len(image.frames)} frames, the table of curves {n_frame}; maps need an image with the frames "
            "of the curves"
        )
    map_bytes = sum(8 * len(fit.parameters) + 1 for fit in mapped)
    voxels, mask = masked_by_activity(image, map_bytes=map_bytes, workers=1, limit=limit_of(None))
    voxels.begin()
    models = [_model(fit, analysis) for fit in mapped]
    found: dict[tuple[int, int], VoxelFit] = {}
    for part, _, activity in voxels.parts():
        for at, (fit, model) in enumerate(zip(mapped, models, strict=True)):
            found[at, part] = _fit_part(activity, fit, model, image, analysis, plasma, steps)
    maps = tuple(
        Maps(model, [found[at, part] for part in range(voxels.n_part)], (*steps, image.step, mask))
        for at, model in enumerate(models)
    )
    done: dict[str, Parameter] = {"image": path.name, "models": tuple(model.name for model in models)}
    done |= mask.parameters
    cited = tuple(dict.fromkeys(key for model in models for key in model.citations))
    return ScanMaps(image, voxels.indices, maps, Step("maps", done, citations=cited))


def write_scan_maps(
    folder: Path, made: ScanMaps, analysis: Analysis, sources: Sequence[str], command_line: str
) -> tuple[Path, ...]:
    """Write the maps of a scan; the files that were written, less their sidecars."""
    return tuple(
        write_maps(folder, made.image.file, made.voxels, made.maps, analysis.convention, sources, command_line)
    )


def _model(fit: KineticFit, analysis: Analysis) -> KineticModel:
    """The model as the regions had it, with what was searched or estimated for them."""
    model = make(registry.model_type(fit.model), analysis, fit.inputs.get("k2_prime"))
    fields = {field.name for field in dataclasses.fields(model)}  # type: ignore[arg-type]
    known = {name: value for name, value in fit.inputs.items() if name in fields}
    return dataclasses.replace(model, **known)  # type: ignore[type-var]


def _fit_part(
    activity: npt.NDArray[np.float32],
    fit: KineticFit,
    model: KineticModel,
    image: DynamicImage,
    analysis: Analysis,
    plasma: PlasmaInput | None,
    steps: Sequence[Step],
) -> VoxelFit:
    weights = analysis.weights
    if isinstance(weights, str) and weights == "residual":
        weights = "decay" if image.half_life is not None else "duration"  # residuals of single voxels tell nothing
    n_frame = len(fit.frames)
    return fit_voxels(
        model,
        fit.frames,
        activity[:n_frame],
        reference=fit.reference,
        plasma=plasma if "plasma" in model.needs else None,
        weights=weights if isinstance(weights, str) else weights[:n_frame],
        half_life=image.half_life,
        convention=fit.convention,
        input_se=_k2_prime_se(fit, steps),
    )


def _k2_prime_se(fit: KineticFit, steps: Sequence[Step]) -> dict[str, float] | None:
    """Standard error of a k2' that was estimated."""
    if "k2_prime" not in fit.inputs:
        return None
    se = [step.parameters.get("se") for step in steps if step.name == "k2_prime"]
    return {"k2_prime": float(se[0])} if se and isinstance(se[0], float) and se[0] > 0 else None
