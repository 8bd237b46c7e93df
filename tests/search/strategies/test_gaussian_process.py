"""Bayesian optimisation with one process over all branches."""

import math

import numpy as np
import pytest
from scipy.stats import loguniform, norm, randint, uniform

from skauto.search._history import History
from skauto.search._maximize import maximize
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial
from skauto.search.strategies._gaussian_process import GaussianProcess, log_improvement
from skauto.search.strategies._random import Random
from tests.contracts.strategy import BOWL, StrategyContract, bowl, mean_best

MIXED = [{"C": loguniform(1e-3, 1e3), "kind": ["a", "b", "c"]}, {"C": loguniform(1e-3, 1e3), "width": uniform(0, 1)}]


class TestGaussianProcess(StrategyContract):
    n_iter = 12

    def make(self):
        return GaussianProcess(n_initial=5, n_candidates=100)


def hill(params):
    """Highest in the first branch at C = 1, kind "b"."""
    height = -abs(np.log10(params["C"]))
    return height if params.get("kind") == "b" else height - 1


@pytest.mark.parametrize("bounds", ["clip", "reflect"])
def test_climbs_far_better_than_random(bounds):
    settings = {"n_iter": 40, "n_seeds": 3}
    process, random = (mean_best(s, bowl, BOWL, **settings) for s in (GaussianProcess(bounds=bounds), Random()))
    assert process > random / 10


def test_prefers_the_branch_and_the_choice_that_pay():
    history = maximize(hill, MIXED, strategy=GaussianProcess(), n_iter=40, random_state=0)
    early, late = [history.trials[a:b] for a, b in ((0, 10), (10, 40))]
    shares = [np.mean([trial.params["values"].get("kind") == 1 for trial in part]) for part in (early, late)]
    assert shares[1] > shares[0] + 0.2
    assert np.mean([trial.params["branch"] == 0 for trial in late]) > 0.6
    assert history.best()[1].score > -0.1


def test_the_order_of_the_scores_is_all_that_counts():
    def far(params):
        return -math.exp(30 * abs(params["x"] - 0.3))

    space, found = {"x": uniform(0, 1), "n": randint(1, 9)}, []
    for objective in (far, lambda params: math.log(-far(params)) * -1):
        history = maximize(objective, space, strategy=GaussianProcess(), n_iter=20, random_state=0)
        found.append([trial.params for trial in history.trials])
    assert found[0] == found[1]


def test_failed_regions_are_left():
    space = Space({"x": uniform(0, 1)})
    history = History(space, seed=0)
    for number in range(40):
        (trial,) = GaussianProcess().ask(history, 1)
        history.asked(trial)
        x = space.decode(trial.params)["x"]
        history.told(Result(number, Status.CRASHED) if x > 0.5 else Result(number, Status.COMPLETE, math.sin(40 * x)))
    assert np.mean([trial.params["values"]["x"] <= 0.5 for trial in history.trials[15:]]) > 0.7


def test_what_runs_counts_as_the_middle_and_what_failed_as_the_worst():
    space = Space({"x": uniform(0, 1)})
    history = History(space, seed=0)
    for number in range(7):
        history.asked(Trial(number, space.encode({"x": (number + 1) / 10})))
        if number < 5:
            history.told(Result(number, Status.COMPLETE, float(number)))
    history.told(Result(5, Status.FAILED))
    known = [(history.trials[i], float(i)) for i in range(5)]
    trials, values = GaussianProcess()._points(history, known, [history.trials[5], history.trials[6]])
    assert [trial.number for trial in trials] == list(range(7))
    assert values[5] == values[0] == values.min()
    assert values[0] < values[6] < values[4]
    assert values.std() == pytest.approx(1)


def test_of_many_trials_the_best_and_the_latest_are_kept():
    space = Space({"x": uniform(0, 1)})
    history = History(space, seed=0)
    known = []
    for number in range(30):
        history.asked(Trial(number, space.encode({"x": number / 30})))
        known.append((history.trials[number], -float(number)))
    trials, _ = GaussianProcess(max_points=10)._points(history, known, [])
    assert [trial.number for trial in trials] == [0, 1, 2, 3, 4, 25, 26, 27, 28, 29]


def test_the_improvement_is_that_of_a_normal_variable():
    mean, deviation, best = 0.4, 0.5, 0.7
    draws = np.random.default_rng(0).normal(mean, deviation, 400_000)
    expected = np.maximum(draws - best, 0).mean()
    (gain,) = log_improvement(np.array([mean]), np.array([deviation]), best)
    assert math.exp(gain) == pytest.approx(expected, rel=0.01)


def test_hopeless_places_keep_their_order():
    gains = log_improvement(np.array([-60.0, -50.0, -5.01, -4.99]), np.ones(4), 0.0)
    assert np.isfinite(gains).all()
    assert (np.diff(gains) > 0).all()
    assert gains[2] == pytest.approx(gains[3], abs=0.2)
    exact = math.log(norm.pdf(4.99) - 4.99 * norm.sf(4.99))
    assert gains[3] == pytest.approx(exact, rel=1e-6)


def test_wrong_bounds():
    with pytest.raises(ValueError, match="bounds of GaussianProcess must be 'clip' or 'reflect', got 'cut'"):
        GaussianProcess(bounds="cut").ask(History(Space(BOWL), seed=0), 1)
