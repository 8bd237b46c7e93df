"""Strategies by name."""

import pytest

from skauto.search._history import History
from skauto.search._space import Space
from skauto.search.strategies._names import STRATEGIES, make_strategy
from skauto.search.strategies._random import Random


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_name_gives_a_strategy(name):
    history = History(Space({"a": [1, 2, 3]}), seed=0)
    assert len(make_strategy(name).ask(history, 1)) == 1


def test_objects_pass_through():
    strategy = Random()
    assert make_strategy(strategy) is strategy


def test_unknown_name():
    with pytest.raises(
        ValueError, match=r"'genetics' is not known. Did you mean 'genetic'\? Allowed are 'annealing', 'ants', 'auto'"
    ):
        make_strategy("genetics")


def test_schedules_begin_at_the_least_fidelity():
    for name in ("auto", "bohb", "halving", "hyperband"):
        assert make_strategy(name, 0.2).min_fidelity == 0.2
    assert make_strategy("auto").min_fidelity is None
    assert repr(make_strategy("tpe", 0.2)) == repr(make_strategy("tpe"))


@pytest.mark.parametrize("wrong", [None, 3, Random])
def test_neither_name_nor_strategy(wrong):
    with pytest.raises(TypeError, match="strategy must be a name or an object with ask"):
        make_strategy(wrong)


def test_capital_letters_do_not_hide_what_was_meant():
    with pytest.raises(ValueError, match=r"'GRID' is not known. Did you mean 'grid'"):
        make_strategy("GRID")
