"""Labels by thresholds and by costs, and scores that say what cannot be scored."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from skauto.automl.evaluation._new_rows import codes_of, score
from skauto.resample._decision_rule import DecisionRule

PROBA = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]])
CLASSES = np.array(["no", "yes"])


@pytest.mark.parametrize(("positive", "labels"), [("yes", ["no", "yes", "yes"]), ("no", ["no", "no", "yes"])])
def test_a_threshold_is_about_the_positive_class(positive, labels):
    assert DecisionRule(CLASSES, positive, 0.4, None).labels(PROBA).tolist() == labels


def test_factors_of_many_classes():
    proba = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
    assert DecisionRule(np.array([3, 5, 7]), None, np.array([1.0, 1.0, 3.0])).labels(proba).tolist() == [7, 7]


def test_costs_go_before_thresholds():
    costs = np.array([[0.0, 1.0], [10.0, 0.0]])
    assert DecisionRule(CLASSES, "yes", None, costs).labels(PROBA).tolist() == ["yes", "yes", "yes"]


@pytest.mark.parametrize("positive", ["yes", "no"])
def test_scores_are_those_of_scikit_learn(positive):
    y = np.array(["no", "yes", "no"])
    rule = DecisionRule(CLASSES, positive, 0.4)
    assert score(y, PROBA, rule, "f1") == pytest.approx(f1_score(y, rule.labels(PROBA), pos_label=positive))
    assert score(y, PROBA, rule, "roc_auc") == pytest.approx(roc_auc_score(y == "yes", PROBA[:, 1]))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, -1, 1], "sample_weight must be finite and not negative, but row 1 has -1.0"),
        ([1, 1], "X has 3 rows, sample_weight has 2"),
        ([0, 0, 0], "at least one non-zero"),
    ],
)
@pytest.mark.parametrize("scoring", ["f1", "roc_auc"])
def test_weights_that_cannot_weigh(scoring, weight, message):
    with pytest.raises(ValueError, match=message):
        score(["no", "yes", "no"], PROBA, DecisionRule(CLASSES, "yes", 0.4), scoring, weight)


def test_labels_that_cannot_be_scored():
    with pytest.raises(ValueError, match="X has 3 rows, but y has 2"):
        codes_of(["no", "yes"], CLASSES, 3)
    with pytest.raises(ValueError, match=r"never saw: \['maybe'\]; known are \['no', 'yes'\]"):
        codes_of(["no", "maybe"], CLASSES, 2)
