"""One trial to its out-of-fold probabilities: the only file that fits estimators in a worker."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from sklearn.pipeline import Pipeline

from skauto._seeds import child_seed
from skauto.automl._types import Estimator, Footprint, Pair, Values
from skauto.automl.evaluation._outcome import TrialOutcome
from skauto.inputs._types import Rows
from skauto.resample._wrapped import weights_placed
from skauto.search import _deadline
from skauto.search._folds import nested_rows, take, take_if_given
from skauto.search._prefix_cache import PrefixCache
from skauto.search._space import Space
from skauto.search._trial import Trial

if TYPE_CHECKING:  # loads imbalanced-learn, which importing skauto must not
    from skauto.automl._builder import Builder


def fit_plain(
    estimator: Estimator,
    X: Rows,
    y: np.ndarray,
    weight: np.ndarray | None,
    X_valid: Rows,
    y_valid: np.ndarray,
    weight_valid: np.ndarray | None,
) -> tuple[Estimator, None]:
    """Fit the last step of a pipeline; returns it and None, since it has no stopping point of its own."""
    return fit_weighted(estimator, X, y, weight), None


def predict_plain(
    estimator: Estimator, X: Rows, best_iteration: int | None
) -> np.ndarray:
    """Probabilities of a fitted last step; `best_iteration` is the stopping point that the other folds agree on."""
    return estimator.predict_proba(X)


def fit_weighted(
    estimator: Estimator, X: Rows, y: np.ndarray, weight: np.ndarray | None
) -> Estimator:
    """Fit with the weights where there are any; of a user's Pipeline they go to its last step."""
    if weight is None:
        return estimator.fit(X, y)
    rows = {"sample_weight": weight}
    return estimator.fit(
        X,
        y,
        **(
            weights_placed(estimator, rows) if isinstance(estimator, Pipeline) else rows
        ),
    )


def as_it_is(values: Values, estimator: Estimator) -> Estimator:
    """An estimator whose training needs no plan."""
    return estimator


def rows_alone(
    values: Values, estimator: Estimator, fidelity: float
) -> tuple[Estimator, float]:
    """An estimator and its fraction of the rows at a fidelity: here effort is rows."""
    return estimator, fidelity


@dataclass
class Evaluation:
    """All that a worker needs for any trial; sent to it once.

    Parameters
    ----------
    X : array, sparse matrix or DataFrame of n rows
    y : ndarray of shape (n,)
        Codes from 0 to ``n_classes - 1``.
    weight : ndarray of shape (n,) or None
    folds : list of (ndarray, ndarray)
        Row numbers to learn from and to validate on.
    repeat : ndarray or None
        The repeat of the cross-validation that each fold belongs to.
    build : callable
        ``build(values, seed)``: the unfitted estimator of a configuration.
    report : callable
        ``report(proba)``: a dict of scores of the validation rows of all folds, in their order.
    low_fidelity_score : callable
        ``low_fidelity_score(proba)``: the score of a trial at a fidelity below 1.
    fit, predict : callable
        How the last step of the estimator is fitted and asked, as `fit_plain` and `predict_plain` do.
    plan_training : callable
        ``plan_training(values, estimator)``: the estimator, set to train within the time that is left.
    apply_fidelity : callable
        ``apply_fidelity(values, estimator, fidelity)``: the estimator and its fraction of the rows, as `rows_alone`
        does.
    measure : callable or None
        ``measure(context, values, seed, fitted, best_iteration, known)``: what a trial costs beside its score, given
        its last step as fitted on the first fold; None where nothing bounds it.
    check_feasible : callable or None
        ``check_feasible(context, values, seed)``: raises where a trial will cost too much; gives what
        `measure` is told.
    keep_model : callable or None
        ``keep_model(values)``: whether the model of a single fold is the final one.
    most_folds : int or None
        Folds of a trial at most, None for all.
    bag : callable or None
        ``bag(pipelines, best_iteration, labels)``: as bytes, the fold models of a trial that is the best of its worker
        so far; they come back with it.
    usable : callable or None
        ``usable(footprint)``: whether such a trial may do as the model.
    plain : callable or None
        ``plain(values)``: whether the last step is fitted and asked as `fit_plain` and `predict_plain` do, whatever
        `fit` and `predict` are.
    labels : ndarray of shape (n_classes,) or None
        The labels of the codes, which such estimators are given.
    record : tuple
        How good the best trial of this worker was.
    """

    X: Rows
    y: np.ndarray
    weight: np.ndarray | None
    folds: list[Pair]
    n_classes: int
    space: Space
    build: "Builder"
    report: Callable[[np.ndarray], dict[str, Any]]
    low_fidelity_score: Callable[[np.ndarray], float]
    seed: int
    fit: Callable[..., tuple[Estimator, int | None]] = fit_plain
    predict: Callable[[Estimator, Rows, int | None], np.ndarray] = predict_plain
    plan_training: Callable[[Values, Estimator], Estimator] = as_it_is
    apply_fidelity: Callable[[Values, Estimator, float], tuple[Estimator, float]] = (
        rows_alone
    )
    measure: Callable[..., Footprint] | None = None
    check_feasible: Callable[["Evaluation", Values, int], Footprint | None] | None = (
        None
    )
    min_class_rows: int = 2
    repeat: np.ndarray | None = None
    keep_model: Callable[[Values], bool] | None = None
    most_folds: int | None = None
    bag: (
        Callable[[list[Pipeline], int | None, np.ndarray | None], bytes | None] | None
    ) = None
    usable: Callable[[Footprint], bool] | None = None
    plain: Callable[[Values], bool] | None = None
    record: tuple[float, ...] = ()
    labels: np.ndarray | None = None
    cache: PrefixCache = field(default_factory=PrefixCache)

    def is_plain(self, values: Values) -> bool:
        """Whether the last step of a configuration is fitted and asked as it is, on the labels of the user."""
        return self.plain is not None and self.plain(values)

    def keeps(self, values: Values) -> bool:
        """Whether the model of a single fold is the final one."""
        return self.keep_model is not None and self.keep_model(values)

    def may_win(self, footprint: Footprint | None) -> bool:
        """Whether what a trial costs leaves it a chance; a cost that was not measured does."""
        return self.usable is None or footprint is None or self.usable(footprint)

    def repeats(self) -> np.ndarray:
        """The repeat of the cross-validation that each fold belongs to."""
        return np.zeros(len(self.folds)) if self.repeat is None else self.repeat

    def targets(self, values: Values) -> np.ndarray:
        """What the estimator of a configuration learns, shape (n,): codes, or labels where it is plain."""
        return (
            cast(np.ndarray, self.labels)[self.y] if self.is_plain(values) else self.y
        )

    def codes_of(self, values: Values, classes: np.ndarray) -> np.ndarray:
        """The codes of the classes that the estimator of a configuration has seen."""
        if self.is_plain(values):
            return np.searchsorted(cast(np.ndarray, self.labels), classes)
        return classes


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
