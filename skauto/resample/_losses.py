"""Losses for rare classes: focal loss for LightGBM, and class weights by the effective number of rows."""

from typing import Any, Self

import numpy as np
from scipy.special import expit
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import check_is_fitted

from skauto.resample._decisions import most_probable
from skauto.resample._priors import class_priors
from skauto.resample._wrapped import WrappedClassifier, checked_target, checked_weight


class FocalLoss:
    """Focal loss as an objective function of LightGBM: rows that are already well predicted get less weight.

    One column of raw scores for two classes, one for each class against the rest for more.

    Parameters
    ----------
    gamma : float, default=2.0
        Focusing parameter: how strongly well-predicted rows are down-weighted; 0 is the logistic loss.

    References
    ----------
    T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollar, "Focal loss for dense object detection", ICCV 2017, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.resample import FocalLoss
    >>> gradient, hessian = FocalLoss(gamma=0.0)(np.array([0.0, 1.0]), np.array([0.0, 0.0]))
    >>> gradient
    array([ 0.5, -0.5])
    """

    def __init__(self, gamma: float = 2.0) -> None:
        self.gamma = gamma

    def __call__(
        self, y_true: np.ndarray, raw: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gradient and second derivative of the loss of each row by its raw score.

        Parameters
        ----------
        y_true : ndarray of shape (n,)
            Codes of the labels.
        raw : ndarray of shape (n,) or (n, K)
            Raw scores.
        weight : ndarray of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        gradient, hessian : ndarray of the shape of raw
        """
        codes = y_true.astype(int)
        sign = (
            np.where(codes == 1, 1.0, -1.0) if raw.ndim == 1 else np.where(np.eye(raw.shape[1])[codes] > 0, 1.0, -1.0)
        )
        right = np.clip(expit(sign * raw), 1e-12, 1 - 1e-12)
        wrong = 1 - right
        inner = self.gamma * right * np.log(right) - wrong
        gradient = sign * wrong**self.gamma * inner
        bend = wrong**self.gamma * (self.gamma * np.log(right) + self.gamma + 1)
        hessian = right * wrong * (bend - self.gamma * wrong ** (self.gamma - 1) * inner)
        # the loss is not convex far on the wrong side; a floor keeps the steps finite
        hessian = np.maximum(hessian, 1e-6)
        if weight is not None:
            weight = weight if raw.ndim == 1 else weight[:, None]
            gradient, hessian = gradient * weight, hessian * weight
        return gradient, hessian

    def __eq__(self, other):
        return type(other) is type(self) and other.gamma == self.gamma

    def __hash__(self):
        return hash((type(self), self.gamma))

    def __repr__(self):
        return f"FocalLoss(gamma={self.gamma})"


class FocalLossClassifier(WrappedClassifier):
    """A LightGBM classifier trained with focal loss, with probabilities.

    LightGBM gives only raw scores for a custom objective; here they are converted to probabilities. Focal loss makes
    them underconfident, so tune the threshold or calibrate.

    Parameters
    ----------
    estimator : LGBMClassifier
        The booster; its objective is replaced.
    gamma : float, default=2.0
        Focusing parameter: how strongly well-predicted rows are down-weighted; 0 is the logistic loss.
    class_weight : "balanced", "effective", dict {label: weight} or None, default=None
        Weights of the classes in the loss. "effective" makes it the class-balanced loss (see
        `class_balanced_weights`), which with gamma=0 is that of logistic loss.

    Attributes
    ----------
    estimator_ : LGBMClassifier
        The fitted booster.
    classes_ : ndarray of shape (n_classes,)
        The class labels.

    References
    ----------
    T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollar, "Focal loss for dense object detection", ICCV 2017, section 3;
    Y. Cui, M. Jia, T.-Y. Lin, Y. Song, S. Belongie, "Class-balanced loss based on effective number of samples", CVPR
    2019, section 4.

    Examples
    --------
    >>> from lightgbm import LGBMClassifier
    >>> from sklearn.datasets import make_classification
    >>> from skauto.resample import FocalLossClassifier
    >>> X, y = make_classification(n_samples=500, weights=[0.9], random_state=0)
    >>> model = FocalLossClassifier(LGBMClassifier(n_estimators=20, verbose=-1)).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    def __init__(self, estimator: Any, gamma: float = 2.0, class_weight: str | dict[Any, float] | None = None) -> None:
        self.estimator = estimator
        self.gamma = gamma
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the booster.

        Parameters
        ----------
        X : array-like of shape (n, p)
            Rows.
        y : array-like of shape (n,)
            Labels.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        self : object
        """
        if not self.gamma >= 0:
            raise ValueError(f"gamma={self.gamma!r} must be a number of at least 0.")
        labels, self.classes_ = checked_target(X, y)
        codes = np.searchsorted(self.classes_, labels)
        weight = None if sample_weight is None else checked_weight(sample_weight, labels)
        if self.class_weight is not None:
            weight = self._class_weights(codes)[codes] * (1.0 if weight is None else weight)
        priors = np.clip(class_priors(labels, self.classes_, weight), 1e-9, 1 - 1e-9)
        # LightGBM starts a custom objective at zero: far from the log-odds of a rare class
        start = np.log(priors / (1 - priors))
        self.start_ = start[1] if len(start) == 2 else start
        init = np.tile(self.start_, (len(codes), 1)) if np.ndim(self.start_) else np.full(len(codes), self.start_)
        model = self._inner().set_params(objective=FocalLoss(self.gamma))
        self.estimator_ = model.fit(X, codes, sample_weight=weight, init_score=init)
        return self

    def _class_weights(self, codes):
        """The weight of each class."""
        given = self.class_weight
        if isinstance(given, str) and given not in ("balanced", "effective"):
            raise ValueError(f"class_weight={given!r} must be 'balanced', 'effective', a dict or None.")
        if given == "effective":
            given = class_balanced_weights(codes)
        elif isinstance(given, dict):
            given = {code: given.get(label, 1.0) for code, label in enumerate(self.classes_.tolist())}
        return compute_class_weight(given, classes=np.arange(len(self.classes_)), y=codes)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, (n, n_classes)."""
        check_is_fitted(self)
        proba = expit(self.estimator_.predict(X, raw_score=True) + self.start_)
        if proba.ndim == 1:
            return np.column_stack([1 - proba, proba])
        return proba / proba.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row, (n,)."""
        check_is_fitted(self)
        return most_probable(self.predict_proba(X), self.classes_)


def class_balanced_weights(y: Any, beta: float = 0.999) -> dict[Any, float]:
    """Weights of the classes by the effective number of their rows, for any `class_weight=`.

    Rows of a large class overlap, so its n rows count as (1 - beta^n) / (1 - beta): the weights lie between none
    (beta 0) and "balanced" (beta near 1). Weights have mean 1 over the rows.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels.
    beta : float, default=0.999
        In [0, 1).

    Returns
    -------
    weights : dict
        Weight by label.

    Raises
    ------
    ValueError
        If beta is out of range.

    References
    ----------
    Y. Cui, M. Jia, T.-Y. Lin, Y. Song, S. Belongie, "Class-balanced loss based on effective number of samples",
    CVPR 2019, section 4.

    Examples
    --------
    >>> from skauto.resample import class_balanced_weights
    >>> class_balanced_weights(["a"] * 3 + ["b"], beta=0.0)
    {'a': 1.0, 'b': 1.0}
    """
    if not 0 <= beta < 1:
        raise ValueError(f"beta={beta!r} must be at least 0 and below 1.")
    labels, counts = np.unique(np.asarray(y), return_counts=True)
    weights = (1 - beta) / (1 - beta**counts)
    weights = weights / np.average(weights, weights=counts)
    return dict(zip(labels.tolist(), weights.tolist(), strict=True))
