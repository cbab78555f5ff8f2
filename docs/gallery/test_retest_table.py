"""Make a table of test-retest agreement from the estimates of a study.

``raphe run`` writes such a table itself, and draws it in the report; this is for other regions, sessions or parameters.
"""

import tempfile
from pathlib import Path

import raphe
from raphe.cli import main

folder = Path(tempfile.mkdtemp())
main(["simulate", "test-retest", str(folder / "study"), "--tacs-only", "--quiet"])
main(["run", str(folder / "study"), str(folder / "results"), "all", "--quiet"])

estimates = raphe.read_estimates(folder / "results" / "group" / "estimates.tsv")
found, _ = raphe.agreement(
    estimates, tracer="DASB", model="MRTM2", parameter="BP_ND", first="baseline", second="rescan"
)
print(f"{found.parameter} of {found.tracer}, {found.second} against {found.first}; {found.icc_form}")
print(f"{'region':28s}  n  bias    limits of agreement  ICC (95 % interval)    variability, %")
for row in found.rows:
    limits = f"{row.limits_low.value:+.2f} to {row.limits_high.value:+.2f}"
    icc = f"{row.icc.value:.2f} ({row.icc.low:.2f} to {row.icc.high:.2f})"
    numbers = f"{len(row.pairs):2d}  {row.bias.value:+.3f}  {limits:19s}  {icc:22s} {row.trv.value:.1f}"
    print(f"{row.pairs.region:28s} {numbers}")
