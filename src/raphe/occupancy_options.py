"""Options of ``raphe occupancy``."""

from __future__ import annotations

import argparse

from raphe import arguments


def add(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument(
        "baseline",
        type=arguments.path,
        metavar="BASELINE",
        help="scan without drug: parameters of one scan (*_kinpar.tsv), or estimates of a study (estimates.tsv)",
    )
    parser.add_argument(
        "blocked",
        nargs="?",
        type=arguments.path,
        metavar="BLOCKED",
        help="scan under the drug; may be left out where BASELINE holds both sessions (--session)",
    )
    choice = parser.add_argument_group("which values")
    choice.add_argument(
        "--session",
        nargs=2,
        type=arguments.name,
        metavar=("BASELINE", "BLOCKED"),
        help="labels of the two sessions; several of BLOCKED, parted by commas, are each held against BASELINE",
    )
    choice.add_argument("--participant", nargs="+", type=arguments.name, default=[], metavar="LABEL")
    choice.add_argument("--tracer", type=arguments.name, metavar="NAME")
    choice.add_argument("--model", type=arguments.names, default=[], metavar="M", help="where a table holds several")
    choice.add_argument(
        "--parameter", choices=("BPND", "VT"), help="of both tables; VT if not given and both have it, else BPND"
    )
    choice.add_argument(
        "--regions", type=arguments.names, default=[], metavar="NAME,...", help="use these alone, parted by commas"
    )
    line = parser.add_argument_group("line through the regions")
    line.add_argument(
        "--method",
        choices=("ml", "ols", "tls"),
        default="ml",
        help="maximum likelihood with errors in both scans (default); least squares of the Lassen plot, to compare",
    )
    line.add_argument(
        "--noise",
        choices=("relative", "absolute", "se"),
        default="relative",
        help="errors in proportion to VT or 1 + BPND (default), alike, or as the tables' standard errors have them",
    )
    line.add_argument(
        "--covariance",
        type=arguments.path,
        metavar="FILE",
        help="covariance of the relative errors of the regions, from test-retest data: a column name, and one a region",
    )
    _add_exposure(parser)
    parser.add_argument(
        "--out", type=arguments.path, metavar="DIR", help="folder for table and page; without it, the table is printed"
    )
    parser.add_argument("--json", action="store_true", help="print the lines as JSON")


def _add_exposure(parser: argparse.ArgumentParser) -> None:
    exposure = parser.add_argument_group("against dose or plasma concentration")
    exposure.add_argument(
        "--exposure",
        type=arguments.path,
        metavar="FILE",
        help="table with participant_id, session_id where people have several scans under the drug, and the exposure: "
        "occupancy of the lines (else of each region) is fitted as E_max x^h / (x^h + EC50^h)",
    )
    exposure.add_argument("--exposure-column", type=arguments.name, metavar="NAME", help="its column")
    exposure.add_argument("--exposure-unit", type=arguments.name, metavar="U", help="unit of it, for words and figures")
    exposure.add_argument(
        "--exposure-kind", choices=("dose", "concentration"), default="dose", help="what it is (dose if not given)"
    )
    for name, what, of in (
        ("--e-max", "largest occupancy, a share of 1", arguments.fit_or_share),
        ("--hill", "Hill slope", arguments.fit_or_positive),
    ):
        exposure.add_argument(
            name,
            type=of,
            default=1.0,
            metavar="{fit,X}",
            help=f"{what}: fixed at a number (1 if not given), or fit",
        )
