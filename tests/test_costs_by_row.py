"""Costs as numbers: from matrices, for each row, and from columns of X by the kind of mistake."""

import numpy as np
import pandas as pd
import pytest

from skauto._costs_by_row import read_costs
from skauto._metrics import CostMetric

X = pd.DataFrame({"amount": [10.0, 20.0, 30.0], "town": ["u", "v", "w"]})
TWO = np.array(["bad", "good"])


def test_words_mean_the_positive_class():
    costs = read_costs({"false_negative": "amount", "false_positive": 5, "true_positive": 1}, X, TWO, "bad")
    assert costs[1].tolist() == [[1, 20], [5, 0]]  # a bad row taken for good costs its amount
    costs = read_costs({"false_negative": "amount", "false_positive": 5}, X, TWO, "good")
    assert costs[1].tolist() == [[0, 5], [20, 0]]
    assert read_costs({"false_negative": 2, "false_positive": 5}, X, TWO, "good").tolist() == [[0, 5], [2, 0]]


def test_pairs_are_true_and_predicted_labels():
    three = {(i, j): 10 * i + j for i in range(3) for j in range(3) if i != j} | {(2, 0): "amount"}
    costs = read_costs(three, X, np.arange(3), None)
    assert costs[0].tolist() == [[0, 1, 2], [10, 0, 12], [10, 21, 0]]
    assert costs[2, 2, 0] == 30


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"false_negative": 1}, r"has no cost of \('good', 'bad'\) \(true, predicted\): a dict holds 'false_negative'"),
        ({"missed": 1}, "has the key 'missed', but the classes are"),
        ({"false_negative": "amuont", "false_positive": 1}, "'amuont', which X has not; did you mean 'amount'"),
        ({"false_negative": "town", "false_positive": 1}, "'town' of X, which does not hold numbers"),
        ({"false_negative": None, "false_positive": 1}, "has the value None"),
        (np.ones((2, 2, 2)), r"cost_matrix has shape \(2, 2, 2\)"),
    ],
)
def test_what_is_no_cost_is_named(given, message):
    with pytest.raises(ValueError, match=message):
        read_costs(given, X, TWO, "bad")


def test_every_row_needs_its_cost():
    gap = X.assign(amount=[1.0, np.nan, 2.0])
    with pytest.raises(ValueError, match="missing or infinite in 1 rows, the first is 1"):
        read_costs({"false_negative": "amount", "false_positive": 1}, gap, TWO, "bad")
    with pytest.raises(ValueError, match="X has no column names: give a DataFrame"):
        read_costs({"false_negative": "amount", "false_positive": 1}, np.ones((3, 1)), TWO, "bad")


def test_the_metric_knows_which_rows_it_is_about():
    costs = np.zeros((3, 2, 2))
    costs[:, 0, 1], costs[:, 1, 0] = 5, [10, 20, 30]
    metric = CostMetric(costs, TWO[::-1])  # good is the first code, bad the second: the order of the labels turned
    y, proba = np.array([1, 0]), np.array([[0.9, 0.1], [0.1, 0.9]])
    # Labels sorted are bad, good: predicting good (code 0) where bad is true costs 5, the other mistake 20 and 30.
    expected = -np.mean([0.0 if 0.9 * 20 < 0.1 * 5 else 5.0, 30.0 if 0.9 * 5 > 0.1 * 30 else 0.0])
    assert metric(y, proba, None, np.array([1, 2])) == pytest.approx(expected)
