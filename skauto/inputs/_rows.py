"""What comes with each row of X: labels, weights and groups, checked."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d


def same_length(found: int, expected: int, what: str) -> None:
    """Refuse what has another number of rows than X."""
    if found != expected:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {expected} rows, {what} has {found}"
        )


def read_labels(y: Any) -> np.ndarray:
    """y as a one-dimensional array of int, bool, float or str."""
    if isinstance(y, pd.DataFrame) and y.shape[1] == 1:
        column_or_1d(np.empty((len(y), 1)), warn=True)  # scikit-learn's own warning
        y = y.iloc[:, 0]
    if not isinstance(y, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)):
        y = _label_array(y)
    series = pd.Series(y).reset_index(drop=True)
    missing = np.flatnonzero(series.isna())
    if len(missing):
        raise ValueError(
            f"y contains NaN: {len(missing)} of {len(series)} labels are missing, the first in row {missing[0]}; "
            "drop these rows or give them a label"
        )
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = pd.Series(np.asarray(series))
    series = series.infer_objects()
    if series.dtype.kind in "biu":
        wide = series.dtype.kind == "u" and series.max() > np.iinfo(np.int64).max
        return series.to_numpy(dtype={"b": bool}.get(series.dtype.kind, np.uint64 if wide else np.int64))
    if series.dtype.kind == "f":
        values = series.to_numpy(dtype=np.float64)
        if (bad := np.flatnonzero(np.isinf(values))).size:
            raise ValueError(
                "Input y contains infinity or a value too large for dtype('float64'). "
                f"The first of {bad.size} is in row {bad[0]}: drop these rows or give them a label"
            )
        return values
    return _string_labels(series)


def check_labels(labels: np.ndarray, estimator: str) -> None:
    """Refuse numbers with fractions and whatever else is no class, by scikit-learn's rules.

    Raises
    ------
    ValueError
        Naming the estimator, with what would do.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of numbers that do not fit into integers
            check_classification_targets(labels)
    except ValueError as error:
        if labels.dtype.kind != "f":
            raise
        broken = labels[labels != np.round(labels)]
        if not len(broken):
            largest = float(labels[np.argmax(np.abs(labels))])
            raise ValueError(
                f"y holds numbers such as {largest!r}, which a float of 64 bits cannot tell from their neighbours: "
                f"{estimator} needs labels that are texts or whole numbers below 2**63. If these are long numbers of "
                "something, read them as texts; else use y.astype(str)"
            ) from error
        raise ValueError(
            f"Unknown label type: continuous. {estimator} is for classification only, and y holds "
            f"{len(np.unique(labels))} different numbers with fractions, such as {broken[0]:g}. Make classes of them, "
            "for example with pandas.cut(y, 3).astype(str) or y > 0.5, or use a regressor"
        ) from error


def _label_array(y: Any) -> np.ndarray:
    if isinstance(y, str):
        raise ValueError(
            f"y={y!r} is a text, not one label a row; of a column of X pass X.drop(columns={y!r}), X[{y!r}]"
        )
    # A list of mixed labels would become one of strings; as objects they are found to be mixed.
    array = column_or_1d(np.asarray(y, dtype=object if isinstance(y, (list, tuple)) else None), warn=True)
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported\n{array}\n")
    return array


def _string_labels(series: pd.Series) -> np.ndarray:
    values = series.to_numpy(dtype=object)
    kinds = {type(value) for value in values}
    if all(issubclass(kind, str) for kind in kinds):
        return values.astype(str)
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    if kinds == {int}:
        longest = max(values, key=abs)
        raise ValueError(
            f"Unknown label type: y holds integers of more than 64 bits, such as {longest}; names of classes with so "
            "many digits are strings: y.astype(str)"
        )
    raise ValueError(
        f"Unknown label type: y holds values of type {names}; labels are strings, booleans or integers, all of one "
        "type: convert them, for example by y.astype(str)"
    )


def read_weights(sample_weight: Any, n_rows: int) -> np.ndarray:
    """Weights as a float array of shape (n_rows,), finite, not negative and not all zero."""
    try:
        weight = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"sample_weight must hold one number for each row: {error}") from error
    if weight.ndim == 0:
        weight = np.full(n_rows, float(weight))
    if weight.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar, got shape {weight.shape}")
    same_length(len(weight), n_rows, "sample_weight")
    bad = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
    if len(bad):
        raise ValueError(f"sample_weight must be finite and not negative, but row {bad[0]} has {weight[bad[0]]}")
    if not weight.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weight


def read_groups(groups: Any, n_rows: int) -> np.ndarray:
    """Groups as codes, an int array of shape (n_rows,)."""
    if not isinstance(groups, pd.Series):
        groups = column_or_1d(np.asarray(groups, dtype=object), input_name="groups")
    codes, _ = pd.factorize(groups)
    same_length(len(codes), n_rows, "groups")
    missing = np.flatnonzero(codes < 0)
    if len(missing):
        raise ValueError(f"groups has {len(missing)} missing values, the first in row {missing[0]}")
    return codes.astype(np.int64)
