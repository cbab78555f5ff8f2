"""Numbers and names as a reader expects them in print."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from raphe.catalog import find_tracer
from raphe.data.results import Interval
from raphe.nomenclature import SYMBOLS
from raphe.quality import EXCLUDES, MEANING

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
"""Stands where there is no number."""

RAISED = str.maketrans("0123456789", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")

NAMES = re.compile(rf"(?<!\w)({'|'.join(re.escape(name) for name in SYMBOLS if '_' in name)})(?!\w)")
"""Quantities whose names cannot be mistaken for a word."""

EQUATION = re.compile(r"(?<!\w)[A-Za-z\u03c1]\w?(?:\(\d+\))? (?:=|&lt;|&gt;) (?=[\d\u2212])")
"""Beginning of an equation such as ``p = 0.05`` or ``t(19) = 2.26`` in escaped text."""

MOST_DECIMALS = 5


def printable(words: str) -> str:
    """Replace every character that cannot be printed, and give one line: no name can break a page."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in words)


def short(words: str, most: int = 34) -> str:
    """Cut a text in its middle where it is longer than ``most`` characters."""
    if len(words) <= most:
        return words
    head = (most - 1) // 2
    return f"{words[:head]}\N{HORIZONTAL ELLIPSIS}{words[head + 1 - most :]}"


def decimals(spread: float) -> int:
    """Decimals that show two significant digits of ``spread``, between 0 and :data:`MOST_DECIMALS`."""
    if not (math.isfinite(spread) and spread > 0):
        return 3
    return min(max(1 - math.floor(math.log10(spread)), 0), MOST_DECIMALS)


def fixed(value: float, places: int, *, sign: bool = False) -> str:
    """Write a number with so many decimals and a true minus sign; a dash where there is none."""
    if not math.isfinite(value):
        return NOTHING
    if abs(value) >= 1e5:
        mantissa, _, power = f"{value:.1e}".partition("e")
        words = f"{mantissa}\N{MULTIPLICATION SIGN}10{str(int(power)).translate(RAISED)}"
    else:
        words = f"{value:.{places}f}"
        words = words.removeprefix("-") if float(words) == 0 else words
    plus = "+" if sign and value > 0 and float(f"{value:.{places}f}") > 0 else ""
    return plus + words.replace("-", MINUS)


def general(value: float, digits: int = 4, *, zeros: bool = False) -> str:
    """Write a number with so many significant digits; with ``zeros``, zeros at its end stay, as in a column."""
    words = f"{value:{'#' if zeros else ''}.{digits}g}".removesuffix(".")
    return words.replace("-", MINUS) if math.isfinite(value) else NOTHING


def with_error(value: float, se: float) -> tuple[str, str]:
    """Write a value and its standard error, both to the second significant digit of the error.

    Without an error, or with one of more than ten times the value, the value shows digits of its own.
    """
    places = decimals(se)
    if 0 < abs(value) < 1e5:
        first = -math.floor(math.log10(abs(value)))
        if not math.isfinite(se):
            places = min(max(first + 2, places), MOST_DECIMALS)
        elif se > 10 * abs(value):
            places = min(max(first + 1, 0), MOST_DECIMALS)
    return fixed(value, places), fixed(se, decimals(se))


def share(weight: float) -> str:
    """Write an Akaike weight; one that two decimals would call certain or impossible is bounded instead."""
    if not math.isfinite(weight):
        return NOTHING
    return "> 0.99" if weight > 0.995 else "< 0.01" if weight < 0.005 else f"{weight:.2f}"


def seconds(minutes: float, digits: int = 3) -> str:
    """Write a time in min as seconds; empty where it is not known."""
    return f"{general(60 * minutes, digits)} s" if math.isfinite(minutes) else ""


def span(low: float, high: float, places: int) -> str:
    """Two ends of an interval, with a decimal or two more where one would read as 0 and is not; empty where unknown."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    told = (n for n in range(places, places + 3) if all(end == 0 or round(end, n) != 0 for end in (low, high)))
    enough = next(told, places + 2)
    return f"{fixed(low, enough)} to {fixed(high, enough)}"


def no_evidence(what: str, low: float, high: float) -> str:
    """Sentence after something is not shown: what the interval leaves open, or that there is none."""
    if math.isfinite(low) and math.isfinite(high):
        return f"This is no evidence that there is none: every {what} within the interval is compatible with the data."
    return f"This is no evidence that there is none: there is no interval, so that any {what} may be true."


def interval(estimate: Interval, places: int, *, sign: bool = False) -> tuple[str, str]:
    """Write an estimate and the ends of its interval."""
    return fixed(estimate.value, places, sign=sign), span(estimate.low, estimate.high, places)


def probability(p: float) -> str:
    """Write a p value with three decimals, so that a permutation's 0.125 stays what it is."""
    if not math.isfinite(p):
        return NOTHING
    if p < 0.001:
        return "< 0.001"
    return f"{p:.3f}"


def count(n: int, one: str, many: str = "") -> str:
    """``1 region``, ``2 regions``."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def listed(words: Sequence[str], most: int = 12) -> str:
    """Words in a sentence: ``a, b and c``; a long list is cut and its rest counted."""
    words = list(words)
    if len(words) > most:
        return f"{', '.join(words[: most - 1])} and {len(words) - most + 1} more"
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def opening(words: str) -> str:
    """Words as a sentence begins: the first letter large."""
    return words[:1].upper() + words[1:]


def typeset(words: str) -> Markup:
    """Text with the names of quantities in it written as the field writes them; ``p = 0.05`` does not break."""
    safe = str(escape(printable(words))).replace(" %", "\N{NO-BREAK SPACE}%")
    safe = EQUATION.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), safe)
    return Markup(NAMES.sub(lambda found: SYMBOLS[found[0]].html, safe))


def quantities(words: str) -> Markup:
    """Text as :func:`typeset`, with true minus signs and the quantities of competition and dose: ``B_max``, ``x^h``."""
    text = str(typeset(words)).replace("n - 1", f"n {MINUS} 1")
    text = text.replace("theta0", "\N{GREEK SMALL LETTER THETA}<sub>0</sub>")
    text = re.sub(r"\b([BE])_max\b", r"<i>\1</i><sub>max</sub>", text)
    text = re.sub(r"(?<=\w)\^h\b", "<sup><i>h</i></sup>", text)
    return Markup(re.sub(r"(?<![\w.])-(?=\d)", MINUS, text))


def formula(words: str) -> Markup:
    """Equation with its powers raised, its indices low and true minus signs: ``u^b``, ``u^(-c)``, ``k_slow``."""
    safe = str(escape(printable(words))).replace("-", MINUS)
    safe = re.sub(r"\^(\w+|\([^()]*\))", lambda found: f"<sup>{found[1].strip('()')}</sup>", safe)
    return Markup(re.sub(r"(?<=[A-Za-z])_(\w+)", r"<sub>\1</sub>", safe))


def symbol(name: str) -> Markup:
    """Write a quantity as the field does, e.g. *BP* with a low ND."""
    return Markup(SYMBOLS[name].html) if name in SYMBOLS else escape(printable(name))


def unit(name: str) -> str:
    """Give the unit of a quantity; empty where it has none or is not known."""
    known = SYMBOLS.get(name)
    return "" if known is None or known.unit == "unitless" else raised(known.unit)


def raised(unit: str) -> str:
    """Write a unit with its powers raised, ``mL/cm³``."""
    return re.sub(r"(?<=[a-z])\d", lambda found: found[0].translate(RAISED), unit)


def quoted(words: str) -> str:
    """Put words between quotation marks."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{words}\N{RIGHT DOUBLE QUOTATION MARK}"


def tracer(name: str, radionuclide: str = "") -> str:
    """Write a tracer with its label, e.g. ``[11C]DASB``, unless its name already carries one.

    Parameters
    ----------
    name : str
        Several are joined by ``and``.
    radionuclide : str
        That of the scans; by the catalog where it is not known.
    """
    if " and " in name:
        return " and ".join(tracer(one, radionuclide) for one in name.split(" and "))
    known = find_tracer(name)
    if known is not None and radionuclide in ("", known.radionuclide):
        return known.label
    digits = radionuclide.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    element = radionuclide.removesuffix(digits)
    if not (digits.isdigit() and element) or name.startswith(("[", "(")):
        return name or "unknown tracer"
    return f"[{digits}{element}]{name}"


def with_labels(text: str, called: Mapping[str, str]) -> str:
    """Write the tracers of a text with their labels, by their names."""
    for name, label in called.items():
        text = re.sub(rf"(?<![\w\]]){re.escape(name)}(?!\w)", label.replace("\\", r"\\"), text)
    return text


def remarks(bits: int) -> tuple[str, ...]:
    """Meaning of each flag, those that exclude the value first."""
    flags = sorted((flag for flag in MEANING if bits & flag), key=lambda flag: not flag & EXCLUDES)
    return tuple(MEANING[flag] for flag in flags)
