"""Folds for calibration that take classes of one or two rows."""

import warnings

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

    def __init__(self, n_folds, seed):
        self.n_folds = n_folds
        self.seed = seed

    def get_n_splits(self, X=None, y=None, groups=None):
        """How many folds."""
        return self.n_folds

    def split(self, X, y, groups=None):
        """Pairs of row numbers."""
        folds = StratifiedKFold(self.n_folds, shuffle=True, random_state=self.seed)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
            yield from folds.split(X, y)
