"""Resampling rows together with what belongs to each of them: weights, costs, groups."""

from typing import Any

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from sklearn.base import clone
from sklearn.utils import indexable

from skauto.resample._tables import interpolate


def resample_rows(sampler: Any, X: Any, y: Any, metadata: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """Rows, labels and row metadata after a sampler.

    Parameters
    ----------
    sampler : sampler or None
        Object with `fit_resample`; a copy of it is fitted. None changes nothing.
    X : array-like of shape (n, ...)
        Rows.
    y : array-like of shape (n,)
        Labels.
    metadata : dict of array-like of shape (n, ...)
        Values that belong to the rows, by name.

    Returns
    -------
    X, y : the resampled rows and labels
    metadata : dict of ndarray
        The values of the rows returned. Floats of a synthetic row are interpolated like its features, other kinds
        are those of its first parent; for a synthetic row of a sampler that does not name the parents, the mean of
        its class, or the first value.

    Raises
    ------
    TypeError
        If sampler has no `fit_resample`.
    ValueError
        If the sampler does not say where its rows come from, and there is metadata to carry.
    """
    if sampler is None:
        return X, y, metadata
    if not hasattr(sampler, "fit_resample"):
        raise TypeError(f"sampler={sampler!r} has no fit_resample method: give a sampler, or None for no resampling.")
    sampler = clone(sampler)
    X_new, y_new = sampler.fit_resample(X, y)
    return X_new, y_new, {name: carry(values, sampler, y, y_new) for name, values in metadata.items()}


def carry(values: Any, sampler: Any, y: Any, y_new: Any) -> np.ndarray:
    """Row values of length n as they belong to the rows that a fitted sampler made."""
    values = np.asarray(values)
    if hasattr(sampler, "parents_"):
        return carry_between(values, sampler.parents_, sampler.steps_)
    if hasattr(sampler, "sample_indices_"):
        return values[sampler.sample_indices_]
    if isinstance(sampler, BaseOverSampler):
        return _append_typical(values, np.asarray(y), np.asarray(y_new))
    raise ValueError(
        f"{type(sampler).__name__} does not say which rows it kept, so sample_weight and other row metadata cannot "
        "follow them: use the sampler of that name from skauto.resample, or fit without row metadata."
    )


def carry_between(values: Any, parents: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Row values, (n, ...), of rows between two parents: floats interpolated, any other kind those of the first."""
    first = values[parents[:, 0]]
    if values.dtype.kind != "f":
        return first
    made = steps != 0
    one, other = parents[made].T
    between = interpolate(values.reshape(len(values), -1), one, other, steps[made])
    first[made] = between.reshape(-1, *values.shape[1:])
    return first


def _append_typical(values, y, y_new):
    """Old rows first, as over-samplers of imbalanced-learn leave them, then a typical value of each new row's class."""
    added = y_new[len(y) :]
    typical = np.empty((len(added), *values.shape[1:]), dtype=values.dtype)
    for label in np.unique(added):
        own = values[y == label]
        typical[added == label] = own.mean(axis=0) if values.dtype.kind == "f" else own[0]
    return np.concatenate([values, typical])


def take_rows(X: Any, rows: np.ndarray) -> Any:
    """Rows of a DataFrame, matrix, array or list by position."""
    if isinstance(X, list):
        return [X[i] for i in rows]
    (X,) = indexable(X)
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]
