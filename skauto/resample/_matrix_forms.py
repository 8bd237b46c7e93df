"""scikit-learn's scores of labels as functions of confusion matrices, for many matrices at once."""

from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np
from sklearn import metrics

from skauto.resample._label_scores import accuracy, balanced_accuracy, matthews_corrcoef

# What these score beside the counts of a class: beta of F-beta; precision is beta 0, recall beta without bound.
BETAS = {metrics.f1_score: 1.0, metrics.precision_score: 0.0, metrics.recall_score: np.inf}
PLAIN = {
    metrics.accuracy_score: accuracy,
    metrics.balanced_accuracy_score: balanced_accuracy,
    metrics.matthews_corrcoef: matthews_corrcoef,
}
AVERAGES = ("binary", "macro", "weighted", "micro")


def matrix_form(
    function: Callable[..., Any], kwargs: dict[str, Any], labels: np.ndarray
) -> Callable[..., np.ndarray] | None:
    """The score as a function of confusion matrices (..., K, K), or None where there is no such form.

    Parameters
    ----------
    function : callable
        Of scikit-learn, else there is none.
    kwargs : dict
        Its settings. Those that are not known here mean that there is no form.
    labels : ndarray of shape (K,)
        What the function is given for the codes; of two classes 1 is the positive one.
    """
    if not isinstance(function, FunctionType):  # an object that is called need not be hashable
        return None
    if kwargs.get("average", "binary") is None:  # one score a class
        return None
    kwargs = {name: value for name, value in kwargs.items() if value is not None}
    if function in PLAIN and not kwargs:
        return PLAIN[function]
    if function is metrics.cohen_kappa_score and set(kwargs) <= {"weights"}:
        return partial(kappa, weights=kwargs.get("weights"))
    betas = {**BETAS, metrics.fbeta_score: kwargs.pop("beta", 1.0) if function is metrics.fbeta_score else None}
    if function in betas or function is metrics.jaccard_score:
        return _of_classes(function, betas.get(function), kwargs, labels)
    return None


def _of_classes(function, beta, kwargs, labels):
    average = kwargs.pop("average", "binary")
    if kwargs or average not in AVERAGES or (average == "binary" and len(labels) > 2):
        return None
    positive = int(np.flatnonzero(labels == 1)[0]) if average == "binary" and 1 in labels.tolist() else -1
    measure = _jaccard if function is metrics.jaccard_score else partial(_f_beta, beta=beta)
    return partial(averaged, measure=measure, average=average, positive=positive)


def kappa(confusion: np.ndarray, weights: str | None = None) -> np.ndarray:
    """Cohen's kappa, plain or with linear or quadratic weights; classes keep their distances, seen or not.

    References
    ----------
    J. Cohen, "Weighted kappa", Psychological Bulletin 70(4), 1968.
    """
    n_classes = confusion.shape[-1]
    away = np.abs(np.subtract.outer(np.arange(n_classes), np.arange(n_classes)))
    penalty = {None: away > 0, "linear": away, "quadratic": away**2}[weights].astype(float)
    total = confusion.sum((-2, -1))[..., None, None]
    expected = confusion.sum(-1)[..., :, None] * confusion.sum(-2)[..., None, :] / total
    with np.errstate(invalid="ignore", divide="ignore"):
        return 1 - (penalty * confusion).sum((-2, -1)) / (penalty * expected).sum((-2, -1))


def averaged(
    confusion: np.ndarray, measure: Callable[..., np.ndarray], average: str | None, positive: int
) -> np.ndarray:
    """A measure of each class against the rest: of one class, the mean of those that occur, weighted, or pooled."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1).astype(float)
    predicted, present = confusion.sum(-2).astype(float), confusion.sum(-1).astype(float)
    if average == "micro":
        return measure(*(part.sum(-1) for part in (hits, predicted, present)))
    values = measure(hits, predicted, present)
    if average == "binary":
        return values[..., positive]
    weight = present if average == "weighted" else (predicted + present > 0).astype(float)
    return (values * weight).sum(-1) / weight.sum(-1)


def _f_beta(hits, predicted, present, beta):
    if beta == np.inf:
        return _ratio(hits, present)
    return _ratio((1 + beta**2) * hits, predicted + beta**2 * present)


def _jaccard(hits, predicted, present):
    return _ratio(hits, predicted + present - hits)


def _ratio(numerator, denominator):
    return np.divide(numerator, denominator, out=np.zeros(np.shape(denominator)), where=denominator > 0)
