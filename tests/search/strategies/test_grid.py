"""Grid search."""

import pytest
from scipy.stats import uniform
from sklearn.model_selection import ParameterGrid

from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Trial
from skauto.search.strategies._grid import Grid
from tests.contracts.strategy import FINITE, StrategyContract, run


class TestGrid(StrategyContract):
    spaces = (FINITE, [{"a": list(range(5)), "b": [None, "x"]}, {}, {"c": range(40)}])

    def make(self):
        return Grid()

    def check_other_seed(self, one, other):
        assert one == other


def test_order_is_that_of_parameter_grid():
    grid = [{"b": [3, 1], "a": ["x", None]}, {}, {"c": [1.5]}]
    history = run(Grid(), grid, 100)
    assert [history.space.decode(trial.params) for trial in history.trials] == list(ParameterGrid(grid))


def test_leaves_out_what_another_has_asked():
    history = History(Space({"a": [1, 2, 3]}), seed=0)
    history.asked(Trial(0, history.space.encode({"a": 2})))
    assert [history.space.decode(trial.params)["a"] for trial in Grid().ask(history, 9)] == [1, 3]


def test_refuses_a_continuous_parameter_by_name():
    with pytest.raises(ValueError, match="'width' has infinitely many values"):
        Grid().ask(History(Space({"width": uniform(0, 1)}), seed=0), 1)
