"""Simulate a study, analyse it as one would a real one, and hold every estimate against what is true.

The ratio of error to standard error should have a standard deviation near 1, and 95 % of the intervals should hold
the truth. Both miss that by a little: the simulated reference curve is noisy too, of which the standard errors do not
know, and 1.96 stands for a quantile of Student's t that is slightly larger.
"""

import csv
import tempfile
from pathlib import Path

import numpy as np

import raphe

study = Path(tempfile.mkdtemp(), "study")
raphe.simulate_study("test-retest", study, seed=1, participants=8, tacs_only=True)
with (study / "truth" / "parameters.tsv").open() as file:
    truth = {
        (row["participant"], row["session"], row["tracer"], row["region"].replace(" ", "_")): float(row["BP_ND"])
        for row in csv.DictReader(file, delimiter="\t")
    }

for tracer, regions in (("AZ10419369", ()), ("DASB", ("caudate", "putamen", "thalamus"))):
    error, ratio, flagged = [], [], 0
    for table in sorted(study.glob(f"derivatives/**/*_trc-{tracer}_*_tacs.tsv")):
        who, session = (part.split("-")[1] for part in table.name.split("_")[:2])
        curves = raphe.read_curves(table)
        given = {"reference": "cerebellar_grey", "half_life": curves.half_life}
        if tracer == "DASB":  # one k2' for the scan, from regions of high binding; its error goes into every other
            k2_prime, _ = raphe.estimate_k2_prime(curves.tacs, regions=regions, **given)
            model, uncertain = raphe.MRTM2(k2_prime=k2_prime.value), {"k2_prime": k2_prime.se}
        else:
            model, uncertain = raphe.SRTM(), {}
        result, _ = raphe.fit(model, curves.tacs, input_se=uncertain, **given)
        true = np.array([truth[who, session, tracer, name] for name in result.names])
        value, se = result.of("BP_ND")
        good = result.usable
        error.extend(100 * (value / true - 1)[good])
        ratio.extend(((value - true) / se)[good])
        flagged += int((~good).sum())
    held = np.mean(np.abs(ratio) < 1.96)
    print(
        f"{tracer:11s} {result.model:5s} {len(error)} estimates, {flagged} flagged; error of BP_ND "
        f"{np.mean(error):+.1f} +- {np.std(error):.1f} %, error / SE has SD {np.std(ratio):.2f}, "
        f"{100 * held:.0f} % of the intervals hold the truth"
    )
