"""The leaderboard shows what was found on an ordinary terminal, tells timeouts from failures, and scores other rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.metrics import average_precision_score, f1_score, make_scorer, roc_auc_score

from skauto import AutoClassifier

SHOWN = ["chosen", "candidate", "score", "honest", "low", "high", "F1", "AUC", "AP", "status"]
CANDIDATES = ["naive_bayes", "logistic"]


def quick(**changes):
    """A search of a few trials of three candidates."""
    given = {"candidates": CANDIDATES, "n_iter": 3, "time_limit": None, "cv": 3, "n_jobs": 1, "random_state": 0}
    return AutoClassifier(**{**given, "verbose": 0, **changes})


def found_less_alarms(y, labels):
    """A metric of one's own: how many of the bad are found, less how many of the good are called bad."""
    return np.mean(labels[y == "bad"] == "bad") - np.mean(labels[y == "good"] == "bad")


@pytest.fixture(scope="module")
def rows():
    X, y = make_classification(n_samples=500, weights=[0.8], flip_y=0.1, random_state=0)
    return X[:300], np.where(y[:300] == 1, "bad", "good"), X[300:], np.where(y[300:] == 1, "bad", "good")


@pytest.fixture(scope="module")
def fitted(rows):
    return quick().fit(*rows[:2])


def test_it_holds_what_is_looked_at_first(fitted):
    """It had thirteen columns, of which a terminal showed two and dots."""
    board = fitted.leaderboard_
    assert isinstance(board, pd.DataFrame)
    assert board.columns.tolist() == SHOWN
    for shown in (board, board.head(), board[board["status"] == "complete"]):
        lines = str(shown).splitlines()
        assert {"candidate", "score"} <= set(lines[0].split())
        assert max(map(len, lines)) <= 80
        assert len(lines) == len(shown) + 1


def test_rows_with_names_are_shown_with_them(fitted):
    """The best score of each candidate was printed without the candidates, and a summary without its words."""
    board = fitted.leaderboard_
    best = str(board.groupby("candidate")[["score", "F1"]].max())
    assert all(candidate in best for candidate in board["candidate"].unique())
    assert all(candidate in str(board.set_index("candidate")) for candidate in board["candidate"].unique())
    assert "mean" in str(board.describe()[["score", "F1"]])


def test_what_predicts_and_the_best_are_marked(fitted):
    board = fitted.leaderboard_
    assert sorted(board["chosen"])[-2:] == ["best", "predicts"]
    assert board.loc[board["chosen"] == "predicts", "candidate"].tolist() == ["ensemble"]
    assert board.loc[board["chosen"] == "best", "score"].item() == fitted.best_score_


def test_details(fitted):
    board = fitted.leaderboard(details=True)
    assert board.columns.tolist() == [*SHOWN, "trial", "seconds", "fold_std", "fidelity", "reason", "params"]
    assert board[SHOWN].equals(fitted.leaderboard_)
    assert sorted(board["trial"]) == [-1, 0, 1, 2]
    best = board.loc[board["chosen"] == "best", ["candidate", "params"]].iloc[0]
    assert {"candidate": best["candidate"], **best["params"]} == fitted.best_params_


def test_what_is_constrained_is_a_detail(rows):
    auto = quick(n_iter=2, constraints={"bytes": 10**9}, candidates=["naive_bayes"]).fit(*rows[:2])
    assert auto.leaderboard_.columns.tolist() == SHOWN
    assert (auto.leaderboard(details=True)["bytes"] > 0).all()
    assert "bytes" in auto.pareto_front_


@pytest.mark.parametrize("scoring", ["f1", "roc_auc"])
def test_every_kept_model_is_scored_on_other_rows(rows, scoring):
    """Against scikit-learn's measures of the same predictions; each model decides by its own threshold."""
    X, y, X_new, y_new = rows
    auto = quick(scoring=scoring).fit(X, y)
    board = auto.leaderboard(X_new, y_new)
    assert board.columns.tolist() == SHOWN
    members = auto.leaderboard(X_new, y_new, details=True).set_index("trial")["params"].loc[-1]
    assert len(board) in (len(members) + 1, len(members) + 2)  # the best one may be no member
    assert board["score"].is_monotonic_decreasing
    assert np.isfinite(board[["score", "F1", "AUC", "AP"]].to_numpy()).all()
    for chosen, model in (("predicts", auto), ("best", auto.best_estimator_)):
        row = board[board["chosen"] == chosen].iloc[0]
        bad = model.predict_proba(X_new)[:, 0]
        expected = {
            "F1": f1_score(y_new, model.predict(X_new), pos_label="bad"),
            "AUC": roc_auc_score(y_new == "bad", bad),
            "AP": average_precision_score(y_new == "bad", bad),
        }
        assert row[["F1", "AUC", "AP"]].to_dict() == pytest.approx(expected)
        assert row["score"] == pytest.approx(expected["F1" if scoring == "f1" else "AUC"])
    assert board.loc[board["chosen"] == "predicts", "score"].item() == pytest.approx(auto.score(X_new, y_new))
    assert auto.leaderboard_["score"].tolist() == auto.leaderboard()["score"].tolist()  # these stay as they were


@pytest.mark.slow
def test_other_rows_with_costs_more_classes_and_own_scorers(rows):
    X, y, X_new, y_new = rows
    costs = quick(cost_matrix=[[0, 10], [1, 0]]).fit(X, y)
    row = costs.leaderboard(X_new, y_new).query("chosen == 'predicts'").iloc[0]
    labels = costs.predict(X_new)
    paid = 10 * ((y_new == "bad") & (labels == "good")).sum() + ((y_new == "good") & (labels == "bad")).sum()
    assert row["score"] == pytest.approx(-paid / len(y_new))
    three, three_new = (np.where(part[:, 0] > 1, "c", labels) for part, labels in ((X, y), (X_new, y_new)))
    auto = quick(n_iter=3).fit(X, three)
    row = auto.leaderboard(X_new, three_new).query("chosen == 'predicts'").iloc[0]
    assert row["F1"] == pytest.approx(f1_score(three_new, auto.predict(X_new), average="macro"))
    assert row["AUC"] == pytest.approx(roc_auc_score(three_new, auto.predict_proba(X_new), multi_class="ovr"))
    own = quick(scoring=make_scorer(found_less_alarms)).fit(X, y)
    row = own.leaderboard(X_new, y_new).query("chosen == 'best'").iloc[0]
    best = own.best_estimator_.predict(X_new)
    assert row["score"] == pytest.approx(found_less_alarms(y_new, best))


def test_half_a_question_is_refused(fitted, rows):
    with pytest.raises(ValueError, match="y is missing: leaderboard takes both X and y, or neither"):
        fitted.leaderboard(rows[2])
    with pytest.raises(ValueError, match="X is missing"):
        fitted.leaderboard(y=rows[3])


def test_where_no_trial_could_be_used_what_predicts_has_a_row(rows):
    """The table listed trials alone, none of which predicted, and nothing said what did."""
    X, y, X_new, y_new = rows
    with pytest.warns(UserWarning, match="no trial was evaluated"):
        auto = AutoClassifier(candidates=["logistic"], time_limit=0.05, n_jobs=1, random_state=0, verbose=0).fit(X, y)
    row = auto.leaderboard_.query("chosen == 'predicts'").iloc[0]
    assert row["candidate"] in ("quick_model", "class_frequencies")
    assert row["status"] == "not scored"
    assert np.isnan(row["score"])
    assert not (auto.leaderboard_["chosen"] == "best").any()
    new = auto.leaderboard(X_new, y_new)
    assert len(new) == 1
    assert new["AUC"].item() == pytest.approx(roc_auc_score(y_new == "bad", auto.predict_proba(X_new)[:, 0]))
    assert new["score"].item() == pytest.approx(auto.score(X_new, y_new))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:no trial was evaluated")
@pytest.mark.filterwarnings(
    "ignore:.*(evaluated|models of the folds).*:UserWarning"
)  # no time for a refit on busy cores
def test_timeouts_are_no_failures(capsys):
    """The line of progress counted trials that ran out of time as failed; and what predicts then has a row too."""
    X, y = make_classification(n_samples=1500, n_features=100, random_state=0)
    auto = AutoClassifier(candidates=["svm", "knn"], time_limit=5, pos_label=1, random_state=0).fit(X, y)
    board = auto.leaderboard(details=True)
    n_timed_out = int((board["status"] == "timed out").sum())
    last = capsys.readouterr().err.splitlines()[-1]
    assert (f"{n_timed_out} timed out" in last) == (n_timed_out > 0)
    assert " failed" not in last
    assert "timeout" not in set(board["status"])
    assert (board["chosen"] == "predicts").sum() == 1
