"""Codes such as AB-1234-X or ACGTTA: their parts and positions as columns, and which texts are mere random keys."""

import re
from collections import Counter
from typing import Any, Self

import numpy as np
import pandas as pd

from skauto.estimators.tables._magnitude import bounded
from skauto.estimators.tables._table_categories import CategoryColumn
from skauto.estimators.tables._table_labels import take, to_labels

COMMON = 0.9  # of the distinct texts must have one shape
MOST_PARTS, MOST_POSITIONS = 8, 64
LETTERS = 30  # different characters at most of words whose positions are levels
EVEN = 0.97  # of the most entropy that characters can have: hardly one is more frequent than another
REPEATED = 5  # rows a level on average for a part to be a category
_RUN = re.compile(r"[^\W\d_]+|\d+")
_KEY = re.compile(r"(?:[0-9a-f]{8,}|[0-9A-F]{8,}|\{?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?)")


def shape(text: str) -> str:
    """Runs of letters as A, of digits as 9, the rest as it is; a raised digit, as in m², is no digit here."""
    return _RUN.sub(lambda run: "9" if run[0][0].isdecimal() else "A", text)


def common_shape(texts: Any) -> str | None:
    """The shape of nearly all texts, or None; texts with spaces have none."""
    shapes = Counter(map(shape, texts))
    (first, count), *_ = shapes.most_common(1)
    fits = count >= COMMON * len(texts) and not re.search(r"\s", first)
    return first if fits and 1 <= len(_RUN.findall(first)) <= MOST_PARTS else None


def look_random(texts: Any) -> bool:
    """Whether words that are all different look drawn at random: uuids, hexadecimal keys, tokens of letters and digits.

    Words of few letters, as of DNA, do not, nor do names, some of whose letters are frequent.
    """
    if np.mean([bool(_KEY.fullmatch(text)) for text in texts]) >= COMMON:
        return len(set("".join(texts[:1_000]).lower()) - set("-{}")) >= 12
    if np.mean([len(text) >= 8 for text in texts]) < COMMON:
        return False
    letters = Counter("".join(texts))
    fractions = np.array(list(letters.values())) / letters.total()
    entropy = -(fractions * np.log(fractions)).sum()
    return len(letters) >= 16 and entropy >= EVEN * np.log(len(letters))


class CodeColumn:
    """Parts of codes of one shape: letters as categories, words of few letters by position, digits as numbers."""

    def fit(self, texts: np.ndarray, counts: np.ndarray) -> Self:
        """Learn the parts from distinct texts and the rows of each; no `suffixes` where none varies."""
        self.shape = common_shape(texts)
        self.columns, self.suffixes = [], []
        fitting = np.array([shape(text) == self.shape for text in texts])
        self.unread = 1 - counts[fitting].sum() / counts.sum()
        parts = pd.DataFrame([_RUN.findall(text) for text in texts[fitting]], dtype=object)
        for i in range(parts.shape[1]):
            self._learn(i, parts[i].to_numpy(dtype=object), counts[fitting])
        return self

    @property
    def is_serial(self) -> bool:
        """Whether nothing but one run of digits varies."""
        return len(self.columns) == 1 and self.columns[0][1] is None

    def _learn(self, i, part, counts):
        levels, codes = np.unique(part.astype(str), return_inverse=True)
        rows = np.bincount(codes, weights=counts).astype(int)
        if len(levels) < 2:
            return
        if part[0][0].isdecimal():
            self._add(i, None, f"part{i}")
        levels = levels.astype(object)
        if len(levels) * REPEATED <= rows.sum():
            self._add(
                i, CategoryColumn().fit(levels, rows, None, 3), f"level{i}" if part[0][0].isdecimal() else f"part{i}"
            )
        elif not part[0][0].isdecimal():
            self._learn_places(i, part, counts)

    def _learn_places(self, i, part, counts):
        length = min(int(np.quantile([len(text) for text in part], 0.05)), MOST_POSITIONS)
        for position in range(length):
            letters = np.array([text[position : position + 1] for text in part], dtype=object)
            levels, codes = np.unique(letters.astype(str), return_inverse=True)
            if 2 <= len(levels) <= LETTERS:
                rows = np.bincount(codes, weights=counts).astype(int)
                column = CategoryColumn().fit(levels.astype(object), rows, None, 3)
                self._add((i, position), column, f"part{i}_{position}")

    def _add(self, where, column, suffix):
        self.columns.append((where, column))
        self.suffixes.append(suffix)

    def transform(self, series: pd.Series, trouble: list[tuple[int, int]] | None = None) -> list[Any]:
        """A Categorical or an array of floats for each of `suffixes`."""
        codes, texts = to_labels(series)
        return self.encode(codes, texts, trouble)

    def encode(self, codes: np.ndarray, texts: np.ndarray, trouble: list[tuple[int, int]] | None = None) -> list[Any]:
        """The columns of labels; codes of another shape are missing."""
        fits = np.array([shape(text) == self.shape for text in texts], dtype=bool)
        parts = [_RUN.findall(text) if fit else None for text, fit in zip(texts, fits, strict=True)]
        if trouble is not None:
            counts = np.bincount(codes[codes >= 0], minlength=len(texts))
            filled, unread = int(counts.sum()), int(counts[~fits].sum())
            if unread > (self.unread + 0.5) * filled:
                trouble.append((filled, unread))
        return [self._column(where, column, codes, parts) for where, column in self.columns]

    @staticmethod
    def _column(where, column, codes, parts):
        if column is None:
            numbers = np.array([np.nan if part is None else float(part[where]) for part in parts])
            return bounded(take(numbers, codes))
        i, position = where if isinstance(where, tuple) else (where, None)
        chosen = slice(None) if position is None else slice(position, position + 1)
        cells = pd.Series([None if part is None else part[i][chosen] for part in parts], dtype=object)
        inner, levels = pd.factorize(cells)
        return column.encode(np.append(inner, -1)[codes], np.asarray(levels, dtype=object))
