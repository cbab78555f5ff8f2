"""Parametric maps of a scan of a study, by the models and with the input that its regions were fitted with."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.data.blood import PlasmaInput
from raphe.data.fit import KineticFit
from raphe.data.record import Parameter, Step
from raphe.errors import InputError
from raphe.io.bids import ScanCurves
from raphe.io.dynamic import DynamicImage, open_dynamic
from raphe.io.names import find_sidecars, parse_name
from raphe.io.nifti import open_image
from raphe.io.scan_images import brain_masks_of, image_of
from raphe.io.schedule import check_agreement
from raphe.io.tables import shortened
from raphe.kinetics import registry
from raphe.kinetics.protocol import KineticModel
from raphe.kinetics.voxelwise import VoxelFit, fit_voxels
from raphe.pipeline.choices import Analysis, make
from raphe.pipeline.map_noise import AgainstNoise, regularise, smooth
from raphe.pipeline.maps import Maps, told_of_voxels, write_maps
from raphe.pipeline.memory import OF_RUN, limit_of
from raphe.pipeline.voxels import Voxels, masked_by, masked_by_activity
from raphe.quality import usable

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MapChoice:
    """What maps are to be made.

    Parameters
    ----------
    space : str or None
        The ``space-`` of the images; None where each scan has one.
    mask : {"brain", "activity"} or None
        Brain masks of the scans, or voxels with activity; None: a brain mask where one is on the grid of the image.
    noise : AgainstNoise
    """

    space: str | None = None
    mask: str | None = None
    noise: AgainstNoise = field(default_factory=AgainstNoise)


@dataclass(frozen=True)
class FilesOfMaps:
    """Files that the maps of a scan are made of, by their names.

    Parameters
    ----------
    image : Path
    masks : tuple of tuple of Path
        Brain masks that it may have; see :func:`raphe.io.scan_images.brain_masks_of`.
    raw : Path
        Root of the raw dataset.
    table : Path
        The table of curves.
    """

    image: Path
    masks: tuple[tuple[Path, ...], ...]
    raw: Path
    table: Path

    @property
    def all(self) -> tuple[Path, ...]:
        """Every file that may bear on the maps, sidecars of the image among them."""
        return (self.image, *find_sidecars(self.image, self.raw), *(path for rank in self.masks for path in rank))


@dataclass(frozen=True, eq=False)
class ScanMaps:
    """Maps of one scan.

    Parameters
    ----------
    image : DynamicImage
    voxels : ndarray of int, shape (n_voxel,)
        Indices in the order of the file.
    maps : tuple of Maps
    steps : tuple of Step
        What was done, for the methods and the record.
    mask : Path or None
        Brain mask that was taken.
    unmasked : bool
        Whether one would have been taken, had there been one.
    missed : tuple of str
        Why masks were not taken that stand beside PET images of the same space, so that they are meant for one.
    """

    image: DynamicImage
    voxels: npt.NDArray[np.intp]
    maps: tuple[Maps, ...]
    steps: tuple[Step, ...]
    mask: Path | None
    unmasked: bool
    missed: tuple[str, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person must read."""
        told = [told_of_voxels(one) for one in self.maps]
        serious = (f"{self.image.path}: {text}" for text, bad in told if bad)
        return (*(finding.message for finding in self.image.findings), *self.missed, *serious)

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
        whole = np.full(self.image.file.grid.n_voxel, np.nan, dtype=np.float32)
        whole[self.voxels] = np.where(good, found, np.nan)
        return whole.reshape(self.image.file.grid.shape, order="F")


def files_of_maps(table: ScanCurves, choice: MapChoice, bids: Path, derivatives: Sequence[Path]) -> FilesOfMaps:
    """Image of a scan that is to be mapped, and its brain masks.

    Raises
    ------
    InputError
        If the scan has no image, or several; or no brain mask where one is asked for.
    """
    roots = (*derivatives, bids)
    image = image_of(table.name, table.pvc, roots, choice.space)
    if image is None:
        raise InputError(
            f"{table.path}: maps are asked for, but there is no dynamic image of this scan (*_pet.nii.gz) in the data "
            "set or its derivatives; name its folder (--derivatives), or leave --maps or [maps] out"
        )
    masks = brain_masks_of(parse_name(image), roots) if choice.mask != "activity" else ()
    if choice.mask == "brain" and not masks:
        raise InputError(
            f"{image}: the plan asks for a brain mask ([maps] mask), but this scan has none "
            "(*_desc-brain_mask.nii.gz) in the data set or its derivatives; name its folder (--derivatives), or leave "
            "mask out"
        )
    return FilesOfMaps(image, masks, bids, table.path)


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
    taken, elsewhere = _brain_mask(image, files, choice)
    voxels, mask = _voxels(image, taken, map_bytes, beside)
    if taken is None and elsewhere:
        passed_over = tuple(path.name for path in elsewhere)
        mask = dataclasses.replace(mask, parameters={**mask.parameters, "passed_over": passed_over})
    voxels.begin()
    noise = smooth(choice.noise, voxels, OF_RUN)
    models = [_model(fit, analysis) for fit in mapped]
    found: dict[tuple[int, int], VoxelFit] = {}
    for part, _, activity in voxels.parts():
        for at, (fit, model) in enumerate(zip(mapped, models, strict=True)):
            found[at, part] = _fit_part(activity, fit, model, image, analysis, plasma, steps)
    own = (*_of_voxels(steps, _weights(analysis, image)), image.step, mask, *noise)
    maps = tuple(
        Maps(model, [found[at, part] for part in range(voxels.n_part)], own) for at, model in enumerate(models)
    )
    maps = regularise(choice.noise, voxels, maps)
    done: dict[str, Parameter] = {"image": files.image.name, "models": tuple(model.name for model in models)}
    done |= {
        **mask.parameters,
        "weights": weights if isinstance(weights := _weights(analysis, image), str) else "given",
    }
    cited = tuple(dict.fromkeys(key for model in models for key in model.citations))
    smoothed = [step for step in maps[0].steps if step.name in ("smooth", "regularise")]
    told = (Step("maps", done, citations=cited), *smoothed)
    missed = [
        f"{why}. It was not used; the voxels with activity were mapped"
        for path, why in elsewhere.items()
        if taken is None and _meant_for(path, files.image)
    ]
    return ScanMaps(image, voxels.indices, maps, told, taken, taken is None and choice.mask is None, tuple(missed))


def _mapped(image: DynamicImage, table: Path, fits: Sequence[KineticFit]) -> list[KineticFit]:
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


def _brain_mask(
    image: DynamicImage, files: FilesOfMaps, choice: MapChoice
) -> tuple[Path | None, dict[Path, InputError]]:
    """Nearest of the brain masks that is on the grid of the image; and why others are not taken."""
    elsewhere: dict[Path, InputError] = {}
    for rank in files.masks:
        there = []
        for path in rank:
            own = open_image(path).grid
            try:
                image.file.grid.check_same(own, image.path, path)
            except InputError as error:
                elsewhere[path] = error
            else:
                there.append(path)
        if len(there) > 1:
            raise InputError(
                f"{image.path}: {len(there)} brain masks would do ({shortened([str(path) for path in there], 4)}); "
                "give the folder of one (--derivatives), or remove those that are not meant"
            )
        if there:
            return there[0], elsewhere
    if choice.mask == "brain":
        raise next(iter(elsewhere.values()))
    return None, elsewhere


def _meant_for(mask: Path, image: Path) -> bool:
    """Whether a mask is told to be on the grid of a PET image by its folder and its name."""
    own, other = (parse_name(path).entities.get("space") for path in (mask, image))
    return mask.parent.name == "pet" and own == other


def _voxels(image: DynamicImage, mask: Path | None, map_bytes: int, beside: int) -> tuple[Voxels, Step]:
    limit = limit_of(None, beside)
    if mask is None:
        return masked_by_activity(image, map_bytes=map_bytes, workers=1, limit=limit, ways=OF_RUN)
    voxels, step = masked_by(mask, image, map_bytes=map_bytes, workers=1, limit=limit, ways=OF_RUN)
    return voxels, dataclasses.replace(step, parameters={**step.parameters, "file": mask.name})


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


def _weights(analysis: Analysis, image: DynamicImage) -> str | Array:
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
