"""Ant colony."""

import numpy as np

from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial
from skauto.search.strategies._ants import Ants
from skauto.search.strategies._random import Random
from tests.contracts.strategy import BOWL, StrategyContract, bowl, mean_best


class TestAnts(StrategyContract):
    def make(self):
        return Ants(n_initial=5)


def test_climbs_better_than_random():
    assert mean_best(Ants(), bowl, BOWL) > mean_best(Random(), bowl, BOWL) / 1.5


def test_walks_where_the_elite_went():
    """After many trials nearly all ants take what the best have in common, and a few do not."""
    space = Space({"kind": list("abcd"), "other": list(range(50))})
    history = History(space, seed=0)
    for number in range(100):
        params = {"branch": 0, "values": {"kind": number % 4, "other": number // 4}}
        history.asked(Trial(number, params))
        history.told(Result(number, Status.COMPLETE, float(number % 4 == 2)))
    rng = np.random.default_rng(0)
    best = [trial for trial, _ in history.top(8)]
    kinds = [Ants()._walk(history, best, 100, rng)["values"]["kind"] for _ in range(300)]
    assert 0.8 < np.mean(np.array(kinds) == 2) < 0.99
