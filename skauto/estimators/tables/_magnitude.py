"""Numbers too large for float32, or for sums of their squares, become the largest that are not; others stay."""

from typing import Any

import numpy as np
import scipy.sparse as sp

# Trees take float32, which ends at 3.4e38, and scikit-learn's forests sum up all cells in it; variances square float64.
LARGEST = 1e33
# Networks square and sum scaled numbers in float32. Rows of a fit are never further from the mean than the root of
# their number, so this only touches later ones.
LARGEST_SCALED = 1e15


def bounded(values: Any, bound: float = LARGEST) -> Any:
    """Values no larger in size than a bound; NaN stays.

    Parameters
    ----------
    values : ndarray or sparse matrix of floats
    bound : float, default=1e33

    Returns
    -------
    values : of the same kind and shape
        The object given where nothing is beyond the bound.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.estimators.tables._magnitude import bounded
    >>> bounded(np.array([1.5, np.nan, -1e300])).tolist()
    [1.5, nan, -1e+33]
    """
    cells = values.data if sp.issparse(values) else values
    highest, lowest = (reduce(cells, axis=None, initial=0.0) for reduce in (np.fmax.reduce, np.fmin.reduce))
    if highest <= bound and lowest >= -bound:
        return values
    if not sp.issparse(values):
        return np.clip(values, -bound, bound)
    values = values.copy()
    values.data = np.clip(values.data, -bound, bound)
    return values
