"""Count mode: the same leaderboard and the same model on any number of workers and in every run."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification

from skauto.search.strategies._halving import Halving
from skauto.search.strategies._random import Random
from tests.autos import quick

# Half of the targets here have 0 as the rarer class, which is said; one test is about that.
pytestmark = pytest.mark.filterwarnings("ignore:pos_label=None takes the rarer class:UserWarning")

X, Y = make_classification(160, 5, weights=[0.7], flip_y=0.1, random_state=0)
SECONDS = ["seconds"]


def outcome(X=X, y=Y, **changes):
    """What must not depend on workers: the leaderboard without its seconds, and probabilities."""
    auto = quick(n_iter=9, **changes).fit(X, y)
    return auto.leaderboard(details=True).drop(columns=SECONDS), auto.predict_proba(X), auto.threshold_


def same(one, two):
    pd.testing.assert_frame_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])
    assert one[2] == two[2]


def test_two_runs_are_the_same():
    same(outcome(n_jobs=1), outcome(n_jobs=1))


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["random", "genetic", "bayes", "auto"])
def test_one_and_two_workers(strategy):
    same(outcome(strategy=strategy, n_jobs=1), outcome(strategy=strategy, n_jobs=2))


@pytest.mark.slow
@pytest.mark.lightgbm
def test_one_and_two_workers_with_boosting_and_forests():
    settings = {"candidates": ["lightgbm", "extra_trees", "hist_boosting"], "strategy": "random"}
    same(outcome(**settings, n_jobs=1), outcome(**settings, n_jobs=2))


@pytest.mark.slow
def test_one_and_two_workers_under_halving():
    X, y = make_classification(1000, 5, flip_y=0.2, random_state=0)
    strategy = Halving(Random(), min_fidelity=1 / 3, n_initial=3)
    one, two = (outcome(X, y, strategy=strategy, n_jobs=n) for n in (1, 2))
    assert (one[0]["fidelity"] < 1).any()
    same(one, two)


@pytest.mark.slow
def test_another_seed_is_another_search():
    one, two = (outcome(random_state=seed)[0]["params"].tolist() for seed in (0, 1))
    assert one != two
