"""The small table of what a plan asks for besides the estimate: weights, resampling, a stated prior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from raphe.data.results import Contrast, ContrastRow
from raphe.report.verdict import places_of
from raphe.report.wording import NOTHING, decimals, fixed, opening, share, span

EXTRAS = ("Weights", "Bootstrap", "Prior")
"""Those that have figures, in the order of the table."""


class ExtraRow(NamedTuple):
    """One region: the name, its estimate, and cells of one line or two."""

    region: str
    estimate: str
    cells: tuple[tuple[str, str], ...]


class ExtraTable(NamedTuple):
    """The table with its heads, each with a second line, and what each is."""

    heads: tuple[tuple[str, str], ...]
    rows: tuple[ExtraRow, ...]
    told: tuple[tuple[str, str], ...]


def extra_table(contrast: Contrast, rows: Sequence[ContrastRow]) -> ExtraTable | None:
    """Give the table of some rows; None where the plan asks for nothing besides."""
    asked = [name for name in EXTRAS if name in contrast.extras]
    if not asked:
        return None
    heads: list[tuple[str, str]] = []
    for name in asked:
        heads += _HEADS[name]
    return ExtraTable(
        tuple(heads),
        tuple(_row(contrast, row, asked) for row in rows),
        tuple((name, opening(contrast.extras[name])) for name in asked),
    )


_HEADS = {
    "Weights": [("tau", "between people"), ("Error", "of variance")],
    "Bootstrap": [("Bootstrap", "95 % interval, SE")],
    "Prior": [("Posterior", "mean, 95 % interval"), ("P(> 0)", "posterior")],
}


def _row(contrast: Contrast, row: ContrastRow, asked: Sequence[str]) -> ExtraRow:
    places, cells = places_of(contrast, row), list[tuple[str, str]]()
    if "Weights" in asked:
        found = row.weighting
        several = found is not None and len(found.tau) > 1
        by_arm = zip(contrast.groups, found.tau, strict=True) if found is not None and several else ()
        tau = fixed(found.pooled, places) if found else NOTHING
        cells += [(tau, ", ".join(f"{arm} {fixed(one, places)}" for arm, one in by_arm))]
        cells += [(f"{100 * found.error_share:.0f} %" if found else NOTHING, "")]
    if "Bootstrap" in asked:
        drawn = row.resampled
        ends = span(drawn.low, drawn.high, places) if drawn else ""
        cells += [(ends or NOTHING, f"SE {fixed(drawn.se, decimals(drawn.se))}" if drawn and ends else "")]
    if "Prior" in asked:
        held = row.held
        cells += [(fixed(held.mean, places, sign=True), span(held.low, held.high, places)) if held else (NOTHING, "")]
        cells += [(share(held.above_zero) if held else NOTHING, "")]
    where = row.pairs.region + (f" ({row.term})" if row.secondary else "")
    return ExtraRow(where, fixed(row.estimate, places, sign=True), tuple(cells))
