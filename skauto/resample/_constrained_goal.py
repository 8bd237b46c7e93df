"""Constrained goals: the greatest recall or precision among the thresholds that keep a bound on another measure."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betainc, betaincinv

from skauto.inputs._closest import did_you_mean
from skauto.resample._every_threshold import confusions

# Name of a goal -> what is maximised, what is bounded, and whether the bound is the least or the most.
GOALS = {
    "recall_at_precision": ("recall", "precision", ">="),
    "precision_at_recall": ("precision", "recall", ">="),
    "recall_at_fpr": ("recall", "fpr", "<="),
}
FORM = re.compile(r"\s*(\w+_at_\w+)\s*([<>]?=?)\s*(\S*)\s*")

# Shortfalls of less are rounding, of weights for example.
ROUNDING = 1e-9

# On rows that a threshold was not chosen on, a bound that just holds is missed half of the time: up to these standard
# errors below it, it counts as kept.
STANDARD_ERRORS = 2.0

# How sure the worst value of a bounded measure is.
LEVEL = 0.95


@dataclass(frozen=True)
class ConstrainedGoal:
    """A metric of confusion matrices (..., 2, 2), the positive class last: an objective under a bound.

    Its value is the objective where the bound is kept, within two standard errors of the bounded measure, else minus
    what is lacking. Thresholds are chosen by `chooser`, which allows nothing below the bound.

    Parameters
    ----------
    name : str
        As given, for example "recall_at_precision>=0.9".
    objective : {"recall", "precision"}
    measure : {"precision", "recall", "fpr"}
        What is bounded; "fpr" is the fraction of negatives that are taken for positive.
    bound : float
        The least of "precision" and "recall", the most of "fpr".

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.resample._constrained_goal import goal_of
    >>> goal = goal_of("recall_at_precision>=0.9")
    >>> goal(np.array([[98, 2], [20, 80]])), goal(np.array([[50, 50], [0, 100]]))
    (array(0.8), array(-0.23333333))
    """

    name: str
    objective: str
    measure: str
    bound: float

    def __call__(self, confusion: np.ndarray) -> np.ndarray:
        _, trials = _counts(confusion, self.measure)
        error = np.sqrt(self.bound * (1 - self.bound) / np.maximum(trials, ROUNDING))
        allowed = np.where(trials > 0, STANDARD_ERRORS * error, 0.0)
        return self._value(confusion, allowed)

    @property
    def chooser(self) -> "GoalChooser":
        """The metric that thresholds are chosen by."""
        return GoalChooser(self)

    def strict(self, confusion: np.ndarray) -> np.ndarray:
        """The objective where the bound is kept to the letter, else minus what is lacking, shape (...)."""
        return self._value(confusion, ROUNDING)

    def _value(self, confusion: np.ndarray, allowed: Any) -> np.ndarray:
        lacking = self.lacking(confusion)
        return np.where(lacking <= allowed, _rate(*_counts(confusion, self.objective)), -lacking)

    def lacking(self, confusion: np.ndarray) -> np.ndarray:
        """What the bounded measure lacks, shape (...): 0 or less where the bound is kept.

        Where nothing is predicted to be positive precision is 0: a bound that only this keeps is of no use.
        """
        value = _rate(*_counts(confusion, self.measure))
        return value - self.bound if self.measure == "fpr" else self.bound - value

    def values(self, confusion: np.ndarray) -> dict[str, float]:
        """The objective and the bounded measure of one confusion matrix, by their names."""
        return {name: float(_rate(*_counts(confusion, name))) for name in (self.objective, self.measure)}

    def measured(self, confusion: np.ndarray) -> dict[str, float]:
        """What one confusion matrix of held-back rows says of new ones.

        Parameters
        ----------
        confusion : ndarray of shape (2, 2)
            Counts of rows; where rows are weighted, they sum to the number of rows that weigh alike.

        Returns
        -------
        measured : dict
            The objective by its name, `value` of the bounded measure, `worst_95`: what it is at least, and fpr at most,
            with 95 % confidence (Clopper and Pearson 1934, one-sided), and `probability` that the bound holds (of the
            posterior under Jeffreys' prior).
        """
        hits, trials = (float(count) for count in _counts(confusion, self.measure))
        above = float(1 - betainc(hits + 0.5, trials - hits + 0.5, self.bound))
        objective = float(_rate(*_counts(confusion, self.objective)))
        known = {self.objective: objective, "value": float(_rate(hits, trials))}
        if self.measure == "fpr":
            worst = 1.0 if hits >= trials else float(betaincinv(hits + 1, trials - hits, LEVEL))
            return {**known, "worst_95": worst, "probability": 1 - above}
        worst = 0.0 if hits <= 0 else float(betaincinv(hits, trials - hits + 1, 1 - LEVEL))
        return {**known, "worst_95": worst, "probability": above}


@dataclass(frozen=True)
class GoalChooser:
    """The strict form of a goal, by which thresholds are compared; with few positives too, as 0.5 is no better."""

    goal: ConstrainedGoal
    always_tuned = True

    def __call__(self, confusion: np.ndarray) -> np.ndarray:
        return self.goal.strict(confusion)


def goal_of(scoring: Any) -> ConstrainedGoal | None:
    """The goal that a name such as "recall_at_precision>=0.9" means; None for what is no name of a goal.

    Raises
    ------
    ValueError
        If the name begins as that of a goal and something else is wrong with it.
    """
    found = FORM.fullmatch(scoring) if isinstance(scoring, str) else None
    if found is None:
        return None
    name, sign, number = found.groups()
    if name not in GOALS:
        hint = did_you_mean(name, GOALS) or f"; goals are {', '.join(GOALS)}"
        raise ValueError(f"scoring={scoring!r}: {name!r} is no goal{hint}")
    objective, measure, known_sign = GOALS[name]
    example = f"{name}{known_sign}{0.01 if measure == 'fpr' else 0.9}"
    if sign != known_sign:
        raise ValueError(f"scoring={scoring!r} needs {known_sign!r} and a bound after {name}, for example {example!r}")
    return ConstrainedGoal(scoring, objective, measure, _checked_bound(scoring, number, example))


def _checked_bound(scoring, number, example):
    """The bound as a number between 0 and 1."""
    try:
        bound = float(number)
    except (TypeError, ValueError) as error:
        raise ValueError(f"scoring={scoring!r}: {number!r} is no number; for example {example!r}") from error
    if not 0 < bound <= 1:
        raise ValueError(f"scoring={scoring!r}: the bound {bound:g} must be above 0 and at most 1, as {example!r}")
    return bound


def constrained_score(y_true: Any, score: Any, goal: str, *, pos_label: Any = None, sample_weight: Any = None) -> float:
    """The best objective that a threshold reaches on some rows while it keeps a bound; greater is better.

    The threshold is chosen on the very rows, as in a curve of precision and recall, so the value is a little too good.
    `AutoClassifier(scoring=goal)` chooses it on other folds. For searches: ``make_scorer(constrained_score,
    response_method="predict_proba", goal="recall_at_precision>=0.9")``.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Labels of two classes.
    score : array-like of shape (n,)
        Probabilities or other scores of the positive class.
    goal : str
        "recall_at_precision>=0.9", "precision_at_recall>=0.8", "recall_at_fpr<=0.01", each with any bound.
    pos_label : label, default=None
        None is the greater label.
    sample_weight : array-like of shape (n,), default=None

    Returns
    -------
    value : float
        Where no threshold keeps the bound, minus what the closest one lacks.

    Raises
    ------
    ValueError
        If the goal is no such name, or if y_true holds more than two classes.

    Examples
    --------
    >>> from skauto.resample import constrained_score
    >>> constrained_score([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.8], "recall_at_precision>=0.9")
    0.5
    """
    known = goal_of(goal)
    if known is None:
        raise ValueError(f"goal={goal!r} must be a goal with its bound, such as 'recall_at_precision>=0.9'")
    labels = np.unique(np.asarray(y_true))
    if len(labels) > 2:
        raise ValueError(f"goal={goal!r} is for two classes, y_true holds {len(labels)}")
    positive = labels[-1] if pos_label is None else pos_label
    weight = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
    true = (np.asarray(y_true) == positive).astype(int)
    every, _, _ = confusions(true, np.asarray(score, dtype=float), weight)
    return float(known.strict(every).max())


def at_least(wanted: dict[str, float]) -> ConstrainedGoal:
    """The goal of a dict such as {"recall": 0.8}: the greatest precision there, and of {"precision": 0.9} of recall.

    Raises
    ------
    ValueError
        For another form, and a value that is no number above 0 and at most 1.
    """
    if not isinstance(wanted, dict) or len(wanted) != 1 or not {*wanted} <= {"recall", "precision"}:
        raise ValueError(
            f"{wanted!r} must be a dict of one entry, {{'recall': 0.8}} or {{'precision': 0.9}}; for others give "
            "scoring=, for example scoring='recall_at_fpr<=0.01'"
        )
    ((measure, bound),) = wanted.items()
    objective = "precision" if measure == "recall" else "recall"
    name = f"{objective}_at_{measure}>={bound}"
    return ConstrainedGoal(name, objective, measure, _checked_bound(name, bound, f"{measure}: 0.9"))


def _counts(confusion, measure):
    """Hits and trials of a measure, each of shape (...)."""
    (true_negatives, false_positives), (false_negatives, hits) = np.moveaxis(np.asarray(confusion), (-2, -1), (0, 1))
    if measure == "fpr":
        return false_positives, false_positives + true_negatives
    return hits, hits + (false_positives if measure == "precision" else false_negatives)


def _rate(hits, trials):
    """Hits of trials, 0 where there is none."""
    return np.divide(hits, trials, out=np.zeros(np.shape(trials)), where=np.asarray(trials) > 0)
