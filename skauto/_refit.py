"""Fitted pipelines of chosen trials: the refit on all rows, and the cut as its last step."""

import copy
import time

import numpy as np
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline

from skauto._seeds import child_seed
from skauto.estimators._early_stopping import with_rounds
from skauto.resample._fixed_thresholds import MulticlassFixedThresholdClassifier
from skauto.search import _deadline
from skauto.search._evaluate import fit_weighted


def refit(context, trial, labels, seconds=None):
    """Fit a trial's pipeline on all rows, with the labels as the user gave them; runs in a worker.

    A network plans its training with no more than `seconds`.
    """
    if seconds is not None:
        _deadline.end_by(time.monotonic() + seconds)
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
    release_limits(pipeline.steps[-1][1])
    return pipeline


def as_final(pipeline, labels):
    """The pipeline of a trial as a final one: with the labels that its codes stand for, and no limit of seconds."""
    last = pipeline.steps[-1][1]
    release_limits(last)
    while last is not None:
        last.classes_ = labels[last.classes_]
        last = getattr(last, "estimator_", None)
    return pipeline


def release_limits(estimator):
    """Forget how many seconds a trial had left for a network, in what was fitted and in what it was made from."""
    if hasattr(estimator, "time_limit"):
        estimator.time_limit = None
    for part in (getattr(estimator, "estimator", None), getattr(estimator, "estimator_", None)):
        if part is not None:
            release_limits(part)


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
