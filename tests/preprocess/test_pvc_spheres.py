"""Against spheres as large as nuclei, whose blur is known in closed form."""

import functools

import numpy as np
import pytest
from scipy import integrate, ndimage, sparse

from raphe.core.frames import Frames
from raphe.data.image import Grid
from raphe.data.volume import DynamicImage, Volume
from raphe.preprocess.extract import RegionShares
from raphe.preprocess.pvc.blur import FWHM_TO_SIGMA
from raphe.preprocess.pvc.correct import correct
from raphe.preprocess.pvc.registry import correction
from raphe.preprocess.pvc.reliability import LEVEL, WRONG, reliability
from raphe.preprocess.pvc.setting import setting_for
from raphe.simulate.spheres import Sphere, blurred_sphere, head_of_spheres, sphere_image

HEAD = head_of_spheres()
GREY = ("putamen", "hippocampus", "nucleus_accumbens", "cortex")
TRUE = np.array([activity for _, activity in HEAD.values()])
FRAMES = Frames(np.array([0.0, 10.0]), np.array([10.0, 10.0]))
CASES = [(2.6, 2.0), (2.6, 2.6), (4.0, 2.0), (6.5, 2.6)]
"""FWHM and voxel, mm."""


@functools.cache
def phantom(fwhm, zoom):
    """Setting, image and means of the image, of which the last is that of the first frame."""
    n = int(np.ceil((2 * 39 + 4 * fwhm + 4) / zoom))
    affine = np.diag([zoom, zoom, zoom, 1.0])
    affine[:3, 3] = -zoom * (n - 1) / 2 + np.array([0.3, -0.2, 0.1])
    grid = Grid((n, n, n), affine)
    sharp = {name: sphere_image(sphere, grid, samples=5) for name, (sphere, _) in HEAD.items()}
    shares = sparse.csr_array(np.array([one.ravel() for one in sharp.values()]))
    regions = RegionShares(
        grid, tuple(HEAD), shares, np.asarray(shares.sum(axis=1)).ravel() * zoom**3, np.ones(len(HEAD))
    )
    grey = Volume(grid, sum(sharp[name] for name in GREY).astype(np.float32))
    setting = setting_for(regions, (fwhm,) * 3, grey, Volume(grid, sharp["white"].astype(np.float32)))
    image = sum(activity * sphere_image(sphere, grid, fwhm, 4) for sphere, activity in HEAD.values())
    image = image.astype(np.float32)
    return setting, DynamicImage(grid, FRAMES, np.array([image, 2 * image]), 20.0), setting.means(image)[:-1]


def errors(name, fwhm, zoom):
    """Per cent by region, and for fluid, which has no activity, per cent of white matter's."""
    setting, image, _ = phantom(fwhm, zoom)
    found, _ = correct(image, setting, correction(name))
    np.testing.assert_allclose(found.tacs.activity[:, 1], 2 * found.tacs.activity[:, 0], rtol=1e-3, atol=1e-3)
    error = 100 * (found.tacs.activity[:, 0] - TRUE) / np.where(TRUE > 0, TRUE, 2.0)
    return dict(zip(HEAD, error, strict=True))


def test_the_closed_form_is_the_integral_of_a_gaussian_over_the_sphere():
    """By shells: a Gaussian around a point at distance r, integrated over directions and radii by quadrature."""
    radius, sigma = 5.0, 2.0
    for r in (0.0, 0.5, 3.0, 5.0, 9.0):

        def shell(s, r=r):
            near, far = np.exp(-((r - s) ** 2) / (2 * sigma**2)), np.exp(-((r + s) ** 2) / (2 * sigma**2))
            around = 2 * s / sigma**2 * near if r == 0 else (near - far) / r
            return s * around / (np.sqrt(2 * np.pi) * sigma)

        expected = integrate.quad(shell, 0, radius)[0]
        assert blurred_sphere(np.array([r]), radius, sigma)[0] == pytest.approx(expected, rel=1e-5)


def test_a_sphere_keeps_its_activity_through_the_blur():
    grid = Grid((30, 30, 30), np.diag([2.0, 2.0, 2.0, 1.0]))
    ball = Sphere((29.3, 28.1, 30.7), 8.0)
    for fwhm in (0.0, 4.0):
        volume = sphere_image(ball, grid, fwhm).sum() * 8
        assert volume == pytest.approx(4 / 3 * np.pi * 8.0**3, rel=2e-3)
    shell = Sphere(ball.centre, 10.0, (ball,))
    np.testing.assert_allclose(
        sphere_image(shell, grid, 4.0) + sphere_image(ball, grid, 4.0),
        sphere_image(Sphere(ball.centre, 10.0), grid, 4.0),
        atol=1e-12,
    )


@pytest.mark.parametrize(("fwhm", "zoom"), CASES)
@pytest.mark.parametrize(
    ("name", "most"), [("GTM", 1.0), ("Labbe", 1.0), ("RBV", 3.0), ("IY", 3.0), ("MTC", 3.0), ("MG", 3.0)]
)
def test_means_of_spheres_come_back(name, most, fwhm, zoom):
    """Mueller-Gaertner tells of grey matter alone."""
    told = GREY if name == "MG" else tuple(HEAD)
    found = errors(name, fwhm, zoom)
    if name == "IY":  # it multiplies, and so comes to nothing but slowly
        assert abs(found.pop("fluid")) < 10
        told = tuple(found)
    assert max(abs(found[region]) for region in told) < most
    _, _, before = phantom(fwhm, zoom)
    assert before[2] < 0.8 * TRUE[2]  # there is something to correct


@pytest.mark.parametrize(("fwhm", "zoom"), [(4.0, 2.0), (6.5, 2.6)])
@pytest.mark.parametrize("name", ["RL", "VC"])
def test_deconvolution_gives_back_some_of_every_sphere(name, fwhm, zoom):
    found = errors(name, fwhm, zoom)
    _, _, before = phantom(fwhm, zoom)
    for region in GREY:
        at = list(HEAD).index(region)
        was = 100 * (before[at] / TRUE[at] - 1)
        assert 0.8 * was < found[region] < 0 or 0.4 * was < found[region] < 0
        assert abs(found[region]) < 0.8 * abs(was)


def test_sharp_images_hold_the_true_activity_inside_the_regions():
    setting, image, _ = phantom(4.0, 2.0)
    inside = setting.regions.shares[[0]].toarray().reshape(setting.grid.shape) > 0.999
    for name in ("RBV", "IY", "MTC", "MG"):
        found, _ = correct(image, setting, correction(name))
        assert found.image is not None
        np.testing.assert_allclose(found.image.activity[0][inside], 8.0, rtol=0.05)


def noisy(method, setting, frame, grain, n, level):
    """Standard deviations of plain and of corrected means over realisations that are made here, by convolution."""
    random = np.random.default_rng(7)
    sigma = grain * FWHM_TO_SIGMA / setting.grid.zooms[0]
    plain, corrected = [], []
    for _ in range(n):
        noise = random.standard_normal(frame.shape)
        if sigma:
            noise = ndimage.gaussian_filter(noise, sigma, mode="wrap")
        noise = (level * noise / noise.std()).astype(np.float32)
        plain.append(setting.means(frame + noise))
        corrected.append(method.correct(setting, frame + noise).means)
    return np.std(plain, axis=0)[:-1], np.std(corrected, axis=0)[:-1], np.cov(np.array(corrected).T)[:-1, :-1]


@pytest.mark.parametrize(
    ("name", "grain"),
    [(name, 0.0) for name in ("GTM", "Labbe", "RBV", "IY", "MTC", "MG", "RL", "VC")] + [("GTM", 6.0), ("RBV", 6.0)],
)
def test_noise_grows_as_is_said(name, grain):
    """By Monte Carlo with a noise that is coarse as the simulator makes it."""
    setting, image, _ = phantom(6.5, 2.6)
    method, frame = correction(name), image.activity[0]
    told = reliability(frame, setting, method, {}, (grain,) * 3)
    n = 50 if name in ("RL", "VC") else 200
    level = LEVEL * np.abs(setting.means(frame)).mean()
    plain, corrected, covariance = noisy(method, setting, frame, grain, n, level)
    regions = [at for at, region in enumerate(HEAD) if region in GREY or (name in ("GTM", "Labbe"))]
    linear = told.covariance is not None
    assert linear == (name in ("GTM", "Labbe"))
    np.testing.assert_allclose(told.amplification[regions], (corrected / plain)[regions], rtol=0.12 if linear else 0.2)
    if told.covariance is not None:
        scale = np.sqrt(np.outer(np.diag(told.covariance), np.diag(told.covariance)))
        np.testing.assert_allclose(covariance / level**2 / scale, told.covariance / scale, atol=0.25)
        assert told.amplification[2] > 1.5  # the smallest sphere
    again = reliability(frame, setting, method, {}, (grain,) * 3)
    np.testing.assert_array_equal(told.amplification, again.amplification)


@pytest.mark.parametrize("name", ["RBV", "IY"])
def test_noise_does_not_grow_where_there_is_nothing(name):
    """Fluid and air have no activity: a quotient of noise by next to nothing was 6 and 300 times as noisy there."""
    setting, image, _ = phantom(2.6, 2.0)
    level = LEVEL * np.abs(setting.means(image.activity[0])).mean()
    plain, corrected, _ = noisy(correction(name), setting, image.activity[0], 0.0, 30, level)
    assert (corrected / plain).max() < 2


@pytest.mark.parametrize("name", ["GTM", "RBV", "RL"])
def test_a_wrong_resolution_is_told_by_region(name):
    """The image has a width that is 1.2 times what is said: the correction with the factor 1.2 is right."""
    true, image, _ = phantom(6.5, 2.6)
    said = true.with_width(1 / 1.2)
    method, frame = correction(name), image.activity[0]
    told = reliability(frame, said, method, {factor: said.with_width(factor) for factor in WRONG})
    with_said, _ = correct(image, said, method)
    right, _ = correct(image, true, method)
    np.testing.assert_allclose(
        told.sensitivity[1.2][:3] * with_said.tacs.activity[:3, 0], right.tacs.activity[:3, 0], rtol=1e-3
    )
    assert told.sensitivity[0.8][2] < 0.97 < 1.03 < told.sensitivity[1.2][2]


def test_a_region_out_of_view_has_no_figures():
    setting, image, _ = phantom(6.5, 2.6)
    own = setting.regions
    shares = own.shares.tolil()
    shares[2] = 0
    rest = RegionShares(own.grid, own.names[:-1], sparse.csr_array(shares)[:-1], own.volumes[:-1], own.seen[:-1])
    without = setting_for(rest, (6.5,) * 3)
    for name in ("GTM", "RBV"):
        told = reliability(image.activity[0], without, correction(name), {1.2: without.with_width(1.2)})
        assert np.flatnonzero(np.isnan(told.amplification)).tolist() == [2]
        assert np.isnan(told.sensitivity[1.2][2])
        found, _ = correct(image, without, correction(name))
        assert np.isnan(found.tacs.activity[2]).all()
        assert np.isfinite(found.tacs.activity[[0, 1, 3]]).all()
