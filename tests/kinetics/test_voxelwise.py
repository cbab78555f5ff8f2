"""Maps: each voxel is fitted as a region of the same curve is, whatever stands beside it."""

import numpy as np
import pytest

from raphe.errors import InputError, ModelError
from raphe.kinetics import registry
from raphe.kinetics.fit import fit
from raphe.kinetics.models.srtm import SRTM
from raphe.kinetics.voxelwise import CHUNK, STRAIGHT, fit_voxels
from raphe.quality import Quality, usable

TOGETHER = [name for name, example in registry.examples().items() if getattr(example.model, "joint", False)]
EXAMPLES = {name: example for name, example in registry.examples().items() if name not in TOGETHER}


@pytest.fixture(params=list(EXAMPLES))
def example(request):
    return EXAMPLES[request.param]


def noisy(known, subject, example, n, level=0.03, seed=5):
    """Curves of the example's tissue and others about it, with noise, shape (n_frame, n)."""
    rng = np.random.default_rng(seed)
    clean = np.array([subject.of(truth) for truth in known.variants(example.truth)])
    curves = clean[np.arange(n) % len(clean)]
    sd = np.array([known.noise_sd(curve, subject.frames, known.half_life, level, "decay") for curve in clean])
    return (curves + sd[np.arange(n) % len(clean)] * rng.normal(size=curves.shape)).T


@pytest.mark.parametrize("weights", ["decay", "duration"])
def test_a_voxel_is_fitted_as_a_region_is(example, weights, known):
    subject = known.subject(example)
    given = known.behind(example.model, subject)
    curves = noisy(known, subject, example, 12)
    options = {"half_life": known.half_life, "weights": weights, **given}
    voxels = fit_voxels(example.model, subject.frames, curves, **options)
    regions, _ = fit(example.model, known.table(curves.T, subject.frames), **options)
    np.testing.assert_array_equal(voxels.quality, regions.quality)
    assert voxels.parameters == regions.parameters
    for p, symbol in enumerate(voxels.parameters):
        value, se = regions.of(symbol)
        size = 1 + np.abs(value) if symbol == "BP_ND" else np.abs(value)
        np.testing.assert_array_less(np.nan_to_num(np.abs(voxels.value[p] - value) / size), 1e-5, err_msg=symbol)
        np.testing.assert_allclose(voxels.se[p], se, rtol=1e-4, err_msg=symbol)
        np.testing.assert_array_equal(np.isnan(voxels.value[p]), np.isnan(value))


@pytest.mark.parametrize("level", [0.03, 0.1])
@pytest.mark.parametrize("weights", ["decay", "duration"])
@pytest.mark.parametrize("name", ["SRTM", "SRTM2"])
def test_not_one_noisy_voxel_in_thousands_is_fitted_unlike_a_region(name, weights, level, known):
    example = EXAMPLES[name]
    subject = known.subject(example)
    given = known.behind(example.model, subject)
    curves = noisy(known, subject, example, 4000, level)
    options = {"half_life": known.half_life, "weights": weights, **given}
    voxels = fit_voxels(example.model, subject.frames, curves, **options)
    regions, _ = fit(example.model, known.table(curves.T, subject.frames), **options)
    # with weights of its own a curve may have two valleys of about the same depth, of which a map begins at one
    valleys = 0.002 if weights == "decay" else 0.0
    good = usable(regions.quality) & usable(voxels.quality)
    assert (usable(regions.quality) != usable(voxels.quality)).mean() <= valleys
    for p, symbol in enumerate(voxels.parameters):
        value, se = (each[good] for each in regions.of(symbol))
        size = 1 + np.abs(value) if symbol == "BP_ND" else np.abs(value)
        assert (np.abs(voxels.value[p, good] - value) > 1e-5 * size).mean() <= valleys, symbol
        assert (np.abs(voxels.se[p, good] - se) > 2e-5 * se).mean() <= valleys, symbol


def test_digits_depend_neither_on_threads_nor_on_how_voxels_are_dealt_out(known):
    example = EXAMPLES["SRTM"]
    subject = known.subject(example)
    curves = noisy(known, subject, example, 2 * CHUNK + 77, level=0.1).astype(np.float32)
    options = {"half_life": known.half_life, "reference": subject.reference}
    whole = fit_voxels(SRTM(), subject.frames, curves, **options)
    threads = fit_voxels(SRTM(), subject.frames, curves, workers=2, **options)
    parts = [fit_voxels(SRTM(), subject.frames, curves[:, at], **options) for at in (slice(CHUNK), slice(CHUNK, None))]
    for name in ("value", "se", "quality"):
        np.testing.assert_array_equal(getattr(threads, name), getattr(whole, name))
        together = np.concatenate([getattr(part, name) for part in parts], axis=-1)
        np.testing.assert_array_equal(together, getattr(whole, name))


def test_voxels_that_are_not_numbers_are_flagged_and_harm_no_other(known):
    example = EXAMPLES["SRTM"]
    subject = known.subject(example)
    options = {"half_life": known.half_life, "reference": subject.reference}
    curves = noisy(known, subject, example, 8)
    good = fit_voxels(SRTM(), subject.frames, curves, **options)
    curves[3, 1], curves[5, 2], curves[:, 4] = np.nan, np.inf, 0
    found = fit_voxels(SRTM(), subject.frames, curves, **options)
    bad = [1, 2, 4]
    assert (found.quality[bad] == Quality.BAD_INPUT).all()
    assert np.isnan(found.value[:, bad]).all()
    assert np.isnan(found.se[:, bad]).all()
    rest = np.setdiff1d(np.arange(8), bad)
    np.testing.assert_allclose(found.value[:, rest], good.value[:, rest], rtol=1e-6)


def test_negative_voxels_are_fitted(known):
    example = EXAMPLES["SRTM"]
    subject = known.subject(example)
    curves = -noisy(known, subject, example, 3)
    found = fit_voxels(SRTM(), subject.frames, curves, half_life=known.half_life, reference=subject.reference)
    assert np.isfinite(found.value).any()
    assert (found.quality & int(Quality.IMPLAUSIBLE)).all()


def test_what_cannot_be_mapped_is_refused(known):
    example = EXAMPLES["SRTM"]
    subject = known.subject(example)
    curves = noisy(known, subject, example, 3)
    options = {"half_life": known.half_life, "reference": subject.reference}
    with pytest.raises(InputError, match="'residual' need all curves of a scan at once"):
        fit_voxels(SRTM(), subject.frames, curves, weights="residual", **options)
    with pytest.raises(InputError, match="37 frames, its schedule 38"):
        fit_voxels(SRTM(), subject.frames, curves[1:], **options)
    with pytest.raises(InputError, match="the reference has 37 frames, the image 38"):
        fit_voxels(SRTM(), subject.frames, curves, half_life=known.half_life, reference=subject.reference[1:])
    with pytest.raises(ModelError, match="SRTM needs the curve of a reference"):
        fit_voxels(SRTM(), subject.frames, curves, half_life=known.half_life)


@pytest.mark.parametrize("name", TOGETHER)
def test_models_that_fit_curves_together_make_no_maps(name, known):
    example = registry.examples()[name]
    subject = known.subject(EXAMPLES["2TCM"])
    with pytest.raises(ModelError, match=f"{name} fits the curves of a scan together"):
        fit_voxels(example.model, subject.frames, np.ones((38, 2)), plasma=subject.input())


@pytest.mark.parametrize("name", ["SRTM", "SRTM2", "MRTM1", "MRTM2", "LoganRef"])
def test_values_alone_are_those_with_errors(name, known):
    """For a bootstrap: to a thousandth of the standard error, wherever a voxel is usable."""
    example = EXAMPLES[name]
    subject = known.subject(example)
    given = known.behind(example.model, subject)
    for level in (0.0, 0.03, 0.1):
        curves = noisy(known, subject, example, 400, level=level)
        both = [
            fit_voxels(example.model, subject.frames, curves, weights="duration", errors=errors, **given)
            for errors in (True, False)
        ]
        usable = (both[0].quality & 63) == 0
        off = np.abs(both[0].value - both[1].value)[:, usable]
        limit = np.maximum(1e-3 * both[0].se[:, usable], 1e-5 * np.abs(both[0].value[:, usable]))
        assert (off <= limit).all()
        assert np.isnan(both[1].se).all()


SINGLE = [name for name, example in EXAMPLES.items() if getattr(example.model, "takes_single", False)]


@pytest.mark.parametrize("name", SINGLE)
def test_values_alone_are_the_same_from_single_precision_and_however_voxels_lie(name, known):
    """From an image as it is read, from the same numbers in double precision, dealt out, and from bad neighbours."""
    example = EXAMPLES[name]
    subject = known.subject(example)
    options = {"weights": "duration", "errors": False, **known.behind(example.model, subject)}
    few = noisy(known, subject, example, 500, level=0.1).astype(np.float32)
    image = few[:, np.arange(STRAIGHT + 333) % 500]
    whole = fit_voxels(example.model, subject.frames, image, **options)
    assert np.isfinite(whole.value).mean() > 0.5
    ways = {
        "double": fit_voxels(example.model, subject.frames, few.astype(float), **options),
        "voxel after voxel": fit_voxels(example.model, subject.frames, np.asfortranarray(few), **options),
        "threads": fit_voxels(example.model, subject.frames, image, workers=2, **options),
        "another byte order": fit_voxels(example.model, subject.frames, few.astype(">f4"), **options),
    }
    for way, found in ways.items():
        n = found.value.shape[1]
        np.testing.assert_array_equal(found.value, whole.value[:, :n], err_msg=way)
        np.testing.assert_array_equal(found.quality, whole.quality[:n], err_msg=way)
    bad = [0, 7, 499, 501]
    image[2, 0], image[-1, 7], image[:, 499], image[5, 501] = np.nan, np.inf, 0, -np.inf
    found = fit_voxels(example.model, subject.frames, image, **options)
    assert (found.quality[bad] == Quality.BAD_INPUT).all()
    assert np.isnan(found.value[:, bad]).all()
    rest = np.setdiff1d(np.arange(STRAIGHT), bad)
    np.testing.assert_array_equal(found.value[:, rest], whole.value[:, rest])


def test_standard_errors_of_srtm_are_those_of_the_noise(known):
    """The issue's promise: z = (estimate - truth) / SE has a standard deviation of 0.9 to 1.1 where BP_ND > 0.5."""
    example = EXAMPLES["SRTM"]
    subject = known.subject(example)
    rng = np.random.default_rng(2)
    R1, BP_ND = rng.uniform(0.8, 1.3, 60), rng.uniform(0.5, 3, 60)
    clean = np.array([subject.target(r, b) for r, b in zip(R1, BP_ND, strict=True)])
    for level in (0.03, 0.1):
        sd = np.array([known.noise_sd(curve, subject.frames, known.half_life, level, "decay") for curve in clean])
        curves = np.repeat(clean, 50, axis=0) + np.repeat(sd, 50, axis=0) * rng.normal(size=(3000, clean.shape[1]))
        found = fit_voxels(SRTM(), subject.frames, curves.T, half_life=known.half_life, reference=subject.reference)
        usable = (found.quality & 63) == 0
        z = ((found.value[0] - np.repeat(BP_ND, 50)) / found.se[0])[usable]
        assert usable.mean() > 0.95
        assert 0.9 < z.std() < 1.1
