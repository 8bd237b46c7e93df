"""Bounds on what AutoClassifier may choose: read, measured, held, and part of the search of images."""

import io

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_digits, make_classification
from sklearn.linear_model import LogisticRegression

from skauto._constraints import read_constraints
from skauto.estimators import CompressedClassifier
from tests.autos import all_complete, quick


def few_weights(estimator, X, y):
    """A measure of one's own: minus the numbers of a logistic regression; anything else has far too many."""
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    return -last.coef_.size if hasattr(last, "coef_") else -1e9


def table():
    return make_classification(200, n_features=6, n_informative=4, random_state=0)


def stored(estimator):
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    return buffer.tell()


@pytest.mark.parametrize(
    ("constraints", "said"),
    [
        ({}, "bounds nothing"),
        ({"size": 3}, r"constraints\['size'\]=3 cannot be used; bytes and latency_ms take a number"),
        ({"bytes": 0}, r"constraints\['bytes'\]=0 must be above 0"),
        ({"bytes": "1 kB"}, "cannot be used"),
        ({"latency_ms": np.nan}, "cannot be used"),
        ({"bytes": (few_weights, 3)}, "cannot be used"),
        ({"weights": (few_weights, None)}, "cannot be used"),
    ],
)
def test_bounds_that_are_none_are_named(constraints, said):
    with pytest.raises(ValueError, match=said):
        quick(constraints=constraints).fit(*table())


def test_measures_are_those_of_the_fitted_model():
    X, y = table()
    model = LogisticRegression().fit(X, y)
    bounds = read_constraints({"bytes": 1e6, "latency_ms": 1e4, "weights": (few_weights, -6)})
    values = bounds.measure(model, X, y)
    assert values["bytes"] == stored(model)
    assert values["weights"] == -6
    assert 0 < values["latency_ms"] < 1e4
    assert bounds.hold(values)
    assert not bounds.hold({**values, "bytes": 1e6 + 1})
    assert not bounds.hold({**values, "weights": -7})
    assert str(bounds) == "bytes <= 1e+06, latency_ms <= 10000, weights >= -6"


@pytest.mark.parametrize("candidate", ["extra_trees", "lightgbm"])
def test_what_is_too_large_does_not_win(candidate):
    X, y = table()
    free = quick(candidates=["logistic", candidate], n_iter=4).fit(X, y)
    assert free.pareto_front_ is None
    auto = quick(candidates=["logistic", candidate], n_iter=4, constraints={"bytes": 10_000}).fit(X, y)
    board = auto.leaderboard_
    assert all_complete(auto)
    assert (board.loc[board["candidate"] == candidate, "bytes"] > 10_000).any()
    assert stored(auto.ensemble_) <= 10_000
    assert stored(auto.best_estimator_) <= 10_000
    assert board.loc[board["candidate"] == "ensemble", "bytes"].item() == stored(auto.ensemble_)
    front = auto.pareto_front_
    assert front["score"].is_monotonic_decreasing
    assert front["bytes"].is_monotonic_decreasing
    assert board["score"].max() == front["score"].iloc[0]


def test_a_measure_of_ones_own_is_held_to_too():
    auto = quick(candidates=["logistic", "naive_bayes"], n_iter=3, constraints={"weights": (few_weights, -40)})
    auto.fit(*table())
    assert auto.best_params_["candidate"] == "logistic"
    assert auto.leaderboard_["weights"].min() == -1e9


def test_bounds_that_nothing_meets_are_an_error_with_the_nearest():
    with pytest.raises(ValueError, match="none of 2 trials is within bytes <= 100; the nearest, .* has bytes [0-9]"):
        quick(constraints={"bytes": 100}).fit(*table())


@pytest.mark.slow
def test_images_are_compressed_where_bytes_are_bounded():
    X, y = load_digits(n_class=4, return_X_y=True)
    X = X[:240].reshape(-1, 8, 8)
    auto = quick(candidates=["compressed_cnn", "extra_trees"], kind="image", constraints={"bytes": 40_000}).fit(
        X, y[:240]
    )
    assert all_complete(auto)
    network = auto.best_estimator_.steps[-1][1].estimator_
    assert isinstance(network, CompressedClassifier)
    assert stored(auto.ensemble_) <= 40_000
    assert auto.score(X, y[:240]) > 0.9
