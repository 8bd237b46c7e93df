"""What a column of a table becomes: numbers, a category, dates, codes or text; each kind learns once, then converts."""

from typing import Any, Self

import numpy as np
import pandas as pd

from skauto.estimators.tables._magnitude import bounded
from skauto.estimators.tables._table_categories import CategoryColumn
from skauto.estimators.tables._table_codes import CodeColumn, common_shape, look_random
from skauto.estimators.tables._table_dates import DateColumn, TimeFormat, are_times, date_format, is_date
from skauto.estimators.tables._table_labels import are_gaps, count_unread, take, to_labels, to_numbers
from skauto.estimators.tables._table_numbers import TOKENS, NumberFormat, are_padded, learn_numbers
from skauto.estimators.tables._table_text import TextNumbers

REPEATED = 5  # rows a level on average: a column of that kind is a category however many levels it has
FEW_LEVELS = 100  # levels of short words are a category too
LONG_WORDS = 3  # more words than this on average: text, not names of levels
UNREAD = 0.05  # more cells that are no numbers than at fit, by this part of the filled ones, are told of
TOLD = 0.01  # gap marks in more cells than this are told of


class Useless(Exception):
    """A column that tells nothing; the message is the reason."""


def learn_column(series: pd.Series, settings: Any, y: Any = None) -> Any:
    """The fitted converter of one column.

    Parameters
    ----------
    series : Series of any dtype
    settings : TableCleaner
        Its parameters are read.
    y : array-like of shape (n_rows,), default=None
        Classes, for the terms of texts that tell them apart.

    Returns
    -------
    column : object
        Has ``suffixes`` (one an output, "" for an output that keeps the name), ``taken`` and ``note`` (what the column
        was taken as, and a line where its dtype says otherwise) and ``transform(series, trouble=None)``, which gives a
        list of float arrays or Categoricals, and appends to the list `trouble` how many cells are filled and how many
        of them could not be read, where these are more than at fit.

    Raises
    ------
    Useless
        If the column is to be dropped.
    """
    if is_number(series.dtype):
        # durations arrive as texts when they come from a file
        return NumberColumn(TimeFormat() if getattr(series.dtype, "kind", "O") == "m" else None).fit(series)
    if is_date(series.dtype):
        return _dates(series, None, "")
    codes, texts = to_labels(series)
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    codes, texts, counts = _drop_unused(codes, texts, counts)
    if not len(texts):
        raise Useless("all values are missing")
    column = None if isinstance(series.dtype, pd.CategoricalDtype) else _measured(series, texts, counts)
    if column is not None:
        return column
    if len(texts) == 1 and counts[0] == len(series):
        raise Useless("constant")
    column = _labels(codes, texts, counts, settings, y)
    column.note = _nearly_numbers(series, texts, counts, column.taken)
    return column


def is_number(dtype: Any) -> bool:
    """Whether a dtype holds numbers, booleans or durations."""
    return not isinstance(dtype, pd.CategoricalDtype) and getattr(dtype, "kind", "O") in "biufm"


def to_floats(series: pd.Series) -> np.ndarray:
    """A column of any dtype as floats, NaN where a cell is no finite number; durations are in seconds.

    Numbers too large for float32 become the largest in use.
    """
    return bounded(_floats(series))


def _floats(series):
    kind = getattr(series.dtype, "kind", "O")
    if not is_number(series.dtype):
        codes, texts = to_labels(series)
        return take(to_numbers(texts), codes)
    if kind == "m":
        return pd.to_timedelta(series).dt.total_seconds().to_numpy(dtype=np.float64, na_value=np.nan)
    if isinstance(series.dtype, np.dtype):
        return series.to_numpy(dtype=np.float64)
    if isinstance(series.dtype, pd.SparseDtype):
        return np.asarray(series.array, dtype=np.float64)
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


class NumberColumn:
    """One column of floats, and a category of the words among them where there is more than one kind of gap."""

    taken = "number"
    note = ""

    def __init__(self, form: Any = None, marks: Any = None, unread: float = 0.0, note: str = "") -> None:
        self.form = form or NumberFormat()
        self.marks = marks
        self.unread = unread
        self.note = note
        self.suffixes = ("", "mark") if marks else ("",)

    def fit(self, series: pd.Series) -> Self:
        """Refuse a column that is empty or constant."""
        values = self.transform(series)[0]
        reason = useless_number(values)
        if reason and not self.marks:
            raise Useless(reason)
        return self

    def transform(self, series: pd.Series, trouble: list[tuple[int, int]] | None = None) -> list[Any]:
        """One array of floats, and the Categorical of words if there is one."""
        if is_number(series.dtype):
            marks = [self.marks.encode(np.full(len(series), -1), np.empty(0, dtype=object))] if self.marks else []
            return [to_floats(series), *marks]
        codes, texts = to_labels(series)
        numbers = self.form.read(texts)
        numbers[np.isinf(numbers)] = np.nan
        if trouble is not None:
            known = ~np.isnan(numbers)
            if self.marks:
                known |= np.array([text in self.marks.codes for text in texts], dtype=bool)
            filled, unread = count_unread(codes, texts, known)
            if unread > (self.unread + UNREAD) * filled:
                trouble.append((filled, unread))
        marks = [self.marks.encode(codes, texts)] if self.marks else []
        return [bounded(take(numbers, codes)), *marks]


def useless_number(values: np.ndarray) -> str | None:
    """Why a column of floats tells nothing, or None."""
    first = values[0]
    if np.isnan(first):
        return "all values are missing" if np.isnan(values).all() else None
    return "constant" if (values == first).all() else None


class TextColumn:
    """The most frequent texts as a category where some repeat, and numbers from all of them."""

    note = ""

    def __init__(self, category: Any, numbers: Any, code: Any = None) -> None:
        self.category = category
        self.numbers = numbers
        self.code = code
        self.taken = "code" if code else "text"
        self.suffixes = [*([""] if category else []), *(code.suffixes if code else []), *numbers.suffixes]

    def transform(self, series: pd.Series, trouble: list[tuple[int, int]] | None = None) -> list[Any]:
        """A Categorical if there is one, the parts of codes, then arrays of floats."""
        codes, texts = to_labels(series)
        columns = take(self.numbers.transform(texts), codes).T
        parts = self.code.encode(codes, texts, trouble) if self.code else []
        return [*([self.category.encode(codes, texts)] if self.category else []), *parts, *columns]


def _measured(series, texts, counts):
    """The column of numbers, times or dates that texts are, or None."""
    told = ~are_gaps(texts)
    if not told.any():
        return None
    if are_padded(texts[told]):
        return None
    found = learn_numbers(texts[told], counts[told])
    if found is None and are_times(texts[told]):
        form = TimeFormat()
        found = form, form.read(texts[told])
    if found is not None:
        return _numbers(series, texts, counts, told, *found)
    with_digits = told & np.array([any(letter.isdigit() for letter in text) for text in texts], dtype=bool)
    words = told & ~with_digits
    few = words.sum() <= TOKENS and counts[words].sum() <= counts[with_digits].sum()
    form = date_format(texts[with_digits if few else told])
    if form is None:
        return None
    return _dates(series, form, f"read as dates ({form})" + _gaps_said(texts, counts, ~told | words))


def _numbers(series, texts, counts, told, form, numbers):
    """A NumberColumn of texts, with the words among them as levels where these are of more than one kind."""
    odd = told.copy()
    odd[told] = np.isnan(numbers)
    unread = counts[odd].sum() / counts.sum()
    least = max(3, TOLD * len(series))
    words = odd & (counts >= least)
    n_gaps = len(series) - counts[told].sum()
    marks = None
    if words.any() and words.sum() <= TOKENS and words.sum() + (n_gaps >= least) > 1:
        marks = CategoryColumn().fit(texts[words], counts[words], None, 1)
    note = " ".join(["read as numbers", form.said]).strip() + _gaps_said(texts, counts, ~told | odd)
    if note == "read as numbers":
        note += ", though its cells are texts"
    return NumberColumn(form, marks, unread, note).fit(series)


def _gaps_said(texts, counts, gaps):
    """How often cells say something that is taken for a gap, with the most frequent; of few only those with digits."""
    fraction = counts[gaps].sum() / counts.sum()
    many = f"{fraction:.0%} of its filled cells say"
    if fraction < TOLD:
        gaps = gaps & np.array([any(letter.isdigit() for letter in text) for text in texts], dtype=bool)
        n_cells = counts[gaps].sum()
        if not n_cells:
            return ""
        many = f"{n_cells} of its filled cells say" if n_cells > 1 else "1 of its filled cells says"
    common = texts[gaps][np.argsort(-counts[gaps], kind="stable")][:3]
    return f": {many} {', '.join(map(repr, common))} and count as missing"


def _nearly_numbers(series, texts, counts, taken):
    """A line on a column of words and numbers, empty where it has hardly any numbers."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        return ""
    told = ~are_gaps(texts)
    numbers = told.copy()
    numbers[told] = ~np.isnan(to_numbers(texts[told]))
    fraction = counts[numbers].sum() / max(counts[told].sum(), 1)
    if fraction < 0.5:
        return ""
    words = told & ~numbers
    common = texts[words][np.argsort(-counts[words], kind="stable")][:3]
    kind = "text" if taken == "text" else f"a {taken}"
    return f"read as {kind}: {1 - fraction:.0%} of its filled cells are no numbers, like {', '.join(map(repr, common))}"


def _dates(series, form, note):
    column = DateColumn(form).fit(series)
    column.note = note
    if not column.suffixes:
        raise Useless("all values are missing" if series.isna().all() else "constant")
    return column


def _labels(codes, texts, counts, settings, y):
    category = CategoryColumn().fit(texts, counts, settings.max_categories, settings.min_frequency)
    if len(texts) * REPEATED <= counts.sum() or len(texts) == 1:
        return category
    single = (counts == 1).all()
    words = float(pd.Series(texts, dtype=object).str.count(r"\S+").mean())
    useful = len(category.levels) > 1 and not single
    if len(texts) <= FEW_LEVELS and words <= LONG_WORDS and useful:
        return category
    one_word = words == 1 or common_shape(texts) is not None
    if single and one_word and look_random(texts):
        raise Useless("identifier: random words, every value is different")
    code = CodeColumn().fit(texts, counts) if one_word and common_shape(texts) is not None else None
    if single and code is not None and code.is_serial:
        raise Useless("identifier: a number after the same letters, every value is different")
    code = code if code is not None and code.suffixes else None
    numbers = TextNumbers(settings.text_components, settings.random_state).fit(texts, _class_counts(codes, texts, y))
    return TextColumn(category if useful else None, numbers, code)


def _class_counts(codes, texts, y):
    """Rows of each text and class, or None where the classes are not known or too many."""
    if y is None:
        return None
    classes, labels = np.unique(np.asarray(y), return_inverse=True)
    if not 2 <= len(classes) <= 100 or len(labels) != len(codes):
        return None
    table = np.zeros((len(texts), len(classes)))
    np.add.at(table, (codes[codes >= 0], labels[codes >= 0]), 1)
    return table


def _drop_unused(codes, texts, counts):
    """Without the levels of a categorical that do not occur."""
    if counts.all():
        return codes, texts, counts
    used = np.flatnonzero(counts)
    target = np.full(len(texts) + 1, -1)
    target[used] = np.arange(len(used))
    return target[codes], texts[used], counts[used]
