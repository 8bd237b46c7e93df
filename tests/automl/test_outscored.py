"""A line where a row of the leaderboard outscores the ensemble."""

import pandas as pd
import pytest
from sklearn.metrics import make_scorer, matthews_corrcoef

from skauto.automl._outscored import outscored
from tests.support.autos import X, Y, quick

ENSEMBLE = {"candidate": "ensemble", "trial": -1, "score": 0.8, "params": [("svm", 3, 0.5), ("knn", 1, 0.5)]}


def board(*rows):
    """A leaderboard, the best on top."""
    return pd.DataFrame(sorted([ENSEMBLE, *rows], key=lambda row: -row["score"]))


def test_the_line_names_the_row_both_scores_and_the_metric():
    (line,) = outscored(board({"candidate": "svm", "trial": 3, "score": 0.83, "params": {}}), "log loss")
    assert line.startswith("svm (trial 3) has a score of 0.8300, the ensemble that predicts 0.8000")
    assert "selected by log loss" in line


@pytest.mark.parametrize("score", [0.79, 0.8])
def test_no_line_where_none_is_better(score):
    assert outscored(board({"candidate": "svm", "trial": 3, "score": score, "params": {}}), "log loss") == []


def test_no_line_of_a_single_model_and_of_a_fallback():
    row = {"candidate": "svm", "trial": 3, "score": 0.83, "params": {}}
    alone = board(row).assign(params=[{}, [("knn", 1, 1.0)]])
    assert outscored(alone, "log loss") == []
    assert outscored(pd.DataFrame([{**ENSEMBLE, "score": float("nan"), "params": []}]), "log loss") == []


@pytest.mark.parametrize(
    ("scoring", "metric"),
    [
        ("f1", "log loss and average precision"),
        ("accuracy", "log loss"),
        ("roc_auc", "log loss and roc_auc"),
        ("neg_log_loss", "log loss"),
        ("recall_at_precision>=0.7", "log loss and average precision and recall_at_precision>=0.7"),
        (make_scorer(matthews_corrcoef), "log loss and average precision"),
    ],
)
def test_a_fit_says_it_where_it_is_so(scoring, metric, capsys):
    auto = quick(scoring=scoring, n_iter=6, cv=3, verbose=1, pos_label=1).fit(X, Y)
    shown, known = capsys.readouterr().err, auto.leaderboard(details=True)
    ensemble = known[known["trial"] == -1].iloc[0]
    is_better = known["score"].max() > ensemble["score"] and len(ensemble["params"]) > 1
    assert (f"selected by {metric}, which" in shown) == is_better
