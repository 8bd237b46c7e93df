"""Scores of rows with known labels, from the probabilities and the rule of a fitted classifier."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils.validation import column_or_1d

from skauto.automl._types import JudgedBy
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
    classes = rule.classes[positive_last(rule.classes, rule.pos_label)]
    judge = resolve_metric(scoring, classes, rule.costs)
    return _judge_of(y, proba, rule, X, sample_weight)(judge)


def scores_of(
    y: Any,
    proba: np.ndarray,
    rule: DecisionRule,
    scoring: Any,
    X: Rows | None = None,
    also: dict[str, Any] | None = None,
    sample_weight: Any = None,
) -> dict[str, float]:
    """The score, F1, AUC, AP and further scores of rows with known labels, a dict.

    Those of labels are NaN where the threshold is not known.

    Parameters
    ----------
    y, proba, scoring, X, sample_weight : as `score` takes them
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
    judged = _judge_of(y, proba, rule, X, sample_weight)
    return {name: judged(judge) for name, judge in judges.items()}


def _judge_of(
    y: Any,
    proba: np.ndarray,
    rule: DecisionRule,
    X: Rows | None,
    sample_weight: Any = None,
) -> Callable[[tuple[str, JudgedBy, Any]], float]:
    """A function of metrics, as `resolve_metric` gives them: what they say of rows that are read once for all of them.

    That is NaN of a metric of labels where nothing decides on these.
    """
    classes, order = rule.classes, positive_last(rule.classes, rule.pos_label)
    places = codes_of(y, classes, len(proba))
    back = np.argsort(order)
    codes, ranked = back[places], proba[:, order]
    weight = None if sample_weight is None else read_weights(sample_weight, len(proba))
    undecided = rule.threshold is None and rule.costs is None
    labels = functools.cache(lambda: rule.labels(proba))

    def judged(judge: tuple[str, JudgedBy, Any]) -> float:
        _, judged_by, metric = judge
        if judged_by == "proba":
            return float(metric(codes, ranked, weight))
        if undecided:
            return np.nan
        if judged_by == "estimator":
            return metric.judge(X, classes[places], proba, labels(), weight)[0]
        predicted = back[np.searchsorted(classes, labels())]
        return float(metric(confusion_of(codes, predicted, len(classes), weight)))

    return judged


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
