"""Blood of real scans, values as they stand, and the times of a usual series of samples."""

import csv
from pathlib import Path

import numpy as np
import pytest

from raphe.data.blood import BloodSamples, Samples

COLUMNS = {
    "whole_blood": "whole_blood_radioactivity",
    "plasma": "plasma_radioactivity",
    "parent_fraction": "metabolite_parent_fraction",
}


def samples(path: Path, column: str) -> Samples | None:
    """Samples of one column of a table whose times are in seconds, sorted by time."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))
    if column not in rows[0]:
        return None
    time, value = np.array(
        sorted((float(r["time"]) / 60, float(r[column])) for r in rows if r[column] not in ("n/a", ""))
    ).T
    return Samples(time, value)


def blood_of(path: Path) -> BloodSamples:
    return BloodSamples(**{field: samples(path, column) for field, column in COLUMNS.items()})


@pytest.fixture
def manual_times():
    """Times of manual samples of a bolus, min."""
    early = [0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0]
    return np.array([*early, 15.0, 20.0, 30.0, 45.0, 60.0, 75.0, 90.0])


@pytest.fixture
def fraction_times():
    """Times of samples of the parent fraction, min."""
    return np.array([1.0, 2.0, 3.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0])


@pytest.fixture(scope="session")
def ps13(shared_data):
    """Blood of one person, and what bloodstream made of it by interpolation (times in s)."""
    folder = shared_data / "tacs" / "ps13"
    name = "sub-01/ses-baseline/pet/sub-01_ses-baseline"
    made = folder / "derivatives" / "bloodstream" / f"{name}_inputfunction.tsv"
    return blood_of(folder / "raw" / f"{name}_recording-manual_blood.tsv"), np.genfromtxt(made, names=True)


@pytest.fixture(scope="session")
def real_blood(shared_data):
    """Manual blood of every scan at hand, by the name of its file."""
    found = [
        *(shared_data / "tacs" / "mc1-test-retest").glob("sub-*/ses-*/pet/*manual_blood.tsv"),
        *(shared_data / "tacs" / "ps13" / "raw").glob("*/*/pet/*_blood.tsv"),
        *(shared_data / "formats").glob("pet00*/**/*manual_blood.tsv"),
    ]
    return {path.name if "mc1" in str(path) else str(path): blood_of(path) for path in sorted(found)}


@pytest.fixture(scope="session")
def pbr28_fractions(shared_data):
    """Parent fraction of 20 scans with [11C]PBR28."""
    return {p.name: samples(p, "parentFraction") for p in sorted((shared_data / "blood").glob("*_metabolite.csv"))}
