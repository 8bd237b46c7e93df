"""The preparations of tables in numpy alone: for few rows scikit-learn's checks take ten times as long as the work.

A category has few levels, so what an encoder makes of each is looked up in a table that the encoder filled once.
"""

from collections.abc import Callable
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from scipy.special import ndtri
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer, StandardScaler

from skauto.estimators.tables._category_codes import category_codes
from skauto.estimators.tables._many_levels import ManyLevelsEncoder

# Numbers of some columns of a table, or codes of its categories, shape (n, n_columns).
Block: TypeAlias = Callable[[Any], np.ndarray]
OnArray: TypeAlias = Callable[[np.ndarray], np.ndarray]

# Most levels of all categories of a preparation for which a table is filled, and most cells of it.
MOST_LEVELS, MOST_CELLS = 5_000, 5_000_000

# Ranks beyond these are as far out as scikit-learn's rank transform puts them: its 1e-7, and the double before it.
OUTERMOST = 1e-7

# What was made of a fitted step, as long as it lives; None where it must be asked itself.
_MADE: "WeakKeyDictionary[Any, Block | None]" = WeakKeyDictionary()


def transformed(step: Any, X: Any) -> Any:
    """What a fitted step makes of X: by its own `transform`, or the same numbers quicker.

    Parameters
    ----------
    step : fitted transformer
    X : as the step takes it; of a table what TableCleaner gives

    Returns
    -------
    X : as the step gives it
    """
    if type(step) is not Pipeline or not _is_clean(X):
        return step.transform(X)
    if step not in _MADE:
        _MADE[step] = _preparation(step, X)
    quick = _MADE[step]
    return step.transform(X) if quick is None else quick(X)


def _is_clean(X: Any) -> bool:
    """Whether a table has nothing but floats and categories."""
    if isinstance(X, pd.DataFrame):
        return all(isinstance(dtype, pd.CategoricalDtype) or dtype == np.float64 for dtype in X.dtypes)
    return isinstance(X, np.ndarray) and X.dtype == np.float64


def _preparation(step: Pipeline, X: Any) -> Block | None:
    """A preparation that begins with an encoder of many levels, which finds none; None for any other."""
    steps = [part for _, part in step.steps]
    if [type(part) for part in steps] != [ManyLevelsEncoder, ColumnTransformer] or steps[0].encoded_:
        return None
    blocks = []
    for _, part, columns in steps[1].transformers_:
        if not len(columns):
            continue
        block = _block(part, _named(columns, X), X)
        if block is None:
            return None
        blocks.append(block)
    return lambda table: np.hstack([block(table) for block in blocks])


def _named(columns: Any, X: Any) -> list[Any]:
    """Names of columns of a DataFrame, of which a remainder has positions; positions in an array."""
    at_positions = isinstance(X, pd.DataFrame) and not isinstance(columns[0], str)
    return [X.columns[column] if at_positions else column for column in columns]


def _block(part: Any, columns: list[Any], X: Any) -> Block | None:
    """What a ColumnTransformer makes of some columns: of numbers, or of categories."""
    parts = [inner for _, inner in part.steps] if isinstance(part, Pipeline) else [part]
    if type(parts[0]) is FunctionTransformer and parts[0].func is category_codes:
        encode = _looked_up(parts[1:], [len(X[name].cat.categories) for name in columns])
        return None if encode is None else lambda table: encode(_codes(table, columns))
    plain = len(parts) == 1 and type(parts[0]) is FunctionTransformer and parts[0].func is None
    if plain or not isinstance(part, Pipeline):
        return (lambda table: _numbers(table, columns)) if plain else None
    steps = [_on_array(inner) for inner in parts]
    return lambda table: _through(steps, _numbers(table, columns))


def _numbers(table: Any, columns: list[Any]) -> np.ndarray:
    """Columns of floats as an array of their own."""
    if isinstance(table, np.ndarray):
        return table[:, columns]
    return np.column_stack([table[name].to_numpy() for name in columns])


def _codes(table: pd.DataFrame, columns: list[Any]) -> np.ndarray:
    return np.column_stack([table[name].array.codes for name in columns])  # type: ignore[attr-defined]


def _through(steps: list[OnArray], values: np.ndarray) -> np.ndarray:
    for step in steps:
        values = step(values)
    return values


def _on_array(step: Any) -> OnArray:
    """What a fitted step does with an array of float64."""
    if type(step) is SimpleImputer:
        return _imputed(step)
    if type(step) is StandardScaler and step.with_mean and step.with_std:
        return lambda values: (values - step.mean_) / step.scale_
    if type(step) is QuantileTransformer and step.output_distribution == "normal":
        return lambda values: _ranked(step, values)
    if type(step) is FunctionTransformer and not step.validate:
        return lambda values: step.func(values, **(step.kw_args or {}))
    return step.transform


def _imputed(imputer: SimpleImputer) -> OnArray:
    if not imputer.keep_empty_features or not np.isnan(imputer.missing_values):
        return imputer.transform
    told = imputer.indicator_.features_ if imputer.add_indicator else []

    def fill(values: np.ndarray) -> np.ndarray:
        missing = np.isnan(values)
        filled = np.where(missing, imputer.statistics_, values)
        return np.hstack([filled, missing[:, told]]) if len(told) else filled

    return fill


def _ranked(ranks: QuantileTransformer, values: np.ndarray) -> np.ndarray:
    """As `QuantileTransformer` does, with one call of the quantile function of the normal distribution."""
    out = np.empty_like(values)
    references = ranks.references_
    for column, quantiles in enumerate(ranks.quantiles_.T):
        x = values[:, column]
        up = np.interp(x, quantiles, references)
        down = np.interp(-x, -quantiles[::-1], -references[::-1])
        rank = 0.5 * (up - down)
        rank[x + OUTERMOST > quantiles[-1]] = 1
        rank[x - OUTERMOST < quantiles[0]] = 0
        out[:, column] = rank
    least = OUTERMOST - np.spacing(1)
    return np.clip(ndtri(out), ndtri(least), ndtri(1 - least))


def _looked_up(steps: list[Any], sizes: list[int]) -> Block | None:
    """An encoder of codes by tables; None where a column of its output goes by two categories, or levels are many.

    Parameters
    ----------
    steps : list of fitted transformers
        What the codes go through; none gives the codes themselves.
    sizes : list of int
        Levels of each category.
    """
    if not steps:
        return lambda codes: codes.astype(np.float32)
    if sum(sizes) + len(sizes) > MOST_LEVELS:
        return None
    columns = np.repeat(np.arange(len(sizes)), np.add(sizes, 1))
    tried = np.zeros((len(columns), len(sizes)), dtype=np.float32)
    tried[np.arange(len(columns)), columns] = np.concatenate([np.arange(-1, size) for size in sizes])
    made = tried
    for step in steps:
        made = step.transform(made)
    if not isinstance(made, np.ndarray) or made.size > MOST_CELLS:
        return None
    # With code 0 everywhere, whose row is the second of each category.
    plain = made[1]
    varies = np.array([(made[columns == column] != plain).any(axis=0) for column in range(len(sizes))])
    if (varies.sum(axis=0) > 1).any():
        return None
    tables = [(np.flatnonzero(own), made[columns == column][:, own]) for column, own in enumerate(varies)]

    def encode(codes: np.ndarray) -> np.ndarray:
        out = np.tile(plain, (len(codes), 1))
        for column, (own, table) in enumerate(tables):
            out[:, own] = table[codes[:, column].astype(np.intp) + 1]
        return out

    return encode
