"""Tree-structured Parzen estimator."""

import numpy as np
from scipy.stats import loguniform, uniform

from skauto.search._history import History
from skauto.search._maximize import maximize
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial
from skauto.search.strategies._random import Random
from skauto.search.strategies._tpe import TPE
from tests.contracts.strategy import StrategyContract, mean_best

MIXED = [{"C": loguniform(1e-3, 1e3), "kind": ["a", "b", "c"]}, {"C": loguniform(1e-3, 1e3), "width": uniform(0, 1)}]


class TestTPE(StrategyContract):
    def make(self):
        return TPE(n_initial=5)


def hill(params):
    """Highest in the first branch at C = 1, kind "b"."""
    height = -abs(np.log10(params["C"]))
    return height if params.get("kind") == "b" else height - 1


def test_climbs_better_than_random():
    tpe, random = (mean_best(strategy, hill, MIXED, n_iter=60) for strategy in (TPE(), Random()))
    assert tpe > random / 2
    assert tpe > -0.1


def test_prefers_the_branch_and_the_choice_that_pay():
    history = maximize(hill, MIXED, strategy=TPE(), n_iter=80, random_state=0)
    late = [trial.params for trial in history.trials[40:]]
    assert np.mean([params["branch"] == 0 for params in late]) > 0.6
    assert np.mean([params["values"].get("kind") == 1 for params in late]) > 0.6


def told(space, scores, status=Status.COMPLETE):
    """A history of configurations x with their scores, None for one that runs."""
    history = History(space, seed=0)
    for number, (x, score) in enumerate(scores):
        history.asked(Trial(number, space.encode({"x": x})))
        if score is not None:
            history.told(Result(number, status, score))
    return history


def test_the_best_fraction_is_good_and_running_ones_are_not():
    space = Space({"x": uniform(0, 1)})
    history = told(space, [(i / 30, -abs(i - 20)) for i in range(25)] + [(0.95, None)])
    good, others = TPE(gamma=0.1)._split(space, *TPE._known(history))
    assert [trial.number for trial in good] == [19, 20, 21]
    assert others[-1].number == 25
    assert len(others) == 23


def test_failed_regions_are_left():
    space, history = Space({"x": uniform(0, 1)}), History(Space({"x": uniform(0, 1)}), seed=0)
    for number in range(40):
        (trial,) = TPE().ask(history, 1)
        history.asked(trial)
        x = space.decode(trial.params)["x"]
        history.told(Result(number, Status.CRASHED) if x > 0.5 else Result(number, Status.COMPLETE, 0.0))
    assert np.mean([trial.params["values"]["x"] <= 0.5 for trial in history.trials[15:]]) > 0.7


def test_old_trials_weigh_less():
    weights = TPE(full_weight=3)._weights(6)
    assert weights[-3:].tolist() == [1, 1, 1]
    assert weights[0] == 1 / 6
    assert (np.diff(weights) >= 0).all()
    assert TPE()._weights(0).size == 0


def test_each_branch_has_good_trials_of_its_own():
    """All trials of the second branch are worse than any of the first one; its own best are good there all the same."""
    space = Space([{"x": uniform(0, 1)}, {"y": uniform(0, 1)}])
    history = History(space, seed=0)
    for number in range(40):
        branch, value = number % 2, number / 40
        history.asked(Trial(number, space.encode({"xy"[branch]: value})))
        history.told(Result(number, Status.COMPLETE, -abs(value - 0.5) - branch))
    good, _ = TPE()._split(space, *TPE._known(history))
    assert [t.params["values"]["y"] for t in good if t.params["branch"] == 1] == [17 / 40, 19 / 40, 21 / 40]
    ahead = TPE()._branches(space, *TPE._known(history), np.random.default_rng(0))
    assert ahead == [0, 1]


def test_a_parameter_of_two_branches_is_learnt_from_both():
    """All good trials lie in the second branch; in the first one TPE still prefers their C."""
    space = Space(MIXED)
    history = History(space, seed=0)
    rng = np.random.default_rng(0)
    for number in range(40):
        params = space.sample_branch(1, rng)
        history.asked(Trial(number, params))
        history.told(Result(number, Status.COMPLETE, -abs(np.log10(params["values"]["C"]) - 2)))
    good, _ = TPE()._split(space, *TPE._known(history))
    drawn = TPE()._mixture(history, 0, good).sample(200, rng)
    assert abs(np.median(drawn[:, 0]) - 5 / 6) < 0.1
