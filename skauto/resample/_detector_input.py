"""Tables as detectors of outliers take them: one matrix of numbers, gaps filled where a detector cannot bear them."""

from functools import partial
from typing import Any, Self

import numpy as np
import pandas as pd
from pandas.api import types
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils.validation import check_is_fitted

MAX_LEVELS = 50  # of a category, the rarest of more are pooled
READERS = {
    "number": pd.to_numeric,
    "date": partial(pd.to_datetime, utc=True, format="mixed"),
    "duration": pd.to_timedelta,
}
NANOSECONDS = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}


def is_numbers(X: Any) -> bool:
    """Whether a table holds nothing but numbers."""
    if isinstance(X, pd.DataFrame):
        return all(map(types.is_numeric_dtype, X.dtypes))
    return hasattr(X, "format") or np.asarray(X).dtype.kind in "fiubc"  # sparse matrices have a format


def column_kinds(X: Any) -> list[str]:
    """What the columns of a mixed table hold, each "number", "date", "duration" or "text"."""
    return [_kind(dtype) for dtype in _frame(X).dtypes]


def as_frame(X: Any, kinds: list[str]) -> pd.DataFrame:
    """A mixed table as a DataFrame whose columns are floats (numbers, times) or text; missing is NaN or None.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n, p)
    kinds : list of str
        Of `column_kinds` of the training rows. A cell that does not parse as its column's kind is missing.
    """
    frame = _frame(X)
    columns = [
        _as_text(frame.iloc[:, j]) if kind == "text" else _as_floats(frame.iloc[:, j], kind)
        for j, kind in enumerate(kinds)
    ]
    return pd.DataFrame(dict(enumerate(columns)), index=frame.index)


def _frame(X):
    return X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X, dtype=object)).infer_objects()


def _kind(dtype):
    if types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype):
        return "number"
    if types.is_datetime64_any_dtype(dtype):
        return "date"
    return "duration" if types.is_timedelta64_dtype(dtype) else "text"


def _as_floats(values, kind):
    if _kind(values.dtype) != kind:
        values = READERS[kind](values.astype(object), errors="coerce")
    if kind == "number":
        return pd.Series(values.to_numpy(dtype=float, na_value=np.nan), index=values.index)
    whole = values.astype("int64").astype(float) * NANOSECONDS[values.dt.unit]
    return whole.where(values.notna(), np.nan)


def _as_text(values):
    if types.is_float_dtype(values.dtype):
        values = values.convert_dtypes()  # whole numbers with a gap are written as those without
    return values.astype(str).astype(object).where(values.notna(), None)


class DetectorInput(TransformerMixin, BaseEstimator):
    """Numbers unchanged, missing ones filled by the median if necessary, categories one-hot encoded.

    Parameters
    ----------
    fill : bool
        Whether missing numbers are filled.
    """

    def __init__(self, fill: bool) -> None:
        self.fill = fill

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn medians and levels from a matrix of floats, or a frame of `as_frame`."""
        numbers, texts = _parts(X)
        self.imputer_ = SimpleImputer(strategy="median", keep_empty_features=True).fit(numbers) if self.fill else None
        levels = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MAX_LEVELS, sparse_output=False)
        self.levels_: Any = None if texts is None else levels.fit(texts)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """One matrix of floats, (n, q)."""
        check_is_fitted(self, "levels_")
        numbers, texts = _parts(X)
        numbers = numbers if self.imputer_ is None else self.imputer_.transform(numbers)
        return numbers if texts is None else np.hstack([numbers, self.levels_.transform(texts)])


def _parts(X):
    """Numbers (n, p) and texts (n, q), None without any."""
    if not isinstance(X, pd.DataFrame):
        return X, None
    numeric = [types.is_float_dtype(dtype) for dtype in X.dtypes]
    numbers = X.loc[:, numeric].to_numpy(dtype=float)
    return numbers, None if all(numeric) else X.loc[:, ~np.array(numeric)].to_numpy(dtype=object)
