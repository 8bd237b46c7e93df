"""Rows taken out where classes touch: Tomek links and edited nearest neighbours, exact and fast."""

from typing import Any

import imblearn.under_sampling as upstream
import numpy as np
from scipy import sparse
from scipy.stats import mode

from skauto._sklearn import distances_asked
from skauto.resample._exact_neighbours import maybe_linked, own_neighbours_only
from skauto.resample._neighbours import embed, has_missing, nearest_of, searcher
from skauto.resample._sampler import RowSampler, kept

SMALL = 2000  # up to this many rows a plain search is as fast
# Seconds of a distance in a tree, and of a pair of rows in the scans, as measured (benchmarks/neighbours.py) and then
# moved a little in favour of the tree: where it is taken the time is that of imbalanced-learn.
TREE_SECONDS, EDITED_SECONDS, TOMEK_SECONDS = 25e-9, 1e-9, 0.3e-9
ROW_SECONDS = 2e-6  # of a scan besides its pairs
PROBES = 100  # rows that a tree is tried on


class TomekLinks(RowSampler, upstream.TomekLinks):
    """Cleaning by Tomek links: two rows of different classes, each the nearest of the other.

    Finds the links that imbalanced-learn finds, but searches only the neighbours of the smaller classes, and of the
    rows found there; in a large table only of rows whose nearest row of another class may be the nearest of all.

    Parameters
    ----------
    sampling_strategy : str, list or callable, default="auto"
        Classes whose rows are removed, as in imbalanced-learn; "auto" is all but the smallest.
    n_jobs : int, default=None
        Threads of the search.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (m,)
        Positions of the rows kept.
    parents_, steps_ : ndarray of shape (m, 2), (m,)
        The same in the form that SMOTE has; steps are 0.

    References
    ----------
    I. Tomek, "Two modifications of CNN", IEEE Transactions on Systems, Man and Cybernetics 6, 1976.

    Examples
    --------
    >>> from skauto.resample import TomekLinks
    >>> sampler = TomekLinks()
    >>> _ = sampler.fit_resample([[0.0], [1.0], [4.0], [4.1], [9.0]], [0, 0, 0, 1, 1])
    >>> sampler.sample_indices_
    array([0, 1, 3, 4])
    """

    def _fit_resample(self, table, y, notes):
        matrix = embed(table, np.arange(len(y)), y)
        search = searcher(1, matrix, "the nearest row", notes, extra=1, n_jobs=self.n_jobs)
        largest = np.bincount(y).argmax()
        asked = min(len(y), 2 * np.sum(y != largest))
        scanned = _scan_pays(search, matrix, asked, TOMEK_SECONDS)
        possible = maybe_linked(matrix, y) if scanned else np.ones(len(y), dtype=bool)
        rows = np.flatnonzero((y != largest) & possible)
        near = np.full(len(y), -1)
        near[rows] = _second(search, matrix, rows)
        # Each link has an end outside the largest class, so only what those rows point at can be the other end.
        hits = np.unique(near[rows][y[near[rows]] == largest])
        hits = hits[possible[hits]]
        near[hits] = _second(search, matrix, hits)
        linked = (near >= 0) & (near[near] == np.arange(len(y))) & (y[near] != y)
        targeted = np.isin(y, [code for _, code, _, _ in self._quotas()])
        return kept(table, keep_classes(~(linked & targeted), y, self.classes_, notes))


def _scan_pays(search, matrix, n_asked, pair_seconds):
    """Whether a scan of all pairs is quicker than the search for some rows; it needs numbers, all of them known.

    A tree's time depends on how the rows lie, so it is tried on a few of them. A search without a tree looks at all
    pairs too, and more slowly.
    """
    n = matrix.shape[0]
    if n <= SMALL or sparse.issparse(matrix) or has_missing(matrix):
        return False
    distances = distances_asked(search, matrix[np.linspace(0, n - 1, PROBES).astype(int)])
    scan_seconds = n * n * pair_seconds + n * ROW_SECONDS
    return distances is None or scan_seconds < n_asked * distances * TREE_SECONDS


def _second(search, matrix, rows):
    """The nearest row besides the row itself, which comes first."""
    return nearest_of(search, matrix, rows)[:, -1] if len(rows) else np.empty(0, dtype=int)


class EditedNearestNeighbours(RowSampler, upstream.EditedNearestNeighbours):
    """Cleaning by edited nearest neighbours: rows whose neighbours are of another class are removed.

    Keeps the rows that imbalanced-learn keeps. Most rows are decided without a search: a row stays if k rows of its own
    class are nearer than the nearest of any other.

    Parameters
    ----------
    sampling_strategy : str, list or callable, default="auto"
        Classes whose rows are removed, as in imbalanced-learn; "auto" is all but the smallest.
    n_neighbors : int or object with `kneighbors`, default=3
        Number of neighbours to compare with.
    kind_sel : {"all", "mode"}, default="all"
        Whether all neighbours must agree with a row for it to stay, or most.
    n_jobs : int, default=None
        Threads of the search.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (m,)
        Positions of the rows kept.
    parents_, steps_ : ndarray of shape (m, 2), (m,)
        The same in the form that SMOTE has; steps are 0.

    References
    ----------
    D. L. Wilson, "Asymptotic properties of nearest neighbor rules using edited data", IEEE Transactions on Systems,
    Man and Cybernetics 2(3), 1972.

    Examples
    --------
    >>> from skauto.resample import EditedNearestNeighbours
    >>> sampler = EditedNearestNeighbours(n_neighbors=1)
    >>> _ = sampler.fit_resample([[0.0], [1.0], [4.0], [4.1], [9.0]], [0, 0, 0, 1, 1])
    >>> sampler.sample_indices_
    array([0, 1, 3, 4])
    """

    def _fit_resample(self, table, y, notes):
        matrix = embed(table, np.arange(len(y)), y)
        targeted = np.isin(y, [code for _, code, _, _ in self._quotas()])
        agree = np.ones(len(y), dtype=bool)
        search = searcher(self.n_neighbors, matrix, "n_neighbors", notes, extra=1, n_jobs=self.n_jobs)
        verdict = self._verdict(search, matrix, y, targeted.sum())
        agree[verdict == 0] = False
        rows = np.flatnonzero((verdict < 0) & targeted)
        if len(rows):
            agree[rows] = self._agree(search, matrix, y, rows)
        chosen = keep_classes(agree | ~targeted, y, self.classes_, notes)
        # by class, the order of imbalanced-learn
        return kept(table, chosen[np.argsort(y[chosen], kind="stable")])

    def _verdict(self, search, matrix, y, n_asked):
        """1 for rows that surely stay, 0 for those that surely go, -1 for those to be searched."""
        own = hasattr(self.n_neighbors, "kneighbors")
        if own or not _scan_pays(search, matrix, n_asked, EDITED_SECONDS):
            return np.full(len(y), -1)
        verdict = own_neighbours_only(matrix, y, self.n_neighbors)
        if self.kind_sel == "mode":
            verdict[verdict == 0] = -1
        return verdict

    def _agree(self, search, matrix, y, rows):
        labels = y[nearest_of(search, matrix, rows)[:, 1:]]
        if self.kind_sel == "mode":
            return mode(labels, axis=1, keepdims=False)[0] == y[rows]
        return (labels == y[rows, None]).all(axis=1)


def keep_classes(mask: np.ndarray, y: np.ndarray, classes: Any, notes: list[str]) -> np.ndarray:
    """Positions where a mask is set; a class that would lose all its rows keeps them."""
    gone = np.bincount(y[mask], minlength=len(classes)) == 0
    if gone.any():
        notes.append(f"all rows of the classes {classes[gone].tolist()} would be taken out, so they are kept")
    return np.flatnonzero(mask | gone[y])
