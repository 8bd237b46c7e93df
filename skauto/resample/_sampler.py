"""The common path of every sampler: read the input, choose rows, return them in the form of the input."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from imblearn.utils import check_target_type
from sklearn.preprocessing import label_binarize
from sklearn.utils import assert_all_finite, check_consistent_length
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from skauto._telling import warn
from skauto.resample._rows import carry_between
from skauto.resample._tables import interpolate, read_table
from skauto.resample._targets import ResamplingWarning, class_seeds, targets
from skauto.resample._wrapped import checked_weight


class Rows(NamedTuple):
    """What a sampler made: rows, and where each comes from."""

    X: Any
    parents: np.ndarray  # (m, 2) positions in the input; the same twice for a row that was taken as it is
    steps: np.ndarray  # (m,) a row lies at first + step * (second - first)


class Draw(NamedTuple):
    """Synthetic rows of one class, each between two rows of the input."""

    first: np.ndarray  # (m,) positions
    second: np.ndarray  # (m,) positions
    steps: np.ndarray  # (m,)
    codes: np.ndarray  # (m, q) elected codes of categories


def kept(table: Any, rows: Any) -> "Rows":
    """Rows of the input as they are."""
    rows = np.asarray(rows, dtype=np.intp)
    return Rows(table.take(rows), np.column_stack([rows, rows]), np.zeros(len(rows)))


def grown(table: Any, draws: "Iterable[Draw]") -> "Rows":
    """All rows of the input, then the synthetic ones."""
    n = table.numeric.shape[0]
    draws = [draw for draw in draws if len(draw.first)]
    if not draws:
        return kept(table, np.arange(n))
    first, second, steps, codes = (np.concatenate(parts) for parts in zip(*draws, strict=True))
    X = table.append(interpolate(table.numeric, first, second, steps), codes, first)
    old = np.arange(n)
    parents = np.column_stack([np.concatenate([old, first]), np.concatenate([old, second])])
    return Rows(X, parents, np.concatenate([np.zeros(n), steps]))


class RowSampler:
    """Mixin before a base class of imbalanced-learn: any input, lenient targets, weights, provenance.

    A sampler defines `_fit_resample(table, y, notes) -> Rows`, with y as integer codes of `classes_` and notes a list
    for sentences about what could not be done as requested; they become one warning.
    """

    _validate_params: Callable[[], None]  # of the base class of imbalanced-learn
    categorical_features = "auto"
    _at_random = False  # rows are only repeated or left out: infinite values do no harm, one stream serves all classes

    def fit(self, X: Any, y: Any) -> Self:
        """Check the input and compute the target count of each class.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Rows.
        y : array-like of shape (n,)
            Labels.

        Returns
        -------
        self : object
        """
        self._validate_params()
        self._read(X, y, [])
        return self

    def fit_resample(self, X: Any, y: Any, sample_weight: Any = None) -> tuple[Any, ...]:
        """Resample.

        Parameters
        ----------
        X : DataFrame, array of any rank, sparse matrix or list of shape (n, ...)
            Rows. Missing values are allowed.
        y : array-like of shape (n,)
            Labels.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows; those of synthetic rows are interpolated like their features.

        Returns
        -------
        X : of shape (m, ...)
            Resampled rows, of the kind and dtypes of X.
        y : of shape (m,)
            Their labels, of the kind of y.
        sample_weight : ndarray of shape (m,)
            Their weights; only where weights were given.

        Raises
        ------
        ValueError
            If y has one class, X holds infinite values, or a parameter is out of range.

        Warns
        -----
        ResamplingWarning
            Once, if the data did not allow what was requested, for example a class with fewer rows than neighbours.
        """
        self._validate_params()
        notes: list[str] = []
        X_new, y_new = self._resampled(X, y, notes)
        if notes:
            said = "; ".join(dict.fromkeys(notes))
            warn(f"{type(self).__name__}: {said}.", ResamplingWarning)
        if sample_weight is None:
            return X_new, y_new
        return X_new, y_new, carry_between(checked_weight(sample_weight, y), self.parents_, self.steps_)

    def _resampled(self, X, y, notes):
        """Rows and labels; where each comes from goes into attributes."""
        table, codes, one_vs_all = self._read(X, y, notes)
        rows = self._fit_resample(table, codes, notes)
        self.parents_, self.steps_ = rows.parents, rows.steps
        if self.__sklearn_tags__().sampler_tags.sample_indices:
            self.sample_indices_ = rows.parents[:, 0]
        return rows.X, _restored(y, self.classes_[codes[rows.parents[:, 0]]], rows.X, one_vs_all, self.classes_)

    def _read(self, X, y, notes):
        """The rows as a table, the labels as codes, and whether these came one column a class."""
        check_classification_targets(y)
        labels, one_vs_all = check_target_type(y, indicate_one_vs_all=True)
        labels = np.asarray(labels)
        assert_all_finite(labels, input_name="y")
        table = read_table(X, self.categorical_features, allow_infinite=self._at_random)
        check_consistent_length(X, labels)
        validate_data(self, X=X, y=labels, reset=True, skip_check_array=True)
        self.sampling_strategy_ = targets(self.sampling_strategy, labels, self._sampling_type, notes)
        self.classes_ = np.unique(labels)
        return table, np.searchsorted(self.classes_, labels), one_vs_all  # `return_inverse` sorts, which is slower

    def _quotas(self):
        """For each class to change: its label, its code, the count asked for, and its own random_state."""
        codes = {label: code for code, label in enumerate(self.classes_.tolist())}
        changed = self.sampling_strategy_.items()
        seeds = class_seeds(getattr(self, "random_state", None), len(changed), shared=self._at_random)
        return [
            (_plain(label), codes[_plain(label)], count, seed)
            for (label, count), seed in zip(changed, seeds, strict=True)
        ]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.input_tags.three_d_array = True
        return tags


def _plain(label):
    return label.item() if isinstance(label, np.generic) else label


def _restored(y, labels, X, one_vs_all, classes):
    """Labels in the form in which they came."""
    if one_vs_all:
        labels = label_binarize(labels, classes=classes)
    if isinstance(y, list):
        return labels.tolist()
    if isinstance(y, pd.DataFrame):
        frame = pd.DataFrame(labels, columns=y.columns, index=getattr(X, "index", None))
        return frame.astype(y.dtypes)
    if isinstance(y, pd.Series):
        return pd.Series(labels, dtype=y.dtype, name=y.name, index=getattr(X, "index", None))
    return labels
