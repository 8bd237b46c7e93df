"""SMOTE for any table: synthetic rows between a row and one of its nearest rows of the same class."""

from typing import Any

import imblearn.over_sampling as upstream
import numpy as np
from sklearn.utils import check_random_state

from skauto._sklearn import StrOptions
from skauto.resample._neighbours import embed, neighbours_within, note_searches, vote
from skauto.resample._sampler import Draw, RowSampler, grown


def draw_between(
    rows: np.ndarray,
    neighbours: np.ndarray,
    pool: np.ndarray,
    n: int,
    random_state: int | np.random.RandomState,
    codes: np.ndarray,
    *,
    reach: float = 1.0,
) -> Draw:
    """Synthetic rows: a random one of `rows`, moved towards a random one of its neighbours.

    Parameters
    ----------
    rows : ndarray of shape (m,)
        Positions of the rows to start from.
    neighbours : ndarray of shape (m, k)
        Their neighbours, as positions in pool; k = 0 repeats the rows.
    pool : ndarray
        Positions of the rows that the neighbours were searched in.
    n : int
        Number of synthetic rows.
    random_state : int or RandomState
        Drawn from once for positions and once for steps, as in imbalanced-learn.
    codes : ndarray of shape (n_rows, q)
        Codes of the categories of all rows.
    reach : float, default=1.0
        Largest step; negative to move away.

    Returns
    -------
    draw : Draw
    """
    rng = check_random_state(random_state)
    if not neighbours.shape[1]:
        first = rows[rng.randint(len(rows), size=n)]
        return Draw(first, first, np.zeros(n), codes[first])
    drawn = rng.randint(low=0, high=neighbours.size, size=n)
    steps = reach * rng.uniform(size=n)
    starts, directions = np.divmod(drawn, neighbours.shape[1])
    near = pool[neighbours]
    elected = vote(codes, np.column_stack([rows, near]))
    return Draw(rows[starts], near[starts, directions], steps, elected[starts])


class SMOTE(RowSampler, upstream.SMOTE):
    """Over-sampling with synthetic rows between neighbours, for any input.

    This one class replaces imbalanced-learn's SMOTE, SMOTENC and SMOTEN: columns are handled by their dtype. Numbers
    are interpolated (integers rounded); a category is the one most frequent among the neighbours. Distances skip
    missing values; a synthetic row copies them from the row it starts from. Images and sequences keep their shape.

    Too few rows are no error: a class with fewer rows than neighbours uses all it has; a single row is repeated; a
    ratio that is already met does nothing. One `ResamplingWarning` says so.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        As in imbalanced-learn; a float is the ratio of each class to the largest, also for more than two classes.
    random_state : int, RandomState or None, default=None
        Seed. Every class has a stream of its own.
    k_neighbors : int or object with `kneighbors`, default=5
        Neighbours of the same class to choose from.
    categorical_features : "auto" or array-like, default="auto"
        Columns that hold categories: by dtype (strings, categories, bools), or positions, names or a mask.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to add, by label.
    parents_ : ndarray of shape (m, 2)
        For each returned row the positions of the two rows that it lies between; its own position twice for an original
        row.
    steps_ : ndarray of shape (m,)
        Position between the two, from 0; 0 for an original row.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    References
    ----------
    N. V. Chawla, K. W. Bowyer, L. O. Hall, W. P. Kegelmeyer, "SMOTE: synthetic minority over-sampling technique",
    JAIR 16, 2002, sections 4.2, 6.1 and 6.2.

    Examples
    --------
    >>> import pandas as pd
    >>> from skauto.resample import SMOTE
    >>> X = pd.DataFrame({"age": [20, 30, 40, 50, 60, 70], "city": ["a", "b", "a", "c", "c", "c"]})
    >>> y = ["no", "no", "no", "no", "yes", "yes"]
    >>> X_new, y_new = SMOTE(k_neighbors=1, random_state=0).fit_resample(X, y)
    >>> X_new[6:]
       age city
    6   67    c
    7   64    c
    >>> y_new[6:]
    ['yes', 'yes']
    """

    _parameter_constraints: dict = {
        **upstream.SMOTE._parameter_constraints,
        "categorical_features": ["array-like", StrOptions({"auto"})],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        random_state: int | np.random.RandomState | None = None,
        k_neighbors: Any = 5,
        categorical_features: Any = "auto",
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state, k_neighbors=k_neighbors)
        self.categorical_features = categorical_features

    def _fit_resample(self, table, y, notes):
        note_searches(self)
        draws = []
        for label, code, n, seed in self._quotas():
            if n:
                rows = np.flatnonzero(y == code)
                matrix = embed(table, rows, y)
                neighbours = neighbours_within(self.k_neighbors, matrix, "k_neighbors", label, notes)
                draws.append(draw_between(rows, neighbours, rows, n, seed, table.codes))
        return grown(table, draws)
