"""The files are what the generator makes, and what the generator makes is true."""

import math
from decimal import Decimal

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from raphe.conformance import SUITE
from raphe.conformance.approximations import expected
from raphe.conformance.cases import FAMILIES, cases, seconds
from raphe.conformance.closed import Closed, exact
from raphe.conformance.generate import SYMBOLS, family_curves, generate
from raphe.conformance.precision import relative_se
from raphe.conformance.run import fit_group
from raphe.conformance.solver import displaced
from raphe.conformance.tissue import seen, target
from raphe.kinetics.models.one_tcm import OneTCM

CLOSED, SOLVED = ("1tissue", "irreversible-reference"), ("release-fading",)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suite")
    generate(folder, families=(*CLOSED, *SOLVED))
    return folder


def curve_files(folder, families):
    return sorted(path.name for path in (folder / "curves").iterdir() if path.name.split("_")[0] in families)


def test_curves_in_closed_form_are_made_byte_for_byte(made):
    names = curve_files(made, CLOSED)
    assert len(names) == 4 * len(CLOSED)
    for name in names:
        assert (made / "curves" / name).read_bytes() == (SUITE / "curves" / name).read_bytes(), name


def test_curves_of_the_solver_are_made_to_the_last_digits(made):
    """Floating point differs from machine to machine; the digits that are written are twelve."""
    names = curve_files(made, SOLVED)
    assert names
    for name in names:
        again, shipped = (
            np.genfromtxt(folder / "curves" / name, names=True, delimiter="\t") for folder in (made, SUITE)
        )
        assert again.dtype.names == shipped.dtype.names
        for column in again.dtype.names:
            np.testing.assert_allclose(again[column], shipped[column], rtol=3e-11, atol=1e-10)


def test_every_family_has_its_files_and_its_cases_in_the_table_of_truth(suite):
    assert {row["family"] for row in suite.truth.values()} == {family.name for family in FAMILIES}
    assert curve_files(SUITE, {family.name for family in FAMILIES}) == sorted(
        path.name for path in (SUITE / "curves").iterdir()
    )
    for case in cases():
        table = suite.curves(case.family, "36", "average")
        assert case.name in table.activity
        assert case.reference == "n/a" or case.reference in table.activity
        for symbol in SYMBOLS:
            shipped, true = suite.true(case.name, symbol, "36"), float(case.truth.get(symbol, "nan"))
            assert shipped == pytest.approx(true, rel=1e-11, nan_ok=True)


@pytest.mark.parametrize("family", [family for family in FAMILIES if not family.name.startswith("release")])
def test_closed_forms_agree_with_a_solver(family, suite):
    _, apart = family_curves(family, "38")
    assert apart <= suite.fact("closed_form_and_solver_differ_by_less_than_kBq_per_mL") <= 1e-9


def test_the_input_is_the_formula_and_straight_lines_are_near_it(suite):
    told = suite.facts["input"]

    def formula(minutes, numbers):
        u = minutes - told["delay_min"]
        (a, b, c), (p, q, r) = numbers["A"], numbers["lambda"]
        return ((a * u - b - c) * np.exp(-p * u) + b * np.exp(-q * u) + c * np.exp(-r * u)) * (u > 0)

    dense = np.concatenate([np.linspace(0, 5, 200_001), np.linspace(5, 93, 50_001)])
    for curve, numbers in ((suite.plasma.parent, told["AIF"]), (suite.plasma.whole_blood, told["whole_blood"])):
        true = formula(dense, numbers)
        assert np.abs(curve(dense) - true).max() <= told["straight_lines_within"] * true.max()


def test_integrals_and_convolutions_of_the_closed_form_are_those_of_quadrature():
    with exact():
        curve = Closed({(Decimal("0.3"), 1): Decimal(2), (Decimal("0.05"), 0): Decimal(3), (Decimal(0), 0): Decimal(1)})
        area = curve.integral().at(Decimal(7))
        answer = curve.convolved(Decimal("0.3")).at(Decimal(7))  # the rate of one of its own terms

    def value(u):
        return 2 * u * math.exp(-0.3 * u) + 3 * math.exp(-0.05 * u) + 1

    assert float(area) == pytest.approx(quad(value, 0, 7, epsabs=1e-12)[0], rel=1e-12)
    folded = quad(lambda s: value(s) * math.exp(-0.3 * (7 - s)), 0, 7, epsabs=1e-12)[0]
    assert float(answer) == pytest.approx(folded, rel=1e-12)


def test_a_release_of_nothing_leaves_the_tissue_without_release():
    case = cases("release-gamma")[0]
    truth = {name: float(value) for name, value in case.truth.items()}
    found = displaced({**truth, "gamma": 0.0}, "36")
    still = seen(target(case), "36")
    for reading, values in found.items():
        np.testing.assert_allclose(values[0], np.array(still[reading], dtype=float), rtol=1e-10, atol=1e-10)


def test_a_release_agrees_with_an_implicit_solver_of_the_equation_as_it_is_written(suite):
    """C' = R1 C_R' + k2 C_R - (k2a + gamma h) C, begun from the shipped input's formula, by Radau's method."""
    case = "RG-04"
    k = {name: suite.true(case, name, "38") for name in SYMBOLS}
    told = suite.facts["input"]
    (a, b, c), (p, q, r), delay = told["AIF"]["A"], told["AIF"]["lambda"], told["delay_min"]

    def slope(t, y):
        u = t - delay
        plasma = (a * u - b - c) * math.exp(-p * u) + b * math.exp(-q * u) + c * math.exp(-r * u)
        x = (t - k["t_D"]) / (k["t_P"] - k["t_D"])
        h = x ** k["alpha"] * math.exp(k["alpha"] * (1 - x)) if x > 0 else 0.0
        by_time = suite.facts["K1_prime"] * plasma - k["k2_prime"] * y[0]
        return [by_time, k["R1"] * by_time + k["k2"] * y[0] - (k["k2a"] + k["gamma"] * h) * y[1]]

    table = suite.curves("release-gamma", "38", "midframe")
    late = table.frames.mid > 20
    solved = solve_ivp(
        slope, (delay, 92), [0.0, 0.0], "Radau", table.frames.mid[late], rtol=1e-9, atol=1e-9, max_step=1.0
    )
    np.testing.assert_allclose(solved.y[1], table.activity[case][late], rtol=1e-6)


@pytest.mark.parametrize(("model", "number"), [("SRTM", 6), ("MRTM1", 0), ("LoganRef", 20), ("Patlak", 3)])
def test_expected_values_of_approximations_are_made_again(model, number, suite):
    family = next(row.family for row in suite.requirements if row.model == model and row.kind == "approximation")
    case = cases(family)[number]
    again = expected(model, case, "36", "average")["decay"]
    assert again == pytest.approx(suite.expected[model, case.name, "36", "average"], rel=1e-5)


def test_the_least_standard_error_is_made_again_and_is_met_at_little_noise(suite):
    """At 0.1 % noise a weighted least-squares fit is efficient; a standard deviation of 400 is known to 3.5 %."""
    case = next(case for case in cases("1tissue") if case.noisy)
    bound = relative_se(case, "38", "n/a")
    for symbol, se in bound.items():
        assert se == pytest.approx(suite.precision[case.name, "n/a", symbol], rel=5e-3)
    table = suite.curves("1tissue", "38", "average")
    noise = suite.noise_sd[case.name] / 30 * np.random.default_rng(1).normal(size=(400, len(table.frames)))
    row = next(row for row in suite.requirements if row.model == OneTCM.name and row.family == "1tissue")
    result = fit_group(suite, row, "38", table, [case.name], table.activity[case.name] + noise, "average")
    for symbol in ("K1", "V_T", "V_B"):
        value = result.of(symbol)[0]
        assert np.std(value) / np.mean(value) == pytest.approx(bound[symbol] / 30, rel=0.12), symbol


def test_schedules_are_those_of_the_curves(suite):
    for schedule in ("38", "36"):
        edges = np.array(seconds(schedule)) / 60
        frames = suite.curves("1tissue", schedule, "average").frames
        np.testing.assert_allclose(np.append(frames.start, frames.end[-1]), edges)
        assert len(frames) == int(schedule)
