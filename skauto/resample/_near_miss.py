"""Under-sampling that keeps the rows nearest to the smallest class."""

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
        Keep the rows with the least mean distance to their nearest rows of the smallest class (1) or to its farthest
        rows (2); or, among the nearest neighbours of each row of the smallest class, those with the greatest (3).
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
        The same in the form that SMOTE has; steps are 0.

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
        rarest = np.bincount(y).argmin()
        smallest = np.flatnonzero(y == rarest)
        label = self.classes_.tolist()[rarest]
        search = self._searcher("n_neighbors", matrix, smallest, label, notes)
        chosen = {code: np.flatnonzero(y == code) for code in range(len(self.classes_))}
        for label, code, count, _ in self._quotas():
            rows = chosen[code]
            if self.version == 3:
                rows = rows[self._near(matrix, rows, smallest, label, count, notes)]
            chosen[code] = rows[self._ranked(search, matrix[rows], smallest)[:count]]
        return kept(table, np.concatenate(list(chosen.values())))

    def _searcher(self, name, matrix, rows, label, notes):
        return searcher(getattr(self, name), matrix, name, notes, rows=rows, label=label, n_jobs=self.n_jobs)

    def _ranked(self, search, matrix, smallest):
        """Positions of the rows of a matrix, those to keep first."""
        asked = len(smallest) if self.version == 2 else search.n_neighbors
        distances = search.kneighbors(matrix, n_neighbors=asked)[0][:, -search.n_neighbors :].sum(axis=1)
        return np.argsort(-distances if self.version == 3 else distances, kind="stable")

    def _near(self, matrix, rows, smallest, label, count, notes):
        """Positions of the rows that are among the nearest of a row of the smallest class."""
        around = self._searcher("n_neighbors_ver3", matrix, rows, label, notes)
        near = np.unique(around.kneighbors(matrix[smallest], return_distance=False))
        if len(near) < count:
            notes.append(
                f"only {len(near)} rows of the class {label!r} are among the nearest of the smallest class, so they "
                f"are kept, not {count}"
            )
        return near
