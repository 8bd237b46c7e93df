"""Levels of a column of texts as a pandas categorical: what was seen often, all else together."""

import re
from typing import Self

import numpy as np
import pandas as pd

from skauto.estimators.tables._table_labels import BOOLEANS, count_unread, to_labels, to_numbers

RARE_LEVEL = "infrequent"
FEW = 10  # cells, at least, to say of a column that most are unseen
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}(?:\.0*)?")


class CategoryColumn:
    """One pandas categorical with the levels seen often enough; the others share one level, or are missing.

    Whole numbers and truth values that are the same are one level, by the name of the most frequent, so that a cell has
    its level in whatever form it arrives: 7 that of "007", True that of "TRUE". Other texts are levels of their own
    (12E5 and 120E4 may be two articles); a cell that arrives as a number has the level that is written otherwise: 1.5
    that of "1.50".
    """

    suffixes = ("",)
    taken = "category"
    note = ""

    def fit(self, texts: np.ndarray, counts: np.ndarray, max_categories: int | None, min_frequency: int) -> Self:
        """Learn the levels from distinct texts and how often each occurs; None is no bound of their number."""
        texts, counts, names = _merged(texts, counts)
        frequent = np.flatnonzero(counts >= min_frequency)
        if max_categories is not None and (
            len(frequent) > max_categories or (len(frequent) == max_categories < len(texts))
        ):
            frequent = frequent[np.lexsort((texts[frequent].astype(str), -counts[frequent]))][: max_categories - 1]
        levels = sorted(texts[frequent])
        self.codes = {level: index for index, level in enumerate(levels)}
        self.rest = len(levels) if len(levels) < len(texts) else -1  # code of all other texts
        self.unseen = 1 - counts[frequent].sum() / max(counts.sum(), 1)
        if self.rest >= 0:
            levels.append(_unlike(RARE_LEVEL, levels))
        self.levels = pd.Index(levels, dtype=object)
        self.dtype = pd.CategoricalDtype(self.levels)
        self.numbers = {number: self.codes[name] for number, name in names.items() if name in self.codes}
        return self

    def transform(self, series: pd.Series, trouble: list[tuple[int, int]] | None = None) -> list[pd.Categorical]:
        """One Categorical; counts of filled and unseen cells go to the list `trouble`."""
        return [self.encode(*to_labels(series), trouble)]

    def encode(
        self, codes: np.ndarray, texts: np.ndarray, trouble: list[tuple[int, int]] | None = None
    ) -> pd.Categorical:
        """The Categorical of labels."""
        known = np.array([self.codes.get(text, -1) for text in texts], dtype=np.intp)
        unknown = np.flatnonzero(known < 0) if self.numbers else np.empty(0, dtype=np.intp)
        if len(unknown):
            numbers = to_numbers(texts[unknown])
            plain = _are_plain(texts[unknown], numbers)
            known[unknown[plain]] = [self.numbers.get(number, -1) for number in numbers[plain].tolist()]
        if trouble is not None and len(codes) >= FEW and self.unseen < 0.5:
            filled, unseen = count_unread(codes, texts, known >= 0)
            if filled >= FEW and unseen > (1 + self.unseen) / 2 * filled:
                trouble.append((filled, unseen))
        known[known < 0] = self.rest
        return pd.Categorical.from_codes(np.append(known, -1)[codes], dtype=self.dtype)


def _merged(texts, counts):
    """The texts without those that are the same number as a more frequent one, their rows, and the names of numbers."""
    numbers, counts, keep = to_numbers(texts), counts.copy(), np.ones(len(texts), dtype=bool)
    same, plain = _are_same(texts), _are_plain(texts, numbers)
    first = {}
    for index in np.lexsort((texts.astype(str), -counts, ~plain, ~same)):
        if np.isnan(numbers[index]):
            continue
        kept = first.setdefault(float(numbers[index]), index)
        if kept != index and same[index]:
            counts[kept] += counts[index]
            keep[index] = False
    return texts[keep], counts[keep], {number: texts[index] for number, index in first.items()}


def _are_same(texts):
    """Which texts are the level of every other text of that number: whole numbers that floats hold, and booleans."""
    return np.array([bool(_WHOLE.fullmatch(text)) or text.lower() in BOOLEANS for text in texts], dtype=bool)


def _are_plain(texts, numbers):
    """Which texts may stand for a number that was written otherwise: those above, and numbers as Python prints them."""
    printed = [
        text == (str(int(x)) if x.is_integer() else str(x)) for text, x in zip(texts, numbers.tolist(), strict=True)
    ]
    return _are_same(texts) | np.array(printed, dtype=bool)


def _unlike(name, others):
    while name in others:
        name += "_"
    return name
