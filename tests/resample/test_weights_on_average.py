"""A weight is a repeated row: exactly for a deterministic method, nearly so on average over draws or folds."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from skauto import resample
from skauto._seeds import seeded_clone

SEEDS = 40
BASE = LogisticRegression(C=1e4)  # hardly a penalty, which would mind how much the rows weigh in all
COSTS = [[0, 1], [3, 0]]


def draws(method, **params):
    return resample.CostSensitiveClassifier(BASE, COSTS, method, n_estimators=3, **params)


RANDOM = {
    "metacost": draws("metacost"),
    "rejection sampling": draws("rejection_sampling"),
    "bagging": resample.BalancedBaggingClassifier(BASE, n_estimators=3),
    "boosting": resample.RUSBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=3),
    "over-sampling": resample.ResamplingClassifier(BASE, resample.RandomOverSampler()),
    # calibrated, as it is by default: below
    "under-sampling": resample.ResamplingClassifier(BASE, resample.RandomUnderSampler(), prior_correction="bayes"),
}
# These split folds by the number of rows, and copies of a row may be on both sides of a split: near over orders of
# rows.
CALIBRATED = {
    "expected cost": resample.CostSensitiveClassifier(BASE, COSTS),
    "expected cost, one temperature": resample.CostSensitiveClassifier(BASE, COSTS, calibration="temperature"),
    "under-sampling": resample.ResamplingClassifier(BASE, resample.RandomUnderSampler()),
    "cleaning": resample.ResamplingClassifier(BASE, resample.TomekLinks()),
}
EXACT = {
    "reweight": resample.CostSensitiveClassifier(BASE, COSTS, "reweight"),
    "expected cost": resample.CostSensitiveClassifier(BASE, COSTS, calibration=None),
    "prior correction": resample.PriorCorrectedClassifier(LogisticRegression(class_weight="balanced")),
    "no sampler": resample.ResamplingClassifier(BASE),
}


@pytest.fixture(scope="module")
def data():
    """Rows, labels, whole weights from 0 to 4 that move the boundary, and the rows repeated so often."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [160, 50])
    X = rng.normal(size=(210, 2)) + y[:, None]
    weight = np.where(X[:, 0] > 0.3, 4, rng.integers(0, 2, 210))
    rows = np.repeat(np.arange(210), weight)
    return X, y, weight.astype(float), rows


@pytest.mark.slow
@pytest.mark.parametrize("name", RANDOM)
def test_weights_are_repeated_rows_on_average(name, data):
    X, y, weight, rows = data

    def mean(fit):
        return np.mean([fit(seeded_clone(RANDOM[name], seed)).predict_proba(X)[:, 1] for seed in range(SEEDS)], axis=0)

    weighted = mean(lambda model: model.fit(X, y, sample_weight=weight))
    repeated = mean(lambda model: model.fit(X[rows], y[rows]))
    without = mean(lambda model: model.fit(X, y))
    # draws of repeated rows are larger, which moves small models a little: near, and far nearer than without weights
    assert np.abs(weighted - repeated).mean() < 0.6 * np.abs(without - repeated).mean()


@pytest.mark.parametrize("name", EXACT)
def test_weights_are_repeated_rows_exactly(name, data):
    X, y, weight, rows = data
    model = clone(EXACT[name])
    weighted = model.fit(X, y, sample_weight=weight).predict_proba(X)
    np.testing.assert_allclose(weighted, clone(model).fit(X[rows], y[rows]).predict_proba(X), atol=1e-4)


@pytest.mark.parametrize("name", CALIBRATED)
def test_weights_are_nearly_repeated_rows_where_folds_are_cut(name):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [1600, 500])
    X = rng.normal(size=(2100, 2)) + y[:, None]
    weight = np.where((y == 1) & (X[:, 0] > 0.3), 4.0, rng.integers(0, 2, 2100))
    rows = np.repeat(np.arange(2100), weight.astype(int))

    def mean(rows, weight=None):
        answers = []
        for seed in range(5):
            order = np.random.default_rng(seed).permutation(len(rows))
            own = {} if weight is None else {"sample_weight": weight[order]}
            model = seeded_clone(CALIBRATED[name], seed).fit(X[rows[order]], y[rows[order]], **own)
            assert getattr(model, "calibration_", None) or hasattr(model.estimator_, "calibrated_classifiers_")
            answers.append(model.predict_proba(X)[:, 1])
        return np.mean(answers, axis=0)

    repeated, every = mean(rows), np.arange(2100)
    away = np.abs(mean(every, weight) - repeated).mean()
    assert away < 0.15 * np.abs(mean(every) - repeated).mean()
