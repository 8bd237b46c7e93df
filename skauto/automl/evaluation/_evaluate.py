"""One trial to its out-of-fold probabilities: the only file that fits estimators in a worker."""

import math
import time
from dataclasses import dataclass, replace

import numpy as np
from sklearn.pipeline import Pipeline

from skauto._seeds import child_seed
from skauto.automl._types import Estimator, Footprint, Values
from skauto.automl.evaluation._context import Evaluation, fit_plain, predict_plain
from skauto.automl.evaluation._outcome import TrialOutcome
from skauto.inputs._types import Rows
from skauto.search import _deadline
from skauto.search._folds import nested_rows, take, take_if_given
from skauto.search._trial import Trial


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
    if context.check_feasible is not None:
        checked = context.check_feasible(context, values, seed)
    models, best_iterations, seconds = _fitted_folds(context, values, trial, seed)
    proba = np.concatenate(
        [
            _predict_fold(context, values, models, best_iterations, number)
            for number in range(len(models))
        ]
    )
    if not np.isfinite(proba).all():
        raise ValueError("predict_proba gave NaN or infinite probabilities")
    best_iteration = median_iteration(best_iterations)
    outcome = TrialOutcome(math.nan, proba, float(np.mean(seconds)), best_iteration)
    if trial.fidelity < 1:
        outcome = replace(outcome, score=context.low_fidelity_score(proba))
    else:
        outcome = _scored(context, outcome, len(models))
        outcome = _measured(context, values, seed, models[0], outcome, checked)
        if len(models) == 1 and context.keeps(values):
            return replace(outcome, model=Pipeline([("classify", models[0].last)]))
    # Last: what fails must not be the best one.
    return replace(outcome, bag=_bag_of(context, values, trial, outcome, models))


def _measured(
    context: Evaluation,
    values: Values,
    seed: int,
    model: "_FoldModel",
    outcome: TrialOutcome,
    checked: Footprint | None,
) -> TrialOutcome:
    """The outcome with what the trial costs beside its score, where that is bounded."""
    if context.measure is None:
        return outcome
    footprint = context.measure(
        context, values, seed, model.last, outcome.best_iteration, checked
    )
    return replace(outcome, footprint=footprint)


def _scored(context: Evaluation, outcome: TrialOutcome, n_folds: int) -> TrialOutcome:
    """The outcome with what `report` says of its probabilities."""
    began = time.perf_counter()
    report = context.report(outcome.proba)
    report["fold_scores"] = tuple(report.get("fold_scores", ()))
    seconds = time.perf_counter() - began
    return replace(outcome, score_seconds=seconds, n_folds=n_folds, **report)


def _fitted_folds(
    context: Evaluation, values: Values, trial: Trial, seed: int
) -> tuple[list["_FoldModel"], list[int | None], list[float]]:
    """The fold models, their stopping points and seconds, of as many folds as there is time for, one at least."""
    n_folds = min(len(context.folds), context.most_folds or len(context.folds))
    models: list[_FoldModel] = []
    best_iterations: list[int | None] = []
    seconds: list[float] = []
    for number in range(n_folds):
        if not _deadline.allows(seconds):
            break
        # What this fold saves, those after it may use.
        _deadline.divide(n_folds - number)
        estimator = context.build(values, seed)  # may import a package
        estimator = context.plan_training(values, estimator)
        estimator, fidelity = context.apply_fidelity(values, estimator, trial.fidelity)
        began = time.perf_counter()
        model, best_iteration = _fit_fold(context, values, estimator, fidelity, number)
        models.append(model)
        best_iterations.append(best_iteration)
        seconds.append(time.perf_counter() - began)
    return models, best_iterations, seconds


def _bag_of(
    context: Evaluation,
    values: Values,
    trial: Trial,
    outcome: TrialOutcome,
    models: list["_FoldModel"],
) -> bytes | None:
    """The fold models of a trial that is the best of this worker so far, as bytes; of repeats the first is enough."""
    # A trial of more rows or of more folds is worth more than a better score of fewer.
    mark = (trial.fidelity, len(models), outcome.score)
    if context.bag is None or mark <= context.record:
        return None
    if not context.may_win(outcome.footprint):
        return None
    repeats = context.repeats()
    pipelines = [
        Pipeline(model.steps)
        for model, repeat in zip(models, repeats, strict=False)
        if repeat == repeats[0]
    ]
    labels = context.labels if context.is_plain(values) else None
    bag = context.bag(pipelines, outcome.best_iteration, labels)
    if bag is not None:
        context.record = mark
    return bag


def median_iteration(best_iterations: list[int | None]) -> int | None:
    """The middle of the stopping points, None where there are none."""
    known = [number for number in best_iterations if number is not None]
    return int(np.median(known)) if known else None


@dataclass
class _FoldModel:
    """Fitted steps of a pipeline, the classes that the last one saw among its attributes, and its validation rows."""

    steps: list[tuple[str, Estimator]]
    X_valid: Rows

    @property
    def last(self) -> Estimator:
        return self.steps[-1][1]


def _fit_fold(
    context: Evaluation,
    values: Values,
    estimator: Estimator,
    fidelity: float,
    number: int,
) -> tuple[_FoldModel, int | None]:
    """A fitted model of a fold, its validation rows prepared, and its stopping point."""
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
    fit = fit_plain if context.is_plain(values) else context.fit
    fitted, best_iteration = fit(
        last, X_train, y[train], weight, X_valid, y[valid], weight_valid
    )
    return _FoldModel([*steps, (name, fitted)], X_valid), best_iteration


def _prepare(
    step: Estimator, X_train: Rows, y: np.ndarray, X_valid: Rows
) -> tuple[Rows, Rows, Estimator]:
    """Training and validation rows after a first step, and the step, fitted."""
    return step.fit_transform(X_train, y), step.transform(X_valid), step


def _predict_fold(
    context: Evaluation,
    values: Values,
    models: list[_FoldModel],
    best_iterations: list[int | None],
    number: int,
) -> np.ndarray:
    """Probabilities of one fold at the stopping point of the other folds: its own would flatter it."""
    fitted, X_valid = models[number].last, models[number].X_valid
    repeats = context.repeats()[: len(models)]
    others = np.flatnonzero(repeats == repeats[number])
    best_iteration = median_iteration(
        [best_iterations[k] for k in others if k != number]
    )
    predict = predict_plain if context.is_plain(values) else context.predict
    proba = predict(fitted, X_valid, best_iteration)
    columns = np.zeros((len(proba), context.n_classes))
    columns[:, context.codes_of(values, fitted.classes_)] = proba
    return columns
