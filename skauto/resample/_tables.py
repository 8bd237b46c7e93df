"""Rows of any kind as numbers and integer codes, and synthetic numbers and codes as rows of that kind."""

from typing import Any, NoReturn

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.sparsefuncs import mean_variance_axis

from skauto.inputs._sequences import is_ragged

BLOCK = 1 << 22  # numbers interpolated at a time, so that temporary arrays stay small
UNEQUAL = (
    "the rows of X have unequal shapes, so none can be made between them: repeat or leave out whole rows instead, with "
    "RandomOverSampler(shrinkage=None) or RandomUnderSampler"
)


def read_table(
    X: Any, categorical_features: Any = "auto", allow_infinite: bool = False
) -> "ArrayTable | SparseTable | FrameTable | ListTable | SeriesTable":
    """The table for a DataFrame, a matrix (dense or sparse), an array of any rank, or a list of rows.

    Raises
    ------
    ValueError
        If X holds complex numbers or (unless allowed) infinite ones, has no rows or columns, is one-dimensional, or is
        a list of rows of unequal shapes (unless infinite numbers are allowed, as nothing is worked out from them).
    """
    if isinstance(X, tuple) or is_ragged(X):
        X = list(X)
    if isinstance(X, list):
        return _read_list(X, categorical_features, allow_infinite)
    table: ArrayTable | SparseTable | FrameTable
    if hasattr(X, "iloc"):
        table = FrameTable(X, categorical_features)
    elif sparse.issparse(X):
        table = SparseTable(X, categorical_features)
    else:
        X = check_array(X, dtype=None, ensure_all_finite=False, allow_nd=True)
        by_dtype = isinstance(categorical_features, str)
        table = ArrayTable(X) if X.dtype.kind in "iuf" and by_dtype else WrappedTable(X, categorical_features)
    if not allow_infinite:
        numbers = table.numeric.data if sparse.issparse(table.numeric) else table.numeric
        assert_all_finite(numbers, allow_nan=True, input_name="X")
    return table


def _read_list(X, categorical_features, allow_infinite):
    try:
        rows = np.asarray(X)
    except ValueError as error:
        if not allow_infinite:
            raise ValueError(UNEQUAL) from error
        return SeriesTable(X)
    # numpy turns the numbers beside a string into strings
    rows = np.asarray(X, dtype=object) if rows.dtype.kind in "US" else rows
    return ListTable(X, read_table(rows, categorical_features, allow_infinite))


def interpolate(values: Any, first: np.ndarray, second: np.ndarray, steps: np.ndarray) -> Any:
    """values[first] + steps * (values[second] - values[first]) for rows of a matrix, in floats of the kind of values.

    A NaN of the first parent stays; where only the second is NaN, the value of the first is taken.
    """
    if sparse.issparse(values):
        base = values[first]
        difference = values[second] - base
        difference.data[np.isnan(difference.data)] = 0
        return base + sparse.diags(steps, format="csr") @ difference
    kind = values.dtype if values.dtype.kind == "f" else np.float64
    made = np.empty((len(first), values.shape[1]), dtype=kind)
    size = max(1, BLOCK // max(1, values.shape[1]))
    for start in range(0, len(first), size):
        part = slice(start, start + size)
        base = values[first[part]].astype(kind, copy=False)
        difference = values[second[part]] - base
        difference[np.isnan(difference)] = 0
        made[part] = base + steps[part, None].astype(kind) * difference
    return made


class ArrayTable:
    """Dense numbers, (n, ...): integers are rounded, the shape of a row is kept."""

    def __init__(self, X: Any) -> None:
        self.X = X
        self.numeric = X.reshape(len(X), -1)
        self.codes = np.empty((len(X), 0), dtype=np.int32)

    def take(self, rows: np.ndarray) -> Any:
        """The rows of these positions."""
        return self.X[rows]

    def append(self, numeric: Any, codes: np.ndarray, first: np.ndarray) -> Any:
        """All rows, then synthetic ones: numbers (m, p), codes (m, q), positions (m,) of the rows they started from."""
        made = as_kind(numeric, self.X.dtype)
        if is_lossy(numeric, self.X.dtype):
            base = self.numeric[first]
            made = np.where(numeric == base, base, made)
        return np.concatenate([self.X, made.reshape(-1, *self.X.shape[1:])])


class SparseTable:
    """A CSR or CSC matrix of numbers, of which columns that are named may hold categories."""

    def __init__(self, X: Any, categorical_features: Any = "auto") -> None:
        X = check_array(X, accept_sparse=["csr", "csc"], dtype="numeric", ensure_all_finite=False)
        self.format, self.X = X.format, X.tocsr()
        names = pd.RangeIndex(X.shape[1])
        chosen = chosen_columns(names, np.zeros(len(names), dtype=bool), categorical_features)
        self.order = np.argsort(np.argsort(chosen, kind="stable"))
        self.numeric = self.X[:, ~chosen] if chosen.any() else self.X
        self.columns = [CodedColumn(pd.Series(self.X[:, [j]].toarray().ravel())) for j in np.flatnonzero(chosen)]
        self.codes = _stack([column.values for column in self.columns], X.shape[0], np.int32)

    def take(self, rows: np.ndarray) -> Any:
        """The rows of these positions."""
        return self.X[rows].asformat(self.format)

    def append(self, numeric: Any, codes: np.ndarray, first: np.ndarray) -> Any:
        """All rows, then synthetic ones."""
        floats = sparse.csr_matrix(numeric)
        numbers = as_kind(floats.data, self.X.dtype)
        made = sparse.csr_matrix((numbers, floats.indices, floats.indptr), floats.shape)
        if is_lossy(floats.data, self.X.dtype):
            base = self.numeric[first]
            made = base + (made - base).multiply(floats != base.astype(float))
        if self.columns:
            levels = [column.restore(found) for column, found in zip(self.columns, codes.T, strict=True)]
            levels = sparse.csr_matrix(_stack(levels, len(codes), self.X.dtype))
            made = sparse.hstack([made, levels], "csr")[:, self.order]
        return sparse.vstack([self.X, made], format=self.format)


class FrameTable:
    """A DataFrame: strings, categories and bools as codes, numbers and dates as floats, dtypes restored by column."""

    def __init__(self, X: Any, categorical_features: Any = "auto") -> None:
        self.X = X
        by_dtype = np.array([not _is_number(dtype) for dtype in X.dtypes], dtype=bool)
        chosen = chosen_columns(X.columns, by_dtype, categorical_features)
        columns = [X.iloc[:, j] for j in range(X.shape[1])]
        self.columns = [
            CodedColumn(column) if is_coded else NumericColumn(column)
            for column, is_coded in zip(columns, chosen, strict=True)
        ]
        self.numeric = _stack([c.values for c in self.columns if isinstance(c, NumericColumn)], len(X), float)
        self.codes = _stack([c.values for c in self.columns if isinstance(c, CodedColumn)], len(X), np.int32)
        self._scale_dates()

    def _scale_dates(self):
        """A date shall count as much as the median column of numbers, whatever its unit."""
        dated = [c.origin is not None for c in self.columns if isinstance(c, NumericColumn)]
        if not any(dated):
            return
        spread = column_spread(self.numeric)
        plain = spread[~np.array(dated)]
        typical = np.median(plain) if plain.size and np.median(plain) > 0 else 1.0
        scale = np.where(np.array(dated) & (spread > 0), typical / np.where(spread > 0, spread, 1), 1.0)
        self.numeric *= scale
        numbers = [c for c in self.columns if isinstance(c, NumericColumn)]
        for column, factor in zip(numbers, scale, strict=True):
            column.scale = factor

    def take(self, rows: np.ndarray) -> Any:
        """The rows of these positions, with their index."""
        return self.X.iloc[rows]

    def append(self, numeric: Any, codes: np.ndarray, first: np.ndarray) -> Any:
        """All rows, then synthetic ones, with a new index."""
        numbers, before, levels = iter(numeric.T), iter(self.numeric.T), iter(codes.T)
        made = [
            column.restore(next(levels))
            if isinstance(column, CodedColumn)
            else column.restore(next(numbers), next(before), first)
            for column in self.columns
        ]
        block = pd.DataFrame(dict(enumerate(made)))
        block.columns = self.X.columns
        return pd.concat([self.X, block], ignore_index=True)


class WrappedTable(FrameTable):
    """An array that holds strings, bools or integer codes of categories: a frame inside, an array outside."""

    def __init__(self, X: Any, categorical_features: Any = "auto") -> None:
        self.array = X
        frame = pd.DataFrame(X.reshape(len(X), -1))
        super().__init__(frame.infer_objects() if X.dtype.kind == "O" else frame, categorical_features)

    def take(self, rows: np.ndarray) -> Any:
        """The rows of these positions."""
        return self.array[rows]

    def append(self, numeric: Any, codes: np.ndarray, first: np.ndarray) -> Any:
        """All rows, then synthetic ones."""
        made = super().append(numeric, codes, first).iloc[len(self.array) :].to_numpy(dtype=self.array.dtype)
        return np.concatenate([self.array, made.reshape(-1, *self.array.shape[1:])])


class ListTable:
    """A list of rows: an array inside, a list outside."""

    def __init__(self, X: list[Any], inner: Any) -> None:
        self.X, self.inner, self.numeric, self.codes = X, inner, inner.numeric, inner.codes

    def take(self, rows: np.ndarray) -> Any:
        """The rows of these positions, as they are."""
        return [self.X[row] for row in rows]

    def append(self, numeric: Any, codes: np.ndarray, first: np.ndarray) -> Any:
        """All rows, then synthetic ones."""
        return self.inner.append(numeric, codes, first).tolist()


class SeriesTable:
    """A list of rows of unequal shapes, series say: they can be repeated or left out, but have no numbers in common."""

    def __init__(self, X: list[Any]) -> None:
        self.X = X
        self.numeric, self.codes = np.empty((len(X), 0)), np.empty((len(X), 0), dtype=np.int32)

    def take(self, rows: np.ndarray) -> Any:
        """The rows of these positions, as they are."""
        return [self.X[row] for row in rows]

    def append(self, numeric: Any, codes: np.ndarray, first: np.ndarray) -> NoReturn:
        """Nothing but an error: no row lies between two of unequal shapes."""
        raise ValueError(UNEQUAL)


class NumericColumn:
    """A column of numbers, dates or durations as floats; dates count in days from the earliest."""

    def __init__(self, column: pd.Series) -> None:
        self.column, self.dtype = column, column.dtype
        self.origin, self.scale = None, 1.0
        if self.dtype.kind in "mM":
            self.origin = _origin(column)
            column = (column - self.origin) / pd.Timedelta(days=1)
        self.values = column.to_numpy(dtype=float, na_value=np.nan)
        finite = self.values[~np.isnan(self.values)]
        self.whole = self.dtype.kind in "iu" or (self.origin is not None and not (finite % 1).any())

    def restore(self, values: np.ndarray, before: np.ndarray, first: np.ndarray) -> pd.Series:
        """Floats as a column of the dtype that was read; those that equal what was read there (before) are copies."""
        floats = values / self.scale
        made = self._restored(floats)
        if self.origin is None and not is_lossy(floats, _dense(self.dtype)):
            return made
        return made.where(values != before[first], self.column.iloc[first].reset_index(drop=True))

    def _restored(self, values):
        values = np.rint(values) if self.whole else values
        if self.origin is not None:
            missing = np.isnan(values)
            unit = self.column.dt.unit
            elapsed = np.rint(np.where(missing, 0, values) * (pd.Timedelta(days=1) / pd.Timedelta(1, unit=unit)))
            return (pd.Series(elapsed.astype(f"m8[{unit}]")) + self.origin).mask(missing).astype(self.dtype)
        if isinstance(self.dtype, np.dtype):
            return pd.Series(as_kind(values, self.dtype))
        missing, dense = np.isnan(values), _dense(self.dtype)
        numbers = as_kind(np.where(missing, 0, values), np.dtype(f"{dense.kind}{dense.itemsize}"))
        return pd.Series(numbers).astype(dense).mask(missing).astype(self.dtype)


class CodedColumn:
    """A column of strings, categories, bools or objects as integer codes, -1 for missing."""

    def __init__(self, column: pd.Series) -> None:
        self.dtype = column.dtype
        if isinstance(self.dtype, pd.CategoricalDtype):
            self.values, self.levels = column.cat.codes.to_numpy(np.int32), None
        else:
            codes, self.levels = _factorized(column)
            self.values = codes.astype(np.int32)

    def restore(self, codes: np.ndarray) -> pd.Series:
        """Codes as a column of the dtype that was read."""
        if self.levels is None:
            return pd.Series(pd.Categorical.from_codes(codes, dtype=self.dtype))
        # reindex leaves a gap where the code is -1
        return pd.Series(self.levels).reindex(codes).reset_index(drop=True).astype(self.dtype)


def as_kind(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Floats as numbers of a dtype: integers rounded and held within what they can be."""
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        # The largest float below the limit: the limit of 64 bits itself is rounded up in floats.
        top = np.nextafter(float(limits.max), 0) if is_wide(dtype) else limits.max
        return np.clip(np.rint(values), limits.min, top).astype(dtype)
    return values.astype(dtype, copy=False)


def is_wide(dtype: Any) -> bool:
    """Whether a dtype holds integers of 64 bits."""
    return dtype.kind in "iu" and dtype.itemsize == np.dtype(np.int64).itemsize


def is_lossy(values: np.ndarray, dtype: Any) -> bool:
    """Whether floats stand for integers of a dtype that are too large for them to tell from the next."""
    return is_wide(dtype) and bool((np.abs(values) >= 2.0**53).any())


def column_spread(numeric: Any) -> np.ndarray:
    """Standard deviation of each column, dense or sparse, over what is not missing; 0 for one without values."""
    if sparse.issparse(numeric):
        return np.sqrt(mean_variance_axis(numeric, axis=0)[1])
    present = ~np.isnan(numeric)
    count = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, numeric, 0).sum(axis=0) / count
    return np.sqrt((np.where(present, numeric - mean, 0) ** 2).sum(axis=0) / count)


def chosen_columns(names: pd.Index, by_dtype: np.ndarray, categorical_features: Any) -> np.ndarray:
    """Which columns are categories, as a mask: by dtype where that is "auto", or by positions, names or a mask."""
    if isinstance(categorical_features, str):
        return by_dtype
    given, n = np.asarray(categorical_features), len(names)
    if given.dtype == bool:
        if given.shape != (n,):
            raise ValueError(
                f"categorical_features is a mask of {given.size} values, but X has {n} columns: give one value for "
                "each column, or positions, or names."
            )
        return given
    chosen = np.zeros(n, dtype=bool)
    if given.dtype.kind in "iu" or not given.size:
        outside = [position for position in given.tolist() if not -n <= position < n]
        if outside:
            raise ValueError(
                f"categorical_features={given.tolist()}, but X has {n} columns: {outside} should be from 0 to {n - 1}, "
                "or negative to count from the last column."
            )
        chosen[given.astype(int)] = True
        return chosen
    unknown = [name for name in given.tolist() if name not in names]
    if unknown:
        raise ValueError(f"categorical_features names columns that X does not have: {unknown}.")
    return chosen | names.isin(given)


def _is_number(dtype):
    if isinstance(dtype, pd.SparseDtype):
        dtype = dtype.subtype
    return getattr(dtype, "kind", "O") in "iufmM" and not isinstance(dtype, (pd.PeriodDtype, pd.CategoricalDtype))


def _origin(column):
    """Where dates start to count: at the earliest; at 1970 where all are missing. Durations start at 0."""
    if column.dtype.kind == "m":
        return pd.Timedelta(0)
    earliest = column.min()
    return pd.Timestamp(0, tz=column.dt.tz) if pd.isna(earliest) else earliest


def _dense(dtype):
    return dtype.subtype if isinstance(dtype, pd.SparseDtype) else dtype


def _stack(columns, n, dtype):
    stacked = np.empty((n, len(columns)), dtype=dtype)
    for j, values in enumerate(columns):
        stacked[:, j] = values
    return stacked


def _factorized(column):
    try:
        return pd.factorize(column)
    except TypeError as error:  # lists, dicts
        raise TypeError(
            f"the column {column.name!r} of X holds values that are no categories ({error}): each argument must be a "
            "string or a number"
        ) from error
