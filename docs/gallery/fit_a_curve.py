"""Fit SRTM to the curves of one table: binding with its standard error, and what is wrong with a fit if anything is.

The table comes from a simulated study, so that the script runs anywhere; put the path of your own in its place.
"""

import tempfile
from pathlib import Path

import raphe
from raphe.quality import words

study = Path(tempfile.mkdtemp(), "study")
raphe.simulate_study("test-retest", study, participants=1, tacs_only=True)
table = next(study.glob("derivatives/**/*_ses-baseline_trc-AZ10419369_*_tacs.tsv"))

curves = raphe.read_curves(table)  # its sidecars say unit, schedule and radionuclide
result, _ = raphe.fit(raphe.SRTM(), curves.tacs, reference="cerebellar_grey", half_life=curves.half_life)
for name, value, se, flags in zip(result.names, *result.of("BP_ND"), result.quality, strict=True):
    print(f"{name:28s} BP_ND {value:6.3f} +- {se:.3f}  {words(int(flags))}")
