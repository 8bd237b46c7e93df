"""One trial to its out-of-fold probabilities: the only file that fits estimators in a worker."""

import math
import time
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline

from skauto._seeds import child_seed
from skauto.automl._types import Estimator, Footprint, Values
from skauto.automl.evaluation._context import Evaluation, fit_plain, predict_plain
from skauto.automl.evaluation._early_stopping import median_iteration, settled
from skauto.automl.evaluation._outcome import Bag, TrialOutcome
from skauto.inputs._types import Rows
from skauto.search import _deadline
from skauto.search._folds import nested_rows, take, take_if_given
from skauto.search._trial import Trial

# How far the probabilities of a row may be from 1 in sum: those of networks in float32 are by some 1e-6.
SUM_TOLERANCE = 1e-3


def evaluate(context: Evaluation, trial: Trial) -> TrialOutcome:
    """Fit a trial on every fold and score its out-of-fold probabilities.

    Where the time of the trial does not suffice for all folds, those that were fitted count: the probabilities are
    then of fewer rows.

    Returns
    -------
    outcome : TrialOutcome

    Raises
    ------
    TimeoutError
        Where not even one fold can be fitted in time.
    """
    values = context.space.decode(trial.params)
    seed = child_seed(context.seed, "trial", trial.number)
    checked = None
    if context.constraints is not None:
        checked = context.constraints.check_feasible(context, values, seed)
    n_folds = min(len(context.folds), context.most_folds or len(context.folds))
    fit = fit_plain if context.is_plain(values) else context.fit
    folds: list[_Fold] = []
    for number in range(n_folds):
        if not _deadline.allows([fold.seconds for fold in folds]):
            break
        # What this fold saves, those after it may use.
        _deadline.divide(n_folds - number)
        # Anew for each fold, since a network plans its epochs with what is left of the time. The first one may import a
        # package, whose seconds are no fold's.
        estimator = context.build(values, seed)
        estimator = context.plan_training(values, estimator)
        estimator, fidelity = context.apply_fidelity(values, estimator, trial.fidelity)
        began = time.perf_counter()
        ready = _prepared(context, values, estimator, fidelity, number)
        fitted, best_iteration = fit(ready.last, *ready.rows)
        seconds = time.perf_counter() - began
        fold = _Fold(
            ready.first, ready.name, fitted, ready.X_valid, best_iteration, seconds
        )
        folds.append(_with_packed_forest(context, values, fold))
    return _judged(context, values, seed, trial, folds, checked)


def _judged(
    context: Evaluation,
    values: Values,
    seed: int,
    trial: Trial,
    folds: list["_Fold"],
    checked: Footprint | None,
) -> TrialOutcome:
    """What fitted folds come to."""
    proba = np.concatenate(
        [_predict_fold(context, values, folds, number) for number in range(len(folds))]
    )
    best_iteration = median_iteration([fold.best_iteration for fold in folds])
    seconds = float(np.mean([fold.seconds for fold in folds]))
    outcome = TrialOutcome(math.nan, proba, seconds, best_iteration)
    # At less than the full effort a trial is only compared with its like: a report and measurements would be of a model
    # that nobody gets.
    if trial.fidelity < 1:
        outcome = replace(outcome, score=context.low_fidelity_score(proba))
    else:
        outcome = _scored(context, outcome, len(folds))
        outcome = _measured(context, values, seed, folds[0], outcome, checked)
        if len(folds) == 1 and context.keeps(values):
            settled(folds[0].last, outcome.best_iteration)
            return replace(outcome, model=folds[0].pipeline())
    # Last: what fails must not be the best one.
    return replace(outcome, bag=_bag_of(context, values, trial, outcome, folds))


def _measured(
    context: Evaluation,
    values: Values,
    seed: int,
    fold: "_Fold",
    outcome: TrialOutcome,
    checked: Footprint | None,
) -> TrialOutcome:
    """The outcome with what the trial costs beside its score, where that is bounded."""
    if context.constraints is None:
        return outcome
    footprint = context.constraints.of_trial(
        context, values, seed, fold.last, outcome.best_iteration, checked
    )
    return replace(outcome, footprint=footprint)


def _scored(context: Evaluation, outcome: TrialOutcome, n_folds: int) -> TrialOutcome:
    """The outcome with what `report` says of its probabilities."""
    began = time.perf_counter()
    report = context.report(outcome.proba)
    report["fold_scores"] = tuple(report.get("fold_scores", ()))
    seconds = time.perf_counter() - began
    return replace(outcome, score_seconds=seconds, n_folds=n_folds, **report)


def _bag_of(
    context: Evaluation,
    values: Values,
    trial: Trial,
    outcome: TrialOutcome,
    folds: list["_Fold"],
) -> Bag | None:
    """The fold models of a trial that is the best of this worker so far; of repeats the first is enough."""
    mark = (trial.fidelity, len(folds), outcome.score)
    # To pickle the models of every trial would take longer than to fit some of them.
    if context.bag is None or mark <= context.record:
        return None
    if not context.may_win(outcome.footprint):
        return None
    repeats = context.repeats()
    pipelines = [
        fold.pipeline()
        for fold, repeat in zip(folds, repeats, strict=False)
        if repeat == repeats[0]
    ]
    labels = context.labels if context.is_plain(values) else None
    content = context.bag(pipelines, outcome.best_iteration, labels)
    if content is None:
        return None
    context.record = mark
    return Bag(mark, content)


class _Prepared(NamedTuple):
    """A fold whose last step is still to be fitted.

    Attributes
    ----------
    first : list of (str, transformer)
        The steps before the last one, fitted.
    name : str
        Of the last step.
    last : classifier
        Not fitted.
    rows : tuple
        What it is fitted on: rows, targets and weights to learn from, then those that may say when to stop.
    X_valid : DataFrame, array or sparse matrix
        The validation rows after the first steps.
    """

    first: list[tuple[str, Estimator]]
    name: str
    last: Estimator
    rows: tuple[Any, ...]
    X_valid: Rows


@dataclass(frozen=True)
class _Fold:
    """A fitted fold: its pipeline and its validation rows, but not the rows that it was fitted on.

    Attributes
    ----------
    first, name, last, X_valid
        As of `_Prepared`, the last step fitted.
    best_iteration : int or None
        The stopping point of the fit.
    seconds : float
        Of preparing and fitting.
    proba : ndarray of shape (n_valid, n_classes) or None
        Probabilities of the validation rows, where these are known already.
    """

    first: list[tuple[str, Estimator]]
    name: str
    last: Estimator
    X_valid: Rows
    best_iteration: int | None
    seconds: float
    proba: np.ndarray | None = None

    def pipeline(self) -> Pipeline:
        """The fitted steps."""
        return Pipeline([*self.first, (self.name, self.last)])


def _prepared(
    context: Evaluation,
    values: Values,
    estimator: Estimator,
    fidelity: float,
    number: int,
) -> _Prepared:
    """The rows of a fold after the first steps of a pipeline."""
    y, (train, valid) = context.targets(values), context.folds[number]
    codes, least = context.y[train], context.min_class_rows
    train = train[nested_rows(codes, fidelity, least, context.seed)]
    if not isinstance(estimator, Pipeline):
        estimator = Pipeline([("classify", estimator)])
    *first, (name, last) = estimator.steps
    X_train, X_valid = take(context.X, train), take(context.X, valid)
    context.cache.begin(number, fidelity)
    prepare = context.cache.cache(_prepare)
    steps = []
    for step_name, step in first:
        X_train, X_valid, fitted = prepare(step, X_train, y[train], X_valid)
        steps.append((step_name, fitted))
    weight = take_if_given(context.weight, train)
    weight_valid = take_if_given(context.weight, valid)
    rows = (X_train, y[train], weight, X_valid, y[valid], weight_valid)
    return _Prepared(steps, name, last, rows, X_valid)


def _prepare(
    step: Estimator, X_train: Rows, y: np.ndarray, X_valid: Rows
) -> tuple[Rows, Rows, Estimator]:
    """Training and validation rows after a first step, and the step, fitted."""
    return step.fit_transform(X_train, y), step.transform(X_valid), step


def _with_packed_forest(context: Evaluation, values: Values, fold: _Fold) -> _Fold:
    """A fold whose forest has answered and is packed: those of all folds together would take some 150 MB."""
    is_forest = hasattr(fold.last, "hold_packed")
    if not is_forest or context.constraints is not None:  # which measure the trees
        return fold
    proba = _probabilities(context, values, fold, None)
    fold.last.hold_packed()
    return replace(fold, proba=proba)


def _predict_fold(
    context: Evaluation,
    values: Values,
    folds: list[_Fold],
    number: int,
) -> np.ndarray:
    """Probabilities of one fold at the stopping point of the other folds: its own would flatter it."""
    known = folds[number].proba
    if known is not None:
        return known
    repeats = context.repeats()[: len(folds)]
    others = np.flatnonzero(repeats == repeats[number])
    best_iteration = median_iteration(
        [folds[k].best_iteration for k in others if k != number]
    )
    return _probabilities(context, values, folds[number], best_iteration)


def _probabilities(
    context: Evaluation, values: Values, fold: _Fold, best_iteration: int | None
) -> np.ndarray:
    """Probabilities of the validation rows of a fold, with a column for each class."""
    fitted = fold.last
    predict = predict_plain if context.is_plain(values) else context.predict
    proba = predict(fitted, fold.X_valid, best_iteration)
    _check_probabilities(proba, fitted)
    # A class that the fold's training rows lack has probability zero.
    columns = np.zeros((len(proba), context.n_classes))
    columns[:, context.codes_of(values, fitted.classes_)] = proba
    return columns


def _check_probabilities(proba: np.ndarray, fitted: Estimator) -> None:
    """ValueError where probabilities are none: they would be blended with those of others."""
    name, n_classes = type(fitted).__name__, len(fitted.classes_)
    if np.ndim(proba) != 2 or proba.shape[1] != n_classes:
        raise ValueError(
            f"predict_proba of {name} gave an array of shape {np.shape(proba)}, where a column is needed for each of "
            f"{n_classes} classes"
        )
    if not np.isfinite(proba).all():
        raise ValueError("predict_proba gave NaN or infinite probabilities")
    sums = proba.sum(axis=1)
    if np.abs(sums - 1).max(initial=0.0) > SUM_TOLERANCE:
        worst = sums[np.abs(sums - 1).argmax()]
        raise ValueError(
            f"predict_proba of {name} gave a row whose probabilities sum to {worst:.4g}, not 1"
        )
