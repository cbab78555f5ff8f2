"""Options that commands share: the choice of models with what they take, and what is known of one scan."""

from __future__ import annotations

import argparse

from raphe import arguments


def add(
    parser: argparse._ActionsContainer,
    *,
    required: bool,
    reference: str = "NAME",
    reference_help: str = "reference region",
) -> None:
    """Add the choice of models and of what they take.

    Parameters
    ----------
    parser : argparse parser or group
    required : bool
        Whether a model must be named.
    reference, reference_help : str
        What ``--reference`` takes.
    """
    parser.add_argument(
        "--model",
        required=required,
        type=arguments.names,
        default=[],
        metavar="M ...",
        help="kinetic model, or several; raphe list models",
    )
    parser.add_argument("--reference", type=arguments.name, metavar=reference, help=reference_help)
    parser.add_argument(
        "--k2-prime", type=arguments.positive_or_auto, metavar="X|auto", help="k2' of the reference, 1/min"
    )
    parser.add_argument(
        "--t-star",
        type=arguments.t_star,
        metavar="MIN|auto[:PERCENT]",
        help="fit frames whose mid-time is at or after it; auto: the earliest from which none is 10 %% off the line",
    )
    parser.add_argument(
        "--window", type=arguments.span, metavar="START:END", help="time window of SUVR, min from injection"
    )
    parser.add_argument(
        "--vb",
        type=arguments.share_or_fit,
        metavar="X|fit",
        help="share of blood in the tissue: given (0 for none), or fitted",
    )
    parser.add_argument(
        "--delay", type=arguments.number_or_fit, metavar="MIN|fit", help="of the blood, positive where it arrives later"
    )
    parser.add_argument(
        "--dispersion",
        type=arguments.positive_or_fit,
        metavar="MIN|fit",
        help="time constant of an autosampler's dispersion",
    )
    parser.add_argument(
        "--parent-fraction", type=arguments.name, metavar="MODEL", help="model of the parent fraction, or auto"
    )
    parser.add_argument(
        "--plasma-ratio", type=arguments.name, metavar="MODEL", help="model of plasma to whole blood, or auto"
    )
    parser.add_argument(
        "--arterial", type=arguments.name, metavar="MODEL", help="model of the parent in plasma, or auto"
    )
    parser.add_argument(
        "--blood-unit", type=arguments.name, metavar="U", help="unit of the blood, whatever its files say"
    )
    parser.add_argument(
        "--blood-faults",
        choices=("refuse", "mend"),
        help="refuse blood out of order and blood that ends before the scan (default), or leave out what breaks the "
        "order and fit the frames that the blood covers",
    )
    parser.add_argument(
        "--weights",
        type=arguments.name,
        metavar="W",
        help="decay, duration, uniform, residual, or a TSV with a column weight (1/variance)",
    )
    parser.add_argument(
        "--uncertainty",
        choices=("jacobian", "bootstrap", "profile"),
        help="standard errors from the fit's Jacobian (default), from noisy repeats, or with intervals by profile "
        "likelihood",
    )
    parser.add_argument("--repeats", type=arguments.count, metavar="N", help="of the bootstrap; 1000 if not given")
    parser.add_argument(
        "--convention",
        choices=("average", "midframe"),
        help="read frames as averages (default), or as values at mid-frame as PMOD, PETSurfer and kinfitr do",
    )


def add_scan(parser: argparse._ActionsContainer) -> None:
    """Add what a command on the files of one scan must be told where the files do not tell it."""
    parser.add_argument(
        "--input",
        type=arguments.path,
        action="append",
        default=[],
        metavar="FILE",
        help="arterial input, or the few samples of plasma that SIMEAIF needs: *_inputfunction.tsv, *_blood.tsv or "
        "PMOD's .bld; once for each file",
    )
    parser.add_argument(
        "--half-life", type=arguments.positive, metavar="MIN", help="of the nuclide, where no sidecar says it"
    )
    parser.add_argument(
        "--unit", type=arguments.name, metavar="U", help="activity unit, where no sidecar or header says it: kBq/mL ..."
    )
    parser.add_argument(
        "--frames", type=arguments.frames, metavar="A:B", help="read frames A to B-1 only, counted from 0, as in 0:30"
    )
