"""Where trials have failed."""

import numpy as np
from scipy.stats import uniform

from skauto.search._history import History
from skauto.search._space import Space
from skauto.search._trial import Result, Status, Trial
from skauto.search.strategies._failures import Failures

SPACE = Space([{"x": uniform(0, 1), "kind": ["a", "b"]}, {"y": uniform(0, 1)}])


def failures(*told):
    """What is known after some trials, each a branch, its values and a status."""
    history = History(SPACE, seed=0)
    for number, (branch, values, status) in enumerate(told):
        history.asked(Trial(number, SPACE.encode(values, branch)))
        history.told(Result(number, status, 0.0 if status == Status.COMPLETE else float("nan")))
    return history, Failures(history)


def near(made, values, branch=0):
    return made.near(SPACE.encode(values, branch))


def test_the_nearest_trial_decides():
    _, made = failures(
        (0, {"x": 0.2, "kind": "a"}, Status.FAILED),
        (0, {"x": 0.3, "kind": "b"}, Status.COMPLETE),
        (0, {"x": 0.9, "kind": "a"}, Status.COMPLETE),
    )
    assert near(made, {"x": 0.3, "kind": "a"})
    assert not near(made, {"x": 0.2, "kind": "b"})
    assert not near(made, {"x": 0.8, "kind": "a"})
    assert not near(made, {"y": 0.5}, 1)


def test_a_branch_where_all_failed():
    told = [(1, {"y": place / 10}, Status.TIMEOUT) for place in range(5)]
    assert not near(failures(*told[:4])[1], {"y": 0.9}, 1), "few may have had bad luck"
    assert near(failures(*told)[1], {"y": 0.9}, 1)


def test_cancelled_trials_have_not_failed():
    _, made = failures((1, {"y": 0.2}, Status.CANCELLED))
    assert not near(made, {"y": 0.2}, 1)


def test_what_completed_at_another_fidelity_has_not_failed():
    _, made = failures((1, {"y": 0.2}, Status.FAILED), (1, {"y": 0.2}, Status.COMPLETE))
    assert not near(made, {"y": 0.2}, 1)


def test_samples_lie_elsewhere_but_for_now_and_then():
    told = [(1, {"y": place / 10}, Status.CRASHED) for place in range(5)]
    history, _ = failures(*told, (0, {"x": 0.5, "kind": "a"}, Status.COMPLETE))
    rng = np.random.default_rng(0)
    branches = [Failures(history).sample_new(history, rng)["branch"] for _ in range(400)]
    assert 0 < np.mean(branches) < 0.15
