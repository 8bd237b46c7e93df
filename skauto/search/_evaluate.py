"""One trial to its out-of-fold probabilities: the only file of the search that fits estimators."""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from skauto._seeds import child_rng, child_seed
from skauto.search import _deadline
from skauto.search._prefix_cache import PrefixCache


def fit_plain(estimator, X, y, weight, X_valid, y_valid, weight_valid):
    """Fit the last step of a pipeline; returns it and None, since it has no stopping point of its own."""
    return fit_weighted(estimator, X, y, weight), None


def predict_plain(estimator, X, stop):
    """Probabilities of a fitted last step; `stop` is the stopping point that the other folds agree on."""
    return estimator.predict_proba(X)


def fit_weighted(estimator, X, y, weight):
    """Fit with the weights where there are any."""
    return estimator.fit(X, y) if weight is None else estimator.fit(X, y, sample_weight=weight)


def rows_alone(estimator, fidelity):
    """An estimator and its share of the rows for a share of the effort: here effort is rows."""
    return estimator, fidelity


@dataclass
class Evaluation:
    """All that a worker needs for any trial; sent to it once.

    X has n rows; y is an array of shape (n,) of codes 0 ... n_classes - 1; folds is a list of pairs of row numbers
    (train, valid) and `repeat` the number of the drawing that each belongs to. `build(values, seed)` gives the unfitted
    estimator of a configuration and `report(proba)` a dict of scores of the validation rows of all folds, in their
    order; `rank(proba)` a number for lower fidelities. `fit` and `predict` treat the last step of the estimator as
    fit_plain and predict_plain do, and `spend` says what a fidelity under one means, as rows_alone does. `measure`
    gives what a trial costs beside its score, as `_footprint_of` asks; None where nothing bounds it. `rehearse(context,
    values, seed)` raises where that will be too much, and gives what `measure` is told too. `keep(values)` says of
    which trials the model of a single fold is to be kept. `most_folds` bounds the folds of a trial, None for all. With
    `bag(pipelines, stop)` the fold models of each trial that is the best of its worker so far come back with it, as the
    bytes that it makes of them, where `usable` says that its footprint may do; `record` is how good that one was.
    """

    X: Any
    y: np.ndarray
    weight: np.ndarray | None
    folds: list
    n_classes: int
    space: Any
    build: Any
    report: Any
    rank: Any
    seed: int
    fit: Any = fit_plain
    predict: Any = predict_plain
    spend: Any = rows_alone
    measure: Any = None
    rehearse: Any = None
    min_class_rows: int = 2
    repeat: Any = None
    keep: Any = None
    most_folds: int | None = None
    bag: Any = None
    usable: Any = None
    record: tuple = ()
    cache: PrefixCache = field(default_factory=PrefixCache)


def evaluate(context, trial):
    """Fit a trial on every fold and score its out-of-fold probabilities.

    Where the time of the trial does not suffice for all folds, those that were fitted count: the probabilities are
    then of fewer rows.

    Returns
    -------
    outcome : dict
        "score"; "proba" of shape (n_validated, n_classes) in the order of the folds; "fit_seconds", the mean of a
        fold; "stop", the median stopping point or None. Where the fidelity is one also what `report` gave, "n_folds",
        how many folds were fitted, the "score_seconds" that the report took and, with `measure`, the "footprint"; and
        the "model" that is kept, if one is, or the "bag" of fold models, bytes.

    Raises
    ------
    TimeoutError
        Where not even one fold can be fitted in time.
    """
    values = context.space.decode(trial.params)
    seed = child_seed(context.seed, "trial", trial.number)
    known = context.rehearse(context, values, seed) if context.rehearse is not None else None
    models, stops, seconds = _fitted_folds(context, values, trial, seed)
    parts = [_predict_fold(context, models, stops, number) for number in range(len(models))]
    proba = np.concatenate(parts)
    if not np.isfinite(proba).all():
        raise ValueError("predict_proba gave NaN or infinite probabilities")
    outcome = {"proba": proba, "fit_seconds": float(np.mean(seconds)), "stop": median_stop(stops)}
    if trial.fidelity < 1:
        outcome["score"] = context.rank(proba)
        return {**outcome, **_bag_of(context, trial, outcome, models)}
    began = time.perf_counter()
    scores = {"n_folds": len(models), **context.report(proba)}
    outcome["score_seconds"] = time.perf_counter() - began
    outcome |= scores
    outcome |= _footprint_of(context, values, seed, models[0].last, stops, known)
    if context.keep is not None and len(models) == 1 and context.keep(values):
        return {**outcome, "model": Pipeline([("classify", models[0].last)])}
    return {**outcome, **_bag_of(context, trial, outcome, models)}  # last: what fails must not be the best one


def _fitted_folds(context, values, trial, seed):
    """The fold models, their stopping points and seconds, of as many folds as there is time for, one at least."""
    n_folds = min(len(context.folds), context.most_folds or len(context.folds))
    models, stops, seconds = [], [], []
    for number in range(n_folds):
        if not _deadline.allows(seconds):
            break
        _deadline.divide(n_folds - number)
        estimator, fidelity = context.spend(context.build(values, seed), trial.fidelity)  # may import a package
        began = time.perf_counter()
        model, stop = _fit_fold(context, estimator, fidelity, number)
        models.append(model)
        stops.append(stop)
        seconds.append(time.perf_counter() - began)
    return models, stops, seconds


def _bag_of(context, trial, outcome, models):
    """The fold models of a trial that is the best of this worker so far, as bytes; of repeats the first is enough."""
    mark = (trial.fidelity, len(models), outcome["score"])
    if context.bag is None or mark <= context.record:
        return {}
    if context.usable is not None and "footprint" in outcome and not context.usable(outcome["footprint"]):
        return {}
    once = [k for k in range(len(models)) if context.repeat is None or context.repeat[k] == context.repeat[0]]
    bag = context.bag([Pipeline(models[k].steps) for k in once], outcome["stop"])
    if bag is None:
        return {}
    context.record = mark
    return {"bag": bag}


def _footprint_of(context, values, seed, fitted, stops, known):
    """What `measure` says of the trial, given its last step as fitted on the first fold and what `rehearse` gave."""
    if context.measure is None:
        return {}
    return {"footprint": context.measure(context, values, seed, fitted, median_stop(stops), known)}


def median_stop(stops):
    """The middle of the stopping points, None where there are none."""
    known = [stop for stop in stops if stop is not None]
    return int(np.median(known)) if known else None


@dataclass
class _FoldModel:
    """Fitted steps of a pipeline, the classes that the last one saw among its attributes, and its validation rows."""

    steps: list
    X_valid: Any

    @property
    def last(self):
        return self.steps[-1][1]


def _fit_fold(context, estimator, fidelity, number):
    """A fitted model of a fold, its validation rows prepared, and its stopping point."""
    train, valid = context.folds[number]
    train = train[nested_rows(context.y[train], fidelity, context.min_class_rows, context.seed)]
    *first, (name, last) = estimator.steps if isinstance(estimator, Pipeline) else [("classify", estimator)]
    X_train, X_valid = take(context.X, train), take(context.X, valid)
    context.cache.begin(number, fidelity)
    prepare = context.cache.cache(_prepare)
    steps = []
    for step_name, step in first:
        X_train, X_valid, fitted = prepare(step, X_train, context.y[train], X_valid)
        steps.append((step_name, fitted))
    weight, weight_valid = (None if context.weight is None else context.weight[part] for part in (train, valid))
    fitted, stop = context.fit(last, X_train, context.y[train], weight, X_valid, context.y[valid], weight_valid)
    return _FoldModel([*steps, (name, fitted)], X_valid), stop


def _prepare(step, X_train, y, X_valid):
    """Training and validation rows after a first step, and the step, fitted."""
    return step.fit_transform(X_train, y), step.transform(X_valid), step


def _predict_fold(context, models, stops, number):
    """Probabilities of one fold at the stopping point of the other folds: its own would flatter it."""
    fitted, X_valid = models[number].last, models[number].X_valid
    repeat = np.zeros(len(stops)) if context.repeat is None else context.repeat
    others = [stop for k, stop in enumerate(stops) if k != number and repeat[k] == repeat[number]]
    stop = median_stop(others)
    proba = context.predict(fitted, X_valid, stop)
    columns = np.zeros((len(proba), context.n_classes))
    columns[:, fitted.classes_] = proba
    return columns


def take(X, rows):
    """Rows of an array, sparse matrix or DataFrame."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def nested_rows(y, fidelity, min_class_rows, seed):
    """Row numbers of a stratified share of the rows; a larger share holds the smaller ones.

    Every class keeps at least `min_class_rows` of its rows, or all that it has.
    """
    if fidelity >= 1:
        return np.arange(len(y))
    shuffled = child_rng(seed, "rows").permutation(len(y))
    kept = []
    for code in np.unique(y):
        rows = shuffled[y[shuffled] == code]
        kept.append(rows[: max(int(np.ceil(fidelity * len(rows))), min_class_rows)])
    return np.sort(np.concatenate(kept))
