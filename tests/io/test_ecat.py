import runpy
from datetime import timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from raphe.errors import InputError
from raphe.io.ecat import POSITIONS, is_ecat, open_ecat
from raphe.io.ecat_fields import read_fields

writer = runpy.run_path(str(Path(__file__).parents[1] / "ecat_writer.py"))
write_ecat, decay_factor = writer["write_ecat"], writer["decay_factor"]

SHAPE = (4, 5, 3)


def frames(n=1):
    return [np.arange(60, dtype=np.int16).reshape(SHAPE) + 100 * i for i in range(n)]


def read(path, position=None, factor=1.0):
    with open_ecat(path, position) as image:
        return image, list(image.volumes(factor))


def told(path, **given):
    with open_ecat(path) as image:
        return read_fields(image, **given)


def test_a_head_first_scan_faces_right_front_and_top(tmp_path):
    """The file runs to the left, the back and the feet: its first voxel is the last of all."""
    image, (volume,) = read(write_ecat(tmp_path / "a.v", frames()))
    assert image.grid.zooms == pytest.approx((2.0, 3.0, 4.0))
    np.testing.assert_array_equal(volume, frames()[0][::-1, ::-1, ::-1])
    middle = image.grid.affine @ [1.5, 2.0, 1.0, 1.0]
    np.testing.assert_allclose(middle[:3], 0, atol=1e-6)
    assert (np.diag(image.grid.affine) > 0).all()
    assert image.findings == ()


@pytest.mark.parametrize("position", POSITIONS)
def test_every_position_is_the_head_first_one_with_the_patient_turned(tmp_path, position):
    """A marked voxel goes where the patient's right, front and top are in the scanner, and no position mirrors."""
    code, axes = POSITIONS[position]
    path = write_ecat(tmp_path / "a.v", frames(), header={"patient_orientation": code})
    image, (volume,) = read(path, position)
    assert image.findings == ()
    turn = np.zeros((3, 3))
    for axis, letter in enumerate(axes):
        at = next(i for i, pair in enumerate(("RL", "AP", "SI")) if letter in pair)
        turn[at, axis] = 1 if letter in "RAS" else -1
    assert np.linalg.det(turn) == pytest.approx(-1)  # as the file of one who lies head first and supine
    sizes, shape = np.array([2.0, 3.0, 4.0]), np.array(SHAPE)
    voxel = np.array([3, 1, 0])
    place = turn @ (sizes * (voxel - (shape - 1) / 2))
    inside = np.linalg.inv(image.grid.affine) @ [*place, 1]
    assert volume[tuple(np.rint(inside[:3]).astype(int))] == frames()[0][tuple(voxel)]


@pytest.mark.parametrize(("code", "words"), [(8, "does not say"), (1, "HFP"), (77, "77")])
def test_a_position_that_is_not_plain_is_doubted_until_it_is_said(tmp_path, code, words):
    path = write_ecat(tmp_path / "a.v", frames(), header={"patient_orientation": code})
    image, _ = read(path)
    assert words in image.findings[0].message
    assert "--position" in image.findings[0].message
    assert read(path, "HFS")[0].findings == ()


def test_frames_come_in_the_order_of_time_with_their_own_scale(tmp_path):
    path = write_ecat(tmp_path / "a.v.gz", frames(3), scales=[1.0, 2.0, 0.5], order=[2, 0, 1], compress=True)
    image, volumes = read(path, factor=10.0)
    assert [frame["frame_start_time"] for frame in image.frames] == [0, 10000, 20000]
    for volume, frame, scale in zip(volumes, frames(3), (1.0, 2.0, 0.5), strict=True):
        np.testing.assert_allclose(volume, 10 * scale * frame[::-1, ::-1, ::-1])


def test_more_frames_than_one_block_of_the_list_holds(tmp_path):
    small = [np.full((2, 2, 2), i, np.int16) for i in range(70)]
    image, volumes = read(write_ecat(tmp_path / "a.v", small))
    assert [volume.max() for volume in volumes] == list(range(70))
    assert image.findings == ()


def test_deleted_frames_are_left_out_and_told(tmp_path):
    image, volumes = read(write_ecat(tmp_path / "a.v", frames(3), statuses=[1, -1, 1]))
    assert len(volumes) == 2
    assert "3 frames" in image.findings[0].message
    assert "2" in image.findings[0].message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"header": {"file_type": 11}}, ["ECAT7_3DSCAN", "11"]),
        ({"header": {"magic_number": b"ECAT63"}}, ["ECAT7", "ECAT6"]),
        ({"subheader": {"data_type": 4}}, ["frame 1", "type 4"]),
        ({"subheader": {"scale_factor": 0.0}}, ["frame 1", "scale_factor"]),
        ({"subheader": {"scale_factor": np.nan}}, ["scale_factor", "nan"]),
        ({"subheader": {"x_pixel_size": 0.0}}, ["frame 1", "0.0"]),
        ({"subheader": {"x_dimension": 4000}}, ["frame 1", "cut short"]),
        ({"numbers": [1, (1 << 24) | 1]}, ["2 gates"]),
        ({"numbers": [1, (1 << 12) | 1]}, ["2 bed positions"]),
        ({"statuses": [3, 3]}, ["no frame"]),
    ],
)
def test_files_that_cannot_be_used(tmp_path, change, words):
    path = write_ecat(tmp_path / "a.v", frames(2), **change)
    with pytest.raises(InputError) as caught:
        read(path)
    for word in (str(path), *words):
        assert word in str(caught.value)


def test_damaged_files(tmp_path):
    whole = write_ecat(tmp_path / "whole.v", frames(2)).read_bytes()
    endless = bytearray(whole)
    endless[512:528] = np.array([29, 3, 0, 2], ">i4").tobytes()  # the list goes on in a block that is none
    for size in (0, 100, 600, 1500, len(whole) - 600):
        path = tmp_path / f"{size}.v"
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=str(size)):
            read(path)
    path = tmp_path / "endless.v"
    path.write_bytes(endless)
    with pytest.raises(InputError, match="list of matrices"):
        read(path)
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(InputError, match="not fetched"):
        read(path)
    (tmp_path / "cut.v.gz").write_bytes(write_ecat(tmp_path / "b.v.gz", frames(2), compress=True).read_bytes()[:300])
    with pytest.raises(InputError, match="cut short"):
        read(tmp_path / "cut.v.gz")


def test_frames_on_two_grids(tmp_path):
    mixed = [frames()[0], np.ones((3, 5, 4), np.int16)]
    with pytest.raises(InputError, match="frame 2 is on another grid"):
        read(write_ecat(tmp_path / "a.v", mixed))


def test_what_a_file_is_its_name_or_its_beginning_tells(tmp_path):
    path = write_ecat(tmp_path / "a.img", frames(), compress=True)
    assert is_ecat(path)
    (tmp_path / "b.txt").write_text("MATRIX? no")
    assert not is_ecat(tmp_path / "b.txt")


def test_fields_that_the_headers_tell(tmp_path):
    schedule = [(0.0, 60.0), (60.0, 120.5), (180.5, 300.0)]
    found = told(write_ecat(tmp_path / "a.v", frames(3), schedule))
    wanted = {
        "Manufacturer": "Siemens",
        "ManufacturersModelName": "ECAT EXACT HR+",
        "Units": "Bq/mL",
        "TracerName": "DASB",
        "TracerRadionuclide": "C11",
        "TimeZero": "07:06:40",  # 1.3e9 s is 2011-03-13 07:06:40 UTC
        "ScanStart": 0,
        "InjectionStart": 0,
        "FrameTimesStart": [0.0, 60.0, 180.5],
        "FrameDuration": [60.0, 120.5, 300.0],
        "AcquisitionMode": "dynamic emission",
        "ImageDecayCorrected": True,
        "ImageDecayCorrectionTime": 0,
        "AttenuationCorrection": "measured",
        "ReconMatrixSize": [4, 5, 3],
        "ImageVoxelSize": [2.0, 3.0, 4.0],
    }
    assert {field: found.fields.get(field) for field in wanted} == wanted
    assert found.factor == pytest.approx(2.0)
    assert found.findings == ()
    assert "InjectedRadioactivity" not in found.fields
    assert "370" in found.hints["InjectedRadioactivity"]
    assert not any("Person" in str(value) for value in found.fields.values())


def test_the_dose_has_the_unit_that_is_said(tmp_path):
    found = told(write_ecat(tmp_path / "a.v", frames()), dosage_unit="MBq")
    assert (found.fields["InjectedRadioactivity"], found.fields["InjectedRadioactivityUnits"]) == (370.0, "MBq")


def test_the_clock_of_the_scanner(tmp_path):
    found = told(write_ecat(tmp_path / "a.v", frames()), zone=timezone(timedelta(hours=2)))
    assert found.fields["TimeZero"] == "09:06:40"


@pytest.mark.parametrize(("dose", "start"), [(-90, -90), (5, 5), (600_000, None), (-1_300_000_000, None)])
def test_injection_is_from_the_start_of_the_scan_if_it_is_of_this_scan(tmp_path, dose, start):
    found = told(write_ecat(tmp_path / "a.v", frames(), header={"dose_start_time": 1_300_000_000 + dose}))
    assert found.fields.get("InjectionStart") == start
    assert ("InjectionStart" in found.hints) == (start is None)


@pytest.mark.parametrize("moment", [0.0, -300.0, 240.0])
def test_the_time_of_decay_correction_follows_from_the_factors(tmp_path, moment):
    schedule = [(600.0, 300.0)]
    factor = {"decay_corr_fctr": decay_factor(600.0, 300.0, moment)}
    found = told(write_ecat(tmp_path / "a.v", frames(), schedule, subheader=factor))
    assert found.fields["ImageDecayCorrectionTime"] == pytest.approx(moment, abs=0.2)


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"decay_corr_fctr": 1.0, "corrections_applied": 2}, "ImageDecayCorrected", False),
        ({"decay_corr_fctr": 1.0}, "ImageDecayCorrected", None),
        ({"corrections_applied": 2}, "ImageDecayCorrected", None),
        ({"decay_corr_fctr": 1.5}, "ImageDecayCorrectionTime", None),
    ],
)
def test_flag_and_factors_of_decay_must_agree(tmp_path, change, field, value):
    schedule = [(0.0, 300.0), (300.0, 600.0)]
    found = told(write_ecat(tmp_path / "a.v", frames(2), schedule, subheader=change))
    assert found.fields.get(field) is value
    assert (field in found.hints) == (value is None)


@pytest.mark.parametrize(
    ("unit", "factor"), [(b"Bq/ml", 2.0), (b"kBq/cc", 2000.0), (b"nCi/cc", 74.0), (b"uCi/mL", 74000.0)]
)
def test_units_become_bq_per_ml(tmp_path, unit, factor):
    assert told(write_ecat(tmp_path / "a.v", frames(), header={"data_units": unit})).factor == pytest.approx(factor)


@pytest.mark.parametrize(
    ("header", "given", "words"),
    [
        ({"data_units": b""}, {}, ["data_units", "--unit"]),
        ({"data_units": b"counts"}, {}, ["data_units", "counts"]),
        ({}, {"unit": "kBq/mL"}, ["Bq/cc", "--unit"]),
        ({"ecat_calibration_factor": 0.0}, {}, ["ecat_calibration_factor", "--calibration-factor"]),
        ({"calibration_unitS": 0}, {}, ["calibration_units is 0", "--calibration-factor"]),
        ({"acquisition_type": 2}, {}, ["transmission"]),
        ({"isotope_name": b"xyz"}, {}, ["isotope_name", "xyz"]),
    ],
)
def test_headers_that_do_not_say_enough(tmp_path, header, given, words):
    path = write_ecat(tmp_path / "a.v", frames(), header=header)
    with pytest.raises(InputError) as caught:
        told(path, **given)
    for word in (str(path), *words):
        assert word in str(caught.value)


def test_a_calibration_that_is_given_is_taken(tmp_path):
    path = write_ecat(tmp_path / "a.v", frames(), header={"calibration_unitS": 0})
    assert told(path, calibration=1.0).factor == pytest.approx(1.0)


def test_a_half_life_that_is_not_the_nuclides_is_doubted(tmp_path):
    found = told(write_ecat(tmp_path / "a.v", frames(), header={"isotope_name": b"F-18"}))
    assert "1221.84" in found.findings[0].message
    assert "F18" in found.findings[0].message


def test_the_golden_file_of_pet2bids(shared_data):
    """Its makers wrote 0, 2, 4 ... 32766 in the order of the file, and read it turned to the right, front and top."""
    path = shared_data / "formats" / "ecat" / "synthetic_ecat_integer_16x16x16x4.v.gz"
    image, volumes = read(path)
    stored = np.concatenate([volume[::-1, ::-1, ::-1].ravel(order="F") for volume in volumes])
    np.testing.assert_array_equal(stored, np.arange(0, 32768, 2))
    found = told(path)
    assert found.fields["FrameTimesStart"] == [0, 10, 20, 30]
    assert found.fields["FrameDuration"] == [10] * 4
    assert found.fields["ManufacturersModelName"] == "HRRT"
    assert found.fields["TracerRadionuclide"] == "C11"
    assert (found.fields["ScanStart"], found.fields["InjectionStart"]) == (0, 0)
    factors = [1.00283420085907, 1.008529305458069, 1.014256715774536, 1.02001678943634]
    np.testing.assert_allclose(found.fields["DecayCorrectionFactor"], factors, rtol=1e-7)
    assert image.grid.zooms == pytest.approx((1.21875, 1.21875, 1.21875), abs=1e-6)


def test_the_small_file_of_nibabel(shared_data):
    """Nibabel's own tests give these extremes and the mean of its voxels."""
    path = shared_data / "formats" / "ecat" / "tinypet.v"
    found = told(path)
    _, (volume,) = read(path, factor=found.factor)
    assert volume.shape == (10, 10, 3)
    assert volume.max() == pytest.approx(248750736458.0, rel=1e-6)
    assert volume.min() == pytest.approx(1125342630.0, rel=1e-6)
    assert volume.mean(dtype=float) == pytest.approx(117907565661.46666, rel=1e-6)
    assert (found.fields["TracerName"], found.fields["TracerRadionuclide"]) == ("FDG", "F18")
    assert found.fields["FrameTimesStart"] == [1500.016]
    assert found.fields["FrameDuration"] == [300.0]
    assert "515687" in found.hints["InjectionStart"]
