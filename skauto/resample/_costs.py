"""What mistakes cost: matrices of costs, decisions that cost least, and metrics."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from sklearn.metrics import make_scorer

_T = TypeVar("_T", bound=Callable[..., Any])

_MATRIX = """cost_matrix : array-like of shape (K, K) or (n, K, K), or DataFrame
        Cost of predicting column j where row i is true, in the order of the sorted labels; or for each row of y its
        own matrix. A DataFrame names true labels in its index and predicted ones in its columns."""

_LABELS = """labels : array-like of shape (K,), default=None
        Order of the classes in the matrix; None for the sorted labels that occur, or those of a DataFrame."""


def documented(target: _T, **texts: str) -> _T:
    """Fill each {name} of a docstring with a text; those of costs and labels unless other texts are given."""
    for name, text in (texts or {"cost_matrix": _MATRIX, "labels": _LABELS}).items():
        target.__doc__ = (target.__doc__ or "").replace(f"{{{name}}}", text)
    return target


def checked_costs(cost_matrix: Any, classes: Any, n: int | None = None) -> np.ndarray:
    """Costs as floats of shape (K, K), or (n, K, K) where they differ by row; None is 1 for every mistake.

    Raises
    ------
    ValueError
        If the shape does not fit, a label is missing, or a cost is not finite.
    """
    classes = np.asarray(classes).tolist()
    size = len(classes)
    if cost_matrix is None:
        return 1.0 - np.eye(size)
    if isinstance(cost_matrix, pd.DataFrame):
        rows, columns = (_positions(axis, classes) for axis in (cost_matrix.index, cost_matrix.columns))
        missing = [label for label, *found in zip(classes, rows, columns, strict=True) if None in found]
        if missing:
            raise ValueError(f"cost_matrix has no row or column for the labels {missing}: name all of {classes}.")
        cost_matrix = cost_matrix.iloc[rows, columns]
    costs = np.asarray(cost_matrix, dtype=float)
    by_row = n is not None and costs.shape == (n, size, size)
    if costs.shape != (size, size) and not by_row:
        raise ValueError(
            f"cost_matrix has shape {costs.shape}, but there are {size} classes {classes}: give ({size}, "
            f"{size}), or ({'n' if n is None else n}, {size}, {size}) for costs by row."
        )
    if not np.isfinite(costs).all():
        raise ValueError("cost_matrix must hold finite numbers.")
    return costs


def _positions(axis, classes):
    """Positions of the labels on an axis of a DataFrame, None where they are missing.

    Never by `loc`, to which True and False are a mask. Where no label is there as it is, they are looked up as they are
    written: a file's columns are text.
    """
    names = axis.tolist()
    if len(set(names)) < len(names):
        raise ValueError(f"cost_matrix names a label twice: {names}.")
    positions = {name: i for i, name in enumerate(names)}
    if not any(label in positions for label in classes):
        positions = {str(name): i for i, name in enumerate(names)}
        classes = map(str, classes)
    return [positions.get(label) for label in classes]


def expected_costs(proba: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Expected cost of each decision for each row, (n, K), from probabilities (n, K) and costs (K, K) or (n, K, K)."""
    return np.einsum("ni,nij->nj", proba, costs) if costs.ndim == 3 else proba @ costs


def costs_of(true: np.ndarray, predicted: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """The cost of each row, (n,), from codes of true and predicted labels."""
    return costs[np.arange(len(true)), true, predicted] if costs.ndim == 3 else costs[true, predicted]


def _prepared(y_true, y_pred, cost_matrix, labels, sample_weight):
    """Codes of the true labels, of the predicted ones (None for probabilities), costs, weights."""
    y_true = np.asarray(y_true)
    seen = y_true if y_pred is None else np.concatenate([y_true, np.asarray(y_pred)])
    if labels is None and isinstance(cost_matrix, pd.DataFrame) and np.isin(seen, cost_matrix.index.tolist()).all():
        labels = np.unique(cost_matrix.index.tolist())
    labels = np.unique(seen) if labels is None else np.asarray(labels)
    unknown = np.setdiff1d(seen, labels)
    if len(unknown):
        raise ValueError(f"y holds labels that are not among labels={labels.tolist()}: {unknown.tolist()}.")
    costs = checked_costs(cost_matrix, labels, len(y_true))
    order = np.argsort(labels, kind="stable")
    codes = [order[np.searchsorted(labels, part, sorter=order)] for part in (y_true, y_pred) if part is not None]
    weight = np.ones(len(y_true)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    return codes[0], codes[1] if len(codes) > 1 else None, costs, weight


@documented
def total_cost_score(
    y_true: Any, y_pred: Any, cost_matrix: Any = None, *, labels: Any = None, sample_weight: Any = None
) -> float:
    """Total cost of the predictions; less is better.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_pred : array-like of shape (n,)
        Predicted labels.
    {cost_matrix}
        None: 1 for every mistake.
    {labels}
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows.

    Returns
    -------
    cost : float

    Examples
    --------
    >>> from skauto.resample import total_cost_score
    >>> total_cost_score([0, 0, 1, 1], [0, 1, 0, 1], [[0, 1], [5, 0]])
    6.0
    """
    true, predicted, costs, weight = _prepared(y_true, y_pred, cost_matrix, labels, sample_weight)
    return float(costs_of(true, predicted, costs) @ weight)


@documented
def expected_cost_score(
    y_true: Any, proba: Any, cost_matrix: Any = None, *, labels: Any = None, sample_weight: Any = None
) -> float:
    """Mean cost of a row if each decision were drawn from its probabilities; less is better.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    proba : array-like of shape (n, K)
        Probabilities.
    {cost_matrix}
        None: 1 for every mistake.
    {labels}
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows.

    Returns
    -------
    cost : float

    References
    ----------
    A. C. Bahnsen, D. Aouada, B. Ottersten, "Example-dependent cost-sensitive logistic regression for credit scoring",
    ICMLA 2014, section III.

    Examples
    --------
    >>> from skauto.resample import expected_cost_score
    >>> expected_cost_score([0, 1], [[0.9, 0.1], [0.5, 0.5]], [[0, 1], [5, 0]])
    1.3
    """
    true, _, costs, weight = _prepared(y_true, None, cost_matrix, labels, sample_weight)
    of_true = costs[np.arange(len(true)), true] if costs.ndim == 3 else costs[true]
    return float(np.average((np.asarray(proba) * of_true).sum(axis=1), weights=weight))


@documented
def savings_score(
    y_true: Any, y_pred: Any, cost_matrix: Any = None, *, labels: Any = None, sample_weight: Any = None
) -> float:
    """Fraction of costs saved against the best constant prediction: 1 is perfect, 0 no better; greater is better.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_pred : array-like of shape (n,)
        Predicted labels.
    {cost_matrix}
        None: 1 for every mistake.
    {labels}
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows.

    Returns
    -------
    savings : float

    References
    ----------
    A. C. Bahnsen, A. Stojanovic, D. Aouada, B. Ottersten, "Improving credit card fraud detection with calibrated
    probabilities", SDM 2014, section 3.

    Examples
    --------
    >>> from skauto.resample import savings_score
    >>> savings_score([0, 0, 0, 1], [0, 0, 1, 1], [[0, 1], [5, 0]])
    0.6666666666666667
    """
    true, predicted, costs, weight = _prepared(y_true, y_pred, cost_matrix, labels, sample_weight)
    constant = [costs_of(true, np.full(len(true), j), costs) @ weight for j in range(costs.shape[-1])]
    cost = costs_of(true, predicted, costs) @ weight
    best = min(constant)
    if best == 0:
        return 1.0 if cost == 0 else -np.inf
    return float(1 - cost / best)


def _mean_cost(y_true, y_pred, cost_matrix=None, labels=None, sample_weight=None):
    weight = len(y_true) if sample_weight is None else np.sum(sample_weight)
    return total_cost_score(y_true, y_pred, cost_matrix, labels=labels, sample_weight=sample_weight) / weight


@documented
def make_cost_scorer(cost_matrix: Any = None, *, labels: Any = None) -> Callable[..., float]:
    """A scorer: the negative mean cost of a row, so that greater is better.

    Parameters
    ----------
    {cost_matrix}
        None: 1 for every mistake, or with metadata routing `scorer.set_score_request(cost_matrix=True)`.
    {labels}
        Needed, unless cost_matrix is a DataFrame, where a fold may lack a class.

    Returns
    -------
    scorer : callable
        For `scoring=` of any search.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skauto.resample import make_cost_scorer
    >>> X, y = make_classification(random_state=0)
    >>> scorer = make_cost_scorer([[0, 1], [5, 0]])
    >>> scorer(LogisticRegression().fit(X, y), X, y) < 0
    True
    """
    if cost_matrix is None:  # left to metadata routing
        return make_scorer(_mean_cost, greater_is_better=False, labels=labels)
    return make_scorer(_mean_cost, greater_is_better=False, cost_matrix=cost_matrix, labels=labels)
