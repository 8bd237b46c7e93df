"""Scores of rows with known labels, from the probabilities and the rule of a fitted classifier."""

import numpy as np
from sklearn.utils.validation import column_or_1d

from skauto.automl.evaluation._metrics import RANK_MEASURES, resolve_metric
from skauto.inputs._rows import read_weights
from skauto.resample._decision_rule import DecisionRule, positive_last
from skauto.resample._threshold import CONFUSION_METRICS, confusion_of, labels_at


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
        labels = DecisionRule(classes, pos_label, threshold).labels(proba)
        return metric.judge(X, classes[order][codes], proba, labels, weight)[0]
    labels = labels_at(proba[:, order], threshold)
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
    labels = DecisionRule(classes, pos_label, threshold, cost_matrix).labels(proba)
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
