"""The score report says what is wrong with a score, on tables where it is known what is wrong."""

import numpy as np
import pandas as pd
import pytest

from skauto import AutoClassifier

pytestmark = pytest.mark.slow
QUICK = {"time_limit": None, "n_iter": 2, "cv": 3, "candidates": ["logistic", "naive_bayes"], "n_jobs": 1, "verbose": 0}


def fitted(X, y, **more):
    return AutoClassifier(**{**QUICK, "random_state": 0, **more}).fit(X, y)


def table(n_rows=300):
    """Labels that a linear model tells, and trees less well."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(n_rows, 5)), columns=list("abcde"))
    odds = 3 * X.sum(axis=1) - 3 + rng.logistic(size=n_rows)
    return X, np.where(odds > 0, 1, 0)


def test_a_good_score_has_nothing_to_say_against_it():
    X, y = table()
    model = fitted(X, y)
    report = model.score_report(X, y)
    assert not report.worse_than_baseline
    assert report.leaks.empty
    assert not len(report.near_duplicates)
    assert report.scores["honest"] == model.honest_score_
    assert report.scores["low"] < report.scores["shown"] < report.scores["high"]
    assert report.baselines["frequencies"] < report.baselines["plain model"]
    assert "worse than a plain baseline? no" in str(report)


def test_noise_is_no_better_than_the_frequencies():
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame(rng.normal(size=(200, 3))), np.repeat([0, 1], [130, 70])
    report = fitted(X, y, scoring="neg_log_loss").score_report(X, y)
    assert report.scores["shown"] == pytest.approx(report.baselines["frequencies"], abs=0.03)


def test_the_baseline_knows_no_rows_that_no_fold_had():
    """Of the rows of no fold alone one could learn: the others have labels by chance."""
    X, y = table(600)
    labels = np.concatenate([np.random.default_rng(1).permutation(y[:200]), y[200:]])
    halves = np.arange(100), np.arange(100, 200)
    model = fitted(X, labels, cv=[halves, halves[::-1]], scoring="roc_auc")
    assert model.score_report(X, labels).baselines["plain model"] < 0.65


def test_labels_that_were_exchanged_are_always_wrong():
    X, y = table(n_rows=400)
    X["a"] += 12 * y
    exchanged = [5, 17, 200, 333]
    y[exchanged] = 1 - y[exchanged]
    report = fitted(X, y).score_report(X, y)
    assert set(exchanged) <= set(report.always_wrong)
    assert len(report.always_wrong) < 20


def test_a_leak_and_copied_rows_are_named():
    X, y = table()
    X["told"] = np.where(y == 1, "paid", "open")
    X.iloc[:20] = X.iloc[20:40].to_numpy()
    y[:20] = y[20:40]
    model = fitted(X, y)
    report = model.score_report(X, y)
    assert report.leaks["column"].tolist() == ["told"]
    assert 10 <= len(report.near_duplicates) <= 40
    assert set(report.near_duplicates) <= set(range(40))
    assert "'told' (AUC 1.000" in str(report)


def test_other_rows_than_those_of_fit_are_refused():
    X, y = table()
    with pytest.raises(ValueError, match="y"):
        fitted(X, y).score_report(X[:-1], y[:-1])


def test_three_classes_and_strings():
    X, _ = table()
    labels = np.array(["low", "mid", "top"])[np.digitize(X.sum(axis=1), [-1, 1])]
    report = fitted(X, labels).score_report(X, labels)
    assert not report.worse_than_baseline
    assert report.n_rows == 300
