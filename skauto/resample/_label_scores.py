"""Label metrics as functions of confusion matrices, so that all thresholds of a sample are scored at once.

One with `uses_threshold = False` is best with the most probable label of each row: a threshold tuned on few rows would
mostly fit noise.
"""

import functools
from typing import Any

import numpy as np


def _per_class(confusion):
    """True positives, rows predicted and rows present for each class, from (..., K, K) matrices."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    return hits, confusion.sum(-2), confusion.sum(-1)


def _of_counts(function):
    """A metric of confusion matrices from one of true positives, rows predicted and rows present of each class.

    The counts have shape (..., K), which is K times less than the matrices.
    """

    @functools.wraps(function)
    def metric(confusion):
        return function(*_per_class(confusion))

    metric.of_counts = function
    return metric


def _ratio(numerator, denominator):
    return np.divide(numerator, denominator, out=np.zeros(np.shape(denominator)), where=denominator > 0)


def _f1_of_classes(hits, predicted, present):
    return _ratio(2.0 * hits, predicted + present)


@_of_counts
def f1(hits: np.ndarray, predicted: np.ndarray, present: np.ndarray) -> np.ndarray:
    """F1 of the last class, the positive one; confusion has shape (..., 2, 2), true by predicted."""
    return _f1_of_classes(hits, predicted, present)[..., -1]


@_of_counts
def f1_macro(hits: np.ndarray, predicted: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Mean F1 over the classes that occur in truth or prediction."""
    seen = (predicted + present > 0).sum(-1)
    return _ratio(_f1_of_classes(hits, predicted, present).sum(-1), seen)


@_of_counts
def f1_weighted(hits: np.ndarray, predicted: np.ndarray, present: np.ndarray) -> np.ndarray:
    """F1 averaged with the true class counts as weights."""
    return _ratio((_f1_of_classes(hits, predicted, present) * present).sum(-1), present.sum(-1))


@_of_counts
def accuracy(hits: np.ndarray, predicted: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Fraction of rows with the correct label."""
    return _ratio(hits.sum(-1), present.sum(-1))


accuracy.uses_threshold = False


@_of_counts
def balanced_accuracy(hits: np.ndarray, predicted: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Mean recall over the classes that occur."""
    return _ratio(_ratio(hits, present).sum(-1), (present > 0).sum(-1))


@_of_counts
def geometric_mean(hits: np.ndarray, predicted: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Geometric mean of the recalls of the classes that occur (Kubat and Matwin 1997)."""
    recalls = np.where(present > 0, _ratio(1.0 * hits, present), 1.0)
    return np.prod(recalls, axis=-1) ** _ratio(np.ones(recalls.shape[:-1]), (present > 0).sum(-1))


@_of_counts
def precision(hits: np.ndarray, predicted: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Precision of the last class."""
    return _ratio(hits, predicted)[..., -1]


@_of_counts
def recall(hits: np.ndarray, predicted: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Recall of the last class."""
    return _ratio(hits, present)[..., -1]


@_of_counts
def jaccard(hits: np.ndarray, predicted: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Jaccard index of the last class."""
    return _ratio(hits, predicted + present - hits)[..., -1]


@_of_counts
def matthews_corrcoef(hits: np.ndarray, predicted: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Matthews correlation, in its form for any number of classes (Gorodkin 2004)."""
    hits, predicted, present = (part.astype(float) for part in (hits, predicted, present))
    rows = present.sum(-1)
    covariance = hits.sum(-1) * rows - (predicted * present).sum(-1)
    spread = (rows**2 - (predicted**2).sum(-1)) * (rows**2 - (present**2).sum(-1))
    return _ratio(covariance, np.sqrt(np.maximum(spread, 0.0)))


def uses_threshold(metric: Any) -> bool:
    """Whether a label metric gains by a tuned threshold; so by default."""
    return getattr(metric, "uses_threshold", True)


CONFUSION_METRICS = {
    "f1": f1,
    "f1_macro": f1_macro,
    "f1_weighted": f1_weighted,
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "geometric_mean": geometric_mean,
    "precision": precision,
    "recall": recall,
    "jaccard": jaccard,
    "matthews_corrcoef": matthews_corrcoef,
}
