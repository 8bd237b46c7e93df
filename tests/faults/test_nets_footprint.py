"""Milliseconds of a footprint on a busy machine: they varied by six between calls."""

import time

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from skauto.estimators import MLPClassifier, footprint

X, Y = load_iris(return_X_y=True)


class Interrupted(ClassifierMixin, BaseEstimator):
    """Takes two milliseconds on a clock of its own, but for three calls of four, which others hold up."""

    def __init__(self, clock):
        self.clock = clock

    def fit(self, X, y):
        self.classes_, self.calls_ = np.unique(y), 0
        return self

    def predict(self, X):
        self.calls_ += 1
        self.clock[0] += 0.002 if self.calls_ % 4 == 0 else 0.002 * (3 + self.calls_ % 5)
        return np.repeat(self.classes_[0], len(X))


def test_the_quickest_call_counts_and_the_spread_is_said(monkeypatch):
    clock = [0.0]
    model = Interrupted(clock).fit(X, Y)
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    cost = footprint(model, X)
    assert cost.latency_ms == pytest.approx(2.0)
    assert 3 <= cost.latency_spread <= 7
    assert "latency_spread=" in repr(cost)


@pytest.mark.parametrize(
    "model", [LogisticRegression(max_iter=500), MLPClassifier(n_members=1, max_epochs=1, random_state=0)]
)
def test_the_spread_is_at_least_one(model):
    cost = footprint(model.fit(X, Y), X)
    assert cost.latency_spread >= 1 and cost.latency_ms > 0
    assert (cost.frame()["latency_ms"] > 0).all()
