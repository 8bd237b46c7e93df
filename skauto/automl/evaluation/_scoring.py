"""What a search maximises: scores of pooled out-of-fold probabilities."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from skauto._time_left import endless, first_of
from skauto.automl._splits import parts_of_one_fold
from skauto.automl._types import JudgedBy, LabelsMetric, ProbaMetric, Threshold
from skauto.automl.evaluation._guides import Guides
from skauto.automl.evaluation._ranking import (
    ap_of,
    auc_of,
    mean_of_known,
)
from skauto.inputs._types import Left
from skauto.resample._label_scores import CONFUSION_METRICS, uses_threshold
from skauto.resample._threshold import (
    confusion_of,
    cross_fitted_labels,
    default_threshold,
    labels_at,
    tune_threshold,
)
from skauto.search import _deadline
from skauto.search._folds import take_if_given

# A score of some rows, given their numbers.
OfRows: TypeAlias = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Scoring(Guides):
    """Scores out-of-fold probabilities of one data set; sent to the workers once.

    y, fold, repeat and weight have shape (n_validated,): one entry for each row of each validation fold, in the
    order of the folds. `judged_by` is what `metric` takes. `positive` is the code that a two-class threshold is about.
    `part` is what thresholds are chosen and tried on in turn: the folds, but where a repeat of them has one alone,
    parts of that. `also` are further scores, which are only shown.
    """

    name: str
    judged_by: JudgedBy
    metric: Any
    y: np.ndarray
    fold: np.ndarray
    repeat: np.ndarray
    weight: np.ndarray | None = None
    positive: int = 1
    part: np.ndarray = None  # type: ignore[assignment]  # the folds, if not given
    also: "tuple[Scoring, ...]" = ()
    parts: list[np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        if self.part is None:
            object.__setattr__(self, "part", self.fold)
        object.__setattr__(
            self,
            "parts",
            [np.flatnonzero(self.repeat == r) for r in np.unique(self.repeat)],
        )

    def first(self, n_rows: int) -> "Scoring":
        """The scoring of the first rows alone, those of whole folds; a single one is judged in parts, as in a plan."""
        if n_rows == len(self.y):
            return self
        fold, part = self.fold[:n_rows], self.part[:n_rows].copy()
        last = self.repeat[:n_rows] == self.repeat[n_rows - 1]
        if len(np.unique(fold[last])) == 1:
            part[last] = part.max() + 1 + parts_of_one_fold(self.y[:n_rows][last], 0)
        if last.all() and len(np.unique(fold)) == 1:
            fold = part
        weight = take_if_given(self.weight, slice(n_rows))
        return replace(
            self,
            y=self.y[:n_rows],
            fold=fold,
            part=part,
            repeat=self.repeat[:n_rows],
            weight=weight,
            also=tuple(other.first(n_rows) for other in self.also),
        )

    def take(self, rows: np.ndarray) -> "Scoring":
        """The scoring of some rows, which may be given more than once, without the scores that are only shown."""
        metric = self.metric
        if getattr(metric, "by_row", False):
            metric = metric.take(rows)
        return replace(
            self,
            metric=metric,
            y=self.y[rows],
            fold=self.fold[rows],
            part=self.part[rows],
            repeat=self.repeat[rows],
            weight=take_if_given(self.weight, rows),
            also=(),
        )

    @property
    def n_rows(self) -> int:
        """Rows that one repeat of the cross-validation validates."""
        return max(map(len, self.parts))

    def oriented(self, proba: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Codes and probabilities with the positive class second (two classes only)."""
        if proba.shape[1] == 2 and self.positive == 0:
            return 1 - self.y, proba[:, ::-1]
        return self.y, proba

    def low_fidelity_score(self, proba: np.ndarray) -> float:
        """Average precision, the mean over repeats: what rungs go by; of fewer rows, those of the first folds."""
        if len(proba) < len(self.y):
            return self.first(len(proba)).low_fidelity_score(proba)
        y, proba = self.oriented(proba)
        return mean_of_known(
            [ap_of(y[rows], proba[rows], self._weight(rows)) for rows in self.parts]
        )

    def report(self, proba: np.ndarray, left: Left = endless) -> dict[str, Any]:
        """The score, F1, AUC, AP and the score of each fold; the score is 0 where no fold could be judged.

        Fewer probabilities than rows are those of the first folds. `left` gives the seconds that are left: with few,
        the thresholds of many classes are those found so far.
        """
        if len(proba) < len(self.y):
            return self.first(len(proba)).report(proba, left)
        given = proba
        y, proba = self.oriented(proba)
        # Its thresholds come first, as time may run out: the others are only shown.
        value = self._value(given, left)
        f1 = CONFUSION_METRICS["f1_macro" if proba.shape[1] > 2 else "f1"]
        measures = {
            "F1": self._pooled(
                value if self.metric is f1 else self._label_score(y, proba, f1, left)
            ),
            "AUC": self._pooled(
                lambda rows: auc_of(y[rows], proba[rows], self._weight(rows))
            ),
            "AP": self._pooled(
                lambda rows: ap_of(y[rows], proba[rows], self._weight(rows))
            ),
        }
        folds = [value(np.flatnonzero(self.fold == k)) for k in np.unique(self.fold)]
        score = self._pooled(value)
        return {
            "score": score if np.isfinite(score) else 0.0,
            "fold_scores": folds,
            **measures,
            "also": self._others(given, left),
        }

    def _others(self, proba: np.ndarray, left: Left) -> dict[str, float] | None:
        """The scores that are only shown, by name: of the labels that this score decides for."""
        if not self.also:
            return None
        labels = self.labels_of(proba, left)
        return {
            other.name: self._pooled(other.of_labels(proba, labels))
            for other in self.also
        }

    def labels_of(self, proba: np.ndarray, left: Left = endless) -> np.ndarray:
        """Codes that are predicted, with the positive class last: each fold's by thresholds of the others."""
        y, proba = self.oriented(proba)
        if self.judged_by == "proba":
            return labels_at(proba, default_threshold(proba.shape[1]))
        return self._labels(y, proba, self.metric, left)[0]

    def labels_at(self, proba: np.ndarray, threshold: Threshold) -> np.ndarray:
        """Codes at a threshold, with the positive class last."""
        return labels_at(self.oriented(proba)[1], threshold)

    def of_labels(self, proba: np.ndarray, labels: np.ndarray) -> OfRows:
        """The score of some rows, a function of them, where `labels` are predicted."""
        y, proba = self.oriented(proba)
        if self.judged_by == "proba":
            return lambda rows: self._called(self.metric, y, proba, rows)
        return self._scored(y, labels, self.metric, proba.shape[1])

    def report_of_trial(self, proba: np.ndarray) -> dict[str, Any]:
        """The report of the trial at hand, in half of the time that it has left: what it found must still be sent."""
        return self.report(proba, first_of(2, _deadline.left))

    def threshold(self, proba: np.ndarray, left: Left = endless) -> Threshold:
        """The threshold with the best score on all rows; the default where the score needs no labels, or the likeliest.

        A weight for each of many classes is mostly luck: it must have paid where it was chosen on other folds. `left`
        gives the seconds that are left, as in `report`.
        """
        y, proba = self.oriented(proba)
        size = proba.shape[1]
        if self.judged_by == "proba" or not uses_threshold(self.metric):
            return default_threshold(size)
        if size > 2 and not self._labels(y, proba, self.metric, first_of(2, left))[1]:
            return default_threshold(size)
        return tune_threshold(
            y, proba, self.metric, self.weight, repeats=len(self.parts), left=left
        )

    def _value(self, proba: np.ndarray, left: Left) -> OfRows:
        """The score of some rows, a function of them."""
        y, proba = self.oriented(proba)
        if self.judged_by == "proba":
            return lambda rows: self._called(self.metric, y, proba, rows)
        return self._label_score(y, proba, self.metric, left)

    def _called(
        self, metric: ProbaMetric, y: np.ndarray, proba: np.ndarray, rows: np.ndarray
    ) -> float:
        """A metric of probabilities of some rows; one that knows the rows is told which they are."""
        known = {"rows": rows} if getattr(metric, "by_row", False) else {}
        return metric(y[rows], proba[rows], self._weight(rows), **known)

    def _label_score(
        self, y: np.ndarray, proba: np.ndarray, metric: LabelsMetric, left: Left
    ) -> OfRows:
        """The metric of some rows, labelled by thresholds tuned on the other folds of their repeat, or the default."""
        labels, _ = self._labels(y, proba, metric, left)
        return self._scored(y, labels, metric, proba.shape[1])

    def _labels(
        self, y: np.ndarray, proba: np.ndarray, metric: LabelsMetric, left: Left
    ) -> tuple[np.ndarray, bool]:
        """Labels, and whether thresholds are tuned: of two classes always, of many where that pays on other folds."""
        size = proba.shape[1]
        plain = labels_at(proba, default_threshold(size))
        if not uses_threshold(metric):
            return plain, False
        threshold = np.empty(len(y), dtype=np.int64)
        for done, rows in enumerate(self.parts):
            fraction = first_of(len(self.parts) - done, left)
            threshold[rows] = cross_fitted_labels(
                y[rows],
                proba[rows],
                self.part[rows],
                metric,
                self._weight(rows),
                fraction,
            )
        if size == 2:
            return threshold, True
        worth, without = (
            self._pooled(self._scored(y, labels, metric, size))
            for labels in (threshold, plain)
        )
        return (threshold, True) if worth > without else (plain, False)

    def _scored(
        self, y: np.ndarray, labels: np.ndarray, metric: LabelsMetric, size: int
    ) -> OfRows:
        return lambda rows: float(
            metric(confusion_of(y[rows], labels[rows], size, self._weight(rows)))
        )

    def _pooled(self, value: OfRows) -> float:
        """The mean of what each repeat of the folds says; one that was cut short counts by its rows."""
        return mean_of_known(
            [value(rows) for rows in self.parts], [len(rows) for rows in self.parts]
        )

    def _weight(self, rows: np.ndarray) -> np.ndarray | None:
        return take_if_given(self.weight, rows)
