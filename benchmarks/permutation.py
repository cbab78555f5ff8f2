"""Voxelwise contrasts by permutation: time against nilearn, the same answers, and how often chance is called an effect.

Run as ``OMP_NUM_THREADS=1 python benchmarks/permutation.py [--time] [--errors] [--studies 2000]``. Prints the tables of
docs/group-maps.md.

Time: 235,000 voxels in an ellipsoid on the 2-mm grid of the MNI template, 30 maps of smooth noise with an effect in a
ball. Each row is one run of both on the same data, one after the other; CPU time of the process beside wall time, for
the machine is shared. nilearn's ``permuted_ols`` runs fewer permutations and is scaled: what 5,000 take is the time of
a run without any, plus 5,000 times what a permutation takes more in a run of 300.
Its intercept is asked for: a constant among the confounds it takes for a test by sign flips.

Errors: maps of smooth noise, 20 x 20 x 20 voxels, FWHM 3 voxels, no effect; the share of studies in which any voxel, or
cluster, has a corrected p of 0.05 or less. With 40 permutations a test at 5 % is still one at exactly 5 %.
"""

from __future__ import annotations

import argparse
import time
import warnings

import nibabel as nib
import numpy as np
from scipy.ndimage import gaussian_filter

from raphe.core.clusters import neighbours, tfce
from raphe.core.permutation import family_wise, observed_map, over_maps, turn
from raphe.core.smoothing import FWHM
from raphe.stats.map_designs import one_sample, paired, two_groups
from raphe.stats.map_scheme import shuffled
from raphe.stats.voxelwise import map_contrast

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nilearn.maskers import NiftiMasker
    from nilearn.mass_univariate import permuted_ols

SHAPE, AFFINE = (91, 109, 91), np.diag([2.0, 2, 2, 1])
AXES = np.indices(SHAPE)
RADIUS = sum(((axis - size / 2 + 0.5) / (size / 2)) ** 2 for axis, size in zip(AXES, SHAPE, strict=True))
MASK = RADIUS <= np.sort(RADIUS, axis=None)[234_999]
BALL = sum((axis - centre) ** 2 for axis, centre in zip(AXES, (30, 60, 45), strict=True)) < 36
GROUPS = ["drug"] * 20 + ["placebo"] * 10
PERMUTATIONS = 5000


def noise(n, seed, shape=SHAPE, width=3.0):
    """Maps of smooth noise with SD 1; ``width`` is the FWHM in voxels."""
    rng = np.random.default_rng(seed)
    maps = np.empty((n, *shape), np.float32)
    for each in maps:
        each[:] = gaussian_filter(rng.normal(size=shape).astype(np.float32), width / FWHM)
    return maps / maps.std()


def timed(call):
    """Answer, wall time and CPU time, s."""
    wall, cpu = time.perf_counter(), time.process_time()
    answer = call()
    return answer, time.perf_counter() - wall, time.process_time() - cpu


def design(name):
    """Study, and the same as nilearn takes it."""
    maps = noise(30, 1)
    if name == "paired":
        maps[:, BALL] += 1.2
        return paired(np.zeros_like(maps), maps), np.ones((30, 1)), None
    maps[:20, BALL] += 2.0
    member = np.array([[group == "drug"] for group in GROUPS], dtype=float)
    if name == "two groups":
        return two_groups(maps, GROUPS, "placebo", "drug"), member, None
    age = np.random.default_rng(2).normal(size=30)
    return two_groups(maps, GROUPS, "placebo", "drug", age), member, age[:, None]


def nilearn_of(study, tested, confounds, n_perm, jobs=1, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return permuted_ols(
            tested, study.maps[:, MASK], confounds, model_intercept=True, n_perm=n_perm, two_sided_test=True,
            random_state=1, n_jobs=jobs, output_type="dict", **options,
        )  # fmt: skip


def of_t(name):
    """Row on max-T."""
    study, tested, confounds = design(name)
    few, many = 0, 300
    map_contrast(study, MASK, permutations=20, statistics=("t",))  # compiles
    _, short, short_cpu = timed(lambda: nilearn_of(study, tested, confounds, few))
    theirs, long, long_cpu = timed(lambda: nilearn_of(study, tested, confounds, many))
    per, per_cpu = (long - short) / (many - few), (long_cpu - short_cpu) / (many - few)
    wall, cpu = long + per * (PERMUTATIONS - many), long_cpu + per_cpu * (PERMUTATIONS - many)
    own, mine, mine_cpu = timed(lambda: map_contrast(study, MASK, permutations=PERMUTATIONS, statistics=("t",)))
    two, both, both_cpu = timed(
        lambda: map_contrast(study, MASK, permutations=PERMUTATIONS, statistics=("t",), threads=2)
    )
    assert np.array_equal(own.logpfwe, two.logpfwe, equal_nan=True)
    t = theirs["t"][0]
    apart = np.abs(own.t[MASK] - t)[np.abs(t) > 0.1] / np.abs(t)[np.abs(t) > 0.1]
    p, q = 10 ** -own.logpfwe[MASK], 10 ** -theirs["logp_max_t"][0]
    error = np.sqrt(np.maximum(p * (1 - p), 2e-3) * (1 / many + 1 / PERMUTATIONS))
    print(
        f"| {name} | {wall:.0f} / {cpu:.0f} | {mine:.2f} / {mine_cpu:.2f} | {both:.2f} / {both_cpu:.2f} | "
        f"{wall / mine:.0f} / {cpu / mine_cpu:.0f} | {wall / both:.0f} | {apart.max():.0e} | "
        f"{(np.abs(p - q) / error).max():.1f} |",
        flush=True,
    )


def of_tfce(name):
    """Row on TFCE. nilearn sums 100 steps of its map's own largest t and does not multiply by their width."""
    study, tested, confounds = design(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        masker = NiftiMasker(nib.Nifti1Image(MASK.astype(np.uint8), AFFINE), standardize=None).fit()
    _, short, short_cpu = timed(lambda: nilearn_of(study, tested, confounds, 1, tfce=True, masker=masker))
    theirs, long, long_cpu = timed(lambda: nilearn_of(study, tested, confounds, 5, tfce=True, masker=masker))
    wall, cpu = (long - short) / 4, (long_cpu - short_cpu) / 4
    model = shuffled(study, 41, 0)
    turned, near = turn(study.maps[:, MASK], model), neighbours(MASK, 6)

    def measure(values):
        return (np.abs(tfce(values, near)).max(),)

    over_maps(turned, shuffled(study, 4, 0), measure)
    (_, mine, mine_cpu), (_, both, both_cpu) = (
        timed(lambda k=k: over_maps(turned, model, measure, threads=k)) for k in (1, 2)
    )
    mine, mine_cpu, both, both_cpu = (value / 44 for value in (mine, mine_cpu, both, both_cpu))
    first = observed_map(turned, model).astype(float)
    scaled, other = tfce(first, near) / (np.abs(first).max() / 100), theirs["tfce"][0]
    apart = np.abs(scaled - other).max() / np.abs(other).max()
    print(
        f"| {name} | {wall:.2f} / {cpu:.2f} | {mine:.4f} / {mine_cpu:.4f} | {both:.4f} / {both_cpu:.4f} | "
        f"{wall / mine:.0f} / {cpu / mine_cpu:.0f} | {wall / both:.0f} | {apart:.3f} |",
        flush=True,
    )


def p_of_tfce():
    """TFCE p values of both on a small problem, in nilearn's unit, in standard errors of their difference."""
    shape, n_perm = (20, 20, 20), 500
    maps = noise(30, 3, shape)
    maps[:20, 5:10, 5:10, 5:10] += 0.9
    inside = np.ones(shape, dtype=bool)
    study = two_groups(maps, GROUPS, "placebo", "drug")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        masker = NiftiMasker(nib.Nifti1Image(inside.astype(np.uint8), AFFINE), standardize=None).fit()
        theirs = permuted_ols(
            np.array([[g == "drug"] for g in GROUPS], dtype=float), maps[:, inside],
            model_intercept=True, n_perm=n_perm, two_sided_test=True, random_state=2, masker=masker, tfce=True,
            output_type="dict",
        )  # fmt: skip
    model, near = shuffled(study, n_perm, 1), neighbours(inside, 6)
    turned = turn(maps[:, inside], model)

    def scaled(values):
        return np.abs(tfce(values, near)) / np.abs(values).max()

    most, _ = over_maps(turned, model, lambda values: (scaled(values).max(),))
    p = family_wise(scaled(observed_map(turned, model)), most[:, 0], share=1e-5)
    q = 10 ** -theirs["logp_max_tfce"][0]
    apart = np.abs(p - q) / np.sqrt(np.maximum(p * (1 - p), 2e-3) * 2 / n_perm)
    print(
        f"\np of TFCE, 8,000 voxels, {n_perm} permutations each: largest difference {apart.max():.1f} standard errors"
    )


STUDIES = {
    "12 paired": lambda maps, rng: (one_sample(maps[:12]), None),
    "20 v 10": lambda maps, rng: (two_groups(maps, GROUPS, "placebo", "drug"), None),
    "20 v 10, adjusted for a covariate": lambda maps, rng: (
        two_groups(maps, GROUPS, "placebo", "drug", rng.normal(size=30)),
        None,
    ),
    "12 paired, variance smoothed by 8 mm": lambda maps, rng: (one_sample(maps[:12]), 8.0),
    "4 paired": lambda maps, rng: (one_sample(maps[:4]), None),
}


def errors(name, studies):
    """Row on the family-wise error."""
    shape = (20, 20, 20)
    inside, seen = np.ones(shape, dtype=bool), np.zeros(4)
    for seed in range(studies):
        rng = np.random.default_rng([seed, 7])
        study, width = STUDIES[name](noise(30 if "v" in name.split(",")[0] else 12, seed, shape), rng)
        found = map_contrast(
            study, inside, permutations=40, seed=seed, cluster_p=0.01, variance_smoothing=width, affine=AFFINE
        )
        bar = -np.log10(0.05) - 1e-9
        seen += [
            np.nanmax(found.logpfwe) >= bar,
            np.nanmax(found.logpfwe_tfce) >= bar,
            any(cluster.p_extent <= 0.05 for cluster in found.clusters),
            any(cluster.p_mass <= 0.05 for cluster in found.clusters),
        ]
    share = 100 * seen / studies
    print(f"| {name} | " + " | ".join(f"{value:.1f}" for value in share) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("--studies", type=int, default=2000)
    asked = parser.parse_args()
    if asked.time or not asked.errors:
        print(f"{MASK.sum()} voxels, 30 maps, {PERMUTATIONS} permutations; wall / CPU, s\n")
        print(
            "| max-T | nilearn, scaled | raphe | raphe, 2 threads | ratio | 2 threads | t apart, share | p apart, SE |"
        )
        print("|---|---|---|---|---|---|---|---|")
        for name in ("paired", "two groups", "adjusted"):
            of_t(name)
        print("\n| TFCE, a map | nilearn | raphe | raphe, 2 threads | ratio | 2 threads | TFCE apart, of the largest |")
        print("|---|---|---|---|---|---|---|")
        for name in ("paired", "two groups"):
            of_tfce(name)
        p_of_tfce()
    if asked.errors or not asked.time:
        print(f"\n{asked.studies} studies without effect: % with a corrected p <= 0.05\n")
        print("| design | max-T | TFCE | cluster extent | cluster mass |")
        print("|---|---|---|---|---|")
        for name in STUDIES:
            errors(name, asked.studies)


if __name__ == "__main__":
    main()
