"""Folds for calibration that take classes of one or two rows."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold


class SafeFolds:
    """Stratified folds that do not refuse classes with fewer rows than folds, as calibration's own would.

    Parameters
    ----------
    n_folds : int
    seed : int

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.estimators._safe_folds import SafeFolds
    >>> len(list(SafeFolds(3, seed=0).split(np.zeros((7, 1)), [0, 0, 0, 1, 1, 1, 2])))
    3
    """

    def __init__(self, n_folds: int, seed: int) -> None:
        self.n_folds = n_folds
        self.seed = seed

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """How many folds, at most where y is not given."""
        return self.n_folds if y is None else max(1, min(self.n_folds, int(np.unique(y, return_counts=True)[1].max())))

    def split(self, X: Any, y: Any, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Pairs of row numbers; rows of classes with fewer rows than folds are in every training part.

        Where no class has as many rows as folds, there are fewer folds; where each has a single row, all rows are on
        both sides of one.
        """
        y = np.asarray(y)
        n_folds = self.get_n_splits(X, y)
        if n_folds == 1:
            yield np.arange(len(y)), np.arange(len(y))
            return
        labels, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        rare = np.flatnonzero(counts[codes] < n_folds)
        common = np.flatnonzero(counts[codes] >= n_folds)
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=self.seed)
        for train, valid in folds.split(common, codes[common]):
            yield np.sort(np.append(common[train], rare)), common[valid]
