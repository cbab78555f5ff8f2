import numpy as np
import pytest

from raphe.core.decay import remaining
from raphe.data.tacs import TACs
from raphe.errors import InputError
from raphe.kinetics.fit import fit
from raphe.kinetics.k2_prime import estimate_k2_prime, k2_primes_of, median_k2_prime
from raphe.kinetics.models.mrtm1 import MRTM1
from raphe.kinetics.voxelwise import VoxelFit
from raphe.quality import Quality

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


def voxel_fit(k2_prime, se, binding=1.0, quality=0):
    """Voxels of a first pass, each with the k2' and the SE that is given."""
    k2_prime, se, binding, quality = np.broadcast_arrays(k2_prime, se, binding, quality)
    return VoxelFit(
        ("BP_ND", "k2_prime"),
        np.array([binding, k2_prime], dtype=np.float32),
        np.array([np.full(se.shape, 0.1), se], dtype=np.float32),
        quality.astype(np.uint8),
    )


def test_voxels_of_little_binding_or_without_a_good_k2_prime_do_not_count():
    found = voxel_fit(
        [0.06, 0.07, 0.08, -0.01, np.nan, 0.05],
        [0.01, 0.01, 0.09, 0.01, 0.01, 0.01],
        [1.0, 0.4, 1.0, 1.0, 1.0, 1.0],
        [0, 0, 0, 0, 0, int(Quality.SINGULAR)],
    )
    value, se = k2_primes_of(found)
    np.testing.assert_allclose(value, [0.06], rtol=1e-6)
    np.testing.assert_allclose(se, [0.01], rtol=1e-6)


def test_the_median_of_voxels_is_where_half_of_the_weight_lies():
    value = np.array([0.05, 0.06, 0.2])
    k2_prime, step = median_k2_prime(value, np.array([0.005, 0.006, 0.02]), "MRTM1")
    assert k2_prime.value == pytest.approx(0.06)
    k2_prime, _ = median_k2_prime(value, np.array([0.005, 0.006, 0.002]), "MRTM1")
    assert k2_prime.value == pytest.approx(0.2)
    assert step.parameters["n_voxel"] == 3
    with pytest.raises(InputError, match=r"no voxel with BP_ND above 0\.5"):
        median_k2_prime(np.empty(0), np.empty(0), "MRTM1")


def test_the_error_of_the_median_covers_for_noise_that_27_voxels_share():
    """270 voxels in 10 groups with the same error each: the SE is within a factor of two of the true scatter."""
    random = np.random.default_rng(5)
    found = [
        median_k2_prime(0.06 * np.exp(np.repeat(random.normal(0, 0.1, 10), 27)), np.full(270, 0.006), "MRTM1")[0]
        for _ in range(300)
    ]
    scatter = np.std([one.value for one in found])
    assert 0.5 < np.mean([one.se for one in found]) / scatter < 2
