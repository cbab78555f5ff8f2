"""Test-retest agreement of several models of the same scans, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from raphe.data.fit import Array
from raphe.data.results import Agreement, AgreementRow
from raphe.report.comparison import AgreementView, agreement_view
from raphe.report.wording import NOTHING, fixed


class ModelRow(NamedTuple):
    """One model: medians over the regions that every model has, each with its middle half."""

    model: str
    parameter: str
    n: str
    """Participants with both scans, lowest and highest over the regions."""
    icc: tuple[str, str]
    trv: tuple[str, str]
    wscv: tuple[str, str]
    bias: tuple[str, str]
    """In per cent of the mean of both scans."""


class RegionRow(NamedTuple):
    """One region: ICC and TRV of each model, as text and as numbers to sort by."""

    region: str
    cells: tuple[tuple[str, float, str, float], ...]


class SideBySide(NamedTuple):
    """Several models as the page shows them."""

    n_regions: int
    models: tuple[ModelRow, ...]
    regions: tuple[RegionRow, ...]


class Repeated(NamedTuple):
    """Two sessions of one tracer, by every model."""

    tracer: str
    first: str
    second: str
    views: tuple[AgreementView, ...]
    side_by_side: SideBySide | None
    """None for a single model."""


def repeated(agreements: Sequence[Agreement]) -> list[Repeated]:
    """Gather agreements by tracer and sessions, the models in the order in which they came."""
    groups: dict[tuple[str, str, str], list[Agreement]] = {}
    for one in agreements:
        groups.setdefault((one.tracer, one.first, one.second), []).append(one)
    found = []
    for key, group in groups.items():
        views = tuple(agreement_view(one, named=at == 0) for at, one in enumerate(group))
        found.append(Repeated(*key, views, _side_by_side(group) if len(group) > 1 else None))
    return found


def _side_by_side(group: Sequence[Agreement]) -> SideBySide:
    known = [{row.pairs.region: row for row in one.rows} for one in group]
    names = list(dict.fromkeys(name for rows in known for name in rows))
    common = [name for name in names if all(name in rows and np.isfinite(rows[name].trv.value) for rows in known)]
    models = tuple(_model(one, [rows[name] for name in common]) for one, rows in zip(group, known, strict=True))
    regions = tuple(RegionRow(name, tuple(_cell(rows.get(name)) for rows in known)) for name in names)
    return SideBySide(len(common), models, regions)


def _model(one: Agreement, rows: Sequence[AgreementRow]) -> ModelRow:
    means = np.array([(row.pairs.first.mean() + row.pairs.second.mean()) / 2 for row in rows])
    bias = np.array([row.bias.value for row in rows])
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = 100 * bias / means
    return ModelRow(
        one.model,
        one.parameter,
        _counted([len(row.pairs) for row in rows]),
        _middle(np.array([row.icc.value for row in rows]), 2),
        _middle(np.array([row.trv.value for row in rows]), 1),
        _middle(np.array([row.wscv.value for row in rows]), 1),
        _middle(percent, 1, sign=True),
    )


def _counted(numbers: Sequence[int]) -> str:
    ends = dict.fromkeys((min(numbers, default=0), max(numbers, default=0)))
    return NOTHING.join(str(n) for n in ends)


def _middle(values: Array, places: int, *, sign: bool = False) -> tuple[str, str]:
    """Median, and the quartiles as a span."""
    known = values[np.isfinite(values)]
    if known.size == 0:
        return fixed(float("nan"), places), ""
    low, middle, high = (fixed(float(v), places, sign=sign) for v in np.percentile(known, (25, 50, 75)))
    return middle, f"{low} to {high}"


def _cell(row: AgreementRow | None) -> tuple[str, float, str, float]:
    icc = float("nan") if row is None else row.icc.value
    trv = float("nan") if row is None else row.trv.value
    return fixed(icc, 2), icc, fixed(trv, 1), trv
