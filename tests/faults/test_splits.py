"""The folds of `cv` are scikit-learn's: the rows as the user has them are split, pairs are taken, and checked."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, cross_val_score

from skauto import AutoClassifier


class ByIndex:
    """Learns from the older rows and is judged on the newer ones, as the index says."""

    def __init__(self):
        self.seen = None

    def split(self, X, y=None, groups=None):
        self.seen = X, y, groups
        for year in (2021, 2022):
            yield np.flatnonzero(X.index.year < year), np.flatnonzero(X.index.year == year)

    def get_n_splits(self, X=None, y=None, groups=None):
        return 2


class ByLabel:
    """Every second row is judged, rows of the class "bad" twice as often."""

    def split(self, X, y=None, groups=None):
        assert set(np.asarray(y)) == {"good", "bad"}
        for part in range(2):
            judged = (np.arange(len(y)) % 4 == part) | ((np.asarray(y) == "bad") & (np.arange(len(y)) % 4 == part + 2))
            yield np.flatnonzero(~judged), np.flatnonzero(judged)

    def get_n_splits(self, X=None, y=None, groups=None):
        return 2


def quick(**changes):
    given = {"candidates": ["logistic"], "n_iter": 1, "time_limit": None, "n_jobs": 1, "random_state": 0, "verbose": 0}
    return AutoClassifier(**{**given, **changes})


@pytest.fixture(scope="module")
def rows():
    X, y = make_classification(n_samples=180, weights=[0.7], random_state=1)
    index = pd.date_range("2020-01-01", periods=180, freq="6D")
    return pd.DataFrame(X, index=index).add_prefix("x"), pd.Series(np.where(y == 1, "bad", "good"), index=index)


def test_a_splitter_by_the_index_of_x(rows):
    """The index was gone: AttributeError, 'RangeIndex' object has no attribute 'year'."""
    X, y = rows
    cv, groups = ByIndex(), np.arange(180) // 6
    auto = quick(cv=cv).fit(X, y, groups=groups)
    assert cv.seen[0] is X
    assert cv.seen[1] is y
    assert cv.seen[2] is groups
    assert auto.leaderboard_["status"].tolist() == ["complete", "complete"]
    assert auto.cv_results_["split1_test_score"].shape == (1,)
    assert "split2_test_score" not in auto.cv_results_


@pytest.mark.parametrize("as_given", [lambda y: y, np.asarray, list, lambda y: y.astype("category")])
def test_a_splitter_by_the_labels(rows, as_given):
    """Labels came as codes, so a rule on them found nothing without a word."""
    X, y = rows
    assert quick(cv=ByLabel()).fit(X, as_given(y)).leaderboard_["status"].tolist() == ["complete", "complete"]


def test_groups_as_given(rows):
    class Named(GroupKFold):
        def split(self, X, y=None, groups=None):
            assert set(groups) == {"a", "b", "c"}
            return super().split(X, y, groups)

    X, y = rows
    auto = quick(cv=Named(3)).fit(X, y, groups=np.array(["a", "b", "c"])[np.arange(180) % 3])
    assert np.isfinite(auto.best_score_)


def test_pairs_score_as_the_splitter_that_gives_them(rows):
    """A list of pairs was refused, with whole arrays in the message; the scores are those of the same splitter."""
    X, y = rows
    splitter = StratifiedKFold(3, shuffle=True, random_state=0)
    pairs = list(splitter.split(X, y))
    scores = [
        quick(cv=cv, scoring="roc_auc").fit(X, y).cv_results_["split0_test_score"][0]
        for cv in (splitter, pairs, iter(pairs))
    ]
    assert scores[0] == scores[1] == scores[2]
    reference = cross_val_score(LogisticRegression(max_iter=1000), X, y == "bad", cv=pairs, scoring="roc_auc")[0]
    assert scores[0] == pytest.approx(reference, abs=0.1)


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        ([(np.arange(100), np.arange(90, 180))], "fold 0 is judged on 10 of the rows that it learns from"),
        ([(np.arange(100), np.arange(100, 181))], "fold 0 has the test row 180, but X has the rows 0 to 179"),
        ([(np.arange(100), np.array([], int))], "the test rows of fold 0 are none"),
        ([np.arange(100), np.arange(100, 180)], "fold 0 is no pair of arrays of integers"),
        ([], "gave no folds"),
    ],
)
def test_bad_pairs_are_refused_in_few_words(rows, cv, message):
    with pytest.raises(ValueError, match=message) as error:
        quick(cv=cv).fit(*rows)
    assert len(str(error.value)) < 300


def test_a_generator_read_before_is_no_folds(rows):
    auto = quick(cv=KFold(3).split(rows[0])).fit(*rows)
    with pytest.raises(ValueError, match="a generator can be read once only"):
        auto.fit(*rows)


@pytest.mark.parametrize("candidate", ["lightgbm", "hist_boosting", "extra_trees", "logistic"])
def test_a_fold_that_learns_one_class_is_left_out(rows, candidate):
    """Sorted rows, folds in their order: "shape mismatch", or probabilities of one class, in most trials."""
    X, y = rows
    order = np.argsort(y.to_numpy() == "bad", kind="stable")
    X, y = X.iloc[order], y.iloc[order]
    cut = int((y == "good").sum())
    pairs = [(np.arange(cut), np.arange(cut, 180)), (np.arange(0, 180, 2), np.arange(1, 180, 2))]
    with pytest.warns(UserWarning, match="cv: 1 of 2 folds are left out, as their training rows hold one class only"):
        auto = quick(cv=pairs, candidates=[candidate]).fit(X, y)
    assert auto.leaderboard_["status"].tolist() == ["complete", "complete"]
    with pytest.raises(ValueError, match="none of the 1 folds has two classes among its training rows"):
        quick(cv=pairs[:1], candidates=[candidate]).fit(X, y)


def test_a_fold_that_lacks_one_of_three_classes_is_kept(rows):
    X, y = rows
    third = np.where(np.arange(180) < 40, "third", y.to_numpy())
    auto = quick(cv=KFold(4), candidates=["lightgbm", "logistic"], n_iter=2).fit(X, third)
    assert (auto.leaderboard_["status"] == "complete").all()
    assert "split3_test_score" in auto.cv_results_
