"""Scorers of AutoClassifier are scikit-learn's: the positive class, columns of X, requests, and errors at once."""

import time

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.datasets import make_classification
from sklearn.metrics import average_precision_score, f1_score, get_scorer, log_loss, make_scorer, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from skauto import AutoClassifier


def quick(**changes):
    given = {"candidates": ["logistic"], "n_iter": 1, "time_limit": None, "cv": 3, "n_jobs": 1, "random_state": 0}
    return AutoClassifier(**{**given, "verbose": 0, **changes})


@pytest.fixture(scope="module")
def rows():
    """The positive class, "bad", is the rarer one and comes before "good"."""
    X, y = make_classification(n_samples=400, weights=[0.8], flip_y=0.15, random_state=0)
    X = pd.DataFrame(X).add_prefix("x").assign(amount=np.random.default_rng(0).lognormal(size=400))
    return X, np.where(y == 1, "bad", "good")


def precision_of_the_most_likely(y, score):
    """Precision of "bad" among the fifty rows that are most likely bad."""
    return np.mean(np.asarray(y)[np.argsort(-score)[:50]] == "bad")


def auc_of_labels(y, score):
    """As scikit-learn's own: the greater label, "good", is the positive one."""
    return roc_auc_score(y, score)


def with_a_name(y, score, pos_label="good"):
    """A function that has a positive label of its own."""
    return average_precision_score(np.asarray(y) == pos_label, score)


@pytest.mark.parametrize("pos_label", ["bad", None])
def test_the_positive_class_reaches_the_scorer(rows, pos_label):
    """Precision of "bad" was computed from probabilities of "good", and was the share of "bad" without a word."""
    X, y = rows
    scorer = make_scorer(precision_of_the_most_likely, response_method="predict_proba")
    auto = quick(scoring=scorer, pos_label=pos_label).fit(X, y)
    bad = auto.predict_proba(X)[:, 0]
    assert auto.best_score_ > 0.5 > 1.9 * np.mean(y == "bad")
    assert auto.score(X, y) == pytest.approx(precision_of_the_most_likely(y, bad))


@pytest.mark.parametrize("pos_label", ["bad", "good"])
def test_functions_that_mean_a_label_get_its_column(rows, pos_label):
    X, y = rows
    for function in (auc_of_labels, roc_auc_score):
        auto = quick(scoring=make_scorer(function, response_method="predict_proba"), pos_label=pos_label).fit(X, y)
        assert auto.score(X, y) == pytest.approx(roc_auc_score(y, auto.predict_proba(X)[:, 1]))
    scorer = make_scorer(log_loss, response_method="predict_proba", greater_is_better=False)
    auto = quick(scoring=scorer, pos_label=pos_label).fit(X, y)
    assert auto.score(X, y) == pytest.approx(-log_loss(y, auto.predict_proba(X)))


@pytest.mark.parametrize("pos_label", ["bad", "good"])
def test_a_function_with_a_positive_label_is_told_it(rows, pos_label):
    X, y = rows
    auto = quick(scoring=make_scorer(with_a_name, response_method="predict_proba"), pos_label=pos_label).fit(X, y)
    column = auto.predict_proba(X)[:, ["bad", "good"].index(pos_label)]
    assert auto.score(X, y) == pytest.approx(average_precision_score(y == pos_label, column))
    given = make_scorer(with_a_name, response_method="predict_proba", pos_label=pos_label)
    assert quick(scoring=given).fit(X, y).best_score_ == auto.best_score_


def amount_found(estimator, X, y):
    """The share of the amounts of bad rows that is found, less a tenth of all that is looked at."""
    looked = np.asarray(estimator.predict(X) == "bad")
    bad = np.asarray(y == "bad")
    return float(X["amount"][looked & bad].sum() / X["amount"][bad].sum() - 0.1 * looked.mean())


def loss_of_large_rows(estimator, X, y):
    """Log loss where the amount is above its mean; asks for a part of the rows only."""
    large = X["amount"] > 1.0
    return -log_loss(y[large], estimator.predict_proba(X[large]))


@pytest.mark.parametrize("scorer", [amount_found, loss_of_large_rows])
def test_a_scorer_that_reads_a_column(rows, scorer):
    """It was refused. It is called with rows and out-of-fold predictions of them, and once fitted with new rows."""
    X, y = rows
    auto = quick(scoring=scorer, candidates=["logistic", "naive_bayes"], n_iter=2).fit(X[:300], y[:300])
    assert (auto.leaderboard_["status"] == "complete").all()
    assert auto.score(X[300:], y[300:]) == pytest.approx(scorer(auto, X[300:], y[300:]))
    assert auto.best_score_ == pytest.approx(auto.score(X[300:], y[300:]), abs=0.35)
    board = auto.leaderboard(X[300:], y[300:]).set_index("chosen")
    assert board.loc["best", "score"] == pytest.approx(scorer(auto.best_estimator_, X[300:], y[300:]))


INDICES = {
    "another order": np.random.default_rng(3).permutation(400),
    "texts": [f"row {i}" for i in range(400)],
    "dates": pd.date_range("2024-01-01", periods=400, freq="h"),
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_a_scorer_that_looks_rows_up_by_the_index(rows, index):
    """The index of X was reset in the search alone: amounts were those of other rows, and texts were not found."""
    X, y = rows
    X = X.set_axis(index)
    amounts = X["amount"].copy()

    def looked_up(estimator, X, y):
        return amount_found(estimator, X.assign(amount=amounts.loc[X.index]), y)

    auto, same = (quick(scoring=scorer).fit(X[:300], y[:300]) for scorer in (looked_up, amount_found))
    assert (auto.best_score_, auto.threshold_) == (same.best_score_, same.threshold_)
    assert auto.score(X[300:], y[300:]) == pytest.approx(amount_found(auto, X[300:], y[300:]))
    board, other = auto.leaderboard(X[300:], y[300:]), same.leaderboard(X[300:], y[300:])
    assert board["score"].tolist() == other["score"].tolist()


@pytest.mark.parametrize("scorer", [amount_found, loss_of_large_rows])
def test_an_index_that_repeats(rows, scorer):
    """A part of the rows could not be asked for once fitted; in the search the scorer saw another index."""
    X, y = rows
    twice = X.set_axis(np.arange(400) // 2)
    auto, same = (quick(scoring=scorer).fit(table[:300], y[:300]) for table in (twice, X))
    assert (auto.best_score_, auto.threshold_) == (same.best_score_, same.threshold_)
    drawn = np.random.default_rng(0).integers(300, 400, 100)  # the same rows more than once
    for places in (np.arange(300, 400), drawn):
        part, labels = twice.iloc[places], y[places]
        assert auto.score(part, labels) == pytest.approx(scorer(auto, part, labels))
        board = auto.leaderboard(part, labels).set_index("chosen")
        assert board.loc["best", "score"] == pytest.approx(scorer(auto.best_estimator_, part, labels))


def test_the_index_is_that_of_the_caller_in_the_search(rows):
    X, y = rows
    labels, seen = pd.Index(np.arange(400) // 3, name="customer"), []

    def own(estimator, X, y):
        seen.append(X.index.name == "customer" and y.index.equals(X.index))
        seen.extend(amount in amounts[label] for label, amount in X["amount"].items())
        return loss_of_large_rows(estimator, X, y)

    table = X.set_axis(labels)
    amounts = {label: set(part) for label, part in table["amount"].groupby(level=0)}
    quick(scoring=own).fit(table, y)
    assert all(seen)


def test_it_is_served_out_of_fold(rows):
    """Nearest neighbours know the rows that they learnt: noise is scored as noise, by scikit-learn's scorers too."""
    X, _ = rows
    noise = np.random.default_rng(1).choice(["bad", "good"], 400)

    def auc(estimator, X, y):
        return get_scorer("roc_auc")(estimator, X, y)

    auto = quick(scoring=auc, candidates=["knn"]).fit(X, noise)
    assert 0.4 < auto.best_score_ < 0.6
    same = quick(scoring="roc_auc", candidates=["knn"]).fit(X, noise)
    assert auto.best_score_ == pytest.approx(same.best_score_)


def test_arrays_weights_and_three_classes(rows):
    X, y = rows
    seen = []

    def weighted(estimator, X, y, sample_weight=None):
        seen.append(sample_weight is not None and len(sample_weight) == len(X) == len(y))
        return float(np.average(estimator.predict(X) == y, weights=sample_weight))

    three = np.where(X["x0"] > 1, "third", y)
    weight = np.random.default_rng(0).uniform(1, 2, 400)
    auto = quick(scoring=weighted).fit(X.to_numpy(), three, sample_weight=weight)
    assert all(seen)
    assert auto.score(X.to_numpy(), three) == pytest.approx(np.mean(auto.predict(X.to_numpy()) == three))


def never(y, labels):
    raise ZeroDivisionError("no such thing")


def no_number(y, labels):
    return "great"


def not_a_number(estimator, X, y):
    return float("nan")


@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        (
            make_scorer(never),
            "scoring='never' failed when tried .*ZeroDivisionError: no such thing .in never, test_sc",
        ),
        (make_scorer(never, response_method="predict_proba"), "ZeroDivisionError: no such thing"),
        (make_scorer(no_number, response_method="predict_proba"), "scoring='no_number'"),
        (f1_score, r"must be a name such as 'f1'.*pass make_scorer\(f1_score\)"),
        (["f1", "roc_auc"], "must be a name such as 'f1'.*one score decides"),
        (not_a_number, "scoring='not_a_number' gave nan when tried .*where a finite number is needed"),
        (lambda estimator, X, y: estimator.predict(X.drop(columns="no")), "KeyError"),
        (lambda estimator, X, y: estimator.predict(X.assign(amount=0)), "of other or changed rows"),
        (lambda estimator, X, y: estimator.fit(X, y), "cannot fit the estimator that it judges"),
        (f1_score, "scorer made by sklearn.metrics.make_scorer"),
        (lambda y, labels: 0, "scorer made by sklearn.metrics.make_scorer"),
    ],
)
def test_what_always_fails_is_said_before_the_search(rows, scoring, message):
    """Four fifths of the time limit went into trials that each failed in the same way."""
    began = time.process_time()
    with pytest.raises(ValueError, match=message):
        quick(scoring=scoring, n_iter=None, time_limit=600).fit(*rows)
    assert time.process_time() - began < 5


def test_requests_of_a_scorer_are_heeded(rows):
    X, y = rows
    given = []

    def own(y, labels, sample_weight=None, amount=None):
        given.append(sample_weight)
        return np.mean(y == labels)

    with sklearn.config_context(enable_metadata_routing=True):
        refused = make_scorer(own).set_score_request(amount=True)
        without = make_scorer(own).set_score_request(sample_weight=False)
    with pytest.raises(ValueError, match="requests amount, which AutoClassifier does not route"):
        quick(scoring=refused).fit(X, y)
    quick(scoring=without).fit(X, y, sample_weight=np.ones(400))
    assert not any(weight is not None for weight in given)


def test_two_positive_classes_that_contradict_each_other_are_refused(rows):
    """The scorer's was overruled without a word."""
    scorer = make_scorer(f1_score, pos_label="good")
    with pytest.raises(
        ValueError, match="pos_label='bad' and scoring, which was made with pos_label='good', contradict"
    ):
        quick(scoring=scorer, pos_label="bad").fit(*rows)
    assert quick(scoring=scorer, pos_label="good").fit(*rows).pos_label_ == "good"


@pytest.mark.parametrize("name", ["positive_likelihood_ratio", "neg_negative_likelihood_ratio"])
def test_ratios_that_take_the_greater_label_for_the_positive_one_are_of_the_positive_class(rows, name):
    X, y = rows
    folds = list(StratifiedKFold(3).split(X, y))
    named, coded = (quick(scoring=name, cv=folds).fit(X, labels) for labels in (y, (y == "bad").astype(int)))
    assert named.best_score_ == pytest.approx(coded.best_score_, rel=1e-3)
    assert np.mean((named.predict(X) == "bad") == (coded.predict(X) == 1)) > 0.99


@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        (make_scorer(f1_score, average=None), "it must give one number, see its `average`"),
        ("jaccard_samples", "scoring='jaccard_samples' failed when tried on the labels of y before the search"),
        ("f1_samples", "scoring='f1_samples' failed when tried on the labels of y before the search"),
    ],
)
def test_scores_that_can_never_work_are_refused_before_the_search(rows, scoring, message):
    with pytest.raises(ValueError, match=message):
        quick(scoring=scoring).fit(*rows)
