"""TrialOutcome: what one evaluated trial brought back."""

import math
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, cast

import numpy as np
from sklearn.pipeline import Pipeline

from skauto.automl._types import Footprint
from skauto.search._trial import Result


class Bag(NamedTuple):
    """The fold models of a trial.

    Attributes
    ----------
    mark : tuple of float
        Its fidelity, number of folds and score: the greatest is kept. A trial of more rows or of more folds is worth
        more than a better score of fewer.
    content : bytes
    """

    mark: tuple[float, ...]
    content: bytes


@dataclass(frozen=True)
class TrialOutcome:
    """What one evaluated trial brought back; the probabilities are those of the folds that there was time for.

    Parameters
    ----------
    score : float
        Greater is better; at a fidelity below 1 that which rungs go by.
    proba : ndarray of shape (n_validated, n_classes)
        Out-of-fold probabilities, in the order of the folds.
    fit_seconds : float
        Mean seconds of fitting a fold.
    best_iteration : int or None
        Median of the iterations at which the folds stopped early, None where none does.
    fold_scores : tuple of float
        The score of each fold, of a single one those of its parts; empty at a fidelity below 1.
    n_folds : int or None
        How many folds were fitted, None at a fidelity below 1.
    F1, AUC, AP : float
        Scores of the pooled probabilities, NaN at a fidelity below 1.
    score_seconds : float
        What scoring them took.
    also : dict or None
        Further scores by name, which are only shown.
    footprint : dict or None
        Measured costs by name, where constraints bound some.
    model : Pipeline or None
        The fitted model, where it is the final one.
    bag : Bag or None
        The fold models, where the trial is the best of its worker so far.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.automl.evaluation._outcome import TrialOutcome
    >>> sorted(TrialOutcome(0.9, np.eye(2), 0.1).details())
    ['fit_seconds', 'proba', 'score_seconds']
    """

    score: float
    proba: np.ndarray
    fit_seconds: float
    best_iteration: int | None = None
    fold_scores: tuple[float, ...] = ()
    n_folds: int | None = None
    F1: float = math.nan
    AUC: float = math.nan
    AP: float = math.nan
    score_seconds: float = 0.0
    also: dict[str, float] | None = None
    footprint: Footprint | None = None
    model: Pipeline | None = None
    bag: Bag | None = None

    def details(self) -> dict[str, Any]:
        """All but the score, as a Result keeps it and a journal writes it: a dict, without what is not known."""
        known = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name != "score"
        }
        return {
            name: value for name, value in known.items() if not _is_default(name, value)
        }

    @classmethod
    def of(cls, result: Result) -> "TrialOutcome | None":
        """The outcome of a Result, None where its trial is not complete."""
        if result.status != "complete":
            return None
        names = {field.name for field in fields(cls)}
        details = cast(dict[str, Any], result.details)
        known = {name: value for name, value in details.items() if name in names}
        return cls(score=result.score, **known)


# What is known of a trial that is not complete.
NO_OUTCOME = TrialOutcome(math.nan, np.empty((0, 0)), math.nan)


def _is_default(name: str, value: Any) -> bool:
    if name == "fold_scores":
        return not len(value)
    return value is None or (isinstance(value, float) and math.isnan(value))
