"""Fitted pipelines of chosen trials, refitted on all rows."""

import time

import numpy as np
from sklearn.pipeline import Pipeline

from skauto._seeds import child_seed
from skauto.automl.evaluation._context import Evaluation, weights_for
from skauto.automl.evaluation._early_stopping import with_rounds
from skauto.automl.evaluation._fold_models import release_limits, release_threads
from skauto.automl.selection._select import Scored
from skauto.search import _deadline


def refit(
    context: Evaluation, trial: Scored, labels: np.ndarray, seconds: float | None = None
) -> Pipeline:
    """Fit a trial's pipeline on all rows, with the labels as the user gave them; runs in a worker.

    A network plans its training with no more than `seconds`.
    """
    if seconds is not None:
        _deadline.end_by(time.monotonic() + seconds)
    # Loads imbalanced-learn, which importing skauto must not.
    from skauto.automl._imbalance import with_labels

    seed = child_seed(context.seed, "trial", trial.number)
    values = (
        trial.values
        if context.build.is_own(trial.values)
        else with_labels(trial.values, labels)
    )
    build = context.build.for_refit()
    pipeline = build.plan_training(trial.values, build(values, seed))
    pipeline = with_rounds(pipeline, trial.best_iteration)
    y = labels[context.y]
    # The last step apart from the others: weights go to it alone, and a step may not know them.
    prepared, (name, last) = context.X, pipeline.steps[-1]
    if len(pipeline.steps) > 1:
        prepared = pipeline[:-1].fit_transform(context.X, y)
    fitted = last.fit(prepared, y, **weights_for(last, context.weight))
    pipeline.steps[-1] = (name, fitted)
    if not context.build.is_own(trial.values):  # whose settings are the user's
        release_threads(fitted)
        release_limits(fitted)
    return pipeline


def as_final(pipeline: Pipeline, labels: np.ndarray) -> Pipeline:
    """The pipeline of a trial as a final one: with the labels that its codes stand for, and no limit of seconds."""
    last = pipeline.steps[-1][1]
    release_limits(last)
    while last is not None:
        last.classes_ = labels[last.classes_]
        last = getattr(last, "estimator_", None)
    return pipeline
