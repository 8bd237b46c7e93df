"""Where probabilities and votes become labels: AutoClassifier and every classifier of skauto.resample decide here."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline

from skauto.resample._costs import expected_costs
from skauto.resample._threshold import labels_at

DECISIONS = ("resampled", "unresampled")


def check_decision(decision):
    """Refuse a value of `decision` that is not known.

    Raises
    ------
    ValueError
        If it is none of "resampled" and "unresampled".
    """
    if decision not in DECISIONS:
        raise ValueError(
            f"decision={decision!r} must be 'resampled' (as the classifier trained on the resampled rows decides) or "
            "'unresampled' (the most probable class); for a tuned threshold put TunedThresholdClassifierCV around the "
            "classifier."
        )


def deciding_unresampled(model):
    """The classifier, not fitted, with all that resample or correct priors within it deciding "unresampled"."""
    params = model.get_params()
    names = [name for name in params if name.split("__")[-1] == "decision" and isinstance(params[name], str)]
    return model.set_params(**dict.fromkeys(names, "unresampled"))


def most_probable(proba, classes):
    """The label of the greatest probability of each row, (n,), from probabilities (n, K)."""
    return classes[proba.argmax(axis=1)]


def by_weights(proba, classes, weights):
    """The label of the greatest weighted probability of each row, (n,), from weights (K,)."""
    return classes[labels_at(proba, np.asarray(weights, dtype=float))]


def cheapest(proba, classes, costs):
    """The label of the least expected cost of each row, (n,), from costs (K, K) or (n, K, K)."""
    return classes[expected_costs(proba, costs).argmin(axis=1)]


def most_voted(votes, classes):
    """The label of most votes for each row, (n,), from labels (n_voters, n); the first of several with as many."""
    return classes[np.stack([(votes == label).sum(axis=0) for label in classes]).argmax(axis=0)]


def positive_last(classes, pos_label):
    """The order of the classes in which thresholds mean the last of two."""
    order = np.arange(len(classes))
    return order[::-1] if pos_label is not None and pos_label == classes[0] else order


@dataclass(frozen=True)
class DecisionRule:
    """How probabilities become labels: by costs where there are some, else by a threshold or by weights of the classes.

    What decides by it does not predict the class of the greatest probability, as scikit-learn's
    FixedThresholdClassifier does not.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        In the order of the columns of probabilities.
    pos_label : label or None
        The class that a single threshold is about; None for more than two classes.
    threshold : float, ndarray of shape (n_classes,) or None
        A threshold on the probability of `pos_label`, or a weight of each class. None only with costs.
    costs : ndarray of shape (n_classes, n_classes) or (n, n_classes, n_classes), or None
        Of predicting the j-th class where the i-th is true; (n, ...) for n rows. They go before thresholds.

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

    def labels(self, proba):
        """Labels of rows, shape (n,), from probabilities of shape (n, n_classes)."""
        if self.costs is not None:
            return cheapest(proba, self.classes, self.costs)
        order = positive_last(self.classes, self.pos_label)
        return self.classes[order][labels_at(proba[:, order], self.threshold)]

    def wrap(self, pipeline):
        """A fitted pipeline like this one whose last step decides by this rule.

        Nothing is fitted again. The first steps are copied, so that fitting the result anew does not touch those given.
        """
        name, fitted = pipeline.steps[-1]
        return Pipeline([*copy.deepcopy(pipeline.steps[:-1]), (name, self._around(fitted))])

    def _around(self, fitted):
        """A fitted classifier around another one."""
        if self.costs is not None:
            from skauto.resample._cost_sensitive import CostSensitiveClassifier  # decides by this file

            ruled = CostSensitiveClassifier(fitted, self.costs, calibration=None)
            ruled.classes_, ruled.cost_matrix_, ruled.estimators_ = self.classes, self.costs, [fitted]
        elif np.ndim(self.threshold) == 0:
            settings = {"threshold": float(self.threshold), "pos_label": self.pos_label}
            ruled = FixedThresholdClassifier(fitted, response_method="predict_proba", **settings)
        else:
            from skauto.resample._fixed_thresholds import MulticlassFixedThresholdClassifier  # decides by this file

            factors = dict(zip(self.classes.tolist(), map(float, self.threshold), strict=True))
            ruled = MulticlassFixedThresholdClassifier(fitted, class_multipliers=factors)
        ruled.estimator_ = fitted
        return ruled
