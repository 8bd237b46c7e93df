"""Random search."""

import numpy as np
from scipy.stats import loguniform

from skauto.search.strategies._random import Random
from tests.contracts.strategy import FINITE, StrategyContract, run


class TestRandom(StrategyContract):
    def make(self):
        return Random()


def test_exhausts_a_finite_space():
    history = run(Random(), FINITE, 100)
    assert len(history) == history.n_distinct == 12


def test_follows_the_distribution_and_the_branches():
    history = run(Random(), [{"C": loguniform(1e-3, 1e3)}, {"C": loguniform(1e-3, 1e3)}], 2000)
    logs = np.log10([trial.params["values"]["C"] for trial in history.trials])
    assert abs(np.mean(logs < 0) - 0.5) < 0.05
    assert abs(np.mean([trial.params["branch"] for trial in history.trials]) - 0.5) < 0.05


def test_weights_of_branches():
    from skauto.search._history import History
    from skauto.search._space import Space

    space = Space([{"C": loguniform(1e-3, 1e3)}, {"C": loguniform(1e-3, 1e3)}], weights=[1, 9])
    trials = Random().ask(History(space, seed=0), 1000)
    assert abs(np.mean([trial.params["branch"] for trial in trials]) - 0.9) < 0.04
