"""Column names that LightGBM takes: it refuses some characters, and takes two names for one that differ in others."""

import re


def plain_names(X):
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
    >>> from skauto.estimators._plain_names import plain_names
    >>> plain_names(pd.DataFrame([[1, 2, 3]], columns=["a[1]", "a(1)", "b"])).columns.tolist()
    ['a_1_', 'a_1__1', 'b']
    """
    if not hasattr(X, "columns"):
        return X
    taken = {}
    for place, name in enumerate(X.columns):
        plain = re.sub(r"\W", "_", str(name)) or "_"  # no name at all is refused too
        while plain in taken:
            plain += f"_{place}"
        taken[plain] = name
    return X.set_axis(list(taken), axis=1)
