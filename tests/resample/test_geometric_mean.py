"""geometric_mean_score: by hand, beside imbalanced-learn's, with weights, in a search."""

import imblearn.metrics
import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import cross_val_score

from skauto.resample import geometric_mean_score


def test_by_hand():
    # recalls 3/4 and 1/2
    assert geometric_mean_score(["a"] * 4 + ["b"] * 2, ["a", "a", "a", "b", "a", "b"]) == pytest.approx(0.375**0.5)
    assert geometric_mean_score([0, 0, 1], [0, 0, 0]) == 0.0


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_same_as_imbalanced_learn(n_classes):
    rng = np.random.default_rng(0)
    y, weight = rng.integers(n_classes, size=200), rng.integers(0, 4, 200)
    guess = np.where(rng.random(200) < 0.6, y, rng.integers(n_classes, size=200))
    for given in ({}, {"sample_weight": weight}):
        expected = imblearn.metrics.geometric_mean_score(y, guess, **given)
        assert geometric_mean_score(y, guess, **given) == pytest.approx(expected)


def test_in_a_search():
    X, y = make_classification(n_samples=200, weights=[0.8], random_state=0)
    scores = cross_val_score(LogisticRegression(), X, y, scoring=make_scorer(geometric_mean_score), cv=3)
    assert (scores > 0.5).all()


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="y_true has 2 labels, but y_pred has 1"):
        geometric_mean_score([0, 1], [0])
