"""After the search: the choice, the models and the threshold, within the time that is left and what is bounded."""

import functools
import math
import warnings
from contextlib import suppress

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline

from skauto.automl._time_budget import closing
from skauto.automl.selection._assembly import Assembly
from skauto.automl.selection._interrupts import Interrupts
from skauto.automl.selection._quick import LEAST, quick_fit
from skauto.automl.selection._refit_chain import WAIT, RefitChain, refit_seconds
from skauto.automl.selection._rescue import QUICK
from skauto.automl.selection._select import beats, choose_best, choose_members, comparable, fullest, scored_trials
from skauto.estimators._ensemble import WeightedEnsembleClassifier
from skauto.resample._threshold import default_threshold
from skauto.search._pool import WorkersLostError
from skauto.search._trial import Status

# Further models refitted where constraints bound them: others may grow out of bounds on all rows.
SPARE_MODELS = 3

# The part of what is left beside the refit of the best model that the choice may take.
CHOICE_PART = 0.5

# With fewer seconds left than these a quick model that is still to be fitted is smaller.
LATE = 2.0

# What ends a trial for a reason that more time would not change.
BROKEN = (Status.FAILED, Status.CRASHED, Status.MEMORY)

# What predicts in the end, from the best to the last resort.
REFITTED, FOLD_MODELS, FREQUENCIES = "refitted", "fold_models", "class_frequencies"


class Finish(Assembly):
    """Turns a history into fitted models within the time that is left.

    Parameters
    ----------
    plan : Plan
    classes : ndarray of shape (n_classes,)
    pos_label : label or None
    pool : RescuePool
    phases : Phases
    progress : Progress
    costs : ndarray, default=None
    here : bool, default=True
        Whether a model may be fitted in this process, should no worker be ready in time.

    Attributes
    ----------
    best : Scored or None
        The best trial that could be refitted; None where a fallback had to do.
    best_estimator : Pipeline
        Refitted on all rows, with its threshold.
    ensemble : WeightedEnsembleClassifier
    threshold : float, ndarray of shape (n_classes,) or None
        Of the ensemble; None where costs decide.
    report : dict
        Scores of the ensemble's out-of-fold probabilities and, with constraints, its "footprint"; of a fallback its
        name as "candidate".
    members : list of int
        Trials whose models the ensemble averages, in its order.
    thresholds : dict
        Cuts of the members and of the best trial, by trial; without those for which no time was left.
    model_kind : {"refitted", "fold_models", "quick_model", "class_frequencies"}
        What predicts.
    fidelity : float
        The part of the rows or epochs that what predicts was fitted with: below 1 only for the models of folds.
    interrupted : bool
        Whether Ctrl-C was pressed; another one stops the fit.
    """

    def __init__(self, plan, classes, pos_label, pool, phases, progress, costs=None, here=True):
        self.plan = plan
        self.classes = classes
        self.pos_label = pos_label
        self.pool = pool
        self.phases = phases
        self.progress = progress
        self.costs = costs
        self.here = here
        self.scoring = plan.scoring
        self.best = self.report = None
        self.members, self.thresholds = [], {}
        self.model_kind, self.fidelity = REFITTED, 1.0
        self.interrupts = Interrupts()
        self._closing = 0.0

    @property
    def interrupted(self):
        """Whether Ctrl-C was pressed."""
        return self.interrupts.seen

    def run(self, history, use_ensemble, interrupted=False):
        """Choose, refit and tune the threshold; where Ctrl-C ended the search, another one here stops the fit."""
        self.interrupts.seen = interrupted
        results = [result for _, result in history.finished]
        found = scored_trials(history)
        self._closing = closing([trial.score_seconds for trial in found])
        trials, self.scoring = self._comparable(self.plan.constraints.allowed(found, results))
        members, fitted = self._fitted_members(trials, use_ensemble) if trials else ([], {})
        if members:
            members = self.interrupts.despite(self._assemble_within, members[0][0], members, trials, fitted)
            with self.phases("ensemble"):
                self._judge(members, fitted[self.best.number])
        else:
            with self.phases("refit"):
                self._fall_back(history, len(found))
            self._enforce_constraints("the quick model that had to do, as no trial was ready in time,")

    def _comparable(self, trials):
        """Trials that are judged on the same rows; those of the most rows where there is no time to judge anew.

        The same where a scorer raises on fewer rows, and at Ctrl-C.
        """
        clock = self.phases.clock
        end = clock() + self._left() * CHOICE_PART
        with self.phases("ensemble"):
            made = self.interrupts.attempt(comparable, trials, self.scoring, lambda: end - clock())
        if made.status == Status.COMPLETE:
            return made.value
        if made.status == Status.FAILED and not isinstance(made.error, TimeoutError):
            self._say_failed(made, "trials of fewer folds do not count")
        return fullest(trials, self.scoring)

    def _fitted_members(self, trials, use_ensemble):
        """The members of the ensemble with their weights, the best one first, and what could be fitted."""
        self.progress.show("ensemble")
        with self.phases("ensemble"):
            affordable = self._affordable(trials)
            best = choose_best(affordable, self._valid_over_train())
            members = self._choose(affordable, best) if use_ensemble else [(best, 1.0)]
        self.progress.show("refit")
        self.pool.remaining = self._left
        chain = RefitChain(
            self.plan.context, self.classes, self.pool, self._left, self.progress.say, self.interrupts, self.here
        )
        with self.phases("refit"):
            fitted = self._fitted(chain, best, members, affordable, trials)
        members = [(trial, weight) for trial, weight in members if trial.number in fitted]
        if not members and fitted:
            members = [(trial, 1.0) for trial in trials if trial.number in fitted][:1]
        return sorted(members, key=lambda pair: pair[0] is not best), fitted

    def _fitted(self, chain, best, members, affordable, trials):
        """Models by trial: refitted ones, or the fold models of the best trial where these are all, or better."""
        can_be_refitted = {trial.number for trial in affordable}
        others = [trial for trial in trials if trial.number not in can_be_refitted]
        why = "the best trial could not have been refitted in time"
        if self._folds_beat(best, others) and (fitted := self._instead(chain, others, why)):
            return fitted
        wanted = [best, *(trial for trial, _ in members), *self._spare_trials(affordable)]
        fitted = chain.refitted(list({trial.number: trial for trial in wanted}.values()))
        ready = next((trial for trial in trials if trial.number in fitted), None)
        if ready is None:
            return self._instead(chain, trials, f"{_told(len(trials))} evaluated, none could be refitted in time")
        if best.number not in fitted and self._folds_beat(ready, trials):
            return self._instead(chain, trials, "the best trial could not be refitted in time") or fitted
        return fitted

    def _instead(self, chain, trials, why):
        """What can do without a refit by workers; a warning where it is the fold models."""
        fitted = chain.instead(trials)
        if self.pool.bag_of in fitted:
            self.model_kind = FOLD_MODELS
            self.fidelity = next(trial.fidelity for trial in trials if trial.number in fitted)
            small = f", fitted on a part of the rows or epochs (fidelity {self.fidelity:.2g}),"
            warnings.warn(
                f"{why}, so the models of the folds of the best one{small if self.fidelity < 1 else ''} predict "
                "together; raise time_limit for a model of all rows",
                UserWarning,
                stacklevel=6,
            )
        return fitted

    def _folds_beat(self, ready, trials):
        """Whether the fold models at hand are of one of some trials, and of a better one than a trial that is ready.

        Not under constraints, which several models together easily break.
        """
        return not self.plan.constraints and any(
            trial.number == self.pool.bag_of and trial.fidelity >= 1 and beats(trial, ready, self._valid_over_train())
            for trial in trials
        )

    def _spare_trials(self, trials):
        """Trials whose models are wanted should those of the chosen ones be out of bounds in the end."""
        bounds = self.plan.constraints
        return [*trials[:SPARE_MODELS], bounds.roomiest(trials)] if bounds else []

    def _left(self):
        """Seconds until the thresholds and the report must begin."""
        return max(self.phases.left() - self._closing, 0.0)

    def _choose(self, trials, best):
        """The members with their weights; the best one alone where no time is left, a scorer raises or at Ctrl-C."""
        rest = (self._left() - refit_seconds(best)) * CHOICE_PART
        clock = self.phases.clock
        end = clock() + rest
        if rest <= 0:
            return [(best, 1.0)]
        even = self.plan.context.build.profile.kind.effort.even_ensemble
        choose = functools.partial(choose_members, left=lambda: end - clock(), even=even)
        made = self.interrupts.attempt(choose, trials, self.scoring)
        if made.status == Status.COMPLETE:
            return self._in_time(best, made.value)
        self._say_failed(made, "the best model predicts alone")
        return [(best, 1.0)]

    def _valid_over_train(self):
        folds = self.plan.context.folds
        return float(np.mean([len(valid) / len(train) for train, valid in folds]))

    def _affordable(self, trials):
        """Trials whose refit fits into half of what is left; all of them if none does."""
        window = self._left() / 2
        return [trial for trial in trials if refit_seconds(trial) < window] or trials

    def _in_time(self, best, members):
        """The members, the lightest dropped until all refits fit into what is left."""
        window = self._left() * self.pool.n_workers
        kept, seconds = [], refit_seconds(best)
        for trial, weight in members:
            seconds += 0 if trial is best else refit_seconds(trial)
            if seconds < window or not kept:
                kept.append((trial, weight))
        return kept

    def _fall_back(self, history, n_trials):
        """The quick model, or else the frequencies of the classes, where no trial could be evaluated and fitted."""
        why = _why(history, self.interrupted)
        made = self.interrupts.attempt(self._quick_model)
        model, self.model_kind, name = made.value, QUICK, "a small one on part of the rows"
        if made.status != Status.COMPLETE:
            prior = DummyClassifier(strategy="prior")
            y = self.classes[self.plan.context.y]
            model = Pipeline([("classify", prior.fit(np.zeros((len(y), 1)), y, self.plan.context.weight))])
            self.model_kind = FREQUENCIES
            name = f"the frequencies of the classes (a small one failed with {made.reason!r})"
        done = f"{_told(n_trials)} evaluated, none could be refitted in time" if n_trials else "no trial was evaluated"
        warnings.warn(f"{done}, so the model is {name}; {why}", UserWarning, stacklevel=4)
        self._take(default_threshold(len(self.classes)))
        self.ensemble = WeightedEnsembleClassifier.from_fitted([model], [1.0])
        self.best_estimator = self._decided(model, default_threshold(len(self.classes)))
        self.report = {"candidate": self.model_kind}

    def _quick_model(self):
        """The quick model of a worker where it is ready or soon will be, else one made here, which is soon done."""
        with suppress(WorkersLostError):
            while self.pool.quick is None and QUICK in self.pool.running and 0 < self._left() < math.inf:
                self.pool.wait(min(self._left(), WAIT))
        seconds = LEAST if self._left() > LATE else LEAST / 3
        return self.pool.quick or quick_fit(self.plan.context, self.classes, seconds)


def _told(n_trials):
    """How many trials, as the beginning of a sentence."""
    return f"{n_trials} trials were" if n_trials != 1 else "1 trial was"


def _why(history, interrupted):
    """What the user can do: the first reason that was not time, else more time, and what constraints kept out."""
    results = [result for _, result in history.finished]
    reasons = [result.reason for result in results if result.status in BROKEN]
    if reasons:
        return f"a trial failed with {reasons[0]!r}"
    refused = [result.reason for result in results if result.status == Status.INFEASIBLE]
    bounds = f"; {len(refused)} trials were out of constraints, the first: {refused[0]}" if refused else ""
    return ("the search was interrupted before its first trial ended" if interrupted else "raise time_limit") + bounds
