import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raphe.catalog import Quantity
from raphe.simulate.constants import SymptomConstants, mechanism_file, with_changes
from raphe.simulate.symptoms import HIGHEST, Patient, Visit, believes, draw_patient, ratings, responds, state

USUAL = mechanism_file().symptoms
N = 4000


def changed(**values: float) -> SymptomConstants:
    changes = {
        name: Quantity.model_validate({"value": value, "source": "assumption"}) for name, value in values.items()
    }
    return with_changes(USUAL, changes, "test")


def people(constants: SymptomConstants, binding: np.ndarray, seed: int = 1) -> list[Patient]:
    random = np.random.default_rng(seed)
    return [draw_patient(constants, float(z), random) for z in binding]


def deviates(n: int = N) -> np.ndarray:
    return np.random.default_rng(5).standard_normal(n)


def test_severity_has_its_mean_spread_and_correlation_with_binding() -> None:
    z = deviates()
    severity = np.array([one.severity for one in people(USUAL, z)])
    sd = USUAL.severity_sd.value
    assert severity.mean() == pytest.approx(USUAL.severity_mean.value, abs=4.5 * sd / np.sqrt(N))
    assert severity.std() == pytest.approx(sd, rel=4.5 / np.sqrt(2 * N))
    rho = USUAL.severity_binding.value
    assert np.corrcoef(z, severity)[0, 1] == pytest.approx(rho, abs=4.5 * (1 - rho**2) / np.sqrt(N))


@settings(max_examples=20, deadline=None)
@given(loss=st.floats(-3, 3))
def test_the_mean_effect_of_the_drug_does_not_depend_on_its_coupling(loss: float) -> None:
    effect = np.array([one.drug for one in people(changed(drug_binding=loss), deviates())])
    assert (effect >= 0).all()
    assert effect.mean() == pytest.approx(USUAL.drug_effect.value, abs=4.5 * effect.std() / np.sqrt(N) + 1e-9)


@settings(deadline=None)
@given(
    severity=st.floats(10, 50),
    drug=st.floats(0.5, 20),
    doubt=st.floats(0.01, 0.99),
    since=st.floats(1, 1000),
    plasticity=st.floats(0.01, 2),
    block=st.floats(0, 0.9),
)
def test_plasticity_belief_and_time_lower_the_score(
    severity: float, drug: float, doubt: float, since: float, plasticity: float, block: float
) -> None:
    patient = Patient(severity, drug, 8.0, doubt)
    blind = state(USUAL, patient, Visit(since, plasticity, block))
    assert state(USUAL, patient, Visit(since, 2 * plasticity, block)) < blind
    assert state(USUAL, patient, Visit(2 * since, plasticity, block)) <= blind
    assert state(USUAL, patient, Visit(since, plasticity, block, known=True)) <= blind
    assert state(USUAL, patient, Visit(0.0, plasticity, block)) == severity


def test_more_of_those_who_felt_it_believe_to_have_had_the_drug() -> None:
    patients = people(USUAL, deviates())
    share = [np.mean([believes(USUAL, one, Visit(24.0, 0.0, block)) for one in patients]) for block in (0.0, 0.3, 0.7)]
    assert share[0] == pytest.approx(USUAL.guess_at_rest.value, abs=4.5 * 0.4 / np.sqrt(N))
    assert share[0] < share[1] < share[2]
    assert all(believes(USUAL, one, Visit(24.0, 0.0, 0.0, known=True)) for one in patients[:20])


def test_without_expectancy_belief_does_nothing() -> None:
    constants = changed(expectancy=0.0)
    patient = Patient(30.0, 6.0, 10.0, 0.5)
    assert len({state(constants, patient, Visit(24.0, 0.5, 0.0, known)) for known in (True, False)}) == 1


def test_scores_stay_on_the_scale() -> None:
    random = np.random.default_rng(1)
    for severity, visit in ((90.0, Visit(0.0, 0.0, 0.0)), (20.0, Visit(400.0, 50.0, 0.9))):
        (score,) = ratings(USUAL, Patient(severity, 10.0, 10.0, 0.1), [visit], random)
        assert score == (HIGHEST if severity > HIGHEST else 0)


def test_change_after_a_day_is_that_of_an_earlier_trial() -> None:
    """Murrough 2013: -16.5 after ketamine and -8.8 after midazolam, whose patients are taken to guess by chance."""
    patients = people(USUAL, deviates())
    chance = changed(guess_at_rest=0.5, guess_slope=0.0)
    ketamine = [one.severity - state(USUAL, one, Visit(24.0, 0.96, 0.68)) for one in patients]
    midazolam = [one.severity - state(chance, one, Visit(24.0, 0.0, 0.0)) for one in patients]
    assert np.mean(ketamine) == pytest.approx(16.5, abs=1.0)
    assert np.mean(midazolam) == pytest.approx(8.8, abs=0.5)


def test_response_is_a_fall_by_half() -> None:
    assert responds(30, 15)
    assert not responds(30, 16)
