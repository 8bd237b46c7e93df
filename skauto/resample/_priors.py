"""Unbiased probabilities after the classes were weighted or resampled: analytic prior correction."""

from typing import Any, Self

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skauto.resample._decisions import check_decision, most_probable
from skauto.resample._inner_models import trained_priors, warn_of_losses
from skauto.resample._wrapped import WrappedClassifier, checked_target, checked_weight, fitted_has, weights_placed


def class_priors(y: Any, classes: Any, sample_weight: Any = None) -> np.ndarray:
    """The fraction of each class in y, weighted.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels.
    classes : array of shape (n_classes,)
        The classes, in the order of the result.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows.

    Returns
    -------
    priors : ndarray of shape (n_classes,)
        Fractions that sum to 1.

    Examples
    --------
    >>> from skauto.resample import class_priors
    >>> class_priors(["a", "b", "b", "b"], ["a", "b"])
    array([0.25, 0.75])
    """
    y = np.asarray(y)
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    counts = np.array([weight[y == label].sum() for label in classes])
    return counts / counts.sum()


def positive_priors(y: Any, classes: Any, sample_weight: Any = None) -> np.ndarray:
    """The fractions of the classes in y, each above zero.

    Raises
    ------
    ValueError
        If all rows of a class have weight zero.
    """
    priors = class_priors(y, classes, sample_weight)
    if not priors.all():
        missing = [label for label, prior in zip(classes, priors, strict=True) if prior == 0]
        raise ValueError(f"All rows of the class {missing} have a sample_weight of zero: leave these rows out of y.")
    return priors


def correct_priors(proba: Any, trained_priors: Any, original_priors: Any) -> np.ndarray:
    """Probabilities as if the model had been trained on the unresampled class fractions.

    By Bayes' rule each column is multiplied by the ratio unresampled prior / trained prior and the rows are normalised
    again. Exact where resampling or weighting changed only the class frequencies, not the distribution within a class.

    Parameters
    ----------
    proba : array-like of shape (n, n_classes)
        Probabilities of a model trained on `trained_priors`.
    trained_priors, original_priors : array-like of shape (n_classes,)
        Fractions of the classes in training, and in the unresampled data; any positive scale.

    Returns
    -------
    proba : ndarray of shape (n, n_classes)
        Corrected probabilities; rows sum to 1.

    Raises
    ------
    ValueError
        If the priors do not have one value per column.

    References
    ----------
    M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities",
    Neural Computation 14(1), 2002, section 2.2; C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001,
    theorem 2.

    Examples
    --------
    >>> from skauto.resample import correct_priors
    >>> correct_priors([[0.5, 0.5]], trained_priors=[0.5, 0.5], original_priors=[0.9, 0.1])
    array([[0.9, 0.1]])
    """
    proba = np.asarray(proba, dtype=float)
    trained, unresampled = np.asarray(trained_priors, dtype=float), np.asarray(original_priors, dtype=float)
    if trained.shape != (proba.shape[1],) or unresampled.shape != (proba.shape[1],):
        raise ValueError(
            f"trained_priors and original_priors must hold one value for each of the {proba.shape[1]} columns of "
            f"proba, not shapes {trained.shape} and {unresampled.shape}."
        )
    # A class that was never trained on has no evidence to scale: its column stays as it is.
    ratio = np.divide(unresampled, trained, out=np.ones_like(trained), where=trained > 0)
    scaled = proba * ratio
    total = scaled.sum(axis=1, keepdims=True)
    return np.divide(scaled, total, out=proba.copy(), where=total > 0)


def moves_priors(model: Any) -> bool:
    """Whether the probabilities of the inner fitted classifier are corrected."""
    moved = not np.allclose(model.trained_priors_, model.original_priors_, rtol=1e-9, atol=0)
    return bool(getattr(model, "prior_correction", True)) and moved


class PriorCorrectedClassifier(WrappedClassifier):
    """A classifier trained on weighted or balanced classes, its probabilities corrected to the class fractions in y.

    `class_weight="balanced"` and the like make a model predict probabilities as if the classes were equally frequent.
    Here the model is fitted unchanged and keeps its decisions, and `predict_proba` is corrected by Bayes' rule.

    Parameters
    ----------
    estimator : classifier
        The classifier to fit. Without `predict_proba` its `predict` and `decision_function` are passed on as they are.
    trained_priors : array-like of shape (n_classes,), default=None
        Fractions of the classes that the estimator is trained on, in the order of `classes_`. None reads them from
        the estimator's `class_weight`, `scale_pos_weight`, `is_unbalance`, `pos_bagging_fraction` and
        `neg_bagging_fraction`, from `sampling_strategy` of imbalanced-learn's balanced ensembles and of samplers in its
        Pipeline, or from the fitted attributes of skauto.resample's classifiers; within Pipelines, searches,
        thresholds, bagging and voting too. A warning says what could not be read.
    decision : {"resampled", "unresampled"}, default="resampled"
        How `predict` decides: "resampled" as the estimator does, which was trained on weighted or resampled rows;
        "unresampled" by the most probable class of `predict_proba`.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    original_priors_, trained_priors_ : ndarray of shape (n_classes,)
        Fractions of the classes in y, and those that the estimator was trained on.

    Notes
    -----
    The correction assumes probabilities that depend on the weights. Those of fully grown trees do not (their leaves are
    pure with or without weights): a forest with `class_weight` needs a limit on its depth or leaves, or
    `CalibratedClassifierCV` instead of this class. Balanced bags are no problem, as they change the rows.

    References
    ----------
    M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities",
    Neural Computation 14(1), 2002, section 2.2.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skauto.resample import PriorCorrectedClassifier
    >>> X, y = make_classification(n_samples=2000, weights=[0.9], class_sep=0.3, random_state=0)
    >>> balanced = LogisticRegression(class_weight="balanced")
    >>> print(round(balanced.fit(X, y).predict_proba(X)[:, 1].mean(), 1))
    0.3
    >>> print(round(PriorCorrectedClassifier(balanced).fit(X, y).predict_proba(X)[:, 1].mean(), 1))
    0.1
    """

    def __init__(self, estimator: Any, trained_priors: Any = None, *, decision: str = "resampled") -> None:
        self.estimator = estimator
        self.trained_priors = trained_priors
        self.decision = decision

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> Self:
        """Fit the estimator and store the fractions of the classes.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Rows, handed to the estimator as they are.
        y : array-like of shape (n,)
            Labels.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows; the class fractions in y are weighted by them.
        **fit_params : dict
            Passed to the estimator's fit.

        Returns
        -------
        self : object
        """
        inner = self._inner()
        check_decision(self.decision)
        labels, self.classes_ = checked_target(X, y)
        if sample_weight is not None:
            fit_params["sample_weight"] = sample_weight = checked_weight(sample_weight, labels)
        self.original_priors_ = positive_priors(labels, self.classes_, sample_weight)
        given = None if self.trained_priors is None else self._given_priors()
        routed = self._routed(fit_params)
        self.estimator_ = inner.fit(X, labels, **weights_placed(inner, routed))
        self.trained_priors_ = (
            trained_priors(self.estimator_, labels, self.classes_, routed.get("sample_weight"))
            if given is None
            else given
        )
        if hasattr(self, "predict_proba"):
            replaced = self.decision == "unresampled" and moves_priors(self)
            warn_of_losses(self, self.estimator_, replaced, readable=given is not None)
        return self

    def _given_priors(self):
        given = np.asarray(self.trained_priors, dtype=float)
        if given.shape != self.classes_.shape or not (given > 0).all():
            raise ValueError(
                f"trained_priors={self.trained_priors!r} must hold one positive fraction for each of the "
                f"{len(self.classes_)} classes {self.classes_.tolist()}, in this order."
            )
        return given / given.sum()

    @available_if(fitted_has("predict_proba"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities for the unresampled class fractions, (n, n_classes)."""
        check_is_fitted(self)
        proba = self.estimator_.predict_proba(X)
        return correct_priors(proba, self.trained_priors_, self.original_priors_) if moves_priors(self) else proba

    @available_if(lambda self: not hasattr(self, "predict_proba") and fitted_has("decision_function")(self))
    def decision_function(self, X: Any) -> np.ndarray:
        """The estimator's scores, where it has no probabilities."""
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    def predict(self, X: Any) -> np.ndarray:
        """The labels of the rows, (n,): as the estimator decides, or the most probable class (see `decision`)."""
        check_is_fitted(self)
        if self.decision == "unresampled" and hasattr(self, "predict_proba") and moves_priors(self):
            return most_probable(self.predict_proba(X), self.classes_)
        return self.estimator_.predict(X)
