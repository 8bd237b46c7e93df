"""Any scorer of predicted labels as a function of confusion matrices, so that thresholds can be compared by it."""

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score

from skauto.resample._matrix_forms import matrix_form

MOST_CALLS = 5  # thresholds that are looked at in one go where each is a call of the scorer's function
MOST_KNOWN = 10_000  # values that are remembered


def is_slow(metric: Any) -> bool:
    """Whether a metric is a function of labels that is called for one threshold at a time."""
    return getattr(metric, "max_thresholds", None) is not None


class LabelMetric:
    """A scikit-learn label scorer as a function of confusion matrices (..., K, K).

    Functions of scikit-learn that have a form for matrices are computed by it. Any other is called for each matrix, on
    weighted cells if it takes weights, else on rows; calls are slow, so few thresholds are tried with it
    (`max_thresholds`). Their number does not depend on elapsed time, so that results are reproducible.

    Parameters
    ----------
    scorer : scorer
        Made by `sklearn.metrics.make_scorer`, of predicted labels.
    classes : ndarray of shape (K,)
        The labels in the order of the codes, of two the positive one last.
    pos_label : object, default=None
        Which of two labels a function with a positive label means; None for the last.
    """

    def __init__(self, scorer: Any, classes: np.ndarray, pos_label: Any = None) -> None:
        self.scorer = scorer
        self.uses_threshold = scorer._score_func is not accuracy_score
        self.takes_weight = wants_weight(scorer)
        self.labels, self.kwargs = as_shown(scorer, classes, pos_label)
        self.form = matrix_form(scorer._score_func, self.kwargs, self.labels)
        self.max_thresholds = MOST_CALLS if self.form is None else None
        self._known: dict[Any, Any] = {}

    def __call__(self, confusion: np.ndarray) -> np.ndarray:
        n_classes = confusion.shape[-1]
        whole = self.takes_weight or not (confusion != np.round(confusion)).any()
        if self.form is not None and whole and (confusion.sum(-1) > 0).all():  # else some labels do not occur
            return self.scorer._sign * self.form(confusion)
        truth, label = (self.labels[grid.ravel()] for grid in np.indices((n_classes, n_classes)))
        flat = confusion.reshape(-1, n_classes * n_classes)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UndefinedMetricWarning)  # some thresholds leave a class out
            values = [self._value(truth, label, cells) for cells in flat]
        return np.reshape(values, confusion.shape[:-2])

    def __getstate__(self):
        return {**self.__dict__, "_known": {}}

    def _value(self, truth, label, cells):
        """The score of one matrix, called for once: a search asks for many again, for a report or the final model."""
        key = cells.tobytes()
        if key not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key] = self._called(truth, label, cells)
        return self._known[key]

    def _called(self, truth, label, cells):
        truth, label, cells = truth[cells > 0], label[cells > 0], cells[cells > 0]
        weight = {"sample_weight": cells} if self.takes_weight else {}
        if not self.takes_weight:
            if (cells != np.round(cells)).any():
                raise ValueError("the function of this scoring takes no sample_weight, so fit must not be given any")
            truth, label = (np.repeat(part, cells.astype(int)) for part in (truth, label))
        value = self.scorer._score_func(truth, label, **weight, **self.kwargs)
        if np.ndim(value):
            raise ValueError(f"the function of this scoring gave {value!r}: it must give one number, see its `average`")
        return self.scorer._sign * value


def parameters_of(scorer: Any) -> Mapping[str, inspect.Parameter]:
    """The parameters of a scorer's function, by name."""
    return inspect.signature(scorer._score_func).parameters


def wants_weight(scorer: Any) -> bool:
    """Whether a scorer's function takes weights and no request of the scorer says otherwise."""
    return "sample_weight" in parameters_of(scorer) and requests_of(scorer).get("sample_weight") is not False


def requests_of(scorer: Any) -> dict[str, Any]:
    """The metadata requests of a scorer, a dict; empty where none was set."""
    said = getattr(scorer, "_metadata_request", None)
    return {} if said is None else said.score.requests


def as_shown(scorer: Any, classes: np.ndarray, pos_label: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
    """The labels that a scorer's function gets for the classes, and its keywords.

    Of two classes functions whose positive label is 1 unless they are told are given 0 and 1, and what others call
    `pos_label` is the positive class: the given one, or the last. So are those of scikit-learn that take the greater
    label for the positive one, such as the likelihood ratios. All others are given the labels.
    """
    if len(classes) > 2:
        return classes, scorer._kwargs
    positive = classes[-1] if pos_label is None else pos_label
    parameter = parameters_of(scorer).get("pos_label")
    if parameter is None:
        knows_order = (
            str(getattr(scorer._score_func, "__module__", "")).startswith("sklearn.") and "labels" not in scorer._kwargs
        )
        return ((classes == positive).astype(int) if knows_order else classes), scorer._kwargs
    if parameter.default is not None and parameter.default != 1:
        return classes, {**scorer._kwargs, "pos_label": positive}
    kwargs = {name: value for name, value in scorer._kwargs.items() if name != "pos_label"}
    if kwargs.get("labels") is not None:
        kwargs["labels"] = [int(label == positive) for label in kwargs["labels"]]
    return (classes == positive).astype(int), kwargs
