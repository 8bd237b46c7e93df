"""Further columns of a table for boosting: arithmetic of numbers, group statistics and target means of categories."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import KFold
from sklearn.preprocessing import TargetEncoder
from sklearn.utils.validation import check_is_fitted

from skauto._sklearn import Interval, check_parameters
from skauto.estimators.tables._category_codes import category_codes

_CONSTRAINTS: dict[str, list[Any]] = {
    "n_features": [Interval(Integral, 0, None, closed="left")],
    "n_categories": [Interval(Integral, 0, None, closed="left")],
    "random_state": [Interval(Integral, 0, None, closed="left")],
}

# Numbers that are combined with each other, those of the greatest gain; of n there are 3 n (n - 1) / 2 combinations.
MOST_NUMBERS = 8

# Rows on which gains are compared, and rounds of the boosting that gives them.
ROWS, ROUNDS = 4_000, 60

# A pair of categories has at most so many levels that occur.
MOST_LEVELS = 2_000

# Folds in which the target means of a row are those of the others.
N_FOLDS = 5

# What two numbers become.
OPERATIONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "minus": np.subtract,
    "times": np.multiply,
    "over": np.divide,
}

LARGEST = 1e30


@dataclass(frozen=True)
class _Arithmetic:
    """A column computed from two others; `means` has the mean of a number in each level of a category."""

    name: str
    operation: str
    left: Any
    right: Any
    means: np.ndarray | None = None

    def values(self, X: pd.DataFrame) -> np.ndarray:
        """The column, not a number where it cannot be computed."""
        left = X[self.left].to_numpy(np.float64)
        right = X[self.right].to_numpy(np.float64) if self.means is None else self.means[_codes(X[self.right])]
        with np.errstate(all="ignore"):
            column = OPERATIONS[self.operation](left, right)
        return np.where(np.abs(column) < LARGEST, column, np.nan)


class CrossedFeatures(TransformerMixin, BaseEstimator):
    """Append columns that single splits of trees cannot express; those of the greatest gain in a short boosting.

    Differences, products and quotients of the numbers that matter most, deviations of a number from its mean in the
    level of a category, and cross-fitted means of the target by category and by pair of categories.

    Parameters
    ----------
    n_features : int, default=12
        Columns of arithmetic and group statistics at most.
    n_categories : int, default=6
        Categories whose target means, and those of their pairs, are appended at most: those of the most levels.
    random_state : int, default=0

    Attributes
    ----------
    n_features_in_ : int
    appended_ : list of str
        Names of the appended columns.

    References
    ----------
    Target means by other folds: Micci-Barreca, A preprocessing scheme for high-cardinality categorical attributes,
    SIGKDD Explorations 3, 2001, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skauto.estimators.tables._crossed_features import CrossedFeatures
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"a": rng.random(400), "b": rng.random(400)})
    >>> y = (X["a"] > X["b"]).astype(int)
    >>> CrossedFeatures(n_features=1).fit(X, y).appended_
    ['a minus b']
    """

    def __init__(self, n_features: int = 12, n_categories: int = 6, random_state: int = 0) -> None:
        self.n_features = n_features
        self.n_categories = n_categories
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Choose and learn the columns.

        Parameters
        ----------
        X : DataFrame of floats and categories, array or sparse matrix, shape (n, n_columns)
            A sparse matrix stays as it is.
        y : array-like of shape (n,)
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Any, y: Any) -> Any:
        """Choose, learn and append; the target means of a row are those of other rows."""
        check_parameters(self, _CONSTRAINTS)
        self.n_features_in_ = X.shape[1]
        self.kept_: list[_Arithmetic] = []
        self.crossed_: list[tuple[Any, ...]] = []
        if hasattr(X, "indptr"):
            self.appended_: list[str] = []
            return X
        frame, y = _as_frame(X), np.asarray(y)
        categories = [name for name in frame.columns if isinstance(frame[name].dtype, pd.CategoricalDtype)]
        numbers = [name for name in frame.columns if name not in set(categories)]
        self.kept_ = self._best(frame, y, numbers, categories) if self.n_features else []
        self.crossed_ = self._pairs(frame, categories)
        means = np.empty((len(frame), 0))
        if self.crossed_:
            self.encoder_ = TargetEncoder(cv=KFold(N_FOLDS, shuffle=True, random_state=self.random_state))
            means = self.encoder_.fit_transform(self._crossed(frame), y)
        names = [" and ".join(map(str, pair)) for pair in self.crossed_]
        self.means_ = [f"mean by {name}" for name in names]
        if means.shape[1] > len(names):  # of more than two classes a column a class
            self.means_ = [f"mean of {k} by {name}" for name in names for k in range(means.shape[1] // len(names))]
        self.appended_ = [column.name for column in self.kept_] + self.means_
        return self._appended(frame, means)

    def transform(self, X: Any) -> Any:
        """The table with the appended columns.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        X : DataFrame of shape (n, n_columns + n_appended), or the sparse matrix given
        """
        check_is_fitted(self, "appended_")
        if hasattr(X, "indptr"):
            return X
        frame = _as_frame(X)
        means = np.empty((len(frame), 0))
        if self.crossed_:
            means = self.encoder_.transform(self._crossed(frame))
        return self._appended(frame, means)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of all columns."""
        check_is_fitted(self, "appended_")
        names = [f"x{k}" for k in range(self.n_features_in_)] if input_features is None else list(input_features)
        return np.asarray([*names, *self.appended_], dtype=object)

    def _best(self, frame, y, numbers, categories):
        """The columns of arithmetic with the greatest gain beside all that there is."""
        rows = np.arange(len(y))
        if len(y) > ROWS:
            rows = np.sort(np.random.default_rng(self.random_state).permutation(len(y))[:ROWS])
        sample, labels = frame.iloc[rows], y[rows]
        gains = _gains(sample, labels, self.random_state)
        order = np.argsort([-gains[frame.columns.get_loc(name)] for name in numbers], kind="stable")
        first = [numbers[k] for k in order[:MOST_NUMBERS]]
        first = [name for name in numbers if name in set(first)]  # in the order of the table
        tried = [
            _Arithmetic(f"{a} {operation} {b}", operation, a, b)
            for a, b in itertools.combinations(first, 2)
            for operation in OPERATIONS
        ]
        for a, c in itertools.product(first, categories[: self.n_categories]):
            tried.append(_Arithmetic(f"{a} minus its mean by {c}", "minus", a, c, _means_by(frame[a], frame[c])))
        if not tried:
            return []
        columns = pd.DataFrame({k: column.values(sample) for k, column in enumerate(tried)}, index=sample.index)
        gains = _gains(pd.concat([sample, columns], axis=1), labels, self.random_state)[frame.shape[1] :]
        best = np.argsort(-gains, kind="stable")[: self.n_features]
        return [tried[k] for k in best if gains[k] > 0]

    def _pairs(self, frame, categories):
        """Categories and pairs of them whose target means are appended."""
        levels = {name: len(frame[name].dtype.categories) for name in categories}
        chosen = sorted(categories, key=lambda name: -levels[name])[: self.n_categories]
        singles = [(name,) for name in chosen if levels[name] > 2]
        pairs = itertools.combinations(chosen, 2)
        return [*singles, *(pair for pair in pairs if levels[pair[0]] * levels[pair[1]] <= MOST_LEVELS)]

    def _crossed(self, frame):
        """A code for each level, or pair of levels, of the categories."""
        columns = []
        for names in self.crossed_:
            code = np.zeros(len(frame))
            for name in names:
                code = code * (len(frame[name].dtype.categories) + 1) + _codes(frame[name]) + 1
            columns.append(code)
        return np.column_stack(columns)

    def _appended(self, frame, means):
        columns = {column.name: column.values(frame) for column in self.kept_}
        columns |= dict(zip(self.means_ if self.crossed_ else (), means.T, strict=True))
        return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1) if columns else frame


def _as_frame(X):
    return (
        X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X), columns=[f"x{k}" for k in range(X.shape[1])])
    )


def _codes(column):
    return category_codes(column.to_frame())[:, 0].astype(np.int64)


def _means_by(number, category):
    """The mean of a number in each level of a category, then that of all rows for missing levels."""
    codes, values = _codes(category), number.to_numpy(np.float64)
    size = len(category.dtype.categories)
    known = np.isfinite(values) & (codes >= 0)
    counts = np.bincount(codes[known], minlength=size)
    sums = np.bincount(codes[known], weights=values[known], minlength=size)
    overall = values[np.isfinite(values)].mean() if np.isfinite(values).any() else np.nan
    with np.errstate(invalid="ignore"):
        means = np.where(counts > 0, sums / np.maximum(counts, 1), overall)
    return np.append(means, overall)  # the code of a missing level is -1


def _gains(X, y, seed):
    """What each column gains in a short boosting, shape (n_columns,)."""
    from lightgbm import LGBMClassifier

    X = X.set_axis([f"c{k}" for k in range(X.shape[1])], axis=1)  # LightGBM does not take every character
    settings: dict[str, Any] = {"num_leaves": 15, "learning_rate": 0.1, "importance_type": "gain", "verbose": -1}
    settings |= {"deterministic": True, "force_row_wise": True, "colsample_bytree": 0.5, "min_child_samples": 10}
    return LGBMClassifier(n_estimators=ROUNDS, **settings, n_jobs=1, random_state=seed).fit(X, y).feature_importances_
