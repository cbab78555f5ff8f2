"""What is true of participants of the plans that take their truth from the mechanism."""

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

import raphe
from raphe.catalog import half_life
from raphe.simulate.constants import mechanism_file
from raphe.simulate.mechanism import course, mechanism
from raphe.simulate.pharmacokinetics import Infusion
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.plan_file import find_plan, parse_plan
from raphe.simulate.population import lasting_binding, leaves_before, participant, scan_truth, treatment_of
from raphe.simulate.record import record
from raphe.simulate.scan_tacs import scan_tacs
from raphe.simulate.symptoms import Visit, draw_patient, ratings, responds

Array = npt.NDArray[np.float64]

HIPPOCAMPUS, STRIATUM, NAC = "hippocampus", "ventral striatum", "nucleus accumbens"
FIT_NOISE = {HIPPOCAMPUS: 0.019, STRIATUM: 0.012}
"""SD of ln(measured / true BP_ND) by SRTM, of 3000 simulated scans; a test below holds it against curves."""


def plan(name: str) -> SimulationPlan:
    return parse_plan(find_plan(name))


@cache
def bodies(n: int = 40) -> tuple[Array, Array, Array]:
    """Plasticity, receptors' drive and block of some ketamine patients, at hours 24 to 72, four and a half hundred."""
    study, hours = plan("tiger2020"), np.arange(24.0, 72.5, 0.5)
    found = []
    for index in range(n):
        weight = participant(study, 3, index).body_weight
        treated = treatment_of(study, 3, participant(study, 3, index))
        assert treated is not None
        infusion = Infusion("ketamine", 0.0, 40 / 60, 0.5 * weight)
        seen = course(mechanism("human"), treated.body, [infusion], np.concatenate([[40 / 60], hours]))
        found.append((seen.plasticity[1:], seen.drive[1:], seen.block[0]))
    plasticity, drive, block = zip(*found, strict=True)
    return np.array(plasticity), np.array(drive), np.array(block)


def within_sd(study: SimulationPlan, region: str) -> float:
    """SD of the logarithm between scans of a person."""
    section = next((one for one in study.test_retest if region in one.regions), None)
    percent = (
        section.percent if section else raphe.catalog.tracer("AZ10419369").species["human"].binding(region).test_retest
    )
    return float(np.sqrt(np.pi) / 2 * percent.value / 100)


def test_the_measured_change_of_the_hippocampus_is_that_of_the_trial() -> None:
    """Mean 16.7 %, SD about 33 %, both with the variation between scans and the noise of the fit.

    The ratio of two lognormal values with log SD s each has the mean exp(s^2), so some of the mean is no change at all.
    """
    study = plan("tiger2020")
    gain = mechanism("human").species.gain_of(HIPPOCAMPUS)
    variance = within_sd(study, HIPPOCAMPUS) ** 2 + FIT_NOISE[HIPPOCAMPUS] ** 2
    drive = bodies()[1]
    own = 1 + mechanism_file().people.response_cv.value ** 2
    first = (1 + gain * drive.mean()) * np.exp(variance)
    second = (1 + 2 * gain * drive.mean() + gain**2 * own * (drive**2).mean()) * np.exp(4 * variance)
    assert 100 * (first - 1) == pytest.approx(16.7, abs=0.7)
    assert 100 * np.sqrt(second - first**2) == pytest.approx(33, abs=1.5)


def test_curves_of_patients_change_as_their_truth_does() -> None:
    """30 patients after ketamine: what SRTM finds differs from the truth by the noise of the fit alone."""
    study = plan("tiger2020")
    study = study.model_copy(update={"regions": study.regions.model_copy(update={"names": (HIPPOCAMPUS, STRIATUM)})})
    ratio, change = [], []
    for index in range(45):
        person = participant(study, 11, index)
        if person.arm != "ketamine":
            continue
        values = []
        for session in study.sessions:
            truth = scan_truth(study, 11, person, session, study.tracers[0])
            curves = scan_tacs(study, 11, truth)
            fit, _ = raphe.fit(raphe.SRTM(), curves, reference="cerebellar_grey", half_life=half_life("C11"))
            values.append(fit.of("BP_ND")[0])
            ratio.append(np.log(values[-1] / truth.BP_ND))
        change.append(100 * (values[1] / values[0] - 1)[0])
    for place, region in enumerate((HIPPOCAMPUS, STRIATUM)):
        assert np.std(ratio, axis=0)[place] == pytest.approx(FIT_NOISE[region], rel=0.35)
    assert np.mean(change) == pytest.approx(16.7, abs=4 * 33 / np.sqrt(30))
    assert 15 < np.std(change) < 60


def patients(n: int, seed: int) -> tuple[Array, Array, Array]:
    """Measured ventral-striatal binding, and MADRS before and 24 to 72 h after ketamine."""
    study, constants = plan("tiger2020"), mechanism_file().symptoms
    plasticity, _, block = bodies()
    random = np.random.default_rng(seed)
    z = random.standard_normal(n)
    entry = raphe.catalog.tracer("AZ10419369").species["human"].binding(STRIATUM)
    spread = np.sqrt(np.log1p((entry.BP_ND[0].sd / entry.BP_ND[0].value) ** 2))
    within = within_sd(study, STRIATUM)
    noise = np.hypot(within, FIT_NOISE[STRIATUM]) * random.standard_normal(n)
    binding = entry.BP_ND[0].value * np.exp(np.sqrt(spread**2 - within**2) * z + noise)
    scores = []
    for one in z:
        body, hour = random.integers(len(block)), random.integers(plasticity.shape[1])
        visits = [Visit(-48.0, 0.0, 0.0), Visit(24 + hour / 2, plasticity[body, hour], block[body])]
        scores.append(ratings(constants, draw_patient(constants, float(one), random), visits, random))
    return binding, *np.array(scores, dtype=float).T


def test_binding_before_goes_with_severity_and_improvement_as_in_the_trial() -> None:
    """r = -0.426 and r = -0.644 in expectation, to the Monte Carlo error of 6000 patients and 0.02."""
    binding, before, after = patients(6000, 1)
    for r, published in (
        (np.corrcoef(binding, before)[0, 1], -0.426),
        (np.corrcoef(binding, before - after)[0, 1], -0.644),
    ):
        assert r == pytest.approx(published, abs=3 * (1 - published**2) / np.sqrt(6000) + 0.02)


def test_without_its_coupling_binding_says_nothing_of_improvement_beyond_severity() -> None:
    """What is left of the correlation when the drug's effect does not depend on binding is severity's part."""
    study = plan("tiger2020")
    zero = mechanism_file().symptoms.drug_binding.model_copy(update={"value": 0.0})
    uncoupled = study.model_copy(
        update={"symptoms": study.symptoms.model_copy(update={"constants": {"drug_binding": zero}})}
    )
    for index in range(3):
        assert record(uncoupled, 1, index).scores[0] == record(study, 1, index).scores[0]
    binding, before, after = patients(3000, 2)
    coupled = np.corrcoef(binding, before - after)[0, 1]
    residual = before - after - np.polyval(np.polyfit(before, before - after, 1), before)
    assert coupled < np.corrcoef(binding, residual)[0, 1] < -0.3


def test_under_no_effect_p_between_the_arms_is_uniform() -> None:
    """100 trials with saline in both arms, by the truth; benchmarks/tiger_trials.py does the same by noisy curves."""
    study = plan("tiger2020")
    study = study.model_copy(update={"regions": study.regions.model_copy(update={"names": (HIPPOCAMPUS,)})})
    saline = mechanism_file().symptoms.drug_binding.model_copy(update={"value": 0.0})
    nothing = tuple(dose.model_copy(update={"mg_per_kg": saline}) for dose in study.doses)
    study = study.model_copy(update={"doses": nothing, "symptoms": None, "visits": (), "dropout": None})
    p = []
    for seed in range(100):
        records = [record(study, seed, index) for index in range(30)]
        change = np.array([one.truths[1].BP_ND[0] - one.truths[0].BP_ND[0] for one in records])
        treated = np.array([one.participant.arm == "ketamine" for one in records])
        p.append(stats.ttest_ind(change[treated], change[~treated]).pvalue)
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_most_respond_to_four_open_infusions() -> None:
    """Over 70 % (Tiger 2020); 60 patients of the plan, to twice the binomial error below."""
    study = plan("tiger2020")
    study = study.model_copy(update={"regions": study.regions.model_copy(update={"names": (HIPPOCAMPUS, STRIATUM)})})
    scores = [record(study, 21, index).scores for index in range(62)]
    responses = [responds(first, last) for first, _, last in scores if first is not None and last is not None]
    assert len(responses) == 60
    assert np.mean(responses) > 0.70 - 2 * np.sqrt(0.7 * 0.3 / 60)
    after_one = np.mean([one[1] for one in scores])
    assert np.mean([last for *_, last in scores if last is not None]) < after_one


def test_one_of_thirty_leaves_before_the_open_phase() -> None:
    study = plan("tiger2020")
    for block in range(4):
        left = [index for index in range(30 * block, 30 * block + 30) if leaves_before(study, 3, index)]
        assert len(left) == 1
    found = record(study, 3, next(index for index in range(30) if leaves_before(study, 3, index)))
    assert found.scores[2] is None
    assert None not in found.scores[:2]
    assert len(found.truths) == 2
    early = study.model_copy(update={"dropout": study.dropout.model_copy(update={"before": "post", "one_of": 1})})
    found = record(early, 3, 0)
    assert [truth.session for truth in found.truths] == ["baseline"]
    assert found.scores[1:] == (None, None)


def test_scans_after_treatment_are_spread_over_24_to_72_hours() -> None:
    study = plan("tiger2020")
    hours = [treatment_of(study, 1, participant(study, 1, index)).sessions["post"] for index in range(200)]
    assert min(hours) >= 24
    assert max(hours) <= 72
    assert np.mean(hours) == pytest.approx(48, abs=4.5 * 48 / np.sqrt(12 * 200))
    assert len(set(hours)) > 150


def test_lasting_binding_is_what_the_scans_of_a_person_share() -> None:
    """Without variation between scans, ln BP_ND is the mean plus the person's deviation times the spread."""
    study = plan("tiger2020")
    none = study.test_retest[0].percent.model_copy(update={"value": 0.0})
    section = study.test_retest[0].model_copy(update={"percent": none, "regions": (STRIATUM,)})
    study = study.model_copy(update={"test_retest": (section,), "doses": ()})
    place = study.regions.names.index(STRIATUM)
    values = np.array(
        [
            scan_truth(study, 2, participant(study, 2, i), study.sessions[0], study.tracers[0]).BP_ND[place]
            for i in range(9)
        ]
    )
    z = np.array([lasting_binding(study, 2, i, "AZ10419369", STRIATUM) for i in range(9)])
    spread = np.sqrt(np.log1p((0.37 / 2.29) ** 2))
    np.testing.assert_allclose(np.log(values / 2.29) + spread**2 / 2, spread * z, rtol=1e-9)


def test_only_ketamine_changes_binding_in_patients() -> None:
    study = plan("tiger2020")
    for index in range(6):
        found = record(study, 4, index)
        before, after = (truth.state for truth in found.truths)
        np.testing.assert_array_equal(before.binding, 1.0)
        rest = [place for place, name in enumerate(study.regions.names) if name not in (HIPPOCAMPUS, STRIATUM)]
        np.testing.assert_allclose(after.binding[rest], 1.0, atol=1e-3)
        changed = after.binding[study.regions.names.index(HIPPOCAMPUS)]
        assert (changed > 1.005) if found.participant.arm == "ketamine" else (changed == 1.0)
        assert after.transporter > 0.999


@pytest.mark.parametrize("index", range(4))
def test_every_macaque_shows_the_directions_of_the_study(index: int) -> None:
    study = plan("yamanaka2014-fenfluramine")
    state = {(truth.session, truth.tracer): truth.state for truth in record(study, 6, index).truths}
    place = study.regions.names.index(NAC)
    rise, fall = state["ketamine", "AZ10419369"], state["ketamine", "DASB"]
    assert rise.binding[place] > 1.02
    assert (fall.binding < 0.95).all()
    kept, still = state["nbqxketamine", "AZ10419369"], state["nbqxketamine", "DASB"]
    assert abs(kept.binding[place] - 1) < 0.04
    np.testing.assert_allclose(still.binding, fall.binding, atol=2e-6)
    released, both = (state[session, "AZ10419369"].binding for session in ("fenfluramine", "fenfluramineketamine"))
    assert released[place] == pytest.approx(0.61, abs=0.02)
    assert released[place] < both[place] < released[place] + 0.3 * (rise.binding[place] - 1)
    assert np.delete(both, [place, study.regions.names.index("ventral pallidum")]) == pytest.approx(
        released[0], abs=0.02
    )


def test_a_record_is_the_same_whatever_came_before() -> None:
    study = plan("tiger2020")
    alone = record(study, 9, 2)
    record(study, 9, 0)
    again = record(study, 9, 2)
    assert alone.scores == again.scores
    for one, other in zip(alone.truths, again.truths, strict=True):
        np.testing.assert_array_equal(one.BP_ND, other.BP_ND)


def test_courses_cover_every_dose_and_every_visit() -> None:
    study = plan("tiger2020")
    (regimen,) = record(study, 4, 0).treated.regimens
    assert regimen.sessions == ("baseline", "post")
    assert regimen.written[0] == 0
    assert regimen.written[-1] >= 444
    assert regimen.course.at(regimen.written).time is not None
    macaque = plan("yamanaka2014")
    assert [one.sessions for one in record(macaque, 4, 0).treated.regimens] == [("ketamine",), ("nbqxketamine",)]
    assert record(plan("test-retest"), 4, 0).treated is None


def test_a_course_is_told_at_its_own_times_only() -> None:
    (regimen,) = record(plan("tiger2020"), 4, 0).treated.regimens
    with pytest.raises(KeyError):
        regimen.course.at(np.array([1.2345]))
    with pytest.raises(KeyError):
        regimen.course.at(np.array([1e6]))
