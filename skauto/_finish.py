"""After the search: the best trial, the ensemble and the cut from out-of-fold predictions, then the refit."""

import copy
import warnings
from collections import Counter
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline

from skauto._seeds import child_seed
from skauto.estimators._early_stopping import with_rounds
from skauto.estimators._ensemble import WeightedEnsembleClassifier, greedy_selection
from skauto.resample._fixed_thresholds import MulticlassFixedThresholdClassifier
from skauto.resample._threshold import no_cut
from skauto.search._evaluate import fit_weighted, nested_rows, take
from skauto.search._sandbox import attempt
from skauto.search._trial import Status

# Models of each kind that the ensemble may choose from: more of one kind only fit the noise of the folds.
PER_KIND = 2

# The part of the ensemble that is spread evenly over the best trial of each kind, and most kinds that share it.
EVEN_SHARE, KINDS = 0.2, 6

# Rows up to which that part is spread: with more the selection knows better.
FEW_ROWS = 1_500

# Further models refitted where constraints bound them: others may grow out of bounds on all rows.
SPARE_MODELS = 3
WHAT = "the best model, refitted on all rows,"

# Seconds of a refit over those of a fold, with some care.
REFIT_FACTOR = 1.6

# Seconds between looks at the deadline, and the rows that a fallback uses.
WAIT, FALLBACK_ROWS = 0.5, 4_000


@dataclass(frozen=True)
class Scored:
    """A fully evaluated trial."""

    number: int
    values: dict
    score: float
    fold_scores: np.ndarray
    proba: np.ndarray = field(repr=False)
    fit_seconds: float
    stop: int | None
    natural: bool
    footprint: dict | None = None


def scored_trials(history):
    """The fully evaluated trials, the best first, an earlier one first among equals."""
    full = [
        _scored(history.space.decode(trial.params), result)
        for trial, result in history.finished
        if result.status == "complete" and trial.fidelity >= 1
    ]
    return sorted(full, key=lambda trial: (-trial.score, trial.number))


def _scored(values, result):
    details = result.details
    return Scored(
        number=result.number,
        values=values,
        score=result.score,
        fold_scores=np.asarray(details["fold_scores"]),
        proba=details["proba"],
        fit_seconds=details["fit_seconds"],
        stop=details["stop"],
        natural=values.get("imbalance", "none") == "none",
        footprint=details.get("footprint"),
    )


def choose_best(trials, valid_over_train):
    """The best trial, a rebalanced one only where it beats the best natural one by more than a standard error.

    Parameters
    ----------
    trials : list of Scored, the best first
    valid_over_train : float
        Rows of a validation fold over rows of a training fold.

    References
    ----------
    The standard error of the mean paired difference over folds is the corrected one of Nadeau and Bengio, Inference
    for the generalization error, Machine Learning 52, 2003, section 3: folds share training rows.
    """
    best = trials[0]
    natural = next((trial for trial in trials if trial.natural), None)
    if best.natural or natural is None:
        return best
    difference = best.fold_scores - natural.fold_scores
    difference = difference[np.isfinite(difference)]
    if len(difference) < 2:
        return natural
    error = np.sqrt((1 / len(difference) + valid_over_train) * np.var(difference, ddof=1))
    return best if best.score - natural.score > error else natural


def choose_members(trials, scoring):
    """The trials of the ensemble with their weights: selected greedily by score and by likelihood among few of a kind.

    A score of ranks alone chooses by luck where positives are few, and where rows are few a part is spread evenly; see
    the decision on small tables.
    """
    values = [scoring.select(trial.proba) for trial in trials]
    values = values if np.isfinite(values).all() else [trial.score for trial in trials]
    order = sorted(zip(values, trials, strict=True), key=lambda pair: (-pair[0], pair[1].number))
    pool = _few_of_a_kind([trial for _, trial in order])
    predictions = [trial.proba for trial in pool]
    greedy = np.mean([greedy_selection(predictions, value) for value in scoring.guides], axis=0)
    share = EVEN_SHARE if scoring.n_rows <= FEW_ROWS else 0.0
    weights = (1 - share) * greedy + share * _evenly(pool)
    chosen = [(trial, float(weight)) for trial, weight in zip(pool, weights, strict=True) if weight > 0]
    return sorted(chosen, key=lambda pair: -pair[1])


def _few_of_a_kind(ordered):
    """The first trials of each kind, in the order given."""
    seen, kept = Counter(), []
    for trial in ordered:
        kind = trial.values["candidate"]
        seen[kind] += 1
        kept += [trial] if seen[kind] <= PER_KIND else []
    return kept


def _evenly(pool):
    """Equal weights for the best trial of each of the first kinds in a pool."""
    kinds = [trial.values["candidate"] for trial in pool]
    first = sorted(kinds.index(kind) for kind in set(kinds))[:KINDS]
    return np.bincount(first, minlength=len(pool)) / len(first)


def mixed(members):
    """Out-of-fold probabilities of the ensemble."""
    total = sum(weight for _, weight in members)
    return sum(trial.proba * weight for trial, weight in members) / total


def refit(context, trial, labels):
    """Fit a trial's pipeline on all rows, with the labels as the user gave them; runs in a worker."""
    from skauto._treatments import with_labels  # loads imbalanced-learn, which importing skauto must not

    seed = child_seed(context.seed, "trial", trial.number)
    values = with_labels(trial.values, labels)
    pipeline = with_rounds(context.build.for_refit()(values, seed), trial.stop)
    y = labels[context.y]
    prepared, (name, last) = context.X, pipeline.steps[-1]
    if len(pipeline.steps) > 1:
        prepared = pipeline[:-1].fit_transform(context.X, y)
    pipeline.steps[-1] = (name, fit_weighted(last, prepared, y, context.weight))
    release_threads(pipeline.steps[-1][1])
    return pipeline


def release_threads(estimator):
    """Forget how many threads a worker had: a fitted classifier goes back to its own default."""
    while estimator is not None:
        if hasattr(estimator, "n_jobs"):
            estimator.n_jobs = None
        estimator = getattr(estimator, "estimator_", None)


def with_cut(pipeline, cut, pos_label, classes, costs=None):
    """A fitted pipeline like this one with its last step inside a fixed threshold, or a rule of costs.

    Nothing is fitted again. The first steps are copied, so that fitting the result anew does not touch the ensemble's.
    """
    name, fitted = pipeline.steps[-1]
    if costs is not None:
        from skauto.resample._cost_sensitive import CostSensitiveClassifier  # loads imbalanced-learn

        fixed = CostSensitiveClassifier(fitted, costs, calibration=None)
        fixed.classes_, fixed.cost_matrix_, fixed.estimators_ = classes, costs, [fitted]
    elif np.ndim(cut) == 0:
        fixed = FixedThresholdClassifier(
            fitted, threshold=float(cut), pos_label=pos_label, response_method="predict_proba"
        )
    else:
        fixed = MulticlassFixedThresholdClassifier(
            fitted, class_multipliers=dict(zip(classes.tolist(), map(float, cut), strict=True))
        )
    fixed.estimator_ = fitted
    return Pipeline([*copy.deepcopy(pipeline.steps[:-1]), (name, fixed)])


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
    report : dict or None
        Scores of the ensemble's out-of-fold probabilities and, with constraints, its "footprint".
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

    def run(self, history, use_ensemble, interrupted=False):
        """Choose, refit and cut; where Ctrl-C ended the search, another one here stops the fit."""
        trials = self._affordable(self.plan.constraints.allowed(scored_trials(history)))
        members = []
        if trials:
            self.progress.show("ensemble")
            with self.phases("ensemble"):
                best = choose_best(trials, self._valid_over_train())
                members, interrupted = self._choose(trials, best, use_ensemble, interrupted)
            self.progress.show("refit")
            with self.phases("refit"):
                spares = trials[:SPARE_MODELS] if self.plan.constraints else []
                wanted = [best, *(trial for trial, _ in members), *spares]
                fitted = self._refit(list({trial.number: trial for trial in wanted}.values()), interrupted)
            members = [(trial, weight) for trial, weight in members if trial.number in fitted]
            if not members and best.number in fitted:
                members = [(best, 1.0)]
        if members:
            self._assemble_within(best, members, trials, fitted)
        else:
            with self.phases("refit"):
                self._fall_back(history, interrupted)
            self._hold("the quick model that had to do, as no trial was ready in time,")

    def _assemble_within(self, best, members, trials, fitted):
        """Assemble the largest part of the ensemble that the constraints allow, at least one model."""
        constraints, X, y = self.plan.constraints, self.plan.context.X, self.classes[self.plan.context.y]
        measured = {number: constraints.measure(model, X, y) for number, model in fitted.items()}
        fitted = {number: model for number, model in fitted.items() if constraints.hold(measured[number])}
        if not fitted:
            constraints.check(measured[next(iter(measured))], WHAT)
        members = [(trial, weight) for trial, weight in members if trial.number in fitted]
        tries = [(best, members)] if members else []
        tries += [(best, members[:size]) for size in range(len(members) - 1, 1, -1)]
        tries += [(trial, [(trial, 1.0)]) for trial in trials if trial.number in fitted]
        for number, (lead, some) in enumerate(tries, 1):
            self._assemble(lead, some, fitted)
            with suppress(ValueError) if number < len(tries) else nullcontext():
                return self._hold(WHAT)

    def _hold(self, what):
        """Hold the ensemble and the best single model against the constraints; ValueError if they are too large."""
        constraints, X = self.plan.constraints, self.plan.context.X
        constraints.check(constraints.measure(self.best_estimator, X), what)
        footprint = constraints.measure(self.ensemble, X)
        constraints.check(footprint, what)
        self.report = self.report and {**self.report, "footprint": footprint}

    def _choose(self, trials, best, use_ensemble, interrupted):
        """The members with their weights; where a first Ctrl-C falls into the choice, the best one alone will do."""
        if not use_ensemble:
            return [(best, 1.0)], interrupted
        try:
            return self._in_time(best, choose_members(trials, self.plan.scoring)), interrupted
        except KeyboardInterrupt:
            if interrupted:
                raise
            return [(best, 1.0)], True

    def _valid_over_train(self):
        folds = self.plan.context.folds
        return float(np.mean([len(valid) / len(train) for train, valid in folds]))

    def _affordable(self, trials):
        """Trials whose refit fits into half of what is left; all of them if none does."""
        window = self.phases.left() / 2
        return [trial for trial in trials if trial.fit_seconds * REFIT_FACTOR < window] or trials

    def _in_time(self, best, members):
        """The members, the lightest dropped until all refits fit into what is left."""
        window = self.phases.left() * self.pool.n_workers
        kept, seconds = [], best.fit_seconds * REFIT_FACTOR
        for trial, weight in members:
            seconds += 0 if trial is best else trial.fit_seconds * REFIT_FACTOR
            if seconds < window or not kept:
                kept.append((trial, weight))
        return kept

    def _refit(self, trials, interrupted):
        """Fitted pipelines by trial number; what is not done when the time is up is left out."""
        for trial in trials:
            self.pool.submit(trial.number, refit, trial, self.classes)
        fitted = {}
        try:
            self._collect(fitted, self.phases.left)
        except KeyboardInterrupt:  # keep what is done, wait only for a first one
            if interrupted:
                raise
            for trial in trials[1:]:
                self.pool.cancel(trial.number)
            self._collect(fitted, self.phases.left)
        for trial in trials:
            self.pool.cancel(trial.number)
        return fitted

    def _collect(self, fitted, left):
        while self.pool.running and left() > 0:
            for outcome in self.pool.wait(min(left(), WAIT)):
                if outcome.status == "complete":
                    fitted[outcome.key] = outcome.value
                else:
                    self.progress.say(f"trial {outcome.key} could not be refitted: {outcome.reason}")

    def _assemble(self, best, members, fitted):
        scoring = self.plan.scoring
        self.best = best if best.number in fitted else max((trial for trial, _ in members), key=lambda t: t.score)
        self.ensemble = WeightedEnsembleClassifier.from_fitted(
            [fitted[trial.number] for trial, _ in members], [weight for _, weight in members]
        )
        proba = mixed(members)
        self.cut = None if self.costs is not None else scoring.cut(proba)
        names = [(trial.values["candidate"], trial.number, round(weight, 3)) for trial, weight in members]
        self.report = {**scoring.report(proba), "members": names}
        self.best_estimator = self._decided(fitted[self.best.number], scoring.cut(self.best.proba))

    def _decided(self, pipeline, cut):
        return with_cut(pipeline, cut, self.pos_label, self.classes, self.costs)

    def _fall_back(self, history, interrupted):
        """A quick model where no trial could be evaluated and refitted in time, made here: no worker has to start."""
        made = attempt(quick_fit, self.plan.context, self.classes)
        model, name = made.value, "a small one on part of the rows"
        if made.status != Status.COMPLETE:
            prior = DummyClassifier(strategy="prior")
            y = self.classes[self.plan.context.y]
            model = Pipeline([("classify", prior.fit(np.zeros((len(y), 1)), y, self.plan.context.weight))])
            name = f"the shares of the classes (a small one failed with {made.reason!r})"
        warnings.warn(
            f"no trial was evaluated and refitted, so the model is {name}; {_why(history, interrupted)}",
            UserWarning,
            stacklevel=4,
        )
        cut = no_cut(len(self.classes))
        self.cut = None if self.costs is not None else cut
        self.ensemble = WeightedEnsembleClassifier.from_fitted([model], [1.0])
        self.best_estimator = self._decided(model, cut)


def _why(history, interrupted):
    """What the user can do: the first reason that was not time, else more time."""
    reasons = [result.reason for _, result in history.finished if result.status in ("failed", "crashed", "memory")]
    if reasons:
        return f"a trial failed with {reasons[0]!r}"
    return "the search was interrupted before its first trial ended" if interrupted else "raise time_limit"


def quick_fit(context, labels):
    """A small model on at most some thousand rows, in about a second."""
    rows = nested_rows(context.y, min(1.0, FALLBACK_ROWS / len(context.y)), 2, context.seed)
    weight = {} if context.weight is None else {"classify__sample_weight": context.weight[rows]}
    return context.build.fallback().fit(take(context.X, rows), labels[context.y[rows]], **weight)
