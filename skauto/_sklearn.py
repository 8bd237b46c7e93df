"""The one door to scikit-learn's private names: if scikit-learn moves one, this is the only file to change."""

from collections.abc import Callable
from typing import Any

import numpy as np

# What a search's fit must be wrapped in so that parameters are checked and callbacks are set up and torn down.
from sklearn.base import _fit_context as fit_context

# Several scorers that share one call of predict.
from sklearn.metrics._scorer import _MultimetricScorer as MultimetricScorer

# The selection and its messages, word for word as in scikit-learn's own searches.
from sklearn.model_selection._search import BaseSearchCV

# One fold as scikit-learn's searches fit and score it: metadata, callbacks, error_score and verbose lines included.
from sklearn.model_selection._validation import _fit_and_score as fit_and_score
from sklearn.model_selection._validation import _insert_error_scores as insert_error_scores
from sklearn.model_selection._validation import _warn_or_raise_about_fit_failures as warn_or_raise_about_failures

# Rows of whatever a caller may hand in: a frame, an array, a sparse matrix, a list.
from sklearn.utils import _safe_indexing

# The constraint tables that scikit-learn's own estimators check at fit; there is no public spelling.
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    StrOptions,
    validate_parameter_constraints,
)

# What stands side by side in the diagram of a notebook.
from sklearn.utils._repr_html.estimator import _VisualBlock as VisualBlock

# A list of named steps whose parameters are reached as name__parameter, like a Pipeline's.
from sklearn.utils.metaestimators import _BaseComposition as BaseComposition

# Feature names for input that validate_data cannot take, images of rank 3 and 4: kept at fit, compared at predict.
from sklearn.utils.validation import _check_feature_names as check_feature_names

# What get_feature_names_out must accept and refuse, word for word as in scikit-learn.
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in

# Fit parameters that are as long as X are split into folds with it.
from sklearn.utils.validation import _check_method_params as check_method_params

# The check of sample_weight that scikit-learn's own estimators do at fit.
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import check_is_fitted

__all__ = [
    "BaseComposition",
    "BaseSearchCV",
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "MultimetricScorer",
    "StrOptions",
    "VisualBlock",
    "boosted_proba",
    "check_feature_names",
    "check_feature_names_in",
    "check_has",
    "check_method_params",
    "check_parameters",
    "check_sample_weight",
    "distances_asked",
    "fit_and_score",
    "fit_context",
    "insert_error_scores",
    "rows_of",
    "tree_order",
    "validate_parameter_constraints",
    "warn_or_raise_about_failures",
]


def rows_of(values: Any, rows: np.ndarray) -> Any:
    """Some rows, by their positions, of a frame, array, sparse matrix, list or tuple."""
    return _safe_indexing(list(values) if isinstance(values, tuple) else values, rows)


def check_has(estimator: Any, attribute: str) -> None:
    """NotFittedError where a fitted attribute is missing.

    `check_is_fitted` asks for all tags first, which can take longer than a small net.
    """
    if not hasattr(estimator, attribute):
        check_is_fitted(estimator, attribute)


def distances_asked(search: Any, X: np.ndarray) -> float | None:
    """Distances that a fitted search for neighbours computes for each row of X, None if it looks at all rows.

    Parameters
    ----------
    search : NearestNeighbors
    X : ndarray of shape (n, p)

    Returns
    -------
    count : float or None
    """
    tree = getattr(search, "_tree", None)
    if tree is None:
        return None
    tree.reset_n_calls()
    search.kneighbors(X, return_distance=False)
    return tree.get_n_calls() / len(X)


def tree_order(search: Any) -> np.ndarray | None:
    """Positions of the rows that a search was fitted on, neighbours in space near each other; None without a tree."""
    tree = getattr(search, "_tree", None)
    return None if tree is None else np.asarray(tree.idx_array)


def boosted_proba(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    """What asks the trees of a fitted HistGradientBoostingClassifier, on one thread; it does not hold the model.

    Parameters
    ----------
    model : fitted HistGradientBoostingClassifier

    Returns
    -------
    ask : callable
        From what its own preprocessor gives, floats with codes of categories first, to probabilities (n, n_classes).
    """
    loss, predictors, baseline = model._loss, model._predictors, model._baseline_prediction
    known, at_known = model._bin_mapper.make_known_categories_bitsets()
    n_outputs = model.n_trees_per_iteration_

    def ask(X: np.ndarray) -> np.ndarray:
        raw = np.zeros((len(X), n_outputs), dtype=baseline.dtype, order="F")
        raw += baseline
        for trees in predictors:
            for column, tree in enumerate(trees):
                raw[:, column] += tree.predict(X, known, at_known, 1)
        return loss.predict_proba(raw)

    return ask


def check_parameters(estimator: Any, constraints: dict[str, Any]) -> None:
    """Check an estimator's own parameters against a constraint table, at fit.

    Parameters
    ----------
    estimator : estimator
        Its ``get_params(deep=False)`` is checked.
    constraints : dict
        Parameter name to a list of allowed kinds, in scikit-learn's form.

    Raises
    ------
    InvalidParameterError
        Names the parameter, the value and what is allowed.
    """
    validate_parameter_constraints(constraints, estimator.get_params(deep=False), type(estimator).__name__)
