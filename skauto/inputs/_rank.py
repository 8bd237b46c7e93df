"""How many axes X has as an array, before it is read: what kinds of data are told apart by."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from skauto.inputs._types import Given

NESTED_TYPES = ("object", "list", "array", "large_list")  # of columns that may hold series
LOOKED_AT = 100  # first cells of such a column


def rank_of(X: Given) -> tuple[int, Any]:
    """The axes that X has as an array, and its dtype where that is known.

    A frame whose cells are series, and a list of series of unequal lengths, have three axes; other frames have two.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.inputs._rank import rank_of
    >>> rank_of(np.zeros((5, 8, 8), np.uint8)), rank_of([np.zeros(4), np.zeros(7)])
    ((3, dtype('uint8')), (3, None))
    """
    if nested_columns(X):
        return 3, None
    if sparse.issparse(X) or hasattr(X, "columns"):
        return 2, None
    rank, dtype = getattr(X, "ndim", 2), getattr(X, "dtype", None)
    if isinstance(X, (list, tuple)) or (rank == 1 and str(dtype) == "object"):
        return _rank_of_list(X)
    return rank, dtype


def _rank_of_list(X: Sequence[Any]) -> tuple[int, Any]:
    arrays = [x for x in X if hasattr(x, "ndim")]
    if not arrays or len(arrays) < len(X):
        return _nesting(X), None
    rank = max(x.ndim for x in arrays)
    lengths = {len(x) if x.ndim else 1 for x in arrays}
    if rank == 1:
        return (3 if len(lengths) > 1 else 2), None
    return rank + 1, arrays[0].dtype if len(lengths) == 1 else None


def _nesting(X: Given) -> int:
    """Levels of lists and arrays inside a list, by its first entries."""
    levels = 0
    while isinstance(X, (list, tuple)) or getattr(X, "ndim", 0):  # type: ignore[arg-type]
        levels += 1
        if not len(X):
            break
        X = X[0]
    return levels


def nested_columns(X: Given) -> list[str]:
    """Names of the columns of a frame that hold a series in each cell, as sktime has them."""
    if not (hasattr(X, "columns") and hasattr(X, "dtypes")):
        return []
    kinds = zip(X.columns, X.dtypes, strict=True)
    return [name for name, dtype in kinds if str(dtype).lower().startswith(NESTED_TYPES) and _holds_series(X[name])]


def _holds_series(column: Any) -> bool:
    cells = (cell for cell in column[:LOOKED_AT] if hasattr(cell, "__len__"))
    cell = next(cells, None)
    if cell is None or isinstance(cell, (str, bytes, dict, set, frozenset)):
        return False
    return np.ndim(cell) == 1 and len(cell) > 0 and np.asarray(cell).dtype.kind in "fiub"
