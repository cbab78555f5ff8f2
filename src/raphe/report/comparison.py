"""Contrasts and agreements as the study's page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from raphe.data.results import Agreement, AgreementRow, Contrast, ContrastRow
from raphe.report import figures
from raphe.report.contrast_extras import ExtraTable, extra_table
from raphe.report.contrast_forest import forest_of
from raphe.report.page import Fold, fold
from raphe.report.simulated import Figure
from raphe.report.verdict import (
    ADJUSTED,
    LEVEL,
    family_verdict,
    is_change,
    percent_words,
    places_of,
    region_verdict,
    unit_of,
)
from raphe.report.wording import decimals, fixed, interval, probability, span

SEPARATOR = "; "
"""Between the reasons of one answer."""


class ContrastView(NamedTuple):
    """One contrast as the page shows it."""

    contrast: Contrast
    verdicts: tuple[str, ...]
    shown: bool
    forest: Figure
    rows: tuple[dict[str, object], ...]
    common: tuple[str, ...]
    """Reasons that hold for every region."""
    threads: Fold[tuple[str, Markup]]
    change: bool
    """Whether it is a change between two sessions, which has a table of its own."""
    adjusted: str
    """How p values were adjusted, in words."""
    unit: str
    percent: str
    """What the per cents are; empty where there are none."""
    columns: tuple[str, ...]
    """Which columns are filled that not every kind has."""
    besides: ExtraTable | None
    """What the plan asks for besides; None for nothing."""


class AgreementView(NamedTuple):
    """One agreement as the page shows it."""

    agreement: Agreement
    most: int
    overview: Markup
    panels: Fold[tuple[str, Markup]]
    rows: tuple[dict[str, object], ...]
    common: tuple[str, ...]
    """Reasons that hold for every region."""


def contrast_view(contrast: Contrast, primary_region: str) -> ContrastView:
    """Prepare a contrast; where the primary region is judged by its own p, it stands first."""
    asked = [row for row in contrast.rows if not row.secondary]
    named = [row for row in asked if contrast.by_own_p and row.pairs.region == primary_region]
    main = named + [row for row in asked if row not in named]
    rows = main + [row for row in contrast.rows if row.secondary]
    verdicts = [region_verdict(contrast, row) for row in named]
    if len(main) > len(named) or not named:
        verdicts.append(family_verdict(contrast))
    shown = any(row.p < LEVEL for row in named) if named else any(row.p_adjusted < LEVEL for row in main)
    change = is_change(contrast)
    threads = [
        (row.pairs.region, figures.people_lines(row.pairs, contrast.parameter, contrast.first, contrast.second))
        for row in main
        if len(row.pairs) > 1 and _has_threads(contrast)
    ]
    common = _common_reasons([row.why for row in rows])
    prepared = _contrast_row if change else partial(_answer_row, contrast)
    return ContrastView(
        contrast,
        tuple(verdicts),
        shown,
        forest_of(contrast, main, named),
        tuple(prepared(row, common, primary=row in named) for row in rows),
        common,
        fold(threads),
        change,
        ADJUSTED[contrast.adjust][1] if len(asked) > 1 else "p itself, for there is one region",
        unit_of(contrast),
        percent_words(contrast),
        tuple(
            name
            for name, filled in (
                ("percent", any(np.isfinite(row.percent) for row in rows) and unit_of(contrast) != "%"),
                ("standardised", any(np.isfinite(row.standardised.value) for row in rows)),
                ("t", any(np.isfinite(row.se) for row in rows)),
                ("p_smallest", any(np.isfinite(row.p_smallest) for row in rows)),
            )
            if filled
        ),
        extra_table(contrast, rows),
    )


def _has_threads(contrast: Contrast) -> bool:
    """Whether each person's two values are drawn; of Lassen plots the plots stand for them."""
    lassen = contrast.kind == "occupancy" and contrast.parameter == "V_T"
    return contrast.kind in ("paired", "occupancy", "displacement") and not lassen


def _answer_row(contrast: Contrast, row: ContrastRow, common: Sequence[str], primary: bool) -> dict[str, object]:
    places = places_of(contrast, row)
    people = " + ".join(str(row.counts.get(arm, 0)) for arm in contrast.groups) or str(len(row.pairs))
    standardised = row.standardised
    return {
        "region": row.pairs.region,
        "primary": primary,
        "term": row.term if row.secondary else "",
        "n": people,
        "estimate": fixed(row.estimate, places, sign=True),
        "ci": span(row.ci_low, row.ci_high, places),
        "percent": fixed(row.percent, 1, sign=True),
        "standardised": fixed(standardised.value, 2, sign=True),
        "standardised_ci": span(standardised.low, standardised.high, 2),
        "df": fixed(row.df, 0 if row.df == round(row.df) else 1) if np.isfinite(row.df) else fixed(row.df, 0),
        "t": fixed(row.estimate / row.se if row.se > 0 else float("nan"), 2),
        "p": probability(row.p),
        "p_adjusted": probability(row.p_adjusted),
        "p_smallest": f"{row.p_smallest:.3g}" if np.isfinite(row.p_smallest) else "",
        "sort": {"estimate": row.estimate, "percent": row.percent, "p": row.p, "p_adjusted": row.p_adjusted},
        "why": _others(row.why, common),
    }


def _contrast_row(row: ContrastRow, common: Sequence[str], primary: bool) -> dict[str, object]:
    pairs, places = row.pairs, decimals(row.se)
    n = len(pairs)
    return {
        "region": pairs.region,
        "primary": primary,
        "n": n,
        "first": fixed(float(pairs.first.mean()), places) if n else fixed(float("nan"), 0),
        "second": fixed(float(pairs.second.mean()), places) if n else fixed(float("nan"), 0),
        "change": fixed(row.estimate, places, sign=True),
        "ci": span(row.ci_low, row.ci_high, places),
        "percent": fixed(row.percent, 1, sign=True),
        "t": fixed(row.estimate / row.se if row.se > 0 else float("nan"), 2),
        "p": probability(row.p),
        "p_adjusted": probability(row.p_adjusted),
        "sort": {"change": row.estimate, "percent": row.percent, "p": row.p, "p_adjusted": row.p_adjusted},
        "why": _others(row.why, common),
    }


def agreement_view(agreement: Agreement, *, named: bool = True) -> AgreementView:
    """Prepare an agreement; plots by region are drawn where at least two participants have both scans.

    ``named`` says whether the dots of the plots tell whose they are.
    """
    most = max((len(row.pairs) for row in agreement.rows), default=0)
    panels = [
        (row.pairs.region, figures.bland_altman(row, agreement.parameter, named=named))
        for row in agreement.rows
        if len(row.pairs) > 1
    ]
    common = _common_reasons([row.why for row in agreement.rows])
    return AgreementView(
        agreement,
        most,
        figures.all_differences(agreement, named=named),
        fold(panels),
        tuple(_agreement_row(row, common) for row in agreement.rows),
        common,
    )


def _agreement_row(row: AgreementRow, common: Sequence[str]) -> dict[str, object]:
    pairs = row.pairs
    n = len(pairs)
    spread = float((pairs.second - pairs.first).std(ddof=1)) / np.sqrt(n) if n > 1 else float("nan")
    places = decimals(spread)
    return {
        "region": pairs.region,
        "n": n,
        "mean": fixed(float((pairs.first.mean() + pairs.second.mean()) / 2), places) if n else fixed(float("nan"), 0),
        "bias": interval(row.bias, places, sign=True),
        "low": interval(row.limits_low, places, sign=True),
        "high": interval(row.limits_high, places, sign=True),
        "icc": interval(row.icc, 2),
        "trv": interval(row.trv, 1),
        "wscv": interval(row.wscv, 1),
        "sdd": interval(row.sdd, places),
        "n_ten": fixed(row.n_ten, 0),
        "sort": {
            "bias": row.bias.value,
            "icc": row.icc.value,
            "trv": row.trv.value,
            "wscv": row.wscv.value,
            "n_ten": row.n_ten,
        },
        "why": _others(row.why, common),
    }


def _common_reasons(whys: Sequence[str]) -> tuple[str, ...]:
    """Reasons that stand in every one of some lists."""
    first, *others = whys or [""]
    return tuple(reason for reason in first.split(SEPARATOR) if reason and all(reason in why for why in others))


def _others(why: str, common: Sequence[str]) -> str:
    return SEPARATOR.join(reason for reason in why.split(SEPARATOR) if reason not in common)
