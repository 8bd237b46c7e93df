"""What a search maximises: scores of pooled out-of-fold probabilities, each fold cut where the others like it."""

import difflib
import warnings
from dataclasses import dataclass, field, replace

import numpy as np
from sklearn.metrics import get_scorer, get_scorer_names

from skauto._out_of_fold import EstimatorMetric, takes_estimator
from skauto._splits import parts_of_one_fold
from skauto._time_left import endless, first_of
from skauto.resample._costs import checked_costs, costs_of, expected_costs
from skauto.resample._label_metric import LabelMetric, as_shown, parameters_of, requests_of, wants_weight
from skauto.resample._threshold import (
    CONFUSION_METRICS,
    best_cut,
    confusion_of,
    cross_fitted_labels,
    cut_labels,
    no_cut,
    wants_cut,
)
from skauto.search import _deadline
from skauto.search._sandbox import attempt

# Names that mean the positive class for two classes and the mean over classes for more.
MACRO = {"f1": "f1_macro"}

# Rows on which it is found out which of two labels a function means.
SAMPLE = 400

# Names that mean the positive class and nothing else.
OF_TWO = ("precision", "recall", "jaccard")


def _taken(y, score, weight):
    """Positives and rows at each threshold, from the highest score on, by weight: each of shape (n_thresholds,)."""
    if weight is not None and not np.all(weight):  # rows that do not count are no threshold either
        y, score, weight = y[weight > 0], score[weight > 0], weight[weight > 0]
    if not len(y):
        return np.zeros(1), np.zeros(1)
    order = np.argsort(-score, kind="stable")
    hit = y[order] if weight is None else y[order] * weight[order]
    last = np.append(np.flatnonzero(np.diff(score[order])), len(y) - 1)
    predicted = (np.arange(1, len(y) + 1) if weight is None else np.cumsum(weight[order]))[last]
    return np.cumsum(hit)[last], predicted


def average_precision(y, score, weight=None):
    """Average precision of a boolean target; sklearn's definition, without its checks."""
    positives, predicted = _taken(y, score, weight)
    if positives[-1] <= 0:
        return np.nan
    return float(np.sum(np.diff(positives, prepend=0) * positives / predicted) / positives[-1])


def area_under_curve(y, score, weight=None):
    """Area under the ROC curve of a boolean target, by trapezoids as sklearn's; NaN where one class is missing."""
    positives, predicted = _taken(y, score, weight)
    negatives = predicted - positives
    if positives[-1] <= 0 or negatives[-1] <= 0:
        return np.nan
    heights = positives + np.append(0, positives[:-1])
    return float(np.sum(np.diff(negatives, prepend=0) * heights) / 2 / positives[-1] / negatives[-1])


def one_vs_rest(measure, y, proba, weight=None):
    """A ranking measure of the second column for two classes, its mean over the classes present for more."""
    if proba.shape[1] == 2:
        return measure(y == 1, proba[:, 1], weight)
    present = np.unique(y)
    return _mean([measure(y == k, proba[:, k], weight) for k in present])


def _average(values, weight):
    """The weighted mean, NaN where no row counts."""
    return float(np.average(values, weights=weight)) if weight is None or np.any(weight) else np.nan


def _brier(y, proba, weight=None):
    target = np.eye(proba.shape[1])[y]
    scale = 2.0 if proba.shape[1] == 2 else 1.0
    return -_average(np.sum((proba - target) ** 2, axis=1) / scale, weight)


def _log_loss(y, proba, weight=None):
    """Minus sklearn's log_loss, without its checks: the ensemble asks for it hundreds of times."""
    likely = np.maximum(proba[np.arange(len(y)), y], np.finfo(proba.dtype).eps)  # bounded as scikit-learn does
    return _average(np.log(likely), weight)


def _auc(y, proba, weight=None):
    return one_vs_rest(area_under_curve, y, proba, weight)


def _ap(y, proba, weight=None):
    return one_vs_rest(average_precision, y, proba, weight)


RANK_MEASURES = {"AUC": _auc, "AP": _ap}  # of codes and probabilities, shown of every model

PROBA_METRICS = {
    "roc_auc": _auc,
    "roc_auc_ovr": _auc,
    "average_precision": _ap,
    "neg_log_loss": _log_loss,
    "neg_brier_score": _brier,
}


class _ProbaMetric:
    """A scikit-learn probability scorer as a function of codes and probabilities.

    Of two classes a function is given one column: that of the positive class, the last of `classes`. A function that
    knows no `pos_label` may mean the greater label all the same, as scikit-learn's own do.
    """

    def __init__(self, scorer, classes):
        self.scorer = scorer
        self.labels, self.kwargs = as_shown(scorer, classes)
        self.takes_weight = wants_weight(scorer)
        self.order = np.argsort(self.labels)  # columns as scikit-learn has them
        if len(classes) == 2 and self.order[1] == 0 and not self._means_the_greater():
            self.order = self.order[::-1]

    def _means_the_greater(self):
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

    def _value(self, y, scores, **rows):
        return self.scorer._sign * self.scorer._score_func(y, scores, **rows, **self.kwargs)

    def __call__(self, y, proba, weight=None):
        y, proba = self.labels[y], proba[:, self.order]
        present = np.isin(self.labels[self.order], y)
        if len(self.labels) > 2 and not present.all():  # classes of one or two rows are never validated
            proba = proba[:, present] / np.maximum(proba[:, present].sum(axis=1, keepdims=True), 1e-15)
        if proba.shape[1] < 2:
            return np.nan
        rows = {} if weight is None or not self.takes_weight else {"sample_weight": weight}
        scores = proba[:, 1] if proba.shape[1] == 2 else proba
        return self._value(y, scores, **rows)


class CostMetric:
    """Minus the mean cost of a row where each decision is the one of least expected cost.

    Costs of shape (n, K, K) are those of n rows; a call then says by `rows` which of them it is about.
    """

    def __init__(self, cost_matrix, classes):
        order = np.argsort(classes)
        n_rows = len(cost_matrix) if np.ndim(cost_matrix) == 3 else None
        costs = checked_costs(cost_matrix, np.asarray(classes)[order], n_rows)
        back = np.argsort(order)
        self.costs = costs[..., back[:, None], back]
        self.by_row = n_rows is not None

    def __call__(self, y, proba, weight=None, rows=slice(None)):
        costs = self.costs[rows] if self.by_row else self.costs
        decisions = expected_costs(proba, costs).argmin(axis=1)
        return -_average(costs_of(y, decisions, costs), weight)


# Scores that are computed here, by name.
OWN_METRICS = frozenset([*CONFUSION_METRICS, *PROBA_METRICS, "cost"])


def resolve_metric(scoring, classes, cost_matrix=None):
    """The name, kind ("labels" or "proba") and function of a scoring.

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
    name = MACRO.get(scoring, scoring) if len(classes) > 2 else scoring
    if name in OF_TWO and len(classes) > 2:
        raise ValueError(f"scoring={scoring!r} is for two classes, y has {len(classes)}; use '{scoring}_macro'")
    if name in CONFUSION_METRICS:
        return name, "labels", CONFUSION_METRICS[name]
    if name in PROBA_METRICS:
        return name, "proba", PROBA_METRICS[name]
    if name in get_scorer_names():
        return (name, *_from_scorer(get_scorer(name), classes)[1:])
    known = sorted({*CONFUSION_METRICS, *PROBA_METRICS, *get_scorer_names()})
    close = difflib.get_close_matches(scoring.lower(), known, n=3)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else f"for example {sorted(CONFUSION_METRICS)}"
    raise ValueError(f"scoring={scoring!r} is not a known score; {hint}")


def _from_scorer(scorer, classes):
    if takes_estimator(scorer):
        return getattr(scorer, "__name__", type(scorer).__name__), "estimator", EstimatorMetric(scorer, classes)
    if not hasattr(scorer, "_score_func"):
        hint = "; one score decides" if isinstance(scorer, list | tuple | set | dict) else ""
        hint = f"; pass make_scorer({scorer.__name__})" if hasattr(scorer, "__name__") else hint
        raise ValueError(
            f"scoring={scorer!r} must be a name such as 'f1', a scorer made by sklearn.metrics.make_scorer, or a "
            f"function of (estimator, X, y){hint}"
        )
    if scorer._score_func.__module__ == "sklearn.metrics._regression":
        raise ValueError(f"scoring={scorer!r} is for regression; AutoClassifier needs a score of classes, such as 'f1'")
    _check_requests(scorer)
    name = getattr(scorer._score_func, "__name__", "score")
    if scorer._response_method == "predict":
        return name, "labels", LabelMetric(scorer, classes)
    return name, "proba", _ProbaMetric(scorer, classes)


def _check_requests(scorer):
    """Refuse requests for what `fit` does not take."""
    others = sorted(name for name, alias in requests_of(scorer).items() if alias and name != "sample_weight")
    if others:
        raise ValueError(
            f"scoring={scorer!r} requests {', '.join(others)}, which AutoClassifier does not route: let a function of "
            "(estimator, X, y) read a column of X, or give cost_matrix"
        )


def own_pos_label(scoring):
    """The pos_label that a scorer was made with, None without one."""
    return getattr(scoring, "_kwargs", {}).get("pos_label")


def _mean(values):
    """The mean of what is known, NaN where nothing is."""
    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else np.nan


@dataclass(frozen=True)
class Scoring:
    """Scores out-of-fold probabilities of one data set; sent to the workers once.

    y, fold, repeat and weight have shape (n_validated,): one entry for each row of each validation fold, in the
    order of the folds. `positive` is the code that a two-class threshold is about. `part` is what thresholds are chosen
    and tried on in turn: the folds, but where a drawing of them has one alone, parts of that.
    """

    name: str
    kind: str
    metric: object
    y: np.ndarray
    fold: np.ndarray
    repeat: np.ndarray
    weight: np.ndarray | None = None
    positive: int = 1
    part: np.ndarray | None = None
    parts: list = field(init=False)

    def __post_init__(self):
        if self.part is None:
            object.__setattr__(self, "part", self.fold)
        object.__setattr__(self, "parts", [np.flatnonzero(self.repeat == r) for r in np.unique(self.repeat)])

    def first(self, n_rows):
        """The scoring of the first rows alone, those of whole folds; a single one is judged in parts, as in a plan."""
        if n_rows == len(self.y):
            return self
        fold, part, last = (
            self.fold[:n_rows],
            self.part[:n_rows].copy(),
            self.repeat[:n_rows] == self.repeat[n_rows - 1],
        )
        if len(np.unique(fold[last])) == 1:
            part[last] = part.max() + 1 + parts_of_one_fold(self.y[:n_rows][last], 0)
        if last.all() and len(np.unique(fold)) == 1:
            fold = part
        weight = None if self.weight is None else self.weight[:n_rows]
        return replace(self, y=self.y[:n_rows], fold=fold, part=part, repeat=self.repeat[:n_rows], weight=weight)

    @property
    def n_rows(self):
        """Rows that a drawing of the folds validates."""
        return max(map(len, self.parts))

    def oriented(self, proba):
        """Codes and probabilities with the positive class second (two classes only)."""
        if proba.shape[1] == 2 and self.positive == 0:
            return 1 - self.y, proba[:, ::-1]
        return self.y, proba

    def rank(self, proba):
        """Average precision, the mean over repeats: what rungs go by; of fewer rows, those of the first folds."""
        if len(proba) < len(self.y):
            return self.first(len(proba)).rank(proba)
        y, proba = self.oriented(proba)
        return _mean([_ap(y[rows], proba[rows], self._weight(rows)) for rows in self.parts])

    def select(self, proba):
        """What the ensemble goes by: a smooth stand-in for the score, whose steps are too coarse for few rows.

        A score of probabilities is its own. A cut makes good for any scale, so average precision, which sees none, is
        right before one; where the likeliest label is taken as it is, the scale matters: log loss.
        """
        y, proba = self.oriented(proba)
        return self._pooled(lambda rows: self._called(self._stand_in, y, proba, rows))

    @property
    def _stand_in(self):
        return self.metric if self.kind == "proba" else _ap if wants_cut(self.metric) else _log_loss

    @property
    def guides(self):
        """What the members of the ensemble are selected by, each once, the quick one first, as time may run out."""
        return [self.select] if self._stand_in is _log_loss else [self.likelihood, self.select]

    def likelihood(self, proba):
        """Mean log-likelihood of the true classes: what the ensemble goes by too, smooth where positives are few."""
        return self._pooled(lambda rows: _log_loss(self.y[rows], proba[rows], self._weight(rows)))

    def report(self, proba, left=endless):
        """The score, F1, AUC, AP and the score of each fold; the score is 0 where no fold could be judged.

        Fewer probabilities than rows are those of the first folds. `left` gives the seconds that are left: with few,
        the thresholds of many classes are those found so far.
        """
        if len(proba) < len(self.y):
            return self.first(len(proba)).report(proba, left)
        given = proba
        y, proba = self.oriented(proba)
        value = self._value(given, left)  # before F1, which is only shown: time may run out
        f1 = CONFUSION_METRICS["f1_macro" if proba.shape[1] > 2 else "f1"]
        measures = {
            "F1": self._pooled(value if self.metric is f1 else self._label_score(y, proba, f1, left)),
            "AUC": self._pooled(lambda rows: _auc(y[rows], proba[rows], self._weight(rows))),
            "AP": self._pooled(lambda rows: _ap(y[rows], proba[rows], self._weight(rows))),
        }
        folds = [value(np.flatnonzero(self.fold == k)) for k in np.unique(self.fold)]
        score = self._pooled(value)
        return {"score": score if np.isfinite(score) else 0.0, "fold_scores": folds, **measures}

    def report_of_trial(self, proba):
        """The report of the trial at hand, in half of the time that it has left: what it found must still be sent."""
        return self.report(proba, first_of(2, _deadline.left))

    def cut(self, proba, left=endless):
        """The cut that the score likes best on all rows; none where it needs no labels, or just the likeliest ones.

        A weight for each of many classes is mostly luck: it must have paid where it was chosen on other folds. `left`
        gives the seconds that are left, as in `report`.
        """
        y, proba = self.oriented(proba)
        size = proba.shape[1]
        if self.kind == "proba" or not wants_cut(self.metric):
            return no_cut(size)
        if size > 2 and not self._labels(y, proba, self.metric, first_of(2, left))[1]:
            return no_cut(size)
        return best_cut(y, proba, self.metric, self.weight, repeats=len(self.parts), left=left)

    def _value(self, proba, left):
        """The score of some rows, a function of them."""
        y, proba = self.oriented(proba)
        if self.kind == "proba":
            return lambda rows: self._called(self.metric, y, proba, rows)
        return self._label_score(y, proba, self.metric, left)

    def _called(self, metric, y, proba, rows):
        """A metric of probabilities of some rows; one that knows the rows is told which they are."""
        known = {"rows": rows} if getattr(metric, "by_row", False) else {}
        return metric(y[rows], proba[rows], self._weight(rows), **known)

    def _label_score(self, y, proba, metric, left):
        """The metric of some rows, labelled by cuts chosen on the other folds of their repeat, or uncut."""
        labels, _ = self._labels(y, proba, metric, left)
        return self._scored(y, labels, metric, proba.shape[1])

    def _labels(self, y, proba, metric, left):
        """Labels, and whether they are cut: of two classes always, of many where that pays on other folds."""
        size = proba.shape[1]
        plain = cut_labels(proba, no_cut(size))
        if not wants_cut(metric):
            return plain, False
        cut = np.empty(len(y), dtype=np.int64)
        for done, rows in enumerate(self.parts):
            share = first_of(len(self.parts) - done, left)
            cut[rows] = cross_fitted_labels(y[rows], proba[rows], self.part[rows], metric, self._weight(rows), share)
        if size == 2:
            return cut, True
        worth, without = (self._pooled(self._scored(y, labels, metric, size)) for labels in (cut, plain))
        return (cut, True) if worth > without else (plain, False)

    def _scored(self, y, labels, metric, size):
        return lambda rows: float(metric(confusion_of(y[rows], labels[rows], size, self._weight(rows))))

    def _pooled(self, value):
        """The mean of what each drawing of the folds says; one that was cut short counts by its rows."""
        values = np.array([value(rows) for rows in self.parts], dtype=float)
        known = ~np.isnan(values)
        sizes = np.array([len(rows) for rows in self.parts])
        return float(np.average(values[known], weights=sizes[known])) if known.any() else np.nan

    def _weight(self, rows):
        return None if self.weight is None else self.weight[rows]
