"""Numbers from short texts: lengths, and the main directions of their character n-grams."""

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.decomposition import TruncatedSVD

BUCKETS = 2**12  # n-grams share this many columns by a hash: no vocabulary to store
MAX_LENGTH = 200  # characters read of each text
FIT_TEXTS = 5_000  # texts that the directions are learned from
CHUNK = 20_000  # texts held as a matrix of characters at a time
COUNTS = ("length", "words", "digits")


class TextNumbers:
    """Length, number of words, share of digits, and `n_components` of a latent semantic analysis.

    The analysis is a truncated SVD of the tf-idf of character 2- and 3-grams (Deerwester et al. 1990, "Indexing by
    latent semantic analysis"), the n-grams hashed into a fixed number of columns.
    """

    def __init__(self, n_components, seed):
        self.n_components = n_components
        self.seed = seed

    def fit(self, texts):
        """Learn from distinct texts.

        Parameters
        ----------
        texts : ndarray of object (str), shape (n_texts,)
        """
        if len(texts) > FIT_TEXTS:
            texts = np.random.default_rng(self.seed).choice(texts, FIT_TEXTS, replace=False)
        grams = _grams(texts)
        rows = np.bincount(grams.indices, minlength=BUCKETS)
        self.weights = np.where(rows > 1, np.log((1 + len(texts)) / (1 + rows)) + 1, 0.0)  # 0: seen once, no use
        n_components = min(self.n_components, int((rows > 1).sum()) - 1, len(texts) - 1)
        self.directions = None
        if n_components > 0:
            # Its share of explained variance is divided by 0 where all texts are alike.
            with np.errstate(invalid="ignore", divide="ignore"):
                svd = TruncatedSVD(n_components, n_iter=3, random_state=self.seed).fit(self._weighted(grams))
            self.directions = svd.components_
        counts = _counts(texts)
        self.counts = [i for i in range(len(COUNTS)) if np.ptp(counts[:, i]) > 0]
        self.suffixes = [COUNTS[i] for i in self.counts] + [f"text{i}" for i in range(max(n_components, 0))]
        return self

    def transform(self, texts):
        """Floats of shape (n_texts, n_suffixes)."""
        parts = [_counts(texts)[:, self.counts]]
        if self.directions is not None:
            chunks = [texts[i : i + CHUNK] for i in range(0, len(texts), CHUNK)]
            main = [self._weighted(_grams(chunk)) @ self.directions.T for chunk in chunks]
            parts.append(np.concatenate(main) if main else np.empty((0, len(self.directions))))
        return np.hstack(parts)

    def _weighted(self, grams):
        grams = grams.copy()
        grams.data = (1 + np.log(grams.data)) * self.weights[grams.indices]
        norm = np.sqrt(np.asarray(grams.multiply(grams).sum(axis=1)).ravel())
        return sp.diags_array(1 / np.maximum(norm, 1e-12)) @ grams


def _counts(texts):
    """Length, number of words and share of digits, shape (n_texts, 3)."""
    column = pd.Series(texts, dtype=object)
    length = np.array([len(text) for text in texts], dtype=np.float64)
    words, digits = (column.str.count(pattern).to_numpy(dtype=np.float64) for pattern in (r"\S+", r"\d"))
    return np.column_stack([length, words, digits / np.maximum(length, 1)])


def _grams(texts):
    """Counts of hashed character 2- and 3-grams, CSR of shape (n_texts, BUCKETS); upper and lower case are one."""
    if not len(texts):
        return sp.csr_array((0, BUCKETS))
    padded = [f" {text[:MAX_LENGTH].lower()} " for text in texts]
    characters = np.array(padded, dtype=str)
    characters = characters.view(np.uint32).reshape(len(texts), -1).astype(np.uint64)
    width = characters.shape[1]
    rows, columns = [], []
    for size in (2, 3):
        key = np.full((len(texts), width - size + 1), size, dtype=np.uint64)
        for i in range(size):
            key = key * np.uint64(0x9E3779B97F4A7C15) + characters[:, i : width - size + 1 + i]
        key ^= key >> np.uint64(32)
        row, place = np.nonzero(characters[:, size - 1 :])
        rows.append(row)
        columns.append((key[row, place] * np.uint64(0xD6E8FEB86659FD93)) >> np.uint64(52))
    rows, columns = np.concatenate(rows), np.concatenate(columns).astype(np.int32)
    return sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(texts), BUCKETS))
