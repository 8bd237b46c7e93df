"""A quick model whose cost is known before: rows and columns are drawn, and one thread fits it."""

from functools import partial
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from threadpoolctl import threadpool_limits

from skauto._seeds import child_rng
from skauto.automl.evaluation._context import Evaluation
from skauto.inputs._types import Rows
from skauto.search._folds import nested_rows, take

# Seconds of one thread that it may take: a part of the time limit, with bounds. On a busy machine they pass slower.
PART, LEAST, MOST = 0.02, 0.3, 3.0


def seconds_within(time_limit: float | None) -> float:
    """Seconds of one thread that the quick model of a fit may take."""
    return (
        MOST if time_limit is None else float(np.clip(PART * time_limit, LEAST, MOST))
    )


def quick_fit(
    context: Evaluation, labels: np.ndarray, seconds: float = LEAST
) -> Pipeline:
    """A small model on drawn rows and columns, which takes about `seconds` of one thread."""
    n_rows, n_columns = context.build.profile.kind.effort.quick_sample(context, seconds)
    rows = nested_rows(context.y, min(1.0, n_rows / len(context.y)), 2, context.seed)
    weight = (
        {}
        if context.weight is None
        else {"classify__sample_weight": context.weight[rows]}
    )
    model = context.build.fallback()
    if n_columns is not None and n_columns < context.X.shape[1]:
        model = Pipeline([("columns", _some_columns(context, n_columns)), *model.steps])
    with threadpool_limits(1):
        return model.fit(take(context.X, rows), labels[context.y[rows]], **weight)


def _some_columns(context: Evaluation, count: int) -> FunctionTransformer:
    """A step that keeps columns drawn at random, the first of a pipeline, so that nothing is done to the others."""
    size = context.X.shape[1]
    columns = np.sort(
        child_rng(context.seed, "quick columns").choice(size, count, replace=False)
    )
    names = (
        context.X.columns[columns].tolist()
        if hasattr(context.X, "columns")
        else columns.tolist()
    )
    return FunctionTransformer(
        columns_of,
        kw_args={"columns": names},
        feature_names_out=partial(_names_of, places=columns),
    )


def columns_of(X: Rows, columns: list[Any]) -> Rows:
    """Columns of a frame by name, of an array by place."""
    return X[columns] if hasattr(X, "columns") else X[:, columns]


def _names_of(transformer: Any, input_features: Any, places: np.ndarray) -> np.ndarray:
    return np.asarray(input_features, dtype=object)[places]
