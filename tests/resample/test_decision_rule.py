"""DecisionRule: the labels of costs, thresholds and weights, alone and as the last step of a pipeline."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skauto.resample._decision_rule import DecisionRule

TWO, THREE = np.array(["no", "yes"]), np.array(["a", "b", "c"])
COSTS = np.array([[0.0, 1.0], [6.0, 0.0]])


def fitted(classes):
    X, codes = make_classification(300, 6, n_informative=4, n_classes=len(classes), random_state=0)
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, classes[codes]), X


@pytest.mark.parametrize(
    ("rule", "labels"),
    [
        (DecisionRule(TWO, "yes", 0.3), ["yes", "no"]),
        (DecisionRule(TWO, "no", 0.3), ["no", "no"]),
        (DecisionRule(TWO, "no", 0.7), ["yes", "no"]),
        (DecisionRule(TWO, "yes", None, COSTS), ["yes", "yes"]),
    ],
)
def test_labels_of_two_classes(rule, labels):
    assert rule.labels(np.array([[0.6, 0.4], [0.8, 0.2]])).tolist() == labels


@pytest.mark.parametrize(
    "rule",
    [
        DecisionRule(TWO, "yes", 0.2),
        DecisionRule(TWO, "no", 0.2),
        DecisionRule(THREE, None, np.array([1.0, 0.3, 1.7])),
        DecisionRule(TWO, "yes", None, COSTS),
    ],
)
def test_a_pipeline_around_which_it_is_put_decides_by_it(rule):
    pipeline, X = fitted(rule.classes)
    ruled = rule.wrap(pipeline)
    proba = pipeline.predict_proba(X)
    np.testing.assert_allclose(ruled.predict_proba(X), proba)
    np.testing.assert_array_equal(ruled.predict(X), rule.labels(proba))
    assert ruled[0] is not pipeline[0] and ruled.steps[0][0] == pipeline.steps[0][0]


def test_costs_of_rows_go_with_their_rows():
    costs = np.stack([COSTS, COSTS[::-1, ::-1]])
    assert DecisionRule(TWO, "yes", None, costs).labels(np.array([[0.6, 0.4], [0.6, 0.4]])).tolist() == ["yes", "no"]
