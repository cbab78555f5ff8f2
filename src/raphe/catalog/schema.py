"""What a catalog file may hold: every number with its source."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, model_validator

from raphe.nomenclature import region_key

ASSUMPTION = "assumption"
"""What stands as the source of a value that nobody is known to have published."""

SECONDS_PER_MINUTE = 60.0

Status = Literal["published", "derived", "assumption"]
Names = Annotated[tuple[str, ...], Field(strict=False)]


class Entry(BaseModel):
    """A table of a catalog file: no key that is not known, no value of another type, no change once read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=False)


class Sourced(Entry):
    """Anything that was taken from somewhere.

    ``source`` is a key of ``references.toml`` or the word ``assumption``. ``status`` says how far the value is the
    source's own: ``published`` there, or ``derived`` from it, by an arithmetic that ``note`` names.
    """

    source: str
    status: Status
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _usual_status(cls, data: object) -> object:
        if isinstance(data, dict) and "source" in data and "status" not in data:
            return data | {"status": ASSUMPTION if data["source"] == ASSUMPTION else "published"}
        return data

    @model_validator(mode="after")
    def _consistent(self) -> Sourced:
        if (self.source == ASSUMPTION) != (self.status == ASSUMPTION):
            raise ValueError(
                f"source {self.source!r} and status {self.status!r} contradict each other; an assumption has no source"
            )
        if self.status == "derived" and not self.note:
            raise ValueError("a derived value needs a note that says how it was derived")
        return self


class Quantity(Sourced):
    """One number, and its standard deviation between people or animals where that is known."""

    value: FiniteFloat
    sd: Annotated[FiniteFloat, Field(ge=0)] | None = None


class PositiveQuantity(Quantity):
    """A number above 0."""

    value: Annotated[FiniteFloat, Field(gt=0)]


class Choice(Sourced):
    """A name that was chosen, e.g. of a model."""

    value: str


class NameList(Sourced):
    """Names that were chosen, the preferred first."""

    names: Names


class Reference(Entry):
    """One entry of the reference list."""

    key: str
    text: str
    doi: Annotated[str, Field(pattern=r"^10\.\d{4,9}/\S+$")] | None = None

    @property
    def citation(self) -> str:
        """Text and, where it has one, doi."""
        return self.text + (f" doi:{self.doi}" if self.doi else "")


class Radionuclide(Entry):
    """A positron emitter."""

    name: str
    """Element and mass number, e.g. ``C11``."""
    half_life: Quantity
    """min."""


class FrameRun(Entry):
    """Frames of equal length that follow each other."""

    count: Annotated[int, Field(gt=0)]
    seconds: Annotated[float, Field(gt=0)]


class Schedule(Sourced):
    """The frames of a dynamic scan that begins at injection."""

    name: str
    frames: Annotated[tuple[FrameRun, ...], Field(strict=False, min_length=1)]

    @property
    def duration(self) -> tuple[float, ...]:
        """Length of each frame, min."""
        return tuple(run.seconds / SECONDS_PER_MINUTE for run in self.frames for _ in range(run.count))

    @property
    def start(self) -> tuple[float, ...]:
        """Begin of each frame, min from injection."""
        seconds = [run.seconds for run in self.frames for _ in range(run.count)]
        return tuple(sum(seconds[:index]) / SECONDS_PER_MINUTE for index in range(len(seconds)))


def _several(value: object) -> object:
    return [value] if isinstance(value, dict) else value


class RegionEntry(Entry):
    """What is known of one tracer in one region of one species."""

    name: str
    BP_ND: Annotated[tuple[Quantity, ...], Field(strict=False, min_length=1), BeforeValidator(_several)]
    """Published figures, the preferred first; ``sd`` is that between healthy people in one scan."""
    R1: Quantity
    test_retest: Quantity
    """Absolute variability between two scans of a person, per cent of their mean."""


class Repeatability(Sourced):
    """A test-retest figure as it was published, over a group of regions."""

    regions: str
    measure: str
    low: FiniteFloat
    high: FiniteFloat
    """Per cent."""


class ReferenceTissue(Entry):
    """The reference region of a tracer."""

    names: NameList
    """Names that it carries in tables, the preferred first."""
    k2_prime: Quantity
    """1/min; ``sd`` is that between people."""
    k2_prime_repeat: Quantity
    """Standard deviation of k2_prime between scans of a person, per cent."""
    peak_suv: Quantity
    """Highest activity as a standardised uptake value, kBq/mL per (kBq/g injected)."""


class SpeciesEntry(Entry):
    """What is known of one tracer in one species."""

    injected_radioactivity: Quantity
    """MBq."""
    injected_mass: Quantity
    """ug."""
    R1_repeat: Quantity
    """Standard deviation of R1 between scans of an individual, per cent."""
    reference: ReferenceTissue
    region: Annotated[tuple[RegionEntry, ...], Field(strict=False, min_length=1)]
    test_retest: Annotated[tuple[Repeatability, ...], Field(strict=False)] = ()

    def binding(self, region: str) -> RegionEntry:
        """Entry of a region, in any spelling that :func:`raphe.nomenclature.region_key` understands.

        Raises
        ------
        KeyError
            If there is none.
        """
        plain = region_key(region)[0]
        for entry in self.region:
            if entry.name == plain:
                return entry
        raise KeyError(region)


class PlasmaCurve(Entry):
    """Total activity in plasma after a bolus, ``bolus t exp(-rise t) + exp(-late t) - exp(-rise t)`` in any unit."""

    rise: PositiveQuantity
    bolus: PositiveQuantity
    late: PositiveQuantity
    """Each in 1/min."""


class Tracer(Entry):
    """A radiotracer."""

    name: str
    """Letters and digits only: it stands in file names after ``trc-``."""
    label: str
    """As it is printed, e.g. ``[11C]DASB``."""
    aliases: Names = ()
    radionuclide: str
    target: str
    molecular_weight: Quantity | None = None
    """g/mol."""
    model: Choice
    """The model that fits it by default."""
    high_binding: NameList
    """Regions from which k2_prime ``auto`` is estimated, where a table holds them."""
    t_star: Quantity
    """Start of the linear part of a reference Logan plot, min."""
    k2_prime_range: Annotated[tuple[Quantity, Quantity], Field(strict=False)]
    """Lowest and highest value that one expects in people, 1/min."""
    cautions: Annotated[tuple[Choice, ...], Field(strict=False)] = ()
    plasma: PlasmaCurve | None = None
    """Where there is none, simulations take the curve of Feng et al. (1993)."""
    schedule: Annotated[tuple[Schedule, ...], Field(strict=False, min_length=1)]
    species: dict[str, SpeciesEntry]


Shape = Annotated[tuple[int, int, int], Field(strict=False)]
Sizes = Annotated[tuple[float, float, float], Field(strict=False)]


class Matrix(Sourced):
    """The voxels of a tomograph's images."""

    shape: Shape
    voxel: Sizes
    """mm."""


class Protocol(Entry):
    """How the images of a tomograph look, and those of the MRI beside it."""

    name: str
    label: str
    manufacturer: str
    species: str
    """Of what it is made for."""
    matrix: Matrix
    fwhm: Quantity
    """Resolution in the centre of the field of view, mm."""
    fwhm_off_centre: Quantity
    """Resolution ``off_centre`` from the axis, mm."""
    off_centre: Quantity
    """mm."""
    grain: Quantity
    """Width (FWHM) of a Gaussian kernel that makes noise as coarse as that of the images, mm."""
    scatter: Quantity
    """Share of scattered ones among the coincidences that are not random."""
    randoms: Quantity
    """Random coincidences for each true one at the highest activity of a scan."""
    mri_voxel: Quantity
    """Edge of a voxel of the T1-weighted image, mm."""


class RegionVolume(Entry):
    """Size of one region."""

    name: str
    volume: Quantity
    """mm3, both sides together."""


class Species(Entry):
    """A species whose brain is imaged."""

    name: str
    label: str
    body_weight: Quantity
    """kg."""
    reference_region: str
    region: Annotated[tuple[RegionVolume, ...], Field(strict=False, min_length=1)]

    def volume(self, region: str) -> Quantity:
        """Volume of a region, mm3.

        Raises
        ------
        KeyError
            If it is not known.
        """
        plain = region_key(region)[0]
        for entry in self.region:
            if entry.name == plain:
                return entry.volume
        raise KeyError(region)


class AtlasFile(Entry):
    """Where a file of an atlas is: in the wheel of a package, or at a place of the file system."""

    path: str
    package: str | None = None


class Ellipsoid(Sourced):
    """A region that an atlas does not draw: an ellipsoid, on both sides where its centre is beside the middle."""

    name: str
    kind: Literal["grey without another label", "all"]
    centre: Sizes
    axes: Sizes
    """Half-lengths, mm, in the space of the atlas."""


class Atlas(Sourced):
    """Regions in the space of a template, and the template's own images."""

    name: str
    label: str
    species: str
    space: str
    """BIDS label of the template's space."""
    files: dict[str, AtlasFile]
    """``t1`` and ``labels``; ``grey``, ``white`` (maps of tissue) and ``table`` where there are such."""
    rename: dict[str, str] = {}
    """Names of the table that are spelled otherwise here."""
    shape: Annotated[tuple[Ellipsoid, ...], Field(strict=False)] = ()
    regions: dict[str, list[int]] = {}
    """Numbers of the labels of each region, where there is no table; of the left side where ``right`` is given."""
    tissues: dict[str, list[int]] = {}
    """Likewise of ``fluid``, and of ``other_grey`` that is in no region; labels in neither are white matter."""
    ribbon: Names = ()
    """Regions that are sheets of grey matter, besides those that the table calls cortex."""
    nuclei: Names = ()
    """Regions that a T1-weighted image tells from what is around them."""
    right: int | None = None
    """What is added to the number of a label on the right side."""
    supplies: Names = ()
    """Regions that it gives to the main atlas of its species where the user names its files; none: it is one itself."""

    def role(self, file: str) -> str:
        """Word by which a plan names a file of an atlas that supplies others."""
        return f"{self.name.lower()}_{file}"
