"""Values of the study plan: what one key may hold, checked as the plan is read; and what every section is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from raphe.blood.registry import names as blood_models
from raphe.catalog import all_species
from raphe.errors import ModelError, nearest
from raphe.kinetics.registry import examples, model_type
from raphe.nomenclature import BY_LABEL, SYMBOLS


class Section(BaseModel):
    """A table of the plan: no key that is not known, no value of another type, no change once read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError("it must not be empty")
    if not text.isprintable():
        raise ValueError("it must be one line of printable characters")
    return text.strip()


def label(text: str) -> str:
    """Give a BIDS label without ``ses-``; ValueError if it is none."""
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
Label = Annotated[str, AfterValidator(label)]
Labels = Annotated[tuple[Label, ...], Field(strict=False)]
Segmentation = Annotated[str, AfterValidator(_segmentation)]
Species = Annotated[str, AfterValidator(_species)]
Parameter = Annotated[str, AfterValidator(_parameter)]
Models = Annotated[tuple[str, ...], BeforeValidator(_models)]
"""One name, or a list."""
Width = Annotated[float, BeforeValidator(_width)]
Fwhm = Annotated[tuple[Width, ...] | None, BeforeValidator(_fwhm)]
K2Prime = Annotated[float | Literal["auto"] | None, BeforeValidator(_k2_prime)]
TStar = Annotated[float | Literal["auto"] | None, BeforeValidator(_t_star)]
Fitted = Annotated[float | Literal["fit"] | None, BeforeValidator(_fit_or_number)]
"""A number, or ``fit``."""
Share = Annotated[Fitted, AfterValidator(_share)]
Duration = Annotated[Fitted, AfterValidator(_positive)]
Window = Annotated[tuple[float, ...] | None, Field(strict=False), AfterValidator(_window)]
ParentFraction = Annotated[Name, AfterValidator(_blood_model("parent_fraction"))]
PlasmaRatio = Annotated[Name, AfterValidator(_blood_model("plasma_ratio"))]
Arterial = Annotated[Name, AfterValidator(_blood_model("arterial"))]
