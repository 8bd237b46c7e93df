"""Under-sampling that keeps the rows nearest to the smallest class."""

import warnings

import imblearn.under_sampling as upstream
import numpy as np

from skauto.resample._neighbours import embed, searcher
from skauto.resample._sampler import RowSampler, kept


class NearMiss(RowSampler, upstream.NearMiss):
    """Under-sampling by distance to the smallest class; takes any input.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        As in imbalanced-learn; a float is the ratio of the smallest class to each other, also for more than two.
    version : {1, 2, 3}, default=1
        Keep the rows with the least mean distance to their nearest rows of the smallest class (1), to its farthest
        rows (2), or among the nearest of each row of the smallest class those with the greatest (3).
    n_neighbors : int or object with `kneighbors`, default=3
        Rows of the smallest class over which distances are averaged.
    n_neighbors_ver3 : int or object with `kneighbors`, default=3
        Nearest rows of each row of the smallest class in version 3.
    n_jobs : int, default=None
        Threads of the search.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (m,)
        Positions of the rows kept.
    parents_, steps_ : ndarray of shape (m, 2), (m,)
        The same in the form of SMOTE; steps are 0.

    References
    ----------
    I. Mani, I. Zhang, "kNN approach to unbalanced data distributions", ICML workshop on learning from imbalanced
    data sets, 2003.

    Examples
    --------
    >>> from skauto.resample import NearMiss
    >>> NearMiss(n_neighbors=1).fit_resample([[0.0], [1.0], [4.0], [5.0]], [0, 0, 0, 1])
    ([[4.0], [5.0]], [0, 1])
    """

    def _fit_resample(self, table, y, notes):
        matrix = embed(table, np.arange(len(y)), y)
        smallest = np.flatnonzero(y == np.bincount(y).argmin())
        search = searcher(self.n_neighbors, matrix[smallest], n_jobs=self.n_jobs)
        quotas = {code: count for _, code, count, _ in self._quotas()}
        chosen = []
        for code in range(len(self.classes_)):
            rows = np.flatnonzero(y == code)
            chosen.append(rows[self._nearest(search, matrix, rows, smallest, quotas[code])] if code in quotas else rows)
        return kept(table, np.concatenate(chosen))

    def _nearest(self, search, matrix, rows, smallest, count):
        if self.version == 3:
            return self._farthest_of_the_near(search, matrix, rows, smallest, count)
        asked = len(smallest) if self.version == 2 else search.n_neighbors
        distances = search.kneighbors(matrix[rows], n_neighbors=asked)[0][:, -search.n_neighbors :]
        return np.argsort(distances.sum(axis=1), kind="stable")[:count]

    def _farthest_of_the_near(self, search, matrix, rows, smallest, count):
        around = searcher(self.n_neighbors_ver3, matrix[rows], n_jobs=self.n_jobs)
        near = np.unique(around.kneighbors(matrix[smallest], return_distance=False))
        if len(near) < count:
            warnings.warn(
                "The number of the samples to be selected is larger than the number of samples available. The "
                "balancing ratio cannot be ensure and all samples will be returned.",
                UserWarning,
                stacklevel=2,
            )
        distances = search.kneighbors(matrix[rows[near]])[0]
        return near[np.argsort(-distances.sum(axis=1), kind="stable")[:count]]
