"""What stops a search."""

import math

import pytest

from skauto.search._budget import Budget, RefitBudget
from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def history():
    return History(Space({"x": [1, 2, 3]}), seed=0)


def test_seconds_count_from_the_first_start(clock, history):
    budget = Budget(time_limit=10, clock=clock)
    assert (budget.elapsed(), budget.remaining()) == (0.0, 10)
    clock.now += 5
    budget.start()
    clock.now += 4
    budget.start()
    assert (budget.elapsed(), budget.remaining()) == (4, 6)
    assert budget.stop(history) is None
    clock.now += 7
    assert budget.remaining() == 0
    assert budget.stop(history) == "time limit"


def test_trials_asked_are_waited_for(history):
    budget = Budget(n_iter=1)
    budget.start()
    assert (budget.room(history), budget.stop(history)) == (1, None)
    history.asked(Trial(0, {"branch": 0, "values": {"x": 0}}))
    assert (budget.room(history), budget.stop(history)) == (0, None)
    history.told(Result(0, Status.FAILED))
    assert budget.stop(history) == "n_iter"


def test_without_limits(clock, history):
    budget = Budget(clock=clock)
    budget.start()
    clock.now += 1e9
    assert (budget.remaining(), budget.room(history), budget.stop(history)) == (math.inf, math.inf, None)


def test_whichever_comes_first(clock, history):
    budget = Budget(time_limit=1, n_iter=5, clock=clock)
    budget.start()
    clock.now += 1
    assert budget.stop(history) == "time limit"


def test_a_trial_that_went_on_from_its_own_fidelity_tells_nothing_of_a_refit(clock):
    budget = RefitBudget(10, None, clock.now, refits=True, clock=clock)
    budget.learn(Result(0, Status.COMPLETE, 0.5, details={"folds": [{"fit_time": 1.0}]}), 1 / 3, below=1 / 3)
    assert budget.remaining() == 10
    budget.learn(Result(1, Status.COMPLETE, 0.4, details={"folds": [{"fit_time": 1.0}]}), 1.0, below=1 / 3)
    assert budget.remaining() == pytest.approx(10 - 2.25)
