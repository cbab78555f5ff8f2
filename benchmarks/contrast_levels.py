"""How often contrasts reject where there is nothing: 2,000 studies of each design, by the way that a plan takes.

A t interval leaves 0 out exactly where its test rejects, so 100 less each figure is the coverage of the interval.

Run as ``python benchmarks/contrast_levels.py``; it takes about five minutes. Words behind it choose designs that
contain them, as ``weighted``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping

import numpy as np

from raphe.data.estimates import Estimate, Estimates
from raphe.data.people import People
from raphe.quality import Quality
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.registry import contrast_of

N_STUDY = 2000
RANDOM = np.random.default_rng(1)
TRACERS = (("DASB", "SRTM"), ("AZ", "SRTM"))


def main() -> None:
    """Print the share of studies with p <= 0.05, in per cent, and the time that one takes."""
    for name, p in DESIGNS.items():
        if not all(word in name for word in sys.argv[1:]):
            continue
        began = time.perf_counter()
        rejected = np.mean([p() <= 0.05 for _ in range(N_STUDY)])
        print(f"{name}: {100 * rejected:.1f} %, {1000 * (time.perf_counter() - began) / N_STUDY:.0f} ms", flush=True)


def people(n: int) -> list[str]:
    """Labels of n people."""
    return [f"p{i}" for i in range(n)]


ARMS = {who: "placebo" if i % 3 == 0 else "drug" for i, who in enumerate(people(30))}


def scans(n: int, sessions: str = "ab", tracer: str = "AZ", arms: Mapping[str, str] = ARMS) -> list[Estimate]:
    """Binding of n people in some sessions: people differ by an SD of 0.4, scans by 0.2."""
    rows = []
    for who in people(n):
        own = 2 + RANDOM.normal(0, 0.4)
        for session in sessions:
            value = own + RANDOM.normal(0, 0.2)
            fields = (who, session, tracer, "", arms.get(who, ""), "region", "SRTM", "BP_ND")
            rows.append(Estimate(*fields, value, 0.1, Quality.GOOD))
    return rows


def unequal(n: int, *, spread: float = 0.2, relative: bool = False, known: int = 0) -> list[Estimate]:
    """Two scans of n people, of which each has an error of its own, tenfold between the surest and the least sure.

    ``spread`` is the SD of people's true changes; ``relative`` errors are a share of the value; they are ``known``
    from so many degrees of freedom only, or exactly.
    """
    rows = []
    for who in people(n):
        own = 2 + RANDOM.normal(0, 0.4)
        for session in "ab":
            own += RANDOM.normal(0, spread / np.sqrt(2))
            error = np.exp(RANDOM.uniform(np.log(0.03), np.log(0.3))) * (own / 2 if relative else 1.0)
            value = own + RANDOM.normal(0, error)
            told = error * np.sqrt(RANDOM.chisquare(known) / known) if known else error
            told *= value / own if relative else 1.0
            fields = (who, session, "AZ", "", ARMS.get(who, ""), "region", "SRTM", "BP_ND")
            rows.append(Estimate(*fields, value, told, Quality.GOOD))
    return rows


def p_of(rows: list[Estimate], scores: Mapping[str, Mapping[str, float]] | None = None, **question: object) -> float:
    """The p value of a contrast."""
    asked = Question("c", "AZ", "SRTM", **question)  # type: ignore[arg-type]
    contrast, _ = contrast_of(asked, Material(Estimates(tuple(rows)), People(scores=scores or {})))
    return contrast.rows[0].p


def score() -> dict[str, dict[str, float]]:
    """A score that has nothing to do with binding."""
    return {"s": {who: float(RANDOM.normal()) for who in people(20)}}


ARMS_OF = {"terms": ("placebo", "drug"), "sessions": ("a", "b")}
DESIGNS: Mapping[str, Callable[[], float]] = {
    "paired, 4": lambda: p_of(scans(4), terms=("a", "b")),
    "paired, 12": lambda: p_of(scans(12), terms=("a", "b")),
    "paired, 12, signs flipped": lambda: p_of(scans(12), terms=("a", "b"), test="permutation"),
    "groups, change, 20 v 10": lambda: p_of(scans(30), kind="groups", **ARMS_OF),
    "ancova, 20 v 10": lambda: p_of(scans(30), kind="ancova", **ARMS_OF),
    "interaction of tracers, 4, per cent": lambda: p_of(
        scans(4) + scans(4, tracer="DASB"),
        kind="interaction",
        by="tracer",
        levels=("DASB", "AZ"),
        sources=TRACERS,
        terms=("a", "b"),
        scale="percent",
    ),
    "correlation, 20": lambda: p_of(scans(20, "a"), score(), kind="correlation", x=("a",), score="s"),
    "mixed, three sessions, 20 v 10": lambda: p_of(
        scans(30, "abc"), kind="mixed", terms=("a", "b", "c"), levels=("placebo", "drug")
    ),
    "weighted, paired, 12": lambda: p_of(unequal(12), terms=("a", "b"), weights="se"),
    "weighted, paired, 12, people alike": lambda: p_of(unequal(12, spread=0.02), terms=("a", "b"), weights="se"),
    "weighted, paired, 12, errors of 20 df": lambda: p_of(unequal(12, known=20), terms=("a", "b"), weights="se"),
    "weighted, paired, 12, log, errors a share of the value": lambda: p_of(
        unequal(12, relative=True), terms=("a", "b"), weights="se", scale="log"
    ),
    "weighted, paired, 12, difference, errors a share of the value": lambda: p_of(
        unequal(12, relative=True), terms=("a", "b"), weights="se"
    ),
    "weighted, groups, change, 20 v 10": lambda: p_of(unequal(30), kind="groups", weights="se", **ARMS_OF),
    "weighted, groups, change, 20 v 10, people alike": lambda: p_of(
        unequal(30, spread=0.02), kind="groups", weights="se", **ARMS_OF
    ),
    "weighted, ancova, 20 v 10": lambda: p_of(unequal(30), kind="ancova", weights="se", **ARMS_OF),
}

if __name__ == "__main__":
    main()
