"""Integer codes of category columns, as the cleaner's levels number them: what encoders and forests read fast."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def category_codes(X: "pd.DataFrame") -> np.ndarray:
    """Codes of the categories of each column, -1 where missing.

    Parameters
    ----------
    X : DataFrame of shape (n, n_columns)
        Category columns with the same levels in every call, as TableCleaner gives them.

    Returns
    -------
    codes : ndarray of float32, shape (n, n_columns)

    Examples
    --------
    >>> import pandas as pd
    >>> from skauto.estimators.tables._category_codes import category_codes
    >>> category_codes(pd.DataFrame({"size": pd.Categorical(["S", None, "L"], categories=["S", "L"])}))
    array([[ 0.],
           [-1.],
           [ 1.]], dtype=float32)
    """
    if not X.shape[1]:
        return np.empty((len(X), 0), dtype=np.float32)
    return np.column_stack([X[name].cat.codes.to_numpy() for name in X.columns]).astype(np.float32)
