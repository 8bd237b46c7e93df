"""Simulated annealing."""

import pytest
from scipy.stats import uniform

from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial
from skauto.search.strategies._annealing import Annealing
from skauto.search.strategies._random import Random
from tests.contracts.strategy import BOWL, StrategyContract, bowl, mean_best


class TestAnnealing(StrategyContract):
    def make(self):
        return Annealing(n_initial=5)


def test_climbs_better_than_random():
    assert mean_best(Annealing(), bowl, BOWL) > mean_best(Random(), bowl, BOWL) / 2


def walk(allowances, scores, **settings):
    """The number of the trial at which a walk over trials of these scores is."""
    history = History(Space({"x": uniform(0, 1)}), seed=0)
    for number, (allowance, score) in enumerate(zip(allowances, scores, strict=True)):
        tags = {"annealing": {"allowance": allowance}}
        history.asked(Trial(number, {"branch": 0, "values": {"x": number / 100}}, tags=tags))
        history.told(Result(number, Status.COMPLETE if score is not None else Status.FAILED, score or float("nan")))
    return Annealing(n_initial=2, temperature=1.0, cooling=0.5, **settings)._present(history).number


def test_goes_downhill_within_the_allowance():
    assert walk([0, 0, 0], [1.0, 3.0, 2.9]) == 1
    assert walk([0, 0, 0.2], [1.0, 3.0, 2.9]) == 2  # the scores' deviation is 1, so it may lose 0.2
    assert walk([0, 0, 0, 0.4], [1.0, 3.0, 2.9, 2.9]) == 3
    assert walk([0, 0, 0, 0, 0.4], [1.0, 3.0, 2.9, 2.9, 2.85]) == 1  # colder: 0.4 / 4 is too little


def test_goes_uphill_always_and_never_to_a_failure():
    assert walk([0, 0, 0], [1.0, 2.0, 2.1]) == 2
    assert walk([0, 0, 9.0], [1.0, 2.0, None]) == 1


def test_wrong_bounds():
    with pytest.raises(ValueError, match="bounds of Annealing must be 'clip' or 'reflect', got 'cut'"):
        Annealing(bounds="cut").ask(History(Space(BOWL), seed=0), 1)
