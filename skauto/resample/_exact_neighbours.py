"""Which rows have only rows of their own class nearby: exact answers without searching every neighbour.

A full search costs a heap operation for each pair of rows. Two cheaper questions answer the same: how far is the
nearest row of another class, and are there k rows of the own class nearer than that? The second is asked among nearby
rows first, and of ever fewer rows; both need only matrix products, minima and counts.
"""

from collections.abc import Iterator

import numpy as np

BLOCK_ROWS, BLOCK_COLUMNS = 128, 2048  # a block of distances stays in the processor's cache
FIRST_CELL, GROWTH = 2048, 8
ROUNDING = 64 * np.finfo(float).eps  # of squared distances computed by products, relative to squared lengths


def squared_distances(A: np.ndarray, B: np.ndarray) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """Blocks (rows of A, rows of B, squared Euclidean distances) that cover all pairs."""
    left = np.column_stack([A, np.ones(len(A)), np.einsum("ij,ij->i", A, A)])
    right = np.vstack([-2 * B.T, np.einsum("ij,ij->i", B, B), np.ones(len(B))])
    buffer = np.empty((min(BLOCK_ROWS, len(A)), min(BLOCK_COLUMNS, len(B))))
    for start in range(0, len(B), BLOCK_COLUMNS):
        columns = slice(start, min(start + BLOCK_COLUMNS, len(B)))
        part = np.ascontiguousarray(right[:, columns])
        for first in range(0, len(A), BLOCK_ROWS):
            rows = slice(first, min(first + BLOCK_ROWS, len(A)))
            out = buffer.reshape(-1)[: (rows.stop - rows.start) * part.shape[1]].reshape(-1, part.shape[1])
            yield rows, columns, np.matmul(left[rows], part, out=out)


def nearest(A: np.ndarray, B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared distance from each row of A to the nearest of B, and from each of B to the nearest of A."""
    to_b, to_a = np.full(len(A), np.inf), np.full(len(B), np.inf)
    for rows, columns, distances in squared_distances(A, B):
        np.minimum(to_b[rows], distances.min(axis=1), out=to_b[rows])
        np.minimum(to_a[columns], distances.min(axis=0), out=to_a[columns])
    return to_b, to_a


def count_within(A: np.ndarray, B: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """For each row of A the number of rows of B nearer than its limit (squared)."""
    counts = np.zeros(len(A), dtype=np.int64)
    for rows, _, distances in squared_distances(A, B):
        counts[rows] += np.count_nonzero(distances < limits[rows, None], axis=1)
    return counts


def nearby_order(X: np.ndarray, cell: int) -> np.ndarray:
    """An order of rows in which neighbours in space are mostly neighbours in the list, by halving the widest column."""
    done, todo = [], [np.arange(len(X))]
    while todo:
        rows = todo.pop()
        if len(rows) <= cell:
            done.append(rows)
            continue
        values = X[rows]
        widest = values.var(axis=0).argmax()
        halves = rows[np.argpartition(values[:, widest], len(rows) // 2)]
        todo += [halves[len(rows) // 2 :], halves[: len(rows) // 2]]
    return np.concatenate(done)


def own_neighbours_only(X: np.ndarray, y: np.ndarray, k: int) -> np.ndarray:
    """For each row whether its k nearest other rows are all of its own class: 1 yes, 0 no, -1 too close to call.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Complete numbers.
    y : ndarray of shape (n,)
        Integer codes of the classes.
    k : int
        Number of neighbours.

    Returns
    -------
    verdict : ndarray of shape (n,)
    """
    X, slack = _centred(X)
    other = _nearest_other(X, y)
    verdict = np.full(len(y), -1, dtype=np.int8)
    for code in np.unique(y):
        rows = np.flatnonzero(y == code)
        verdict[rows] = _enough_own(X[rows], other[rows], slack, k)
    # A twin in another class may stand for the row itself among its neighbours: the order of equals is not ours.
    verdict[other <= slack] = -1
    return verdict


def maybe_linked(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether a row may be half of a Tomek link; True where rounding could decide.

    Two rows of a link have the same distance to their nearest row of another class, and no own row within it.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Complete numbers.
    y : ndarray of shape (n,)
        Integer codes of the classes.

    Returns
    -------
    mask : ndarray of shape (n,)
    """
    X, slack = _centred(X)
    other = _nearest_other(X, y)
    order = np.argsort(other)
    close = np.diff(other[order]) <= slack
    mask = np.zeros(len(y), dtype=bool)
    mask[order] = np.append(close, False) | np.append(False, close)
    for code in np.unique(y):
        rows = np.flatnonzero(y == code)
        rows = rows[nearby_order(X[rows], FIRST_CELL)]
        for start in range(0, len(rows), FIRST_CELL):
            cell = rows[start : start + FIRST_CELL]
            asked = cell[mask[cell]]  # own rows of the cell rule out most
            mask[asked] = count_within(X[asked], X[cell], other[asked] - slack) <= 1
    return mask


def _centred(X):
    """Rows around their mean, for the least rounding, and what rounding can do to a squared distance."""
    X = np.asarray(X, dtype=float)
    X = X - X.mean(axis=0)
    return X, ROUNDING * 2 * np.einsum("ij,ij->i", X, X).max()


def _nearest_other(X, y):
    other = np.full(len(y), np.inf)
    codes = np.unique(y)
    for i, code in enumerate(codes):
        for rival in codes[i + 1 :]:
            a, b = np.flatnonzero(y == code), np.flatnonzero(y == rival)
            to_b, to_a = nearest(X[a], X[b])
            other[a] = np.minimum(other[a], to_b)
            other[b] = np.minimum(other[b], to_a)
    return other


def _enough_own(X, other, slack, k):
    """1 where k rows besides the row are nearer than the nearest other, 0 where not, -1 where rounding decides."""
    order = nearby_order(X, FIRST_CELL)
    X, other = X[order], other[order]
    open_rows, size, n = np.arange(len(X)), FIRST_CELL, len(X)
    while True:
        certain = np.zeros(len(open_rows), dtype=bool)
        for start in range(0, n, size):
            inside = slice(*np.searchsorted(open_rows, [start, start + size]))
            rows = open_rows[inside]
            if len(rows):
                certain[inside] = count_within(X[rows], X[start : start + size], other[rows] - slack) > k
        open_rows = open_rows[~certain]
        if size >= n or not len(open_rows):
            break
        size *= GROWTH
    verdict = np.ones(n, dtype=np.int8)
    if len(open_rows):
        possible = count_within(X[open_rows], X, other[open_rows] + slack) > k
        verdict[open_rows] = np.where(possible, -1, 0)
    answer = np.empty(n, dtype=np.int8)
    answer[order] = verdict
    return answer
