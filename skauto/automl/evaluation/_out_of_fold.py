"""A classifier that answers from out-of-fold probabilities, for scorers called with (estimator, X, y)."""

import inspect
from collections.abc import Callable
from numbers import Real
from typing import Any, Never, Self, cast

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from skauto.inputs._types import Rows


class OutOfFoldClassifier(ClassifierMixin, BaseEstimator):
    """Answers for rows whose probabilities are known, as a classifier would that never saw them.

    A scorer finds `predict`, `predict_proba` and `classes_`, and no parameters; a clone is the classifier itself.

    Parameters
    ----------
    X : DataFrame, array or sparse matrix of n rows
        The rows. Of a DataFrame a part may be asked for, which its index finds; where that repeats, the values too.
    proba : ndarray of shape (n, n_classes)
    labels : ndarray of shape (n,)
    classes : ndarray of shape (n_classes,)
    """

    def __init__(
        self, X: Rows, proba: np.ndarray, labels: np.ndarray, classes: np.ndarray
    ) -> None:
        self._X = X
        self._proba = proba
        self._labels = labels
        self._classes = classes
        self._asked_for_labels = False

    def __getattr__(self, name: str) -> Never:
        # Short enough that the line of a failed trial has all of it.
        raise AttributeError(
            f"scoring: the estimator that a scorer of (estimator, X, y) judges has no {name!r}, only predict, "
            "predict_proba and classes_, all out of fold; a measure in constraints gets a fitted model"
        )

    @property
    def classes_(self) -> np.ndarray:
        """The labels in the order of the columns of `predict_proba`."""
        return self._classes

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_clone__(self) -> "OutOfFoldClassifier":
        return self

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """No parameters: there is nothing to fit."""
        return {}

    def set_params(self, **params: Any) -> Self:
        """Refused, but for no parameters."""
        if params:
            raise ValueError(
                f"scoring: a scorer of (estimator, X, y) cannot set {', '.join(params)} of the estimator that it judges"
            )
        return self

    def fit(self, X: Any, y: Any = None) -> Never:
        """Refused: a scorer judges what is fitted."""
        raise ValueError(
            "scoring: a scorer of (estimator, X, y) cannot fit the estimator that it judges"
        )

    def predict(self, X: Any) -> np.ndarray:
        """The labels of the rows."""
        self._asked_for_labels = True
        return self._labels[self._places(X)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probabilities of the rows."""
        return self._proba[self._places(X)]

    def _places(self, X: Any) -> np.ndarray | slice:
        if X is self._X:
            return slice(None)
        if (
            isinstance(X, pd.DataFrame)
            and isinstance(self._X, pd.DataFrame)
            and X.columns.isin(self._X.columns).all()
        ):
            places = (
                self._X.index.get_indexer(X.index)
                if self._X.index.is_unique
                else self._places_by_values(X)
            )
            if (places >= 0).all() and self._X.iloc[places][X.columns].equals(X):
                return places
        elif (
            not isinstance(X, pd.DataFrame)
            and np.shape(X) == np.shape(self._X)
            and _same(X, self._X)
        ):
            return slice(None)
        raise ValueError(
            "scoring: a scorer of (estimator, X, y) may ask for predictions of the X it is given, and of a part of "
            "its rows where it is a DataFrame, but not of other or changed rows: these are predicted out of fold"
        )

    def _places_by_values(self, X: pd.DataFrame) -> np.ndarray:
        """Places of rows whose index repeats, found by index and values together; all -1 where one is unknown.

        Rows that are alike in both are taken in their order where all of them are asked for. A part of them is refused
        unless the answer is the same for each.
        """
        known, asked = (
            pd.util.hash_pandas_object(rows).to_numpy()
            for rows in (self._X[X.columns], X)
        )
        keys, code, count = np.unique(known, return_inverse=True, return_counts=True)
        found = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        if (keys[found] != asked).any():
            return np.full(len(asked), -1)
        n_asked = np.bincount(found, minlength=len(keys))
        alike = np.argsort(code, kind="stable")  # places, those of a key together
        start = np.cumsum(count) - count
        first = alike[start][code]
        partly = ((n_asked > 0) & (n_asked != count))[code]
        same = np.isclose(self._proba, self._proba[first]).all(axis=1) & (
            self._labels == self._labels[first]
        )
        if (partly & ~same).any():
            raise ValueError(
                "scoring: the index of X repeats, and a scorer of (estimator, X, y) asks for a part of rows that are "
                "alike in index and values, which cannot be told apart; give X an index without repeats, for example "
                "X.reset_index(drop=True)"
            )
        nth = pd.Series(found).groupby(found).cumcount().to_numpy()
        return alike[start[found] + nth % count[found]]


def with_index(X: Rows, index: pd.Index | None) -> Rows:
    """The rows of a DataFrame under an index; without an index X as it is."""
    return X if index is None else cast(pd.DataFrame, X).set_axis(index, axis=0)


def _same(X: Any, other: Any) -> bool:
    """Whether two arrays hold the same, gaps included."""
    if isinstance(X, np.ndarray) and isinstance(other, np.ndarray):
        return np.array_equal(X, other, equal_nan=X.dtype.kind == "f")
    return False


class EstimatorMetric:
    """A scorer of (estimator, X, y) as a function of rows and their probabilities."""

    def __init__(self, scorer: Callable[..., Any], classes: np.ndarray) -> None:
        self.scorer = scorer
        self.classes = np.sort(classes)
        self.takes_weight = "sample_weight" in inspect.signature(scorer).parameters

    def judge(
        self,
        X: Rows,
        y: np.ndarray,
        proba: np.ndarray,
        labels: np.ndarray,
        weight: np.ndarray | None = None,
    ) -> tuple[float, bool]:
        """The score of labelled rows and whether the scorer looked at predicted labels.

        Parameters
        ----------
        X : DataFrame, array or sparse matrix of n rows
        y, labels : ndarray of shape (n,)
            True and predicted labels.
        proba : ndarray of shape (n, n_classes), columns in the order of the sorted labels
        weight : ndarray of shape (n,), default=None
        """
        model = OutOfFoldClassifier(X, proba, labels, self.classes)
        y = pd.Series(y, index=X.index) if isinstance(X, pd.DataFrame) else y
        rows = (
            {"sample_weight": weight}
            if self.takes_weight and weight is not None
            else {}
        )
        value = self.scorer(model, X, y, **rows)
        if not isinstance(value, Real):
            raise ValueError(f"scoring: the scorer gave {value!r}, which is no number")
        return float(value), model._asked_for_labels


def takes_estimator(scorer: Any) -> bool:
    """Whether a scorer is a callable of (estimator, X, y), not one of scikit-learn's metrics or scorers."""
    if (
        not callable(scorer)
        or isinstance(scorer, type)
        or hasattr(scorer, "_score_func")
    ):
        return False
    if getattr(scorer, "__module__", "").startswith("sklearn.metrics."):
        return False
    try:
        inspect.signature(scorer).bind(None, None, None)
    except (TypeError, ValueError):
        return False
    return True
