"""Scorers called with (estimator, X, y): served out of fold, for they may read columns of X."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pandas as pd

from skauto._time_left import endless
from skauto.automl._types import Threshold
from skauto.automl.evaluation._out_of_fold import with_index
from skauto.automl.evaluation._scoring import OfRows, Scoring
from skauto.inputs._types import Left, Rows
from skauto.resample._threshold import (
    MIN_POSITIVES,
    MIN_ROWS,
    default_threshold,
    labels_at,
)
from skauto.search._folds import take, take_if_given

# Thresholds that are compared: each is a call of the scorer for every fold. They lie closer where few rows are taken
# for positive, from this part of the positives on.
N_THRESHOLDS, FEWEST = 12, 0.25


@dataclass(frozen=True)
class EstimatorScoring(Scoring):
    """Scores the rows of X that each fold validates by a scorer of (estimator, X, y).

    `X` are all rows of the data, `index` is what the caller's DataFrame had as index, and `rows` the row number in X of
    each validation row. Of two classes the threshold is chosen among a few, where the scorer looks at labels.
    """

    X: Rows | None = None
    rows: np.ndarray = None  # type: ignore[assignment]  # always given
    index: pd.Index | None = None

    def threshold(self, proba: np.ndarray, left: Left = endless) -> Threshold:
        """The threshold that the scorer likes best on all rows; none for more classes or where it needs no labels."""
        y, oriented = self.oriented(proba)
        thresholds = self._candidate_thresholds(y, oriented)
        if len(thresholds) == 1:
            return thresholds[0]
        scores = self._of_thresholds(proba, thresholds, self.parts, left)
        return thresholds[_first_best(scores.mean(axis=1))]

    def take(self, rows: np.ndarray) -> "EstimatorScoring":
        """The scoring of some rows, which may be given more than once."""
        taken = cast(EstimatorScoring, super().take(rows))
        return replace(taken, rows=self.rows[rows])

    def _value(self, proba: np.ndarray, left: Left) -> OfRows:
        """The score of some rows, each fold labelled by the threshold that the other folds of its repeat like best."""
        return self.of_labels(proba, self.labels_of(proba, left))

    def of_labels(self, proba: np.ndarray, labels: np.ndarray) -> OfRows:
        """The score of some rows, a function of them, where `labels` are predicted."""
        return lambda rows: self._judged(proba, rows, labels=labels[rows])[0]

    def labels_of(self, proba: np.ndarray, left: Left = endless) -> np.ndarray:
        """Codes that are predicted, with the positive class last."""
        y, oriented = self.oriented(proba)
        thresholds = self._candidate_thresholds(y, oriented)
        labels = labels_at(oriented, default_threshold(proba.shape[1]))
        if len(thresholds) > 1:
            folds = [np.flatnonzero(self.part == k) for k in np.unique(self.part)]
            scores = self._of_thresholds(proba, thresholds, folds, left)
            for k, best in enumerate(self._best_on_other_folds(scores, folds)):
                labels[folds[k]] = labels_at(oriented[folds[k]], thresholds[best])
        return labels

    def _best_on_other_folds(
        self, scores: np.ndarray, folds: list[np.ndarray]
    ) -> Iterator[int]:
        """For each fold the number of the threshold with the best mean score of the rows of the others."""
        sizes = np.array([len(rows) for rows in folds])
        repeat = np.array([self.repeat[rows[0]] for rows in folds])
        for k in range(len(folds)):
            weights = np.where(repeat == repeat[k], sizes, 0)
            weights[k] = 0
            others = weights > 0
            yield _first_best(scores[:, others] @ weights[others])

    def _of_thresholds(
        self,
        proba: np.ndarray,
        thresholds: list[Threshold],
        parts: list[np.ndarray],
        left: Left,
    ) -> np.ndarray:
        """The scores of some parts of the rows, for each threshold that there is time for.

        Returns
        -------
        scores : ndarray of shape (n_thresholds, n_parts)
            NaN for the thresholds without time.
        """
        scores = np.full((len(thresholds), len(parts)), np.nan)
        for row, threshold in enumerate(thresholds):
            if left() <= 0:
                break
            for column, rows in enumerate(parts):
                scores[row, column], _ = self._judged(proba, rows, threshold)
        return scores

    def _candidate_thresholds(
        self, y: np.ndarray, proba: np.ndarray
    ) -> list[Threshold]:
        """Thresholds to choose from, the plain one first; that alone where rows are few or no labels are looked at."""
        plain = default_threshold(proba.shape[1])
        counts = np.bincount(y, minlength=2) / len(self.parts)
        if proba.shape[1] > 2 or self.n_rows < MIN_ROWS or counts.min() < MIN_POSITIVES:
            return [plain]
        given = proba if self.positive == 1 else proba[:, ::-1]
        if not self._judged(given, self.parts[0], plain)[1]:
            return [plain]
        taken = np.geomspace(FEWEST * counts[1] / self.n_rows, 1.0, N_THRESHOLDS)
        return [plain, *np.unique(np.quantile(proba[:, 1], 1 - taken))]

    def _judged(
        self,
        proba: np.ndarray,
        rows: np.ndarray,
        threshold: Threshold | None = None,
        labels: np.ndarray | None = None,
    ) -> tuple[float, bool]:
        """The score of some rows and whether labels were looked at; `labels` are codes with the positive class last."""
        _, oriented = self.oriented(proba)
        codes = labels_at(oriented[rows], threshold) if labels is None else labels
        flipped = proba.shape[1] == 2 and self.positive == 0
        classes, places = self.metric.classes, self.rows[rows]
        X = with_index(take(self.X, places), take_if_given(self.index, places))
        return self.metric.judge(
            X, classes[self.y[rows]], proba[rows],
            classes[1 - codes if flipped else codes], self._weight(rows),
        )  # fmt: skip


def _first_best(values: np.ndarray) -> int:
    """Where values are greatest, the first on a tie; what is not a number is never best."""
    return int(np.argmax(np.where(np.isnan(values), -np.inf, values)))
