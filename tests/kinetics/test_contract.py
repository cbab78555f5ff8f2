"""What every kinetic model promises, whatever it is; a new file of kinetics.models is tested here by being there."""

import ast
import dataclasses
import inspect

import numpy as np
import pytest

from raphe import catalog
from raphe.core.sampling import sampling
from raphe.errors import ModelError
from raphe.kinetics import registry
from raphe.kinetics.fit import fit
from raphe.kinetics.protocol import KineticModel, Problem
from raphe.nomenclature import SYMBOLS
from raphe.quality import Quality

EXAMPLES = registry.examples()

SCALES_WITH_TARGET = {"R1": 1, "k2": 1, "BP_ND": 1, "k2a": 0, "k2_prime": 0}
"""Power of the target's scale in each parameter (in 1 + BP_ND for BP_ND); k2_prime is the reference's."""


@pytest.fixture(params=list(EXAMPLES))
def example(request):
    return EXAMPLES[request.param]


@pytest.fixture
def subject(known, example):
    return known.Subject(known.frames_38, k2_prime=example.truth["k2_prime"], delay=0.2)


@pytest.fixture
def curves(subject, example):
    """Noisy curves: the example's, and others about it; all positive where a graph would divide by them."""
    R1, BP_ND = example.truth["R1"], example.truth["BP_ND"]
    clean = np.array([subject.target(R1 * a, BP_ND * b) for a, b in ((1, 1), (0.8, 0.3), (1.2, 2), (1, 0.1))])
    return clean * (1 + 0.02 * np.random.default_rng(11).normal(size=clean.shape))


def fitted(model, known, subject, curves, **options):
    options = {"reference": subject.reference, "half_life": known.half_life, **options}
    return fit(model, known.table(curves, subject.frames), **options)[0]


def problem(subject, curves, rows=None, weights=None):
    n = len(subject.frames)
    weights = np.broadcast_to(np.ones(n), curves.shape) if weights is None else weights
    rows = np.arange(n) if rows is None else rows
    return Problem(sampling(subject.frames), curves, weights, rows, subject.reference)


def test_recovers_the_truth_of_noise_free_frame_averages(example, known, subject):
    truth = example.truth
    clean = subject.target(truth["R1"], truth["BP_ND"])[None]
    found = fitted(example.model, known, subject, clean)
    assert found.of("BP_ND")[0][0] + 1 == pytest.approx(1 + truth["BP_ND"], rel=example.tolerance)
    k2 = truth["R1"] * truth["k2_prime"]
    others = {**truth, "k2": k2, "k2a": k2 / (1 + truth["BP_ND"])}
    for name in found.parameters:
        assert found.of(name)[0][0] == pytest.approx(others[name], rel=10 * example.tolerance), name
    assert found.quality[0] == Quality.GOOD
    inside = found.weights[0] > 0
    np.testing.assert_allclose(found.fitted[0][inside], clean[0][inside], rtol=0.02, atol=1e-3 * clean.max())


def test_is_indifferent_to_the_order_of_the_curves(example, known, subject, curves):
    order = np.array([2, 0, 3, 1])
    straight, mixed = (fitted(example.model, known, subject, c) for c in (curves, curves[order]))
    np.testing.assert_allclose(mixed.value, straight.value[order], rtol=1e-7)
    np.testing.assert_allclose(mixed.se, straight.se[order], rtol=1e-5)
    np.testing.assert_array_equal(mixed.quality, straight.quality[order])


def test_a_weight_of_two_is_the_frame_given_twice(example, subject, curves):
    n = len(subject.frames)
    frame = n - 4
    heavy = np.ones(curves.shape)
    heavy[:, frame] = 2
    once = example.model.estimate(problem(subject, curves, weights=heavy))
    twice = example.model.estimate(problem(subject, curves, rows=np.sort(np.append(np.arange(n), frame))))
    plain = example.model.estimate(problem(subject, curves))
    np.testing.assert_allclose(once.value, twice.value, rtol=1e-6)
    np.testing.assert_allclose(once.wrss, twice.wrss, rtol=1e-9)
    assert not np.allclose(once.value, plain.value, rtol=1e-5)


BAD = {
    "nan": lambda c: np.where(np.arange(c.size) == 20, np.nan, c),
    "infinite": lambda c: np.where(np.arange(c.size) == 20, np.inf, c),
    "zero": np.zeros_like,
    "overflowing": lambda c: 1e200 * c,
    "vanishing": lambda c: 1e-200 * c,
}


@pytest.mark.parametrize("fault", list(BAD))
def test_a_bad_curve_harms_no_other_and_is_marked(example, fault, known, subject, curves):
    without = fitted(example.model, known, subject, curves)
    found = fitted(example.model, known, subject, np.insert(curves, 1, BAD[fault](curves[1]), axis=0))
    good = [0, 2, 3, 4]
    for name in ("value", "se", "sigma", "aicc", "fitted", "weights"):
        np.testing.assert_array_equal(getattr(found, name)[good], getattr(without, name), err_msg=name)
        if name != "weights":
            assert np.isnan(getattr(found, name)[1]).all()
    np.testing.assert_array_equal(found.quality[good], without.quality)
    assert found.quality[1] == Quality.BAD_INPUT
    assert not found.usable[1]


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e5, 1e12])
def test_the_unit_of_activity_is_of_no_account(example, scale, known, subject, curves):
    plain = fitted(example.model, known, subject, curves)
    scaled = fitted(example.model, known, subject, scale * curves, reference=scale * subject.reference)
    np.testing.assert_allclose(scaled.value, plain.value, rtol=1e-6)
    np.testing.assert_allclose(scaled.se, plain.se, rtol=1e-4)
    np.testing.assert_array_equal(scaled.quality, plain.quality)
    inside = plain.weights > 0
    np.testing.assert_allclose(scaled.fitted[inside], scale * plain.fitted[inside], rtol=1e-6)


def test_scale_in_gives_scale_out(example, known, subject, curves):
    plain = fitted(example.model, known, subject, curves)
    double = fitted(example.model, known, subject, 2 * curves)
    for column, name in enumerate(plain.parameters):
        offset = 1.0 if name == "BP_ND" else 0.0
        power = SCALES_WITH_TARGET[name]
        np.testing.assert_allclose(
            double.value[:, column] + offset, 2**power * (plain.value[:, column] + offset), rtol=1e-6, err_msg=name
        )
        np.testing.assert_allclose(double.se[:, column], 2**power * plain.se[:, column], rtol=1e-4, err_msg=name)


def test_says_what_it_needs(example, known, subject, curves):
    model = example.model
    if "k2_prime" in model.needs:
        with pytest.raises(ModelError, match=f"{model.name} needs k2_prime"):
            registry.make(model.name)
    else:
        assert registry.make(model.name).name == model.name
    if "reference" in model.needs:
        with pytest.raises(ModelError, match=f"{model.name} needs a reference region"):
            fit(model, known.table(curves, subject.frames), half_life=known.half_life)


def test_refuses_assumptions_that_cannot_be(example):
    kind = type(example.model)
    for field in dataclasses.fields(kind):
        if field.name == "k2_prime":
            for value in (0.0, -0.1, np.nan, np.inf):
                with pytest.raises(ModelError, match="positive k2_prime in 1/min"):
                    dataclasses.replace(example.model, k2_prime=value)


def test_is_a_frozen_and_hashable_value(example):
    model = example.model
    assert isinstance(model, KineticModel)
    field = dataclasses.fields(model)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(model, field, 1.0)
    same = dataclasses.replace(model)
    assert same == model
    assert hash(same) == hash(model)


def test_speaks_the_words_of_the_field(example):
    model = example.model
    assert set(model.parameters) <= set(SYMBOLS)
    assert model.parameters[0] == "BP_ND"
    assert set(model.needs) <= {"reference", "k2_prime"}
    assert 0 < model.n_free <= len(model.parameters) + 1
    assert model.title


def test_is_sourced(example):
    model = example.model
    assert model.citations
    assert set(model.citations) <= set(catalog.references())
    assert "References\n" in inspect.getdoc(type(model))


def test_gives_what_it_says(example, known, subject, curves):
    model = example.model
    found = fitted(model, known, subject, curves)
    assert found.model == model.name
    assert found.parameters == model.parameters
    assert found.value.shape == found.se.shape == (len(curves), len(model.parameters))
    assert (found.se > 0).all()
    solution = model.estimate(problem(subject, curves))
    assert solution.fitted.shape == (len(curves), solution.rows.size)
    assert solution.wrss.shape == solution.quality.shape == (len(curves),)


def test_is_named_as_its_file_and_knows_neither_fitter_nor_registry(example):
    module = inspect.getmodule(type(example.model))
    assert module.__name__.rpartition(".")[2].replace("_", "") == example.model.name.lower()
    tree = ast.parse(inspect.getsource(module))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not imported & {"raphe.kinetics.fit", "raphe.kinetics.registry", "raphe.kinetics"}
