"""Raw BIDS-PET out: the name of a scan's files, and what a dataset needs besides them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from raphe.data.scan import Scan
from raphe.errors import OutputError
from raphe.io import derivatives
from raphe.io.participants import ID
from raphe.io.provenance import SOFTWARE, software_version
from raphe.io.tables import read_json, read_table, read_text, shortened, write_text

CURVES = Path("derivatives", "raphe-convert")
"""Derivative dataset for curves that another program made."""

MADE_BY = f"{SOFTWARE} convert"


def pet_file(scan: Scan, suffix: str) -> Path:
    """Place of a file of a scan from the root of its dataset; ``suffix`` with its ending, as in ``pet.nii.gz``."""
    return _folder(scan) / f"{scan.label}_{suffix}"


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write a JSON object.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def refuse_existing(out: Path, files: Iterable[Path]) -> None:
    """Refuse to write over files.

    Raises
    ------
    OutputError
        That names those that are there.
    """
    there = [str(out / file) for file in files if (out / file).exists()]
    if there:
        raise OutputError(
            f"{shortened(there, 3)} {'is' if len(there) == 1 else 'are'} there already; name another scan "
            "(--session-label, --run-label), or write over it (--overwrite)"
        )


def add_description(stage: Path, out: Path) -> None:
    """Write ``dataset_description.json`` and ``README`` where ``out`` has none.

    Raises
    ------
    InputError
        If the description that is there is no JSON object.
    OutputError
        If it is that of a derivative dataset, or the place cannot be written to.
    """
    known = derivatives.description(out)
    if known.is_file():
        kind = read_json(known).get("DatasetType", "raw")
        if kind != "raw":
            raise OutputError(
                f"{out} holds a dataset of the kind {kind!r} ({known.name}); raw scans go to a raw dataset"
            )
    else:
        content = {"Name": out.resolve().name, "BIDSVersion": derivatives.BIDS_VERSION, "DatasetType": "raw"}
        write_json(derivatives.description(stage), content | _generated())
    if not any((out / name).exists() for name in ("README", "README.md", "README.txt", "README.rst")):
        write_text(stage / "README", f"Scans of this dataset were converted to BIDS by {MADE_BY}.\n")


def add_curves_description(stage: Path, out: Path) -> None:
    """Write what makes the folder of curves a derivative dataset, where it is none yet.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    if not derivatives.description(out / CURVES).is_file():
        content = {"Name": f"Curves of {out.resolve().name}", "BIDSVersion": derivatives.BIDS_VERSION}
        write_json(derivatives.description(stage / CURVES), content | {"DatasetType": "derivative"} | _generated())
        write_text(stage / CURVES / ".bidsignore", "*_tacs.*\n")


def add_participant(stage: Path, out: Path, scan: Scan) -> None:
    """Write ``participants.tsv`` with a row for the participant, where it has none.

    Raises
    ------
    InputError
        If the table that is there cannot be read.
    OutputError
        If the place cannot be written to.
    """
    known, row = out / "participants.tsv", f"sub-{scan.participant}"
    if not known.exists():
        write_text(stage / known.name, f"{ID}\n{row}\n")
        return
    table = read_table(known)
    if row not in table.cells(ID):
        cells = [row if column == ID else "n/a" for column in table.columns]
        write_text(stage / known.name, read_text(known).rstrip("\r\n") + "\n" + "\t".join(cells) + "\n")


def _generated() -> dict[str, object]:
    return {"GeneratedBy": [{"Name": MADE_BY, "Version": software_version()}]}


def _folder(scan: Scan) -> Path:
    folder = Path(f"sub-{scan.participant}")
    return (folder if scan.session is None else folder / f"ses-{scan.session}") / "pet"
