"""Maps of binding from a dynamic image, with their errors: what `raphe map` writes, and how to read it back.

The image is painted from the curves of a simulated study, so that the script runs anywhere; put your own in its place.
"""

import contextlib
import io
import tempfile
from pathlib import Path

import nibabel
import numpy as np

import raphe
from raphe.cli import main
from raphe.quality import usable
from raphe.simulate.blocks import paint

folder = Path(tempfile.mkdtemp())
raphe.simulate_study("test-retest", folder / "study", participants=1, tacs_only=True)
table = next(folder.glob("study/derivatives/**/*_ses-baseline_trc-DASB_*_tacs.tsv"))
image = folder / "sub-01_trc-DASB_pet.nii.gz"
labels = paint(table, image)  # label 1 is the reference region

words = ["map", image, "--model", "SRTM", "--reference", labels, "--label", "1", "--out", folder / "maps", "--quiet"]
with contextlib.redirect_stdout(io.StringIO()):  # it prints the names of its files
    main([str(word) for word in words])

stem = folder / "maps" / "sub-01_trc-DASB_model-SRTM_meas-"
binding, error, flags = (
    np.asarray(nibabel.load(f"{stem}{what}_mimap.nii.gz").dataobj) for what in ("BPND", "BPND_stat-se", "quality")
)
names = (labels.parent / "sub-01_trc-DASB_dseg.tsv").read_text().split()[2:]
where = np.asarray(nibabel.load(labels).dataobj)
for label, name in zip(names[::2], names[1::2], strict=True):
    good = (where == int(label)) & usable(flags)
    if good.any():
        print(f"{name:28s} BP_ND {binding[good].mean():6.3f} +- {error[good].mean():.3f}  in {good.sum()} voxels")
