"""Keeps: what AutoClassifier knows once a fit is done, as its attributes."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from skauto.automl._leaderboard import COLUMNS, cv_results, leaderboard
from skauto.automl._types import Estimator, Threshold, Values
from skauto.automl.selection._final_model import FinalModel
from skauto.automl.selection._finishing import Finishing
from skauto.automl.selection._honest_score import ENSEMBLE, UNKNOWN
from skauto.automl.tables._columns import columns_of, lines_on, watch
from skauto.estimators._ensemble import WeightedEnsembleClassifier


class Keeps:
    """What AutoClassifier keeps of a fit."""

    best_estimator_: Pipeline
    ensemble_: WeightedEnsembleClassifier
    threshold_: Threshold | None
    model_kind_: str
    columns_: pd.DataFrame | None
    best_params_: Values
    best_score_: float
    honest_score_: float
    honest_interval_: tuple[float, float]
    cv_results_: dict[str, Any]
    leaderboard_: pd.DataFrame
    pareto_front_: pd.DataFrame | None
    budget_: pd.DataFrame
    # A plain model of the kind of data, unfitted, which `score_report` compares with.
    _plain: Pipeline
    _board: pd.DataFrame
    _kept: dict[int, tuple[Estimator, Threshold | None]]

    def _keep(self, finishing: Finishing, final: FinalModel) -> None:
        """Set the attributes: what predicts and what is known of it."""
        best, bounds = final.best, finishing.plan.constraints
        self.best_estimator_, self.ensemble_ = final.best_estimator, final.ensemble
        self.threshold_ = final.threshold
        self.model_kind_, self.columns_ = final.kind, columns_of(self.best_estimator_)
        watch(self.best_estimator_, self.ensemble_)
        self.best_params_ = best.values if best else {}
        self.best_score_ = best.score if best else np.nan
        self.cv_results_ = cv_results(finishing.history)
        honest = final.honest.get(ENSEMBLE, UNKNOWN)
        self.honest_score_ = honest.score
        self.honest_interval_ = honest.low, honest.high
        others = [other.name for other in finishing.plan.scoring.also]
        self._board = leaderboard(finishing.history, final, [*others, *bounds.names])
        self._kept = final.kept()
        self.leaderboard_ = self._board[COLUMNS]
        self.pareto_front_ = None
        if bounds or others:
            self.pareto_front_ = bounds.front(self._board, others)
        for line in lines_on(self.columns_):
            finishing.progress.say(line)
        finishing.progress.show("finished", end=True)
        self._plain = finishing.plan.context.build.fallback()
        self.budget_ = finishing.phases.frame()
