"""Boosted trees asked with codes of categories: pandas takes longer to give them than the trees for one row.

LightGBM and scikit-learn's histogram boosting both turn a DataFrame into numbers first, column by column, at each call.
"""

from collections.abc import Callable
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from skauto._sklearn import boosted_proba

# Probabilities of a table.
OfTable: TypeAlias = Callable[[pd.DataFrame], np.ndarray]

# Rows up to which the table is read here: for more the trees take all of the time.
FEW_ROWS = 1_000

# What was made of a fitted classifier, as long as it lives; None where it must be asked itself.
_MADE: "WeakKeyDictionary[Any, OfTable | None]" = WeakKeyDictionary()


def probabilities(classifier: Any, X: Any) -> np.ndarray:
    """`predict_proba` of a fitted classifier, the same numbers quicker where it is boosting and rows are few.

    Parameters
    ----------
    classifier : fitted classifier
    X : as it takes it; of a table what TableCleaner gives

    Returns
    -------
    proba : ndarray of shape (n, n_classes)
    """
    # Under set_config(transform_output="pandas") it was fitted on a table, and would warn of an array.
    names = vars(classifier).get("feature_names_in_")
    if names is not None and isinstance(X, np.ndarray):
        X = pd.DataFrame(X, columns=names)
    if not isinstance(X, pd.DataFrame) or len(X) > FEW_ROWS:
        return classifier.predict_proba(X)
    if classifier not in _MADE:
        _MADE[classifier] = _quick(classifier, X)
    quick = _MADE[classifier]
    return classifier.predict_proba(X) if quick is None else quick(X)


def _quick(classifier: Any, X: pd.DataFrame) -> OfTable | None:
    """What asks a classifier of a known class; None for others, and where X has columns of other dtypes."""
    if not all(isinstance(dtype, pd.CategoricalDtype) or dtype == np.float64 for dtype in X.dtypes):
        return None
    kind = type(classifier)
    if kind is HistGradientBoostingClassifier:
        return _histograms(classifier, X)
    if kind.__name__ == "LGBMClassifier" and kind.__module__ == "lightgbm.sklearn":
        return _lightgbm(classifier, X)
    return None


def _lightgbm(classifier: Any, X: pd.DataFrame) -> OfTable | None:
    """LightGBM without pandas, where its codes of categories are those of X."""
    booster = classifier.booster_
    levels = [list(dtype.categories) for dtype in X.dtypes if isinstance(dtype, pd.CategoricalDtype)]
    if levels != (booster.pandas_categorical or []) or booster.feature_name() != list(X.columns):
        return None
    threads = classifier.n_jobs or 1
    # What is kept must not hold the classifier, or it would live as long as this.
    return lambda table: _both(booster.predict(_codes(table, {}), num_threads=threads))


def _both(proba: np.ndarray) -> np.ndarray:
    """Probabilities of all classes: of two LightGBM gives that of the second."""
    return proba if proba.ndim == 2 else np.column_stack([1 - proba, proba])


def _histograms(classifier: Any, X: pd.DataFrame) -> OfTable | None:
    encoder = classifier._preprocessor
    names = list(X.columns)
    if names != list(getattr(classifier, "feature_names_in_", ())):
        return None
    ask = boosted_proba(classifier)
    if encoder is None:
        return lambda table: ask(_codes(table, {}))
    known = encoder.named_transformers_["encoder"].categories_
    chosen = [name for name, is_category in zip(names, classifier.is_categorical_, strict=True) if is_category]
    tables = {name: _table(X[name].cat.categories, levels) for name, levels in zip(chosen, known, strict=True)}
    # It has categories before numbers.
    order = [*chosen, *(name for name in names if name not in tables)]
    return lambda table: ask(_codes(table[order], tables))


def _table(levels: Any, known: Any) -> np.ndarray:
    """The code that an encoder gives to each level, after that of a missing cell."""
    numbers = {level: float(number) for number, level in enumerate(known)}
    return np.array([np.nan, *(numbers.get(level, np.nan) for level in levels)])


def _codes(table: pd.DataFrame, tables: dict[Any, np.ndarray]) -> np.ndarray:
    """A table of floats and categories as numbers; codes go through the table of their column, if there is one."""
    out = np.empty(table.shape)
    for position, (name, column) in enumerate(table.items()):
        if not isinstance(column.dtype, pd.CategoricalDtype):
            out[:, position] = column.to_numpy()
            continue
        codes = column.cat.codes.to_numpy()
        out[:, position] = tables[name][codes + 1] if name in tables else np.where(codes < 0, np.nan, codes)
    return out
