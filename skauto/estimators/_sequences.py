"""Sequences in: arrays or lists of series of unequal length become one float array, padded at the end with NaN."""

import numpy as np
from scipy import sparse
from sklearn.utils.validation import validate_data

LISTS = "a list of arrays (time_i, features)"


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
    if _is_ragged(X):
        X = _from_list(X, name, dtype)
    if getattr(X, "ndim", 2) == 2 or sparse.issparse(X):
        X = _from_table(estimator, X, reset, dtype)
    else:
        X = np.asarray(X, dtype=dtype)
        _check_rank(X, name)
        _keep_features(estimator, X, reset, name)
    if np.isinf(X).any():
        raise ValueError(f"Input X contains infinity, in series {np.flatnonzero(np.isinf(X).any(axis=(1, 2)))[0]}")
    empty = np.flatnonzero(series_lengths(X) == 0)
    if len(empty):
        raise ValueError(f"series {empty[0]} of X has no values at all, only NaN; leave it out ({len(empty)} such)")
    return X


def series_lengths(X):
    """Steps of each series up to its last value that is not NaN; 0 for a series without values."""
    seen = ~np.isnan(X).all(axis=2)
    return np.where(seen.any(axis=1), X.shape[1] - seen[:, ::-1].argmax(axis=1), 0)


def _is_ragged(X):
    """Whether X is a list of series, and not a table written as a list of equal rows."""
    if not (isinstance(X, (list, tuple)) or (isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1)):
        return False
    if not len(X) or not all(_is_sized(x) for x in X):
        return False
    return len({len(x) for x in X}) > 1 or any(getattr(x, "ndim", 1) > 1 or (len(x) and _is_sized(x[0])) for x in X)


def _is_sized(x):
    return hasattr(x, "__len__") and not isinstance(x, (str, bytes)) and np.shape(x[:0]) != ()


def _from_list(X, name, dtype):
    series = [np.asarray(x, dtype=dtype) for x in X]
    series = [x[:, None] if x.ndim == 1 else x for x in series]
    wrong = [i for i, x in enumerate(series) if x.ndim != 2]
    if wrong:
        raise ValueError(f"series {wrong[0]} of X has {series[wrong[0]].ndim} axes; {name} takes {LISTS}")
    widths = {x.shape[1] for x in series}
    if len(widths) > 1:
        raise ValueError(f"all series of X need the same features, got {sorted(widths)} columns")
    padded = np.full((len(series), max(map(len, series)), widths.pop()), np.nan, dtype=dtype)
    for row, x in zip(padded, series, strict=True):
        row[: len(x)] = x
    if not padded.shape[1]:
        raise ValueError("all series of X have length 0; they need at least one step")
    return padded


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


def _check_rank(X, name):
    if X.ndim != 3:
        raise ValueError(
            f"X has {X.ndim} axes; {name} takes arrays (rows, time, features) or (rows, time), or {LISTS}. "
            "Reshape your data: X.reshape(-1, 1) is many series of one step, X.reshape(1, -1) is one series"
        )
    for axis, word in enumerate(("rows", "steps", "features")):
        if not X.shape[axis]:
            raise ValueError(f"X has shape {X.shape}: 0 {word}, while a minimum of 1 is required")


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
