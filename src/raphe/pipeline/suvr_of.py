"""Late ratios to the reference of a preprocessed scan, without and with partial-volume correction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.data.preprocessed import Suvr
from raphe.data.regions import resolve
from raphe.data.scan import Scan
from raphe.data.tacs import TACs
from raphe.errors import InputError
from raphe.io import derivatives as names
from raphe.io.curves import read_curves
from raphe.io.names import correction, parse_name
from raphe.nomenclature import region_key
from raphe.pipeline.choices import Analysis
from raphe.preprocess.reference_region import NAME

LATE = 30.0
"""min at the end of the scan that are averaged, or a third of it where that is less."""


def suvr_of(out: Path, scan: Scan, seg: str, regions: Sequence[str], analysis: Analysis) -> Suvr | None:
    """Ratios of the regions that were fitted, by the reference that is taken for the fits of each table.

    That is the reference region in a table of its own where the preprocessing has written one.

    Parameters
    ----------
    out : Path
    scan : Scan
    seg : str
    regions : sequence of str
    analysis : Analysis
        Names the reference.

    Returns
    -------
    Suvr or None
        None where there is but one table, no reference is asked for, or the tables do not have it.

    Raises
    ------
    InputError
        If a table cannot be read.
    """
    own = any(region_key(name)[0] == region_key(NAME)[0] for name in analysis.reference)
    plain = names.tacs(out, scan, seg)
    stem = plain.name.replace("_desc-preproc_tacs.tsv", "")
    corrected = sorted(plain.parent.glob(f"{stem}_pvc-*_desc-preproc_tacs.tsv"))
    if not (analysis.needs("reference") and plain.is_file() and corrected):
        return None
    methods = ("", *(correction(parse_name(path)) for path in corrected))
    members: dict[str, None] = {}
    rows, window = [], (0.0, 0.0)
    for path, method in zip((plain, *corrected), methods, strict=True):
        tacs = read_curves(path).tacs
        alone = names.reference_curve(out, scan, NAME, method or None)
        found = (read_curves(alone).tacs, (NAME,)) if own and alone.is_file() else _reference(tacs, analysis)
        if found is None:
            return None
        reference, of_this = found
        members |= dict.fromkeys(of_this)
        whole, _ = resolve(regions, tacs, analysis.merges)
        late = _late(tacs.frames)
        window = float(tacs.frames.start[late][0]), float(tacs.frames.end[-1])
        of_region, of_reference = (
            np.average(curve[..., late], axis=-1, weights=tacs.frames.duration[late])
            for curve in (whole.activity, reference.activity)
        )
        rows.append(of_region / (of_reference if of_reference[0] > 0 else np.nan))
    return Suvr(tuple(members), *window, methods, tuple(regions), np.array(rows))


def _reference(tacs: TACs, analysis: Analysis) -> tuple[TACs, tuple[str, ...]] | None:
    for name in analysis.reference:
        try:
            found, made = resolve([name], tacs, analysis.merges)
        except InputError:
            continue
        return found, made[name].members
    return None


def _late(frames: Frames) -> npt.NDArray[np.bool_]:
    span = min(LATE, float(frames.end[-1] - frames.start[0]) / 3)
    late = frames.start >= frames.end[-1] - span - 1e-6
    return np.asarray(late if late.any() else np.arange(len(frames)) == len(frames) - 1, dtype=bool)
