"""What the columns of a table were taken as, and the lines that say so where the user may not expect it."""

from typing import Any

import pandas as pd

from skauto.automl._types import Estimator

# Columns named in one line.
NAMED = 5


def columns_of(model: Estimator) -> pd.DataFrame | None:
    """The table of columns of a model that begins with a cleaner, or None.

    Returns
    -------
    columns : DataFrame or None
        A row a column: `name`, `taken_as`, `dropped` and `why`.
    """
    cleaner = _cleaner(model)
    return None if cleaner is None else cleaner.columns_


def watch(*models: Estimator) -> None:
    """Let finished models warn, once a call, of columns that could be read at fit and no longer can."""
    for model in models:
        cleaner = _cleaner(model)
        if cleaner is not None:
            cleaner.watches = True


def _cleaner(model: Estimator) -> Any:
    """The first cleaner in a pipeline, or in the first pipeline of an ensemble or of fold models."""
    if hasattr(model, "watches"):
        return model
    parts = [step for _, step in getattr(model, "steps", ())]
    parts += getattr(model, "estimators_", ())[:1]
    return next(
        (found for part in parts if (found := _cleaner(part)) is not None), None
    )


def lines_on(columns: pd.DataFrame | None) -> list[str]:
    """A line for all columns that were read in the same way, another than their dtype says, or were left out.

    Parameters
    ----------
    columns : DataFrame or None
        As `columns_of` gives it.

    Returns
    -------
    lines : list of str

    Examples
    --------
    >>> import pandas as pd
    >>> from skauto.automl.tables._columns import lines_on
    >>> rows = [["a", "number", False, "read as numbers in '%'"], ["b", "", True, "constant"]]
    >>> lines_on(pd.DataFrame(rows, columns=["name", "taken_as", "dropped", "why"]))
    ["column 'a' read as numbers in '%'", "column 'b' left out: constant"]
    """
    if columns is None:
        return []
    told = columns[columns["why"] != ""]
    lines = []
    for (dropped, why), rows in told.groupby(["dropped", "why"], sort=False):
        names = ", ".join(map(repr, rows["name"][:NAMED]))
        more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
        lines.append(
            f"column{'s' * (len(rows) > 1)} {names}{more} {'left out: ' * dropped}{why}"
        )
    return lines
