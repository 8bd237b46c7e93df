"""Scorers of labels as functions of confusion matrices: what they are given, and in what order."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, fbeta_score, make_scorer

from skauto.resample import make_cost_scorer, total_cost_score
from skauto.resample._label_metric import LabelMetric

CONFUSION = np.array([[[8, 2], [1, 4]], [[5, 5], [0, 5]]])


def rows(cells):
    """True and predicted codes with this confusion matrix."""
    return (np.repeat(part.ravel(), cells.ravel()) for part in np.indices(cells.shape))


@pytest.mark.parametrize(("pos_label", "positive"), [(None, 1), ("yes", 1), ("no", 0)])
def test_the_positive_label_of_two(pos_label, positive):
    metric = LabelMetric(make_scorer(f1_score, pos_label=pos_label), np.array(["no", "yes"]), pos_label=pos_label)
    expected = [f1_score(*rows(cells), pos_label=positive) for cells in CONFUSION]
    np.testing.assert_allclose(metric(CONFUSION), expected)


def test_settings_signs_weights_and_labels():
    classes = np.array(["a", "b", "c"])
    cells = np.array([[5, 1, 0], [2, 7, 1], [0, 0, 3]])
    truth, answer = rows(cells)
    beta = LabelMetric(make_scorer(fbeta_score, beta=2, average="macro"), classes)
    assert beta(cells) == pytest.approx(fbeta_score(truth, answer, beta=2, average="macro"))
    costs = [[0, 1, 2], [3, 0, 4], [5, 6, 0]]
    cost = LabelMetric(make_cost_scorer(costs, labels=["a", "b", "c"]), classes)
    assert cost(cells) == pytest.approx(-total_cost_score(truth, answer, costs) / len(truth))
    assert cost(cells / 2) == pytest.approx(float(cost(cells)))
    named = LabelMetric(make_scorer(lambda y, p: np.mean(p[y == "b"] == "b")), classes)
    assert named(cells) == pytest.approx(0.7)
    with pytest.raises(ValueError, match="takes no sample_weight"):
        named(cells / 2)
    assert not LabelMetric(make_scorer(accuracy_score), classes).uses_threshold
