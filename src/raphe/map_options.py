"""Options of ``raphe map``."""

from __future__ import annotations

import argparse

from raphe import arguments, model_options


def add(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument(
        "pet",
        type=arguments.path,
        metavar="PET",
        help="4D NIfTI image (.nii, .nii.gz, .nii.zst) with its PET sidecar (.json)",
    )
    model_options.add(
        parser,
        required=True,
        reference="FILE[:REGION]",
        reference_help="of the reference region: a mask, or a table that holds its curve",
    )
    parser.add_argument(
        "--label", type=arguments.whole, metavar="N", help="value of the reference in a label image (--reference FILE)"
    )
    parser.add_argument(
        "--mask",
        type=arguments.path,
        metavar="FILE",
        help="3D image, not 0 in the voxels to map; without it, those with a tenth of the highest mean activity",
    )
    model_options.add_scan(parser)
    noise = parser.add_argument_group("noise").add_mutually_exclusive_group()
    noise.add_argument(
        "--smooth",
        type=arguments.positive,
        metavar="MM",
        help="smooth every volume inside the mask by a Gaussian, FWHM",
    )
    noise.add_argument("--hypr", type=arguments.positive, metavar="MM", help="HYPR-LR with a Gaussian of this FWHM")
    parser.add_argument(
        "--regularise",
        action="store_true",
        help="average maps over neighbours that differ by no more than their errors",
    )
    parser.add_argument("--out", type=arguments.path, required=True, metavar="DIR", help="folder for the maps")
    work = parser.add_argument_group("work")
    work.add_argument(
        "--workers", type=arguments.count, metavar="N", help="threads; as many as there are processors if not given"
    )
    work.add_argument(
        "--memory",
        type=arguments.size,
        metavar="LIMIT",
        help="memory that it may take, as in 900M or 1G (10^9 bytes); the file is read several times if need be",
    )
