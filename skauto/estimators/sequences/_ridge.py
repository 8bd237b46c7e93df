"""Ridge regression as a classifier with probabilities, for many more features than rows."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from skauto._sklearn import StrOptions, check_sample_weight

ALPHAS = tuple(10.0 ** np.linspace(-3, 3, 10))
SCALES = (-2.0, 6.0)  # bounds of the natural logarithm of the slope of probabilities


class CalibratedRidgeClassifier(ClassifierMixin, BaseEstimator):
    """Ridge regression of -1 and 1 for each class; leave-one-out predictions choose its penalty and its probabilities.

    Leave-one-out predictions of ridge regression have a closed form. The penalty is the one with the least squared
    error of these predictions. Probabilities are their softmax, with the slope of maximum likelihood. The most
    probable class is the one that ridge regression alone would predict.

    Parameters
    ----------
    alphas : tuple of float
        Penalties to choose from.
    class_weight : "balanced", dict {label: weight} or None
        Weight of each class; multiplied with `sample_weight`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    coef_ : ndarray of shape (n_features, n_classes)
    intercept_ : ndarray of shape (n_classes,)
    alpha_ : float
        The penalty chosen.
    slope_ : float
        Factor of the decision values before the softmax.
    n_features_in_ : int

    References
    ----------
    Golub, Heath, Wahba: "Generalized cross-validation as a method for choosing a good ridge parameter",
    Technometrics 21(2), 1979, section 1, for the left-out rows. Platt: "Probabilistic outputs for support vector
    machines", 1999, section 2.2, for targets that are not quite 0 and 1.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skauto.estimators.sequences._ridge import CalibratedRidgeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> CalibratedRidgeClassifier().fit(X, y).predict_proba(X).shape
    (150, 3)
    """

    _parameter_constraints = {
        "alphas": [tuple, list, np.ndarray],
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }

    def __init__(self, alphas: Sequence[float] = ALPHAS, *, class_weight: str | dict[Any, float] | None = None) -> None:
        self.alphas = alphas
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Solve for all penalties at once, choose one, then the slope.

        Parameters
        ----------
        X : array of shape (n, n_features)
        y : array-like of shape (n,)
        sample_weight : array-like of shape (n,), default=None

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If y has one class, or X cannot be used.
        """
        self._validate_params()
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"{type(self).__name__} needs at least two classes; y has one class, {self.classes_[0]!r}")
        weight = check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if self.class_weight is not None:
            weight = weight * compute_sample_weight(self.class_weight, y)
        X, codes, weight = X[weight > 0], codes[weight > 0], weight[weight > 0]
        target = np.where(codes[:, None] == np.arange(len(self.classes_)), 1.0, -1.0)
        left_out = self._solve(X, target, weight)
        self.slope_ = _slope(left_out, codes, weight)
        return self

    def _solve(self, X, target, weight):
        """Keep the best penalty and its coefficients; returns the answers to left-out rows."""
        mean, middle = np.average(X, axis=0, weights=weight), np.average(target, axis=0, weights=weight)
        root = np.sqrt(weight)[:, None]
        A, B = (X - mean) * root, (target - middle) * root
        U, squares = _left_vectors(A)
        turned, least = U.T @ B, np.inf
        for alpha in self.alphas:
            shrink = squares / (squares + alpha)
            leverage = (U**2) @ shrink + weight / weight.sum()  # the intercept adds the row's fraction of the weight
            wrong = (B - U @ (shrink[:, None] * turned)) / (np.maximum(1 - leverage, 1e-9)[:, None] * root)
            error = np.average((wrong**2).mean(axis=1), weights=weight)
            if error < least:
                least, self.alpha_, answers = error, float(alpha), target - wrong
        self.coef_ = A.T @ (U @ (turned / (squares + self.alpha_)[:, None]))
        self.intercept_ = middle - mean @ self.coef_
        return answers

    def decision_function(self, X: Any) -> np.ndarray:
        """The values of ridge regression: shape (n,), above 0 for the second class, or (n, n_classes)."""
        answers = self._answers(X)
        return answers[:, 1] if len(self.classes_) == 2 else answers

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of shape (n, n_classes)."""
        answers = self._answers(X)
        return softmax(self.slope_ * answers, axis=1)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row, shape (n,)."""
        answers = self._answers(X)
        return self.classes_[answers.argmax(axis=1)]

    def _answers(self, X):
        check_is_fitted(self, "coef_")
        return validate_data(self, X, reset=False, dtype=np.float64) @ self.coef_ + self.intercept_


def _left_vectors(A):
    """Left singular vectors of A and the squares of its singular values, those of rounding left out."""
    rows, columns = A.shape
    squares, vectors = np.linalg.eigh(A @ A.T if rows <= columns else A.T @ A)
    real = squares > max(squares[-1], 0) * 1e-12
    squares, vectors = squares[real], vectors[:, real]
    return (vectors, squares) if rows <= columns else (A @ vectors / np.sqrt(squares), squares)


def _slope(answers, codes, weight):
    """The slope at which the softmax of left-out answers is most likely, targets softened as Platt does.

    Of n + 2 parts one goes to the other classes together: one for each would make many classes underconfident.
    """
    n_classes = answers.shape[1]
    smoothing = 1 / (np.bincount(codes, minlength=n_classes)[codes, None] + 2)
    target = np.where(codes[:, None] == np.arange(n_classes), 1 - smoothing, smoothing / (n_classes - 1))

    def loss(log_slope):
        return -np.average((target * log_softmax(np.exp(log_slope) * answers, axis=1)).sum(axis=1), weights=weight)

    return float(np.exp(minimize_scalar(loss, bounds=SCALES, method="bounded").x))
