"""Hyperband and BOHB."""

import pytest
from scipy.stats import uniform

from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Status
from skauto.search.strategies._base import parent
from skauto.search.strategies._hyperband import Hyperband, bohb
from skauto.search.strategies._random import Random
from skauto.search.strategies._tpe import TPE
from tests.contracts.strategy import StrategyContract


class TestHyperband(StrategyContract):
    def make(self):
        return Hyperband(Random())


class TestBOHB(StrategyContract):
    def make(self):
        return Hyperband(TPE(n_initial=5), min_fidelity=1 / 3)


def test_the_table_is_that_of_the_paper():
    """Li et al. 2018, table 1: R = 81, factor 3."""
    strategy = Hyperband(Random(), min_fidelity=1 / 81)
    rows = [(r["bracket"], r["trials"], round(81 * r["fidelity"])) for r in strategy.plan(5)]
    brackets = [[row[1:] for row in rows if row[0] == bracket] for bracket in range(5)]
    assert brackets == [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
        [(34, 3), (11, 9), (3, 27), (1, 81)],
        [(15, 9), (5, 27), (1, 81)],
        [(8, 27), (2, 81)],
        [(5, 81)],
    ]


def test_what_is_planned_is_what_is_spent():
    strategy, history = Hyperband(Random(), max_brackets=3), History(Space({"x": uniform(0, 1)}), seed=0)
    while trials := strategy.ask(history, 1):
        history.asked(trials[0])
        history.told(Result(trials[0].number, Status.COMPLETE, trials[0].params["values"]["x"]))
    plan = strategy.plan(3)
    assert sum(row["trials"] for row in plan) == len(history)
    assert sum(row["cost"] for row in plan) == pytest.approx(sum(trial.fidelity for trial in history.trials))
    saved = sum(history.trials[parent(trial)].fidelity for trial in history.trials if parent(trial) is not None)
    assert sum(row["cost"] - row["continued"] for row in plan) == pytest.approx(saved)


def test_bohb_is_hyperband_over_tpe():
    assert repr(bohb(0.5)) == repr(Hyperband(TPE(), min_fidelity=0.5))
    assert len(bohb(0.5).plan(2)) == 3


def test_messages_name_the_class():
    with pytest.raises(ValueError, match="factor of Hyperband must be greater than 1, got 1"):
        Hyperband(Random(), factor=1).plan()


def test_with_full_fidelity_alone_it_goes_on_for_ever():
    history = History(Space({"x": uniform(0, 1)}), seed=0)
    assert [trial.fidelity for trial in Hyperband(Random(), min_fidelity=1.0).ask(history, 5)] == [1.0] * 5
