import numpy as np
import pytest

from raphe.errors import InputError, TimingError, UnitError
from raphe.io.radionuclides import doubt_of_half_life
from raphe.io.sidecar import inspect_sidecar, read_sidecar

N_FRAME = 8


@pytest.fixture
def sidecar(tmp_path, fields, save_json):
    """Read one sidecar with some fields changed."""

    def read(**changes):
        return read_sidecar([save_json(tmp_path / "sub-01_pet.json", fields(**changes))])

    return read


def test_a_sound_sidecar_in_the_units_of_raphe(sidecar):
    found = sidecar()
    assert found.unit == "Bq/mL"
    assert (found.tracer, found.radionuclide, found.scanner) == ("DASB", "C11", "Siemens HRRT")
    assert found.half_life == pytest.approx(20.36, abs=0.03)
    np.testing.assert_allclose(found.frames.start, [0, 0.5, 1, 2, 5, 10, 30, 60])
    np.testing.assert_allclose(found.frames.duration, [0.5, 0.5, 1, 3, 5, 20, 30, 30])
    assert (found.injected_radioactivity, found.injected_mass, found.molar_activity) == (400.0, 2.0, 50.0)
    assert found.findings == ()


def test_the_scan_that_it_describes(sidecar):
    scan = sidecar().scan("01", "baseline", [("trc", "DASB")])
    assert scan.label == "sub-01_ses-baseline_trc-DASB"
    assert (scan.tracer, scan.half_life, scan.injected_radioactivity) == ("DASB", sidecar().half_life, 400.0)


def test_a_tracer_that_the_catalog_knows_has_its_name_there(sidecar):
    assert sidecar(TracerName="AZ-10419369").tracer == "AZ10419369"
    assert sidecar(TracerName="PS_13").tracer == "PS_13"


def test_times_count_from_injection(sidecar):
    found = sidecar(
        InjectionStart=30, FrameTimesStart=[30, 60, 90, 150, 330, 630, 1830, 3630], ImageDecayCorrectionTime=30
    )
    np.testing.assert_allclose(found.frames.start, [0, 0.5, 1, 2, 5, 10, 30, 60])
    assert found.correction_time == 0.0


def test_amounts_are_converted(sidecar):
    found = sidecar(
        InjectedRadioactivity=719650,
        InjectedRadioactivityUnits="kBq",
        InjectedMass=7.58,
        InjectedMassUnits="nmol",
        MolarActivity=94933.5,
        MolarActivityUnits="kBq/nmol",
        BodyWeight=70,
    )
    assert found.injected_radioactivity == pytest.approx(719.65)
    assert found.injected_mass == pytest.approx(7.58e-9 * 282.39 * 1e6)
    assert found.molar_activity == pytest.approx(94.9335)
    assert found.body_weight == pytest.approx(70)


@pytest.mark.parametrize(
    ("field", "value", "kind", "words"),
    [
        ("Units", "ABSENT", InputError, ["Units", "missing", "Bq/mL"]),
        ("Units", None, InputError, ["Units", "None"]),
        ("Units", "n/a", InputError, ["Units", "n/a"]),
        ("Units", ["Bq/mL"], InputError, ["Units", "text"]),
        ("Units", "SUV", UnitError, ["Units", "'SUV'", "kBq/mL"]),
        ("Units", "mBq/mL", UnitError, ["'mBq/mL'"]),
        ("TracerRadionuclide", "ABSENT", InputError, ["TracerRadionuclide", "missing", "C11"]),
        ("TracerRadionuclide", "", InputError, ["TracerRadionuclide", "C11"]),
        ("TracerRadionuclide", 11, InputError, ["TracerRadionuclide", "11"]),
        ("TracerRadionuclide", "carbon", InputError, ["TracerRadionuclide", "'carbon'"]),
        ("TracerRadionuclide", "C12", InputError, ["TracerRadionuclide", "'C12'", "half-life"]),
        ("FrameTimesStart", "ABSENT", InputError, ["FrameTimesStart", "missing", "seconds"]),
        ("FrameTimesStart", [], InputError, ["FrameTimesStart", "list of numbers"]),
        ("FrameTimesStart", 0, InputError, ["FrameTimesStart", "list of numbers"]),
        ("FrameTimesStart", "0, 30", InputError, ["FrameTimesStart", "list of numbers"]),
        ("FrameTimesStart", [0, "30", 60], InputError, ["FrameTimesStart", "'30'", "item 2"]),
        ("FrameTimesStart", [0, None, 60], InputError, ["FrameTimesStart", "None", "item 2"]),
        ("FrameTimesStart", [0, True, 60], InputError, ["FrameTimesStart", "True", "item 2"]),
        ("FrameTimesStart", [[0, 30]], InputError, ["FrameTimesStart", "item 1"]),
        ("FrameTimesStart", [0, 10**400], InputError, ["FrameTimesStart", "item 2"]),
        ("FrameTimesStart", [0, 30, 20, 120, 300, 600, 1800, 3600], TimingError, ["backwards", "frame 3", "20 s"]),
        ("FrameTimesStart", [0, 30, 30, 120, 300, 600, 1800, 3600], TimingError, ["backwards", "frame 3"]),
        ("FrameDuration", [30] * 7, TimingError, ["FrameDuration", "7 frames", "8"]),
        ("FrameDuration", [30, 0, 60, 180, 300, 1200, 1800, 1800], TimingError, ["frame 2", "zero length"]),
        ("FrameDuration", [30, -30, 60, 180, 300, 1200, 1800, 1800], TimingError, ["frame 2", "negative"]),
        ("FrameDuration", [30, 40, 60, 180, 300, 1200, 1800, 1800], TimingError, ["overlap", "frame 2", "70 s"]),
        ("FrameDuration", [30, 60, 120, 300, 600, 1800, 3600, 5400], TimingError, ["overlap", "end times"]),
        ("FrameDuration", "30", InputError, ["FrameDuration", "list of numbers"]),
        ("InjectionStart", "now", InputError, ["InjectionStart", "'now'"]),
        ("InjectionStart", [0], InputError, ["InjectionStart", "[0]"]),
        ("InjectionStart", 7200, TimingError, ["before injection", "InjectionStart"]),
        ("ImageDecayCorrected", "yes", InputError, ["ImageDecayCorrected", "'yes'", "true or false"]),
        ("ImageDecayCorrectionTime", "start", InputError, ["ImageDecayCorrectionTime", "'start'"]),
        ("ImageDecayCorrectionTime", 1.6e9, TimingError, ["ImageDecayCorrectionTime", "half-lives"]),
        ("TracerName", 5, InputError, ["TracerName", "5"]),
    ],
)
def test_a_fault_that_matters_is_an_error_that_names_file_field_and_value(
    tmp_path, fields, absent, save_json, field, value, kind, words
):
    path = save_json(tmp_path / "sub-01_pet.json", fields(**{field: absent if value == "ABSENT" else value}))
    with pytest.raises(InputError) as caught:
        read_sidecar([path])
    assert type(caught.value) is kind
    for word in (str(path), *words):
        assert word in str(caught.value)


@pytest.mark.parametrize("nuclide", ["C11", "F18"])
def test_minutes_where_seconds_belong_are_asked_about(sidecar, nuclide):
    start, duration = [0, 0.5, 1, 2, 5, 10, 30, 60], [0.5, 0.5, 1, 3, 5, 20, 30, 30]
    with pytest.raises(TimingError, match=r"90 s after injection.*minutes\? BIDS wants seconds"):
        sidecar(FrameTimesStart=start, FrameDuration=duration, TracerRadionuclide=nuclide, TracerName="X")


def test_durations_in_minutes_beside_starts_in_seconds_are_asked_about(sidecar):
    whole = sidecar()
    start, minutes = (60 * whole.start).tolist(), whole.duration.tolist()
    with pytest.raises(TimingError, match=r"FrameDuration: frames last a sixtieth .* Are their durations minutes\?"):
        sidecar(FrameTimesStart=start, FrameDuration=minutes)
    pauses = [0.5 * 60 * one for one in minutes]
    assert sidecar(FrameTimesStart=start, FrameDuration=pauses).frames is not None


def test_milliseconds_where_seconds_belong_are_asked_about(sidecar):
    start, duration = [0, 30000, 60000], [30000, 30000, 3600000]
    with pytest.raises(TimingError, match="milliseconds"):
        sidecar(FrameTimesStart=start, FrameDuration=duration)


def test_a_short_scan_of_a_long_lived_nuclide_is_believed(sidecar):
    assert sidecar(TracerRadionuclide="Zr89", TracerName="X").half_life > 4000


def test_a_half_life_that_contradicts_the_nuclide_is_refused(tmp_path, fields, absent, save_json):
    path = save_json(tmp_path / "x.json", fields())
    assert read_sidecar([path], half_life=20.4).half_life == read_sidecar([path]).half_life
    with pytest.raises(InputError, match=r"TracerRadionuclide.*109\.8 min was given"):
        read_sidecar([path], half_life=109.8)
    save_json(path, fields(TracerRadionuclide=absent, Units=absent))
    assert read_sidecar([path], half_life=20.4, unit="kBq/mL").half_life == 20.4


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("InjectedRadioactivity", 0.81, ["0.81 MBq", "impossible", "does not use it for binding"]),
        ("InjectedRadioactivity", 40000.0, ["40000 MBq", "impossible"]),
        ("InjectedRadioactivity", "400", ["'400'", "number"]),
        ("InjectedRadioactivityUnits", "grams", ["InjectedRadioactivityUnits", "'grams'"]),
        ("InjectedRadioactivityUnits", "ABSENT", ["InjectedRadioactivityUnits", "missing"]),
        ("MolarActivityUnits", "nmol", ["MolarActivityUnits", "'nmol'"]),
        ("InjectedMass", [1, 2], ["InjectedMass", "[1, 2]"]),
        ("InjectionStart", "ABSENT", ["InjectionStart", "missing", "TimeZero"]),
        ("ImageDecayCorrected", "ABSENT", ["ImageDecayCorrected", "missing"]),
        ("ImageDecayCorrectionTime", "ABSENT", ["ImageDecayCorrectionTime", "missing"]),
        ("TracerName", "ABSENT", ["TracerName", "missing"]),
        ("TracerRadionuclide", "F18", ["TracerRadionuclide", "DASB with C11"]),
        ("InjectionStart", 15, ["15 s before InjectionStart"]),
        ("ScanStart", 300, ["ScanStart is 300 s", "starts at 0 s"]),
        ("TimeZero", 36000, ["TimeZero is 36000: a time of the day (hh:mm:ss) was expected; raphe goes on without it"]),
        ("TimeZero", "25:10:00", ["TimeZero is '25:10:00'"]),
        ("TimeZero", "103045.00", ["TimeZero is '103045.00'"]),
        ("TimeZero", "noon", ["TimeZero is 'noon'"]),
        ("InjectedMass", -2.0, ["InjectedMass", "-2.0", "negative"]),
        ("InjectedMassUnits", "ng", ["MolarActivity comes to 177 MBq/ug", "2e+05 MBq/ug", "mend"]),
        ("MolarActivity", 0.05, ["MolarActivity comes to", "1.13e+03 times as much"]),
        ("InjectedRadioactivity", 4.0, ["MolarActivity comes to", "0.0113 times as much"]),
        ("DecayCorrectionFactor", [1.17], ["DecayCorrectionFactor", "length 1", "8 frames"]),
        ("DecayCorrectionFactor", "1.17", ["DecayCorrectionFactor", "'1.17'", "was expected; raphe goes on"]),
        ("DecayCorrectionFactor", [1.0] * 8, ["DecayCorrectionFactor", "half-life"]),
    ],
)
def test_a_doubt_that_does_not_touch_binding_is_a_warning(tmp_path, fields, absent, save_json, field, value, words):
    path = save_json(tmp_path / "sub-01_pet.json", fields(**{field: absent if value == "ABSENT" else value}))
    findings = read_sidecar([path]).findings
    messages = " ".join(one.message for one in findings)
    assert {one.severity for one in findings} == {"warning"}
    for word in (str(path), *words):
        assert word in messages


@pytest.mark.parametrize("value", ["10:00:00", "9:05", "23:59:59.75", "2020-01-05T10:00:00Z", "ScanStart", None, "n/a"])
def test_a_zero_of_time_that_is_a_time_of_the_day_is_no_doubt(sidecar, value):
    assert sidecar(TimeZero=value).findings == ()


@pytest.mark.parametrize("value", ["n/a", None, ""])
@pytest.mark.parametrize(
    "field", ["InjectedMass", "MolarActivity", "InjectedRadioactivity", "BodyWeight", "Manufacturer"]
)
def test_optional_fields_may_say_that_they_are_not_known(sidecar, field, value):
    found = sidecar(**{field: value})
    assert found.findings == ()


def test_decay_correction_factors_of_the_nuclide_raise_no_doubt_even_with_another_zero(sidecar):
    rate = np.log(2) / sidecar().half_life
    times = [
        np.linspace(s, s + d, 2001) / 60 for s, d in zip(sidecar().start * 60, sidecar().duration * 60, strict=True)
    ]
    factors = [1 / float(np.mean(np.exp(-rate * t))) for t in times]
    assert sidecar(DecayCorrectionFactor=factors).findings == ()
    assert sidecar(DecayCorrectionFactor=[1.02 * f for f in factors]).findings == ()
    assert len(sidecar(DecayCorrectionFactor=[f**0.2 for f in factors]).findings) == 1


def test_factors_of_a_correction_to_another_time_are_doubted(sidecar):
    """The activity would be 2^(30 min / half-life) too high, without a sign of it in any one field."""
    whole = sidecar()
    rate = np.log(2) / whole.half_life
    frames = zip(whole.start, whole.start + whole.duration, strict=True)
    factors = [1 / float(np.mean(np.exp(-rate * np.linspace(a, b, 2001)))) for a, b in frames]
    (finding,) = sidecar(DecayCorrectionFactor=factors, ImageDecayCorrectionTime=1800).findings
    assert "correction to 0 s after injection, but ImageDecayCorrectionTime" in finding.message
    assert "says 1800 s" in finding.message
    assert f"{np.exp(rate * 30):.3g} times" in finding.message
    moved = [factor * np.exp(-rate * 30) for factor in factors]
    assert sidecar(DecayCorrectionFactor=moved, ImageDecayCorrectionTime=1800).findings == ()
    (finding,) = sidecar(DecayCorrectionFactor=factors, ImageDecayCorrected=False).findings
    assert "ImageDecayCorrected is false" in finding.message
    assert sidecar(DecayCorrectionFactor=[1.0] * 8, ImageDecayCorrected=False).findings == ()


def test_a_field_holds_from_the_nearest_file_that_tells_it(tmp_path, fields, absent, save_json):
    own = save_json(tmp_path / "a_tacs.json", {"Units": "kBq/mL", "TracerName": None, "InjectedMass": "n/a"})
    raw = save_json(tmp_path / "a_pet.json", fields())
    found = read_sidecar([own, raw])
    assert (found.unit, found.unit_source) == ("kBq/mL", own)
    assert (found.tracer, found.injected_mass) == ("DASB", 2.0)
    with pytest.raises(InputError, match=r"a_tacs\.json: TracerRadionuclide is missing"):
        read_sidecar([own])


def test_a_schedule_of_two_files_that_do_not_fit_names_both(tmp_path, fields, save_json):
    own = save_json(tmp_path / "a_tacs.json", {"FrameTimesStart": [0, 30]})
    raw = save_json(tmp_path / "a_pet.json", fields())
    with pytest.raises(TimingError, match=r"a_pet\.json: FrameDuration lists 8 .*a_tacs\.json lists 2"):
        read_sidecar([own, raw])


def test_every_fault_is_told(tmp_path, fields, absent, save_json):
    path = save_json(tmp_path / "x.json", fields(Units=absent, TracerRadionuclide="C", FrameDuration=[1]))
    _, faults = inspect_sidecar([path])
    assert [fault.field for fault in faults] == ["Units", "TracerRadionuclide", "FrameDuration"]


def test_a_broken_file_is_one_fault(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("{")
    _, faults = inspect_sidecar([path])
    assert [(fault.field, fault.path) for fault in faults] == [("", path)]


def test_the_same_activity_per_mass_in_three_fields_is_no_doubt(sidecar):
    assert sidecar(SpecificRadioactivity=200.0, SpecificRadioactivityUnits="MBq/ug").findings == ()
    assert sidecar(SpecificRadioactivity=0.2, SpecificRadioactivityUnits="TBq/mg").findings == ()
    assert sidecar(MolarActivity=400.0).findings == ()  # at the end of the synthesis, an hour earlier


@pytest.mark.parametrize(
    ("value", "unit"), [(-1, "n/a"), (-1, "MBq/ug"), ("n/a", "n/a"), (5.0, "arbitrary"), (0, "Bq/g")]
)
def test_an_activity_per_mass_that_is_not_told_is_no_doubt(sidecar, value, unit):
    """BIDS asks for -1 where it is not known."""
    assert sidecar(SpecificRadioactivity=value, SpecificRadioactivityUnits=unit).findings == ()


def test_an_activity_per_mass_that_dose_and_mass_contradict_is_a_doubt(sidecar):
    (finding,) = sidecar(SpecificRadioactivity=200.0, SpecificRadioactivityUnits="GBq/ug").findings
    assert finding.field == "SpecificRadioactivity"
    assert "comes to 2e+05 MBq/ug, but InjectedRadioactivity over InjectedMass to 200 MBq/ug" in finding.message


def test_a_dose_in_mbq_is_told_once(sidecar):
    (finding,) = sidecar(InjectedRadioactivity=4e8).findings
    assert "InjectedRadioactivity is 4e+08 MBq, which is impossible" in finding.message


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (20.4, ""),
        (109.8, ""),
        (1.27, ""),  # Rb82, which the catalog does not have
        (1223.0, "1223 min is C11's half-life in seconds; is it 20.364 min that is meant?"),
        (1.83, "1.83 min is F18's half-life in hours"),
    ],
)
def test_a_half_life_in_another_unit_is_doubted(minutes, words):
    told = doubt_of_half_life(minutes)
    assert words in told
    assert bool(told) == bool(words)
