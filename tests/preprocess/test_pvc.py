"""Against phantoms whose blur is known in closed form: slabs, of which a Gaussian makes error functions."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import erf

from raphe.core.frames import Frames
from raphe.data.image import Grid
from raphe.data.volume import DynamicImage, Volume
from raphe.errors import InputError
from raphe.preprocess.extract import RegionShares
from raphe.preprocess.pvc.blur import FWHM_TO_SIGMA, Blur, OffCentre, blur_of
from raphe.preprocess.pvc.correct import correct
from raphe.preprocess.pvc.registry import correction, corrections
from raphe.preprocess.pvc.reliability import reliability
from raphe.preprocess.pvc.setting import SURROUNDINGS, setting_for

GRID = Grid((64, 32, 32), np.diag([2.0, 2.0, 2.0, 1.0]))
FRAMES = Frames(np.array([0.0, 10.0]), np.array([10.0, 10.0]))
FWHM = 6.0
SLABS = {"other": (0.0, 40.0, 1.0), "grey": (40.0, 50.0, 4.0), "white": (50.0, 128.0, 2.0)}
"""Edges along x from the grid's edge, mm, and activity in the first frame; twice as much in the second."""


def slab(low, high, sigma=0.0):
    """Mean over each voxel along x of a slab, blurred by a Gaussian, (nx,)."""
    edges = 2.0 * np.arange(65)

    def integral(at):
        if sigma == 0:
            return np.clip(at - low, 0, high - low)
        total = 0.0
        for place, sign in ((low, 1), (high, -1)):
            u = (at - place) / (np.sqrt(2) * sigma)
            step = 0.5 * ((at - place) * (1 + erf(u)) + sigma * np.sqrt(2 / np.pi) * np.exp(-(u**2)))
            total = total + sign * step
        return total

    return np.diff(integral(edges)) / 2.0


def phantom():
    """Image of long slabs, reflected at no edge: the field of view ends in air on both sides."""
    names = tuple(SLABS)
    rows = [np.broadcast_to(slab(a, b)[:, None, None], GRID.shape).reshape(-1) for a, b, _ in SLABS.values()]
    shares = sparse.csr_array(np.array(rows))
    volume = np.asarray(shares.sum(axis=1)).ravel() * 8
    sigma = FWHM * FWHM_TO_SIGMA
    line = sum(level * slab(a, b, sigma) for a, b, level in SLABS.values())
    image = np.broadcast_to(line[:, None, None], GRID.shape)
    activity = np.array([image, 2 * image], dtype=np.float32)
    return RegionShares(GRID, names, shares, volume, np.ones(len(names))), DynamicImage(GRID, FRAMES, activity, 20.0)


def along_x():
    """Blur along x alone, for slabs have no other edges."""
    return (FWHM, 1e-3, 1e-3)


def true_means():
    return np.array([level for _, _, level in SLABS.values()])


def setting():
    regions, image = phantom()
    grey, white = (
        Volume(GRID, np.asarray(regions.shares[[row]].todense()).reshape(GRID.shape).astype(np.float32))
        for row in (1, 2)
    )
    return setting_for(regions, along_x(), grey, white), image


@pytest.mark.parametrize(
    ("name", "share"), [("GTM", 0.01), ("Labbe", 0.01), ("RBV", 0.03), ("IY", 0.03), ("MTC", 0.03)]
)
def test_means_of_slabs_come_back(name, share):
    own, image = setting()
    found, step = correct(image, own, correction(name))
    assert found.tacs.names == tuple(SLABS)
    np.testing.assert_allclose(found.tacs.activity[:, 0], true_means(), rtol=share)
    np.testing.assert_allclose(found.tacs.activity[:, 1], 2 * true_means(), rtol=share)
    assert step.parameters["method"] == name
    uncorrected = image.activity[0].reshape(-1) @ own.regions.shares[[1]].toarray()[0] / own.regions.shares[[1]].sum()
    assert uncorrected < 0.9 * 4.0  # there is something to correct


def test_grey_matter_between_fluid_and_white_matter_comes_back():
    """Mueller-Gaertner has no activity in fluid: the same slabs with none in the first."""
    own, _ = setting()
    sigma = FWHM * FWHM_TO_SIGMA
    line = 4.0 * slab(40, 50, sigma) + 2.0 * slab(50, 128, sigma)
    activity = np.broadcast_to(line[:, None, None], (2, *GRID.shape)).astype(np.float32)
    found, _ = correct(DynamicImage(GRID, FRAMES, activity, 20.0), own, correction("MG"))
    assert found.tacs.activity[1, 0] == pytest.approx(4.0, rel=0.03)


@pytest.mark.parametrize("name", ["RL", "VC"])
def test_deconvolution_recovers_more_than_the_image_has(name):
    own, image = setting()
    found, _ = correct(image, own, correction(name))
    before = image.activity[0].reshape(-1) @ own.regions.shares[[1]].toarray()[0] / own.regions.shares[[1]].sum()
    assert before < found.tacs.activity[1, 0] < 4.2
    assert found.image is not None
    assert (found.image.activity >= 0).all()


def test_a_wrong_resolution_is_felt():
    regions, image = phantom()
    for wrong, sign in ((0.8, -1), (1.2, 1)):
        own = setting_for(regions, (wrong * FWHM, 1e-3, 1e-3))
        found, _ = correct(image, own, correction("GTM"))
        assert sign * (found.tacs.activity[1, 0] - 4.0) > 0.1


@pytest.mark.parametrize("fwhm", [(8.0, 12.0, 16.0), (2.0, 1.0, 3.0)])
def test_blur_is_a_gaussian_of_its_width_however_narrow(fwhm):
    point = np.zeros((41, 41, 41), dtype=np.float32)
    point[20, 20, 20] = 1
    blurred = blur_of(Grid((41, 41, 41), np.diag([2.0, 2.0, 2.0, 1.0])), fwhm)(point)
    assert blurred.min() >= 0
    index = np.indices(point.shape) - 20
    for axis, width in enumerate(fwhm):
        variance = (blurred * index[axis] ** 2).sum() * 4
        assert np.sqrt(variance) == pytest.approx(width * FWHM_TO_SIGMA, rel=0.01)


@pytest.mark.parametrize("fwhm", [1.0, 2.0, 3.0, 5.0])
def test_shares_of_voxels_are_blurred_without_bias_wherever_the_edge_lies(fwhm):
    """Voxels of 2 mm: a slab of 10 mm whose edges lie anywhere, of which the blur leaves what it should, on average."""
    grid = Grid((64, 1, 1), np.diag([2.0, 2.0, 2.0, 1.0]))
    blur, sigma = Blur((fwhm, 0.0, 0.0), grid.zooms, "shares"), fwhm * FWHM_TO_SIGMA
    kept, wanted = [], []
    for low in np.arange(50.0, 52.0, 0.05):
        share = slab(low, low + 10)
        kept.append(share @ blur(share[:, None, None]).ravel() / share.sum())
        wanted.append(share @ slab(low, low + 10, sigma) / share.sum())
    assert np.mean(kept) == pytest.approx(np.mean(wanted), abs=1e-3)
    assert np.abs(np.subtract(kept, wanted)).max() < 0.03


def test_surroundings_hold_what_is_left_of_the_voxels():
    regions, _ = phantom()
    part = regions.rows(("grey",))
    own = setting_for(part, along_x())
    assert own.regions.names == ("grey", SURROUNDINGS)
    whole = np.asarray(own.regions.shares.sum(axis=0)).ravel().reshape(GRID.shape)[:, 0, 0]
    np.testing.assert_allclose(whole[15:30], 1.0)  # two FWHM around 40 to 50 mm
    assert whole[:13].max() == 0


@pytest.mark.parametrize("name", ["GTM", "Labbe", "RBV", "MTC"])
def test_a_resolution_that_is_wider_off_the_axis(name):
    """Slabs whose blur along x grows with the square of the distance from the axis, as the closed form has it."""
    regions, _ = phantom()
    radius, wider = 30.0, 1.5 * FWHM
    x, y = ((np.arange(n) - (n - 1) / 2) * 2.0 for n in GRID.shape[:2])
    share = np.minimum((x[:, None] ** 2 + y**2) / radius**2, 1)
    lines = [
        sum(level * slab(a, b, width * FWHM_TO_SIGMA) for a, b, level in SLABS.values()) for width in (FWHM, wider)
    ]
    image = ((1 - share) * lines[0][:, None] + share * lines[1][:, None])[:, :, None]
    activity = np.broadcast_to(image.astype(np.float32), (2, *GRID.shape))
    shown = DynamicImage(GRID, FRAMES, np.ascontiguousarray(activity), 20.0)
    grey = Volume(GRID, np.asarray(regions.shares[[1]].todense()).reshape(GRID.shape).astype(np.float32))
    found = []
    for off in (OffCentre((wider, 1e-3, 1e-3), radius), None):
        own = setting_for(regions, along_x(), grey, grey, off_centre=off)
        found.append(correct(shown, own, correction(name))[0].tacs.activity[:, 0])
    np.testing.assert_allclose(found[0], true_means(), rtol=0.02)
    assert np.abs(found[1] / true_means() - 1).max() > 0.05
    right = setting_for(regions, along_x(), off_centre=OffCentre((wider, 1e-3, 1e-3), radius))
    assert right.blur.fwhm == along_x()
    np.testing.assert_allclose(right.with_width(1.2).blur.off_centre.fwhm[0], 1.2 * wider)


def test_a_region_may_have_parts_of_their_own_activity():
    """Of a slab that binds more on one side: the mean of both is told, and one of them alone."""
    sigma = FWHM * FWHM_TO_SIGMA
    slabs = {"near": (36.0, 44.0, 4.0), "far": (44.0, 56.0, 2.5), "white": (56.0, 128.0, 2.0)}
    rows = [np.broadcast_to(slab(a, b)[:, None, None], GRID.shape).reshape(-1) for a, b, _ in slabs.values()]
    line = sum(level * slab(a, b, sigma) for a, b, level in slabs.values())
    image = DynamicImage(GRID, FRAMES, np.tile(np.float32(line)[:, None, None], (2, 1, *GRID.shape[1:])), 20.0)
    shares = sparse.csr_array(np.array(rows))
    regions = RegionShares(GRID, tuple(slabs), shares, np.asarray(shares.sum(axis=1)).ravel() * 8, np.ones(3))
    wholes = {"both": ("near", "far"), "alone": ("far",)}
    for name in ("GTM", "Labbe", "RBV"):
        method = correction(name)
        own, each = setting_for(regions, along_x(), wholes=wholes), setting_for(regions, along_x())
        tacs = correct(image, own, method)[0].tacs
        assert tacs.names == ("both", "alone")
        np.testing.assert_allclose(tacs.activity[:, 0], [(8 * 4 + 12 * 2.5) / 20, 2.5], rtol=0.01)
        np.testing.assert_allclose(tacs.volumes, own.volumes)
        assert own.volumes[0] == pytest.approx(each.volumes[:2].sum())
        wrong = {1.2: own.with_width(1.2)}, {1.2: each.with_width(1.2)}
        found, parts = (reliability(image.activity[0], s, method, w) for s, w in zip((own, each), wrong, strict=True))
        np.testing.assert_allclose(found.amplification[1], parts.amplification[1], rtol=0.3 if name == "RBV" else 1e-9)
        if name != "RBV":
            join = np.array([0.4, 0.6])
            assert found.covariance[0, 0] == pytest.approx(join @ parts.covariance[:2, :2] @ join)


def test_a_whole_without_a_part_in_sight_is_that_of_the_rest():
    regions, image = phantom()
    gone = RegionShares(
        GRID, (*regions.names, "beyond"), sparse.csr_array(sparse.vstack([regions.shares, 0 * regions.shares[[0]]])),
        np.append(regions.volumes, 500.0), np.append(regions.seen, 0.0),
    )  # fmt: skip
    own = setting_for(gone, along_x(), wholes={"grey": ("grey", "beyond"), "none": ("beyond",)})
    tacs = correct(image, own, correction("GTM"))[0].tacs
    assert tacs.activity[0, 0] == pytest.approx(4.0, rel=0.01)
    assert np.isnan(tacs.activity[1]).all()


def test_every_method_is_found_and_cites():
    assert set(corrections()) == {"GTM", "Labbe", "RBV", "IY", "MG", "MTC", "RL", "VC"}
    assert all(one.citations and one.title for one in corrections().values())
    assert correction("gtm").name == "GTM"
    with pytest.raises(InputError, match="no partial-volume correction 'gmt'"):
        correction("gmt")


def test_tissue_is_asked_for():
    regions, image = phantom()
    with pytest.raises(InputError, match="grey and white"):
        correct(image, setting_for(regions, along_x()), correction("MG"))
