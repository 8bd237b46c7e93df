"""Sequences in estimators: features counted as scikit-learn does, centred and scaled, gaps filled."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import validate_data

from skauto._sklearn import check_feature_names
from skauto._telling import warn
from skauto.estimators.tables._magnitude import LARGEST_SCALED
from skauto.inputs._sequences import (
    as_floats,
    channels_first_hint,
    is_ragged,
    padded,
    read_sequences,
    refuse_no_series,
    series_lengths,
    unnested,
)

if TYPE_CHECKING:
    from torch import Tensor

ROUNDING = 10 * np.finfo(np.float64).eps  # a feature that varies by less, relative to its mean, is constant


def check_sequences(estimator: Any, X: Any, *, reset: bool) -> np.ndarray:
    """X as an array (rows, time, features), shorter series padded at the end with NaN.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_`` is set with `reset` and compared without: the features of a step, or for 2-D X, as
        scikit-learn has it, the columns.
    X : array of shape (rows, time, features) or (rows, time), or a list of arrays (time_i, features) or (time_i,)
        Two axes mean one feature. NaN at the end of a series is padding, elsewhere it is a missing value.
    reset : bool
        Whether this is fit.

    Returns
    -------
    X : ndarray of shape (rows, time, features)
        Of float32 where that holds the numbers as they came, else of float64.

    Raises
    ------
    ValueError
        For another rank, no rows, no steps, infinite values, a series of nothing but NaN, or another number of
        features than in fit.
    """
    name = type(estimator).__name__
    refuse_no_series(X, name)
    cells = unnested(X, name)
    if cells is not None:
        check_feature_names(estimator, X, reset=reset)
        names = getattr(estimator, "feature_names_in_", None)
        X = read_sequences(cells, name)[0]
        _keep_features(estimator, X, reset, name)
        if names is not None:
            estimator.feature_names_in_ = names
        return X
    if is_ragged(X):
        X = padded(X, name)
    elif isinstance(X, np.ma.MaskedArray):
        X = as_floats(X, "the series of X", name)
    if getattr(X, "ndim", 2) == 2 or sparse.issparse(X):
        X = _from_table(estimator, X, reset)
        return read_sequences(X, name)[0]
    X = read_sequences(X, name)[0]
    _keep_features(estimator, X, reset, name)
    return X


def _from_table(estimator, X, reset):
    """(rows, time) with one feature."""
    fitted_columns = getattr(estimator, "_columns_seen", None)
    compare = reset or fitted_columns is not None
    if not compare and estimator.n_features_in_ != 1:
        raise ValueError(
            f"X has one feature, as it has two axes, but {type(estimator).__name__} was fitted on "
            f"{estimator.n_features_in_} features: X must have shape (rows, time, {estimator.n_features_in_})"
        )
    options = {"dtype": [np.float64, np.float32], "ensure_all_finite": False}
    try:
        X = validate_data(estimator, X, reset=reset, **options) if compare else np.asarray(X)
    except ValueError as error:
        if not str(error).endswith("features as input."):
            raise
        advice = "series of another length are X[:, :, None], with an axis of features, or a list of arrays"
        raise ValueError(f"{str(error)[:-1]}; {advice}") from error
    if reset:
        estimator._columns_seen = X.shape[1]
    return X[:, :, None]


def _keep_features(estimator, X, reset, name):
    if reset:
        estimator.n_features_in_, estimator._columns_seen = X.shape[2], None
        vars(estimator).pop("feature_names_in_", None)
        _warn_of_channels_first(X.shape)
        return
    expected = 1 if estimator._columns_seen is not None else estimator.n_features_in_
    if X.shape[2] != expected:
        raise ValueError(f"X has {X.shape[2]} features, but {name} was fitted on {expected}")


def _warn_of_channels_first(shape):
    hint = channels_first_hint(shape)
    if hint:
        warn(hint)


def center_and_spread(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each feature of X (rows, time, features) over all values that are there.

    The deviation of a constant feature is 0 whatever the rounding; the mean of one without any value is NaN.
    """
    steps = X.reshape(-1, X.shape[2])
    seen = ~np.isnan(steps)
    count = np.maximum(seen.sum(axis=0), 1)
    # Differences from a value that is there: a sum of equal or of large numbers would round.
    start = steps[seen.argmax(axis=0), np.arange(X.shape[2])].astype(np.float64)
    moved = np.where(seen, steps - start, 0)
    shift = moved.sum(axis=0) / count
    deviation = np.sqrt((np.where(seen, moved - shift, 0) ** 2).sum(axis=0) / count)
    center = start + shift
    return center, np.where(deviation <= ROUNDING * np.abs(center), 0, deviation)


@dataclass(frozen=True)
class Scaling:
    """Prepares steps for a net: features centred and scaled, missing values at the mean with indicator columns.

    A feature without any value in fit is dropped: it is always 0. Numbers far beyond those of
    fit are bounded, as the square of a larger one is infinite.
    """

    center: np.ndarray
    scale: np.ndarray
    gappy: np.ndarray  # positions of the features that miss values inside series
    dtype: str

    @classmethod
    def learn(cls, X: np.ndarray, lengths: np.ndarray, dtype: str) -> Self:
        """The scaling of series X (rows, time, features) of these lengths."""
        center, spread = center_and_spread(X)
        empty = np.isnan(center)
        inside = np.arange(X.shape[1]) < lengths[:, None]
        gappy = (np.isnan(X) & inside[:, :, None]).any(axis=(0, 1)) & ~empty
        scale = np.where(empty, np.inf, np.where(spread > 0, spread, 1))
        return cls(np.where(empty, 0, center), scale, np.flatnonzero(gappy), dtype)

    def __len__(self):
        """Columns after scaling."""
        return len(self.center) + len(self.gappy)

    def __call__(self, X: np.ndarray) -> "Tensor":
        """X (..., features) scaled, with the columns that tell gaps."""
        gaps = np.isnan(X)
        scaled = np.where(gaps, 0, (X - self.center) / self.scale).clip(-LARGEST_SCALED, LARGEST_SCALED)
        return np.concatenate([scaled, gaps[..., self.gappy]], axis=-1).astype(self.dtype)


def fill_gaps(X: np.ndarray, lengths: np.ndarray, center: np.ndarray | None = None) -> np.ndarray:
    """A copy of X (rows, time, features): gaps inside a series interpolated in a straight line, padding 0.

    A feature that a series does not have at all is `center` (features,) throughout, 0 where that is None.
    """
    center = np.zeros(X.shape[2]) if center is None else center
    filled = X.copy()
    inside = np.arange(X.shape[1]) < lengths[:, None]
    for row, feature in np.argwhere((np.isnan(X) & inside[:, :, None]).any(axis=1)):
        series = filled[row, : lengths[row], feature]
        seen = np.flatnonzero(~np.isnan(series))
        series[:] = np.interp(np.arange(len(series)), seen, series[seen]) if len(seen) else center[feature]
    filled[~inside] = 0
    return filled


def differences(X: np.ndarray) -> np.ndarray:
    """Changes from step to step, in the form of X as `check_sequences` takes it; the first one is 0."""
    X = read_sequences(X, "differences")[0]
    lengths = series_lengths(X)
    filled = fill_gaps(X, lengths)
    changes = np.diff(filled, axis=1, prepend=filled[:, :1])
    changes[np.arange(X.shape[1]) >= lengths[:, None]] = np.nan
    return changes


class DifferencesTransformer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Differences between consecutive steps of each series, one feature per feature."""

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn how many features a step has.

        Parameters
        ----------
        X : array of shape (rows, time, features)
        y : ignored
        """
        check_sequences(self, X, reset=True)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """The changes, shape (rows, time, features)."""
        return differences(check_sequences(self, X, reset=False))
