"""Options of ``raphe power``."""

from __future__ import annotations

import argparse
import math

from raphe import arguments

DESIGNS = ("paired", "groups", "ancova", "interaction", "correlation", "equivalence")
"""As in :data:`raphe.stats.power.KINDS`, which is not imported for the sake of ``raphe --help``."""

MOST = 1_000_000
"""People above whom nothing is computed."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument("--design", choices=DESIGNS, required=True, help="what is tested")
    three = parser.add_argument_group("give one or two; power is 0.8 if not given, and the rest is found")
    three.add_argument("--n", type=people, metavar="N", help="people in all")
    three.add_argument("--change", type=arguments.positive, metavar="X", help="true change, correlation, or margin")
    three.add_argument("--power", type=arguments.positive, metavar="P", help="probability that it is shown")
    parser.add_argument("--allocation", type=ratio, metavar="A:B", help="drug to control, as in 2:1")
    parser.add_argument("--outcome", choices=("change", "post"), help="groups: what is compared (change)")
    parser.add_argument("--alpha", type=arguments.positive, default=0.05, metavar="A", help="two-sided level (0.05)")
    own = parser.add_argument_group("scatter of one region")
    own.add_argument("--sd-within", type=arguments.positive, metavar="S", help="SD of repeated scans of a person")
    own.add_argument("--sd-between", type=arguments.positive, metavar="S", help="SD of people's true values")
    own.add_argument("--wscv", type=arguments.positive, metavar="PERCENT", help="the former in per cent of the mean")
    own.add_argument("--cv", type=arguments.positive, metavar="PERCENT", help="SD of single scans of people, per cent")
    own.add_argument("--icc", type=arguments.from_zero, metavar="R", help="intraclass correlation")
    own.add_argument("--sd-response", type=arguments.from_zero, default=0.0, metavar="S", help="SD of true changes")
    table = parser.add_argument_group("scatter of regions").add_mutually_exclusive_group()
    table.add_argument("--from", dest="agreement", type=arguments.path, metavar="TSV", help="agreement table of raphe")
    table.add_argument("--tracer", type=arguments.name, metavar="NAME", help="published figures of the catalog")
    parser.add_argument("--species", type=arguments.name, default="human", metavar="NAME", help="of --tracer (human)")
    parser.add_argument("--region", nargs="+", type=arguments.name, default=[], metavar="NAME", help="all if not given")
    parser.add_argument("--out", type=arguments.path, metavar="DIR", help="write a table and a figure into a folder")


def people(text: str) -> int:
    """A whole number from 1 to :data:`MOST`."""
    value = arguments.count(text)
    if value > MOST:
        raise argparse.ArgumentTypeError(f"{text} people are too many; give at most {MOST:,}")
    return value


def ratio(text: str) -> tuple[float, float]:
    """Two positive numbers, ``A:B``."""
    first, colon, last = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"{text!r} is not A:B")
    a, b = arguments.positive(first), arguments.positive(last)
    if not math.isfinite(a / b):
        raise argparse.ArgumentTypeError(f"{text!r} is not A:B")
    return a, b
