"""Rows that are kept away from a fit, and what it scores on them at its end."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from skauto._seeds import child_rng, child_seed
from skauto._sklearn import rows_of
from skauto.automl._settings import Settings, first_and_others
from skauto.automl.evaluation._new_rows import scores_of
from skauto.inputs._read import refuse_lazy
from skauto.inputs._rows import read_groups, read_labels, same_length
from skauto.inputs._types import Given, Rows
from skauto.resample._constrained_goal import goal_of
from skauto.resample._decision_rule import DecisionRule
from skauto.resample._threshold import confusion_of
from skauto.search._folds import RARE, stratified_folds

# The part of a time limit that is left for predicting the rows held out.
TIME_PART = 0.03

# Parts that groups are divided into, of which some are held out.
PARTS_OF_GROUPS = 20


@dataclass(frozen=True)
class Divided:
    """What fit was given, divided.

    Parameters
    ----------
    learnt : tuple
        X, y, sample_weight, groups and cost_matrix of the rows that the fit is about.
    rows, held : ndarray or None
        The row numbers of the rows to learn from and of those held out, None where nothing is held out.
    kept : tuple
        X, y, sample_weight and cost_matrix of the rows held out.
    """

    learnt: tuple[Any, ...]
    rows: np.ndarray | None = None
    held: np.ndarray | None = None
    kept: tuple[Any, ...] = ()


def leave_time(settings: Settings) -> Settings:
    """The settings with a time limit that leaves seconds for the rows held out, where there are some."""
    if settings.holdout is None or settings.time_limit is None:
        return settings
    return replace(settings, time_limit=settings.time_limit * (1 - TIME_PART))


def hold_out(
    settings: Settings,
    X: Given,
    y: Any,
    sample_weight: Any,
    groups: Any,
    cost_matrix: Any,
) -> Divided:
    """Divide what fit was given, before anything else looks at it.

    Raises
    ------
    ValueError
        If `cv` are pairs of positions, which are those of all rows, and if the rows cannot be divided so that both
        parts have two classes.
    """
    given = (X, y, sample_weight, groups, cost_matrix)
    if settings.holdout is None:
        return Divided(given)
    refuse_lazy(X)
    refuse_lazy(y, "y")
    _refuse_pairs(settings.cv)
    labels, codes = np.unique(read_labels(y), return_inverse=True)
    n_rows = _n_rows(X)
    same_length(len(codes), n_rows, "y")
    known = None if groups is None else read_groups(groups, n_rows)
    # Without a seed always the same rows: a journal that is taken up again must find its own.
    seed = 0 if settings.random_state is None else settings.seed
    held = held_rows(codes, settings.holdout, child_seed(seed, "holdout"), known)
    rows = np.setdiff1d(np.arange(n_rows), held)
    _check_division(settings.holdout, labels, codes, rows, held, known is not None)
    learnt, kept = (
        tuple(_part(value, part, n_rows) for value in given) for part in (rows, held)
    )
    X_held, y_held, weight, _, costs = kept
    return Divided(learnt, rows, held, (X_held, y_held, weight, costs))


def held_rows(
    codes: np.ndarray, fraction: float, seed: int, groups: np.ndarray | None = None
) -> np.ndarray:
    """The row numbers to hold out, rising: of each class the fraction, of groups whole ones.

    Classes of one or two rows are never held out; of others at least one row is, and two are not.

    Parameters
    ----------
    codes : ndarray of shape (n,)
    fraction : float
        Above 0 and below 1.
    seed : int
    groups : ndarray of shape (n,), default=None
    """
    if groups is not None:
        return _held_groups(codes, fraction, seed, groups)
    rng = child_rng(seed, "rows")
    held = []
    for code in np.unique(codes):
        rows = rng.permutation(np.flatnonzero(codes == code))
        n_held = int(np.clip(round(fraction * len(rows)), 1, max(len(rows) - 2, 1)))
        held.append(rows[: n_held if len(rows) > RARE else 0])
    return np.sort(np.concatenate(held))


def _held_groups(
    codes: np.ndarray, fraction: float, seed: int, groups: np.ndarray
) -> np.ndarray:
    """The rows of some parts of the groups that are alike in their classes."""
    try:
        folds = stratified_folds(codes, PARTS_OF_GROUPS, seed, groups)
    except ValueError as error:
        raise ValueError(f"holdout={fraction!r}: {error}") from error
    parts = [np.setdiff1d(np.arange(len(codes)), train) for train, _ in folds]
    wanted = fraction * len(codes)
    sizes = np.cumsum([len(part) for part in parts])
    n_parts = 1 + int(np.argmin(np.abs(sizes[:-1] - wanted))) if len(parts) > 1 else 1
    return np.sort(np.concatenate(parts[:n_parts]))


def _check_division(
    fraction: float,
    labels: np.ndarray,
    codes: np.ndarray,
    rows: np.ndarray,
    held: np.ndarray,
    grouped: bool,
) -> None:
    """ValueError unless both parts hold two classes, and the rows to learn from all of them."""
    learnt, kept = (
        np.bincount(codes[part], minlength=len(labels)) for part in (rows, held)
    )
    if (learnt > 0).all() and (kept > 0).sum() >= 2:
        return
    counts = dict(zip(labels.tolist()[:10], np.bincount(codes).tolist(), strict=False))
    by = " without dividing a group" if grouped else ""
    raise ValueError(
        f"holdout={fraction!r}: y has the rows {counts} by class, which cannot be divided{by} so that rows of two "
        "classes are held out and rows of all are left to learn from; it needs three rows of two classes at least"
        f"{', in several groups' if grouped else ''}: leave holdout out, or give more rows"
    )


def _refuse_pairs(cv: Any) -> None:
    if cv is not None and not np.isscalar(cv) and not hasattr(cv, "split"):
        raise ValueError(
            "holdout and cv as pairs of positions contradict each other, as the pairs are about all rows: give cv as a "
            "number or a splitter, or hold rows back yourself"
        )


def _n_rows(X: Given) -> int:
    """Rows of what was given as X, 0 where it has none: reading it then says why."""
    shape = getattr(X, "shape", None)
    if shape is not None:
        return int(shape[0]) if len(shape) else 0
    return len(X) if hasattr(X, "__len__") else 0


def _part(value: Any, rows: np.ndarray, n_rows: int) -> Any:
    """Some rows of what has a value for each; all else, such as costs of all rows, as it is."""
    if value is None or isinstance(value, dict) or np.isscalar(value):
        return value
    return rows_of(value, rows) if _n_rows(value) == n_rows else value


class HoldsOut:
    """What AutoClassifier knows of the rows held out."""

    # Of models of versions before 0.3, which have no such parameter.
    holdout: float | None = None
    holdout_score_: float
    holdout_scores_: pd.Series
    holdout_rows_: np.ndarray
    scoring: Any
    _answer: Callable[[Given], tuple[Rows, np.ndarray]]
    _rule: Callable[[Rows, Any], DecisionRule]

    def _keep_scores_of(self, divided: Divided) -> None:
        """Score the rows held out by what predicts; those of an earlier fit are forgotten."""
        for name in ("holdout_score_", "holdout_scores_", "holdout_rows_"):
            self.__dict__.pop(name, None)
        if divided.held is None:
            return
        X, y, weight, costs = divided.kept
        X, proba = self._answer(X)
        y, rule = read_labels(y), self._rule(X, costs)
        first, others = first_and_others(self.scoring)
        scores = scores_of(y, proba, rule, first, X, others, weight)
        scores |= _of_goal(first, y, proba, rule, weight)
        self.holdout_scores_ = pd.Series(scores)
        self.holdout_score_ = scores["score"]
        self.holdout_rows_ = divided.held


def _of_goal(
    scoring: Any, y: np.ndarray, proba: np.ndarray, rule: DecisionRule, weight: Any
) -> dict[str, float]:
    """Of a constrained goal what is maximised and what is bounded, by their names."""
    goal = goal_of(scoring)
    if goal is None:
        return {}
    true, predicted = (
        (labels == rule.pos_label).astype(int) for labels in (y, rule.labels(proba))
    )
    return goal.values(confusion_of(true, predicted, 2, weight))
