"""Sequences in estimators: features counted as scikit-learn does, gaps filled."""

import numpy as np
from scipy import sparse
from sklearn.utils.validation import validate_data

from skauto._array_inputs import is_ragged, padded, read_sequences, series_lengths


def check_sequences(estimator, X, *, reset, dtype=np.float32):
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
    dtype : dtype
        Type of the result.

    Returns
    -------
    X : ndarray of shape (rows, time, features)

    Raises
    ------
    ValueError
        For another rank, no rows, no steps, infinite values, a series of nothing but NaN, or another number of
        features than in fit.
    """
    name = type(estimator).__name__
    if is_ragged(X):
        X = padded(X, name, dtype)
    if getattr(X, "ndim", 2) == 2 or sparse.issparse(X):
        X = _from_table(estimator, X, reset, dtype)
        return read_sequences(X, name, dtype)[0]
    X = read_sequences(X, name, dtype)[0]
    _keep_features(estimator, X, reset, name)
    return X


def _from_table(estimator, X, reset, dtype):
    """(rows, time) with one feature."""
    fitted_columns = getattr(estimator, "_columns_seen", None)
    compare = reset or fitted_columns is not None
    if not compare and estimator.n_features_in_ != 1:
        raise ValueError(
            f"X has one feature, as it has two axes, but {type(estimator).__name__} was fitted on "
            f"{estimator.n_features_in_} features: X must have shape (rows, time, {estimator.n_features_in_})"
        )
    options = {"dtype": dtype, "ensure_all_finite": False}
    X = validate_data(estimator, X, reset=reset, **options) if compare else np.asarray(X, dtype=dtype)
    if reset:
        estimator._columns_seen = X.shape[1]
    return X[:, :, None]


def _keep_features(estimator, X, reset, name):
    if reset:
        estimator.n_features_in_, estimator._columns_seen = X.shape[2], None
        return
    expected = 1 if estimator._columns_seen is not None else estimator.n_features_in_
    if X.shape[2] != expected:
        raise ValueError(f"X has {X.shape[2]} features, but {name} was fitted on {expected}")


def fill_gaps(X, lengths):
    """A copy of X (rows, time, features): gaps inside a series interpolated in a straight line, padding 0.

    A feature that a series does not have at all is 0 throughout.
    """
    filled = X.copy()
    inside = np.arange(X.shape[1]) < lengths[:, None]
    for row, feature in np.argwhere((np.isnan(X) & inside[:, :, None]).any(axis=1)):
        series = filled[row, : lengths[row], feature]
        seen = np.flatnonzero(~np.isnan(series))
        series[:] = np.interp(np.arange(len(series)), seen, series[seen]) if len(seen) else 0
    filled[~inside] = 0
    return filled


def differences(X):
    """Changes from step to step, in the form of X as `check_sequences` takes it; the first one is 0."""
    X = read_sequences(X, "differences")[0]
    lengths = series_lengths(X)
    filled = fill_gaps(X, lengths)
    changes = np.diff(filled, axis=1, prepend=filled[:, :1])
    changes[np.arange(X.shape[1]) >= lengths[:, None]] = np.nan
    return changes
