"""A quick model whose cost is known before: rows and columns are drawn, and one thread fits it."""

from functools import partial

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from threadpoolctl import threadpool_limits

from skauto._seeds import child_rng
from skauto.search._folds import nested_rows, take

# Seconds of one thread that it may take: a part of the time limit, with bounds. On a busy machine they pass slower.
PART, LEAST, MOST = 0.02, 0.3, 3.0

# Seconds of one thread, measured: a column of a table with few rows in boosting for two classes, and the rows that cost
# as much again; a row in trees of many classes.
COLUMN_SECONDS, ROWS_A_COLUMN, TREES_ROW_SECONDS = 1.6e-3, 3_000, 4e-5

# Cells a second: of a table with texts in its cleaner, of series and of images in their summaries.
FRAME_CELLS, SERIES_CELLS, IMAGE_CELLS = 3e5, 4e5, 5e6

# Numbers that are not zero a second, of a sparse table.
SPARSE_CELLS = 1e6

# Columns that trees of many classes look at.
TREES_COLUMNS = 50

# The fewest rows that are drawn.
FEWEST_ROWS = 200


def seconds_within(time_limit):
    """Seconds of one thread that the quick model of a fit may take."""
    return MOST if time_limit is None else float(np.clip(PART * time_limit, LEAST, MOST))


def quick_fit(context, labels, seconds=LEAST):
    """A small model on drawn rows and columns, which takes about so many seconds of one thread."""
    n_rows, n_columns = drawn(context, seconds)
    rows = nested_rows(context.y, min(1.0, n_rows / len(context.y)), 2, context.seed)
    weight = {} if context.weight is None else {"classify__sample_weight": context.weight[rows]}
    model = context.build.fallback()
    if n_columns is not None and n_columns < context.X.shape[1]:
        model = Pipeline([("columns", _some_columns(context, n_columns)), *model.steps])
    with threadpool_limits(1):
        return model.fit(take(context.X, rows), labels[context.y[rows]], **weight)


def drawn(context, seconds):
    """How many rows and columns of a context are fitted in so many seconds; None for the columns means all."""
    traits, n_rows = context.build.traits, len(context.y)
    if traits.kind != "table":
        cells = np.prod(traits.shape) if traits.kind == "image" else traits.length * traits.shape[-1]
        rate = IMAGE_CELLS if traits.kind == "image" else SERIES_CELLS
        return _bounded(seconds * rate / max(cells, 1), n_rows), None
    if traits.sparse:
        filled = context.X.nnz / n_rows * max(traits.n_classes / 2, 1)
        return _bounded(seconds * SPARSE_CELLS / max(filled, 1), n_rows), None
    from skauto.automl.tables._learners import (
        BOOSTED_CLASSES,  # loads the portfolio's packages, which importing skauto must not
    )

    if traits.n_classes > BOOSTED_CLASSES:
        columns, rows = min(traits.n_columns, TREES_COLUMNS), seconds / TREES_ROW_SECONDS
    else:
        a_column = COLUMN_SECONDS * (1 if traits.n_classes == 2 else traits.n_classes)
        columns = int(np.clip(seconds / 2 / a_column, 5, traits.n_columns)) if traits.n_columns > 5 else None
        rows = ROWS_A_COLUMN * (seconds / a_column / (columns or traits.n_columns) - 1)
    if hasattr(context.X, "columns"):
        rows = min(rows, seconds * FRAME_CELLS / (columns or traits.n_columns))
    return _bounded(rows, n_rows), columns


def _bounded(rows, n_rows):
    return int(np.clip(rows, min(FEWEST_ROWS, n_rows), n_rows))


def _some_columns(context, count):
    """A step that keeps columns drawn at random, the first of a pipeline, so that nothing is done to the others."""
    size = context.X.shape[1]
    columns = np.sort(child_rng(context.seed, "quick columns").choice(size, count, replace=False))
    names = context.X.columns[columns].tolist() if hasattr(context.X, "columns") else columns.tolist()
    return FunctionTransformer(
        columns_of, kw_args={"columns": names}, feature_names_out=partial(_names_of, places=columns)
    )


def columns_of(X, columns):
    """Columns of a frame by name, of an array by place."""
    return X[columns] if hasattr(X, "columns") else X[:, columns]


def _names_of(transformer, input_features, places):
    return np.asarray(input_features, dtype=object)[places]
