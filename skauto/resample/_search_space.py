"""Imbalance strategies, none first: a space for any search over ResamplingClassifier."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skauto.resample._inner_models import passes_on
from skauto.resample._random_samplers import RandomOverSampler, RandomUnderSampler
from skauto.resample._rusboost import RUSBoostClassifier
from skauto.resample._smote import SMOTE
from skauto.resample._smote_variants import BorderlineSMOTE

MAX_SYNTHETIC = 50_000  # rows that over-sampling may add: each is one more row to fit
MIN_FOR_NEIGHBOURS = 6  # rows of the smallest class from which neighbours are informative
MIN_FOR_UNDER_SAMPLING = 100
MIN_IMBALANCE = 1.5  # below this ratio of the largest to the smallest class there is nothing to balance
RATIOS = (0.1, 0.25, 0.5, 1.0)

# The samplers to try, over-sampling first; those of AutoClassifier are these too.
BETWEEN_NEIGHBOURS = (SMOTE, BorderlineSMOTE)
OVER = (*BETWEEN_NEIGHBOURS, RandomOverSampler)
UNDER = (RandomUnderSampler,)


def imbalance_search_space(y: Any, estimator: Any, prefix: str = "") -> list[dict[str, list[Any]]]:
    """What to try against the imbalance of y, for a `ResamplingClassifier(estimator, sampler=None)`.

    The first entry changes nothing: every other has to beat it on the same folds. Then class weights, where the
    estimator, what it wraps or the last step of a Pipeline has them and their probabilities can be corrected (only
    "balanced" where the inner classifier sees encoded labels), and samplers with their settings: only ratios that
    add or remove rows, and not too many. Over-sampling goes up to half the largest class, and to its full size
    only where the classes are nearer than that already.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels.
    estimator : classifier
        The inner classifier.
    prefix : str, default=""
        Put before each name, for a ResamplingClassifier that is a step: "model__".

    Returns
    -------
    space : list of dict
        In scikit-learn's form: `ParameterGrid`, `GridSearchCV` and `skauto.search` take it.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skauto.resample import imbalance_search_space
    >>> space = imbalance_search_space([0] * 900 + [1] * 60, LogisticRegression())
    >>> space[0]
    {'sampler': [None]}
    >>> space[2]["sampler"], space[2]["sampler__sampling_strategy"]
    ([SMOTE(random_state=0)], [0.1, 0.25, 0.5])
    """
    labels, counts = np.unique(np.asarray(pd.Series(y)), return_counts=True)
    space: list[dict[str, list[Any]]] = [{"sampler": [None]}]
    if counts.max() >= MIN_IMBALANCE * counts.min():
        name, by_label = class_weight_parameter(estimator)
        if name is not None:
            weights = ["balanced", _root_weights(labels, counts)] if by_label else ["balanced"]
            space.append({"sampler": [None], f"estimator__{name}": weights})
        space += _over(counts) + _under(counts)
    return [{prefix + name: values for name, values in entry.items()} for entry in space]


def class_weight_parameter(estimator: Any) -> tuple[str | None, bool]:
    """The parameter for class weights: of the estimator itself, one that it wraps, or the last step of a Pipeline.

    Parameters
    ----------
    estimator : classifier

    Returns
    -------
    name : str or None
        The parameter, "step__class_weight" say. None where there is none, or where the probabilities could not be
        corrected to the unresampled class fractions.
    by_label : bool
        Whether the classes keep their labels there, so that a dict can name them.
    """
    path, by_label, calibrated = [], True, not hasattr(estimator, "predict_proba")
    while isinstance(estimator, FrozenEstimator) or not hasattr(estimator, "class_weight"):
        calibrated = calibrated or isinstance(estimator, CalibratedClassifierCV)
        if isinstance(estimator, FrozenEstimator):
            return None, False
        if isinstance(estimator, Pipeline):
            step, estimator = estimator.steps[-1]
        elif hasattr(estimator, "estimator") and (calibrated or _readable(estimator)):
            by_label = by_label and _keeps_labels(estimator)
            step, estimator = "estimator", estimator.estimator
        else:
            return None, False
        path.append(step)
    return "__".join([*path, "class_weight"]), by_label


def _readable(estimator):
    """Whether `trained_priors` reads class weights within an estimator."""
    readable = passes_on(estimator) or isinstance(estimator, BaggingClassifier)
    return readable and not isinstance(estimator, RUSBoostClassifier)


def _keeps_labels(estimator):
    """Whether the inner classifier sees the labels unchanged; others pass codes, or one class against the rest."""
    return passes_on(estimator) or isinstance(estimator, CalibratedClassifierCV)


def _root_weights(labels, counts):
    """Half way to balanced weights, on a logarithmic scale."""
    weights = np.sqrt(counts.sum() / (len(counts) * counts))
    return dict(zip(labels.tolist(), weights.tolist(), strict=True))


def _over(counts):
    added = {ratio: np.maximum(int(counts.max() * ratio) - counts, 0).sum() for ratio in RATIOS}
    ratios = [ratio for ratio, rows in added.items() if 0 < rows <= MAX_SYNTHETIC]
    ratios = [ratio for ratio in ratios if ratio < 1] or ratios
    if not ratios:
        return []
    space = []
    for cls in OVER:
        entry = {"sampler": [cls(random_state=0)], "sampler__sampling_strategy": ratios}
        if cls in BETWEEN_NEIGHBOURS:
            if counts.min() < MIN_FOR_NEIGHBOURS:
                continue
            entry["sampler__k_neighbors"] = [k for k in (3, 5, 9) if k < counts.min()]
        space.append(entry)
    return space


def _under(counts):
    ratios = [ratio for ratio in RATIOS if (counts > counts.min() / ratio).any()]
    if counts.min() < MIN_FOR_UNDER_SAMPLING and counts.sum() < MAX_SYNTHETIC:
        ratios = [ratio for ratio in ratios if counts.min() / ratio >= MIN_FOR_UNDER_SAMPLING]
    if not ratios:
        return []
    return [{"sampler": [cls(random_state=0)], "sampler__sampling_strategy": ratios} for cls in UNDER]
