"""A column of anything as codes into distinct texts, and these texts as numbers: all work is done once per value."""

import numpy as np
import pandas as pd

# Texts that stand for a missing cell in files from elsewhere.
NULLS = frozenset(
    ["", "?", "NA", "N/A", "n/a", "nan", "NaN", "-nan", "-NaN", "null", "NULL", "<NA>", "NaT"]
    + ["inf", "-inf", "+inf", "Inf", "-Inf", "+Inf", "INF", "-INF", "infinity", "-infinity", "Infinity", "-Infinity"]
    + ["#NA", "#N/A", "#N/A N/A", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"]
)
NONE = "None"  # among numbers and dates a missing cell too, among words one of them
# Among numbers, dates and times these are gaps too, in upper or lower case; among words each may be one of them.
GAPS = frozenset(text.casefold() for text in NULLS) | frozenset(
    ["none", "nil", "n.a.", "n.a", "n. a.", "na.", "n/d", "nd", "n.d.", "-", "--", "---", "\u2013", "\u2014", ".", ".."]
    + ["...", "*", "**", "***", "??", "???", "missing", "unknown", "undefined", "unspecified"]
    + ["not available", "not applicable", "not known", "no data", "(null)", "(blank)", "(none)", "\\n", "empty", "void"]
    + ["#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!", "+infinity"]
    + ["\u221e", "-\u221e"]
)
BOOLEANS = {"true": 1.0, "false": 0.0}
FEW = 8  # cells of a column that are read one by one: pandas takes longer


def to_labels(series: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Codes and distinct texts of a column, spaces around them stripped; code -1 is a missing cell.

    Numbers and dates become the text that Python prints, whole floats and booleans that of the integer, so that a
    column keeps its values when its dtype changes.

    Parameters
    ----------
    series : Series of any dtype

    Returns
    -------
    codes : ndarray of int, shape (n_rows,)
    texts : ndarray of object (str), shape (n_texts,)
        Distinct, though not all need occur.
    """
    if isinstance(series.dtype, pd.CategoricalDtype):
        codes, values = series.cat.codes.to_numpy(), series.cat.categories
    elif len(series) <= FEW:
        return _few_labels(series.to_numpy(dtype=object))
    else:
        codes, values = _factorize(series)
    texts = _texts(values)
    if len(set(texts)) == len(texts) and NULLS.isdisjoint(texts):
        return codes, texts
    known = np.array([None if text in NULLS else text for text in texts], dtype=object)
    kept, target = pd.factorize(known)[::-1]
    return np.append(target, -1)[codes], kept


def some_of(n_texts: int, n: int) -> np.ndarray:
    """Positions of at most n texts, drawn at random: every second one may be all of a kind."""
    return np.arange(n_texts) if n_texts <= n else np.sort(np.random.default_rng(0).permutation(n_texts)[:n])


def are_gaps(texts: np.ndarray) -> np.ndarray:
    """Which texts stand for a missing cell among numbers, dates and times."""
    return np.array([text.casefold() in GAPS for text in texts], dtype=bool)


def count_unread(codes: np.ndarray, texts: np.ndarray, read: np.ndarray) -> tuple[int, int]:
    """Cells that are filled, and those of them that could not be read.

    Parameters
    ----------
    codes, texts : as `to_labels` gives them
    read : ndarray of bool, shape (n_texts,)
        Which texts could be read; of the others those that stand for a missing cell are not filled.
    """
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    unread = ~read
    unread[unread] = ~are_gaps(texts[unread])
    return int(counts[read | unread].sum()), int(counts[unread].sum())


def to_numbers(texts: np.ndarray) -> np.ndarray:
    """Each text as a float, NaN where it is none; "true" and "false" are 1 and 0, infinite counts as missing."""
    numbers = np.asarray(pd.to_numeric(texts, errors="coerce"), dtype=np.float64)
    unread = np.flatnonzero(np.isnan(numbers))
    if len(unread):
        numbers[unread] = [BOOLEANS.get(text.lower(), np.nan) for text in texts[unread]]
    numbers[np.isinf(numbers)] = np.nan
    return numbers


def take(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Values by code as floats, NaN where the code is -1; values has one row a code."""
    hole = np.full((1, *values.shape[1:]), np.nan)
    return np.concatenate([values, hole])[codes]


def _few_labels(cells):
    """Codes and texts of some cells."""
    codes_of, codes = {}, []
    for cell in cells:
        text = "" if _is_missing(cell) else cell.strip() if type(cell) is str else _text(cell).strip()
        codes.append(-1 if text in NULLS else codes_of.setdefault(text, len(codes_of)))
    return np.array(codes, dtype=np.intp), _objects(list(codes_of))


def _is_missing(cell):
    return (
        cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, (float, np.floating)) and np.isnan(cell))
    )


def _factorize(series):
    try:
        return pd.factorize(series)
    except (TypeError, NotImplementedError):  # lists or dicts in the cells cannot be hashed
        return pd.factorize(series.map(_text, na_action="ignore"))


def _texts(values):
    """Values as texts without spaces around them; most columns are all texts already."""
    values = np.asarray(values, dtype=object)
    texts = [value.strip() if type(value) is str else _text(value).strip() for value in values]
    return _objects(texts)


def _objects(texts):
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def _text(value):
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, (bool, np.bool_, float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)
