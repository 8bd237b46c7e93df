"""Which rows learn and which are held back: stratified folds that classes of one or two rows cannot break."""

from typing import Any

import numpy as np

from skauto._seeds import child_rng
from skauto.search._types import Data, Fold

# A class with no more rows than this is never held back: there would be nothing left to learn it from.
RARE = 2


def stratified_folds(
    y: np.ndarray, n_splits: int, seed: int, groups: np.ndarray | None = None, n_repeats: int = 1
) -> list[Fold]:
    """Pairs of row numbers, to learn from and to validate on.

    Rows of classes that have one or two rows always learn and never validate. Larger classes are spread evenly over
    the folds, also when they have fewer rows than folds. Too many folds for the rows become fewer, never under two.

    Parameters
    ----------
    y : ndarray of int, shape (n_rows,)
        Class codes.
    n_splits : int
        Folds of one repeat, at least 2.
    seed : int
    groups : ndarray of int, shape (n_rows,), default=None
        With it no group is on both sides. A group that holds a rare class always learns; where that leaves fewer
        than two groups to hold back, rows of rare classes are left out of the validation instead.
    n_repeats : int, default=1

    Returns
    -------
    folds : list of (ndarray, ndarray), at most n_splits * n_repeats of them
        Sorted row numbers. Folds that would have nothing to judge are left out.

    Raises
    ------
    ValueError
        If every class has a single row, with fewer than two groups, and where no class is in two of them.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.search._folds import stratified_folds
    >>> folds = stratified_folds(np.array([0, 0, 0, 0, 1, 1, 1, 1, 2]), n_splits=2, seed=0)
    >>> [len(valid) for train, valid in folds], all(8 in train for train, valid in folds)
    ([4, 4], True)
    """
    y = np.asarray(y)
    folds: list[Fold] = []
    for repeat in range(n_repeats):
        rng = child_rng(seed, "folds", repeat)
        if groups is None:
            held = judged = _spread_rows(y, n_splits, rng)
        else:
            held, judged = _spread_groups(y, np.asarray(groups), n_splits, rng)
        numbers = np.unique(judged[judged >= 0])  # a fold of rare classes alone has nothing to judge
        folds += [(np.flatnonzero(held != number), np.flatnonzero(judged == number)) for number in numbers]
    return folds


def _spread_rows(y: np.ndarray, n_splits: int, rng: np.random.Generator) -> np.ndarray:
    """The fold that holds back each row, -1 for none: class after class, round and round the folds."""
    counts = np.bincount(y)
    rare = RARE if counts.max() > RARE else 1  # with no larger class, two rows must do
    free = np.flatnonzero(counts[y] > rare)
    if not len(free):
        raise ValueError(
            "every class has one row only: nothing can be held back for validation; at least one of the "
            f"{np.count_nonzero(counts)} classes in y needs two rows"
        )
    order = rng.permutation(free)
    order = order[np.argsort(y[order], kind="stable")]
    fold = np.full(len(y), -1)
    fold[order] = np.arange(len(order)) % max(2, min(n_splits, len(order)))
    return fold


def _spread_groups(
    y: np.ndarray, groups: np.ndarray, n_splits: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The fold that holds back each row, and the fold that judges it; -1 for none."""
    _, groups = np.unique(groups, return_inverse=True)
    table = np.zeros((groups.max() + 1, y.max() + 1))
    np.add.at(table, (groups, y), 1)
    if len(table) < 2:
        raise ValueError("groups holds one group only; folds need at least two")
    # A class inside one group only cannot be learned while that group is held back: as good as rare.
    rare = (table.sum(axis=0) <= RARE) | ((table > 0).sum(axis=0) < 2)
    if rare.all():
        raise ValueError(
            "groups leave nothing to validate: each class lies inside one group, or has two rows at most; a class "
            "must be in two groups, so that it can be learned from one and judged on the other"
        )
    free = np.flatnonzero(~table[:, rare].any(axis=1))
    if len(free) < 2:
        free = np.arange(len(table))
    fold = np.full(len(table), -1)
    fold[free] = _balance(table[free], max(2, min(n_splits, len(free))), rng)
    held = fold[groups]
    return held, np.where(rare[y], -1, held)


def _balance(table: np.ndarray, n_folds: int, rng: np.random.Generator) -> np.ndarray:
    """A fold for each group so that classes come out even: hardest groups first, each where it adds least unevenness.

    The sum over classes of the variance of the folds' fractions grows by ``2 * held @ fractions`` plus a constant; that
    is the measure of scikit-learn's StratifiedGroupKFold with a variance for the deviation.
    """
    order = rng.permutation(len(table))
    order = order[np.argsort(-np.std(table[order], axis=1), kind="stable")]
    weights = 1.0 / np.maximum(table.sum(axis=0), 1) ** 2
    held, fold = np.zeros((n_folds, table.shape[1])), np.empty(len(table), dtype=int)
    for done, group in enumerate(order):
        cost = held @ (table[group] * weights)
        empty = np.flatnonzero(held.sum(axis=1) == 0)
        must_fill = len(empty) >= len(order) - done  # every fold gets a group
        choices = empty if must_fill else np.flatnonzero(cost <= cost.min() * (1 + 1e-12))
        fold[group] = choices[np.argmin(held[choices].sum(axis=1))]
        held[fold[group]] += table[group]
    return fold


def take(X: Data, rows: np.ndarray | slice) -> Data:
    """Rows of an array, sparse matrix or DataFrame."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def take_if_given(values: Any, rows: np.ndarray | slice) -> Any:
    """Rows of an array such as weights, None where there is none."""
    return None if values is None else values[rows]


def nested_rows(y: np.ndarray, fidelity: float, min_class_rows: int, seed: int) -> np.ndarray:
    """Row numbers of a stratified fraction of the rows; a larger fraction holds the smaller ones.

    Every class keeps at least `min_class_rows` of its rows, or all that it has.
    """
    if fidelity >= 1:
        return np.arange(len(y))
    shuffled = child_rng(seed, "rows").permutation(len(y))
    kept = []
    for code in np.unique(y):
        rows = shuffled[y[shuffled] == code]
        kept.append(rows[: max(int(np.ceil(fidelity * len(rows))), min_class_rows)])
    return np.sort(np.concatenate(kept))
