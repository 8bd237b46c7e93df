"""Known configurations first."""

from skauto.search._space import Space
from skauto.search.strategies._halving import Halving
from skauto.search.strategies._random import Random
from skauto.search.strategies._warm_start import WarmStart
from tests.contracts.strategy import FINITE, MIXED, StrategyContract, run

# Params that lie in the last space of the contract and, by their form, in both.
EMPTY_BRANCH = {"branch": 2, "values": {}}


class TestWarmStart(StrategyContract):
    spaces = (MIXED,)

    def make(self):
        return WarmStart([EMPTY_BRANCH], Random())

    def test_a_finite_space_is_tried_once_and_ends(self):
        space = Space(FINITE)
        first = [space.encode({"a": 2, "b": None}), space.encode({"a": 1, "b": (1, 2)})]
        history = run(WarmStart(first, Random()), FINITE, 100)
        assert [trial.params for trial in history.trials[:2]] == first
        assert len(history) == history.n_distinct == 12


def test_the_known_come_first_at_full_fidelity_then_the_base():
    first = [{"branch": 0, "values": {"x": number}} for number in (3, 1)]
    history = run(WarmStart(first, Halving(Random(), n_initial=3)), {"x": list(range(30))}, 6)
    assert [trial.params for trial in history.trials[:2]] == first
    # Two known ones; of the four that are left to the base, three at first and the best of them in full.
    assert [trial.fidelity == 1.0 for trial in history.trials] == [True, True, False, False, False, True]


def test_what_the_known_leave_is_enough_for_the_base_to_end_in_full():
    first = [{"branch": 0, "values": {"x": number}} for number in (3, 1)]
    strategy = WarmStart(first, Halving(Random(), n_initial=9)).within(6)
    history = run(strategy, {"x": list(range(30))}, 6)
    assert sum(trial.fidelity == 1.0 for trial in history.trials[2:]) == 1


def test_under_halving_the_known_start_at_the_first_rung():
    first = [{"branch": 0, "values": {"x": 3}}]
    history = run(Halving(WarmStart(first, Random()), n_initial=9), {"x": list(range(30))}, 13)
    assert history.trials[0].params == first[0]
    assert history.trials[0].fidelity < 1
    assert sum("warm_start" in trial.tags for trial in history.trials) == 1


def test_the_known_may_begin_with_less():
    first = [{"branch": 0, "values": {"x": number}} for number in (3, 1)]
    history = run(WarmStart(first, Random(), fidelity=1 / 9).within(4), {"x": list(range(30))}, 4)
    assert [trial.fidelity for trial in history.trials] == [1 / 9, 1 / 9, 1.0, 1.0]
