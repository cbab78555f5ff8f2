"""Template and atlas of a study on the grid of its maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.core.resample import LINEAR, NEAREST, resample
from raphe.data.image import Grid
from raphe.errors import InputError
from raphe.io import derivatives as names
from raphe.nomenclature import region_key
from raphe.pipeline.atlas_choice import atlas_of
from raphe.pipeline.plan import StudyPlan
from raphe.pipeline.preprocess_choices import preprocessing
from raphe.pipeline.template_of import template_of

Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class OnGrid:
    """What is known of the places of a grid.

    Parameters
    ----------
    name : str
        Of the atlas; empty where there is none.
    why : str
        Why there is none; empty where there is one.
    labels : ndarray of int, shape ``grid.shape``, or None
    regions : mapping of int to str
    background : ndarray, shape ``grid.shape``, or None
        T1-weighted image of the template.
    grey : ndarray, shape ``grid.shape``, or None
        Probability of grey matter.
    """

    name: str = ""
    why: str = ""
    labels: Whole | None = None
    regions: Mapping[int, str] = field(default_factory=dict)
    background: Floats | None = None
    grey: Floats | None = None


def space_of(plan: StudyPlan) -> str:
    """The ``space-`` of the template that goes with a plan; empty where the catalog has none."""
    try:
        return names.label(atlas_of(preprocessing(plan, maps=True)).space)
    except InputError:
        return ""


def on_grid(
    plan: StudyPlan, out: Path, grid: Grid, space: str, datasets: Mapping[str, Path], command_line: str
) -> OnGrid:
    """Bring the template of a study to a grid in its space.

    Parameters
    ----------
    plan : StudyPlan
    out : Path
    grid : Grid
    space : str
        The ``space-`` of the maps.
    datasets : mapping of str to Path
    command_line : str

    Returns
    -------
    OnGrid
        Without an atlas where the maps are in another space than the template's, or its files are not there.
    """
    own = space_of(plan)
    if own != space:
        return OnGrid(why=f"the maps are in space {space}, the atlas in {own or 'none'}")
    try:
        template, _ = template_of(preprocessing(plan, maps=True), out, datasets, command_line)
    except InputError as error:
        return OnGrid(why=str(error))
    labels = template.labels
    regions = {number: name.replace("_", " ") for number, name in labels.names.items()}
    t1, grey = template.t1, template.tissues[0] if template.tissues else None
    return OnGrid(
        template.name,
        "",
        np.asarray(_brought(labels.values, labels.grid, grid, NEAREST), dtype=np.int32),
        regions,
        np.asarray(_brought(t1.values, t1.grid, grid, LINEAR), dtype=np.float32),
        None if grey is None else np.asarray(_brought(grey.values, grey.grid, grid, LINEAR), dtype=np.float32),
    )


def without_sides(regions: Mapping[int, str]) -> dict[int, str]:
    """Names of regions less left and right."""
    return {number: region_key(name)[0] for number, name in regions.items()}


def _brought(values: npt.NDArray[np.generic], own: Grid, grid: Grid, order: int) -> npt.NDArray[np.generic]:
    return resample(values, own.affine, np.eye(4), grid.shape, grid.affine, order)
