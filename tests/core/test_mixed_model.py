"""The derivatives, degrees of freedom and searches of mixed models, by dense matrices and finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from raphe.core.mixed_blocks import arrange
from raphe.core.mixed_freedom import KenwardRoger, Satterthwaite
from raphe.core.mixed_likelihood import Model
from raphe.core.mixed_model import fit_mixed_model
from raphe.core.mixed_structures import STRUCTURES
from raphe.errors import InputError

ETA = {
    "independent": [0.9],
    "cs": [0.8, 1.7],
    "csh": [0.9, 1.2, 1.1, 0.4],
    "ar1": [1.1, 0.8],
    "ar1h": [0.9, 1.2, 1.1, -0.5],
    "unstructured": [1.0, 0.4, 1.2, 0.3, 0.5, 0.9],
}


@pytest.fixture(scope="module")
def table():
    """Nine subjects, up to three visits, with everything that a covariance can hold."""
    rng = np.random.default_rng(1)
    subject, visit = (part.ravel() for part in np.mgrid[:9, :3])
    kept = np.ones(27, dtype=bool)
    kept[[2, 7, 12, 24]] = False
    subject, visit = subject[kept], visit[kept]
    design = np.column_stack([np.ones(visit.size), visit == 1, visit == 2, subject % 2]).astype(float)
    outcome = rng.normal(size=visit.size) + rng.normal(size=9)[subject]
    return {"design": design, "outcome": outcome, "subject": subject, "visit": visit, "group": subject % 2,
            "inner": subject // 2, "known": rng.uniform(0.05, 0.2, visit.size),
            "scale": rng.uniform(0.7, 1.3, visit.size)}  # fmt: skip


def dense_covariance(table, name, theta, T=3):
    """V, row by row, from natural parameters: a random intercept, two groups, scales and known variances."""
    structure = STRUCTURES[name](T)
    tau, *rest = theta
    matrices = [structure.matrix(part) for part in np.split(np.array(rest), 2)]
    n = table["subject"].size
    V = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            if table["inner"][i] == table["inner"][j]:
                V[i, j] += tau
            if table["subject"][i] == table["subject"][j]:
                of_visits = matrices[table["group"][i]][table["visit"][i], table["visit"][j]]
                V[i, j] += of_visits * table["scale"][i] * table["scale"][j]
        V[i, i] += table["known"][i]
    return V


def dense_value(table, V, reml=True):
    """D by a formula of full matrices: the projection onto the complement of the design."""
    X, y = table["design"], table["outcome"]
    Vi = np.linalg.inv(V)
    information = X.T @ Vi @ X
    P = Vi - Vi @ X @ np.linalg.solve(information, X.T @ Vi)
    value = np.linalg.slogdet(V)[1] + y @ P @ y
    return value + np.linalg.slogdet(information)[1] * reml


def model_of(table, name, reml=True):
    blocks, size = arrange(
        table["subject"], table["visit"], table["group"], [table["inner"]], table["scale"], table["known"]
    )
    together = np.column_stack([table["design"], table["outcome"]])
    return Model(blocks, tuple(together[b.rows] for b in blocks), STRUCTURES[name](size), 2, 1, reml)


def differences(function, at, step=1e-4):
    """First derivatives by five points."""
    slopes = []
    for unit in np.eye(at.size) * step:
        near, far = function(at + unit) - function(at - unit), function(at + 2 * unit) - function(at - 2 * unit)
        slopes.append((8 * near - far) / (12 * step))
    return np.array(slopes)


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structure_knows_its_derivatives(name):
    structure = STRUCTURES[name](3)
    eta = np.array(ETA[name])
    theta, slope, curvature = structure.natural(eta)
    assert np.linalg.eigvalsh(structure.matrix(theta)).min() > 0
    assert slope == pytest.approx(differences(lambda e: structure.natural(e).theta, eta).T, abs=1e-9)
    by_eta = differences(lambda e: structure.natural(e).slope, eta)
    assert curvature == pytest.approx(np.moveaxis(by_eta, 0, 2), abs=1e-9)
    assert structure.slopes(theta) == pytest.approx(differences(structure.matrix, theta), abs=1e-9)
    assert structure.curvatures(theta) == pytest.approx(differences(structure.slopes, theta), abs=1e-9)
    assert structure.linear == (np.abs(structure.curvatures(theta)).max() == 0)


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_start_comes_near_the_matrix(name):
    structure = STRUCTURES[name](3)
    wanted = structure.matrix(structure.natural(np.array(ETA[name])).theta)
    found = structure.matrix(structure.natural(structure.start(wanted)).theta)
    assert found == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("reml", [True, False], ids=["reml", "ml"])
@pytest.mark.parametrize("name", STRUCTURES)
def test_the_likelihood_and_its_derivatives_are_those_of_dense_matrices(table, name, reml):
    model = model_of(table, name, reml)
    theta = model.natural(np.array([0.7, *ETA[name], *(1.1 * np.array(ETA[name]))])).theta
    point = model.at(theta)
    assert point.value == pytest.approx(dense_value(table, dense_covariance(table, name, theta), reml), abs=1e-9)

    def value(t):
        return dense_value(table, dense_covariance(table, name, t), reml)

    assert point.gradient == pytest.approx(differences(value, theta), abs=1e-6)
    second = differences(lambda t: model.at(t).gradient, theta)
    assert point.hessian == pytest.approx(second, abs=1e-6)


@pytest.mark.parametrize("name", STRUCTURES)
def test_the_adjusted_covariance_is_that_of_dense_matrices(table, name):
    """Kenward and Roger's formula, written out with derivatives of V by finite differences."""
    options = {key: table[key] for key in ("visit", "group", "known", "scale")}
    random = [table["inner"]] if name != "unstructured" else []
    if name == "independent":
        random = [table["subject"]]
    if name in ("csh", "ar1h", "unstructured"):
        del options["group"]
    fit = fit_mixed_model(table["design"], table["outcome"], table["subject"], structure=name, random=random, **options)
    assert fit.converged
    given = {**table, "inner": random[0] if random else np.arange(table["subject"].size)}
    tau = [] if random else [0.0]

    def V_of(theta):
        parts = theta if "group" in options else np.concatenate([theta, theta[len(random) :]])
        return dense_covariance(given, name, [*tau, *parts])

    X, theta = table["design"], fit.theta
    Vi, single = np.linalg.inv(V_of(theta)), differences(V_of, theta, 1e-3)
    twice = differences(lambda t: differences(V_of, t, 1e-3), theta, 1e-3)
    Phi = np.linalg.inv(X.T @ Vi @ X)
    P = Vi - Vi @ X @ Phi @ X.T @ Vi
    W = np.linalg.inv([[0.5 * np.trace(P @ a @ P @ b) for a in single] for b in single])
    pieces = [X.T @ Vi @ a @ Vi @ X for a in single]
    inner = np.zeros_like(Phi)
    for r, a in enumerate(single):
        for s, b in enumerate(single):
            double = X.T @ Vi @ a @ Vi @ b @ Vi @ X
            bent = X.T @ Vi @ twice[r, s] @ Vi @ X
            inner += W[r, s] * (double - pieces[r] @ Phi @ pieces[s] - bent / 4)
    assert fit.covariance == pytest.approx(Phi, rel=1e-9)
    assert fit.theta_covariance == pytest.approx(W, rel=1e-5, abs=1e-8)
    assert fit.adjusted == pytest.approx(Phi + 2 * Phi @ inner @ Phi, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ["unstructured", "ar1", "cs", "ar1h"])
def test_satterthwaites_freedom_is_that_of_finite_differences(table, name):
    """The observed information and the gradient of a contrast's variance, both from the dense likelihood."""
    fit = fit_mixed_model(table["design"], table["outcome"], table["subject"], visit=table["visit"], structure=name)
    plain = {**table, "known": np.zeros(23), "scale": np.ones(23), "inner": np.arange(23)}

    def V_of(theta):
        return dense_covariance(plain, name, [0.0, *theta, *theta])

    def value(theta):
        return dense_value(plain, V_of(theta))

    X, row = table["design"], np.array([0.0, -1.0, 1.0, 0.5])

    def variance(theta):
        return row @ np.linalg.solve(X.T @ np.linalg.solve(V_of(theta), X), row)

    hessian = differences(lambda t: differences(value, t, 4e-4), fit.theta, 4e-4)
    gradient = differences(variance, fit.theta)
    assert np.abs(differences(value, fit.theta)).max() < 1e-6
    right = 2 * variance(fit.theta) ** 2 / (gradient @ (2 * np.linalg.inv(hessian)) @ gradient)
    assert Satterthwaite(fit).one(row)[2] == pytest.approx(right, rel=1e-4)


def test_units_do_not_matter(table):
    options = {key: table[key] for key in ("subject", "visit")}
    first = fit_mixed_model(table["design"], table["outcome"], structure="unstructured", **options)
    moved = 1e6 + 1e4 * table["outcome"]
    second = fit_mixed_model(table["design"], moved, structure="unstructured", **options)
    row = np.array([0.0, 1.0, 0.0, 0.0])
    estimate, se, df = KenwardRoger(first).one(row)
    assert KenwardRoger(second).one(row) == pytest.approx((1e4 * estimate, 1e4 * se, df), rel=1e-5)


def test_a_likelihood_without_end_is_not_called_converged():
    """Residuals that lie in a plane: the unstructured covariance can shrink for ever."""
    rng = np.random.default_rng(4)
    values = rng.normal(size=(8, 2))
    outcome = np.column_stack([values, values.sum(axis=1)]).ravel()
    subject, visit = (part.ravel() for part in np.mgrid[:8, :3])
    design = np.eye(3)[visit]
    assert not fit_mixed_model(design, outcome, subject, visit=visit, structure="unstructured").converged


def test_parameters_without_data_are_refused(table):
    with pytest.raises(InputError, match="cannot tell the 3 parameters"):
        fit_mixed_model(
            table["design"], table["outcome"], table["subject"], visit=table["visit"], structure="cs",
            random=[table["subject"]],
        )  # fmt: skip


def test_an_outcome_that_the_design_fits_is_refused(table):
    with pytest.raises(InputError, match="fits the outcome exactly"):
        fit_mixed_model(table["design"], table["design"] @ [1.0, 2.0, 3.0, 4.0], table["subject"])


def test_a_search_ends_at_the_top_from_random_data():
    """Many small data sets: every search that says so has no gradient left, and few do not."""
    rng = np.random.default_rng(9)
    subject, visit = (part.ravel() for part in np.mgrid[:8, :3])
    design = np.eye(3)[visit]
    ended = 0
    for _ in range(60):
        outcome = rng.normal(size=24) * rng.choice([0.3, 1, 3], 3)[visit] + rng.normal(size=8)[subject]
        fit = fit_mixed_model(design, outcome, subject, visit=visit, structure="ar1h")
        ended += fit.converged
    assert ended >= 59
