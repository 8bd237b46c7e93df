"""After the search: the choice, the refit and the cut, within the time that is left and the bounds that are set."""

import functools
import warnings
from contextlib import nullcontext, suppress

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline

from skauto._choice import choose_best, choose_members, mixed, scored_trials
from skauto._constraints import SLOWED, first_row, told
from skauto._refit import as_final, quick_fit, refit, with_cut
from skauto._timing import CLOSING_CARE, closing
from skauto.estimators._ensemble import WeightedEnsembleClassifier
from skauto.resample._threshold import no_cut
from skauto.search._sandbox import Report, attempt, describe
from skauto.search._trial import Status

# Further models refitted where constraints bound them: others may grow out of bounds on all rows.
SPARE_MODELS = 3
WHAT = "the best model"

# Seconds of a refit over those of a fold, with some care, and the part of the rest that the choice may take.
REFIT_FACTOR, CHOICE_PART = 1.6, 0.5

# What ends a trial for a reason that more time would not change.
BROKEN = (Status.FAILED, Status.CRASHED, Status.MEMORY)

# Seconds between looks at the deadline.
WAIT = 0.5


class Finish:
    """Turns a history into fitted models within the time that is left.

    Attributes
    ----------
    best : Scored or None
        The best trial that could be refitted; None where a fallback had to do.
    best_estimator : Pipeline
        Refitted on all rows, with its cut.
    ensemble : WeightedEnsembleClassifier
    cut : float, ndarray of shape (n_classes,) or None
        Of the ensemble; None where costs decide.
    report : dict
        Scores of the ensemble's out-of-fold probabilities and, with constraints, its "footprint"; of a fallback its
        name as "candidate".
    members : list of int
        Trials whose models the ensemble averages, in its order.
    cuts : dict
        Cuts of the members and of the best trial, by trial; without those for which no time was left.
    interrupted : bool
        Whether Ctrl-C was pressed; another one stops the fit.
    """

    def __init__(self, plan, classes, pos_label, pool, phases, progress, costs=None):
        self.plan = plan
        self.classes = classes
        self.pos_label = pos_label
        self.pool = pool
        self.phases = phases
        self.progress = progress
        self.costs = costs
        self.best = self.report = None
        self.members, self.cuts = [], {}
        self.interrupted = False
        self._closing = 0.0

    def run(self, history, use_ensemble, interrupted=False):
        """Choose, refit and cut; where Ctrl-C ended the search, another one here stops the fit."""
        self.interrupted = interrupted
        results = [result for _, result in history.finished]
        trials = self.plan.constraints.allowed(scored_trials(history), results)
        self._closing = closing([trial.score_seconds for trial in trials])
        trials, members = self._affordable(trials), []
        if trials:
            self.progress.show("ensemble")
            with self.phases("ensemble"):
                best = choose_best(trials, self._valid_over_train())
                members = self._choose(trials, best) if use_ensemble else [(best, 1.0)]
            self.progress.show("refit")
            with self.phases("refit"):
                wanted = [best, *(trial for trial, _ in members), *self._spares(trials)]
                fitted = self._refit(list({trial.number: trial for trial in wanted}.values()))
            members = [(trial, weight) for trial, weight in members if trial.number in fitted]
            if not members and best.number in fitted:
                members = [(best, 1.0)]
        if members:
            members = self._despite(self._assemble_within, best, members, trials, fitted)
            with self.phases("ensemble"):
                self._judge(members, fitted[self.best.number])
        else:
            with self.phases("refit"):
                self._fall_back(history)
            self._hold("the quick model that had to do, as no trial was ready in time,")

    def _spares(self, trials):
        """Trials whose models are wanted should those of the chosen ones be out of bounds in the end."""
        bounds = self.plan.constraints
        return [*trials[:SPARE_MODELS], bounds.roomiest(trials)] if bounds else []

    def _left(self):
        """Seconds until the cuts and the report must begin."""
        return max(self.phases.left() - self._closing, 0.0)

    def _despite(self, function, *args):
        """What a function gives, called anew where a first Ctrl-C ends it."""
        try:
            return function(*args)
        except KeyboardInterrupt:
            if self.interrupted:
                raise
            self.interrupted = True
        return function(*args)

    def _attempt(self, function, *args):
        """The report on a function; a first Ctrl-C ends it as an exception would."""
        try:
            return attempt(function, *args)
        except KeyboardInterrupt as error:
            if self.interrupted:
                raise
            self.interrupted = True
            return Report(Status.CANCELLED, reason=describe(error))

    def _assemble_within(self, best, members, trials, fitted):
        """Assemble the largest part of the ensemble that the constraints allow, at least one model; gives it."""
        rows = self.plan.context.X, self.classes[self.plan.context.y]
        measured = {number: self._measured(model, rows) for number, model in fitted.items()}
        bounds = {trial.number: self._bounds([trial]) for trial in trials}
        fitted = {number: model for number, model in fitted.items() if bounds[number].hold(measured[number])}
        if not fitted:
            self.plan.constraints.check(measured[next(iter(measured))], WHAT)
        members = [(trial, weight) for trial, weight in members if trial.number in fitted]
        tries = [(best, members)] if members else []
        tries += [(best, members[:size]) for size in range(len(members) - 1, 1, -1)]
        tries += [(trial, [(trial, 1.0)]) for trial in trials if trial.number in fitted]
        for number, (lead, some) in enumerate(tries, 1):
            self._assemble(lead, some, fitted)
            with suppress(ValueError) if number < len(tries) else nullcontext():
                self._hold(WHAT, [trial for trial, _ in some])
                return some

    def _measured(self, model, rows=None):
        """What a model costs by the measures that are bounded."""
        return self.plan.constraints.measure(model, first_row(self.plan.context), rows, self._left)

    def _bounds(self, trials):
        """What the model of some trials is held to: a network within the bounds before is only slowed by others now."""
        bounds = self.plan.constraints
        same = len(trials) == 1 and trials[0] and trials[0].model is not None and bounds.hold(trials[0].footprint)
        return bounds.times(latency_ms=SLOWED) if same else bounds

    def _hold(self, what, members=()):
        """Hold the best single model and the ensemble of some trials against their bounds; ValueError if too large."""
        constraints, slow = self.plan.constraints, None
        held = []
        for model, trials in ((self.ensemble, members), (self.best_estimator, [self.best])):
            held.append(self._measured(model))
            if not self._bounds(trials).hold(held[-1]):
                constraints.check(held[-1], what)
            slow = slow if constraints.hold(held[-1]) else held[-1]
        if slow:
            warnings.warn(
                f"constraints: {what} has {told(slow)} now, beyond {constraints}, and was within them before: "
                "something else slows this machine. Measure it again later, with skauto.estimators.footprint",
                UserWarning,
                stacklevel=6,
            )
        self.report = self.report and {**self.report, "footprint": held[0]}

    def _choose(self, trials, best):
        """The members with their weights; the best one alone where no time is left, a scorer raises or at Ctrl-C."""
        rest = (self._left() - self._refit_seconds(best)) * CHOICE_PART
        clock = self.phases.clock
        end = clock() + rest
        if rest <= 0:
            return [(best, 1.0)]
        even = self.plan.context.build.traits.kind == "table"
        choose = functools.partial(choose_members, left=lambda: end - clock(), even=even)
        made = self._attempt(choose, trials, self.plan.scoring)
        if made.status == Status.COMPLETE:
            return self._in_time(best, made.value)
        self._say_failed(made, "the best model predicts alone")
        return [(best, 1.0)]

    def _say_failed(self, made, instead):
        if made.status != Status.CANCELLED:
            warnings.warn(
                f"scoring={self.plan.scoring.name!r} failed after the search with {made.reason!r}, so {instead}; see "
                "that it always gives a number",
                UserWarning,
                stacklevel=5,
            )

    def _valid_over_train(self):
        folds = self.plan.context.folds
        return float(np.mean([len(valid) / len(train) for train, valid in folds]))

    def _affordable(self, trials):
        """Trials whose refit fits into half of what is left; all of them if none does."""
        window = self._left() / 2
        return [trial for trial in trials if self._refit_seconds(trial) < window] or trials

    def _in_time(self, best, members):
        """The members, the lightest dropped until all refits fit into what is left."""
        window = self._left() * self.pool.n_workers
        kept, seconds = [], self._refit_seconds(best)
        for trial, weight in members:
            seconds += 0 if trial is best else self._refit_seconds(trial)
            if seconds < window or not kept:
                kept.append((trial, weight))
        return kept

    def _refit(self, trials):
        """Fitted pipelines by trial number; what is not done when the time is up is left out."""
        fitted = {t.number: as_final(t.model, self.classes) for t in trials if t.model is not None}
        trials = [trial for trial in trials if trial.number not in fitted]
        for trial in trials:
            self.pool.submit(trial.number, refit, trial, self.classes)
        try:
            self._collect(fitted)
        except KeyboardInterrupt:  # keep what is done, wait only for a first one
            if self.interrupted:
                raise
            self.interrupted = True
            for trial in trials[1:]:
                self.pool.cancel(trial.number)
            self._collect(fitted)
        for trial in trials:
            self.pool.cancel(trial.number)
        return fitted

    @staticmethod
    def _refit_seconds(trial):
        """What a refit may take; none where the model of the trial is the final one."""
        return trial.fit_seconds * REFIT_FACTOR if trial.model is None else 0.0

    def _collect(self, fitted):
        while self.pool.running and (left := self._left()) > 0:
            for outcome in self.pool.wait(min(left, WAIT)):
                if outcome.status == "complete":
                    fitted[outcome.key] = outcome.value
                else:
                    self.progress.say(f"trial {outcome.key} could not be refitted: {outcome.reason}")

    def _assemble(self, best, members, fitted):
        """The ensemble and the best model, not yet cut and judged."""
        self.best = best if best.number in fitted else max((trial for trial, _ in members), key=lambda t: t.score)
        self.ensemble = WeightedEnsembleClassifier.from_fitted(
            [fitted[trial.number] for trial, _ in members], [weight for _, weight in members]
        )
        self.members = [trial.number for trial, _ in members]
        names = [(trial.values["candidate"], trial.number, round(weight, 3)) for trial, weight in members]
        self.report = {**dict.fromkeys(("score", "F1", "AUC", "AP"), np.nan), "fold_scores": None, "members": names}
        self._take(no_cut(len(self.classes)))
        self.best_estimator = self._decided(fitted[self.best.number], no_cut(len(self.classes)))

    def _judge(self, members, model):
        """Cut the ensemble and the best model, and score; what an exception or Ctrl-C prevents stays as it is."""
        scoring, proba = self.plan.scoring, mixed(members)

        def judge():
            self._take(scoring.cut(proba))
            self.cuts[self.best.number] = scoring.cut(self.best.proba)
            self.best_estimator = self._decided(model, self.cuts[self.best.number])
            self.report = {**self.report, **scoring.report(proba)}
            for trial, _ in members:
                if trial.number not in self.cuts and self.phases.left() > self._closing / CLOSING_CARE:
                    self.cuts[trial.number] = scoring.cut(trial.proba)

        made = self._attempt(judge)
        if made.status != Status.COMPLETE:
            self._say_failed(made, "the ensemble has no score, and no cut where none was found")

    def _take(self, cut):
        self.cut = None if self.costs is not None else cut

    def _decided(self, pipeline, cut):
        return with_cut(pipeline, cut, self.pos_label, self.classes, self.costs)

    def _fall_back(self, history):
        """A quick model where no trial could be evaluated and refitted in time, made here: no worker has to start."""
        why = _why(history, self.interrupted)
        made = self._attempt(quick_fit, self.plan.context, self.classes)
        model, name = made.value, "a small one on part of the rows"
        self.report = {"candidate": "quick_model"}
        if made.status != Status.COMPLETE:
            self.report = {"candidate": "class_frequencies"}
            prior = DummyClassifier(strategy="prior")
            y = self.classes[self.plan.context.y]
            model = Pipeline([("classify", prior.fit(np.zeros((len(y), 1)), y, self.plan.context.weight))])
            name = f"the shares of the classes (a small one failed with {made.reason!r})"
        warnings.warn(f"no trial was evaluated and refitted, so the model is {name}; {why}", UserWarning, stacklevel=4)
        self._take(no_cut(len(self.classes)))
        self.ensemble = WeightedEnsembleClassifier.from_fitted([model], [1.0])
        self.best_estimator = self._decided(model, no_cut(len(self.classes)))


def _why(history, interrupted):
    """What the user can do: the first reason that was not time, else more time, and what constraints kept out."""
    results = [result for _, result in history.finished]
    reasons = [result.reason for result in results if result.status in BROKEN]
    if reasons:
        return f"a trial failed with {reasons[0]!r}"
    refused = [result.reason for result in results if result.status == Status.INFEASIBLE]
    bounds = f"; {len(refused)} trials were out of constraints, the first: {refused[0]}" if refused else ""
    return ("the search was interrupted before its first trial ended" if interrupted else "raise time_limit") + bounds
