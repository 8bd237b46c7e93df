"""What the caller handed in: a table, labels, weights and groups, checked once at the public door."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from skauto.inputs._as_given import as_given
from skauto.inputs._closest import closest
from skauto.inputs._data import Data
from skauto.inputs._rows import check_labels, read_groups, read_labels, read_weights, same_length
from skauto.inputs._types import Given, Names, Reader, Table

_RESHAPE = (
    "Reshape your data either using array.reshape(-1, 1) if your data has a single feature or array.reshape(1, -1) "
    "if it contains a single sample."
)
# Columns of a frame that are looked at together: one at a time is slow where there are thousands.
COLUMNS_AT_ONCE = 500

_NOT_A_TABLE = "a table has two axes; sequences have three, images three or four (kind='auto')"


def inspect(
    X: Given,
    y: Any,
    sample_weight: Any = None,
    groups: Any = None,
    *,
    kind: str = "table",
    read: Reader | None = None,
    n_features: Callable[[tuple[int, ...]], int] | None = None,
    estimator: str = "AutoClassifier",
) -> Data:
    """Check the input of a fit and say what it is.

    Parameters
    ----------
    X : DataFrame, array, nested list or sparse matrix, shape (n_rows, n_features)
        The table. Missing values (NaN, None, pd.NA, NaT) are fine, infinite ones are not.
    y : array-like, shape (n_rows,)
        Labels: strings, booleans or integers, none missing, at least two different ones.
    sample_weight : array-like, shape (n_rows,), default=None
        Weights, none negative and not all zero.
    groups : array-like, shape (n_rows,), default=None
        Group of each row, of any type, none missing.
    kind, read, n_features : str, callable, callable
        For other kinds than tables: ``read(X)`` gives what is checked and the names of its features or None, and
        ``n_features(shape)`` counts the features as scikit-learn does.
    estimator : str, default="AutoClassifier"
        Name used in messages.

    Returns
    -------
    data : Data

    Raises
    ------
    ValueError
        Whatever is wrong with the input, named: the column, the first row, the lengths.
    TypeError
        If X cannot be read as a table at all.

    Examples
    --------
    >>> import pandas as pd
    >>> from skauto.inputs._read import inspect
    >>> data = inspect(pd.DataFrame({"age": [31, 45, None], "town": ["Ulm", None, "Ulm"]}), ["no", "yes", "no"])
    >>> data.classes.tolist(), data.y.tolist(), data.feature_names
    (['no', 'yes'], [0, 1, 0], ['age', 'town'])
    """
    table, names = (read or as_table)(X)
    if y is None:
        raise ValueError(f"This {estimator} estimator requires y to be passed, but the target y is None.")
    labels = read_labels(y)
    same_length(len(labels), table.shape[0], "y")
    check_labels(labels, estimator)
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"y has only one class, {classes[0].item()!r}: a classifier needs at least two classes")
    weight = None if sample_weight is None else read_weights(sample_weight, table.shape[0])
    if weight is not None and len(np.unique(codes[weight > 0])) < 2:
        raise ValueError("sample_weight leaves only one class with a weight above zero: a classifier needs two classes")
    return Data(
        kind=kind,
        X=table.reset_index(drop=True) if isinstance(table, pd.DataFrame) else table,
        y=codes.astype(np.int64),
        classes=classes,
        feature_names=names,
        n_features=table.shape[-1] if n_features is None else n_features(table.shape),
        sample_weight=weight,
        groups=None if groups is None else read_groups(groups, table.shape[0]),
        index=table.index if isinstance(table, pd.DataFrame) else None,
        as_given=None if table.ndim != 2 else as_given(X, table),
    )


def refuse_lazy(X: Given, name: str = "X") -> None:
    """Refuse tables of other packages that hold a plan of their rows, not the rows; the message says how to get them.

    Raises
    ------
    TypeError
        For lazy tables of polars, dask, Spark or DuckDB.
    """
    if not hasattr(type(X), "columns"):
        return
    for method in ("collect", "compute", "toPandas", "df"):
        if callable(getattr(type(X), method, None)) and not hasattr(type(X), "to_pandas"):
            package = type(X).__module__.partition(".")[0]
            raise TypeError(
                f"{name} is a {type(X).__name__} of {package}, which holds no rows yet: pass {name}.{method}()"
            )


def as_table(X: Given) -> tuple[Table, Names]:
    """X as a DataFrame, an array of float64 or a CSR matrix of float64, and its column names.

    Returns
    -------
    table : DataFrame, ndarray or CSR matrix
    names : list of str or None
        None for arrays and for DataFrames whose columns are just numbered 0, 1, 2, ...
    """
    if hasattr(X, "to_pandas") and hasattr(X, "columns"):
        X = X.to_pandas()
    if sp.issparse(X):
        table, names = _sparse(X), None
    elif isinstance(X, pd.DataFrame):
        table, names = _frame(X)
    else:
        table, names = _array(X), None
    _has_size(table.shape)
    _all_finite(table)
    return table, names


def align(
    X: Given, feature_names: Iterable[str] | None, n_features: int, *, estimator: str = "AutoClassifier"
) -> Table:
    """X of a predict as a table with the columns of fit, in the order of fit.

    A DataFrame is put in order by name; columns that fit did not know are left out. An array goes by position.

    Parameters
    ----------
    X : as in `inspect`
    feature_names, n_features : list of str or None, int
        Those of the `Data` of fit.
    estimator : str, default="AutoClassifier"
        Name used in messages.

    Returns
    -------
    table : DataFrame, ndarray or CSR matrix, shape (n_rows, n_features)
        As `Data.X`; an array given to a fit with names becomes a DataFrame with these names.

    Raises
    ------
    ValueError
        For missing columns, each named, another number of columns, and infinite values.
    """
    table, names = as_table(X)
    feature_names = None if feature_names is None else list(feature_names)
    if names is not None and feature_names in (None, _numbered(n_features)):
        table, names = _in_order_of_numbers(table, names, n_features)
    if isinstance(table, pd.DataFrame) and names is not None and feature_names is not None:
        return table if names == feature_names else _by_name(table, feature_names)
    if table.shape[1] != n_features:
        raise ValueError(
            f"X has {table.shape[1]} features, but {estimator} is expecting {n_features} features as input."
        )
    if feature_names is None:
        if names not in (None, _numbered(n_features)):
            warnings.warn(f"X has feature names, but {estimator} was fitted without feature names", stacklevel=3)
        return table
    if feature_names != _numbered(n_features):
        message = f"X does not have valid feature names, but {estimator} was fitted with feature names"
        warnings.warn(message, stacklevel=3)
    return table if sp.issparse(table) else _named(table, feature_names)


def is_all_numbers(table: pd.DataFrame) -> bool:
    """Whether every column of a DataFrame is one of numpy's numbers or booleans, so that it is one array at once."""
    return all(isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in set(table.dtypes))


def rarest_class(classes: Sequence[Any] | np.ndarray, y: Sequence[int] | np.ndarray) -> Any:
    """The label with the fewest rows; on a tie the last of them, so that two equal classes give ``classes[1]``.

    Examples
    --------
    >>> from skauto.inputs._read import rarest_class
    >>> rarest_class(["no", "yes"], [0, 0, 1]), rarest_class(["no", "yes"], [0, 0, 1, 1, 0, 1, 1])
    ('yes', 'no')
    """
    counts = np.bincount(y, minlength=len(classes))
    return classes[len(counts) - 1 - int(np.argmin(counts[::-1]))]


def _numbered(n_features: int) -> list[str]:
    """Names of columns that came without."""
    return [f"x{i}" for i in range(n_features)]


def _in_order_of_numbers(table: pd.DataFrame, names: list[str], n_features: int) -> tuple[pd.DataFrame, Names]:
    """The columns 0, 1, 2, ... of a frame in another order as at fit, where they came without names; others as is."""
    numbers = [str(i) for i in range(n_features)]
    if set(names) != set(numbers):
        return table, names
    return table[numbers].set_axis(_numbered(n_features), axis=1), None


def _frame(X: pd.DataFrame) -> tuple[pd.DataFrame, Names]:
    names = [str(name) for name in X.columns]
    duplicates = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if duplicates:
        raise ValueError(f"X has duplicate column names: {', '.join(map(repr, duplicates))}; give each column its own")
    kinds = np.array([getattr(dtype, "kind", "O") for dtype in X.dtypes], dtype="U1")
    if (kinds == "c").any():
        name = names[int(np.flatnonzero(kinds == "c")[0])]
        raise ValueError(f"Complex data not supported\ncolumn {name!r} of X is complex")
    if any(isinstance(dtype, np.dtype) and dtype.kind == "O" for dtype in set(X.dtypes)):
        X = X.infer_objects()  # numbers in columns of objects become numbers
    if list(X.columns) == list(range(len(names))):
        return X.set_axis(_numbered(len(names)), axis=1), None
    return (X if all(isinstance(name, str) for name in X.columns) else X.set_axis(names, axis=1)), names


def _sparse(X: Any) -> sp.csr_matrix:
    if X.ndim != 2:
        raise ValueError(f"Expected 2D input, got input with shape {X.shape}.\n{_RESHAPE}")
    if X.dtype.kind == "c":
        raise ValueError("Complex data not supported\n")
    X = sp.csr_matrix(X.tocsr().astype(np.float64))  # LightGBM takes no sparse array
    if X.indices.dtype != np.int32 and max(X.nnz, *X.shape) < np.iinfo(np.int32).max:
        # most solvers only take 32-bit indices
        X = sp.csr_matrix((X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32)), shape=X.shape)
    return X


def _array(X: Given) -> pd.DataFrame | np.ndarray:
    array = _to_numpy(X)
    if array.dtype.names is not None:
        raise ValueError("structured arrays are not supported; pass pandas.DataFrame(X) instead")
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported\n{array}\n")
    if array.ndim < 2:
        found = "scalar array" if array.ndim == 0 else "1D array"
        raise ValueError(f"Expected 2D array, got {found} instead:\narray={array}.\n{_RESHAPE}")
    if array.ndim > 2:
        raise ValueError(f"X has shape {array.shape}: {_NOT_A_TABLE}")
    if array.dtype.kind in "biuf":
        return np.ascontiguousarray(array, dtype=np.float64)
    frame = pd.DataFrame(array, columns=_numbered(array.shape[1]))
    frame = frame.infer_objects() if array.dtype.kind == "O" else frame
    if frame.shape[1] and all(isinstance(d, np.dtype) and d.kind in "biuf" for d in frame.dtypes):
        return np.ascontiguousarray(frame.to_numpy(dtype=np.float64))
    return frame


def _to_numpy(X: Given) -> np.ndarray:
    if isinstance(X, np.ma.MaskedArray):
        return X.astype(np.float64).filled(np.nan)  # type: ignore[attr-defined]
    if isinstance(X, (str, bytes, dict, set)) or X is None:
        hint = "; for one row pass pandas.DataFrame([X])" if isinstance(X, dict) else ""
        form = "a DataFrame, a 2D array, a nested list or a sparse matrix"
        raise TypeError(f"X must be {form}, not {type(X).__name__}{hint}")
    if isinstance(X, (list, tuple)) and any(isinstance(row, dict) for row in X[:1]):
        raise TypeError(
            f"X is a {type(X).__name__} of dicts: pass pandas.DataFrame(X), which has a column for each key"
        )
    if isinstance(X, pd.Series):
        raise ValueError(
            f"Expected 2D array, got a Series: one row is X.to_frame().T, one column is X.to_frame(). {_RESHAPE}"
        )
    try:
        array = np.asarray(X)
    except ValueError as error:
        if any(np.ndim(row) > 1 or isinstance(row, np.ndarray) for row in X):
            raise ValueError(f"X is a list of arrays: {_NOT_A_TABLE}") from error
        raise ValueError(f"the rows of X have different lengths: {sorted({np.size(row) for row in X})[:5]}") from error
    if array.dtype.kind in "US" and not isinstance(X, np.ndarray) and not hasattr(X, "__array__"):
        return np.asarray(X, dtype=object)  # a list of mixed rows: numbers shall stay numbers
    return array


def _has_size(shape: tuple[int, ...]) -> None:
    for found, word, plain in zip(shape, ("sample(s)", "feature(s)"), ("rows", "columns"), strict=True):
        if found == 0:
            raise ValueError(
                f"X has no {plain}. Found array with 0 {word} (shape={tuple(shape)}) while a minimum of 1 is required."
            )


def _all_finite(table: Table) -> None:
    if sp.issparse(table):
        matrix: Any = table
        where = np.flatnonzero(np.isinf(matrix.data))
        if len(where):
            row = np.searchsorted(matrix.indptr, where[0], side="right") - 1
            raise _infinite(matrix.indices[where[0]], row, len(where))
    elif isinstance(table, pd.DataFrame):
        floats = np.flatnonzero([getattr(dtype, "kind", "O") == "f" for dtype in table.dtypes])
        for start in range(0, len(floats), COLUMNS_AT_ONCE):
            _finite_part(table.iloc[:, floats[start : start + COLUMNS_AT_ONCE]])
    elif np.isinf(table).any():
        column = int(np.flatnonzero(np.isinf(table).any(axis=0))[0])
        _finite_column(column, table[:, column])


def _finite_part(table: pd.DataFrame) -> None:
    """Some columns of floats, which are looked at one by one only to name the one that is wrong."""
    if np.isinf(table.to_numpy(dtype=np.float64, na_value=np.nan)).any():
        for name in table.columns:
            _finite_column(name, table[name].to_numpy(dtype=np.float64, na_value=np.nan))


def _finite_column(name: str | int, values: np.ndarray) -> None:
    where = np.flatnonzero(np.isinf(values))
    if len(where):
        raise _infinite(name, where[0], len(where))


def _infinite(column: str | int, row: int, count: int) -> ValueError:
    name = repr(column) if isinstance(column, str) else int(column)
    return ValueError(
        f"Input X contains infinity: column {name}, first in row {row}, {count} in all; replace them by NaN or by a "
        "finite number"
    )


def _by_name(table: pd.DataFrame, feature_names: list[str]) -> pd.DataFrame:
    known = set(table.columns)
    missing = [name for name in feature_names if name not in known]
    if not missing:
        return table[feature_names]
    message = "The feature names should match those that were passed during fit.\n"
    message += "Feature names seen at fit time, yet now missing:\n" + "".join(f"- {name}\n" for name in missing[:10])
    message += "- ...\n" if len(missing) > 10 else ""
    unknown = [name for name in table.columns if name not in set(feature_names)]
    for name in missing[:10]:
        close = closest(name, unknown)
        message += f"X has {close!r}: did you mean {name!r}?\n" if close else ""
    raise ValueError(message)


def _named(table: pd.DataFrame | np.ndarray, feature_names: list[str]) -> pd.DataFrame:
    if isinstance(table, pd.DataFrame):
        return table.set_axis(feature_names, axis=1)
    return pd.DataFrame(table, columns=feature_names)
