"""Errors of functions of parameters: against the products of matrices that define them."""

import numpy as np
import pytest

from raphe.core.propagation import errors_of


@pytest.mark.parametrize("n_par", [1, 2, 3, 4, 5])
def test_an_error_is_the_root_of_gradient_times_covariance_times_gradient(n_par):
    random = np.random.default_rng(n_par)
    gradient, root = random.standard_normal((4, n_par, 33)), random.standard_normal((n_par, n_par, 33))
    covariance = np.ascontiguousarray(np.einsum("pic,qic->pqc", root, root))
    found = errors_of(gradient, covariance)
    np.testing.assert_allclose(found**2, np.einsum("opc,pqc,oqc->oc", gradient, covariance, gradient), rtol=1e-12)


@pytest.mark.parametrize("n_par", [2, 3, 4])
def test_a_variance_that_is_not_known_or_lost_in_rounding(n_par):
    gradient, covariance = np.ones((2, n_par, 3)), np.zeros((n_par, n_par, 3))
    covariance[0, -1, 0] = covariance[-1, 0, 0] = np.nan
    covariance[0, 0, 1] = -1e-30
    found = errors_of(gradient, covariance)
    assert np.isnan(found[:, 0]).all()
    assert (found[:, 1:] == 0).all()
