"""What strategies share."""

import numpy as np
import pytest
from scipy.stats import uniform

from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial
from skauto.search.strategies._base import Strategy, bounded, comparable, first_new, sample_new
from skauto.search.strategies._halving import Halving
from skauto.search.strategies._random import Random


def history_of(*fidelities):
    history = History(Space({"x": uniform(0, 1)}), seed=0)
    for number, fidelity in enumerate(fidelities):
        history.asked(Trial(number, {"branch": 0, "values": {"x": number / 100}}, fidelity))
        history.told(Result(number, Status.COMPLETE, float(number)))
    return history


def test_comparable_takes_the_highest_fidelity_with_enough():
    history = history_of(0.1, 0.1, 0.1, 0.3, 0.3, 1.0)
    numbers = {least: [trial.number for trial, _ in comparable(history, least)] for least in (1, 2, 3, 9)}
    assert numbers == {1: [5], 2: [3, 4], 3: [0, 1, 2], 9: [0, 1, 2]}
    assert comparable(history_of(), 1) == []


def test_comparable_leaves_out_failures():
    history = history_of(1.0)
    history.asked(Trial(1, {"branch": 0, "values": {"x": 0.5}}))
    history.told(Result(1, Status.FAILED))
    assert len(comparable(history, 1)) == 1


def test_randomness_comes_from_seed_and_trials_asked():
    one, other = history_of(1.0), history_of(1.0, 1.0)
    assert Strategy.rng(one).random() == Strategy.rng(one.view(0)).random() != Strategy.rng(other).random()


def test_nearly_exhausted_spaces_give_their_last_configuration():
    history = History(Space({"x": list(range(2000))}), seed=0)
    for number in range(1999):
        history.asked(Trial(number, {"branch": 0, "values": {"x": number}}))
    last = {"branch": 0, "values": {"x": 1999}}
    assert sample_new(history, Strategy.rng(history)) == first_new(history) == last
    history.asked(Trial(1999, last))
    assert sample_new(history, Strategy.rng(history)) is first_new(history) is None


def test_positions_stop_at_the_ends_or_are_turned_back():
    units = np.array([-0.25, 0.0, 0.5, 1.0, 1.25])
    assert bounded(units, "clip").tolist() == [0, 0, 0.5, 1, 1]
    assert bounded(units, "reflect").tolist() == [0.25, 0, 0.5, 1, 0.75]
    assert bounded(1.25, "reflect") == 0.75


def test_repr_shows_the_settings():
    assert repr(Halving(Random(), n_initial=5)).startswith("Halving(base=Random(), factor=3,")


def test_a_strategy_without_propose():
    with pytest.raises(NotImplementedError, match="Strategy must define propose"):
        Strategy().ask(history_of(), 1)
