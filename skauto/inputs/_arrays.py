"""Sequences and images that were handed in: which of them X is, checked once at the public door."""

import difflib

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils import assert_all_finite, check_array

KINDS = ("table", "sequence", "image")
CHANNELS = (1, 3, 4)  # sizes that the axis of an image's channels may have
NESTED_TYPES = ("object", "list", "array", "large_list")  # of columns that may hold series
LOOKED_AT = 100  # first cells of such a column
FAR_MORE = 5  # times as many features as steps are more likely the time
LISTS = "a list of arrays (time_i, features)"


def kind_of(X, kind="auto"):
    """What X is taken for.

    Parameters
    ----------
    X : array, DataFrame, sparse matrix or list
    kind : {"auto", "table", "sequence", "image"}
        Anything but "auto" is the answer.

    Returns
    -------
    kind : {"table", "sequence", "image"}
        With "auto": images are arrays of four axes, and of three if they are uint8; other arrays of three axes, lists
        of series of unequal lengths, and frames whose cells are series, are sequences; everything else is a table.

    Raises
    ------
    ValueError
        For another `kind`.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.inputs._arrays import kind_of
    >>> kind_of(np.zeros((5, 20, 3))), kind_of([np.zeros(4), np.zeros(7)]), kind_of(np.zeros((5, 8, 8), np.uint8))
    ('sequence', 'sequence', 'image')
    """
    if kind != "auto":
        if kind not in KINDS:
            close = difflib.get_close_matches(str(kind), KINDS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"kind={kind!r} must be 'auto', 'table', 'sequence' or 'image'.{hint}")
        if kind == "table" and nested_columns(X):
            raise ValueError(
                f"kind='table', but columns {nested_columns(X)[:5]} of X hold series in their cells: leave kind out, "
                "or give numbers that sum the series up, as SequenceSummaryTransformer makes them"
            )
        return kind
    if nested_columns(X):
        return "sequence"
    if sparse.issparse(X) or hasattr(X, "columns"):
        return "table"
    rank, dtype = getattr(X, "ndim", 2), getattr(X, "dtype", None)
    if isinstance(X, (list, tuple)) or (rank == 1 and str(dtype) == "object"):
        return _kind_of_list(X)
    return _kind_of_rank(rank, dtype)


def _kind_of_list(X):
    arrays = [x for x in X if hasattr(x, "ndim")]
    if not arrays or len(arrays) < len(X):
        return _kind_of_rank(_nesting(X), None)
    rank = max(x.ndim for x in arrays)
    lengths = {len(x) if x.ndim else 1 for x in arrays}
    if rank == 1:
        return "sequence" if len(lengths) > 1 else "table"
    return _kind_of_rank(rank + 1, arrays[0].dtype if len(lengths) == 1 else None)


def _kind_of_rank(rank, dtype):
    if rank == 4 or (rank == 3 and str(dtype).endswith("uint8")):
        return "image"
    return "sequence" if rank == 3 else "table"


def _nesting(X):
    """Levels of lists and arrays inside a list, by its first entries."""
    levels = 0
    while isinstance(X, (list, tuple)) or getattr(X, "ndim", 0):
        levels += 1
        if not len(X):
            break
        X = X[0]
    return levels


def nested_columns(X):
    """Names of the columns of a frame that hold a series in each cell, as sktime has them."""
    if not (hasattr(X, "columns") and hasattr(X, "dtypes")):
        return []
    kinds = zip(X.columns, X.dtypes, strict=True)
    return [name for name, dtype in kinds if str(dtype).lower().startswith(NESTED_TYPES) and _holds_series(X[name])]


def _holds_series(column):
    cells = (cell for cell in column[:LOOKED_AT] if hasattr(cell, "__len__"))
    cell = next(cells, None)
    if cell is None or isinstance(cell, (str, bytes, dict, set, frozenset)):
        return False
    return np.ndim(cell) == 1 and len(cell) > 0 and np.asarray(cell).dtype.kind in "fiub"


def unnested(X, name):
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


def _cell(cell, column, row, name):
    """The series of a cell; one that is missing has no values."""
    if np.ndim(cell) == 0 and pd.isna(cell):
        return np.empty(0)
    series = as_floats(cell, f"the series in column {column!r}, row {row},", name)
    if series.ndim != 1:
        raise ValueError(f"column {column!r} of X has no series in row {row} but {cell!r:.40}; {name} needs one there")
    return series


def _side_by_side(cells):
    """Series of one row, padded at the end to the longest."""
    row = np.full((max(map(len, cells)), len(cells)), np.nan, dtype=np.result_type(*cells))
    for feature, series in enumerate(cells):
        row[: len(series), feature] = series
    return row


def channels_first_hint(shape):
    """What to say of series (rows, time, features) that have far fewer steps than features; an empty line else."""
    _, steps, features = shape
    if not (steps > 1 and features >= FAR_MORE * steps):
        return ""
    return (
        f"X has {steps} steps of {features} features each, which looks like channels first (rows, channels, time): "
        "if it is, give X.transpose(0, 2, 1)"
    )


def describe(X, kind):
    """One line on what an array was taken for."""
    if kind == "image":
        height, width = X.shape[2:] if X.ndim == 4 and channel_axis(X.shape) == "first" else X.shape[1:3]
        return f"X is {len(X)} images of {height} x {width} pixels"
    hint = "; say kind='image' if they are images" if X.shape[2] > 1 else ""
    features = "1 feature" if X.shape[2] == 1 else f"{X.shape[2]} features"
    return f"X is {len(X)} sequences of up to {X.shape[1]} steps with {features} each{hint}"


def read_sequences(X, name="AutoClassifier"):
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


def refuse_no_series(X, name):
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


def as_floats(values, what, name):
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


def are_infinite(X):
    """Which numbers are infinite, or would be in float32."""
    return np.abs(X) > np.finfo(np.float32).max


def _check_rank(X, name):
    if X.ndim != 3:
        raise ValueError(
            f"X has {X.ndim} axes; {name} takes arrays (rows, time, features) or (rows, time), or {LISTS}. "
            "Reshape your data: X.reshape(-1, 1) is many series of one step, X.reshape(1, -1) is one series"
        )
    for axis, word in enumerate(("rows", "steps", "features")):
        if not X.shape[axis]:
            raise ValueError(f"X has shape {X.shape}: 0 {word}, while a minimum of 1 is required")


def series_lengths(X):
    """Steps of each series up to its last value that is not NaN; 0 for a series without values."""
    seen = ~np.isnan(X).all(axis=2)
    return np.where(seen.any(axis=1), X.shape[1] - seen[:, ::-1].argmax(axis=1), 0)


def is_ragged(X):
    """Whether X is a list of series, as a list of arrays always is, and not a table written as a list of equal rows."""
    if not (isinstance(X, (list, tuple)) or (isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1)):
        return False
    if not len(X) or not all(_is_sized(x) for x in X):
        return False
    return len({len(x) for x in X}) > 1 or any(hasattr(x, "ndim") or (len(x) and _is_sized(x[0])) for x in X)


def _is_sized(x):
    return hasattr(x, "__len__") and not isinstance(x, (str, bytes)) and np.shape(x[:0]) != ()


def padded(X, name):
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


def read_images(X):
    """Images (n, height, width), (n, channels, height, width) or (n, height, width, channels), and None for names."""
    X = check_images(X)
    if X.ndim not in (3, 4):
        raise ValueError(
            f"X has shape {X.shape}; images are (n, height, width), (n, channels, height, width) or "
            "(n, height, width, channels): reshape rows of pixels, X.reshape(-1, 28, 28) for example"
        )
    if X.ndim == 4:
        channel_axis(X.shape, "give all images a size that is none of these, or fit a CNNClassifier(channels=...)")
    return X, None


def check_images(X):
    """An array of uint8 or float32 without NaN or infinity, at least one row and one pixel; uint8 is not copied."""
    if type(X) is not np.ndarray:  # for an array there is nothing to convert, and to find that out takes time
        X = check_array(X, dtype=None, ensure_2d=False, allow_nd=True, ensure_all_finite=False, input_name="X")
    if X.ndim < 2:
        raise ValueError(
            f"Expected 2D array, got {X.ndim}D array instead: X has shape {X.shape}, images have rank 3 or 4. "
            "Reshape your data with array.reshape(1, -1) if it is a single image in one row"
        )
    if not all(X.shape):
        raise ValueError(
            "X has no rows or no pixels. Found array with 0 sample(s) or 0 feature(s) "
            f"(shape={X.shape}) while a minimum of 1 is required."
        )
    if X.dtype == np.uint8:
        return X
    if X.dtype.kind == "c":
        raise ValueError("Complex data not supported: X must be uint8 or real numbers")
    X = (
        X.astype(np.float32, copy=False)
        if X.dtype.kind in "fiub"
        else check_array(X, dtype=np.float32, ensure_2d=False, allow_nd=True, ensure_all_finite=False)
    )
    assert_all_finite(X, input_name="X")
    return X


def channel_axis(shape, advice='say channels="first" or channels="last"'):
    """ "first" or "last": where the channels of a rank-4 array are; ValueError, with advice, if that cannot be told."""
    first, last = shape[1] in CHANNELS, shape[3] in CHANNELS
    if first == last:
        which = "both axis 1 and axis 3" if first else "neither axis 1 nor axis 3"
        raise ValueError(
            f"X has shape {tuple(shape)}: {which} could be the channels (sizes {shape[1]} and {shape[3]}; channels are "
            f"1, 3 or 4); {advice}"
        )
    return "first" if first else "last"


def same_features(X, names, fitted, name="AutoClassifier"):
    """Sequences with the features in the order of fit, by their names where both have some; ValueError for others."""
    if names is None or fitted is None or list(names) == list(fitted):
        return X
    if set(names) != set(fitted):
        raise ValueError(f"X has the columns {list(names)}, but {name} was fitted on {list(fitted)}")
    return X[:, :, [list(names).index(feature) for feature in fitted]]


def same_form(X, shape, kind, name="AutoClassifier"):
    """Nothing, or an error if X has not the form of fit: the features of a step, or the shape of an image.

    Parameters
    ----------
    X : ndarray
        As read_sequences or read_images gave it.
    shape : tuple of int
        Shape of X in fit.
    kind : {"sequence", "image"}
    name : str
        Estimator named in messages.
    """
    if kind == "sequence" and X.shape[2] != shape[2]:
        raise ValueError(f"X has {X.shape[2]} features a step, but {name} was fitted on {shape[2]}")
    if kind == "image" and X.shape[1:] != tuple(shape[1:]):
        expected = ", ".join(map(str, shape[1:]))
        raise ValueError(f"X has images of shape {X.shape[1:]}, but {name} was fitted on (n, {expected})")
