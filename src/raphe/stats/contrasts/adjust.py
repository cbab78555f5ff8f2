"""Adjustment of the p values of a contrast over its regions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from raphe.data.results import ContrastRow
from raphe.stats.multiplicity import benjamini_hochberg, bonferroni, hochberg, holm
from raphe.stats.regional_permutation import Permutation

Array = npt.NDArray[np.float64]

MAX_T = "maxt"

ADJUSTMENTS: dict[str, Callable[[Array], Array] | None] = {
    "holm": holm,
    "hochberg": hochberg,
    "bh": benjamini_hochberg,
    "bonferroni": bonferroni,
    MAX_T: None,
    "none": np.asarray,
}
"""Ways to adjust p values for the number of regions, by name; None: by the permutation test itself."""


def adjusted(rows: tuple[ContrastRow, ...], how: str, permutation: Permutation | None) -> tuple[ContrastRow, ...]:
    """Rows with adjusted p values; rows of each session (:attr:`ContrastRow.term`) are a family of their own."""
    found = np.full(len(rows), np.nan)
    adjust = ADJUSTMENTS[how]
    if adjust is None:
        assert permutation is not None
        found = np.where([np.isfinite(row.p) for row in rows], permutation.p_adjusted, np.nan)
    else:
        for term in dict.fromkeys(row.term for row in rows):
            family = [at for at, row in enumerate(rows) if row.term == term]
            found[family] = adjust(np.array([rows[at].p for at in family], dtype=float))
    return tuple(replace(row, p_adjusted=float(p)) for row, p in zip(rows, found, strict=True))
