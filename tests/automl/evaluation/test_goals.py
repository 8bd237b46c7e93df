"""How far constrained goals are reached, in a search and out of fold."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_curve
from sklearn.model_selection import StratifiedKFold

from skauto.automl.evaluation._goals import closest_to, measured
from skauto.automl.evaluation._scoring import Scoring
from skauto.resample._constrained_goal import goal_of
from skauto.resample._threshold import labels_at, tune_threshold
from tests.support.autos import quick

X, Y = make_classification(500, 6, n_informative=4, weights=[0.8], flip_y=0.08, random_state=0)
FOLDS = list(StratifiedKFold(4).split(X, Y))


def scoring_of(name, y, proba_of_positive, n_folds=4, weight=None):
    """The scoring of rows in some folds, and their probabilities."""
    goal = goal_of(name)
    fold = np.arange(len(y)) % n_folds
    scoring = Scoring(name, "labels", goal, y=y, fold=fold, repeat=np.zeros(len(y), int), weight=weight)
    return scoring, np.stack([1 - proba_of_positive, proba_of_positive], axis=1)


def made(n=800, seed=0):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.25).astype(int)
    return y, 1 / (1 + np.exp(-(rng.normal(size=n) + 2 * y - 1)))


def test_labels_are_those_of_thresholds_of_the_other_folds():
    y, score = made()
    scoring, proba = scoring_of("recall_at_precision>=0.7", y, score)
    labels = np.empty(len(y), int)
    for k in range(4):
        here = scoring.fold == k
        labels[here] = labels_at(proba[here], tune_threshold(y[~here], proba[~here], scoring.metric))
    known = measured(scoring, proba)
    assert known["value"] == pytest.approx(y[labels == 1].mean())
    assert known["recall"] == pytest.approx(labels[y == 1].mean())
    assert scoring.report(proba)["score"] == pytest.approx(known["recall"])
    assert known["worst_95"] < known["value"] and known["reached"]


def test_a_bound_that_is_clearly_missed_is_a_negative_score():
    y, _ = made()
    # many rows a value, so that no threshold takes a few by luck
    noise = np.random.default_rng(1).random(len(y)).round(1)
    scoring, proba = scoring_of("recall_at_precision>=0.9", y, noise)
    assert scoring.report(proba)["score"] < 0


def test_what_is_closest_is_that_of_all_thresholds():
    y, _ = made(seed=3)
    score = np.random.default_rng(1).random(len(y)).round(1)
    scoring, proba = scoring_of("recall_at_precision>=0.999", y, score)
    precision, _, _ = precision_recall_curve(y, score)
    value, reached = closest_to(scoring.metric, scoring, proba)
    assert value == pytest.approx(precision[:-1].max()) and not reached
    value, reached = closest_to(goal_of("recall_at_fpr<=0.01"), scoring, proba)
    assert value == 0 and reached


def test_weights_tell_as_much_as_equal_rows_would():
    y, score = made()
    plain = measured(*scoring_of("recall_at_precision>=0.7", y, score))
    equal = measured(*scoring_of("recall_at_precision>=0.7", y, score, weight=np.full(len(y), 3.0)))
    pd.testing.assert_series_equal(plain, equal)
    unequal = np.random.default_rng(0).exponential(size=len(y)) ** 2
    less = measured(*scoring_of("recall_at_precision>=0.7", y, score, weight=unequal))
    assert less["value"] - less["worst_95"] > plain["value"] - plain["worst_95"]


def test_the_probability_is_how_often_the_bound_holds_on_new_rows():
    """Over many samples: as often as it says, on average, though the threshold was chosen with the rows at hand."""
    said, held = [], []
    new_y, new_score = made(100_000, seed=99)
    for seed in range(60):
        y, score = made(400, seed=seed)
        scoring, proba = scoring_of("recall_at_precision>=0.7", y, score)
        said.append(measured(scoring, proba)["probability"])
        held.append(new_y[new_score >= scoring.threshold(proba)].mean() >= 0.7)
    assert abs(np.mean(said) - np.mean(held)) < 0.15


def best_recall_at_precision(y, score):
    precision, recall, _ = precision_recall_curve(y, score)
    return recall[precision >= 0.7].max()


def best_precision_at_recall(y, score):
    precision, recall, _ = precision_recall_curve(y, score)
    return precision[recall >= 0.9].max()


def best_recall_at_fpr(y, score):
    alarms, recall, _ = roc_curve(y, score, drop_intermediate=False)
    return recall[alarms <= 0.05].max()


@pytest.mark.parametrize(
    ("name", "curve"),
    [
        ("recall_at_precision>=0.7", best_recall_at_precision),
        ("precision_at_recall>=0.9", best_precision_at_recall),
        ("recall_at_fpr<=0.05", best_recall_at_fpr),
    ],
)
def test_a_search_obeys_a_goal(name, curve):
    auto = quick(scoring=name, cv=FOLDS, n_iter=4, candidates=["logistic", "naive_bayes", "knn"], pos_label=1).fit(X, Y)
    score = auto.oof_proba_[:, 1]
    chosen = score >= auto.threshold_
    goal = goal_of(name)
    found = {"precision": Y[chosen].mean(), "recall": chosen[Y == 1].mean(), "fpr": chosen[Y == 0].mean()}
    within = found[goal.measure] <= goal.bound if goal.measure == "fpr" else found[goal.measure] >= goal.bound
    assert within and found[goal.objective] == pytest.approx(curve(Y, score))
    board = auto.leaderboard_
    assert (board["score"] <= 1).all() and board["score"].iloc[0] == board["score"].max()
    assert auto.goal_["goal"] == name and auto.goal_["reached"]
    # of the rows given, the model fits better than out of fold
    assert auto.score(X, Y) >= board["score"].max() - 0.2


def test_a_goal_out_of_reach_is_told_with_what_is_closest():
    # few values, so that no threshold takes a few rows by luck
    noise = np.random.default_rng(0).integers(0, 2, (len(X), 2))
    with pytest.warns(UserWarning, match=r"no threshold of the ensemble reaches precision 0.99, the closest is 0\.\d+"):
        auto = quick(scoring="recall_at_precision>=0.99", cv=FOLDS, pos_label=1).fit(noise, Y)
    assert not auto.goal_["reached"] and auto.goal_["probability"] < 0.05
    assert auto.goal_["closest"] == pytest.approx(
        max(Y[auto.oof_proba_[:, 1] >= t].mean() for t in np.unique(auto.oof_proba_[:, 1]))
    )
    assert (auto.leaderboard_["score"] < 0).all()


def test_a_goal_is_told_in_a_line(capsys):
    quick(scoring="recall_at_fpr<=0.05", n_iter=1, cv=FOLDS, pos_label=1, verbose=1).fit(X, Y)
    assert "recall_at_fpr<=0.05: fpr 0.0" in capsys.readouterr().err


def test_a_goal_may_be_one_of_several_scores():
    auto = quick(scoring={"f1": "f1", "goal": "recall_at_precision>=0.8"}, n_iter=2, cv=FOLDS, pos_label=1).fit(X, Y)
    assert auto.goal_ is None and "goal" in auto.leaderboard(details=True)


@pytest.mark.parametrize(
    ("scoring", "given", "message"),
    [
        ("recall_at_precision>0.9", {}, "needs '>=' and a bound"),
        ("recall_at_precision>=0.9", {"y": np.arange(500) % 3}, "is for two classes, y has 3"),
        ("recall_at_precision>=0.9", {"cost_matrix": [[0, 1], [1, 0]]}, "are two goals"),
    ],
)
def test_what_is_wrong_is_said_before_the_search(scoring, given, message):
    given = {"X": X, "y": Y, **given}
    with pytest.raises(ValueError, match=message):
        quick(scoring=scoring).fit(**given)


def test_the_ensemble_goes_by_the_goal_and_by_the_ranking():
    y, score = made()
    scoring, proba = scoring_of("recall_at_precision>=0.7", y, score)
    precision, recall, _ = precision_recall_curve(y, score)
    expected = (average_precision_score(y, score) + recall[precision >= 0.7].max()) / 2
    assert scoring.select(proba) == pytest.approx(expected)
