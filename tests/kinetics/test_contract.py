"""What every kinetic model promises, whatever it is; a new file of kinetics.models is tested here by being there."""

import ast
import dataclasses
import inspect

import numpy as np
import pytest

from raphe import catalog
from raphe.core.frames import Frames
from raphe.core.sampling import sampling
from raphe.errors import ModelError
from raphe.kinetics import registry
from raphe.kinetics.fit import fit
from raphe.kinetics.models import lpntpet
from raphe.kinetics.protocol import KineticModel, Problem, least_frames
from raphe.nomenclature import SYMBOLS
from raphe.quality import Quality

EXAMPLES = {name: example for name, example in registry.examples().items() if "samples" not in example.model.needs}
"""A model that estimates the input from several curves at once promises other things: test_simeaif."""

SCALES_BEHIND_PLASMA = {"K1": 1, "V_T": 1, "V_S": 1, "V_ND": 1, "BP_P": 1, "K_i": 1}
SCALES_BEHIND_REFERENCE = {"R1": 1, "k2": 1, "BP_ND": 1, "SUVR": 1, "K_i_ref": 1}
"""Power of the scale of target and whole blood in each parameter (in 1 + BP_ND for BP_ND); 0 in all others."""

POWER_OF_TIME = {"min": 1, "1/min": -1, "mL/cm3/min": -1}
"""Power of the scale of time in a quantity of each unit."""

NO_SCALE = {"displacement": "is relative to BP_ND, which does not scale; 1 + BP_ND does"}


@pytest.fixture(params=list(EXAMPLES))
def example(request):
    return EXAMPLES[request.param]


@pytest.fixture
def subject(known, example):
    return known.subject(example)


@pytest.fixture
def given(known, example, subject):
    """Reference or arterial input, as the model needs it."""
    return known.behind(example.model, subject)


@pytest.fixture
def curves(known, example, subject):
    """Noisy curves: the example's, and others about it; all positive where a graph would divide by them."""
    clean = np.array([subject.of(truth) for truth in known.variants(example.truth)])
    return clean * (1 + 0.02 * np.random.default_rng(11).normal(size=clean.shape))


def fitted(model, known, subject, curves, given, **options):
    return fit(model, known.table(curves, subject.frames), **{"half_life": known.half_life, **given, **options})[0]


def problem(subject, given, curves, rows=None, weights=None):
    n = len(subject.frames)
    weights = np.broadcast_to(np.ones(n), curves.shape) if weights is None else weights
    rows = np.arange(n) if rows is None else rows
    return Problem(sampling(subject.frames), curves, weights, rows, **given)


def test_recovers_the_truth_of_noise_free_frame_averages(example, known, subject):
    model = example.model
    clean = subject.of(example.truth)[None]
    found = fitted(model, known, subject, clean, known.behind(model, subject, precision=1e-6))
    truth = subject.expected(model, example.truth)
    offset = 1.0 if model.macro == "BP_ND" else 0.0
    assert found.of(model.macro)[0][0] + offset == pytest.approx(truth[model.macro] + offset, rel=example.tolerance)
    for name in found.parameters:
        assert found.of(name)[0][0] == pytest.approx(truth[name], rel=10 * example.tolerance), name
    assert found.quality[0] == Quality.GOOD
    if "window" not in model.needs:  # where the ratio to the reference need not be constant
        inside = found.weights[0] > 0
        np.testing.assert_allclose(found.fitted[0][inside], clean[0][inside], rtol=0.02, atol=1e-3 * clean.max())


def test_is_indifferent_to_the_order_of_the_curves(example, known, subject, given, curves):
    order = np.array([2, 0, 3, 1])
    straight, mixed = (fitted(example.model, known, subject, c, given) for c in (curves, curves[order]))
    np.testing.assert_allclose(mixed.value, straight.value[order], rtol=1e-7)
    np.testing.assert_allclose(mixed.se, straight.se[order], rtol=1e-5)
    np.testing.assert_array_equal(mixed.quality, straight.quality[order])


def test_a_weight_of_two_is_the_frame_given_twice(example, subject, given, curves):
    n = len(subject.frames)
    frame = n - 4
    heavy = np.ones(curves.shape)
    heavy[:, frame] = 2
    once = example.model.estimate(problem(subject, given, curves, weights=heavy))
    twice = example.model.estimate(problem(subject, given, curves, rows=np.sort(np.append(np.arange(n), frame))))
    plain = example.model.estimate(problem(subject, given, curves))
    np.testing.assert_allclose(once.value, twice.value, rtol=1e-6)
    # A curve of a joint fit is not at the minimum of its own cost, which so follows the common value at first order.
    np.testing.assert_allclose(once.wrss, twice.wrss, rtol=1e-6 if getattr(example.model, "joint", False) else 1e-9)
    same = np.allclose(once.value, plain.value, rtol=1e-5)
    assert same == ("window" in example.model.needs)  # a mean over time is of the frames' lengths alone


BAD = {
    "nan": lambda c: np.where(np.arange(c.size) == 20, np.nan, c),
    "infinite": lambda c: np.where(np.arange(c.size) == 20, np.inf, c),
    "zero": np.zeros_like,
    "overflowing": lambda c: 1e200 * c,
    "vanishing": lambda c: 1e-200 * c,
}


@pytest.mark.parametrize("fault", list(BAD))
def test_a_bad_curve_harms_no_other_and_is_marked(example, fault, known, subject, given, curves):
    without = fitted(example.model, known, subject, curves, given)
    found = fitted(example.model, known, subject, np.insert(curves, 1, BAD[fault](curves[1]), axis=0), given)
    good = [0, 2, 3, 4]
    for name in ("value", "se", "sigma", "aicc", "fitted", "weights"):
        np.testing.assert_array_equal(getattr(found, name)[good], getattr(without, name), err_msg=name)
        if name != "weights":
            assert np.isnan(getattr(found, name)[1]).all()
    np.testing.assert_array_equal(found.quality[good], without.quality)
    assert found.quality[1] == Quality.BAD_INPUT
    assert not found.usable[1]


def scaled(given, factor, blood_factor=None):
    """Reference or input times a factor; whole blood times its own."""
    if "plasma" not in given:
        return {"reference": factor * given["reference"]}
    plasma = given["plasma"]
    blood = plasma.whole_blood.scaled(factor if blood_factor is None else blood_factor)
    return {"plasma": dataclasses.replace(plasma, parent=plasma.parent.scaled(factor), whole_blood=blood)}


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e5, 1e12])
def test_the_unit_of_activity_is_of_no_account(example, scale, known, subject, given, curves):
    plain = fitted(example.model, known, subject, curves, given)
    other = fitted(example.model, known, subject, scale * curves, scaled(given, scale))
    np.testing.assert_allclose(other.value, plain.value, rtol=1e-6)
    np.testing.assert_allclose(other.se, plain.se, rtol=1e-4)
    np.testing.assert_array_equal(other.quality, plain.quality)
    inside = plain.weights > 0
    np.testing.assert_allclose(other.fitted[inside], scale * plain.fitted[inside], rtol=1e-6)


def test_scale_in_gives_scale_out(example, known, subject, given, curves):
    model = example.model
    if {"R1", "k3"} <= set(model.parameters):
        pytest.skip("R1 = k2 / k2' holds for the non-displaceable volume of the reference alone, not for twice that")
    plain = fitted(model, known, subject, curves, given)
    double = fitted(model, known, subject, 2 * curves, scaled(given, 1, blood_factor=2) if "plasma" in given else given)
    powers = SCALES_BEHIND_PLASMA if "plasma" in given else SCALES_BEHIND_REFERENCE
    for column, name in enumerate(plain.parameters):
        if name in NO_SCALE:
            continue
        power = powers.get(name, 0)
        offset = 1.0 if name == "BP_ND" and power else 0.0
        np.testing.assert_allclose(
            double.value[:, column] + offset, 2**power * (plain.value[:, column] + offset), rtol=1e-6, err_msg=name
        )
        np.testing.assert_allclose(double.se[:, column], 2**power * plain.se[:, column], rtol=1e-4, err_msg=name)


def slower(model, factor):
    """The model for a scan in which all takes ``factor`` times as long."""
    fields = (field.name for field in dataclasses.fields(model) if field.name in SYMBOLS)
    known = {name: getattr(model, name) for name in fields if getattr(model, name) is not None}
    if hasattr(model, "tau_bounds"):  # the standard errors rest on it where the curve does not tell tau
        known["tau_bounds"] = np.array(model.tau_bounds)
    return dataclasses.replace(
        model,
        **{
            name: factor ** POWER_OF_TIME.get(SYMBOLS[name.removesuffix("_bounds")].unit, 0) * value
            for name, value in known.items()
        },
    )


def test_the_unit_of_time_is_of_no_account(example, known, subject, given, curves, monkeypatch):
    """What takes 1.25 times as long is of rates as much smaller; the search is over the same rates all the same."""
    factor, frames = 1.25, subject.frames
    plain = fitted(example.model, known, subject, curves, given)
    if "plasma" in given:
        stretched = {
            name: dataclasses.replace(curve, time=factor * curve.time)
            for name in ("parent", "whole_blood")
            if (curve := getattr(given["plasma"], name)) is not None
        }
        given = {"plasma": dataclasses.replace(given["plasma"], **stretched)}
    longer = known.table(curves, Frames(factor * frames.start, factor * frames.duration))
    for name in ("MARGIN", "LEAST_RISE"):  # min; the standard errors rest on the range of what the curve does not tell
        monkeypatch.setattr(lpntpet, name, factor * getattr(lpntpet, name))
    found, _ = fit(slower(example.model, factor), longer, half_life=factor * known.half_life, **given)
    for column, name in enumerate(plain.parameters):
        share = factor ** POWER_OF_TIME.get(SYMBOLS[name].unit, 0)
        np.testing.assert_allclose(found.value[:, column], share * plain.value[:, column], rtol=1e-4, err_msg=name)
        np.testing.assert_allclose(found.se[:, column], share * plain.se[:, column], rtol=1e-3, err_msg=name)


def test_says_what_it_needs(example, known, subject, given, curves):
    model = example.model
    required = [field.name for field in dataclasses.fields(model) if field.default is dataclasses.MISSING]
    assert set(model.needs) <= {"reference", "plasma", "window", *required}
    if required:
        with pytest.raises(ModelError, match=f"{model.name} needs {required[0]}"):
            registry.make(model.name)
    else:
        assert registry.make(model.name).name == model.name
    window = {"t_begin", "t_end"} if "window" in model.needs else set()
    assert set(required) == window | set(model.needs) - {"reference", "plasma", "window"}
    words = {"reference": "needs a reference region", "plasma": "needs an arterial input"}
    for need in set(model.needs) & set(words):
        with pytest.raises(ModelError, match=f"{model.name} {words[need]}"):
            fitted(model, known, subject, curves, {key: value for key, value in given.items() if key != need})


def test_needs_whole_blood_where_the_tissue_holds_some(example, known, subject, given, curves):
    model = example.model
    if not hasattr(model, "V_B"):
        pytest.skip("the model knows no share of blood")
    alone = {"plasma": dataclasses.replace(given["plasma"], whole_blood=None)}
    with pytest.raises(ModelError, match=f"{model.name} needs whole blood"):
        fitted(model, known, subject, curves, alone)
    bloodless = dataclasses.replace(model, V_B=0.0)
    found, expected = (fitted(bloodless, known, subject, curves, plasma) for plasma in (alone, given))
    np.testing.assert_array_equal(found.value, expected.value)


def test_refuses_assumptions_that_cannot_be(example):
    kind = type(example.model)
    for field in dataclasses.fields(kind):
        if field.name == "k2_prime":
            for value in (0.0, -0.1, np.nan, np.inf):
                with pytest.raises(ModelError, match="positive k2_prime in 1/min"):
                    dataclasses.replace(example.model, k2_prime=value)
        if field.name == "V_B":
            for value in (-0.1, 1.0, np.nan, np.inf):
                with pytest.raises(ModelError, match=f"{example.model.name}.*V_B"):
                    dataclasses.replace(example.model, V_B=value)


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
    assert model.macro in model.parameters
    assert isinstance(model.fits_curve, bool)
    assert model.n_free > 0
    assert least_frames(model) > 0
    assert model.title


def test_is_sourced(example):
    model = example.model
    assert model.citations
    assert set(model.citations) <= set(catalog.references())
    assert "References\n" in inspect.getdoc(type(model))


def test_gives_what_it_says(example, known, subject, given, curves):
    model = example.model
    found = fitted(model, known, subject, curves, given)
    assert found.model == model.name
    assert found.parameters == model.parameters
    assert found.value.shape == found.se.shape == (len(curves), len(model.parameters))
    assert found.macro == model.macro
    assert (found.of(model.macro)[1] > 0).all()
    told = np.isfinite(found.se) | (found.quality & Quality.UNDETERMINED > 0)[:, None]
    assert np.all((found.se > 0) | np.isnan(found.se))
    assert told.all()
    solution = model.estimate(problem(subject, given, curves))
    assert solution.fitted.shape == (len(curves), solution.rows.size)
    assert solution.wrss.shape == solution.quality.shape == (len(curves),)


def test_is_named_as_its_file_and_knows_neither_fitter_nor_registry(example):
    module = inspect.getmodule(type(example.model))
    assert module.__name__.rpartition(".")[2].replace("_", "") == type(example.model).__name__.lower()
    tree = ast.parse(inspect.getsource(module))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not imported & {"raphe.kinetics.fit", "raphe.kinetics.registry", "raphe.kinetics"}
