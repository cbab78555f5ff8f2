import warnings

import numpy as np
import pytest
from scipy import ndimage, stats

from raphe.core.clusters import clusters, neighbours, tfce
from raphe.core.mirror import averaged
from raphe.core.permutation import family_wise, observed_map, over_maps, turn
from raphe.errors import InputError
from raphe.stats.map_designs import MapDesign, ancova, interaction, one_sample, paired, slope, two_groups
from raphe.stats.map_scheme import shuffled
from raphe.stats.voxelwise import map_contrast

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nilearn.mass_univariate import permuted_ols

AFFINE = np.diag([2.0, 2, 2, 1])
MASK = np.random.default_rng(0).random((9, 8, 7)) < 0.85


def smooth_maps(n, seed, shape=MASK.shape):
    rng = np.random.default_rng(seed)
    noise = np.stack([ndimage.gaussian_filter(rng.normal(size=shape), 1) for _ in range(n)])
    return noise / noise.std()


def against_nilearn(study, tested, confounds, n_perm=2000):
    """Family-wise p values of both, and t, of the voxels of the mask."""
    own = map_contrast(study, MASK, permutations=n_perm, seed=3, statistics=("t",))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = permuted_ols(
            tested, study.maps[:, MASK], confounds, model_intercept=True,  # in the confounds it would mean sign flips
            n_perm=n_perm, two_sided_test=True,
            random_state=5, output_type="dict",
        )  # fmt: skip
    return own, theirs


GROUPS = ["drug"] * 9 + ["placebo"] * 6


@pytest.mark.parametrize("name", ["paired", "two groups", "adjusted"])
def test_t_and_corrected_p_are_those_of_nilearn(name):
    maps = smooth_maps(15, 1)
    maps[: 15 if name == "paired" else 9, 3:6, 3:6, 3:6] += 2.5
    age = np.random.default_rng(2).normal(size=15)
    member = (np.array(GROUPS) == "drug").astype(float)[:, None]
    if name == "paired":
        study, tested, confounds = paired(np.zeros_like(maps), maps), np.ones((15, 1)), None
    elif name == "two groups":
        study, tested, confounds = two_groups(maps, GROUPS, "placebo", "drug"), member, None
    else:
        study = two_groups(maps, GROUPS, "placebo", "drug", age)
        tested, confounds = member, age[:, None]
    own, theirs = against_nilearn(study, tested, confounds)
    t = own.t[MASK]
    np.testing.assert_allclose(t, theirs["t"][0], rtol=1e-5, atol=1e-6)
    p, q = 10 ** -own.logpfwe[MASK], 10 ** -theirs["logp_max_t"][0]
    assert p.min() < 0.05
    error = np.sqrt(np.maximum(q * (1 - q), 1e-3) * 2 / 2000)  # of the difference of two Monte-Carlo p values
    assert (np.abs(p - q) / error).max() < 4


def test_corrected_p_by_tfce_and_clusters_are_those_of_nilearn():
    maps = smooth_maps(15, 4).astype(np.float32)
    maps[:9, 2:6, 2:6, 2:6] += 2.0
    study = two_groups(maps, GROUPS, "placebo", "drug")
    own = map_contrast(
        study, MASK, permutations=300, seed=1, cluster_threshold=float(stats.t.isf(0.005, 13)), cluster_connectivity=6
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import nibabel as nib
        from nilearn.maskers import NiftiMasker

        masker = NiftiMasker(nib.Nifti1Image(MASK.astype(np.uint8), AFFINE), standardize=None).fit()
        theirs = permuted_ols(
            np.array([[g == "drug"] for g in GROUPS], dtype=float), maps[:, MASK],
            model_intercept=True, n_perm=300, two_sided_test=True, random_state=2, masker=masker, tfce=True,
            threshold=0.01, output_type="dict",
        )  # fmt: skip
    for mine, other, least in (
        (tfce_over_largest_t(study), theirs["logp_max_tfce"][0], 0.02),
        (by_cluster(own, "p_extent"), theirs["logp_max_size"][0], 0.0),
        (by_cluster(own, "p_mass"), theirs["logp_max_mass"][0], 0.0),
    ):
        p, q = 10**-mine, 10**-other
        assert p.min() < 0.05
        error = np.sqrt(np.maximum(q * (1 - q), 4e-3) * 2 / 300) + least  # their TFCE is a sum of 100 steps
        assert (np.abs(p - q) / error).max() < 4


def tfce_over_largest_t(study):
    """-log10 of the corrected p of TFCE in units of the map's largest t, the width of 100 steps, which nilearn has."""
    model = shuffled(study, 300, 1)
    turned, near = turn(study.maps[:, MASK], model), neighbours(MASK, 6)

    def scaled(values):
        return np.abs(tfce(values, near)) / np.abs(values).max()

    most, _ = over_maps(turned, model, lambda values: (scaled(values).max(),))
    return -np.log10(family_wise(scaled(observed_map(turned, model)), most[:, 0], share=1e-5))


def by_cluster(found, field):
    """-log10 p of each voxel's cluster, 0 outside."""
    values = np.zeros(len(found.clusters) + 1)
    values[1:] = [-np.log10(getattr(cluster, field)) for cluster in found.clusters]
    return values[np.abs(found.labels[MASK])]


def test_four_animals_print_their_floor():
    maps = smooth_maps(4, 5) * 0.01 + 1
    found = map_contrast(paired(np.zeros_like(maps), maps), MASK)
    assert (found.smallest_p, found.permutations, found.possible, found.exact, found.df) == (0.125, 16, 16, True, 3)
    assert np.nanmax(found.logpfwe) == pytest.approx(-np.log10(0.125))
    assert np.nanmin(found.p_permuted) == 0.125
    assert found.critical_t == np.inf


def test_a_drawn_sample_is_not_called_exact():
    found = map_contrast(paired(smooth_maps(13, 6), smooth_maps(13, 7)), MASK, permutations=100, statistics=("t",))
    assert (found.permutations, found.possible, found.exact) == (100, 8192, False)
    assert found.smallest_p in (0.01, 0.02)
    assert (found.tfce, found.logpfwe_tfce, found.labels, found.clusters) == (None, None, None, ())


def test_what_is_found_is_what_was_put_in():
    maps = smooth_maps(14, 8)
    maps[:, 2:6, 2:6, 2:5] += 3
    found = map_contrast(one_sample(maps), MASK, permutations=300, affine=AFFINE, seed=2)
    inside = np.zeros(MASK.shape, bool)
    inside[2:6, 2:6, 2:5] = True
    assert (10 ** -found.logpfwe[inside & MASK] < 0.05).all()
    assert (found.logpfwe_tfce[inside & MASK] > 2).all()
    np.testing.assert_allclose(found.effect[MASK], maps[:, MASK].mean(axis=0), rtol=1e-9, atol=1e-12)
    first = found.clusters[0]
    assert (first.number, first.sign, first.p_extent <= 0.02, first.p_mass <= 0.02) == (1, 1, True, True)
    assert first.volume == pytest.approx(first.voxels * 8, rel=1e-12)
    assert first.voxels == (found.labels == 1).sum()
    assert first.peak_t == np.nanmax(found.t) == found.t[first.peak]
    assert (np.abs(found.t[MASK]) > found.critical_t).sum() == (found.logpfwe[MASK] >= -np.log10(0.05)).sum()


def test_maps_of_tfce_and_clusters_are_those_of_the_map_of_t():
    found = map_contrast(one_sample(smooth_maps(14, 9)), MASK, permutations=20, cluster_p=0.05)
    np.testing.assert_allclose(found.tfce[MASK], tfce(found.t[MASK], neighbours(MASK, 6)), rtol=1e-4, atol=1e-7)
    labels, extent, _ = clusters(found.t[MASK], neighbours(MASK, 26), stats.t.isf(0.05, 13))
    np.testing.assert_array_equal(found.labels[MASK], labels)
    assert [c.voxels for c in found.clusters] == extent.tolist()
    np.testing.assert_allclose(found.p[MASK], 2 * stats.t.sf(np.abs(found.t[MASK]), 13), rtol=1e-9)


def test_voxels_that_lack_a_value_are_left_out_and_counted():
    maps = smooth_maps(8, 10)
    maps[3, 4, 4, 4] = np.nan
    maps[:, 5, 5, 5] = 1.0
    mask = MASK.copy()
    mask[4, 4, 4] = mask[5, 5, 5] = True
    found = map_contrast(one_sample(maps, against=1.0), mask, permutations=50)
    assert np.isnan(found.t[4, 4, 4])
    assert np.isnan(found.effect[5, 5, 5])
    assert (found.n[4, 4, 4], found.n[5, 5, 5], found.n[~mask].any()) == (7, 8, False)
    assert (found.analysed.sum(), np.isfinite(found.t).sum()) == (mask.sum() - 2, mask.sum() - 2)
    total = mask.sum()
    assert found.left_out == (
        f"1 of {total} voxels of the mask lack a value in at least one scan",
        "1 voxels do not vary between the scans beyond what the model says",
    )
    whole = map_contrast(one_sample(maps[:, found.analysed], 1.0), found.analysed, permutations=50)
    np.testing.assert_array_equal(whole.logpfwe, found.logpfwe)


@pytest.mark.parametrize("smoothing", [None, 6.0])
def test_threads_do_not_change_a_digit_and_a_seed_does(smoothing):
    study = two_groups(smooth_maps(15, 11), GROUPS, "drug", "placebo")
    options = {"permutations": 60, "variance_smoothing": smoothing, "affine": AFFINE}
    one, two, other = (
        map_contrast(study, MASK, seed=s, threads=k, **options) for s, k in ((1, 1), (1, 2), (2, 1))
    )  # fmt: skip
    for field in ("t", "p_permuted", "logpfwe", "logpfwe_tfce", "labels"):
        np.testing.assert_array_equal(getattr(one, field), getattr(two, field))
    assert one.clusters == two.clusters
    assert not np.array_equal(one.logpfwe, other.logpfwe, equal_nan=True)
    np.testing.assert_array_equal(one.t, other.t)


def test_smoothing_the_variance_tames_few_scans():
    maps = smooth_maps(4, 12)
    plain, pseudo = (
        map_contrast(one_sample(maps), MASK, variance_smoothing=width, affine=AFFINE) for width in (None, 8.0)
    )
    assert np.nanmax(np.abs(pseudo.t)) < 0.7 * np.nanmax(np.abs(plain.t))
    np.testing.assert_array_equal(pseudo.effect, plain.effect)
    assert np.isnan(pseudo.p).all()
    assert (pseudo.smallest_p, pseudo.variance_smoothing, plain.variance_smoothing) == (0.125, 8.0, None)
    assert set(np.round(np.unique(10 ** -pseudo.logpfwe[MASK]) * 16, 6)) <= set(range(2, 17, 2))
    assert set(np.unique(pseudo.p_permuted[MASK]) * 16) <= set(range(2, 17, 2))


def test_an_interaction_is_the_difference_of_differences():
    a, b, c, d = (smooth_maps(6, seed) for seed in (13, 14, 15, 16))
    found = map_contrast(interaction(a, b, c, d), MASK, statistics=("t",))
    theirs = stats.ttest_1samp((b - a - (d - c))[:, MASK], 0, axis=0)
    np.testing.assert_allclose(found.t[MASK], theirs.statistic, rtol=1e-8)
    np.testing.assert_allclose(found.p[MASK], theirs.pvalue, rtol=1e-7)


def test_whole_numbers_do_not_wrap_round():
    low, high = np.full((3, 2), 1, np.uint8), np.full((3, 2), 200, np.uint8)
    np.testing.assert_array_equal(paired(high, low).maps, -199)
    np.testing.assert_array_equal(one_sample(low, 1.5).maps, -0.5)


def test_a_slope_is_that_of_scipy():
    maps, dose = smooth_maps(10, 17), np.linspace(0, 3, 10) ** 2
    found = map_contrast(slope(maps, dose), MASK, permutations=20, statistics=("t",))
    theirs = [stats.linregress(dose, values) for values in maps[:, MASK].T]
    np.testing.assert_allclose(found.effect[MASK], [fit.slope for fit in theirs], rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(found.p[MASK], [fit.pvalue for fit in theirs], rtol=1e-6)


@pytest.mark.parametrize("listed", [False, True], ids=["strata", "listed"])
def test_ancova_adjusts_each_voxel_for_its_own_baseline(listed):
    before, groups = smooth_maps(12, 18), np.array(["a", "b"] * 6)
    after = 0.7 * before + smooth_maps(12, 19) + 0.5 * (groups == "b")[:, None, None, None]
    strata = [k // 4 for k in range(12)]
    options = {"strata": strata}
    if listed:
        every = np.array(
            [np.roll(groups == "b", k) for k in (0, 1)] + [np.repeat([0, 1], 6), np.repeat([1, 0], 6)], float
        )
        options = {"allocations": every, "all_allocations": True}
    found = map_contrast(ancova(before, after, list(groups), "a", "b", **options), MASK, statistics=("t",))
    assert (found.df, found.exact) == (9, True)
    assert found.permutations == (4 if listed else 6**3)
    assert found.smallest_p == pytest.approx(2 / found.permutations)
    for at in np.argwhere(MASK)[:40]:
        own = (slice(None), *at)
        x = np.column_stack([np.ones(12), groups == "b", before[own]])
        beta, rss, *_ = np.linalg.lstsq(x, after[own], rcond=None)
        se = np.sqrt(rss[0] / 9 * np.linalg.inv(x.T @ x)[1, 1])
        assert found.effect[tuple(at)] == pytest.approx(beta[1], rel=1e-8)
        assert found.t[tuple(at)] == pytest.approx(beta[1] / se, rel=1e-8)


def test_a_random_sample_of_allocations_has_the_observed_one_added():
    rng = np.random.default_rng(20)
    member = np.repeat([0.0, 1.0], 5)
    drawn = np.array([rng.permutation(member) for _ in range(99)])
    study = MapDesign(
        smooth_maps(10, 21), np.column_stack([member, np.ones(10)]), np.eye(2)[0], "allocation", allocations=drawn
    )
    found = map_contrast(study, MASK, statistics=("t",))
    assert (found.permutations, found.exact) == (100, False)
    assert found.smallest_p >= 0.01


def test_exchange_within_blocks_is_a_sign_flip_of_pairs():
    """Scans of pairs, exchanged within each: as the sign flips of their differences, all 64 of each."""
    first, second = smooth_maps(6, 22), smooth_maps(6, 23)
    maps, pair = np.concatenate([first, second]), np.tile(np.arange(6), 2)
    design = np.column_stack([np.repeat([0.0, 1.0], 6), np.eye(6)[pair]])
    blocked = map_contrast(MapDesign(maps, design, np.eye(7)[0], "within-blocks", tuple(pair)), MASK)
    flipped = map_contrast(paired(first, second), MASK)
    assert blocked.permutations == flipped.permutations == 64
    np.testing.assert_allclose(blocked.t, flipped.t, rtol=1e-8)
    np.testing.assert_allclose(blocked.logpfwe, flipped.logpfwe, atol=1e-12)
    np.testing.assert_allclose(blocked.p_permuted, flipped.p_permuted, atol=1e-12)
    np.testing.assert_allclose(blocked.logpfwe_tfce, flipped.logpfwe_tfce, atol=1e-12)


def test_hemispheres_may_be_averaged_before():
    maps = smooth_maps(6, 24)
    affine = AFFINE.copy()
    affine[0, 3] = -8
    both = np.stack([averaged(each, affine) for each in maps])
    found = map_contrast(one_sample(both), MASK & MASK[::-1], permutations=50, statistics=("t",))
    np.testing.assert_array_equal(found.t, found.t[::-1])


MAPS = smooth_maps(6, 25)
BAD = {
    "statistic": (
        lambda: map_contrast(one_sample(MAPS), MASK, statistics=("z",)),
        "no statistic 'z'; there are t, tfce",
    ),
    "empty mask": (lambda: map_contrast(one_sample(MAPS), MASK & False), "bool values, 0 of them not 0"),
    "mask of numbers": (lambda: map_contrast(one_sample(MAPS), MASK.astype(int)), "give one of bool"),
    "grid": (
        lambda: map_contrast(one_sample(MAPS[:, :-1]), MASK),
        r"maps have shape \(8, 8, 7\), the mask \(9, 8, 7\)",
    ),
    "no complete voxel": (lambda: map_contrast(one_sample(MAPS * np.nan), MASK), "has a value in all 6 scans"),
    "constant": (lambda: map_contrast(one_sample(MAPS * 0), MASK), "the maps are constant"),
    "no affine": (lambda: map_contrast(one_sample(MAPS), MASK, variance_smoothing=6.0), "give the affine"),
    "threshold": (lambda: map_contrast(one_sample(MAPS), MASK, cluster_threshold=-2.0), "is -2; give a positive t"),
    "cluster p": (lambda: map_contrast(one_sample(MAPS), MASK, cluster_p=0.7), "is 0.7; give one between 0 and 0.5"),
    "shapes": (lambda: paired(MAPS, MAPS[:5]), r"\(6, 9, 8, 7\), the second \(5, 9, 8, 7\)"),
    "one": (lambda: one_sample(MAPS[:1]), "1 participant; a mean"),
    "third group": (lambda: two_groups(MAPS, list("aabbbc"), "a", "b"), "scan 6 is of group 'c', but 'a' and 'b'"),
    "one left": (lambda: two_groups(MAPS, list("abbbbb"), "a", "b"), "group 'a' has 1 scans"),
    "groups": (lambda: two_groups(MAPS, list("ab"), "a", "b"), "6 maps, but 2 entries of groups"),
    "covariate": (
        lambda: two_groups(MAPS, list("aaabbb"), "a", "b", [1, 2, np.nan, 3, 4, 5]),
        "covariate 1 has no finite value in scan 3",
    ),
    "constant covariate": (lambda: slope(MAPS, [2.0] * 6), "covariate 1 is 2 in every scan"),
    "covariate rows": (lambda: slope(MAPS, [2.0, 3.0]), r"6 maps, but the covariates have shape \(2, 1\)"),
    "confounded": (
        lambda: map_contrast(two_groups(MAPS, list("aaabbb"), "a", "b", [0, 0, 0, 1, 1, 1]), MASK),
        "the contrast cannot be estimated",
    ),
    "too many": (
        lambda: map_contrast(
            two_groups(MAPS, list("aaabbb"), "a", "b", np.random.default_rng(1).normal(size=(6, 4))), MASK
        ),
        "leave no degree of freedom",
    ),
    "scheme": (lambda: MapDesign(MAPS, np.ones((6, 1)), np.ones(1), "swap"), "'swap'; there are sign, permute"),
    "rows": (lambda: MapDesign(MAPS, np.ones((5, 1)), np.ones(1), "sign"), "6 maps, but the design has 5 rows"),
    "no blocks": (lambda: MapDesign(MAPS, np.ones((6, 1)), np.ones(1), "whole-blocks"), "needs the block of each"),
    "blocks": (lambda: MapDesign(MAPS, np.ones((6, 1)), np.ones(1), "sign", (1, 2)), "2 entries of blocks, but 6"),
    "idle blocks": (lambda: MapDesign(MAPS, np.ones((6, 1)), np.ones(1), "permute", (1,) * 6), "no heed of blocks"),
    "covariate maps": (
        lambda: MapDesign(MAPS, np.ones((6, 1)), np.ones(1), "sign", covariate_maps=(MAPS,)),
        "need the scheme 'allocation'",
    ),
    "a mean exchanged": (
        lambda: map_contrast(MapDesign(MAPS, np.ones((6, 1)), np.ones(1), "permute"), MASK),
        "flip signs to test a mean",
    ),
    "not in the list": (
        lambda: map_contrast(
            ancova(MAPS, MAPS + 1, list("aaabbb"), "a", "b", allocations=[[0, 1] * 3], all_allocations=True), MASK
        ),
        "observed one is not among them",
    ),
    "list": (
        lambda: map_contrast(ancova(MAPS, MAPS, list("aaabbb"), "a", "b", allocations=[[0, 1]]), MASK),
        r"allocations have shape \(1, 2\)",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_said(name):
    call, message = BAD[name]
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["12 paired", "20 v 10"])
def test_chance_is_called_an_effect_in_one_study_of_twenty(name):
    """250 studies of smooth noise, 40 permutations: a test at 5 % rejects in exactly 2 of 40."""
    shape, studies, bar = (16, 16, 16), 250, -np.log10(0.05) - 1e-9
    mask, seen = np.ones(shape, bool), np.zeros(4)
    for seed in range(studies):
        maps = smooth_maps(12 if name == "12 paired" else 30, [seed, 3], shape)
        study = one_sample(maps) if len(maps) == 12 else two_groups(maps, ["a"] * 20 + ["b"] * 10, "a", "b")
        found = map_contrast(study, mask, permutations=40, seed=seed, cluster_p=0.01)
        seen += [
            np.nanmax(found.logpfwe) >= bar,
            np.nanmax(found.logpfwe_tfce) >= bar,
            any(cluster.p_extent <= 0.05 for cluster in found.clusters),
            any(cluster.p_mass <= 0.05 for cluster in found.clusters),
        ]
    share, error = seen / studies, np.sqrt(0.05 * 0.95 / studies)
    assert (share < 0.05 + 2.6 * error).all()
    assert (share[[0, 1, 3]] > 0.05 - 2.6 * error).all()  # extents are whole numbers, whose ties make that one lower
