"""Against closed forms: a linear compartment model under a constant infusion is a matrix exponential."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from raphe.simulate.constants import mechanism_file
from raphe.simulate.mechanism import course, mechanism
from raphe.simulate.pharmacokinetics import Body, Compartments, Infusion, ketamine

Array = npt.NDArray[np.float64]

MODELS = sorted(mechanism_file().ketamine)
USUAL = Infusion("ketamine", 0.0, 40 / 60, 35.0)


def compartments(name: str, body: Body) -> Compartments:
    return ketamine(mechanism_file().ketamine[name], body)


def exact(system: Compartments, infusion: Infusion, time: float) -> Array:
    """Amounts at one time, mg: the integral of expm(K (t - s)) b over the infusion."""
    lasted = min(max(time - infusion.start, 0.0), infusion.duration)
    entry = np.zeros(len(system.rates))
    entry[0] = infusion.amount / infusion.duration
    filled = np.linalg.solve(system.rates, (expm(system.rates * lasted) - np.eye(len(entry))) @ entry)
    return np.asarray(expm(system.rates * max(time - infusion.end, 0.0)) @ filled)


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=4, deadline=None)
@given(
    weight=st.floats(4, 120),
    volume=st.floats(0.5, 2),
    clearance=st.floats(0.5, 2),
    start=st.floats(-3, 200),
    minutes=st.floats(0.5, 600),
)
def test_the_solver_gives_what_the_matrix_exponential_gives(
    name: str, weight: float, volume: float, clearance: float, start: float, minutes: float
) -> None:
    """Also where a short infusion begins after a long rest, which a solver might step over."""
    body = Body(weight, volume, clearance)
    infusion = Infusion("ketamine", start, minutes / 60, 0.5 * weight)
    time = start + np.array([-1.0, 0.0, 0.3, 0.6, 1.0, 2.0, 6.0, 24.0, 72.0]) * max(1.0, minutes / 60)
    found = course(mechanism("human", name), body, [infusion], time)
    system = compartments(name, body)
    expected = system.concentration(np.array([exact(system, infusion, t) for t in time]).T)
    for substance, value in (("ketamine", found.ketamine), ("norketamine", found.norketamine)):
        np.testing.assert_allclose(value, expected[substance], atol=1e-7 * expected[substance].max())


@pytest.mark.parametrize("name", MODELS)
def test_infusions_add_up(name: str) -> None:
    time = np.linspace(0.1, 12, 40)
    both = [USUAL, Infusion("ketamine", 0.5, 0.25, 20.0)]
    of_both, *each = (course(mechanism("human", name), Body(70), given, time) for given in (both, both[:1], both[1:]))
    np.testing.assert_allclose(of_both.ketamine, sum(one.ketamine for one in each), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "peak", "after_two_hours"),
    [("domino1984", 240, 36), ("fanta2015", 158, 55)],
)
def test_the_usual_infusion_reaches_the_known_concentrations(name: str, peak: float, after_two_hours: float) -> None:
    found = course(mechanism("human", name), Body(70), [USUAL], np.array([40 / 60, 2.0, 24.0]))
    assert found.ketamine[0] == pytest.approx(peak, abs=1)
    assert found.ketamine[1] == pytest.approx(after_two_hours, abs=1)


@pytest.mark.parametrize("name", MODELS)
def test_nothing_to_speak_of_is_left_after_a_day(name: str) -> None:
    found = course(mechanism("human", name), Body(70), [USUAL], np.array([40 / 60, 24.0, 72.0]))
    assert found.ketamine[1] < 0.015 * found.ketamine[0]
    assert found.ketamine[2] < 0.005 * found.ketamine[0]


def area(system: Compartments, substance: str) -> float:
    """Area under the concentration of 1 mg, ng h/mL: -K^-1 b."""
    entry = np.zeros((len(system.rates), 1))
    entry[0] = 1.0
    return float(system.concentration(-np.linalg.solve(system.rates, entry))[substance][0])


@pytest.mark.parametrize(
    ("name", "clearance"),
    [("domino1984", 0.438 * 60 * 0.063 * 70), ("kamp2020", 79.0), ("fanta2015", 95.2)],
)
def test_area_is_dose_by_clearance(name: str, clearance: float) -> None:
    assert area(compartments(name, Body(70)), "ketamine") == pytest.approx(1000 / clearance)
    assert area(compartments(name, Body(70, clearance=2)), "ketamine") == pytest.approx(500 / clearance)
    assert area(compartments(name, Body(70, volume=2)), "ketamine") == pytest.approx(1000 / clearance)


def test_esketamine_behind_the_liver_has_the_clearance_and_volume_of_its_paper() -> None:
    """114 L/h and 752 L (abstract of Perez-Ruixo 2021); rounded parameters give the clearance to 5 %."""
    model = mechanism_file().ketamine["perezruixo2021"]
    assert 1000 / area(compartments("perezruixo2021", Body(74)), "ketamine") == pytest.approx(114, rel=0.05)
    flows = model.drug.flows
    assert flows is not None
    assert flows.volume.value + sum(one.volume.value for one in flows.peripheral) == 752


def test_norketamine_is_what_is_cleared() -> None:
    for name, clearance, share in (("fanta2015", 57.7, 1.0), ("perezruixo2021", 38.0, 2.77 / (2.77 + 1.11))):
        weight = mechanism_file().metabolite["otto2021" if name == "fanta2015" else name].reference_weight.value
        found = area(compartments(name, Body(weight)), "norketamine")
        assert found == pytest.approx(1000 * share / clearance)


@pytest.mark.parametrize("name", ["kamp2020", "fanta2015", "perezruixo2021"])
@given(weight=st.floats(3, 150))
def test_volume_goes_with_weight_and_clearance_with_its_power(name: str, weight: float) -> None:
    small, usual = compartments(name, Body(weight)), compartments(name, Body(70))
    assert small.observed[0][2] / usual.observed[0][2] == pytest.approx(weight / 70)
    assert area(usual, "ketamine") / area(small, "ketamine") == pytest.approx((weight / 70) ** 0.75)


def test_macaques_have_the_scaled_values_of_people() -> None:
    """21.6 L and 12.5 L/h at 6 kg, an assumption."""
    system = ketamine(mechanism("macaque").ketamine, Body(6))
    assert system.observed[0][2] == pytest.approx(21.6)
    assert 1000 / area(system, "ketamine") == pytest.approx(12.5, abs=0.05)
