"""Successive halving."""

import pytest
from scipy.stats import uniform

from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Status
from skauto.search.strategies._bayes import Bayes
from skauto.search.strategies._halving import Halving
from skauto.search.strategies._random import Random
from tests.contracts.strategy import StrategyContract

SPACE = Space({"x": uniform(0, 1)})


class TestHalvingOfRandom(StrategyContract):
    def make(self):
        return Halving(Random(), n_initial=9)


class TestHalvingOfBayes(StrategyContract):
    n_iter = 12

    def make(self):
        return Halving(Bayes(n_initial=4, n_candidates=100), n_initial=6, min_fidelity=0.3)


def play(strategy, tell, n_iter, batch=1):
    """A history where `tell` gives the (status, score) of a trial; results come last asked first within a batch."""
    history = History(SPACE, seed=0)
    while len(history) < n_iter and (trials := strategy.ask(history, min(batch, n_iter - len(history)))):
        for trial in trials:
            history.asked(trial)
        for trial in reversed(trials):
            history.told(Result(trial.number, *tell(trial)))
    return history


def by_x(trial):
    return Status.COMPLETE, trial.params["values"]["x"]


def rungs(history, bracket=0):
    """Numbers of trials by rung."""
    found = {}
    for trial in history.trials:
        place = trial.tags["halving"]
        if place["bracket"] == bracket:
            found.setdefault(place["rung"], []).append(trial)
    return found


def test_the_best_third_goes_on():
    history = play(Halving(Random(), n_initial=9, max_brackets=1), by_x, 100)
    first, second, third = rungs(history).values()
    assert [len(first), len(second), len(third)] == [9, 3, 1]
    assert [rung[0].fidelity for rung in (first, second, third)] == [pytest.approx(1 / 9), pytest.approx(1 / 3), 1.0]
    ranked = sorted(first, key=lambda trial: -trial.params["values"]["x"])
    assert [trial.params for trial in second] == [trial.params for trial in ranked[:3]]
    assert [trial.tags["halving"]["parent"] for trial in second] == [trial.number for trial in ranked[:3]]
    assert third[0].params == ranked[0].params


def test_the_order_of_finishing_does_not_matter():
    strategy = Halving(Random(), n_initial=9)
    single, batches = play(strategy, by_x, 39), play(strategy, by_x, 39, batch=4)
    assert single.trials == batches.trials


def test_waits_for_the_whole_rung():
    strategy, history = Halving(Random(), n_initial=4), History(SPACE, seed=0)
    trials = strategy.ask(history, 99)
    assert len(trials) == 4
    for trial in trials:
        history.asked(trial)
    for trial in trials[:3]:
        history.told(Result(trial.number, *by_x(trial)))
    assert strategy.ask(history, 1) == []
    history.told(Result(3, *by_x(trials[3])))
    assert strategy.ask(history, 1)[0].tags["halving"]["rung"] == 1


def test_brackets_repeat_and_stop_at_their_number():
    history = play(Halving(Random(), n_initial=3, min_fidelity=1 / 3, max_brackets=3), by_x, 100)
    assert len(history) == 3 * (3 + 1)
    assert [trial.tags["halving"]["bracket"] for trial in history.trials] == [0] * 4 + [1] * 4 + [2] * 4


def test_failed_trials_are_not_promoted():
    def tell(trial):
        return (Status.CRASHED,) if trial.number != 5 else by_x(trial)

    second = rungs(play(Halving(Random(), n_initial=9, max_brackets=1), tell, 100))[1]
    assert [trial.tags["halving"]["parent"] for trial in second] == [5]


def test_a_rung_that_fails_for_everybody_is_promoted():
    def tell(trial):
        return (Status.FAILED,) if trial.fidelity < 0.2 else by_x(trial)

    found = rungs(play(Halving(Random(), n_initial=9, max_brackets=1), tell, 100))
    assert [len(rung) for rung in found.values()] == [9, 9, 3]


def test_a_rung_of_timeouts_is_given_up():
    history = play(Halving(Random(), n_initial=9, max_brackets=2), lambda trial: (Status.TIMEOUT,), 100)
    assert [len(rung) for bracket in (0, 1) for rung in rungs(history, bracket).values()] == [9, 9]


def test_with_full_fidelity_it_is_the_base_with_a_limit():
    history = play(Halving(Random(), min_fidelity=1.0, n_initial=7), by_x, 100)
    assert [trial.params for trial in history.trials] == [t.params for t in play(Random(), by_x, 7).trials]
    assert {trial.fidelity for trial in history.trials} == {1.0}


def test_fidelities_end_at_one():
    assert Halving(Random(), min_fidelity=0.2).fidelities() == pytest.approx([0.2, 0.6, 1.0])
    assert Halving(Random(), min_fidelity=1 / 27).fidelities()[-1] == 1.0
    assert len(Halving(Random(), min_fidelity=1 / 27).fidelities()) == 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_fidelity": 0}, r"min_fidelity of Halving must be in \(0, 1\], got 0"),
        ({"factor": 1}, "factor of Halving"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        Halving(Random(), **settings).ask(History(SPACE, seed=0), 1)
