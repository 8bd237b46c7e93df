"""What makes a score suspect in the rows themselves: columns that tell the label, and rows that are there twice."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from skauto.inputs._types import Rows

# A column whose ranks alone have this area under the ROC curve is suspect.
LEAK = 0.98

# Folds in which the labels of a level are those of other rows.
N_FOLDS = 5

# Rows whose numbers are nearer than this part of the deviation of their columns are the same.
NEAR = 0.01

# Two grids, half a step apart: what one of them divides the other does not.
GRIDS = (0.0, 0.5)


def leaking_columns(X: Rows, y: np.ndarray, least: float = LEAK) -> pd.DataFrame:
    """Columns that tell a class on their own.

    Parameters
    ----------
    X : DataFrame or array of shape (n, n_columns)
        Of a sparse matrix and of arrays of more axes nothing is known.
    y : ndarray of shape (n,)
        Codes.
    least : float, default=0.98

    Returns
    -------
    leaks : DataFrame
        A row a suspect column, the most suspect first: `column`, `class` (the code that it tells) and `AUC`. That of a
        text or a category is of the labels that its level has in other rows.
    """
    rows = []
    for name, column in _columns(X):
        for code in _codes_told(y):
            of_class = y == code
            score = _numbers(column, of_class)
            area = _area(of_class, score)
            if max(area, 1 - area) >= least:
                rows.append((name, code, max(area, 1 - area)))
    frame = pd.DataFrame(rows, columns=["column", "class", "AUC"])
    frame = frame.sort_values("AUC", ascending=False, kind="stable")
    return frame.drop_duplicates("column").reset_index(drop=True)


def near_duplicates(X: Rows, fold: np.ndarray) -> np.ndarray:
    """Positions of rows of which a near duplicate lies in another fold, so that what validates them had seen them.

    Parameters
    ----------
    X : DataFrame or array of shape (n, n_columns)
    fold : ndarray of shape (n,)
        The fold that validates each row.

    Returns
    -------
    positions : ndarray of int
    """
    columns = _columns(X)
    if not columns:
        return np.empty(0, dtype=np.int64)
    found = np.zeros(len(fold), dtype=bool)
    for shift in GRIDS:
        frame = pd.DataFrame(
            {k: _stepped(c, shift) for k, (_, c) in enumerate(columns)}
        )
        key = pd.util.hash_pandas_object(frame, index=False)
        folds_of_key = pd.Series(fold).groupby(key.to_numpy()).transform("nunique")
        found |= folds_of_key.to_numpy() > 1
    return np.flatnonzero(found)


def _columns(X: Any) -> list[tuple[Any, pd.Series]]:
    """Names and columns of a table; none of what is none."""
    if hasattr(X, "indptr") or np.ndim(X) != 2:
        return []
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X))
    return [(name, frame.iloc[:, k]) for k, name in enumerate(frame.columns)]


def _codes_told(y: np.ndarray) -> np.ndarray:
    """The classes to ask for: of two one is enough."""
    codes = np.unique(y)
    return codes[1:] if len(codes) == 2 else codes


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype)


def _numbers(column: pd.Series, of_class: np.ndarray) -> np.ndarray:
    """A column as numbers, missing ones the least: of texts the fraction of the class among other rows of the level."""
    if _is_number(column):
        values = column.to_numpy(np.float64, na_value=np.nan)
        return np.where(np.isnan(values), -np.inf, values)
    codes, _ = pd.factorize(column.astype(str))
    fold = np.arange(len(codes)) % N_FOLDS
    score = np.zeros(len(codes))
    for number in range(N_FOLDS):
        others = fold != number
        hits = np.bincount(
            codes[others], weights=of_class[others], minlength=codes.max() + 1
        )
        count = np.bincount(codes[others], minlength=codes.max() + 1)
        mean = (hits + of_class.mean()) / (count + 1)
        score[~others] = mean[codes[~others]]
    return score


def _area(of_class: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve by ranks."""
    n_hits = int(of_class.sum())
    n_others = len(of_class) - n_hits
    if not n_hits or not n_others:
        return 0.5
    ranks = rankdata(score)[of_class].sum()
    return float((ranks - n_hits * (n_hits + 1) / 2) / (n_hits * n_others))


def _stepped(column: pd.Series, shift: float) -> np.ndarray:
    """A column in steps: numbers on a grid, all else as it is."""
    if not _is_number(column):
        return column.astype(str).to_numpy()
    values = column.to_numpy(np.float64, na_value=np.nan)
    finite = values[np.isfinite(values)]
    step = NEAR * finite.std() if len(finite) else 0.0
    return np.floor(values / step + shift) if step > 0 else values
