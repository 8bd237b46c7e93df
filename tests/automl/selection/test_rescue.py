"""What a timed search keeps beside its trials: a quick model, and the fold models of the best one."""

from dataclasses import replace

import numpy as np
import pytest

from skauto.automl._imbalance import NONE
from skauto.automl.evaluation._evaluate import evaluate
from skauto.automl.evaluation._fold_models import pack, unpack
from skauto.automl.evaluation._outcome import Bag, TrialOutcome
from skauto.automl.evaluation._read_constraints import read_constraints
from skauto.automl.selection._rescue import QUICK, RescuePool
from skauto.search._pool import Outcome, Pool
from skauto.search._trial import Status, Trial
from tests.support.trials import make_plan, small_plan

LABELS = np.array(["no", "yes"])


@pytest.fixture(scope="module")
def plan():
    return small_plan()


class Later(Pool):
    """A pool that gives out what is put into it."""

    def __init__(self, n_workers=2):
        self.n_workers = n_workers
        self.submitted, self.ready = [], []

    @property
    def running(self):
        return [key for key, *_ in self.submitted]

    def submit(self, key, function, *args, time_limit=None):
        self.submitted.append((key, function, args))

    def wait(self, timeout=None):
        ready, self.ready = self.ready, []
        return ready


def complete(key, score, bag, folds=4, fidelity=1.0):
    mark = Bag((fidelity, folds, score), bag)
    value = TrialOutcome(score, np.zeros((4, 2)), 0.1, fold_scores=(score,), bag=mark)
    return Outcome(key, Status.COMPLETE, value)


@pytest.mark.parametrize(("n_workers", "keys"), [(1, [0, QUICK]), (2, [0, QUICK]), (4, [0, QUICK, 2, 3])])
def test_the_quick_model_goes_out_behind_the_first_trial(n_workers, keys):
    pool = RescuePool(Later(n_workers), LABELS, 10)
    for _ in range(2):  # as the loop of a search does, which waits once all workers have something to do
        while pool.free:
            pool.submit(len(pool.running), None)
        pool.wait()
    assert pool.running == keys


def test_the_quick_model_is_kept_and_the_search_sees_none(plan):
    inner = Later()
    pool = RescuePool(inner, LABELS, 10)
    pool.submit(0, None)
    pool.wait()
    _, function, args = inner.submitted[1]
    inner.ready = [Outcome(QUICK, Status.COMPLETE, function(plan.context, *args))]
    assert pool.wait() == []
    assert set(pool.quick.predict(plan.context.X)) <= set(LABELS)


def test_without_a_limit_there_is_none():
    pool = RescuePool(Later(), LABELS, None)
    assert pool.free == 2
    pool.submit(0, None)
    pool.wait()
    assert pool.running == [0]


def test_the_fold_models_of_the_best_trial_are_kept_and_the_history_sees_none():
    inner = Later()
    pool = RescuePool(inner, LABELS, 10)
    inner.ready = [complete(0, 0.5, b"a"), complete(1, 0.7, b"b"), complete(2, 0.6, b"c")]
    inner.ready.append(complete(3, 0.9, b"d", folds=2))  # of fewer folds
    assert [outcome.value.bag for outcome in pool.wait()] == [None] * 4
    assert (pool.bag, pool.bag_of) == (b"b", 1)


def best_folds(plan, name):
    params = next(p for p in plan.initial if plan.space.decode(p)["candidate"] == name)
    return evaluate(replace(plan.context, bag=pack), Trial(0, params))


def test_fold_models_predict_together_with_the_users_labels(plan):
    outcome = best_folds(plan, "logistic")
    model = unpack(outcome.bag.content, LABELS)
    assert len(model.steps[-1][1].estimators_) == 3
    proba = model.predict_proba(plan.context.X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert np.mean(model.predict(plan.context.X) == LABELS[plan.context.y]) > 0.7
    each = [member.predict_proba(plan.context.X) for member in model.steps[-1][1].estimators_]
    np.testing.assert_allclose(proba, np.mean(each, axis=0))


def test_only_a_trial_that_is_the_best_of_its_worker_sends_fold_models(plan):
    context = replace(plan.context, bag=pack)
    found = [evaluate(context, Trial(number, plan.initial[0])) for number in (0, 1)]
    assert [outcome.bag is not None for outcome in found] == [True, False]


def test_fold_models_that_are_too_large_stay_where_they_are(plan):
    outcome = best_folds(plan, "extra_trees")
    assert pack(unpack(outcome.bag.content, LABELS).steps[-1][1].estimators_, None, most_bytes=1_000) is None


@pytest.mark.lightgbm
@pytest.mark.parametrize("way", [NONE, "class_weight", "RandomUnderSampler"])
def test_boosting_that_stopped_early_is_read_where_it_stopped(way):
    """What watched a fold must not travel: neither its rows nor a class that only a worker knows."""
    from sklearn.datasets import make_classification

    from skauto.inputs._read import inspect

    X, y = make_classification(600, 6, weights=[0.7], random_state=0)
    data = inspect(X, y)
    plan = make_plan(data, scoring="f1", cv=3, candidates=["lightgbm"], pos_label=1, seed=0, threads=1)
    branches = [plan.space.decode(params) for params in plan.initial[:1]]
    values = {**branches[0], "imbalance": way}
    if way == "class_weight":
        values["imbalance__class_weight"] = "balanced"
    elif way != NONE:
        values["imbalance__sampling_strategy"] = 0.5
    outcome = evaluate(replace(plan.context, bag=pack), Trial(0, plan.space.encode(values)))
    bag = unpack(outcome.bag.content, data.classes)
    assert b"Watching" not in outcome.bag.content
    fitted = bag.steps[-1][1].estimators_[0].steps[-1][1]
    fitted = getattr(fitted, "estimator_", fitted)
    assert fitted.booster_.best_iteration == outcome.best_iteration > 0


def test_the_fold_models_of_the_fullest_fidelity_are_kept():
    """The history keeps the trials of the fullest fidelity alone: fold models of another would be of no use."""
    inner = Later()
    pool = RescuePool(inner, LABELS, 10)
    outcomes = enumerate([(0.9, b"a", 1 / 9), (0.5, b"b", 1 / 3), (0.95, b"c", 1 / 9)])
    inner.ready = [complete(number, score, bag, fidelity=fidelity) for number, (score, bag, fidelity) in outcomes]
    pool.wait()
    assert (pool.bag, pool.bag_of) == (b"b", 1)


def test_a_plan_with_constraints_sends_fold_models_within_them_alone():
    bounds = read_constraints({"latency_ms": 10.0})
    assert bounds.may_hold({"latency_ms": 14.0}) and not bounds.may_hold({"latency_ms": 16.0})
