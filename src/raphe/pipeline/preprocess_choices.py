"""How raw scans are preprocessed: what the plan says, put into one value that decides the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from raphe.pipeline.plan import StudyPlan
from raphe.pipeline.plan_schema import PreprocessSection


@dataclass(frozen=True)
class Preprocessing:
    """Choices for the raw scans of a study.

    Parameters
    ----------
    species : str
    motion : bool
        Whether head motion is corrected.
    t1 : str or None
        What the name of the T1-weighted image holds.
    anatomy : {"t1", "pet"} or None
        None: from the T1-weighted image where there is one.
    atlas : str or None
        Name in the catalog; None for that of the species.
    files : tuple of (str, Path)
        Files of the atlas that the user has, and of atlases that supply it.
    regions_from : tuple of (str, tuple of str)
        Regions that are taken from an atlas that supplies others, where they are not those of the catalog.
    seg : str or None
        Segmentation that is asked for.
    raphe : {"pet", "atlas"}
        Whether the PET says where the atlas's dorsal raphe lies.
    grey : float or None
    pvc : tuple of str
        Partial-volume corrections.
    fwhm : tuple of float, length 3, mm, or None
    smoothing, hypr : float, mm, or None
    space : str or None
        Space in which a dynamic image is written for maps, besides the PET's own; None where no maps are asked for.
    """

    species: str = "human"
    motion: bool = True
    t1: str | None = None
    anatomy: str | None = None
    atlas: str | None = None
    files: tuple[tuple[str, Path], ...] = ()
    regions_from: tuple[tuple[str, tuple[str, ...]], ...] = ()
    seg: str | None = None
    raphe: Literal["pet", "atlas"] = "pet"
    grey: float | None = None
    pvc: tuple[str, ...] = ("GTM",)
    fwhm: tuple[float, ...] | None = None
    smoothing: float | None = None
    hypr: float | None = None
    space: str | None = None


def preprocessing(plan: StudyPlan | None, *, seg: str | None = None, maps: bool = False) -> Preprocessing:
    """Choices of a plan; the defaults without one.

    Parameters
    ----------
    plan : StudyPlan or None
    seg : str, optional
        Segmentation that the command line asks for.
    maps : bool
        Whether maps are asked for, by command line or plan.
    """
    section = plan.preprocess if plan else PreprocessSection()
    folder = plan.path.parent if plan else Path()
    mapped = maps or (plan is not None and plan.maps is not None)
    return Preprocessing(
        species=plan.study.species if plan else "human",
        motion=section.motion,
        t1=section.t1,
        anatomy=section.anatomy,
        atlas=section.atlas,
        files=tuple((name, folder / path) for name, path in section.files.items()),
        regions_from=tuple(section.regions_from.items()),
        seg=seg or (plan.regions.seg if plan else None),
        raphe=section.raphe,
        grey=section.grey,
        pvc=section.pvc,
        fwhm=section.fwhm,
        smoothing=section.smoothing,
        hypr=section.hypr,
        space=(plan.maps.space if plan and plan.maps else None) or ("template" if mapped else None),
    )
