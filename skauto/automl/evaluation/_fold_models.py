"""Fold models of a trial that predict together, where there is no time for a model of all rows."""

import io
import pickle
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline

from skauto._sklearn import check_has
from skauto.automl._types import Estimator
from skauto.automl.evaluation._early_stopping import settled
from skauto.search._sandbox import attempt

# Most bytes of the fold models that a trial sends back: two such parcels at a time are in memory, and most are smaller.
BAG_BYTES = 1 << 24


class _Bounded(io.BytesIO):
    """A file in memory that refuses to grow beyond a size: what is too large is not pickled to its end."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def write(self, data: Any) -> int:
        if self.tell() + memoryview(data).nbytes > self.most:
            raise OverflowError
        return super().write(data)


def pack(
    pipelines: list[Pipeline],
    best_iteration: int | None,
    labels: np.ndarray | None = None,
    most_bytes: int = BAG_BYTES,
) -> bytes | None:
    """The fold models of a trial as bytes; None where they are too large or cannot be pickled.

    Parameters
    ----------
    pipelines : list of fitted Pipeline
        One a fold, with codes for labels, unless `labels` are given.
    best_iteration : int or None
        The round at which boosting is read.
    labels : ndarray of shape (n_classes,), default=None
        The labels that the models know, where these are no codes.
    most_bytes : int, default=BAG_BYTES
    """
    file = _Bounded(most_bytes)
    for pipeline in pipelines:
        settled(pipeline.steps[-1][1], best_iteration)
    return (
        file.getvalue()
        if attempt(pickle.dump, (pipelines, labels), file, 5).error is None
        else None
    )


def unpack(bag: bytes, labels: np.ndarray) -> Pipeline:
    """The Pipeline of one step that a bag stands for, with the labels as the user gave them."""
    pipelines, known = pickle.loads(bag)
    return bagged(pipelines, labels, known)


def bagged(
    pipelines: list[Pipeline], labels: np.ndarray, known: np.ndarray | None = None
) -> Pipeline:
    """The Pipeline of one step that fold models stand for, with the labels as the user gave them.

    Parameters
    ----------
    pipelines : list of fitted Pipeline
        One a fold, or a single one.
    labels : ndarray of shape (n_classes,)
    known : ndarray of shape (n_classes,), default=None
        The labels that they know, where these are no codes.
    """
    for pipeline in pipelines:
        release_threads(pipeline.steps[-1][1])
        release_limits(pipeline.steps[-1][1])
    return Pipeline(
        [("classify", FoldModelsClassifier(pipelines)._labelled(labels, known))]
    )


class FoldModelsClassifier(ClassifierMixin, BaseEstimator):
    """The mean of classifiers that were fitted on one fold each.

    Parameters
    ----------
    estimators : list of classifiers
        Fitted, on codes of labels; a class may be missing from some of them.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    """

    _known: np.ndarray | None

    def __init__(self, estimators: list[Estimator]) -> None:
        self.estimators = estimators

    def fit(self, X: Any, y: Any) -> Self:
        """Fit a clone of each estimator on all rows."""
        labels, codes = np.unique(y, return_inverse=True)
        self.estimators_ = [
            clone(estimator).fit(X, codes) for estimator in self.estimators
        ]
        self.classes_, self._known = labels, None
        return self

    def _labelled(self, labels: np.ndarray, known: np.ndarray | None = None) -> Self:
        """The members as they are; `known` are the labels that they know, None where these are codes."""
        self.estimators_, self.classes_, self._known = self.estimators, labels, known
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Mean of the members' probabilities, shape (n, n_classes)."""
        check_has(self, "estimators_")
        total: Any = 0.0
        for member in self.estimators_:
            proba = member.predict_proba(X)
            columns = np.zeros((len(proba), len(self.classes_)))
            codes = (
                member.classes_
                if self._known is None
                else np.searchsorted(self._known, member.classes_)
            )
            columns[:, codes] = proba
            total = total + columns
        return total / len(self.estimators_)

    def predict(self, X: Any) -> np.ndarray:
        """The class with the greatest mean probability."""
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]


def release_limits(estimator: Estimator) -> None:
    """Forget how many seconds a trial had left for a network, in what was fitted and in what it was made from."""
    if hasattr(estimator, "time_limit"):
        estimator.time_limit = None
    for part in (
        getattr(estimator, "estimator", None),
        getattr(estimator, "estimator_", None),
    ):
        if part is not None:
            release_limits(part)


def release_threads(estimator: Estimator) -> None:
    """Forget how many threads a worker had: a fitted classifier goes back to its own default.

    That of LightGBM is all cores also for one row, which takes ten times as long beside a busy process: it gets one.
    """
    while estimator is not None:
        if hasattr(estimator, "n_jobs"):
            boosted = type(estimator).__module__.startswith("lightgbm.")
            estimator.n_jobs = 1 if boosted else None
        estimator = getattr(estimator, "estimator_", None)
