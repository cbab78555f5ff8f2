"""The flags of a fit: written once, used by the fitter, the tables, the maps and the report."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntFlag

import numpy as np
import numpy.typing as npt


class Quality(IntFlag):
    """Bits that say what is wrong with one fitted curve; 0 is a fit without remark.

    The same bits stand in ``*_kinpar.tsv`` (as words, see :func:`words`) and in ``meas-quality`` maps (as numbers).
    """

    GOOD = 0
    BAD_INPUT = 1
    SINGULAR = 2
    AT_BOUND = 4
    NOT_CONVERGED = 8
    IMPLAUSIBLE = 16
    IMPRECISE = 32
    SLOW = 64
    UNDETERMINED = 128


WORD: dict[Quality, str] = {
    Quality.BAD_INPUT: "bad_input",
    Quality.SINGULAR: "singular",
    Quality.AT_BOUND: "at_bound",
    Quality.NOT_CONVERGED: "not_converged",
    Quality.IMPLAUSIBLE: "implausible",
    Quality.IMPRECISE: "imprecise",
    Quality.SLOW: "slow",
    Quality.UNDETERMINED: "undetermined",
}
"""The word of each flag as it stands in the ``quality`` column."""

MEANING: dict[Quality, str] = {
    Quality.BAD_INPUT: "the curve holds values that are not numbers, or no activity at all (for a Logan plot: none in "
    "a frame that it divides by); it was not fitted",
    Quality.SINGULAR: "the data do not determine all parameters of the model (singular equations)",
    Quality.AT_BOUND: "a rate constant ended at a bound of its search range, so the estimate is that bound's, not the "
    "data's",
    Quality.NOT_CONVERGED: "the search for the best fit did not settle",
    Quality.IMPLAUSIBLE: "the estimate is outside what is physically possible or believable for binding in tissue",
    Quality.IMPRECISE: "the scan does not determine the binding: the SE of 1 + BP_ND or V_T exceeds half of it, or "
    "the apparent clearance k2a cannot be told from zero, so that BP_ND has no upper limit; or the interval that was "
    "asked for has no end, or too many noisy repeats of the curve have no estimate",
    Quality.SLOW: "the curve equilibrates more slowly than the scan lasts: the estimate rests on extrapolation",
    Quality.UNDETERMINED: "one or more of the other parameters are not determined by the data: their standard error "
    "exceeds half of their value, so that they may as well be zero, or it cannot be told. Those are left out; what the "
    "model is used for is not",
}
"""Plain words for a reader of the report."""

UNTOLD = "the data do not tell it: its standard error exceeds half of it (of 1 + BP_ND), or is not known"
"""What is said of one parameter that :data:`Quality.UNDETERMINED` leaves out."""

LARGEST_SE = 0.5
"""Standard error, as a share of a value, up to which the data are said to determine it.

Where it is more, the 95 % interval holds zero, for two standard errors are about its half-width.
"""

VOLUMES: Mapping[str, float] = {"BP_ND": 1.0, "V_T": 0.0}
"""Parameters that are a volume of distribution, V_T or 1 + BP_ND, with what makes a volume of them."""

EXCLUDES: Quality = (
    Quality.BAD_INPUT
    | Quality.SINGULAR
    | Quality.AT_BOUND
    | Quality.NOT_CONVERGED
    | Quality.IMPLAUSIBLE
    | Quality.IMPRECISE
)
"""A curve whose fit has any of these flags enters no summary, contrast or figure of the study."""


def words(bits: int) -> str:
    """Words of the flags in ``bits``, joined by ``,``; empty for a fit without remark."""
    return ",".join(word for flag, word in WORD.items() if bits & flag)


def from_words(text: str) -> Quality:
    """Read the flags named in ``text``, the inverse of :func:`words`.

    Raises
    ------
    KeyError
        If a word is not a flag's.
    """
    flags = {word: flag for flag, word in WORD.items()}
    bits = Quality.GOOD
    for word in filter(None, (part.strip() for part in text.split(","))):
        bits |= flags[word]
    return bits


def usable(bits: int | npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Say where a curve's fit with these flags may enter a summary; same shape as ``bits``."""
    return np.asarray((np.asarray(bits) & int(EXCLUDES)) == 0)


def determined(value: npt.ArrayLike, se: npt.ArrayLike, name: str = "") -> npt.NDArray[np.bool_]:
    """Say where the data determine a value with the standard error ``se``; same shape as both, False where one is NaN.

    That is where the standard error is no more than :data:`LARGEST_SE` of it; where ``name`` is one of :data:`VOLUMES`,
    of the volume that it makes: a BP_ND that is known to be about nothing is determined, however large its standard
    error is beside it. Who left that out would keep of a blocked region what noise had raised.
    """
    volume = np.asarray(value) + VOLUMES[name] if name in VOLUMES else np.asarray(value)
    return np.asarray(np.asarray(se) <= LARGEST_SE * np.abs(volume))


def of_parameter(bits: Quality, name: str, value: float, se: float) -> Quality:
    """Flags of one parameter of a fit with flags ``bits``: ``UNDETERMINED`` stays only where it is meant.

    A BP_ND of exactly 0 is determined: it is what a search finds where there is no binding, and a table that has
    standard errors in per cent of the value cannot hold that of 0.
    """
    nothing = name in VOLUMES and VOLUMES[name] > 0 and value == 0
    return bits & ~Quality.UNDETERMINED if nothing or determined(value, se, name) else bits
