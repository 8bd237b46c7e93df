"""The kind "table"."""

from typing import Any

import numpy as np

from skauto.automl._data_profile import DataProfile
from skauto.automl._kind import Candidates, Context, Effort, Kind, Splits, within_bounds
from skauto.automl._types import Estimator
from skauto.estimators.tables._table_cleaner import TableCleaner
from skauto.inputs._data import Data, Form
from skauto.inputs._rank import nested_columns
from skauto.inputs._read import align, as_table
from skauto.inputs._row_numbers import warn_of_row_numbers
from skauto.inputs._types import Given, Names, Table

# Seconds of one thread that a fit takes for each cell of its table, and for each of its cells times further classes:
# measured on boosting and forests with the first settings, from a tenth to three times as much.
CELL_SECONDS, CLASS_FACTOR = 1.0e-6, 0.2

# The same for each cell of a column of texts, which linear models see as one column a level.
TEXT_SECONDS = 3.0e-6

# The quick model, in seconds of one thread, measured: a column of a table with few rows in boosting for two classes,
# and the rows that cost as much again; a row in trees of many classes.
COLUMN_SECONDS, ROWS_A_COLUMN, TREES_ROW_SECONDS = 1.6e-3, 3_000, 4e-5

# Cells a second of a table with texts in its cleaner, and numbers that are not zero a second of a sparse table.
FRAME_CELLS, SPARSE_CELLS = 3e5, 1e6

# Columns that trees of many classes look at.
TREES_COLUMNS = 50


def _read(X: Given) -> tuple[Table, Names]:
    """A checked table; ValueError where its cells hold series."""
    nested = nested_columns(X)
    if nested:
        raise ValueError(
            f"kind='table', but columns {nested[:5]} of X hold series in their cells: leave kind out, "
            "or give numbers that sum the series up, as SequenceSummaryTransformer makes them"
        )
    return as_table(X)


def _warn(data: Data) -> None:
    if not hasattr(data.X, "indptr"):
        warn_of_row_numbers(data.X, data.y)


def _same_form(X: Given, form: Form) -> Table:
    return align(X, form.feature_names, form.n_features)


def _profile(data: Data) -> dict[str, Any]:
    """How many columns of a DataFrame hold anything but numbers."""
    X: Any = data.X
    return {
        "n_texts": X.shape[1] - X.select_dtypes(["number", "bool"]).shape[1]
        if hasattr(X, "columns")
        else 0
    }


def _candidates() -> Candidates:
    from skauto.automl.tables._candidates import TABLES

    return TABLES


def _on_request() -> Candidates:
    from skauto.automl.tables._balanced_candidates import ON_REQUEST

    return ON_REQUEST


def _first_steps() -> list[tuple[str, Estimator]]:
    return [("clean", TableCleaner())]


def _fallback(profile: DataProfile) -> Estimator:
    from skauto.automl.tables._learners import fallback

    return fallback(profile)


def _student(size: int, seed: int) -> Estimator:
    from skauto.estimators.tables._mlp import MLPClassifier

    return MLPClassifier(hidden_size=4 * size, n_members=1, random_state=seed)


def fit_seconds(profile: DataProfile) -> float:
    """About what one fit on all training rows takes; nothing is known of sparse tables."""
    if profile.sparse:
        return 0.0
    classes = 1 + CLASS_FACTOR * (profile.n_classes - 2)
    numbers = (
        CELL_SECONDS * profile.n_rows * profile.n_columns * classes / profile.threads
    )
    return numbers + TEXT_SECONDS * profile.n_rows * profile.n_texts


def quick_sample(context: Context, seconds: float) -> tuple[int, int | None]:
    """Rows and columns of the quick model: boosting, or trees where classes are many."""
    from skauto.automl.tables._learners import BOOSTED_CLASSES

    profile, n_rows = context.build.profile, len(context.y)
    if profile.sparse:
        filled = context.X.nnz / n_rows * max(profile.n_classes / 2, 1)
        return within_bounds(seconds * SPARSE_CELLS / max(filled, 1), n_rows), None
    if profile.n_classes > BOOSTED_CLASSES:
        columns, rows = (
            min(profile.n_columns, TREES_COLUMNS),
            seconds / TREES_ROW_SECONDS,
        )
    else:
        a_column = COLUMN_SECONDS * (1 if profile.n_classes == 2 else profile.n_classes)
        columns = (
            int(np.clip(seconds / 2 / a_column, 5, profile.n_columns))
            if profile.n_columns > 5
            else None
        )
        rows = ROWS_A_COLUMN * (seconds / a_column / (columns or profile.n_columns) - 1)
    if hasattr(context.X, "columns"):
        rows = min(rows, seconds * FRAME_CELLS / (columns or profile.n_columns))
    return within_bounds(rows, n_rows), columns


def _anything(X: Given) -> bool:
    return True


def _last(shape: tuple[int, ...]) -> int:
    return shape[-1]


KIND = Kind(
    name="table",
    recognises=_anything,
    read=_read,
    n_features=_last,
    warn=_warn,
    same_form=_same_form,
    profile=_profile,
    candidates=_candidates,
    on_request=_on_request,
    first_steps=_first_steps,
    fallback=_fallback,
    student=_student,
    splits=Splits(repeated=True),
    effort=Effort(
        fit_seconds,
        quick_sample,
        rows_per_trial=4,
        starts_with_one_fold=True,
        saves_epochs=False,
        checks_feasibility=False,  # trials on tables are short
        even_ensemble=True,
    ),
)
