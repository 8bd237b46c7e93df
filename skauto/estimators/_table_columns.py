"""What a column of a table becomes: numbers, a category, dates or text; each kind learns once, then only converts."""

import numpy as np
import pandas as pd

from skauto.estimators._magnitude import bounded
from skauto.estimators._table_dates import DateColumn, date_format, is_date
from skauto.estimators._table_labels import NONE, take, to_labels, to_numbers
from skauto.estimators._table_text import TextNumbers

NUMBER_SHARE = 0.99  # of the filled cells must read as numbers
REPEATED = 5  # rows a level on average: a column of that kind is a category however many levels it has
LONG_WORDS = 3  # more words than this on average: text, not names of levels
RARE_LEVEL = "infrequent"


class Useless(Exception):
    """A column that tells nothing; the message is the reason."""


def learn_column(series, settings):
    """The fitted converter of one column.

    Parameters
    ----------
    series : Series of any dtype
    settings : TableCleaner
        Its parameters are read.

    Returns
    -------
    column : object
        Has ``suffixes`` (one an output, "" for an output that keeps the name) and ``transform(series)``, which gives
        a list of float arrays or Categoricals.

    Raises
    ------
    Useless
        If the column is to be dropped.
    """
    if is_number(series.dtype):
        return NumberColumn().fit(series)
    if is_date(series.dtype):
        return _dates(series, None)
    codes, texts = to_labels(series)
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    codes, texts, counts = _drop_unused(codes, texts, counts)
    if not len(texts):
        raise Useless("all values are missing")
    if not isinstance(series.dtype, pd.CategoricalDtype):
        told = texts != NONE
        if told.any() and counts[~np.isnan(to_numbers(texts))].sum() >= NUMBER_SHARE * counts[told].sum():
            return NumberColumn().fit(series)
        form = date_format(texts[told])
        if form is not None:
            return _dates(series, form)
    if len(texts) == 1 and counts[0] == len(series):
        raise Useless("constant")
    return _labels(texts, counts, settings)


def is_number(dtype):
    """Whether a dtype holds numbers, booleans or durations."""
    return not isinstance(dtype, pd.CategoricalDtype) and getattr(dtype, "kind", "O") in "biufm"


def to_floats(series):
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
    """One column of floats."""

    suffixes = ("",)

    def fit(self, series):
        """Refuse a column that is empty or constant."""
        reason = useless_number(to_floats(series))
        if reason:
            raise Useless(reason)
        return self

    def transform(self, series):
        """One array of floats."""
        return [to_floats(series)]


def useless_number(values):
    """Why a column of floats tells nothing, or None."""
    first = values[0]
    if np.isnan(first):
        return "all values are missing" if np.isnan(values).all() else None
    return "constant" if (values == first).all() else None


class CategoryColumn:
    """One pandas categorical with the levels seen often enough; the others share one level, or are missing."""

    suffixes = ("",)

    def fit(self, texts, counts, max_categories, min_frequency):
        """Learn the levels from distinct texts and how often each occurs."""
        frequent = np.flatnonzero(counts >= min_frequency)
        if len(frequent) > max_categories or (len(frequent) == max_categories < len(texts)):
            frequent = frequent[np.lexsort((texts[frequent].astype(str), -counts[frequent]))][: max_categories - 1]
        levels = sorted(texts[frequent])
        self.rest = len(levels) if len(levels) < len(texts) else -1  # code of all other texts
        if self.rest >= 0:
            levels.append(_unlike(RARE_LEVEL, levels))
        self.levels = pd.Index(levels, dtype=object)
        self.dtype = pd.CategoricalDtype(self.levels)
        return self

    def transform(self, series):
        """One Categorical."""
        return [self.encode(*to_labels(series))]

    def encode(self, codes, texts):
        """The Categorical of labels."""
        known = self.levels.get_indexer(texts)
        known = np.where(known < 0, self.rest, known)
        return pd.Categorical.from_codes(np.append(known, -1)[codes], dtype=self.dtype)


class TextColumn:
    """The most frequent texts as a category where some repeat, and numbers from all of them."""

    def __init__(self, category, numbers):
        self.category = category
        self.numbers = numbers
        self.suffixes = [*([""] if category else []), *numbers.suffixes]

    def transform(self, series):
        """A Categorical if there is one, then arrays of floats."""
        codes, texts = to_labels(series)
        columns = take(self.numbers.transform(texts), codes).T
        return [*([self.category.encode(codes, texts)] if self.category else []), *columns]


def _dates(series, form):
    column = DateColumn(form).fit(series)
    if not column.suffixes:
        raise Useless("all values are missing" if series.isna().all() else "constant")
    return column


def _labels(texts, counts, settings):
    category = CategoryColumn().fit(texts, counts, settings.max_categories, settings.min_frequency)
    if len(texts) * REPEATED <= counts.sum() or len(texts) == 1:
        return category
    single = (counts == 1).all()
    words = float(pd.Series(texts, dtype=object).str.count(r"\S+").mean())
    useful = len(category.levels) > 1 and not single
    if len(texts) <= settings.max_categories and words <= LONG_WORDS and useful:
        return category
    lengths = {len(text) for text in texts}
    if single and words == 1 and len(lengths) == 1:
        raise Useless("identifier: every value is different")
    numbers = TextNumbers(settings.text_components, settings.random_state).fit(texts)
    return TextColumn(category if useful else None, numbers)


def _drop_unused(codes, texts, counts):
    """Without the levels of a categorical that do not occur."""
    if counts.all():
        return codes, texts, counts
    used = np.flatnonzero(counts)
    target = np.full(len(texts) + 1, -1)
    target[used] = np.arange(len(used))
    return target[codes], texts[used], counts[used]


def _unlike(name, others):
    while name in others:
        name += "_"
    return name
