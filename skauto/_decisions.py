"""From probabilities to labels by thresholds or costs, and the score of labelled rows."""

import numpy as np
from sklearn.utils.validation import column_or_1d

from skauto._metrics import RANK_MEASURES, resolve_metric
from skauto._row_inputs import read_weights
from skauto.resample._costs import expected_costs
from skauto.resample._threshold import CONFUSION_METRICS, confusion_of, cut_labels


def decide(proba, classes, pos_label, threshold, cost_matrix):
    """Labels of rows.

    Parameters
    ----------
    proba : ndarray of shape (n, n_classes)
        Columns in the order of `classes`.
    classes : ndarray of shape (n_classes,)
    pos_label : label or None
        The class that a single threshold is about; None for more than two classes.
    threshold : float or ndarray of shape (n_classes,)
    cost_matrix : ndarray of shape (n_classes, n_classes) or (n, n_classes, n_classes), or None
        Costs go before thresholds.

    Returns
    -------
    labels : ndarray of shape (n,)
    """
    if cost_matrix is not None:
        return classes[expected_costs(proba, cost_matrix).argmin(axis=1)]
    order = positive_last(classes, pos_label)
    return classes[order][cut_labels(proba[:, order], threshold)]


def score(y, proba, classes, pos_label, threshold, cost_matrix, scoring, sample_weight=None, X=None):
    """What `scoring` says of rows with known labels, a float; a scorer of (estimator, X, y) is given X.

    Raises
    ------
    ValueError
        If y has another length than proba, or labels that are no classes, and if weights are of another length,
        negative or all zero.
    """
    order = positive_last(classes, pos_label)
    codes = np.argsort(order)[codes_of(y, classes, len(proba))]
    weight = None if sample_weight is None else read_weights(sample_weight, len(proba))
    _, kind, metric = resolve_metric(scoring, classes[order], cost_matrix)
    if kind == "proba":
        return float(metric(codes, proba[:, order], weight))
    if kind == "estimator":
        labels = decide(proba, classes, pos_label, threshold, None)
        return metric.judge(X, classes[order][codes], proba, labels, weight)[0]
    labels = cut_labels(proba[:, order], threshold)
    return float(metric(confusion_of(codes, labels, len(classes), weight)))


def scores_of(y, proba, threshold, classes, pos_label, cost_matrix, scoring, X=None):
    """The score, F1, AUC and AP of rows with known labels, a dict; NaN where labels need a threshold and none is known.

    Parameters
    ----------
    y, proba, classes, pos_label, cost_matrix, scoring, X : as `score` takes them
    threshold : float, ndarray of shape (n_classes,) or None
    """
    size, order = len(classes), positive_last(classes, pos_label)
    codes, ranked = np.argsort(order)[codes_of(y, classes, len(proba))], proba[:, order]
    _, kind, _ = resolve_metric(scoring, classes[order], cost_matrix)
    scores = {name: measure(codes, ranked) for name, measure in RANK_MEASURES.items()}
    if threshold is None and cost_matrix is None:
        own = {} if kind != "proba" else {"score": score(y, proba, classes, pos_label, None, None, scoring)}
        return {"score": np.nan, "F1": np.nan, **scores, **own}
    labels = decide(proba, classes, pos_label, threshold, cost_matrix)
    confusion = confusion_of(codes, np.argsort(order)[np.searchsorted(classes, labels)], size)
    scores["F1"] = float(CONFUSION_METRICS["f1_macro" if size > 2 else "f1"](confusion))
    return {"score": score(y, proba, classes, pos_label, threshold, cost_matrix, scoring, X=X), **scores}


def codes_of(y, classes, n_rows):
    """Places of labels among the classes, shape (n,).

    Raises
    ------
    ValueError
        If y has another length than `n_rows`, or labels that are no classes.
    """
    labels = column_or_1d(y)
    if len(labels) != n_rows:
        raise ValueError(f"X has {n_rows} rows, but y has {len(labels)}")
    unknown = sorted(set(labels.tolist()) - set(classes.tolist()), key=str)
    if unknown:
        raise ValueError(f"y has labels that fit never saw: {unknown[:5]}; known are {classes.tolist()}")
    return np.searchsorted(classes, labels)


def positive_last(classes, pos_label):
    """The order of the classes in which thresholds mean the last of two."""
    order = np.arange(len(classes))
    return order[::-1] if pos_label is not None and pos_label == classes[0] else order
