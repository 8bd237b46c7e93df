"""Scores of rows with known labels, from the probabilities and the rule of a fitted classifier."""

import numpy as np
from sklearn.utils.validation import column_or_1d

from skauto.automl.evaluation._metrics import RANK_MEASURES, resolve_metric
from skauto.inputs._rows import read_weights
from skauto.resample._decision_rule import positive_last
from skauto.resample._threshold import CONFUSION_METRICS, confusion_of, labels_at


def score(y, proba, rule, scoring, sample_weight=None, X=None):
    """What `scoring` says of rows with known labels, a float.

    Parameters
    ----------
    y : array-like of shape (n,)
    proba : ndarray of shape (n, n_classes)
    rule : DecisionRule
    scoring : str, scorer or callable
        A callable of (estimator, X, y) is given `X`.
    sample_weight : array-like of shape (n,), default=None
    X : as the model takes it, default=None

    Raises
    ------
    ValueError
        If y has another length than proba, or labels that are no classes, and if weights are of another length,
        negative or all zero.
    """
    classes, order = rule.classes, positive_last(rule.classes, rule.pos_label)
    codes = np.argsort(order)[codes_of(y, classes, len(proba))]
    weight = None if sample_weight is None else read_weights(sample_weight, len(proba))
    _, kind, metric = resolve_metric(scoring, classes[order], rule.costs)
    if kind == "proba":
        return float(metric(codes, proba[:, order], weight))
    if kind == "estimator":
        return metric.judge(
            X, classes[order][codes], proba, rule.labels(proba), weight
        )[0]
    labels = labels_at(proba[:, order], rule.threshold)
    return float(metric(confusion_of(codes, labels, len(classes), weight)))


def scores_of(y, proba, rule, scoring, X=None):
    """The score, F1, AUC and AP of rows with known labels, a dict; NaN where labels need a threshold and none is known.

    Parameters
    ----------
    y, proba, scoring, X : as `score` takes them
    rule : DecisionRule
        Neither with a threshold nor with costs where the threshold is not known.
    """
    classes, order = rule.classes, positive_last(rule.classes, rule.pos_label)
    codes, ranked = np.argsort(order)[codes_of(y, classes, len(proba))], proba[:, order]
    scores = {name: measure(codes, ranked) for name, measure in RANK_MEASURES.items()}
    if rule.threshold is None and rule.costs is None:
        _, kind, _ = resolve_metric(scoring, classes[order], None)
        own = score(y, proba, rule, scoring) if kind == "proba" else np.nan
        return {"score": own, "F1": np.nan, **scores}
    predicted = np.argsort(order)[np.searchsorted(classes, rule.labels(proba))]
    f1 = CONFUSION_METRICS["f1_macro" if len(classes) > 2 else "f1"]
    scores["F1"] = float(f1(confusion_of(codes, predicted, len(classes))))
    return {"score": score(y, proba, rule, scoring, X=X), **scores}


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
        raise ValueError(
            f"y has labels that fit never saw: {unknown[:5]}; known are {classes.tolist()}"
        )
    return np.searchsorted(classes, labels)
