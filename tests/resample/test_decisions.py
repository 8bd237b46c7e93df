"""Where labels are decided: by probabilities, weights, costs and votes."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skauto.resample import PriorCorrectedClassifier, ResamplingClassifier
from skauto.resample._decisions import (
    by_weights,
    cheapest,
    check_decision,
    deciding_unresampled,
    most_probable,
    most_voted,
)

CLASSES = np.array(["a", "b", "c"])
PROBA = np.array([[0.6, 0.3, 0.1], [0.2, 0.3, 0.5]])


def test_labels_by_hand():
    assert most_probable(PROBA, CLASSES).tolist() == ["a", "c"]
    assert by_weights(PROBA, CLASSES, [1, 3, 1]).tolist() == ["b", "b"]
    costs = np.array([[0, 1, 9], [1, 0, 9], [9, 1, 0]])
    assert cheapest(PROBA, CLASSES, costs).tolist() == ["b", "b"]  # .7 for either; "a" costs 1.2 and 4.8
    assert most_voted(np.array([["a", "c"], ["b", "c"], ["b", "a"]]), CLASSES).tolist() == ["b", "c"]
    assert most_voted(np.array([["c"], ["a"]]), CLASSES).tolist() == ["a"]  # the first of equals


def test_an_unknown_decision_is_named():
    with pytest.raises(ValueError, match="decision='f1' must be 'resampled' .*TunedThresholdClassifierCV"):
        check_decision("f1")


def test_all_that_resample_within_decide_unresampled():
    inner = PriorCorrectedClassifier(LogisticRegression(class_weight="balanced"))
    model = deciding_unresampled(make_pipeline(ResamplingClassifier(inner)))
    assert model[-1].decision == model[-1].estimator.decision == "unresampled"
