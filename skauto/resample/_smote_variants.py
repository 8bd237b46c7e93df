"""Over-sampling that looks at the other classes too: BorderlineSMOTE, ADASYN, SVMSMOTE, KMeansSMOTE."""

from functools import partial
from typing import Any, NamedTuple

import imblearn.over_sampling as upstream
import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import pairwise_distances
from sklearn.svm import SVC
from sklearn.utils import check_random_state, get_tags

from skauto.resample._costs import documented
from skauto.resample._neighbours import embed, has_missing, neighbours_within, note_searches, searcher, vote
from skauto.resample._sampler import Draw, RowSampler, grown
from skauto.resample._smote import draw_between

SVM_ROWS = 20_000  # a kernel machine takes quadratic time: with more rows it sees those near the class only

_shared = partial(
    documented,
    parameters="""Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        As in imbalanced-learn; a float is the ratio of each class to the largest, also for more than two classes.
    random_state : int, RandomState or None, default=None
        Seed. Every class has a stream of its own.""",
    attributes="""Attributes
    ----------
    sampling_strategy_ : dict
        Rows to add, by label.
    parents_ : ndarray of shape (m, 2)
        For each returned row the positions of its two parents; its own position twice for an original row.
    steps_ : ndarray of shape (m,)
        A row lies at first + step * (second - first).""",
)


class Scene(NamedTuple):
    """The data that the draws of all classes have in common."""

    table: Any
    matrix: Any  # all rows, embedded
    y: np.ndarray
    notes: list[str]
    seen: Any


class OverSampler(RowSampler):
    """`_look` once at all rows, then `_draw` for each class; plain SMOTE where that finds no rows to start from.

    A subclass defines `_look(scene)`, whose answer becomes `scene.seen`, and `_draw(scene, rows, label, n, seed)`.
    """

    _neighbours_name = "k_neighbors"

    def _fit_resample(self, table, y, notes):
        note_searches(self)
        scene = Scene(table, embed(table, np.arange(len(y)), y), y, notes, None)
        asked = [(np.flatnonzero(y == code), label, n, seed) for label, code, n, seed in self._quotas() if n]
        if any(len(rows) > 1 for rows, *_ in asked):
            scene = scene._replace(seen=self._look(scene))
        draws = []
        for rows, label, n, seed in asked:
            drawn = self._draw(scene, rows, label, n, seed) if len(rows) > 1 else None
            draws += [self._plain(scene, rows, label, n, seed)] if drawn is None else drawn
        return grown(table, draws)

    def _plain(self, scene, rows, label, n, seed):
        return draw_between(rows, self._near(scene, rows, label), rows, n, seed, scene.table.codes)

    def _near(self, scene, rows, label):
        """Neighbours of rows of one class among them, as indices into rows."""
        name = self._neighbours_name
        return neighbours_within(getattr(self, name), scene.matrix[rows], name, label, scene.notes)

    def _search(self, scene, name, rows=None, label=None):
        """A neighbour search with the number of neighbours that a parameter gives."""
        return searcher(getattr(self, name), scene.matrix, name, scene.notes, rows=rows, label=label, extra=1)


def count_foreign(scene: "Scene", search: Any, rows: np.ndarray) -> tuple[np.ndarray, int]:
    """For each row the number of its neighbours that are of another class, and the number of neighbours."""
    matrix, y = scene.matrix, scene.y
    near = search.kneighbors(matrix[rows], return_distance=False)[:, 1:]
    return (y[near] != y[rows, None]).sum(axis=1), near.shape[1]


@_shared
class BorderlineSMOTE(OverSampler, upstream.BorderlineSMOTE):
    """SMOTE from the rows in danger: those with at least half, but not all, of their neighbours in other classes.

    Takes any input, and with no row in danger falls back to SMOTE, with a `ResamplingWarning`.

    {parameters}
    k_neighbors : int or object with `kneighbors`, default=5
        Neighbours to choose from.
    m_neighbors : int or object with `kneighbors`, default=10
        Neighbours of any class that tell whether a row is in danger.
    kind : {"borderline-1", "borderline-2"}, default="borderline-1"
        Whether neighbours to choose from are of the same class, or of any (then the step is at most 0.5).

    {attributes}

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

    def _look(self, scene):
        return self._search(scene, "m_neighbors")

    def _draw(self, scene, rows, label, n, seed):
        y = scene.y
        foreign, m = count_foreign(scene, scene.seen, rows)
        danger = rows[(foreign >= m / 2) & (foreign < m)]
        if not len(danger):
            scene.notes.append(f"no row of the class {label!r} is in danger, so all of them are used")
            return None
        self.in_danger_indices = {**self.in_danger_indices, label: danger}
        own = self.kind == "borderline-1"
        pool = rows if own else np.arange(len(y))
        search = self._search(scene, "k_neighbors", rows, label) if own else self._search(scene, "k_neighbors")
        neighbours = search.kneighbors(scene.matrix[danger], return_distance=False)[:, 1:]
        drawn = draw_between(danger, neighbours, pool, n, seed, scene.table.codes)
        if own:
            return [drawn]
        away = y[drawn.second] != y[drawn.first]
        # imbalanced-learn starts its stream again here, and so does a seed that is used again
        drawn.steps[away] *= check_random_state(seed).uniform(low=0.0, high=0.5, size=(away.sum(), 1))[:, 0]
        return [drawn]


@_shared
class ADASYN(OverSampler, upstream.ADASYN):
    """SMOTE with more synthetic rows where more neighbours are of other classes.

    Takes any input; rounding is by largest remainder, so that the count asked for is met. With no neighbour of another
    class it falls back to SMOTE, with a `ResamplingWarning`.

    {parameters}
    n_neighbors : int or object with `kneighbors`, default=5
        Neighbours, both to measure density and to choose from.

    {attributes}

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

    _neighbours_name = "n_neighbors"

    def _look(self, scene):
        return self._search(scene, "n_neighbors")

    def _draw(self, scene, rows, label, n, seed):
        foreign, _ = count_foreign(scene, scene.seen, rows)
        if not foreign.any():
            scene.notes.append(f"no neighbour of the class {label!r} is of another class, so all its rows count alike")
            return None
        repeats = rounded(foreign / foreign.sum() * n, n)
        near = rows[self._near(scene, rows, label)]
        starts = np.repeat(np.arange(len(rows)), repeats)
        rng = check_random_state(seed)
        directions = rng.choice(near.shape[1], size=n)
        steps = rng.uniform(size=(n, 1))[:, 0]
        elected = vote(scene.table.codes, np.column_stack([rows, near]))
        return [Draw(rows[starts], near[starts, directions], steps, elected[starts])]


def rounded(values: np.ndarray, n: int) -> np.ndarray:
    """Numbers that sum to n as integers that sum to n: the largest remainders are rounded up."""
    whole = np.floor(values + 1e-9).astype(int)
    order = np.argsort(whole - values, kind="stable")
    whole[order[: n - whole.sum()]] += 1
    return whole


@_shared
class SVMSMOTE(OverSampler, upstream.SVMSMOTE):
    """SMOTE from the support vectors of a class: towards neighbours where others are near, away from them elsewhere.

    Takes any input (missing numbers are filled with the mean of their column for the support vector machine only).
    With more than 20,000 rows it is fitted on those nearest to the class, so that it ends in seconds; give
    `svm_estimator` to fit it on all. If all support vectors are noise, it falls back to SMOTE, with a
    `ResamplingWarning`.

    {parameters}
    k_neighbors : int or object with `kneighbors`, default=5
        Neighbours of the same class to choose from.
    m_neighbors : int or object with `kneighbors`, default=10
        Neighbours of any class that tell whether a row is in danger or noise.
    svm_estimator : estimator, default=None
        A classifier with `support_` after fit; None for `SVC()` with the seed.
    out_step : float, default=0.5
        Largest step away.

    {attributes}

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

    def _look(self, scene):
        """The search for neighbours of any class, and the support vectors; None where each class needs its own."""
        many = self.svm_estimator is None and len(scene.y) > SVM_ROWS
        support = None if many else self._support(scene, np.arange(len(scene.y)))
        return self._search(scene, "m_neighbors"), support

    def _draw(self, scene, rows, label, n, seed):
        around, support = scene.seen
        if support is None:
            support = self._support(scene, _nearest_to(scene, rows))
        support = support[scene.y[support] == scene.y[rows[0]]]
        foreign, m = count_foreign(scene, around, support)
        support, foreign = support[foreign < m], foreign[foreign < m]
        if not len(support):
            scene.notes.append(f"all support vectors of the class {label!r} are noise, so all its rows are used")
            return None
        danger = foreign >= m / 2
        search = self._search(scene, "k_neighbors", rows, label)
        near = search.kneighbors(scene.matrix[support], return_distance=False)[:, 1:]
        inwards = int(check_random_state(seed).beta(10, 10) * (n + 1))
        inwards = n if danger.all() else inwards if danger.any() else 0
        parts = [(danger, inwards, 1.0), (~danger, n - inwards, -self.out_step)]
        # imbalanced-learn starts its stream again for each part, and so does a seed that is used again
        return [
            draw_between(support[mask], near[mask], rows, count, seed, scene.table.codes, reach=reach)
            for mask, count, reach in parts
            if count
        ]

    def _support(self, scene, rows):
        """Positions of the support vectors of a machine that is fitted on some rows."""
        estimator = self.svm_estimator
        if estimator is None:
            estimator = SVC(gamma="scale", random_state=self.random_state)
        self.svm_estimator_ = clone(estimator).fit(complete(scene.matrix)[rows], scene.y[rows])
        if not hasattr(self.svm_estimator_, "support_"):
            raise RuntimeError(
                "`svm_estimator` is required to exposed a `support_` fitted attribute: give a support vector machine, "
                f"not {estimator!r}."
            )
        return rows[self.svm_estimator_.support_]


def _nearest_to(scene, rows, per_row=20):
    """Some of the rows of a class, and for each some nearest rows of other classes."""
    matrix, y = scene.matrix, scene.y
    rows = rows[:: max(1, len(rows) * 2 // SVM_ROWS)]
    others = np.flatnonzero(y != y[rows[0]])
    per_row = max(1, min(per_row, SVM_ROWS // (2 * len(rows)), len(others)))
    search = searcher(per_row, matrix, "rows nearby", scene.notes, rows=others)
    near = search.kneighbors(matrix[rows], return_distance=False)
    return np.concatenate([rows, others[np.unique(near)]])


def complete(matrix: Any) -> Any:
    """The matrix itself, or a dense copy with missing values filled by the mean of their column."""
    if not has_missing(matrix):
        return matrix
    matrix = matrix.toarray() if sparse.issparse(matrix) else matrix
    present = ~np.isnan(matrix)
    mean = np.where(present, matrix, 0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
    return np.where(present, matrix, mean)


@_shared
class KMeansSMOTE(OverSampler, upstream.KMeansSMOTE):
    """SMOTE within clusters that hold enough of the class, with more synthetic rows in sparse clusters.

    Takes any input (missing numbers are filled with the mean of their column for the clustering only); the count asked
    for is met exactly. If no cluster qualifies, it falls back to SMOTE, with a `ResamplingWarning`.

    {parameters}
    k_neighbors : int or object with `kneighbors`, default=2
        Neighbours of the same class and cluster to choose from.
    n_jobs : int, default=None
        Threads for distances.
    kmeans_estimator : int or clusterer, default=None
        Number of clusters, or a clusterer; None for `MiniBatchKMeans()`.
    cluster_balance_threshold : "auto" or float, default="auto"
        Smallest fraction of the class in a cluster for it to be used.
    density_exponent : "auto" or float, default="auto"
        Exponent of the mean distance in the measure of sparsity.

    {attributes}

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

    def _look(self, scene):
        """The cluster of each row, or None where there are none."""
        try:
            return self._clusters(scene.matrix)
        except (TypeError, ValueError) as error:  # such as more clusters than rows
            scene.notes.append(f"the clustering failed ({error}), so the rows of each class are taken together")
            return None

    def _draw(self, scene, rows, label, n, seed):
        clusters = scene.seen
        if clusters is None:
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
            scene.notes.append(f"no cluster holds enough rows of the class {label!r}, so they are taken together")
            return None
        sparsity = np.array([self._sparsity(scene.matrix[part]) for part in own])
        if not sparsity.sum() > 0:
            sparsity = np.ones(len(own))
        rng = check_random_state(seed)
        return [
            draw_between(part, self._near(scene, part, label), part, count, rng, scene.table.codes)
            for part, count in zip(own, rounded(sparsity / sparsity.sum() * n, n), strict=True)
        ]

    def _clusters(self, matrix):
        given = self.kmeans_estimator
        if given is None or isinstance(given, int):
            size = min(given or 8, matrix.shape[0])
            clusterer = MiniBatchKMeans(n_clusters=size, random_state=self.random_state, n_init="auto")
        else:
            clusterer = clone(given)
        self.kmeans_estimator_ = clusterer
        matrix = complete(matrix)
        if sparse.issparse(matrix) and not get_tags(clusterer).input_tags.sparse:
            matrix = matrix.toarray()
        return np.asarray(clusterer.fit_predict(matrix))

    def _sparsity(self, matrix):
        n = matrix.shape[0]
        metric = "nan_euclidean" if has_missing(matrix) else "euclidean"
        distances = np.nan_to_num(pairwise_distances(matrix, metric=metric, n_jobs=self.n_jobs))
        np.fill_diagonal(distances, 0)
        mean = distances.sum() / (n * (n - 1))
        exponent = np.log(n) / np.log(1.6)
        exponent = exponent**1.8 * 0.16 if self.density_exponent == "auto" else self.density_exponent
        return mean**exponent / n
