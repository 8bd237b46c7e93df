"""The leaderboard and cv_results_: a row a trial, failed ones with their reason."""

from dataclasses import replace

import numpy as np
import pytest

from skauto.automl._leaderboard import COLUMNS, DETAILS, cv_results, leaderboard
from skauto.automl.selection._final_model import FinalModel
from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial
from tests.support.trials import scored

SPACE = Space([{"candidate": ["tree"], "depth": [1, 2, 3]}, {"candidate": ["line"], "C": [0.1, 1.0]}])
SCORES = {"score": 0.95, "F1": 0.95, "AUC": 0.99, "AP": 0.98, "fold_scores": [0.9, 1.0]}


def predicting(number=1, **known):
    """What predicts: the model of one trial alone."""
    best = replace(scored(number, 0.9, [0.8, 1.0]), values={"candidate": "tree"})
    known = {"scores": SCORES, **known}
    return FinalModel(None, None, 0.5, "refitted", best=best, members=[(best, 1.0)], **known)


def fallen_back():
    return FinalModel(None, None, 0.5, "quick_model")


def details(folds):
    return {"F1": 0.5, "AUC": 0.7, "AP": 0.6, "fold_scores": folds, "fit_seconds": 0.2, "proba": np.zeros((2, 2))}


@pytest.fixture
def history():
    history = History(SPACE, seed=0)
    asked = [({"candidate": "tree", "depth": 1}, 1.0), ({"candidate": "line", "C": 1.0}, 1.0),
             ({"candidate": "tree", "depth": 3}, 1 / 3), ({"candidate": "tree", "depth": 2}, 1.0)]  # fmt: skip
    for number, (values, fidelity) in enumerate(asked):
        history.asked(Trial(number, SPACE.encode(values), fidelity))
    history.told(Result(1, Status.COMPLETE, 0.9, 1.0, details=details([0.8, 1.0])))
    history.told(Result(0, Status.COMPLETE, 0.7, 1.0, details=details([0.7, np.nan])))
    history.told(Result(2, Status.COMPLETE, 0.99, 1.0, details={"fit_seconds": 0.1, "proba": np.zeros((2, 2))}))
    history.told(Result(3, Status.FAILED, reason="ValueError: no", details={"warnings": ()}))
    return history


def test_rows_and_their_order(history):
    board = leaderboard(history, predicting())
    assert board.columns.tolist() == [*COLUMNS, *DETAILS]
    assert board["candidate"].tolist() == ["ensemble", "line", "tree", "tree", "tree"]
    assert board["trial"].tolist() == [-1, 1, 0, 2, 3]
    assert board["chosen"].tolist() == ["predicts", "best", "", "", ""]
    assert board["status"].tolist() == ["complete"] * 4 + ["failed"]
    assert board["reason"].tolist()[-1] == "ValueError: no"
    assert board["fold_std"].tolist()[1] == pytest.approx(0.1)
    assert board["params"].tolist()[1] == {"C": 1.0}
    assert board["params"].tolist()[0] == [("tree", 1, 1.0)]


def test_without_trials():
    board = leaderboard(History(SPACE, seed=0), fallen_back())
    assert board.columns.tolist() == [*COLUMNS, *DETAILS]
    assert board["candidate"].tolist() == ["quick_model"]
    assert cv_results(History(SPACE, seed=0))["params"] == []


def test_cv_results_in_the_order_asked(history):
    results = cv_results(history)
    assert [row["candidate"] for row in results["params"]] == ["tree", "line", "tree", "tree"]
    assert results["rank_test_score"].tolist() == [2, 1, 3, 3]  # a part of the rows is no rank
    assert results["split0_test_score"].tolist()[:2] == [0.7, 0.8]
    assert np.isnan(results["split1_test_score"][[0, 2, 3]]).all()
    assert results["param_C"].tolist() == [None, 1.0, None, None]
    assert results["param_C"].mask.tolist() == [True, False, True, True]
    assert results["status"].tolist()[3] == "failed"


def test_what_predicts_has_a_row_where_no_trial_could_be_used(history):
    board = leaderboard(history, fallen_back())
    row = board[board["chosen"] == "predicts"]
    assert row[["candidate", "status"]].to_numpy().tolist() == [["quick_model", "not scored"]]
    assert row[["score", "F1", "AUC", "AP"]].isna().all(axis=None)


def test_trials_that_ran_out_of_time_are_no_failures():
    history = History(SPACE, seed=0)
    for number, status in enumerate([Status.TIMEOUT, Status.FAILED, Status.MEMORY]):
        history.asked(Trial(number, SPACE.encode({"candidate": "tree", "depth": 1})))
        history.told(Result(number, status, reason="why"))
    words = ["timed out", "failed", "memory"]
    assert leaderboard(history, fallen_back())["status"].tolist() == ["not scored", *words]
    assert cv_results(history)["status"].tolist() == words


@pytest.mark.parametrize("scale", [1.0, -12345.678])
def test_it_prints_within_80_columns(history, scale):
    """Under pandas' own settings, with the longest names; four costs of thousands in a row take more."""
    board = leaderboard(history, predicting())
    board["candidate"] = "balanced_bagging"
    for name in ("score", "honest", "low", "high"):
        board[name] = board["AUC"].fillna(0.5) * scale
    board.loc[4, "status"] = "not scored"
    for shown in (board[COLUMNS], board[COLUMNS].head()):
        lines = str(shown).splitlines()
        assert lines[0].split() == COLUMNS
        assert max(map(len, lines)) <= (80 if scale == 1 else 90)
    assert "<table" in board._repr_html_()
    assert "members" not in str(board)
    assert repr(board.iloc[:0])


def test_trials_of_fewer_folds_come_after_the_others_and_say_so():
    """A score of one fold stood on top of the scores of all, and nothing said why it was not chosen."""
    history = History(SPACE, seed=0)
    for number, (score, folds) in enumerate([(0.99, [0.99]), (0.7, [0.7, 0.7, 0.7])]):
        history.asked(Trial(number, SPACE.encode({"candidate": "tree", "depth": number + 1})))
        history.told(Result(number, Status.COMPLETE, score, 1.0, details=details(folds)))
    board = leaderboard(history, predicting())
    assert board["trial"].tolist() == [-1, 1, 0]
    assert board["reason"].tolist() == ["", "", "had time for 1 of 3 folds"]


def test_a_single_fold_that_is_judged_in_parts_is_one_fold():
    """Its five parts were taken for folds: full trials of three folds were told off, and ranked below it."""
    history = History(SPACE, seed=0)
    for number in range(2):
        history.asked(Trial(number, SPACE.encode({"candidate": "tree", "depth": number + 1})))
    history.told(Result(0, Status.COMPLETE, 0.8, details=details([0.7, 0.8, 0.9]) | {"n_folds": 3}))
    history.told(Result(1, Status.COMPLETE, 0.9, details=details([0.9, 0.8, 1.0, 0.9, 0.9]) | {"n_folds": 1}))
    board = leaderboard(history, predicting(0))
    assert board["trial"].tolist() == [-1, 0, 1]
    assert board["reason"].tolist() == ["", "", "had time for 1 of 3 folds"]
    results = cv_results(history)
    assert [name for name in results if name.startswith("split")] == [f"split{k}_test_score" for k in range(3)]
    np.testing.assert_equal(results["split0_test_score"], [0.7, 0.9])
    np.testing.assert_equal(results["split2_test_score"], [0.9, np.nan])


def test_what_predicts_shows_the_fidelity_of_its_models(history):
    board = leaderboard(history, predicting(fidelity=0.25))
    assert board.set_index("trial").loc[-1, "fidelity"] == 0.25
