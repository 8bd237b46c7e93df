"""Distances between rows of numbers and categories, and nearest neighbours that fit the number of rows there are."""

from typing import Any

import numpy as np
from imblearn.utils import check_neighbors_object
from scipy import sparse
from sklearn.base import clone
from sklearn.neighbors import NearestNeighbors

from skauto._sklearn import tree_order
from skauto.resample._tables import column_spread

DENSE_LEVELS = 128  # up to this many levels of all categories together, a dense matrix is the faster one


def embed(table: Any, rows: np.ndarray, y: Any = None) -> Any:
    """The chosen rows as a matrix in which Euclidean distance is the distance between rows.

    Numbers stay as they are. Two rows that differ in a category have a distance, in this direction, of the median
    standard deviation of the numbers (SMOTE-NC, Chawla et al. 2002, section 6.1). Without any numbers a category
    becomes the fractions of the classes among its rows (value difference metric, section 6.2), for which `y` is needed.
    """
    numeric, codes = table.numeric[rows], table.codes[rows]
    if sparse.issparse(numeric) and has_missing(numeric):
        numeric = numeric.toarray()  # no distance of scikit-learn's measures around gaps in a sparse matrix
    if not codes.shape[1]:
        return numeric
    if not numeric.shape[1]:
        return np.hstack([_class_fractions(table.codes[:, j], y)[codes[:, j]] for j in range(codes.shape[1])])
    apart = np.median(column_spread(numeric)) or 1.0
    levels = [np.unique(column, return_inverse=True) for column in codes.T]
    total = sum(len(found) for found, _ in levels)
    block = sparse.hstack([_one_hot(codes, len(found), apart / np.sqrt(2)) for found, codes in levels], "csr")
    if not sparse.issparse(numeric) and (total <= DENSE_LEVELS or np.isnan(numeric).any()):
        return np.hstack([numeric, block.toarray().astype(numeric.dtype)])
    return sparse.hstack([sparse.csr_matrix(numeric), block], "csr")


def _one_hot(codes, n_levels, value):
    n = len(codes)
    return sparse.csr_matrix((np.full(n, value), codes, np.arange(n + 1)), shape=(n, n_levels))


def _class_fractions(codes, y):
    """For each code, last of all for the missing, the fractions of the classes among its rows."""
    counts = np.zeros((codes.max() + 2, y.max() + 1))
    np.add.at(counts, (codes, y), 1)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def has_missing(matrix: Any) -> bool:
    """Whether a dense or sparse matrix of numbers holds NaN."""
    values = matrix.data if sparse.issparse(matrix) else matrix
    return values.dtype.kind == "f" and bool(np.isnan(np.sum(values)))


def searcher(
    neighbours: Any,
    matrix: Any,
    name: str,
    notes: list[str],
    *,
    rows: np.ndarray | None = None,
    label: Any = None,
    extra: int = 0,
    n_jobs: int | None = None,
) -> Any:
    """A fitted neighbour search; with fewer rows than neighbours it uses all rows, and notes it.

    Parameters
    ----------
    neighbours : int or object with `kneighbors`
        Number of neighbours, or an unfitted search that knows it.
    matrix : array of shape (n, p)
        The rows that will be searched for; distances skip missing values.
    name : str
        The parameter that holds the number.
    notes : list of str
        Gets a sentence where there are too few rows.
    rows : ndarray, default=None
        Positions of the rows to search among; None for all.
    label : object, default=None
        The class of these rows, where they are of one.
    extra : int, default=0
        Added to the number where it is given as a number: 1 where each row finds itself first.
    n_jobs : int, default=None
        Threads.
    """
    if hasattr(neighbours, "kneighbors"):
        search = clone(neighbours)
    else:
        search = NearestNeighbors(n_neighbors=neighbours + extra, n_jobs=n_jobs)
    if has_missing(matrix):
        _measure_around_gaps(search, name)
    matrix = matrix if rows is None else matrix[rows]
    n, wanted = matrix.shape[0], search.n_neighbors
    if wanted > n:
        among = "X" if label is None else f"the class {label!r}"
        held = f"{n} row{'s' * (n > 1)}"
        notes.append(f"{among} has {held}, so {name} is {n - extra} there instead of {wanted - extra}")
        search.set_params(n_neighbors=n)
    return search.fit(matrix)


def _measure_around_gaps(search, name):
    """Let a search of scikit-learn's leave out what is missing in one of two rows; another one has to see to it."""
    if not isinstance(search, NearestNeighbors) or search.metric == "nan_euclidean":
        return
    if search.metric not in ("euclidean", "l2") and (search.metric, search.p) != ("minkowski", 2):
        raise ValueError(
            f"X has missing values, which the metric of {name}={search!r} cannot measure around: use "
            "metric='nan_euclidean', or fill the gaps first."
        )
    search.set_params(metric="nan_euclidean", algorithm="auto")


def nearest_of(search: Any, matrix: Any, rows: np.ndarray | None = None) -> np.ndarray:
    """Positions of the nearest rows, (m, k), of rows among those that a search was fitted on; None for all of them.

    A tree is queried in its own row order: neighbours in space share cache lines.
    """
    order = tree_order(search)
    if order is None:
        return search.kneighbors(matrix if rows is None else matrix[rows], return_distance=False)
    rows = np.arange(matrix.shape[0]) if rows is None else rows
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    turn = np.argsort(rank[rows])
    found = search.kneighbors(matrix[rows[turn]], return_distance=False)
    nearest = np.empty_like(found)
    nearest[turn] = found
    return nearest


def neighbours_within(neighbours: Any, matrix: Any, name: str, label: Any, notes: list[str]) -> np.ndarray:
    """Positions (m, k) of the nearest rows of one class for each of its rows, itself left out; k = 0 for a single row.

    Where the class has too few rows for the number of neighbours, a sentence in notes says so.
    """
    if matrix.shape[0] == 1:
        notes.append(f"the class {label!r} has one row, which is repeated")
        return np.empty((1, 0), dtype=int)
    search = searcher(neighbours, matrix, name, notes, label=label, extra=1)
    return nearest_of(search, matrix)[:, 1:]


def note_searches(sampler: Any) -> None:
    """Set the attributes in which imbalanced-learn keeps its searches: `nn_k_`, `nn_m_` or `nn_`, not fitted."""
    for name, attribute in {"k_neighbors": "nn_k_", "m_neighbors": "nn_m_", "n_neighbors": "nn_"}.items():
        if hasattr(sampler, name):
            search = check_neighbors_object(name, getattr(sampler, name), additional_neighbor=1)
            setattr(sampler, attribute, search)


def vote(codes: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """For each row and column of codes the most frequent code among its neighbours.

    A missing code (-1) has no vote, and a row's missing code stays missing. Ties go to the row's own code, then to the
    nearest neighbour.

    Parameters
    ----------
    codes : ndarray of shape (n, q)
        Codes of all rows.
    neighbours : ndarray of shape (m, k + 1)
        Positions of a row (first) and its neighbours.

    Returns
    -------
    codes : ndarray of shape (m, q)
        The elected codes.
    """
    own = codes[neighbours[:, 0]]
    elected = own.copy()
    others = neighbours[:, 1:]
    if not others.shape[1]:
        return elected
    for j in range(codes.shape[1]):
        found = codes[others, j]
        votes = 2 * (found[:, :, None] == found[:, None, :]).sum(axis=2) + (found == own[:, j, None])
        votes[found < 0] = -1
        winner = np.take_along_axis(found, votes.argmax(axis=1)[:, None], axis=1)[:, 0]
        elected[:, j] = np.where((own[:, j] < 0) | (winner < 0), own[:, j], winner)
    return elected
