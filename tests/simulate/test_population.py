import numpy as np
import numpy.typing as npt
import pytest

from raphe import catalog
from raphe.core.decay import decay_constant
from raphe.simulate.curves import NOISE_VOLUME, noise_level, scan_curves
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.plan_file import PlanText, find_plan, parse_plan
from raphe.simulate.population import participant, scan_truth
from raphe.simulate.scan_tacs import scan_tacs
from raphe.simulate.scans import plasma_total

Array = npt.NDArray[np.float64]

N = 500


def plan(name: str) -> SimulationPlan:
    return parse_plan(find_plan(name))


def binding(study: SimulationPlan, tracer: int, n: int, seed: int = 7) -> Array:
    """True BP_ND, shape (n_participant, n_session, n_region)."""
    section = study.tracers[tracer]
    return np.array(
        [
            [scan_truth(study, seed, participant(study, seed, i), session, section).BP_ND for session in study.sessions]
            for i in range(n)
        ]
    )


@pytest.mark.parametrize("tracer", [0, 1])
def test_people_and_repeated_scans_vary_as_published(tracer: int) -> None:
    """Mean, SD and test-retest variability of 500 people within 4.5 standard errors of the catalog's figures."""
    study = plan("test-retest")
    known = catalog.tracer(study.tracers[tracer].name).species["human"]
    values = binding(study, tracer, N)
    for region, name in enumerate(study.regions.names):
        entry, x = known.binding(name), values[:, :, region]
        figure = entry.BP_ND[0]
        assert figure.sd is not None
        assert abs(x[:, 0].mean() - figure.value) < 4.5 * figure.sd / np.sqrt(N)
        spread = np.log(x[:, 0]).std(ddof=1)
        expected = np.sqrt(np.log1p((figure.sd / figure.value) ** 2))
        assert abs(spread / expected - 1) < 4.5 / np.sqrt(2 * N)
        variability = 100 * np.abs(x[:, 1] - x[:, 0]) / x.mean(axis=1)
        bound = 4.5 * variability.std() / np.sqrt(N)
        assert abs(variability.mean() - entry.test_retest.value) < bound + 0.01 * entry.test_retest.value
        assert abs((x[:, 1] - x[:, 0]).mean()) < 4.5 * (x[:, 1] - x[:, 0]).std() / np.sqrt(N)


def test_delivery_and_clearance_are_those_of_the_catalog() -> None:
    study = plan("test-retest")
    session, section = study.sessions[0], study.tracers[1]
    known = catalog.tracer("DASB").species["human"]
    truths = [scan_truth(study, 7, participant(study, 7, i), session, section) for i in range(N)]
    k2_prime = np.array([truth.k2_prime for truth in truths])
    figure = known.reference.k2_prime
    assert figure.sd is not None
    assert abs(k2_prime.mean() - figure.value) < 4.5 * figure.sd / np.sqrt(N)
    assert abs(k2_prime.std() / figure.sd - 1) < 0.25
    R1 = np.array([truth.R1 for truth in truths])
    for region, name in enumerate(study.regions.names):
        delivery = known.binding(name).R1
        assert delivery.sd is not None
        assert abs(R1[:, region].mean() - delivery.value) < 4.5 * delivery.sd / np.sqrt(N)


def test_regions_of_one_brain_go_together_as_far_as_the_plan_says() -> None:
    study = plan("test-retest")
    logs = np.log(binding(study, 0, N))
    change = logs[:, 1] - logs[:, 0]
    correlation = np.corrcoef(change[:, :6].T)[np.triu_indices(6, 1)]
    assert correlation.mean() == pytest.approx(study.variability.within.value, abs=0.1)


def test_the_two_tracers_of_a_person_are_independent() -> None:
    study = plan("test-retest")
    first, second = binding(study, 0, N)[:, 0, 0], binding(study, 1, N)[:, 0, 0]
    assert abs(np.corrcoef(first, second)[0, 1]) < 4.5 / np.sqrt(N)


EFFECT = """
[[effect]]
tracer = "AZ10419369"
session = "post"
arm = "ketamine"
regions = ["hippocampus"]
percent = { value = 16.7, source = "tiger2020" }
"""


def test_effects_of_the_plan_are_in_the_truth() -> None:
    text = find_plan("tiger2020").text
    study = parse_plan(PlanText("tiger", text + EFFECT)).model_copy(
        update={"doses": (), "symptoms": None, "visits": ()}
    )
    without = study.model_copy(update={"effects": study.effects[:2]})
    factor = binding(study, 0, 12) / binding(without, 0, 12)
    arms = [participant(study, 7, i).arm for i in range(12)]
    place = study.regions.names.index("hippocampus")
    for i, arm in enumerate(arms):
        assert factor[i, 1, place] == pytest.approx(1.167 if arm == "ketamine" else 1.0)
    rest = np.delete(factor, place, axis=2)
    np.testing.assert_allclose(rest, 1.0)
    np.testing.assert_allclose(factor[:, 0], 1.0)


def test_allocation_keeps_its_ratio_in_every_block() -> None:
    study = plan("tiger2020")
    arms = [participant(study, 3, i).arm for i in range(30)]
    assert arms.count("ketamine") == 20
    for block in range(10):
        assert sorted(arms[3 * block : 3 * block + 3]) == ["ketamine", "ketamine", "placebo"]
    assert len({tuple(arms[3 * block : 3 * block + 3]) for block in range(10)}) > 1


def test_noise_of_the_curves_has_the_standard_deviation_of_counting() -> None:
    """Over 400 noisy copies of one scan, against alpha sqrt(C exp(lambda t) / d), decay at the middle of the frame."""
    study = plan("test-retest")
    truth = scan_truth(study, 1, participant(study, 1, 0), study.sessions[0], study.tracers[1])
    copies = [scan_tacs(study, seed, truth) for seed in range(400)]
    frames, volumes = copies[0].frames, copies[0].volumes
    assert volumes is not None
    half_life = catalog.half_life("C11")
    reference = catalog.tracer("DASB").species["human"].reference
    peak = reference.peak_suv.value * truth.injected / truth.participant.body_weight
    exact = np.vstack(scan_curves(frames, truth.R1, truth.k2_prime, truth.BP_ND, peak, total=plasma_total("DASB")))
    alpha = noise_level(frames, half_life, exact[0], study.noise.percent.value)
    growth = np.exp(decay_constant(half_life) * frames.mid)
    expected = alpha * np.sqrt(exact * growth / frames.duration) * np.sqrt(NOISE_VOLUME / volumes)[:, None]
    noise = np.array([copy.activity for copy in copies]) - exact
    np.testing.assert_allclose(noise.std(axis=0) / expected, 1.0, atol=5 / np.sqrt(2 * 400))
    assert abs((noise / expected).mean()) < 5 / np.sqrt(noise.size)
    flat = (noise / expected).reshape(400, -1)
    assert abs(np.corrcoef(flat[:, 0], flat[:, 40])[0, 1]) < 5 / np.sqrt(400)
