"""Sections and keys of the study plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
)

from raphe.blood.registry import names as blood_models
from raphe.catalog import all_species, find_tracer
from raphe.errors import ModelError, nearest
from raphe.kinetics.bootstrap import LEAST_REPEATS
from raphe.kinetics.registry import examples, model_type
from raphe.nomenclature import BY_LABEL, SYMBOLS, tracer_key
from raphe.pipeline.plan_pharmacology import PharmacologyKeys
from raphe.pipeline.toml_lines import Key, line_of


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError("it must not be empty")
    if not text.isprintable():
        raise ValueError("it must be one line of printable characters")
    return text.strip()


def _label(text: str) -> str:
    text = _name(text).removeprefix("ses-")
    if not re.fullmatch(r"[A-Za-z0-9]+", text):
        raise ValueError("it must be a BIDS label, which is letters and digits only")
    return text


def _segmentation(text: str) -> str:
    text = _name(text)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+_-]*", text):
        raise ValueError("it must be a seg- or desc- of file names, or the name of a file of FreeSurfer, as aparc+aseg")
    return text


def _models(value: object) -> object:
    names = value if isinstance(value, list | tuple) else [value]
    texts = [name for name in names if isinstance(name, str) and name.strip()]
    if not names or len(texts) < len(names):
        raise ValueError('it must be the name of a model in double quotes, as "SRTM", or a list of such')
    try:
        return tuple(dict.fromkeys(model_type(name).name for name in texts))
    except ModelError as error:
        raise ValueError(str(error)) from None


def _parameter(text: str) -> str:
    known = dict.fromkeys(name for example in examples().values() for name in example.model.parameters)
    symbol = SYMBOLS.get(text) or BY_LABEL.get(text)
    if symbol is None or symbol.name not in known:
        raise ValueError(f"it is no parameter of a model; {nearest(text, known)}")
    return symbol.name


def _species(text: str) -> str:
    known, name = [entry.name for entry in all_species()], _name(text).lower()
    if name not in known and (hint := nearest(name, known)).startswith("did"):
        raise ValueError(f"the catalog does not know it; {hint}")
    return name


def _k2_prime(value: object) -> object:
    if value == "auto" or (isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")):
        return value
    raise ValueError('it must be "auto" or a positive number in 1/min')


def _t_star(value: object) -> object:
    if value == "auto":
        return value
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError('it must be a number, without quotes, or "auto"')
    if value < 0:
        raise ValueError("it must be greater than or equal to 0")
    return value


def _fit_or_number(value: object) -> object:
    if value == "fit" or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise ValueError('it must be "fit" or a number, without quotes')


def _share(value: float | str | None) -> float | str | None:
    if isinstance(value, float) and not 0 <= value < 1:
        raise ValueError("it must be a share from 0 to below 1")
    return value


def _positive(value: float | str | None) -> float | str | None:
    if isinstance(value, float) and not value > 0:
        raise ValueError("it must be a positive number of minutes")
    return value


def _blood_model(kind: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        known = ("auto", *blood_models(kind))
        if text.lower() not in known:
            raise ValueError(f"it is no model of this quantity; {nearest(text, known)}")
        return text.lower()

    return check


def _width(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf"):
        return float(value)
    raise ValueError("it must be a positive number of mm, without quotes")


def _fwhm(value: object) -> object:
    if value is None:
        return None
    several = value if isinstance(value, list | tuple) else [value] * 3
    if len(several) != 3:
        raise ValueError("it must be one number of mm, or three")
    return tuple(several)


def _window(value: tuple[float, ...] | None) -> tuple[float, ...] | None:
    if value is not None and not (len(value) == 2 and 0 <= value[0] < value[1]):
        raise ValueError("it must be a list of two times in min, ascending, as [40, 60]")
    return value


Name = Annotated[str, AfterValidator(_name)]
Names = Annotated[tuple[Name, ...], Field(strict=False)]
Label = Annotated[str, AfterValidator(_label)]
Labels = Annotated[tuple[Label, ...], Field(strict=False)]
Segmentation = Annotated[str, AfterValidator(_segmentation)]
Width = Annotated[float, BeforeValidator(_width)]
Parameter = Annotated[str, AfterValidator(_parameter)]


class Section(BaseModel):
    """A table of the plan: no key that is not known, no value of another type, no change once read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class StudySection(Section):
    """``[study]``."""

    title: str = ""
    species: Annotated[str, AfterValidator(_species)] = "human"


class TracerSection(Section):
    """``[[tracer]]``: how the scans of one tracer are analysed; ``None`` leaves it to the tracer's catalog entry."""

    name: Name
    models: Annotated[tuple[str, ...], Field(alias="model"), BeforeValidator(_models)] = ()
    """The key is ``model``: one name, or a list."""
    reference: Name | None = None
    weights: Literal["decay", "duration", "uniform", "residual"] | None = None
    k2_prime: Annotated[float | Literal["auto"] | None, BeforeValidator(_k2_prime)] = None
    """1/min."""
    t_star: Annotated[float | Literal["auto"] | None, BeforeValidator(_t_star)] = None
    """min."""
    t_star_limit: Annotated[float, Field(gt=0)] | None = None
    """Per cent, for ``t_star = "auto"``."""
    V_B: Annotated[float | Literal["fit"] | None, BeforeValidator(_fit_or_number), AfterValidator(_share)] = None
    window: Annotated[tuple[float, ...] | None, Field(strict=False), AfterValidator(_window)] = None
    """min."""
    delay: Annotated[float | Literal["fit"] | None, BeforeValidator(_fit_or_number)] = None
    """min."""
    dispersion: Annotated[float | Literal["fit"] | None, BeforeValidator(_fit_or_number), AfterValidator(_positive)] = (
        None
    )
    """min."""
    parent_fraction: Annotated[Name, AfterValidator(_blood_model("parent_fraction"))] | None = None
    plasma_ratio: Annotated[Name, AfterValidator(_blood_model("plasma_ratio"))] | None = None
    arterial: Annotated[Name, AfterValidator(_blood_model("arterial"))] | None = None
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
    fwhm: Annotated[tuple[Width, ...] | None, BeforeValidator(_fwhm)] = None
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
    permutations: Annotated[int, Field(ge=1)] | None = None
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


class ContrastSection(Section, PharmacologyKeys):
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
    model: Annotated[tuple[str, ...], BeforeValidator(_models)] = ()
    """The model whose estimates are compared; the tracer's first that gives the parameter, if none is named."""
    regions: Names = ()
    """Of ``[regions]`` ``list``; all of it if none is named."""
    scale: Literal["difference", "percent", "log"] = "difference"
    """Of each person's change."""
    covariates: Names = ()
    """Columns of ``participants.tsv``, or scores as ``madrs:baseline``."""
    missing: Literal["error", "exclude"] = "error"
    """What becomes of people who lack a covariate."""
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
        return terms if of_arms else tuple(_label(term) for term in terms)


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
