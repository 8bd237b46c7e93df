"""Sequences that were handed in: read as one array, shorter ones padded at the end."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from skauto.inputs._rank import nested_columns
from skauto.inputs._types import Given, Names

FAR_MORE = 5  # times as many features as steps are more likely the time
LISTS = "a list of arrays (time_i, features)"


def read_sequences(X: Given, name: str = "AutoClassifier") -> tuple[np.ndarray, Names]:
    """X as an array (rows, time, features), shorter series padded at the end with NaN, and names of features or None.

    Parameters
    ----------
    X : array of shape (rows, time, features) or (rows, time), or a list of arrays (time_i, features) or (time_i,)
        Two axes mean one feature. NaN at the end of a series is padding, elsewhere it is a missing value. A frame whose
        cells are series is taken too.
    name : str
        Estimator named in messages.

    Returns
    -------
    X : ndarray of shape (rows, time, features)
        Of float32 where that holds the numbers as they came, else of float64.
    names : list or None
        Columns of a frame whose cells are series.

    Raises
    ------
    ValueError
        For another rank, no rows, no steps, infinite values, or a series of nothing but NaN.
    """
    refuse_no_series(X, name)
    cells = unnested(X, name)
    names = None if cells is None else list(X.columns)
    X = X if cells is None else cells
    X = padded(X, name) if is_ragged(X) else as_floats(X, "the series of X", name)
    X = X[:, :, None] if X.ndim == 2 else X
    _check_rank(X, name)
    wrong = are_infinite(X)
    if wrong.any():
        row = np.flatnonzero(wrong.any(axis=(1, 2)))[0]
        raise ValueError(
            f"Input X contains infinity, in series {row}, or a number too large for float32: replace it by NaN or by a "
            "smaller number"
        )
    empty = np.flatnonzero(series_lengths(X) == 0)
    if len(empty):
        raise ValueError(f"series {empty[0]} of X has no values at all, only NaN; leave it out ({len(empty)} such)")
    return X, names


def refuse_no_series(X: Given, name: str) -> None:
    """Refuse what is no array or list, an empty list, which tells nothing about features, and a list with other things.

    Raises
    ------
    ValueError
    """
    if not (hasattr(X, "ndim") or isinstance(X, (list, tuple)) or hasattr(X, "__array__")):
        said = f"{X!r:.40}" if X is None or isinstance(X, (str, bytes, int, float)) else f"a {type(X).__name__}"
        raise ValueError(f"X must be an array (rows, time, features) or {LISTS} for {name}, got {said}")
    if not isinstance(X, (list, tuple)):
        return
    if not len(X):
        raise ValueError(f"X is an empty list: {name} needs at least one series")
    none = [i for i, x in enumerate(X) if x is None or isinstance(x, (str, bytes)) or not hasattr(x, "__len__")]
    if none and len(none) < len(X):
        raise ValueError(f"series {none[0]} of X is {X[none[0]]!r:.40}; {name} takes {LISTS}: leave it out")


def as_floats(values: Any, what: str, name: str) -> np.ndarray:
    """Values as an array of float32 where that holds them as they are, else of float64; what is masked becomes NaN.

    A value of a thousand million has no decimals in float32: who centres and scales values does so before the cast.
    """
    try:
        values = values if isinstance(values, np.ma.MaskedArray) else np.asarray(values)
        if values.dtype.kind == "c":
            raise ValueError("Complex data not supported")
        if values.dtype.kind in "mM":
            raise ValueError(f"they are of type {values.dtype}; give the seconds since some moment")
        floats = values.astype(np.float32 if np.can_cast(values.dtype, np.float32) else np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} must be numbers for {name}: {error}") from error
    return np.ma.filled(floats, np.nan)


def are_infinite(X: np.ndarray) -> np.ndarray:
    """Which numbers are infinite, or would be in float32."""
    return np.abs(X) > np.finfo(np.float32).max


def _check_rank(X: np.ndarray, name: str) -> None:
    if X.ndim != 3:
        raise ValueError(
            f"X has {X.ndim} axes; {name} takes arrays (rows, time, features) or (rows, time), or {LISTS}. "
            "Reshape your data: X.reshape(-1, 1) is many series of one step, X.reshape(1, -1) is one series"
        )
    for axis, word in enumerate(("rows", "steps", "features")):
        if not X.shape[axis]:
            raise ValueError(f"X has shape {X.shape}: 0 {word}, while a minimum of 1 is required")


def series_lengths(X: np.ndarray) -> np.ndarray:
    """Steps of each series up to its last value that is not NaN; 0 for a series without values."""
    seen = ~np.isnan(X).all(axis=2)
    return np.where(seen.any(axis=1), X.shape[1] - seen[:, ::-1].argmax(axis=1), 0)


def is_ragged(X: Given) -> bool:
    """Whether X is a list of series, as a list of arrays always is, and not a table written as a list of equal rows."""
    if not (isinstance(X, (list, tuple)) or (isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1)):
        return False
    if not len(X) or not all(_is_sized(x) for x in X):
        return False
    return len({len(x) for x in X}) > 1 or any(hasattr(x, "ndim") or (len(x) and _is_sized(x[0])) for x in X)


def _is_sized(x: Any) -> bool:
    return hasattr(x, "__len__") and not isinstance(x, (str, bytes)) and np.shape(x[:0]) != ()


def padded(X: Sequence[Any] | np.ndarray, name: str) -> np.ndarray:
    """A list of series as one array, padded at the end with NaN."""
    series = [as_floats(x, f"series {i} of X", name) for i, x in enumerate(X)]
    series = [x[:, None] if x.ndim == 1 else x for x in series]
    wrong = [i for i, x in enumerate(series) if x.ndim != 2]
    if wrong:
        raise ValueError(f"series {wrong[0]} of X has {series[wrong[0]].ndim} axes; {name} takes {LISTS}")
    widths = {x.shape[1] for x in series}
    if len(widths) > 1:
        raise ValueError(f"all series of X need the same features, got {sorted(widths)} columns")
    array = np.full((len(series), max(map(len, series)), widths.pop()), np.nan, dtype=np.result_type(*series))
    for row, x in zip(array, series, strict=True):
        row[: len(x)] = x
    if not array.shape[1]:
        raise ValueError("all series of X have length 0; they need at least one step")
    return array


def unnested(X: Given, name: str) -> list[np.ndarray] | None:
    """A frame whose cells are series as a list of arrays (time_i, columns); None for anything else.

    Raises
    ------
    ValueError
        If other columns hold none, or a cell is no series of numbers.
    """
    nested = nested_columns(X)
    if not nested:
        return None
    others = [column for column in X.columns if column not in set(nested)]
    if others:
        raise ValueError(
            f"columns {nested[:5]} of X hold series in their cells, columns {others[:5]} do not; {name} takes either: "
            "drop the others, or give one row a line of numbers, as SequenceSummaryTransformer makes them of series"
        )
    columns = [[_cell(cell, column, row, name) for row, cell in enumerate(X[column])] for column in nested]
    return [_side_by_side(cells) for cells in zip(*columns, strict=True)]


def _cell(cell: Any, column: str, row: int, name: str) -> np.ndarray:
    """The series of a cell; one that is missing has no values."""
    if np.ndim(cell) == 0 and pd.isna(cell):
        return np.empty(0)
    series = as_floats(cell, f"the series in column {column!r}, row {row},", name)
    if series.ndim != 1:
        raise ValueError(f"column {column!r} of X has no series in row {row} but {cell!r:.40}; {name} needs one there")
    return series


def _side_by_side(cells: Sequence[np.ndarray]) -> np.ndarray:
    """Series of one row, padded at the end to the longest."""
    row = np.full((max(map(len, cells)), len(cells)), np.nan, dtype=np.result_type(*cells))
    for feature, series in enumerate(cells):
        row[: len(series), feature] = series
    return row


def channels_first_hint(shape: tuple[int, ...]) -> str:
    """What to say of series (rows, time, features) that have far fewer steps than features; an empty line else."""
    _, steps, features = shape
    if not (steps > 1 and features >= FAR_MORE * steps):
        return ""
    return (
        f"X has {steps} steps of {features} features each, which looks like channels first (rows, channels, time): "
        "if it is, give X.transpose(0, 2, 1)"
    )


def describe_sequences(X: np.ndarray) -> str:
    """One line on what an array was taken for."""
    hint = "; say kind='image' if they are images" if X.shape[2] > 1 else ""
    features = "1 feature" if X.shape[2] == 1 else f"{X.shape[2]} features"
    return f"X is {len(X)} sequences of up to {X.shape[1]} steps with {features} each{hint}"


def same_steps(X: np.ndarray, shape: tuple[int, ...], name: str = "AutoClassifier") -> None:
    """Raise ValueError if the series have another number of features a step than those of fit, whose shape is given."""
    if X.shape[2] != shape[2]:
        raise ValueError(f"X has {X.shape[2]} features a step, but {name} was fitted on {shape[2]}")


def same_features(
    X: np.ndarray, names: Sequence[str] | None, fitted: Sequence[str] | np.ndarray | None, name: str = "AutoClassifier"
) -> np.ndarray:
    """Sequences with the features in the order of fit, by their names where both have some; ValueError for others."""
    if names is None or fitted is None or list(names) == list(fitted):
        return X
    if set(names) != set(fitted):
        raise ValueError(f"X has the columns {list(names)}, but {name} was fitted on {list(fitted)}")
    return X[:, :, [list(names).index(feature) for feature in fitted]]
