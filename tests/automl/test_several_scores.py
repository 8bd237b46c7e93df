"""Several scores: the first one decides as it would alone, the others are shown of the labels that it decides for."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_score, recall_score, roc_auc_score

from tests.support.autos import SECONDS, X, Y, quick

pytestmark = pytest.mark.filterwarnings("ignore:pos_label=None takes the rarer class:UserWarning")


def hits_where_the_first_column_is_large(estimator, X, y):
    return float(np.mean((estimator.predict(X) == y)[X[:, 0] > 0]))


SCORES = {"f1": "f1", "area": "roc_auc", "precision": "precision", "hits": hits_where_the_first_column_is_large}


@pytest.fixture(scope="module")
def fitted():
    return quick(n_iter=4, scoring=SCORES, pos_label=1).fit(X, Y)


def test_the_first_one_decides_as_it_would_alone(fitted):
    alone = quick(n_iter=4, scoring="f1", pos_label=1).fit(X, Y)
    ours, others = fitted.leaderboard(details=True), ["area", "precision", "hits"]
    assert ours.columns.tolist()[-3:] == others
    pd.testing.assert_frame_equal(
        ours.drop(columns=[*others, *SECONDS]), alone.leaderboard(details=True).drop(columns=SECONDS)
    )
    assert fitted.score(X, Y) == alone.score(X, Y)
    np.testing.assert_array_equal(fitted.predict_proba(X), alone.predict_proba(X))


def test_each_has_a_column_of_the_trials(fitted):
    board = fitted.leaderboard(details=True)
    np.testing.assert_allclose(board["area"], board["AUC"])
    assert board[["precision", "hits"]].stack().between(0, 1).all()
    assert fitted.leaderboard_.columns.isin(SCORES).sum() == 0


def test_new_rows_are_scored_by_all_of_them(fitted):
    board = fitted.leaderboard(X, Y, details=True)
    (predicts,) = board[board["trial"] == -1].to_dict("records")
    labels = fitted.predict(X)
    assert predicts["area"] == pytest.approx(roc_auc_score(Y, fitted.predict_proba(X)[:, 1]))
    assert predicts["precision"] == pytest.approx(precision_score(Y, labels))
    assert predicts["hits"] == pytest.approx(np.mean((labels == Y)[X[:, 0] > 0]))


def test_the_front_holds_what_is_best_in_one_of_them(fitted):
    front, board = fitted.pareto_front_, fitted.leaderboard(details=True)
    for name in ("score", "area", "precision", "hits"):
        assert front[name].max() == board[name].max()


def test_labels_of_costs_are_judged_by_the_others_too():
    costs = [[0, 1], [5, 0]]
    auto = quick(n_iter=2, scoring={"cost": "f1", "recall": "recall"}, cost_matrix=costs, pos_label=1).fit(X, Y)
    board = auto.leaderboard(X, Y, details=True)
    assert (auto.leaderboard(details=True)["score"] <= 0).all()
    assert board.set_index("trial").loc[-1, "recall"] == pytest.approx(recall_score(Y, auto.predict(X)))


@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        ({}, "names no score"),
        ({"f1": "f1", "AUC": "roc_auc"}, "'AUC' is a column of the leaderboard"),
        ({"f1": "f1", "mine": "f2"}, "'f2' is not a known score"),
        ({"f1": "f1", "mine": lambda estimator, X, y: 1 / 0}, "failed when tried .*ZeroDivisionError"),
        (["f1", "roc_auc"], "give a dict of scores by name"),
    ],
)
def test_wrong_ones_are_said_before_the_search(scoring, message):
    with pytest.raises(ValueError, match=message):
        quick(scoring=scoring, pos_label=1).fit(X, Y)


def test_one_that_fails_is_named_by_its_key():
    def broken(estimator, X, y):
        return estimator.coef_.sum()

    with pytest.raises(ValueError, match=r"scoring='weights' failed .*no 'coef_', only predict.*in broken, test_"):
        quick(scoring={"f1": "f1", "weights": broken}).fit(X, Y)
