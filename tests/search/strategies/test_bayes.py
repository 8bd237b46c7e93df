"""Bayesian optimisation."""

import numpy as np
import pytest
from scipy.stats import loguniform, uniform

from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Status
from skauto.search.strategies._bayes import Bayes, _fit
from tests.contracts.strategy import FINITE, StrategyContract, run


class TestBayes(StrategyContract):
    n_iter = 12

    def make(self):
        return Bayes(n_initial=5, n_candidates=100)


def bowl(strategy, seed, n_iter):
    """A history on a bowl in a log-scaled and a linear dimension, beside a branch that is worse."""
    space = Space([{"C": loguniform(1e-3, 1e3), "x": uniform(0, 1)}, {"y": uniform(0, 1)}])
    history = History(space, seed)
    for number in range(n_iter):
        (trial,) = strategy.ask(history, 1)
        history.asked(trial)
        units = space.to_unit_branch(trial.params)
        history.told(Result(number, Status.COMPLETE, -sum((u - 0.3) ** 2 for u in units) - trial.params["branch"]))
    return history


@pytest.mark.parametrize("acquisition", ["ei", "pi", "lcb", "gp_hedge"])
def test_finds_the_bottom_of_a_bowl(acquisition):
    history = bowl(Bayes(acquisition), seed=0, n_iter=20)
    assert history.best()[1].score > -0.01


def test_prefers_the_better_branch():
    history = bowl(Bayes(), seed=1, n_iter=22)
    assert np.mean([trial.params["branch"] for trial in history.trials[12:]]) < 0.3


def test_hedge_remembers_its_gains_on_the_trials():
    history = bowl(Bayes("gp_hedge"), seed=0, n_iter=14)
    tags = [trial.tags["hedge"] for trial in history.trials if "hedge" in trial.tags]
    assert len(tags) == 4
    assert set(tags[0]["gains"].values()) == {0.0}
    assert any(gain != 0 for gain in tags[-1]["gains"].values())


def test_running_trials_are_kept_clear_of():
    strategy, history = Bayes(), bowl(Bayes(), seed=0, n_iter=11)
    batch = strategy.ask(history, 3)
    assert len({history.space.key(trial.params) for trial in batch}) == 3


def test_failed_regions_are_left():
    space = Space({"x": uniform(0, 1)})
    history = History(space, seed=0)
    for number in range(20):
        (trial,) = Bayes().ask(history, 1)
        history.asked(trial)
        x = trial.params["values"]["x"]
        result = Result(number, Status.CRASHED) if x > 0.5 else Result(number, Status.COMPLETE, x)
        history.told(result)
    assert np.mean([trial.params["values"]["x"] <= 0.5 for trial in history.trials[10:]]) > 0.5


def test_finishes_with_a_finite_space():
    history = run(Bayes(n_initial=4), FINITE, 100)
    assert len(history) == 12


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # the loss here has no noise at all
def test_fits_to_a_bounded_number_of_points():
    points = [({"branch": 0, "values": {"x": x}}, (x - 0.3) ** 2) for x in np.linspace(0, 1, 40).tolist()]
    model = _fit(Space({"x": uniform(0, 1)}), points, 12, np.random.default_rng(0))
    fitted = model.X_train_.ravel()
    assert len(fitted) == 12
    assert set(fitted[-6:]) == {x["values"]["x"] for x, _ in points[-6:]}
    assert np.abs(fitted[:6] - 0.3).max() < 0.1


def test_unknown_acquisition():
    with pytest.raises(ValueError, match="got 'gp_hege'; did you mean 'gp_hedge'"):
        Bayes("gp_hege").ask(History(Space({"x": uniform(0, 1)}), seed=0), 1)
