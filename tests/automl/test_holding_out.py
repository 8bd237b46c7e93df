"""Rows that are kept away from everything, and what the model scores on them."""

import time
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score, roc_auc_score
from sklearn.model_selection import KFold

from skauto import AutoClassifier, Candidate
from skauto.automl._holding_out import held_rows
from tests.support.autos import X, Y, all_complete, mixed_table, quick


def held_by(auto, X, y):
    """The rows that a fitted model kept away."""
    rows = auto.holdout_rows_
    return (X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]), np.asarray(y)[rows]


def test_its_scores_are_those_of_what_predicts():
    auto = quick(holdout=0.25, pos_label=1).fit(X, Y)
    rows, labels = held_by(auto, X, Y)
    score = auto.predict_proba(rows)[:, 1]
    assert auto.holdout_scores_.index.tolist() == ["score", "F1", "AUC", "AP"]
    assert auto.holdout_score_ == auto.holdout_scores_["score"] == pytest.approx(f1_score(labels, auto.predict(rows)))
    assert auto.holdout_scores_["AUC"] == pytest.approx(roc_auc_score(labels, score))
    assert auto.holdout_scores_["AP"] == pytest.approx(average_precision_score(labels, score))
    assert np.isnan(auto.oof_proba_[auto.holdout_rows_]).all()
    assert np.isnan(auto.oof_proba_).any(axis=1).sum() == len(auto.holdout_rows_)


def test_the_model_is_that_of_the_other_rows():
    auto = quick(holdout=0.25, pos_label=1).fit(X, Y)
    rest = np.setdiff1d(np.arange(len(X)), auto.holdout_rows_)
    alone = quick(pos_label=1).fit(X[rest], Y[rest])
    np.testing.assert_array_equal(auto.predict_proba(X), alone.predict_proba(X))
    np.testing.assert_array_equal(auto.oof_proba_[rest], alone.oof_proba_)
    assert auto.threshold_ == alone.threshold_ and auto.best_score_ == alone.best_score_


class Recording(ClassifierMixin, BaseEstimator):
    """Refuses to learn from a row that the test has marked; knows the classes alone."""

    def __init__(self, marked=()):
        self.marked = marked

    def fit(self, X, y):
        assert not np.isin(np.asarray(X)[:, 0], self.marked).any()
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


def test_no_fit_sees_them():
    held = quick(holdout=0.25, pos_label=1).fit(X, Y).holdout_rows_
    own = Candidate("recording", Recording(X[held, 0]), {})
    auto = quick(holdout=0.25, pos_label=1, candidates=["naive_bayes", own]).fit(X, Y)
    np.testing.assert_array_equal(auto.holdout_rows_, held)
    assert auto.leaderboard_["candidate"].eq("recording").any() and all_complete(auto)


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5])
def test_each_class_gives_its_fraction(fraction):
    codes = np.repeat([0, 1, 2, 3, 4], [200, 60, 10, 3, 2])
    held = held_rows(codes, fraction, 0)
    counts = np.bincount(codes[held], minlength=5)
    expected = [round(fraction * 200), round(fraction * 60), max(round(fraction * 10), 1), 1, 0]
    np.testing.assert_array_equal(counts, expected)
    assert (np.diff(held) > 0).all()


@pytest.mark.parametrize("n_groups", [5, 40])
def test_groups_stay_whole(n_groups):
    groups = np.random.default_rng(0).permutation(np.arange(len(X)) % n_groups)
    auto = quick(holdout=0.2, pos_label=1).fit(X, Y, groups=[f"g{group}" for group in groups])
    held = auto.holdout_rows_
    rest = np.setdiff1d(np.arange(len(X)), held)
    assert not set(groups[held]) & set(groups[rest])
    assert 0.1 * len(X) < len(held) < 0.35 * len(X)
    assert abs(Y[held].mean() - Y.mean()) < 0.15


def test_the_rows_follow_the_seed():
    first, same, other = (quick(holdout=0.2, n_iter=1, random_state=s, pos_label=1).fit(X, Y) for s in (0, 0, 1))
    np.testing.assert_array_equal(first.holdout_rows_, same.holdout_rows_)
    assert not np.array_equal(first.holdout_rows_, other.holdout_rows_)
    unseeded = [quick(holdout=0.2, n_iter=1, random_state=None, pos_label=1).fit(X, Y) for _ in range(2)]
    np.testing.assert_array_equal(unseeded[0].holdout_rows_, unseeded[1].holdout_rows_)


def test_a_journal_goes_on_with_the_same_rows(tmp_path):
    settings = {"holdout": 0.2, "pos_label": 1, "journal": tmp_path / "journal", "random_state": None}
    first = quick(n_iter=1, **settings).fit(X, Y)
    more = quick(n_iter=2, **settings).fit(X, Y)
    np.testing.assert_array_equal(first.holdout_rows_, more.holdout_rows_)


def test_frames_weights_costs_and_splitters_are_divided_with_them():
    table, labels = mixed_table()
    weight = np.arange(1.0, len(table) + 1)
    amounts = np.ones((len(table), 2, 2)) * (1 - np.eye(2))
    amounts[:, 1, 0] = np.arange(len(table))
    auto = quick(holdout=0.3, cv=KFold(2), pos_label="yes", candidates=["naive_bayes"])
    auto.fit(table, list(labels), sample_weight=weight, cost_matrix=amounts)
    rows, truth = held_by(auto, table, labels)
    held = auto.holdout_rows_
    assert auto.holdout_score_ == pytest.approx(
        auto.score(rows, truth, sample_weight=weight[held], cost_matrix=amounts[held])
    )
    rest = np.setdiff1d(np.arange(len(table)), held)
    np.testing.assert_allclose(auto.cost_matrix_, amounts[rest].mean(axis=0))


def test_lists_of_series_are_divided():
    waves = [np.sin(np.arange(20 + k % 5) * (0.4 + 0.4 * (k % 2))) for k in range(40)]
    auto = quick(holdout=0.2, candidates=["rocket"])
    auto.fit(waves, np.arange(40) % 2)
    assert len(auto.holdout_rows_) == 8 and auto.holdout_scores_["AUC"] > 0.5


def test_a_goal_tells_what_was_bounded():
    auto = quick(scoring="recall_at_precision>=0.7", holdout=0.3, pos_label=1).fit(X, Y)
    rows, labels = held_by(auto, X, Y)
    predicted = auto.predict(rows)
    assert auto.holdout_scores_["precision"] == pytest.approx(precision_score(labels, predicted))
    assert auto.holdout_scores_["recall"] == pytest.approx(recall_score(labels, predicted))


def test_further_scores_are_told_and_a_fit_without_forgets():
    auto = quick(scoring={"f1": "f1", "recall": "recall"}, holdout=0.3, pos_label=1).fit(X, Y)
    rows, labels = held_by(auto, X, Y)
    assert auto.holdout_scores_["recall"] == pytest.approx(recall_score(labels, auto.predict(rows)))
    auto.set_params(holdout=None).fit(X, Y)
    assert not hasattr(auto, "holdout_score_") and not hasattr(auto, "holdout_rows_")
    assert clone(quick(holdout=0.3)).get_params()["holdout"] == 0.3


@pytest.mark.slow
def test_the_time_limit_is_kept():
    auto = AutoClassifier(time_limit=12, holdout=0.2, n_jobs=1, verbose=0, pos_label=1, candidates=["naive_bayes"])
    began = time.monotonic()
    auto.fit(X, Y)
    assert time.monotonic() - began <= 12 and np.isfinite(auto.holdout_score_)


@pytest.mark.parametrize("holdout", [0, 1, 1.0, -0.1, 5, "20 %", True])
def test_what_is_no_fraction_is_refused(holdout):
    with pytest.raises(ValueError, match="'holdout' parameter"):
        quick(holdout=holdout).fit(X, Y)


def test_y_that_cannot_be_divided():
    message = r"holdout=0.2: y has the rows {'a': 40, 'b': 2} by class, which cannot be divided so that"
    with pytest.raises(ValueError, match=message):
        quick(holdout=0.2).fit(X[:42], ["a"] * 40 + ["b"] * 2)
    with pytest.raises(ValueError, match="holdout=0.2: groups leave nothing to validate"):
        quick(holdout=0.2).fit(X[:40], ["a"] * 20 + ["b"] * 20, groups=["g"] * 20 + ["h"] * 20)


def test_pairs_of_positions_are_refused():
    pairs = list(KFold(3).split(X))
    with pytest.raises(ValueError, match="cv as pairs of positions"):
        quick(holdout=0.2, cv=pairs).fit(X, Y)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"y": Y[:-1]}, "X has 160 rows, y has 159"),
        ({"groups": np.arange(10)}, "groups has 10"),
        ({"y": [*Y[:-1], None]}, "y contains NaN"),
        ({"X": np.array(5)}, "X has 0 rows, y has 160"),
        ({"sample_weight": np.ones(10)}, "sample_weight has 10"),
    ],
)
def test_lengths_that_do_not_fit_are_said_as_without(given, message):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=message):
            quick(holdout=0.2, pos_label=1).fit(**{"X": X, "y": Y, **given})
