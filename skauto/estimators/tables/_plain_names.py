"""Names of columns through steps that are functions, and those that LightGBM takes.

It refuses some characters, and takes two names for one that differ in others.
"""

import re
from typing import Any

import numpy as np


def plain_names(X: Any) -> Any:
    """A table under names of letters, digits and underscores, no two alike; other kinds of X as they are.

    Parameters
    ----------
    X : DataFrame, array or sparse matrix of shape (n, n_columns)

    Returns
    -------
    X : of the same kind and shape

    Examples
    --------
    >>> import pandas as pd
    >>> from skauto.estimators.tables._plain_names import plain_names
    >>> plain_names(pd.DataFrame([[1, 2, 3]], columns=["a[1]", "a(1)", "b"])).columns.tolist()
    ['a_1_', 'a_1__1', 'b']
    """
    return X.set_axis(_plain(X.columns), axis=1) if hasattr(X, "columns") else X


def plain_names_out(transformer: Any, names: Any) -> np.ndarray:
    """What `plain_names` calls columns of these names, for FunctionTransformer's `feature_names_out`."""
    return np.asarray(_plain(() if names is None else names), dtype=object)


def same_names_out(transformer: Any, names: Any) -> np.ndarray:
    """The names as they are; none where there are none, as in a branch without columns, which is never fitted.

    scikit-learn's "one-to-one" then gives an array without a length, at which its diagrams fail.
    """
    return np.asarray(() if names is None else names, dtype=object)


def _plain(names):
    """Names of letters, digits and underscores, no two alike."""
    taken = {}
    for number, name in enumerate(names):
        plain = re.sub(r"\W", "_", str(name)) or "_"  # no name at all is refused too
        while plain in taken:
            plain += f"_{number}"
        taken[plain] = name
    return list(taken)
