"""Data: the checked input of a fit, and its form."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skauto.inputs._as_given import AsGiven
from skauto.inputs._types import Label, Names, Rows


@dataclass(frozen=True)
class Form:
    """The form of the X of a fit.

    Attributes
    ----------
    shape : tuple of int
    n_features : int
    feature_names : ndarray of str or None
    """

    shape: tuple[int, ...]
    n_features: int
    feature_names: np.ndarray | None = None


@dataclass(frozen=True)
class Data:
    """Checked input of a fit.

    Attributes
    ----------
    kind : str
        ``"table"``, ``"sequence"`` or ``"image"``.
    X : DataFrame, ndarray of float64 or CSR matrix of float64, shape (n_rows, n_features), or an array of more axes
        A numeric array stays an array, sparse stays sparse, everything else is a DataFrame whose columns keep their
        dtypes. A DataFrame has string column names and a plain row index.
    y : ndarray of int64, shape (n_rows,)
        Codes into `classes`.
    classes : ndarray, shape (n_classes,)
        The labels as given, sorted.
    feature_names : list of str or None
        Names of the columns; None where X came without names.
    n_features : int
    sample_weight : ndarray of float64, shape (n_rows,), or None
    groups : ndarray of int64, shape (n_rows,), or None
        Codes of the groups.
    costs : ndarray of float64, shape (n_classes, n_classes) or (n_rows, n_classes, n_classes), or None
        What predicting a class costs where another is true.
    index : Index or None
        The index that a DataFrame came with, which a scorer may look rows up by; None for arrays.
    pos_label : label or None
        The positive class of two.
    costs_by_column : dict or None
        What the costs were read from, where that may name columns of X.
    as_given : AsGiven or None
        Of a table what gives it back the form in which it came; None where it has that form.
    cv : int or list of pairs of ndarray
        The number of folds, or the row numbers that the caller's splitter made of X and y as they came.
    """

    kind: str
    X: Rows
    y: np.ndarray
    classes: np.ndarray
    feature_names: Names
    n_features: int
    sample_weight: np.ndarray | None
    groups: np.ndarray | None
    costs: np.ndarray | None = None
    index: pd.Index | None = None
    pos_label: Label | None = None
    costs_by_column: dict[Any, Any] | None = None
    as_given: AsGiven | None = None
    cv: int | list[tuple[np.ndarray, np.ndarray]] = 5

    @property
    def mean_costs(self) -> np.ndarray | None:
        """The costs of a row, the mean over rows where they differ by row: (n_classes, n_classes), or None."""
        costs: Any = self.costs
        return costs.mean(axis=0) if np.ndim(costs) == 3 else costs

    @property
    def form(self) -> Form:
        """What the X of a prediction must have in common with this one."""
        names = None if self.feature_names is None else np.asarray(self.feature_names, dtype=object)
        return Form(self.X.shape, self.n_features, names)
