"""Akaike weights: arithmetic, what may be compared, and which model the data prefer."""

import numpy as np

from raphe.kinetics.fit import fit
from raphe.kinetics.models.frtm import FRTM
from raphe.kinetics.models.mrtm1 import MRTM1
from raphe.kinetics.models.srtm import SRTM
from raphe.kinetics.models.srtm2 import SRTM2
from raphe.kinetics.selection import akaike_weights, with_akaike_weights


def test_weights_are_relative_likelihoods():
    weights = akaike_weights(np.array([[10.0, 4.0], [12.0, 4.0], [10.0 + 2 * np.log(4), 400.0]]))
    np.testing.assert_allclose(weights[:, 0] / weights[0, 0], [1, np.exp(-1), 0.25])
    np.testing.assert_allclose(weights.sum(axis=0), 1)
    np.testing.assert_allclose(weights[:, 1], [0.5, 0.5, 0], atol=1e-12)


def test_what_is_not_known_has_no_weight():
    weights = akaike_weights(np.array([[1.0, np.nan, np.nan], [3.0, 3.0, np.nan], [np.nan, 5.0, 2.0]]))
    assert np.isnan(weights[2, 0])
    assert np.isnan(weights[0, 1])
    assert np.isnan(weights[:, 2]).all()  # one model alone is not chosen from anything
    np.testing.assert_allclose(np.nansum(weights, axis=0)[:2], 1)


def curves(known, seed=0, n=60):
    subject = known.Subject(known.frames_38, 0.1, 0.2)
    clean = subject.target(1.1, 1.5)
    noise = np.random.default_rng(seed).normal(size=(n, clean.size)) * 0.02 * np.maximum(clean, 0.05 * clean.max())
    return subject, known.table(clean + noise, known.frames_38)


def test_only_models_of_the_curve_itself_are_compared(known):
    subject, tacs = curves(known, n=3)
    fits = [fit(model, tacs, reference=subject.reference, weights="uniform")[0] for model in (SRTM(), MRTM1(), FRTM())]
    simple, multilinear, full = with_akaike_weights(fits)
    assert multilinear.akaike is None
    np.testing.assert_allclose(simple.akaike + full.akaike, 1)
    alone = with_akaike_weights(fits[:2])
    assert all(one.akaike is None for one in alone)


def test_the_model_that_made_the_data_is_preferred(known):
    """Of nested models the larger wins by chance in a sixth of cases or so, as is known of the criterion."""
    subject, tacs = curves(known)
    options = {"reference": subject.reference, "weights": "uniform"}
    fits = [fit(model, tacs, **options)[0] for model in (SRTM2(k2_prime=0.1), SRTM(), FRTM())]
    weights = np.array([one.akaike for one in with_akaike_weights(fits)])
    assert (weights.argmax(axis=0) == 0).mean() > 0.65
    wrong = fit(SRTM2(k2_prime=0.03), tacs, **options)[0]
    against = with_akaike_weights([wrong, fits[1]])
    assert (against[1].akaike > 0.9).mean() > 0.9


def test_a_model_takes_over_the_weights_of_another(known):
    subject, tacs = curves(known, n=4)
    rich, _ = fit(FRTM(), tacs, reference=subject.reference, half_life=known.half_life)
    poor, _ = fit(SRTM(), tacs, reference=subject.reference, half_life=known.half_life, shared=rich.weights)
    np.testing.assert_allclose(poor.weights, rich.weights, rtol=1e-9)
    own, _ = fit(SRTM(), tacs, reference=subject.reference, half_life=known.half_life)
    assert not np.allclose(own.weights, rich.weights, rtol=1e-6)
    shared = rich.weights.copy()
    shared[1] = np.nan
    mixed, _ = fit(SRTM(), tacs, reference=subject.reference, half_life=known.half_life, shared=shared)
    np.testing.assert_array_equal(mixed.weights[1], own.weights[1])
    np.testing.assert_array_equal(mixed.weights[0], poor.weights[0])
