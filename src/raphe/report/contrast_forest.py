"""Forest plot of a contrast: its estimate in every region, beside its numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from raphe.data.results import Contrast, ContrastRow
from raphe.report.contrast_answer import adjustment
from raphe.report.forest import ForestRow, forest, not_computed
from raphe.report.simulated import Figure, Titled
from raphe.report.verdict import OWN_NAMES, is_change, percent_words, places_of, unit_of
from raphe.report.wording import general, opening

NAN = float("nan")


def forest_figure(
    rows: Sequence[ForestRow],
    symbol: str,
    what: str,
    *,
    before: str = "change in ",
    unit: str = "",
    margin: tuple[float, float] | None = None,
    adjusted: str = "",
    percent: str = "",
) -> Figure:
    """Forest plot with its caption.

    Parameters
    ----------
    rows, symbol, before, unit, margin
        As for :func:`raphe.report.forest.forest`.
    what : str
        What the estimates are, e.g. ``BP_ND, ketamine less placebo, adjusted for baseline``.
    adjusted : str
        What adjusts p, e.g. ``Holm's procedure over 15 regions``; empty where p is not adjusted.
    percent : str
        What the per cents are; empty where there are none.
    """
    single = ", not adjusted for the number of regions" if len(rows) > 1 else ""
    told = [f"{what}: estimate with its 95 % confidence interval{single}."]
    if any(row.primary for row in rows):
        told.append("The diamond is the primary region, which was named in advance and is judged by p.")
    if any(math.isfinite(row.estimate) and math.isnan(row.low) for row in rows):
        told.append("A mark without a bar rests on too few participants for an interval.")
    if percent:
        told.append(f"In per cent: {percent}.")
    if adjusted:
        told.append(f"Adjusted p: {adjusted}.")
    if margin is not None:
        told.append(f"The band from {general(margin[0])} to {general(margin[1])} holds effects that do not matter.")
    told.append(not_computed(rows))
    drawings = forest(rows, symbol, what, before=before, unit=unit, margin=margin)
    return Figure(tuple(Titled("", one) for one in drawings), " ".join(filter(None, told)), wide=True)


def forest_of(contrast: Contrast, rows: Sequence[ContrastRow], primary: Sequence[ContrastRow] = ()) -> Figure:
    """Forest plot of some rows of a contrast, in their order; those among ``primary`` are diamonds."""
    alone = len(rows) == 1
    shown = [
        ForestRow(
            row.pairs.region, row.estimate, row.ci_low, row.ci_high, len(row.pairs), row.p,
            NAN if alone or row in primary else row.p_adjusted, NAN if contrast.unit == "%" else row.percent,
            primary=row in primary, why="" if math.isfinite(row.estimate) else row.why,
            places=places_of(contrast, row),
        )
        for row in rows
    ]  # fmt: skip
    named = contrast.kind in OWN_NAMES
    within = is_change(contrast) or contrast.kind == "paired"
    what = contrast.what or f"change in {contrast.parameter} from {contrast.first} to {contrast.second}"
    margins = [row.equivalent.margin for row in rows if row.equivalent is not None]
    return forest_figure(
        shown,
        OWN_NAMES.get(contrast.kind, contrast.parameter),
        f"{opening(what)}, of {contrast.tracer} ({contrast.model})",
        before="" if named else "change in " if within else "difference in ",
        unit=unit_of(contrast),
        margin=(-margins[0], margins[0]) if margins else None,
        adjusted=adjustment(contrast),
        percent=percent_words(contrast),
    )
