"""Scores of rows with known labels, from the probabilities and the rule of a fitted classifier."""

from typing import Any

import numpy as np
from sklearn.utils.validation import column_or_1d

from skauto.automl.evaluation._metrics import resolve_metric
from skauto.automl.evaluation._ranking import RANK_MEASURES
from skauto.inputs._rows import read_weights
from skauto.inputs._types import Rows
from skauto.resample._decision_rule import DecisionRule, positive_last
from skauto.resample._threshold import confusion_of


def score(
    y: Any,
    proba: np.ndarray,
    rule: DecisionRule,
    scoring: Any,
    sample_weight: Any = None,
    X: Rows | None = None,
) -> float:
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
    order = positive_last(rule.classes, rule.pos_label)
    judge = resolve_metric(scoring, rule.classes[order], rule.costs)
    return _judged(judge, y, proba, rule, sample_weight, X)


def scores_of(
    y: Any,
    proba: np.ndarray,
    rule: DecisionRule,
    scoring: Any,
    X: Rows | None = None,
    also: dict[str, Any] | None = None,
) -> dict[str, float]:
    """The score, F1, AUC, AP and further scores of rows with known labels, a dict.

    Those of labels are NaN where the threshold is not known.

    Parameters
    ----------
    y, proba, scoring, X : as `score` takes them
    rule : DecisionRule
        Neither with a threshold nor with costs where the threshold is not known.
    also : dict, default=None
        Further scores by name.
    """
    classes = rule.classes[positive_last(rule.classes, rule.pos_label)]
    judges = {"score": resolve_metric(scoring, classes, rule.costs)}
    f1 = "f1_macro" if len(classes) > 2 else "f1"
    for name, other in {"F1": f1, **(also or {})}.items():
        judges[name] = resolve_metric(other, classes)
    for name, measure in RANK_MEASURES.items():
        judges[name] = (name, "proba", measure)
    undecided = rule.threshold is None and rule.costs is None
    scores: dict[str, float] = {}
    for name, judge in judges.items():
        of_labels = judge[1] != "proba"
        scores[name] = np.nan
        if not (undecided and of_labels):
            scores[name] = _judged(judge, y, proba, rule, None, X)
    return scores


def _judged(
    judge: tuple[str, str, Any],
    y: Any,
    proba: np.ndarray,
    rule: DecisionRule,
    sample_weight: Any,
    X: Rows | None,
) -> float:
    """What a metric, as `resolve_metric` gives it, says of rows."""
    _, kind, metric = judge
    classes, order = rule.classes, positive_last(rule.classes, rule.pos_label)
    places = codes_of(y, classes, len(proba))
    codes = np.argsort(order)[places]
    weight = None if sample_weight is None else read_weights(sample_weight, len(proba))
    if kind == "proba":
        return float(metric(codes, proba[:, order], weight))
    labels = rule.labels(proba)
    if kind == "estimator":
        return metric.judge(X, classes[places], proba, labels, weight)[0]
    predicted = np.argsort(order)[np.searchsorted(classes, labels)]
    return float(metric(confusion_of(codes, predicted, len(classes), weight)))


def codes_of(y: Any, classes: np.ndarray, n_rows: int) -> np.ndarray:
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
