"""Arterial blood of a simulated scan: what there is in it, and the samples that are taken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.data.scan import Scan
from raphe.io.described import Column, write_described
from raphe.simulate.curves import Exponentials, parent_fraction, plasma_input, tissue_response

Array = npt.NDArray[np.float64]

SAMPLES = (
    *(float(10 * n) for n in range(13)),
    *(150.0, 180.0, 240.0, 300.0, 420.0, 600.0, 900.0, 1200.0, 1800.0, 2700.0, 3600.0, 4500.0, 5400.0),
)
"""Times of samples by hand, s from injection; an assumption. The last is at the end of the scan."""

PARENT_FRACTION_NOISE = 0.02
"""Standard deviation of a measured parent fraction; an assumption."""

SIGNIFICANT_DIGITS = 7

COLUMNS = (
    Column("time", "Time since injection, which is time zero", "s"),
    Column("plasma_radioactivity", "Activity in plasma, metabolites included, decay-corrected to injection", "kBq/mL"),
    Column("whole_blood_radioactivity", "Activity in whole blood, decay-corrected to injection", "kBq/mL"),
    Column("metabolite_parent_fraction", "Share of the activity in plasma that is unchanged tracer", "unitless"),
)


@dataclass(frozen=True, eq=False)
class Arterial:
    """Arterial blood of one scan.

    Blood cells are taken to hold as much as plasma.

    Parameters
    ----------
    whole_blood : Exponentials
        Activity of whole blood and of plasma, kBq/mL.
    """

    whole_blood: Exponentials

    def samples(self, end: float, percent: float, random: np.random.Generator) -> Array:
        """Draw samples, shape (n_sample, 4), in the order of :data:`COLUMNS`.

        Parameters
        ----------
        end : float, min
            Of the scan.
        percent : float
            Standard deviation of a measured activity; that of a parent fraction is :data:`PARENT_FRACTION_NOISE` from
            1 % on, and in proportion below, so that 0 is exact.
        random : Generator
        """
        seconds = np.array(sorted({*(time for time in SAMPLES if time < 60 * end), 60 * end}))
        exact = np.maximum(self.whole_blood.at(seconds / 60), 0.0)  # nothing at injection, but for rounding
        plasma, blood = (
            exact * (1 + percent / 100 * random.standard_normal(exact.size)) for _ in ("plasma", "whole blood")
        )
        noise = min(percent, 1.0) * PARENT_FRACTION_NOISE * random.standard_normal(exact.size)
        fraction = np.clip(parent_fraction(seconds / 60) + np.where(seconds > 0, noise, 0.0), 0.0, 1.0)
        return np.stack([seconds, plasma, blood, fraction], axis=1)


def arterial(frames: Frames, total: Exponentials, k2_prime: float, peak: float, K1: float) -> Arterial:
    """Blood that goes with the curves of a scan.

    Parameters
    ----------
    frames : Frames
    total : Exponentials
        Total activity in plasma, in any unit.
    k2_prime : float, 1/min
        Of the reference.
    peak : float, kBq/mL
        Activity of the reference in its highest frame.
    K1 : float, mL/cm3/min
        Of the reference.
    """
    response = tissue_response(frames, plasma_input(total), np.array([k2_prime]))[0]
    scale = float(peak / response.max() / K1)
    return Arterial(Exponentials(total.rate, scale * total.constant, scale * total.slope))


def write_samples(out: Path, scan: Scan, samples: Array) -> None:
    """Write samples as ``*_recording-manual_blood.tsv`` of the raw dataset.

    Parameters
    ----------
    out : Path
        Root of the raw dataset.
    scan : Scan
    samples : ndarray, shape (n_sample, 4)
        As :meth:`Arterial.samples` gives them.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    folder = out / f"sub-{scan.participant}" / f"ses-{scan.session}" / "pet"
    rows = [tuple(float(f"{value:.{SIGNIFICANT_DIGITS}g}") for value in row) for row in samples]
    told = {
        "PlasmaAvail": True,
        "WholeBloodAvail": True,
        "MetaboliteAvail": True,
        "MetaboliteMethod": "none (simulated)",
        "MetaboliteRecoveryCorrectionApplied": False,
        "DispersionCorrected": False,
    }
    write_described(folder / f"{scan.label}_recording-manual_blood.tsv", COLUMNS, rows, told)
