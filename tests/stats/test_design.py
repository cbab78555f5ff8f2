"""Design matrices from columns, and the combinations that least-squares means are."""

from __future__ import annotations

import numpy as np
import pytest

from raphe.errors import InputError
from raphe.stats.design import Covariate, Factor, complete_cases, design_of

TRACER = Factor("tracer", ["AZ", "AZ", "AZ", "AZ", "DASB", "DASB", "DASB", "DASB"], ("AZ", "DASB"))
DRUG = Factor("drug", ["saline", "ketamine"] * 4, ("saline", "ketamine"))
AGE = Covariate("age", [3, 1, 4, 1, 5, 9, 2, 6])


def test_columns_have_treatment_coding_and_readable_names():
    design = design_of([TRACER, DRUG, AGE], [("tracer",), ("drug",), ("tracer", "drug"), ("age",)])
    assert design.names == ("(intercept)", "tracer[DASB]", "drug[ketamine]", "tracer[DASB]:drug[ketamine]", "age")
    dasb, ketamine = np.repeat([0, 1], 4), np.tile([0, 1], 4)
    assert (design.matrix == np.column_stack([np.ones(8), dasb, ketamine, dasb * ketamine, AGE.values])).all()


def test_a_covariate_may_be_centred_and_crossed_with_a_factor():
    design = design_of([DRUG, AGE], [("drug",), ("age",), ("drug", "age")], centre=["age"])
    age = AGE.values - AGE.values.mean()
    assert design.names[-1] == "drug[ketamine]:age"
    assert design.matrix[:, 2:] == pytest.approx(np.column_stack([age, age * np.tile([0, 1], 4)]))
    assert design.row({"drug": "ketamine"}, {"age": AGE.values.mean() + 2}) == pytest.approx([1, 1, 2, 2])
    assert design.row({"drug": "ketamine"}) == pytest.approx([1, 1, 0, 0])


def test_without_intercept_the_first_factor_has_all_its_levels():
    design = design_of([DRUG, TRACER], [("drug",), ("tracer",)], intercept=False)
    assert design.names == ("drug[saline]", "drug[ketamine]", "tracer[DASB]")
    assert design.ls_mean({"drug": "saline"}) == pytest.approx([1, 0, 0.5])


def test_least_squares_means_weigh_other_levels_alike():
    design = design_of([TRACER, DRUG, AGE], [("tracer",), ("drug",), ("tracer", "drug"), ("age",)])
    mean_age = AGE.values.mean()
    assert design.ls_mean({"drug": "ketamine"}) == pytest.approx([1, 0.5, 1, 0.5, mean_age])
    assert design.ls_mean() == pytest.approx([1, 0.5, 0.5, 0.25, mean_age])
    assert design.ls_mean({"drug": "ketamine"}, {"age": 2}) == pytest.approx([1, 0.5, 1, 0.5, 2])
    assert design.difference({"tracer": "DASB"}, {"tracer": "AZ"}) == pytest.approx([0, 1, 0, 0.5, 0])


def test_a_contrast_of_cells_is_one_combination():
    design = design_of([TRACER, DRUG], [("tracer",), ("drug",), ("tracer", "drug")])
    weights = {("AZ", "ketamine"): 1, ("AZ", "saline"): -1, ("DASB", "ketamine"): -1, ("DASB", "saline"): 1}
    assert design.contrast(("tracer", "drug"), weights) == pytest.approx([0, 0, 0, -1])


def test_type_three_hypotheses():
    """Rows that lmerTest's show_tests prints for a * x + a * b with three and two levels, the covariate at its mean."""
    a = Factor("a", list("123123123123"), tuple("123"))
    b = Factor("b", list("111222111222"), tuple("12"))
    x = Covariate("x", [1, 5, 2, 4, 3, 9, 8, 7, 0, 2, 6, 11])
    design = design_of([a, b, x], [("a",), ("b",), ("x",), ("a", "b"), ("a", "x")], centre=["x"])
    assert design.hypothesis(("a",)) == pytest.approx(
        np.array([[0, 1, 0, 0, 0, 0.5, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0.5, 0, 0]]), abs=1e-12
    )
    assert design.hypothesis(("b",)) == pytest.approx(np.array([[0, 0, 0, 1, 0, 1 / 3, 1 / 3, 0, 0]]), abs=1e-12)
    assert design.hypothesis(("x",)) == pytest.approx(np.array([[0, 0, 0, 0, 1, 0, 0, 1 / 3, 1 / 3]]), abs=1e-12)
    assert design.hypothesis(("a", "b")) == pytest.approx(np.eye(9)[5:7], abs=1e-12)
    assert design.hypothesis(("a", "x")) == pytest.approx(np.eye(9)[7:], abs=1e-12)


def test_missing_values_are_listed_and_never_dropped():
    drug = Factor("drug", ["saline", None, "ketamine", "saline"], ("saline", "ketamine"))
    age = Covariate("age", [1, np.nan, np.nan, 4])
    cases = complete_cases([drug, age])
    assert cases.kept.tolist() == [True, False, False, True]
    assert cases.missing == ((1, "age"), (1, "drug"), (2, "age"))
    with pytest.raises(InputError, match="'age' has no value in row 2, and 3 values are missing"):
        design_of([drug, age], [("drug",), ("age",)])
    assert age.kept(cases.kept).values.tolist() == [1, 4]


def test_confounded_terms_are_named():
    arm = Factor("arm", ["a", "a", "b", "b"] * 2, ("a", "b"))
    site = Factor("site", ["x", "x", "y", "y"] * 2, ("x", "y"))
    with pytest.raises(InputError, match=r"arm\[b\], site\[y\] are confounded"):
        design_of([arm, site], [("arm",), ("site",)])


def test_confounding_does_not_depend_on_units():
    """Years of birth, with a large mean and a small spread, are no intercept."""
    born = Covariate("born", 1e6 + np.arange(8.0))
    assert design_of([born], [("born",)]).matrix.shape == (8, 2)
    tiny = Covariate("tiny", 1e-12 * AGE.values)
    assert design_of([AGE, tiny, DRUG], [("tiny",), ("drug",)]).matrix.shape == (8, 3)
    with pytest.raises(InputError, match="age, tiny are confounded"):
        design_of([AGE, tiny], [("age",), ("tiny",)])


def test_an_empty_cell_is_named():
    tracer = Factor("tracer", ["AZ"] * 3 + ["DASB"] * 4, ("AZ", "DASB"))
    drug = Factor("drug", ["k", "n", "s", "k", "s", "k", "s"], ("s", "k", "n"))
    with pytest.raises(InputError, match="no row has tracer DASB, drug n"):
        design_of([tracer, drug], [("tracer",), ("drug",), ("tracer", "drug")])


def test_more_parameters_than_rows_gives_both_numbers():
    drug = Factor("drug", ["k", "n", "s"], ("s", "k", "n"))
    with pytest.raises(InputError, match="4 parameters, but there are 3 rows"):
        design_of([drug, Covariate("age", [1, 2, 4])], [("drug",), ("age",)])


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Factor("arm", ["a", "c"], ("a", "b")), "has the value 'c'"),
        (lambda: Factor("arm", ["a", "a"], ("a", "b")), "no row of level 'b'"),
        (lambda: Factor("arm", ["a", "a"], ("a",)), "compares nothing"),
        (lambda: Factor("arm", ["a", "b"], ("a", "b", "a")), "names a level twice"),
        (lambda: Covariate("age", [1, np.inf]), "infinite in row 2"),
        (lambda: design_of([DRUG], [("dose",)]), "names the column 'dose'"),
        (lambda: design_of([DRUG], ["drug"]), "bare text"),
        (lambda: design_of([DRUG, TRACER], [("drug", "tracer")]), "stands without"),
        (lambda: design_of([DRUG], [("drug",), ("drug",)]), "stands twice"),
        (lambda: design_of([DRUG, DRUG], [("drug",)]), "two columns have the name 'drug'"),
        (lambda: design_of([DRUG, Covariate("age", [1.0])], [("drug",), ("age",)]), "has 8 rows, column 'age' has 1"),
        (lambda: design_of([DRUG], [("drug",)], centre=["drug"]), "no covariate"),
        (lambda: design_of([Covariate("x", [2, 2, 2])], [("x",)]), "does not vary"),
        (lambda: design_of([DRUG], [("drug",)]).row({}), "needs a level of factor 'drug'"),
        (lambda: design_of([DRUG], [("drug",)]).ls_mean({"drug": "ketamin"}), "did you mean 'ketamine'"),
        (lambda: design_of([DRUG], [("drug",)]).ls_mean({"dose": "1"}), "no factor 'dose'"),
        (lambda: design_of([DRUG], [("drug",)]).ls_mean({}, {"age": 1}), "no covariate 'age'"),
        (lambda: design_of([DRUG], [("drug",)]).contrast(("drug",), {("saline", "x"): 1}), "2 levels for the 1 fac"),
        (lambda: design_of([DRUG], [("drug",)]).contrast(("drug",), {("saline",): 0}), "no weight but 0"),
        (lambda: design_of([DRUG], [("drug",)]).hypothesis(("age",)), "no term age"),
    ],
    ids=[
        "value", "unused", "single", "twice", "infinite", "name", "bare", "margin", "term", "column", "length",
        "centre", "constant", "cell", "level", "factor", "covariate", "contrast", "weights", "hypothesis",
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(make, match):
    with pytest.raises(InputError, match=match):
        make()


def test_names_are_never_run():
    """A column whose name is Python is a name."""
    evil = Covariate("__import__('os').system('false')", AGE.values)
    assert design_of([evil], [(evil.name,)]).names[1] == evil.name
