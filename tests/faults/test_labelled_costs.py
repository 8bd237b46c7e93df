"""Costs in a labelled DataFrame: labels are looked up by position for every dtype; True and False are no mask."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from skauto import AutoClassifier
from skauto.resample import (
    CostCurveDisplay,
    CostSensitiveClassifier,
    MulticlassThresholdClassifierCV,
    expected_cost_score,
    make_cost_scorer,
    savings_score,
    total_cost_score,
)

COSTS = np.array([[0.0, 1.0], [7.0, 0.5]])
X, CODES = make_classification(300, weights=[0.7], class_sep=0.6, random_state=0)
LABELS = {
    "bool": (np.array([False, True])[CODES], [False, True]),
    "int": (np.array([3, 12])[CODES], [3, 12]),
    "zero and one": (CODES, [0, 1]),
    "float": (np.array([1.0, 2.0])[CODES], [1.0, 2.0]),
    "str": (np.array(["bad", "good"])[CODES], ["bad", "good"]),
    "object": (np.array(["bad", "good"], dtype=object)[CODES], ["bad", "good"]),
    "categorical": (pd.Series(np.array(["bad", "good"])[CODES], dtype="category"), ["bad", "good"]),
    "string column": (pd.Series(np.array(["bad", "good"])[CODES], dtype="string"), ["bad", "good"]),
    "bool column": (pd.Series(np.array([False, True])[CODES]), [False, True]),
}


@pytest.mark.parametrize("name", LABELS)
def test_a_labelled_frame_means_what_the_plain_matrix_means(name):
    y, labels = LABELS[name]
    frame = pd.DataFrame(COSTS, index=labels, columns=labels).iloc[::-1]
    plain = CostSensitiveClassifier(LogisticRegression(), COSTS).fit(X, y)
    ours = CostSensitiveClassifier(LogisticRegression(), frame).fit(X, y)
    np.testing.assert_array_equal(ours.cost_matrix_, COSTS)
    answer = ours.predict(X)
    np.testing.assert_array_equal(answer, plain.predict(X))
    np.testing.assert_array_equal(plain.predict(X, cost_matrix=frame), answer)
    truth, proba = np.asarray(y), ours.predict_proba(X)
    for score, given in ((total_cost_score, answer), (savings_score, answer), (expected_cost_score, proba)):
        assert score(truth, given, frame) == pytest.approx(score(truth, given, COSTS))
    assert make_cost_scorer(frame)(ours, X, truth) == pytest.approx(make_cost_scorer(COSTS)(ours, X, truth))
    tuned = MulticlassThresholdClassifierCV(LogisticRegression(), make_cost_scorer(frame), random_state=0).fit(X, y)
    same = clone(tuned).set_params(scoring=make_cost_scorer(COSTS)).fit(X, y)
    np.testing.assert_allclose(tuned.class_weights_, same.class_weights_)
    drawn = [CostCurveDisplay.from_predictions(truth, proba[:, 1], costs).frame() for costs in (frame, COSTS)]
    pd.testing.assert_frame_equal(*drawn)


@pytest.mark.parametrize("name", ["bool", "zero and one", "str"])
def test_auto_classifier_takes_labelled_costs(name):
    y, labels = LABELS[name]
    settings = {"candidates": ["logistic"], "n_iter": 1, "time_limit": None, "cv": 3, "n_jobs": 1, "verbose": 0}
    frame = pd.DataFrame(COSTS, index=labels, columns=labels).iloc[::-1, ::-1]
    ours, plain = (AutoClassifier(cost_matrix=costs, random_state=0, **settings).fit(X, y) for costs in (frame, COSTS))
    assert ours.best_score_ == plain.best_score_
    np.testing.assert_array_equal(ours.predict(X), plain.predict(X))


def test_bools_as_objects_are_no_mask():
    frame = pd.DataFrame(COSTS, index=[False, True], columns=pd.Index([False, True], dtype=object))
    truth, answer = np.array([False, True, True], dtype=object), np.array([True, False, True], dtype=object)
    assert total_cost_score(truth, answer, frame) == 8.5


def test_columns_of_a_file_are_text():
    frame = pd.DataFrame(COSTS, index=["0", "1"], columns=["0", "1"])
    assert total_cost_score([0, 1, 1], [1, 0, 1], frame) == 8.5
    model = CostSensitiveClassifier(LogisticRegression(), frame).fit(X, CODES)
    np.testing.assert_array_equal(model.cost_matrix_, COSTS)


def test_labels_that_are_missing_or_named_twice_are_told():
    with pytest.raises(ValueError, match=r"cost_matrix has no row or column for the labels \[True\]"):
        CostSensitiveClassifier(LogisticRegression(), pd.DataFrame([[0]], [False], [False])).fit(X, CODES > 0)
    with pytest.raises(ValueError, match="cost_matrix names a label twice"):
        CostSensitiveClassifier(LogisticRegression(), pd.DataFrame(COSTS, [1, 1], [0, 1])).fit(X, CODES)
