"""What the members of an ensemble are selected by: smooth stand-ins for a score, of one model or of several at once."""

import functools
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from skauto.automl._types import JudgedBy, ProbaMetric
from skauto.automl.evaluation._ranking import (
    OF_ALL,
    ap_of,
    log_loss_of,
    log_loss_of_all,
    mean_of_known,
    near_goal,
)
from skauto.resample._constrained_goal import ConstrainedGoal
from skauto.resample._label_scores import uses_threshold


class Guides:
    """The part of a Scoring that ensembles are selected by."""

    # What a Scoring has.
    name: str
    judged_by: JudgedBy
    metric: Any
    y: np.ndarray
    parts: list[np.ndarray]
    oriented: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    _pooled: Callable[[Callable[[np.ndarray], float]], float]
    _called: Callable[..., float]
    _weight: Callable[[np.ndarray], np.ndarray | None]

    def select(self, proba: np.ndarray) -> float:
        """What the ensemble goes by: a smooth stand-in for the score, whose steps are too coarse for few rows.

        A score of probabilities is its own. A tuned threshold makes good for any scale, so average precision, which
        sees none, is right before one; where the likeliest label is taken as it is, the scale matters: log loss.
        """
        y, proba = self.oriented(proba)
        return self._pooled(lambda rows: self._called(self._stand_in, y, proba, rows))

    def select_all(self, stack: np.ndarray) -> np.ndarray:
        """`select` for each of several models, shape (n_models,); `stack` has shape (n_models, n, n_classes)."""
        of_all = OF_ALL.get(self._stand_in)
        if of_all is None:
            return np.array([self.select(proba) for proba in stack])
        y, _ = self.oriented(stack[0])
        flipped = y is not self.y
        return self._pooled_all(of_all, y, stack[..., ::-1] if flipped else stack)

    def likelihood_all(self, stack: np.ndarray) -> np.ndarray:
        """Mean log-likelihood of the true classes, smooth where positives are few, of each model: shape (n_models,)."""
        return self._pooled_all(log_loss_of_all, self.y, stack)

    @property
    def guides(self) -> list[Callable[[np.ndarray], np.ndarray]]:
        """What the members of the ensemble are selected by, each once, the quick one first, as time may run out.

        Each gives the values of several models from their probabilities, of shape (n_models, n, n_classes).
        """
        return (
            [self.select_all]
            if self._stand_in is log_loss_of
            else [self.likelihood_all, self.select_all]
        )

    @property
    def selected_by(self) -> str:
        """What the members of the ensemble are selected by, in words."""
        if self._stand_in is log_loss_of:
            return "log loss"
        if self._stand_in is ap_of:
            return "log loss and average precision"
        other = "" if self.judged_by == "proba" else "average precision and "
        return f"log loss and {other}{self.name}"

    @property
    def _stand_in(self) -> ProbaMetric:
        if self.judged_by == "proba":
            return cast(ProbaMetric, self.metric)
        if isinstance(self.metric, ConstrainedGoal):
            return functools.partial(near_goal, self.metric)
        if uses_threshold(self.metric):
            return ap_of
        return log_loss_of

    def _pooled_all(
        self, of_all: Callable[..., np.ndarray], y: np.ndarray, stack: np.ndarray
    ) -> np.ndarray:
        """The means over repeats of what a measure of several models says."""
        whole = len(self.parts) == 1 and len(self.parts[0]) == len(y)
        values = [
            of_all(y[rows], stack if whole else stack[:, rows], self._weight(rows))
            for rows in self.parts
        ]
        sizes = [len(rows) for rows in self.parts]
        return np.array([mean_of_known(some, sizes) for some in np.transpose(values)])
