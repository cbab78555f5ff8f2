import numpy as np
import pytest

from raphe.core.decay import remaining
from raphe.data.tacs import TACs
from raphe.errors import InputError
from raphe.kinetics.fit import fit
from raphe.kinetics.k2_prime import estimate_k2_prime
from raphe.kinetics.models.mrtm1 import MRTM1

TISSUES = {"thalamus": (1.0, 2.0), "caudate": (1.1, 1.7), "putamen": (0.95, 2.2), "hippocampus": (0.9, 0.5)}
HIGH = ("thalamus", "caudate", "putamen")


def scan(known, k2_prime=0.06, noise=0.0, rng=None, frames=None):
    """Curves of TISSUES and their reference, with decay-true noise in the targets."""
    subject = known.Subject(frames or known.frames_38, k2_prime, 0.2)
    clean = np.array([subject.target(R1, bp) for R1, bp in TISSUES.values()])
    curves = clean
    if rng is not None:
        activity = np.maximum(clean, 0.01 * clean.max(axis=1, keepdims=True))
        sd = np.sqrt(activity / (remaining(subject.frames, known.half_life) * subject.frames.duration))
        late = subject.frames.mid > 10
        sd *= noise * clean[:, late].mean(axis=1, keepdims=True) / sd[:, late].mean(axis=1, keepdims=True)
        curves = clean + sd * rng.normal(size=clean.shape)
    return TACs(np.vstack([curves, subject.reference]), subject.frames, (*TISSUES, "cerebellum"))


@pytest.mark.parametrize("k2_prime", [0.05, 0.1, 0.17])
def test_recovers_the_truth_of_noise_free_curves(k2_prime, known):
    found, step = estimate_k2_prime(
        scan(known, k2_prime), reference="cerebellum", regions=HIGH, half_life=known.half_life
    )
    assert found.value == pytest.approx(k2_prime, rel=1e-3)
    assert found.regions == step.parameters["regions"] == HIGH
    assert step.parameters["value"] == found.value
    assert step.citations == ("ichise2003",)


@pytest.mark.parametrize("scattered", [False, True])
def test_is_the_mean_of_the_logarithms_by_their_precision(scattered, known):
    """With a scatter beyond the regions' own errors where the tracer reaches one of them a minute later."""
    tacs = scan(known, noise=0.03, rng=np.random.default_rng(3))
    if scattered:
        activity = tacs.activity.copy()
        activity[1] = known.Subject(known.frames_38, 0.06, 1.2).target(1.1, 1.7)
        tacs = TACs(activity, tacs.frames, tacs.names)
    found, _ = estimate_k2_prime(tacs, reference="cerebellum", regions=HIGH, half_life=known.half_life)
    each, _ = fit(MRTM1(), tacs, reference="cerebellum", half_life=known.half_life)
    value, se = (column[:3] for column in each.of("k2_prime"))
    weight = (value / se) ** 2
    mean = np.average(np.log(value), weights=weight)
    assert found.value == pytest.approx(np.exp(mean), rel=1e-9)
    chi2 = (weight * (np.log(value) - mean) ** 2).sum() / 2
    assert (chi2 > 1) == scattered
    assert found.se == pytest.approx(found.value * np.sqrt(max(1, chi2) / weight.sum()), rel=1e-9)
    assert min(value) < found.value < max(value)


def test_the_standard_error_is_that_of_repeated_scans(known):
    """The SD of z over 250 scans is known to 4.5 %."""
    rng = np.random.default_rng(17)
    z = []
    for _ in range(250):
        found, _ = estimate_k2_prime(
            scan(known, 0.06, 0.03, rng), reference="cerebellum", regions=HIGH, half_life=known.half_life
        )
        z.append(np.log(found.value / 0.06) / (found.se / found.value))
    assert 0.8 < np.std(z) < 1.3
    assert abs(np.mean(z)) < 0.2


def test_regions_that_are_absent_named_twice_or_the_reference_do_not_count(known):
    tacs = scan(known, noise=0.03, rng=np.random.default_rng(1))
    options = {"reference": "cerebellum", "half_life": known.half_life}
    plain, _ = estimate_k2_prime(tacs, regions=HIGH, **options)
    more, _ = estimate_k2_prime(tacs, regions=(*HIGH, "putamen", "amygdala", "cerebellum"), **options)
    assert more == plain


def test_a_region_that_gives_none_is_left_out(known):
    tacs = scan(known, noise=0.03, rng=np.random.default_rng(1))
    activity = tacs.activity.copy()
    activity[1] = np.nan
    found, _ = estimate_k2_prime(
        TACs(activity, tacs.frames, tacs.names), reference="cerebellum", regions=HIGH, half_life=known.half_life
    )
    assert found.regions == ("thalamus", "putamen")


@pytest.mark.parametrize("regions", [(), ("amygdala",), ("cerebellum",)])
def test_without_a_region_it_says_what_to_give(regions, known):
    with pytest.raises(InputError, match=r"needs a region of high binding.*k2_prime as a number"):
        estimate_k2_prime(scan(known), reference="cerebellum", regions=regions, half_life=known.half_life)


def test_without_a_usable_region_it_says_so(known):
    tacs = scan(known)
    activity = tacs.activity.copy()
    activity[:3] = 0
    with pytest.raises(InputError, match="no usable k2_prime in thalamus, caudate, putamen"):
        estimate_k2_prime(
            TACs(activity, tacs.frames, tacs.names), reference="cerebellum", regions=HIGH, half_life=known.half_life
        )


def test_a_reference_curve_may_be_given_and_other_conventions_taken(known):
    tacs = scan(known)
    found, _ = estimate_k2_prime(
        tacs, reference=tacs.curve("cerebellum"), regions=HIGH, weights="uniform", convention="midframe"
    )
    assert found.value == pytest.approx(0.06, rel=0.02)
