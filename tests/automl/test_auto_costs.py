"""AutoClassifier under costs: decisions of least expected cost, and a search that is judged by them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification

from skauto.resample import total_cost_score
from tests.support.autos import all_complete, quick


def table(n_classes):
    """Overlapping classes, the first the most frequent."""
    fractions = [0.75, 0.25] if n_classes == 2 else [0.5, 0.3, 0.2]
    X, y = make_classification(
        300, n_classes=n_classes, n_informative=4, n_features=6, weights=fractions, class_sep=0.6, random_state=0
    )
    return X, np.array(["a", "b", "c"])[y]


def hand_costs(n_classes):
    """Costs that are no weights of classes: 9 for taking b for a, 1 for any other mistake."""
    costs = 1.0 - np.eye(n_classes)
    costs[1, 0] = 9
    return costs


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("ensemble", [True, False])
def test_decisions_are_those_of_least_expected_cost(n_classes, ensemble):
    X, y = table(n_classes)
    costs = hand_costs(n_classes)
    auto = quick(cost_matrix=costs, ensemble=ensemble).fit(X, y)
    proba = auto.predict_proba(X)
    np.testing.assert_array_equal(auto.predict(X), auto.classes_[(proba @ costs).argmin(axis=1)])
    assert auto.score(X, y) == pytest.approx(-total_cost_score(y, auto.predict(X), costs) / len(y))
    likeliest = auto.classes_[proba.argmax(axis=1)]
    assert total_cost_score(y, auto.predict(X), costs) < total_cost_score(y, likeliest, costs)
    np.testing.assert_array_equal(auto.cost_matrix_, costs)
    assert auto.threshold_ is None


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_leaderboard_shows_costs_and_the_best_estimator_minds_them(n_classes):
    X, y = table(n_classes)
    costs = pd.DataFrame(hand_costs(n_classes), list("abc")[:n_classes], list("abc")[:n_classes])
    auto = quick(cost_matrix=costs.iloc[::-1, ::-1]).fit(X, y)  # a frame may come in any order
    assert all_complete(auto)
    scores = auto.leaderboard_["score"]
    assert (scores < 0).all()
    assert auto.best_score_ == scores[auto.leaderboard_["candidate"] != "ensemble"].max()
    proba = auto.best_estimator_.predict_proba(X)
    decided = auto.classes_[(proba @ costs.to_numpy()).argmin(axis=1)]
    np.testing.assert_array_equal(auto.best_estimator_.predict(X), decided)
    again = clone(auto.best_estimator_).fit(X, y)
    decided = again.classes_[(again.predict_proba(X) @ costs.to_numpy()).argmin(axis=1)]
    np.testing.assert_array_equal(again.predict(X), decided)


@pytest.mark.parametrize("pos_label", ["a", "b"])
def test_the_positive_class_turns_no_cost_round(pos_label):
    X, y = table(2)
    auto = quick(cost_matrix=hand_costs(2), pos_label=pos_label).fit(X, y)
    other = quick(cost_matrix=hand_costs(2)).fit(X, y)
    np.testing.assert_array_equal(auto.predict(X), other.predict(X))
    assert auto.best_score_ == pytest.approx(other.best_score_)
    assert auto.score(X, y) == pytest.approx(other.score(X, y))


def test_what_cannot_be_is_named():
    X, y = table(2)
    with pytest.raises(ValueError, match=r"cost_matrix has shape \(3, 3\), but there are 2 classes"):
        quick(cost_matrix=np.ones((3, 3))).fit(X, y)
    with pytest.raises(ValueError, match="scoring='roc_auc' and cost_matrix are two goals"):
        quick(cost_matrix=hand_costs(2), scoring="roc_auc").fit(X, y)
