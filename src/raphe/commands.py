"""The words of every command: what it takes, what it says of itself, and the function that does it.

The parts that compute are imported when a command runs, so that ``raphe --help`` answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from raphe import (
    __version__,
    arguments,
    convert_options,
    map_options,
    model_options,
    occupancy_options,
    power_options,
)

if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction["_Parser"]

UNUSABLE = 2
"""Exit code of words that cannot be used, and of input."""


def parser_of(demo: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    """Parser of all commands; ``run`` of what it parses does the work.

    Parameters
    ----------
    demo : callable
        What ``raphe demo`` does: it runs other commands.
    """
    parser = _Parser(
        prog="raphe",
        description="PET neuroreceptor pharmacology: from a study's scans to its answer.",
        epilog="Start with:  raphe demo",
        formatter_class=_Help,
    )
    parser.add_argument("--version", action="version", version=f"raphe {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _demo(commands, demo)
    for add in (_convert, _check, _run, _fit, _map, _stats, _occupancy, _simulate, _power, _conformance, _list):
        add(commands)
    return parser


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the words of a command in one line."""

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """Let several words follow ``--model``, wherever it stands among the others."""
        return super().parse_known_args(arguments.with_joined_models(sys.argv[1:] if args is None else args), namespace)

    def error(self, message: str) -> NoReturn:
        self.exit(UNUSABLE, f"{self.prog}: {message}; see {self.prog} --help\n")


class _Help(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=110)


def _later(module: str) -> Callable[[argparse.Namespace], int]:
    """The function ``run`` of a module, imported when it is called."""
    return lambda options: importlib.import_module(module).run(options)


def _command(
    commands: _Commands, name: str, run: Callable[[argparse.Namespace], int], does: str, example: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=does,
        description=does[0].upper() + does[1:] + ".",
        epilog=f"Example:  {example}",
        formatter_class=_Help,
    )
    parser.set_defaults(run=run)
    talk = parser.add_argument_group("messages")
    talk.add_argument("--quiet", action="store_true", help="print errors and results only")
    talk.add_argument("--verbose", action="store_true", help="print every step")
    talk.add_argument("--log-file", type=arguments.path, metavar="FILE", help="write what happens as JSON lines")
    talk.add_argument("--debug", action="store_true", help="print a traceback when something goes wrong")
    return parser


def _demo(commands: _Commands, run: Callable[[argparse.Namespace], int]) -> None:
    parser = _command(
        commands,
        "demo",
        run,
        "simulate a small test-retest study with known truth, analyse it and report",
        "raphe demo raphe-demo",
    )
    parser.add_argument(
        "out", nargs="?", type=arguments.path, default=Path("raphe-demo"), metavar="OUT", help="folder to make"
    )


def _convert(commands: _Commands) -> None:
    parser = _command(
        commands,
        "convert",
        _later("raphe.pipeline.convert"),
        "make raw BIDS of a scanner's image (ECAT7, DICOM), and of blood and curves of PMOD and others",
        "raphe simulate test-retest to-convert --tacs-only && raphe convert to-convert/derivatives/raphe-sim/sub-01/"
        "ses-baseline/pet/sub-01_ses-baseline_trc-DASB_seg-sim_desc-preproc_tacs.tsv converted --participant-label 01 "
        "--session-label baseline --tracer DASB",
    )
    convert_options.add(parser)


def _check(commands: _Commands) -> None:
    parser = _command(
        commands,
        "check",
        _later("raphe.pipeline.check"),
        "read a whole data set and say what is wrong, before any work",
        "raphe simulate test-retest to-check --tacs-only && raphe check to-check",
    )
    parser.add_argument("bids", type=arguments.path, metavar="BIDS", help="root of the data set")
    parser.add_argument(
        "--plan", type=arguments.path, metavar="FILE", help="study plan; raphe.toml in BIDS if it is there"
    )
    parser.add_argument(
        "--derivatives", type=arguments.path, nargs="+", default=[], metavar="DIR", help="where the curves are"
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def _run(commands: _Commands) -> None:
    parser = _command(
        commands,
        "run",
        _later("raphe.pipeline.study"),
        "analyse a study: curves to binding, contrasts and the report",
        "raphe simulate test-retest to-run --tacs-only && raphe run to-run results all",
    )
    parser.add_argument("bids", type=arguments.path, metavar="BIDS", help="root of the data set")
    parser.add_argument("out", type=arguments.path, metavar="OUT", help="folder for the results")
    parser.add_argument("level", choices=("participant", "group", "all"), help="scans, the study, or both")
    parser.add_argument(
        "--plan", type=arguments.path, metavar="FILE", help="study plan; raphe.toml in BIDS if it is there"
    )
    parser.add_argument(
        "--derivatives", type=arguments.path, nargs="+", default=[], metavar="DIR", help="where the curves are"
    )
    choice = parser.add_argument_group("which scans")
    choice.add_argument("--participant-label", nargs="+", type=arguments.name, default=[], metavar="LABEL")
    choice.add_argument("--session-label", nargs="+", type=arguments.name, default=[], metavar="LABEL")
    choice.add_argument("--tracer", nargs="+", type=arguments.name, default=[], metavar="NAME")
    choice.add_argument(
        "--pvc",
        type=arguments.name,
        metavar="LABEL",
        help="curves with this partial-volume correction; nopvc for without",
    )
    choice.add_argument("--seg", type=arguments.name, metavar="LABEL", help="curves of this segmentation")
    model_options.add(parser.add_argument_group("analysis (over the plan)"), required=False)
    work = parser.add_argument_group("work")
    work.add_argument(
        "--maps", action="store_true", help="parametric maps of the dynamic images too, by the models of the regions"
    )
    work.add_argument("--workers", type=arguments.count, default=1, metavar="N", help="scans at a time")
    again = work.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="keep scans that are done and unchanged (the default)")
    again.add_argument("--restart", action="store_true", help="do every scan anew")
    work.add_argument("--dry-run", action="store_true", help="say what would be done, and stop")


def _fit(commands: _Commands) -> None:
    parser = _command(
        commands,
        "fit",
        _later("raphe.pipeline.fit_table"),
        "fit a kinetic model to one table of curves",
        "raphe simulate test-retest to-fit --tacs-only && raphe fit to-fit/derivatives/raphe-sim/sub-01/ses-baseline/"
        "pet/sub-01_ses-baseline_trc-DASB_seg-sim_desc-preproc_tacs.tsv --model MRTM2",
    )
    parser.add_argument(
        "tacs", type=arguments.path, metavar="TACS", help="table of curves: BIDS or PETPrep TSV, CSV, .tac, .dft"
    )
    model_options.add(parser, required=True)
    model_options.add_scan(parser)
    parser.add_argument(
        "--out", type=arguments.path, metavar="DIR", help="folder for the results; without it, they are printed"
    )


def _map(commands: _Commands) -> None:
    parser = _command(
        commands,
        "map",
        _later("raphe.pipeline.map_image"),
        "make parametric maps of one dynamic image",
        "raphe simulate test-retest to-map --tacs-only && python -m raphe.simulate.blocks to-map/derivatives/raphe-sim/"
        "sub-01/ses-baseline/pet/sub-01_ses-baseline_trc-DASB_seg-sim_desc-preproc_tacs.tsv to-map/sub-01_pet.nii.gz "
        "&& raphe map to-map/sub-01_pet.nii.gz --model SRTM --reference to-map/sub-01_dseg.nii.gz --label 1 --out maps",
    )
    map_options.add(parser)


def _stats(commands: _Commands) -> None:
    parser = _command(
        commands,
        "stats",
        _later("raphe.pipeline.planned_answers"),
        "answer the contrasts of a study plan from a table of estimates, or voxel by voxel from a folder of maps",
        "raphe simulate test-retest to-ask --tacs-only && raphe run to-ask asked all && "
        "raphe stats to-ask/raphe.toml asked/group/estimates.tsv --out answers",
    )
    parser.description = (
        f"{parser.description}\nOf maps, with permutations under [maps] of the plan:  "
        "raphe stats raphe.toml FOLDER-OF-MAPS --out answers"
    )
    parser.add_argument("plan", type=arguments.path, metavar="PLAN", help="study plan (raphe.toml)")
    parser.add_argument(
        "table",
        type=arguments.path,
        metavar="TABLE|FOLDER",
        help="estimates with the columns of group/estimates.tsv, or a folder of parametric maps of raphe or of other "
        "software (sub-*_space-TEMPLATE_meas-BPND_mimap.nii.gz)",
    )
    parser.add_argument(
        "--participants", type=arguments.path, metavar="FILE", help="participants.tsv; that beside the plan if there"
    )
    parser.add_argument(
        "--phenotype", type=arguments.path, metavar="DIR", help="folder of scores; phenotype beside the plan if there"
    )
    parser.add_argument(
        "--out",
        type=arguments.path,
        metavar="DIR",
        help="folder for the results; without, answers of tables are printed",
    )
    of_maps = parser.add_argument_group("of maps")
    of_maps.add_argument(
        "--entity",
        type=arguments.entity,
        action="append",
        default=[],
        metavar="KEY-VALUE",
        help="take only maps whose names have it, as pvc-MG, run-1 or desc-smooth; pvc-none: those without pvc-; "
        "may be given several times",
    )
    of_maps.add_argument(
        "--workers", type=arguments.count, metavar="N", help="threads; as many as there are processors if not given"
    )


def _occupancy(commands: _Commands) -> None:
    scans = "to-block/derivatives/raphe-sim/sub-01"
    curves = "sub-01_ses-{0}_trc-DASB_seg-sim"
    fits = [
        f"raphe fit {scans}/ses-{name}/pet/{curves.format(name)}_desc-preproc_tacs.tsv --model MRTM2 --out fits"
        for name in ("control", "ketamine")
    ]
    tables = " ".join(f"fits/{curves.format(name)}_model-MRTM2_kinpar.tsv" for name in ("control", "ketamine"))
    parser = _command(
        commands,
        "occupancy",
        _later("raphe.pipeline.occupancy"),
        "say what a drug occupies: change in BP_ND, Lassen plot, V_ND",
        f"raphe simulate yamanaka2014 to-block --tacs-only --participants 1 && {' && '.join(fits)} && "
        f"raphe occupancy {tables} --out occupied",
    )
    occupancy_options.add(parser)


def _simulate(commands: _Commands) -> None:
    parser = _command(
        commands,
        "simulate",
        _later("raphe.simulate.command"),
        "make a study of known truth",
        "raphe simulate test-retest study --tacs-only --seed 1",
    )
    parser.add_argument(
        "plan",
        type=arguments.name,
        metavar="NAME|PLAN.toml",
        help="test-retest, tiger2020, yamanaka2014, yamanaka2014-fenfluramine or a plan file",
    )
    parser.add_argument("out", type=arguments.path, metavar="OUT", help="folder to make")
    parser.add_argument("--seed", type=arguments.seed, default=1, metavar="N", help="same seed, same bytes")
    parser.add_argument(
        "--participants", type=arguments.count, metavar="N", help="how many people; the plan's number if not given"
    )
    parser.add_argument("--tacs-only", action="store_true", help="regional curves, without images")
    parser.add_argument(
        "--workers", type=arguments.count, default=1, metavar="N", help="participants at a time, where images are made"
    )


def _power(commands: _Commands) -> None:
    parser = _command(
        commands,
        "power",
        _later("raphe.pipeline.power"),
        "find the number of people, the detectable change and the precision of a design from the scatter of scans",
        "raphe power --design paired --n 4 --wscv 6 && raphe power --design groups --n 30 --allocation 2:1 "
        "--tracer AZ10419369 --out power",
    )
    power_options.add(parser)


def _conformance(commands: _Commands) -> None:
    parser = _command(
        commands,
        "conformance",
        _later("raphe.conformance.command"),
        "hold every kinetic model against curves of known truth",
        "raphe conformance --model SRTM 2TCM --repeats 200",
    )
    parser.add_argument(
        "--model", type=arguments.names, default=[], metavar="M ...", help="models; all if none is named"
    )
    parser.add_argument("--repeats", type=arguments.count, default=1000, metavar="N", help="noisy repeats of each case")
    parser.add_argument(
        "--noise", type=arguments.positive, default=0.03, metavar="SHARE", help="their noise; 0.03 is 3 %%"
    )
    parser.add_argument("--seed", type=arguments.seed, default=1, metavar="N", help="same seed, same noise")
    parser.add_argument("--convention", choices=("average", "midframe"), default="average", help="how frames are read")
    parser.add_argument("--noise-free-only", action="store_true", help="leave out the noisy repeats")
    parser.add_argument("--json", type=arguments.path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument(
        "--out", type=arguments.path, metavar="DIR", help="write the tables and the figures into a folder"
    )
    parser.add_argument(
        "--export", type=arguments.path, metavar="DIR", help="copy the files for another package, and stop"
    )


def _list(commands: _Commands) -> None:
    parser = _command(
        commands, "list", _later("raphe.pipeline.listing"), "say what there is, with sources", "raphe list tracers"
    )
    parser.add_argument("what", choices=("models", "blood", "tracers", "atlases", "species", "protocols"))
