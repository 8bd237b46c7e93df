"""Numbers from texts: lengths, the main directions of their words or n-grams, and those that tell the classes apart."""

from typing import Any, Self

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.special import chdtrc
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer

BUCKETS = {"words": 2**15, "grams": 2**12}  # number of hashed columns: no vocabulary to store
WORDY = 8  # words on average from which texts are read by words, not by characters
MOST_CHARACTERS = 20_000  # of a text that are read
FIT_TEXTS, SVD_TEXTS = 20_000, 5_000  # texts from which discriminative terms and components are learned
CELLS = 4_000_000  # characters held as a matrix at a time
COUNTS = ("length", "words", "digits")
TELLING, MAX_P, LEAST_ROWS = 24, 1e-3, 5  # maximum number of terms, p-value, rows of a class
ALIKE = 0.8  # correlation of terms of which one is enough


class TextNumbers:
    """Length, word count, fraction of digits, a latent semantic analysis, and the terms that discriminate the classes.

    Terms are words of long texts, character 2- and 3-grams of short ones, hashed into a fixed number of columns. The
    analysis is a truncated SVD of their tf-idf (Deerwester et al. 1990, "Indexing by latent semantic analysis"). The
    discriminative terms are those with a significant chi-squared statistic (Bonferroni-corrected): a rare word at the
    end of long texts would be lost in the components of all others.
    """

    def __init__(self, n_components: int, seed: int) -> None:
        self.n_components = n_components
        self.seed = seed

    def fit(self, texts: np.ndarray, classes: np.ndarray | None = None) -> Self:
        """Learn from distinct texts.

        Parameters
        ----------
        texts : ndarray of object (str), shape (n_texts,)
        classes : ndarray of shape (n_texts, n_classes), default=None
            Rows of each class that have the text; None where classes are not known.
        """
        rng = np.random.default_rng(self.seed)
        if len(texts) > FIT_TEXTS:
            drawn = rng.choice(len(texts), FIT_TEXTS, replace=False)
            texts, classes = texts[drawn], None if classes is None else classes[drawn]
        counts = _counts(texts)
        self.unit = "words" if counts[:, 1].mean() >= WORDY else "grams"
        self.counts = [i for i in range(len(COUNTS)) if np.ptp(counts[:, i]) > 0]
        terms = self._terms(texts)
        rows = np.bincount(terms.indices, minlength=terms.shape[1])
        self.kept = np.flatnonzero(rows > 1)  # what is seen once is of no use
        terms, rows = terms[:, self.kept], rows[self.kept]
        self.weights = np.log((1 + len(texts)) / (1 + rows)) + 1
        self._learn_directions(terms[:SVD_TEXTS])
        self.telling = telling_terms(terms, classes) if classes is not None else np.empty(0, dtype=int)
        n_directions = 0 if self.directions is None else len(self.directions)
        self.suffixes = [COUNTS[i] for i in self.counts]
        self.suffixes += [f"text{i}" for i in range(n_directions)] + [f"term{i}" for i in range(len(self.telling))]
        return self

    def _learn_directions(self, terms):
        n_components = min(self.n_components, terms.shape[1] - 1, terms.shape[0] - 1)
        self.directions = None
        if n_components > 0:
            # Its fraction of explained variance is divided by 0 where all texts are alike.
            with np.errstate(invalid="ignore", divide="ignore"):
                svd = TruncatedSVD(n_components, n_iter=3, random_state=self.seed).fit(self._weighted(terms))
            self.directions = svd.components_

    def transform(self, texts: np.ndarray) -> np.ndarray:
        """Floats of shape (n_texts, n_suffixes)."""
        terms = self._terms(texts)[:, self.kept]
        parts = [_counts(texts)[:, self.counts]]
        if self.directions is not None:
            parts.append(self._weighted(terms) @ self.directions.T)
        return np.hstack([*parts, (terms[:, self.telling] > 0).toarray().astype(np.float64)])

    def _terms(self, texts):
        """Counts of hashed words or n-grams, CSR of shape (n_texts, n_buckets)."""
        if not len(texts):
            return sp.csr_array((0, BUCKETS[self.unit]))
        short = [text[:MOST_CHARACTERS].lower() for text in texts]
        if self.unit == "grams":
            return _grams(short)
        hashing = HashingVectorizer(n_features=BUCKETS["words"], alternate_sign=False, norm=None)
        return sp.csr_array(hashing.transform(short))

    def _weighted(self, terms):
        terms = terms.astype(np.float64)
        terms.data = (1 + np.log(terms.data)) * self.weights[terms.indices]
        norm = np.sqrt(np.asarray(terms.multiply(terms).sum(axis=1)).ravel())
        return sp.diags_array(1 / np.maximum(norm, 1e-12)) @ terms


def telling_terms(terms: Any, classes: np.ndarray) -> np.ndarray:
    """Indices of the terms whose presence discriminates the classes significantly, the best first.

    Parameters
    ----------
    terms : sparse array of shape (n_texts, n_terms)
    classes : ndarray of shape (n_texts, n_classes)
        Rows of each class that have the text.

    Returns
    -------
    positions : ndarray of int
        At most `TELLING`, no two nearly alike.
    """
    present = sp.csc_array(terms > 0, dtype=np.float64)
    total, overall = classes.sum(), classes.sum(axis=0)
    seen = present.T @ classes
    n_seen = seen.sum(axis=1, keepdims=True)
    expected = n_seen * overall / total
    least = np.where((n_seen > 0) & (n_seen < total), expected * (1 - n_seen / total), np.inf)
    statistic = ((seen - expected) ** 2 / np.maximum(least, 1e-12)).sum(axis=1)
    p_value = chdtrc(max(len(overall) - 1, 1), statistic) * max(len(statistic), 1)
    often = np.maximum(seen.max(axis=1), (overall - seen).max(axis=1) * (n_seen[:, 0] >= LEAST_ROWS)) >= LEAST_ROWS
    ranked = np.argsort(-statistic, kind="stable")
    candidates = [term for term in ranked[: 8 * TELLING] if p_value[term] < MAX_P and often[term]]
    kept, columns = [], np.empty((0, terms.shape[0]))
    for term in candidates:
        column = present[:, [term]].toarray().ravel()
        column = (column - column.mean()) / max(column.std() * np.sqrt(len(column)), 1e-12)
        if len(kept) < TELLING and not (np.abs(columns @ column) > ALIKE).any():
            kept.append(term)
            columns = np.vstack([columns, column])
    return np.array(kept, dtype=int)


def _counts(texts):
    """Length, number of words and fraction of digits, shape (n_texts, 3)."""
    column = pd.Series(texts, dtype=object)
    length = np.array([len(text) for text in texts], dtype=np.float64)
    words, digits = (column.str.count(pattern).to_numpy(dtype=np.float64) for pattern in (r"\S+", r"\d"))
    return np.column_stack([length, words, digits / np.maximum(length, 1)])


def _grams(texts):
    """Counts of hashed character 2- and 3-grams, CSR of shape (n_texts, n_buckets), texts of like lengths together."""
    lengths = np.array([len(text) + 2 for text in texts])
    order = np.argsort(lengths, kind="stable")
    parts, begin = [], 0
    while begin < len(texts):
        # The longest of a part comes last and decides about its width.
        sizes = (np.arange(begin, len(texts)) - begin + 1) * lengths[order[begin:]]
        end = begin + max(int(np.searchsorted(sizes, CELLS, side="right")), 1)
        parts.append(_grams_of_part([texts[i] for i in order[begin:end]]))
        begin = end
    back = np.empty(len(order), dtype=int)
    back[order] = np.arange(len(order))
    return sp.csr_array(sp.vstack(parts, format="csr")[back])


def _grams_of_part(texts):
    padded = [f" {text} " for text in texts]
    characters = np.array(padded, dtype=str)
    characters = characters.view(np.uint32).reshape(len(texts), -1).astype(np.uint64)
    width = characters.shape[1]
    rows, columns = [], []
    for size in (2, 3):
        key = np.full((len(texts), width - size + 1), size, dtype=np.uint64)
        for i in range(size):
            key = key * np.uint64(0x9E3779B97F4A7C15) + characters[:, i : width - size + 1 + i]
        key ^= key >> np.uint64(32)
        row, column = np.nonzero(characters[:, size - 1 :])
        rows.append(row)
        columns.append((key[row, column] * np.uint64(0xD6E8FEB86659FD93)) >> np.uint64(52))
    rows, columns = np.concatenate(rows), np.concatenate(columns).astype(np.int32)
    return sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(texts), BUCKETS["grams"]))
