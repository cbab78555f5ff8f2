"""What a comparison shows, in sentences that claim no more than the data do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from raphe.data.results import Contrast, ContrastRow
from raphe.nomenclature import SYMBOLS
from raphe.report.wording import count, decimals, fixed, listed, no_evidence, probability, span

LEVEL = 0.05
"""A p value under it counts as shown; it belongs to the 95 % intervals."""

ADJUSTED = {
    "holm": ("after Holm's adjustment", "adjusted over the regions by Holm's procedure"),
    "hochberg": ("after Hochberg's adjustment", "adjusted over the regions by Hochberg's procedure"),
    "bh": (
        "at a false discovery rate of 5 % (Benjamini and Hochberg)",
        "adjusted over the regions by Benjamini and Hochberg's procedure, which controls the share of false findings "
        "and not the chance of any",
    ),
    "bonferroni": ("after Bonferroni's adjustment", "multiplied by the number of regions (Bonferroni)"),
    "maxt": (
        "adjusted by the permutation distribution of the largest statistic",
        "adjusted over the regions by the permutation distribution of the largest statistic (step-down)",
    ),
    "none": ("without adjustment for their number", "not adjusted"),
}
"""How p values were adjusted, in a sentence and in a caption."""


NOUNS = {
    "correlation": ("a correlation", "The correlation"),
    "occupancy": ("an occupancy other than 0", "The occupancy"),
    "displacement": ("a change", "The change"),
    "interaction": ("that the change differs", "The difference of changes"),
    **dict.fromkeys(("paired", "groups", "ancova", "mixed"), ("a difference", "The difference")),
}
"""What each kind of contrast may show, and its name at the beginning of a sentence."""


OWN_NAMES = {"correlation": "r", "occupancy": "occupancy", "displacement": "change"}
"""What the estimate of a kind is called on an axis, where it is not the parameter."""


def unit_of(contrast: Contrast) -> str:
    """Unit of a contrast's estimates; empty for none."""
    symbol = SYMBOLS.get(contrast.parameter)
    own = "" if symbol is None or symbol.unit == "unitless" else symbol.unit
    return own if contrast.unit is None else contrast.unit


def region_verdict(contrast: Contrast, row: ContrastRow) -> str:
    """One region's answer, by its own p value: for a region that was named before the data were seen."""
    told = _change(contrast, row) if is_change(contrast) else _answer(contrast, row)
    return with_notes(" ".join(filter(None, (told, within_margin(contrast, row)))), contrast)


def within_margin(contrast: Contrast, row: ContrastRow) -> str:
    """Whether an effect is shown to be too small to matter; empty where the plan names no margin."""
    found = row.equivalent
    if found is None:
        return ""
    unit = f" {unit_of(contrast)}" if unit_of(contrast) else ""
    margin = f"the margin of ±{found.margin:g}{unit} that the plan names"
    ends = span(found.low, found.high, decimals(row.se))
    test = f"90 % CI {ends}, two one-sided tests, p {_equals(found.p)}"
    if found.p < LEVEL:
        return f"Whatever it is, it is shown to lie within {margin} ({test})."
    return f"That it lies within {margin} is not shown ({test})."


def is_change(contrast: Contrast) -> bool:
    """Whether a contrast is told as a change of a parameter from one session to another."""
    plain = contrast.method in ("", "paired t test")
    return contrast.kind == "paired" and contrast.scale == "difference" and plain


def percent_words(contrast: Contrast) -> str:
    """Say what the per cents beside the estimates are; empty where there are none or the estimates are in per cent."""
    if contrast.unit == "%" or not any(math.isfinite(row.percent) for row in contrast.rows):
        return ""
    if contrast.scale == "log":
        return "the ratio that the estimate is the logarithm of, less 1"
    if contrast.kind == "paired":
        return f"mean over people of the change in per cent of {contrast.first}; its sign may be another"
    if contrast.kind == "groups" and contrast.first == contrast.groups[0]:
        return f"of the mean of arm {contrast.groups[0]}"
    if contrast.kind in ("groups", "interaction"):
        return "difference of the mean changes of people, each in per cent of the first value"
    return f"of the mean in {contrast.first} of all people" if contrast.kind in ("ancova", "mixed") else ""


def with_notes(verdict: str, contrast: Contrast) -> str:
    """A verdict with what a reader must know besides it."""
    return " ".join((verdict, *(f"{note[:1].upper()}{note[1:]}." for note in contrast.notes)))


def _change(contrast: Contrast, row: ContrastRow) -> str:
    n, region = len(row.pairs), row.pairs.region
    where = f"{contrast.parameter} of {contrast.tracer} in {region}"
    percent = f", {fixed(row.percent, 1, sign=True)} %" if math.isfinite(row.percent) else ""
    places = decimals(row.se)
    change = f"{fixed(row.estimate, places, sign=True)}{percent}"
    if n == 0:
        return f"{where} cannot be compared: {row.why}."
    if n == 1:
        return (
            f"In the one participant, {where} changed by {change} from {contrast.first} to {contrast.second}. One "
            "participant allows no inference across people."
        )
    if not math.isfinite(row.p):
        return f"{where} changed by {change} on average (n = {n}), but this cannot be tested: {row.why}."
    test = (
        f"mean change {change} (95 % CI {span(row.ci_low, row.ci_high, places)}), "
        f"t({row.df:.0f}) = {fixed(row.estimate / row.se, 2)}, p {_equals(row.p)}{_least(row)}, "
        f"{count(n, 'participant')}"
    )
    if row.p < LEVEL:
        direction = "an increase" if row.estimate > 0 else "a decrease"
        return f"The data show {direction} of {where} from {contrast.first} to {contrast.second}: {test}."
    return (
        f"The data do not show a difference of {where} between {contrast.first} and {contrast.second}: {test}. "
        f"{no_evidence('change', row.ci_low, row.ci_high)}"
    )


def _answer(contrast: Contrast, row: ContrastRow) -> str:
    """Answer of any kind by what is estimated."""
    n, region = len(row.pairs), row.pairs.region
    where = f"in {region}, {contrast.tracer}"
    means = f"It is the {contrast.what}."
    if not math.isfinite(row.p):
        found = f"{estimated(contrast, row)}, " if math.isfinite(row.estimate) else ""
        return (
            f"{NOUNS[contrast.kind][1]} {where} ({found}n = {n}) cannot be tested: {row.why or 'too few data'}. {means}"
        )
    people = listed([f"{k} of arm {arm}" for arm, k in row.counts.items()]) if row.groups else count(n, "participant")
    interval = interval_of(contrast, row)
    beside = f"95 % CI {interval}" if interval else row.why or "no interval"
    test = f"{estimated(contrast, row)} ({beside}), {_t(row)}p {_equals(row.p)}{_least(row)}"
    if contrast.kind == "occupancy":
        return f"The occupancy {where} is {test}, {people}. {means}"
    if row.p < LEVEL:
        return f"The data show {NOUNS[contrast.kind][0]} {where}: {test}, {people}. {means}"
    return (
        f"The data do not show {NOUNS[contrast.kind][0]} {where}: {test}, {people}. {means} "
        f"{no_evidence('value', row.ci_low, row.ci_high)}"
    )


def _t(row: ContrastRow) -> str:
    """Student's t with its degrees of freedom; nothing where the p value comes from something else."""
    if not (math.isfinite(row.df) and row.se > 0) or math.isfinite(row.p_smallest):
        return ""
    return f"t({fixed(row.df, 0 if row.df == round(row.df) else 1)}) = {fixed(row.estimate / row.se, 2)}, "


def places_of(contrast: Contrast, row: ContrastRow) -> int:
    """Decimals of an estimate: by its standard error, two for a correlation."""
    if contrast.kind == "correlation":
        return 2
    return decimals(row.se if math.isfinite(row.se) else abs(row.estimate) / 10)


def estimated(contrast: Contrast, row: ContrastRow) -> str:
    """An estimate with its unit, and in per cent where that is something else."""
    unit = unit_of(contrast)
    words = fixed(row.estimate, places_of(contrast, row), sign=True) + (f" {unit}" if unit else "")
    if unit != "%" and math.isfinite(row.percent):
        words += f", {fixed(row.percent, 1, sign=True)} %"
    return words


def interval_of(contrast: Contrast, row: ContrastRow) -> str:
    """The confidence interval as words."""
    return span(row.ci_low, row.ci_high, places_of(contrast, row))


def family_verdict(contrast: Contrast) -> str:
    """Answer over all regions of a contrast, by the adjusted p values."""
    told = _family(contrast, [row for row in contrast.rows if not row.secondary])
    return with_notes(told, contrast)


def _family(contrast: Contrast, rows: Sequence[ContrastRow]) -> str:
    tested = [row for row in rows if math.isfinite(row.p_adjusted)]
    total = count(len(rows), "region")
    noun = NOUNS[contrast.kind][0]
    if not tested:
        most = max((len(row.pairs) for row in rows), default=0)
        if most == 1 and is_change(contrast):
            return (
                f"Only one participant has both sessions: the change in each of {total} stands below, but no inference "
                "across people is possible."
            )
        if len(rows) > 1:
            return f"None of {total} could be tested; the reasons stand in the table."
    if len(rows) == 1:
        return region_verdict(replace(contrast, notes=()), rows[0])
    shown = [row.pairs.region for row in tested if row.p_adjusted < LEVEL]
    how = ADJUSTED[contrast.adjust][0]
    over = f"Over {count(len(tested), 'tested region')}, the data"
    missing = len(rows) - len(tested)
    untested = f" {count(missing, 'region')} could not be tested." if missing else ""
    if not shown:
        return f"{over} do not show {noun} in any ({how}, no p below {LEVEL}){_left_open(contrast, tested)}.{untested}"
    others = "" if len(shown) == len(tested) else "; in the others they do not, which is no evidence that there is none"
    return f"{over} show {noun} in {listed(shown)} ({how}){others}.{untested}"


def _left_open(contrast: Contrast, tested: Sequence[ContrastRow]) -> str:
    """What the intervals tell of regions in which nothing is shown; another thing where there are none."""
    if any(math.isfinite(row.ci_low) for row in tested):
        return f"; the intervals say which {'changes' if is_change(contrast) else 'values'} remain possible"
    return ", and without intervals any value remains possible"


def _least(row: ContrastRow) -> str:
    return f" (the smallest possible is {row.p_smallest:.3g})" if math.isfinite(row.p_smallest) else ""


def _equals(p: float) -> str:
    words = probability(p)
    return words if words.startswith("<") else f"= {words}"
