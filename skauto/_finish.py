"""After the search: the best trial, the ensemble and the cut from out-of-fold predictions, then the refit."""

import functools
import warnings
from collections import Counter
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline

from skauto._refit import as_final, quick_fit, refit, with_cut
from skauto._timing import closing
from skauto.estimators._ensemble import WeightedEnsembleClassifier, endless, greedy_selection
from skauto.resample._threshold import no_cut
from skauto.search._sandbox import Report, attempt, describe
from skauto.search._trial import Status

# Models of each kind that the ensemble may choose from: more of one kind only fit the noise of the folds.
PER_KIND = 2

# The part of the ensemble that is spread evenly over the best trial of each kind, and most kinds that share it.
EVEN_SHARE, KINDS = 0.2, 6

# Rows of a table up to which that part is spread: with more the selection knows better, and on sequences and images
# the kinds differ too much.
FEW_ROWS = 1_500

# Further models refitted where constraints bound them: others may grow out of bounds on all rows.
SPARE_MODELS = 3
WHAT = "the best model, refitted on all rows,"

# Seconds of a refit over those of a fold, with some care, and the part of the rest that the choice may take.
REFIT_FACTOR, CHOICE_PART = 1.6, 0.5

# What ends a trial for a reason that more time would not change.
BROKEN = (Status.FAILED, Status.CRASHED, Status.MEMORY, Status.INFEASIBLE)

# Seconds between looks at the deadline.
WAIT = 0.5


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
    score_seconds: float = 0.0
    model: Pipeline | None = field(default=None, repr=False)


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
        score_seconds=details.get("score_seconds", 0.0),
        model=details.get("model"),
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


def choose_members(trials, scoring, left=endless, *, even=True):
    """The trials of the ensemble with their weights: selected greedily by score and by likelihood among few of a kind.

    A score of ranks alone chooses by luck where positives are few, and where rows are few a part is spread evenly, if
    `even`; see the decision on small tables. `left` gives the seconds that are left: the selections end with them.
    """
    own = scoring.kind == "proba"  # then `select` is the score, which is known
    values = [trial.score if own else scoring.select(trial.proba) for trial in trials]
    values = values if np.isfinite(values).all() else [trial.score for trial in trials]
    order = sorted(zip(values, trials, strict=True), key=lambda pair: (-pair[0], pair[1].number))
    pool = _few_of_a_kind([trial for _, trial in order])
    predictions = [trial.proba for trial in pool]
    greedy = np.mean([greedy_selection(predictions, value, left=left) for value in scoring.guides], axis=0)
    share = EVEN_SHARE if even and scoring.n_rows <= FEW_ROWS else 0.0
    weights = (1 - share) * greedy + share * _evenly(pool)
    chosen = [(trial, float(weight)) for trial, weight in zip(pool, weights, strict=True) if weight > 0]
    return sorted(chosen, key=lambda pair: -pair[1])


def _few_of_a_kind(ordered):
    """The first trials of each kind, in the order given, and all whose model was kept, which need no refit."""
    seen, kept = Counter(), []
    for trial in ordered:
        kind = trial.values["candidate"]
        seen[kind] += 1
        kept += [trial] if seen[kind] <= PER_KIND or trial.model is not None else []
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
        constraints, X, y = self.plan.constraints, self.plan.context.X, self.classes[self.plan.context.y]
        measured = {number: constraints.measure(model, X, y, self._left) for number, model in fitted.items()}
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
                self._hold(WHAT)
                return some

    def _hold(self, what):
        """Hold the ensemble and the best single model against the constraints; ValueError if they are too large."""
        constraints, X = self.plan.constraints, self.plan.context.X
        constraints.check(constraints.measure(self.best_estimator, X, left=self._left), what)
        footprint = constraints.measure(self.ensemble, X, left=self._left)
        constraints.check(footprint, what)
        self.report = self.report and {**self.report, "footprint": footprint}

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
        names = [(trial.values["candidate"], trial.number, round(weight, 3)) for trial, weight in members]
        self.report = {**dict.fromkeys(("score", "F1", "AUC", "AP"), np.nan), "fold_scores": None, "members": names}
        self._take(no_cut(len(self.classes)))
        self.best_estimator = self._decided(fitted[self.best.number], no_cut(len(self.classes)))

    def _judge(self, members, model):
        """Cut the ensemble and the best model, and score; what an exception or Ctrl-C prevents stays as it is."""
        scoring, proba = self.plan.scoring, mixed(members)

        def judge():
            self._take(scoring.cut(proba))
            self.best_estimator = self._decided(model, scoring.cut(self.best.proba))
            self.report = {**self.report, **scoring.report(proba)}

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
        if made.status != Status.COMPLETE:
            prior = DummyClassifier(strategy="prior")
            y = self.classes[self.plan.context.y]
            model = Pipeline([("classify", prior.fit(np.zeros((len(y), 1)), y, self.plan.context.weight))])
            name = f"the shares of the classes (a small one failed with {made.reason!r})"
        warnings.warn(f"no trial was evaluated and refitted, so the model is {name}; {why}", UserWarning, stacklevel=4)
        self._take(no_cut(len(self.classes)))
        self.ensemble = WeightedEnsembleClassifier.from_fitted([model], [1.0])
        self.best_estimator = self._decided(model, no_cut(len(self.classes)))


def _why(history, interrupted):
    """What the user can do: the first reason that was not time, else more time."""
    reasons = [result.reason for _, result in history.finished if result.status in BROKEN]
    if reasons:
        return f"a trial failed with {reasons[0]!r}"
    return "the search was interrupted before its first trial ended" if interrupted else "raise time_limit"
