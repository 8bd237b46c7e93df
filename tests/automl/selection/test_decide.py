"""After the search: what a refit gives, where the threshold lies, and what is held to constraints."""

import copy
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline

from skauto import AutoClassifier
from skauto.automl._progress import Progress
from skauto.automl._time_budget import Phases
from skauto.automl.evaluation._fold_models import release_threads
from skauto.automl.evaluation._read_constraints import read_constraints
from skauto.automl.evaluation._scoring import Scoring
from skauto.automl.selection._enforce import held_to, largest_within
from skauto.automl.selection._final_model import assemble
from skauto.automl.selection._models import Models
from skauto.automl.selection._quick import quick_fit
from skauto.automl.selection._refit import as_final, refit
from skauto.automl.selection._refit_chain import RefitChain
from skauto.automl.selection._rescue import RescuePool
from skauto.automl.selection._shortlist import Selection
from skauto.inputs._read import inspect
from skauto.resample._decision_rule import DecisionRule
from skauto.resample._fixed_thresholds import MulticlassFixedThresholdClassifier
from skauto.resample._priors import PriorCorrectedClassifier
from skauto.search._history import History
from skauto.search._pool import Outcome, Pool
from skauto.search._trial import Result, Status, Trial
from tests.support.clock import Clock
from tests.support.finishing import Finish
from tests.support.trials import make_plan, scored, small_plan


@pytest.fixture
def plan():
    return small_plan()


LABELS = np.array(["no", "yes"])
CLASSES = {"logistic": "LogisticRegression", "extra_trees": "ExtraTreesClassifier"}


def trial_of(plan, name):
    values = next(v for v in map(plan.space.decode, plan.initial) if v["candidate"] == name)
    return replace(scored(0, 0.5, [0.5]), values=values)


def test_a_refit_is_a_pipeline_of_all_rows_with_the_users_labels(plan):
    fitted = refit(plan.context, trial_of(plan, "logistic"), LABELS)
    assert fitted.classes_.tolist() == ["no", "yes"]
    again = clone(fitted).fit(plan.context.X, LABELS[plan.context.y])
    np.testing.assert_allclose(fitted.predict_proba(plan.context.X), again.predict_proba(plan.context.X))


def test_a_refitted_forest_uses_all_cores_later(plan):
    fitted = refit(plan.context, trial_of(plan, "extra_trees"), LABELS)
    assert fitted.steps[-1][1].n_jobs is None
    release_threads(fitted.steps[-1][1])


def test_a_kept_network_is_not_bound_to_the_seconds_of_its_trial():
    pytest.importorskip("torch")
    from skauto.estimators import MLPClassifier

    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    net = MLPClassifier(max_epochs=1, time_limit=60, random_state=0)
    kept = as_final(Pipeline([("classify", PriorCorrectedClassifier(net).fit(X, y))]), LABELS)
    assert kept.classes_.tolist() == kept.steps[-1][1].estimator_.classes_.tolist() == ["no", "yes"]
    assert {part.time_limit for part in (net, kept.steps[-1][1].estimator_)} == {None}


@pytest.mark.parametrize("positive", ["no", "yes"])
def test_a_cut_is_the_last_step_and_moves_labels_only(plan, positive):
    fitted = refit(plan.context, trial_of(plan, "logistic"), LABELS)
    X, before = plan.context.X, fitted.predict_proba(plan.context.X)
    column = list(LABELS).index(positive)
    threshold = DecisionRule(LABELS, positive, 0.2).wrap(fitted)
    assert isinstance(threshold.steps[-1][1], FixedThresholdClassifier)
    np.testing.assert_array_equal(threshold.predict_proba(X), before)
    np.testing.assert_array_equal(threshold.predict(X) == positive, before[:, column] >= 0.2)
    again = clone(threshold).fit(X, LABELS[plan.context.y])
    np.testing.assert_array_equal(again.predict(X), threshold.predict(X))


def test_a_cut_of_many_classes():
    X, y = make_classification(150, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
    data = inspect(X, y)
    plan = make_plan(data, scoring="f1", cv=3, candidates=["logistic"], pos_label=None, seed=0, threads=1)
    rule = DecisionRule(data.classes, None, np.array([1.0, 5.0, 1.0]))
    threshold = rule.wrap(refit(plan.context, trial_of(plan, "logistic"), data.classes))
    assert isinstance(threshold.steps[-1][1], MulticlassFixedThresholdClassifier)
    np.testing.assert_array_equal(threshold.predict(X), (threshold.predict_proba(X) * [1, 5, 1]).argmax(1))


def test_constraints_that_all_meet_change_no_choice(plan):
    """The first of the trials by score is not the one chosen: it is rebalanced and too little better."""
    first, best = (replace(trial_of(plan, name), number=n) for n, name in enumerate(("extra_trees", "logistic")))
    trials = [replace(trial, proba=np.full((len(plan.scoring.y), 2), 0.5)) for trial in (first, best)]
    fitted = {trial.number: refit(plan.context, trial, LABELS) for trial in trials}
    finish, history = finished(replace(plan, constraints=read_constraints({"bytes": 1e9})), Clock(), None)
    selection = Selection(trials, plan.scoring, trials, best, [(trials[1], 1.0)])
    final = largest_within(finish.after(history), selection, Models(fitted, [(trials[1], 1.0)]))
    assert final.best is trials[1]
    assert final.ensemble.estimators_ == [fitted[1]]


def test_under_constraints_trials_at_a_low_fidelity_become_models_too(plan):
    """They are not measured: it was TypeError: 'NoneType' object is not subscriptable, and the fit was lost."""
    bounds = read_constraints({"bytes": 1e9})
    finish, history = finished(replace(plan, constraints=bounds), Clock(), 60)
    assert all(trial.footprint is None for trial in finish.after(history).found)
    final = finish.run(history, use_ensemble=True)
    assert 0 < final.footprint["bytes"] <= 1e9


class Now(Pool):
    """A pool that refits at once, on a simulated clock that each refit puts forward; Ctrl-C can fall into a wait."""

    n_workers = 1

    def __init__(self, context, clock, seconds=1.0):
        self.context, self.clock, self.seconds = context, clock, seconds
        self.tasks = {}

    @property
    def running(self):
        return list(self.tasks)

    def submit(self, key, function, *args, time_limit=None):
        self.tasks[key] = function, args

    def cancel(self, key):
        self.tasks.pop(key, None)

    def wait(self, timeout):
        self.clock.now += self.seconds
        key = next(iter(self.tasks))
        function, args = self.tasks.pop(key)
        return [Outcome(key, Status.COMPLETE, function(self.context, *args))]


def finished(plan, clock, limit, **details):
    """A Finish on a simulated clock, and a history of two trials, the second one better."""
    history = History(plan.space, 0)
    for number, params in enumerate(plan.initial[:2]):
        history.asked(Trial(number, params))
        p = plan.scoring.y * (0.2 + 0.2 * number) + 0.3 - 0.1 * number  # the threshold is 0.4
        known = {
            "fold_scores": [0.5] * 3,
            "proba": np.column_stack([1 - p, p]),
            "fit_seconds": 0.5,
            "best_iteration": None,
        }
        known |= details
        history.told(Result(number, Status.COMPLETE, 0.5 + 0.1 * number, details=known))
    phases, pool = Phases(limit, clock), RescuePool(Now(plan.context, clock), LABELS, None)
    return Finish(plan, LABELS, "yes", pool, phases, Progress(0, limit, clock())), history


def with_metric(plan, metric):
    return replace(plan, scoring=replace(plan.scoring, name="mine", judged_by="proba", metric=metric))


def test_a_slow_scorer_ends_the_choice_and_not_the_fit(plan):
    """The choice and a report would take longer than the limit: each asks for some dozens of scores of a second."""
    clock = Clock()

    def slow(y, proba, weight=None):
        clock.now += 1
        return -float(np.mean((proba[:, 1] - y) ** 2))

    finish, history = finished(with_metric(plan, slow), clock, 45, score_seconds=12.0)
    final = finish.run(history, use_ensemble=True)
    assert finish.phases.left() > 0
    assert final.best.number == 1
    assert final.scores.get("score", np.nan) > -0.25


def test_where_no_time_is_left_for_a_choice_the_best_model_is_refitted(plan, monkeypatch):
    monkeypatch.setattr("skauto.automl.selection._shortlist.choose_members", None)
    finish, history = finished(plan, Clock(), 9, score_seconds=4.05)
    final = finish.run(history, use_ensemble=True)
    assert final.members == [(final.best, 1.0)]
    assert finish.phases.left() > 0


def test_a_refit_that_leaves_no_time_for_the_cut_is_left_out(plan):
    clock = Clock()
    finish, history = finished(plan, clock, 20, score_seconds=4.0)
    finish.pool.pool.seconds = 7.0
    final = finish.run(history, use_ensemble=True)
    assert len(final.ensemble.estimators_) == 2
    clock.now = 100.0
    finish, history = finished(plan, clock, 20, score_seconds=7.0)
    finish.pool.pool.seconds = 7.0
    final = finish.run(history, use_ensemble=True)
    assert len(final.ensemble.estimators_) == 1


def test_a_model_that_was_kept_is_the_final_one_with_the_users_labels(plan):
    trial = trial_of(plan, "logistic")
    model = refit(plan.context, trial, np.arange(2))
    finish, history = finished(plan, Clock(), 20, model=model)
    final = finish.run(history, use_ensemble=False)
    assert not finish.pool.pool.tasks
    kept = final.ensemble.estimators_[0]
    np.testing.assert_array_equal(kept.predict_proba(plan.context.X), model.predict_proba(plan.context.X))
    assert set(final.best_estimator.predict(plan.context.X)) <= set(LABELS)


def test_a_scorer_that_raises_after_the_search_costs_the_cut_and_not_the_models(plan):
    def broken(y, proba, weight=None):
        raise RuntimeError("not here")

    finish, history = finished(with_metric(plan, broken), Clock(), None)
    with pytest.warns(
        UserWarning, match="scoring='mine' failed after the search with 'RuntimeError: not here'"
    ) as said:
        final = finish.run(history, use_ensemble=True)
    assert len(said) == 2  # the choice, and the report
    assert final.best.number == 1
    assert final.threshold == 0.5
    assert final.members == [(final.best, 1.0)]
    assert np.isnan(final.scores.get("score", np.nan))
    assert set(final.best_estimator.predict(plan.context.X)) == {"no", "yes"}


def interrupting(monkeypatch, name, instead=None):
    """The first call of a method of Scoring is Ctrl-C."""
    calls, real = [], getattr(Scoring, name)

    def method(self, *args):
        calls.append(name)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return real(self, *args)

    monkeypatch.setattr(Scoring, name, method)


@pytest.mark.parametrize("name", ["select", "threshold", "report"])
def test_a_first_ctrl_c_after_the_search_keeps_the_models(plan, monkeypatch, name):
    interrupting(monkeypatch, name)
    finish, history = finished(plan, Clock(), None)
    final = finish.run(history, use_ensemble=True)
    assert finish.interrupts.seen
    assert len(final.ensemble.estimators_) == (1 if name == "select" else 2)
    assert (final.threshold == 0.5) == (name == "threshold")
    assert np.isnan(final.scores.get("score", np.nan)) == (name != "select")
    assert set(final.best_estimator.predict(plan.context.X)) == {"no", "yes"}


@pytest.mark.parametrize("name", ["select", "threshold", "report"])
def test_a_second_ctrl_c_after_the_search_stops(plan, monkeypatch, name):
    interrupting(monkeypatch, name)
    finish, history = finished(plan, Clock(), None)
    with pytest.raises(KeyboardInterrupt):
        finish.run(history, use_ensemble=True, interrupted=True)


def test_ctrl_c_in_the_refit_and_then_in_the_cut_stops(plan, monkeypatch):
    interrupting(monkeypatch, "threshold")
    finish, history = finished(plan, Clock(), None)
    monkeypatch.setattr(RefitChain, "collect", Mock(side_effect=[KeyboardInterrupt, None]))
    with (
        pytest.raises(KeyboardInterrupt),
        pytest.warns(UserWarning, match="2 trials were evaluated, none could be refitted"),
    ):
        monkeypatch.setattr("skauto.automl.selection._fallback.quick_fit", Mock(side_effect=KeyboardInterrupt))
        finish.run(history, use_ensemble=True)


def test_a_first_ctrl_c_in_the_quick_model_leaves_the_fractions_of_the_classes(plan, monkeypatch):
    monkeypatch.setattr("skauto.automl.selection._fallback.quick_fit", Mock(side_effect=KeyboardInterrupt))
    finish, _ = finished(plan, Clock(), 1)
    with pytest.warns(UserWarning, match="frequencies of the classes .*KeyboardInterrupt.*raise time_limit"):
        final = finish.run(History(plan.space, 0), use_ensemble=True)
    np.testing.assert_allclose(final.ensemble.predict_proba(plan.context.X)[0, 1], np.mean(plan.context.y))
    finish, _ = finished(plan, Clock(), 1)
    with pytest.raises(KeyboardInterrupt):
        final = finish.run(History(plan.space, 0), use_ensemble=True, interrupted=True)


def test_a_first_ctrl_c_while_constraints_are_measured_begins_anew(plan, monkeypatch):
    bounds = read_constraints({"bytes": 1e9})
    finish, history = finished(replace(plan, constraints=bounds), Clock(), None, footprint={"bytes": 1.0})
    real, calls = type(bounds).measure, []

    def measure(self, *args, **named):
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return real(self, *args, **named)

    monkeypatch.setattr(type(bounds), "measure", measure)
    final = finish.run(history, use_ensemble=True)
    assert 0 < final.footprint["bytes"] <= 1e9


@pytest.mark.parametrize("alone", [0.9, 1.1])
def test_milliseconds_are_held_to_once_nothing_else_runs(plan, monkeypatch, alone):
    bounds, clock = read_constraints({"latency_ms": 1.0}), Clock()
    finish, history = finished(replace(plan, constraints=bounds), clock, None)
    names = [history.space.decode(params)["candidate"] for params in plan.initial[:2]]
    for number, beside_trials in enumerate((0.5, 1.4)):
        history.result(number).details["footprint"] = {"latency_ms": beside_trials}

    timed(monkeypatch, clock, lambda name: alone if name == names[1] else 0.5)
    final = finish.run(history, use_ensemble=False)
    assert final.best.values["candidate"] == (names[1] if alone < 1 else names[0])


def timed(monkeypatch, clock, milliseconds):
    """Each model takes what `milliseconds` says of its name, and measuring it some of a simulated clock's seconds."""

    def latency_ms(model, row):
        clock.now += 0.5
        return milliseconds(next(name for name in CLASSES if CLASSES[name] in repr(model)))

    monkeypatch.setattr("skauto.automl.evaluation._constraints.latency_ms", latency_ms)
    monkeypatch.setattr("skauto.automl.evaluation._constraints.time.monotonic", clock)


def kept(plan, clock, before, limit=None):
    """A Finish with a bound of one millisecond, and two trials whose models were kept, as quick as `before` says."""
    model = refit(plan.context, trial_of(plan, "logistic"), np.arange(2))
    plan = replace(plan, constraints=read_constraints({"latency_ms": 1.0}))
    finish, history = finished(plan, clock, limit, footprint={"latency_ms": before})
    for number in range(2):
        history.result(number).details["model"] = copy.deepcopy(model)
    return finish, history


@pytest.mark.parametrize(("before", "now", "held"), [(0.9, 1.9, True), (0.9, 2.1, False), (1.1, 1.2, False)])
def test_a_kept_model_that_was_quick_enough_is_only_slowed_by_others(plan, monkeypatch, before, now, held):
    clock = Clock()
    finish, history = kept(plan, clock, before)
    timed(monkeypatch, clock, lambda name: now)
    if held:
        with pytest.warns(UserWarning, match=f"latency_ms {now} now, beyond latency_ms <= 1, and was within"):
            final = finish.run(history, use_ensemble=False)
        assert final.footprint["latency_ms"] == now
    else:
        with pytest.raises(ValueError, match=f"the best model has latency_ms {now}, .* not within latency_ms <= 1"):
            final = finish.run(history, use_ensemble=False)


def test_a_slow_second_is_not_told_of_a_kept_model(plan, monkeypatch):
    clock = Clock()
    finish, history = kept(plan, clock, 0.9)
    timed(monkeypatch, clock, lambda name: 1.5 if clock.now % 2 else 0.8)
    final = finish.run(history, use_ensemble=False)  # warnings are errors
    assert final.footprint["latency_ms"] == 0.8


def beside_a_kept_member(plan, monkeypatch, refitted, of_the_member, kept=("logistic",)):
    """A fitted best model that was not kept, an ensemble of members that were, and what a bound says of the two."""
    clock = Clock()
    finish, history = finished(replace(plan, constraints=read_constraints({"latency_ms": 1.0})), clock, None)
    trials = [
        replace(trial_of(plan, name), number=number, footprint={"latency_ms": 0.9})
        for number, name in enumerate(("extra_trees", *kept))
    ]
    fitted = {trial.number: refit(plan.context, trial, LABELS) for trial in trials}
    members = [(replace(trial, model=fitted[trial.number]), 1 / len(kept)) for trial in trials[1:]]
    after = finish.after(history)
    final = assemble(after, Models(fitted, members), trials[0], members)
    timed(monkeypatch, clock, {"extra_trees": refitted, "logistic": of_the_member}.get)
    return final, held_to(after, final, "the model")


def test_within_the_bounds_the_models_stay_as_they_are(plan, monkeypatch):
    final, held = beside_a_kept_member(plan, monkeypatch, refitted=0.8, of_the_member=0.9)
    assert held.footprint == {"latency_ms": 0.9}
    assert (held.ensemble, held.best_estimator) == (final.ensemble, final.best_estimator)
    X = plan.context.X
    members = held.ensemble.estimators_
    np.testing.assert_allclose(held.ensemble.predict_proba(X), members[0].predict_proba(X))
    assert set(held.best_estimator.predict(X)) == set(LABELS)


def test_a_single_kept_member_may_be_slowed_by_others(plan, monkeypatch):
    with pytest.warns(UserWarning, match="the model has latency_ms 1.5 now, beyond latency_ms <= 1, and was within"):
        _, held = beside_a_kept_member(plan, monkeypatch, refitted=0.9, of_the_member=1.5)
    assert held.footprint == {"latency_ms": 1.5}


@pytest.mark.parametrize(
    ("refitted", "of_the_member", "kept", "told"),
    [
        (1.5, 0.9, ["logistic"], 1.5),  # the best model was made anew
        (0.9, 2.1, ["logistic"], 2.1),  # slowed by others, it takes twice as long at most
        (0.9, 1.5, ["logistic", "logistic"], 1.5),  # a blend of two is a new model
    ],
)
def test_a_model_that_was_made_anew_is_held_to_the_bounds(plan, monkeypatch, refitted, of_the_member, kept, told):
    with pytest.raises(ValueError, match=f"the model has latency_ms {told}, .* not within latency_ms <= 1"):
        beside_a_kept_member(plan, monkeypatch, refitted, of_the_member, kept)


@pytest.mark.slow
def test_measuring_again_ends_with_the_time_limit(plan, monkeypatch):
    clock = Clock()
    finish, history = kept(plan, clock, 0.9, limit=20)
    timed(monkeypatch, clock, lambda name: 1.5)
    with pytest.warns(UserWarning, match="something else slows this machine"):
        finish.run(history, use_ensemble=True)
    assert finish.phases.left() > 0


@pytest.mark.parametrize("last", [Status.CANCELLED, Status.TIMEOUT])
def test_where_time_ran_out_on_what_was_not_refused_a_small_model_has_learnt(plan, last):
    finish, history = finished(replace(plan, constraints=read_constraints({"bytes": 1e9})), Clock(), None)
    history = History(plan.space, 0)
    for number, status in enumerate((Status.INFEASIBLE, last)):
        history.asked(Trial(number, plan.initial[0]))
        history.told(Result(number, status, reason="bytes 12"))
    with pytest.warns(UserWarning, match="raise time_limit; 1 trials were out of constraints, the first: bytes 12"):
        final = finish.run(history, use_ensemble=True)
    assert final.ensemble.predict(plan.context.X).shape == (120,)


def test_the_quick_model_of_many_classes_has_trees_for_all_of_them():
    y = np.arange(780) % 26
    data = inspect(np.random.default_rng(0).normal(size=(780, 3)), y)
    plan = make_plan(data, scoring="f1", cv=3, candidates=["naive_bayes"], pos_label=None, seed=0, threads=1)
    assert len(quick_fit(plan.context, data.classes).steps[-1][1].estimators_) == 20


def test_the_quick_model(plan):
    model = quick_fit(plan.context, LABELS)
    assert model.score(plan.context.X, LABELS[plan.context.y]) > 0.7


def test_the_quick_model_heeds_weights(plan):
    weight = np.where(plan.context.y == 1, 1e-3, 1.0)
    weighted = quick_fit(replace(plan.context, weight=weight), LABELS)
    assert (weighted.predict(plan.context.X) == "no").mean() > (
        quick_fit(plan.context, LABELS).predict(plan.context.X) == "no"
    ).mean()


def test_where_no_trial_had_time_a_small_model_has_learnt():
    X, y = load_breast_cancer(return_X_y=True)
    with pytest.warns(UserWarning, match="the model is a small one on part of the rows; raise time_limit"):
        auto = AutoClassifier(time_limit=0.01, pos_label=0, verbose=0).fit(X[::2], y[::2])
    assert auto.score(X[1::2], y[1::2]) > 0.85


def test_where_the_small_model_fails_too_the_fractions_of_the_classes_do(monkeypatch):
    monkeypatch.setattr("skauto.automl.selection._fallback.quick_fit", lambda *_: 1 / 0)
    X, y = load_breast_cancer(return_X_y=True)
    with pytest.warns(UserWarning, match="frequencies of the classes .*ZeroDivisionError.*raise time_limit"):
        auto = AutoClassifier(time_limit=0.01, pos_label=0, verbose=0).fit(X, y)
    np.testing.assert_allclose(auto.predict_proba(X[:2])[:, 0], np.mean(y == 0))


def of_one_fold(plan, finish, history):
    """A third trial, the best one, that had time for the first fold alone."""
    size = int(np.sum(plan.scoring.fold == plan.scoring.fold[0]))
    y = plan.scoring.y[:size]
    known = {"fold_scores": [0.9] * 3, "proba": np.column_stack([1 - y, y]) * 0.9 + 0.05, "fit_seconds": 0.5}
    history.asked(Trial(2, plan.initial[0]))
    history.told(Result(2, Status.COMPLETE, 0.9, details={**known, "best_iteration": None, "score_seconds": 0.1}))
    return size


def test_a_scorer_that_raises_on_fewer_folds_leaves_the_trials_of_the_most(plan, monkeypatch):
    finish, history = finished(plan, Clock(), None)
    size, real = of_one_fold(plan, finish, history), Scoring.report

    def report(self, proba, *left):
        if len(proba) == size:
            raise ValueError("needs more rows")
        return real(self, proba, *left)

    monkeypatch.setattr(Scoring, "report", report)
    with pytest.warns(UserWarning, match="needs more rows.*trials of fewer folds do not count"):
        final = finish.run(history, use_ensemble=True)
    assert {trial.number for trial, _ in final.members} == {0, 1}


def test_a_first_ctrl_c_in_the_comparison_of_folds_keeps_the_trials_of_the_most(plan, monkeypatch):
    finish, history = finished(plan, Clock(), None)
    of_one_fold(plan, finish, history)
    interrupting(monkeypatch, "report")
    final = finish.run(history, use_ensemble=True)
    assert finish.interrupts.seen and {trial.number for trial, _ in final.members} == {0, 1}


def test_a_slow_comparison_of_folds_ends_within_the_limit(plan, monkeypatch):
    clock = Clock()
    finish, history = finished(plan, clock, 30)
    size, real = of_one_fold(plan, finish, history), Scoring.report

    def report(self, proba, *left):
        clock.now += 10 if len(proba) == size else 0
        return real(self, proba, *left)

    monkeypatch.setattr(Scoring, "report", report)
    final = finish.run(history, use_ensemble=True)
    assert {trial.number for trial, _ in final.members} == {0, 1} and finish.phases.left() > 0
