"""DecisionRule: converts the probabilities of AutoClassifier to labels, everywhere."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline

from skauto.resample._cost_sensitive import CostSensitiveClassifier
from skauto.resample._decisions import cheapest
from skauto.resample._fixed_thresholds import MulticlassFixedThresholdClassifier
from skauto.resample._threshold import labels_at


def positive_last(classes: np.ndarray, pos_label: Any) -> np.ndarray:
    """The order of the classes in which thresholds mean the last of two."""
    order = np.arange(len(classes))
    return order[::-1] if pos_label is not None and pos_label == classes[0] else order


# What a tuned threshold may be above 1 where no row is to be positive.
ABOVE_ONE = 1e-9


@dataclass(frozen=True)
class DecisionRule:
    """How probabilities become labels: by costs where there are some, else by a threshold or by weights of the classes.

    Where a decision rule (threshold, class factors, costs) applies, `predict` is not the argmax of `predict_proba`, as
    in scikit-learn's FixedThresholdClassifier.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        In the order of the columns of probabilities.
    pos_label : label or None
        The class that a single threshold is about; None for more than two classes.
    threshold : float, ndarray of shape (n_classes,) or None
        A threshold on the probability of `pos_label`, or a weight of each class. None only with costs.
    costs : ndarray of shape (n_classes, n_classes) or (n, n_classes, n_classes), or None
        Of predicting the j-th class where the i-th is true; (n, ...) for n rows. They take precedence over thresholds.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.resample._decision_rule import DecisionRule
    >>> rule = DecisionRule(np.array(["no", "yes"]), "yes", 0.3)
    >>> rule.labels(np.array([[0.65, 0.35], [0.9, 0.1]])).tolist()
    ['yes', 'no']
    """

    classes: np.ndarray
    pos_label: Any
    threshold: Any
    costs: np.ndarray | None = None

    def labels(self, proba: np.ndarray) -> np.ndarray:
        """Labels of rows, shape (n,), from probabilities of shape (n, n_classes)."""
        if self.costs is not None:
            return cheapest(proba, self.classes, self.costs)
        order = positive_last(self.classes, self.pos_label)
        return self.classes[order][labels_at(proba[:, order], self.threshold)]

    def wrap(self, pipeline: Pipeline) -> Pipeline:
        """A fitted pipeline like this one whose last step decides by this rule.

        Nothing is fitted again. The first steps are copied, so that fitting the result anew does not touch those given.
        """
        name, fitted = pipeline.steps[-1]
        return Pipeline([*copy.deepcopy(pipeline.steps[:-1]), (name, self._around(fitted))])

    def rewrap(self, pipeline: Pipeline) -> Pipeline:
        """A pipeline that `wrap` made by another rule, deciding by this one."""
        name, ruled = pipeline.steps[-1]
        return self.wrap(Pipeline([*pipeline.steps[:-1], (name, ruled.estimator_)]))

    def _around(self, fitted):
        """A fitted classifier around another one."""
        if self.costs is not None:
            ruled = CostSensitiveClassifier(fitted, self.costs, calibration=None)
            ruled.classes_, ruled.cost_matrix_, ruled.estimators_ = self.classes, self.costs, [fitted]
        elif np.ndim(self.threshold) == 0:
            settings = {"threshold": float(self.threshold), "pos_label": self.pos_label}
            ruled = FixedThresholdClassifier(fitted, response_method="predict_proba", **settings)
        else:
            factors = dict(zip(self.classes.tolist(), map(float, self.threshold), strict=True))
            ruled = MulticlassFixedThresholdClassifier(fitted, class_multipliers=factors)
        ruled.estimator_ = fitted
        return ruled


def checked_threshold(threshold: Any, classes: np.ndarray) -> float | np.ndarray:
    """A threshold between 0 and 1 for two classes, a positive factor of each for more.

    Raises
    ------
    ValueError
        For anything else.
    """
    labels = classes.tolist()
    if isinstance(threshold, dict):
        if set(threshold) != set(labels) or len(labels) == 2:
            raise ValueError(_form_of_threshold(threshold, labels))
        threshold = [threshold[label] for label in labels]
    try:
        numbers = np.asarray(threshold, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(_form_of_threshold(threshold, labels)) from error
    if len(labels) == 2:
        if numbers.ndim or not 0 <= numbers <= 1 + ABOVE_ONE:
            raise ValueError(_form_of_threshold(threshold, labels))
        return float(numbers)
    positive = np.isfinite(numbers).all() and (numbers > 0).all()
    if numbers.shape != (len(labels),) or not positive:
        raise ValueError(_form_of_threshold(threshold, labels))
    return numbers


def _form_of_threshold(threshold, labels):
    wanted = (
        "a probability from 0 to 1 for two classes"
        if len(labels) == 2
        else f"a positive factor for each of the classes {labels}, in this order or as a dict"
    )
    return f"threshold={threshold!r} must be {wanted}"
