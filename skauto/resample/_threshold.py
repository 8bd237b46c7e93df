"""Thresholds on probabilities: pure functions of labels and out-of-fold probabilities."""

from collections.abc import Callable
from typing import Any

import numpy as np

from skauto._time_left import endless, first_of
from skauto.resample._every_threshold import confusions
from skauto.resample._expected_labels import expected_labels
from skauto.resample._label_scores import balanced_accuracy, f1_macro, matthews_corrcoef

# With fewer rows or positives than this a tuned threshold is noise (the rule of AutoGluon's threshold calibration).
MIN_ROWS = 50
MIN_POSITIVES = 10

# Rows whose log odds are nearer than this change sides together: a threshold between them would be rounding.
TIE = 1e-9


def confusion_of(y: np.ndarray, labels: np.ndarray, n_classes: int, sample_weight: Any = None) -> np.ndarray:
    """The (K, K) confusion matrix of integer codes, true by predicted."""
    cells = np.bincount(y * n_classes + labels, weights=sample_weight, minlength=n_classes * n_classes)
    return cells.reshape(n_classes, n_classes)


def labels_at(proba: np.ndarray, threshold: Any) -> np.ndarray:
    """Codes from probabilities of shape (n, K): a threshold on the second column, or weights of all columns."""
    if np.ndim(threshold) == 0:
        return (proba[:, 1] >= threshold).astype(np.int64)
    return np.argmax(proba * threshold, axis=1)


def default_threshold(n_classes: int) -> float | np.ndarray:
    """The threshold that leaves each row its most probable class."""
    return 0.5 if n_classes == 2 else np.ones(n_classes)


def tune_threshold(
    y: np.ndarray,
    proba: np.ndarray,
    metric: Any,
    sample_weight: Any = None,
    repeats: int = 1,
    left: Callable[[], float] = endless,
) -> float | np.ndarray:
    """The threshold on out-of-fold probabilities with the best value of a metric.

    For a built-in metric of two classes it is the best of what `expected_labels` expect, which few rows choose better.

    Parameters
    ----------
    y : ndarray of shape (n,), integer codes
    proba : ndarray of shape (n, K)
    metric : callable
        From confusion matrices of shape (..., K, K) to values of shape (...); greater is better.
    sample_weight : ndarray of shape (n,), default=None
    repeats : int, default=1
        How often each row occurs in y.
    left : callable, default=endless
        Gives the seconds left; without any, weights of many classes are those found so far.

    Returns
    -------
    threshold : float or ndarray of shape (K,)
        On the second column of two classes, a weight of each column of more; 0.5 or equal weights with too few rows.
    """
    n_classes = proba.shape[1]
    metric = getattr(metric, "chooser", metric)  # of a goal, which thresholds must meet to the letter
    counts = np.bincount(y, minlength=n_classes) / repeats
    few = len(y) / repeats < MIN_ROWS or (n_classes == 2 and counts.min() < MIN_POSITIVES)
    if few and not (getattr(metric, "always_tuned", False) and counts.min() > 0):
        return default_threshold(n_classes)
    if n_classes == 2:
        # Of the built-in metrics it is known that counts may be fractions.
        truth = expected_labels(y, proba[:, 1], sample_weight, repeats) if hasattr(metric, "of_counts") else y
        return _best_threshold(truth, proba[:, 1], metric, sample_weight)
    return _best_weights(y, proba, metric, sample_weight, counts >= MIN_POSITIVES, left)


def _best_threshold(truth, score, metric, sample_weight):
    """Score every threshold between two neighbouring values; the middle of the best stretch wins."""
    confusion, last, ranked = confusions(truth, score, sample_weight)
    best = _best_of(metric, confusion)
    if best == 0:
        return float(np.nextafter(ranked[0], np.inf))
    winner = last[best - 1]
    below = ranked[winner + 1] if winner + 1 < len(ranked) else 0.0
    middle = (ranked[winner] + below) / 2
    return float(middle if middle > below else ranked[winner])  # two neighbouring floats have no middle


def _best_of(metric, confusion):
    """The index where a metric is best; a slow metric tries some, more where few rows are positive, then refines."""
    most = getattr(metric, "max_thresholds", None)
    if most is None or len(confusion) <= most:
        return _argmax(metric(confusion))
    steps = np.append(0, np.geomspace(1, len(confusion) - 1, most).astype(int))
    indices = np.unique(np.append(steps, _guessed(confusion)))
    best = _argmax(metric(confusion[indices]))
    low, high = indices[max(best - 1, 0)], indices[min(best + 1, len(indices) - 1)]
    near = np.unique(np.append(np.linspace(low, high, most).astype(int), indices[best]))
    return int(near[_argmax(metric(confusion[near]))])


def _argmax(values):
    """The index of the greatest value; NaN counts as the least."""
    return int(np.argmax(np.nan_to_num(values, nan=-np.inf)))


def _guessed(confusion):
    """Indices where fast metrics are best: slow ones, too expensive to try everywhere, are often best there too."""
    return [_argmax(metric(confusion)) for metric in (f1_macro, balanced_accuracy, matthews_corrcoef)]


def _best_weights(y, proba, metric, sample_weight, movable, left, n_rounds=3, n_steps=48):
    """Coordinate ascent over the column weights: each class in turn takes the best of some factors between rows.

    The weights found so far are the answer where no time is left.
    """
    n_classes = proba.shape[1]

    def value(weights):
        return metric(confusion_of(y, labels_at(proba, weights), n_classes, sample_weight))

    with np.errstate(divide="ignore"):
        logs = np.log(proba.astype(float))
    weights = np.ones(n_classes)
    rivals = _Rivals(logs, weights)
    best = np.nan_to_num(value(weights), nan=-np.inf)
    for _ in range(n_rounds if getattr(metric, "max_thresholds", None) is None else 1):
        before = best
        for k in np.flatnonzero(movable):
            if left() <= 0:
                return weights
            moved = _moved(y, rivals, weights, k, metric, sample_weight, best, n_steps)
            reached = best if moved is weights else value(moved)
            if reached > best:  # labelled anew, since rounding can break ties
                best, weights, rivals = reached, moved, _Rivals(logs, moved)
        if best <= before:
            break
    return weights


def _moved(y, rivals, weights, k, metric, sample_weight, best, n_steps):
    """The weights, of mean 1, with the k-th where the metric is best; the same ones where none beats `best`."""
    rival, ratio = rivals.of(k)
    thresholds = _candidate_thresholds(ratio, n_steps)
    if not len(thresholds):
        return weights
    known = y, k, rival, ratio, thresholds, len(weights), sample_weight
    if hasattr(metric, "of_counts"):
        values = np.nan_to_num(metric.of_counts(*_counts_at(*known)), nan=-np.inf)
        winner, reached = np.argmax(values), values.max()
    else:
        winner, reached = _best_of_few(metric, _confusion_at(*known))
    if not reached > best:
        return weights
    moved = weights.copy()
    moved[k] *= np.exp(thresholds[winner])
    return moved / moved.mean()


def _best_of_few(metric, confusion):
    """The index where a metric is best, and its value; a slow metric tries some indices only."""
    most = getattr(metric, "max_thresholds", None)
    indices = np.arange(len(confusion))
    if most is not None and len(indices) > most:
        spread = np.linspace(0, len(indices) - 1, most // 2).astype(int)
        indices = np.unique(np.append(spread, _guessed(confusion)))
    values = np.nan_to_num(metric(confusion[indices]), nan=-np.inf)
    winner = int(np.argmax(values))
    return indices[winner], values[winner]


class _Rivals:
    """The two most probable classes of each row under some weights: the rivals when one class's weight changes.

    `logs` are those of the probabilities, of shape (n, K).
    """

    def __init__(self, logs: np.ndarray, weights: np.ndarray) -> None:
        rows = np.arange(len(logs))
        self.weighted = logs + np.log(weights)
        self.first = self.weighted.argmax(axis=1)
        self.level = self.weighted[rows, self.first]
        rest = self.weighted.copy()
        rest[rows, self.first] = -np.inf
        self.second = rest.argmax(axis=1)
        self.next_level = rest[rows, self.second]

    def of(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The best other class of each row, and the log of the factor by which column k would equal it."""
        own, leads = self.weighted[:, k], self.first == k
        rival = np.where(leads, self.second, self.first)
        level = np.where(leads, self.next_level, self.level)
        return rival, np.subtract(level, own, out=np.full(len(own), np.inf), where=own > -np.inf)


def _candidate_thresholds(ratio, n_steps):
    """Logs of factors between rows that change sides, all or evenly over the rows, at most those of 20 from one."""
    near = np.sort(ratio[np.abs(ratio) < np.log(20)])
    gaps = np.flatnonzero(np.diff(near) > TIE)
    if len(gaps) > n_steps:
        wanted = np.linspace(0, len(near) - 2, n_steps).astype(int)
        gaps = gaps[np.unique(np.searchsorted(gaps, wanted).clip(max=len(gaps) - 1))]
    return (near[gaps] + near[gaps + 1]) / 2


def _counts_at(y, k, rival, ratio, thresholds, n_classes, sample_weight):
    """True positives, rows predicted and rows present of each class at each threshold, each of shape (n_thresholds, K).

    Sums as in `_confusion_at`, without the cells that no built-in metric needs.
    """
    slot, shape = np.searchsorted(thresholds, ratio), (len(thresholds) + 1, n_classes)

    def stays(rows):
        weight = None if sample_weight is None else sample_weight[rows]
        cells = np.bincount(slot[rows] * n_classes + rival[rows], weight, np.prod(shape)).reshape(shape)
        return cells[:0:-1].cumsum(axis=0)[::-1]

    def moves(rows):
        weight = None if sample_weight is None else sample_weight[rows]
        return np.bincount(slot[rows], weight, len(thresholds) + 1)[:-1].cumsum()

    every = slice(None)
    hits, predicted = stays(y == rival), stays(every)
    hits[:, k] += moves(y == k)
    predicted[:, k] += moves(every)
    return hits, predicted, np.broadcast_to(np.bincount(y, sample_weight, n_classes), hits.shape)


def _confusion_at(y, k, rival, ratio, thresholds, n_classes, sample_weight):
    """The confusion matrix at each threshold, (n_thresholds, K, K): each row changes sides once, from its rival to k.

    Both sides are sums, never differences: an empty cell must be exactly zero.
    """
    slot = np.searchsorted(thresholds, ratio) * n_classes + y
    shape = (len(thresholds) + 1, n_classes)
    ours = np.bincount(slot, sample_weight, np.prod(shape)).reshape(shape)
    theirs = np.bincount(slot * n_classes + rival, sample_weight, np.prod(shape) * n_classes).reshape(*shape, -1)
    confusion = theirs[:0:-1].cumsum(axis=0)[::-1]
    confusion[:, :, k] += ours[:-1].cumsum(axis=0)
    return confusion


def cross_fitted_labels(
    y: np.ndarray,
    proba: np.ndarray,
    fold: np.ndarray,
    metric: Any,
    sample_weight: Any = None,
    left: Callable[[], float] = endless,
) -> np.ndarray:
    """Codes of out-of-fold rows, with each fold's threshold tuned on the other folds.

    Parameters
    ----------
    y : ndarray of shape (n,), integer codes
    proba : ndarray of shape (n, K)
    fold : ndarray of shape (n,)
        Number of the fold that a row was validated in.
    metric : callable
        As in `tune_threshold`.
    sample_weight : ndarray of shape (n,), default=None
    left : callable, default=endless
        Gives the seconds that are left, divided among the folds.

    Returns
    -------
    labels : ndarray of shape (n,), integer codes
    """
    labels = np.empty(len(y), dtype=np.int64)
    numbers = np.unique(fold)
    for done, number in enumerate(numbers):
        here, others = fold == number, fold != number
        weight = None if sample_weight is None else sample_weight[others]
        left_here = first_of(len(numbers) - done, left)
        labels[here] = labels_at(proba[here], tune_threshold(y[others], proba[others], metric, weight, left=left_here))
    return labels
