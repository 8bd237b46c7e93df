import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeClassifierCV
from sklearn.metrics import log_loss
from sklearn.utils.estimator_checks import parametrize_with_checks

from skauto.estimators.sequences._ridge import ALPHAS, CalibratedRidgeClassifier

# A row of weight two is left out whole, of two rows only one is.
EXPECTED_FAILURES = {"check_sample_weight_equivalence_on_dense_data": "rows are left out one by one"}


@parametrize_with_checks([CalibratedRidgeClassifier()], expected_failed_checks=lambda estimator: EXPECTED_FAILURES)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def problem(rows, columns, classes):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(rows, columns)), rng.integers(0, classes, rows)
    X[:, 0] += y
    return X, y, rng.uniform(0.1, 2, rows)


@pytest.mark.parametrize("shape", [(60, 500, 2), (60, 300, 4), (300, 20, 3)])
def test_answers_are_those_of_scikit_learns_ridge(shape):
    X, y, weight = problem(*shape)
    for w in (None, weight):
        ours = CalibratedRidgeClassifier().fit(X, y, w)
        theirs = RidgeClassifierCV(ALPHAS).fit(X, y, w)
        assert ours.alpha_ == theirs.alpha_
        np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-9)


@pytest.mark.parametrize("shape", [(40, 100, 2), (60, 8, 3)])
def test_left_out_rows_are_answered_as_if_left_out(shape):
    X, y, weight = problem(*shape)
    clf = CalibratedRidgeClassifier(alphas=(2.0,)).fit(X, y)
    target = np.where(y[:, None] == np.arange(shape[2]), 1.0, -1.0)
    answers = clf._solve(X, target, weight)
    for row in (0, 7, 30):
        rest = np.arange(len(y)) != row
        ridge = Ridge(alpha=2.0, solver="svd").fit(X[rest], target[rest], weight[rest])
        np.testing.assert_allclose(answers[row], ridge.predict(X[row : row + 1])[0], atol=1e-7)


def test_probabilities_are_honest():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 2000)
    X = rng.normal(size=(2000, 30)) + 0.15 * y[:, None]
    clf = CalibratedRidgeClassifier().fit(X[:300], y[:300])
    given = clf.predict_proba(X[300:])
    loss = log_loss(y[300:], given)
    for factor in (0.5, 2.0):  # neither bolder nor meeker probabilities would be better
        clf.slope_ *= factor
        assert loss < log_loss(y[300:], clf.predict_proba(X[300:]))
        clf.slope_ /= factor


@pytest.mark.parametrize("n_classes", [2, 10])
def test_many_classes_are_no_more_timid_than_two(n_classes):
    """Thirty rows of each class, all right when left out: targets of 31 to 1 leave a loss of about 1 in 32."""
    y = np.repeat(np.arange(n_classes), 30)
    X = np.eye(n_classes)[y] + 0.01 * np.random.default_rng(0).normal(size=(len(y), n_classes))
    proba = CalibratedRidgeClassifier().fit(X, y).predict_proba(X)
    assert 1 / 60 < log_loss(y, proba) < 1 / 20


def test_class_weight_moves_the_answers():
    X, y, _ = problem(300, 20, 2)
    rare = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:20]]
    plain, balanced = (
        CalibratedRidgeClassifier(class_weight=w).fit(X[rare], y[rare]).predict(X).mean() for w in (None, "balanced")
    )
    assert balanced > plain + 0.1
