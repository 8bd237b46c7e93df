"""Population based training."""

import pytest
from scipy.stats import uniform

from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Status
from skauto.search.strategies._base import parent
from skauto.search.strategies._pbt import PBT
from skauto.search.strategies._tpe import TPE
from tests.contracts.strategy import StrategyContract

SPACE = Space({"x": uniform(0, 1), "kind": ["a", "b"]})


class TestPBT(StrategyContract):
    def make(self):
        return PBT(population=5, steps=3)


class TestPBTOfTPE(StrategyContract):
    def make(self):
        return PBT(TPE(n_initial=4), population=4, steps=2)


def play(strategy, n_iter, tell=lambda trial: (Status.COMPLETE, trial.params["values"]["x"])):
    history = History(SPACE, seed=0)
    while len(history) < n_iter and (trials := strategy.ask(history, 1)):
        history.asked(trials[0])
        history.told(Result(trials[0].number, *tell(trials[0])))
    return history


def test_a_population_goes_step_by_step():
    history = play(PBT(population=8, steps=4), 40)
    assert [trial.fidelity for trial in history.trials] == [f for f in (0.25, 0.5, 0.75, 1.0, 0.25) for _ in range(8)]
    assert [trial.tags["pbt"]["round"] for trial in history.trials] == [0] * 32 + [1] * 8


def test_the_worst_go_on_from_the_best_with_changed_params():
    history = play(PBT(population=8, steps=4), 16)
    first, second = history.trials[:8], history.trials[8:]
    ranked = sorted(first, key=lambda trial: -trial.params["values"]["x"])
    for before, after in zip(first, second, strict=True):
        if before in ranked[-2:]:
            source = history.trials[parent(after)]
            assert source in ranked[:2]
            assert after.params != source.params
        else:
            assert parent(after) == before.number
            assert after.params == before.params


def test_a_failed_member_is_replaced():
    def tell(trial):
        return (Status.CRASHED,) if trial.number in (1, 2, 3) else (Status.COMPLETE, trial.params["values"]["x"])

    history = play(PBT(population=4, steps=2), 8, tell)
    assert {parent(trial) for trial in history.trials[4:]} == {0}


def test_where_all_failed_another_population_begins():
    history = play(PBT(population=3, steps=4), 6, lambda trial: (Status.FAILED,))
    assert [trial.tags["pbt"]["round"] for trial in history.trials] == [0, 0, 0, 1, 1, 1]


def test_waits_for_the_whole_step():
    strategy, history = PBT(population=3, steps=2), History(SPACE, seed=0)
    trials = strategy.ask(history, 9)
    assert len(trials) == 3
    for trial in trials:
        history.asked(trial)
    for number in (0, 2):
        history.told(Result(number, Status.COMPLETE, 0.5))
    assert strategy.ask(history, 1) == []
    history.told(Result(1, Status.COMPLETE, 0.5))
    assert len(strategy.ask(history, 9)) == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"population": 1}, "population of PBT must be an integer of at least 2, got 1"),
        ({"steps": 0.5}, "steps of PBT must be an integer of at least 1, got 0.5"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        PBT(**settings).ask(History(SPACE, seed=0), 1)
