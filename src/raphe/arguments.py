"""How a word of a command becomes a value; for ``type=`` of argparse, which tells the user what is wrong with it."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

LEVELS = ("participant", "group", "all")
"""Words that end ``raphe run``."""


def path(text: str) -> Path:
    """A file or folder."""
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a file or folder")
    return Path(text)


def name(text: str) -> str:
    """A name that is not empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not a name")
    return text


def names(text: str) -> list[str]:
    """Names that commas part."""
    return [name(part) for part in text.split(",")]


def label(text: str) -> str:
    """Letters and digits, as a label of BIDS has them; ``sub-`` and the like may stand before them."""
    plain = re.sub(r"^(sub|ses|task|rec|run|seg)-", "", text)
    if not re.fullmatch(r"[A-Za-z0-9]+", plain):
        raise argparse.ArgumentTypeError(f"{text!r} is not a label: letters and digits")
    return plain


def entity(text: str) -> tuple[str, str]:
    """A key and a value of a file's name, ``KEY-VALUE``."""
    key, dash, value = text.partition("-")
    if not (dash and re.fullmatch(r"[A-Za-z]+", key) and re.fullmatch(r"[A-Za-z0-9+]+", value)):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY-VALUE, as pvc-MG")
    return key, value


def field(text: str) -> tuple[str, object]:
    """A field of a sidecar, ``FIELD=VALUE``; the value is read as JSON, and as a text where it is none."""
    key, sign, value = text.partition("=")
    if not sign or not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", key):
        raise argparse.ArgumentTypeError(f"{text!r} is not FIELD=VALUE")
    try:
        return key, json.loads(value, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):
        return key, value


def _finite(text: str) -> float:
    value = float(text)
    if not abs(value) < float("inf"):
        raise ValueError
    return value


def with_joined_models(words: Sequence[str]) -> list[str]:
    """Words of a command in which the models that follow ``--model`` are one word, parted by commas.

    What follows the first is taken for a model while it is letters and digits and no file or folder: so that
    ``--model SRTM TABLE.tsv`` names one model, as does ``--model SRTM BIDS OUT all``.
    """
    found: list[str] = []
    models = 0
    for word in words:
        if models and word.isalnum() and word not in LEVELS and (models == 1 or not os.path.lexists(word)):
            if models == 1:
                found.append(word)
            else:
                found[-1] += f",{word}"
            models += 1
            continue
        models = int(word == "--model")
        found.append(word)
    return found


def whole(text: str, least: int | None = None) -> int:
    """A whole number, at least ``least``."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if least is not None and value < least:
        raise argparse.ArgumentTypeError(f"{text} is not a number from {least} on")
    return value


def count(text: str) -> int:
    """A whole number from 1 on."""
    return whole(text, least=1)


def seed(text: str) -> int:
    """A whole number from 0 on."""
    return whole(text, least=0)


SIZES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def size(text: str) -> int:
    """Bytes, with ``k``, ``M``, ``G`` or ``T`` for powers of a thousand, as in ``900M`` or ``1.5G``."""
    plain = text.strip().removesuffix("B")
    unit = next((key for key in SIZES if key and plain.lower().endswith(key.lower())), "")
    return int(positive(plain[: len(plain) - len(unit)]) * SIZES[unit])


def fit_or_positive(text: str) -> float | None:
    """A number above 0, or None for ``fit``."""
    return None if text == "fit" else positive(text)


def fit_or_share(text: str) -> float | None:
    """A share above 0, of 1 at most, or None for ``fit``."""
    value = fit_or_positive(text)
    if value is not None and value > 1:
        raise argparse.ArgumentTypeError(f"{text} is more than all; give a share of 1, such as 0.9, or fit")
    return value


def number(text: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return value


def positive(text: str) -> float:
    """A positive number."""
    value = number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def from_zero(text: str) -> float:
    """A number from 0 on."""
    value = number(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 on")
    return value


def positive_or_fit(text: str) -> float | str:
    """A positive number, or ``fit``."""
    return text if text == "fit" else positive(text)


def positive_or_auto(text: str) -> float | str:
    """A positive number, or ``auto``."""
    return text if text == "auto" else positive(text)


def t_star(text: str) -> tuple[float | str, float | None]:
    """Minutes, or ``auto`` with an optional limit in per cent, as in ``auto:5``."""
    word, colon, limit = text.partition(":")
    if word == "auto":
        return word, positive(limit.removesuffix("%")) if colon else None
    return from_zero(text), None


def span(text: str) -> tuple[float, float]:
    """Two times, ``START:END``, in min."""
    first, colon, last = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"{text!r} is not START:END")
    start, end = from_zero(first), from_zero(last)
    if end <= start:
        raise argparse.ArgumentTypeError(f"{text} ends before it begins")
    return start, end


def share_or_fit(text: str) -> float | str:
    """A share from 0 to below 1, or ``fit``."""
    if text == "fit":
        return text
    value = number(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share from 0 to below 1, nor fit")
    return value


def number_or_fit(text: str) -> float | str:
    """A finite number, or ``fit``."""
    return text if text == "fit" else number(text)


def frames(text: str) -> tuple[int, int | None]:
    """Frames ``A:B``, counted from 0; the end may be left out."""
    first, colon, last = text.partition(":")
    start, stop = whole(first or "0"), whole(last) if last else None
    if not colon or start < 0 or (stop is not None and stop <= start):
        raise argparse.ArgumentTypeError(f"{text} is not A:B with 0 <= A < B")
    return start, stop
