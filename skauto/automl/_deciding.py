"""How a fitted AutoClassifier is made to decide otherwise: from its out-of-fold probabilities, without a refit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skauto._telling import warn
from skauto.automl._costs_by_row import read_costs
from skauto.automl._holding_out import Divided
from skauto.automl._outscored import outscored
from skauto.automl._types import Estimator, Threshold
from skauto.automl.evaluation._goals import complaint, line_on, measured
from skauto.automl.evaluation._metrics import resolve_metric
from skauto.automl.evaluation._scoring import Scoring
from skauto.automl.selection._final_model import FinalModel
from skauto.automl.selection._finishing import Finishing
from skauto.automl.selection._out_of_fold_rows import OutOfFoldRows
from skauto.automl.selection._shortlist import Selection
from skauto.inputs._types import Label
from skauto.resample._constrained_goal import ConstrainedGoal
from skauto.resample._constrained_goal import at_least as at_least_of
from skauto.resample._costs import checked_costs
from skauto.resample._decision_rule import (
    DecisionRule,
    checked_threshold,
    positive_last,
)
from skauto.resample._threshold import default_threshold

WAYS = "scoring=, cost_matrix=, threshold=, {'recall': 0.8} or {'precision': 0.9}"

# For what looks at no row.
NO_ROWS = np.empty((0, 0))


@dataclass(frozen=True)
class _Decision:
    """What is to decide from now on.

    Attributes
    ----------
    threshold : callable
        From out-of-fold probabilities to a threshold.
    scoring : str, scorer or None
        What rows are scored by from now on; None for what the search maximised.
    costs : ndarray of shape (n_classes, n_classes) or None
    goal : Scoring or None
        By the constrained goal that a threshold must reach.
    """

    threshold: Callable[[np.ndarray], Threshold]
    scoring: Any = None
    costs: np.ndarray | None = None
    goal: Scoring | None = None


class Deciding:
    """The methods of AutoClassifier that move its decision."""

    # What AutoClassifier keeps of a fit.
    classes_: np.ndarray
    pos_label_: Label | None
    threshold_: Threshold | None
    cost_matrix_: np.ndarray | None
    best_estimator_: Pipeline
    model_kind_: str
    goal_: pd.Series | None
    _board: pd.DataFrame
    _kept: dict[int, tuple[Estimator, Threshold | None]]
    _costs_by_column: dict[Any, Any] | None
    # None in models of versions before 0.3.
    _rows: OutOfFoldRows | None = None
    # What rows are scored by since `set_decision`, None for what the search maximised.
    _decided_for: Any = None

    @property
    def oof_proba_(self) -> np.ndarray:
        """Out-of-fold probabilities of the ensemble, shape (n, n_classes), in the order of the rows given to `fit`."""
        if self._rows is None:
            raise AttributeError(
                f"this {type(self).__name__} has no 'oof_proba_': it is not fitted, or was saved by skauto 0.2, which "
                "kept none; fit it (again)"
            )
        return self._rows.by_row(len(self.classes_))

    def set_decision(
        self,
        at_least: dict[str, float] | None = None,
        *,
        scoring: Any = None,
        cost_matrix: Any = None,
        threshold: Any = None,
    ) -> Self:
        """Decide otherwise: `predict`, `best_estimator_` and the thresholds of ``leaderboard(X, y)``, without a refit.

        Thresholds are chosen anew for each model on its own out-of-fold probabilities, those of each repeat.
        `predict_proba` and `leaderboard_`, which says what the search saw, stay as they are. `score` and
        ``leaderboard(X, y)`` go by the new `scoring` or costs; with another argument, by what the search maximised, and
        by F1 where that was costs.

        Parameters
        ----------
        at_least : dict, default=None
            ``{"recall": 0.8}`` for the greatest precision with that recall of `pos_label_`, ``{"precision": 0.9}`` for
            the greatest recall with that precision.
        scoring : str or scorer, default=None
            As in the constructor. One of probabilities moves no threshold: each row then gets its likeliest label.
        cost_matrix : array-like of shape (n_classes, n_classes), DataFrame or dict, default=None
            As in the constructor, of numbers: decide by least expected cost.
        threshold : float, array-like of shape (n_classes,) or dict, default=None
            Of two classes the least probability of `pos_label_` at which it is predicted; of more a factor of each
            class's probability, in the order of `classes_` or by label.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If not exactly one argument is given, if it cannot be used, and if no threshold of the ensemble reaches
            what is wanted: the message then has the closest value that one reaches. The decision stays as it was.

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> from skauto import AutoClassifier
        >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
        >>> auto = AutoClassifier(n_iter=1, time_limit=None, cv=3, candidates="logistic", pos_label=0, n_jobs=1,
        ...                       random_state=0, verbose=0).fit(X, y)
        >>> auto.set_decision({"recall": 0.99}).goal_["reached"]
        True
        """
        check_is_fitted(self, "ensemble_")
        given = {
            "at_least": at_least,
            "scoring": scoring,
            "cost_matrix": cost_matrix,
            "threshold": threshold,
        }
        named = [name for name, value in given.items() if value is not None]
        if len(named) != 1:
            what = " and ".join(named) if named else "nothing"
            raise ValueError(f"set_decision takes one of {WAYS}, and was given {what}")
        readers: dict[str, Callable[[Any], _Decision]] = {
            "at_least": self._by_measure,
            "scoring": self._by_scoring,
            "cost_matrix": self._by_costs,
            "threshold": self._by_threshold,
        }
        self._decide(readers[named[0]](given[named[0]]))
        return self

    def _by_measure(self, wanted: dict[str, float]) -> _Decision:
        """The decision for a recall or a precision; rows are scored as before."""
        goal = at_least_of(wanted)
        self._refuse_many(f"set_decision({wanted!r})")
        scoring = self._known_rows().scoring(goal.name, "labels", goal)
        return _Decision(scoring.threshold, goal=scoring)

    def _by_scoring(self, scoring: Any) -> _Decision:
        """The decision for a score."""
        order = positive_last(self.classes_, self.pos_label_)
        name, judged_by, metric = resolve_metric(scoring, self.classes_[order])
        if judged_by == "estimator":
            raise ValueError(
                f"scoring={scoring!r} is a function of (estimator, X, y), and a fitted model keeps no rows of X: give "
                "make_scorer of a function of labels, or threshold="
            )
        scorer = self._known_rows().scoring(name, judged_by, metric)
        goal = scorer if isinstance(metric, ConstrainedGoal) else None
        return _Decision(scorer.threshold, scoring, goal=goal)

    def _by_costs(self, cost_matrix: Any) -> _Decision:
        """The decision of least expected cost."""
        by_row = (
            any(isinstance(value, str) for value in cost_matrix.values())
            if isinstance(cost_matrix, dict)
            else np.ndim(cost_matrix) > 2
        )
        if by_row:
            raise ValueError(
                "set_decision takes costs that are the same for all rows; give those of each row to "
                "predict(X, cost_matrix=...), after set_decision(cost_matrix=...) of their means"
            )
        n_classes = len(self.classes_)
        costs = (
            read_costs(cost_matrix, NO_ROWS, self.classes_, self.pos_label_)
            if isinstance(cost_matrix, dict)
            else checked_costs(cost_matrix, self.classes_)
        )
        # Costs take the place of a score whose name is the default.
        return _Decision(lambda proba: default_threshold(n_classes), "f1", costs)

    def _by_threshold(self, threshold: Any) -> _Decision:
        """The decision by a threshold, or by factors of the classes."""
        checked = checked_threshold(threshold, self.classes_)
        return _Decision(lambda proba: checked)

    def _refuse_many(self, what: str) -> None:
        if len(self.classes_) > 2:
            raise ValueError(
                f"{what} is for two classes, the model has {len(self.classes_)}; give scoring=, for example "
                "'f1_macro', or threshold= with a factor for each class"
            )

    def _known_rows(self) -> OutOfFoldRows:
        """The out-of-fold rows; ValueError where there are none."""
        rows = self._rows
        if rows is None or not len(rows.places):
            why = (
                "was saved by skauto 0.2, which kept none: fit again"
                if rows is None
                else f"has none, as it is of the kind {self.model_kind_!r}: raise time_limit"
            )
            raise ValueError(
                f"set_decision needs out-of-fold probabilities, and this model {why}; threshold= and cost_matrix= "
                "need none"
            )
        return rows

    def _decide(self, decision: _Decision) -> None:
        """Set the decision of all models, or none of them where something is wrong."""
        rows, goal = self._rows, None
        if decision.goal is not None:
            goal = goal_reached(decision.goal, self._known_rows().proba)
        tuned = decision.threshold(NO_ROWS if rows is None else rows.proba)
        of_trials = {
            number: decision.threshold(proba)
            for number, proba in (rows.of_trials if rows is not None else {}).items()
        }
        lone = tuned if rows is None or rows.best is None else of_trials[rows.best]
        rule = DecisionRule(self.classes_, self.pos_label_, lone, decision.costs)
        before, best = self.best_estimator_, rule.rewrap(self.best_estimator_)
        self._kept = {
            number: (
                best if model is before else model,
                of_trials.get(number, tuned if rows is None else None),
            )
            for number, (model, _) in self._kept.items()
        }
        self.best_estimator_, self.goal_ = best, goal
        self.threshold_ = tuned if decision.costs is None else None
        self.cost_matrix_, self._costs_by_column = decision.costs, None
        self._decided_for = decision.scoring

    def _remember(
        self,
        finishing: Finishing,
        selection: Selection,
        final: FinalModel,
        given: Divided,
    ) -> None:
        """Keep what decides anew after a fit; tell how far a goal is reached, and what outscores the ensemble."""
        context, scoring = finishing.plan.context, selection.scoring
        n_held = 0 if given.held is None else len(given.held)
        n_rows = len(context.y) + n_held
        rows = OutOfFoldRows.of(context.folds, scoring, final, n_rows, given.rows)
        self._rows, self._decided_for, self.goal_ = rows, None, None
        for line in outscored(self._board, scoring.selected_by):
            finishing.progress.say(line)
        if isinstance(scoring.metric, ConstrainedGoal) and len(rows.places):
            known = rows.scoring(scoring.name, scoring.judged_by, scoring.metric)
            self.goal_ = measured(known, rows.proba)
            finishing.progress.say(line_on(self.goal_))
            if not self.goal_["reached"]:
                warn(
                    f"{complaint(self.goal_)}; the threshold there is used. Give more rows or time, or a looser bound"
                )


def goal_reached(scoring: Scoring, proba: np.ndarray) -> pd.Series:
    """What is known of a goal; ValueError where no threshold reaches it."""
    goal = measured(scoring, proba)
    if not goal["reached"]:
        raise ValueError(f"set_decision: {complaint(goal)}; ask for no more than that")
    return goal
