"""Finishing: what the stages after a search share, and none of them changes."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from sklearn.pipeline import Pipeline

from skauto._telling import warn
from skauto.automl._progress import Progress
from skauto.automl._time_budget import Phases, closing
from skauto.automl._types import Threshold
from skauto.automl.selection._interrupts import Interrupts
from skauto.automl.selection._rescue import RescuePool
from skauto.automl.selection._select import Scored, scored_trials
from skauto.inputs._types import Label, Left
from skauto.resample._decision_rule import DecisionRule
from skauto.search._history import History
from skauto.search._sandbox import Report
from skauto.search._trial import Status

if TYPE_CHECKING:  # loads the portfolio's packages, which importing skauto must not
    from skauto.automl._plan import Plan

# The part of what is left beside the refit of the best model that the choice may take.
CHOICE_PART = 0.5


@dataclass(frozen=True)
class Finishing:
    """The plan and the history of a search, and the means to turn them into fitted models within the time that is left.

    Parameters
    ----------
    plan : Plan
    history : History
    classes : ndarray of shape (n_classes,)
    pos_label : label or None
    pool : RescuePool
    phases : Phases
    progress : Progress
    costs : ndarray of shape (n_classes, n_classes), default=None
    here : bool, default=True
        Whether a model may be fitted in this process, should no worker be ready in time.
    groups : ndarray of shape (n,), default=None
        Codes of the groups of rows that are never on both sides of a fold.
    interrupts : Interrupts
        Of a search that Ctrl-C ended: another one stops the fit.
    """

    plan: "Plan"
    history: History
    classes: np.ndarray
    pos_label: Label | None
    pool: RescuePool
    phases: Phases
    progress: Progress
    costs: np.ndarray | None = None
    here: bool = True
    groups: np.ndarray | None = None
    interrupts: Interrupts = field(default_factory=Interrupts)
    found: list[Scored] = field(init=False)
    closing_seconds: float = field(init=False)

    def __post_init__(self) -> None:
        found = scored_trials(self.history)
        object.__setattr__(self, "found", found)
        object.__setattr__(
            self,
            "closing_seconds",
            closing([trial.score_seconds for trial in found], self.phases.time_limit),
        )

    def left(self) -> float:
        """Seconds until the thresholds and the report must begin."""
        return max(self.phases.left() - self.closing_seconds, 0.0)

    def countdown(self, seconds: float) -> Left:
        """A function that gives what is left of some seconds, which begin now."""
        end = self.phases.clock() + seconds
        return lambda: end - self.phases.clock()

    def valid_over_train(self) -> float:
        """Rows of a validation fold over rows of a training fold."""
        return float(
            np.mean(
                [len(valid) / len(train) for train, valid in self.plan.context.folds]
            )
        )

    def threshold_or_none(self, threshold: Threshold) -> Threshold | None:
        """The threshold of what predicts: None where costs decide."""
        return None if self.costs is not None else threshold

    def decided(self, pipeline: Pipeline, threshold: Threshold) -> Pipeline:
        """A fitted pipeline whose last step decides by a threshold, or by the costs."""
        return DecisionRule(self.classes, self.pos_label, threshold, self.costs).wrap(
            pipeline
        )

    def warn_of_score(self, made: Report, instead: str) -> None:
        """Warn that the score of the user raised; that Ctrl-C ended it needs no word."""
        if made.status != Status.CANCELLED:
            warn(
                f"scoring={self.plan.scoring.name!r} failed after the search with {made.reason!r}, so {instead}; see "
                "that it always gives a number"
            )
