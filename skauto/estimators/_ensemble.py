"""Weighted ensembles: greedy selection over out-of-fold predictions, and the classifier it gives."""

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any, Self

import joblib
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline

from skauto._sklearn import VisualBlock, check_has
from skauto._time_left import endless
from skauto.estimators._one_thread import one_thread_for
from skauto.estimators._quick_boosting import probabilities
from skauto.estimators._quick_steps import transformed

# A gain below this is rounding.
TOLERANCE = 1e-9

# Numbers of the mixtures that are judged at once: more would not fit into the cache, fewer are slow on small tables.
MIXTURE_NUMBERS = 1 << 18


def greedy_selection(
    predictions: list[np.ndarray],
    values: Callable[[np.ndarray], np.ndarray],
    n_steps: int = 25,
    patience: int = 5,
    left: Callable[[], float] = endless,
) -> np.ndarray:
    """Weights of models whose average prediction scores best, by forward selection with replacement.

    Parameters
    ----------
    predictions : list of ndarray, each of shape (n, K)
        Out-of-fold probabilities, the best single model first.
    values : callable
        From the probabilities of several mixtures, of shape (n_mixtures, n, K), to a score of each; greater is better.
    n_steps : int, default=25
        Maximum number of picks.
    patience : int, default=5
        The selection ends after this many picks in a row without improvement, and these are undone.
    left : callable, default=endless
        Returns the seconds left, asked before each pick. When they run out, the picks so far are the result; without
        any, the first model.

    Returns
    -------
    weights : ndarray of shape (len(predictions),)
        Non-negative, summing to one.

    References
    ----------
    Caruana, Niculescu-Mizil, Crew, Ksikes: Ensemble selection from libraries of models, ICML 2004, sections 2.1-2.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.estimators._ensemble import greedy_selection
    >>> y = np.array([0, 1, 1])
    >>> good, bad = np.array([[.9, .1], [.4, .6], [.2, .8]]), np.full((3, 2), .5)
    >>> greedy_selection([good, bad], lambda mixtures: -np.sum((mixtures[..., 1] - y) ** 2, axis=1))
    array([1., 0.])
    """
    counts = np.zeros(len(predictions))
    kept = np.eye(len(predictions))[0]
    total, best, idle = np.zeros_like(predictions[0]), -np.inf, 0
    for step in range(1, n_steps + 1):
        found = _values_of_mixtures(predictions, total, step, values, left)
        if len(found) < len(predictions):
            break
        judged = np.where(np.isnan(found), -np.inf, found)  # nothing could be judged
        pick = int(np.argmax(judged))
        counts[pick] += 1
        total += predictions[pick]
        idle += 1
        if judged[pick] > best + TOLERANCE:
            best, kept, idle = judged[pick], counts.copy(), 0
        if idle == patience:
            break
    return kept / kept.sum()


def _values_of_mixtures(predictions, total, step, values, left):
    """The value of adding each model to what was picked, of as many models as there is time for."""
    at_once = max(MIXTURE_NUMBERS // predictions[0].size, 1)
    found: list[float] = []
    for first in range(0, len(predictions), at_once):
        if left() <= 0:
            break
        some = np.stack(predictions[first : first + at_once])
        found.extend(values((total + some) / step))
    return found


class WeightedEnsembleClassifier(ClassifierMixin, BaseEstimator):
    """Average of the probabilities of some classifiers, with weights.

    Parameters
    ----------
    estimators : list of classifiers
        Each with predict_proba. `fit` fits clones of them.
    weights : array-like of shape (n_estimators,), default=None
        Weight of each member in the average; None weighs all equally.

    Attributes
    ----------
    estimators_ : list of fitted classifiers
    weights_ : ndarray of shape (n_estimators,), summing to one
    classes_ : ndarray of shape (n_classes,)
    calibration_ : callable or None
        What blended probabilities go through, see `calibrated`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skauto.estimators._ensemble import WeightedEnsembleClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> members = [LogisticRegression(max_iter=500), GaussianNB()]
    >>> WeightedEnsembleClassifier(members, weights=[3, 1]).fit(X, y).predict_proba(X).shape
    (150, 3)
    """

    # For `fit`, and for models of versions before 0.3.
    calibration_: Callable[[np.ndarray], np.ndarray] | None = None

    def __init__(self, estimators: Any, weights: Any = None) -> None:
        self.estimators = estimators
        self.weights = weights

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit a clone of each estimator on all rows."""
        rows = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self._gather([clone(estimator).fit(X, y, **rows) for estimator in self.estimators])

    def calibrated(self, calibration: Callable[[np.ndarray], np.ndarray] | None) -> Self:
        """An ensemble of the same fitted members whose blended probabilities go through a function, None for none."""
        other = copy.copy(self)
        other.calibration_ = calibration
        return other

    @classmethod
    def from_fitted(cls, estimators: Any, weights: Any) -> Self:
        """An ensemble of classifiers that are fitted already, on the same classes."""
        return cls(estimators, weights)._gather(list(estimators))

    def _gather(self, fitted):
        weights = np.ones(len(fitted)) if self.weights is None else np.asarray(self.weights, dtype=float)
        if len(weights) != len(fitted) or weights.min() < 0 or weights.sum() == 0:
            raise ValueError(
                f"weights={self.weights!r} must be {len(fitted)} non-negative numbers, one an estimator, not all zero"
            )
        share_steps(fitted)
        self.calibration_ = None
        self.estimators_ = fitted
        self.weights_ = weights / weights.sum()
        self.classes_ = fitted[0].classes_
        return self

    def _sk_visual_block_(self):
        """The members side by side in the diagram of a notebook, each with its weight."""
        members = getattr(self, "estimators_", self.estimators)
        weights = getattr(self, "weights_", [None] * len(members))
        names = ["member" if weight is None else f"weight {weight:.2f}" for weight in weights]
        return VisualBlock("parallel", members, names=names, dash_wrapped=False)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Weighted mean of the members' probabilities, shape (n, n_classes)."""
        check_has(self, "estimators_")
        ways = [_way(member) for member in self.estimators_]
        needed = Counter(way[:length] for way in ways for length in range(1, len(way) + 1))
        prepared: dict[tuple[int, ...], Any] = {}
        total: Any = 0
        with one_thread_for(X):
            for weight, member, way in zip(self.weights_, self.estimators_, ways, strict=True):
                total = total + weight * _proba(member, way, X, prepared, needed)
        return total if self.calibration_ is None else self.calibration_(total)

    def predict(self, X: Any) -> np.ndarray:
        """The class with the greatest mean probability."""
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]


def share_steps(members: list[Any]) -> None:
    """Make fitted first steps of pipelines that are equal, after steps that are, one object: done once, stored once.

    Refits of one table by several pipelines each hold a copy of the same cleaner, and several of the same preparation.
    """
    first: dict[tuple[Any, ...], Any] = {}
    for member in members:
        before: tuple[Any, ...] = ()
        for position in range(len(_way(member))):
            name, step = member.steps[position]
            before = (*before, type(step), joblib.hash(step))
            member.steps[position] = (name, first.setdefault(before, step))


def _way(member):
    """The steps before a pipeline's classifier, by their identity; none where it must be asked as a whole."""
    if not isinstance(member, Pipeline):
        return ()
    steps = [step for _, step in member.steps[:-1]]
    return tuple(map(id, steps)) if all(hasattr(step, "transform") for step in steps) else ()


def _proba(member, way, X, prepared, needed):
    """Probabilities of a member; X after steps that others need too is kept until the last of them has had it."""
    if not way:
        return member.predict_proba(X)
    for length, (_, step) in enumerate(member.steps[:-1], start=1):
        key = way[:length]
        X = prepared[key] if key in prepared else transformed(step, X)
        needed[key] -= 1
        prepared[key] = X
        if not needed[key]:
            del prepared[key]
    return probabilities(member.steps[-1][1], X)
