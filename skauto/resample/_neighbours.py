"""Distances between rows of numbers and categories, and nearest neighbours that fit the number of rows there are."""

import numpy as np
from imblearn.utils import check_neighbors_object
from scipy import sparse
from sklearn.base import clone
from sklearn.neighbors import NearestNeighbors

from skauto.resample._tables import column_spread

DENSE_LEVELS = 128  # up to this many levels of all categories together, a dense matrix is the faster one


def embed(table, rows, y=None):
    """The chosen rows as a matrix in which Euclidean distance is the distance between rows.

    Numbers stay as they are. Two rows that differ in a category are apart, in this direction, by the median standard
    deviation of the numbers (SMOTE-NC, Chawla et al. 2002, section 6.1). Without any numbers a category becomes the
    shares of the classes among its rows (value difference metric, section 6.2), for which `y` is needed.
    """
    numeric, codes = table.numeric[rows], table.codes[rows]
    if sparse.issparse(numeric) and has_missing(numeric):
        numeric = numeric.toarray()  # no distance of scikit-learn's measures around gaps in a sparse matrix
    if not codes.shape[1]:
        return numeric
    if not numeric.shape[1]:
        return np.hstack([_class_shares(table.codes[:, j], y)[codes[:, j]] for j in range(codes.shape[1])])
    apart = np.median(column_spread(numeric)) or 1.0
    levels = [np.unique(column, return_inverse=True) for column in codes.T]
    total = sum(len(found) for found, _ in levels)
    block = sparse.hstack([_one_hot(places, len(found), apart / np.sqrt(2)) for found, places in levels], "csr")
    if not sparse.issparse(numeric) and (total <= DENSE_LEVELS or np.isnan(numeric).any()):
        return np.hstack([numeric, block.toarray().astype(numeric.dtype)])
    return sparse.hstack([sparse.csr_matrix(numeric), block], "csr")


def _one_hot(places, n_levels, value):
    n = len(places)
    return sparse.csr_matrix((np.full(n, value), places, np.arange(n + 1)), shape=(n, n_levels))


def _class_shares(codes, y):
    """For each code, last of all for the missing, the shares of the classes among its rows."""
    counts = np.zeros((codes.max() + 2, y.max() + 1))
    np.add.at(counts, (codes, y), 1)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def has_missing(matrix):
    """Whether a dense or sparse matrix of numbers holds NaN."""
    values = matrix.data if sparse.issparse(matrix) else matrix
    return values.dtype.kind == "f" and bool(np.isnan(np.sum(values)))


def searcher(neighbours, matrix, extra=0, n_jobs=None):
    """A search for neighbours, fitted on the rows of a matrix; asked for too many, it takes all there are.

    Parameters
    ----------
    neighbours : int or object with `kneighbors`
        Number of neighbours, or an unfitted search that knows it.
    matrix : array of shape (n, p)
        Rows to search among.
    extra : int, default=0
        Added to the number where it is given as a number: 1 where each row finds itself first.
    n_jobs : int, default=None
        Threads.
    """
    if hasattr(neighbours, "kneighbors"):
        search = clone(neighbours)
    else:
        metric = "nan_euclidean" if has_missing(matrix) else "minkowski"
        search = NearestNeighbors(n_neighbors=neighbours + extra, metric=metric, n_jobs=n_jobs)
    if search.n_neighbors > matrix.shape[0]:
        search.set_params(n_neighbors=matrix.shape[0])
    return search.fit(matrix)


def neighbours_within(neighbours, matrix, name, label, notes):
    """Positions (m, k) of the nearest rows of one class for each of its rows, itself left out; k = 0 for a single row.

    Where the class has too few rows for the number of neighbours, a sentence in notes says so.
    """
    n = matrix.shape[0]
    wanted = neighbours.n_neighbors if hasattr(neighbours, "kneighbors") else neighbours + 1
    if n == 1:
        notes.append(f"the class {label!r} has one row, which is repeated")
        return np.empty((1, 0), dtype=int)
    if wanted > n:
        notes.append(f"the class {label!r} has {n} rows, so {name} is {n - 1} there instead of {wanted - 1}")
    return searcher(neighbours, matrix, extra=1).kneighbors(matrix, return_distance=False)[:, 1:]


def note_searches(sampler):
    """Set the attributes in which imbalanced-learn keeps its searches: `nn_k_`, `nn_m_` or `nn_`, not fitted."""
    for name, attribute in {"k_neighbors": "nn_k_", "m_neighbors": "nn_m_", "n_neighbors": "nn_"}.items():
        if hasattr(sampler, name):
            search = check_neighbors_object(name, getattr(sampler, name), additional_neighbor=1)
            setattr(sampler, attribute, search)


def vote(codes, neighbours):
    """For each row and column of codes the most frequent one among its neighbours.

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
