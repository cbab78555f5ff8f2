import json

import numpy as np
import pytest

from raphe.core.frames import Frames
from raphe.data.scan import Scan
from raphe.data.tacs import TACs
from raphe.io.curves import read_curves
from raphe.io.derivatives import tacs as tacs_path
from raphe.io.sidecar import sidecar_of
from raphe.io.tacs import write_tacs

SECONDS = np.array([0, 10, 20, 40, 70, 130, 430], dtype=float)
LENGTHS = np.array([10, 10, 20, 30, 60, 300, 600], dtype=float)
SCAN = Scan(
    "01", "baseline", tracer="DASB", radionuclide="C11", half_life=20.4, injected_radioactivity=599.103,
    injected_mass=3.2, molar_activity=53.6, body_weight=70.5, scanner="HRRT",
)  # fmt: skip


def curves():
    rng = np.random.default_rng(1)
    frames = Frames(SECONDS / 60, LENGTHS / 60)
    return TACs(rng.uniform(1, 30, (3, 7)), frames, ("left_thalamus", "Units", "pons"))


def write(tmp_path, tacs=None, scan=SCAN, **more):
    path = tacs_path(tmp_path, scan, "gtm")
    write_tacs(path, tacs or curves(), scan, **more)
    return path, json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


def test_times_are_seconds_and_columns_regions(tmp_path):
    path, _ = write(tmp_path)
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines[0] == ["frame_start", "frame_end", "left_thalamus", "Units", "pons"]
    assert [line[:2] for line in lines[1:4]] == [["0", "10"], ["10", "20"], ["20", "40"]]
    assert lines[-1][:2] == ["430", "1030"]


def test_the_sidecar_tells_units_and_the_scan(tmp_path):
    _, sidecar = write(tmp_path, sources=["bids:raw:x"], made_of={"pons": "pons as it stands"})
    assert sidecar["Units"] == "kBq/mL", "the field, though a region has its name"
    assert sidecar["FrameTimesStart"] == SECONDS.tolist()
    assert sidecar["FrameDuration"] == LENGTHS.tolist()
    assert (sidecar["InjectedRadioactivity"], sidecar["InjectedRadioactivityUnits"]) == (599.103, "MBq")
    assert (sidecar["BodyWeight"], sidecar["BodyWeightUnits"]) == (70.5, "kg")
    assert (sidecar["TracerName"], sidecar["TracerRadionuclide"]) == ("DASB", "C11")
    assert sidecar["ImageDecayCorrected"] is True
    assert sidecar["Sources"] == ["bids:raw:x"]
    assert sidecar["frame_start"]["Units"] == "s"
    assert sidecar["left_thalamus"]["Units"] == "kBq/mL"
    assert sidecar["pons"]["Description"].endswith("; pons as it stands")


def test_what_is_not_known_is_not_written(tmp_path):
    _, sidecar = write(tmp_path, scan=Scan("01"))
    for field in ("InjectedRadioactivity", "BodyWeight", "TracerName", "TracerRadionuclide", "MolarActivity"):
        assert field not in sidecar


def test_a_value_that_is_not_a_number_is_not_available(tmp_path):
    tacs = curves()
    values = tacs.activity.copy()
    values[1, 2] = np.nan
    path, _ = write(tmp_path, TACs(values, tacs.frames, tacs.names))
    assert path.read_text(encoding="utf-8").splitlines()[3].split("\t")[3] == "n/a"


def test_the_reader_understands_what_was_written(tmp_path):
    path, _ = write(tmp_path)
    sidecar = sidecar_of(path)
    assert sidecar is not None
    assert sidecar.findings == ()
    scan = sidecar.scan("01", "baseline")
    for field in ("tracer", "radionuclide", "injected_radioactivity", "injected_mass", "molar_activity", "body_weight"):
        assert getattr(scan, field) == pytest.approx(getattr(SCAN, field)), field
    back = read_curves(path, sidecar=sidecar)
    assert back.findings == ()
    assert back.tacs.names == curves().names
    np.testing.assert_allclose(back.tacs.activity, curves().activity, rtol=1e-8)
    np.testing.assert_allclose(back.tacs.frames.start, curves().frames.start, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(back.tacs.frames.duration, curves().frames.duration, rtol=1e-8)
