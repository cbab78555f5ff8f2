"""Correlation: dots, line, band and residuals are where the arithmetic puts them."""

import math

import numpy as np
import pytest

from drawn import Drawn
from raphe.errors import InputError
from raphe.report.correlation import (
    Axis,
    Scatter,
    fitted_line,
    in_words,
    partial_plot,
    residuals,
    scatter_plot,
)

CARS = np.array(
    [
        [4, 4, 7, 7, 8, 9, 10, 10, 10, 11, 11, 12, 12, 12, 12, 13, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 16, 16, 17,
         17, 17, 18, 18, 18, 18, 19, 19, 19, 20, 20, 20, 20, 20, 22, 23, 24, 24, 24, 24, 25],
        [2, 10, 4, 22, 16, 10, 18, 26, 34, 17, 28, 14, 20, 24, 28, 26, 34, 34, 46, 26, 36, 60, 80, 20, 26, 54, 32, 40,
         32, 40, 50, 42, 56, 76, 84, 36, 46, 68, 32, 48, 52, 56, 64, 66, 54, 70, 92, 93, 120, 85],
    ],
    dtype=float,
)  # fmt: skip
"""Speed and stopping distance: R's data set cars."""

BAND = {
    4.0: (-1.84945985401, -12.3295433285, 8.63062362052),
    14.5: (39.4408321168, 35.0035288505, 43.878135383),
    25.0: (80.73112408759, 71.5960826527, 89.86616552245),
}
"""R 4.2.2: predict(lm(dist ~ speed, cars), data.frame(speed = ...), interval = "confidence")."""


def scatter(n=12, seed=5, **fields):
    rng = np.random.default_rng(seed)
    x = rng.normal(2, 0.4, n)
    y = 3 - 2 * x + rng.normal(0, 0.5, n)
    return Scatter(
        tuple(f"p{at}" for at in range(n)), x, y, Axis("BP_ND in striatum"), Axis("fall", "points"), **fields
    )


def test_dots_stand_at_their_values():
    found = scatter()
    plot = Drawn(scatter_plot(found))
    places = plot.circles("person")
    np.testing.assert_allclose([plot.x_of()(x) for x, _ in places], found.x, atol=0.01)
    np.testing.assert_allclose([plot.y_of()(y) for _, y in places], found.y, atol=0.02)


def test_the_line_and_its_band_are_those_of_r():
    line = fitted_line(*CARS)
    for at, expected in BAND.items():
        (k,) = np.flatnonzero(np.isclose(line.x, at))
        assert (line.y[k], line.low[k], line.high[k]) == pytest.approx(expected, rel=1e-10)


def test_the_line_is_drawn_where_it_is():
    found = scatter()
    plot = Drawn(scatter_plot(found))
    (drawn,) = plot.lines("through")
    slope, height = np.polyfit(found.x, found.y, 1)
    x, y = ([read(v) for v in drawn[:, at]] for at, read in enumerate((plot.x_of(), plot.y_of())))
    np.testing.assert_allclose(y, np.polyval((slope, height), x), atol=0.03)
    assert (min(x), max(x)) == pytest.approx((found.x.min(), found.x.max()), abs=0.01)


def test_residuals_have_the_partial_slope_and_the_band_of_the_whole_model():
    rng = np.random.default_rng(8)
    covariates = rng.normal(size=(15, 2))
    x = covariates @ [0.5, -0.2] + rng.normal(size=15)
    y = 1 + 0.7 * x + covariates @ [1.0, 2.0] + rng.normal(size=15)
    left = residuals(x, covariates), residuals(y, covariates)
    design = np.column_stack([np.ones(15), x, covariates])
    whole, (ssq,), *_ = np.linalg.lstsq(design, y, rcond=None)
    assert np.polyfit(*left, 1)[0] == pytest.approx(whole[1], rel=1e-10)
    line = fitted_line(*left, 2)
    half = (line.high[-1] - line.low[-1]) / 2
    t = 2.20098516009  # R 4.2.2: qt(.975, 11)
    spread = float(np.sum(left[0] ** 2))
    assert half == pytest.approx(t * math.sqrt(ssq / 11 * (1 / 15 + line.x[-1] ** 2 / spread)), rel=1e-9)


def test_people_who_are_left_out_are_hollow_and_not_in_the_line():
    found = scatter(why=("", "took an SSRI", *[""] * 10))
    plot = Drawn(scatter_plot(found))
    assert len(plot.circles("person")) == 11
    ((x, _),) = plot.circles("hollow")
    assert plot.x_of()(x) == pytest.approx(found.x[1], abs=0.01)
    assert any("left out: took an SSRI" in note for note in plot.notes())
    kept = np.delete(found.x, 1), np.delete(found.y, 1)
    (drawn,) = plot.lines("through")
    assert plot.y_of()(drawn[-1, 1]) == pytest.approx(np.polyval(np.polyfit(*kept, 1), kept[0].max()), abs=0.03)


def test_a_missing_covariate_takes_a_person_out_of_the_residuals():
    covariates = np.arange(12.0)[:, None] % 5
    covariates[4] = np.nan
    found = scatter(covariates=covariates, adjusted_for=("age",))
    assert len(Drawn(partial_plot(found)).circles("person")) == 11
    assert found.counted.sum() == 11
    assert len(Drawn(scatter_plot(found)).circles("hollow")) == 1


def test_colours_go_by_the_order_of_groups():
    groups = ("placebo", *["ketamine"] * 11)
    assert len(Drawn(scatter_plot(scatter(groups=groups))).circles("s0")) == 1
    assert len(Drawn(scatter_plot(scatter(groups=groups, order=("ketamine", "placebo")))).circles("s0")) == 11


def test_what_is_constant_or_too_little_has_no_line():
    assert fitted_line(np.array([1.0, 2.0]), np.array([1.0, 2.0])) is None
    assert fitted_line(np.ones(5), np.arange(5.0)) is None
    assert not residuals(np.arange(4.0), np.arange(4.0)[:, None]).any()
    none = Scatter((), np.empty(0), np.empty(0), Axis("x"), Axis("y"))
    assert Drawn(scatter_plot(none)).lines("through") == []


def test_words_claim_no_more_than_the_data():
    shown = in_words(scatter(n=20, r=-0.644, low=-0.85, high=-0.28, p=0.0022))
    assert shown == (
        "People with higher BP_ND in striatum had lower fall: r = \u22120.64 (95 % CI \u22120.85 to \u22120.28), "
        "p = 0.002, 20 people."
    )
    open_ = in_words(scatter(r=0.3, low=-0.33, high=0.75, p=0.34, method="spearman"))
    assert open_.startswith("The data do not show a correlation")
    assert "no evidence that there is none" in open_
    assert "Spearman's \u03c1 = 0.30" in open_
    assert "could not be computed (12 people" in in_words(scatter())
    adjusted = scatter(
        covariates=np.arange(12.0)[:, None] % 5, adjusted_for=("age",), r=0.9, low=0.7, high=0.97, p=1e-5
    )
    assert "adjusted for age: partial r = 0.90" in in_words(adjusted)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"groups": ("a",)}, "12 participants but 1 values of groups"),
        ({"covariates": np.ones((11, 1)), "adjusted_for": ("age",)}, "covariates have shape"),
    ],
    ids=["groups", "covariates"],
)
def test_lengths_must_agree(fields, words):
    with pytest.raises(InputError, match=words):
        scatter(**fields)


def test_nothing_is_adjusted_without_covariates():
    with pytest.raises(InputError, match="no covariates"):
        partial_plot(scatter())
