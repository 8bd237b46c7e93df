"""Genetic search."""

import numpy as np
import pytest
from scipy.stats import uniform

from skauto.search._dimensions import Choice, Continuous, Whole
from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial
from skauto.search.strategies._genetic import Genetic, mutate
from skauto.search.strategies._random import Random
from tests.contracts.strategy import StrategyContract


class TestGenetic(StrategyContract):
    def make(self):
        return Genetic(population=8)


class TestAgingEvolution(StrategyContract):
    def make(self):
        return Genetic(population=8, survival="age")


def climb(strategy, seed, n_iter=150):
    """The best score on a bowl of four dimensions."""
    history = History(Space({name: uniform(0, 1) for name in "abcd"}), seed)
    for number in range(n_iter):
        (trial,) = strategy.ask(history, 1)
        history.asked(trial)
        loss = sum((value - 0.7) ** 2 for value in trial.params["values"].values())
        history.told(Result(number, Status.COMPLETE, -loss))
    return history.best()[1].score


@pytest.mark.parametrize("survival", ["best", "age"])
def test_climbs_better_than_random(survival):
    evolved = [climb(Genetic(survival=survival), seed) for seed in range(5)]
    random = [climb(Random(), seed) for seed in range(5)]
    assert np.mean(evolved) > np.mean(random) / 2


def test_parents_are_the_best_or_the_latest():
    space = Space({"x": uniform(0, 1)})
    history = History(space, seed=0)
    for number in range(10):
        history.asked(Trial(number, space.encode({"x": number / 10})))
        history.told(Result(number, Status.COMPLETE, -number))
    best = Genetic(population=3)._parents(history)
    assert sorted(score for score, _ in best) == [-2, -1, 0]
    latest = Genetic(population=3, survival="age")._parents(history)
    assert sorted(score for score, _ in latest) == [-9, -8, -7]


def test_unknown_survival():
    with pytest.raises(ValueError, match="survival of Genetic must be 'best' or 'age', got 'fittest'"):
        Genetic(survival="fittest").ask(History(Space({"x": list(range(50))}), seed=0), 1)


@pytest.mark.parametrize(
    "dim", [Choice(["a", "b", "c"]), Choice([1, 2, 4]), Whole(0, 9), Whole(1, 1000, log=True), Continuous(0.1, 10.0)]
)
def test_mutation_moves_and_stays_inside(dim):
    rng = np.random.default_rng(0)
    for _ in range(300):
        value = dim.from_unit(rng.random())
        moved = mutate(dim, value, 0.1, rng)
        assert dim.contains(moved)
        at_an_end = value in (dim.from_unit(0.0), dim.from_unit(1.0))
        assert moved != value or at_an_end


def test_mutation_of_the_only_choice():
    assert mutate(Choice(["a"]), 0, 0.1, np.random.default_rng(0)) == 0
