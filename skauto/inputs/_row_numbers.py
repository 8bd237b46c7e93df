"""Row numbers among the columns of a table: in files that were sorted by class they tell it, and only there."""

import warnings

import numpy as np
import pandas as pd
from scipy.stats import rankdata

# Cells of a column that are looked at first, the most numbers a row that running numbers leave out, and the AUC from
# which a column ranks the classes alone.
FIRST, SPAN, RANKS = 20, 3, 0.99

# Names of a first column with the row numbers of a file, which every cleaner leaves out.
NO_NAMES = ("", "Unnamed: 0")


def warn_of_row_numbers(X: pd.DataFrame | np.ndarray, y: np.ndarray) -> None:
    """Say which columns are running numbers that alone tell the class, as those of a file sorted by class do.

    Parameters
    ----------
    X : DataFrame or array of shape (n_rows, n_features)
    y : ndarray of int, shape (n_rows,)
        Codes of the classes.
    """
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X))
    named = [name for name, column in frame.items() if name not in NO_NAMES and _runs(column) and _ranks(column, y)]
    if named:
        warnings.warn(
            f"column {', '.join(map(repr, named[:3]))} of X holds running numbers that alone tell the classes apart: "
            "if they number the rows of a file that was sorted by class, leave the column out, for new rows have other "
            "numbers",
            UserWarning,
            stacklevel=5,
        )


def _runs(column: pd.Series) -> bool:
    """Whether a column holds whole numbers, all different, that rise or fall by row or leave few numbers out."""
    if len(column) < FIRST or not _are_whole(column.iloc[:FIRST]) or not _are_whole(column):
        return False
    values = pd.to_numeric(column).to_numpy(dtype=np.float64)
    with np.errstate(over="ignore"):  # differences of the largest floats are infinite, and run nowhere
        steps, span = np.diff(values), np.ptp(values)
    if (steps > 0).all() or (steps < 0).all():
        return True
    return span < SPAN * len(values) and len(np.unique(values)) == len(values)


def _are_whole(column: pd.Series) -> bool:
    if isinstance(column.dtype, pd.CategoricalDtype) or getattr(column.dtype, "kind", "O") not in "iufO":
        return False
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return bool((values == np.round(values)).all())


def _ranks(column: pd.Series, y: np.ndarray) -> bool:
    """Whether the order of a column alone tells two classes apart, or is that of many classes one after the other."""
    values = pd.to_numeric(column).to_numpy(dtype=np.float64)
    counts = np.bincount(y)
    if (counts > 0).sum() > 2:
        return (np.diff(y[np.argsort(values, kind="stable")]) != 0).sum() == (counts > 0).sum() - 1
    first, second = np.flatnonzero(counts)
    wins = rankdata(values)[y == second].sum() - counts[second] * (counts[second] + 1) / 2
    return abs(wins / (counts[first] * counts[second]) - 0.5) >= RANKS - 0.5
