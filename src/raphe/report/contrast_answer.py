"""The answer of a planned contrast, as the page tells it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from raphe.data.results import Contrast, ContrastRow
from raphe.nomenclature import region_key
from raphe.report.answers import Answer
from raphe.report.verdict import family_verdict, places_of, unit_of
from raphe.report.wording import count, fixed, raised

NAN = float("nan")

WITHIN, TOGETHER = "within one arm: no comparison with ", "all arms together"
"""How notes of a contrast begin that compares no arms though there are some."""

ADJUSTED = {
    "holm": "Holm's procedure", "hochberg": "Hochberg's procedure", "bh": "Benjamini and Hochberg's procedure",
    "bonferroni": "Bonferroni's procedure", "maxt": "the permutation distribution of the largest statistic",
}  # fmt: skip


def answer_of(contrast: Contrast, primary_region: str = "", arm: str = "") -> Answer:
    """Give the answer of a contrast: in the primary region, or over all of its regions where it does not have that one.

    The primary contrast is judged by its own p in the primary region, and so is one that stands in an order of tests
    which has come to it; all others by the p that is adjusted over their regions.

    Parameters
    ----------
    contrast : Contrast
    primary_region : str
        Empty for none.
    arm : str
        To which the contrast is limited; empty for none.
    """
    rows = asked(contrast)
    if not rows:
        return _without_rows(contrast, arm)
    named = [row for row in rows if primary_region and region_key(row.pairs.region) == region_key(primary_region)]
    row = named[0] if named else _clearest(rows)
    kind, control = _kind(contrast)
    first, second = contrast.groups if contrast.groups else (contrast.first, contrast.second)
    where = row.pairs.region if named or len(rows) == 1 else f"{len(rows)} regions"
    one = len(rows) == 1 or bool(named)
    own = len(rows) == 1 or (bool(named) and contrast.by_own_p)
    return Answer(
        contrast.name,
        _role(contrast),
        kind,
        f"{contrast.parameter} of {contrast.tracer} in {where}",
        first,
        second,
        row.estimate,
        row.ci_low,
        row.ci_high,
        NAN if contrast.unit == "%" else row.percent,
        row.p,
        NAN if own else row.p_adjusted,
        len(row.pairs),
        raised(unit_of(contrast)),
        arm or ("all arms together" if any(note.startswith(TOGETHER) for note in contrast.notes) else ""),
        control,
        _test(contrast, row),
        row.p_smallest,
        adjustment(contrast),
        why=row.why,
        remark=" ".join(_sentence(note) for note in _told(contrast)),
        summary="" if one else family_verdict(contrast),
        effect="occupancy" if contrast.kind == "occupancy" else "",
        places=places_of(contrast, row),
    )


def asked(contrast: Contrast) -> list[ContrastRow]:
    """Rows of what the contrast asks, without those of other sessions."""
    return [row for row in contrast.rows if not row.secondary]


def adjustment(contrast: Contrast) -> str:
    """Give what adjusts the p values of a contrast and over how many regions; empty for one, or if nothing does."""
    how, n = ADJUSTED.get(contrast.adjust, ""), len(asked(contrast))
    return f"{how} over {count(n, 'region')}" if how and n > 1 else ""


def _told(contrast: Contrast) -> list[str]:
    """What is to be said besides the numbers; first what they are of, where that is open."""
    more = contrast.kind == "interaction" or contrast.groups or any(row.given for row in asked(contrast))
    what = [f"it is the {contrast.what}"] if more and contrast.what else []
    return what + [note for note in contrast.notes if not note.startswith((WITHIN, TOGETHER))]


def _without_rows(contrast: Contrast, arm: str) -> Answer:
    kind, control = _kind(contrast)
    first, second = contrast.groups if contrast.groups else (contrast.first, contrast.second)
    return Answer(
        contrast.name, _role(contrast), kind, f"{contrast.parameter} of {contrast.tracer}", first, second, NAN, arm=arm,
        control=control, why="no region has it",
    )  # fmt: skip


def _role(contrast: Contrast) -> str:
    return contrast.status or ("primary" if contrast.primary else "secondary")


def _clearest(rows: Sequence[ContrastRow]) -> ContrastRow:
    """Row with the smallest adjusted p; the first one where none has any."""
    return min(rows, key=lambda row: row.p_adjusted if math.isfinite(row.p_adjusted) else np.inf)


def _kind(contrast: Contrast) -> tuple[str, str]:
    """What kind of comparison it is, and with what the study compares a change that it does not compare."""
    control = next((note.removeprefix(WITHIN) for note in contrast.notes if note.startswith(WITHIN)), "")
    if contrast.kind in ("correlation", "interaction"):
        return contrast.kind, control
    if contrast.groups:
        return "between", contrast.groups[0]
    if control or any(note.startswith(TOGETHER) for note in contrast.notes):
        return "within", control
    return "crossover", ""


def _test(contrast: Contrast, row: ContrastRow) -> str:
    """Statistic and its degrees of freedom; how it was found where p is that of a permutation."""
    if math.isfinite(row.p_smallest):
        return contrast.method.partition(";")[0]
    if not (row.se > 0 and math.isfinite(row.df)):
        return ""
    df = f"{row.df:.0f}" if row.df == round(row.df) else f"{row.df:.1f}"
    return f"t({df}) = {fixed(row.estimate / row.se, 2)}"


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:]}{'' if note.endswith('.') else '.'}"
