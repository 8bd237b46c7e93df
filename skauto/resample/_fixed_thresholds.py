"""A classifier of many classes whose probabilities are weighed before the largest wins."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone

from skauto._sklearn import check_has
from skauto.resample._decisions import by_weights
from skauto.resample._wrapped import weights_placed


class MulticlassFixedThresholdClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Predicts the class whose probability times its weight is largest.

    The counterpart of scikit-learn's FixedThresholdClassifier for more than two classes. Probabilities are passed
    on unchanged.

    Parameters
    ----------
    estimator : classifier
        With predict_proba.
    class_multipliers : dict or array-like of shape (n_classes,), default=None
        Factor of each class by its label (1 for labels left out, so that a subset of the rows may lack a class), or
        the factors in the order of the sorted classes. None: all 1.

    Attributes
    ----------
    estimator_ : fitted classifier
    classes_ : ndarray of shape (n_classes,)

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skauto.resample._fixed_thresholds import MulticlassFixedThresholdClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=500)
    >>> fixed = MulticlassFixedThresholdClassifier(model, class_multipliers=[1, 9, 1]).fit(X, y)
    >>> int((fixed.predict(X) == 1).sum()) > int((fixed.estimator_.predict(X) == 1).sum())
    True
    """

    def __init__(self, estimator: Any, class_multipliers: Any = None) -> None:
        self.estimator = estimator
        self.class_multipliers = class_multipliers

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit a clone of the estimator.

        Raises
        ------
        ValueError
            If there is not one multiplier a class, or one is not positive.
        """
        rows = weights_placed(self.estimator, {} if sample_weight is None else {"sample_weight": sample_weight})
        self.estimator_ = clone(self.estimator).fit(X, y, **rows)
        given = self.class_multipliers
        values = list(given.values()) if isinstance(given, dict) else given
        fits = given is None or isinstance(given, dict) or len(given) == len(self.classes_)
        if not fits or (given is not None and min(values) <= 0):
            raise ValueError(
                f"class_multipliers={given!r} must be one positive number for each of the {len(self.classes_)} classes "
                f"{list(self.classes_)}"
            )
        return self

    @property
    def classes_(self) -> np.ndarray:
        """Labels, in the order of the columns of predict_proba."""
        return self.estimator_.classes_

    @property
    def n_features_in_(self) -> int:
        """Columns seen in fit."""
        return self.estimator_.n_features_in_

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the estimator, shape (n, n_classes)."""
        check_has(self, "estimator_")
        return self.estimator_.predict_proba(X)

    def predict(self, X: Any) -> np.ndarray:
        """The class with the largest product of probability and multiplier."""
        proba = self.predict_proba(X)
        given = {} if self.class_multipliers is None else self.class_multipliers
        if isinstance(given, dict):
            given = [given.get(label, 1.0) for label in self.classes_.tolist()]
        return by_weights(proba, self.classes_, given)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = self.estimator.__sklearn_tags__().input_tags
        tags.input_tags.sparse, tags.input_tags.allow_nan = inner.sparse, inner.allow_nan
        return tags
