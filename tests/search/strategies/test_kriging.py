"""Gaussian-process regression."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern, WhiteKernel

from skauto.search.strategies._kriging import JITTER, Kriging


def problem(n=25, seed=0, noise=0.0):
    rng = np.random.default_rng(seed)
    X = rng.random((n, 3))
    y = np.sin(5 * X[:, 0]) + X[:, 1] + noise * rng.normal(size=n)
    return X, (y - y.mean()) / y.std(), np.array([0, 1, 2])


@given(st.lists(st.floats(-3, 2), min_size=3, max_size=3), st.floats(-8, -0.5), st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_the_gradient_is_that_of_the_loss(log_lengths, log_noise, seed):
    X, y, length_of = problem(12, seed)
    process, theta = Kriging(X, y, length_of), np.array([*log_lengths, log_noise])
    numeric = approx_fprime(theta, lambda t: process._loss(t, y)[0], 1e-6)
    np.testing.assert_allclose(process._loss(theta, y)[1], numeric, rtol=1e-3, atol=1e-3)


def test_predicts_as_scikit_learn_does_with_the_same_lengths_and_noise():
    X, y, length_of = problem(noise=0.1)
    process = Kriging(X, y, length_of)
    kernel = Matern(np.exp(process.log_lengths), "fixed", nu=2.5)
    kernel += WhiteKernel(np.exp(process.log_noise) + JITTER, "fixed")
    theirs = GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None).fit(X, y)
    fresh = np.random.default_rng(1).random((40, 3))
    mean, deviation = theirs.predict(fresh, return_std=True)
    ours = process.predict(fresh)
    np.testing.assert_allclose(ours[0], mean, atol=1e-7)
    np.testing.assert_allclose(ours[1] ** 2, deviation**2 - np.exp(process.log_noise), atol=1e-6)


def test_lengths_tell_which_dimensions_matter():
    process = Kriging(*problem(40))
    assert process.log_lengths[2] > process.log_lengths[0] + 1


@pytest.mark.parametrize(("noise", "least", "most"), [(0.0, -9.3, -5.0), (1.0, -2.0, 0.0)])
def test_noise_is_told_from_shape(noise, least, most):
    assert least <= Kriging(*problem(80, noise=noise)).log_noise <= most


def test_columns_that_share_a_length_have_one():
    X, y, _ = problem()
    assert len(Kriging(X, y, np.array([0, 1, 1])).log_lengths) == 2


def test_equal_rows_and_equal_values_do_no_harm():
    process = Kriging(np.full((6, 2), 0.5), np.zeros(6), np.array([0, 1]))
    mean, deviation = process.predict(np.array([[0.5, 0.5], [0, 1]]))
    np.testing.assert_allclose(mean, 0)
    assert deviation[0] < deviation[1] <= 1
