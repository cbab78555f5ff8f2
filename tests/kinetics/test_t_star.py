"""The search for t*, against a search by hand with numpy.polyfit, and what it says where there is none."""

import dataclasses

import numpy as np
import pytest

from raphe.core.sampling import sampling
from raphe.data.tacs import TACs
from raphe.errors import InputError, ModelError, TimingError
from raphe.kinetics.fit import fit
from raphe.kinetics.models.logan import Logan
from raphe.kinetics.models.logan_ref import LoganRef
from raphe.kinetics.models.ma1 import MA1
from raphe.kinetics.models.mrtm1 import MRTM1
from raphe.kinetics.models.mrtm2 import MRTM2
from raphe.kinetics.models.patlak import Patlak
from raphe.kinetics.models.patlak_ref import PatlakRef
from raphe.kinetics.models.srtm import SRTM
from raphe.kinetics.protocol import least_frames
from raphe.kinetics.t_star import TStar, search_t_star, t_star_of_scan

MODELS = [Logan(), LoganRef(), LoganRef(k2_prime=0.1), MA1(), Patlak(), PatlakRef(), MRTM1(), MRTM2(k2_prime=0.1)]


@pytest.fixture(scope="module")
def subject(known):
    return known.Subject(known.frames_38, 0.1, 0.2)


@pytest.fixture(scope="module")
def given(subject):
    return {"plasma": subject.input(1e-5), "reference": subject.reference}


@pytest.fixture(scope="module")
def tacs(subject):
    """Two compartments behind plasma: lines are not straight at first; one without noise, three with."""
    truths = [{"K1": 0.3, "k2": 0.12, "k3": k3, "k4": 0.03} for k3 in (0.03, 0.03, 0.08, 0.01)]
    clean = np.array([subject.of(truth) for truth in truths])
    noise = np.random.default_rng(3).normal(size=clean.shape) * np.array([0, 0.01, 0.03, 0.05])[:, None]
    return TACs(clean * (1 + noise), subject.frames, ("clean", "quiet", "loud", "louder"))


def by_hand(model, subject, given, curve, weights, t_star):
    """Largest deviation, per cent, of the regression from t* on, by numpy alone but for the integrals."""
    frames, late = subject.frames, subject.frames.mid >= t_star
    sampled = sampling(frames)
    own, w = (sampled.integral @ curve)[late], np.sqrt(weights[late])
    R, C = subject.reference[late], curve[late]
    area_r, area_p = (sampled.integral @ subject.reference)[late], sampled.integrated(given["plasma"].parent)[late]
    P = sampled.seen(given["plasma"].parent)[late]
    k2_prime = getattr(model, "k2_prime", None)
    delivered = area_r + R / k2_prime if k2_prime else area_r
    with np.errstate(divide="ignore", invalid="ignore"):
        columns, left = {
            "Logan": ([area_p / C, 1 + 0 * C], own / C),
            "LoganRef": ([delivered / C, 1 + 0 * C], own / C),
            "Patlak": ([area_p / P, 1 + 0 * C], C / P),
            "PatlakRef": ([area_r / R, 1 + 0 * C], C / R),
            "MA1": ([area_p, own], C),
            "MRTM1": ([area_r, own, R], C),
            "MRTM2": ([delivered, own], C),
        }[model.name]
    design = np.stack(columns, axis=1)
    if not np.isfinite(design).all():
        return np.nan
    line = design @ np.linalg.lstsq(design * w[:, None], left * w, rcond=None)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        return 100 * np.abs(left / line - 1).max()


@pytest.mark.parametrize("limit", [10.0, 3.0])
@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_is_the_earliest_frame_from_which_all_are_near_the_line(model, limit, subject, given, tacs):
    frames = subject.frames
    weights = frames.duration
    found, _ = search_t_star(model, tacs, **given, weights=weights, limit=limit)
    starts = [t for t in frames.start if (frames.mid >= t).sum() >= least_frames(model) + 1]
    assert len(found.t_star) == len(tacs.names)
    for i, curve in enumerate(tacs.activity):
        deviation = np.array([by_hand(model, subject, given, curve, weights, t) for t in starts])
        good = np.flatnonzero(deviation < limit)
        if good.size:
            assert found.t_star[i] == starts[good[0]]
            assert found.deviation[i] == pytest.approx(deviation[good[0]], rel=1e-4)
        else:
            assert np.isnan(found.t_star[i])
            assert found.deviation[i] == pytest.approx(np.nanmin(deviation), rel=1e-4)
    if limit == 10.0:
        assert np.isfinite(found.t_star).any()


@pytest.mark.parametrize("model", [MA1(), MRTM1()], ids=repr)
def test_a_fit_with_it_has_the_deviation_that_it_says(model, given, tacs, known):
    """With the same weights as fit() has, which depend on the fit."""
    found, _ = search_t_star(model, tacs, **given, half_life=known.half_life, limit=8.0)
    assert np.isfinite(found.t_star).any()
    for i in np.flatnonzero(np.isfinite(found.t_star)):
        t_star = found.t_star[i]
        result, _ = fit(dataclasses.replace(model, t_star=t_star), tacs, **given, half_life=known.half_life)
        inside = result.weights[i] > 0
        largest = np.abs(tacs.activity[i] / result.fitted[i] - 1)[inside].max()
        assert 100 * largest == pytest.approx(found.deviation[i], rel=1e-6)
        assert found.deviation[i] < 8.0


def test_a_tighter_limit_brings_a_later_t_star(given, tacs):
    found = [search_t_star(Logan(), tacs, **given, weights="duration", limit=limit)[0] for limit in (20, 5, 1)]
    clean = [one.t_star[0] for one in found]
    assert clean[0] < clean[1] < clean[2]


def test_noise_without_a_curve_has_none(given, subject, known):
    noise = known.table(np.random.default_rng(8).normal(size=(5, 38)), subject.frames)
    for model in (Logan(), MA1(), Patlak()):
        found, _ = search_t_star(model, noise, **given, weights="uniform")
        assert np.isnan(found.t_star).all()
        assert not (found.deviation < 10).any()


def test_a_bad_curve_harms_no_other(given, tacs, known):
    activity = np.insert(tacs.activity, 1, np.nan, axis=0)
    activity[2, 37] = -1.0  # a Logan plot divides by it, whatever t* is
    worse = TACs(activity, tacs.frames, ("clean", "nan", "negative", "loud", "louder"))
    found, _ = search_t_star(Logan(), worse, **given, half_life=known.half_life)
    without, _ = search_t_star(Logan(), tacs, **given, half_life=known.half_life)
    np.testing.assert_array_equal(found.t_star[[0, 3, 4]], without.t_star[[0, 2, 3]])
    assert np.isnan(found.t_star[[1, 2]]).all()
    assert np.isnan(found.deviation[[1, 2]]).all()


def test_the_reference_is_not_searched_and_the_step_says_what_was_done(tacs, known):
    found, step = search_t_star(LoganRef(), tacs, reference="louder", half_life=known.half_life, limit=5.0)
    assert found.names == ("clean", "quiet", "loud")
    assert found.limit == 5.0
    assert step.name == "t_star_search"
    assert dict(step.parameters) == {
        "model": "LoganRef",
        "limit": 5.0,
        "n_curves": 3,
        "n_found": int(np.isfinite(found.t_star).sum()),
    }
    assert step.citations == ("logan1996",)


def test_frames_of_no_weight_neither_begin_a_t_star_nor_count(given, tacs):
    weights = np.ones(38)
    weights[5:30] = 0
    found, _ = search_t_star(Logan(), tacs, **given, weights=weights, limit=1e6)
    assert np.isin(found.t_star, tacs.frames.start[weights > 0]).all()
    weights[:34] = 0
    with pytest.raises(TimingError, match=r"t\* of Logan needs at least 5 frames, but the scan has 4"):
        search_t_star(Logan(), tacs, **given, weights=weights)


def test_what_cannot_be_searched_is_refused(given, tacs):
    with pytest.raises(ModelError, match="SRTM fits the whole curve and has no t_star"):
        search_t_star(SRTM(), tacs, **given, weights="uniform")
    for limit in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="largest deviation allowed"):
            search_t_star(Logan(), tacs, **given, weights="uniform", limit=limit)
    with pytest.raises(InputError, match=r"weights have shape \(3,\)"):
        search_t_star(Logan(), tacs, **given, weights=np.ones(3))
    with pytest.raises(ModelError, match="needs an arterial input"):
        search_t_star(Logan(), tacs, weights="uniform")


NAMES = tuple("abcdefghijkl")


def own(*t_star):
    return TStar(NAMES[: len(t_star)], np.array(t_star, dtype=float), np.zeros(len(t_star)), 10.0)


def test_one_for_the_scan_is_the_latest_of_few_and_passes_over_a_fifth_of_many():
    assert t_star_of_scan(own(10, 30, 20))[0] == 30
    many = own(5, 10, 15, 20, 25, 30, 35, 40, 45, np.nan)
    assert t_star_of_scan(many)[0] == 40
    assert t_star_of_scan(own(10, 30, 20, 50, np.nan))[0] == 50
    assert t_star_of_scan(many, share=0.5)[0] == 25
    with pytest.raises(InputError, match="for 1 of 10 regions \\(j\\)"):
        t_star_of_scan(many, share=1.0)


def test_one_for_the_scan_may_be_that_of_named_regions():
    value, step = t_star_of_scan(own(10, 30, np.nan, 20), regions=["a", "d"])
    assert value == 20
    assert step.name == "t_star"
    assert step.parameters["regions"] == ("a", "d")
    assert step.parameters["value"] == 20
    with pytest.raises(InputError, match="no region 'z'"):
        t_star_of_scan(own(10, 30), regions=["z"])
    with pytest.raises(InputError, match=r"no t\* within 10 %.*for 1 of 2 regions \(c\).*--t-star MIN"):
        t_star_of_scan(own(10, 30, np.nan), regions=["a", "c"])
    for share in (0.0, 1.1, np.nan):
        with pytest.raises(InputError, match="share of the regions"):
            t_star_of_scan(own(10, 30), share=share)
