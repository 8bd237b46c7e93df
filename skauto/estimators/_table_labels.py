"""A column of anything as codes into distinct texts, and these texts as numbers: all work is done once per value."""

import numpy as np
import pandas as pd

# Texts that stand for a missing cell in files from elsewhere.
NULLS = frozenset(
    ["", "?", "NA", "N/A", "n/a", "nan", "NaN", "-nan", "-NaN", "null", "NULL", "<NA>", "NaT"]
    + ["#NA", "#N/A", "#N/A N/A", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"]
)
NONE = "None"  # among numbers and dates a missing cell too, among words one of them
BOOLEANS = {"true": 1.0, "false": 0.0}


def to_labels(series):
    """Codes and distinct texts of a column; code -1 is a missing cell.

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
    else:
        codes, values = _factorize(series)
    texts = _texts(values)
    stripped = pd.Index(texts).isin(NULLS)
    distinct = pd.unique(texts) if len(texts) else texts
    if len(distinct) == len(texts) and not stripped.any():
        return codes, texts
    kept, target = pd.factorize(np.where(stripped, None, texts))[::-1]
    return np.append(target, -1)[codes], kept


def to_numbers(texts):
    """Each text as a float, NaN where it is none; "true" and "false" are 1 and 0, infinite counts as missing."""
    numbers = np.asarray(pd.to_numeric(texts, errors="coerce"), dtype=np.float64)
    unread = np.flatnonzero(np.isnan(numbers))
    if len(unread):
        numbers[unread] = [BOOLEANS.get(text.lower(), np.nan) for text in texts[unread]]
    numbers[np.isinf(numbers)] = np.nan
    return numbers


def take(values, codes):
    """Values by code as floats, NaN where the code is -1; values has one row a code."""
    hole = np.full((1, *values.shape[1:]), np.nan)
    return np.concatenate([values, hole])[codes]


def _factorize(series):
    try:
        return pd.factorize(series)
    except (TypeError, NotImplementedError):  # lists or dicts in the cells cannot be hashed
        return pd.factorize(series.map(_text, na_action="ignore"))


def _texts(values):
    values = np.asarray(values, dtype=object)
    if pd.api.types.infer_dtype(values) in ("string", "empty"):
        return values
    return np.array([_text(value) for value in values], dtype=object)


def _text(value):
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, (bool, np.bool_, float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)
