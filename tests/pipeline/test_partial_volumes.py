"""The resolution that partial-volume correction takes, and what is told of it."""

import dataclasses
import json

import numpy as np
import pytest

from raphe.core.frames import Frames
from raphe.data.record import Step
from raphe.data.scan import Scan
from raphe.data.tacs import TACs
from raphe.io.raw_scans import RawScan
from raphe.pipeline.partial_volumes import as_json, as_parameters, resolution, tomograph
from raphe.pipeline.preprocess_choices import Preprocessing
from raphe.pipeline.preprocessing_of import _facts
from raphe.pipeline.raw_task import CorrectedCurves, RawTask, Resolution
from raphe.preprocess.pvc.reliability import Reliability


@pytest.mark.parametrize(
    ("scanner", "name"),
    [
        ("Siemens High-Resolution Research Tomograph (HRRT)", "HRRT"),
        ("CTI HRRT", "HRRT"),
        ("GE MEDICAL SYSTEMS Advance", "GE"),
        ("GE Healthcare (simulated) GE Advance-like", "GE"),
        ("Siemens microPET Focus 220", "Focus220"),
        ("GE Healthcare Discovery 690", None),
        ("Philips Gemini TF", None),
        ("Siemens Biograph mMR", None),
        ("", None),
    ],
)
def test_a_tomograph_is_known_by_its_model_and_not_by_its_maker(scanner, name):
    found = tomograph(scanner)
    assert (None if found is None else found.name) == name


def task(tmp_path, fields, fwhm=None, scanner="Siemens HRRT"):
    image = tmp_path / "sub-01" / "pet" / "sub-01_pet.nii.gz"
    image.parent.mkdir(parents=True)
    (tmp_path / "dataset_description.json").write_text("{}", encoding="utf-8")
    image.with_name("sub-01_pet.json").write_text(json.dumps(fields), encoding="utf-8")
    raw = RawScan(Scan("01", scanner=scanner), image, False, None)
    choices = dataclasses.replace(Preprocessing(), fwhm=fwhm)
    return RawTask(raw, tmp_path, (), choices, None, tmp_path / "out", "", {}, "")


@pytest.mark.parametrize(
    ("fields", "width", "word"),
    [
        ({"ReconFilterType": "none"}, 2.6, "catalog (HRRT)"),
        ({"ReconFilterType": "Gaussian", "ReconFilterSize": 2.0}, np.hypot(2.6, 2.0), "Gaussian of 2 mm"),
        ({"ReconFilterType": ["Shepp", "Gaussian"], "ReconFilterSize": [5.0, 2.0]}, np.hypot(2.6, 2.0), "2 mm"),
        ({"ReconFilterType": "Hann", "ReconFilterSize": 5.0}, 2.6, "catalog (HRRT)"),
        ({"ReconFilterType": "Gaussian", "ReconFilterSize": "n/a"}, 2.6, "catalog (HRRT)"),
    ],
)
def test_a_gaussian_after_reconstruction_widens_the_tomographs_resolution(tmp_path, fields, width, word):
    found = resolution(task(tmp_path, fields))
    assert found is not None
    np.testing.assert_allclose(found.fwhm, width)
    assert found.off_centre is not None
    np.testing.assert_allclose(found.off_centre.fwhm, np.sqrt(3.4**2 + width**2 - 2.6**2))
    assert found.off_centre.radius == 100
    assert word in found.source


def test_the_plan_comes_first_and_an_unknown_tomograph_has_no_resolution(tmp_path):
    told = {"ReconFilterType": "Gaussian", "ReconFilterSize": 2.0}
    found = resolution(task(tmp_path / "a", told, fwhm=(5.0, 5.0, 6.0)))
    assert found is not None
    assert (found.fwhm, found.source, found.off_centre) == ((5.0, 5.0, 6.0), "plan", None)
    assert resolution(task(tmp_path / "b", told, scanner="Philips Gemini TF")) is None


def test_smoothing_widens_the_resolution_too(tmp_path):
    one = task(tmp_path, {"ReconFilterType": "none"}, fwhm=(3.0, 3.0, 4.0))
    found = resolution(dataclasses.replace(one, choices=dataclasses.replace(one.choices, smoothing=4.0)))
    assert found is not None
    np.testing.assert_allclose(found.fwhm, (5.0, 5.0, np.hypot(4, 4)))
    assert found.source == "plan and smoothing by a Gaussian of 4 mm"


def test_a_width_that_is_no_number_is_told_and_not_taken(tmp_path):
    found = resolution(task(tmp_path, {"ReconFilterType": "Gaussian", "ReconFilterSize": "wide"}))
    assert found is not None
    assert found.fwhm == (2.6, 2.6, 2.6)
    assert "ReconFilterSize is 'wide'" in found.source


def curves():
    tacs = TACs(np.ones((2, 1)), Frames(np.zeros(1), np.ones(1)), ("putamen", "raphe"), np.ones(2))
    judged = Reliability(
        np.array([1.23456, 4.0]), np.eye(2), {0.8: np.array([0.95, np.nan]), 1.2: np.array([1.06, 1.31])}
    )
    return CorrectedCurves(tacs, judged, Resolution((2.6, 2.6, 2.6), "catalog (HRRT)", 2.5))


def test_noise_and_sensitivity_stand_in_sidecar_and_record():
    told = json.loads(json.dumps(as_json(curves(), "GTM"), allow_nan=False))
    assert told["NoiseAmplification"] == {"putamen": 1.235, "raphe": 4.0}
    assert told["Sensitivity"]["0.8"] == {"putamen": 0.95, "raphe": None}
    assert told["FWHMSource"] == "catalog (HRRT)"
    facts = dict(_facts((Step("preprocessed", as_parameters({"GTM": curves()})),)))
    assert facts["Noise after GTM, times that before"] == "2.6; most 4.0 in raphe"
    assert facts["GTM with 1.2 times the resolution"] == "up to 31 % off, in raphe"
