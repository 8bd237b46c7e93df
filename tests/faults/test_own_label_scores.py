"""A user's own score of labels: few calls, in few seconds, and as good thresholds as with all of them."""

import time

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score, f1_score, fbeta_score, make_scorer

from skauto import AutoClassifier
from skauto.resample import MulticlassThresholdClassifierCV

CALLS = []


def own_score(y_true, y_pred):
    """Macro F1 by hand, as a user writes it."""
    CALLS.append(len(y_true))
    shared = [np.sum((y_true == k) & (y_pred == k)) for k in range(3)]
    either = [np.sum(y_true == k) + np.sum(y_pred == k) for k in range(3)]
    return 2 * np.mean(np.divide(shared, either))


@pytest.fixture(scope="module")
def data():
    return make_classification(
        3000, n_informative=6, n_classes=3, weights=[0.8, 0.15], class_sep=0.8, flip_y=0, random_state=0
    )


def tuned(data, scoring):
    X, y = data
    return MulticlassThresholdClassifierCV(LogisticRegression(), scoring, cv=3, random_state=0).fit(X, y)


def test_few_calls_find_thresholds_nearly_as_good(data):
    X, y = data
    CALLS.clear()
    own = tuned(data, make_scorer(own_score))
    assert len(CALLS) <= 40  # for one choice of weights; it was 400
    full = tuned(data, "f1_macro")
    scores = [f1_score(y, model.predict(X), average="macro") for model in (own, full)]
    assert scores[0] > scores[1] - 0.01
    assert scores[0] > f1_score(y, own.estimator_.predict(X), average="macro")


def test_two_classes(data):
    X, y = data
    y = (y == 2).astype(int)
    calls = []

    def own_f1(y_true, y_pred):
        calls.append(len(y_true))
        return 2 * np.sum(y_true & y_pred) / max(np.sum(y_true) + np.sum(y_pred), 1)

    own, full = tuned((X, y), make_scorer(own_f1)), tuned((X, y), "f1")
    assert len(calls) <= 25
    assert f1_score(y, own.predict(X)) > f1_score(y, full.predict(X)) - 0.02


@pytest.mark.parametrize(
    "scorer",
    [
        make_scorer(cohen_kappa_score),
        make_scorer(cohen_kappa_score, weights="quadratic"),
        make_scorer(fbeta_score, beta=2, average="macro"),
    ],
    ids=["kappa", "quadratic kappa", "F2"],
)
def test_scores_of_scikit_learn_are_not_called_row_by_row(data, scorer):
    start = time.process_time()
    quick = tuned(data, "f1_macro")
    middle = time.process_time()
    model = tuned(data, scorer)
    assert time.process_time() - middle < 3 * (middle - start) + 0.5
    X, y = data
    assert scorer(model, X, y) >= scorer(quick.estimator_, X, y)


def test_auto_classifier_calls_it_some_hundred_times_a_trial_at_most(data):
    """It was 1,903 times."""
    X, y = data
    CALLS.clear()
    settings = {"candidates": ["naive_bayes"], "n_iter": 1, "time_limit": None, "n_jobs": 1, "verbose": 0}
    model = AutoClassifier(make_scorer(own_score), random_state=0, **settings).fit(X[:1000], y[:1000])
    assert np.isfinite(model.best_score_)
    # A trial, the choice of the final weights and the tries before, of the calibrated model and of the plain one.
    assert len(CALLS) <= 500
