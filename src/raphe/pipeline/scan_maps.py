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
from raphe.io.dynamic import DynamicFile, open_dynamic
from raphe.io.schedule import check_agreement
from raphe.kinetics import registry
from raphe.kinetics.protocol import KineticModel
from raphe.kinetics.voxelwise import VoxelFit, fit_voxels
from raphe.pipeline.brain_mask import BrainMask, brain_mask
from raphe.pipeline.choices import Analysis, make
from raphe.pipeline.map_files import FilesOfMaps, MapChoice
from raphe.pipeline.map_noise import regularise, smooth
from raphe.pipeline.maps import Maps, told_of_voxels, write_maps
from raphe.pipeline.memory import OF_RUN, limit_of
from raphe.pipeline.voxels import Voxels, masked_by, masked_by_activity
from raphe.quality import usable

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScanMaps:
    """Maps of one scan.

    Parameters
    ----------
    image : DynamicFile
    voxels : ndarray of int, shape (n_voxel,)
        Indices in the order of the file.
    maps : tuple of Maps
    steps : tuple of Step
        What was done, for the methods and the record.
    brain : BrainMask
    unmasked : bool
        Whether a brain mask would have been taken, had there been one.
    mean : ndarray of float32, shape (n_voxel,), kBq/mL
        Activity over the frames of the image, weighted by their durations.
    """

    image: DynamicFile
    voxels: npt.NDArray[np.intp]
    maps: tuple[Maps, ...]
    steps: tuple[Step, ...]
    brain: BrainMask
    unmasked: bool
    mean: npt.NDArray[np.float32]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person must read."""
        told = [told_of_voxels(one) for one in self.maps]
        serious = (f"{self.image.path}: {text}" for text, bad in told if bad)
        return (*(finding.message for finding in self.image.findings), *self.brain.missed, *serious)

    @property
    def place(self) -> tuple[npt.NDArray[np.bool_], Array, bool]:
        """Mask on the grid, affine, and whether this says where left is."""
        grid, header = self.image.file.grid, self.image.file.header
        inside = np.zeros(grid.n_voxel, dtype=bool)
        inside[self.voxels] = True
        oriented = int(header["qform_code"]) > 0 or int(header["sform_code"]) > 0
        return inside.reshape(grid.shape, order="F"), grid.affine, oriented

    def shown(self) -> list[tuple[str, str, npt.NDArray[np.float32]]]:
        """Model, parameter and map of what each model is used for."""
        return [(one.model.name, one.model.macro, self.volume(one.model.name, one.model.macro)) for one in self.maps]

    def volume(self, model: str, parameter: str) -> npt.NDArray[np.float32]:
        """Values of a usable voxel on the grid, shape (x, y, z), NaN elsewhere."""
        one = next(each for each in self.maps if each.model.name == model)
        found = np.concatenate([part.value[part.parameters.index(parameter)] for part in one.found])
        good = usable(np.concatenate([part.quality for part in one.found]))
        return self._placed(np.where(good, found, np.nan), np.nan)

    @property
    def activity(self) -> npt.NDArray[np.float32]:
        """Mean activity on the grid, shape (x, y, z), kBq/mL; 0 outside of the mask."""
        return self._placed(self.mean, 0.0)

    def _placed(self, values: npt.NDArray[np.floating], outside: float) -> npt.NDArray[np.float32]:
        whole = np.full(self.image.file.grid.n_voxel, outside, dtype=np.float32)
        whole[self.voxels] = values
        return whole.reshape(self.image.file.grid.shape, order="F")


def map_scan(
    files: FilesOfMaps,
    fits: Sequence[KineticFit],
    steps: Sequence[Step],
    analysis: Analysis,
    plasma: PlasmaInput | None,
    choice: MapChoice,
    beside: int = 1,
) -> ScanMaps:
    """Fit every voxel as the regions were: same model, reference or plasma, k2', t* and way of weighting.

    Models that fit the regions together make no maps.

    Parameters
    ----------
    files : FilesOfMaps
        The image has the frames of the curves.
    fits : sequence of KineticFit
        Of the regions.
    steps : sequence of Step
        That made them.
    analysis : Analysis
    plasma : PlasmaInput or None
    choice : MapChoice
    beside : int
        Scans that are mapped at a time, which share the memory.

    Raises
    ------
    RapheError
        If the image or its mask cannot be used.
    """
    image = open_dynamic(files.image, raw=files.raw)
    mapped = _mapped(image, files.table, fits)
    map_bytes = sum(8 * len(fit.parameters) + 1 for fit in mapped)
    brain = brain_mask(image, files, choice)
    voxels, mask = _voxels(image, brain, map_bytes, beside)
    voxels.begin()
    noise = smooth(choice.noise, voxels, OF_RUN)
    models = [_model(fit, analysis) for fit in mapped]
    found: dict[tuple[int, int], VoxelFit] = {}
    mean = np.empty(voxels.indices.size, dtype=np.float32)
    share = (image.frames.duration / image.frames.duration.sum()).astype(np.float32)
    for part, held, activity in voxels.parts():
        mean[held] = share @ activity
        for at, (fit, model) in enumerate(zip(mapped, models, strict=True)):
            found[at, part] = _fit_part(activity, fit, model, image, analysis, plasma, steps)
    weights = _weights(analysis, image)
    own = (*_of_voxels(steps, weights), image.step, mask, *noise)
    parts = range(voxels.n_part)
    maps = [Maps(model, [found[at, part] for part in parts], own) for at, model in enumerate(models)]
    whole = regularise(choice.noise, voxels, maps)
    told = (_step(files.image, models, mask, weights), *_against_noise(whole[0].steps))
    unmasked = brain.taken is None and choice.mask is None
    return ScanMaps(image, voxels.indices, whole, told, brain, unmasked, mean)


def _step(image: Path, models: Sequence[KineticModel], mask: Step, weights: str | Array) -> Step:
    """What was mapped, for the methods and the record."""
    done: dict[str, Parameter] = {"image": image.name, "models": tuple(model.name for model in models)}
    done |= {**mask.parameters, "weights": weights if isinstance(weights, str) else "given"}
    return Step("maps", done, citations=tuple(dict.fromkeys(key for model in models for key in model.citations)))


def _against_noise(steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if step.name in ("smooth", "regularise")]


def _mapped(image: DynamicFile, table: Path, fits: Sequence[KineticFit]) -> list[KineticFit]:
    """Fits whose models can be mapped, where the image has their frames."""
    mapped = [fit for fit in fits if not getattr(registry.model_type(fit.model), "joint", False)]
    if not mapped:
        raise InputError(
            f"{image.path}: no map can be made by {', '.join(fit.model for fit in fits)}, which fits regions together; "
            "add another model, or leave --maps or [maps] out"
        )
    longest = max(mapped, key=lambda fit: len(fit.frames)).frames
    n_frame = len(longest)
    seen = image.frames.first(n_frame)
    if len(image.frames) < n_frame or not check_agreement(
        longest.start, longest.end, seen.start, seen.end, str(table), image.path
    ):
        raise InputError(
            f"{image.path} has {len(image.frames)} frames, but {table} has {n_frame}; maps need an image with the "
            "frames of the curves"
        )
    return mapped


def _voxels(image: DynamicFile, brain: BrainMask, map_bytes: int, beside: int) -> tuple[Voxels, Step]:
    """Voxels that are mapped, and which they are."""
    limit = limit_of(None, beside)
    if brain.taken is not None:
        voxels, step = masked_by(brain.taken, image, map_bytes=map_bytes, workers=1, limit=limit, ways=OF_RUN)
        return voxels, dataclasses.replace(step, parameters={**step.parameters, "file": brain.taken.name})
    voxels, step = masked_by_activity(image, map_bytes=map_bytes, workers=1, limit=limit, ways=OF_RUN)
    if brain.passed_over:
        step = dataclasses.replace(step, parameters={**step.parameters, "passed_over": brain.passed_over})
    return voxels, step


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
    image: DynamicFile,
    analysis: Analysis,
    plasma: PlasmaInput | None,
    steps: Sequence[Step],
) -> VoxelFit:
    weights = _weights(analysis, image)
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


def _weights(analysis: Analysis, image: DynamicFile) -> str | Array:
    """Weights of the regions; but residuals of single voxels tell nothing."""
    if isinstance(analysis.weights, str) and analysis.weights == "residual":
        return "decay" if image.half_life is not None else "duration"
    return analysis.weights


def _of_voxels(steps: Sequence[Step], weights: str | Array) -> list[Step]:
    """Steps of the regions that hold for the voxels too: with their weights, and standard errors from the Jacobian."""
    named = weights if isinstance(weights, str) else "given"
    return [
        dataclasses.replace(step, parameters={**step.parameters, "weights": named}) if step.name == "fit" else step
        for step in steps
        if step.name not in ("bootstrap", "profile")
    ]


def _k2_prime_se(fit: KineticFit, steps: Sequence[Step]) -> dict[str, float] | None:
    """Standard error of a k2' that was estimated."""
    if "k2_prime" not in fit.inputs:
        return None
    se = [step.parameters.get("se") for step in steps if step.name == "k2_prime"]
    return {"k2_prime": float(se[0])} if se and isinstance(se[0], float) and se[0] > 0 else None
