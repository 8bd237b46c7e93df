"""What a score is of: metrics of codes and probabilities or labels, by the names of scikit-learn or from scorers."""

import copy
import warnings
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer, get_scorer_names

from skauto.automl._types import JudgedBy
from skauto.automl.evaluation._out_of_fold import EstimatorMetric, takes_estimator
from skauto.automl.evaluation._ranking import PROBA_METRICS, average_of
from skauto.inputs._closest import did_you_mean
from skauto.inputs._types import Label
from skauto.resample._constrained_goal import goal_of
from skauto.resample._costs import checked_costs, costs_of, expected_costs
from skauto.resample._label_metric import (
    LabelMetric,
    as_shown,
    parameters_of,
    requests_of,
    wants_weight,
)
from skauto.resample._label_scores import CONFUSION_METRICS
from skauto.search._sandbox import attempt

# Names that mean the positive class for two classes and the mean over classes for more.
MACRO = {"f1": "f1_macro"}

# Rows on which it is found out which of two labels a function means.
SAMPLE = 400

# Names that mean the positive class and nothing else.
OF_TWO = ("precision", "recall", "jaccard")


class _ProbaMetric:
    """A scikit-learn probability scorer as a function of codes and probabilities.

    Of two classes a function is given one column: that of the positive class, the last of `classes`. A function that
    knows no `pos_label` may mean the greater label all the same, as scikit-learn's own do.
    """

    def __init__(self, scorer: Any, classes: np.ndarray) -> None:
        self.scorer = scorer
        self.labels, self.kwargs = as_shown(scorer, classes)
        self.takes_weight = wants_weight(scorer)
        self.order = np.argsort(self.labels)  # columns as scikit-learn has them
        if len(classes) == 2 and self.order[1] == 0 and not self._means_the_greater():
            self.order = self.order[::-1]

    def _means_the_greater(self) -> bool:
        """Whether the function takes the greater label for positive: true labels then score better by its column."""
        if "pos_label" in parameters_of(self.scorer):
            return False
        if self.scorer._score_func.__module__.startswith("sklearn.metrics."):
            return True
        positive = (np.arange(SAMPLE) % 4 == 0).astype(int)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            own, other = (
                attempt(self._value, self.labels[positive], 0.1 + 0.8 * column).value
                for column in (positive, 1 - positive)
            )
        return own is not None and other is not None and bool(other > own)

    def _value(self, y: np.ndarray, scores: np.ndarray, **rows: np.ndarray) -> Any:
        return self.scorer._sign * self.scorer._score_func(
            y, scores, **rows, **self.kwargs
        )

    def __call__(
        self, y: np.ndarray, proba: np.ndarray, weight: np.ndarray | None = None
    ) -> float:
        y, proba = self.labels[y], proba[:, self.order]
        present = np.isin(self.labels[self.order], y)
        # Classes of one or two rows are never validated.
        if len(self.labels) > 2 and not present.all():
            proba = proba[:, present]
            total = proba.sum(axis=1, keepdims=True)
            proba = proba / np.maximum(total, 1e-15)
        if proba.shape[1] < 2:
            return np.nan
        rows = {}
        if weight is not None and self.takes_weight:
            rows["sample_weight"] = weight
        scores = proba[:, 1] if proba.shape[1] == 2 else proba
        return self._value(y, scores, **rows)


class CostMetric:
    """Minus the mean cost of a row where each decision is the one of least expected cost.

    Costs of shape (n, K, K) are those of n rows; a call then says by `rows` which of them it is about.
    """

    def __init__(self, cost_matrix: Any, classes: np.ndarray) -> None:
        order = np.argsort(classes)
        n_rows = len(cost_matrix) if np.ndim(cost_matrix) == 3 else None
        costs = checked_costs(cost_matrix, np.asarray(classes)[order], n_rows)
        back = np.argsort(order)
        self.costs = costs[..., back[:, None], back]
        self.by_row = n_rows is not None

    def take(self, rows: np.ndarray) -> "CostMetric":
        """The metric of some rows, where costs differ by row."""
        taken = copy.copy(self)
        taken.costs = self.costs[rows]
        return taken

    def __call__(
        self,
        y: np.ndarray,
        proba: np.ndarray,
        weight: np.ndarray | None = None,
        rows: np.ndarray | slice = slice(None),
    ) -> float:
        costs = self.costs[rows] if self.by_row else self.costs
        decisions = expected_costs(proba, costs).argmin(axis=1)
        return -average_of(costs_of(y, decisions, costs), weight)


# Scores that are computed here, by name.
OWN_METRICS = frozenset([*CONFUSION_METRICS, *PROBA_METRICS, "cost"])


def resolve_metric(
    scoring: Any, classes: np.ndarray, cost_matrix: Any = None
) -> tuple[str, JudgedBy, Any]:
    """The name of a scoring, what it is judged by ("labels", "proba" or "estimator") and its function.

    Parameters
    ----------
    scoring : str or scorer
    classes : ndarray of shape (n_classes,)
        The labels in the order of their codes, of two the positive one last.
    cost_matrix : array-like of shape (n_classes, n_classes) or (n, n_classes, n_classes) or DataFrame, default=None
        Takes the place of the score: `[true, predicted]` in the order of the sorted labels, or labelled.

    Raises
    ------
    ValueError
        If the name is unknown; the message holds the nearest names. If both goals are given.
    """
    if cost_matrix is not None:
        if scoring != "f1":
            raise ValueError(
                f"scoring={scoring!r} and cost_matrix are two goals: with costs the score is the mean cost, so leave "
                "scoring at its default"
            )
        return "cost", "proba", CostMetric(cost_matrix, classes)
    if not isinstance(scoring, str):
        return _from_scorer(scoring, classes)
    goal = goal_of(scoring)
    if goal is not None:
        if len(classes) > 2:
            raise ValueError(
                f"scoring={scoring!r} is for two classes, y has {len(classes)}"
            )
        return goal.name, "labels", goal
    name = MACRO.get(scoring, scoring) if len(classes) > 2 else scoring
    if name in OF_TWO and len(classes) > 2:
        raise ValueError(
            f"scoring={scoring!r} is for two classes, y has {len(classes)}; use '{scoring}_macro'"
        )
    if name in CONFUSION_METRICS:
        return name, "labels", CONFUSION_METRICS[name]
    if name in PROBA_METRICS:
        return name, "proba", PROBA_METRICS[name]
    if name in get_scorer_names():
        return (name, *_from_scorer(get_scorer(name), classes)[1:])
    known = sorted({*CONFUSION_METRICS, *PROBA_METRICS, *get_scorer_names()})
    hint = did_you_mean(scoring, known, most=3)
    hint = hint or f"; for example {sorted(CONFUSION_METRICS)}"
    raise ValueError(f"scoring={scoring!r} is not a known score{hint}")


def _from_scorer(scorer: Any, classes: np.ndarray) -> tuple[str, JudgedBy, Any]:
    if takes_estimator(scorer):
        return (
            getattr(scorer, "__name__", type(scorer).__name__),
            "estimator",
            EstimatorMetric(scorer, classes),
        )
    if not hasattr(scorer, "_score_func"):
        hint = ""
        if isinstance(scorer, list | tuple | set | dict):
            hint = (
                "; one score decides: to see others too, give a dict of scores by name, "
                "the deciding one first"
            )
        elif hasattr(scorer, "__name__"):
            hint = f"; pass make_scorer({scorer.__name__})"
        raise ValueError(
            f"scoring={scorer!r} must be a name such as 'f1', a scorer made by sklearn.metrics.make_scorer, or a "
            f"function of (estimator, X, y){hint}"
        )
    if scorer._score_func.__module__ == "sklearn.metrics._regression":
        raise ValueError(
            f"scoring={scorer!r} is for regression; AutoClassifier needs a score of classes, such as 'f1'"
        )
    _check_requests(scorer)
    name = getattr(scorer._score_func, "__name__", "score")
    if scorer._response_method == "predict":
        return name, "labels", LabelMetric(scorer, classes)
    return name, "proba", _ProbaMetric(scorer, classes)


def _check_requests(scorer: Any) -> None:
    """Refuse requests for what `fit` does not take."""
    requested = {name for name, alias in requests_of(scorer).items() if alias}
    others = sorted(requested - {"sample_weight"})
    if others:
        raise ValueError(
            f"scoring={scorer!r} requests {', '.join(others)}, which AutoClassifier does not route: let a function of "
            "(estimator, X, y) read a column of X, or give cost_matrix"
        )


def own_pos_label(scoring: Any) -> Label | None:
    """The pos_label that a scorer was made with, None without one."""
    return getattr(scoring, "_kwargs", {}).get("pos_label")
