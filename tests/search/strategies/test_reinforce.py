"""The controller as a strategy."""

import numpy as np
import pytest

from skauto.search._history import History
from skauto.search._maximize import maximize
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial
from skauto.search.strategies._random import Random
from skauto.search.strategies._reinforce import Reinforce, _standardised
from tests.contracts.strategy import StrategyContract

SPACE = {name: list("abcdef") for name in "pqrstuvw"}


class TestReinforce(StrategyContract):
    def make(self):
        return Reinforce(batch=8)


def matches(params):
    return list(params.values()).count("b")


def test_learns_which_tokens_pay():
    def late(strategy):
        history = maximize(matches, SPACE, strategy=strategy, n_iter=150, random_state=0)
        return np.mean([history.results[number].score for number in range(100, 150)])

    assert late(Random()) < 2
    assert late(Reinforce()) > 4


def test_what_is_known_is_not_learnt_again():
    strategy, calls = Reinforce(), []
    history = maximize(matches, SPACE, strategy=strategy, n_iter=40, random_state=0)
    learn = Reinforce._learn
    counting = type("Counting", (Reinforce,), {"_learn": lambda self, *a: calls.append(1) or learn(self, *a)})()
    counting.__class__.__repr__ = lambda self: "fresh"
    first = counting.ask(history, 3)
    assert (len(calls), counting.ask(history, 3), len(calls)) == (4, first, 4)
    assert first == strategy.ask(history, 3)


def pair(number, score, fidelity=1.0, status=Status.COMPLETE):
    return Trial(number, {"branch": 0, "values": {}}, fidelity), Result(number, status, score)


def test_rewards_are_standardised_within_a_fidelity():
    rewards = _standardised([pair(0, 1.0), pair(1, 3.0), pair(2, 100.0, 0.5), pair(3, 104.0, 0.5)])
    assert rewards.tolist() == [-1, 1, -1, 1]


def test_failures_are_as_bad_as_the_worst():
    failed = pair(2, float("nan"), status=Status.CRASHED)
    cancelled = pair(3, float("nan"), status=Status.CANCELLED)
    assert _standardised([pair(0, 1.0), pair(1, 3.0), failed, cancelled]).tolist() == [-1, 1, -1, 0]


@pytest.mark.slow
def test_long_histories_do_not_recurse():
    space = Space({"x": list(range(10**6))})
    history = History(space, seed=0)
    for number in range(3000):
        history.asked(Trial(number, {"branch": 0, "values": {"x": number}}))
        history.told(Result(number, Status.COMPLETE, 0.0))
    assert len(Reinforce(batch=2, hidden_size=2).ask(history, 1)) == 1
