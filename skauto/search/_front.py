"""Choosing a row of cv_results_: one standard error, constraints, the front of several objectives and its knee."""

from collections.abc import Iterable
from typing import Any

import numpy as np


def metric_names(results: Iterable[str]) -> list[str]:
    """The names of the scores in a cv_results_, in its order."""
    start = "mean_test_"
    return [name[len(start) :] for name in results if name.startswith(start)]


def candidates(results: dict[str, Any], constraints: dict[str, float] | None = None) -> np.ndarray:
    """Rows that may win: of the highest fidelity reached, complete, and within the constraints.

    Parameters
    ----------
    results : dict
        A cv_results_.
    constraints : dict, default=None
        Name of a score to the least mean that is allowed; greater is better, as everywhere.

    Returns
    -------
    rows : ndarray of int

    Raises
    ------
    ValueError
        If a name is not a score, or no row is within the constraints.
    """
    names = metric_names(results)
    means = np.column_stack([results[f"mean_test_{name}"] for name in names])
    full = np.isfinite(means).all(axis=1)
    if "fidelity" in results and full.any():
        full &= results["fidelity"] == results["fidelity"][full].max()
    rows = np.flatnonzero(full)
    for name, least in (constraints or {}).items():
        if name not in names:
            raise ValueError(f"constraints names {name!r}, which scoring does not have; known are {names}")
        values = results[f"mean_test_{name}"][rows]
        if len(rows) and not (values >= least).any():
            raise ValueError(
                f"constraints={constraints!r}: no trial reaches {name} >= {least:g}, the best has {values.max():g}; "
                f"loosen it, or search longer. cv_results_ has all trials"
            )
        rows = rows[values >= least]
    return rows


def pareto_front(results: dict[str, Any], rows: np.ndarray | None = None) -> np.ndarray:
    """Rows that no other row matches everywhere and beats somewhere, by falling first score.

    Parameters
    ----------
    results : dict
        A cv_results_.
    rows : ndarray of int, default=None
        The rows to compare; None for `candidates`.

    Returns
    -------
    front : ndarray of int
    """
    rows = candidates(results) if rows is None else rows
    scores = np.column_stack([results[f"mean_test_{name}"][rows] for name in metric_names(results)])
    beaten = np.array(
        [bool(((scores >= own).all(axis=1) & (scores > own).any(axis=1)).any()) for own in scores], dtype=bool
    )
    front = rows[~beaten]
    return front[np.argsort(-scores[~beaten][:, 0], kind="stable")]


def knee(results: dict[str, Any], rows: np.ndarray | None = None) -> int:
    """The row of the front nearest to the best value of every score, each scaled to [0, 1] over the front."""
    front = pareto_front(results, rows)
    scores = np.column_stack([results[f"mean_test_{name}"][front] for name in metric_names(results)])
    spread = np.ptp(scores, axis=0)
    short = (scores.max(axis=0) - scores) / np.where(spread > 0, spread, 1)
    return int(front[np.argmin(np.sum(short**2, axis=1))])


def best(results: dict[str, Any], metric: str, rows: np.ndarray) -> int:
    """The row of the highest mean, the earlier on a tie."""
    return int(rows[np.argmax(results[f"mean_test_{metric}"][rows])])


def one_standard_error(results: dict[str, Any], metric: str, rows: np.ndarray, n_splits: int) -> int:
    """The cheapest row, by seconds of fit and score, within one standard error of the best mean.

    References
    ----------
    Breiman, Friedman, Olshen, Stone, "Classification and regression trees", 1984, section 3.4.3.
    """
    top = best(results, metric, rows)
    means, error = results[f"mean_test_{metric}"], results[f"std_test_{metric}"][top] / np.sqrt(n_splits)
    close = rows[means[rows] >= means[top] - error]
    seconds = results["mean_fit_time"][close] + results["mean_score_time"][close]
    return int(close[np.argmin(seconds)])
