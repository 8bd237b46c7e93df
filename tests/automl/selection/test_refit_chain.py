"""How the models of chosen trials are got in the time that is left, on a simulated clock."""

from dataclasses import replace

import numpy as np
import pytest

from skauto.automl._progress import Progress
from skauto.automl._time_budget import Phases
from skauto.automl.evaluation._evaluate import evaluate
from skauto.automl.evaluation._fold_models import pack
from skauto.automl.evaluation._read_constraints import read_constraints
from skauto.automl.selection._rescue import QUICK, RescuePool
from skauto.search._history import History
from skauto.search._pool import Outcome, Pool, WorkersLostError
from skauto.search._trial import Result, Status, Trial
from tests.support.clock import Clock
from tests.support.finishing import Finish
from tests.support.trials import small_plan

LABELS = np.array(["no", "yes"])


class Importing(Pool):
    """A pool whose workers are all still importing: waiting for it takes the time and gives nothing."""

    n_workers = 2

    def __init__(self, clock):
        self.clock, self.tasks = clock, []

    @property
    def running(self):
        return self.tasks

    def submit(self, key, function, *args, time_limit=None):
        self.tasks.append(key)

    def cancel(self, key):
        self.tasks = [task for task in self.tasks if task != key]

    def wait(self, timeout):
        self.clock.now += timeout + 1e-3
        return []


@pytest.fixture(scope="module")
def plan():
    return small_plan()


@pytest.fixture(scope="module")
def results(plan):
    """Two complete trials, logistic regression and a forest."""
    context = replace(plan.context, bag=pack)
    return [evaluate(context, Trial(number, params)) for number, params in enumerate(plan.initial[:2])]


def finish_of(plan, results, *, limit, fit_seconds, here=True, bag=None, quick=None, fidelity=1.0):
    clock, history = Clock(), History(plan.space, 0)
    for number, outcome in enumerate(results):
        history.asked(Trial(number, plan.initial[number % len(plan.initial)], fidelity))
        known = replace(outcome, bag=None, fit_seconds=fit_seconds, score_seconds=0.0)
        history.told(Result(number, Status.COMPLETE, known.score, details=known.details()))
    pool = RescuePool(Importing(clock), LABELS, limit)
    if bag is not None:
        pool.bag, pool.bag_of = results[bag].bag.content, bag
    pool.quick = quick
    return Finish(plan, LABELS, "yes", pool, Phases(limit, clock), Progress(0, limit, 0.0), here=here), history


def test_where_no_worker_comes_a_short_refit_is_done_here_at_the_last_moment(plan, results):
    finish, history = finish_of(plan, results, limit=30, fit_seconds=0.5, bag=0)
    final = finish.run(history, use_ensemble=True)
    assert final.kind == "refitted"
    assert finish.phases.left() > 0 or finish.phases.clock.now - finish.phases.began <= 30
    assert len(final.ensemble.estimators_) == 1
    assert set(final.best_estimator.predict(plan.context.X)) <= set(LABELS)
    assert final.scores.get("score", np.nan) > 0


def test_a_refit_that_would_take_too_long_here_leaves_it_to_the_fold_models(plan, results):
    finish, history = finish_of(plan, results, limit=9, fit_seconds=2.5, bag=1)
    with pytest.warns(UserWarning, match="2 trials were evaluated, none could be refitted in time, so the models"):
        final = finish.run(history, use_ensemble=True)
    assert final.kind == "fold_models"
    assert final.best.number == 1
    proba = final.ensemble.predict_proba(plan.context.X)
    np.testing.assert_allclose(proba, final.best_estimator.predict_proba(plan.context.X))
    assert np.isfinite(final.scores.get("score", np.nan))


def test_under_a_limit_of_memory_nothing_is_fitted_here(plan, results):
    finish, history = finish_of(plan, results, limit=30, fit_seconds=0.01, here=False, bag=0)
    with pytest.warns(UserWarning, match="models of the folds of the best one predict together"):
        final = finish.run(history, use_ensemble=False)
    assert final.kind == "fold_models"


def test_a_net_or_a_candidate_of_ones_own_is_never_fitted_here(plan):
    build = plan.context.build
    assert build.is_safe({"candidate": "logistic"})
    nets = replace(build, candidates={"logistic": replace(build.candidates["logistic"], extra="deep")})
    assert not nets.is_safe({"candidate": "logistic"})
    own = replace(build, candidates={"logistic": replace(build.candidates["logistic"], build=small_plan)})
    assert not own.is_safe({"candidate": "logistic"})


def test_without_fold_models_the_quick_model_does_and_says_how_many_trials_there_were(plan, results):
    finish, history = finish_of(plan, results, limit=9, fit_seconds=100.0)
    model = finish.quick_model(history)
    finish, history = finish_of(plan, results, limit=9, fit_seconds=100.0, quick=model)
    with pytest.warns(UserWarning, match="2 trials were evaluated, none could be refitted in time, so the model is"):
        final = finish.run(history, use_ensemble=True)
    assert final.kind == QUICK
    assert final.ensemble.estimators_ == [model]
    assert final.best is None


def test_fold_models_are_held_to_the_bounds_too(plan, results):
    bounds = read_constraints({"bytes": 10.0})
    few = [replace(outcome, footprint={"bytes": 5.0}) for outcome in results]
    finish, history = finish_of(replace(plan, constraints=bounds), few, limit=9, fit_seconds=100.0, bag=0)
    with pytest.warns(UserWarning, match="models of the folds"), pytest.raises(ValueError, match="the best model has"):
        finish.run(history, use_ensemble=True)


def test_a_refit_that_comes_in_time_is_taken(plan, results):
    finish, history = finish_of(plan, results, limit=30, fit_seconds=0.5, bag=0)
    inner = finish.pool.pool
    waits = []

    def wait(timeout):
        waits.append(timeout)
        inner.clock.now += timeout + 1e-3
        if len(waits) < 3:
            return []
        inner.tasks, ready = [], inner.tasks
        return [Outcome(key, Status.COMPLETE, _refitted(plan, history, key)) for key in ready if key != QUICK]

    inner.wait = wait
    final = finish.run(history, use_ensemble=False)
    assert len(waits) == 3 and final.kind == "refitted"


class Losing(Importing):
    """A pool that loses its workers with their tasks so many times, in the next call; those that follow refit."""

    losses = 1

    def __init__(self, clock, refitted=None, call="wait"):
        super().__init__(clock)
        self.refitted, self.call = refitted, call

    def _lose(self, call):
        if self.losses and call == self.call:
            self.losses, self.tasks = self.losses - 1, []
            raise WorkersLostError("the executor is lost")

    def submit(self, key, function, *args, time_limit=None):
        self._lose("submit")
        super().submit(key, function, *args, time_limit=time_limit)

    def wait(self, timeout):
        self._lose("wait")
        self.clock.now += timeout + 1e-3
        ready, self.tasks = self.tasks, []
        return [Outcome(key, Status.COMPLETE, self.refitted(key)) for key in ready if key != QUICK]


@pytest.mark.parametrize("call", ["submit", "wait"])
def test_refits_whose_workers_are_lost_are_done_by_the_next_ones(plan, results, call):
    finish, history = finish_of(plan, results, limit=30, fit_seconds=0.5, bag=0)
    finish.pool.pool = Losing(finish.phases.clock, lambda key: _refitted(plan, history, key), call)
    final = finish.run(history, use_ensemble=False)
    assert final.kind == "refitted"
    assert finish.phases.clock.now < finish.phases.began + 5


def test_where_workers_are_lost_again_the_fold_models_do(plan, results):
    finish, history = finish_of(plan, results, limit=30, fit_seconds=0.5, here=False, bag=0)
    finish.pool.pool = Losing(finish.phases.clock)
    finish.pool.pool.losses = 2
    with pytest.warns(UserWarning, match="models of the folds of the best one predict together"):
        final = finish.run(history, use_ensemble=False)
    assert final.kind == "fold_models"


def test_a_quick_model_lost_with_its_worker_is_made_here(plan, results):
    finish, history = finish_of(plan, results, limit=30, fit_seconds=0.5)
    finish.pool.pool = Losing(finish.phases.clock)
    finish.pool.pool.tasks.append(QUICK)
    assert set(finish.quick_model(history).predict(plan.context.X)) <= set(LABELS)


def _refitted(plan, history, number):
    from skauto.automl.selection._refit import refit
    from skauto.automl.selection._select import scored_trials

    trial = next(trial for trial in scored_trials(history) if trial.number == number)
    return refit(plan.context, trial, LABELS)


def test_the_fold_models_of_the_best_trial_do_though_its_refit_would_take_too_long(plan, results):
    finish, history = finish_of(plan, results, limit=9, fit_seconds=100.0, bag=0)
    history.results[1].details["fit_seconds"] = 2.5  # a worker might do this one; none comes
    with pytest.warns(UserWarning, match="models of the folds of the best one"):
        final = finish.run(history, use_ensemble=True)
    assert final.kind == "fold_models"
    assert final.best.number == 0


def _told(results, scores_by_fold):
    return [
        replace(outcome, score=float(np.mean(scores)), fold_scores=tuple(scores))
        for outcome, scores in zip(results, scores_by_fold, strict=True)
    ]


def with_a_dear_best(plan, told):
    """Of two trials the first has fold models, and a refit for which there is no time."""
    finish, history = finish_of(plan, told, limit=30, fit_seconds=0.01, bag=0)
    history.results[0].details["fit_seconds"] = 100.0
    return finish, history


def test_the_fold_models_of_the_best_trial_beat_a_refit_of_one_that_is_clearly_worse(plan, results):
    """280,000 rows, 25 s: boosting of .81 could not be refitted, and a logistic regression of .69 predicted."""
    told = _told(results, [[0.9, 0.91, 0.89], [0.6, 0.62, 0.58]])
    finish, history = with_a_dear_best(plan, told)
    with pytest.warns(UserWarning, match="the best trial could not have been refitted in time, so the models of the f"):
        final = finish.run(history, use_ensemble=True)
    assert final.kind == "fold_models"
    assert final.best.number == 0


def test_fold_models_beat_what_is_clearly_worse_where_the_refit_of_the_best_is_late(plan, results, monkeypatch):
    told = _told(results, [[0.9, 0.91, 0.89], [0.6, 0.62, 0.58]])
    finish, history = finish_of(plan, told, limit=30, fit_seconds=0.01, bag=0)
    only_the_other = {1: _refitted(plan, history, 1)}
    monkeypatch.setattr(
        "skauto.automl.selection._refit_chain.RefitChain.refitted", lambda self, trials: dict(only_the_other)
    )
    with pytest.warns(UserWarning, match="the best trial could not be refitted in time, so the models of the folds"):
        final = finish.run(history, use_ensemble=True)
    assert final.kind == "fold_models"
    assert final.best.number == 0


def test_a_refit_of_one_that_is_about_as_good_is_better_than_fold_models(plan, results):
    told = _told(results, [[0.5, 0.91, 0.72], [0.6, 0.8, 0.7]])
    finish, history = with_a_dear_best(plan, told)
    final = finish.run(history, use_ensemble=True)
    assert final.kind == "refitted"
    assert final.best.number == 1


def test_under_constraints_fold_models_never_take_the_place_of_a_refit_within_them(plan, results):
    """Several models together may break the bounds that each of them keeps; then nothing was left, and fit raised."""
    told = _told(results, [[0.9, 0.91, 0.89], [0.6, 0.62, 0.58]])
    told = [replace(outcome, footprint={"bytes": 5.0}) for outcome in told]
    bounded = replace(plan, constraints=read_constraints({"bytes": 1e9}))
    finish, history = with_a_dear_best(bounded, told)
    final = finish.run(history, use_ensemble=True)
    assert final.kind == "refitted"
    assert final.best.number == 1


def test_a_trial_within_the_constraints_counts_before_those_of_more_folds_do(plan, results):
    """Five trials of all folds, all too slow, and a quick one of fewer: none was within the bounds, fit said."""
    large = [replace(results[0], footprint={"bytes": 1e12})] * 5
    small = replace(results[0], footprint={"bytes": 1.0}, proba=results[0].proba[: len(plan.context.folds[0][1])])
    bounded = replace(plan, constraints=read_constraints({"bytes": 1e9}))
    finish, history = finish_of(bounded, [*large, small], limit=30, fit_seconds=0.01)
    final = finish.run(history, use_ensemble=True)
    assert final.kind == "refitted"
    assert final.best.number == 5


@pytest.mark.parametrize("fidelity", [1.0, 0.25])
def test_fold_models_say_which_part_of_the_rows_they_saw(plan, results, fidelity):
    """They were called complete with a fidelity of 1, and had seen a 27th of the rows."""
    finish, history = finish_of(plan, results, limit=9, fit_seconds=100.0, bag=0, fidelity=fidelity)
    said = (
        r"best one predict" if fidelity == 1 else r"best one, fitted on a part of the rows or epochs \(fidelity 0.25\),"
    )
    with pytest.warns(UserWarning, match=said):
        final = finish.run(history, use_ensemble=True)
    assert final.kind == "fold_models"
    assert final.fidelity == fidelity


def test_a_first_interrupt_while_fold_models_are_read_costs_nothing(plan, results, monkeypatch):
    from skauto.automl.selection import _refit_chain

    calls, real = [], _refit_chain.unpack

    def unpack(*args):
        calls.append(args)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(_refit_chain, "unpack", unpack)
    finish, history = finish_of(plan, results, limit=30, fit_seconds=0.01, here=False, bag=0)
    with pytest.warns(UserWarning, match="models of the folds of the best one predict together"):
        final = finish.run(history, use_ensemble=False)
    assert final.kind == "fold_models" and finish.interrupts.seen and len(calls) == 2


@pytest.mark.parametrize("use_ensemble", [True, False])
def test_after_a_refit_here_that_raises_another_trial_is_tried(plan, results, monkeypatch, use_ensemble):
    from skauto.automl.selection import _refit_chain

    asked, real = [], _refit_chain.refit_here

    def refit_here(context, trial, labels):
        asked.append(trial.number)
        if len(asked) == 1:
            raise ValueError("not on all rows")
        return real(context, trial, labels)

    monkeypatch.setattr(_refit_chain, "refit_here", refit_here)
    finish, history = finish_of(plan, results, limit=30, fit_seconds=0.5)
    final = finish.run(history, use_ensemble=use_ensemble)
    assert final.kind == "refitted"
    assert len(asked) == 2 and final.best.number == asked[1] != asked[0]


def test_a_trial_that_failed_in_a_worker_is_not_refitted_here(plan, results, monkeypatch):
    from skauto.automl.selection import _refit_chain

    asked = []
    monkeypatch.setattr(_refit_chain, "refit_here", lambda context, trial, labels: asked.append(trial.number))
    finish, history = finish_of(plan, results, limit=30, fit_seconds=0.5)
    inner = finish.pool.pool

    def wait(timeout):
        inner.clock.now += timeout + 1e-3
        inner.tasks, ready = [], inner.tasks
        return [Outcome(key, Status.CRASHED, reason="SIGSEGV") for key in ready]

    inner.wait = wait
    finish.pool.quick = finish.quick_model(history)
    with pytest.warns(UserWarning, match="none could be refitted in time, so the model is a small one"):
        finish.run(history, use_ensemble=True)
    assert asked == []
