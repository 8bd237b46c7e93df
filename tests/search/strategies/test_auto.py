"""The strategy that is taken where none is named."""

import pytest
from scipy.stats import uniform

from skauto.search._history import History
from skauto.search._maximize import maximize
from skauto.search._space import Space
from skauto.search.strategies._auto import Auto
from skauto.search.strategies._gaussian_process import GaussianProcess
from skauto.search.strategies._random import Random
from skauto.search.strategies._tpe import TPE
from tests.contracts.strategy import BOWL, StrategyContract, bowl, mean_best


class TestAuto(StrategyContract):
    def make(self):
        return Auto(explore=10)


class TestAutoWithFidelity(StrategyContract):
    def make(self):
        return Auto(1 / 3, explore=6)


@pytest.mark.slow
@pytest.mark.parametrize("min_fidelity", [None, 1 / 9])
def test_climbs_better_than_random(min_fidelity):
    def objective(params, fidelity):
        return bowl(params) - (1 - fidelity) * (0.1 + params["a"] / 10)

    auto, random = (mean_best(s, objective, BOWL, fidelity=1 / 9, n_seeds=3) for s in (Auto(min_fidelity), Random()))
    assert auto > random / 3


def test_hyperband_first_then_full_trials():
    settings = {"strategy": Auto(1 / 9), "fidelity": 1 / 9, "n_iter": 60, "random_state": 0}
    history = maximize(lambda params, fidelity: bowl(params), BOWL, **settings)
    under = ["halving" in trial.tags for trial in history.trials]
    n_under = sum(under)
    assert under == [True] * n_under + [False] * (60 - n_under)
    assert n_under == 9 + 3 + 1 + 5 + 1 + 3
    assert {trial.fidelity for trial in history.trials[n_under:]} == {1.0}


def test_without_fidelity_every_trial_is_full():
    history = maximize(bowl, BOWL, strategy=Auto(), n_iter=40, random_state=0)
    assert {trial.fidelity for trial in history.trials} == {1.0}


def test_the_process_proposes_until_evolution_begins():
    auto = maximize(bowl, BOWL, strategy=Auto(explore=20, evolve=1.0), n_iter=30, random_state=0)
    process = maximize(bowl, BOWL, strategy=GaussianProcess(), n_iter=30, random_state=0)
    same = [one.params == other.params for one, other in zip(auto.trials, process.trials, strict=True)]
    assert all(same[:20])
    assert not any(same[20:])


def test_in_a_space_of_branches_every_fifth_trial_is_of_tpe():
    """A process that has settled in a branch of fair scores is led to a better one that it hardly knows."""
    space = [{"a": uniform(0, 1), "b": uniform(0, 1)}, {"c": uniform(0, 1)}]
    history = maximize(
        lambda params: -abs(params.get("a", 0.5) - 0.3), space, strategy=Auto(), n_iter=25, random_state=0
    )
    for number in (14, 19, 24):
        known = History(history.space, history.seed)
        for trial in history.trials[:number]:
            known.asked(trial)
            known.told(history.results[trial.number])
        assert TPE().ask(known, 1)[0].params == history.trials[number].params


def test_wrong_bounds():
    with pytest.raises(ValueError, match="bounds of Auto must be 'clip' or 'reflect', got 'clp'; did you mean 'clip'"):
        Auto(bounds="clp").ask(History(Space(BOWL), seed=0), 1)
