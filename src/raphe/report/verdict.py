"""What a comparison shows, in sentences that claim no more than the data do."""

from __future__ import annotations

import math

from raphe.data.results import Contrast, ContrastRow
from raphe.report.wording import count, decimals, fixed, listed, probability, span

LEVEL = 0.05
"""A p value under it counts as shown; it belongs to the 95 % intervals."""


def region_verdict(contrast: Contrast, row: ContrastRow) -> str:
    """One region's answer, by its own p value: for a region that was named before the data were seen."""
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
        f"t({row.df:.0f}) = {fixed(row.estimate / row.se, 2)}, p {_equals(row.p)}, {count(n, 'participant')}"
    )
    if row.p < LEVEL:
        direction = "an increase" if row.estimate > 0 else "a decrease"
        return f"The data show {direction} of {where} from {contrast.first} to {contrast.second}: {test}."
    return (
        f"The data do not show a difference of {where} between {contrast.first} and {contrast.second}: {test}. This is "
        "no evidence that there is none: every change within the interval is compatible with the data."
    )


def family_verdict(contrast: Contrast) -> str:
    """Answer over all regions of a contrast, by the adjusted p values."""
    tested = [row for row in contrast.rows if math.isfinite(row.p_adjusted)]
    total = count(len(contrast.rows), "region")
    if not tested:
        most = max((len(row.pairs) for row in contrast.rows), default=0)
        if most == 1:
            return (
                f"Only one participant has both sessions: the change in each of {total} stands below, but no inference "
                "across people is possible."
            )
        return f"None of {total} could be tested; the reasons stand in the table."
    shown = [row.pairs.region for row in tested if row.p_adjusted < LEVEL]
    how = "after Holm's adjustment" if contrast.adjust == "holm" else "without adjustment for their number"
    over = f"Over {count(len(tested), 'tested region')}, the data"
    missing = len(contrast.rows) - len(tested)
    untested = f" {count(missing, 'region')} could not be tested." if missing else ""
    if not shown:
        return (
            f"{over} do not show a difference in any ({how}, no p below {LEVEL}); the intervals say which changes "
            f"remain possible.{untested}"
        )
    return (
        f"{over} show a difference in {listed(shown)} ({how}); in the others they do not, which is no evidence that "
        f"there is none.{untested}"
    )


def _equals(p: float) -> str:
    words = probability(p)
    return words if words.startswith("<") else f"= {words}"
