"""Costs: formulas by hand, labels in any order, and per-example costs."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_val_score

from skauto.resample import expected_cost_score, make_cost_scorer, savings_score, total_cost_score

COSTS = [[0, 1, 2], [3, 0, 4], [5, 6, 0]]


def test_total_cost_by_hand():
    assert total_cost_score([0, 0, 1, 2, 2], [0, 2, 0, 2, 1], COSTS) == 0 + 2 + 3 + 0 + 6
    assert total_cost_score([0, 1], [1, 1], COSTS, labels=[0, 1, 2], sample_weight=[3, 1]) == 3
    assert total_cost_score(["b", "a"], ["a", "a"]) == 1


def test_costs_by_row():
    amounts = np.array([100.0, 20.0, 7.0])
    costs = np.zeros((3, 2, 2))
    costs[:, 1, 0] = amounts
    costs[:, :, 1] = 5
    assert total_cost_score([1, 1, 0], [0, 1, 1], costs) == 100 + 5 + 5
    # the best constant answer is to flag all: 15
    assert savings_score([1, 1, 0], [0, 1, 1], costs) == pytest.approx(1 - 110 / 15)


def test_expected_cost_by_hand():
    assert expected_cost_score([0, 2], [[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]], COSTS, labels=[0, 1, 2]) == pytest.approx(
        (0.25 * 1 + 0.25 * 2 + 0.1 * 5 + 0.2 * 6) / 2
    )


def test_labelled_costs_do_not_depend_on_their_order():
    frame = pd.DataFrame([[0, 1], [5, 0]], index=["good", "bad"], columns=["good", "bad"])
    turned = frame.loc[["bad", "good"], ["bad", "good"]]
    truth, answer = ["good", "bad", "bad"], ["bad", "good", "bad"]
    assert total_cost_score(truth, answer, frame) == total_cost_score(truth, answer, turned) == 6
    assert total_cost_score(truth, answer, [[0, 1], [5, 0]], labels=["good", "bad"]) == 6


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"shape \(2, 2\), but there are 3 classes"):
        total_cost_score([0, 1, 2], [0, 1, 2], [[0, 1], [1, 0]])
    with pytest.raises(ValueError, match=r"not among labels=\[0, 1\]: \[2\]"):
        total_cost_score([0, 2], [0, 1], [[0, 1], [1, 0]], labels=[0, 1])
    with pytest.raises(ValueError, match="finite"):
        total_cost_score([0, 1], [0, 1], [[0, np.inf], [1, 0]])
    with pytest.raises(ValueError, match=r"no row or column for the labels \['c'\]"):
        total_cost_score(["a", "c"], ["a", "a"], pd.DataFrame(np.eye(2), ["a", "b"], ["a", "b"]), labels=["a", "c"])


def test_the_scorer_is_the_negative_mean_cost_and_survives_folds_without_a_class():
    X, y = np.zeros((30, 1)), np.repeat([0, 1, 2], [27, 2, 1])
    scorer = make_cost_scorer(COSTS, labels=[0, 1, 2])
    assert scorer(DummyClassifier().fit(X, y), X, y) == pytest.approx(-(2 * 3 + 5) / 30)
    scores = cross_val_score(DummyClassifier(), X, y, cv=[(np.arange(30), np.arange(5))], scoring=scorer)
    assert scores.tolist() == [0]
    assert make_cost_scorer()(DummyClassifier().fit(X, y), X, y) == pytest.approx(-0.1)


def test_the_best_constant_answer_saves_nothing():
    y = [0, 0, 0, 1]
    assert savings_score(y, [0, 0, 0, 0], [[0, 1], [2, 0]]) == 0
    assert savings_score(y, y, [[0, 1], [2, 0]]) == 1


def test_labels_are_kept_where_costs_come_by_routing():
    X, y = np.zeros((30, 1)), np.repeat([0, 1, 2], [20, 6, 4])
    model = DummyClassifier().fit(X, y)
    with config_context(enable_metadata_routing=True):
        scorer = make_cost_scorer(labels=[0, 1, 2]).set_score_request(cost_matrix=True)
        assert scorer(model, X[:26], y[:26], cost_matrix=COSTS) == pytest.approx(-6 * 3 / 26)
