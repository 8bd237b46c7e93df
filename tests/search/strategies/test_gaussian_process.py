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
    fractions = [np.mean([trial.params["values"].get("kind") == 1 for trial in part]) for part in (early, late)]
    assert fractions[1] > fractions[0] + 0.2
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


@pytest.mark.parametrize("score", [lambda x: math.sin(40 * x), lambda x: 0.5], ids=["uneven", "all equal"])
def test_failed_regions_are_left(score):
    space = Space({"x": uniform(0, 1)})
    history = History(space, seed=0)
    for number in range(40):
        (trial,) = GaussianProcess().ask(history, 1)
        history.asked(trial)
        x = space.decode(trial.params)["x"]
        history.told(Result(number, Status.CRASHED) if x > 0.5 else Result(number, Status.COMPLETE, score(x)))
    assert np.mean([trial.params["values"]["x"] <= 0.5 for trial in history.trials[15:]]) > 0.7


def asked(n, n_told):
    """A history of n trials, so many with their number as score, and the trials."""
    space = Space({"x": uniform(0, 1)})
    history = History(space, seed=0)
    for number in range(n):
        history.asked(Trial(number, space.encode({"x": number / n})))
        if number < n_told:
            history.told(Result(number, Status.COMPLETE, float(number)))
    return history, history.trials


def test_what_runs_counts_as_the_middle_and_what_failed_as_worse_than_all():
    history, trials = asked(7, 5)
    history.told(Result(5, Status.FAILED))
    known = [(trial, float(trial.number)) for trial in trials[:5]]
    kept, values = GaussianProcess()._points(history, known, list(trials[5:]))
    assert [trial.number for trial in kept] == list(range(7))
    assert values[5] < values[0] < values[6] < values[4]
    assert values[6] == values[2]
    assert values.std() == pytest.approx(1)


def test_of_many_trials_the_best_and_the_latest_are_kept():
    history, trials = asked(30, 30)
    known = [(trial, -float(trial.number)) for trial in trials]
    kept, _ = GaussianProcess(max_points=10)._points(history, known, [])
    assert [trial.number for trial in kept] == [0, 1, 2, 3, 4, 25, 26, 27, 28, 29]


def test_many_failed_ones_do_not_crowd_out_the_others():
    history, trials = asked(60, 30)
    known = [(trial, float(trial.number)) for trial in trials[:30]]
    kept, values = GaussianProcess(max_points=12)._points(history, known, list(trials[30:]))
    assert [trial.number for trial in kept] == [*range(22, 30), 56, 57, 58, 59]
    assert len(values) == 12


def moved_from_a_corner(bounds):
    space = Space({"x": uniform(0, 1), "y": uniform(0, 1)})
    return GaussianProcess(bounds=bounds)._moved(space, 0, np.array([0.0, 1.0]), 400, 0.1, np.random.default_rng(0))


def test_neighbours_stop_at_the_ends_or_are_turned_back():
    clipped, reflected = moved_from_a_corner("clip"), moved_from_a_corner("reflect")
    for moved in (clipped, reflected):
        assert ((moved >= 0) & (moved <= 1)).all()
    assert 0.4 < np.mean(clipped[:, 0] == 0) < 0.6
    assert 0.4 < np.mean(clipped[:, 1] == 1) < 0.6
    assert ((reflected > 0) & (reflected < 1)).all()


def test_an_unordered_dimension_moves_to_any_choice():
    space = Space({"kind": ["a", "b", "c"]})
    moved = GaussianProcess()._moved(space, 0, np.array([0.5]), 100, 0.1, np.random.default_rng(0))
    np.testing.assert_allclose(np.unique(moved), [1 / 6, 1 / 2, 5 / 6])


def test_random_places_follow_the_weights_of_the_branches():
    space = Space([{"x": uniform(0, 1)}, {"y": uniform(0, 1)}], weights=[1, 9])
    np.testing.assert_allclose(space.branch_probabilities, [0.1, 0.9])
    batches = dict(GaussianProcess()._random(space, np.random.default_rng(0)))
    assert len(batches[1]) > 5 * len(batches[0]) > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_initial": "a"}, "n_initial of GaussianProcess"),
        ({"n_candidates": 0}, "n_candidates of GaussianProcess"),
        ({"max_points": 0}, "max_points of GaussianProcess"),
    ],
)
def test_wrong_counts(settings, message):
    with pytest.raises(ValueError, match=message):
        GaussianProcess(**settings).ask(History(Space(BOWL), seed=0), 1)


def test_the_improvement_is_that_of_a_normal_variable():
    mean, deviation, best = 0.4, 0.5, 0.7
    draws = np.random.default_rng(0).normal(mean, deviation, 400_000)
    expected = np.maximum(draws - best, 0).mean()
    (gain,) = log_improvement(np.array([mean]), np.array([deviation]), best)
    assert math.exp(gain) == pytest.approx(expected, rel=0.01)


def test_hopeless_places_keep_their_order():
    z = np.concatenate([-np.logspace(5, 0, 400), np.linspace(-0.999, 5, 100)])
    gains = log_improvement(z, np.ones(len(z)), 0.0)
    assert np.isfinite(gains).all()
    assert (np.diff(gains) > 0).all()
    for one in (-4.99, -3.0, -1.001, 0.5):
        exact = math.log(norm.pdf(one) + one * norm.cdf(one))
        assert log_improvement(np.array([one]), np.ones(1), 0.0)[0] == pytest.approx(exact, rel=1e-8)


def test_wrong_bounds():
    with pytest.raises(ValueError, match="bounds of GaussianProcess must be 'clip' or 'reflect', got 'cut'"):
        GaussianProcess(bounds="cut").ask(History(Space(BOWL), seed=0), 1)
