"""Prior correction: Bayes' rule by hand, and priors read from many kinds of estimators."""

import numpy as np
import pytest
from imblearn.ensemble import BalancedBaggingClassifier, BalancedRandomForestClassifier
from lightgbm import LGBMClassifier
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from skauto.resample import PriorCorrectedClassifier, class_priors, correct_priors
from skauto.resample._inner_models import trained_priors, within
from skauto.resample._search_space import class_weight_parameter


@parametrize_with_checks([PriorCorrectedClassifier(LogisticRegression(class_weight="balanced"))])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_bayes_rule_by_hand():
    # odds 3:1 among equals, in a world of 1:4, are odds 3:4
    np.testing.assert_allclose(correct_priors([[0.75, 0.25]], [0.5, 0.5], [0.2, 0.8]), [[3 / 7, 4 / 7]])
    np.testing.assert_allclose(correct_priors([[0.2, 0.3, 0.5]], [1, 1, 1], [1, 1, 1]), [[0.2, 0.3, 0.5]])


def test_a_class_without_training_rows_or_a_row_of_zeros_stays():
    np.testing.assert_allclose(correct_priors([[0.5, 0.5, 0.0]], [0.5, 0.5, 0.0], [0.4, 0.4, 0.2]), [[0.5, 0.5, 0.0]])
    np.testing.assert_allclose(correct_priors([[1.0, 0.0]], [1.0, 0.0], [0.0, 1.0]), [[1.0, 0.0]])


def test_priors_of_a_wrong_length_are_named():
    with pytest.raises(ValueError, match="one value for each of the 2 columns"):
        correct_priors([[0.5, 0.5]], [1, 1, 1], [1, 1])


def test_class_priors_are_weighted():
    np.testing.assert_allclose(class_priors([0, 1, 1], [0, 1], [2.0, 1.0, 1.0]), [0.5, 0.5])


BOOSTER = {"n_estimators": 30, "num_leaves": 7, "verbose": -1, "n_jobs": 1, "random_state": 0}
EXPECTED = [
    (LogisticRegression(), [0.9, 0.1]),
    (LogisticRegression(class_weight="balanced"), [0.5, 0.5]),
    (LogisticRegression(class_weight={0: 1, 1: 3}), [0.75, 0.25]),
    (make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced")), [0.5, 0.5]),
    (RandomForestClassifier(50, class_weight="balanced_subsample", random_state=0, max_depth=4), [0.5, 0.5]),
    (LGBMClassifier(scale_pos_weight=9, **BOOSTER), [0.5, 0.5]),
    (LGBMClassifier(is_unbalance=True, **BOOSTER), [0.5, 0.5]),
    (LGBMClassifier(subsample_freq=1, pos_bagging_fraction=1.0, neg_bagging_fraction=1 / 9, **BOOSTER), [0.5, 0.5]),
    (BalancedBaggingClassifier(LGBMClassifier(**BOOSTER), random_state=0), [0.5, 0.5]),
    (BalancedBaggingClassifier(sampling_strategy=0.5, random_state=0), [2 / 3, 1 / 3]),
    (BalancedRandomForestClassifier(30, random_state=0), [0.5, 0.5]),
]


@pytest.mark.parametrize("estimator, expected", EXPECTED, ids=lambda value: type(value).__name__)
def test_trained_priors_are_read_and_probabilities_repaired(estimator, expected):
    X, y = make_classification(n_samples=8000, weights=[0.9], flip_y=0, class_sep=0.6, random_state=0)
    X_test, y_test = X[4000:], y[4000:]
    keep = np.r_[np.flatnonzero(y[:4000] == 0)[:1800], np.flatnonzero(y[:4000] == 1)[:200]]
    model = PriorCorrectedClassifier(estimator).fit(X[keep], y[keep])
    np.testing.assert_allclose(model.trained_priors_, expected, atol=1e-9)
    np.testing.assert_allclose(model.original_priors_, [0.9, 0.1])
    ours = brier_score_loss(y_test, model.predict_proba(X_test)[:, 1])
    assert ours <= brier_score_loss(y_test, model.estimator_.predict_proba(X_test)[:, 1]) + 1e-3


def test_balanced_weights_with_sample_weight_are_what_the_estimator_trains_on():
    X, y = make_classification(n_samples=500, weights=[0.8], random_state=0)
    weight = np.where(y == 1, 2.0, 1.0)
    logistic = PriorCorrectedClassifier(LogisticRegression(class_weight="balanced")).fit(X, y, weight)
    np.testing.assert_allclose(logistic.trained_priors_, [0.5, 0.5])
    booster = PriorCorrectedClassifier(LGBMClassifier(class_weight="balanced", **BOOSTER)).fit(X, y, weight)
    np.testing.assert_allclose(booster.trained_priors_, [1 / 3, 2 / 3])


def test_given_priors_and_estimators_without_probabilities():
    X, y = make_classification(n_samples=200, weights=[0.8], random_state=0)
    model = PriorCorrectedClassifier(LogisticRegression(), trained_priors=[1, 3]).fit(X, y)
    np.testing.assert_allclose(model.trained_priors_, [0.25, 0.75])
    with pytest.raises(ValueError, match="one positive fraction for each of the 2 classes"):
        PriorCorrectedClassifier(LogisticRegression(), trained_priors=[1]).fit(X, y)
    scores = PriorCorrectedClassifier(LinearSVC(class_weight="balanced")).fit(X, y)
    assert not hasattr(scores, "predict_proba")
    np.testing.assert_array_equal(scores.predict(X), (scores.decision_function(X) > 0).astype(int))


def test_a_frozen_pipeline_is_read_like_the_pipeline():
    X, y = make_classification(400, weights=[0.9], random_state=0)
    weighted = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced")).fit(X, y)
    assert within(FrozenEstimator(weighted)) is weighted.steps[-1][1]
    np.testing.assert_allclose(trained_priors(FrozenEstimator(weighted), y, [0, 1]), [0.5, 0.5])
    assert class_weight_parameter(FrozenEstimator(weighted)) == (None, False)
