"""Fold racing: a trial stops once it cannot be expected to win."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from skauto.search._history import View
from skauto.search._trial import Result, Status, Trial


@dataclass(frozen=True)
class Race:
    """What a trial must reach to go on: set when it starts, so that it does not depend on how many workers there are.

    A trial stops when the mean of its folds so far is below the worst fold of the incumbent. Comparing with the
    incumbent's mean would stop earlier and lose the best trial often; see the reference.

    Parameters
    ----------
    worst : float
        The incumbent's worst fold; minus infinity without one.
    prior : float
        Mean score of the trials before, towards which a stopped one is shrunk.

    References
    ----------
    Bergman, Purucker, Hutter, "Don't waste your time: early stopping cross-validation", AutoML 2024 (PMLR 256),
    section 4, "forgiving".
    """

    worst: float = -np.inf
    prior: float = np.nan

    @classmethod
    def against(cls, history: View, trial: Trial, lag: int | None) -> Self:
        """The race of a trial: in count mode against results of trials 0 ... number - 1 - lag only."""
        last = len(history) if lag is None else trial.number - lag
        seen = [
            result
            for other, result in history.finished
            if other.number < last and other.fidelity == trial.fidelity and _is_full(result)
        ]
        if not seen:
            return cls()
        best = max(seen, key=lambda result: (result.score, -result.number))
        return cls(float(np.min(best.details["fold_scores"])), float(np.mean([result.score for result in seen])))

    def stops(self, scores: Sequence[float]) -> bool:
        """Whether a trial with these fold scores so far is over; never at a score that is not a number."""
        return bool(np.isfinite(scores).all() and np.mean(scores) < self.worst)

    def shrunk(self, scores: Sequence[float]) -> float:
        """The score of a stopped trial for strategies: its mean, pulled towards the others by one fold's weight.

        It is below the incumbent's, for both parts are.
        """
        return float((np.sum(scores) + self.prior) / (len(scores) + 1))


def _is_full(result: Result) -> bool:
    return result.status == Status.COMPLETE and not result.details["pruned"]


def races(racing: bool | str, strategy_name: str, time_limit: float | None, multimetric: bool) -> bool:
    """Whether to race: "auto" does not where every split is wanted or there is no single metric to race on."""
    if racing != "auto":
        return bool(racing)
    return not multimetric and not (strategy_name in ("Grid", "Random") and time_limit is None)
