"""Scores of codes and probabilities that are computed here, without the checks of scikit-learn's."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from skauto.automl._types import ProbaMetric
from skauto.resample._constrained_goal import ConstrainedGoal
from skauto.resample._every_threshold import confusions

# A measure of boolean targets or codes, scores or probabilities, and weights.
Measure: TypeAlias = Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]


def mean_of_known(values: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The mean of what is known, NaN where nothing is."""
    values = np.asarray(values, dtype=float)
    known = ~np.isnan(values)
    weights = None if weights is None else np.asarray(weights)[known]
    return float(np.average(values[known], weights=weights)) if known.any() else np.nan


def _taken(
    y: np.ndarray, score: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Positives and rows at each threshold, from the highest score on, by weight: each of shape (n_thresholds,)."""
    if weight is not None:
        counted = weight > 0  # rows that do not count are no threshold either
        y, score, weight = y[counted], score[counted], weight[counted]
    if not len(y):
        return np.zeros(1), np.zeros(1)
    order = np.argsort(-score, kind="stable")
    hit = y[order]
    last = np.append(np.flatnonzero(np.diff(score[order])), len(y) - 1)
    if weight is None:
        return np.cumsum(hit)[last], last + 1
    weight = weight[order]
    return np.cumsum(hit * weight)[last], np.cumsum(weight)[last]


def average_precision(
    y: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None
) -> float:
    """Average precision of a boolean target; sklearn's definition, without its checks."""
    positives, predicted = _taken(y, score, weight)
    if positives[-1] <= 0:
        return np.nan
    return float(
        np.sum(np.diff(positives, prepend=0) * positives / predicted) / positives[-1]
    )


def average_precisions(
    y: np.ndarray, scores: np.ndarray, weight: np.ndarray | None = None
) -> np.ndarray:
    """Average precision of several scores of one boolean target at once.

    Parameters
    ----------
    y : ndarray of bool, shape (n,)
    scores : ndarray of shape (n_models, n)
    weight : ndarray of shape (n,), default=None

    Returns
    -------
    values : ndarray of shape (n_models,)
        As `average_precision` gives them; NaN without positives.
    """
    n_rows = scores.shape[1]
    rows_weight = np.ones(n_rows) if weight is None else weight
    hit_weight = np.where(y, rows_weight, 0.0)
    total = hit_weight.sum()
    if total <= 0:
        return np.full(len(scores), np.nan)
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=1)
    hits = hit_weight[order]
    predicted = np.cumsum(rows_weight[order], axis=1)
    precision = np.cumsum(hits, axis=1) / np.where(predicted > 0, predicted, 1.0)
    # Rows of equal scores are predicted together: each has the precision at the last of them.
    is_last = np.ones(scores.shape, dtype=bool)
    is_last[:, :-1] = ranked[:, 1:] != ranked[:, :-1]
    last = np.where(is_last, np.arange(n_rows), n_rows)
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    at_last = np.take_along_axis(precision, last, axis=1)
    return np.einsum("ij,ij->i", hits, at_last) / total


def ap_of_all(
    y: np.ndarray, stack: np.ndarray, weight: np.ndarray | None = None
) -> np.ndarray:
    """`ap_of` for each of several models: `stack` has shape (n_models, n, n_classes)."""
    if stack.shape[2] == 2:
        return average_precisions(y == 1, stack[..., 1], weight)
    of_classes = [
        average_precisions(y == k, stack[..., k], weight) for k in np.unique(y)
    ]
    return np.array([mean_of_known(values) for values in np.transpose(of_classes)])


def log_loss_of_all(
    y: np.ndarray, stack: np.ndarray, weight: np.ndarray | None = None
) -> np.ndarray:
    """`log_loss_of` for each of several models: `stack` has shape (n_models, n, n_classes)."""
    likely = np.maximum(stack[:, np.arange(len(y)), y], np.finfo(stack.dtype).eps)
    if weight is not None and not np.any(weight):
        return np.full(len(stack), np.nan)
    return np.average(np.log(likely), axis=1, weights=weight)


def area_under_curve(
    y: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None
) -> float:
    """Area under the ROC curve of a boolean target, by trapezoids as sklearn's; NaN where one class is missing."""
    positives, predicted = _taken(y, score, weight)
    negatives = predicted - positives
    if positives[-1] <= 0 or negatives[-1] <= 0:
        return np.nan
    heights = positives + np.append(0, positives[:-1])
    return float(
        np.sum(np.diff(negatives, prepend=0) * heights)
        / 2
        / positives[-1]
        / negatives[-1]
    )


def one_vs_rest(
    measure: Measure, y: np.ndarray, proba: np.ndarray, weight: np.ndarray | None = None
) -> float:
    """A ranking measure of the second column for two classes, its mean over the classes present for more."""
    if proba.shape[1] == 2:
        return measure(y == 1, proba[:, 1], weight)
    present = np.unique(y)
    return mean_of_known([measure(y == k, proba[:, k], weight) for k in present])


def average_of(values: np.ndarray, weight: np.ndarray | None) -> float:
    """The weighted mean, NaN where no row counts."""
    if weight is not None and not np.any(weight):
        return np.nan
    return float(np.average(values, weights=weight))


def _brier(y: np.ndarray, proba: np.ndarray, weight: np.ndarray | None = None) -> float:
    target = np.eye(proba.shape[1])[y]
    scale = 2.0 if proba.shape[1] == 2 else 1.0
    return -average_of(np.sum((proba - target) ** 2, axis=1) / scale, weight)


def log_loss_of(
    y: np.ndarray, proba: np.ndarray, weight: np.ndarray | None = None
) -> float:
    """Minus sklearn's log_loss, without its checks: the ensemble asks for it hundreds of times."""
    least = np.finfo(proba.dtype).eps  # bounded as scikit-learn does
    likely = np.maximum(proba[np.arange(len(y)), y], least)
    return average_of(np.log(likely), weight)


def auc_of(y: np.ndarray, proba: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Area under the ROC curve, of more than two classes the mean of each against the rest."""
    return one_vs_rest(area_under_curve, y, proba, weight)


def ap_of(y: np.ndarray, proba: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Average precision, of more than two classes the mean of each against the rest."""
    return one_vs_rest(average_precision, y, proba, weight)


def near_goal(
    goal: ConstrainedGoal,
    y: np.ndarray,
    proba: np.ndarray,
    weight: np.ndarray | None = None,
) -> float:
    """What an ensemble goes by under a goal: half the best that a threshold reaches, half average precision.

    The first alone depends on few rows near one threshold, and the ensemble would fit their noise.
    """
    every, _, _ = confusions(y, proba[:, 1], weight)
    return (ap_of(y, proba, weight) + float(goal.strict(every).max())) / 2


# Of codes and probabilities, shown of every model.
RANK_MEASURES: dict[str, Measure] = {"AUC": auc_of, "AP": ap_of}

# Those that are computed of several models at once, by the function that takes one.
OF_ALL: dict[Any, Callable[..., np.ndarray]] = {
    ap_of: ap_of_all,
    log_loss_of: log_loss_of_all,
}

PROBA_METRICS: dict[str, ProbaMetric] = {
    "roc_auc": auc_of,
    "roc_auc_ovr": auc_of,
    "average_precision": ap_of,
    "neg_log_loss": log_loss_of,
    "neg_brier_score": _brier,
}
