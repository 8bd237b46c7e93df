"""From fitted models to what predicts: the ensemble and the best model, within their bounds, and their thresholds."""

import warnings
from contextlib import nullcontext, suppress

import numpy as np

from skauto._time_left import first_of
from skauto.automl._time_budget import CLOSING_SAFETY
from skauto.automl.evaluation._constraints import SLOWED, first_row, format_measurements
from skauto.automl.selection._select import mixed
from skauto.automl.tables._columns import watch
from skauto.estimators._ensemble import WeightedEnsembleClassifier
from skauto.resample._decision_rule import DecisionRule
from skauto.resample._threshold import default_threshold
from skauto.search._trial import Status

WHAT = "the best model"


class Assembly:
    """What a fit ends with: `best`, `best_estimator`, `ensemble`, `threshold` and `report`, see `Finish`."""

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
                self._enforce_constraints(WHAT, [trial for trial, _ in some])
                return some

    def _measured(self, model, rows=None):
        """What a model costs by the measures that are bounded."""
        return self.plan.constraints.measure(model, first_row(self.plan.context), rows, self._left)

    def _bounds(self, trials):
        """What the model of some trials is held to: a network within the bounds before is only slowed by others now."""
        bounds = self.plan.constraints
        same = len(trials) == 1 and trials[0] and trials[0].model is not None and bounds.hold(trials[0].footprint)
        return bounds.times(latency_ms=SLOWED) if same else bounds

    def _enforce_constraints(self, what, members=()):
        """Hold the best single model and the ensemble of some trials against their bounds; ValueError if too large."""
        constraints, slow = self.plan.constraints, None
        held = []
        for model, trials in ((self.ensemble, members), (self.best_estimator, [self.best])):
            held.append(self._measured(model))
            if not self._bounds(trials).hold(held[-1]):
                constraints.check(held[-1], what)
            slow = slow if constraints.hold(held[-1]) else held[-1]
        if slow:
            measured = format_measurements(slow)
            warnings.warn(
                f"constraints: {what} has {measured} now, beyond {constraints}, and was within them before: "
                "something else slows this machine. Measure it again later, with skauto.estimators.footprint",
                UserWarning,
                stacklevel=6,
            )
        self.report = self.report and {**self.report, "footprint": held[0]}

    def _say_failed(self, made, instead):
        if made.status != Status.CANCELLED:
            warnings.warn(
                f"scoring={self.scoring.name!r} failed after the search with {made.reason!r}, so {instead}; see "
                "that it always gives a number",
                UserWarning,
                stacklevel=5,
            )

    def _assemble(self, best, members, fitted):
        """The ensemble and the best model, before thresholds and scores."""
        self.best = best if best.number in fitted else max((trial for trial, _ in members), key=lambda t: t.score)
        self.ensemble = WeightedEnsembleClassifier.from_fitted(
            [fitted[trial.number] for trial, _ in members], [weight for _, weight in members]
        )
        self.members = [trial.number for trial, _ in members]
        names = [(trial.values["candidate"], trial.number, round(weight, 3)) for trial, weight in members]
        unknown = dict.fromkeys(("score", "F1", "AUC", "AP"), np.nan)
        self.report = {**unknown, "fold_scores": None, "members": names, "fidelity": self.fidelity}
        self._take(default_threshold(len(self.classes)))
        watch(self.ensemble)  # before it is measured: what it says of unread columns is part of the model
        self.best_estimator = self._decided(fitted[self.best.number], default_threshold(len(self.classes)))

    def _judge(self, members, model):
        """Cut the ensemble and the best model, and score; what an exception or Ctrl-C prevents stays as it is."""
        scoring, proba, left = self.scoring, mixed(members), self.phases.left

        def judge():
            self._take(scoring.threshold(proba, first_of(3, left)))
            self.thresholds[self.best.number] = scoring.threshold(self.best.proba, first_of(2, left))
            self.best_estimator = self._decided(model, self.thresholds[self.best.number])
            self.report = {**self.report, **scoring.report(proba, left)}
            for trial, _ in members:
                if trial.number not in self.thresholds and left() > self._closing / CLOSING_SAFETY:
                    self.thresholds[trial.number] = scoring.threshold(trial.proba, left)

        made = self.interrupts.attempt(judge)
        if made.status != Status.COMPLETE:
            self._say_failed(made, "the ensemble has no score, and the default threshold where none was found")

    def _take(self, threshold):
        self.threshold = None if self.costs is not None else threshold

    def _decided(self, pipeline, threshold):
        return DecisionRule(self.classes, self.pos_label, threshold, self.costs).wrap(pipeline)
