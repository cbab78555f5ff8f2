"""Sections and keys of the study plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, PrivateAttr, ValidationInfo, field_validator

from raphe.catalog import find_tracer
from raphe.kinetics.bootstrap import LEAST_REPEATS
from raphe.nomenclature import tracer_key
from raphe.pipeline.plan_pharmacology import PharmacologyKeys
from raphe.pipeline.plan_values import (
    Arterial,
    Duration,
    Fitted,
    Fwhm,
    K2Prime,
    Label,
    Labels,
    Models,
    Name,
    Names,
    Parameter,
    ParentFraction,
    PlasmaRatio,
    Section,
    Segmentation,
    Share,
    Species,
    TStar,
    Width,
    Window,
    label,
)
from raphe.pipeline.toml_lines import Key, line_of
from raphe.stats.bootstrap import LEAST_REPEATS as LEAST_OF_PEOPLE


class StudySection(Section):
    """``[study]``."""

    title: str = ""
    species: Species = "human"


class TracerSection(Section):
    """``[[tracer]]``: how the scans of one tracer are analysed; ``None`` leaves it to the tracer's catalog entry."""

    name: Name
    models: Annotated[Models, Field(alias="model")] = ()
    """The key is ``model``: one name, or a list."""
    reference: Name | None = None
    weights: Literal["decay", "duration", "uniform", "residual"] | None = None
    k2_prime: K2Prime = None
    """1/min."""
    t_star: TStar = None
    """min."""
    t_star_limit: Annotated[float, Field(gt=0)] | None = None
    """Per cent, for ``t_star = "auto"``."""
    V_B: Share = None
    window: Window = None
    """min."""
    delay: Fitted = None
    """min."""
    dispersion: Duration = None
    """min."""
    parent_fraction: ParentFraction | None = None
    plasma_ratio: PlasmaRatio | None = None
    arterial: Arterial | None = None
    blood_unit: Name | None = None
    blood_faults: Literal["refuse", "mend"] | None = None
    convention: Literal["average", "midframe"] | None = None
    uncertainty: Literal["jacobian", "bootstrap", "profile"] | None = None
    repeats: Annotated[int, Field(ge=LEAST_REPEATS)] | None = None
    """Of the bootstrap."""
    high_binding: Names = ()


class ConditionSection(Section):
    """``[[condition]]``."""

    name: Name


class ArmSection(Section):
    """``[[arm]]``: a group of people, and its share in the allocation."""

    name: Name
    allocation: Annotated[float, Field(gt=0)] = 1.0


class SessionSection(Section):
    """``[[session]]``: sessions stand in the order of time."""

    label: Label
    """Without ``ses-``."""
    condition: Name | None = None
    timing: float | None = None
    """Hours from the dose to the scan."""


class RegionsSection(Section):
    """``[regions]``."""

    names: Annotated[Names, Field(alias="list")] = ()
    """Empty: every region of the tables."""
    seg: Annotated[Segmentation | None, Field(validation_alias=AliasChoices("seg", "atlas"))] = None
    """Segmentation whose curves are read or made: the ``seg-`` of file names, of label images the ``desc-`` or the name
    of FreeSurfer's file too; the key ``atlas`` is the same."""
    pvc: Label | None = None
    """Partial-volume correction whose curves are read, the ``pvc-`` of file names."""
    merge: Mapping[Name, Names] = {}
    """Regions made of others; see :func:`raphe.data.regions.members`."""


class PreprocessSection(Section):
    """``[preprocess]``: how raw scans become curves; each key has a default."""

    motion: bool = True
    """Whether head motion between frames is corrected."""
    t1: Name | None = None
    """What the name of the T1-weighted image holds, where a participant has several."""
    anatomy: Literal["t1", "pet"] | None = None
    """``pet`` finds regions from the PET image alone; None: from the T1-weighted image where there is one."""
    atlas: Name | None = None
    """Of the catalog; None: that of the species."""
    files: Mapping[Name, Name] = {}
    """Files of the atlas that the user has, by the words that its catalog entry uses, with paths from the plan on."""
    regions_from: Mapping[Name, Names] = {}
    """Regions that are taken from an atlas that supplies others, by its name; without it those of the catalog."""
    raphe: Literal["pet", "atlas"] = "pet"
    """``pet`` displaces the atlas's dorsal raphe to where a tracer shows it that binds there; ``atlas`` leaves it."""
    grey: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Probability of grey matter from which a voxel of the MRI counts for a region of it; None: regions as they are."""
    pvc: Names = ("GTM",)
    """Partial-volume corrections, each of which gives curves of its own beside those without."""
    fwhm: Fwhm = None
    """mm, resolution of the images along their axes, one number or three; None: that of the catalog's tomograph."""
    smoothing: Width | None = None
    """mm, FWHM of the Gaussian by which frames are smoothed inside the brain before curves are taken."""
    hypr: Width | None = None
    """mm, FWHM of the Gaussian of HYPR-LR, likewise."""


class MapsSection(Section):
    """``[maps]``: parametric maps of each scan, by the models of its tracer."""

    space: Label | None = None
    """Images of this ``space-`` are mapped; None: the only one, or that in the space of an atlas of the catalog."""
    mask: Literal["brain", "activity"] | None = None
    """The brain mask of the scan, or the voxels with activity; None: the first where there is one."""
    smoothing: Width | None = None
    """mm, FWHM of the Gaussian by which the volumes are smoothed."""
    hypr: Width | None = None
    """mm, FWHM of the Gaussian of HYPR-LR."""
    regularise: bool = False
    """Whether maps are averaged over neighbours that differ by no more than their errors."""
    permutations: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """How many shuffles each planned contrast has voxel by voxel, the observed one among them; None: no such contrasts.
    All are looked at where there are no more."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Of shuffles drawn at random."""
    statistics: Annotated[tuple[Literal["t", "tfce", "cluster"], ...], Field(strict=False, min_length=1)] = (
        "t",
        "tfce",
        "cluster",
    )
    """Of contrasts voxel by voxel; ``t`` is always made."""
    cluster_p: Annotated[float, Field(gt=0, lt=0.5)] = 0.001
    """One-sided p value, uncorrected, of the t value that forms clusters."""
    variance_smoothing: Width | None = None
    """mm, FWHM of the Gaussian over the map of the variance, for few scans: pseudo-t."""
    mirror: Literal["none", "average"] = "none"
    """``average``: left and right of each map are averaged before contrasts, and one half is analysed."""
    group_mask: Literal["brain", "grey"] = "brain"
    """Voxels of contrasts: those that every scan has mapped, or of these the ones of the template's grey matter."""


class PrimarySection(Section):
    """``[primary]``: the one outcome that was named in advance."""

    tracer: Name
    region: Name
    contrast: Name
    parameter: Parameter = "BP_ND"


class PriorSection(Section):
    """``prior`` of a contrast: what was held of its estimate before the data, in the unit of the estimate."""

    scale: Annotated[float, Field(gt=0)]
    location: float = 0.0
    df: Annotated[float, Field(gt=0)] | None = None
    """Of a t distribution; None: a normal one."""


class ContrastSection(PharmacologyKeys):
    """``[[contrast]]``: one planned comparison; :mod:`raphe.pipeline.contrast_rules` says which kind has which keys."""

    name: Name
    kind: Literal["paired", "groups", "ancova", "interaction", "mixed", "correlation", "occupancy", "displacement"] = (
        "paired"
    )
    tracer: str = ""
    """Name of a ``[[tracer]]``; the only one's where the plan has one and the contrast names none."""
    terms: Names = ()
    """Session labels; of ``groups`` and ``ancova`` two arms. Second minus first."""
    sessions: Labels = ()
    """Where arms are compared: one session, or two for the change; of ``ancova`` the baseline and that after."""
    by: Literal["tracer", "arm"] | None = None
    levels: Names = ()
    """Two tracers or arms: of an interaction, second minus first; arms that a mixed model compares."""
    arm: Name | None = None
    """People of this arm alone."""
    parameter: Parameter = "BP_ND"
    model: Models = ()
    """The model whose estimates are compared; the tracer's first that gives the parameter, if none is named."""
    regions: Names = ()
    """Of ``[regions]`` ``list``; all of it if none is named."""
    scale: Literal["difference", "percent", "log"] = "difference"
    """Of each person's change."""
    covariates: Names = ()
    """Columns of ``participants.tsv``, or scores as ``madrs:baseline``."""
    missing: Literal["error", "exclude"] = "error"
    """What becomes of people who lack a covariate, a block, or a standard error to be weighted by."""
    weights: Literal["none", "se"] = "none"
    """``se``: people are weighted by how sure their estimates are."""
    bootstrap: Annotated[int, Field(ge=LEAST_OF_PEOPLE, le=100_000)] | None = None
    """Repeats of an interval by resampling people; None: no such interval."""
    prior: PriorSection | None = None
    """None: no posterior."""
    blocks: Name | None = None
    """Column of ``participants.tsv`` within whose classes a permutation test deals the arms anew."""
    test: Literal["t", "permutation"] = "t"
    seed: Annotated[int, Field(ge=0)] = 1
    """Of random arrangements."""
    adjust: Literal["holm", "hochberg", "bh", "bonferroni", "maxt", "none"] = "holm"
    margin: Annotated[float, Field(gt=0)] | None = None
    """Largest effect that does not matter, in the unit of the estimate; None: equivalence is not tested."""
    covariance: Literal["unstructured", "ar1", "ar1h", "cs", "csh", "independent"] = "unstructured"
    df: Literal["kenward-roger", "satterthwaite"] = "kenward-roger"
    x: Labels = ()
    """One session, or two for the change, of the binding that is correlated."""
    score: Name | None = None
    score_sessions: Names = ()
    """One visit of the score, or two for its change."""
    method: Literal["pearson", "spearman", "skipped"] = "pearson"

    @field_validator("terms")
    @classmethod
    def _sessions(cls, terms: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Terms that are sessions, as labels."""
        of_arms = info.data.get("kind") in ("groups", "ancova")
        return terms if of_arms else tuple(label(term) for term in terms)


class MultiplicitySection(Section):
    """``[multiplicity]``."""

    order: Names = ()
    """Names of contrasts, the primary first: each is confirmatory while those before it are shown."""


class StudyPlan(Section):
    """What the study is: everything downstream reads it and nothing else."""

    study: StudySection = StudySection()
    tracers: Annotated[tuple[TracerSection, ...], Field(alias="tracer", strict=False)]
    conditions: Annotated[tuple[ConditionSection, ...], Field(alias="condition", strict=False)] = ()
    arms: Annotated[tuple[ArmSection, ...], Field(alias="arm", strict=False)] = ()
    sessions: Annotated[tuple[SessionSection, ...], Field(alias="session", strict=False)] = ()
    regions: RegionsSection = RegionsSection()
    preprocess: PreprocessSection = PreprocessSection()
    maps: MapsSection | None = None
    """None: no maps."""
    primary: PrimarySection | None = None
    contrasts: Annotated[tuple[ContrastSection, ...], Field(alias="contrast", strict=False)] = ()
    multiplicity: MultiplicitySection = MultiplicitySection()
    _path: Path = PrivateAttr(default=Path("raphe.toml"))
    _lines: dict[Key, int] = PrivateAttr(default_factory=dict)

    @property
    def path(self) -> Path:
        """File that the plan was read from."""
        return self._path

    def line(self, *key: str | int) -> int:
        """Line of the file at which a key stands, e.g. ``line("contrast", 0, "terms")``."""
        return line_of(self._lines, key)

    def tracer(self, name: str) -> TracerSection | None:
        """Section of a tracer, in any spelling of its name; None where the plan has none."""
        return next((tracer for tracer in self.tracers if same_tracer(tracer.name) == same_tracer(name)), None)


def same_tracer(name: str) -> str:
    """Give what all names of one tracer have in common: with isotope or without, or an alias that the catalog has."""
    entry = find_tracer(name)
    return tracer_key(entry.name if entry else name)
