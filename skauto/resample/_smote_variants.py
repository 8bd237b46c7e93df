"""Over-sampling that looks at the other classes too: BorderlineSMOTE, ADASYN, SVMSMOTE, KMeansSMOTE."""

import imblearn.over_sampling as upstream
import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import pairwise_distances
from sklearn.svm import SVC

from skauto.resample._neighbours import embed, has_missing, neighbours_within, note_searches, searcher, vote
from skauto.resample._sampler import Draw, RowSampler, grown
from skauto.resample._smote import draw_between
from skauto.resample._targets import streams

SVM_ROWS = 20_000  # a kernel machine takes quadratic time: with more rows it sees those near the class only

_SHARED = """
    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        As in imbalanced-learn; a float is the ratio of each class to the largest, also for more than two classes.
    random_state : int, RandomState or None, default=None
        Seed. Every class has a stream of its own."""

_FITTED = """
    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to add, by label.
    parents_ : ndarray of shape (m, 2)
        For each row given back the positions of the two rows that made it; twice its own for an old row.
    steps_ : ndarray of shape (m,)
        A row lies at first + step * (second - first)."""


def documented(cls):
    """Fill in what all these samplers document alike."""
    cls.__doc__ = cls.__doc__.replace("\n    {shared}", _SHARED).replace("\n    {fitted}", _FITTED)
    return cls


class OverSampler(RowSampler):
    """One draw per class, by `_draw`; where it finds no rows to start from, plain SMOTE."""

    def _fit_resample(self, table, y, notes):
        matrix = embed(table, np.arange(len(y)), y)
        note_searches(self)
        draws = []
        for label, code, n, rng in self._quotas():
            if not n:
                continue
            rows = np.flatnonzero(y == code)
            drawn = self._draw(table, matrix, y, rows, label, n, rng, notes) if len(rows) > 1 else None
            draws += [self._plain(table, matrix, rows, label, n, rng, notes)] if drawn is None else drawn
        return grown(table, draws)

    def _plain(self, table, matrix, rows, label, n, rng, notes):
        wanted, name = self._own_neighbours()
        neighbours = neighbours_within(wanted, matrix[rows], name, label, notes)
        return draw_between(rows, neighbours, rows, n, rng, table.codes)

    def _own_neighbours(self):
        return self.k_neighbors, "k_neighbors"


def foreign_share(search, matrix, y, rows):
    """For each row the number of its neighbours that are of another class, and the number of neighbours."""
    near = search.kneighbors(matrix[rows], return_distance=False)[:, 1:]
    return (y[near] != y[rows, None]).sum(axis=1), near.shape[1]


@documented
class BorderlineSMOTE(OverSampler, upstream.BorderlineSMOTE):
    """SMOTE from the rows in danger: those with at least half, but not all, of their neighbours in other classes.

    Takes any input, and with no row in danger falls back to SMOTE, with a `ResamplingWarning`.

    {shared}
    k_neighbors : int or object with `kneighbors`, default=5
        Neighbours to choose from.
    m_neighbors : int or object with `kneighbors`, default=10
        Neighbours of any class that tell whether a row is in danger.
    kind : {"borderline-1", "borderline-2"}, default="borderline-1"
        Whether neighbours to choose from are of the same class, or of any (then at most half the way).

    {fitted}

    References
    ----------
    H. Han, W.-Y. Wang, B.-H. Mao, "Borderline-SMOTE", ICIC 2005, section 3.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skauto.resample import BorderlineSMOTE
    >>> X, y = make_classification(weights=[0.8], random_state=0)
    >>> BorderlineSMOTE(random_state=0).fit_resample(X, y)[0].shape
    (162, 20)
    """

    def _fit_resample(self, table, y, notes):
        self.in_danger_indices = {}
        return super()._fit_resample(table, y, notes)

    def _draw(self, table, matrix, y, rows, label, n, rng, notes):
        foreign, m = foreign_share(searcher(self.m_neighbors, matrix, extra=1), matrix, y, rows)
        danger = rows[(foreign >= m / 2) & (foreign < m)]
        if not len(danger):
            notes.append(f"no row of the class {label!r} is in danger, so all of them are used")
            return None
        self.in_danger_indices = {**self.in_danger_indices, label: danger}
        pool = rows if self.kind == "borderline-1" else np.arange(len(y))
        search = searcher(self.k_neighbors, matrix[pool], extra=1)
        neighbours = search.kneighbors(matrix[danger], return_distance=False)[:, 1:]
        drawn = draw_between(danger, neighbours, pool, n, rng, table.codes)
        if self.kind == "borderline-1":
            return [drawn]
        away = y[drawn.second] != y[drawn.first]
        # imbalanced-learn starts its stream again here; a stream of the same seed gives the same rows
        again = streams(self.random_state, 1)[0]
        drawn.steps[away] *= again.uniform(low=0.0, high=0.5, size=(away.sum(), 1))[:, 0]
        return [drawn]


@documented
class ADASYN(OverSampler, upstream.ADASYN):
    """SMOTE with more synthetic rows where more neighbours are of other classes.

    Takes any input; rounding is by largest remainder, so that the count asked for is met. With no neighbour of another
    class it falls back to SMOTE, with a `ResamplingWarning`.

    {shared}
    n_neighbors : int or object with `kneighbors`, default=5
        Neighbours, both to measure density and to choose from.

    {fitted}

    References
    ----------
    H. He, Y. Bai, E. A. Garcia, S. Li, "ADASYN: adaptive synthetic sampling approach for imbalanced learning",
    IJCNN 2008, section III.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skauto.resample import ADASYN
    >>> X, y = make_classification(weights=[0.8], random_state=0)
    >>> ADASYN(random_state=0).fit_resample(X, y)[0].shape
    (162, 20)
    """

    def _own_neighbours(self):
        return self.n_neighbors, "n_neighbors"

    def _draw(self, table, matrix, y, rows, label, n, rng, notes):
        foreign, _ = foreign_share(searcher(self.n_neighbors, matrix, extra=1), matrix, y, rows)
        if not foreign.any():
            notes.append(f"no neighbour of the class {label!r} is of another class, so all its rows count alike")
            return None
        share = rounded(foreign / foreign.sum() * n, n)
        near = rows[neighbours_within(self.n_neighbors, matrix[rows], "n_neighbors", label, notes)]
        starts = np.repeat(np.arange(len(rows)), share)
        ways = rng.choice(near.shape[1], size=n)
        steps = rng.uniform(size=(n, 1))[:, 0]
        elected = vote(table.codes, np.column_stack([rows, near]))
        return [Draw(rows[starts], near[starts, ways], steps, elected[starts])]


def rounded(shares, n):
    """Shares that sum to n as integers that sum to n: the largest remainders are rounded up."""
    whole = np.floor(shares + 1e-9).astype(int)
    order = np.argsort(whole - shares, kind="stable")
    whole[order[: n - whole.sum()]] += 1
    return whole


@documented
class SVMSMOTE(OverSampler, upstream.SVMSMOTE):
    """SMOTE from the support vectors of a class: towards neighbours where others are near, away from them elsewhere.

    Takes any input (missing numbers are filled with the mean of their column for the support vector machine only).
    With more than 20,000 rows the machine is fitted on those nearest to the class, so that it ends in seconds; give
    `svm_estimator` to have it see all. With noise only for support vectors it falls back to SMOTE, with a
    `ResamplingWarning`.

    {shared}
    k_neighbors : int or object with `kneighbors`, default=5
        Neighbours of the same class to choose from.
    m_neighbors : int or object with `kneighbors`, default=10
        Neighbours of any class that tell whether a row is in danger or noise.
    svm_estimator : estimator, default=None
        A classifier with `support_` after fit; None for `SVC()` with the seed.
    out_step : float, default=0.5
        Largest step away.

    {fitted}

    References
    ----------
    H. M. Nguyen, E. W. Cooper, K. Kamei, "Borderline over-sampling for imbalanced data classification",
    International Journal of Knowledge Engineering and Soft Data Paradigms 3(1), 2009, section 3.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skauto.resample import SVMSMOTE
    >>> X, y = make_classification(weights=[0.8], random_state=0)
    >>> SVMSMOTE(random_state=0).fit_resample(X, y)[0].shape
    (162, 20)
    """

    def _draw(self, table, matrix, y, rows, label, n, rng, notes):
        support = self._support(matrix, y, rows)
        foreign, m = foreign_share(searcher(self.m_neighbors, matrix, extra=1), matrix, y, support)
        support, foreign = support[foreign < m], foreign[foreign < m]
        if not len(support):
            notes.append(f"all support vectors of the class {label!r} are noise, so all its rows are used")
            return None
        danger = foreign >= m / 2
        search = searcher(self.k_neighbors, matrix[rows], extra=1)
        near = search.kneighbors(matrix[support], return_distance=False)[:, 1:]
        inwards = int(rng.beta(10, 10) * (n + 1))
        inwards = n if danger.all() else inwards if danger.any() else 0
        parts = [(danger, inwards, 1.0), (~danger, n - inwards, -self.out_step)]
        # imbalanced-learn starts its stream again for each part; streams of the same seed give the same rows
        draws = []
        for (mask, count, reach), seed in zip(parts, self._streams(rng), strict=True):
            if count:
                draws.append(draw_between(support[mask], near[mask], rows, count, seed, table.codes, reach=reach))
        return draws

    def _streams(self, rng):
        whole = isinstance(self.random_state, (int, np.integer))
        return [np.random.RandomState(self.random_state) if whole else rng for _ in range(2)]

    def _support(self, matrix, y, rows):
        estimator = self.svm_estimator
        seen = np.arange(len(y))
        if estimator is None:
            estimator = SVC(gamma="scale", random_state=self.random_state)
            seen = _nearest_to(matrix, y, rows) if len(y) > SVM_ROWS else seen
        matrix = _filled(matrix) if has_missing(matrix) else matrix
        self.svm_estimator_ = clone(estimator).fit(matrix[seen], y[seen])
        if not hasattr(self.svm_estimator_, "support_"):
            raise RuntimeError(
                "`svm_estimator` is required to exposed a `support_` fitted attribute: give a support vector machine, "
                f"not {estimator!r}."
            )
        support = seen[self.svm_estimator_.support_]
        return support[y[support] == y[rows[0]]]


def _nearest_to(matrix, y, rows, per_row=20):
    """Some of the rows of a class, and for each some nearest rows of other classes."""
    rows = rows[:: max(1, len(rows) * 2 // SVM_ROWS)]
    others = np.flatnonzero(y != y[rows[0]])
    per_row = max(1, min(per_row, SVM_ROWS // (2 * len(rows))))
    near = searcher(per_row, matrix[others]).kneighbors(matrix[rows], return_distance=False)
    return np.concatenate([rows, others[np.unique(near)]])


def _filled(matrix):
    matrix = matrix.toarray() if sparse.issparse(matrix) else matrix
    present = ~np.isnan(matrix)
    mean = np.where(present, matrix, 0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
    return np.where(present, matrix, mean)


@documented
class KMeansSMOTE(OverSampler, upstream.KMeansSMOTE):
    """SMOTE within clusters that hold enough of the class, more of it in the sparse ones.

    Takes any input (missing numbers are filled with the mean of their column for the clustering only); the count asked
    for is met exactly. Where no cluster will do, it falls back to SMOTE, with a `ResamplingWarning`.

    {shared}
    k_neighbors : int or object with `kneighbors`, default=2
        Neighbours of the same class and cluster to choose from.
    n_jobs : int, default=None
        Threads for distances.
    kmeans_estimator : int or clusterer, default=None
        Number of clusters, or a clusterer; None for `MiniBatchKMeans()`.
    cluster_balance_threshold : "auto" or float, default="auto"
        Share of the class from which a cluster is used.
    density_exponent : "auto" or float, default="auto"
        Exponent of the mean distance in the measure of sparsity.

    {fitted}

    References
    ----------
    F. Last, G. Douzas, F. Bacao, "Oversampling for imbalanced learning based on k-means and SMOTE", 2017, section 3.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skauto.resample import KMeansSMOTE
    >>> X, y = make_blobs([80, 20], centers=[[0, 0], [9, 9]], random_state=0)
    >>> KMeansSMOTE(kmeans_estimator=2, random_state=0).fit_resample(X, y)[0].shape
    (160, 2)
    """

    def _draw(self, table, matrix, y, rows, label, n, rng, notes):
        try:
            clusters = self._clusters(matrix, y)
        except ValueError as error:  # such as more clusters than rows
            notes.append(f"the clustering failed ({error}), so the rows of the class {label!r} are taken together")
            return None
        total = sum(self.sampling_strategy_.values())
        limit = n / total / 2 if self.cluster_balance_threshold == "auto" else self.cluster_balance_threshold
        limit = limit if clusters.max() > 0 else -np.inf
        wanted = getattr(self.k_neighbors, "n_neighbors", None) or self.k_neighbors + 1
        counts = np.bincount(clusters)
        own = [rows[clusters[rows] == c] for c in range(len(counts))]
        own = [
            part for part, count in zip(own, counts, strict=True) if len(part) >= max(wanted, 2, limit * max(count, 1))
        ]
        if not own:
            notes.append(f"no cluster holds enough rows of the class {label!r}, so they are taken together")
            return None
        sparsity = np.array([self._sparsity(matrix[part]) for part in own])
        if not sparsity.sum() > 0:
            sparsity = np.ones(len(own))
        draws = []
        for part, count in zip(own, rounded(sparsity / sparsity.sum() * n, n), strict=True):
            near = neighbours_within(self.k_neighbors, matrix[part], "k_neighbors", label, notes)
            draws.append(draw_between(part, near, part, count, rng, table.codes))
        return draws

    def _clusters(self, matrix, y):
        given = self.kmeans_estimator
        seed = self.random_state
        if given is None or isinstance(given, int):
            clusterer = MiniBatchKMeans(n_clusters=min(given or 8, len(y)), random_state=seed, n_init="auto")
        else:
            clusterer = clone(given)
        self.kmeans_estimator_ = clusterer
        return np.asarray(clusterer.fit_predict(_filled(matrix) if has_missing(matrix) else matrix))

    def _sparsity(self, matrix):
        n = matrix.shape[0]
        metric = "nan_euclidean" if has_missing(matrix) else "euclidean"
        distances = np.nan_to_num(pairwise_distances(matrix, metric=metric, n_jobs=self.n_jobs))
        np.fill_diagonal(distances, 0)
        mean = distances.sum() / (n * (n - 1))
        exponent = np.log(n) / np.log(1.6)
        exponent = exponent**1.8 * 0.16 if self.density_exponent == "auto" else self.density_exponent
        return mean**exponent / n
