"""MulticlassFixedThresholdClassifier: labels move, probabilities do not."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from skauto.resample._fixed_thresholds import MulticlassFixedThresholdClassifier

X, Y = load_iris(return_X_y=True)
LABELS = np.array(["a", "b", "c"])[Y]


@parametrize_with_checks([MulticlassFixedThresholdClassifier(LogisticRegression())])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_multipliers_move_labels_only():
    fixed = MulticlassFixedThresholdClassifier(LogisticRegression(max_iter=500), [1, 50, 1]).fit(X, LABELS)
    plain = fixed.estimator_
    np.testing.assert_array_equal(fixed.predict_proba(X), plain.predict_proba(X))
    expected = fixed.classes_[(plain.predict_proba(X) * [1, 50, 1]).argmax(1)]
    np.testing.assert_array_equal(fixed.predict(X), expected)
    assert (fixed.predict(X) == "b").sum() > (plain.predict(X) == "b").sum()


def test_without_multipliers_it_is_the_estimator():
    fixed = MulticlassFixedThresholdClassifier(LogisticRegression(max_iter=500)).fit(X, LABELS)
    np.testing.assert_array_equal(fixed.predict(X), fixed.estimator_.predict(X))


@pytest.mark.parametrize("wrong", [[1, 1], [1, 1, 0], [1, -1, 1]])
def test_there_is_one_positive_multiplier_a_class(wrong):
    with pytest.raises(ValueError, match="one positive number for each of the 3 classes"):
        MulticlassFixedThresholdClassifier(LogisticRegression(max_iter=500), wrong).fit(X, LABELS)


def test_a_clone_is_not_fitted():
    fixed = MulticlassFixedThresholdClassifier(LogisticRegression(max_iter=500)).fit(X, Y)
    with pytest.raises(NotFittedError):
        clone(fixed).predict(X)


def test_weights_reach_the_estimator():
    weight = np.where(Y == 0, 0.0, 1.0)
    fixed = MulticlassFixedThresholdClassifier(LogisticRegression(max_iter=500)).fit(X, Y, sample_weight=weight)
    assert (fixed.predict(X) == 0).sum() < 50


def test_multipliers_by_label_fit_rows_without_a_class():
    model = MulticlassFixedThresholdClassifier(LogisticRegression(max_iter=500), {"b": 50, "c": 1})
    assert (model.fit(X, LABELS).predict(X) == "b").sum() > 50
    part = LABELS != "c"
    assert set(model.fit(X[part], LABELS[part]).predict(X[part])) == {"a", "b"}
