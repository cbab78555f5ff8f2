"""The plan of a simulated study: what is scanned, what is true, and the sections that its study plan shares."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from raphe.catalog import Quantity
from raphe.catalog.schema import ASSUMPTION, Sourced
from raphe.errors import nearest

MOST_PARTICIPANTS = 9999

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+$")]
Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], Field(strict=False)]


class Section(BaseModel):
    """A table of the plan: no key that is not known, no value of another type, no change once read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: object) -> object:
        known = [field.alias or name for name, field in cls.model_fields.items()]
        for key in data if isinstance(data, dict) else ():
            if key not in known:
                raise ValueError(f"there is no key {key!r}; {nearest(str(key), known)}")
        return data


class Window(Sourced):
    """A time drawn evenly between two, h."""

    low: FiniteFloat
    high: FiniteFloat

    @model_validator(mode="after")
    def _ordered(self) -> Window:
        if self.low > self.high:
            raise ValueError(f"low = {self.low:g} is later than high = {self.high:g}; exchange them")
        return self

    def at(self, share: float) -> float:
        """Time that lies a share, 0 to 1, of the way from the lowest to the highest."""
        return self.low + share * (self.high - self.low)


class StudySection(Section):
    """``[study]``."""

    title: Name
    description: str = ""
    species: Name = "human"
    participants: Annotated[int, Field(ge=1, le=MOST_PARTICIPANTS)]


class TracerSection(Section):
    """``[[tracer]]``: each session has a scan with it."""

    name: Name
    schedule: Name
    """Name of one of the frame schedules that the catalog has for it."""
    model: Name | None = None
    """For the study plan; the catalog's default if not given."""
    k4: Quantity | None = None
    """1/min. With it, tissues that bind have two compartments; without it one, and SRTM is exactly true."""


class ConditionSection(Section):
    """``[[condition]]``."""

    name: Name


class SessionSection(Section):
    """``[[session]]``, in the order of time."""

    label: Label
    condition: Name | None = None
    hours: Window | None = None
    """Time of the tracer's injection, h, on the clock of the doses."""


class ArmSection(Section):
    """``[[arm]]``: participants are allocated in random blocks of the sum of all allocations."""

    name: Name
    allocation: Annotated[int, Field(ge=1)]


class RegionsSection(Section):
    """``[regions]``: names as the catalog has them, both sides together."""

    names: Annotated[Names, Field(alias="list", min_length=1)]


class EffectSection(Section):
    """``[[effect]]``: a change of BP_ND in all scans that it does not exclude; several multiply."""

    tracer: Name
    session: Label | None = None
    condition: Name | None = None
    arm: Name | None = None
    regions: Names = ()
    """Empty: all."""
    percent: Quantity


class DoseSection(Section):
    """``[[dose]]``: a drug into a vein, before all sessions and visits that it does not exclude."""

    drug: Name
    mg_per_kg: Quantity
    """0 for saline."""
    minutes: Quantity
    """Duration of the infusion."""
    hours: Quantity = Quantity.model_validate({"value": 0.0, "source": ASSUMPTION})
    """When it begins."""
    session: Label | None = None
    condition: Name | None = None
    arm: Name | None = None
    repeat: Annotated[int, Field(ge=1, le=1000)] = 1
    every: Quantity | None = None
    """Hours from one to the next of a repeated dose."""
    blind: bool = True


class MechanismSection(Section):
    """``[mechanism]``: what the plan changes of ``mechanism.toml``."""

    pharmacokinetics: Name | None = None
    """Model of ketamine's pharmacokinetics; the species' if not given."""
    constants: dict[str, Quantity] = {}


class SymptomsSection(Section):
    """``[symptoms]``: MADRS, coupled to a person's lasting binding of a tracer in a region."""

    tracer: Name
    region: Name
    constants: dict[str, Quantity] = {}


class VisitSection(Section):
    """``[[visit]]``: a rating, in the order of time, at a session or at hours of its own."""

    label: Label
    session: Label | None = None
    hours: Window | None = None


class DropoutSection(Sourced):
    """``[dropout]``: one of so many participants leaves before a visit, drawn in blocks."""

    one_of: Annotated[int, Field(ge=1)]
    before: Label
    """A visit; the scans at it and at all that follow are not made either."""


class AnatomySection(Section):
    """``[anatomy]``: the heads of which images are made."""

    source: Literal["coarse", "mni", "inia19", "labels"] = "coarse"
    """Painted from ellipsoids; after the ICBM 152 template; after INIA19; or after a label image."""
    labels: Name | None = None
    table: Name | None = None
    """Of the label image, and of the table of its labels: paths, from the plan's folder if they are not absolute."""

    @model_validator(mode="after")
    def _complete(self) -> AnatomySection:
        if (self.source == "labels") != (self.table is not None) or (self.source == "labels" and self.labels is None):
            raise ValueError('source = "labels" goes with labels and table, the paths of an image and of its table')
        if self.labels is not None and self.source not in ("labels", "inia19"):
            raise ValueError(f'source = "{self.source}" takes no labels; leave them out, or set source = "labels"')
        return self


class ScannerSection(Section):
    """``[scanner]``: with what images are made; the usual one of the species if it is not given."""

    protocol: Name
    """Of the catalog."""
    bin: Annotated[int, Field(ge=1, le=8)] = 1
    """Voxels along each axis that become one."""
    fwhm: Quantity | None = None
    """Resolution everywhere, mm, instead of the protocol's; 0 for none."""


class BloodSection(Section):
    """``[blood]``: arterial samples are taken in each scan, and tissue holds blood."""

    percent: Quantity
    """Standard deviation of a measured activity."""
    V_B: Quantity = Quantity.model_validate({"value": 0.0, "source": ASSUMPTION})
    """Share of every tissue that is blood, the reference's too."""


class MotionSection(Section):
    """``[motion]``: how much heads move, as a multiple of what is usual in the species."""

    amount: Quantity


class TestRetestSection(Section):
    """``[[test_retest]]``: an absolute variability between scans that stands for the catalog's, per cent."""

    __test__ = False

    tracer: Name
    regions: Names
    percent: Quantity


class VariabilitySection(Section):
    """``[variability]``: how far the deviations of the regions of one brain go together, from 0 to 1."""

    between: Quantity
    """Deviations of a person from the mean."""
    within: Quantity
    """Deviations of a scan from the person."""


class NoiseSection(Section):
    """``[noise]``."""

    percent: Quantity
    """As :func:`raphe.simulate.curves.noise_level` understands it."""


class PrimarySection(Section):
    """``[primary]``, for the study plan."""

    tracer: Name
    region: Name
    parameter: Name = "BP_ND"
    contrast: Name


class ContrastSection(Section):
    """``[[contrast]]``, for the study plan, which says what each key means (``docs/plan.md``)."""

    name: Name
    kind: Literal["paired", "groups", "ancova", "interaction", "mixed", "correlation", "occupancy"] = "paired"
    tracer: Name | None = None
    terms: Names = ()
    sessions: Names = ()
    by: Literal["tracer", "arm"] | None = None
    levels: Names = ()
    arm: Name | None = None
    regions: Names = ()
    scale: Literal["difference", "percent", "log"] | None = None
    covariates: Names = ()
    test: Literal["t", "permutation"] | None = None
    x: Names = ()
    score: Name | None = None
    score_sessions: Names = ()
    method: Literal["pearson", "spearman", "skipped"] | None = None
    adjust: Literal["holm", "hochberg", "bh", "bonferroni", "maxt", "none"] = "holm"


class MultiplicitySection(Section):
    """``[multiplicity]``, for the study plan."""

    order: Names = ()


class SimulationPlan(Section):
    """A study of known truth."""

    study: StudySection
    tracers: Annotated[tuple[TracerSection, ...], Field(alias="tracer", strict=False, min_length=1)]
    conditions: Annotated[tuple[ConditionSection, ...], Field(alias="condition", strict=False)] = ()
    sessions: Annotated[tuple[SessionSection, ...], Field(alias="session", strict=False, min_length=1)]
    arms: Annotated[tuple[ArmSection, ...], Field(alias="arm", strict=False)] = ()
    regions: RegionsSection
    effects: Annotated[tuple[EffectSection, ...], Field(alias="effect", strict=False)] = ()
    doses: Annotated[tuple[DoseSection, ...], Field(alias="dose", strict=False)] = ()
    mechanism: MechanismSection = MechanismSection()
    symptoms: SymptomsSection | None = None
    visits: Annotated[tuple[VisitSection, ...], Field(alias="visit", strict=False)] = ()
    dropout: DropoutSection | None = None
    test_retest: Annotated[tuple[TestRetestSection, ...], Field(strict=False)] = ()
    anatomy: AnatomySection = AnatomySection()
    scanner: ScannerSection | None = None
    motion: MotionSection | None = None
    blood: BloodSection | None = None
    variability: VariabilitySection
    noise: NoiseSection
    primary: PrimarySection | None = None
    contrasts: Annotated[tuple[ContrastSection, ...], Field(alias="contrast", strict=False)] = ()
    multiplicity: MultiplicitySection | None = None
