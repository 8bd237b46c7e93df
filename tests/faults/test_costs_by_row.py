"""Costs that differ by row, where a fraud costs its amount: in fit, predict, score, the leaderboard, by column name."""

import io

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import cross_val_score

from skauto import AutoClassifier

BY_COLUMN = {"false_negative": "amount", "false_positive": 5}


def quick(**changes):
    given = {"candidates": ["logistic", "naive_bayes"], "n_iter": 2, "time_limit": None, "cv": 3, "n_jobs": 1}
    return AutoClassifier(**{**given, "random_state": 0, "verbose": 0, **changes})


def matrices(amount):
    """Costs of rows, [true, predicted] of ("fraud", "honest"): a fraud missed costs its amount, a false alarm 5."""
    costs = np.zeros((len(amount), 2, 2))
    costs[:, 0, 1], costs[:, 1, 0] = amount, 5
    return costs


def paid(y, predicted, amount):
    """The mean cost of the decisions, by hand."""
    missed = (np.asarray(y) == "fraud") & (predicted == "honest")
    alarm = (np.asarray(y) == "honest") & (predicted == "fraud")
    return float(np.mean(np.where(missed, amount, 0.0) + np.where(alarm, 5.0, 0.0)))


@pytest.fixture(scope="module")
def rows():
    X, y = make_classification(n_samples=900, weights=[0.85], class_sep=0.7, flip_y=0.1, random_state=0)
    X = pd.DataFrame(X).add_prefix("x").assign(amount=np.random.default_rng(0).lognormal(3, 1.5, 900).round(2))
    return X, pd.Series(np.where(y == 1, "fraud", "honest"))


def halves(rows):
    X, y = rows
    return X[:500], y[:500], X[500:].reset_index(drop=True), y[500:].reset_index(drop=True)


@pytest.mark.parametrize("pos_label", [None, "honest"])
def test_decisions_are_those_of_least_expected_cost(rows, pos_label):
    """Only matrices of all rows were taken, in the constructor alone."""
    X, y, X_new, y_new = halves(rows)
    auto = quick(pos_label=pos_label).fit(X, y, cost_matrix=matrices(X["amount"]))
    fraud = auto.predict_proba(X_new)[:, 0]
    amount = X_new["amount"].to_numpy()
    expected = np.where(fraud * amount > (1 - fraud) * 5, "fraud", "honest")
    costs = matrices(amount)
    np.testing.assert_array_equal(auto.predict(X_new, cost_matrix=costs), expected)
    assert auto.score(X_new, y_new, cost_matrix=costs) == pytest.approx(-paid(y_new, expected, amount))
    board = auto.leaderboard(X_new, y_new, cost_matrix=costs)
    assert board.loc[board["chosen"] == "predicts", "score"].item() == pytest.approx(-paid(y_new, expected, amount))
    # Without costs of their own rows are decided by the mean ones, as in CostSensitiveClassifier.
    np.testing.assert_allclose(auto.cost_matrix_, matrices(X["amount"]).mean(axis=0))
    by_mean = np.where(fraud * X["amount"].mean() > (1 - fraud) * 5, "fraud", "honest")
    np.testing.assert_array_equal(auto.predict(X_new), by_mean)


def test_costs_by_column_hold_at_predict_too(rows):
    X, y, X_new, y_new = halves(rows)
    named = quick(cost_matrix=BY_COLUMN).fit(X, y)
    given = quick().fit(X, y, cost_matrix=matrices(X["amount"]))
    assert named.leaderboard_["score"].tolist() == given.leaderboard_["score"].tolist()
    costs = matrices(X_new["amount"])
    np.testing.assert_array_equal(named.predict(X_new), given.predict(X_new, cost_matrix=costs))
    assert named.score(X_new, y_new) == pytest.approx(-paid(y_new, named.predict(X_new), X_new["amount"]))
    twice = X_new.assign(amount=2 * X_new["amount"])[X_new.columns[::-1]]  # another order of columns
    fraud = named.predict_proba(twice)[:, 0]
    expected = np.where(fraud * twice["amount"] > (1 - fraud) * 5, "fraud", "honest")
    np.testing.assert_array_equal(named.predict(twice), expected)
    pairs = {("fraud", "honest"): "amount", ("honest", "fraud"): 5}
    np.testing.assert_array_equal(quick(cost_matrix=pairs).fit(X, y).predict(X_new), named.predict(X_new))


def test_the_search_is_judged_by_the_costs_of_its_rows(rows):
    """The score of the only candidate, from the same folds by hand: scikit-learn's probabilities, then the costs."""
    X, y = rows
    half = np.arange(900) % 2 == 0
    pairs = [(np.flatnonzero(half), np.flatnonzero(~half)), (np.flatnonzero(~half), np.flatnonzero(half))]
    auto = quick(cost_matrix=BY_COLUMN, cv=pairs, candidates=["logistic"], n_iter=1).fit(X, y)
    fraud = np.empty(900)
    for train, test in pairs:
        fraud[test] = clone(auto.best_estimator_).fit(X.iloc[train], y.iloc[train]).predict_proba(X.iloc[test])[:, 0]
    amount = X["amount"].to_numpy()
    decided = np.where(fraud * amount > (1 - fraud) * 5, "fraud", "honest")
    assert auto.best_score_ == pytest.approx(-paid(y, decided, amount), rel=1e-6)


def test_they_save_what_they_are_for(rows):
    """Against deciding by the mean amount and by the likeliest class, on rows held back."""
    X, y, X_new, y_new = halves(rows)
    named = quick(cost_matrix=BY_COLUMN).fit(X, y)
    mean = quick(cost_matrix=matrices(X["amount"]).mean(axis=0)).fit(X, y)
    likeliest = named.classes_[named.predict_proba(X_new).argmax(axis=1)]
    costs = [paid(y_new, labels, X_new["amount"]) for labels in (named.predict(X_new), mean.predict(X_new), likeliest)]
    assert costs[0] < costs[1]
    assert costs[0] < costs[2]


def test_they_travel_with_the_model(rows):
    X, y, X_new, _ = halves(rows)
    auto = quick(cost_matrix=BY_COLUMN).fit(X, y)
    file = io.BytesIO()
    joblib.dump(auto, file)
    file.seek(0)
    np.testing.assert_array_equal(joblib.load(file).predict(X_new), auto.predict(X_new))
    scores = cross_val_score(quick(cost_matrix=BY_COLUMN, candidates=["naive_bayes"], n_iter=1), X, y, cv=2)
    assert (scores < 0).all()
    assert np.isfinite(scores).all()


def test_three_classes_by_pairs(rows):
    X, y = rows
    three = np.where(X["x0"] > 1, "unclear", y)
    labels = ["fraud", "honest", "unclear"]
    costs = {(a, b): 1 for a in labels for b in labels if a != b} | {("fraud", "honest"): "amount"}
    auto = quick(cost_matrix=costs).fit(X, three)
    matrix = np.tile(1.0 - np.eye(3), (900, 1, 1))
    matrix[:, 0, 1] = X["amount"]
    decided = auto.classes_[np.einsum("ni,nij->nj", auto.predict_proba(X), matrix).argmin(axis=1)]
    np.testing.assert_array_equal(auto.predict(X), decided)


@pytest.mark.parametrize(
    ("cost_matrix", "message"),
    [
        ({"false_negative": "amuont", "false_positive": 5}, "which X has not; did you mean 'amount'"),
        ({"false_negative": "amount"}, r"has no cost of \('honest', 'fraud'\)"),
        (np.ones((7, 2, 2)), r"cost_matrix has shape \(7, 2, 2\).*or \(500, 2, 2\) for costs by row"),
    ],
)
def test_what_cannot_be_is_named(rows, cost_matrix, message):
    X, y, X_new, _ = halves(rows)
    with pytest.raises(ValueError, match=message):
        quick().fit(X, y, cost_matrix=cost_matrix)
    with pytest.raises(ValueError, match="fit had none"):
        quick(n_iter=1).fit(X, y).predict(X_new, cost_matrix=matrices(X_new["amount"]))
