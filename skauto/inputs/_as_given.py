"""Tables as their user gave them, from what the checks at the door made of them."""

from typing import Any, Self

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin

from skauto.inputs._types import Given, Table


class AsGiven(TransformerMixin, BaseEstimator):
    """Gives a checked table back the form in which X came: type of numbers, names of columns, sparse format.

    It is the first step of a candidate of one's own, whose code was written for X as it is: a network of float32 takes
    no float64, and code that names columns by number finds no "x0". Rows are numbered anew.

    Parameters
    ----------
    dtype : dtype or None, default=None
        Of an array or a sparse table; None leaves it.
    columns : list or None, default=None
        Names of the columns of a DataFrame; None for what is none.
    sparse_format : str or None, default=None
        "csc" and the like.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.inputs._as_given import AsGiven
    >>> AsGiven(np.dtype(np.float32)).fit_transform(np.eye(2)).dtype
    dtype('float32')
    """

    def __init__(self, dtype: Any = None, columns: list[Any] | None = None, sparse_format: str | None = None) -> None:
        self.dtype = dtype
        self.columns = columns
        self.sparse_format = sparse_format

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> Self:
        """Nothing is learnt."""
        return self

    def transform(self, X: Any) -> Any:
        """The table in the form of the X of fit."""
        if self.sparse_format is not None and sp.issparse(X):
            return X.asformat(self.sparse_format).astype(self.dtype)
        if isinstance(X, pd.DataFrame):
            if self.columns is not None:
                return X.set_axis(self.columns, axis=1)
            return X if self.dtype is None else X.to_numpy(dtype=object).astype(self.dtype)
        return X if self.dtype is None else _exactly(np.asarray(X), self.dtype)


def as_given(given: Given, table: Table) -> AsGiven | None:
    """What gives a checked table back the form in which it came; None where it has that form.

    Parameters
    ----------
    given : as handed in
    table : DataFrame, ndarray or CSR matrix
        What was read of it.
    """
    if isinstance(given, pd.DataFrame):
        names = list(given.columns)
        same = isinstance(table, pd.DataFrame) and names == list(table.columns)
        return None if same else AsGiven(columns=names)
    if sp.issparse(given):
        same = given.format == "csr" and given.dtype == np.float64
        return None if same else AsGiven(given.dtype, sparse_format=given.format)
    if not isinstance(given, np.ndarray) or given.ndim != 2:
        return None
    # Numbers in an array of objects were read as numbers, which is what they are.
    same = isinstance(table, np.ndarray) and given.dtype.kind not in "biuf"
    return None if same or given.dtype == np.float64 else AsGiven(given.dtype)


def _exactly(values: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Numbers as another dtype; as they are where integers or booleans could not hold those of later rows."""
    if dtype.kind == "f":
        return values.astype(dtype, copy=False)
    with np.errstate(invalid="ignore"):
        converted = values.astype(dtype)
    return converted if np.array_equal(converted, values) else values
