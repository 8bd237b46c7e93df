"""BalancedBaggingClassifier: honest probabilities from balanced bags of any base."""

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.datasets import make_classification
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skauto.resample import BalancedBaggingClassifier


def test_better_than_one_tree_with_honest_probabilities():
    X, y = make_classification(n_samples=4000, weights=[0.95], class_sep=0.7, random_state=0)
    tree = DecisionTreeClassifier(random_state=0).fit(X[::2], y[::2])
    bags = BalancedBaggingClassifier(n_estimators=20, random_state=0).fit(X[::2], y[::2])
    naive = BalancedBaggingClassifier(n_estimators=20, prior_correction=False, random_state=0).fit(X[::2], y[::2])
    score = bags.predict_proba(X[1::2])[:, 1]
    assert roc_auc_score(y[1::2], score) > roc_auc_score(y[1::2], tree.predict_proba(X[1::2])[:, 1]) + 0.05
    assert brier_score_loss(y[1::2], score) < 0.7 * brier_score_loss(y[1::2], naive.predict_proba(X[1::2])[:, 1])


@pytest.mark.slow
def test_frames_with_categories_weights_and_workers():
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c"], [100, 30, 12])
    X = pd.DataFrame({"n": rng.normal(size=142), "c": pd.Categorical(rng.choice(list("uv"), 142))})
    X.loc[::7, "n"] = np.nan
    booster = LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1)
    model = BalancedBaggingClassifier(booster, n_estimators=3, random_state=0)
    alone = model.fit(X, y, sample_weight=np.ones(142)).predict_proba(X)
    model.set_params(n_jobs=2)
    np.testing.assert_array_equal(model.fit(X, y, sample_weight=np.ones(142)).predict_proba(X), alone)


def test_votes_where_there_are_no_probabilities():
    X, y = make_classification(n_samples=300, weights=[0.8], class_sep=2, random_state=0)
    model = BalancedBaggingClassifier(LinearSVC(), n_estimators=3, random_state=0).fit(X, y)
    assert not hasattr(model, "predict_proba")
    assert model.score(X, y) > 0.8
