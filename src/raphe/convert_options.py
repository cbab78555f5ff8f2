"""Options of ``raphe convert``."""

from __future__ import annotations

import argparse

from raphe import arguments


def add(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument(
        "source",
        nargs="+",
        type=arguments.path,
        metavar="SOURCE",
        help="files of one scan: ECAT7 (.v, .v.gz), DICOM (a folder or files), PMOD blood (.bld, .txt), "
        "curves (.tac, .dft, .tsv)",
    )
    parser.add_argument("out", type=arguments.path, metavar="OUT", help="raw BIDS dataset, made or added to")
    names = parser.add_argument_group("which scan it is")
    names.add_argument("--participant-label", type=arguments.label, required=True, metavar="LABEL")
    for entity in ("session", "task", "rec", "run"):
        names.add_argument(f"--{entity}-label", type=arguments.label, metavar="LABEL")
    names.add_argument("--seg", type=arguments.label, metavar="LABEL", help="segmentation that curves are of")
    names.add_argument(
        "--tracer", type=arguments.name, metavar="NAME", help="TracerName, and trc- in the names of files"
    )
    told = parser.add_argument_group("what the files do not tell")
    told.add_argument(
        "--json",
        type=arguments.path,
        action="append",
        default=[],
        metavar="FILE",
        help="fields of BIDS; may be repeated",
    )
    told.add_argument(
        "--set",
        type=arguments.field,
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="one field of BIDS, as in --set ModeOfAdministration=bolus; may be repeated",
    )
    told.add_argument("--unit", type=arguments.name, metavar="UNIT", help="of the activity, e.g. kBq/mL")
    ecat = parser.add_argument_group("ECAT7")
    ecat.add_argument(
        "--position",
        choices=("HFS", "HFP", "FFS", "FFP", "HFDR", "HFDL", "FFDR", "FFDL"),
        help="how the patient lay, as DICOM spells it: head or feet first, supine, prone or on a side",
    )
    ecat.add_argument("--dosage-unit", type=arguments.name, metavar="UNIT", help="of the header's dosage, e.g. MBq")
    ecat.add_argument(
        "--calibration-factor", type=arguments.positive, metavar="F", help="over that of the header; 1 for none"
    )
    ecat.add_argument(
        "--time-zone", type=arguments.name, metavar="ZONE", help="of TimeZero, e.g. Europe/Stockholm; else UTC"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the files of this scan that are there")
