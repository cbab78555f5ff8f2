"""Tables of estimates of a known drug: occupancy by dose, ligand and receptors, R1 and k2'."""

from __future__ import annotations

from raphe.data.estimates import Estimate
from raphe.quality import Quality

REGIONS = {"putamen": 3.0, "caudate": 2.0, "thalamus": 1.5}
"""BP_ND at baseline."""


def binding(sessions, regions=REGIONS, *, parameter="BP_ND", model="SRTM", arms=None, bad=()):
    """Estimates from session to the factor of each person; ``bad`` are (person, session) that may not be used."""
    return [
        Estimate(
            person,
            session,
            "DASB",
            "",
            (arms or {}).get(person, ""),
            region,
            model,
            parameter,
            base * factor,
            0.03 * base * factor,
            Quality.AT_BOUND if (person, session) in bad else Quality.GOOD,
        )
        for session, factors in sessions.items()
        for person, factor in factors.items()
        for region, base in regions.items()
    ]


def table(path, rows):
    """Write estimates as ``estimates.tsv`` has them."""
    lines = ["participant\tsession\ttracer\tcondition\tarm\tregion\tmodel\tparameter\tvalue\tse\tquality"]
    for row in rows:
        flags = "at_bound" if row.quality else ""
        cells = [part or "n/a" for part in row[:8]]
        lines.append("\t".join([*cells, f"{row.value:.12g}", f"{row.se:.6g}", flags]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
