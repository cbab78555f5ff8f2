"""The Lassen plot: truth from noise-free scans, simulation and an optimiser; what is undetermined, what refused."""

import math

import numpy as np
import pytest
from scipy import optimize

from raphe.core.line_of_errors import fit_line
from raphe.errors import InputError
from raphe.pharmacology.lassen import group_line, lassen_plot
from raphe.pharmacology.line_fit import p_heap
from raphe.pharmacology.region_errors import shared_errors

V_ND, OCCUPANCY = 1.5, 0.6
SPECIFIC = np.array([0.3, 0.8, 1.2, 1.7, 2.4, 3.0, 3.5, 4.0])
NAMES = ["white", "cerebellum", "occipital", "frontal", "thalamus", "caudate", "putamen", "raphe"]


def scans(noise=0.0, seed=0, occupancy=OCCUPANCY, specific=SPECIFIC, shared=0.0):
    random = np.random.default_rng(seed)
    found = []
    for left in (1.0, 1 - occupancy):
        error = math.sqrt(1 - shared) * random.normal(size=specific.size) + math.sqrt(shared) * random.normal()
        found.append((V_ND + left * specific) * (1 + noise * error))
    return found


@pytest.mark.parametrize("method", ["ml", "ols", "tls"])
def test_scans_without_noise_give_the_truth(method):
    line, step = lassen_plot(NAMES, *scans(), method=method)
    assert line.occupancy.value == pytest.approx(OCCUPANCY)
    assert line.V_ND.value == pytest.approx(V_ND)
    assert [row.share for row in line.regions] == pytest.approx(list(SPECIFIC / (V_ND + SPECIFIC)))
    assert line.error == pytest.approx(0.0, abs=1e-9)
    assert line.determined
    assert step.name == "occupancy_line"
    assert "cunningham2010" in step.citations


@pytest.mark.parametrize("method", ["ml", "ols", "tls"])
def test_bp_nd_without_noise_gives_the_occupancy_through_zero(method):
    BP = SPECIFIC / V_ND
    line, _ = lassen_plot(NAMES, BP, (1 - OCCUPANCY) * BP, parameter="BP_ND", method=method)
    assert line.occupancy.value == pytest.approx(OCCUPANCY)
    assert math.isnan(line.V_ND.value)
    assert line.df == 7


def test_ordinary_and_total_least_squares_are_those_of_the_plot():
    x, y = scans(0.05, 1)
    slope, intercept = np.polyfit(x, x - y, 1)
    line, _ = lassen_plot(NAMES, x, y, method="ols")
    assert (line.occupancy.value, line.V_ND.value) == pytest.approx((slope, -intercept / slope))
    _, _, axes = np.linalg.svd(np.stack([x - x.mean(), (x - y) - (x - y).mean()], axis=1))
    slope = axes[0, 1] / axes[0, 0]
    line, _ = lassen_plot(NAMES, x, y, method="tls")
    assert line.occupancy.value == pytest.approx(slope)
    assert line.V_ND.value == pytest.approx(x.mean() - (x - y).mean() / slope)


def test_relative_errors_are_those_of_the_values_on_the_line():
    """The weights are of the fitted values: a fit with these held, by another optimiser, is the same."""
    x, y = scans(0.1, 2)
    line, _ = lassen_plot(NAMES, x, y)
    fitted_x, fitted_y = np.array([(row.fitted_baseline, row.fitted_blocked) for row in line.regions]).T

    def residuals(theta):
        V, occupancy, S = theta[0], theta[1], theta[2:]
        return np.concatenate([(x - V - S) / fitted_x, (y - V - (1 - occupancy) * S) / fitted_y])

    found = optimize.least_squares(residuals, [1.0, 0.5, *SPECIFIC], xtol=1e-15, ftol=1e-15, gtol=1e-15)
    assert (line.V_ND.value, line.occupancy.value) == pytest.approx(tuple(found.x[:2]), rel=1e-5)
    assert line.error == pytest.approx(math.sqrt(2 * found.cost / 6), rel=1e-5)
    assert fitted_x == pytest.approx(found.x[0] + found.x[2:], rel=1e-5)


def test_a_scale_of_the_values_scales_v_nd_and_nothing_else():
    x, y = scans(0.07, 3)
    one, _ = lassen_plot(NAMES, x, y)
    other, _ = lassen_plot(NAMES, 10 * x, 10 * y)
    assert other.occupancy.value == pytest.approx(one.occupancy.value)
    assert [other.V_ND.low, other.V_ND.value, other.V_ND.high] == pytest.approx(
        [10 * one.V_ND.low, 10 * one.V_ND.value, 10 * one.V_ND.high]
    )
    assert [row.p_outlier for row in other.regions] == pytest.approx([row.p_outlier for row in one.regions])


def test_the_order_of_regions_does_not_matter():
    x, y = scans(0.07, 4)
    one, _ = lassen_plot(NAMES, x, y)
    other, _ = lassen_plot(NAMES[::-1], x[::-1], y[::-1])
    assert other.V_ND.low == pytest.approx(one.V_ND.low)
    assert [row.p_outlier for row in other.regions[::-1]] == pytest.approx([row.p_outlier for row in one.regions])


def test_bias_and_coverage_hold_at_published_noise():
    """300 studies, 7 % noise, 8 regions, occupancy 0.7: bias of V_ND under 3 %, and coverage about 95 %.

    Monte-Carlo errors: 0.8 % of the median of V_ND (SD about 11 %), 1.3 points of coverage; limits at four of these.
    """
    lines = [lassen_plot(NAMES, *scans(0.07, seed, 0.7), judged=False)[0] for seed in range(300)]
    values = np.array([line.V_ND.value for line in lines])
    covered = np.mean([line.V_ND.low <= V_ND <= line.V_ND.high for line in lines])
    held = np.mean([line.occupancy.low <= 0.7 <= line.occupancy.high for line in lines])
    assert abs(np.median(values) / V_ND - 1) < 0.03
    assert abs(values.mean() / V_ND - 1) < 0.03
    assert 0.95 - 4 * 0.013 < covered < 0.95 + 4 * 0.013
    assert 0.95 - 4 * 0.013 < held < 0.95 + 4 * 0.013


def test_ordinary_regression_is_biased_where_maximum_likelihood_is_not():
    studies = [scans(0.1, seed, 0.5, np.linspace(0.3, 4, 12)) for seed in range(120)]
    names = [str(at) for at in range(12)]
    medians = {
        method: np.median([lassen_plot(names, x, y, method=method, judged=False)[0].V_ND.value for x, y in studies])
        for method in ("ml", "ols", "tls")
    }
    assert abs(medians["ml"] / V_ND - 1) < 0.09  # Monte-Carlo error 2.5 %
    assert medians["ols"] > medians["ml"] + 0.05 * V_ND
    assert medians["tls"] > medians["ml"] + 0.08 * V_ND


def test_errors_that_regions_share_need_their_covariance():
    noise, shared = 0.07, 0.6
    covariance = noise**2 * ((1 - shared) * np.eye(8) + shared)
    told, untold = [], []
    for seed in range(120):
        x, y = scans(noise, seed, 0.8, shared=shared)
        told.append(lassen_plot(NAMES, x, y, covariance=covariance, known=True, judged=False)[0].V_ND)
        untold.append(lassen_plot(NAMES, x, y, judged=False)[0].V_ND)
    covered = [np.mean([one.low <= V_ND <= one.high for one in found]) for found in (told, untold)]
    assert covered[0] > 0.95 - 4 * 0.02
    assert covered[1] < 0.90


def test_known_errors_have_the_interval_of_chi_square_and_a_test_of_fit():
    x, y = scans(0.05, 6)
    line, _ = lassen_plot(NAMES, x, y, noise="se", baseline_se=0.05 * x, blocked_se=0.05 * y, known=True)
    cov_x, cov_y = np.diag((0.05 * x) ** 2), np.diag((0.05 * y) ** 2)
    plain = fit_line(x, y, cov_x, cov_y, excess=lambda least, df: 3.841458820694124)
    assert (line.V_ND.low, line.V_ND.high) == pytest.approx(plain.meeting_ends)
    assert 0.01 < line.p_fit < 1
    worse, _ = lassen_plot(NAMES, x, y, noise="se", baseline_se=0.01 * x, blocked_se=0.01 * y, known=True)
    assert worse.p_fit < 1e-6
    assert any("scatter about the line by more than" in text for text in worse.statements)


def test_a_region_off_the_line_is_named_and_others_are_not():
    x, y = scans(0.02, 7)
    y[4] *= 1.35
    line, _ = lassen_plot(NAMES, x, y)
    named = [row.name for row in line.regions if row.p_outlier < 0.05]
    assert named == ["thalamus"]
    assert any(text.startswith("thalamus does not lie on the line") for text in line.statements)
    without, _ = lassen_plot(NAMES[:4] + NAMES[5:], np.delete(x, 4), np.delete(y, 4))
    (odd,) = (row for row in line.regions if row.name == "thalamus")
    assert (odd.V_ND_without, odd.occupancy_without) == pytest.approx((without.V_ND.value, without.occupancy.value))


def test_the_test_of_a_region_keeps_its_level():
    """Among 80 studies without an odd region, one is named in about 5 %: Monte-Carlo error 2.4 points."""
    named = 0
    for seed in range(80):
        line, _ = lassen_plot(NAMES[:6], *scans(0.05, seed, 0.7, SPECIFIC[:6]))
        named += any(row.p_outlier < 0.05 for row in line.regions)
    assert 0 < named / 80 < 0.05 + 4 * 0.024


def test_regions_of_one_binding_do_not_determine_v_nd_and_it_is_said():
    line, _ = lassen_plot(NAMES, *scans(0.05, 8, specific=np.linspace(2.0, 2.2, 8)))
    assert (line.V_ND.low, line.V_ND.high) == (-math.inf, math.inf)
    assert not line.determined
    assert any("do not determine" in text for text in line.statements)
    assert line.span < 3


def test_the_row_of_points_is_told_from_a_heap_as_often_as_the_level_says():
    """Of 1,000 heaps with errors alike, 5 % have so small a probability: Monte-Carlo error 0.7 points."""
    random = np.random.default_rng(5)
    found = [p_heap(*random.normal(5.0, 0.3, (2, 8)), np.eye(8), np.eye(8), known=False) for _ in range(1000)]
    assert 0.05 - 4 * 0.007 < np.mean(np.array(found) < 0.05) < 0.05 + 4 * 0.007
    found = [p_heap(*random.normal(5.0, 1.0, (2, 8)), np.eye(8), np.eye(8), known=True) for _ in range(1000)]
    assert 0.05 - 4 * 0.007 < np.mean(np.array(found) < 0.05) < 0.05 + 4 * 0.007
    assert p_heap(V_ND + SPECIFIC, V_ND + 0.4 * SPECIFIC, np.eye(8), np.eye(8), known=False) < 1e-4


def test_a_drug_without_effect_leaves_v_nd_undetermined_but_not_the_occupancy():
    line, _ = lassen_plot(NAMES, *scans(0.03, 9, occupancy=0.0))
    assert line.occupancy.low < 0 < line.occupancy.high
    assert math.isfinite(line.occupancy.low)
    assert any("an occupancy of 0 cannot be ruled out" in text for text in line.statements)


def test_a_missing_value_leaves_the_region_out_by_name():
    x, y = scans(0.03, 10)
    y[2] = np.nan
    line, step = lassen_plot(NAMES, x, y, left_out={"white": "no grey matter"})
    reasons = {row.name: row.why for row in line.regions if row.why}
    assert reasons == {"occipital": "no value under the drug", "white": "no grey matter"}
    assert len(line.used) == 6
    assert step.parameters["left_out"] == ("white", "occipital")


def test_two_scans_that_are_one_have_no_occupancy_and_no_v_nd():
    line, _ = lassen_plot(NAMES, X, X.copy())
    assert line.occupancy.value == pytest.approx(0.0, abs=1e-9)
    assert (line.V_ND.low, line.V_ND.high) == (-math.inf, math.inf)
    assert any("an occupancy of 0 cannot be ruled out" in text for text in line.statements)


def test_negative_occupancy_is_told():
    x, y = scans(0.02, 11)
    line, _ = lassen_plot(NAMES, y, x)
    assert line.occupancy.value < 0
    assert any("swapped" in text for text in line.statements)


def test_errors_of_test_and_retest_come_back():
    """Twenty thousand people give the covariance within its Monte-Carlo error of 1 %."""
    random = np.random.default_rng(0)
    sd, rho = np.array([0.04, 0.06, 0.08]), 0.5
    truth = np.outer(sd, sd) * (rho + (1 - rho) * np.eye(3))
    people = np.exp(random.normal(0, 0.2, (20_000, 1))) * np.array([2.0, 3.0, 5.0])
    test, retest = (people * (1 + random.multivariate_normal(np.zeros(3), truth, 20_000)) for _ in range(2))
    assert shared_errors(test, retest) == pytest.approx(truth, rel=0.05)


def test_the_mean_of_a_group_has_a_t_interval_and_names_who_is_not_determined():
    lines = [lassen_plot(NAMES, *scans(0.03, seed), participant=str(seed))[0] for seed in range(3)]
    heap, _ = lassen_plot(NAMES, *scans(0.05, 8, specific=np.linspace(2.0, 2.2, 8)), participant="heap")
    group = group_line(lines)
    values = np.array([line.occupancy.value for line in lines])
    half = 4.302652729911275 * values.std(ddof=1) / math.sqrt(3)  # t of 97.5 %, 2 df
    assert (group.occupancy.low, group.occupancy.high) == pytest.approx((values.mean() - half, values.mean() + half))
    assert group.undetermined == ()
    assert group_line([*lines, heap]).undetermined == ("heap",)


X, Y = scans()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"baseline": X[:5]}, "one each"),
        ({"regions": [*NAMES[:7], "white"]}, "'white' stands more than once"),
        ({"baseline": np.where(np.arange(8) == 3, -1.0, X)}, "V_T of frontal at baseline is -1"),
        ({"blocked": np.full(8, np.nan)}, "needs 3 regions"),
        ({"baseline": np.full(8, 2.0)}, "V_T at baseline is 2 in all 8 regions"),
        ({"method": "deming"}, "method 'deming'"),
        ({"noise": "gaussian"}, "noise 'gaussian'"),
        ({"parameter": "SUVR"}, "parameter 'SUVR'"),
        ({"noise": "se"}, "needs the standard errors of both"),
        ({"noise": "se", "baseline_se": X, "blocked_se": 0 * X}, "needs one above 0"),
        ({"known": True}, "neither standard errors nor a covariance"),
        ({"method": "ols", "known": True}, "takes no errors"),
        ({"covariance": np.ones((8, 8)), "known": True}, "singular"),
        ({"covariance": np.eye(7)}, "8 rows of 8"),
        ({"covariance": np.triu(np.ones((8, 8)))}, "not symmetric"),
        ({"parameter": "BP_ND", "baseline": -X}, "nothing can be occupied"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_cannot_be_used_is_refused(change, told):
    said = {"regions": NAMES, "baseline": X, "blocked": Y, **change}
    with pytest.raises(InputError, match=told.replace("(", r"\(")):
        lassen_plot(said.pop("regions"), said.pop("baseline"), said.pop("blocked"), **said)
