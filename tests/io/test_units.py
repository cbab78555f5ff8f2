import pytest

from raphe.errors import InputError, UnitError
from raphe.io import units
from raphe.io.radionuclides import canonical


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("Bq/mL", 1e-3),
        ("Bq/ml", 1e-3),
        ("BQML", 1e-3),
        ("bq/cc", 1e-3),
        ("kBq/mL", 1.0),
        ("kBq/cc", 1.0),
        ("KBq/ml", 1.0),
        (" kBq / cm3 ", 1.0),
        ("kBq/cm³", 1.0),
        ("MBq/mL", 1e3),
        ("nCi/mL", 0.037),  # 1 Ci = 3.7e10 Bq
        ("nCi/cc", 0.037),
        ("uCi/mL", 37.0),
        ("µCi/mL", 37.0),
        ("μCi/cc", 37.0),
        ("mCi/mL", 37e3),
    ],
)
def test_concentrations(unit, factor):
    assert units.concentration(unit) == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize(
    "unit",
    ["", "Bq", "kBq", "mBq/mL", "SUV", "g/mL", "1/1", "counts", "kBq/kg", "kBq/mL/min", "Bq mL", "pCi/mL", "kBq/"],
)
def test_an_unknown_concentration_is_quoted_and_the_known_are_listed(unit):
    with pytest.raises(UnitError) as caught:
        units.concentration(unit)
    assert repr(unit) in str(caught.value)
    assert "kBq/mL" in str(caught.value)


@pytest.mark.parametrize(("unit", "factor"), [("Bq", 1e-6), ("kBq", 1e-3), ("MBq", 1.0), ("GBq", 1e3), ("mCi", 37.0)])
def test_radioactivities(unit, factor):
    assert units.radioactivity(unit) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("GBq/umol", 1.0), ("MBq/nmol", 1.0), ("kBq/nmol", 1e-3), ("Ci/mmol", 0.037), ("TBq/mmol", 1.0)],
)
def test_molar_activities(unit, factor):
    assert units.molar_activity(unit) == pytest.approx(factor)


def test_masses():
    assert units.mass("mg") == pytest.approx(1e3)
    assert units.mass("µg") == pytest.approx(1.0)
    assert units.mass("nmol", 282.39) == pytest.approx(0.28239)
    assert units.mass("nmol") is None
    with pytest.raises(UnitError, match="'MBq'"):
        units.mass("MBq")


@pytest.mark.parametrize(
    ("unit", "factor"), [("s", 1 / 60), ("Seconds", 1 / 60), ("min", 1.0), ("h", 60.0), ("ms", 1 / 6e4)]
)
def test_times(unit, factor):
    assert units.minutes(unit) == pytest.approx(factor)


@pytest.mark.parametrize(
    "name", ["C11", "11C", "C-11", "11-C", "[11C]", "^11^C", "c11", "Carbon-11", "carbon 11", "[C-11]", "C_11", "{11}C"]
)
def test_spellings_of_carbon_11(name):
    assert canonical(name) == "C11"


@pytest.mark.parametrize(
    ("name", "is_called"), [("18F", "F18"), ("68Ga", "Ga68"), ("Fluorine18", "F18"), ("99mTc", "Tc99m")]
)
def test_spellings_of_others(name, is_called):
    assert canonical(name) == is_called


@pytest.mark.parametrize("name", ["", "C", "11", "DASB", "C11C", "unknown", "C-", "carbonate-11"])
def test_what_names_no_radionuclide(name):
    with pytest.raises(InputError, match="C11 or F18") as caught:
        canonical(name)
    assert repr(name) in str(caught.value)
