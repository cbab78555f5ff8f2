"""Names of everything that raphe writes, each once, and the files that make a folder a BIDS derivative dataset.

The PET part is BIDS Extension Proposal 23, a draft that the released validator does not know: hence ``.bidsignore``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from raphe.data.scan import Scan
from raphe.errors import OutputError
from raphe.io.provenance import SOFTWARE, software_version
from raphe.io.tables import read_json, write_text
from raphe.nomenclature import SYMBOLS

BIDS_VERSION = "1.10.0"

IGNORED = (
    *("*.html", "*_tacs.*", "*_kinpar.*", "*_inputfunction.*", "*_mimap.*", "*_result.*", "group/", "provenance/"),
    *("*_xfm.*", "*_petref.*", "*_morph.*", "*_desc-confounds_timeseries.*", "*_pet.*", "*_desc-ref_mask.*"),
    *("*_cov.*", "*_carpet.*", "*_occupancy.*", "*_doseresponse.*", "tpl-*/"),
)
"""Lines of ``.bidsignore``: what the released BIDS validator does not know."""


def label(text: str) -> str:
    """Make a BIDS label of a name: its letters and digits.

    Raises
    ------
    OutputError
        If nothing is left of it.
    """
    letters = re.sub(r"[^A-Za-z0-9]", "", text)
    if not letters:
        raise OutputError(f"no file can be named after {text!r}; give it a name with a letter or digit")
    return letters


def sidecar(path: Path) -> Path:
    """JSON file that describes a table."""
    return path.with_suffix(".json")


def study_report(out: Path) -> Path:
    """Report of the study."""
    return out / "report.html"


def maps_report(out: Path) -> Path:
    """Page of the viewers of the contrasts voxel by voxel, where the study's report is too small for them."""
    return out / "group" / "maps.html"


def scan_report(out: Path, scan: Scan, alone: bool = True) -> Path:
    """Report of a scan; its name carries the scan's entities where the session has other scans (``alone`` is False)."""
    return _folder(out, scan) / ("report.html" if alone else f"{scan.label}_report.html")


def tacs(out: Path, scan: Scan, seg: str | None, pvc: str | None = None) -> Path:
    """Time-activity curves that were fitted."""
    return _folder(out, scan) / "pet" / f"{scan.label}{_entities(seg=seg, pvc=pvc, desc='preproc')}_tacs.tsv"


def covariance(out: Path, scan: Scan, seg: str, pvc: str) -> Path:
    """Covariance of the means of the regions after a partial-volume correction."""
    return _pet(out, scan, f"{_entities(seg=seg, pvc=pvc, desc='preproc')}_cov.tsv")


def preprocessed(out: Path, scan: Scan, space: str | None = None, pvc: str | None = None) -> Path:
    """Dynamic image after preprocessing; in the PET's own space where none is named."""
    return _pet(out, scan, f"{_entities(space=space, pvc=pvc, desc='preproc')}_pet.nii.gz")


def pet_reference(out: Path, scan: Scan, space: str | None = None) -> Path:
    """Mean of the motion-corrected frames, in the PET's own space or another."""
    return _pet(out, scan, "_desc-hmc_petref.nii.gz" if space is None else f"{_entities(space=space)}_petref.nii.gz")


def head_motion(out: Path, scan: Scan) -> Path:
    """Transform of each frame to the reference position."""
    return _pet(out, scan, "_from-orig_to-petref_mode-image_desc-hmc_xfm.txt")


def to_space(out: Path, scan: Scan, space: str, nonlinear: bool = False) -> Path:
    """Transform from the reference position to another space, rigid or a field."""
    return _pet(out, scan, f"_from-petref_to-{label(space)}_mode-image_xfm.{'nii.gz' if nonlinear else 'txt'}")


def confounds(out: Path, scan: Scan) -> Path:
    """Head motion as a table."""
    return _pet(out, scan, "_desc-confounds_timeseries.tsv")


def carpets(out: Path, scan: Scan) -> Path:
    """Places of the brain over time, before and after head motion was corrected."""
    return _pet(out, scan, "_carpet.tsv")


def morphometry(out: Path, scan: Scan, seg: str) -> Path:
    """Volumes of the regions of a scan."""
    return _pet(out, scan, f"{_entities(seg=seg, desc='preproc')}_morph.tsv")


def regions_on_pet(out: Path, scan: Scan, seg: str) -> Path:
    """Regions on the grid of the PET."""
    return _pet(out, scan, f"_space-petref{_entities(seg=seg)}_dseg.nii.gz")


def brain_on_pet(out: Path, scan: Scan, space: str | None = None) -> Path:
    """Brain mask on the grid of the PET, or of its image in another space."""
    return _pet(out, scan, f"{_entities(space=space, desc='brain')}_mask.nii.gz")


def reference_curve(out: Path, scan: Scan, region: str, pvc: str | None = None) -> Path:
    """Curve of the reference region alone."""
    return _pet(out, scan, f"_label-{label(region)}{_entities(pvc=pvc, desc='preproc')}_tacs.tsv")


def reference_mask(out: Path, scan: Scan, region: str) -> Path:
    """Voxels of the reference region, on the grid of the PET."""
    return _pet(out, scan, f"_label-{label(region)}_desc-ref_mask.nii.gz")


def anatomical(out: Path, t1: str, what: str, session: str | None, participant: str) -> Path:
    """File made of a T1-weighted image; ``t1`` is the stem of its name less the suffix, ``what`` the rest."""
    folder = out / f"sub-{participant}"
    return (folder if session is None else folder / f"ses-{session}") / "anat" / f"{t1}_{what}"


def on_template(out: Path, space: str, atlas: str) -> Path:
    """Regions of an atlas in the space of a template that is not its own."""
    folder = f"tpl-{label(space)}"
    return out / folder / f"{folder}_seg-{label(atlas)}_dseg.nii.gz"


def input_function(out: Path, scan: Scan) -> Path:
    """Arterial input function of a scan."""
    return _folder(out, scan) / "pet" / f"{scan.label}_inputfunction.tsv"


def estimated_input(out: Path, scan: Scan, seg: str | None, model: str, pvc: str | None = None) -> Path:
    """Input function that a model has estimated from the curves of a scan."""
    return _folder(out, scan) / "pet" / f"{scan.label}{_entities(seg=seg, pvc=pvc, model=model)}_inputfunction.tsv"


def kinpar(out: Path, scan: Scan, seg: str | None, model: str, pvc: str | None = None) -> Path:
    """Kinetic parameters of a scan's regions."""
    return _folder(out, scan) / "pet" / f"{scan.label}{_entities(seg=seg, pvc=pvc, model=model)}_kinpar.tsv"


def fitted_table(out: Path, table: Path, model: str, suffix: str = "kinpar") -> Path:
    """What a model gives for one table of curves by itself: its name with ``model-`` for ``desc-``, and ``suffix``."""
    parts = [part for part in table.stem.split("_") if not part.startswith("desc-")]
    stem = "_".join(parts[:-1] if parts[-1:] in (["tacs"], ["timeseries"]) else parts)
    return out / f"{stem}_model-{label(model)}_{suffix}.tsv".lstrip("_")


def occupancy(out: Path, tables: Sequence[Path], parameter: str, **entities: str | None) -> Path:
    """Occupancy from two tables of a parameter (its symbol): what their names have in common, less ``desc-``.

    ``entities`` says the rest, such as the tracer of a table of many; what a name has already is not said again.
    """
    first, *others = ([part for part in table.stem.split("_") if "-" in part] for table in tables)
    common = [p for p in first if all(p in other for other in others) and not p.startswith("desc-")]
    there = {part.partition("-")[0] for part in common}
    rest = {key: value for key, value in entities.items() if key not in there}
    stem = "_".join(common) + _entities(**rest, meas=SYMBOLS[parameter].label)
    return out / f"{stem}_occupancy.tsv".lstrip("_")


def dose_response(table: Path) -> Path:
    """Table of occupancy against dose beside a table of occupancy."""
    return table.with_name(table.name.removesuffix("_occupancy.tsv") + "_doseresponse.tsv")


def page_of(table: Path) -> Path:
    """Page that shows what a table holds."""
    return table.with_suffix(".html")


QUALITY = "quality"
"""What ``meas-`` says of the map of flags."""

IMAGE_ENDINGS = (".nii.gz", ".nii.zst", ".nii")
"""Endings of images that are read."""


def mimap(out: Path, image: Path, model: str, meas: str, stat: str | None = None) -> Path:
    """Map of one parameter (its label) of an image, or of its standard error (``stat`` is ``"se"``).

    The name is the image's, less ``desc-`` and the suffix.
    """
    stem = next((image.name.removesuffix(end) for end in IMAGE_ENDINGS if image.name.endswith(end)), image.stem)
    parts = [part for part in stem.split("_") if not part.startswith("desc-")]
    stem = "_".join(parts[:-1] if parts[-1:] == ["pet"] else parts)
    return out / f"{stem}{_entities(model=model, meas=meas, stat=stat)}_mimap.nii.gz".lstrip("_")


def map_sidecar(path: Path) -> Path:
    """JSON file that describes a map."""
    return path.with_name(path.name.removesuffix(".nii.gz") + ".json")


def estimates(out: Path) -> Path:
    """All estimates of the study."""
    return out / "group" / "estimates.tsv"


def contrast(out: Path, name: str) -> Path:
    """Table of one contrast's results."""
    return out / "group" / f"contrast-{label(name)}_result.tsv"


def contrast_table(out: Path, name: str, what: str) -> Path:
    """Table of pharmacology beside one contrast: ``flow``, ``displacement``, ``lassen`` or ``doseresponse``."""
    return out / "group" / f"contrast-{label(name)}_{what}.tsv"


def statistic_map(out: Path, name: str, stat: str) -> Path:
    """Map of one statistic of a contrast, on the grid of the scans' maps."""
    return out / "group" / f"contrast-{label(name)}_stat-{stat}_statmap.nii.gz"


def clusters(out: Path, name: str) -> Path:
    """Table of the clusters and peaks of a contrast."""
    return out / "group" / f"contrast-{label(name)}_clusters.tsv"


def contrast_values(out: Path, name: str) -> Path:
    """Table of the people's values that one contrast rests on."""
    return out / "group" / f"contrast-{label(name)}_values.tsv"


def agreement(out: Path, tracer: str, model: str, parameter: str, first: str, second: str) -> Path:
    """Test-retest agreement of two sessions; ``parameter`` is a symbol."""
    what = _entities(trc=tracer, model=model, meas=SYMBOLS[parameter].label)
    return out / "group" / f"agreement-{label(first)}{label(second)}{what}_result.tsv"


def provenance(out: Path, name: str) -> Path:
    """Record of what was done, for a scan (by its label) or for ``group``."""
    return out / "provenance" / f"{name}.json"


def description(out: Path) -> Path:
    """File that makes a folder a BIDS dataset."""
    return out / "dataset_description.json"


def source_uri(path: Path, datasets: Mapping[str, Path]) -> str:
    """Name of an input for ``Sources``: a BIDS URI where it is of one of the datasets, else its file name.

    Parameters
    ----------
    path : Path
    datasets : mapping of str to Path
        Folder of each dataset by the name that ``DatasetLinks`` has for it.
    """
    whole = path.resolve()
    inside = [(name, folder.resolve()) for name, folder in datasets.items() if whole.is_relative_to(folder.resolve())]
    if not inside:
        return path.name
    name, folder = max(inside, key=lambda item: len(item[1].parts))
    return f"bids:{name}:{whole.relative_to(folder).as_posix()}"


def made_by(out: Path) -> tuple[str, ...] | None:
    """Names of the programs that made the dataset in a folder; None if it holds no ``dataset_description.json``.

    Raises
    ------
    InputError
        If that file cannot be read.
    """
    if not os.path.isfile(description(out)):
        return None
    tools = read_json(description(out)).get("GeneratedBy")
    named = tools if isinstance(tools, list) else []
    return tuple(str(tool.get("Name")) for tool in named if isinstance(tool, dict))


def write_description(out: Path, title: str, datasets: Mapping[str, Path]) -> None:
    """Write ``dataset_description.json`` and ``.bidsignore``.

    Parameters
    ----------
    out : Path
        Root of the derivative dataset.
    title : str
        Name of the study; empty for none.
    datasets : mapping of str to Path
        Folder of each dataset that was read, by a name (letters, digits) for BIDS URIs.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    links = {name: folder.resolve().as_uri() for name, folder in datasets.items()}
    content = {
        "Name": title or "raphe",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": SOFTWARE, "Version": software_version()}],
        "SourceDatasets": [{"URL": link} for link in links.values()],
        "DatasetLinks": links,
    }
    write_text(description(out), json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    write_text(out / ".bidsignore", "".join(f"{line}\n" for line in IGNORED))


def _pet(out: Path, scan: Scan, rest: str) -> Path:
    return _folder(out, scan) / "pet" / f"{scan.label}{rest}"


def _folder(out: Path, scan: Scan) -> Path:
    folder = out / f"sub-{scan.participant}"
    return folder if scan.session is None else folder / f"ses-{scan.session}"


def _entities(**values: str | None) -> str:
    return "".join(f"_{key}-{label(value)}" for key, value in values.items() if value)
