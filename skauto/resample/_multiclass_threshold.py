"""Weights of the classes, tuned for a label metric on out-of-fold probabilities."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.metrics import get_scorer, make_scorer
from sklearn.model_selection import StratifiedKFold, check_cv, cross_val_predict
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skauto.resample._decisions import by_weights
from skauto.resample._label_metric import LabelMetric
from skauto.resample._label_scores import CONFUSION_METRICS
from skauto.resample._threshold import tune_threshold
from skauto.resample._wrapped import (
    WrappedClassifier,
    checked_target,
    checked_weight,
    decoding,
    fitted_has,
    weights_placed,
)

OF_TWO = ("f1", "precision", "recall", "jaccard")  # names that mean the positive class and nothing else


class MulticlassThresholdClassifierCV(WrappedClassifier):
    """Tunes a weight for each class, for any label metric and any number of classes.

    scikit-learn's `TunedThresholdClassifierCV` tunes a threshold for two classes; here the prediction is the class
    of the greatest weighted probability. `predict_proba` is unchanged. For a metric that has a name here, few rows of
    two classes choose together with what a sigmoid of the probabilities expects.

    Parameters
    ----------
    estimator : classifier with `predict_proba`
        The classifier.
    scoring : str or callable, default="balanced_accuracy"
        "f1_macro", "f1_weighted", "accuracy", "balanced_accuracy", "geometric_mean", "matthews_corrcoef", the name of
        any other scorer of predicted labels, a scorer of them (`make_scorer`, `make_cost_scorer`), or a function
        `(y_true, y_pred) -> float`, greater being better; with `sample_weight` as its third argument if fit is given
        weights. Of two classes the greater label is the positive one, or the `pos_label` of the scorer.
    cv : int or splitter, default=5
        Folds for the probabilities that the weights are tuned on; no more folds than the rarest class has rows.
    random_state : int, RandomState or None, default=None
        Seed of the folds where cv is a number.
    n_jobs : int, default=None
        Processes for the folds.

    Attributes
    ----------
    estimator_ : classifier
        The classifier fitted on all rows.
    classes_ : ndarray of shape (K,)
        The class labels.
    class_weights_ : ndarray of shape (K,)
        Weights of the columns of `predict_proba`, of mean 1; with two classes those that equal the tuned threshold. All
        1 where there are too few rows to tune on.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skauto.resample import MulticlassThresholdClassifierCV
    >>> X, y = make_classification(
    ...     n_samples=900, n_classes=3, n_informative=4, weights=[0.8, 0.15], class_sep=0.7, random_state=0
    ... )
    >>> model = MulticlassThresholdClassifierCV(LogisticRegression(), "f1_macro", random_state=0).fit(X, y)
    >>> bool(model.class_weights_[2] > model.class_weights_[0])
    True
    """

    decides_by_rule = True

    def __init__(
        self,
        estimator: Any,
        scoring: str | Callable[..., Any] = "balanced_accuracy",
        *,
        cv: Any = 5,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.scoring = scoring
        self.cv = cv
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Tune the weights on out-of-fold probabilities, then fit on all rows.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Rows, handed to the estimator as they are.
        y : array-like of shape (n,)
            Labels.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows, for the estimator and the metric.

        Returns
        -------
        self : object
        """
        labels, self.classes_ = checked_target(X, y)
        codes = np.searchsorted(self.classes_, labels)
        weight = None if sample_weight is None else checked_weight(sample_weight, labels)
        extra = {} if weight is None else {"sample_weight": weight}
        metric = confusion_metric(self.scoring, self.classes_)
        self.class_weights_: np.ndarray = np.ones(len(self.classes_))
        cv = self._folds(codes)
        if cv is not None:
            proba = cross_val_predict(
                decoding(self._inner(), self.classes_),
                X,
                codes,
                cv=cv,
                method="predict_proba",
                params=extra,
                n_jobs=self.n_jobs,
            )
            threshold = tune_threshold(codes, proba, metric, weight)
            two = np.ndim(threshold) == 0
            self.class_weights_ = np.array([2 * threshold, 2 * (1 - threshold)]) if two else np.asarray(threshold)
        self.estimator_ = self._inner().fit(X, labels, **weights_placed(self.estimator, extra))
        return self

    def _folds(self, codes):
        """The splitter; None where the rarest class has one row."""
        if not isinstance(self.cv, int):
            return check_cv(self.cv, codes, classifier=True)
        folds = min(self.cv, np.bincount(codes).min())
        return StratifiedKFold(folds, shuffle=True, random_state=self.random_state) if folds > 1 else None

    @available_if(fitted_has("predict_proba"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """The classifier's probabilities, (n, K)."""
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    def predict(self, X: Any) -> np.ndarray:
        """The class of the greatest weighted probability for each row, (n,)."""
        check_is_fitted(self)
        return by_weights(self.predict_proba(X), self.classes_, self.class_weights_)


def confusion_metric(scoring: str | Callable[..., Any], classes: np.ndarray) -> Callable[..., np.ndarray]:
    """A metric of confusion matrices (..., K, K) for a name, a scorer or a function of labels."""
    if isinstance(scoring, str):
        if scoring in CONFUSION_METRICS and (len(classes) == 2 or scoring not in OF_TWO):
            return CONFUSION_METRICS[scoring]
        scorer = get_scorer(scoring)
    else:
        scorer = scoring if hasattr(scoring, "_score_func") else make_scorer(scoring)
    if getattr(scorer, "_response_method", None) != "predict":
        raise ValueError(
            f"scoring={scoring!r} is not a metric of predicted labels: choose a name, scorer or function that is."
        )
    return LabelMetric(scorer, np.asarray(classes), pos_label=scorer._kwargs.get("pos_label"))
